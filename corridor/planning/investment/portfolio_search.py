"""The search for the best portfolio: a small integer program learns what portfolios cost.

Logic-based Benders decomposition. The integer program chooses projects within the budget, at the
least cost that all bounds so far allow; the portfolio that it chooses is solved exactly, queues and
all, and its prices give another bound, tight at this portfolio and true for every other. The
program's optimum is a lower bound on every portfolio, the best solved one an upper bound.

References
----------
J. N. Hooker and G. Ottosson, "Logic-based Benders decomposition", Mathematical Programming 96
(2003) 33-60; T. L. Magnanti and R. T. Wong, "Network design and transportation planning: models and
algorithms", Transportation Science 18 (1984) 1-55.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.solver import Program, solve
from corridor.planning.investment.outcomes import SearchStatus, gap_of
from corridor.planning.investment.portfolio_program import (
    MUSD_PER_YEAR,
    Places,
    Rows,
    add_bound,
    add_conditions,
    add_value,
    is_buildable,
    least_use,
    leave_out,
)
from corridor.planning.investment.portfolio_values import Portfolio, PortfolioValues, Value

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
Progress: TypeAlias = Callable[[int, float, float], None]
"""Told after each portfolio: portfolios solved, best cost and bound [MUSD/year]."""
Interrupt: TypeAlias = Callable[[], bool]

_WHOLE: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """The best portfolio of a search.

    Attributes
    ----------
    value
        The portfolio and what its use costs; None where none is lawful.
    cost_musd_per_year, bound_musd_per_year
        Cost of building and using it, price of unmet demand included, and the proved lower bound on
        that of every portfolio [MUSD/year].
    limit
        What stopped the search, ``time`` or ``interrupt``; empty where nothing did.
    solved
        Portfolios solved in this search.
    """

    value: Value | None
    cost_musd_per_year: float
    bound_musd_per_year: float
    limit: str
    solved: int

    @property
    def status(self) -> SearchStatus:
        """As of `corridor.planning.InvestmentPlan`."""
        if self.value is None:
            return "unknown" if self.limit else "infeasible"
        return "feasible" if self.limit else "optimal"

    @property
    def gap(self) -> float:
        """(cost - bound) / cost; NaN where there is no cost."""
        return gap_of(self.cost_musd_per_year, self.bound_musd_per_year)


@dataclass(slots=True, kw_only=True, eq=False)
class PortfolioSearch:
    """Finds best portfolios under budgets; what it learns under one serves the others.

    Parameters
    ----------
    values
        What portfolios cost to use.
    yearly_musd : ndarray of float64, shape (n_projects,)
        Yearly cost of each project, capital and upkeep [MUSD/year].
    """

    values: PortfolioValues
    yearly_musd: FloatArray
    floor_musd_per_year: float = field(default=0.0)
    _begun: bool = False

    def find(
        self,
        budget_musd: float,
        *,
        tolerance: float,
        deadline: float | None = None,
        progress: Progress | None = None,
        interrupt: Interrupt | None = None,
    ) -> Found:
        """Return the best portfolio within a budget.

        Parameters
        ----------
        budget_musd
            Sum of the capex of the projects, at most [MUSD].
        tolerance
            Relative gap at which the search stops.
        deadline
            Time of `time.perf_counter` at which it stops, or None.
        progress, interrupt
            Told after each portfolio, and asked before each.
        """
        run = _Run(self, budget_musd)
        limit = ""
        try:
            self._begin(deadline)
            if self.values.kept_breaches:
                # No portfolio can be lawful: there is nothing to search.
                run.bound = np.inf
            run.take(self._known(budget_musd))
            while not limit and not run.is_proved(tolerance):
                limit = stopped(deadline, interrupt)
                if limit:
                    break
                limit = run.step(deadline)
                if progress is not None and run.solved:
                    progress(run.solved, run.least, run.bound)
        except KeyboardInterrupt:
            limit = "interrupt"
            self.values.solve(())
            run.take(self._known(budget_musd))
        # What no portfolio goes below was learned before any was chosen.
        run.bound = max(run.bound, self.floor_musd_per_year)
        return run.found(limit)

    def cost(self, value: Value) -> float:
        """Return what building and using a portfolio costs [MUSD/year]; inf where unlawful."""
        built = float(self.yearly_musd @ self.values.mask(value.projects))
        return built + value.total_usd_per_day * MUSD_PER_YEAR

    def least_cost(self, value: Value) -> float:
        """Return the proved lower bound on what a portfolio costs [MUSD/year]."""
        built = float(self.yearly_musd @ self.values.mask(value.projects))
        return built + value.bound_usd_per_day * MUSD_PER_YEAR

    # -- what is known ------------------------------------------------------------------------

    def _begin(self, deadline: float | None) -> None:
        """Solve nothing and everything: the one is a portfolio, the other a bound on all."""
        if self._begun:
            return
        values = self.values
        # Whatever the deadline: what is there already is an answer, and every saving is against it.
        values.solve(())
        if values.projects and not values.kept_breaches:
            everything = values.relax(values.ids, seconds_left(deadline))
            if not values.effects.worsens.any() and np.isfinite(everything):
                self.floor_musd_per_year = everything * MUSD_PER_YEAR
        least = [least_use(bound) * MUSD_PER_YEAR for bound in values.bounds]
        self.floor_musd_per_year = max(self.floor_musd_per_year, *least, 0.0)
        self._begun = True

    def _known(self, budget_musd: float) -> Iterator[Value]:
        """Yield the solved portfolios that may be built within a budget."""
        for value in self.values.known.values():
            if is_buildable(self.values.projects, value.projects, budget_musd):
                yield value

    # -- the integer program ------------------------------------------------------------------

    def choose(
        self, budget_musd: float, settled: Sequence[Value], time_limit: float | None
    ) -> tuple[Portfolio | None, float]:
        """Return the portfolio that the bounds so far allow to be cheapest, and its bound.

        Settled ones are left out. None where no portfolio is left (the bound is then inf), or where
        time ran out.
        """
        program, unit = self._program(budget_musd, settled)
        answer = solve(program, time_limit=time_limit, effort="proof")  # a tenth of the time
        if answer.status == "infeasible":
            return None, np.inf
        if answer.x is None:
            return None, -np.inf
        built = answer.x[: len(self.values.projects)] > _WHOLE
        names = frozenset(name for name, one in zip(self.values.ids, built, strict=True) if one)
        return names, float(answer.bound) * unit + self.floor_musd_per_year

    def _program(self, budget_musd: float, settled: Sequence[Value]) -> tuple[Program, float]:
        """Return the program, and the money that is 1 in it [MUSD/year].

        Columns: a project each, the cost of use above the floor, a saving for each group.
        """
        values, n = self.values, len(self.values.projects)
        rows = Rows(n)
        places = Places(projects=tuple((i,) for i in range(n)), use=n)
        add_conditions(rows, values.projects, budget_musd)
        self.add_learned(rows, places)
        for value in settled:
            leave_out(rows, values.mask(value.projects), places)
        return rows.program(self.yearly_musd)

    def add_learned(self, rows: Rows, places: Places) -> None:
        """Add what is known of the use: the bounds of prices, and the portfolios solved."""
        values, floor = self.values, self.floor_musd_per_year
        for bound in values.bounds:
            add_bound(rows, bound, places, floor)
        worsens = values.effects.worsens if values.projects else np.zeros(0, np.bool_)
        for value in values.known.values():
            add_value(rows, value, values.mask(value.projects), worsens, places, floor)


class _Run:
    """One search under one budget: the best so far, and the bound."""

    def __init__(self, search: PortfolioSearch, budget_musd: float) -> None:
        self._search, self._budget_musd = search, budget_musd
        self.best: Value | None = None
        self.settled: list[Value] = []
        self.least, self.bound, self.solved = np.inf, -np.inf, 0

    def take(self, values: Iterable[Value]) -> None:
        """Keep the best of some values."""
        for value in values:
            cost = self._search.cost(value)
            if cost < self.least:
                self.best, self.least = value, cost

    def is_proved(self, tolerance: float) -> bool:
        """Whether no portfolio can be better by more than a share of the best."""
        if np.isinf(self.least) or np.isinf(self.bound):
            return self.bound == np.inf
        return self.least - self.bound <= tolerance * abs(self.least)

    def step(self, deadline: float | None) -> str:
        """Choose and solve one more portfolio; return what stands in the way, or nothing."""
        chosen, others = self._search.choose(
            self._budget_musd, self.settled, seconds_left(deadline)
        )
        settled = min((self._search.least_cost(value) for value in self.settled), default=np.inf)
        self.bound = max(self.bound, min(settled, others))
        if chosen is None:
            return "" if others == np.inf else "time"
        values = self._search.values
        if chosen in values.known:
            # Rounding lets the program choose it again; its own bound serves from now on.
            self.settled.append(values.known[chosen])
            return ""
        self.take([values.solve(chosen, seconds_left(deadline))])
        self.solved += 1
        return ""

    def found(self, limit: str) -> Found:
        """Return the answer."""
        return Found(
            value=self.best, cost_musd_per_year=self.least,
            bound_musd_per_year=min(self.bound, self.least), limit=limit, solved=self.solved,
        )  # fmt: skip


def stopped(deadline: float | None, interrupt: Interrupt | None) -> str:
    """Return what stops a search, ``interrupt`` or ``time``, or nothing."""
    if interrupt is not None and interrupt():
        return "interrupt"
    return "time" if deadline is not None and time.perf_counter() >= deadline else ""


def seconds_left(deadline: float | None) -> float | None:
    """Return the seconds until a deadline, at least a hundredth; None without one."""
    return None if deadline is None else max(deadline - time.perf_counter(), 0.01)
