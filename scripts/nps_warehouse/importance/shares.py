"""Shares of explained variance: what a regression's R² owes to each of its variables."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# What is left of a variable's own variance once the others explain it: less is rounding, and the
# variable says nothing that they don't.
LEAST_VARIANCE = 1e-9
MOST_VARIABLES = 12

Matrix = npt.NDArray[np.float64]


def shares_of_variance(sums: Sequence[float]) -> tuple[float, list[float]]:
    """Explained variance of a regression, and each variable's share, of sums over its rows.

    Args:
        sums: of the rows, in this order: their number; the sums of y and of y²; of each of the k
            variables its sum; of each its products with y; of each pair its products, (1, 1),
            (1, 2) … (1, k), (2, 2) … (k, k). Any unit.

    Returns:
        R² (0-1), and per variable its share (0-1, adding up to R²) in the order given. All are 0
        where y does not vary. A variable that does not vary has a share of 0.

    Raises:
        ValueError: the number of sums is that of no number of variables, or of more than 12.
    """
    k = _variables(len(sums))
    values = np.asarray(sums, dtype=np.float64)
    rows, total_y, squares_y = values[:3]
    totals = np.append(values[3 : 3 + k], total_y)
    products = np.empty((k + 1, k + 1))
    upper = np.triu_indices(k)
    products[upper] = values[3 + 2 * k :]
    products[upper[::-1]] = values[3 + 2 * k :]
    products[k, :k] = products[:k, k] = values[3 + k : 3 + 2 * k]
    products[k, k] = squares_y
    if rows <= 0:
        return 0.0, [0.0] * k
    centred = products - np.outer(totals, totals) / rows
    deviations = np.sqrt(np.maximum(np.diag(centred), 0.0))
    varies = deviations > math.sqrt(LEAST_VARIANCE) * np.sqrt(np.maximum(np.diag(products), 0.0))
    if not varies[k]:
        return 0.0, [0.0] * k
    scale = np.where(varies, deviations, 1.0)
    correlations = np.where(np.outer(varies, varies), centred / np.outer(scale, scale), 0.0)
    return lmg(correlations)


def lmg(correlations: Matrix) -> tuple[float, list[float]]:
    """Shares of R² averaged over all orders in which variables can enter a regression.

    The share of a variable is the mean, over all orders, of what it adds to R² when it enters
    (Lindeman, Merenda and Gold 1980, *Introduction to Bivariate and Multivariate Analysis*,
    p. 119; Shapley's value of the game in which a coalition of variables is worth its R²).

    Args:
        correlations: of k variables and, last, of y: (k + 1) x (k + 1), 0 all along the row and
            the column of a variable that does not vary.

    Returns:
        R² of all variables, and the share of each, in their order.
    """
    k = len(correlations) - 1
    # What each set of variables leaves unexplained of all of them, sets as numbers in binary: a set
    # with one variable more is the set without it, less what that variable explains of the rest.
    left = np.empty((1 << k, k + 1, k + 1))
    left[0] = correlations
    for variable in range(k):
        without = left[: 1 << variable]
        own = without[:, variable, variable]
        adds = own > LEAST_VARIANCE
        explained = (
            without[:, :, variable, np.newaxis]
            * without[:, np.newaxis, variable, :]
            / np.where(adds, own, 1.0)[:, np.newaxis, np.newaxis]
        )
        left[1 << variable : 2 << variable] = without - np.where(
            adds[:, np.newaxis, np.newaxis], explained, 0.0
        )
    r_squared = np.clip(1.0 - left[:, k, k], 0.0, 1.0)
    sets = np.arange(1 << k)
    size = np.bitwise_count(sets)
    # Of all orders, how many have exactly this set before a variable that is not in it.
    orders = np.array(
        [
            math.factorial(members) * math.factorial(max(0, k - members - 1)) / math.factorial(k)
            for members in range(k + 1)
        ]
    )
    shares = []
    for variable in range(k):
        without = sets[(sets >> variable) & 1 == 0]
        gain = r_squared[without | 1 << variable] - r_squared[without]
        shares.append(math.fsum(orders[size[without]] * gain))
    return float(r_squared[-1]), shares


def _variables(sums: int) -> int:
    for k in range(1, MOST_VARIABLES + 1):
        if sums == 3 + 2 * k + k * (k + 1) // 2:
            return k
    raise ValueError(f"{sums} sums are those of no number of variables from 1 to {MOST_VARIABLES}.")
