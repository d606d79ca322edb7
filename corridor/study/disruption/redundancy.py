"""How many ways there are: routes that share no link, and what the next best costs."""

from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

from corridor.network.supernetwork import ArcKind
from corridor.planning import Model
from corridor.study.cooperation.cheapest_ways import cheapest_ways

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]

_MANY: Final = 1000
"""Capacity of what is no link: loading and changing at a place is no obstacle."""


def redundancy_table(model: Model) -> pd.DataFrame:
    """Return how each shipment could go if links of its best way were closed.

    Costs are those of an empty network, queues as the background makes them.

    Returns
    -------
    DataFrame
        ``origin, destination, commodity, t_per_day, disjoint_routes`` (most routes of which no two
        share a link), ``bottleneck`` (a link that all ways share, where there is but one route),
        ``best_usd_per_t, next_usd_per_t`` (cheapest way that shares no link with the best; NaN
        where there is none) and ``extra_usd_per_t``.
    """
    rows = np.flatnonzero(model.t_per_day > 0.0)
    cost = np.where(model.allowed, model.class_cost(with_wait=True), np.inf)
    best = cheapest_ways(model, cost, model.class_of[rows], rows)
    links = model.supernetwork.arc_link
    second = cost[model.class_of[rows]].copy()
    for position in range(rows.size):
        used = links[best.arcs[best.indptr[position] : best.indptr[position + 1]]]
        second[position, np.isin(links, used[used >= 0])] = np.inf
    following = cheapest_ways(model, second, np.arange(rows.size), rows)
    routes, bottleneck = _disjoint_routes(model, rows)
    goods = model.shipments
    table = pd.DataFrame(
        {
            "origin": goods.places[goods.origin[rows]],
            "destination": goods.places[goods.destination[rows]],
            "commodity": goods.commodities[goods.commodity[rows]],
            "t_per_day": model.t_per_day[rows],
            "disjoint_routes": routes,
            "bottleneck": pd.Series(bottleneck, dtype=str),
            "best_usd_per_t": np.where(np.isfinite(best.usd_per_t), best.usd_per_t, np.nan),
            "next_usd_per_t": np.where(
                np.isfinite(following.usd_per_t), following.usd_per_t, np.nan
            ),
        }
    )
    table["extra_usd_per_t"] = table["next_usd_per_t"] - table["best_usd_per_t"]
    return table


def _disjoint_routes(model: Model, rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[str]]:
    """Return the most link-disjoint routes of some shipments (Menger), and a link of a single one.

    By maximum flow with a capacity of one on every link and direction.
    """
    net, goods = model.supernetwork, model.shipments
    source, sink = net.source[goods.origin[rows]], net.sink[goods.destination[rows]]
    ends = np.column_stack((model.class_of[rows], source, sink))
    alike, group = np.unique(ends, axis=0, return_inverse=True)
    ids = model.network.links["link_id"].tolist()
    routes, names = np.zeros(len(alike), np.int64), [""] * len(alike)
    on_link = ~net.is_kind(ArcKind.TRANSFER, ArcKind.ACCESS, ArcKind.EGRESS)
    capacity = np.where(on_link, 1, _MANY).astype(np.int32)
    shape = (net.graph.n_nodes, net.graph.n_nodes)
    last = -1
    graph: sparse.csr_array[np.int32, tuple[int, int]] | None = None
    for position, (class_row, start, end) in enumerate(alike.tolist()):
        if graph is None or class_row != last:
            arcs = np.flatnonzero(model.allowed[class_row])
            ends_of = (net.graph.tail[arcs], net.graph.head[arcs])
            graph = sparse.coo_array((capacity[arcs], ends_of), shape=shape).tocsr()
            last = class_row
        found = maximum_flow(graph, start, end)
        routes[position] = found.flow_value
        if found.flow_value == 1:
            names[position] = ids[_cut_link(model, graph, found.flow, start)]
    each = group.reshape(-1)
    return routes[each], [names[position] for position in each.tolist()]


def _cut_link(
    model: Model,
    graph: "sparse.csr_array[Any, tuple[int, int]]",
    flow: "sparse.csr_array[Any, Any]",
    source: int,
) -> int:
    """Return the link that closes the only route: it leaves what the source can still reach."""
    net = model.supernetwork
    left = sparse.csr_array(graph - flow)
    left.data = np.maximum(left.data, 0)
    left.eliminate_zeros()
    inside = np.zeros(net.graph.n_nodes, np.bool_)
    inside[breadth_first_order(left, source, return_predecessors=False)] = True
    leaves = inside[net.graph.tail] & ~inside[net.graph.head] & (net.arc_link >= 0)
    pairs = flow.tocoo()
    carries = set(
        zip(pairs.row[pairs.data > 0].tolist(), pairs.col[pairs.data > 0].tolist(), strict=True)
    )
    for arc in np.flatnonzero(leaves).tolist():
        if (int(net.graph.tail[arc]), int(net.graph.head[arc])) in carries:
            return int(net.arc_link[arc])
    return int(net.arc_link[np.flatnonzero(leaves)[0]])
