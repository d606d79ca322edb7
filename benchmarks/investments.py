"""The bundled study's projects as one direct integer program, for the peers of ``invest``.

Queues are left out (``congestion=False``), so that everything is linear and both sides solve the
same problem: commodities by class and origin on the arcs that any of them can use, an arc more for
what a project opens or makes cheaper, capacity that projects add to pools, a price of unmet demand,
the budget, requirements and exclusive groups.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

import corridor
from benchmarks.harness import Answer
from corridor.core.flows import HingeDelay, Pools
from corridor.core.graph import Graph
from corridor.core.paths import shortest_paths
from corridor.core.solver import Program
from corridor.network import Demand, Network
from corridor.planning.investment.investments import DISCOUNT_RATE, new_search
from corridor.planning.investment.portfolio_program import MUSD_PER_YEAR, exclusive_groups
from corridor.planning.investment.portfolio_search import Found, PortfolioSearch
from corridor.planning.investment.portfolio_values import affordable
from corridor.planning.investment.project_effects import Case, Effects
from corridor.planning.investment.projects import Project, read_projects
from corridor.sovereignty import Rules
from corridor.study import unbuilt_case

Places: TypeAlias = npt.NDArray[np.intp]
Block: TypeAlias = tuple[Places, Places, Answer]
"""Rows, columns and values of entries."""
VARIANT = "crossroads_full"
"""The rules that leave most projects something to do."""
BUDGET_MUSD = 500.0
SMALL = ("red_bridge_epermit", "caspian_vessels")
"""Projects of the smallest size."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyInstance:
    """What is to be built for, and what can be."""

    network: Network
    demand: Demand
    rules: Rules
    projects: tuple[Project, ...]
    unmet_usd_per_t: float

    def search(self) -> PortfolioSearch:
        """Return a search that knows nothing yet."""
        return new_search(
            self.network, self.demand, self.rules, self.projects, DISCOUNT_RATE,
            congestion=False, unmet_usd_per_t=self.unmet_usd_per_t, plan_tolerance=1e-7,
        )  # fmt: skip

    def invest(self, gap: float, seconds: float | None = None) -> Found:
        """Return the best portfolio, from the tables, within some seconds."""
        deadline = None if seconds is None else time.perf_counter() + seconds
        return self.search().find(BUDGET_MUSD, tolerance=gap, deadline=deadline)

    @property
    def size(self) -> str:
        """Its sizes in words."""
        return f"{len(self.demand.rows)} shipments, {len(self.projects)} projects"


def study_instance(n_shipments: int | None, projects: Sequence[str] | None = None) -> StudyInstance:
    """Return the bundled study with its largest shipments, and projects within the budget."""
    study = corridor.load_study("crossroads")
    network, demand, rules = unbuilt_case(study, VARIANT)
    rows = demand.rows
    if n_shipments is not None:
        rows = rows.nlargest(n_shipments, "t_per_day")
    return StudyInstance(
        network=network,
        demand=Demand(table=rows.reset_index(drop=True), scenario=demand.scenario),
        rules=rules,
        projects=affordable(read_projects(network, projects), BUDGET_MUSD),
        unmet_usd_per_t=study.header.unmet_usd_per_t,
    )


def direct_investment(instance: StudyInstance, *, strong: bool) -> Program:
    """Return the integer program over groups of shipments, arcs and projects [MUSD/year].

    Columns: flow of each group on each arc of use to it, unmet demand of each shipment, load of
    pools above their hinge, projects. The weak form links all flow on a project's arc to the
    project together, the strong one the flow of each group.
    """
    search = instance.search()
    return _Direct(search.values.effects, search.yearly_musd).program(strong=strong)


class _Direct:
    """Builds the program."""

    def __init__(self, effects: Effects, yearly_musd: Answer) -> None:
        self.effects, self.yearly_musd = effects, yearly_musd
        problem = effects.base.problem
        assert problem.rows is None
        assert all(case.keys == effects.base.keys for case in effects.alone)
        self.problem, self.pools = problem, _pools(effects.base)
        self.n_arcs, self.n_nodes = problem.graph.n_arcs, problem.graph.n_nodes
        self.served = np.flatnonzero(
            (problem.demand > 0.0) & (problem.origin != problem.destination)
        )
        classes = np.asarray(problem.commodity_class)[self.served]
        pairs = np.stack([classes, problem.origin[self.served]])
        (self.group_class, self.group_origin), self.group = np.unique(
            pairs, axis=1, return_inverse=True
        )
        self.group = self.group.ravel()
        self._find_flows()

    def _find_flows(self) -> None:
        """List the flow columns: group, arc, cost, project (-1 is none)."""
        costs = [case.problem.open_cost() for case in self.effects.cases[:-1]]
        base = costs[0]
        assert all((one <= base * (1.0 + 1e-12)).all() for one in costs[1:])  # nothing gets dearer
        cheapest = np.minimum.reduce(costs)
        assert np.array_equal(cheapest, self.effects.together.problem.open_cost())
        found = []
        reverse = Graph(self.n_nodes, self.problem.graph.head, self.problem.graph.tail)
        for g, (k, origin) in enumerate(zip(self.group_class, self.group_origin, strict=True)):
            mine = self.served[self.group == g]
            useful = self._useful(cheapest[k], origin, mine, reverse)
            for p, cost in enumerate(costs):
                arcs = np.flatnonzero(useful & np.isfinite(cost[k]))
                if p:
                    arcs = arcs[cost[k, arcs] < base[k, arcs]]
                found.append(
                    np.stack([np.full(arcs.size, g), arcs, cost[k, arcs],
                              np.full(arcs.size, p - 1)])
                )  # fmt: skip
        table = np.concatenate(found, axis=1)
        self.flow_group, self.flow_arc, self.flow_project = table[[0, 1, 3]].astype(np.intp)
        self.flow_cost = table[2]

    def _useful(
        self, cost: Answer, origin: int, shipments: Places, reverse: Graph
    ) -> npt.NDArray[np.bool_]:
        """Return the arcs on some way that is cheaper than to leave the goods at home."""
        ends = np.unique(self.problem.destination[shipments])
        there, _ = shortest_paths(self.problem.graph, cost, np.array([origin]), threads=1)
        onward, _ = shortest_paths(reverse, cost, ends, threads=1)
        tail, head = self.problem.graph.tail, self.problem.graph.head
        way = there[0][tail] + cost + onward.min(axis=0)[head]
        assert self.problem.unmet_cost is not None
        return np.asarray(way <= self.problem.unmet_cost[shipments].max())

    def program(self, *, strong: bool) -> Program:
        """Return the program."""
        problem, cases = self.problem, self.effects.cases[:-1]
        assert isinstance(problem.delay, HingeDelay)
        assert problem.unmet_cost is not None
        limits = [_hinges(case).limit for case in cases]
        price = problem.delay.price
        hinges = np.flatnonzero((price > 0.0) & np.isfinite(limits[0]))
        sizes = (self.flow_arc.size, self.served.size, hinges.size, len(cases) - 1, 1)
        flows, unmet, excess, projects, one = np.split(np.arange(sum(sizes)), np.cumsum(sizes)[:-1])
        rows = _Rows(sum(sizes))
        supply, balance = self._balances(flows, unmet)
        rows.add([balance], supply, supply)
        loads = self._loads(flows)
        room = self._added([_pools(case).capacity for case in cases], projects)
        rows.add([*loads, *room], -np.inf, self.pools.capacity)
        over = self._added(limits, projects)
        beyond = (hinges, excess, -np.ones(hinges.size))
        kept = np.zeros(self.pools.n_pools, np.bool_)
        kept[hinges] = True
        rows.add([*loads, *over, beyond], -np.inf, np.where(kept, limits[0], np.inf))
        for blocks, most in (
            self._links(flows, projects, strong=strong), self._conditions(projects)
        ):  # fmt: skip
            rows.add(blocks, -np.inf, most)
        standing = np.array([case.standing_usd_per_day for case in cases])
        change = standing[1:] - standing[0]
        assert ((change != 0.0).sum(axis=0) <= 1).all()  # so they add up
        daily = [self.flow_cost, problem.unmet_cost[self.served], price[hinges],
                 change.sum(axis=1), standing[:1].sum(axis=1)]  # fmt: skip
        cost = np.concatenate(daily) * MUSD_PER_YEAR
        cost[projects] += self.yearly_musd
        upper = np.full(cost.size, np.inf)
        upper[unmet], upper[projects], upper[one] = problem.demand[self.served], 1.0, 1.0
        lower = np.zeros(cost.size)
        lower[one] = 1.0  # what costs the same whatever is built
        return rows.program(cost, lower, upper, projects)

    def _balances(self, flows: Places, unmet: Places) -> tuple[Answer, Block]:
        """Return what each node sends of each group, and the entries of flows and unmet demand."""
        graph, problem = self.problem.graph, self.problem
        ends = problem.origin[self.served], problem.destination[self.served]
        start, end = (self.group * self.n_nodes + node for node in ends)
        supply = np.zeros(self.group_class.size * self.n_nodes)
        np.add.at(supply, start, problem.demand[self.served])
        np.subtract.at(supply, end, problem.demand[self.served])
        first, ones = self.flow_group * self.n_nodes, np.ones(flows.size)
        row = [first + graph.tail[self.flow_arc], first + graph.head[self.flow_arc], start, end]
        value = [ones, -ones, np.ones(unmet.size), -np.ones(unmet.size)]
        column = [flows, flows, unmet, unmet]
        return supply, (np.concatenate(row), np.concatenate(column), np.concatenate(value))

    def _loads(self, flows: Places) -> list[Block]:
        """Return the entries of flows in pools."""
        place = self.group_class[self.flow_group] * self.n_arcs + self.flow_arc
        blocks: list[Block] = []
        for p, case in enumerate(self.effects.cases[:-1]):
            mine = np.flatnonzero(self.flow_project == p - 1)
            entries = _pools(case).matrix.tocsc()[:, place[mine]].tocoo()
            row = entries.row.astype(np.intp)
            blocks.append((row, flows[mine[entries.col]], entries.data))
        return blocks

    def _added(self, values: Sequence[Answer], projects: Places) -> list[Block]:
        """Return the entries of projects in rows of pools: what they add to a limit."""
        same = [one == values[0] for one in values[1:]]  # inf on both sides, too
        more = np.array(
            [
                np.subtract(one, values[0], out=np.zeros(one.size), where=~alike)
                for one, alike in zip(values[1:], same, strict=True)
            ]
        )
        assert np.isfinite(more).all()
        assert ((more != 0.0).sum(axis=0) <= 1).all()  # so they add up
        project, pool = np.nonzero(more)
        return [(pool, projects[project], -more[project, pool])]

    def _links(
        self, flows: Places, projects: Places, *, strong: bool
    ) -> tuple[list[Block], Answer]:
        """Return the rows that keep flow off what is not built."""
        most = np.bincount(self.group, self.problem.demand[self.served])[self.flow_group]
        mine = np.flatnonzero(self.flow_project >= 0)
        pairs = self.flow_project[mine] * self.n_arcs + self.flow_arc[mine]
        _, joint = np.unique(pairs, return_inverse=True)
        row = np.arange(mine.size, dtype=np.intp) if strong else joint
        each = np.asarray(np.bincount(row, most[mine]), dtype=np.float64)
        project = np.zeros(each.size, np.intp)
        project[row] = self.flow_project[mine]
        flow = (row, flows[mine], np.ones(mine.size))
        return [flow, (np.arange(each.size), projects[project], -each)], np.zeros(each.size)

    def _conditions(self, projects: Places) -> tuple[list[Block], Answer]:
        """Return the rows of the budget, of requirements and of exclusive groups."""
        known = self.effects.projects
        position = {project.id: i for i, project in enumerate(known)}
        capex = np.array([project.capex_musd for project in known]) / BUDGET_MUSD
        rows = [(np.arange(len(known)), capex, 1.0)]
        rows += [
            (np.array([position[project.id], position[other]]), np.array([1.0, -1.0]), 0.0)
            for project in known
            for other in project.requires
        ]
        rows += [
            (np.array(members), np.ones(len(members)), 1.0) for members in exclusive_groups(known)
        ]
        blocks = [
            (np.full(which.size, row), projects[which], values)
            for row, (which, values, _) in enumerate(rows)
        ]
        return blocks, np.array([most for *_, most in rows])


class _Rows:
    """Rows so far: blocks of entries, and the bounds."""

    def __init__(self, n_columns: int) -> None:
        self.n_columns = n_columns
        self.blocks: list[sp.csr_matrix] = []
        self.lower: list[Answer] = []
        self.upper: list[Answer] = []

    def add(self, blocks: Sequence[Block], lower: Answer | float, upper: Answer) -> None:
        """Add rows: entries by place within them; rows without entries are left out."""
        row, column, value = (np.concatenate(part) for part in zip(*blocks, strict=True))
        shape = (upper.size, self.n_columns)
        matrix = sp.csr_matrix(sp.coo_matrix((value, (row, column)), shape=shape))
        kept = (np.diff(matrix.indptr) > 0) & (np.isfinite(upper) | np.isfinite(lower))
        self.blocks.append(matrix[kept])
        self.lower.append(np.broadcast_to(lower, upper.shape)[kept])
        self.upper.append(upper[kept])

    def program(self, cost: Answer, lower: Answer, upper: Answer, integer: Places) -> Program:
        """Return the program."""
        whole = np.zeros(self.n_columns, np.bool_)
        whole[integer] = True
        return Program(
            cost=cost, lower=lower, upper=upper, matrix=sp.csr_matrix(sp.vstack(self.blocks)),
            row_lower=np.concatenate(self.lower), row_upper=np.concatenate(self.upper),
            integer=whole,
        )  # fmt: skip


def _hinges(case: Case) -> HingeDelay:
    assert isinstance(case.problem.delay, HingeDelay)
    return case.problem.delay


def _pools(case: Case) -> Pools:
    assert case.problem.pools is not None
    return case.problem.pools
