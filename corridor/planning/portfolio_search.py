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
import scipy.sparse as sp
from numpy.typing import NDArray

from corridor.core.solver import Program, solve
from corridor.planning.portfolio_values import Portfolio, PortfolioValues, Value
from corridor.planning.price_bounds import PriceBound
from corridor.planning.projects import Project, closure
from corridor.units import DAYS_PER_YEAR

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
Progress: TypeAlias = Callable[[int, float, float], None]
"""Told after each portfolio: portfolios solved, best cost and bound [MUSD/year]."""
Interrupt: TypeAlias = Callable[[], bool]

MUSD_PER_YEAR: Final = DAYS_PER_YEAR / 1e6
"""[MUSD/year] in a [USD/day]."""
_TRIFLE: Final = 1e-6
"""Savings up to this are not worth a row [MUSD/year]."""
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
    def gap(self) -> float:
        """(cost - bound) / cost."""
        return max(self.cost_musd_per_year - self.bound_musd_per_year, 0.0) / abs(
            self.cost_musd_per_year
        )


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
            run.take(self._known(budget_musd))
            while not limit and not run.is_proved(tolerance):
                limit = _stopped(deadline, interrupt)
                if limit:
                    break
                limit = run.step(deadline)
                if progress is not None and run.solved:
                    progress(run.solved, run.least, run.bound)
        except KeyboardInterrupt:
            limit = "interrupt"
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
        values.solve((), _left(deadline))
        if values.projects:
            everything = values.relax(values.ids, _left(deadline))
            if not values.effects.worsens.any() and np.isfinite(everything):
                self.floor_musd_per_year = everything * MUSD_PER_YEAR
        least = [_least(bound) * MUSD_PER_YEAR for bound in values.bounds]
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
        answer = solve(program, time_limit=time_limit)
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
        n = len(self.values.projects)
        rows = _Rows(n)
        _add_conditions(rows, self.values.projects, budget_musd)
        for bound in self.values.bounds:
            self._add_bound(rows, bound)
        for value in self.values.known.values():
            self._add_value(rows, value)
        for value in settled:
            _leave_out(rows, self.values.mask(value.projects))
        size = n + 1 + len(rows.savings)
        unit = rows.unit()
        upper = np.concatenate([np.ones(n), [np.inf], np.array(rows.savings) / unit])
        cost = np.concatenate([self.yearly_musd / unit, [1.0], np.zeros(len(rows.savings))])
        program = Program(
            cost=cost, lower=np.zeros(size), upper=upper, matrix=rows.matrix(size, unit),
            row_lower=np.full(len(rows.upper), -np.inf), row_upper=rows.limits(unit),
            integer=np.arange(size) < n,
        )  # fmt: skip
        return program, unit

    def _add_bound(self, rows: "_Rows", bound: PriceBound) -> None:
        """Use costs at least what a bound says: constant + coefficient x - savings <= use."""
        n = len(self.values.projects)
        constant = bound.constant * MUSD_PER_YEAR - self.floor_musd_per_year
        columns, entries = [*range(n), n], [*(bound.coefficient * MUSD_PER_YEAR), -1.0]
        for group in bound.groups:
            most = float(group.constant[0]) * MUSD_PER_YEAR
            if most <= _TRIFLE:
                constant -= max(most, 0.0)
                continue
            saving = rows.add_saving(most)
            columns.append(saving)
            entries.append(-1.0)
            for limit, per_project in zip(group.constant[1:], group.coefficient[1:], strict=True):
                # Below 0 only by rounding; more room is safe.
                room = max(float(limit), 0.0) * MUSD_PER_YEAR
                which = np.flatnonzero(per_project > 0.0)
                if room >= most:
                    continue
                rows.add(
                    [saving, *which.tolist()],
                    [1.0, *(-per_project[which] * MUSD_PER_YEAR)],
                    room,
                    money=True,
                )
        rows.add(columns, entries, -constant, money=True)

    def _add_value(self, rows: "_Rows", value: Value) -> None:
        """Hold each part of a solved portfolio to its cost: fewer projects cost no less.

        Where a project may worsen things, leaving it out is no longer a part.
        """
        n = len(self.values.projects)
        chosen = self.values.mask(value.projects)
        leave = chosen & self.values.effects.worsens if n else chosen
        changes = np.where(chosen, np.where(leave, -1.0, 0.0), 1.0)
        if value.status == "infeasible":
            # A part of it may be lawful, where a post of the rest breaks a floor.
            _leave_out(rows, chosen)
            return
        above = value.bound_usd_per_day * MUSD_PER_YEAR - self.floor_musd_per_year
        if not np.isfinite(above) or above <= 0.0:
            return
        # above - above (others built + worsening ones left out) <= use
        entries = [*(-above * changes), -1.0]
        limit = -above * (1.0 - float(leave.sum()))
        rows.add([*range(n), n], entries, limit, money=True)


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
        chosen, others = self._search.choose(self._budget_musd, self.settled, _left(deadline))
        settled = min((self._search.least_cost(value) for value in self.settled), default=np.inf)
        self.bound = max(self.bound, min(settled, others))
        if chosen is None:
            return "" if others == np.inf else "time"
        values = self._search.values
        if chosen in values.known:
            # Rounding lets the program choose it again; its own bound serves from now on.
            self.settled.append(values.known[chosen])
            return ""
        self.take([values.solve(chosen, _left(deadline))])
        self.solved += 1
        return ""

    def found(self, limit: str) -> Found:
        """Return the answer."""
        return Found(
            value=self.best, cost_musd_per_year=self.least,
            bound_musd_per_year=min(self.bound, self.least), limit=limit, solved=self.solved,
        )  # fmt: skip


def _stopped(deadline: float | None, interrupt: Interrupt | None) -> str:
    """Return what stops a search, or nothing."""
    if interrupt is not None and interrupt():
        return "interrupt"
    return "time" if deadline is not None and time.perf_counter() >= deadline else ""


class _Rows:
    """Rows ``entries @ x <= upper`` of the integer program, and the limits of its savings.

    Rows of money are kept in MUSD/year and scaled together, so that no entry exceeds 1.
    """

    def __init__(self, n_projects: int) -> None:
        self.n_projects = n_projects
        self.savings: list[float] = []
        self.upper: list[float] = []
        self._money: list[bool] = []
        self._row: list[int] = []
        self._column: list[int] = []
        self._entry: list[float] = []

    def add_saving(self, most: float) -> int:
        """Add a column between 0 and its most, and return its position."""
        self.savings.append(most)
        return self.n_projects + len(self.savings)

    def add(
        self, columns: Sequence[int], entries: Sequence[float], upper: float, *, money: bool = False
    ) -> None:
        """Add a row; in a row of money the columns of money have the entries 1 and -1."""
        self._row += [len(self.upper)] * len(columns)
        self._column += columns
        self._entry += entries
        self._money.append(money)
        self.upper.append(upper)

    def unit(self) -> float:
        """Return the largest amount of money in a row [MUSD/year], at least 1e-3."""
        entries = self._of_money()
        return max(float(np.abs(np.array(self._entry)[entries]).max(initial=0.0)), 1e-3)

    def limits(self, unit: float) -> FloatArray:
        """Return the upper ends of the rows, shape (n_rows,)."""
        return np.array(self.upper) / np.where(self._money, unit, 1.0)

    def matrix(self, n_columns: int, unit: float) -> sp.csr_matrix:
        """Return the coefficients, shape (n_rows, n_columns)."""
        entry = np.array(self._entry)
        entry[self._of_money()] /= unit
        place = np.array(self._row, np.intp), np.array(self._column, np.intp)
        shape = (len(self.upper), n_columns)
        return sp.csr_matrix(sp.coo_matrix((entry, place), shape=shape))

    def _of_money(self) -> BoolArray:
        """Return which entries are money per project, in rows of money."""
        money = np.array(self._money, np.bool_)[np.array(self._row, np.intp)]
        return money & (np.array(self._column, np.intp) < self.n_projects)


def _leave_out(rows: _Rows, chosen: BoolArray) -> None:
    """Add the row that keeps one portfolio out: something must differ."""
    entries = np.where(chosen, 1.0, -1.0).tolist()
    rows.add([*range(chosen.size)], entries, float(chosen.sum()) - 1.0)


def _add_conditions(rows: _Rows, projects: Sequence[Project], budget_musd: float) -> None:
    """Add the budget, the requirements and the exclusive groups."""
    position = {project.id: i for i, project in enumerate(projects)}
    if np.isfinite(budget_musd):
        most = max(budget_musd, 1e-9)
        capex = [project.capex_musd / most for project in projects]
        rows.add([*range(len(projects))], capex, budget_musd / most)
    groups: dict[str, list[int]] = {}
    for project in projects:
        groups.setdefault(project.exclusive_group, []).append(position[project.id])
        for other in project.requires:
            rows.add([position[project.id], position[other]], [1.0, -1.0], 0.0)
    for name, members in groups.items():
        if name and len(members) > 1:
            rows.add(members, [1.0] * len(members), 1.0)


def is_buildable(projects: Sequence[Project], portfolio: Portfolio, budget_musd: float) -> bool:
    """Return whether a portfolio keeps budget, requirements and exclusive groups."""
    chosen = [project for project in projects if project.id in portfolio]
    groups = [project.exclusive_group for project in chosen if project.exclusive_group]
    capex = sum(project.capex_musd for project in chosen)
    return (
        len(chosen) == len(portfolio)
        and capex <= budget_musd + 1e-9 * max(capex, 1.0)
        and len(set(groups)) == len(groups)
        and closure(projects, portfolio) == portfolio
    )


def _least(bound: PriceBound) -> float:
    """Return what no portfolio can be below [USD/day]."""
    saved = sum(max(float(group.constant[0]), 0.0) for group in bound.groups)
    return bound.constant + float(np.minimum(bound.coefficient, 0.0).sum()) - saved


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(deadline - time.perf_counter(), 0.01)
