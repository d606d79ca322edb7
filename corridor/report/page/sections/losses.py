"""Closures: what each link, crossing and state costs the others when it closes."""

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from corridor.report.colors import SERIES
from corridor.report.maps.frames import BaseFrame, base_frame
from corridor.report.maps.interactive import network_box, outlines_of
from corridor.report.maps.layers import draw_land
from corridor.report.maps.mercator import land_within
from corridor.report.page.charts import new_chart
from corridor.report.page.material import Material
from corridor.report.page.parts import Section, tables_of
from corridor.report.sheets.closures import resilience_sheets
from corridor.study import Resilience

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

_TOP: Final = 15
_ROW_PX: Final = 24
_WIDEST_PX: Final = 14.0
_MAP_PX: Final = 480


def losses_section(material: Material) -> Section | None:
    """Return a map of losses, the dearest closures and their tables, None where nobody closed.

    Parameters
    ----------
    material
        The comparison and its resilience.
    """
    found = material.resilience
    if found is None:
        return None
    charts, names = {}, []
    if len(found.losses):
        charts = {"loss-map": _map(material, found), "loss-states": _bars(material, found)}
        names = [("loss-map", "Map of losses"), ("loss-states", "The dearest closures")]
    return Section(
        id="closures",
        nav="Closures",
        title="What happens when it closes",
        template="found.html.j2",
        context={
            "lead": (
                "One thing closes at a time and the rest is used as well as can be. Money is what "
                "goods that still arrive cost more; tonnes cut off are counted apart."
            ),
            "charts": names,
            "tables": tables_of(resilience_sheets(found, "Closures"), "losses"),
            "open": 1,
        },
        charts=charts,
    )


def _map(material: Material, found: Resilience) -> "Figure":
    """Return the links and crossings as large as the loss when they close."""
    from bokeh.models import ColumnDataSource, HoverTool, PanTool, ResetTool, WheelZoomTool

    frame = base_frame(material.network)
    box = network_box(frame)
    fig = new_chart("Loss when a link or a crossing closes", x_title="", y_title="",
                    height_px=_MAP_PX)  # fmt: skip
    fig.name = "loss-map"
    wheel = WheelZoomTool()
    fig.add_tools(PanTool(), ResetTool(), wheel)
    fig.toolbar.active_scroll = wheel
    fig.axis.visible = False
    fig.grid.visible = False
    fig.x_range.start, fig.x_range.end = box.west, box.east
    fig.y_range.start, fig.y_range.end = box.south, box.north
    draw_land(fig, land_within(outlines_of(material.outlines), box), set())
    tips = [("closes", "@name"), ("costs", "@kusd{0,0.0} kUSD/day"),
            ("cut off", "@cut{0,0} t/day"), ("carried there", "@carried{0,0} t/day")]  # fmt: skip
    for kind, draw in (("link", _draw_links), ("crossing", _draw_crossings)):
        renderer = draw(fig, ColumnDataSource(_columns(found, frame, kind)))
        fig.add_tools(HoverTool(renderers=[renderer], tooltips=tips))
    return fig


def _columns(found: Resilience, frame: BaseFrame, kind: str) -> dict[str, list[Any]]:
    """Return where the closures of a kind are, what they cost, and how large they are drawn."""
    places = pd.DataFrame(frame.links if kind == "link" else frame.crossings)
    rows = found.losses[found.losses["kind"] == kind].set_index("item")
    shown = places[places[f"{kind}_id"].isin(rows.index)]
    at = rows.loc[shown[f"{kind}_id"]]
    loss = at["loss_usd_per_day"].astype(float).fillna(0.0).clip(lower=0.0)
    most = max(float(loss.max()) if len(loss) else 0.0, 1.0)
    columns = {
        "name": shown["name"].tolist(),
        "kusd": (loss / 1e3).round(2).tolist(),
        "cut": at["cut_off_t_per_day"].astype(float).round(1).tolist(),
        "carried": at["carried_t_per_day"].astype(float).round(1).tolist(),
        "size": (0.8 + _WIDEST_PX * (loss / most) ** 0.5).round(2).tolist(),
    }
    where = ("xs", "ys") if kind == "link" else ("x", "y")
    return columns | {axis: shown[axis].tolist() for axis in where}


def _draw_links(fig: "Figure", source: Any) -> Any:  # noqa: ANN401 (Bokeh's own classes)
    return fig.multi_line("xs", "ys", source=source, line_width="size", line_color=SERIES[1])


def _draw_crossings(fig: "Figure", source: Any) -> Any:  # noqa: ANN401
    return fig.scatter("x", "y", source=source, size="size", fill_color=SERIES[3],
                       line_color=SERIES[6], fill_alpha=0.8)  # fmt: skip


def _bars(material: Material, found: Resilience) -> "Figure":
    """Return what closing each state and the dearest crossings costs."""
    from bokeh.models import ColumnDataSource, HoverTool

    rows = found.losses[found.losses["kind"].isin(["state", "crossing"])]
    rows = rows.nlargest(_TOP, "loss_usd_per_day")
    states = rows["item"].map(material.state)
    names = states.where(rows["kind"] == "state", rows["name"]) + " (" + rows["kind"] + ")"
    fig = new_chart(
        "The dearest closures",
        x_title="MUSD a day",
        y_title="",
        height_px=90 + _ROW_PX * len(rows),
        factors=names.tolist()[::-1],
    )
    source = ColumnDataSource(
        {
            "name": names.tolist(),
            "loss": (rows["loss_usd_per_day"].astype(float) / 1e6).tolist(),
            "cut": rows["cut_off_t_per_day"].astype(float).tolist(),
        }
    )
    fig.x_range.start = 0
    bars = fig.hbar(y="name", right="loss", left=0, height=0.7, source=source, color=SERIES[1])
    tips = [("closes", "@name"), ("costs", "@loss{0.000} MUSD/day"), ("cut off", "@cut{0,0} t/day")]
    fig.add_tools(HoverTool(renderers=[bars], tooltips=tips))
    return fig
