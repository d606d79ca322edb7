import numpy as np
import pytest
import shapely
from shapely import LineString

from corridor.report.maps.antimeridian import cut_lines


def cut(*points: tuple[float, float]) -> shapely.Geometry:
    lines = np.empty(1, dtype=object)
    lines[0] = LineString(points)
    return cut_lines(lines)[0]


def test_line_within_a_turn_stays_as_it_is() -> None:
    line = LineString([(10, 0), (179, 5), (180, 6)])
    assert cut(*line.coords).equals_exact(line, 0.0)


@pytest.mark.parametrize("step", [1, -1])
def test_parts_meet_at_the_meridian_and_keep_direction(step: int) -> None:
    points = [(170.0, 0.0), (178.0, 4.0), (-178.0, 6.0), (-170.0, 0.0)][::step]
    whole = cut(*points)
    assert whole.geom_type == "MultiLineString"
    first, second = whole.geoms
    assert first.coords[0] == points[0]
    assert second.coords[-1] == points[-1]
    assert abs(first.coords[-1][0]) == abs(second.coords[0][0]) == 180.0
    assert first.coords[-1][0] == -second.coords[0][0]
    assert first.coords[-1][1] == second.coords[0][1] == pytest.approx(5.0)


def test_length_in_degrees_is_kept() -> None:
    points = [(175.0, 0.0), (-175.0, 3.0), (178.0, 6.0), (-179.0, 9.0)]
    turned = LineString([(lon if lon > 0 else lon + 360, lat) for lon, lat in points])
    assert cut(*points).length == pytest.approx(turned.length)
    assert len(cut(*points).geoms) == 4


def test_longitudes_beyond_a_half_turn_are_moved_back() -> None:
    assert cut((181, 0), (190, 0)).equals(LineString([(-179, 0), (-170, 0)]))


def test_only_the_lines_over_the_meridian_change() -> None:
    lines = np.array(
        [LineString([(0, 0), (1, 1)]), LineString([(179, 0), (-179, 0)])], dtype=object
    )
    kept, halved = cut_lines(lines)
    assert kept is lines[0]
    assert halved.geom_type == "MultiLineString"
    assert lines[1].geom_type == "LineString"


def test_no_lines() -> None:
    assert cut_lines(np.empty(0, dtype=object)).shape == (0,)
