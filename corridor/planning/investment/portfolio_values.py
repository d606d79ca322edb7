"""What a portfolio costs to use: solved cases, kept, and the bounds that their prices give."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.flows import FlowResult, PathColumns, min_cost_flow
from corridor.errors import SolverError
from corridor.network import Demand, Network
from corridor.planning.investment.price_bounds import PriceBound, PriceBounds
from corridor.planning.investment.project_effects import Case, Effects, compare_cases, compile_case
from corridor.planning.investment.projects import (
    NO_SHARE,
    Project,
    rival_projects,
    touched_crossings,
)
from corridor.planning.model import Model
from corridor.planning.plans import broken_rules
from corridor.sovereignty import Rules

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
Portfolio: TypeAlias = frozenset[str]

_ROUNDING = 1e-6
"""Share of a cost by which a bound may be above it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Value:
    """What the best use of a network with a portfolio costs.

    Attributes
    ----------
    projects
        The portfolio.
    status
        ``optimal``, ``feasible`` (time ran out), ``infeasible`` (rules contradict each other) or
        ``unknown``.
    cost_usd_per_day
        Resources and time, queues included, without unmet demand [USD/day]; inf where infeasible.
    background_usd_per_day
        Time of background vehicles at posts, queues of their own included [USD/day].
    unmet_usd_per_day, unmet_t_per_day
        Price of unmet demand [USD/day], and its tonnes [t/day].
    unmet_value_usd_per_day
        What the goods that stay at home are worth themselves [USD/day].
    bound_usd_per_day
        Proved lower bound on all together, unmet demand at its price [USD/day].
    rules
        Ids of the rules that open posts break, where it is infeasible.
    """

    projects: Portfolio
    status: str
    cost_usd_per_day: float
    background_usd_per_day: float
    unmet_usd_per_day: float
    unmet_t_per_day: float
    unmet_value_usd_per_day: float
    bound_usd_per_day: float
    rules: tuple[str, ...] = ()

    @property
    def total_usd_per_day(self) -> float:
        """Cost, time of the background and price of unmet demand: what the search counts."""
        return self.resources_usd_per_day + self.unmet_usd_per_day

    @property
    def resources_usd_per_day(self) -> float:
        """Resources and time of what is carried and of the background [USD/day]."""
        return self.cost_usd_per_day + self.background_usd_per_day


@dataclass(slots=True, kw_only=True, eq=False)
class PortfolioValues:
    """Solves cases, each once, each from the paths of those before.

    Parameters
    ----------
    network, demand, rules
        As in `corridor.plan`; the network has none of the projects.
    projects
        Projects that may be built.
    congestion, unmet_usd_per_t, tolerance
        As in `corridor.plan`.
    """

    network: Network
    demand: Demand
    rules: Rules | None
    projects: tuple[Project, ...]
    congestion: bool
    unmet_usd_per_t: float
    tolerance: float
    known: dict[Portfolio, Value] = field(default_factory=dict)
    bounds: list[PriceBound] = field(default_factory=list)
    _columns: PathColumns | None = None
    _n_arcs: int = -1
    _effects: Effects | None = None
    _kept: tuple[str, ...] | None = None
    _hurried: set[Portfolio] = field(default_factory=set)
    _maker: PriceBounds | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the projects, in their order."""
        return tuple(project.id for project in self.projects)

    def mask(self, portfolio: Iterable[str]) -> BoolArray:
        """Return which of the projects a portfolio has, shape (n_projects,)."""
        chosen = set(portfolio)
        return np.array([name in chosen for name in self.ids], np.bool_)

    def case(self, portfolio: Iterable[str]) -> Case:
        """Return the compiled case of a portfolio."""
        return compile_case(
            self.network, self.demand, self.rules, portfolio,
            congestion=self.congestion, unmet_usd_per_t=self.unmet_usd_per_t,
        )  # fmt: skip

    @property
    def effects(self) -> Effects:
        """What the projects do."""
        if self._effects is None:
            alone = [self.case([name]) for name in self.ids]
            together = self.case(self.ids)
            found = compare_cases(self.projects, self.case([]), alone, together)
            rivals = self.mask(rival_projects(self.network, self.ids))
            self._effects = replace(found, worsens=found.worsens | rivals)
        return self._effects

    @property
    def kept_breaches(self) -> tuple[str, ...]:
        """Ids of the rules that open posts break whatever is built; none where a project may help.

        A breach stays where no project sets anything at its crossing. Breaches under a seal hang on
        ways, which any project may change.
        """
        if self.solve(()).status != "infeasible":
            return ()
        if self._kept is None:
            breaches = self.case([]).model.breaches
            touched = touched_crossings(self.network, self.ids, but=NO_SHARE)
            self._kept = tuple(
                sorted({b.rule_id for b in breaches if not b.seal_id
                        and b.crossing_id not in touched})
            )  # fmt: skip
        return self._kept

    @property
    def barred(self) -> dict[str, tuple[str, ...]]:
        """Projects all of whose crossings the rules close to all goods, and the ids of the rules.

        A project that touches no crossing is not among them.
        """
        found = {}
        for name, case in zip(self.ids, self.effects.alone if self.ids else (), strict=True):
            crossings = touched_crossings(self.network, [name])
            rules = closing_rules(case.model, crossings)
            if rules:
                found[name] = rules
        return found

    def solve(self, portfolio: Iterable[str], time_limit: float | None = None) -> Value:
        """Return the value of a portfolio, solved once; a new one adds the bound of its prices.

        Parameters
        ----------
        portfolio
            Ids of projects.
        time_limit
            Seconds for the solver, or None; without one, what ran out of time is solved again.
        """
        key = frozenset(portfolio)
        if key not in self.known or (time_limit is None and key in self._hurried):
            case = self.case(key)
            self.known[key] = value = self._solved(key, case, time_limit)
            self._hurried.discard(key)
            if value.status not in ("optimal", "infeasible") and time_limit is not None:
                self._hurried.add(key)
            self._check(value)
        return self.known[key]

    def solve_otherwise(self, network: Network, portfolio: Iterable[str]) -> Value:
        """Return the value of a portfolio whose projects do what another network's rows say.

        Nothing is learned from it, and it is not kept.
        """
        case = compile_case(
            network, self.demand, self.rules, portfolio,
            congestion=self.congestion, unmet_usd_per_t=self.unmet_usd_per_t,
        )  # fmt: skip
        return self._solved(frozenset(portfolio), case, None, learns=False)

    def relax(self, portfolio: Iterable[str], time_limit: float | None = None) -> float:
        """Return a lower bound on the cost of a case whatever its posts inspect [USD/day].

        The portfolio may be one that cannot be built, such as all projects at once.
        """
        case = self.case(portfolio)
        result = self._flow(case, time_limit)
        self._learn(case, result, self.mask(portfolio))
        return float(result.bound) + float(case.standing_usd_per_day.sum())

    def solve_flow(self, portfolio: Iterable[str]) -> tuple[Case, FlowResult]:
        """Return the case of a portfolio with its solution, for tables."""
        case = self.case(portfolio)
        return case, self._flow(case, None)

    def _solved(
        self, key: Portfolio, case: Case, time_limit: float | None, *, learns: bool = True
    ) -> Value:
        if case.model.breaches:
            return _no_value(key, "infeasible", tuple(sorted(broken_rules(case.model))))
        result = self._flow(case, time_limit)
        if result.status not in ("optimal", "feasible"):
            return _no_value(key, result.status)
        if learns:
            self._learn(case, result, self.mask(key))
        standing = float(case.standing_usd_per_day.sum())
        return Value(
            projects=key,
            status=result.status,
            cost_usd_per_day=float(result.flow_cost + result.delay_cost),
            background_usd_per_day=standing,
            unmet_usd_per_day=float(result.unmet_cost),
            unmet_t_per_day=float(np.sum(result.unmet)),
            unmet_value_usd_per_day=float(result.unmet @ goods_usd_per_t(case.model)),
            bound_usd_per_day=float(result.bound) + standing,
        )

    def _check(self, value: Value) -> None:
        """Hold a solved portfolio against every bound that was to be true of it."""
        chosen, cost = self.mask(value.projects), value.total_usd_per_day
        most = max((bound.value(chosen) for bound in self.bounds), default=-np.inf)
        if most > cost + _ROUNDING * abs(cost):
            msg = (
                "A bound must be below what a portfolio costs; the one on "
                f"{', '.join(sorted(value.projects)) or 'no project'} is {most:.6g} USD a day, "
                f"above its {cost:.6g}. Projects whose effects meet in a way that this version "
                "does not foresee: please report it with the table of projects."
            )
            raise SolverError(msg)

    def _flow(self, case: Case, time_limit: float | None) -> FlowResult:
        n_arcs = case.problem.graph.n_arcs
        columns = self._columns if n_arcs == self._n_arcs else None
        result = min_cost_flow(
            case.problem, tolerance=self.tolerance, time_limit=time_limit, columns=columns
        )
        if result.status in ("optimal", "feasible"):
            self._columns, self._n_arcs = result.columns, n_arcs
        return result

    def _learn(self, case: Case, result: FlowResult, chosen: BoolArray) -> None:
        """Keep the bound that the prices of a solution give."""
        if not self.projects or not self.effects.aligned or result.status != "optimal":
            return
        if self._maker is None:
            self._maker = PriceBounds(self.effects)
        self.bounds.append(self._maker.bound(case, result, chosen))


def closing_rules(model: Model, crossings: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of the bans that close every open arc of crossings to every class of goods.

    Of each crossing those that close it alone, or else all that close a part of it. None where some
    goods may pass one of the crossings, or none of them is open.
    """
    net = model.supernetwork
    names = model.network.crossings["crossing_id"].tolist()
    named: set[str] = set()
    for crossing in crossings:
        arcs = np.flatnonzero((net.arc_crossing == names.index(crossing)) & net.arc_open)
        if model.allowed[:, arcs].any():
            return ()
        pairs = {ban.rule_id: ban.pairs[:, arcs].nnz for ban in model.effects.bans}
        alone = {rule for rule, n in pairs.items() if n == arcs.size * len(model.allowed)}
        named |= (alone or {rule for rule, n in pairs.items() if n}) if arcs.size else set()
    return tuple(dict.fromkeys(b.rule_id for b in model.effects.bans if b.rule_id in named))


def goods_usd_per_t(model: Model) -> FloatArray:
    """Return what a tonne of each shipment is worth itself [USD/t], shape (n_shipments,)."""
    value = model.network.commodities["value_usd_per_t"].to_numpy(float)
    return np.asarray(value[model.shipments.commodity], dtype=np.float64)


def _no_value(key: Portfolio, status: str, rules: tuple[str, ...] = ()) -> Value:
    return Value(
        projects=key,
        status=status,
        cost_usd_per_day=np.inf,
        background_usd_per_day=0.0,
        unmet_usd_per_day=0.0,
        unmet_t_per_day=np.nan,
        unmet_value_usd_per_day=np.nan,
        rules=rules,
        bound_usd_per_day=np.inf if status == "infeasible" else -np.inf,
    )


def affordable(projects: Sequence[Project], budget_musd: float) -> tuple[Project, ...]:
    """Return the projects that fit into a budget together with everything that they require."""
    by_id = {project.id: project for project in projects}

    def cost(name: str, seen: frozenset[str]) -> dict[str, float]:
        found = {name: by_id[name].capex_musd}
        for other in by_id[name].requires:
            if other not in seen:
                found |= cost(other, seen | found.keys())
        return found

    slack = 1e-9 * max(budget_musd, 1.0) if np.isfinite(budget_musd) else 0.0
    return tuple(
        project
        for project in projects
        if sum(cost(project.id, frozenset()).values()) <= budget_musd + slack
    )
