"""The search for compound coefficients: depth, width and resolution for a given cost.

    minimize ((alpha beta^2 gamma^2)^phi - max_cost)^2      with alpha, beta, gamma >= 1

Tan and Le, "EfficientNet", arXiv 1905.11946, section 3.3. Names and arguments are those of keras_efficientnets.
"""

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np

_STEP = np.sqrt(np.finfo(float).eps)


def get_compound_coeff_func(phi: float = 1.0, max_cost: float = 2.0) -> Callable[[np.ndarray], float]:
    """Returns the loss: the squared distance between the cost of (alpha, beta, gamma) and `max_cost`."""

    @np.errstate(all="ignore")  # Far from a solution, it is infinite or not a number.
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
    progress: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Minimizes the loss from every point of a grid.

    Args:
        num_coeff: The number of coefficients.
        loss_func: The loss of `num_coeff` coefficients. None: `get_compound_coeff_func(phi, max_cost)`, which takes
            three.
        phi: The compound coefficient.
        max_cost: The allowed cost, relative to the base network.
        search_per_coeff: Grid points per coefficient, from 1 to `max_cost`.
        sort_by_loss: Whether the best row comes first. Otherwise rows are in the order of the grid.
        save_coeff: True writes param_coeff/<phi>.npy in the working directory. A path writes to that path.
        tol: Rows with a higher loss are left out.
        progress: Is called after each grid point.

    Returns:
        An array (rows, num_coeff) with one result per grid point.

    Raises:
        ValueError: num_coeff is not 3 and there is no loss_func.

    Example:
        >>> optimize_coefficients(search_per_coeff=3, sort_by_loss=True).shape[1]
        3
    """
    from scipy.optimize import minimize  # takes half a second, and only this function needs it

    if loss_func is None and num_coeff != 3:
        raise ValueError(f"optimize_coefficients: num_coeff={num_coeff} needs a loss_func; without one there are three")
    loss = loss_func or get_compound_coeff_func(float(phi), float(max_cost))
    identity = np.eye(num_coeff)
    at_least_one = {"type": "ineq", "fun": lambda coefficients: coefficients - 1.0, "jac": lambda _: identity}
    found = []
    with np.errstate(all="ignore"):  # of the differences of such losses
        for start in product(np.linspace(1.0, max_cost, search_per_coeff), repeat=num_coeff):
            found.append(minimize(loss, start, method="SLSQP", jac=_gradient(loss), constraints=at_least_one).x)
            progress()
        rows = np.array(found)
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


def _gradient(loss: Callable[[np.ndarray], float]) -> Callable[[np.ndarray], np.ndarray]:
    """The forward differences that SciPy takes by itself, without its checks, which need most of the time."""

    def gradient(point: np.ndarray) -> np.ndarray:
        here, found = loss(point), np.empty(len(point))
        for axis in range(len(point)):
            other = point.copy()
            other[axis] += _STEP
            found[axis] = (loss(other) - here) / (other[axis] - point[axis])
        return found

    return gradient
