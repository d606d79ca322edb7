"""Investment: what a budget should buy, and what larger budgets would save."""

from typing import TYPE_CHECKING

from corridor.planning import BudgetFrontier
from corridor.report.colors import SERIES
from corridor.report.page.charts import new_chart
from corridor.report.page.material import Material
from corridor.report.page.parts import Section, tables_of
from corridor.report.sheets.investments import investment_sheets

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812


def investment_section(material: Material) -> Section | None:
    """Return the portfolio and the plot of budgets, None where nobody invested.

    Parameters
    ----------
    material
        The comparison, its investment plan and its budgets.
    """
    plan = material.investment
    if plan is None:
        return None
    budgets = material.budgets
    sheets = investment_sheets(plan, "Projects", budgets)
    return Section(
        id="investment",
        nav="Investment",
        title="What to build",
        template="found.html.j2",
        context={
            "lead": "",
            "charts": [] if budgets is None else [("budgets", "Savings by budget")],
            "tables": tables_of(sheets, "investment"),
            "open": 2,
        },
        charts={} if budgets is None else {"budgets": _chart(budgets)},
    )


def _chart(budgets: BudgetFrontier) -> "Figure":
    """Return the net saving of the best portfolio of each budget."""
    from bokeh.models import ColumnDataSource, HoverTool

    rows = budgets.points
    fig = new_chart(
        "Savings of the best portfolio, net of capital and upkeep",
        x_title="budget [MUSD]",
        y_title="saving [MUSD/year]",
    )
    source = ColumnDataSource(
        {
            "budget": rows["budget_musd"].astype(float).tolist(),
            "saving": rows["saving_musd_per_year"].astype(float).tolist(),
            "hours": rows["border_h"].astype(float).tolist(),
            "projects": rows["projects"].str.replace(";", ", ").tolist(),
        }
    )
    fig.line("budget", "saving", source=source, line_color=SERIES[0], line_width=2)
    points = fig.scatter("budget", "saving", source=source, size=9, color=SERIES[0])
    tips = [("budget", "@budget{0,0} MUSD"), ("saves", "@saving{0,0.0} MUSD/year"),
            ("border time", "@hours{0.00} h"), ("builds", "@projects")]  # fmt: skip
    fig.add_tools(HoverTool(renderers=[points], tooltips=tips))
    return fig
