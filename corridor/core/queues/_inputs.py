"""Checks of the arrays that enter the queueing functions: one message style, first fault named."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.errors import InputError

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]


def finite_array(name: str, values: ArrayLike, *, positive: bool = False) -> FloatArray:
    """Return `values` as float64, all finite and >= 0 (> 0 where `positive`).

    Raises
    ------
    InputError
        If a value is no number, NaN, infinite, negative, or zero where `positive`.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        msg = f"{name} must be an array of numbers; found dtype {array.dtype}. Convert it first."
        raise InputError(msg)
    array = array.astype(np.float64)
    good = np.isfinite(array) & ((array > 0.0) if positive else (array >= 0.0))
    if not good.all():
        bound = "> 0" if positive else ">= 0"
        msg = f"{name} must be finite and {bound}; {describe_faults(array, ~good)}"
        raise InputError(msg)
    return array


def share_array(name: str, values: ArrayLike) -> FloatArray:
    """Return `values` as float64, all shares in 0..1.

    Raises
    ------
    InputError
        If a value is no number, NaN, or outside 0..1.
    """
    array = finite_array(name, values)
    if (array > 1.0).any():
        msg = f"{name} must lie in 0..1; {describe_faults(array, array > 1.0)}"
        raise InputError(msg)
    return array


def whole_array(name: str, values: ArrayLike, *, least: int) -> IntArray:
    """Return `values` as int64, all whole numbers >= `least`; a lossy cast is refused."""
    array = finite_array(name, values)
    bad = (array != np.floor(array)) | (array < least) | (array > 2.0**31)
    if bad.any():
        msg = f"{name} must be whole numbers >= {least}; {describe_faults(array, bad)}"
        raise InputError(msg)
    return array.astype(np.int64)


def broadcast(names: Sequence[str], arrays: Sequence[FloatArray]) -> tuple[FloatArray, ...]:
    """Broadcast the arrays against each other; the message lists every shape."""
    try:
        return tuple(np.broadcast_arrays(*arrays))
    except ValueError:
        shapes = ", ".join(f"{n} {a.shape}" for n, a in zip(names, arrays, strict=True))
        msg = f"The arguments must broadcast to one shape; found {shapes}. Align the shapes."
        raise InputError(msg) from None


def describe_faults(array: FloatArray, bad: NDArray[np.bool_]) -> str:
    """Say what the first bad entry is, where it stands and how many there are."""
    first = tuple(int(i) for i in np.argwhere(bad)[0])
    place = f" at position {first[0] if len(first) == 1 else first}" if first else ""
    count = f" ({int(bad.sum())} of {array.size} values)" if array.size > 1 else ""
    return f"found {array[first]:g}{place}{count}. Correct or drop these values."
