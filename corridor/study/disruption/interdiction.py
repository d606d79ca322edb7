"""The worst closures of a number of things at once, and the variants that stand them best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from corridor.arguments import check_count
from corridor.core.solver import Program, solve
from corridor.errors import InputError, SolverError
from corridor.network import Demand, Network
from corridor.planning import Model
from corridor.planning.plans import UNMET_USD_PER_T
from corridor.planning.reasons.refusals import check_lawful
from corridor.planning.tables import SEPARATOR
from corridor.sovereignty import Rules
from corridor.study.cooperation.cheapest_ways import Ways, cheapest_ways
from corridor.study.disruption.interruptions import Interruptible, compile_closures
from corridor.study.studies import Study, chosen_variants

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
Target: TypeAlias = Literal["crossing", "link", "state"]

TARGETS: Final[tuple[Target, ...]] = ("crossing", "link", "state")
_PRECISION: Final = 1e-9
"""Part of the cost by which the bound may exceed the worst closures found."""
_MOST_ROUNDS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorstClosures:
    """The closures that hurt most, on an empty network, and the proof.

    Attributes
    ----------
    items
        What closes.
    loss_usd_per_day
        What goods that still have a way cost more [USD/day].
    cut_off_t_per_day
        Goods without a way any more, or with none below the price of staying [t/day].
    weighted_usd_per_day, bound_usd_per_day
        What was maximized: the loss, and the price of staying for goods cut off; and what no
        closures of so many things exceed.
    served_usd_per_day
        Cost with nothing closed.
    rounds
        Programs solved.
    """

    items: tuple[str, ...]
    loss_usd_per_day: float
    cut_off_t_per_day: float
    weighted_usd_per_day: float
    bound_usd_per_day: float
    served_usd_per_day: float
    rounds: int


def worst_closures(
    network: Network,
    demand: Demand,
    rules: Rules | None = None,
    n_closures: int = 2,
    *,
    kind: Target = "crossing",
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    time_limit: float | None = None,
) -> WorstClosures:
    r"""Return the closures of a number of things that hurt most.

    Whoever closes them knows that goods then take their cheapest ways: maximize over closures x the
    sum of t (least cost over routes r of ``c_r + sum of (M - c_r) x_a over a on r``), M being the
    price of staying. Routes are found as they are needed (cut generation): a program proposes
    closures, shortest ways tell what they cost and give new routes, until the program's bound is
    met. Capacities and queues are neglected; plan the closures found with `corridor.resilience` to
    see what they make of it.

    Parameters
    ----------
    network, demand, rules, unmet_usd_per_t
        As in `corridor.plan`.
    n_closures
        Things that close at once, >= 1.
    kind
        ``crossing``, ``link`` (inside states) or ``state`` (to goods that are not its own).
    time_limit
        Seconds, or None; the bound says how much worse it could be.

    Returns
    -------
    WorstClosures
        The worst closures found, and the bound.

    Raises
    ------
    InputError
        If an argument is out of its range, or there are fewer things than are to close.
    NoRouteError
        If open posts do not meet an inspection floor, so that there is no plan.

    References
    ----------
    E. Israeli and R. K. Wood, "Shortest-path network interdiction", Networks 40 (2002) 97-111.
    """
    _check(n_closures, kind, unmet_usd_per_t)
    case = compile_closures(network, demand, rules)
    check_lawful(case.model)
    return _Interdiction(case, kind, n_closures, unmet_usd_per_t).run(time_limit)


def robust_variants(
    study: Study,
    variants: Sequence[str] | None = None,
    n_closures: int = 2,
    *,
    kind: Target = "crossing",
    progress: Callable[[int, int, str], None] | None = None,
) -> pd.DataFrame:
    """Return how each variant stands its own worst closures, the most robust first.

    Parameters
    ----------
    study
        The study.
    variants
        Ids; all by default. Variants whose rules leave no plan are left out.
    n_closures, kind
        As in `worst_closures`.
    progress
        Told ``(done, total, variant)``.

    Returns
    -------
    DataFrame
        ``variant, items`` (joined with ``>``), ``served_usd_per_day`` (nothing closed),
        ``loss_usd_per_day, cut_off_t_per_day, bound_usd_per_day, rounds`` and ``rank``, by the
        least cost after the worst has happened.
    """
    known = chosen_variants(study, variants)
    ids = known if variants is None else list(variants)
    records, weights = [], []
    for done, name in enumerate(ids, start=1):
        network, demand, rules = study.case(name)
        _check(n_closures, kind, study.header.unmet_usd_per_t)
        case = compile_closures(network, demand, rules)
        if not case.model.breaches:
            found = _Interdiction(case, kind, n_closures, study.header.unmet_usd_per_t).run(None)
            records.append(
                (
                    name, SEPARATOR.join(found.items), found.served_usd_per_day,
                    found.loss_usd_per_day, found.cut_off_t_per_day, found.bound_usd_per_day,
                    found.rounds,
                )
            )  # fmt: skip
            weights.append(found.weighted_usd_per_day)
        if progress is not None:
            progress(done, len(ids), name)
    columns = ["variant", "items", "served_usd_per_day", "loss_usd_per_day"]
    columns += ["cut_off_t_per_day", "bound_usd_per_day", "rounds"]
    table = pd.DataFrame(records, columns=columns)
    order = np.argsort(np.array(weights), kind="stable")
    table = table.iloc[order].reset_index(drop=True)
    table["rank"] = np.arange(1, len(table) + 1)
    return table


def _check(n_closures: int, kind: str, unmet_usd_per_t: float) -> None:
    check_count("n_closures", n_closures)
    if kind not in TARGETS:
        msg = f"kind must be one of {', '.join(TARGETS)}; found {kind!r}."
        raise InputError(msg)
    if not (np.isfinite(unmet_usd_per_t) and unmet_usd_per_t > 0):
        msg = f"unmet_usd_per_t must be a finite price > 0; found {unmet_usd_per_t}. 5000 is usual."
        raise InputError(msg)


@dataclass(slots=True, eq=False)
class _Cuts:
    """Routes found: ``theta_g - sum of rise x_a <= cost``."""

    group: list[int] = field(default_factory=list)
    cost: list[float] = field(default_factory=list)
    items: list[IntArray] = field(default_factory=list)
    known: set[tuple[int, tuple[int, ...], float]] = field(default_factory=set)

    def add(self, group: int, items: IntArray, cost: float) -> bool:
        """Add a route; False where it is known."""
        key = (group, tuple(items.tolist()), cost)
        if key in self.known:
            return False
        self.known.add(key)
        self.group.append(group)
        self.cost.append(cost)
        self.items.append(items)
        return True


class _Interdiction:
    """Who closes things against who goes around."""

    def __init__(
        self, case: Interruptible, kind: Target, n_closures: int, unmet_usd_per_t: float
    ) -> None:
        self._model: Model = case.model
        model, net = case.model, case.model.supernetwork
        self._unmet, self._k = unmet_usd_per_t, n_closures
        self._names, self._item = _targets(case, kind)
        if len(self._names) < n_closures:
            msg = (
                f"There must be at least as many things to close as are to close at once; found "
                f"{len(self._names)} of kind {kind}, wanted {n_closures}."
            )
            raise InputError(msg)
        self._cost = np.where(model.allowed, model.class_cost(with_wait=True), np.inf)
        rows = np.flatnonzero(model.t_per_day > 0.0)
        goods = model.shipments
        key = np.column_stack(
            (model.class_of, net.source[goods.origin], net.sink[goods.destination])
        )
        _, first, group = np.unique(key[rows], axis=0, return_index=True, return_inverse=True)
        self._rows: NDArray[np.int64] = rows[first]
        self._t = np.bincount(group.reshape(-1), model.t_per_day[rows], minlength=first.size)
        self._cuts, self._fresh = _Cuts(), 0
        # No closures of k things stop all of k + 1 routes that have no two in common.
        self._most = self._disjoint_routes()

    def _disjoint_routes(self) -> FloatArray:
        """Keep routes that share nothing that may close; return what a group pays at most."""
        classes = self._model.class_of[self._rows]
        shut = np.zeros((self._rows.size, len(self._names) + 1), np.bool_)
        most = np.full(self._rows.size, np.inf)
        for _ in range(self._k + 1):
            left = np.flatnonzero(np.isinf(most))
            cost = self._cost[classes[left]].copy()
            # The last column stands for what cannot close.
            cost[shut[left[:, None], self._item[classes[left]]]] = np.inf
            ways = cheapest_ways(self._model, cost, np.arange(left.size), self._rows[left])
            items = self._met(ways)
            for position, group in enumerate(left.tolist()):
                usd = float(ways.usd_per_t[position])
                if usd >= self._unmet:
                    most[group] = self._unmet
                    continue
                self._cuts.add(group, items[position], usd)
                shut[group, items[position]] = True
                if not items[position].size:
                    most[group] = usd
            last = np.where(np.isfinite(ways.usd_per_t), ways.usd_per_t, self._unmet)
        still = np.isinf(most)
        most[still] = last[still[left]]
        return np.asarray(np.minimum(most, self._unmet), dtype=np.float64)

    def _met(self, ways: Ways) -> list[IntArray]:
        """Return what may close on each way, each thing once."""
        step_item = self._item[ways.step_class(self._model), ways.arcs]
        ends = list(zip(ways.indptr[:-1].tolist(), ways.indptr[1:].tolist(), strict=True))
        met = (step_item[first:last] for first, last in ends)
        return [np.unique(items[items >= 0]).astype(np.int32) for items in met]

    def _seed(self) -> None:
        """Keep the routes that groups take when one thing on their cheapest way closes."""
        classes = self._model.class_of[self._rows]
        first = self._ways(np.zeros(0, np.int64))
        meets = self._met(first)
        of_item: dict[int, list[int]] = {}
        for group, items in enumerate(meets):
            for item in items.tolist():
                of_item.setdefault(item, []).append(group)
        for item, groups in sorted(of_item.items()):
            some = np.array(groups)
            rows, row = np.unique(classes[some], return_inverse=True)
            cost = np.where(self._item[rows] == item, np.inf, self._cost[rows])
            ways = cheapest_ways(self._model, cost, row.reshape(-1), self._rows[some])
            for group, usd, items in zip(groups, ways.usd_per_t, self._met(ways), strict=True):
                if usd < self._most[group]:
                    self._cuts.add(group, items, float(usd))

    def run(self, time_limit: float | None) -> WorstClosures:
        """Return the worst closures."""
        self._seed()
        free = self._response(np.zeros(0, np.int64))
        base = self._weighted(free)
        served = np.minimum(free, self._unmet)
        at_home = free >= self._unmet
        best, worst, bound, rounds = base, np.zeros(0, np.int64), np.inf, 0
        while rounds < _MOST_ROUNDS and bound - best > _PRECISION * max(abs(best), 1.0):
            rounds += 1
            closed, bound = self._propose(time_limit)
            usd = self._response(closed)
            if self._weighted(usd) > best:
                best, worst = self._weighted(usd), closed
            if not self._fresh:
                break
        usd = self._ways(worst).usd_per_t
        cut = (usd >= self._unmet) & ~at_home
        kept = ~cut & ~at_home
        return WorstClosures(
            items=tuple(self._names[i] for i in worst.tolist()),
            loss_usd_per_day=float(self._t[kept] @ (usd[kept] - served[kept])),
            cut_off_t_per_day=float(self._t[cut].sum()),
            weighted_usd_per_day=best,
            bound_usd_per_day=max(bound, best),
            served_usd_per_day=float(self._t[~at_home] @ served[~at_home]),
            rounds=rounds,
        )

    def _weighted(self, usd_per_t: FloatArray) -> float:
        return float(self._t @ np.minimum(usd_per_t, self._unmet))

    def _ways(self, closed: NDArray[np.int64]) -> Ways:
        classes = self._model.class_of[self._rows]
        cost: FloatArray = np.where(np.isin(self._item, closed), np.inf, self._cost)
        return cheapest_ways(self._model, cost, classes, self._rows)

    def _response(self, closed: NDArray[np.int64]) -> FloatArray:
        """Return what the groups pay when things are closed, and keep their routes."""
        ways = self._ways(closed)
        items, self._fresh = self._met(ways), 0
        for group in np.flatnonzero(ways.usd_per_t < self._most).tolist():
            self._fresh += self._cuts.add(group, items[group], float(ways.usd_per_t[group]))
        return ways.usd_per_t

    def _propose(self, time_limit: float | None) -> tuple[NDArray[np.int64], float]:
        """Return the closures that hurt most on the routes known, and what they could cost."""
        n_items, n_groups, cuts = len(self._names), self._t.size, self._cuts
        group: NDArray[np.int64] = np.array(cuts.group, np.int64)
        cost: FloatArray = np.array(cuts.cost, np.float64)
        sizes = np.array([items.size for items in cuts.items], np.int64)
        row: NDArray[np.int64] = np.repeat(np.arange(group.size), sizes)
        item = np.concatenate(cuts.items) if cuts.items else np.zeros(0, np.int32)
        rise = np.maximum(self._most[group] - cost, 0.0)[row]
        entries: FloatArray = np.concatenate((np.ones(group.size), -rise, np.ones(n_items)))
        rows: NDArray[np.int64] = np.concatenate(
            (np.arange(group.size), row, np.full(n_items, group.size))
        )
        columns: NDArray[np.int64] = np.concatenate((n_items + group, item, np.arange(n_items)))
        matrix = sparse.csr_matrix(
            (entries, (rows, columns)), shape=(group.size + 1, n_items + n_groups)
        )
        answer = solve(
            Program(
                np.concatenate((np.zeros(n_items), -self._t)),
                np.zeros(n_items + n_groups),
                np.concatenate((np.ones(n_items), self._most)),
                matrix,
                np.full(group.size + 1, -np.inf),
                np.append(cost, float(self._k)),
                np.arange(n_items + n_groups) < n_items,
            ),
            time_limit=time_limit,
            relative_gap=_PRECISION / 10,
        )
        if answer.x is None:
            msg = f"The program of the worst closures ended {answer.status}; it always has a point."
            raise SolverError(msg)
        return np.flatnonzero(answer.x[:n_items] > _HALF), -float(answer.bound)


_HALF: Final = 0.5


def _targets(case: Interruptible, kind: Target) -> tuple[list[str], IntArray]:
    """Return what may close, and which of it each class meets on each arc, -1 for none."""
    model, net, network = case.model, case.model.supernetwork, case.model.network
    shape = (len(model.classes), net.n_arcs)
    if kind == "state":
        names = list(case.bans)
        item = np.full(shape, -1, np.int32)
        for position, name in enumerate(names):
            item[case.bans[name].nonzero()] = position
        return names, item
    if kind == "crossing":
        return network.crossings["crossing_id"].tolist(), np.broadcast_to(net.arc_crossing, shape)
    inland = np.where(net.arc_crossing < 0, net.arc_link, np.int32(-1))
    inland[np.isin(inland, np.unique(net.arc_link[net.arc_crossing >= 0]))] = -1
    return network.links["link_id"].tolist(), np.broadcast_to(inland, shape)
