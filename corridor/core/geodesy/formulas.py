"""Geodesics on the WGS84 ellipsoid, as arithmetic that arrays and compiled loops both run.

The functions take floats or arrays alike: NumPy calls them as they are, and ``_kernels`` compiles
them. They hold no branch, so that a compiler can work on several segments at once.
"""

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Number = TypeVar("Number", float, npt.NDArray[np.float64])

SEMIMAJOR_KM = 6378.137
FLATTENING = 1.0 / 298.257223563
SEMIMINOR_KM = SEMIMAJOR_KM * (1.0 - FLATTENING)
ECCENTRICITY2 = FLATTENING * (2.0 - FLATTENING)
"""Square of the first eccentricity."""
POLAR2 = 1.0 - ECCENTRICITY2
SECOND_ECCENTRICITY2 = ECCENTRICITY2 / POLAR2
"""Square of the second eccentricity."""

MAX_LATITUDE = 90.0
MAX_LONGITUDE = 360.0
"""Largest degrees, either sign."""
RADIANS = np.pi / 180.0
TURN = 360.0

SHORT_DEG = 1.0
"""Differences of latitude and of longitude up to which the short series serves."""
LONG_RADIANS = 150.0 * RADIANS
"""Arc on the auxiliary sphere up to which the long series serves."""
STEPS = 5
"""Steps of its fixed point; each divides the error by 300 or so, less near the antipode."""
TINY = 1e-300
EQUATORIAL = 1e-16
"""Least squared cosine of the equatorial azimuth: below, its series are 0 to rounding."""


SINE_STEPS = tuple(1.0 / (power * (power + 1.0)) for power in range(16, 0, -2))
"""Quotients of the terms of the sine's Taylor series, the last first."""


def longitude_step(lon1: Number, lon2: Number) -> Number:
    """Return the way from one longitude to another round the shorter side, -180..180 [deg].

    The rounding error of the difference is added back, so that short steps over the date line
    keep their digits.
    """
    step = lon2 - lon1
    back = step - lon2
    lost = (lon2 - (step - back)) - (lon1 + back)
    way: Number = (step - TURN * np.rint(step * (1.0 / TURN))) + lost
    return way


def sine(angle: Number) -> Number:
    """Return the sine of an angle in 0..pi/2 to rounding: the Taylor series to the 19th power.

    It leaves out less than 3e-16 and keeps the digits of small angles. Unlike a call of a library
    it can be worked on for several angles at once.
    """
    square = angle * angle
    total = 1.0 - square * (1.0 / (18.0 * 19.0))
    for step in SINE_STEPS:
        total = 1.0 - square * step * total
    return angle * total


def is_short(lon1: Number, lat1: Number, lon2: Number, lat2: Number) -> Any:  # noqa: ANN401
    """Return whether :func:`short_km` serves; not where a coordinate is NaN."""
    rise, turn = np.abs(lat2 - lat1), np.abs(longitude_step(lon1, lon2))
    return np.maximum(rise, turn) <= SHORT_DEG


def short_km(lon1: Number, lat1: Number, lon2: Number, lat2: Number) -> Number:
    """Return the length of short geodesics [km], differences of up to 1 degree; relative 3e-11.

    The square of the length as a series in the differences B of latitude and L of longitude at
    the mean latitude. With the radii M along the meridian and R of the parallel, the terms up to
    the fourth order follow from the eikonal equation ``(dE/dphi / M)**2 + (dE/dlambda / R)**2 =
    4 E`` for the square E = s**2 of the length::

        E = M**2 B**2 + R**2 L**2 + M M'' / 12 B**4 - R**2 sin(phi)**2 / 12 L**4
            + (R R'' / 12 - R'**2 / 4 + R R' M' / (6 M)) B**2 L**2

    Those of the sixth order are taken from the sphere.
    """
    turn = longitude_step(lon1, lon2) * RADIANS
    rise = (lat2 - lat1) * RADIANS
    # Distances to the poles keep their digits near them; cosines of latitudes do not.
    colatitude = np.minimum((90.0 - lat1) + (90.0 - lat2), (90.0 + lat1) + (90.0 + lat2))
    parallel = sine(colatitude * (0.5 * RADIANS))
    cosine2 = parallel * parallel
    x = 1.0 - cosine2  # square of the sine of the latitude
    w = 1.0 - ECCENTRICITY2 * x
    per_w = 1.0 / w
    b2, l2 = rise * rise, turn * turn
    fourth_b = (0.25 * ECCENTRICITY2) * (1.0 - 2.0 * x + ECCENTRICITY2 * x * (4.0 - 3.0 * x))
    fourth_l = w * w * (1.0 - x * l2 * (1.0 / 12.0))
    fourth_bl = (POLAR2 / 12.0) * ((8.0 * ECCENTRICITY2 * x - 5.0 * ECCENTRICITY2 - 2.0) * x - 1.0)
    sixth_l = x * (4.0 * x - 3.0) * l2 * l2
    sixth_bl = ((24.0 * x - 8.0) * x - 1.0) * l2 - (14.0 * x + 1.0) * b2
    meridian = (POLAR2 * POLAR2) * b2 * (1.0 + fourth_b * per_w * per_w * b2)
    parallel2 = cosine2 * l2 * (fourth_l + sixth_l * (1.0 / 360.0))
    mixed = b2 * l2 * (fourth_bl + sixth_bl * (1.0 / 720.0))
    length: Number = SEMIMAJOR_KM * per_w * np.sqrt((meridian + parallel2 + mixed) * per_w)
    return length


def reduced_latitude(lat: Number) -> tuple[Number, Number]:
    """Return sine and cosine of the reduced latitude."""
    colatitude = (90.0 - np.abs(lat)) * RADIANS
    height = np.copysign((1.0 - FLATTENING) * np.cos(colatitude), lat)
    width = np.sin(colatitude)
    scale = np.sqrt(height * height + width * width)
    return height / scale, width / scale


def long_km(lon1: Number, lat1: Number, lon2: Number, lat2: Number) -> tuple[Number, Number]:
    """Return the length of geodesics [km] and their arc on the auxiliary sphere [rad].

    The length is right to a relative 2e-11 where the arc is up to ``LONG_RADIANS``; beyond, the
    fixed point converges slowly, and not at all near the antipode.

    T. Vincenty, "Direct and inverse solutions of geodesics on the ellipsoid with application of
    nested equations", Survey Review 23 (1975), with the modification of 1976 for the length.
    """
    sin1, cos1 = reduced_latitude(lat1)
    sin2, cos2 = reduced_latitude(lat2)
    turn = longitude_step(lon1, lon2) * RADIANS
    spherical = turn
    # One pass more than steps: the last takes the sphere's quantities at the final longitude.
    for _ in range(STEPS + 1):
        sin_turn, cos_turn = np.sin(spherical), np.cos(spherical)
        across, toward = cos2 * sin_turn, cos1 * sin2 - sin1 * cos2 * cos_turn
        sin_arc = np.sqrt(across * across + toward * toward)
        cos_arc = sin1 * sin2 + cos1 * cos2 * cos_turn
        arc = np.arctan2(sin_arc, cos_arc)
        azimuth = cos1 * across / np.maximum(sin_arc, TINY)
        cosine2 = np.maximum(1.0 - azimuth * azimuth, EQUATORIAL)
        middle = cos_arc - 2.0 * sin1 * sin2 / cosine2
        doubled = 2.0 * middle * middle - 1.0
        c = FLATTENING / 16.0 * cosine2 * (4.0 + FLATTENING * (4.0 - 3.0 * cosine2))
        lag = arc + c * sin_arc * (middle + c * cos_arc * doubled)
        spherical = turn + (1.0 - c) * FLATTENING * azimuth * lag
    root = np.sqrt(1.0 + SECOND_ECCENTRICITY2 * cosine2)
    k = (root - 1.0) / (root + 1.0)
    a = (1.0 + k * k / 4.0) / (1.0 - k)
    b = k * (1.0 - 3.0 / 8.0 * k * k)
    far = b / 6.0 * middle * (4.0 * sin_arc * sin_arc - 3.0) * (4.0 * middle * middle - 3.0)
    excess = b * sin_arc * (middle + b / 4.0 * (cos_arc * doubled - far))
    return SEMIMINOR_KM * a * (arc - excess), arc


def chord2(lon1: Number, lat1: Number, lon2: Number, lat2: Number) -> Number:
    """Return the square of the straight distance between two points of the ellipsoid [km2].

    Differences of like numbers come first, so that short ones keep their digits.
    """
    sine1, cosine1 = reduced_latitude(lat1)
    sine2, cosine2 = reduced_latitude(lat2)
    half = np.sin((0.5 * RADIANS) * longitude_step(lon1, lon2))
    out, up = SEMIMAJOR_KM * (cosine2 - cosine1), SEMIMINOR_KM * (sine2 - sine1)
    across = 2.0 * SEMIMAJOR_KM * half
    square: Number = out * out + up * up + across * across * cosine1 * cosine2
    return square
