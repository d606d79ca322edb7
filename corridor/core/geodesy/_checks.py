"""What the functions on coordinates ask of their arguments, and which code answers."""

import sys
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from corridor.core.geodesy.formulas import MAX_LATITUDE, MAX_LONGITUDE
from corridor.errors import InputError

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int32]
PositionArray: TypeAlias = npt.NDArray[np.int64]
Method: TypeAlias = Literal["auto", "numpy", "kernels"]

LIMITS = {"lon": MAX_LONGITUDE, "lat": MAX_LATITUDE}

KERNEL_WORK = 1_000_000
"""Points above which loading numba pays for itself."""
LOADED_WORK = 10_000
"""The same where numba is loaded already: the kernels still come from the disk."""


def as_numbers(name: str, values: npt.ArrayLike) -> FloatArray:
    """Return values as float64.

    Raises
    ------
    InputError
        For anything but numbers.
    """
    try:
        array = np.asarray(values)
    except ValueError as error:
        message = f"{name} must be an array of numbers; found rows of unequal length; pad or cut"
        raise InputError(message) from error
    if array.dtype.kind not in "iuf":
        message = f"{name} must hold numbers; found dtype {array.dtype}; pass degrees as floats"
        raise InputError(message)
    return np.asarray(array, dtype=np.float64)


def check_degrees(name: str, degrees: FloatArray) -> None:
    """Refuse coordinates out of range; the first three letters of ``name`` say which they are.

    Raises
    ------
    InputError
        With the first that is wrong, its position, and how many are.
    """
    limit = LIMITS[name[:3]]
    if degrees.size == 0 or -limit <= degrees.min() <= degrees.max() <= limit:
        return
    bad = ~(np.abs(degrees) <= limit)  # NaN fails the comparison as well
    message = (
        f"{name} must lie in -{limit:g}..{limit:g} degrees; found {degrees[bad][0]} at position "
        f"{np.argwhere(bad)[0].tolist()} ({int(bad.sum())} of {degrees.size} values); "
        "check the order of longitude and latitude, and the unit"
    )
    raise InputError(message)


def as_points(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the coordinates of points, contiguous and read-only; their range is not checked yet.

    Raises
    ------
    InputError
        For anything but two flat arrays of numbers, equally long.
    """
    x, y = as_numbers("lon", lon), as_numbers("lat", lat)
    if x.ndim != 1 or x.shape != y.shape:
        message = (
            f"lon and lat must be one-dimensional and equally long; found shapes {x.shape} and "
            f"{y.shape}; give both for every point"
        )
        raise InputError(message)
    return read_only(x), read_only(y)


def read_only(array: FloatArray) -> FloatArray:
    """Return a contiguous read-only view: writable arrays would have the kernels compiled anew."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def as_offsets(offsets: npt.ArrayLike, n_points: int) -> PositionArray:
    """Return where each line starts, and the end.

    Raises
    ------
    InputError
        For anything but whole numbers from 0 to ``n_points`` that do not fall.
    """
    array = np.asarray(offsets)
    whole = array.ndim == 1 and array.size > 0 and array.dtype.kind in "iu"
    if not whole or array[0] != 0 or array[-1] != n_points or (array[1:] < array[:-1]).any():
        message = (
            f"offsets must be whole numbers from 0 to {n_points} that do not fall; found "
            f"{np.array2string(array, threshold=6)}; give where each line starts, and the end"
        )
        raise InputError(message)
    return np.ascontiguousarray(array, dtype=np.int64)


def uses_kernels(method: Method, n_points: int) -> bool:
    """Return whether the compiled kernels answer.

    Raises
    ------
    InputError
        For an unknown method.
    """
    if method == "auto":
        least = LOADED_WORK if "numba" in sys.modules else KERNEL_WORK
        return n_points >= least
    if method not in ("numpy", "kernels"):
        message = f"method must be 'auto', 'numpy' or 'kernels'; found {method!r}"
        raise InputError(message)
    return method == "kernels"
