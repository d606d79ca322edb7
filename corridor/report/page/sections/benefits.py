"""Benefits: who depends on whom, and what each would have under several ways of sharing."""

from typing import TYPE_CHECKING, Final

import numpy as np

from corridor.report.colors import SERIES
from corridor.report.page.charts import new_chart
from corridor.report.page.material import Material
from corridor.report.page.parts import Section, tables_of
from corridor.report.sheets.benefits import benefit_sheets
from corridor.study import BenefitShares

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812

_MONEY: Final = {
    "shapley_usd_per_day": "Shapley value",
    "prenucleolus_usd_per_day": "prenucleolus",
}
_TONNES: Final = {"shapley_access_t_per_day": "Shapley value"}
_ROW_PX: Final = 30
_STEPS: Final = ("#f7f1ea", "#fde0b5", "#f9b35b", "#e0653f", "#9c2964", "#2d0b59")
_DARK_FROM: Final = 3
"""Step from which the color is too dark for dark letters."""


def benefits_section(material: Material) -> Section | None:
    """Return who depends on whom as a heat map, and shares by state, None where nobody asked.

    Parameters
    ----------
    material
        The comparison and its benefit shares.
    """
    found = material.benefits
    if found is None:
        return None
    return Section(
        id="benefits",
        nav="Benefits",
        title="Who depends on whom, and who should have what",
        template="found.html.j2",
        context={
            "lead": (
                "Savings in resources and time that states make possible by letting goods pass. "
                "Money is USD a day; goods that would have no way are tonnes and are counted apart."
            ),
            "charts": [
                ("dependence", "Who loses when a state closes"),
                ("shares", "Shares of the saving by state"),
            ],
            "tables": tables_of(benefit_sheets(found, "Benefits"), "benefits"),
            "open": 2,
        },
        charts={"dependence": _heat_map(material, found), "shares": _shares(material, found)},
    )


def _heat_map(material: Material, found: BenefitShares) -> "Figure":
    """Return what each state (row) loses when each other (column) closes."""
    from bokeh.models import ColumnDataSource, HoverTool

    rows = found.interdependence
    kusd = rows["loss_usd_per_day"].astype(float) / 1e3
    single = rows["losing"].isin(rows["closing"])  # a state by itself, not all others together
    most = max(float(kusd[single].max()), 1e-9)
    # The root spreads small losses over the colors: one state loses a hundred times another's.
    depth = (kusd.clip(lower=0.0) / most) ** 0.5
    step = np.minimum((depth * len(_STEPS)).astype(int), len(_STEPS) - 1)
    losing = [material.state(str(name)) for name in rows["losing"]]
    closing = [material.state(str(name)) for name in rows["closing"]]
    order = list(dict.fromkeys(losing))
    fig = new_chart(
        "What each state (row) loses when another (column) closes [kUSD/day]",
        x_title="closes",
        y_title="loses",
        height_px=120 + _ROW_PX * len(order),
        factors=order[::-1],
        columns=list(dict.fromkeys(closing)),
    )
    source = ColumnDataSource(
        {
            "closing": closing,
            "losing": losing,
            "kusd": kusd.tolist(),
            "cut": rows["cut_off_t_per_day"].astype(float).tolist(),
            "text": [f"{value:,.0f}" if abs(value) >= 1.0 else "" for value in kusd],
            "color": [_STEPS[i] for i in step],
            "ink": ["#ffffff" if i >= _DARK_FROM else "#1d2126" for i in step],
        }
    )
    cells = fig.rect("closing", "losing", width=0.96, height=0.92, source=source,
                     fill_color="color", line_color=None)  # fmt: skip
    fig.text("closing", "losing", "text", source=source, text_color="ink", text_align="center",
             text_baseline="middle", text_font_size="11px")  # fmt: skip
    fig.grid.visible = False
    fig.xaxis.major_label_orientation = 0.7
    tips = [("closes", "@closing"), ("loses", "@losing: @kusd{0,0.0} kUSD/day"),
            ("cut off", "@cut{0,0} t/day")]  # fmt: skip
    fig.add_tools(HoverTool(renderers=[cells], tooltips=tips))
    return fig


def _shares(material: Material, found: BenefitShares) -> "Figure":
    """Return the share of each state under two ways of sharing, side by side.

    Where no goods have a way past all players there is no money to share, and tonnes are shown.
    """
    from bokeh.models import ColumnDataSource, HoverTool
    from bokeh.transform import dodge

    in_money = bool(found.shares[list(_MONEY)].fillna(0.0).ne(0.0).any(axis=None))
    schemes, unit, scale = (_MONEY, "kUSD/day", 1e3) if in_money else (_TONNES, "t/day", 1.0)
    rows = found.shares.sort_values(next(iter(schemes)), ascending=False)
    rows = rows.dropna(subset=list(schemes), how="all")
    names = [material.state(str(code)) for code in rows["country"]]
    fig = new_chart(
        "Shares of the saving, closed borders" if in_money else "Shares of the goods given a way",
        x_title=unit,
        y_title="",
        height_px=110 + _ROW_PX * len(names),
        factors=names[::-1],
    )
    for position, (column, title) in enumerate(schemes.items()):
        source = ColumnDataSource({"name": names, "value": (rows[column] / scale).tolist()})
        bars = fig.hbar(
            y=dodge("name", 0.2 - 0.4 * position, range=fig.y_range), left=0, right="value",
            height=0.36, source=source, color=SERIES[position], legend_label=title,
        )  # fmt: skip
        tips = [("state", "@name"), (title, f"@value{{0,0.0}} {unit}")]
        fig.add_tools(HoverTool(renderers=[bars], tooltips=tips))
    fig.legend.location = "bottom_right"
    return fig
