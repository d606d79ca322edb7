"""Why demand is unmet, and which bans bind: cheapest ways with and without the rules."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.paths import arc_paths_batch, shortest_trees
from corridor.planning.model import Model
from corridor.sovereignty.effects import Quota, Row

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]
Reason: TypeAlias = Literal["no_path", "rule", "capacity"]

_RELATIVE: Final = 1e-9


class Obstacle(NamedTuple):
    """Why a shipment is not served, and the ids of the rules that stop it."""

    reason: Reason
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ways:
    """The cheapest way of some shipments; arcs of all of them stand in one array.

    ``usd_per_t`` is inf and the way has no arcs where there is none.
    """

    usd_per_t: FloatArray
    indptr: NDArray[np.int64]
    arcs: IntArray
    step_class: IntArray

    def meet(self, met: BoolArray) -> list[int]:
        """Return the ways with a step where ``met`` is True."""
        step_way = np.repeat(np.arange(self.usd_per_t.size), np.diff(self.indptr))
        return [int(way) for way in np.unique(step_way[met])]


def binding_bans(model: Model, price_usd_per_t: FloatArray) -> set[str]:
    """Return the ids of the bans that make a shipment dearer or stop it, at given prices.

    Parameters
    ----------
    model
        The compiled model.
    price_usd_per_t : ndarray of float64, shape (n_classes, n_arcs)
        Price of every arc for every class, capacity prices and marginal delays included [USD/t].
    """
    if not model.effects.bans and not model.effects.paths:
        return set()
    everyone = np.arange(len(model.shipments), dtype=np.int32)
    lawful = _cheapest(model, np.where(model.allowed, price_usd_per_t, np.inf), everyone)
    free = _cheapest(model, _without_bans(model, price_usd_per_t), everyone)
    dearer = lawful.usd_per_t > free.usd_per_t * (1.0 + _RELATIVE)
    met = _bans_met(model, free, everyone)
    return {rule for way in np.flatnonzero(dearer) for rule in met[way]}


def explain_unmet(
    model: Model,
    cost_usd_per_t: FloatArray,
    price_usd_per_t: FloatArray,
    rows: IntArray,
    unmet_usd_per_t: FloatArray,
    full_quotas: frozenset[str],
) -> list[Obstacle]:
    """Return why shipments are not served.

    ``capacity``: a lawful way is worth its cost while the network is empty, so that it is full; the
    rules are the hard quotas, shares and bands that are used up on the cheapest way, empty or at
    the plan's prices.
    ``rule``: only bans, and rules on whole ways, keep the shipment from such a way; the rules are
    those that the cheapest breaks.
    ``no_path``: no open way, rules or not, costs less than leaving the goods.

    Parameters
    ----------
    model
        The compiled model.
    cost_usd_per_t, price_usd_per_t : ndarray of float64, shape (n_classes, n_arcs)
        Cost of every arc on an empty network, and with capacity prices and marginal delays.
    rows : ndarray of int32, shape (n,)
        Shipments that are not served.
    unmet_usd_per_t : ndarray of float64, shape (n_shipments,)
        Price of a tonne that is not served.
    full_quotas
        Ids of the hard quotas that are used up.
    """
    if not rows.size:
        return []
    lawful = _cheapest(model, np.where(model.allowed, cost_usd_per_t, np.inf), rows)
    priced = _cheapest(model, np.where(model.allowed, price_usd_per_t, np.inf), rows)
    free = _cheapest(model, _without_bans(model, cost_usd_per_t), rows)
    bans = _bans_met(model, free, rows)
    quotas = [
        first | second
        for first, second in zip(
            _quotas_met(model, lawful, full_quotas),
            _quotas_met(model, priced, full_quotas),
            strict=True,
        )
    ]
    worth = unmet_usd_per_t[rows]
    obstacles: list[Obstacle] = []
    for way in range(rows.size):
        if lawful.usd_per_t[way] < worth[way]:
            named = tuple(rule.id for rule in model.rules.in_force if rule.id in quotas[way])
            obstacles.append(Obstacle("capacity", named))
        elif free.usd_per_t[way] < worth[way]:
            obstacles.append(Obstacle("rule", tuple(bans[way])))
        else:
            obstacles.append(Obstacle("no_path", ()))
    return obstacles


def _without_bans(model: Model, usd_per_t: FloatArray) -> FloatArray:
    """Return the price of every open arc, of the copies that rules on ways need none."""
    net = model.supernetwork
    return np.where(net.arc_open & ~net.is_copy, usd_per_t, np.inf)


def _bans_met(model: Model, ways: _Ways, rows: IntArray) -> list[list[str]]:
    """Return the bans on each way and the rules that it breaks as a whole, as the rules stand."""
    met: list[set[str]] = [set() for _ in range(ways.usd_per_t.size)]
    for ban in model.effects.bans:
        closed = ban.pairs.toarray() > 0.0
        for way in ways.meet(closed[ways.step_class, ways.arcs]):
            met[way].add(ban.rule_id)
    for rule in model.effects.paths:
        for way, start in enumerate(rule.start[model.class_of[rows]]):
            arcs = ways.arcs[ways.indptr[way] : ways.indptr[way + 1]]
            if start and arcs.size and not rule.automaton.accepts(arcs, start):
                met[way].add(rule.rule_id)
    place = {rule.id: i for i, rule in enumerate(model.rules.in_force)}
    return [sorted(found, key=place.__getitem__) for found in met]


def _quotas_met(model: Model, ways: _Ways, among: frozenset[str]) -> list[set[str]]:
    """Return the quotas among the named ones that each way uses up."""
    met: list[set[str]] = [set() for _ in range(ways.usd_per_t.size)]
    limits: list[Quota | Row] = [*model.effects.quotas, *model.effects.rows]
    for limit in limits:
        if limit.rule_id in among:
            counted = limit.per_t.toarray() > 0.0
            for way in ways.meet(counted[ways.step_class, ways.arcs]):
                met[way].add(limit.rule_id)
    return met


def _cheapest(model: Model, cost: FloatArray, rows: IntArray) -> _Ways:
    """Return the cheapest way of the shipments at these rows; cost by class and arc."""
    net = model.supernetwork
    classes = model.class_of[rows]
    sources = net.source[model.shipments.origin[rows]]
    sinks = net.sink[model.shipments.destination[rows]]
    pairs, tree = np.unique(np.column_stack((classes, sources)), axis=0, return_inverse=True)
    tree = tree.reshape(-1)
    distance, predecessor = shortest_trees(net.graph, cost, pairs[:, 0], pairs[:, 1])
    usd = distance[tree, sinks]
    reached = np.flatnonzero(np.isfinite(usd))
    indptr, arcs = arc_paths_batch(net.graph, predecessor, tree[reached], sinks[reached])
    sizes = np.zeros(usd.size, np.int64)
    sizes[reached] = np.diff(indptr)
    return _Ways(
        usd_per_t=usd,
        indptr=np.concatenate(([0], np.cumsum(sizes))),
        arcs=arcs,
        step_class=np.repeat(classes, sizes),
    )
