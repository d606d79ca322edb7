"""Servers for several crossings out of one budget, and shifts for one stage of a post."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border.day_profiles import Calendar, day_profile
from corridor.border.shifts import ShiftPlan, ShiftRules, plan_shifts
from corridor.border.worksheets import Worksheet
from corridor.core.queues import ServerAllocation, allocate_servers, mean_wait
from corridor.errors import InputError
from corridor.network import Network
from corridor.network.hours import ALWAYS, parse_hours
from corridor.planning.borders.arrival_profiles import arrival_profile
from corridor.planning.borders.cases import BorderCase, at_sea, open_case, open_cases
from corridor.planning.results import Plan
from corridor.sovereignty import Rules
from corridor.units import DAYS_PER_YEAR

FloatArray: TypeAlias = NDArray[np.float64]

_STEPS: Final = 10
"""Most budgets below the given one that the curve shows."""
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Staffing:
    """Servers that a budget adds to the stages of crossings, where they save the most.

    Attributes
    ----------
    budget, spent
        What servers may cost, and what the added ones do; servers where each costs 1.
    method
        ``greedy`` where that is optimal, else ``exact``; both are optimal.
    saved_h_per_day, saved_usd_per_year
        Delay that all vehicles save, background included, at this traffic; inf where a stage was
        overloaded.
    table
        A row a stage that may get servers, those that do first: ``crossing_id, country, direction,
        stage, servers, added, cost`` (of one), ``utilization, utilization_after, wait_h,
        wait_after_h, saved_h_per_day, saved_usd_per_year, fixed_h`` (delay at the post that no
        server touches).
    curve
        What smaller budgets save: ``budget, added, saved_usd_per_year``, the given one last.
    """

    budget: float
    spent: float
    method: Literal["greedy", "exact"]
    saved_h_per_day: float
    saved_usd_per_year: float
    table: pd.DataFrame
    curve: pd.DataFrame

    def __repr__(self) -> str:
        added = int(self.table["added"].sum())
        return f"Staffing({added} servers added, {self.saved_usd_per_year:,.0f} USD/year saved)"


def staff_crossings(
    network: Network,
    crossing_ids: Sequence[str],
    budget: float,
    *,
    rules: Rules | None = None,
    plan: Plan | None = None,
    cost: float | Mapping[str, float] = 1.0,
    countries: Iterable[str] | None = None,
) -> Staffing:
    """Share a budget for more servers out over the stages of crossings.

    Minimizes the value of waiting, ``sum(USD per vehicle hour x vehicles x wait)``, by steady
    state at this traffic: no vehicle comes because a post got quicker. With one cost for all
    servers the best use of each further one is optimal; with different costs an exact search is
    made, see `corridor.core.queues.allocate_servers`.

    Parameters
    ----------
    network
        The network as of its date.
    crossing_ids
        Crossings that share the budget.
    budget
        What added servers may cost, >= 0, in the unit of `cost`.
    rules, plan
        As of `corridor.crossing`.
    cost
        Cost of one server, > 0, or one for each name of a stage; stages that a mapping leaves out
        get none. 1 makes the budget a number of servers.
    countries
        States whose posts may get servers; None is all.

    Returns
    -------
    Staffing
        An optimum.

    Raises
    ------
    InputError
        If a crossing is unknown, a number is out of range, nothing is left to staff, or the budget
        does not keep every stage from overload: the message says how much it takes.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads")
    >>> corridor.staff_crossings(net, ["sarpi-road", "lars-road"], 4).table["added"].sum()
    np.int64(4)
    """
    cases = open_cases(network, dict.fromkeys(crossing_ids), rules, plan)
    stages = _stages(cases, cost, None if countries is None else frozenset(countries))
    if not np.isfinite(budget) or budget < 0.0:
        msg = f"budget must be a finite number >= 0; found {budget}."
        raise InputError(msg)
    _check_room(stages, budget)
    found = _allocate(stages, budget)
    table = _table(stages, found)
    saved_usd = float(table["saved_usd_per_year"].sum())
    return Staffing(
        budget=float(budget),
        spent=found.spent - stages.standing_cost,
        method=found.method,
        saved_h_per_day=float(table["saved_h_per_day"].sum()),
        saved_usd_per_year=saved_usd,
        table=table,
        curve=_curve(stages, float(budget)),
    )


class _Stages(NamedTuple):
    """Stages that may get servers: labels, and the numbers of their queues."""

    labels: pd.DataFrame
    rate: FloatArray
    service_h: FloatArray
    arrival_scv: FloatArray
    service_scv: FloatArray
    servers: NDArray[np.int64]
    usd_per_rate: FloatArray
    per_day: FloatArray
    cost: FloatArray

    @property
    def standing_cost(self) -> float:
        """Cost of the servers that are there."""
        return float(self.cost @ self.servers)

    def wait_h(self, servers: NDArray[np.int64]) -> FloatArray:
        """Return the wait of each stage with these servers."""
        queue = self.rate, self.service_h, servers, self.arrival_scv, self.service_scv
        return np.asarray(mean_wait(*queue))

    def utilization(self, servers: NDArray[np.int64]) -> FloatArray:
        return np.asarray(self.rate * self.service_h / servers)


def _stages(
    cases: list[BorderCase], cost: float | Mapping[str, float], countries: frozenset[str] | None
) -> _Stages:
    parts = []
    for case in cases:
        sheet = case.planned_sheet()
        open_h = sheet.column("open_h_per_day")
        labels = sheet.stages[["country", "direction", "stage", "servers"]]
        parts.append(
            labels.assign(
                crossing_id=str(case.row["crossing_id"]),
                rate=sheet.rate,
                service_h=sheet.service_time_h,
                arrival_scv=sheet.column("arrival_scv"),
                service_scv=sheet.column("service_scv"),
                per_day=sheet.arrivals_per_day,
                usd=case.usd_per_vehicle_h * open_h,
                fixed_h=_fixed_h(sheet, case),
            )
        )
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["stage"])
    if isinstance(cost, Mapping):
        price = table["stage"].map({str(name): float(usd) for name, usd in cost.items()})
    else:
        price = pd.Series(float(cost), index=table.index)
    keep = price.notna().to_numpy(bool)
    if countries is not None:
        keep = keep & table["country"].isin(countries).to_numpy(bool)
    if not keep.any():
        msg = (
            "Some stage of the crossings must be one that may get servers; none is left of "
            f"{len(table)}. Name other crossings, states, or stages to pay for."
        )
        raise InputError(msg)
    table, price = table[keep].reset_index(drop=True), price[keep]
    numbers = {name: table[name].to_numpy(float) for name in ("rate", "service_h", "per_day")}
    return _Stages(
        labels=table[["crossing_id", "country", "direction", "stage", "fixed_h"]],
        arrival_scv=table["arrival_scv"].to_numpy(float),
        service_scv=table["service_scv"].to_numpy(float),
        servers=table["servers"].to_numpy(np.int64),
        usd_per_rate=table["usd"].to_numpy(float),
        cost=np.asarray(price, dtype=np.float64),
        **numbers,
    )


def _fixed_h(sheet: Worksheet, case: BorderCase) -> FloatArray:
    """Return the fixed delay at the posts of each stage, ways weighted by their vehicles."""
    weight = (sheet.serves > 0.0) * np.maximum(case.traffic.total, _ROUNDING)[None, :, None]
    return np.asarray((weight * sheet.fixed_h[None]).sum(axis=(1, 2)) / weight.sum(axis=(1, 2)))


def _check_room(stages: _Stages, budget: float) -> None:
    """Refuse a budget that leaves a stage overloaded."""
    least = np.floor(stages.rate * stages.service_h).astype(np.int64) + 1
    missing = np.maximum(least - stages.servers, 0)
    needed = float(stages.cost @ missing)
    if needed > budget * (1.0 + _ROUNDING):
        worst = int(np.argmax(missing))
        row = stages.labels.iloc[worst]
        msg = (
            f"budget must keep every stage from overload, which takes {needed:g}; found {budget:g}."
            f" {row['stage']} in {row['country']} at {row['crossing_id']} lacks {missing[worst]} "
            "servers. Raise the budget, or look at less traffic."
        )
        raise InputError(msg)


def _allocate(stages: _Stages, budget: float) -> ServerAllocation:
    return allocate_servers(
        stages.standing_cost + budget,
        stages.rate,
        stages.service_h,
        stages.arrival_scv,
        stages.service_scv,
        value=stages.usd_per_rate,
        cost=stages.cost,
        least=stages.servers,
    )


def _table(stages: _Stages, found: ServerAllocation) -> pd.DataFrame:
    before, after = stages.wait_h(stages.servers), stages.wait_h(found.servers)
    added = found.servers - stages.servers
    with np.errstate(invalid="ignore"):
        saved_h = np.where(added > 0, stages.per_day * (before - after), 0.0)
        usd = np.where(added > 0, stages.usd_per_rate * stages.rate * (before - after), 0.0)
    names = ["crossing_id", "country", "direction", "stage"]
    table = stages.labels[names].assign(
        servers=stages.servers,
        added=added,
        cost=stages.cost,
        utilization=stages.utilization(stages.servers),
        utilization_after=stages.utilization(found.servers),
        wait_h=before,
        wait_after_h=after,
        saved_h_per_day=saved_h,
        saved_usd_per_year=usd * DAYS_PER_YEAR,
        fixed_h=stages.labels["fixed_h"],
    )
    return table.sort_values(
        ["saved_usd_per_year", "wait_h"], ascending=False, kind="stable", ignore_index=True
    )


def _curve(stages: _Stages, budget: float) -> pd.DataFrame:
    """Return what smaller budgets save; those that leave an overload are left out."""
    least = np.floor(stages.rate * stages.service_h).astype(np.int64) + 1
    needed = float(stages.cost @ np.maximum(least - stages.servers, 0))
    n = int(min(_STEPS, max(np.floor(budget / stages.cost.min()), 1)))
    # Whole servers where all cost the same.
    unit = float(stages.cost[0]) if (stages.cost == stages.cost[0]).all() else 0.0
    steps = budget * np.arange(1, n + 1) / n
    steps = np.unique(np.ceil(steps / unit - _ROUNDING) * unit) if unit else steps
    rows = []
    for step in [*steps[(steps >= needed) & (steps < budget)].tolist(), budget]:
        found = _allocate(stages, step)
        saved = float(_table(stages, found)["saved_usd_per_year"].sum())
        rows.append((step, int((found.servers - stages.servers).sum()), saved))
    return pd.DataFrame(rows, columns=["budget", "added", "saved_usd_per_year"])


def plan_post_shifts(
    network: Network,
    crossing_id: str,
    country: str,
    stage: str,
    most_wait_h: float,
    shift_rules: ShiftRules | None = None,
    *,
    direction: Literal["in", "out"] = "in",
    rules: Rules | None = None,
    plan: Plan | None = None,
) -> ShiftPlan:
    """Return whole shifts at a stage of a post that keep the wait of every hour below a target.

    Arrivals are those of the day's profile: what the stages before let through.

    Parameters
    ----------
    network, crossing_id, rules, plan
        As of `corridor.crossing`.
    country, direction, stage
        State, ``in`` or ``out`` as seen from it, and name of the stage.
    most_wait_h
        Longest mean wait of any hour's arrivals [h], > 0.
    shift_rules
        What shifts look like; eight hours with a break by default.

    Returns
    -------
    ShiftPlan
        Shifts by hour of the day, people on duty, and the waits they achieve.

    Raises
    ------
    InputError
        If the stage is unknown, the post does not open round the clock, or no plan meets the
        target.
    """
    case = open_case(network, crossing_id, rules, plan)
    spells = parse_hours(str(case.row["opening_hours"]))
    if spells != ALWAYS:
        msg = (
            f"A post must be open round the clock for a target that holds in every hour; "
            f"{crossing_id!r} opens {case.row['opening_hours']}. Open it, or look at its day."
        )
        raise InputError(msg)
    sheet = case.planned_sheet()
    row = _stage_row(sheet, crossing_id, country, direction, stage)
    swing, peak = arrival_profile(case)
    calendar = Calendar.of(spells, swing.value, peak.value)
    profile = day_profile(sheet, calendar, at_sea=at_sea(case))
    return plan_shifts(
        profile.stage_arrivals[row],
        float(sheet.service_time_h[row]),
        most_wait_h,
        shift_rules,
        service_scv=float(sheet.column("service_scv")[row]),
    )


def _stage_row(sheet: Worksheet, crossing_id: str, country: str, direction: str, stage: str) -> int:
    stages = sheet.stages
    at = (stages["country"] == country) & (stages["stage"] == stage)
    at &= stages["direction"].isin([direction, "both"])
    found = np.flatnonzero(at.to_numpy(bool))
    if not found.size:
        there = stages["country"] + "/" + stages["direction"] + "/" + stages["stage"]
        msg = (
            f"The stage must be one that is worked at {crossing_id!r}; found "
            f"{country}/{direction}/{stage}. There are: {', '.join(dict.fromkeys(there))}."
        )
        raise InputError(msg)
    return int(found[0])
