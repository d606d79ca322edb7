"""The search for the portfolio of least regret: one integer program over several scenarios.

With ``f_s(x)`` the yearly cost of portfolio x in scenario s, and ``z_s`` its least over all
portfolios, the regret of x is ``f_s(x) - z_s``. Each scenario has a search of its own, which gives
``z_s`` and lower bounds on ``f_s`` (`corridor.planning.investment.portfolio_search`). The bounds of
all scenarios together make one program::

    minimize    t
    subject to  t >= f_s(x) - z_s                          for each scenario s
                f_s(x) >= every bound learned in s
                x within budget, requirements and exclusive groups

whose optimum is below the greatest regret of every portfolio. The portfolio that it chooses is
solved in each scenario, which tightens the bounds there, until nothing is left between. So no list
of candidates is needed, and the answer is the best of all portfolios. The mean regret is minimized
in the same way, with the same bounds.

References
----------
P. Kouvelis and G. Yu, "Robust Discrete Optimization and Its Applications", Kluwer (1997);
H. Aissi, C. Bazgan and D. Vanderpooten, "Min-max and min-max regret versions of combinatorial
optimization problems: a survey", European Journal of Operational Research 197 (2009) 427-438.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.solver import solve
from corridor.planning.investment.portfolio_program import (
    MUSD_PER_YEAR,
    Places,
    Rows,
    add_conditions,
    is_buildable,
    leave_out,
)
from corridor.planning.investment.portfolio_search import (
    Found,
    Interrupt,
    PortfolioSearch,
    seconds_left,
    stopped,
)
from corridor.planning.investment.portfolio_values import Portfolio

FloatArray: TypeAlias = NDArray[np.float64]
Goal: TypeAlias = Literal["greatest", "mean"]
RegretProgress: TypeAlias = Callable[[str, int, float, float], None]
"""Told after each portfolio: the scenario, or what regret is minimized; how many portfolios were
solved there; the best and its bound [MUSD/year]."""

GOALS: Final[tuple[Goal, ...]] = ("greatest", "mean")
_WHOLE: Final = 0.5


@dataclass(slots=True, kw_only=True, eq=False)
class RegretSearch:
    """Finds the portfolios of least greatest and least mean regret.

    Parameters
    ----------
    searches
        Scenario -> its search; all have the same projects, in the same order.
    budget_musd
        Sum of the capex of the projects, at most [MUSD].
    found
        Scenario -> its best portfolio, once it is searched.
    bounds
        Goal -> proved lower bound on that regret of every portfolio [MUSD/year].
    limit
        What stopped the search, ``time`` or ``interrupt``; empty where nothing did.
    """

    searches: Mapping[str, PortfolioSearch]
    budget_musd: float
    found: dict[str, Found] = field(default_factory=dict)
    bounds: dict[Goal, float] = field(default_factory=lambda: dict.fromkeys(GOALS, 0.0))
    limit: str = ""
    _deadline: float | None = None
    _interrupt: Interrupt | None = None

    def run(
        self,
        tolerance: float,
        deadline: float | None,
        progress: RegretProgress | None,
        interrupt: Interrupt | None,
    ) -> None:
        """Search each scenario, solve the optima of all in all, and minimize both regrets.

        Parameters
        ----------
        tolerance
            Gap at which each search stops, relative to the largest cost of a scenario.
        deadline, interrupt
            As for `PortfolioSearch.find`.
        progress
            Told after each portfolio.
        """
        self._deadline, self._interrupt = deadline, interrupt
        try:
            for name, search in self.searches.items():
                if self._is_stopped():
                    return
                self._search(name, search, tolerance, progress)
            if any(one.value is None for one in self.found.values()):
                return
            for one in list(self.found.values()):
                if one.value is not None:
                    self._evaluate(one.value.projects)
            for goal in GOALS:
                self._minimize(goal, tolerance, progress)
        except KeyboardInterrupt:
            self.limit = "interrupt"

    def _search(
        self, name: str, search: PortfolioSearch, tolerance: float, progress: RegretProgress | None
    ) -> None:
        def tell(solved: int, least: float, bound: float) -> None:
            if progress is not None:
                progress(name, solved, least, bound)

        self.found[name] = search.find(
            self.budget_musd, tolerance=tolerance, deadline=self._deadline, progress=tell,
            interrupt=self._interrupt,
        )  # fmt: skip
        self.limit = self.limit or self.found[name].limit

    # -- regrets ------------------------------------------------------------------------------

    @property
    def portfolios(self) -> list[Portfolio]:
        """Portfolios that may be built and were solved in every scenario searched."""
        known = [self.searches[name].values.known for name in self.found]
        if not known:
            return []
        projects = next(iter(self.searches.values())).values.projects
        return [
            portfolio
            for portfolio in known[0]
            if all(portfolio in values for values in known)
            and is_buildable(projects, portfolio, self.budget_musd)
        ]

    def costs(self, portfolios: Sequence[Portfolio]) -> tuple[FloatArray, FloatArray]:
        """Return costs and their lower bounds, shape (n_portfolios, n_searched) [MUSD/year]."""
        searches = [self.searches[name] for name in self.found]
        shape = (len(portfolios), len(searches))
        pairs = [(s, s.values.known[portfolio]) for portfolio in portfolios for s in searches]
        return (
            np.array([s.cost(value) for s, value in pairs]).reshape(shape),
            np.array([s.least_cost(value) for s, value in pairs]).reshape(shape),
        )

    def unmet_prices(self, portfolios: Sequence[Portfolio]) -> FloatArray:
        """Return the price of unmet demand in their costs, shape as `costs` [MUSD/year]."""
        searches = [self.searches[name] for name in self.found]
        values = [s.values.known[portfolio] for portfolio in portfolios for s in searches]
        prices = np.array([value.unmet_usd_per_day for value in values]) * MUSD_PER_YEAR
        return prices.reshape(len(portfolios), len(searches))

    def unmet_prices_of_best(self) -> FloatArray:
        """Return the price of unmet demand at the best of each scenario searched [MUSD/year]."""
        best = [one.value for one in self.found.values()]
        prices = [np.nan if value is None else value.unmet_usd_per_day for value in best]
        return np.array(prices) * MUSD_PER_YEAR

    def optima(self) -> FloatArray:
        """Return the least cost that is known in each scenario searched [MUSD/year]."""
        found = np.array([one.cost_musd_per_year for one in self.found.values()])
        known = self.costs(self.portfolios)[0].min(axis=0, initial=np.inf)
        return np.asarray(np.minimum(found, known), dtype=np.float64)

    def _regrets(self, goal: Goal, portfolios: Sequence[Portfolio]) -> tuple[FloatArray, float]:
        """Return lower bounds on the regrets of portfolios, and the least regret that is known."""
        cost, least = self.costs(portfolios)
        best = self.optima()
        known = float(over(goal, above(cost, best)).min(initial=np.inf))
        return over(goal, above(least, best)), known

    # -- the integer program ------------------------------------------------------------------

    def _minimize(self, goal: Goal, tolerance: float, progress: RegretProgress | None) -> None:
        slack = tolerance * float(np.abs(self.optima()).max())
        settled: list[Portfolio] = []
        while not self._is_stopped():
            known = self.portfolios
            _, least = self._regrets(goal, known)
            if least - self.bounds[goal] <= slack:
                return
            chosen, others = self._choose(goal, settled)
            proved = self._regrets(goal, settled)[0].min(initial=np.inf)
            self.bounds[goal] = max(self.bounds[goal], min(float(proved), others, least))
            if chosen is None:
                self.limit = self.limit or ("" if others == np.inf else "time")
                return
            if chosen in known:
                # Rounding lets the program choose it again; its own bound serves from now on.
                settled.append(chosen)
            else:
                self._evaluate(chosen)
            if progress is not None:
                now = self._regrets(goal, self.portfolios)[1]
                progress(f"{goal} regret", len(self.portfolios), now, self.bounds[goal])

    def _choose(self, goal: Goal, settled: Sequence[Portfolio]) -> tuple[Portfolio | None, float]:
        """Return the portfolio that the bounds allow to be regretted least, and its bound.

        Columns: a project each, the use above the floor in each scenario, the greatest regret.
        """
        searches, best = list(self.searches.values()), self.optima()
        projects = searches[0].values.projects
        n, n_scenarios = len(projects), len(searches)
        rows = Rows(n, n_scenarios + 1)
        add_conditions(rows, projects, self.budget_musd)
        above = np.array([one.floor_musd_per_year for one in searches]) - best
        for s, search in enumerate(searches):
            places = Places(projects=tuple((i,) for i in range(n)), use=n + s)
            search.add_learned(rows, places)
            columns, entries = places.spread(search.yearly_musd)
            greatest = n + n_scenarios
            rows.add([*columns, n + s, greatest], [*entries, 1.0, -1.0], -above[s], money=True)
        for portfolio in settled:
            leave_out(rows, searches[0].values.mask(portfolio), places)
        cost = np.zeros(n + n_scenarios + 1)
        if goal == "greatest":
            cost[-1] = 1.0
        else:
            cost[:n] = np.mean([one.yearly_musd for one in searches], axis=0)
            cost[n:-1] = 1.0 / n_scenarios
        program, unit = rows.program(cost)
        limit = seconds_left(self._deadline)
        answer = solve(program, time_limit=limit, effort="proof")
        if answer.x is None:
            return None, np.inf if answer.status == "infeasible" else -np.inf
        constant = 0.0 if goal == "greatest" else float(above.mean())
        ids = searches[0].values.ids
        chosen = frozenset(ids[i] for i in np.flatnonzero(answer.x[:n] > _WHOLE))
        return chosen, float(answer.bound) * unit + constant

    def _evaluate(self, portfolio: Portfolio) -> None:
        """Solve a portfolio in every scenario."""
        for search in self.searches.values():
            if self._is_stopped():
                return
            search.values.solve(portfolio, seconds_left(self._deadline))

    def _is_stopped(self) -> bool:
        self.limit = self.limit or stopped(self._deadline, self._interrupt)
        return bool(self.limit)


def over(goal: Goal, regrets: FloatArray) -> FloatArray:
    """Return the greatest or mean of regrets over scenarios (columns), not below 0.

    Where a portfolio is unlawful in a scenario its regret is inf.
    """
    found: FloatArray = regrets.max(axis=1) if goal == "greatest" else regrets.mean(axis=1)
    return np.maximum(found, 0.0)


def above(cost: FloatArray, best: FloatArray) -> FloatArray:
    """Return by how much costs are above the best of each scenario, not below 0.

    Inf where a portfolio is unlawful, even where every portfolio is.
    """
    finite = np.isfinite(cost)
    return np.asarray(
        np.where(finite, np.maximum(np.where(finite, cost, 0.0) - best, 0.0), np.inf),
        dtype=np.float64,
    )
