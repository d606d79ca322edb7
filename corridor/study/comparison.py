"""The verb ``compare``: every variant on the same demand, set against the base."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from corridor.arguments import check_count
from corridor.core.threads import as_threads
from corridor.errors import CorridorError
from corridor.planning import (
    ChoiceConstant,
    Model,
    Plan,
    compile_model,
    solve_equilibrium,
    solve_plan,
)
from corridor.planning.equilibria import unpriced_rules
from corridor.planning.plans import NextServers
from corridor.planning.tables import SEPARATOR
from corridor.study.references import Door, leg_table, open_doors, shut_doors, totals_table
from corridor.study.studies import Study, chosen_variants

Progress: TypeAlias = Callable[[int, int, str], None]

KEYS = ["indicator", "unit", "scope", "direction", "commodity"]
"""What tells the values of a variant apart."""
COLUMNS = [
    "variant",
    "indicator",
    "unit",
    "value",
    "scope",
    "direction",
    "commodity",
    "low",
    "high",
]
_NO_PLAN = ("infeasible", "unknown")
# A plan leaves out gates, posts and states that nothing passes: their amounts are 0, not unknown.
_AMOUNTS = (
    "throughput",
    "gate_share",
    "crossing_flow",
    "transit",
    "revenue",
    "state_transport",
)
_BEST = (
    "total_cost",
    "total_loss",
    "served",
    "unmet",
    "generalized_cost_mean",
    "door_to_door_cost_mean",
    "door_to_door_time_mean",
    "border_time_mean",
    "queue_cost",
    "throughput",
)
"""Indicators of the optimum that stand beside a plan by choice."""
_HEADLINES = (
    ("served_mt_per_year", "served", "Mt_per_year", ""),
    ("unmet_mt_per_year", "unmet", "Mt_per_year", ""),
    ("generalized_cost_usd_per_t", "generalized_cost_mean", "usd_per_t", ""),
    ("cost_usd_per_t", "door_to_door_cost_mean", "usd_per_t", ""),
    ("time_mean_d", "door_to_door_time_mean", "d", ""),
    ("time_p95_d", "door_to_door_time_p95", "d", ""),
    ("border_time_h", "border_time_mean", "h", ""),
    ("co2_g_per_t_km", "co2_intensity", "g_per_t_km", ""),
    ("crossings_crowded", "crossings_crowded", "crossings", ""),
)
_BESIDE = (
    (
        "best_possible_generalized_cost_usd_per_t",
        "best_possible_generalized_cost_mean",
        "usd_per_t",
        "",
    ),
    ("price_of_anarchy", "price_of_anarchy", "ratio", ""),
)
_MOST_STATES = 5
"""States in the summary of a study that names none."""
_JAMMED = 0.1
"""Share of the cost that is time in front of full posts from which a plan is jammed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """The variants of a study, side by side.

    Attributes
    ----------
    study
        What was compared.
    plans
        Variant id to its plan, in the order of the study, as the study's assignment finds it, see
        `chosen_plan`.
    best
        Variant id to the best possible plan: the same where the assignment is the optimum. It is
        no forecast: nobody who chooses for himself pays for the time that others lose.
    indicators
        ``variant, indicator, unit, value, scope, direction, commodity, low, high``; annual volumes
        are 365 days. Where shippers choose, ``best_possible_*`` (of `best`) and
        ``price_of_anarchy`` (objective by the optimum's) follow the plan's own. A variant without
        a plan, and a blocked reference, have blanks (NaN). `low` and `high` are blank: nothing is
        varied here.
    summary
        One row per variant: ``variant, title, status, reasons, assignment`` (``optimum`` too where
        the rules of a variant ask for a balance that shippers do not keep by themselves) and
        headline indicators, the unit in each name; Mt a year over every screenline in the
        directions that its gates count. ``saved_musd_per_year`` is ``total_loss`` of the base
        minus that of the variant: resources and time, goods that stay at home at their value, and
        no payment from one to another. Transit and revenue (``transit_geo_mt_per_year``) are told
        of the study's headline states, see `Header.headline_states`. A variant that is
        steered or jammed (see `is_steered`, `is_jammed`) is held by its best possible use against
        that of the base.
    differences
        ``variant, indicator, unit, scope, direction, commodity, base, value, difference,
        relative``: every variant but the base, minus the base; where a variant is steered (see
        `is_steered`), minus the best possible use of the base.
    references
        One row per variant and reference shipment: times, money, emissions, the crossings and
        states it passes, or the reasons why it cannot.
    legs
        The references leg by leg, as in `Itinerary.legs`.
    """

    study: Study
    plans: Mapping[str, Plan]
    best: Mapping[str, Plan]
    indicators: pd.DataFrame
    summary: pd.DataFrame
    differences: pd.DataFrame
    references: pd.DataFrame
    legs: pd.DataFrame

    @property
    def base(self) -> str:
        """Id of the variant that the others are compared with."""
        return self.study.base

    def is_steered(self, variant: str) -> bool:
        """Return whether a variant is the best possible use although shippers choose in the base.

        Its plan differs from the base's by more than by what the variant changes.
        """
        return _is_steered(self.plans, self.best, self.base, variant)

    def is_jammed(self, variant: str) -> bool:
        """Return whether a tenth or more of what is paid is time in front of full posts.

        Goods have no other way there, so queues grow until the last shippers stay at home; how
        long that takes follows from `unmet_usd_per_t`, and no cost of such a plan means much.
        """
        return _is_jammed(self.plans[variant])

    def base_of(self, variant: str) -> Plan:
        """Return the base's plan of the kind of a variant's: chosen by shippers, or best possible.

        That is what the variant's own may be compared with.
        """
        return (self.best if self.is_steered(variant) else self.plans)[self.base]

    def __repr__(self) -> str:
        found = pd.Series([plan.status for plan in self.plans.values()]).value_counts()
        status = ", ".join(f"{n} {name}" for name, n in found.items())
        return f"Comparison({self.study.name!r}: {len(self.plans)} variants, {status})"


def compare(
    study: Study,
    variants: Iterable[str] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Plan the variants of a study and set them side by side.

    Parameters
    ----------
    study
        The study.
    variants
        Ids of variants, None for all. The base is always among them.
    workers
        Threads, >= 1; None is two, or one on a single core. The result does not depend on it.
    progress
        Called as ``progress(done, total, variant_id)`` after each variant.

    Returns
    -------
    Comparison
        Plans, indicators and what differs from the base.

    Raises
    ------
    InputError
        If an argument is of another type, an id is unknown, `workers` is below 1, or the changes
        of a variant have faults.
    SolverError
        If an answer does not pass the independent checks.

    Examples
    --------
    >>> import corridor
    >>> study = corridor.load_study("crossroads")
    >>> comparison = corridor.compare(study, ["no_stop_under_floor"])
    >>> comparison.summary["status"].tolist()
    ['partial', 'infeasible']
    """
    ids = _chosen(study, variants)
    if workers is not None:
        check_count("workers", workers)
    threads = workers if workers is not None else min(2, as_threads(None))
    outcomes = _plan_all(study, ids, threads, progress)
    plans = {name: outcomes[name].plan for name in ids}
    best = {name: outcomes[name].best for name in ids}
    doors = {name: outcomes[name].doors for name in ids}
    indicators = _indicator_table(study, plans, best, doors)
    return Comparison(
        study=study,
        plans=plans,
        best=best,
        indicators=indicators,
        summary=_summary(study, plans, best, indicators),
        differences=_differences(study.base, plans, best, indicators),
        references=totals_table(doors),
        legs=leg_table(doors),
    )


def _chosen(study: Study, variants: Iterable[str] | None) -> list[str]:
    """Return the ids to plan in the order of the study, the base among them."""
    wanted = {*chosen_variants(study, variants), study.base}
    return [name for name in study.variant_ids if name in wanted]


class _Outcome(NamedTuple):
    """What became of a variant."""

    plan: Plan
    best: Plan
    doors: list[Door]


def _plan_all(
    study: Study, ids: Sequence[str], threads: int, progress: Progress | None
) -> dict[str, _Outcome]:
    """Plan each variant in a pool of threads; the solver and the kernels leave Python's lock."""
    done: dict[str, _Outcome] = {}
    # Variants share the cores: threads of their own would only get into each other's way.
    cores = max(1, as_threads(None) // threads)
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="compare") as pool:
        names: dict[Future[_Outcome], str] = {
            pool.submit(_plan_one, study, name, cores): name for name in ids
        }
        try:
            for future in as_completed(names):
                done[names[future]] = future.result()
                if progress is not None:
                    progress(len(done), len(ids), names[future])
        except BaseException:
            # Ctrl-C or an error: what has not begun never begins, what runs ends within seconds.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return done


def _plan_one(study: Study, name: str, threads: int | None = None) -> _Outcome:
    unmet = study.header.unmet_usd_per_t
    try:
        case = study.case(name)
        model = compile_model(*case)
        best = solve_plan(model, unmet_usd_per_t=unmet, threads=threads)
        steered = study.header.assignment == "optimum" or unpriced_rules(model)
        plan = best if steered else chosen_plan(study, model, threads=threads)
    except CorridorError as error:
        error.add_note(f"This is variant {name!r} of {study.file}.")
        raise
    if plan.status in _NO_PLAN:
        return _Outcome(plan, best, shut_doors(study.references, reasons_of(plan)))
    return _Outcome(plan, best, open_doors(model, study.references))


def chosen_plan(
    study: Study,
    model: Model,
    *,
    next_servers: NextServers = False,
    threads: int | None = None,
) -> Plan:
    """Return the plan of a compiled variant that comes of shippers' choices in a study.

    Where a rule asks for a floor or a balance of flows, which shippers do not keep by themselves,
    the states that agreed on it steer the flow: the plan is the optimum under the rules.

    Parameters
    ----------
    study, model
        The study, and one of its variants.
    next_servers
        As of `corridor.equilibrium`.
    threads
        Threads for shortest paths; None takes all cores.
    """
    header = study.header
    if unpriced_rules(model):
        return solve_plan(
            model,
            unmet_usd_per_t=header.unmet_usd_per_t,
            next_servers=next_servers,
            threads=threads,
        )
    logit = header.assignment == "logit"
    return solve_equilibrium(
        model,
        model="logit" if logit else "deterministic",
        dispersion_per_usd=header.dispersion_per_usd if logit else None,
        constants=choice_constants(study),
        unmet_usd_per_t=header.unmet_usd_per_t,
        next_servers=next_servers,
        threads=threads,
    )


def choice_constants(study: Study) -> list[ChoiceConstant]:
    """Return the constants of a study as the planning verbs take them."""
    return [
        ChoiceConstant(
            id=constant.id,
            usd_per_t=constant.usd_per_t,
            crossings=constant.crossings,
            countries=constant.countries,
            layers=constant.layers,
        )
        for constant in study.constants
    ]


def reasons_of(plan: Plan) -> list[str]:
    """Return the ids of the rules that leave a study's variant without a plan, or its limit."""
    broken = plan.rules.loc[plan.rules["binding"].astype(bool), "rule_id"].tolist()
    return [str(name) for name in broken] or ([plan.limit] if plan.limit else [])


def _indicator_table(
    study: Study,
    plans: Mapping[str, Plan],
    best: Mapping[str, Plan],
    doors: Mapping[str, Sequence[Door]],
) -> pd.DataFrame:
    """Return the long table; a variant without a plan repeats the base's rows with blanks."""
    found = [plans[study.base], *plans.values()]
    pattern = next((p.indicators for p in found if p.status not in _NO_PLAN), None)
    parts = []
    for name, plan in plans.items():
        own = plan.indicators
        if plan.status in _NO_PLAN:
            own = pd.DataFrame(columns=KEYS) if pattern is None else pattern.assign(value=np.nan)
        rows = [row for door in doors[name] for row in door.indicators()]
        if study.header.assignment != "optimum":
            rows = [*_beside(plan, best[name]), *rows]
        columns = ["indicator", "unit", "value", "scope", "direction", "commodity"]
        both = pd.concat([own, pd.DataFrame(rows, columns=columns)], ignore_index=True)
        both.insert(0, "variant", name)
        parts.append(both)
    table = pd.concat(parts, ignore_index=True)
    table["low"] = np.nan
    table["high"] = np.nan
    return table[COLUMNS]


def _beside(plan: Plan, best: Plan) -> list[tuple[str, str, float, str, str, str]]:
    """Return what the best possible plan costs and does, and how much dearer the choice is."""
    cost, least = plan.objective_usd_per_day, best.objective_usd_per_day
    ratio = cost / least if least > 0 else np.nan
    rows = [("price_of_anarchy", "ratio", ratio, "", "", "")]
    table = best.indicators
    kept = table["indicator"].isin(_BEST) & (table["commodity"] == "")
    kept &= ~table["scope"].astype(str).str.contains("/")
    columns = table.loc[kept, ["indicator", "unit", "value", "scope", "direction"]]
    for indicator, unit, value, scope, way in columns.to_numpy(object).tolist():
        rows.append((f"best_possible_{indicator}", unit, float(value), scope, way, ""))
    return rows


def _is_steered(
    plans: Mapping[str, Plan], best: Mapping[str, Plan], base: str, variant: str
) -> bool:
    return plans[variant] is best[variant] and plans[base] is not best[base]


def _is_jammed(plan: Plan) -> bool:
    return _total_musd(plan, "overflow_cost") >= _JAMMED * _total_musd(plan, "total_cost")


def _saved_musd(study: Study, plans: Mapping[str, Plan], best: Mapping[str, Plan]) -> list[float]:
    """Return what each variant saves against the base [MUSD/year]; NaN without a plan."""
    base, saved = plans[study.base], []
    for name, plan in plans.items():
        jammed = _is_jammed(plan) or _is_jammed(base)
        of = best if jammed or _is_steered(plans, best, study.base, name) else plans
        base_musd, own_musd = (
            _total_musd(of[of_name], "total_loss") for of_name in (study.base, name)
        )
        saved.append(base_musd - own_musd)
    return saved


def _total_musd(plan: Plan, indicator: str) -> float:
    """Return one total of a plan [MUSD/year], NaN where it has none."""
    rows = plan.indicators.loc[plan.indicators["indicator"] == indicator, "value"]
    return float(rows.to_numpy(float)[0]) if len(rows) else np.nan


def _steered_base(base: "pd.Series[float]", chosen: Plan, best: Plan) -> "pd.Series[float]":
    """Return the values of the base with those of its best possible plan for the chosen one's."""
    values = [plan.indicators.set_index(KEYS)["value"] for plan in (chosen, best)]
    kept = base.drop(base.index.intersection(values[0].index))
    new = values[1][~values[1].index.isin(kept.index)]
    both: pd.Series[float] = pd.concat([kept, new])
    names = both.index.get_level_values("indicator")
    both[names == "price_of_anarchy"] = 1.0
    return both


def _differences(
    base: str, plans: Mapping[str, Plan], best: Mapping[str, Plan], indicators: pd.DataFrame
) -> pd.DataFrame:
    """Return every value of every variant minus that of the base, of the same kind of plan."""
    by_variant = {
        str(name): rows.set_index(KEYS)["value"]
        for name, rows in indicators.groupby("variant", sort=False)
    }
    parts = []
    for name, plan in plans.items():
        if name == base:
            continue
        before = by_variant[base]
        if _is_steered(plans, best, base, name):
            before = _steered_base(before, plans[base], best[base])
        both = pd.concat({"base": before, "value": by_variant[name]}, axis=1)
        both = both.reset_index()
        amount = both["indicator"].isin(_AMOUNTS)
        for column, of in (("base", plans[base]), ("value", plan)):
            if of.status not in _NO_PLAN:
                both[column] = both[column].mask(amount & both[column].isna(), 0.0)
        both["difference"] = both["value"] - both["base"]
        both["relative"] = both["difference"] / both["base"].abs().where(both["base"] != 0)
        both.insert(0, "variant", name)
        parts.append(both)
    columns = ["variant", *KEYS, "base", "value", "difference", "relative"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _summary(
    study: Study, plans: Mapping[str, Plan], best: Mapping[str, Plan], indicators: pd.DataFrame
) -> pd.DataFrame:
    """Return one row per variant with the headline indicators."""
    totals = indicators[(indicators["direction"] == "") & (indicators["commodity"] == "")]
    value = totals.set_index(["variant", "indicator", "unit", "scope"])["value"].to_dict()
    by_line = _screenline_totals(study, indicators)
    lines = study.network.screenlines["screenline"].drop_duplicates().tolist()
    states = _headline_states(study, plans[study.base])
    rows = []
    for name, plan in plans.items():
        blank = plan.status in _NO_PLAN
        row: dict[str, object] = {
            "variant": name,
            "title": study.variant(name).title,
            "status": plan.status,
            "reasons": SEPARATOR.join(reasons_of(plan)) if blank else "",
            "assignment": "optimum" if plan is best[name] else study.header.assignment,
        }
        beside = () if study.header.assignment == "optimum" else _BESIDE
        for column, indicator, unit, scope in (*_HEADLINES, *beside):
            row[column] = value.get((name, indicator, unit, scope), np.nan)
        for line in lines:
            row[f"{line}_mt_per_year"] = by_line.get((name, line), np.nan)
        nothing = np.nan if blank else 0.0
        for state in states:
            code = state.lower()
            transit = value.get((name, "transit", "Mt_per_year", state), nothing)
            revenue = value.get((name, "revenue", "musd_per_year", state), nothing)
            row[f"transit_{code}_mt_per_year"] = transit
            row[f"revenue_{code}_musd_per_year"] = revenue
        rows.append(row | _busiest(plan))
    table = pd.DataFrame(rows)
    table["saved_musd_per_year"] = _saved_musd(study, plans, best)
    return table


def _headline_states(study: Study, base: Plan) -> tuple[str, ...]:
    """Return the states that a study puts first, else those with most transit in the base."""
    named = study.header.headline_states
    if named is not None:
        return named
    carrying = base.countries[base.countries["transit_t_per_day"] > 0.0]
    order = carrying.sort_values("transit_t_per_day", ascending=False, kind="stable")
    return tuple(order["country"].head(_MOST_STATES).tolist())


def _screenline_totals(study: Study, indicators: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return what passes each screenline in each variant, in the directions that its gates count.

    Which of its two ways a gate calls forward follows from its tables alone, so both are added.
    """
    flows = indicators[
        (indicators["indicator"] == "throughput")
        & (indicators["unit"] == "Mt_per_year")
        & (indicators["commodity"] == "")
        & indicators["scope"].isin(study.network.screenlines["screenline"])
    ]
    sums = flows.groupby(["variant", "scope"])["value"].sum(min_count=1).reset_index()
    return {(str(v), str(line)): float(total) for v, line, total in sums.to_numpy(object)}


def _busiest(plan: Plan) -> dict[str, object]:
    """Return the crossing that works nearest to its capacity, and how near.

    Of several that are full, the one at which capacity is dearest.
    """
    if plan.status in _NO_PLAN or not plan.crossings["utilization"].notna().any():
        return {"busiest_crossing": "", "busiest_utilization": np.nan}
    rank = plan.crossings[["utilization", "capacity_price_usd_per_vehicle"]].round(6)
    order = rank.sort_values(list(rank.columns), kind="stable", na_position="first").index
    row = plan.crossings.loc[order[-1]]
    return {
        "busiest_crossing": f"{row['crossing_id']} ({row['from_country']}-{row['to_country']})",
        "busiest_utilization": float(row["utilization"]),
    }
