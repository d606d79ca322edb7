"""The comparison table: every headline of every variant, with its change and its range."""

from typing import Final

import pandas as pd

from corridor.report.page.material import ADD, Material
from corridor.report.page.parts import Cell, Follower, Line, Section, Table, cell_of, change_text
from corridor.report.page.sections.answer import (
    WORTH,
    range_text,
    screenline_columns,
    worth_musd,
    worth_ranges,
)
from corridor.report.sheets.layout import Column

_ELSEWHERE: Final = ("crossing_", "throughput", "gate_share", "best_possible_throughput")
_HEADS: Final = (
    ("served_mt_per_year", "served", "carried", "Mt/year", 2),
    ("unmet_mt_per_year", "unmet", "not carried", "Mt/year", 2),
    ("time_mean_d", "door_to_door_time_mean", "time, mean", "days", 1),
    ("time_p95_d", "door_to_door_time_p95", "time, 95 of 100", "days", 1),
    ("border_time_h", "border_time_mean", "at borders", "h", 1),
    ("cost_usd_per_t", "door_to_door_cost_mean", "freight", "USD/t", 1),
    ("generalized_cost_usd_per_t", "generalized_cost_mean", "with time", "USD/t", 1),
    ("co2_g_per_t_km", "co2_intensity", "CO2", "g/t-km", 1),
    ("crossings_crowded", "crossings_crowded", "crowded", "crossings", 0),
)


def variants_section(material: Material) -> Section:
    """Return the comparison of all variants, and every indicator of the chosen one.

    Parameters
    ----------
    material
        The comparison.
    """
    return Section(
        id="compare",
        nav="Variants",
        title="The variants compared",
        template="compare.html.j2",
        context={"table": _headlines(material), "indicators": _indicator_table()},
        tables={"indicators": _indicators(material)},
    )


def _headlines(material: Material) -> Table:
    summary = material.comparison.summary.assign(worth=worth_musd(material).to_numpy(float))
    fields = [(Column(name=n, title=t, unit=u, digits=d), i) for n, i, t, u, d in _HEADS]
    fields += [(column, column.name) for column in _more_columns(summary)]
    ranges = _ranges(material)
    base = summary[summary["variant"] == material.base].iloc[0]
    lines = []
    for row in summary.to_dict("records"):
        variant = str(row["variant"])
        cells = [Cell(str(row["title"]), None, str(row["status"]))]
        for column, indicator in fields:
            alone = variant == material.base or material.comparison.is_steered(variant)
            change = "" if alone else change_text(
                column, float(row[column.name]), float(base[column.name])
            )  # fmt: skip
            below = [change, ranges.get((variant, indicator), "")]
            cells.append(cell_of(column, row[column.name], "\n".join(filter(None, below))))
        lines.append(Line(tuple(cells), variant))
    columns = (Column(name="title", title="variant"), *(column for column, _ in fields))
    note = (
        "Second line: change from the base (= means none to this precision); a steered variant has "
        "none, since its best possible use is no change from what shippers choose. Time and cost "
        "are means over the tonnes carried, so they move with what is carried. "
    )
    note += (
        "Third line: from the 5th to the 95th percentile over draws of the assumed inputs, each "
        "the best possible use of its variant, which can lie beside what shippers choose; what a "
        "variant saves is held against the base of the same draw."
        if ranges
        else f"Ranges over the assumed inputs: {ADD} sweep."
    )
    return Table(id="compare", title="Headlines", columns=columns, lines=tuple(lines), note=note)


def _more_columns(summary: pd.DataFrame) -> list[Column]:
    """Return a column a screenline, transit through states, and what the variant is worth."""
    columns = [
        Column(
            name=name,
            title=name.removesuffix("_mt_per_year").replace("_", " "),
            unit="Mt/year",
            digits=2,
        )
        for name in screenline_columns(summary)
    ]
    return [*columns, Column(name=WORTH, title="saves", unit="MUSD/year", digits=0)]


def _ranges(material: Material) -> dict[tuple[str, str], str]:
    """Return the 5th and the 95th percentile of each headline over the draws of a sweep."""
    if material.sweep is None:
        return {}
    rows = material.sweep.distributions
    rows = rows[(rows["scope"] == "") & (rows["direction"] == "") & (rows["samples"] > 0)]
    digits = {indicator: places for _, indicator, _, _, places in _HEADS}
    ranges = {
        (str(row["variant"]), str(row["indicator"])): range_text(
            row["p5"], row["p95"], digits[row["indicator"]]
        )
        for row in rows.to_dict("records")
        if row["indicator"] in digits
    }
    return ranges | {
        (variant, WORTH): range_text(low, high, 0)
        for variant, (low, high) in worth_ranges(material).items()
    }


def _indicator_table() -> Table:
    columns = (
        Column(name="indicator", title="indicator"),
        Column(name="scope", title="where"),
        Column(name="direction", title="way"),
        Column(name="commodity", title="goods"),
        Column(name="unit", title="unit"),
        Column(name="value", title="value", digits=3),
    )
    return Table(
        id="indicators",
        title="Every indicator of the chosen variant",
        columns=columns,
        n_keys=5,
        note=(
            "The rows of indicators.csv; gates and crossings have tables of their own below. "
            "USD per TEU is that of a loaded box, door to door."
        ),
    )


def _indicators(material: Material) -> Follower:
    rows = material.comparison.indicators
    rows = rows[~rows["indicator"].str.startswith(_ELSEWHERE)]
    units = rows["unit"].str.replace("_per_", "/", regex=False).str.replace("_", " ", regex=False)
    rows = rows.assign(unit=units)
    frames = {
        variant: rows[rows["variant"] == variant].dropna(subset="value")
        for variant in material.plans
    }
    return Follower(table=_indicator_table(), frames=frames)
