"""The first screen: which variant carries how much, how fast, at what cost, and what decides it."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from corridor.report.page.material import Material
from corridor.report.page.parts import Cell, Line, Section, Table, cell_of, change_text
from corridor.report.sheets.layout import Column, write_number
from corridor.report.sheets.studies import jammed_note
from corridor.units import DAYS_PER_YEAR, T_PER_MT

WORTH: Final = "worth"
"""Column of what a variant saves."""
_MUSD: Final = DAYS_PER_YEAR / 1e6
_MT: Final = DAYS_PER_YEAR / T_PER_MT
_LEAST_SPAN_MT: Final = 0.05
_TELLING: Final = 0.05

USE: Final = {
    "optimum": "the best possible use of each variant",
    "equilibrium": "shippers who all know the cheapest way",
    "logit": "shippers who choose by cost and time",
}


def answer_section(material: Material) -> Section:
    """Return the head of the page.

    Parameters
    ----------
    material
        The comparison.
    """
    study = material.comparison.study
    worth = worth_musd(material)
    header = study.header
    return Section(
        id="answer",
        nav="Answer",
        title="The answer",
        template="answer.html.j2",
        context={
            "headline": _headline(material, worth),
            "table": _table(material, worth),
            "reasons": [_of_opening(material, worth), _of_borders(material), _of_rules(material)],
            "as_of": header.date.isoformat(),
            "demand": header.demand or "",
            "use": USE[header.assignment],
            "spread": _spread_note(material),
            "jammed": jammed_note(
                material.comparison, {name: f"“{material.title(name)}”" for name in material.plans}
            ),
        },
    )


def worth_musd(material: Material) -> pd.Series:
    """Return what each variant saves against the base [MUSD/year]; NaN without a plan.

    It is ``saved_musd_per_year`` of `corridor.study.Comparison.summary`.
    """
    return material.comparison.summary.set_index("variant")["saved_musd_per_year"]


def worth_ranges(material: Material) -> dict[str, tuple[float, float]]:
    """Return the 5th and 95th percentile of what each variant saves, draw by draw [MUSD/year]."""
    if material.sweep is None or material.base not in material.sweep.variants:
        return {}
    sweep = material.sweep
    column = sweep.keys.set_index("indicator").at["total_loss", "column"]
    costs = sweep.samples.pivot_table(index="sample", columns="variant", values=column)
    if material.base not in costs:
        return {}
    saved = costs.rsub(costs[material.base], axis=0).drop(columns=material.base)
    ends = saved.quantile([0.05, 0.95])
    return {str(name): (float(of.iloc[0]), float(of.iloc[1])) for name, of in ends.items()}


def _spread_note(material: Material) -> str:
    if material.sweep is None:
        return ""
    draws = int(material.sweep.samples["sample"].nunique())
    return (
        f"Behind what a variant saves: from the 5th to the 95th percentile over {draws} draws of "
        "the assumed inputs, each at its best possible use, which can lie beside what shippers "
        "choose. "
    )


def range_text(low: float, high: float, digits: int) -> str:
    """Return a range as the page writes it.

    Examples
    --------
    >>> range_text(-3.04, 1250.0, 1)
    '-3.0 to 1,250.0'
    """
    return f"{write_number(low, digits)} to {write_number(high, digits)}"


def _headline(material: Material, worth: pd.Series) -> str:
    others = worth.drop(material.base).dropna()
    carried = f"{material.plans[material.base].served_t_per_day * _MT:,.1f} million tonnes a year"
    now = _speed_and_cost(material, material.base)
    said = f"{material.title(material.base)}: {carried} are carried{now}."
    if not len(others) or not others.max() > 0.0:
        return f"{said} No variant is worth more."
    best = str(others.idxmax())
    return (
        f"{said} Worth most is “{material.title(best)}”: it saves "
        f"{_money(float(others.max()))} a year{_speed_and_cost(material, best)}."
    )


def _speed_and_cost(material: Material, variant: str) -> str:
    """Say how long a tonne is on its way and what its carriage costs, empty where unknown."""
    rows = material.comparison.summary
    row = rows[rows["variant"] == variant].iloc[0]
    days, usd = float(row["time_mean_d"]), float(row["cost_usd_per_t"])
    if not np.isfinite([days, usd]).all():
        return ""
    return f" ({days:,.1f} days from door to door, {usd:,.0f} USD a tonne)"


def _money(musd: float) -> str:
    """Return an amount in words.

    Examples
    --------
    >>> _money(12345.0), _money(-12.34), _money(0.5)
    ('12.3 billion USD', '12 million USD', '0.5 million USD')
    """
    size = abs(musd)
    if size >= 1e3:  # noqa: PLR2004
        return f"{size / 1e3:,.1f} billion USD"
    return f"{size:,.{0 if size >= 10 else 1}f} million USD"  # noqa: PLR2004


def _columns(material: Material, state: str) -> tuple[Column, ...]:
    line = _telling_line(material.comparison.summary)
    through = []
    if line:
        name = line.removesuffix("_mt_per_year").replace("_", " ").title()
        through.append(Column(name=line, title=name, unit="Mt/year", digits=1))
    if state:
        title = f"By {material.state(state)}"
        through.append(Column(name="transit", title=title, unit="Mt/year", digits=1))
    return (
        Column(name="title", title="Variant"),
        Column(name="served_mt_per_year", title="Carried", unit="Mt/year", digits=1),
        *through,
        Column(name="time_mean_d", title="Door to door", unit="days", digits=1),
        Column(name="border_time_h", title="At borders", unit="hours", digits=0),
        Column(name="cost_usd_per_t", title="Freight", unit="USD/t", digits=0),
        Column(name="generalized_cost_usd_per_t", title="With time", unit="USD/t", digits=0),
        Column(name=WORTH, title="Saves", unit="MUSD/year", digits=0),
        Column(name="rules", title="Rules"),
    )


def _telling_line(summary: pd.DataFrame) -> str:
    """Return the first screenline of the study whose flow the variants change; empty if none."""
    for name in screenline_columns(summary):
        values = summary[name].astype(float)
        if values.mean() > 0.0 and values.std(ddof=0) / values.mean() >= _TELLING:
            return name
    return ""


def screenline_columns(summary: pd.DataFrame) -> list[str]:
    """Return the columns of a summary that are known flows over screenlines."""
    return [
        name
        for name in summary.columns
        if name.endswith("_mt_per_year") and not name.startswith(("served", "unmet", "transit_"))
        if summary[name].notna().any()
    ]


def _transit(material: Material) -> pd.DataFrame:
    """Return transit through each state in each variant [Mt/year]; rows are the states."""
    parts = {
        name: plan.countries.set_index("country")["transit_t_per_day"] * _MT
        for name, plan in material.plans.items()
        if material.has_plan(name)
    }
    return pd.DataFrame(parts).fillna(0.0)


def _telling_state(transit: pd.DataFrame, base: str) -> str:
    """Return the state whose transit the variants change most, relative to its mean."""
    if base not in transit or not transit.size:
        return ""
    step = transit.sub(transit[base], axis=0).abs()
    span = step.max(axis=1)
    varies = span[span >= max(_LEAST_SPAN_MT, _TELLING * float(span.max()))].index
    if not len(varies):
        return ""
    return str((step.loc[varies].mean(axis=1) / transit.loc[varies].mean(axis=1)).idxmax())


def _table(material: Material, worth: pd.Series) -> Table:
    summary = material.comparison.summary
    transit = _transit(material)
    state = _telling_state(transit, material.base)
    through = transit.loc[state] if state else pd.Series(dtype=float)
    frame = summary.assign(
        worth=worth.reindex(summary["variant"]).to_numpy(float),
        rules=[_rule_words(material, str(name)) for name in summary["variant"]],
        transit=through.reindex(summary["variant"]).to_numpy(float),
    )
    columns = _columns(material, state)
    ranges = {
        variant: range_text(*ends, 0) for variant, ends in worth_ranges(material).items()
    }  # fmt: skip
    lines = []
    for row in frame.to_dict("records"):
        variant = str(row["variant"])
        is_base, spread = variant == material.base, ranges.get(variant, "")
        cells = tuple(
            _cell(column, row[column.name], is_base=is_base, spread=spread) for column in columns
        )
        lines.append(Line(cells, variant))
    return Table(id="answer", title="", columns=columns, lines=tuple(lines))


def _cell(column: Column, value: object, *, is_base: bool, spread: str) -> Cell:
    if column.name != WORTH:
        return cell_of(column, value)
    text = "base" if is_base else change_text(column, float(str(value)), 0.0)
    return Cell(text, cell_of(column, value).value, spread)


def _rule_words(material: Material, variant: str) -> str:
    """Return what a variant does to the rules, and how many of them bind in its plan."""
    plan, of = material.plans[variant], material.comparison.study.variant(variant)
    if not material.has_plan(variant):
        broken = plan.rules.loc[plan.rules["binding"].astype(bool), "title"].tolist()
        return f"no plan: {'; '.join(map(str, broken)) or plan.limit or plan.status}"
    changed = [
        f"{len(ids)} {word}"
        for ids, word in ((of.rules_drop, "lifted"), (of.rules_add, "added"))
        if ids
    ]
    binding = f"{int(plan.rules['binding'].astype(bool).sum())} bind"
    return "; ".join([", ".join(changed), binding] if changed else [binding])


def _of_opening(material: Material, worth: pd.Series) -> tuple[str, str]:
    """Say which variants gain and lose most."""
    others = worth.drop(material.base).dropna()
    if not len(others):
        return "What opens", "There is no other variant with a plan to compare with."
    best, worst = str(others.idxmax()), str(others.idxmin())
    said = []
    if others[best] > 0.0:
        said.append(f"Most is gained by “{material.title(best)}” ({_money(others[best])} a year).")
    if others[worst] < 0.0:
        more = material.plans[worst].demand_t_per_day - material.plans[worst].served_t_per_day
        left = f"; {more * _MT:,.1f} Mt a year cannot move" if more * _MT >= _LEAST_SPAN_MT else ""
        cost = _money(others[worst])
        said.append(f"Most is lost by “{material.title(worst)}” ({cost} a year{left}).")
    return "What opens and what closes", " ".join(said) or "No variant changes the cost."


def _of_borders(material: Material) -> tuple[str, str]:
    """Say how long goods stand at borders, and where one more server is worth most."""
    head = "How borders are staffed"
    rows = material.comparison.indicators
    rows = rows[(rows["variant"] == material.base) & (rows["scope"] == "")]
    value = rows.drop_duplicates("indicator").set_index("indicator")["value"]
    said = []
    if np.isfinite(value.get("border_time_mean", np.nan)):
        hours, share = value["border_time_mean"], value.get("border_share_of_time", np.nan)
        of_time = f", {share:.0%} of its time" if np.isfinite(share) else ""
        said.append(f"A tonne stands {write_number(hours)} hours at borders{of_time}.")
    best = material.best_servers
    if len(best):
        said.append(f"One more server is worth most {_server_words(material, best[0])}")
        near = [row for row in best if row["crossing_id"] in material.in_focus]
        if near and near[0] is not best[0]:
            said.append(f"Where variants differ, {_server_words(material, near[0])}")
    return head, " ".join(said) or "No border post has stages with a known number of servers."


def _server_words(material: Material, row: Mapping[str, Any]) -> str:
    return (
        f"at {material.crossing_names.get(row['crossing_id'], row['crossing_id'])} "
        f"({row['bottleneck_stage']}, {material.state(row['bottleneck_country'])}): "
        f"{_money(row['worth'] / 1e6)} a year at this flow."
    )


def _dearest_rule(material: Material) -> list[str]:
    """Say what all rules of the base cost and which costs most, where that was asked."""
    if material.base not in material.explanations:
        return []
    said = material.explanations[material.base]
    musd = said.costs.set_index("rule_id")["cost_usd_per_day"] * _MUSD
    single = musd.drop("", errors="ignore")
    if not len(single) or not single.max() > 0.0:
        return []
    titles = dict(zip(said.prices["rule_id"], said.prices["title"], strict=True))
    title = titles.get(single.idxmax(), single.idxmax())
    every = f"All together cost {_money(float(musd['']))} a year; " if "" in musd else ""
    return [f"{every}the dearest is “{title}”: {_money(float(single.max()))} a year."]


def _of_rules(material: Material) -> tuple[str, str]:
    """Say what rules bar, and which variant they leave without a plan."""
    plan = material.plans[material.base]
    said = []
    if len(plan.rules):
        n = int(plan.rules["binding"].astype(bool).sum())
        said.append(f"{n} of {len(plan.rules)} rules bind in the base.")
    said += _dearest_rule(material)
    barred = plan.unmet[plan.unmet["reason"] == "rule"]
    if len(barred):
        row = barred.sort_values("t_per_day", ascending=False).iloc[0]
        goods = material.goods_names.get(str(row["commodity"]), str(row["commodity"]))
        ends = [material.node_names.get(str(row[end]), "") for end in ("origin", "destination")]
        more = f" and {len(barred) - 1} others" if len(barred) > 1 else ""
        tonnes = float(barred["t_per_day"].sum()) * _MT
        said.append(f"They bar {tonnes:,.2f} Mt a year: {goods} from {ends[0]} to {ends[1]}{more}.")
    for variant, other in material.plans.items():
        if other.status == "infeasible":
            broken = other.rules.loc[other.rules["binding"].astype(bool), "title"].tolist()
            why = "; ".join(map(str, broken)) or "its rules contradict each other"
            said.append(f"“{material.title(variant)}” cannot be: {why}.")
            break
    return "What the rules allow", " ".join(said) or "No rule is in force."
