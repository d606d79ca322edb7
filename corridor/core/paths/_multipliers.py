"""Lagrange multipliers of resource limits: a bound on the cost of a path within the limits.

With prices m >= 0 on the use of resources, no path p within the limits costs less than
min over all paths of (cost + m @ use) - m @ limits (Handler and Zang 1980). The same holds from
any label onwards, which makes cost + m @ use one more criterion with a ceiling of its own.
"""

import math
from dataclasses import dataclass

import numpy as np

from corridor.core.graph import FloatArray, Graph, IntArray
from corridor.core.paths.trees import shortest_trees

N_ROUNDS = 60
PATIENCE = 4
"""Rounds without a better bound after which steps are halved."""

ROUNDING = 1e-9
"""Share of the priced limits that a bound must exceed to prove anything."""

FIRST_GUESS = 0.05
"""How far above the bound, in shares of it, the cost is taken to be until a path is known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Multipliers:
    """The best multipliers found.

    Parameters
    ----------
    price
        float64 (n_resources,), >= 0.
    bound
        No path within the limits costs less.
    cost
        What the cheapest of the paths met on the way that keep the bounds costs; inf if none did.
    """

    price: FloatArray
    bound: float
    cost: float


def find_multipliers(
    graph: Graph,
    criteria: FloatArray,
    lower: FloatArray,
    limits: FloatArray,
    origin: int,
    destination: int,
) -> Multipliers:
    """Raise the bound by subgradient steps of Polyak's length.

    Parameters
    ----------
    criteria
        (1 + n_resources, n_arcs), cost first; inf closes an arc. The destination can be reached.
    lower, limits
        (1 + n_resources,) bounds of the totals; only finite limits get a price.
    """
    turned = Graph(graph.n_nodes, graph.head, graph.tail)
    # In shares of the limits, so that one step length suits all of them.
    unit = np.where(np.isfinite(limits[1:]) & (limits[1:] > 0), limits[1:], np.inf)
    is_open = np.isfinite(criteria[0])
    cost, use = criteria[0, is_open], criteria[1:, is_open] / unit[:, np.newaxis]
    weight = np.full(graph.n_arcs, np.inf)
    price, best = (
        np.zeros(len(unit)),
        Multipliers(price=np.zeros(len(unit)), bound=-math.inf, cost=math.inf),
    )
    factor, last_gain = 1.0, 0
    for step in range(N_ROUNDS):
        weight[is_open] = cost + price @ use
        distance, tree = shortest_trees(turned, weight[np.newaxis], [0], [destination], threads=1)
        total = criteria[:, _path_to(graph, tree[0], origin)].sum(axis=1)
        keeps = bool((total >= lower).all() and (total <= limits).all())
        bound = float(distance[0, origin] - price[np.isfinite(unit)].sum())
        if bound > best.bound:
            last_gain = step
        elif step - last_gain >= PATIENCE:
            factor, last_gain = 0.5 * factor, step
        best = Multipliers(
            price=price / unit if bound > best.bound else best.price,
            bound=max(bound, best.bound),
            cost=min(best.cost, float(total[0]) if keeps else math.inf),
        )
        excess = np.where(np.isfinite(unit), total[1:] / unit - 1.0, 0.0)
        length = float(excess @ excess)
        aim = min(best.cost, best.bound + FIRST_GUESS * abs(best.bound) + 1.0)
        if length == 0.0 or aim <= best.bound:
            break
        price = np.maximum(price + factor * (aim - bound) / length * excess, 0.0)
    return best


def exceeds_limits(
    graph: Graph, criteria: FloatArray, limits: FloatArray, origin: int, destination: int
) -> bool:
    """Return whether multipliers prove that every path passes some limit.

    They do when price @ use is above price @ limits on every path. False says nothing.
    Parameters are those of ``find_multipliers``.
    """
    free = np.vstack([np.where(np.isfinite(criteria[:1]), 0.0, np.inf), criteria[1:]])
    nothing = np.zeros(len(limits))
    best = find_multipliers(graph, free, nothing, limits, origin, destination)
    priced = best.price > 0
    return best.bound > ROUNDING * float(best.price[priced] @ limits[1:][priced])


def _path_to(graph: Graph, tree: IntArray, origin: int) -> IntArray:
    """Return the arcs from ``origin`` on along a tree of the graph turned round."""
    arcs = []
    node = origin
    while tree[node] >= 0:
        arcs.append(int(tree[node]))
        node = int(graph.head[arcs[-1]])
    return np.array(arcs, dtype=np.int32)
