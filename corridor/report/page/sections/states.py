"""States: what each carries, earns and depends on."""

from typing import TYPE_CHECKING, Final

import pandas as pd

from corridor.report.colors import SERIES
from corridor.report.page.charts import legend_below, new_chart
from corridor.report.page.material import Material
from corridor.report.page.parts import Follower, Section, Table
from corridor.report.sheets.layout import Column
from corridor.units import DAYS_PER_YEAR, T_PER_MT

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

_TOP: Final = 10
_ROW_PX: Final = 26


def states_section(material: Material) -> Section:
    """Return transport, transit, revenue and share of every state in every variant.

    Parameters
    ----------
    material
        The comparison.
    """
    table = _table()
    frames = {variant: _frame(material, variant) for variant in material.plans}
    charts = {"transit": _transit_chart(material, frames)} if _changing(frames) else {}
    return Section(
        id="states",
        nav="States",
        title="Who carries, who earns, who depends",
        template="states.html.j2",
        context={"table": table, "has_chart": bool(charts)},
        charts=charts,
        tables={"states": Follower(table=table, frames=frames)},
    )


def _table() -> Table:
    columns = (
        Column(name="state", title="state"),
        Column(name="bn_t_km", title="transport", unit="bn t-km/year", digits=2),
        Column(name="transit_mt", title="transit", unit="Mt/year", digits=2),
        Column(name="revenue_musd", title="revenue", unit="MUSD/year", digits=1),
        Column(name="share", title="share of all", unit="%", digits=1),
    )
    note = (
        "Revenue: fees and the state's share of freight charges, before its costs. Share of all: "
        "goods in transit through the state, by all goods carried: how much of the trade depends "
        "on its good will."
    )
    return Table(id="states", title="States", columns=columns, note=note)


def _frame(material: Material, variant: str) -> pd.DataFrame:
    rows = material.plans[variant].countries
    frame = rows.assign(
        state=rows["country"].map(material.state),
        bn_t_km=rows["t_km_per_day"] * DAYS_PER_YEAR / 1e9,
        transit_mt=rows["transit_t_per_day"] * DAYS_PER_YEAR / T_PER_MT,
        revenue_musd=rows["revenue_usd_per_day"] * DAYS_PER_YEAR / 1e6,
    )
    return frame.sort_values("transit_mt", ascending=False, kind="stable")


def _changing(frames: dict[str, pd.DataFrame]) -> list[str]:
    """Return the states whose transit differs most between the variants, most first."""
    parts = [of.set_index("state")["transit_mt"] for of in frames.values() if len(of)]
    if not parts:
        return []
    wide = pd.concat(parts, axis=1).fillna(0.0)
    span = (wide.max(axis=1) - wide.min(axis=1)).sort_values(ascending=False, kind="stable")
    return [str(state) for state in span[span > 0.0].index[:_TOP]]


def _transit_chart(material: Material, frames: dict[str, pd.DataFrame]) -> "Figure":
    """Return transit by state and variant as stacked bars, one a variant."""
    from bokeh.models import ColumnDataSource, HoverTool

    states = _changing(frames)[: len(SERIES)]
    shown = [variant for variant in material.plans if len(frames[variant])]
    data: dict[str, list[object]] = {
        "label": [material.labels[name] for name in shown],
        "variant": [material.title(name) for name in shown],
    }
    for state in states:
        data[state] = [
            float(frames[name].set_index("state")["transit_mt"].get(state, 0.0)) for name in shown
        ]
    fig = new_chart(
        "Transit through the states that the variants change most",
        x_title="Mt a year",
        y_title="",
        height_px=150 + _ROW_PX * len(shown),
        factors=[material.labels[name] for name in shown][::-1],
    )
    bars = fig.hbar_stack(
        states, y="label", height=0.75, color=list(SERIES[: len(states)]),
        source=ColumnDataSource(data), legend_label=states, line_color="white", line_width=0.5,
    )  # fmt: skip
    fig.x_range.start = 0
    legend_below(fig)
    for bar, state in zip(bars, states, strict=True):
        tips = [("variant", "@variant"), (state, f"@{{{state}}}{{0.00}} Mt/year")]
        fig.add_tools(HoverTool(renderers=[bar], tooltips=tips, visible=False))
    return fig
