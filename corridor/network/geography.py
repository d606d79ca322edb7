"""Checks of a network against the globe: lengths, outlines, gauges, and who reaches whom."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from corridor.core.geodesy import geodesic_km, great_circle_km
from corridor.errors import Fault
from corridor.network.consistency import Rows, link_countries, on_land
from corridor.network.outlines import km_outside, within_cover

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LENGTH_TOLERANCE: Final = 1e-6
"""Relative: rounding of coordinates, not of lengths."""
DETOUR_LIMIT: Final = 3.0
OUTLINE_TOLERANCE_KM: Final = 15.0
"""Outlines are 1:50m, good to about 5 km; coasts and islets are coarser."""
NAMED: Final = 5
"""How many zones a message names."""


def length_faults(rows: Rows) -> Iterable[Fault]:
    """Report links shorter than the shortest way between their ends or than their way-point line.

    Both are measured on the ellipsoid and on the sphere, and the lesser counts: true lengths may
    be 0.6 % under the great circle, and lengths that somebody took from it 0.5 % under the truth.
    A detour of more than 3 that no way points explain is a warning.
    """
    links = rows["links"]
    if not len(links.frame):
        return
    length = links.frame["length_km"].to_numpy(dtype=np.float64)
    straight = _straight_km(rows)
    line = _line_km(rows)
    least = np.fmax(straight, line)
    with np.errstate(invalid="ignore"):
        short = length < least * (1.0 - LENGTH_TOLERANCE)
        # Way points explain a detour: round the Cape, say.
        winding = length > DETOUR_LIMIT * least
    for row in np.flatnonzero(short):
        what = (
            "its way-point line" if least[row] == line[row] else "the shortest way between its ends"
        )
        yield links.fault(
            int(row),
            "length_km",
            found=f"{length[row]:g} km",
            expected=f"at least {least[row]:.3f} km, the length of {what}",
            remedy="correct the length, the nodes or the geometry",
        )
    for row in np.flatnonzero(winding):
        yield links.fault(
            int(row),
            "length_km",
            found=f"{length[row]:g} km, {length[row] / straight[row]:.1f} times the shortest way"
            if straight[row] > 0.0
            else f"{length[row]:g} km between nodes at one place",
            expected=f"at most {DETOUR_LIMIT:g} times",
            remedy="check the length and the nodes",
            warning=True,
        )


def _straight_km(rows: Rows) -> FloatArray:
    """Return the shortest way between each link's ends, NaN where a node is unknown."""
    nodes, links = rows["nodes"].frame, rows["links"].frame
    ends: list[FloatArray] = []
    for column in ("from_node", "to_node"):
        for coordinate in ("lon", "lat"):
            values = dict(zip(nodes["node_id"].tolist(), nodes[coordinate].tolist(), strict=True))
            ends.append(np.array([values.get(name, np.nan) for name in links[column].tolist()]))
    known = ~np.isnan(ends).any(axis=0)
    distance = np.full(len(links), np.nan)
    distance[known] = _shortest_km(*(end[known] for end in ends))
    return distance


def _line_km(rows: Rows) -> FloatArray:
    """Return the length of each link's way-point line, NaN where it has none."""
    links = rows["links"].frame
    drawn = np.flatnonzero((links["geometry"] != "").to_numpy(dtype=bool))
    length = np.full(len(links), np.nan)
    if len(drawn):
        lines = shapely.from_wkt(links["geometry"].to_numpy(dtype=object)[drawn])
        points = shapely.get_coordinates(lines)
        line = np.repeat(np.arange(len(drawn)), shapely.get_num_coordinates(lines))
        segments = _shortest_km(*points[:-1].T, *points[1:].T)
        inside = line[:-1] == line[1:]
        length[drawn] = np.bincount(line[:-1][inside], segments[inside], len(drawn))
    return length


def _shortest_km(
    lon1: FloatArray, lat1: FloatArray, lon2: FloatArray, lat2: FloatArray
) -> FloatArray:
    """Return the lesser of the lengths on the WGS84 ellipsoid and on the sphere."""
    ends = lon1, lat1, lon2, lat2
    return np.minimum(geodesic_km(*ends), great_circle_km(*ends))


def outline_faults(rows: Rows, outlines: Mapping[str, shapely.Geometry]) -> Iterable[Fault]:
    """Report nodes and way points of land links more than 15 km outside their state.

    A state without an outline is a warning; what lies beyond the area that the outlines cover is
    not tested.
    """
    nodes = rows["nodes"]
    states = nodes.frame["country"].to_numpy(dtype=object)
    lon, lat = (nodes.frame[name].to_numpy(dtype=np.float64) for name in ("lon", "lat"))
    known = ~np.isnan(lon) & ~np.isnan(lat) & within_cover(outlines, lon, lat)
    for state in sorted(set(states.tolist()) - {""}):
        rows_of = np.flatnonzero((states == state) & known)
        if state not in outlines:
            yield Fault(
                file=nodes.table.file,
                column="country",
                found=f"no outline of {state}",
                expected="an outline to test its places against",
                remedy="add it to the outlines folder; its places were not tested",
                warning=True,
            )
            continue
        away = km_outside(outlines[state], lon[rows_of], lat[rows_of])
        for row, distance in zip(rows_of, away, strict=True):
            if distance > OUTLINE_TOLERANCE_KM:
                yield nodes.fault(
                    int(row),
                    "lon",
                    found=f"{lon[row]:g}, {lat[row]:g}, {distance:.0f} km outside {state}",
                    expected=f"a place in {state}, within {OUTLINE_TOLERANCE_KM:g} km",
                    remedy="correct lon and lat, or the country",
                )
    yield from _way_point_faults(rows, outlines)


def _way_point_faults(rows: Rows, outlines: Mapping[str, shapely.Geometry]) -> Iterable[Fault]:
    links = rows["links"]
    drawn = (links.frame["geometry"] != "").to_numpy(dtype=bool) & on_land(rows)
    start, end = link_countries(rows)
    for row in np.flatnonzero(drawn):
        shapes = [outlines[state] for state in {start[row], end[row]} if state in outlines]
        if not shapes:
            continue
        points = shapely.get_coordinates(shapely.from_wkt(str(links.frame["geometry"].iloc[row])))
        points = points[within_cover(outlines, points[:, 0], points[:, 1])]
        away = np.min([km_outside(shape, points[:, 0], points[:, 1]) for shape in shapes], axis=0)
        if len(away) and away.max() > OUTLINE_TOLERANCE_KM:
            worst = points[int(away.argmax())]
            yield links.fault(
                int(row),
                "geometry",
                found=f"a way point {worst[0]:g} {worst[1]:g}, {away.max():.0f} km outside "
                f"{start[row]}",
                expected=f"way points in {start[row]}, within {OUTLINE_TOLERANCE_KM:g} km",
                remedy="correct the way points, longitude first, or split the link at the border",
            )


def gauge_faults(rows: Rows) -> Iterable[Fault]:
    """Report nodes where two rail layers meet and no terminal joins them.

    A node with a terminal whose layers are unknown is left alone: that row is the fault.
    """
    nodes, links, layers = rows["nodes"], rows["links"].frame, rows["layers"].frame
    rail = set(layers["layer"][layers["mode"] == "rail"].tolist())
    meeting: dict[str, set[str]] = {}
    for column in ("from_node", "to_node"):
        for node, layer in zip(links[column].tolist(), links["layer"].tolist(), strict=True):
            if layer in rail:
                meeting.setdefault(node, set()).add(layer)
    terminals = rows["terminals"].frame
    ends = (terminals[name].tolist() for name in ("node_id", "from_layer", "to_layer"))
    joined = {(node, frozenset((first, second))) for node, first, second in zip(*ends, strict=True)}
    unclear = set(terminals["node_id"][_misplaced(rows, "terminals")].tolist())
    for row, node in enumerate(nodes.frame["node_id"].tolist()):
        gauges = [] if node in unclear else sorted(meeting.get(node, ()))
        for place, first in enumerate(gauges):
            for second in gauges[place + 1 :]:
                if (node, frozenset((first, second))) not in joined:
                    yield nodes.fault(
                        row,
                        "node_id",
                        found=f"a gauge break of {first} and {second} without a terminal",
                        expected="a row of terminals.csv that joins the two layers there",
                        remedy="add the terminal, or end the lines at two nodes",
                    )


def zone_faults(rows: Rows) -> Iterable[Fault]:
    """Report zones (nodes with demand) that do not reach every other, all links taken as open.

    Rules and statuses are ignored. Goods start and end on any layer at a zone and change layers at
    terminals only. The zone with most lost partners is reported first and set aside, so that one
    lost zone is one fault. Nothing is said while a link or a terminal cannot be placed.
    """
    demand, nodes = rows["demand"].frame, rows["nodes"]
    if not rows["links"].exists:
        return
    if _misplaced(rows, "links").any() or _misplaced(rows, "terminals").any():
        return
    known = set(nodes.frame["node_id"].tolist())
    zones = sorted((set(demand["origin"].tolist()) | set(demand["destination"].tolist())) & known)
    if not zones:
        return
    reached = _reached(rows, zones)
    apart = ~(reached & reached.T)
    row_of = {name: row for row, name in enumerate(nodes.frame["node_id"].tolist())}
    while apart.any():
        zone = int(apart.sum(axis=1).argmax())
        lost = [zones[other] for other in np.flatnonzero(apart[zone])]
        apart[zone] = apart[:, zone] = False
        names = ", ".join(lost[:NAMED]) + (" ..." if len(lost) > NAMED else "")
        yield nodes.fault(
            row_of[zones[zone]],
            "node_id",
            found=f"a zone with demand and no way to or from {len(lost)} others ({names})",
            expected="a way between every two zones when all links are open",
            remedy="add the missing link or terminal",
        )


def _misplaced(rows: Rows, name: str) -> BoolArray:
    """Return which rows of links or terminals name a node or a layer that is unknown."""
    table = rows[name]
    wrong = np.full(len(table.frame), not table.whole, dtype=np.bool_)
    for column in table.table.columns:
        if column.required and column.refers in (("nodes",), ("layers",)):
            target = rows[column.refers[0]]
            known = table.frame[column.name].isin(target.frame[target.table.key[0]].tolist())
            wrong |= ~known.to_numpy(dtype=bool)
    return wrong


def _reached(rows: Rows, zones: list[str]) -> BoolArray:
    """Return which zone reaches which, bool of shape (n_zones, n_zones)."""
    links, terminals = rows["links"].frame, rows["terminals"].frame
    arcs: list[tuple[tuple[str, str], tuple[str, str]]] = []
    columns = (links[name].tolist() for name in ("from_node", "to_node", "layer", "directed"))
    for first, second, layer, directed in zip(*columns, strict=True):
        arcs.append(((first, layer), (second, layer)))
        if not directed:
            arcs.append(((second, layer), (first, layer)))
    places = {place for arc in arcs for place in arc}
    columns = (terminals[name].tolist() for name in ("node_id", "from_layer", "to_layer"))
    for node, first, second in zip(*columns, strict=True):
        if (node, first) in places and (node, second) in places:
            arcs.append(((node, first), (node, second)))
    index = {place: number for number, place in enumerate(sorted(places))}
    number = {zone: len(index) + place for place, zone in enumerate(zones)}
    tail = [index[first] for first, _ in arcs]
    head = [index[second] for _, second in arcs]
    for (node, _), place in index.items():
        if node in number:  # access only: nothing passes through a zone
            tail.append(number[node])
            head.append(place)
    size = len(index) + len(zones)
    graph = coo_array((np.ones(len(tail)), (tail, head)), shape=(size, size)).tocsr()
    distance = dijkstra(graph, indices=list(number.values()), unweighted=True)
    reached = np.zeros((len(zones), len(zones)), dtype=np.bool_)
    for (node, _), place in index.items():
        if node in number:
            reached[:, number[node] - len(index)] |= np.isfinite(distance[:, place])
    np.fill_diagonal(reached, val=True)
    return reached
