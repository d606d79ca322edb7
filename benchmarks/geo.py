"""Lengths on the ellipsoid against pyproj, graphs from map layers against networkx and osmnx."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from benchmarks.harness import Answer, Contestant, Run, Workload
from corridor.core.geodesy import Method, geodesic_km, polyline_length_km
from corridor.core.graph import FloatArray
from corridor.network.lines import LineGraph, join_lines

M_PER_KM = 1000.0
SNAP_KM, SNAP_DIGITS = 1e-6, 8
"""Ends up to a millimeter apart are one: the peers round degrees to 8 digits, which joins the same
ends only because crossings here stand in the middle of what is rounded to them."""
ASTRAY_DEG = 2e-9
TOLERANCE = 1e-8
"""Relative error of lengths that the design allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """Winding lines of equally many points, end to end in flat arrays."""

    lon: FloatArray
    lat: FloatArray
    n_lines: int
    n_points: int

    @classmethod
    def of(cls, n_lines: int, n_points: int) -> "Tracks":
        """Draw random walks of steps of a kilometer or two between 40 south and 70 north."""
        rng = np.random.default_rng(n_lines)
        start = rng.uniform((-179.0, -40.0), (179.0, 70.0), (n_lines, 1, 2))
        walk = np.cumsum(rng.normal(scale=0.01, size=(n_lines, n_points, 2)), axis=1)
        lon, lat = (start + walk).reshape(-1, 2).T.copy()
        return cls(lon=lon, lat=lat, n_lines=n_lines, n_points=n_points)

    @property
    def offsets(self) -> Any:  # noqa: ANN401
        """Where each line starts, and the end."""
        return np.arange(self.n_lines + 1) * self.n_points


def line_lengths(smoke: bool) -> Workload:  # noqa: FBT001
    """Measure many short lines."""
    tracks = Tracks.of(50, 5) if smoke else Tracks.of(20_000, 20)
    offsets, n_slow = tracks.offsets, 5 if smoke else 400

    def ours(name: str, method: Method, threads: int | None) -> Contestant:
        def run() -> Answer:
            return polyline_length_km(tracks.lon, tracks.lat, offsets, threads, method)

        return Contestant(name=f"corridor, {name}", package="corridor", prepare=lambda: run)

    def by_flat_arrays() -> Run:
        from pyproj import Geod

        geod, inside = Geod(ellps="WGS84"), np.ones(tracks.lon.size - 1)
        inside[offsets[1:-1] - 1] = 0.0  # from the end of a line to the start of the next

        def run() -> Answer:
            segments = geod.inv(tracks.lon[:-1], tracks.lat[:-1], tracks.lon[1:], tracks.lat[1:])[2]
            return np.add.reduceat(segments * inside, offsets[:-1]) / M_PER_KM

        return run

    def by_lines() -> Run:
        from pyproj import Geod

        points = np.column_stack([tracks.lon, tracks.lat]).reshape(tracks.n_lines, -1, 2)
        lines, geod = shapely.linestrings(points)[:n_slow], Geod(ellps="WGS84")
        return lambda: np.array([geod.geometry_length(line) for line in lines]) / M_PER_KM

    return Workload(
        name="geodesic-lines",
        title=f"lengths of {tracks.n_lines:,} lines of {tracks.n_points} points on the ellipsoid",
        rtol=TOLERANCE,
        contestants=(
            ours("kernels, all cores", "kernels", None),
            ours("kernels, 1 thread", "kernels", 1),
            ours("NumPy", "numpy", None),
            Contestant(
                name="pyproj Geod.inv, flat",
                package="pyproj",
                prepare=by_flat_arrays,
                floor=2.0,
                goal=40.0,
            ),
            Contestant(
                name="pyproj Geod.geometry_length",
                package="pyproj",
                prepare=by_lines,
                share=n_slow / tracks.n_lines,
            ),
        ),
    )


def far_lengths(smoke: bool) -> Workload:  # noqa: FBT001
    """Measure ways between points anywhere on the globe."""
    n = 200 if smoke else 100_000
    rng = np.random.default_rng(n)
    lon1, lon2 = rng.uniform(-180.0, 180.0, (2, n))
    lat1, lat2 = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, (2, n))))

    def ours(name: str, method: Method, threads: int | None) -> Contestant:
        def run() -> Answer:
            return geodesic_km(lon1, lat1, lon2, lat2, threads, method)

        return Contestant(name=f"corridor, {name}", package="corridor", prepare=lambda: run)

    def by_pyproj() -> Run:
        from pyproj import Geod

        geod = Geod(ellps="WGS84")
        return lambda: np.asarray(geod.inv(lon1, lat1, lon2, lat2)[2]) / M_PER_KM

    return Workload(
        name="geodesics-far",
        title=f"lengths between {n:,} pairs of points anywhere on the ellipsoid",
        rtol=TOLERANCE,
        contestants=(
            ours("kernels, all cores", "kernels", None),
            ours("kernels, 1 thread", "kernels", 1),
            ours("NumPy", "numpy", None),
            Contestant(name="pyproj Geod.inv", package="pyproj", prepare=by_pyproj),
        ),
    )


def streets(side: int, astray_deg: float = 0.0) -> gpd.GeoDataFrame:
    """Return a town of crooked streets of three points, 7 of 100 missing, with their lengths.

    Crossings stand on a grid of 1e-7 degrees; the ends of the streets stand up to ``astray_deg``
    from them along each axis.
    """
    rng = np.random.default_rng(side)
    node = np.arange(side * side).reshape(side, side)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    place = np.array([44.0, 38.0]) + 0.02 * (grid + rng.uniform(-0.2, 0.2, grid.shape))
    place = place.round(SNAP_DIGITS - 1)
    one = np.r_[node[:, :-1].ravel(), node[:-1].ravel()]
    two = np.r_[node[:, 1:].ravel(), node[1:].ravel()]
    kept = rng.uniform(size=one.size) < 0.93
    ends = place[one[kept]], place[two[kept]]
    bend = (ends[0] + ends[1]) / 2.0 + rng.uniform(-0.002, 0.002, ends[0].shape)
    points = np.stack([ends[0], bend, ends[1]], axis=1)
    points += astray_deg * rng.uniform(-1.0, 1.0, points.shape)
    offsets = np.arange(len(points) + 1) * 3
    length = polyline_length_km(points[:, :, 0].ravel(), points[:, :, 1].ravel(), offsets)
    return gpd.GeoDataFrame(
        {"length_km": length}, geometry=shapely.linestrings(points), crs="EPSG:4326"
    )


def by_itertuples(frame: gpd.GeoDataFrame) -> Any:  # noqa: ANN401 - a networkx graph
    """Build the graph row by row, as most people do."""
    import networkx as nx

    graph: Any = nx.MultiGraph()
    for row in frame.itertuples():
        points = row.geometry.coords
        start, end = (
            (round(lon, SNAP_DIGITS), round(lat, SNAP_DIGITS))
            for lon, lat in (points[0], points[-1])
        )
        graph.add_edge(start, end, key=row.Index, length_km=row.length_km)
    return graph


def rounded_ends(frame: gpd.GeoDataFrame) -> FloatArray:
    """Return where the lines start, and then where they end, rounded, (2 n_lines, 2) [deg]."""
    points, line = shapely.get_coordinates(frame.geometry.to_numpy(), return_index=True)
    last = np.cumsum(np.bincount(line)) - 1
    first = np.append(0, last[:-1] + 1)
    ends: FloatArray = points[np.r_[first, last]].round(SNAP_DIGITS)
    return ends


def by_arrays(frame: gpd.GeoDataFrame) -> Any:  # noqa: ANN401 - a networkx graph
    """Build the graph from arrays of ends, all edges at once: the fastest way into networkx."""
    import networkx as nx

    graph: Any = nx.MultiGraph()
    ends = list(map(tuple, rounded_ends(frame).tolist()))
    carried = [{"length_km": km} for km in frame["length_km"].tolist()]
    n = len(frame)
    graph.add_edges_from(zip(ends[:n], ends[n:], range(n), carried, strict=True))
    return graph


def osmnx_frames(frame: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return nodes and edges as osmnx wants them; no two streets join the same crossings."""
    ends = rounded_ends(frame)
    place, node = np.unique(ends[:, 0] + 1j * ends[:, 1], return_inverse=True)
    nodes = gpd.GeoDataFrame({"x": place.real, "y": place.imag})
    start, end = node.reshape(2, -1)
    return nodes, frame.assign(u=start, v=end, key=0).set_index(["u", "v", "key"])


def by_osmnx(nodes: gpd.GeoDataFrame, edges: gpd.GeoDataFrame) -> Any:  # noqa: ANN401
    """Build the graph by the function that osmnx documents for this."""
    import osmnx

    return osmnx.graph_from_gdfs(nodes, edges, graph_attrs={"crs": edges.crs})


def size_of(graph: Any) -> Answer:  # noqa: ANN401
    """Return how many nodes and edges a peer's graph has."""
    return np.array([graph.number_of_nodes(), graph.number_of_edges()], dtype=np.float64)


def check_edges(joined: LineGraph, graph: Any) -> None:  # noqa: ANN401
    """Assert that a networkx graph joins the nodes we join, by lines as long as ours."""
    points = np.column_stack([joined.node_lon, joined.node_lat]).round(SNAP_DIGITS).tolist()
    number = {tuple(point): node for node, point in enumerate(points)}
    edges = sorted(graph.edges(keys=True, data="length_km"), key=lambda edge: edge[2])
    ends = np.array([(number[start], number[end]) for start, end, _, _ in edges])
    ours = np.column_stack([joined.line_from, joined.line_to])
    np.testing.assert_array_equal(np.sort(ends), np.sort(ours))
    np.testing.assert_allclose([edge[3] for edge in edges], joined.line_length_km, rtol=1e-4)


def layer_workload(name: str, frame: gpd.GeoDataFrame, *, ends: str, promised: bool) -> Workload:
    """Build a graph with lengths from a map layer; the peers are given the lengths."""
    floors = {"networkx": (40.0, 70.0), "osmnx": (30.0, 45.0)} if promised else {}

    def ours(name: str, method: Method, tolerance_km: float) -> Contestant:
        def run() -> Answer:
            found = join_lines(frame, tolerance_km=tolerance_km, method=method)
            return np.array([found.graph.n_nodes, found.line_row.size], dtype=np.float64)

        return Contestant(name=f"corridor, {name}", package="corridor", prepare=lambda: run)

    def theirs(
        name: str, package: str, build: Callable[[], Any], *, floor: bool = False
    ) -> Contestant:
        def prepare() -> Run:
            return lambda: size_of(build())

        least, goal = floors.get(package, (None, None)) if floor else (None, None)
        return Contestant(name=name, package=package, prepare=prepare, floor=least, goal=goal)

    joined = join_lines(frame, tolerance_km=SNAP_KM)
    check_edges(joined, by_arrays(frame))
    given = osmnx_frames(frame)
    return Workload(
        name=name,
        title=f"a graph from a GeoDataFrame of {len(frame):,} lines, {ends}, snapped to 1 mm",
        contestants=(
            ours("kernels", "kernels", SNAP_KM),
            ours("NumPy", "numpy", SNAP_KM),
            theirs("networkx, itertuples", "networkx", lambda: by_itertuples(frame), floor=True),
            theirs("networkx, arrays of ends", "networkx", lambda: by_arrays(frame)),
            theirs("osmnx", "osmnx", lambda: by_osmnx(*osmnx_frames(frame)), floor=True),
            theirs("osmnx, nodes given", "osmnx", lambda: by_osmnx(*given)),
        ),
    )


def map_layer(smoke: bool) -> Workload:  # noqa: FBT001
    """Take lines whose ends are equal where they meet, as in most layers."""
    frame = streets(6 if smoke else 150)
    return layer_workload("map-layer", frame, ends="their ends equal", promised=True)


def map_layer_astray(smoke: bool) -> Workload:  # noqa: FBT001
    """Take lines whose ends miss each other a bit everywhere."""
    frame = streets(6 if smoke else 150, ASTRAY_DEG)
    return layer_workload("map-layer-astray", frame, ends="0.2 mm astray", promised=False)


WORKLOADS: dict[str, Callable[[bool], Workload]] = {
    "geodesic-lines": line_lengths,
    "geodesics-far": far_lengths,
    "map-layer": map_layer,
    "map-layer-astray": map_layer_astray,
}
