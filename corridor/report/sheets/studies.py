"""Results as sheets for the terminal: what each variant and plan says, with units."""

import math
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from corridor.planning import Plan
from corridor.report.sheets.layout import Column, Sheet, write_number
from corridor.study import Comparison, TargetCheck, VolumeCheck
from corridor.units import DAYS_PER_YEAR, T_PER_MT

_TOP_LINKS = 15
_TOP_CROSSINGS = 25
_TOP_UNMET = 25


HEADLINES = (
    Column(name="served_mt_per_year", title="served", unit="Mt/year", digits=2),
    Column(name="unmet_mt_per_year", title="unmet", unit="Mt/year", digits=2),
    Column(name="time_mean_d", title="time", unit="days", digits=1),
    Column(name="border_time_h", title="at borders", unit="h", digits=1),
    Column(name="cost_usd_per_t", title="cost", unit="USD/t", digits=1),
    Column(name="generalized_cost_usd_per_t", title="with time", unit="USD/t", digits=1),
)
"""Columns of the summary: what is carried and what is not, time and money."""
_TRANSIT_STATES = 2
"""States whose transit has a column of the summary; the first has one for its revenue, too."""

USE = {
    "optimum": "the best possible use of each variant",
    "equilibrium": "each variant as used by shippers who all know the cheapest way",
    "logit": "each variant as used by shippers who choose by cost and time",
}
"""What the plans of a comparison are, by the study's assignment."""


def comparison_sheets(comparison: Comparison) -> list[Sheet]:
    """Return a comparison for the terminal: summary, variants without a plan, references.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    """
    sheets = [summary_sheet(comparison)]
    if "price_of_anarchy" in comparison.summary:
        sheets.append(best_possible_sheet(comparison))
    without = comparison.summary[comparison.summary["reasons"] != ""]
    if len(without):
        sheets.append(_no_plan_sheet(without))
    if len(comparison.references):
        sheets.append(references_sheet(comparison))
    return sheets


def best_possible_sheet(comparison: Comparison) -> Sheet:
    """Return a row per variant: what it costs as shippers choose, and what it could cost at best.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned for a study whose shippers choose.
    """
    columns = (
        Column(name="variant", title="variant"),
        Column(name="generalized_cost_usd_per_t", title="chosen", unit="USD/t", digits=1),
        Column(
            name="best_possible_generalized_cost_usd_per_t",
            title="best possible",
            unit="USD/t",
            digits=1,
        ),
        Column(name="price_of_anarchy", title="ratio of total cost", unit="chosen/best", digits=3),
    )
    return Sheet.from_frame(
        comparison.summary,
        columns,
        title="Beside it the best possible use of each variant, which is no forecast",
        note=(
            "Cost with time, over the tonnes carried; the total cost holds what is not carried too."
        ),
    )


def summary_sheet(comparison: Comparison) -> Sheet:
    """Return a row per variant, the change from the base under each value.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    """
    summary, base = comparison.summary, comparison.base
    names, status = summary["variant"].tolist(), summary["status"].tolist()
    alone = [comparison.is_steered(name) for name in names]
    of_states = _state_columns(summary)
    columns = (*HEADLINES, *of_states)
    cells = [
        _changes(column, summary[column.name].astype(float).tolist(), names.index(base), alone)
        for column in columns
    ]
    first = [f"{name}\n  {of}" for name, of in zip(names, status, strict=True)]
    return Sheet(
        title=f"{comparison.study.name}: {USE[comparison.study.header.assignment]}",
        columns=(Column(name="variant", title="variant", unit="  status"), *columns),
        rows=tuple(zip(first, *cells, strict=True)),
        note=_steered(comparison)
        + jammed_note(comparison)
        + (
            f"Second line: change from {base}. Time and cost are means over the tonnes carried, "
            "so they move with what is carried; with time: cost + hours of goods, vehicle and crew "
            "+ reliability"
            + (
                "; by a state: transit through it; to it: its fees and its share of freight."
                if of_states
                else "."
            )
        ),
    )


def _state_columns(summary: pd.DataFrame) -> list[Column]:
    """Return columns for the transit and the revenue of the foremost states of a summary."""
    first, last = "transit_", "_mt_per_year"
    states = [
        name.removeprefix(first).removesuffix(last)
        for name in summary.columns
        if name.startswith(first) and name.endswith(last)
    ]
    columns = [
        Column(name=f"{first}{state}{last}", title=f"by {state.upper()}", unit="Mt/year", digits=2)
        for state in states[:_TRANSIT_STATES]
    ]
    columns += [
        Column(
            name=f"revenue_{state}_musd_per_year",
            title=f"to {state.upper()}",
            unit="MUSD/year",
            digits=1,
        )
        for state in states[:1]
    ]
    return columns


def _changes(column: Column, values: list[float], base: int, alone: list[bool]) -> list[str]:
    """Return each value and below it the change from the base.

    It is blank where either is unknown, and for values that stand alone.
    """
    texts = []
    for i, value in enumerate(values):
        change = write_number(value - values[base], column.digits or 0, signed=True)
        texts.append(column.cell(value) + ("" if i == base or alone[i] else f"\n{change}"))
    return texts


def _no_plan_sheet(without: pd.DataFrame) -> Sheet:
    columns = (
        Column(name="variant", title="variant"),
        Column(name="status", title="status"),
        Column(name="reasons", title="because of", wrap=True),
    )
    frame = without.assign(reasons=without["reasons"].str.replace(">", " ", regex=False))
    return Sheet.from_frame(frame, columns, title="Variants without a plan")


def references_sheet(comparison: Comparison) -> Sheet:
    """Return a row per reference shipment: its way in the base, and the variant that is fastest.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    """
    ways = comparison.references
    base = ways[ways["variant"] == comparison.base].set_index("reference")
    known = ways[ways["time_d"].notna()]
    # A tie is the base's: a variant is named only where it is faster.
    ranked = known.assign(other=known["variant"] != comparison.base)
    best = ranked.sort_values(["time_d", "other"], kind="stable").groupby("reference").first()
    blocked = ways[ways["time_d"].isna()].groupby("reference").size()
    frame = base[["time_d", "border_h", "cost_usd_per_t", "countries"]].reset_index()
    found = best.reindex(frame["reference"])
    frame["fastest"] = found["variant"].to_numpy(object)
    frame["fastest_d"] = found["time_d"].to_numpy(float)
    frame["blocked"] = blocked.reindex(frame["reference"], fill_value=0).to_numpy(float)
    frame["countries"] = frame["countries"].str.replace(">", " ", regex=False)
    columns = (
        Column(name="reference", title="reference"),
        Column(name="time_d", title="time", unit="days", digits=1),
        Column(name="border_h", title="at borders", unit="h", digits=1),
        Column(name="cost_usd_per_t", title="cost", unit="USD/t", digits=1),
        Column(name="countries", title="states", wrap=True),
        Column(name="fastest", title="fastest in"),
        Column(name="fastest_d", title="time", unit="days", digits=1),
        Column(name="blocked", title="blocked in", unit="variants", digits=0),
    )
    return Sheet.from_frame(
        frame,
        columns,
        title=f"References door to door, least generalized cost, in {comparison.base}",
        note="At the queues of today's traffic. Blank: no way is open.",
    )


def indicator_sheet(indicators: pd.DataFrame, title: str = "Indicators") -> Sheet:
    """Return a list of indicators: ``indicator, scope, direction, commodity, value, unit``."""
    rows = [
        (
            str(row.indicator),
            " ".join(str(part) for part in (row.scope, row.direction, row.commodity) if part),
            _significant(float(row.value)),  # type: ignore[arg-type]
            str(row.unit).replace("_per_", "/").replace("_", " "),
        )
        for row in indicators.itertuples()
    ]
    columns = (
        Column(name="indicator", title="indicator"),
        Column(name="scope", title="where, way, goods", wrap=True),
        Column(name="value", title="value", digits=0),
        Column(name="unit", title="unit"),
    )
    return Sheet(title=title, columns=columns, rows=tuple(rows))


def _significant(value: float, figures: int = 4) -> str:
    """Return a number with about four significant figures.

    Examples
    --------
    >>> _significant(0.0123456), _significant(123456.7), _significant(float("nan"))
    ('0.01235', '123,457', '')
    """
    if not math.isfinite(value):
        return ""
    digits = figures - 1 - math.floor(math.log10(abs(value))) if value else 0
    return write_number(value, min(max(digits, 0), 6))


def plan_sheets(plan: Plan, title: str = "Plan", crossings: Collection[str] = ()) -> list[Sheet]:
    """Return a plan for the terminal: totals, links, crossings, binding rules, unmet demand.

    Parameters
    ----------
    plan
        A plan.
    title
        Title of the first sheet.
    crossings
        Crossings that are shown however empty they are.
    """
    sheets = [_totals_sheet(plan, title)]
    if len(plan.links):
        sheets.append(_links_sheet(plan))
    if len(plan.crossings) or crossings:
        sheets.append(crossings_sheet(plan, _TOP_CROSSINGS, crossings))
    if len(plan.rules):
        sheets.append(rules_sheet(plan))
    if len(plan.unmet):
        sheets.append(unmet_sheet(plan, _TOP_UNMET))
    return sheets


def _totals_sheet(plan: Plan, title: str) -> Sheet:
    stopped = f" (stopped by {plan.limit})" if plan.limit else ""
    # A relative gap is written as 2.1e-07, or not at all.
    gap = f"{plan.gap:.1e}" if math.isfinite(plan.gap) else ""
    mt = DAYS_PER_YEAR / T_PER_MT
    rows = (
        ("status", f"{plan.status}{stopped}", ""),
        ("as of", plan.date.isoformat() if plan.date else "", ""),
        ("demand", write_number(plan.demand_t_per_day), "t/day"),
        ("served", write_number(plan.served_t_per_day), "t/day"),
        ("served", write_number(plan.served_t_per_day * mt, 2), "Mt/year"),
        ("total cost, unmet included", write_number(plan.objective_usd_per_day), "USD/day"),
        ("relative gap", gap, ""),
    )
    columns = (
        Column(name="what", title=""),
        Column(name="value", title="value", digits=0),
        Column(name="unit", title="unit"),
    )
    return Sheet(title=title, columns=columns, rows=tuple(row for row in rows if row[1]))


def _links_sheet(plan: Plan) -> Sheet:
    top = plan.links.nlargest(_TOP_LINKS, "t_per_day")
    # A link of unknown capacity was planned without a limit; 0 would say that it does not bind.
    known = top["utilization"].notna()
    top = top.assign(shadow_price_usd_per_t=top["shadow_price_usd_per_t"].where(known))
    used = int((plan.links["t_per_day"] > 0).sum())
    columns = (
        Column(name="link_id", title="link"),
        Column(name="direction", title="direction"),
        Column(name="layer", title="layer"),
        Column(name="t_per_day", title="flow", unit="t/day", digits=0),
        Column(name="vehicles_per_day", title="vehicles", unit="per day", digits=1),
        Column(name="utilization", title="used", unit="%", digits=0),
        Column(name="shadow_price_usd_per_t", title="price", unit="USD/t", digits=2),
    )
    return Sheet.from_frame(
        top[top["t_per_day"] > 0],
        columns,
        title=f"The busiest links, {min(_TOP_LINKS, used)} of {used} in use",
        note=(
            "used: of the capacity; price: what one tonne of capacity more a day saves; "
            "both blank where no capacity is known."
        ),
    )


def _steered(comparison: Comparison) -> str:
    """Return which variants are the best possible use, though the study's are as shippers choose.

    Their rules ask for a balance of flows, which states that agreed on it steer.
    """
    summary, usual = comparison.summary, comparison.study.header.assignment
    names = summary.loc[summary["assignment"] != usual, "variant"].tolist()
    planned = [n for n in names if comparison.plans[n].status not in ("infeasible", "unknown")]
    if not planned:
        return ""
    return (
        f"{', '.join(planned)}: steered to balance flows, the best possible, not a choice, so no "
        "change is told. "
    )


def jammed_note(comparison: Comparison, names: Mapping[str, str] | None = None) -> str:
    """Return in which variants much of what is paid is time in front of full posts, and why.

    Parameters
    ----------
    comparison
        What `corridor.compare` returned.
    names
        Variant -> what it is called; None is its id.
    """
    jammed = [name for name in comparison.plans if comparison.is_jammed(name)]
    if not jammed:
        return ""
    called = ", ".join((names or {}).get(name, name) for name in jammed)
    worth = comparison.study.header.unmet_usd_per_t
    return (
        f"{called}: posts are full and goods have no other way, so hours at borders are "
        "those after which the last shippers stay at home, to whom a tonne not carried is worth "
        f"{worth:,.0f} USD; demand that reacts would end the queues sooner. "
    )


def crossings_sheet(plan: Plan, top: int | None = None, asked: Collection[str] = ()) -> Sheet:
    """Return the crossings in use, fullest first: load, time, and what one more server saves.

    Parameters
    ----------
    plan
        A plan with flows.
    top
        So many rows at most; None is all.
    asked
        Crossings that are shown besides; those without flow are named under the table.
    """
    used = plan.crossings[plan.crossings["t_per_day"] > 0].copy()
    used = used.sort_values(
        ["utilization", "t_per_day"], ascending=False, na_position="last", kind="stable"
    )
    used["way"] = used["from_country"] + ">" + used["to_country"]
    stage = used["bottleneck_country"] + " " + used["bottleneck_stage"]
    used["bottleneck"] = stage.where(used["bottleneck_stage"] != "", "")
    used["clear_h"] = used["fixed_h"] + used["service_h"]
    used["server_kusd"] = used["next_server_at_flow_usd_per_year"] / 1e3
    used["solved_kusd"] = used["next_server_usd_per_year"] / 1e3
    columns = (
        Column(name="crossing_id", title="crossing"),
        Column(name="way", title="way"),
        Column(name="t_per_day", title="flow", unit="t/day", digits=0),
        Column(name="vehicles_per_day", title="vehicles", unit="per day", digits=1),
        Column(name="utilization", title="used", unit="%", digits=0),
        Column(name="bottleneck", title="tightest", unit="stage", wrap=True),
        Column(name="clear_h", title="clear", unit="h", digits=1),
        Column(name="wait_h", title="queue", unit="h", digits=1),
        Column(name="cost_usd_per_vehicle", title="fees", unit="USD/veh.", digits=0),
        Column(name="server_kusd", title="one more", unit="kUSD/year", digits=0),
        Column(name="solved_kusd", title="solved", unit="kUSD/year", digits=0),
    )
    first = np.arange(len(used)) < (len(used) if top is None else top)
    shown = used[first | used["crossing_id"].isin(list(asked)).to_numpy(bool)]
    idle = [name for name in dict.fromkeys(asked) if name not in set(used["crossing_id"])]
    count = f"{len(shown)} of {len(used)}" if len(shown) < len(used) else f"{len(used)}"
    return Sheet.from_frame(
        shown,
        columns,
        title=f"Crossings in use, fullest first: {count} ways",
        n_keys=2,
        note=(
            "Both posts together. used: of the tightest stage, traffic of others included; "
            "one more: delay that one more server there saves at this flow; solved: all that it "
            "saves once everybody goes where it is then best, blank where not solved for."
            + (f" Not in use: {', '.join(idle)}." if idle else "")
        ),
    )


def rules_sheet(plan: Plan) -> Sheet:
    """Return the rules that bind in a plan."""
    binding = plan.rules[plan.rules["binding"].astype(bool)]
    columns = (
        Column(name="rule_id", title="rule"),
        Column(name="kind", title="kind"),
        Column(name="title", title="what it says", wrap=True),
        Column(name="price", title="price", digits=2),
        Column(name="unit", title="unit"),
    )
    return Sheet.from_frame(
        binding,
        columns,
        title=f"Rules that bind: {len(binding)} of {len(plan.rules)} in force",
        note="price: what the next unit over a quota saves or pays; a ban has none of its own.",
    )


_REASONS = {
    "no_path": "no way, even without rules",
    "rule": "barred by rules",
    "capacity": "open, but full",
}


def unmet_sheet(plan: Plan, top: int | None = None) -> Sheet:
    """Return the demand that is not served and why, largest first.

    Parameters
    ----------
    plan
        A plan.
    top
        So many rows at most; None is all.
    """
    unmet = plan.unmet.sort_values("t_per_day", ascending=False, kind="stable")
    shown = unmet if top is None else unmet.head(top)
    columns = (
        Column(name="origin", title="origin"),
        Column(name="destination", title="destination"),
        Column(name="commodity", title="commodity"),
        Column(name="t_per_day", title="unmet", unit="t/day", digits=1),
        Column(name="why", title="why", wrap=True),
        Column(name="rules", title="rules", wrap=True),
    )
    frame = shown.assign(
        why=shown["reason"].map(_REASONS).fillna(shown["reason"]),
        rules=shown["rules"].str.replace(">", " ", regex=False),
    )
    total = write_number(float(unmet["t_per_day"].sum()))
    count = f", the largest {len(shown)} of {len(unmet)} rows" if len(shown) < len(unmet) else ""
    return Sheet.from_frame(
        frame, columns, title=f"Demand that is not served: {total} t/day{count}", n_keys=2
    )


def target_sheets(check: TargetCheck) -> list[Sheet]:
    """Return published times beside the modelled ones, then the errors by group and role.

    Parameters
    ----------
    check
        What `corridor.study.check_targets` returned.
    """
    return [_targets_sheet(check), _errors_sheet(check)]


def volume_sheets(check: VolumeCheck) -> list[Sheet]:
    """Return counts beside modelled volumes, then the errors by group.

    Parameters
    ----------
    check
        What `corridor.study.check_volumes` returned.
    """
    columns = (
        Column(name="target", title="counted at", wrap=True),
        Column(name="direction", title="direction"),
        Column(name="years", title="years"),
        Column(name="unit", title="unit"),
        Column(name="observed", title="counted", digits=0),
        Column(name="chosen", title="chosen", digits=0),
        Column(name="optimum", title="best possible", digits=0),
        Column(name="group", title="", wrap=True),
    )
    judged = check.rows[check.rows["verdict"] == ""]
    rows = Sheet.from_frame(
        judged.assign(unit=judged["unit"].str.replace("_per_day", "/day")),
        columns,
        title=f"Counted volumes, and the model with the demand of {check.scenario}",
        note=(
            "chosen: shippers choose by cost and time. Not judged: "
            f"{(check.rows['verdict'] == 'not modelled').sum()} counts of what is no crossing, "
            f"{(check.rows['verdict'] == 'other year').sum()} of other years, "
            f"{(check.rows['verdict'] == 'input').sum()} that are in the data as background."
        ),
    )
    errors = (
        Column(name="model", title="model"),
        Column(name="group", title="group", wrap=True),
        Column(name="n", title="judged", digits=0),
        Column(name="mape", title="mean error", unit="%", digits=0),
        Column(name="median_ape", title="median", unit="%", digits=0),
        Column(name="mean_error", title="bias", unit="%", digits=0),
        Column(name="rank_correlation", title="rank corr.", digits=2),
    )
    title = "Errors relative to the count"
    return [rows, Sheet.from_frame(check.statistics, errors, title=title, n_keys=2)]


def _targets_sheet(check: TargetCheck) -> Sheet:
    rows = check.rows
    post = rows["crossing_id"] + " " + rows["country"] + " " + rows["direction"]
    ends = rows["origin"] + " > " + rows["destination"]
    published = [
        f"{low:g}" if low == high else f"{low:g}-{high:g}"
        for low, high in zip(rows["low"], rows["high"], strict=True)
    ]
    frame = rows.assign(
        place=post.where(rows["kind"] == "post", ends),
        published=published,
        year=rows["year"].map("{:.0f}".format).where(rows["year"].notna(), ""),
    )
    columns = (
        Column(name="label", title="id"),
        Column(name="place", title="from > to, or post", wrap=True),
        Column(name="layers", title="layers", wrap=True),
        Column(name="year", title="year"),
        Column(name="role", title="role"),
        Column(name="published", title="published"),
        Column(name="modelled", title="modelled", digits=1),
        Column(name="unit", title="unit"),
        Column(name="error", title="error", unit="%", digits=0),
        Column(name="verdict", title="verdict"),
    )
    return Sheet.from_frame(
        frame,
        columns,
        title=f"{check.dataset}, base variant as of {check.date.isoformat()}: times of containers",
        note=(
            "Verdicts: inside, below or above the published band; no evidence: the band is too "
            "wide; input: the number is in the data and proves itself."
        ),
    )


def _errors_sheet(check: TargetCheck) -> Sheet:
    columns = (
        Column(name="group", title="group", wrap=True),
        Column(name="role", title="role"),
        Column(name="n", title="judged", digits=0),
        Column(name="mape", title="mean error", unit="%", digits=0),
        Column(name="median_ape", title="median", unit="%", digits=0),
        Column(name="mean_error", title="bias", unit="%", digits=0),
        Column(name="share_inside", title="inside", unit="%", digits=0),
        Column(name="rank_correlation", title="rank corr.", digits=2),
        Column(name="naive_mape", title="naive", unit="%", digits=0),
        Column(name="n_fitted", title="fitted", digits=0),
    )
    return Sheet.from_frame(
        check.statistics,
        columns,
        title="Errors relative to the middle of the published band",
        n_keys=2,
        note=(
            "naive: mean error of the median speed or time of the fit rows; "
            "fitted: numbers of the data that were set with the fit rows in view."
        ),
    )
