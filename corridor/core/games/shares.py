"""The Shapley value: the mean of what a player adds, over all orders in which players come."""

from math import factorial

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.games._values import FloatArray, coalition_values, member_sums


def shapley_value(v: ArrayLike) -> FloatArray:
    r"""Return the Shapley value of every player.

    Formula: ``phi_i = sum over S without i of |S|! (n - |S| - 1)! / n! (v(S + i) - v(S))``.

    Parameters
    ----------
    v
        float64 (2**n,): value of every coalition by bitmask, ``v[0] = 0``; n <= 20.

    Returns
    -------
    ndarray of float64, shape (n,)
        Shares, which sum to ``v[-1]``.

    Raises
    ------
    InputError
        If `v` has another shape, is not finite, or does not start with 0.

    References
    ----------
    L. S. Shapley, "A value for n-person games", Contributions to the Theory of Games II, Princeton
    University Press 1953, 307-317.

    Examples
    --------
    One left glove and two right ones; only pairs have a value:

    >>> shapley_value([0, 0, 0, 1, 0, 1, 0, 1]).round(6)
    array([0.666667, 0.166667, 0.166667])
    """
    values, n = coalition_values(v)
    size = member_sums(np.ones(n)).astype(np.int64)
    weight = np.array(
        [factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)] + [0.0]
    )[size]
    shares = np.empty(n)
    for player in range(n):
        # Coalitions in pairs: without the player, and with.
        pairs = values.reshape(-1, 2, 2**player)
        weights = weight.reshape(-1, 2, 2**player)[:, 0]
        shares[player] = float((weights * (pairs[:, 1] - pairs[:, 0])).sum())
    return shares
