"""The verb ``draw_map``: a map for paper, drawn with matplotlib (extra ``plot``)."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pandas as pd
import shapely

from corridor.errors import InputError, MissingExtraError
from corridor.network import Network
from corridor.network.outlines import read_outlines
from corridor.planning import Plan
from corridor.report import colors
from corridor.report.files.geopackage import (
    crossing_points,
    difference_frame,
    flow_frame,
    link_lines,
    node_points,
)
from corridor.report.files.scratch import scratch_file
from corridor.report.maps.antimeridian import cut_lines
from corridor.report.maps.frames import drawn_network

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Extent: TypeAlias = tuple[float, float, float, float]

SUFFIXES: Final = (".svg", ".png", ".pdf")
"""Kinds of files that a map can be written as."""
_LAND: Final = "#f4f1ea"
_COAST: Final = "#c9c2b4"
_SHUT: Final = "#9a9a9a"
_INK: Final = "#222222"
_WIDEST_PT: Final = 7.0
_THINNEST_PT: Final = 0.5
_DPI: Final = 200
_MARGIN: Final = 0.04
_TITLE_IN: Final = 0.4
_SPACING: Final = 0.035
"""Room of a name to each side, as a share of the map's width."""
_NAMED: Final = ("city", "port")


def draw_map(
    shown: Network | Plan,
    network: Network | None = None,
    *,
    base: Plan | None = None,
    title: str = "",
    extent: Extent | None = None,
    outlines: Path | str | None = None,
    width_in: float = 11.0,
) -> "Figure":
    """Return a static map of a network, or of a plan on it.

    Links are colored by mode and, for a plan, as wide as the root of their flow; crossings are
    colored by utilization and as large as the queue is long; what is closed is gray.

    Parameters
    ----------
    shown
        A network, or a plan.
    network
        The network of the plan: a plan knows links by their ids, not where they lie.
    base
        Another plan of the network: links show what `shown` carries more (blue) and less (orange).
    title
        Title over the map.
    extent
        West, south, east and north end [degrees]; None is the whole network.
    outlines
        Folder of GeoJSON outlines of states with the property ``iso3``, another point of view than
        the bundled one.
    width_in
        Width of the figure [inches], > 0; the height follows from the network.

    Returns
    -------
    matplotlib.figure.Figure
        A notebook shows it; `write_map` writes it to a file.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    InputError
        If a plan comes without its network or is of another one, or the width or the
        extent is empty.

    Examples
    --------
    >>> import corridor
    >>> figure = draw_map(corridor.load_network("crossroads"), title="Crossroads")
    >>> figure.axes[0].get_title(loc="left")
    'Crossroads'
    """
    network = drawn_network(shown, network, base, "draw_map")
    plan = shown if isinstance(shown, Plan) else None
    figure, axes = _canvas(_box(network) if extent is None else extent, width_in)
    _draw_land(axes, outlines)
    if plan is None:
        _draw_links(axes, network, _network_widths(network))
    elif base is None:
        _draw_links(axes, network, _flow_widths(network, plan))
    else:
        _draw_changes(axes, network, plan, base)
    _draw_crossings(axes, network, plan)
    _draw_names(axes, network)
    axes.set_title(title, loc="left", fontsize=12, parse_math=False)
    axes.legend(loc="lower left", fontsize=7, framealpha=0.9, ncols=2)
    return figure


def write_map(figure: "Figure", path: str | Path) -> None:
    """Write a map as SVG, PNG or PDF, whole or not at all.

    Parameters
    ----------
    figure
        What `draw_map` returned.
    path
        File to write; its suffix says which kind. An existing file is replaced at the end.

    Raises
    ------
    InputError
        If the suffix is another one, the folder does not exist, or the path is a folder.
    OSError
        If the file cannot be written; nothing is left behind.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        msg = f"A map must end in {', '.join(SUFFIXES)}; found {Path(path).name!r}. Rename it."
        raise InputError(msg)
    import matplotlib as mpl

    with scratch_file(path, "A map") as part, mpl.rc_context({"svg.hashsalt": "corridor"}):
        # Neither the clock nor a random salt: the same map gives the same file.
        still = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix)
        figure.savefig(part, format=suffix.removeprefix("."), dpi=_DPI, metadata=still)


def _box(network: Network) -> Extent:
    """Return a box around the nodes, with a margin."""
    west, south, east, north = shapely.total_bounds(node_points(network)).tolist()
    x, y = (max(span * _MARGIN, 0.2) for span in (east - west, north - south))
    return west - x, south - y, east + x, north + y


def _canvas(extent: Extent, width_in: float) -> tuple["Figure", "Axes"]:
    """Return a figure on which a degree of longitude is as long as it is at the middle."""
    west, south, east, north = extent
    if not (width_in > 0 and west < east and south < north):
        msg = (
            "A map must be wider than 0 inches, and its extent must be west, south, east, north "
            f"in degrees; found {width_in} inches and {extent}. Correct them."
        )
        raise InputError(msg)
    try:
        from corridor.report.maps.figures import MapFigure
    except ImportError as error:
        msg = "draw_map needs matplotlib; it is not installed. pip install 'corridor[plot]'."
        raise MissingExtraError(msg) from error
    stretch = float(1.0 / np.cos(np.radians((south + north) / 2.0)))
    height = width_in * stretch * (north - south) / (east - west)
    figure = MapFigure.of_size(width_in, height + _TITLE_IN)
    axes = figure.add_subplot(xlim=(west, east), ylim=(south, north))
    axes.set_aspect(stretch)
    axes.set_xticks([])
    axes.set_yticks([])
    return figure, axes


def _draw_land(axes: "Axes", outlines: Path | str | None) -> None:
    from matplotlib.collections import PolyCollection

    shapes = read_outlines(None if outlines is None else Path(outlines))
    rings = [
        shapely.get_coordinates(part.exterior)
        for shape in shapes.values()
        for part in shapely.get_parts(shape)
    ]
    axes.add_collection(
        PolyCollection(rings, facecolors=_LAND, edgecolors=_COAST, linewidths=0.5, zorder=0),
        autolim=False,
    )


def _network_widths(network: Network) -> "pd.Series[float]":
    links = network.links["link_id"].to_numpy(object)
    return pd.Series(1.0, links[network.open_links])


def _flow_widths(network: Network, plan: Plan) -> "pd.Series[float]":
    """Return the width of each open link in points: its area grows as the root of the flow."""
    flows = flow_frame(network, plan).set_index("link_id")["t_per_day"]
    most = max(float(flows.max()) if len(flows) else 0.0, 1.0)
    widths: pd.Series[float] = _THINNEST_PT + (_WIDEST_PT - _THINNEST_PT) * np.sqrt(flows / most)
    return widths


def _draw_links(axes: "Axes", network: Network, widths: "pd.Series[float]") -> None:
    """Draw what is open by mode, what is not thin and gray under it."""
    lines = pd.Series(cut_lines(link_lines(network).to_numpy(object)), network.links["link_id"])
    modes = network.links["layer"].map(network.layers.set_index("layer")["mode"])
    modes.index = network.links["link_id"]
    shut = ~lines.index.isin(widths.index)
    _draw_lines(axes, lines[shut], pd.Series(0.6, lines.index[shut]), _SHUT, "closed", ":")
    for mode in modes.unique():
        of_mode = lines[~shut & (modes == mode).to_numpy()]
        _draw_lines(axes, of_mode, widths[of_mode.index], colors.mode_color(mode), mode)


def _draw_changes(axes: "Axes", network: Network, plan: Plan, base: Plan) -> None:
    lines = pd.Series(cut_lines(link_lines(network).to_numpy(object)), network.links["link_id"])
    _draw_lines(axes, lines, pd.Series(0.4, lines.index), _SHUT, "no change")
    changes = difference_frame(network, plan, base).set_index("link_id")["change_t_per_day"]
    most = max(float(changes.abs().max()) if len(changes) else 0.0, 1.0)
    widths = _THINNEST_PT + (_WIDEST_PT - _THINNEST_PT) * np.sqrt(changes.abs() / most)
    for color, label, of in (
        (colors.LOSS, "less than in the base", changes < 0),
        (colors.GAIN, "more than in the base", changes > 0),
    ):
        ids = changes.index[of]
        _draw_lines(axes, lines[ids], widths[ids], color, label)


def _draw_lines(
    axes: "Axes",
    lines: pd.Series,
    widths: "pd.Series[float]",
    color: str,
    label: str,
    style: str = "-",
) -> None:
    from matplotlib.collections import LineCollection

    if not len(lines):
        return
    # A copy: shapely 2.0 does not take the read-only arrays that pandas gives.
    parts, of = shapely.get_parts(np.array(lines, dtype=object), return_index=True)
    collection = LineCollection(
        [shapely.get_coordinates(part) for part in parts],
        linewidths=widths.to_numpy(float)[of],
        colors=color,
        linestyles=style,
        label=label,
        capstyle="butt",
        zorder=1 if style == ":" else 2,
    )
    axes.add_collection(collection, autolim=False)


def _draw_crossings(axes: "Axes", network: Network, plan: Plan | None) -> None:
    """Draw crossings: a disk by load and queue, a cross where closed."""
    points = shapely.get_coordinates(crossing_points(network))
    ids = network.crossings["crossing_id"]
    if plan is None:
        is_open, load, wait = network.open_crossings, np.full(len(ids), np.nan), np.zeros(len(ids))
    else:
        worst = plan.crossings.groupby("crossing_id")[["utilization", "wait_h"]].max().reindex(ids)
        is_open = ids.isin(plan.crossings["crossing_id"]).to_numpy(bool)
        load, wait = worst["utilization"].to_numpy(float), worst["wait_h"].fillna(0.0).to_numpy()
    if not is_open.all():
        shut = points[~is_open]
        axes.scatter(
            shut[:, 0],
            shut[:, 1],
            s=14,
            marker="x",
            c=_SHUT,
            lw=0.8,
            zorder=3,
            label="closed crossing",
        )
    names = np.array([colors.load_class(value) for value in load.tolist()], dtype=object)
    for name, color in colors.LOADS.items():
        of = is_open & (names == name)
        if of.any():
            label = "crossing" if plan is None else f"crossing, load {name}"
            size = 10.0 + 12.0 * np.sqrt(np.minimum(wait[of], 100.0))
            axes.scatter(
                points[of, 0],
                points[of, 1],
                s=size,
                c=color,
                ec=_INK,
                lw=0.5,
                zorder=4,
                label=label,
            )


def _draw_names(axes: "Axes", network: Network) -> None:
    west, east = axes.get_xlim()
    south, north = axes.get_ylim()
    for name, lon, lat in _names_with_room(network, (west, south, east, north)):
        text = axes.annotate(
            name, (lon, lat), (2, 2), textcoords="offset points", fontsize=6, color=_INK, zorder=5
        )
        text.set_parse_math(False)


def _names_with_room(network: Network, extent: Extent) -> Iterator[tuple[str, float, float]]:
    """Yield the places whose names do not stand on another's, those where most ways meet first."""
    west, south, east, north = extent
    room = _SPACING * (east - west)
    nodes = network.nodes[network.nodes["kind"].isin(_NAMED)]
    inside = nodes["lon"].between(west, east) & nodes["lat"].between(south, north)
    ends = network.links[["from_node", "to_node"]].stack().value_counts()
    order = nodes[inside].assign(n_links=nodes["node_id"].map(ends).fillna(0))
    order = order.sort_values("n_links", ascending=False, kind="stable")
    taken = np.empty((0, 2))
    for name, lon, lat in zip(*(order[c].tolist() for c in ("name", "lon", "lat")), strict=True):
        apart = np.abs(taken - (lon, lat))
        # A name is wide and low.
        if not ((apart[:, 0] < 2.0 * room) & (apart[:, 1] < 0.5 * room)).any():
            taken = np.vstack([taken, (lon, lat)])
            yield name, lon, lat
