"""What projects do to a flow problem: cases side by side, and what they save at given prices.

A case is a network with some projects. At any prices of capacity and delay Lagrange's function
bounds the cost of every case from below, and it falls apart into shortest paths and curves, each of
which knows few projects. So the prices of one solved case say how little every other can cost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.flows import FlowProblem
from corridor.network import Demand, Network
from corridor.planning.borders.standing_costs import standing_cost
from corridor.planning.investment.projects import Project, network_with
from corridor.planning.investment.welfare import welfare_problem
from corridor.planning.model import Model, compile_model
from corridor.planning.pools import POST
from corridor.sovereignty import Rules

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.intp]
BoolArray: TypeAlias = NDArray[np.bool_]
Key: TypeAlias = tuple[Any, ...]

_STAGE_FIELDS: Final = (
    "stage_share", "stage_service_h", "stage_arrival_scv", "stage_service_scv", "stage_open_h",
)  # fmt: skip
_EXACT: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A network with some projects, compiled.

    Attributes
    ----------
    model, problem
        The model, and its flow problem in resources and time.
    keys
        What each pool is, the same in every case.
    signs
        Everything that a pool's curve and capacity depend on.
    standing_usd_per_day : ndarray of float64, shape (n_arcs,)
        Time of background vehicles at posts, see `standing_cost`.
    """

    model: Model
    problem: FlowProblem
    standing_usd_per_day: FloatArray
    keys: tuple[Key, ...]
    signs: tuple[Key, ...]


def compile_case(
    network: Network,
    demand: Demand,
    rules: Rules | None,
    projects: Iterable[str],
    *,
    congestion: bool,
    unmet_usd_per_t: float,
) -> Case:
    """Return the case of some projects."""
    model = compile_model(network_with(network, projects), demand, rules)
    problem = welfare_problem(model, congestion=congestion, unmet_usd_per_t=unmet_usd_per_t)
    keys, signs = _describe_pools(model)
    return Case(
        model=model,
        problem=problem,
        keys=keys,
        signs=signs,
        standing_usd_per_day=standing_cost(model, network, congestion=congestion),
    )


def _describe_pools(model: Model) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """Return what each pool is, and what its curve depends on."""
    posts, table, overruns = model.posts, model.pools.table, model.pools.overruns
    columns = (
        table["kind"], table["item"], model.pools.pools.capacity, overruns.limit, overruns.price,
    )  # fmt: skip
    ends = np.searchsorted(posts.stage_pool, np.arange(posts.n_pools + 1))
    members: list[list[int]] = [[] for _ in range(posts.n_pools)]
    for pool, post in zip(posts.member_pool.tolist(), posts.member_post.tolist(), strict=True):
        members[pool].append(post)
    keys: list[Key] = []
    signs: list[Key] = []
    for pool, (kind, item, *curve) in enumerate(zip(*columns, strict=True)):
        if kind != POST:
            keys.append((kind, item))
            signs.append(tuple(map(float, curve)))
            continue
        stages = slice(ends[pool], ends[pool + 1])
        keys.append((kind, item, tuple(posts.stage_row[stages].tolist()), tuple(members[pool])))
        rest = [tuple(getattr(posts, name)[stages].tolist()) for name in _STAGE_FIELDS]
        servers = tuple(posts.stage_servers[stages].tolist())
        signs.append((float(curve[0]), servers, float(posts.pool_base[pool]), *rest))
    return tuple(keys), tuple(signs)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effects:
    """What each project alone does, and all of them together; see `compare_cases`.

    Attributes
    ----------
    projects
        In the order of the columns of every bound.
    base, alone, together
        The case without projects, with each alone and with all.
    index
        Position of the pools of each case among the keys of all: base, each alone, together.
    n_keys
        Number of these keys.
    worsens : ndarray of bool, shape (n_projects,)
        Projects that may make something worse: they are no pure gain, even at no cost.
    aligned
        Whether prices of one case can be carried to the others.
    """

    projects: tuple[Project, ...]
    base: Case
    alone: tuple[Case, ...]
    together: Case
    index: tuple[IntArray, ...]
    n_keys: int
    worsens: BoolArray
    aligned: bool

    @property
    def cases(self) -> tuple[Case, ...]:
        """Base, each alone, together."""
        return (self.base, *self.alone, self.together)


def compare_cases(
    projects: Sequence[Project], base: Case, alone: Sequence[Case], together: Case
) -> Effects:
    """Return what projects do, from compiled cases.

    Parameters
    ----------
    projects
        The projects.
    base, alone, together
        The case without projects, the cases of each alone, and of all (exclusive ones too: it only
        serves for bounds).
    """
    cases = (base, *alone, together)
    numbers: dict[Key, int] = {}
    for case in cases:
        for key in case.keys:
            numbers.setdefault(key, len(numbers))
    unique = all(len(set(case.keys)) == len(case.keys) for case in cases)
    return Effects(
        projects=tuple(projects),
        base=base,
        alone=tuple(alone),
        together=together,
        index=tuple(np.array([numbers[key] for key in case.keys], np.intp) for case in cases),
        n_keys=len(numbers),
        worsens=np.array([_worsens(base, case) for case in alone], np.bool_),
        aligned=unique and all(_is_aligned(base, case) for case in cases),
    )


def _is_aligned(base: Case, other: Case) -> bool:
    """Whether two cases have the same graph, classes and side rows."""
    first, second = base.problem, other.problem
    if first.graph.n_arcs != second.graph.n_arcs or first.cost.shape != second.cost.shape:
        return False
    same_graph = np.array_equal(first.graph.tail, second.graph.tail) and np.array_equal(
        first.graph.head, second.graph.head
    )
    if (first.rows is None) != (second.rows is None):
        return False
    if first.rows is None or second.rows is None:
        return same_graph
    same_rows = first.rows.matrix.shape == second.rows.matrix.shape and (
        abs(first.rows.matrix - second.rows.matrix).nnz == 0
    )
    bounds = np.array_equal(first.rows.lower, second.rows.lower) and np.array_equal(
        first.rows.upper, second.rows.upper
    )
    return same_graph and same_rows and bounds


def _worsens(base: Case, case: Case) -> bool:
    """Whether a project may make anything worse than it was.

    It may unless arcs only open and get cheaper, and pools only get larger or get more servers,
    which never lengthens an M/G/c queue.
    """
    if case.problem.cost.shape != base.problem.cost.shape:
        return True
    dearer = _rises(case.problem.open_cost(), base.problem.open_cost())
    return (
        dearer
        or _rises(case.standing_usd_per_day, base.standing_usd_per_day)
        or _pools_may_worsen(base, case)
    )


def _rises(now: FloatArray, before: FloatArray) -> bool:
    scale = np.where(np.isfinite(before), np.abs(before), 1.0)
    return bool((now > before + _EXACT * scale).any())


def _pools_may_worsen(base: Case, case: Case) -> bool:
    """Whether pools are others, are loaded otherwise, or hold or pass less."""
    if case.keys != base.keys:
        return True
    signs = zip(case.signs, base.signs, strict=True)
    if any(now != before and not _is_better(now, before) for now, before in signs):
        return True
    now, before = case.problem.pools, base.problem.pools
    if now is None or before is None:
        return now is not before
    return bool(abs(now.matrix - before.matrix).nnz > 0)


def _is_better(sign: Key, before: Key) -> bool:
    """Whether a pool with a sign passes as much as before, at no longer queues."""
    if len(sign) != len(before) or sign[0] < before[0]:
        return False
    if not isinstance(sign[1], tuple):
        return bool(sign[1] >= before[1] and sign[2] <= before[2])
    more = all(now >= then for now, then in zip(sign[1], before[1], strict=True))
    return more and bool(sign[2:] == before[2:])
