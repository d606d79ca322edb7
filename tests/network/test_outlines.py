from pathlib import Path

import numpy as np
import pytest
import shapely

from corridor.core.geodesy import great_circle_km
from corridor.errors import InputError
from corridor.network.outlines import km_outside, read_outlines, within_cover

SQUARE = shapely.box(10.0, 60.0, 11.0, 61.0)
FEATURE = (
    '{{"type": "Feature", "properties": {{"iso3": "{code}"}}, "geometry": {{"type": "Polygon",'
    ' "coordinates": [[[{w}, 0], [{e}, 0], [{e}, 1], [{w}, 1], [{w}, 0]]]}}}}'
)


def write(folder: Path, *features: str) -> None:
    text = '{"type": "FeatureCollection", "features": [' + ", ".join(features) + "]}"
    (folder / "some.geojson").write_text(text)


def test_features_of_one_state_are_joined(tmp_path: Path) -> None:
    write(
        tmp_path,
        FEATURE.format(code="AAA", w=0, e=1),
        FEATURE.format(code="AAA", w=5, e=6),
        FEATURE.format(code="BBB", w=1, e=2),
        FEATURE.format(code="", w=2, e=3),
    )
    outlines = read_outlines(tmp_path)
    assert sorted(outlines) == ["AAA", "BBB"]
    assert outlines["AAA"].area == pytest.approx(2.0)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "some.geojson").write_text("[1, 2]")
    with pytest.raises(InputError, match="FeatureCollection"):
        read_outlines(tmp_path)


def test_the_distance_outside_follows_the_shrinking_of_longitude() -> None:
    lon, lat = np.array([10.5, 11.2, 10.5]), np.array([60.5, 60.5, 59.9])
    distance = km_outside(SQUARE, lon, lat)
    assert distance[0] == 0.0
    assert distance[1] == pytest.approx(great_circle_km(11.0, 60.5, 11.2, 60.5), rel=0.01)
    assert distance[2] == pytest.approx(great_circle_km(10.5, 60.0, 10.5, 59.9), rel=0.01)


def test_places_beyond_the_outlines_are_not_covered() -> None:
    covered = within_cover({"AAA": SQUARE}, np.array([10.5, 12.0]), np.array([60.5, 60.5]))
    assert covered.tolist() == [True, False]
    assert within_cover({}, np.array([1.0]), np.array([1.0])).tolist() == [False]


@pytest.mark.parametrize(
    ("state", "lon", "lat"),
    [("ARM", 44.51, 40.18), ("GEO", 44.80, 41.72), ("AZE", 45.41, 39.21), ("AZE", 49.87, 40.41)],
)
def test_bundled_outlines_hold_their_capitals(state: str, lon: float, lat: float) -> None:
    assert km_outside(read_outlines()[state], np.array([lon]), np.array([lat]))[0] == 0.0
