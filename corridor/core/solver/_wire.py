"""Protocol-buffer bytes from NumPy arrays and back, without a Python object per number.

Format: a packed repeated field is ``key, length, payload`` with ``key = number << 3 | 2``; doubles
are 8 bytes little-endian, integers are varints of 7 bits a byte, the high bit set on all but the
last [1]_. A varint may carry leading zero groups, so that one width serves all ids of a field.

References
----------
.. [1] Protocol Buffers documentation, "Encoding".
"""

import numpy as np
from numpy.typing import NDArray

from corridor.core.solver.program import FloatArray

IntArray = NDArray[np.intp]
_LENGTH_DELIMITED = 2


def packed_ids(number: int, ids: IntArray) -> bytes:
    """Return a packed field of non-negative integers."""
    width = max(1, -(-int(ids.max(initial=0)).bit_length() // 7))
    groups = np.empty((ids.size, width), dtype=np.uint8)
    for place in range(width):
        groups[:, place] = (ids >> (7 * place)) & 127 | (128 if place < width - 1 else 0)
    return _delimited(number, groups.tobytes())


def packed_doubles(number: int, values: FloatArray) -> bytes:
    """Return a packed field of doubles."""
    return _delimited(number, values.astype("<f8", copy=False).tobytes())


def packed_bytes(number: int, values: NDArray[np.uint8]) -> bytes:
    """Return a packed field of booleans or enumerators below 128: one byte each."""
    return _delimited(number, values.tobytes())


def trailing_doubles(message: bytes, count: int) -> FloatArray:
    """Return the packed doubles that a serialized message ends with."""
    return np.frombuffer(message, dtype="<f8", offset=len(message) - 8 * count).astype(np.float64)


def trailing_bytes(message: bytes, count: int) -> NDArray[np.uint8]:
    """Return the packed one-byte enumerators that a serialized message ends with."""
    return np.frombuffer(message, dtype=np.uint8, offset=len(message) - count).copy()


def _delimited(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 127:  # noqa: PLR2004
        groups.append(value & 127 | 128)
        value >>= 7
    groups.append(value)
    return bytes(groups)
