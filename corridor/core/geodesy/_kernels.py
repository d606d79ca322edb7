"""Compiled loops over segments and polylines; imported only when numba is wanted.

A segment that is not answered here is NaN: the caller takes it, or says what is wrong with it.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit
from numba.extending import register_jitable

from corridor.core.compilation import machine_code
from corridor.core.geodesy import formulas
from corridor.core.geodesy.formulas import (
    LONG_RADIANS,
    MAX_LATITUDE,
    MAX_LONGITUDE,
    RADIANS,
    SEMIMAJOR_KM,
    TURN,
)

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int32]
PositionArray = npt.NDArray[np.int64]
Function = TypeVar("Function", bound=Callable[..., Any])

BLOCK = 1024
"""Segments whose lengths stand in the fastest cache while they are summed or taken again."""

FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""2**64 over the golden ratio: products with it spread over all bits (Knuth, vol. 3, 6.4)."""
HALF = np.uint64(32)
HALF_TURN = 180.0
CELL = 16.0
"""Width of a cell in reaches: a point looks into one or two cells."""
KM_PER_DEG = RADIANS * SEMIMAJOR_KM
PLANE_ERROR = 0.03
"""Relative error of squared distances in the plane, up to 100 km between the latitudes of 85: the
ellipsoid adds 1.3 %, the curvature of the parallels 0.3 %."""

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
"""NumPy's error model divides without asking whether by 0: a question would make the compiler
take segments one by one."""

STAMP = hashlib.sha256(
    Path(__file__).read_bytes() + Path(formulas.__file__).read_bytes()
).hexdigest()[:12]
"""numba takes code from its cache while size and date of the function's own file stay the same,
whatever became of the formulas inside it. The hash in the name ends that."""


def compiled(function: Function) -> Function:
    """Compile a function to machine code that runs without the GIL and is cached on disk."""
    function.__qualname__ += "_" + STAMP
    return machine_code(function, **OPTIONS)


def inlined(function: Function) -> Function:
    """Let kernels call a function of Python, and compile it into them."""
    inlined_function: Function = register_jitable(inline="always", **OPTIONS)(function)
    return inlined_function


def called(function: Function) -> Function:
    """Compile a function that kernels call."""
    return cast("Function", njit(**OPTIONS)(function))


for formula in (formulas.longitude_step, formulas.sine, formulas.reduced_latitude):
    inlined(formula)
is_short, short_km = inlined(formulas.is_short), inlined(formulas.short_km)
long_km, chord2 = called(formulas.long_km), called(formulas.chord2)


@called
def fill_short(
    lon1: FloatArray, lat1: FloatArray, lon2: FloatArray, lat2: FloatArray, out: FloatArray
) -> None:
    """Write the lengths of short segments, NaN for the others: a loop over several at once."""
    for i in range(out.size):
        length = short_km(lon1[i], lat1[i], lon2[i], lat2[i])
        out[i] = length if is_short(lon1[i], lat1[i], lon2[i], lat2[i]) else np.nan


@called
def longer_km(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Return the length by the long series, NaN where that does not serve."""
    length, arc = long_km(lon1, lat1, lon2, lat2)
    return length if arc <= LONG_RADIANS else np.nan


@called
def are_degrees(lon: FloatArray, lat: FloatArray) -> bool:
    """Return whether all coordinates lie within their limits; NaN does not."""
    wrong = 0
    for i in range(lon.size):
        wrong += not (abs(lat[i]) <= MAX_LATITUDE and abs(lon[i]) <= MAX_LONGITUDE)
    return wrong == 0


@compiled
def measure_segments(
    lon1: FloatArray, lat1: FloatArray, lon2: FloatArray, lat2: FloatArray, out: FloatArray
) -> bool:
    """Write the lengths of segments, NaN where no series serves.

    Returns whether all coordinates lie within their limits; if not, some lengths are wrong.
    """
    right = True
    for start in range(0, out.size, BLOCK):
        stop = min(start + BLOCK, out.size)
        block = out[start:stop]
        x1, y1, x2, y2 = lon1[start:stop], lat1[start:stop], lon2[start:stop], lat2[start:stop]
        right &= are_degrees(x1, y1) and are_degrees(x2, y2)
        fill_short(x1, y1, x2, y2, block)
        for i in range(block.size):
            if np.isnan(block[i]):
                block[i] = longer_km(x1[i], y1[i], x2[i], y2[i])
    return right


@compiled
def measure_lines(
    lon: FloatArray, lat: FloatArray, offsets: PositionArray, out: FloatArray
) -> bool:
    """Write the sums of the segments of polylines, NaN where no series serves for one of them.

    Line ``i`` has the points ``offsets[i] .. offsets[i + 1] - 1``. Returns whether all
    coordinates lie within their limits; if not, some lengths are wrong.
    """
    out[:] = 0.0
    right = True
    segments = np.empty(BLOCK)
    line = 0
    for start in range(offsets[0], offsets[-1], BLOCK):
        stop = min(start + BLOCK, offsets[-1])  # points of which segments start in this block
        right &= are_degrees(lon[start:stop], lat[start:stop])
        last = min(stop, offsets[-1] - 1)
        block = segments[: last - start]
        ahead = start + 1
        fill_short(
            lon[start:last], lat[start:last], lon[ahead : last + 1], lat[ahead : last + 1], block
        )
        at = start
        while at < stop:
            while offsets[line + 1] <= at:
                line += 1
            end = min(stop, offsets[line + 1] - 1)  # the line's last point starts no segment
            total = out[line]
            for i in range(at, end):
                length = block[i - start]
                if np.isnan(length):
                    length = longer_km(lon[i], lat[i], lon[i + 1], lat[i + 1])
                total += length
            out[line] = total
            at = min(stop, offsets[line + 1])
    return right


@called
def slot_of(one: int | np.uint64, other: int | np.uint64, shift: int) -> int:
    """Return the slot of a pair of 64-bit words in a table of 2**(64 - shift) slots."""
    mixed = (np.uint64(one) * FACTOR) ^ np.uint64(other)
    mixed = (mixed ^ (mixed >> HALF)) * FACTOR
    return int(np.int64((mixed ^ (mixed >> HALF)) * FACTOR >> np.uint64(shift)))


@called
def word_of(value: float) -> np.uint64:
    """Return the bits of a number, those of minus zero as of zero."""
    return np.float64(value + 0.0).view(np.uint64)


@compiled
def group_equal(
    lon: FloatArray, lat: FloatArray, table: IntArray, shift: int, group: IntArray, first: IntArray
) -> int:
    """Give each different pair of numbers a number, as they come; return how many there are.

    ``table`` has 2**(64 - shift) slots of -1, more than there are points. ``group`` (n,) and
    ``first`` (n,) are written: the number of each point, and the point that brought each number.
    """
    size = 0
    for point in range(lon.size):
        slot = slot_of(word_of(lon[point]), word_of(lat[point]), shift)
        while True:
            other = table[slot]
            if other < 0:
                table[slot] = size
                first[size] = point
                other = size
                size += 1
            place = first[other]
            if lon[place] == lon[point] and lat[place] == lat[point]:
                group[point] = other
                break
            slot = slot + 1 if slot + 1 < table.size else 0
    return size


@called
def cell_of(coordinate: float, per_cell: float) -> int:
    """Return the number of the cell along one axis."""
    return int(np.floor(coordinate * per_cell))


@called
def root_of(parent: IntArray, point: int) -> int:
    """Return the lowest point of a set, and shorten the way to it."""
    while parent[point] != point:
        parent[point] = parent[parent[point]]
        point = parent[point]
    return point


@called
def are_near(lon1: float, lat1: float, lon2: float, lat2: float, reach2: float) -> bool:
    """Return whether the square of the straight distance is at most ``reach2``.

    The plane decides for all that are clearly nearer or farther.
    """
    north = KM_PER_DEG * (lat2 - lat1)
    east = KM_PER_DEG * (lon2 - lon1) * np.cos(RADIANS * 0.5 * (lat1 + lat2))
    square = north * north + east * east
    if square <= (1.0 - PLANE_ERROR) * reach2:
        return True
    return square <= (1.0 + PLANE_ERROR) * reach2 and chord2(lon1, lat1, lon2, lat2) <= reach2


@called
def number_sets(parent: IntArray, group: IntArray, first: IntArray) -> int:
    """Write number and first point of the sets, as they come; return how many there are."""
    size = 0
    for point in range(parent.size):
        if parent[point] == point:
            first[size] = point
            group[point] = size
            size += 1
        else:
            group[point] = group[root_of(parent, point)]
    return size


@compiled
def group_near(
    lon: FloatArray,
    lat: FloatArray,
    reach: float,
    wide: float,
    high: float,
    table: IntArray,
    shift: int,
    following: IntArray,
    group: IntArray,
    first: IntArray,
) -> tuple[int, bool]:
    """Give each set of points that steps of at most ``reach`` [km] join a number, as they come.

    No step is longer than ``wide`` degrees of longitude and ``high`` of latitude. Points are kept
    by cells, one of those that are equal, in ``table``, which has 2**(64 - shift) slots of -1, and
    ``following`` (n,); cells that share a slot do no harm. ``group`` (n,) and ``first`` (n,) are
    written. Returns how many sets there are, and whether one has points that are not equal.
    """
    # All in one: calls with arrays in the innermost loop cost twice what the loop does.
    per_wide, per_high = 1.0 / (CELL * wide), 1.0 / (CELL * high)
    parent, apart = np.empty(lon.size, dtype=np.int32), False
    for point in range(lon.size):
        x, y = lon[point], lat[point]
        home = slot_of(cell_of(x, per_wide), cell_of(y, per_high), shift)
        other = table[home]
        while other >= 0 and not (lon[other] == x and lat[other] == y):
            other = following[other]
        if other >= 0:  # an equal point was here
            parent[point] = parent[other]
            continue
        parent[point] = point
        for side in range(1 + (abs(x) + wide >= HALF_TURN)):  # at the date line the other one too
            at = x - side * np.copysign(TURN, x)
            for i in range(cell_of(at - wide, per_wide), cell_of(at + wide, per_wide) + 1):
                for j in range(cell_of(y - high, per_high), cell_of(y + high, per_high) + 1):
                    other = table[slot_of(i, j, shift)]
                    while other >= 0:
                        if parent[other] != parent[point] and are_near(
                            at, y, lon[other], lat[other], reach * reach
                        ):
                            apart = True
                            one, two = root_of(parent, point), root_of(parent, other)
                            parent[max(one, two)] = min(one, two)
                        other = following[other]
        following[point] = table[home]
        table[home] = point
    return number_sets(parent, group, first), apart
