"""Why demand is unmet, and which bans bind: cheapest paths with and without the rules."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.paths import arc_paths_batch, shortest_trees
from corridor.planning.model import Model

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]

_RELATIVE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Obstacles:
    """What the bans do to each shipment at given prices.

    Attributes
    ----------
    lawful_usd_per_t, free_usd_per_t : ndarray of float64, shape (n_shipments,)
        Cheapest path under the bans and without them [USD/t]; inf where there is none.
    blocking : tuple of tuple of str
        For each shipment the ids of the bans on its cheapest path without bans.
    """

    lawful_usd_per_t: FloatArray
    free_usd_per_t: FloatArray
    blocking: tuple[tuple[str, ...], ...]

    @property
    def binding(self) -> set[str]:
        """Ids of the bans that make a shipment dearer or stop it."""
        dearer = self.lawful_usd_per_t > self.free_usd_per_t * (1.0 + _RELATIVE)
        return {rule for i in np.flatnonzero(dearer) for rule in self.blocking[i]}


def find_obstacles(model: Model, price_usd_per_t: FloatArray) -> Obstacles:
    """Compare the cheapest paths under the bans with those without them.

    Parameters
    ----------
    model
        The compiled model.
    price_usd_per_t : ndarray of float64, shape (n_classes, n_arcs)
        Price of every arc for every class, capacity prices and marginal delays included [USD/t].
    """
    net = model.supernetwork
    lawful, _, _ = _search(model, np.where(model.allowed, price_usd_per_t, np.inf))
    free, indptr, arcs = _search(model, np.where(net.arc_open, price_usd_per_t, np.inf))
    step_shipment = np.repeat(np.arange(free.size), np.diff(indptr))
    step_class = model.class_of[step_shipment]
    blocking: list[list[str]] = [[] for _ in range(free.size)]
    for ban in model.effects.bans:
        closed = ban.pairs.toarray() > 0.0
        hit = np.unique(step_shipment[closed[step_class, arcs]])
        for shipment in hit:
            blocking[shipment].append(ban.rule_id)
    return Obstacles(
        lawful_usd_per_t=lawful,
        free_usd_per_t=free,
        blocking=tuple(tuple(ids) for ids in blocking),
    )


def _search(model: Model, cost: FloatArray) -> tuple[FloatArray, NDArray[np.int64], IntArray]:
    """Return the cost of each shipment's cheapest path, and the arcs of all of them (none where unreachable)."""
    net, shipments = model.supernetwork, model.shipments
    pairs, tree_of = np.unique(
        np.column_stack((model.class_of, net.source[shipments.origin])), axis=0, return_inverse=True
    )
    tree_of = tree_of.reshape(-1)
    distance, predecessor = shortest_trees(net.graph, cost, pairs[:, 0], pairs[:, 1])
    sinks = net.sink[shipments.destination]
    usd = distance[tree_of, sinks]
    reached = np.flatnonzero(np.isfinite(usd))
    indptr, arcs = arc_paths_batch(net.graph, predecessor, tree_of[reached], sinks[reached])
    sizes = np.zeros(usd.size, np.int64)
    sizes[reached] = np.diff(indptr)
    return usd, np.concatenate(([0], np.cumsum(sizes))), arcs
