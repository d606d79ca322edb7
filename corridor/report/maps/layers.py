"""The layers of a map: what is drawn from which source, and what pointing at it says."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from corridor.report.colors import GAIN, LOADS, LOSS, mode_color
from corridor.report.maps.frames import BARRED, OPEN, SHUT, Columns
from corridor.report.maps.mercator import Land

if TYPE_CHECKING:
    from bokeh.models import CDSView, CustomJSHover, LinearInterpolator
    from bokeh.plotting import figure as Figure  # noqa: N812

LAND: Final = "#edebe4"
COAST: Final = "#aaa595"
INK: Final = "#4d4a43"
GROUND: Final = "#a39e91"
_WIDEST_PX: Final = 11.0
_TOUCH_PX: Final = 9.0
_STEPS: Final = 12
_WAITS_H: Final = (0.0, 1.0, 6.0, 24.0, 72.0)
_SIZES_PX: Final = (6.0, 8.0, 12.0, 17.0, 24.0)

LINK_CARD: Final = """
<div class="card"><b>@name</b><div>@layer, @length_km{0,0} km, @state</div>
<div>@ends: <b>@forward{0,0} t/day</b> there, <b>@backward{0,0} t/day</b> back</div>
<div>fuller way: @utilization{custom} of its capacity</div>
<div>against the base: @gain{0,0} t/day more, @loss{0,0} t/day less</div></div>
"""
POST_CARD: Final = """
<div class="card"><b>@name</b><div>@states, @layer, @state</div><div>@why</div>
<div><b>@flow{0,0} t/day</b>, @vehicles{0,0.0} vehicles/day, both ways</div>
<div>fullest stage: <b>@utilization{custom}</b> used</div>
<div>border time, worse way: <b>@border{custom} h</b>, of it queue @wait{custom} h</div></div>
"""
NODE_CARD: Final = '<div class="card"><b>@name</b><div>@country, @kind</div></div>'


def draw_land(fig: "Figure", land: Land, named: Collection[str]) -> None:
    """Draw the outlines of states, and the codes of those that are named."""
    from bokeh.models import ColumnDataSource

    codes = [code if code in named else "" for code in land.codes]
    places = {"code": codes, "x": land.label_x, "y": land.label_y}
    source = ColumnDataSource(data={"xs": land.xs, "ys": land.ys, **places}, name="land")
    fig.multi_polygons(
        "xs",
        "ys",
        source=source,
        name="land-shapes",
        fill_color=LAND,
        line_color=COAST,
        line_width=0.8,
    )
    fig.text(
        "x", "y", "code", source=source, name="states", text_color=COAST, text_font_size="11px",
        text_align="center", text_baseline="middle",
    )  # fmt: skip


def draw_links(fig: "Figure", columns: Columns, widest_t_per_day: float | None) -> None:
    """Draw links: the ground they lie on, flows by mode, and differences, at first unseen.

    Parameters
    ----------
    fig
        The figure.
    columns
        ``xs, ys, mode, state, flow, gain, loss`` and what pointing at a link says.
    widest_t_per_day
        Flow that gets the widest line [t/day]; None is the largest.
    """
    from bokeh.models import ColumnDataSource, HoverTool

    largest = max([*columns["flow"], *columns["gain"], *columns["loss"], 1.0])
    most = largest if widest_t_per_day is None else widest_t_per_day
    source = ColumnDataSource(data=columns, name="links")
    fig.multi_line(
        "xs", "ys", source=source, view=_view("state", OPEN), name="ground",
        line_color=GROUND, line_width=1.0,
    )  # fmt: skip
    shut = fig.multi_line(
        "xs", "ys", source=source, view=_view("state", SHUT), name="shut",
        line_color=GROUND, line_width=1.6, line_dash="dotted",
    )  # fmt: skip
    shut.tags = ["link not open"]
    for mode in dict.fromkeys(columns["mode"]):
        lines = fig.multi_line(
            "xs", "ys", source=source, view=_view("mode", mode), name=f"flow-{mode}",
            line_color=mode_color(mode), line_width=_width("flow", most),
            line_cap="round", line_join="round",
        )  # fmt: skip
        lines.tags = [mode]
    for name, color, dash in (("gain", GAIN, "solid"), ("loss", LOSS, "dashed")):
        fig.multi_line(
            "xs", "ys", source=source, name=name, line_color=color, line_dash=dash,
            line_width=_width(name, most), visible=False,
        )  # fmt: skip
    touch = fig.multi_line(
        "xs", "ys", source=source, name="touch", line_color=INK, line_alpha=0.0,
        line_width=_TOUCH_PX,
    )  # fmt: skip
    fig.add_tools(
        HoverTool(
            renderers=[touch],
            tooltips=LINK_CARD,
            point_policy="follow_mouse",
            attachment="below",  # cards of crossings are above: both can be read
            limit=2,
            formatters={"@utilization": _percent()},
            description="Point at links",
        )
    )


def draw_crossings(fig: "Figure", columns: Columns) -> None:
    """Draw crossings: circles by class of load and by wait, crosses where they are closed.

    Parameters
    ----------
    fig
        The figure.
    columns
        ``x, y, load, state, size_h`` and what pointing at a crossing says.
    """
    from bokeh.models import ColumnDataSource, HoverTool

    source = ColumnDataSource(data=columns, name="crossings")
    seen = []
    for load, color in LOADS.items():
        dots = fig.scatter(
            "x", "y", source=source, view=_view("mark", load), name=f"load-{load}",
            size=_size("size_h"), fill_color=color, line_color=INK, line_width=1.0,
        )  # fmt: skip
        dots.tags = [f"crossing {load}"]
        seen.append(dots)
    for state, color, size in ((SHUT, GROUND, 8), (BARRED, "#b3001b", 12)):
        marks = fig.scatter(
            "x", "y", source=source, view=_view("mark", state), name=f"mark-{state}", marker="x",
            size=size, line_color=color, line_width=2.6 if state == BARRED else 1.6,
        )  # fmt: skip
        marks.tags = [f"crossing {state}"]
        seen.append(marks)
    fig.add_tools(
        HoverTool(
            renderers=seen,
            tooltips=POST_CARD,
            attachment="above",
            limit=2,
            formatters={"@utilization": _percent(), "@wait": _hours(), "@border": _hours()},
            description="Point at crossings",
        )
    )


def draw_places(fig: "Figure", columns: Columns) -> None:
    """Draw places as small squares."""
    from bokeh.models import ColumnDataSource, HoverTool

    source = ColumnDataSource(data=columns, name="nodes")
    places = fig.scatter(
        "x", "y", source=source, view=_view("kind", "city"), name="places", marker="square",
        size=4, fill_color=INK, line_color=None,
    )  # fmt: skip
    fig.add_tools(
        HoverTool(
            renderers=[places],
            tooltips=NODE_CARD,
            attachment="left",
            description="Point at places",
        )
    )


def _view(column: str, group: str) -> "CDSView":
    from bokeh.models import CDSView, GroupFilter

    return CDSView(filter=GroupFilter(column_name=column, group=group))


def _width(column: str, most: float) -> "dict[str, str | LinearInterpolator]":
    """Return a line width that grows with the root of a flow, so that small flows are seen."""
    from bokeh.models import LinearInterpolator

    shares = [(i / _STEPS) ** 2 for i in range(_STEPS + 1)]
    flows = [0.0, most * 1e-6, *(most * share for share in shares[1:])]
    widths = [0.0, 0.7, *(0.7 + (_WIDEST_PX - 0.7) * share**0.5 for share in shares[1:])]
    return {"field": column, "transform": LinearInterpolator(x=flows, y=widths, clip=False)}


def _size(column: str) -> "dict[str, str | LinearInterpolator]":
    from bokeh.models import LinearInterpolator

    transform = LinearInterpolator(x=list(_WAITS_H), y=list(_SIZES_PX), clip=False)
    return {"field": column, "transform": transform}


def _percent() -> "CustomJSHover":
    from bokeh.models import CustomJSHover

    code = 'return value < 0 ? "unknown" : (100 * value).toFixed(0) + " %"'
    return CustomJSHover(code=code)


def _hours() -> "CustomJSHover":
    from bokeh.models import CustomJSHover

    return CustomJSHover(code='return value < 0 ? "unknown" : value.toFixed(1)')
