"""Trade-off curves: what a stricter or looser rule costs, and what it gives."""

from typing import TYPE_CHECKING

from corridor.planning import Frontier
from corridor.report.colors import SERIES
from corridor.report.page.charts import new_chart
from corridor.report.page.material import Material
from corridor.report.page.parts import Section, tables_of
from corridor.report.sheets.reasons import frontier_sheet

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812


def frontiers_section(material: Material) -> Section | None:
    """Return a plot and a table of each trade-off curve, None where there is none.

    Parameters
    ----------
    material
        The comparison and its frontiers.
    """
    if not material.frontiers:
        return None
    found = list(material.frontiers.items())
    names = [(f"frontier-{i}", title) for i, (title, _) in enumerate(found)]
    sheets = [frontier_sheet(frontier, title) for title, frontier in found]
    return Section(
        id="frontiers",
        nav="Trade-offs",
        title="What stricter rules cost",
        template="found.html.j2",
        context={
            "lead": "Each point is the best plan at one value of the rule.",
            "charts": names,
            "tables": tables_of(sheets, "frontier"),
            "open": len(sheets),
        },
        charts={f"frontier-{i}": _chart(*pair) for i, pair in enumerate(found)},
    )


def _chart(title: str, frontier: Frontier) -> "Figure":
    """Return cost over border time, a point a value of the rule."""
    from bokeh.models import ColumnDataSource, HoverTool, LabelSet

    table = frontier.table.dropna(subset="objective_usd_per_day")
    fig = new_chart(
        title, x_title="time at the border, queue included [h]", y_title="cost [MUSD/day]"
    )
    for axis in (fig.x_range, fig.y_range):
        axis.range_padding = 0.2  # room for the labels of the outermost points
    source = ColumnDataSource(
        {
            "hours": table["border_h"].astype(float).tolist(),
            "cost": (table["total_loss_usd_per_day"].astype(float) / 1e6).tolist(),
            "value": [f"{value:g}" for value in table["value"].astype(float)],
            "flow": table["crossing_t_per_day"].astype(float).tolist(),
        }
    )
    fig.line("hours", "cost", source=source, line_color=SERIES[0], line_width=2)
    points = fig.scatter("hours", "cost", source=source, size=9, color=SERIES[0])
    fig.add_layout(
        LabelSet(x="hours", y="cost", text="value", source=source, x_offset=6, y_offset=4,
                 text_font_size="12px")
    )  # fmt: skip
    tips = [(frontier.field, "@value"), ("cost", "@cost{0.000} MUSD/day"),
            ("border", "@hours{0.0} h"), ("through", "@flow{0,0} t/day")]  # fmt: skip
    fig.add_tools(HoverTool(renderers=[points], tooltips=tips))
    return fig
