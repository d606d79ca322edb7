"""Values of coalitions by bitmask: their check, and sums over the members of every coalition."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.errors import InputError

FloatArray: TypeAlias = NDArray[np.float64]

MOST_PLAYERS: Final = 20


def coalition_values(values: ArrayLike) -> tuple[FloatArray, int]:
    """Return the values of all coalitions as float64, and the number of players.

    Raises
    ------
    InputError
        If their number is no power of two from 2 to 2**20, one is not finite, or that of the empty
        coalition is not 0.
    """
    v = np.asarray(values)
    if v.dtype.kind not in "iuf":
        msg = f"v must be an array of numbers; found dtype {v.dtype}."
        raise InputError(msg)
    v = v.astype(np.float64)
    n = max(v.size.bit_length() - 1, 0)
    if v.ndim != 1 or v.size != 2**n or not 1 <= n <= MOST_PLAYERS:
        msg = (
            f"v must hold one value for each of 2**n coalitions, 1 <= n <= {MOST_PLAYERS} players; "
            f"found shape {v.shape}. Index coalitions by bitmask, the empty one first."
        )
        raise InputError(msg)
    bad = ~np.isfinite(v)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        msg = (
            f"v must be finite; found {v[first]} at coalition {first:#b} ({int(bad.sum())} of "
            f"{v.size}). A coalition that can do nothing has the value 0."
        )
        raise InputError(msg)
    if v[0] != 0.0:
        msg = f"v[0], the value of no players, must be 0; found {v[0]}. Subtract it from all."
        raise InputError(msg)
    return v, n


def member_sums(per_player: FloatArray) -> FloatArray:
    """Return the sum over the members of every coalition.

    Parameters
    ----------
    per_player
        (n, ...): what each player counts.

    Returns
    -------
    ndarray of float64, shape (2**n, ...)
        Sums, indexed by bitmask.
    """
    n = per_player.shape[0]
    sums = np.zeros((2**n, *per_player.shape[1:]))
    for player in range(n):
        size = 2**player
        sums[size : 2 * size] = sums[:size] + per_player[player]
    return sums
