"""From a map layer of lines to a graph, and to the tables of a network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pandas as pd
import shapely
from numpy.typing import ArrayLike, NDArray

from corridor.core.geodesy import Method, merge_points, polyline_length_km, snap_points
from corridor.core.graph import Graph
from corridor.errors import Fault, InputError

if TYPE_CHECKING:
    import geopandas as gpd
    from pyproj import CRS

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
PositionArray: TypeAlias = NDArray[np.int64]
Ends: TypeAlias = tuple[FloatArray, FloatArray]
Lines: TypeAlias = "gpd.GeoDataFrame | gpd.GeoSeries | Sequence[Any] | NDArray[Any]"

WGS84: Final = "EPSG:4326"
LINE, RING, MULTILINE = 1, 2, 5
"""Type ids of shapely."""
MISSING: Final = -1
TURN: Final = 360.0
RIGHT: Final = 90.0
NAMED: Final = 5
"""How many rows a message names."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LineGraph:
    """A graph of lines: arrays by node, by line and by arc.

    A line is a row of the layer, or a part of one: of a MULTILINESTRING, or of a line that was
    split where others meet it. Its ends stand at its nodes.

    Parameters
    ----------
    graph
        Arcs ``0 .. n_lines - 1`` run along the lines as drawn; the ones after them run against
        the lines that may be used both ways, in the order of the lines.
    node_lon, node_lat
        float64 (n_nodes,) [deg]: nodes are numbered as the lines come, start before end.
    line_row
        int32 (n_lines,): position of the row each line comes from, not falling.
    line_from, line_to
        int32 (n_lines,): its nodes.
    line_length_km
        float64 (n_lines,) >= 0: its length on the WGS84 ellipsoid.
    arc_line
        int32 (n_arcs,): the line each arc runs along.
    lon, lat
        float64 (n_points,) [deg]: the points of the lines one after the other.
    offsets
        int64 (n_lines + 1,): line ``i`` has the points ``offsets[i]:offsets[i + 1]``.
    """

    graph: Graph
    node_lon: FloatArray
    node_lat: FloatArray
    line_row: IntArray
    line_from: IntArray
    line_to: IntArray
    line_length_km: FloatArray
    arc_line: IntArray
    lon: FloatArray
    lat: FloatArray
    offsets: PositionArray

    @property
    def arc_length_km(self) -> FloatArray:
        """Length of each arc [km], (n_arcs,)."""
        return self.line_length_km[self.arc_line]

    @property
    def line_directed(self) -> BoolArray:
        """Whether each line may only be used as drawn, (n_lines,)."""
        only_once: BoolArray = np.bincount(self.arc_line, minlength=self.line_row.size) == 1
        return only_once

    @property
    def geometry(self) -> NDArray[np.object_]:
        """The lines as shapely LineStrings, (n_lines,)."""
        points = np.column_stack([self.lon, self.lat])
        line = np.repeat(np.arange(self.line_row.size), np.diff(self.offsets))
        drawn: NDArray[np.object_] = shapely.linestrings(points, indices=line)
        return drawn


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Polylines:
    """Lines as flat arrays; ``names`` are what messages call the rows."""

    row: PositionArray
    lon: FloatArray
    lat: FloatArray
    offsets: PositionArray
    names: Sequence[Any]


def join_lines(
    lines: Lines,
    *,
    tolerance_km: float = 0.0,
    directed: bool | ArrayLike = False,
    split: bool = False,
    method: Method = "auto",
) -> LineGraph:
    """Build a graph from lines that meet at their ends.

    Parameters
    ----------
    lines
        (Multi)LineStrings: a GeoDataFrame or GeoSeries with a coordinate reference system, which
        is brought to WGS84, or an array of shapely geometries in degrees, longitude first.
    tolerance_km
        Ends up to this far apart, 0..100 km, are one node, and so are ends that a chain of such
        steps joins; a node stands at the first of its ends, and the others are moved there. 0
        takes equal coordinates only. It should be far below the length of the shortest line.
    directed
        True for lines that may only be used as drawn; one value, or one for each row.
    split
        Whether to split lines at interior vertices where others have a vertex too (or they
        themselves a second time), as planar layers need it. Lines that cross without a common
        vertex, as on a bridge, stay whole. The tolerance then holds for all vertices.
    method
        ``"numpy"``, ``"kernels"``, or ``"auto"``, as in :func:`corridor.core.geodesy.merge_points`.

    Returns
    -------
    LineGraph
        Nodes, lines and arcs; parallel lines stay apart, closed lines become self loops, and
        nodes do not depend on the order of the rows but for their numbers and position.

    Raises
    ------
    InputError
        For a missing reference system, geometries that are missing, empty, no lines, without
        length, no longer than twice the tolerance and closed by it, or have coordinates out of
        range: ``.faults`` names the rows. None is left out.

    Examples
    --------
    >>> import geopandas as gpd
    >>> roads = gpd.GeoSeries.from_wkt(
    ...     ["LINESTRING (44.5 40.2, 44.6 40.3, 45 40.2)", "LINESTRING (45 40.2, 45 41)"],
    ...     crs="EPSG:4326")
    >>> joined = join_lines(roads)
    >>> joined.graph
    Graph(n_nodes=3, n_arcs=4)
    >>> joined.line_length_km.round(1)
    array([49.8, 88.8])
    >>> join_lines(roads, directed=[True, False]).arc_line
    array([0, 1, 1], dtype=int32)
    """
    drawn = _as_polylines(lines)
    one_way = _as_flags(directed, len(drawn.names))
    drawn, place, first = (_split if split else _join)(drawn, tolerance_km, method)
    start, end = place[::2].copy(), place[1::2].copy()
    length = polyline_length_km(drawn.lon, drawn.lat, drawn.offsets, method=method)
    _refuse(_closed_faults(drawn, (start == end) & (length <= 2.0 * tolerance_km)))
    line = np.arange(start.size, dtype=np.int32)
    back = np.flatnonzero(~one_way[drawn.row]) if one_way.any() else slice(None)
    tail, head = np.concatenate([start, end[back]]), np.concatenate([end, start[back]])
    tail.flags.writeable = head.flags.writeable = False  # the graph keeps these without a copy
    points = _end_points(drawn.offsets)[first]
    return LineGraph(
        graph=Graph(first.size, tail, head),
        node_lon=drawn.lon[points],
        node_lat=drawn.lat[points],
        line_row=drawn.row.astype(np.int32),
        line_from=start,
        line_to=end,
        line_length_km=length,
        arc_line=np.concatenate([line, line[back]]),
        lon=drawn.lon,
        lat=drawn.lat,
        offsets=drawn.offsets,
    )


def lines_to_links(
    frame: "gpd.GeoDataFrame",
    *,
    layer: str | None = None,
    country: str | None = None,
    tolerance_km: float = 0.0,
    directed: bool | ArrayLike | None = None,
    split: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Turn a map layer of lines into the tables ``nodes`` and ``links`` of a network.

    Parameters
    ----------
    frame
        (Multi)LineStrings with a coordinate reference system. All other columns are carried
        through, those with names of the contract (``status``, ``speed_kmh`` ...) as what they are.
    layer, country
        Layer of all links and state of all nodes; None takes the columns of that name, a node
        being in the state of its lines.
    tolerance_km, split
        As in :func:`join_lines`.
    directed
        As there; None takes the column of that name, or False without one.

    Returns
    -------
    nodes : DataFrame
        node_id (``N0`` ...), name, country, kind (``junction``), lon, lat.
    links : DataFrame
        link_id (the frame's, or ``L`` and the position of the row; lines of a row that gave
        several have ``.1``, ``.2`` ... behind it), from_node, to_node, layer, length_km, directed,
        what is carried through, geometry (WKT). Where the frame has a length_km it stands, shared
        among the lines of a row by what they measure; blank or missing, it is what they measure.
        :meth:`corridor.network.Network.from_tables` takes both.

    Raises
    ------
    InputError
        As :func:`join_lines`; and for closed lines, for a node in two states, and for columns
        that are missing or would be overwritten.

    Examples
    --------
    >>> import geopandas as gpd
    >>> roads = gpd.GeoDataFrame(
    ...     {"surface": ["asphalt", "gravel"]},
    ...     geometry=gpd.GeoSeries.from_wkt(
    ...         ["LINESTRING (44.5 40.2, 45 40.2)", "LINESTRING (45 40.2, 45 41)"]),
    ...     crs="EPSG:4326")
    >>> nodes, links = lines_to_links(roads, layer="road", country="ARM")
    >>> links[["link_id", "from_node", "to_node", "length_km", "surface"]].round(1)
      link_id from_node to_node  length_km  surface
    0      L0        N0      N1       42.6  asphalt
    1      L1        N1      N2       88.8   gravel
    """
    _check_columns(frame, layer=layer, country=country)
    if directed is None:
        directed = frame.get("directed", default=False)
    joined = join_lines(frame, tolerance_km=tolerance_km, directed=directed, split=split)
    _refuse(_loop_faults(joined, frame.index))
    names = np.array([f"N{number}" for number in range(joined.graph.n_nodes)], dtype=object)
    rows = frame.iloc[joined.line_row].reset_index(drop=True)
    made = {
        "link_id": _link_ids(joined, frame),
        "from_node": names[joined.line_from],
        "to_node": names[joined.line_to],
        "layer": rows["layer"] if layer is None else layer,
        "length_km": _length_km(joined, frame),
        "directed": joined.line_directed,
    }
    carried = rows.drop(columns=[frame.geometry.name, *made], errors="ignore")
    links = pd.concat([pd.DataFrame(made), pd.DataFrame(carried)], axis=1)
    nodes = pd.DataFrame(
        {
            "node_id": names,
            "name": names,
            "country": _node_states(joined, rows["country"]) if country is None else country,
            "kind": "junction",
            "lon": joined.node_lon - TURN * np.rint(joined.node_lon / TURN),
            "lat": joined.node_lat,
        }
    )
    return nodes, links.assign(geometry=shapely.to_wkt(joined.geometry, rounding_precision=-1))


def _as_polylines(lines: Lines) -> _Polylines:
    """Return lines as flat arrays in degrees, or all that is wrong with them."""
    names, shapes = _as_shapes(lines)
    kind = _kinds(shapes)
    row, faults = np.arange(len(shapes)), list[Fault]()
    if not (kind == LINE).all():
        faults += _row_faults(names, kind == MISSING, "without a geometry")
        known = np.isin(kind, (MISSING, LINE, RING, MULTILINE))
        faults += _row_faults(names, ~known, "with something else than lines")
        shapes, row = shapely.get_parts(shapes, return_index=True)
        partless = kind != MISSING
        partless[row] = False
        faults += _row_faults(names, partless, "without a part")
    points, line = shapely.get_coordinates(shapes, return_index=True)
    starts = np.ones(line.size, dtype=np.bool_)
    np.not_equal(line[1:], line[:-1], out=starts[1:])
    begins = np.flatnonzero(starts)
    if begins.size < len(shapes):
        empty = ~_marked(line[begins], len(shapes))
        faults += _row_faults(names, _marked(row[empty], len(names)), "with an empty line")
    lon, lat = points.T.copy()
    if not (_within(lon, TURN) and _within(lat, RIGHT)):
        outside = ~((np.abs(lon) <= TURN) & (np.abs(lat) <= RIGHT))  # NaN is outside as well
        wrong = _marked(row[line[outside]], len(names))
        faults += _row_faults(names, wrong, "with coordinates out of range")
    _refuse(faults)
    offsets = np.append(begins, line.size)
    return _Polylines(row=row, lon=lon, lat=lat, offsets=offsets, names=names)


def _kinds(shapes: NDArray[np.object_]) -> IntArray:
    """Return the type ids of geometries."""
    try:
        kinds: IntArray = shapely.get_type_id(shapes)
    except TypeError as error:
        message = f"lines must be shapely geometries; {error}; read them with geopandas"
        raise InputError(message) from error
    return kinds


def _within(degrees: FloatArray, limit: float) -> bool:
    """Return whether all values are at most a limit, either sign; NaN is not."""
    low, high = degrees.min(initial=0.0), degrees.max(initial=0.0)
    return bool(-limit <= low <= high <= limit)


def _as_shapes(lines: Lines) -> tuple[Sequence[Any], NDArray[np.object_]]:
    """Return what rows are called, and their geometries in WGS84."""
    import geopandas as gpd

    if isinstance(lines, gpd.GeoDataFrame):
        try:
            lines = lines.geometry
        except AttributeError as error:
            message = f"the frame must have an active geometry; {error}; set it with set_geometry"
            raise InputError(message) from error
    if not isinstance(lines, gpd.GeoSeries):
        shapes = np.empty(len(lines), dtype=object)
        shapes[:] = lines
        return range(len(shapes)), shapes
    if lines.crs is None:
        message = (
            "lines must have a coordinate reference system; found none; say in which one they "
            f"are drawn, with set_crs({WGS84!r}) for longitudes and latitudes"
        )
        raise InputError(message)
    if lines.crs != _wgs84():
        lines = lines.to_crs(_wgs84())
    return lines.index, np.asarray(lines.values)


@cache
def _wgs84() -> "CRS":
    """Return the reference system of longitudes and latitudes."""
    from pyproj import CRS

    return CRS.from_user_input(WGS84)


def _as_flags(directed: bool | ArrayLike, n_rows: int) -> BoolArray:  # noqa: FBT001
    flags = np.asarray(directed)
    if flags.dtype != np.bool_ or flags.shape not in ((), (n_rows,)):
        message = (
            f"directed must be true or false, once or for each of the {n_rows} rows; found dtype "
            f"{flags.dtype} and shape {flags.shape}; compare texts first, as in "
            "frame['oneway'] == 'yes'"
        )
        raise InputError(message)
    return np.broadcast_to(flags, n_rows)


def _end_points(offsets: PositionArray) -> PositionArray:
    """Return the points (2 n_lines,) at which lines start and end, by turns."""
    points = np.empty(2 * (offsets.size - 1), dtype=np.int64)
    points[::2] = offsets[:-1]
    points[1::2] = offsets[1:] - 1
    return points


def _ends(drawn: _Polylines) -> Ends:
    """Return longitudes and latitudes of the ends, (2 n_lines,)."""
    points = _end_points(drawn.offsets)
    return drawn.lon[points], drawn.lat[points]


def _join(
    drawn: _Polylines, tolerance_km: float, method: Method
) -> tuple[_Polylines, IntArray, IntArray]:
    """Return lines with their ends at nodes, the node of each end, and the first end of each."""
    ends = _ends(drawn)
    place, first, astray = snap_points(*ends, tolerance_km, method)
    return _moved(drawn, ends, first[place[astray]], astray), place, first


def _moved(
    drawn: _Polylines, ends: Ends, nodes: NDArray[np.integer[Any]], astray: PositionArray
) -> _Polylines:
    """Return lines whose ends astray stand where others do, on the side of the date line as before.

    ``nodes`` are the ends at whose places they shall stand.
    """
    if not astray.size:
        return drawn
    points = _end_points(drawn.offsets)[astray]
    lon, lat = drawn.lon.copy(), drawn.lat.copy()
    turns = np.rint((ends[0][astray] - ends[0][nodes]) / TURN)
    lon[points], lat[points] = ends[0][nodes] + TURN * turns, ends[1][nodes]
    return replace(drawn, lon=lon, lat=lat)


def _split(
    drawn: _Polylines, tolerance_km: float, method: Method
) -> tuple[_Polylines, IntArray, IntArray]:
    """Return lines split at shared vertices, the node of each end, and the first end of each node.

    Vertices of one line that follow each other at one place count once, and a line is not split
    a second time before it has left the place.
    """
    place, _ = merge_points(drawn.lon, drawn.lat, tolerance_km, method)
    line = np.repeat(np.arange(drawn.row.size), np.diff(drawn.offsets))
    start, end = drawn.offsets[:-1], drawn.offsets[1:] - 1
    arrives = np.ones(place.size, dtype=np.bool_)
    arrives[1:] = (place[1:] != place[:-1]) | (line[1:] != line[:-1])
    visits = np.bincount(place[arrives], minlength=place.max(initial=-1) + 1)
    visits[place[start]] += 2
    visits[place[end]] += 2
    stay = np.cumsum(arrives)
    cut = arrives & (visits[place] > 1) & (stay != stay[end][line])
    cut[start] = False
    taken = np.repeat(np.arange(place.size), 1 + cut)  # the points at cuts twice
    copies = np.arange(place.size) + np.cumsum(cut)  # where the last copy of each point stands
    begins = np.flatnonzero(_marked(start, place.size) | cut)
    pieces = replace(
        drawn,
        row=drawn.row[line[begins]],
        lon=drawn.lon[taken],
        lat=drawn.lat[taken],
        offsets=np.append(copies[begins], taken.size),
    )
    ends = place[taken][_end_points(pieces.offsets)]
    _, at, number = np.unique(ends, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(at))
    node, first = rank[number].astype(np.int32), np.sort(at).astype(np.int32)
    x, y = _ends(pieces)
    astray = np.flatnonzero((x != x[first][node]) | (y != y[first][node]))
    return _moved(pieces, (x, y), first[node[astray]], astray), node, first


def _marked(positions: NDArray[np.integer[Any]], size: int) -> BoolArray:
    """Return an array of flags that are true at some positions."""
    flags = np.zeros(size, dtype=np.bool_)
    flags[positions] = True
    return flags


def _row_faults(
    names: Sequence[Any],
    wrong: BoolArray,
    what: str,
    expected: str = "LineStrings or MultiLineStrings in degrees of longitude and latitude",
    remedy: str = "correct these rows or drop them",
) -> list[Fault]:
    """Return one fault that names the first of the rows that are wrong, if there are any."""
    rows = np.flatnonzero(wrong)
    if not rows.size:
        return []
    first = ", ".join(str(names[row]) for row in rows[:NAMED].tolist())
    more = " ..." if rows.size > NAMED else ""
    found = f"{rows.size} of {len(names)} rows {what}: {first}{more}"
    return [Fault(file="lines", column="geometry", found=found, expected=expected, remedy=remedy)]


def _closed_faults(drawn: _Polylines, flat: BoolArray) -> list[Fault]:
    return _row_faults(
        drawn.names,
        _marked(drawn.row[flat], len(drawn.names)),
        "whose lines have no length or are closed by the tolerance",
        expected="lines longer than twice the tolerance",
        remedy="lower tolerance_km, or drop these rows",
    )


def _refuse(faults: list[Fault]) -> None:
    if faults:
        subject = "The map layer"
        raise InputError.from_faults(subject, faults)


def _check_columns(frame: "gpd.GeoDataFrame", *, layer: str | None, country: str | None) -> None:
    """Refuse columns that are missing or would be overwritten."""
    import geopandas as gpd

    if not isinstance(frame, gpd.GeoDataFrame):
        message = f"frame must be a GeoDataFrame; found {type(frame).__name__}; make it one"
        raise InputError(message)
    for name, value in (("layer", layer), ("country", country)):
        if value is None and name not in frame:
            message = (
                f"frame must have the column {name!r} where the argument is not given; found "
                f"{', '.join(map(str, frame.columns))}; give {name}="
            )
            raise InputError(message)
    taken = {"from_node", "to_node", "geometry"} - {frame.active_geometry_name}
    for name in sorted(taken & set(frame.columns)):
        message = f"frame must not have a column {name!r}, which the links get; rename it"
        raise InputError(message)


def _loop_faults(joined: LineGraph, names: Sequence[Any]) -> list[Fault]:
    loops = joined.line_row[joined.line_from == joined.line_to]
    return _row_faults(
        names,
        _marked(loops, len(names)),
        "whose links would end where they start",
        expected="lines between two nodes",
        remedy="cut these lines in two, or drop the rows",
    )


def _link_ids(joined: LineGraph, frame: "gpd.GeoDataFrame") -> NDArray[np.object_]:
    if "link_id" in frame:
        names = frame["link_id"].astype(str).to_numpy(dtype=object)
    else:
        names = np.array([f"L{row}" for row in range(len(frame))], dtype=object)
    ids: NDArray[np.object_] = names[joined.line_row]
    of_row = np.bincount(joined.line_row, minlength=len(frame))
    before = (np.cumsum(of_row) - of_row)[joined.line_row]
    for line in np.flatnonzero(of_row[joined.line_row] > 1).tolist():
        ids[line] = f"{ids[line]}.{line - before[line] + 1}"
    return ids


def _length_km(joined: LineGraph, frame: "gpd.GeoDataFrame") -> FloatArray:
    """Return the length of each line: its share of the row's, or what it measures."""
    measured = joined.line_length_km
    if "length_km" not in frame:
        return measured
    given = pd.to_numeric(frame["length_km"], errors="coerce").to_numpy(dtype=np.float64)
    blank = frame["length_km"].isna().to_numpy(dtype=bool)
    wrong = ~(given > 0.0) & ~blank
    _refuse(_row_faults(frame.index, wrong, "whose length_km is no number > 0", "a length in km"))
    of_row = np.bincount(joined.line_row, measured, len(frame))
    scale = np.where(blank, 1.0, given / of_row)
    return measured * scale[joined.line_row]


def _node_states(joined: LineGraph, state: "pd.Series[str]") -> NDArray[np.object_]:
    """Return the state of each node, or say which nodes lie in several."""
    states = state.to_numpy(dtype=object)
    found = np.empty(joined.graph.n_nodes, dtype=object)
    found[joined.line_from] = states
    found[joined.line_to] = states
    several = np.flatnonzero(
        (found[joined.line_from] != states) | (found[joined.line_to] != states)
    )
    if several.size:
        line = int(several[0])
        ends = joined.line_from[line], joined.line_to[line]
        node = next(int(node) for node in ends if found[node] != states[line])
        message = (
            f"every node must lie in one state; found lines of {states[line]} and {found[node]} "
            f"at {joined.node_lon[node]:g} {joined.node_lat[node]:g} ({several.size} lines); end "
            "each state's lines at a post of its own, and join the posts by a border link"
        )
        raise InputError(message)
    return found
