"""Reading arrays: shapes and values checked, copies locked, messages that say where."""

from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from corridor.errors import InputError

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
LongArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]


def locked(array: IntArray) -> IntArray:
    """Return a read-only copy."""
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def as_csr(name: str, matrix: sp.csr_matrix) -> sp.csr_matrix:
    """Return canonical float64 CSR with finite entries, or say what is wrong."""
    _check_sparse(name, matrix)
    canonical = sp.csr_matrix(matrix).astype(np.float64, copy=False)
    if not canonical.has_canonical_format:
        canonical = canonical.copy()
        canonical.sum_duplicates()
    good = np.isfinite(canonical.data)
    check_values(f"{name}.data", canonical.data, good, "finite")
    return canonical


def _check_sparse(name: str, matrix: object) -> None:
    if not sp.issparse(matrix):
        msg = (
            f"{name} must be a scipy sparse matrix; found {type(matrix).__name__}. Wrap it in "
            "scipy.sparse.csr_matrix."
        )
        raise InputError(msg)


def as_floats(name: str, values: ArrayLike, *shapes: tuple[int, ...]) -> FloatArray:
    """Return a read-only float64 copy of one of the shapes, without NaN."""
    array = np.array(values, dtype=np.float64)
    if array.shape not in shapes:
        raise InputError(wrong_shape(name, array.shape, *shapes))
    check_values(name, array, ~np.isnan(array), "a number")
    array.flags.writeable = False
    return array


def wrong_shape(name: str, found: tuple[int, ...], *expected: tuple[int, ...]) -> str:
    """Say which shape was found and which were expected."""
    return f"{name} has shape {found}, expected {' or '.join(map(str, expected))}."


def check_values(name: str, array: FloatArray, good: BoolArray, must: str) -> None:
    """Raise for the first value that is not good."""
    if good.all():
        return
    at = np.unravel_index(int(np.argmin(good)), good.shape)
    where = ", ".join(str(int(index)) for index in at)
    msg = (
        f"{name} must be {must}; found {array[at]} at position {where} "
        f"({int((~good).sum())} of {good.size} values)."
    )
    raise InputError(msg)


def sum_by(position: LongArray, weight: FloatArray, size: int) -> FloatArray:
    """Return the sum of the weights at each position, float64, shape (size,)."""
    # Without weights bincount counts in integers, also for an empty array.
    return np.bincount(position, weight, size).astype(np.float64, copy=False)
