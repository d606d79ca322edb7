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
from corridor.network.lines import join_lines

M_PER_KM = 1000.0
SNAP_KM, SNAP_DIGITS = 1e-6, 8
"""Ends up to a millimeter apart are one: the peers round degrees to 8 digits."""
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


def streets(side: int) -> gpd.GeoDataFrame:
    """Return a town of crooked streets of three points, 7 of 100 missing, with their lengths."""
    rng = np.random.default_rng(side)
    node = np.arange(side * side).reshape(side, side)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    place = np.array([44.0, 38.0]) + 0.02 * (grid + rng.uniform(-0.2, 0.2, grid.shape))
    one = np.r_[node[:, :-1].ravel(), node[:-1].ravel()]
    two = np.r_[node[:, 1:].ravel(), node[1:].ravel()]
    kept = rng.uniform(size=one.size) < 0.93
    ends = place[one[kept]], place[two[kept]]
    bend = (ends[0] + ends[1]) / 2.0 + rng.uniform(-0.002, 0.002, ends[0].shape)
    points = np.stack([ends[0], bend, ends[1]], axis=1)
    offsets = np.arange(len(points) + 1) * 3
    length = polyline_length_km(points[:, :, 0].ravel(), points[:, :, 1].ravel(), offsets)
    return gpd.GeoDataFrame(
        {"name": [f"street {row}" for row in range(len(points))], "length_km": length},
        geometry=shapely.linestrings(points),
        crs="EPSG:4326",
    )


def key_of(lon: float, lat: float) -> tuple[float, float]:
    """Return the node of a point for the peers."""
    return round(lon, SNAP_DIGITS), round(lat, SNAP_DIGITS)


def by_itertuples(frame: gpd.GeoDataFrame) -> Any:  # noqa: ANN401 - a networkx graph
    """Build the graph row by row, as most people do."""
    import networkx as nx

    graph: Any = nx.MultiGraph()
    for row in frame.itertuples():
        points = row.geometry.coords
        start, end = key_of(*points[0]), key_of(*points[-1])
        graph.add_edge(start, end, length_km=row.length_km, name=row.name)
    return graph


def map_layer(smoke: bool) -> Workload:  # noqa: FBT001
    """Build a graph with lengths from a map layer; the peers are given the lengths."""
    frame = streets(6 if smoke else 150)
    joined = join_lines(frame, tolerance_km=SNAP_KM)
    keys = [key_of(*point) for point in zip(joined.node_lon, joined.node_lat, strict=True)]
    number = {key: node for node, key in enumerate(keys)}

    def ours(name: str, method: Method, tolerance_km: float) -> Contestant:
        def run() -> Answer:
            found = join_lines(frame, tolerance_km=tolerance_km, method=method)
            return np.array([found.graph.n_nodes, found.line_row.size], dtype=np.float64)

        return Contestant(name=f"corridor, {name}", package="corridor", prepare=lambda: run)

    def size_of(graph: Any) -> Answer:  # noqa: ANN401
        return np.array([graph.number_of_nodes(), graph.number_of_edges()], dtype=np.float64)

    def by_networkx() -> Run:
        edges = by_itertuples(frame).edges(data="length_km")
        check_edges([(number[one], number[two], length) for one, two, length in edges])
        return lambda: size_of(by_itertuples(frame))

    def check_edges(edges: list[tuple[int, int, float]]) -> None:
        start, end, length = np.array(sorted((min(a, b), max(a, b), km) for a, b, km in edges)).T
        ours_ends = np.sort(np.column_stack([joined.line_from, joined.line_to]), axis=1)
        order = np.lexsort((joined.line_length_km, ours_ends[:, 1], ours_ends[:, 0]))
        np.testing.assert_array_equal(np.column_stack([start, end]), ours_ends[order])
        np.testing.assert_allclose(length, joined.line_length_km[order], rtol=TOLERANCE)

    def by_osmnx() -> Run:
        import osmnx

        place = {"x": joined.node_lon, "y": joined.node_lat}
        points = gpd.points_from_xy(joined.node_lon, joined.node_lat)
        nodes = gpd.GeoDataFrame(place, geometry=points, crs=frame.crs)
        edges = frame.assign(u=joined.line_from, v=joined.line_to, key=0)
        edges = edges.set_index(["u", "v", "key"])
        return lambda: size_of(osmnx.graph_from_gdfs(nodes, edges, graph_attrs={"crs": frame.crs}))

    return Workload(
        name="map-layer",
        title=f"a graph from a GeoDataFrame of {len(frame):,} lines, ends snapped to 1 mm",
        contestants=(
            ours("kernels", "kernels", SNAP_KM),
            ours("NumPy", "numpy", SNAP_KM),
            ours("kernels, equal ends only", "kernels", 0.0),
            Contestant(
                name="networkx, itertuples",
                package="networkx",
                prepare=by_networkx,
                floor=40.0,
                goal=70.0,
            ),
            Contestant(
                name="osmnx, nodes given", package="osmnx", prepare=by_osmnx, floor=30.0, goal=45.0
            ),
        ),
    )


WORKLOADS: dict[str, Callable[[bool], Workload]] = {
    "geodesic-lines": line_lengths,
    "geodesics-far": far_lengths,
    "map-layer": map_layer,
}
