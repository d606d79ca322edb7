"""Uncertainty: what a sweep over the assumed inputs says, and which inputs move the answer."""

from typing import TYPE_CHECKING, Final

from corridor.report.colors import GAIN, LOSS
from corridor.report.page.charts import new_chart
from corridor.report.page.material import Material
from corridor.report.page.parts import Section, tables_of
from corridor.report.page.sections.answer import worth_musd
from corridor.report.sheets.sweeps import sweep_sheets
from corridor.study import Sweep

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

_INDICATOR: Final = "total_loss"
_TOP: Final = 12
_ROW_PX: Final = 26


def sweep_section(material: Material) -> Section | None:
    """Return tornadoes, spreads and odds, None where nothing was swept.

    Parameters
    ----------
    material
        The comparison and its sweep.
    """
    sweep = material.sweep
    if sweep is None:
        return None
    worth = worth_musd(material).drop(material.base).dropna()
    asked = [material.base, *worth.sort_values(ascending=False, kind="stable").index[:1].map(str)]
    drawn = [
        variant
        for variant in asked
        if (
            (sweep.drivers["variant"] == variant) & (sweep.drivers["indicator"] == _INDICATOR)
        ).any()
    ]
    names = [
        (f"tornado-{i}", f"What moves the cost of {material.title(variant)}")
        for i, variant in enumerate(drawn)
    ]
    tables = tables_of(sweep_sheets(sweep), "sweep")
    return Section(
        id="uncertainty",
        nav="Uncertainty",
        title="How sure is it",
        template="found.html.j2",
        context={
            "lead": (
                f"{len(sweep.samples):,} plans with other values of the assumed inputs, drawn with "
                f"seed {sweep.seed}; each is the best possible use of its variant."
            ),
            "charts": names,
            "tables": tables,
            "open": 2,
        },
        charts={f"tornado-{i}": _tornado(material, sweep, name) for i, name in enumerate(drawn)},
    )


def _tornado(material: Material, sweep: Sweep, variant: str) -> "Figure":
    """Return the inputs that move the cost most: its mean at their low and high ends."""
    from bokeh.models import ColumnDataSource, HoverTool, Span

    rows = sweep.tornado(variant, _INDICATOR, _TOP)
    spread = sweep.distributions
    mean = spread.loc[
        (spread["variant"] == variant)
        & (spread["indicator"] == _INDICATOR)
        & (spread["scope"] == "")
        & (spread["direction"] == ""),
        "mean",
    ].iloc[0]
    fig = new_chart(
        f"What moves the cost: {material.title(variant)}",
        x_title=f"{_INDICATOR.replace('_', ' ')} [{str(rows['unit'].iloc[0]).replace('_', ' ')}]",
        y_title="",
        height_px=120 + _ROW_PX * len(rows),
        factors=rows["input"].astype(str).tolist()[::-1],
    )
    for end, color in (("low", GAIN), ("high", LOSS)):
        values = rows[end].astype(float)
        source = ColumnDataSource(
            {
                "input": rows["input"].astype(str).tolist(),
                "left": values.clip(upper=mean).tolist(),
                "right": values.clip(lower=mean).tolist(),
                "value": values.tolist(),
            }
        )
        bars = fig.hbar(
            y="input", left="left", right="right", height=0.7, source=source, color=color,
            fill_alpha=0.85, legend_label=f"input at its {end} end",
        )  # fmt: skip
        tips = [("input", "@input"), (f"{end} end", "@value{0,0.0}")]
        fig.add_tools(HoverTool(renderers=[bars], tooltips=tips))
    fig.add_layout(Span(location=float(mean), dimension="height", line_width=1))
    fig.legend.location = "bottom_right"
    return fig
