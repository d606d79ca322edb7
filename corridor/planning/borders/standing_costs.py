"""Time that background traffic spends at posts: it is not rerouted, but it gains from servers."""

from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.network import Network
from corridor.planning.model import Model

FloatArray: TypeAlias = NDArray[np.float64]


def standing_cost(model: Model, before: Network, *, congestion: bool) -> FloatArray:
    """Return the cost of the time of background vehicles at posts, by arc [USD/day], (n_arcs,).

    Formula: vehicles x rate of the layer x (fixed delay + service), and the queue that they would
    make alone; what the flow adds to it is part of the plan. A pool's queue stands on the first of
    its posts. Commodities of background vehicles are not known: the quickest time at the post
    counts, and the mean value of the cargo.

    Parameters
    ----------
    model
        The compiled model.
    before
        The network before any project: background of crossings that are closed there has no cost.
    congestion
        Whether queues cost; without congestion they are part of nobody's choice.
    """
    net, posts, queues = model.supernetwork, model.posts, model.pools.queues
    cost = np.zeros(net.n_arcs)
    rate = np.zeros(len(net.layers))
    rate[posts.pool_layer[posts.stage_pool]] = queues.usd_per_vehicle_h
    way = 2 * net.arc_crossing + net.arc_a_to_b
    at_border = net.arc_crossing >= 0
    per_way = np.bincount(
        way[at_border], model.background_vehicles[at_border], minlength=2 * len(before.crossings)
    )
    mine = ~net.is_copy[posts.arc]
    arcs = posts.arc[mine]
    opened = before.open_crossings[net.arc_crossing[arcs]]
    hours = (posts.fixed_h + posts.service_h)[mine, :-1].min(axis=1, initial=np.inf)
    hours = np.where(np.isfinite(hours), hours, 0.0)
    cost[arcs] = np.where(opened, per_way[way[arcs]] * rate[net.arc_layer[arcs]] * hours, 0.0)
    if not congestion:
        return cost
    base = np.zeros(queues.n_pools)
    base[: posts.n_pools] = posts.pool_base
    alone = replace(queues, base_load=np.zeros_like(queues.base_load)).value(base)
    first = np.full(posts.n_pools, -1)
    first[posts.member_pool[::-1]] = posts.member_post[::-1]
    queue = np.where(before.open_crossings[posts.pool_crossing], alone[: posts.n_pools], 0.0)
    np.add.at(cost, posts.arc[first], queue)
    return cost
