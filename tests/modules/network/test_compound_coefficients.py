"""The search for compound coefficients gives what keras_efficientnets gave."""

from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize

from efficientmixnet.modules.network.compound_coefficients import get_compound_coeff_func, optimize_coefficients


def test_loss_of_the_papers_coefficients():
    loss = get_compound_coeff_func(phi=1.0, max_cost=2.0)
    assert loss([1.2, 1.1, 1.15]) == pytest.approx(0.0063569, abs=1e-7)
    assert loss([1.0, 1.0, 1.0]) == 1.0


def test_rows_follow_the_grid():
    rows = optimize_coefficients(search_per_coeff=10)
    assert rows.shape == (1000, 3)
    expected = [[1.12012, 1.15597, 1.15597], [1.10133, 1.09627, 1.22924], [1.06020, 1.05243, 1.30506]]
    np.testing.assert_allclose(rows[:3], expected, atol=2e-5)
    assert rows.min() >= 1 - 1e-9


def test_tolerance_leaves_the_good_rows_and_sorting_puts_the_best_first():
    loss = get_compound_coeff_func()
    rows = optimize_coefficients(search_per_coeff=4, tol=1e-9, sort_by_loss=True)
    losses = [loss(row) for row in rows]
    assert 0 < len(rows) < 64
    assert losses == sorted(losses)
    assert losses[-1] <= 1e-9


def test_a_custom_loss_takes_any_number_of_coefficients():
    rows = optimize_coefficients(2, lambda x: float((x[0] * x[1] - 3) ** 2), search_per_coeff=2)
    np.testing.assert_allclose(rows[0].prod(), 3, atol=1e-3)
    with pytest.raises(ValueError, match="num_coeff=2 needs a loss_func"):
        optimize_coefficients(2)


def test_no_file_is_written_unless_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = optimize_coefficients(search_per_coeff=1)
    assert list(tmp_path.iterdir()) == []
    optimize_coefficients(search_per_coeff=1, save_coeff=True)
    np.testing.assert_array_equal(np.load(tmp_path / "param_coeff" / "1.npy"), rows)
    optimize_coefficients(search_per_coeff=1, save_coeff=tmp_path / "mine.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "mine.npy"), rows)


@pytest.mark.parametrize(("phi", "max_cost"), [(1.0, 2.0), (2.3, 7.0), (0.5, 100.0)])
def test_the_derivatives_lead_where_those_of_scipy_lead(phi, max_cost):
    loss = get_compound_coeff_func(phi, max_cost)
    at_least_one = {"type": "ineq", "fun": lambda coefficients: coefficients - 1.0}
    starts = product(np.linspace(1.0, max_cost, 3), repeat=3)
    with np.errstate(all="ignore"):
        expected = [minimize(loss, start, method="SLSQP", constraints=at_least_one).x for start in starts]
    called = []
    found = optimize_coefficients(phi=phi, max_cost=max_cost, search_per_coeff=3, progress=lambda: called.append(1))
    assert len(called) == 27
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_search_far_from_a_solution_gives_no_warnings():
    """Warnings of our own code are errors in tests."""
    loss = get_compound_coeff_func(100, 1000)
    rows = optimize_coefficients(phi=100, max_cost=1000, search_per_coeff=2, sort_by_loss=True)
    assert loss(rows[0]) < 1e-3
    assert loss(rows[-1]) == np.inf
