"""Classes that see the same arcs the same way: few patterns stand for many classes."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

IntArray: TypeAlias = NDArray[np.int32]
SignArray: TypeAlias = NDArray[np.int8]


class Patterns(NamedTuple):
    """What arcs are to classes, each distinct row and each distinct column once.

    Attributes
    ----------
    words : ndarray of int8, shape (n_patterns, n_symbols)
        What an arc of each symbol is to the classes of each pattern.
    pattern : ndarray of int32, shape (n_classes,)
        Pattern of each class.
    symbol : ndarray of int32, shape (n_arcs,)
        Symbol of each arc.
    """

    words: SignArray
    pattern: IntArray
    symbol: IntArray


def find_patterns(signs: SignArray) -> Patterns:
    """Return the patterns of what each arc is to each class.

    Parameters
    ----------
    signs : ndarray of int8, shape (n_classes, n_arcs)
        Small numbers >= 0.

    Examples
    --------
    >>> words, pattern, symbol = find_patterns(np.array([[0, 2, 0], [0, 2, 0], [1, 2, 1]], np.int8))
    >>> words.tolist(), pattern.tolist(), symbol.tolist()
    ([[0, 2], [1, 2]], [0, 0, 1], [0, 1, 0])
    """
    number: dict[bytes, int] = {}
    pattern = np.array([number.setdefault(row.tobytes(), len(number)) for row in signs], np.int32)
    _, first = np.unique(pattern, return_index=True)
    rows = signs[first]
    # Column by column of the patterns, so that the numbers stay small.
    symbol = np.zeros(signs.shape[1], np.int64)
    base = int(signs.max(initial=0)) + 1
    for row in rows:
        _, symbol = np.unique(symbol * base + row, return_inverse=True)
    _, example = np.unique(symbol, return_index=True)
    return Patterns(rows[:, example], pattern, symbol.astype(np.int32))
