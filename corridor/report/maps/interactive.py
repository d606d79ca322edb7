"""The verb ``plot_map``: links by mode and flow, crossings by load and wait."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import shapely

from corridor.errors import InputError
from corridor.network import Network
from corridor.network.outlines import read_outlines
from corridor.planning import Plan
from corridor.report.maps.frames import (
    BaseFrame,
    Columns,
    barred_crossings,
    base_frame,
    drawn_network,
    flow_columns,
    post_columns,
)
from corridor.report.maps.layers import draw_crossings, draw_land, draw_links, draw_places
from corridor.report.maps.mercator import Box, box_of, land_within
from corridor.sovereignty import Rules

if TYPE_CHECKING:
    from bokeh.models import Legend
    from bokeh.plotting import figure as Figure  # noqa: N812

WIDTH_PX: Final = 960
_LEAST_M: Final = 2e5
_MARGIN: Final = 0.06
_AROUND: Final = 0.6
"""Land is drawn so far beyond the network, in its widths, for those who pan."""
_NEGLIGIBLE_T_PER_DAY: Final = 1e-3


def plot_map(
    shown: Network | Plan,
    network: Network | None = None,
    *,
    base: Plan | None = None,
    rules: Rules | None = None,
    outlines: Path | str | None = None,
    width_px: int = WIDTH_PX,
) -> "Figure":
    """Return an interactive map of a network, or of a plan on it.

    Links are colored by mode and as wide as their flow; crossings are colored by utilization and as
    large as the wait; what is closed is crossed out. Pan, zoom, and point at anything for its
    numbers with units; click on the legend to hide a part.

    Parameters
    ----------
    shown
        A network, or a plan.
    network
        The network of the plan: a plan knows links by their ids, not where they lie.
    base
        Another plan of the network: links show what `shown` carries more (blue) and less (orange).
    rules
        Rules as of their date: crossings that they close to everybody are crossed out.
    outlines
        Folder of GeoJSON outlines of states with the property ``iso3``: another point of view than
        the bundled one (Natural Earth, boundaries as they are held on the ground).
    width_px
        Width of the map [pixels], > 0.

    Returns
    -------
    bokeh.plotting.figure
        Show it with ``bokeh.plotting.show`` or at the end of a notebook cell.

    Raises
    ------
    InputError
        If a plan comes without its network, or is of another one; or if an outline is no GeoJSON.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads")
    >>> corridor.plot_map(net).name
    'map'
    """
    network = drawn_network(shown, network, base, "plot_map")
    plan = shown if isinstance(shown, Plan) else None
    frame = base_frame(network)
    barred = barred_crossings(rules.in_force) if rules is not None else {}
    links = {**frame.links, **flow_columns(network, plan), **_changes(network, plan, base)}
    crossings = {**frame.crossings, **post_columns(network, plan, barred)}
    fig = build_map(frame, links, crossings, outlines=outlines, width_px=width_px)
    if base is not None:
        for renderer in fig.renderers:
            name = str(renderer.name)
            renderer.visible = name in ("gain", "loss") or not name.startswith("flow-")
    fig.add_layout(_legend(fig), "right")
    return fig


def _changes(network: Network, plan: Plan | None, base: Plan | None) -> Columns:
    n = len(network.links)
    if base is None:
        return {"gain": [0.0] * n, "loss": [0.0] * n}
    return change_columns(flow_columns(network, plan), flow_columns(network, base))


def change_columns(flows: Columns, base: Columns) -> Columns:
    """Return what each link carries more (``gain``) and less (``loss``) than in the base [t/day].

    Examples
    --------
    >>> change_columns({"flow": [5.0, 1.0]}, {"flow": [2.0, 3.0]})
    {'gain': [3.0, 0.0], 'loss': [0.0, 2.0]}
    """
    change = np.round(np.subtract(flows["flow"], base["flow"]), 1)
    change[np.abs(change) <= _NEGLIGIBLE_T_PER_DAY] = 0.0
    return {
        "gain": np.maximum(change, 0.0).tolist(),
        "loss": np.maximum(-change, 0.0).tolist(),
    }


def build_map(
    frame: BaseFrame,
    links: Columns,
    crossings: Columns,
    *,
    outlines: Path | str | None = None,
    widest_t_per_day: float | None = None,
    width_px: int | None = WIDTH_PX,
) -> "Figure":
    """Return the figure of a map without a legend.

    Parameters
    ----------
    frame
        What the network gives.
    links, crossings
        All columns of the two sources.
    outlines
        As in `plot_map`.
    widest_t_per_day
        Flow that gets the widest line [t/day]; None is the largest.
    width_px
        Width of the map [pixels]; None fills the element of the page that it is put into.
    """
    from bokeh.models import PanTool, Range1d, ResetTool, SaveTool, WheelZoomTool
    from bokeh.plotting import figure

    box = network_box(frame)
    fig = figure(
        name="map",
        frame_width=width_px,
        frame_height=None if width_px is None else _height_px(box, width_px),
        sizing_mode="stretch_both" if width_px is None else None,
        x_range=Range1d(box.west, box.east),
        y_range=Range1d(box.south, box.north),
        tools=[PanTool(), ResetTool(), SaveTool()],
        toolbar_location="above",
        output_backend="canvas",
    )
    wheel = WheelZoomTool()
    fig.add_tools(wheel)
    fig.toolbar.active_scroll = wheel
    fig.toolbar.logo = None
    fig.axis.visible = False
    fig.grid.visible = False
    land = land_within(outlines_of(outlines), box.grown(_AROUND))
    draw_land(fig, land, set(frame.nodes["country"]))
    draw_links(fig, links, widest_t_per_day)
    draw_crossings(fig, crossings)
    draw_places(fig, frame.nodes)
    return fig


def network_box(frame: BaseFrame) -> Box:
    """Return the box around all places, with a margin; detours of ships may lead out of it."""
    return box_of(frame.nodes["x"], frame.nodes["y"]).grown(_MARGIN, _LEAST_M)


def _height_px(box: Box, width_px: int) -> int:
    """Return the height at which a meter is as long north as east, within reason."""
    height = width_px * (box.north - box.south) / (box.east - box.west)
    return int(np.clip(height, width_px * 0.3, width_px * 1.2))


def outlines_of(folder: Path | str | None) -> dict[str, shapely.Geometry]:
    """Return the outlines of states in a folder, None is the bundled ones.

    Raises
    ------
    InputError
        If it is no folder, or holds no GeoJSON.
    """
    if folder is None:
        return dict(read_outlines())
    path = Path(folder)
    if not path.is_dir() or not any(path.glob("*.geojson")):
        msg = (
            f"Outlines must be a folder of GeoJSON files; {str(path)!r} is none, or holds none. "
            "Give a folder with *.geojson, or leave it out for the bundled outlines."
        )
        raise InputError(msg)
    return dict(read_outlines(path))


def outline_names(folder: Path) -> list[str]:
    """Return what each file of outlines is called: its member ``name``, else its file name."""
    names = []
    for path in sorted(folder.glob("*.geojson")):
        name = json.loads(path.read_text(encoding="utf-8")).get("name")
        names.append(str(name) if name else path.stem)
    return names


def _legend(fig: "Figure") -> "Legend":
    """Return a legend of the layers that show anything; a click hides a layer."""
    from bokeh.models import Legend, LegendItem

    items = []
    for renderer in fig.renderers:
        if not renderer.tags:
            continue
        data, group = renderer.data_source.data, renderer.view.filter
        rows = [i for i, of in enumerate(data[group.column_name]) if of == group.group]
        if rows:
            # The sample of a line is as wide as the largest flow of its mode.
            largest = rows[int(np.argmax([data["flow"][row] for row in rows]))]
            label = str(renderer.tags[0])
            items.append(LegendItem(label=label, renderers=[renderer], index=largest))
    return Legend(items=items, click_policy="hide", border_line_color=None, padding=4)
