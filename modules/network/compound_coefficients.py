"""The search for compound coefficients: depth, width and resolution that make a network cost what is allowed.

    minimize ((alpha beta^2 gamma^2)^phi - max_cost)^2      with alpha, beta, gamma >= 1

Tan and Le, "EfficientNet", arXiv 1905.11946, section 3.3. Names and arguments are those of keras_efficientnets.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np


def get_compound_coeff_func(phi: float = 1.0, max_cost: float = 2.0) -> Callable[[np.ndarray], float]:
    """The squared distance of the cost of (alpha, beta, gamma) from `max_cost`."""

    def loss(coefficients: np.ndarray) -> float:
        alpha, beta, gamma = coefficients
        return (alpha**phi * beta ** (2 * phi) * gamma ** (2 * phi) - max_cost) ** 2

    return loss


def optimize_coefficients(
    num_coeff: int = 3,
    loss_func: Callable[[np.ndarray], float] | None = None,
    phi: float = 1.0,
    max_cost: float = 2.0,
    search_per_coeff: int = 4,
    sort_by_loss: bool = False,
    save_coeff: bool | str | Path = False,
    tol: float | None = None,
) -> np.ndarray:
    """Minimizes the loss from every point of a grid; a row of (rows, num_coeff) is where one search ended.

    Args:
        loss_func: of `num_coeff` coefficients; None: `get_compound_coeff_func(phi, max_cost)`, which takes three.
        search_per_coeff: points of the grid for each coefficient, from 1 to `max_cost`.
        sort_by_loss: the best row first, else in the grid's order.
        save_coeff: True writes param_coeff/<phi>.npy in the working directory; a path writes there.
        tol: leaves out rows whose loss is higher.
    """
    from scipy.optimize import minimize  # half a second, and only this needs it

    if loss_func is None and num_coeff != 3:
        raise ValueError(f"optimize_coefficients: num_coeff={num_coeff} needs a loss_func; without one there are three")
    loss = loss_func or get_compound_coeff_func(float(phi), float(max_cost))
    at_least_one = {"type": "ineq", "fun": lambda coefficients: coefficients - 1.0}
    grid = product(np.linspace(1.0, max_cost, search_per_coeff), repeat=num_coeff)
    rows = np.array([minimize(loss, start, method="SLSQP", constraints=at_least_one).x for start in grid])
    losses = np.array([loss(row) for row in rows])
    if tol is not None:
        rows, losses = rows[losses <= tol], losses[losses <= tol]
    if sort_by_loss:
        rows = rows[np.argsort(losses, kind="stable")]
    if save_coeff:
        path = Path("param_coeff") / f"{phi:g}.npy" if save_coeff is True else Path(save_coeff)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, rows)
    return rows
