"""The first screen: which variant carries how much, how fast, at what cost, and what decides it."""

from typing import Final

import numpy as np
import pandas as pd

from corridor.planning.tables import SEPARATOR
from corridor.report.page.material import Material
from corridor.report.page.parts import Cell, Line, Section, Table, cell_of, change_text
from corridor.report.sheets import Column, write_number
from corridor.units import DAYS_PER_YEAR, T_PER_MT

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
        title="The answer",
        template="answer.html.j2",
        context={
            "headline": _headline(material, worth),
            "table": _table(material, worth),
            "reasons": [_of_opening(material, worth), _of_borders(material), _of_rules(material)],
            "as_of": header.date.isoformat(),
            "demand": header.demand or "",
            "use": USE[header.assignment],
            "unmet_usd_per_t": write_number(header.unmet_usd_per_t),
        },
    )


def worth_musd(material: Material) -> pd.Series:
    """Return what each variant saves against the base [MUSD/year]; NaN without a plan.

    Generalized cost of what is carried plus the price of what is not.
    """
    cost = pd.Series({name: plan.objective_usd_per_day for name, plan in material.plans.items()})
    return (cost[material.base] - cost) * _MUSD


def _headline(material: Material, worth: pd.Series) -> str:
    others = worth.drop(material.base).dropna()
    carried = f"{material.plans[material.base].served_t_per_day * _MT:,.1f} million tonnes a year"
    said = f"{material.title(material.base)}: {carried} are carried."
    if not len(others) or not others.max() > 0.0:
        return f"{said} No variant is worth more."
    best = str(others.idxmax())
    return (
        f"{said} Worth most is “{material.title(best)}”: it saves shippers "
        f"{_money(float(others.max()))} a year."
    )


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
        name = line.removesuffix("_mt_per_year").replace("_", " ").capitalize()
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
        Column(name="worth", title="Saves", unit="MUSD/year", digits=0),
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
    """Return the columns of a summary that are flows over screenlines."""
    return [
        name
        for name in summary.columns
        if name.endswith("_mt_per_year") and not name.startswith(("served", "unmet", "transit_"))
    ]


def _transit(material: Material) -> pd.DataFrame:
    """Return transit through each state in each variant [Mt/year]; rows are the states."""
    parts = {
        name: plan.countries.set_index("country")["transit_t_per_day"] * _MT
        for name, plan in material.plans.items()
        if material.has_plan(name)
    }
    return pd.DataFrame(parts).fillna(0.0)


def _telling_state(transit: pd.DataFrame) -> str:
    """Return the state whose transit varies most relative to its mean; empty if none does."""
    if not transit.size:
        return ""
    span = transit.max(axis=1) - transit.min(axis=1)
    varies = transit[span >= max(_LEAST_SPAN_MT, _TELLING * float(span.max()))]
    if not len(varies):
        return ""
    return str((varies.std(axis=1, ddof=0) / varies.mean(axis=1)).idxmax())


def _table(material: Material, worth: pd.Series) -> Table:
    summary = material.comparison.summary
    transit = _transit(material)
    state = _telling_state(transit)
    through = transit.loc[state] if state else pd.Series(dtype=float)
    frame = summary.assign(
        worth=worth.reindex(summary["variant"]).to_numpy(float),
        rules=[_rule_words(material, str(name)) for name in summary["variant"]],
        transit=through.reindex(summary["variant"]).to_numpy(float),
    )
    columns = _columns(material, state)
    lines = []
    for row in frame.to_dict("records"):
        is_base = row["variant"] == material.base
        cells = tuple(_cell(column, row[column.name], is_base=is_base) for column in columns)
        lines.append(Line(cells, str(row["variant"])))
    return Table(id="answer-table", title="", columns=columns, lines=tuple(lines))


def _cell(column: Column, value: object, *, is_base: bool) -> Cell:
    if column.name != "worth":
        return cell_of(column, value)
    text = "base" if is_base else change_text(column, float(str(value)), 0.0)
    return Cell(text, cell_of(column, value).value)


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
    """Say where one more server is worth most, and how long goods stand at borders."""
    plan = material.plans[material.base]
    head = "How borders are staffed"
    worth = plan.crossings.get("next_server_usd_per_year", pd.Series(dtype=float))
    if not len(worth) or not worth.notna().any():
        return head, "No border post has stages with a known number of servers."
    rows = plan.crossings.loc[worth.sort_values(ascending=False).index]
    first = rows.iloc[0]
    summary = material.comparison.summary.set_index("variant").loc[material.base]
    shares = material.comparison.indicators
    share = shares[
        (shares["variant"] == material.base) & (shares["indicator"] == "border_share_of_time")
    ]["value"]
    of_time = (
        f", {share.iloc[0]:.0%} of the way" if len(share) and np.isfinite(share.iloc[0]) else ""
    )
    return head, (
        f"A tonne stands {write_number(summary['border_time_h'])} hours at borders{of_time}. One "
        f"more {first['bottleneck_stage']} server of {material.state(first['bottleneck_country'])} "
        f"at {material.crossing_names.get(str(first['crossing_id']), first['crossing_id'])} saves "
        f"{_money(float(first['next_server_usd_per_year']) / 1e6)} a year at today's flow."
    )


def _of_rules(material: Material) -> tuple[str, str]:
    """Say what rules bar, and which variant they leave without a plan."""
    plan = material.plans[material.base]
    said = []
    if len(plan.rules):
        n = int(plan.rules["binding"].astype(bool).sum())
        said.append(f"{n} of {len(plan.rules)} rules bind today.")
    barred = plan.unmet[plan.unmet["reason"] == "rule"]
    tonnes = float(barred["t_per_day"].sum()) * _MT if len(barred) else 0.0
    if tonnes > 0.0:
        titles = _titles(material, str(barred.iloc[0]["rules"]))
        said.append(f"They bar {tonnes:,.2f} Mt a year, first of all “{titles[0]}”." if titles else
                    f"They bar {tonnes:,.2f} Mt a year.")  # fmt: skip
    for variant, other in material.plans.items():
        if other.status == "infeasible":
            broken = other.rules.loc[other.rules["binding"].astype(bool), "title"].tolist()
            why = "; ".join(map(str, broken)) or "its rules contradict each other"
            said.append(f"“{material.title(variant)}” cannot be: {why}.")
            break
    return "What the rules allow", " ".join(said) or "No rule is in force."


def _titles(material: Material, rules: str) -> list[str]:
    titles = dict(
        zip(material.plans[material.base].rules["rule_id"],
            material.plans[material.base].rules["title"], strict=True)
    )  # fmt: skip
    return [str(titles[name]) for name in rules.split(SEPARATOR) if name in titles]
