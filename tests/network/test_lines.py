"""Graphs and tables from map layers, against row-by-row builds and hand-drawn cases."""

from collections import Counter
from itertools import pairwise

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import Geod

from corridor.core.geodesy import Method, geodesic_km
from corridor.errors import InputError
from corridor.network import Network
from corridor.network.lines import LineGraph, join_lines, lines_to_links

METHODS: tuple[Method, ...] = ("numpy", "kernels")
KARNEY = Geod(ellps="WGS84")
METER_DEG = 1.0 / 111_195.0

LAYERS = pd.DataFrame({"layer": ["road"], "mode": ["road"], "vehicle": ["truck"]}).assign(
    t_per_vehicle=20.0, speed_kmh=50.0
)
COMMODITIES = pd.DataFrame({"commodity_id": ["grain"], "name": ["Grain"]}).assign(
    value_usd_per_t=250.0, value_of_time_usd_per_t_h=0.01
)


def layer(*texts: str, crs: str | None = "EPSG:4326", **columns: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries.from_wkt(list(texts)), crs=crs)


def random_layer(n_lines: int, seed: int) -> gpd.GeoDataFrame:
    """Draw lines between few places, so that many are parallel and some are closed."""
    rng = np.random.default_rng(seed)
    places = rng.uniform((-5.0, 50.0), (5.0, 55.0), (n_lines // 3 + 2, 2))
    shapes = []
    for _ in range(n_lines):
        ends = places[rng.integers(len(places), size=2)]
        bends = rng.uniform((-5.0, 50.0), (5.0, 55.0), (rng.integers(1, 6), 2))
        shapes.append(shapely.LineString([ends[0], *bends, ends[1]]))
    return gpd.GeoDataFrame(
        {"oneway": rng.uniform(size=n_lines) < 0.3, "name": [f"way {i}" for i in range(n_lines)]},
        geometry=shapes,
        crs="EPSG:4326",
    )


def by_itertuples(frame: gpd.GeoDataFrame) -> nx.MultiDiGraph:
    """Build the graph as one would by hand, row by row."""
    graph = nx.MultiDiGraph()
    for row in frame.itertuples():
        points = row.geometry.coords
        km = KARNEY.geometry_length(row.geometry) / 1000.0
        graph.add_edge(points[0], points[-1], row=row.Index, km=km)
        if not row.oneway:
            graph.add_edge(points[-1], points[0], row=row.Index, km=km)
    return graph


def edges_of(joined: LineGraph) -> Counter[tuple[object, ...]]:
    place = list(zip(joined.node_lon.tolist(), joined.node_lat.tolist(), strict=True))
    row = joined.line_row[joined.arc_line].tolist()
    arcs = zip(joined.graph.tail.tolist(), joined.graph.head.tolist(), row, strict=True)
    return Counter((place[tail], place[head], row) for tail, head, row in arcs)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_lines", [1, 7, 400])
def test_equal_to_a_build_row_by_row(n_lines: int, method: Method) -> None:
    frame = random_layer(n_lines, seed=n_lines)
    joined = join_lines(frame, directed=frame["oneway"], method=method)
    expected = by_itertuples(frame)
    assert joined.graph.n_nodes == expected.number_of_nodes()
    edges = list(expected.edges.data())
    assert edges_of(joined) == Counter((tail, head, data["row"]) for tail, head, data in edges)
    km = {data["row"]: data["km"] for _, _, data in edges}
    np.testing.assert_allclose(joined.line_length_km, [km[row] for row in joined.line_row], 1e-10)
    np.testing.assert_array_equal(joined.line_directed, frame["oneway"])


def test_nodes_are_numbered_as_they_come_and_arcs_follow_the_lines() -> None:
    joined = join_lines(
        layer("LINESTRING (2 0, 1 0)", "LINESTRING (0 0, 1 0)", "LINESTRING (2 0, 0 0)"),
        directed=[False, True, False],
    )
    assert joined.node_lon.tolist() == [2.0, 1.0, 0.0]
    assert joined.graph.tail.tolist() == [0, 2, 0, 1, 2]
    assert joined.graph.head.tolist() == [1, 1, 2, 0, 0]
    assert joined.arc_line.tolist() == [0, 1, 2, 0, 2]


def test_parallel_lines_and_closed_lines_are_kept() -> None:
    joined = join_lines(
        layer(
            "LINESTRING (0 0, 1 0)",
            "LINESTRING (0 0, 1 0)",
            "LINESTRING (1 0, 0.5 1, 0 0)",
            "LINESTRING (0 0, 0 -1, -1 0, 0 0)",
        )
    )
    assert joined.graph.n_nodes == 2
    assert joined.graph.n_arcs == 8
    assert (joined.line_from[3], joined.line_to[3]) == (0, 0)


def test_every_part_of_a_multilinestring_is_a_line() -> None:
    text = "MULTILINESTRING ((0 0, 1 0), (1 0, 1 1), (5 5, 6 5))"
    joined = join_lines(layer("LINESTRING (1 1, 5 5)", text, "LINESTRING (6 5, 6 6)"))
    assert joined.line_row.tolist() == [0, 1, 1, 1, 2]
    assert joined.graph.n_nodes == 6
    assert [line.wkt for line in joined.geometry][1:4] == [
        "LINESTRING (0 0, 1 0)",
        "LINESTRING (1 0, 1 1)",
        "LINESTRING (5 5, 6 5)",
    ]


@pytest.mark.parametrize("method", METHODS)
def test_ends_within_the_tolerance_are_moved_onto_one_node(method: Method) -> None:
    gap = 8.0 * METER_DEG
    frame = layer(f"LINESTRING (0 0, 1 {gap})", "LINESTRING (1 0, 1 1)", "LINESTRING (1 1, 0 0)")
    assert join_lines(frame, tolerance_km=0.007, method=method).graph.n_nodes == 4
    joined = join_lines(frame, tolerance_km=0.009, method=method)
    assert joined.graph.n_nodes == 3
    assert joined.node_lat[1] == gap
    assert joined.geometry[1].coords[0] == (1.0, gap)
    assert joined.line_length_km[1] == pytest.approx(float(geodesic_km(1.0, gap, 1.0, 1.0)))


@pytest.mark.parametrize("method", METHODS)
def test_chains_of_ends_are_one_node_in_any_order(method: Method) -> None:
    lat = np.array([0.0, 9.0, 18.0, 27.0, 45.0]) * METER_DEG  # each 9 m from the next but the last
    shapes = [shapely.LineString([(1.0, y), (2.0 + k, 5.0)]) for k, y in enumerate(lat)]
    rng = np.random.default_rng(1)
    for _ in range(5):
        order = rng.permutation(5)
        joined = join_lines([shapes[row] for row in order], tolerance_km=0.01, method=method)
        groups = {row: joined.line_from[at] for at, row in enumerate(order.tolist())}
        assert len({groups[row] for row in range(4)}) == 1
        assert groups[4] != groups[0]


def test_the_date_line_and_the_poles_are_no_gaps() -> None:
    frame = layer(
        "LINESTRING (179 10, 180 10)",
        "LINESTRING (-180 10, -179 10)",
        "LINESTRING (0 80, 12 90)",
        "LINESTRING (-77 90, 50 80)",
    )
    joined = join_lines(frame)
    assert joined.graph.n_nodes == 6
    assert joined.line_to[0] == joined.line_from[1]
    assert joined.line_to[2] == joined.line_from[3]
    near = join_lines(layer("LINESTRING (179 0, 179.99999 0)", "LINESTRING (-180 0, -179 0)"))
    assert near.graph.n_nodes == 4
    near = join_lines(
        layer("LINESTRING (179 0, 179.99999 0)", "LINESTRING (-180 0, -179 0)"), tolerance_km=0.01
    )
    assert near.graph.n_nodes == 3
    assert near.line_length_km.max() < 112.0  # not round the Earth


def test_lines_are_split_where_they_share_a_vertex() -> None:
    frame = layer(
        "LINESTRING (0 0, 1 0, 2 0, 3 0)",
        "LINESTRING (1 0, 1 1)",  # ends on it
        "LINESTRING (2 1, 2 0, 2 -1)",  # crosses it at a vertex
        "LINESTRING (0.5 1, 0.5 -1)",  # crosses it without one, as a bridge does
    )
    whole, split = join_lines(frame), join_lines(frame, split=True)
    assert whole.graph.n_nodes == 8
    assert split.line_row.tolist() == [0, 0, 0, 1, 2, 2, 3]
    assert split.graph.n_nodes == 9
    assert split.line_to[0] == split.line_from[1] == split.line_from[3]
    assert split.line_to[1] == split.line_from[2] == split.line_to[4] == split.line_from[5]
    np.testing.assert_allclose(
        np.bincount(split.line_row, split.line_length_km), whole.line_length_km, rtol=1e-12
    )


def test_a_line_that_meets_itself_is_split_there() -> None:
    joined = join_lines(layer("LINESTRING (0 0, 1 0, 2 1, 2 -1, 1 0, 1 -2)"), split=True)
    ends = list(zip(joined.line_from.tolist(), joined.line_to.tolist(), strict=True))
    assert ends == [(0, 1), (1, 1), (1, 2)]


def test_vertices_within_the_tolerance_are_split_once() -> None:
    step = METER_DEG
    frame = layer(
        f"LINESTRING (0 0, 1 0, {1 + step} 0, 2 0, {2 + step} 0)",
        f"LINESTRING (1 {step}, 1 1)",
        f"LINESTRING (2 {step}, 2 1)",
    )
    joined = join_lines(frame, tolerance_km=0.0015, split=True)
    assert joined.line_row.tolist() == [0, 0, 1, 2]
    assert joined.graph.n_nodes == 5


def test_lines_are_brought_to_longitudes_and_latitudes() -> None:
    frame = random_layer(50, seed=2)
    expected = join_lines(frame)
    projected = join_lines(frame.to_crs("EPSG:3035"), tolerance_km=1e-6)
    assert projected.graph.n_nodes == expected.graph.n_nodes
    np.testing.assert_allclose(projected.line_length_km, expected.line_length_km, rtol=1e-7)
    same = join_lines(frame.geometry.set_crs("OGC:CRS84", allow_override=True), tolerance_km=1e-6)
    np.testing.assert_array_equal(same.line_from, expected.line_from)
    bare = join_lines(frame.geometry.to_numpy())
    np.testing.assert_array_equal(bare.graph.head, expected.graph.head)


def test_a_graph_of_no_lines_is_empty() -> None:
    for split in (False, True):
        joined = join_lines(gpd.GeoSeries([], crs="EPSG:4326"), tolerance_km=0.1, split=split)
        assert (joined.graph.n_nodes, joined.graph.n_arcs) == (0, 0)
        assert joined.geometry.size == 0


def test_a_layer_without_reference_system_says_what_to_do() -> None:
    with pytest.raises(InputError, match=r"found none.*set_crs\('EPSG:4326'\)"):
        join_lines(layer("LINESTRING (0 0, 1 1)", crs=None))


def test_every_bad_geometry_is_named_and_none_is_dropped() -> None:
    good = shapely.LineString([(0, 0), (1, 1)])
    with np.errstate(invalid="ignore"):  # shapely warns, as it should
        endless = shapely.LineString([(0, 0), (1, np.nan)])
    shapes = {
        "a": good,
        "b": None,
        "c": shapely.Point(1, 1),
        "d": shapely.LineString(),
        "e": shapely.from_wkt("MULTILINESTRING ((0 0, 1 1), EMPTY)"),
        "f": shapely.MultiLineString(),
        "g": endless,
        "h": shapely.LineString([(0, 0), (500_000, 4_000_000)]),
        "i": None,
        "j": shapely.box(0, 0, 1, 1),
    }
    with pytest.raises(InputError) as caught:
        join_lines(gpd.GeoSeries(shapes, crs="EPSG:4326"))
    found = [fault.found for fault in caught.value.faults]
    assert "2 of 10 rows without a geometry: b, i" in found
    assert "2 of 10 rows with something else than lines: c, j" in found
    named = {name for text in found for name in text.rsplit(": ", 1)[1].split(", ")}
    assert named == set("bcdefghij")


def test_lines_without_length_or_closed_by_the_tolerance_are_refused() -> None:
    point, stub = "LINESTRING (3 3, 3 3)", f"LINESTRING (1 0, {1 + 5 * METER_DEG} 0)"
    with pytest.raises(InputError, match=r"1 of 2 rows whose lines have no length.*: 1"):
        join_lines(layer("LINESTRING (0 0, 1 0)", point))
    frame = layer("LINESTRING (0 0, 1 0)", stub)
    assert join_lines(frame, tolerance_km=0.004).graph.n_nodes == 3
    with pytest.raises(InputError, match=r"closed by the tolerance: 1; expected .* lower tol"):
        join_lines(frame, tolerance_km=0.006)


@pytest.mark.parametrize("directed", ["yes", ["yes", "no"], [1, 0], [True], [[True], [False]]])
def test_directions_are_flags(directed: object) -> None:
    frame = layer("LINESTRING (0 0, 1 0)", "LINESTRING (1 0, 2 0)")
    with pytest.raises(InputError, match=r"directed must be true or false.* each of the 2 rows"):
        join_lines(frame, directed=directed)


def test_other_bad_arguments() -> None:
    frame = layer("LINESTRING (0 0, 1 0)")
    with pytest.raises(InputError, match=r"tolerance_km must lie in 0..100"):
        join_lines(frame, tolerance_km=-1.0)
    with pytest.raises(InputError, match=r"tolerance_km must lie in 0..100"):
        join_lines(frame, tolerance_km=np.nan)
    with pytest.raises(InputError, match="lines must be shapely geometries"):
        join_lines(["LINESTRING (0 0, 1 0)"])
    with pytest.raises(InputError, match="active geometry"):
        join_lines(gpd.GeoDataFrame({"a": [1]}))


def network_of(nodes: pd.DataFrame, links: pd.DataFrame) -> Network:
    return Network.from_tables(nodes=nodes, links=links, layers=LAYERS, commodities=COMMODITIES)


def test_tables_make_a_network_and_come_back() -> None:
    frame = random_layer(200, seed=3)
    start, end = (frame.geometry.map(lambda line, at=at: line.coords[at]) for at in (0, -1))
    frame = frame[start != end].rename(columns={"oneway": "directed"})
    frame["speed_kmh"] = np.linspace(20.0, 90.0, len(frame))
    nodes, links = lines_to_links(frame, layer="road", country="GBR")
    net = network_of(nodes, links)
    assert net.links["speed_kmh"].tolist() == frame["speed_kmh"].tolist()
    assert net.links["directed"].tolist() == frame["directed"].tolist()
    assert net.links["name"].tolist() == frame["name"].tolist()
    again = gpd.GeoDataFrame(
        net.links.drop(columns=["from_node", "to_node", "geometry"]),
        geometry=gpd.GeoSeries.from_wkt(net.links["geometry"]),
        crs="EPSG:4326",
    )
    back_nodes, back_links = lines_to_links(again, country="GBR")
    pd.testing.assert_frame_equal(back_nodes, nodes)
    same = ["link_id", "from_node", "to_node", "layer", "directed", "geometry"]
    pd.testing.assert_frame_equal(back_links[same], links[same], check_dtype=False)
    np.testing.assert_allclose(back_links["length_km"], links["length_km"], rtol=1e-12)


def test_snapped_and_split_lines_are_never_shorter_than_their_ends_are_apart() -> None:
    rng = np.random.default_rng(4)
    frame = random_layer(150, seed=5)
    shaken = shapely.transform(
        frame.geometry.to_numpy(), lambda p: p + rng.uniform(-1, 1, p.shape) / 1e3
    )
    nodes, links = lines_to_links(
        frame.set_geometry(gpd.GeoSeries(shaken, crs="EPSG:4326"))[["name", "geometry"]].iloc[
            [row for row, line in enumerate(frame.geometry) if line.coords[0] != line.coords[-1]]
        ],
        layer="road",
        country="GBR",
        tolerance_km=0.5,
        split=True,
    )
    assert len(nodes) < 2 * len(links)
    network_of(nodes, links)


def test_parts_share_a_given_length_and_get_ids_of_their_own() -> None:
    frame = layer(
        "LINESTRING (0 0, 1 0, 2 0, 4 0)",
        "LINESTRING (1 0, 1 1)",
        "LINESTRING (4 0, 5 0)",
        link_id=["main", "side", "end"],
        length_km=[480.0, 130.0, np.nan],
        layer=["road"] * 3,
        country=["AAA"] * 3,
    )
    nodes, links = lines_to_links(frame, split=True)
    assert links["link_id"].tolist() == ["main.1", "main.2", "side", "end"]
    expected = [120.0, 360.0, 130.0, float(geodesic_km(4, 0, 5, 0))]
    np.testing.assert_allclose(links["length_km"], expected, rtol=1e-12)
    assert nodes["country"].tolist() == ["AAA"] * 5
    assert links["country"].tolist() == ["AAA"] * 4


def test_nodes_beyond_the_date_line_get_common_longitudes() -> None:
    nodes, _ = lines_to_links(layer("LINESTRING (179 0, 181 0)"), layer="road", country="FJI")
    assert nodes["lon"].tolist() == [179.0, -179.0]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"layer": ["road", "road"]}, "column 'country'.* give country="),
        ({"country": ["AAA", "AAA"]}, "column 'layer'"),
        ({"layer": ["road"] * 2, "country": ["AAA", "BBB"]}, "lines of .* at 1 0"),
        ({"layer": ["r"] * 2, "country": ["A"] * 2, "to_node": [1, 2]}, "'to_node'.*rename"),
        ({"layer": ["r"] * 2, "country": ["A"] * 2, "length_km": [5.0, 0.0]}, "no number > 0: 1"),
        ({"layer": ["r"] * 2, "country": ["A"] * 2, "length_km": ["5", "x"]}, "no number > 0: 1"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: dict[str, object], words: str) -> None:
    frame = layer("LINESTRING (0 0, 1 0)", "LINESTRING (1 0, 2 0)", **columns)
    with pytest.raises(InputError, match=words):
        lines_to_links(frame)


def test_closed_lines_are_no_links() -> None:
    frame = layer("LINESTRING (0 0, 1 0)", "LINESTRING (0 0, 0 1, 1 1, 0 0)")
    with pytest.raises(InputError, match="1 of 2 rows whose links would end where they start: 1"):
        lines_to_links(frame, layer="road", country="AAA")
    with pytest.raises(InputError, match="GeoDataFrame; found GeoSeries"):
        lines_to_links(frame.geometry, layer="road", country="AAA")


def test_consecutive_points_of_lines_are_kept() -> None:
    frame = random_layer(40, seed=6)
    joined = join_lines(frame)
    for line, (first, last) in enumerate(pairwise(joined.offsets.tolist())):
        points = list(zip(joined.lon[first:last], joined.lat[first:last], strict=True))
        assert points == list(frame.geometry.iloc[line].coords)
