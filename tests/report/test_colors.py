"""Colors that are told apart by every eye.

References
----------
.. [1] Machado, G. M., Oliveira, M. M. and Fernandes, L. A. F., "A physiologically-based model for
   simulation of color vision deficiency", IEEE TVCG 15(6), 2009: the matrices, severity 1.
"""

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from corridor.report.colors import GAIN, LOADS, LOSS, mode_color

EYES = {
    "all cones": np.eye(3),
    "no red": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "no green": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "no blue": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
SETS = {
    "modes": [mode_color(mode) for mode in ("road", "rail", "sea")],
    "loads": list(LOADS.values()),
    "changes": [GAIN, LOSS],
}
TELLING = 10.0
"""Distance in CIELAB from which two colors are told apart at a glance."""


def linear(color: str) -> NDArray[np.float64]:
    value = np.array([int(color[i : i + 2], 16) / 255.0 for i in (1, 3, 5)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def cielab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ np.clip(rgb, 0.0, 1.0) / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16.0 / 116.0)
    return np.array([116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("name", SETS)
def test_colors_differ_for_every_eye(name: str, eye: str) -> None:
    seen = [cielab(EYES[eye] @ linear(color)) for color in SETS[name]]
    for a, b in combinations(seen, 2):
        assert float(np.linalg.norm(a - b)) > TELLING
