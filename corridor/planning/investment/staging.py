"""When to build what: portfolios over periods, with a budget in each and demand that grows."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.solver import solve
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning.investment.investments import DISCOUNT_RATE, check_investment
from corridor.planning.investment.outcomes import (
    Outcome,
    SearchStatus,
    gap_of,
    outcome_of,
    told_rules,
    told_stop,
)
from corridor.planning.investment.portfolio_program import (
    MUSD_PER_YEAR,
    Places,
    Rows,
    add_bound,
    add_value,
    exclusive_groups,
    least_use,
)
from corridor.planning.investment.portfolio_search import Interrupt, Progress, seconds_left, stopped
from corridor.planning.investment.portfolio_values import PortfolioValues, Value
from corridor.planning.investment.projects import Project, read_projects, yearly_costs
from corridor.planning.plans import UNMET_USD_PER_T
from corridor.sovereignty import Rules

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]

_WHOLE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Years in which what is open stays the same.

    Attributes
    ----------
    years
        Length, whole years >= 1.
    budget_musd
        Capex of the projects that are begun in it, at most [MUSD], >= 0; what is left is kept for
        later periods.
    demand_factor
        Demand over that of the data, > 0.
    """

    years: int
    budget_musd: float
    demand_factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StagedPlan:
    """Which project is begun in which period.

    Attributes
    ----------
    status, limit, broken_rules
        As of `corridor.planning.InvestmentPlan`.
    objective_musd, bound_musd, gap
        Present value of capital, upkeep, use and unmet demand over all periods, the proved lower
        bound on that of every schedule, and (objective - bound) / objective [MUSD].
    unmet_price_musd, unmet_value_musd
        Of the objective, the price of goods that stay at home at `unmet_usd_per_t`: it steers the
        search and nobody pays it. What they are worth themselves, over all periods [MUSD].
    unmet_usd_per_t
        That price [USD/t].
    schedule
        A row per project that is built: ``project_id, begins_period, begins_year, opens_year``
        (years from the beginning of the first period), ``capex_musd``; in order.
    periods
        A row per period: ``period, from_year, to_year, demand_factor, budget_musd, begun_musd,
        kept_musd, open_projects`` (ids joined with ``;``), ``use_musd_per_year`` (background
        included), ``unmet_price_musd_per_year``, ``unmet_value_musd_per_year`` and
        ``unmet_t_per_day`` (what stays at home, at its price, at its own value, in tonnes).
    """

    status: SearchStatus
    limit: str | None
    broken_rules: tuple[str, ...]
    objective_musd: float
    bound_musd: float
    gap: float
    unmet_price_musd: float
    unmet_value_musd: float
    unmet_usd_per_t: float
    schedule: pd.DataFrame
    periods: pd.DataFrame

    @property
    def outcome(self) -> Outcome:
        """How the search ended: ``proved``, ``stopped`` or ``unlawful``."""
        return outcome_of(self.status)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the schedule costs, what is proved, and what stopped the search, in words."""
        if self.outcome == "unlawful":
            return (told_rules(self.broken_rules),)
        stop = told_stop(self.limit, self.gap)
        if self.status == "unknown":
            return (f"No schedule was found. {stop}",)
        paid = self.objective_musd - self.unmet_price_musd
        cost = f"Present value of capital, upkeep and use: {paid:,.1f} MUSD."
        if self.unmet_price_musd > 0.0:
            cost += (
                f" Goods worth {self.unmet_value_musd:,.1f} MUSD stay at home; in the choice they "
                f"count as {self.unmet_price_musd:,.1f}, at {self.unmet_usd_per_t:,.0f} USD for "
                "each tonne, which nobody pays."
            )
        if self.outcome == "stopped":
            return cost, stop
        return (
            cost,
            f"With that price the schedule costs {self.objective_musd:,.1f} MUSD and none less "
            f"than {self.bound_musd:,.1f} (gap {self.gap:.1e})."
            if self.unmet_price_musd > 0.0
            else f"No schedule costs less than {self.bound_musd:,.1f} (gap {self.gap:.1e}).",
        )


def stage_projects(  # noqa: PLR0913 (a verb's options)
    network: Network,
    demand: Demand,
    rules: Rules | None = None,
    periods: Sequence[Period] = (),
    *,
    projects: Sequence[str] | None = None,
    discount_rate: float = DISCOUNT_RATE,
    congestion: bool = True,
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    tolerance: float = 1e-6,
    time_limit: float | None = None,
    progress: Progress | None = None,
    interrupt: Interrupt | None = None,
) -> StagedPlan:
    """Return the schedule of least present value, with the proof of how good it is.

    A project is begun at the beginning of a period, at most once, and is used in the periods that
    begin when it is ready or later. It costs its annuity (with interest while building) and its
    upkeep in the years from its opening to the end of the last period, so that what a project is
    still worth then is not charged to it.

    Parameters
    ----------
    network, demand, rules, projects, discount_rate, congestion, unmet_usd_per_t, tolerance
        As in `corridor.invest`.
    periods
        The periods, one after another.
    time_limit
        Seconds for the search, or None; the best found is returned.
    progress
        As in `corridor.invest`, with present values [MUSD].
    interrupt
        Asked before each schedule; True stops the search with the best found, as Ctrl-C does.

    Raises
    ------
    InputError
        As in `corridor.invest`, or if a period is out of its range.

    Notes
    -----
    As in `corridor.planning.investment.portfolio_search`: periods of the same demand share what
    is learned.
    """
    began = time.perf_counter()
    check_investment(network, projects, None, discount_rate, unmet_usd_per_t, tolerance, time_limit)
    check_periods(periods)
    search = _Staging(
        periods=tuple(periods),
        projects=read_projects(network, projects),
        rate=discount_rate,
        values={
            factor: PortfolioValues(
                network=network,
                demand=_scaled(demand, factor),
                rules=rules,
                projects=read_projects(network, projects),
                congestion=congestion,
                unmet_usd_per_t=unmet_usd_per_t,
                tolerance=0.1 * tolerance,
            )
            for factor in dict.fromkeys(period.demand_factor for period in periods)
        },
    )
    deadline = None if time_limit is None else began + time_limit
    return search.run(tolerance, deadline, progress, interrupt)


def check_periods(periods: Sequence[Period]) -> None:
    """Refuse periods that cannot be; see `stage_projects`."""
    wrong = [
        number
        for number, period in enumerate(periods, start=1)
        if period.years < 1
        or period.years != int(period.years)
        or not 0.0 <= period.budget_musd < np.inf
        or not 0.0 < period.demand_factor < np.inf
    ]
    if wrong or not periods:
        msg = (
            "Periods need whole years >= 1, a finite budget >= 0 and a demand factor > 0; found "
            f"{len(periods)} periods, of which {wrong or 'none'} are wrong. Correct them."
        )
        raise InputError(msg)


def _scaled(demand: Demand, factor: float) -> Demand:
    rows = demand.rows
    scaled = rows.assign(t_per_day=rows["t_per_day"] * factor)
    return Demand(table=scaled, scenario=demand.scenario)


class _Staging:
    """One search for a schedule."""

    def __init__(
        self,
        *,
        periods: tuple[Period, ...],
        projects: tuple[Project, ...],
        rate: float,
        values: dict[float, PortfolioValues],
    ) -> None:
        self.periods, self.projects, self.values = periods, projects, values
        years = np.array([period.years for period in periods])
        self.starts = np.concatenate([[0], np.cumsum(years)[:-1]])
        self.end = int(years.sum())
        self.discount = (1.0 + rate) ** -np.arange(1.0, self.end + 1.0)
        self.weight = np.array(
            [self.discount[a : a + n].sum() for a, n in zip(self.starts, years, strict=True)]
        )
        self.floor = np.zeros(len(periods))
        self.deadline: float | None = None
        self.best: BoolArray | None = None
        self.tried: list[BoolArray] = []
        self.least, self.bound = np.inf, -np.inf
        # Where project p, begun in period t, is used: period s and later.
        self.used = np.array(
            [[self.starts >= start + p.build_years for start in self.starts] for p in projects],
            np.bool_,
        ).reshape(len(projects), len(periods), len(periods))
        self.cost = np.array(
            [
                [yearly * self.discount[self._opens(p, t) :].sum() for t in range(len(periods))]
                for p, yearly in zip(projects, yearly_costs(projects, rate), strict=True)
            ]
        ).reshape(len(projects), len(periods))

    def _opens(self, project: Project, period: int) -> int:
        """Return the year in which a project begun in a period is ready, whole years."""
        return min(int(np.ceil(self.starts[period] + project.build_years)), self.end)

    def run(
        self,
        tolerance: float,
        deadline: float | None,
        progress: Progress | None,
        interrupt: Interrupt | None,
    ) -> StagedPlan:
        """Choose schedules and solve their periods until the gap closes, or something stops it."""
        self.deadline = deadline
        limit = ""
        try:
            self._begin()
            while not limit and not self._is_done(tolerance):
                limit = stopped(deadline, interrupt) or self._step()
                if progress is not None and not limit:
                    known = sum(len(values.known) for values in self.values.values())
                    progress(known, self.least, self.bound)
        except KeyboardInterrupt:
            limit = "interrupt"
        return self._plan(limit)

    def _is_done(self, tolerance: float) -> bool:
        """Whether no schedule can be better by more than a share of the best, or none is left."""
        if np.isinf(self.least):
            return self.bound == np.inf
        return self.least - self.bound <= tolerance * abs(self.least)

    def _step(self) -> str:
        """Choose and solve one more schedule; return what stands in the way, or nothing."""
        chosen, others = self._choose()
        settled = min((self._least(one) for one in self.tried), default=np.inf)
        self.bound = max(self.bound, min(settled, others))
        if chosen is None:
            return "" if others == np.inf else "time"
        if self._is_known(chosen):
            self.tried.append(chosen)
        cost = self._total(chosen)
        if cost < self.least:
            self.best, self.least = chosen, cost
        return ""

    def _begin(self) -> None:
        for values in self.values.values():
            values.solve(())  # whatever the deadline: it is an answer
            if values.kept_breaches:
                # No schedule can be lawful: there is nothing to search.
                self.bound = np.inf
                return
            if values.projects:
                values.relax(values.ids, seconds_left(self.deadline))
        nothing = np.zeros(self.cost.shape, np.bool_)
        self.best, self.least = nothing, self._total(nothing)
        for s, period in enumerate(self.periods):
            bounds = self.values[period.demand_factor].bounds
            least = [least_use(bound) * MUSD_PER_YEAR for bound in bounds]
            self.floor[s] = max(0.0, *least) if least else 0.0

    def _open(self, chosen: BoolArray, period: int) -> frozenset[str]:
        """Return the projects that are used in a period; chosen has the shape of `cost`."""
        used = np.asarray((self.used[:, :, period] & chosen).any(axis=1), dtype=np.bool_)
        return frozenset(p.id for p, one in zip(self.projects, used.tolist(), strict=True) if one)

    def _value(self, chosen: BoolArray, period: int) -> Value:
        """Return what the use of a period costs under a schedule."""
        values = self.values[self.periods[period].demand_factor]
        return values.solve(self._open(chosen, period), seconds_left(self.deadline))

    def _is_known(self, chosen: BoolArray) -> bool:
        return all(
            self._open(chosen, s) in self.values[period.demand_factor].known
            for s, period in enumerate(self.periods)
        )

    def _total(self, chosen: BoolArray) -> float:
        """Return the present value of a schedule [MUSD]; inf where a period is unlawful."""
        total = float(self.cost[chosen].sum())
        for s in range(len(self.periods)):
            value = self._value(chosen, s)
            total += value.total_usd_per_day * MUSD_PER_YEAR * self.weight[s]
        return total

    def _least(self, chosen: BoolArray) -> float:
        """Return the proved lower bound on the present value of a schedule that was solved."""
        total = float(self.cost[chosen].sum())
        for s in range(len(self.periods)):
            value = self._value(chosen, s)
            total += value.bound_usd_per_day * MUSD_PER_YEAR * self.weight[s]
        return total

    def _choose(self) -> tuple[BoolArray | None, float]:
        n, n_periods = self.cost.shape
        rows = Rows(n * n_periods, n_periods)
        self._add_conditions(rows)
        for s, period in enumerate(self.periods):
            values = self.values[period.demand_factor]
            places = Places(
                projects=tuple(
                    tuple((p * n_periods + np.flatnonzero(self.used[p, :, s])).tolist())
                    for p in range(n)
                ),
                use=n * n_periods + s,
            )
            for bound in values.bounds:
                add_bound(rows, bound, places, self.floor[s])
            worsens = values.effects.worsens if n else np.zeros(0, np.bool_)
            for value in values.known.values():
                mask = values.mask(value.projects)
                add_value(rows, value, mask, worsens, places, self.floor[s])
        for one in self.tried:
            entries = np.where(one.ravel(), 1.0, -1.0).tolist()
            rows.add([*range(n * n_periods)], entries, float(one.sum()) - 1.0)
        program, unit = rows.program(np.concatenate([self.cost.ravel(), self.weight]))
        limit = seconds_left(self.deadline)
        answer = solve(program, time_limit=limit, effort="proof")
        if answer.x is None:
            return None, np.inf if answer.status == "infeasible" else -np.inf
        chosen = (answer.x[: n * n_periods] > _WHOLE).reshape(n, n_periods)
        return chosen, float(answer.bound) * unit + float(self.floor @ self.weight)

    def _add_conditions(self, rows: Rows) -> None:
        """Begin each project once at most, within the budgets, after what it requires."""
        n, n_periods = self.cost.shape
        column = np.arange(n * n_periods).reshape(n, n_periods)
        position = {project.id: i for i, project in enumerate(self.projects)}
        for p, project in enumerate(self.projects):
            rows.add(column[p].tolist(), [1.0] * n_periods, 1.0)
            for other in project.requires:
                for s in range(n_periods):
                    # What is used in a period needs what it requires there.
                    mine = column[p][self.used[p, :, s]].tolist()
                    theirs = column[position[other]][self.used[position[other], :, s]].tolist()
                    entries = [1.0] * len(mine) + [-1.0] * len(theirs)
                    rows.add([*mine, *theirs], entries, 0.0)
                # And is begun only if that is begun at all.
                both = [*column[p].tolist(), *column[position[other]].tolist()]
                rows.add(both, [1.0] * n_periods + [-1.0] * n_periods, 0.0)
        for members in exclusive_groups(self.projects):
            every = column[members].ravel().tolist()
            rows.add(every, [1.0] * len(every), 1.0)
        capex = np.array([project.capex_musd for project in self.projects])
        budgets = np.cumsum([period.budget_musd for period in self.periods])
        for t, budget in enumerate(budgets.tolist()):
            begun = column[:, : t + 1]
            scale = max(budget, 1.0)
            amounts = np.repeat(capex, t + 1) / scale
            rows.add(begun.ravel().tolist(), amounts.tolist(), budget / scale)

    def _plan(self, limit: str) -> StagedPlan:
        best, least = self.best, self.least
        price = next(iter(self.values.values())).unmet_usd_per_t
        bound = min(max(self.bound, float(self.floor @ self.weight)), least)
        columns = ["project_id", "begins_period", "begins_year", "opens_year", "capex_musd"]
        if best is None or not np.isfinite(least):
            return StagedPlan(
                status="unknown" if limit else "infeasible", limit=limit or None,
                broken_rules=() if limit else self._broken_rules(),
                objective_musd=np.nan, bound_musd=np.nan, gap=np.nan, unmet_price_musd=np.nan,
                unmet_value_musd=np.nan, unmet_usd_per_t=price,
                schedule=pd.DataFrame(columns=columns), periods=pd.DataFrame(),
            )  # fmt: skip
        begun = [
            (p.id, t + 1, int(self.starts[t]), float(self.starts[t]) + p.build_years, p.capex_musd)
            for p, row in zip(self.projects, best, strict=True)
            for t in np.flatnonzero(row).tolist()
        ]
        schedule = pd.DataFrame(begun, columns=columns)
        periods = self._period_table(best)
        return StagedPlan(
            status="feasible" if limit else "optimal",
            limit=limit or None,
            broken_rules=(),
            objective_musd=least,
            bound_musd=bound,
            gap=gap_of(least, bound),
            unmet_price_musd=float(periods["unmet_price_musd_per_year"] @ self.weight),
            unmet_value_musd=float(periods["unmet_value_musd_per_year"] @ self.weight),
            unmet_usd_per_t=price,
            schedule=schedule.sort_values(["begins_year", "project_id"], ignore_index=True),
            periods=periods,
        )

    def _broken_rules(self) -> tuple[str, ...]:
        """Return the ids of the rules that posts break with nothing built."""
        values = [values.solve(()) for values in self.values.values()]
        return tuple(sorted({rule for value in values for rule in value.rules}))

    def _period_table(self, best: BoolArray) -> pd.DataFrame:
        capex = np.array([project.capex_musd for project in self.projects])
        kept, records = 0.0, []
        for s, period in enumerate(self.periods):
            names, value = self._open(best, s), self._value(best, s)
            begun = float(capex @ best[:, s])
            kept += period.budget_musd - begun
            use = value.cost_usd_per_day + value.background_usd_per_day
            records.append(
                {
                    "period": s + 1,
                    "from_year": int(self.starts[s]),
                    "to_year": int(self.starts[s]) + period.years,
                    "demand_factor": period.demand_factor,
                    "budget_musd": period.budget_musd,
                    "begun_musd": begun,
                    "kept_musd": kept,
                    "open_projects": ";".join(p.id for p in self.projects if p.id in names),
                    "use_musd_per_year": use * MUSD_PER_YEAR,
                    "unmet_price_musd_per_year": value.unmet_usd_per_day * MUSD_PER_YEAR,
                    "unmet_value_musd_per_year": value.unmet_value_usd_per_day * MUSD_PER_YEAR,
                    "unmet_t_per_day": value.unmet_t_per_day,
                }
            )
        return pd.DataFrame(records)
