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
    weight = [factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)]
    return _weighted_additions(values, n, weight)


def veto_shapley_value(v: ArrayLike) -> FloatArray:
    r"""Return the Shapley value where one more player must be in every coalition of any value.

    The game is ``w(S + veto) = v(S)`` and ``w(S) = 0``: hosts of a road and those who ship over it,
    say. ``phi_i = sum over S without i of (|S| + 1)! (n - |S| - 1)! / (n + 1)! (v(S + i) - v(S))``.

    Parameters
    ----------
    v
        float64 (2**n,): value of every coalition of the others by bitmask, ``v[0] = 0``; n <= 20.

    Returns
    -------
    ndarray of float64, shape (n + 1,)
        Shares, that of the player with the veto last; they sum to ``v[-1]``.

    Raises
    ------
    InputError
        If `v` has another shape, is not finite, or does not start with 0.

    Examples
    --------
    A road of one host without a bypass, and of two hosts of whom either will do:

    >>> veto_shapley_value([0, 1]).round(6), veto_shapley_value([0, 1, 1, 1]).round(6)
    (array([0.5, 0.5]), array([0.166667, 0.166667, 0.666667]))
    """
    values, n = coalition_values(v)
    weight = [factorial(s + 1) * factorial(n - s - 1) / factorial(n + 1) for s in range(n)]
    shares = _weighted_additions(values, n, weight)
    return np.append(shares, values[-1] - shares.sum())


def _weighted_additions(values: FloatArray, n: int, weights: list[float]) -> FloatArray:
    """Return what each player adds to the coalitions without it, weighted by their sizes."""
    size = member_sums(np.ones(n)).astype(np.int64)
    weight = np.array([*weights, 0.0])[size]
    shares = np.empty(n)
    for player in range(n):
        # Coalitions in pairs: without the player, and with.
        pairs = values.reshape(-1, 2, 2**player)
        of_pair = weight.reshape(-1, 2, 2**player)[:, 0]
        shares[player] = float((of_pair * (pairs[:, 1] - pairs[:, 0])).sum())
    return shares
