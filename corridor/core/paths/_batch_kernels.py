"""Compiled searches under many cost vectors at once; imported only when numba is wanted.

One search serves ``LANES`` scenarios from one origin. Each node has a row of distances, one lane a
scenario, and an arc is relaxed for all lanes in a few vector instructions. The lanes share no
order in which nodes become final, so this is label correcting: a node whose row changed is taken
again. Nodes are ranked by their distance under mean costs, and the lowest changed node goes first;
a row is then taken 1.5 times on average where costs vary by 40 %, and where it would be taken far
more often every lane gets a search of its own.

Distances equal Dijkstra's bit for bit: rounded addition is monotone and costs are >= 0, so the
least fixpoint is unique, whatever the order of relaxations that reaches it.
"""

from typing import NamedTuple

import numpy as np

from corridor.core.graph import FloatArray, Graph, IntArray
from corridor.core.paths._kernels import (
    ZERO_STEP,
    Arcs,
    BoolArray,
    Space,
    compiled,
    grow_tree,
    hang_on,
    pack_row,
    space_for,
)

LANES = 64
"""Scenarios of one search: eight vectors of 512 bits, or sixteen of 256."""

TILE = 8
"""Nodes whose lanes are transposed together: one cache line."""

MOST_TAKES = 32
"""Times a row may be taken on average before single searches are quicker."""

UNREACHED, SEVERAL = -2, -1
"""In ``via``: no lane of the node is reached; the node's row was improved from several nodes."""

N_SAMPLED = 32
"""Scenarios from which mean costs are taken."""


class Lanes(NamedTuple):
    """What searches under many scenarios write to on the way; every thread has its own.

    ``packed`` (n_arcs, LANES) holds the costs of the scenarios of block ``block`` (1,).
    ``distance`` and ``predecessor`` have a row for each node. A node's ``rank`` is its place in
    the order of nodes; ``changed`` goes by places. Single searches take ``space``.
    """

    packed: FloatArray
    block: IntArray
    distance: FloatArray
    predecessor: IntArray
    via: IntArray
    rank: IntArray
    changed: BoolArray
    bound: FloatArray
    space: Space


def lanes_for(graph: Graph) -> Lanes:
    """Return room for searches under many scenarios."""
    n_nodes, n_arcs = graph.n_nodes, graph.n_arcs
    return Lanes(
        packed=np.empty((n_arcs, LANES), dtype=np.float64),
        block=np.full(1, -1, dtype=np.int32),
        distance=np.empty((n_nodes, LANES), dtype=np.float64),
        predecessor=np.empty((n_nodes, LANES), dtype=np.int32),
        via=np.empty(n_nodes, dtype=np.int32),
        rank=np.empty(n_nodes, dtype=np.int32),
        changed=np.empty(n_nodes + 1, dtype=np.bool_),
        bound=np.empty(LANES, dtype=np.float64),
        space=space_for(graph),
    )


@compiled
def mean_costs(cost: FloatArray) -> FloatArray:
    """Return the mean finite cost of each arc over some scenarios, (1, n_arcs); inf for no cost."""
    n_rows, n_arcs = cost.shape
    total, count = np.zeros(n_arcs), np.zeros(n_arcs, dtype=np.int32)
    for row in range(0, n_rows, max(1, n_rows // N_SAMPLED)):
        for arc in range(n_arcs):
            if cost[row, arc] < np.inf:
                total[arc] += cost[row, arc]
                count[arc] += 1
    for arc in range(n_arcs):
        total[arc] = total[arc] / count[arc] if count[arc] else np.inf
    return total.reshape(1, n_arcs)


@compiled
def rank_nodes(arcs: Arcs, cost: FloatArray, origins: IntArray, space: Space) -> IntArray:
    """Return the nodes in the order of their distance from each origin, (n_origins, n_nodes)."""
    n_nodes = arcs.indptr.size - 1
    distance = np.empty(n_nodes)
    predecessor = np.empty(n_nodes, dtype=np.int32)
    everywhere = np.empty(0, dtype=np.int32)
    ranking = np.empty((origins.size, n_nodes), dtype=np.int32)
    pack_row(arcs, cost, 0, space)
    for row in range(origins.size):
        grow_tree(arcs, origins[row], everywhere, distance, predecessor, space)
        ranking[row] = np.argsort(distance)
    return ranking


@compiled
def pack_lanes(arcs: Arcs, cost: FloatArray, block: int, lanes: Lanes) -> None:
    """Pack the costs of a block in CSR order, one lane a scenario, unless they are packed already.

    Lanes beyond the last scenario repeat it.
    """
    if lanes.block[0] == block:
        return
    lanes.block[0] = block
    order, packed = arcs.order, lanes.packed
    first, last = block * LANES, cost.shape[0] - 1
    for position in range(order.size):
        arc = order[position]
        for lane in range(LANES):
            packed[position, lane] = cost[min(first + lane, last), arc]


@compiled
def farthest(destinations: IntArray, via: IntArray, distance: FloatArray, out: FloatArray) -> None:
    """Write the largest distance of the destinations in each lane."""
    out[:] = 0.0
    for node in destinations:
        if via[node] == UNREACHED:
            out[:] = np.inf
            return
        for lane in range(LANES):
            out[lane] = max(out[lane], distance[node, lane])


@compiled
def search_lanes(  # noqa: C901, PLR0912, PLR0915 - calls with arrays would double its time
    arcs: Arcs, origin: int, ranking: IntArray, destinations: IntArray, lanes: Lanes
) -> bool:
    """Search from one origin in all lanes; return whether it stayed within ``MOST_TAKES``.

    Rows of nodes with ``via`` ``UNREACHED`` are not written. Nodes farther than every destination
    are not followed; without destinations all nodes are.

    An arc back to the only node that improved a row since it was last taken cannot improve that
    node: going there and back costs no less than nothing.
    """
    indptr, neighbor = arcs.indptr, arcs.neighbor
    packed, distance, via = lanes.packed, lanes.distance, lanes.via
    rank, changed, bound = lanes.rank, lanes.changed, lanes.bound
    n_nodes = int(ranking.size)
    for place in range(n_nodes):
        rank[ranking[place]] = place
    beyond = n_nodes
    if destinations.size > 0:
        beyond = 0
        for node in destinations:
            beyond = max(beyond, rank[node] + 1)
    via[:] = UNREACHED
    changed[:] = False
    changed[n_nodes] = True  # ends the search for the next changed node
    via[origin] = SEVERAL
    distance[origin] = 0.0
    place = rank[origin]
    changed[place] = True
    bound_is_old = True
    n_left = MOST_TAKES * n_nodes
    while True:
        while not changed[place]:
            place += 1
        if place == n_nodes:
            return True
        if n_left == 0:
            return False
        n_left -= 1
        node = ranking[place]
        changed[place] = False
        if place < beyond:
            bound_is_old = True
        else:
            if bound_is_old:
                farthest(destinations, via, distance, bound)
                bound_is_old = False
            useful = False
            for lane in range(LANES):
                useful |= distance[node, lane] < bound[lane]
            if not useful:
                continue
        source = via[node]
        for position in range(indptr[node], indptr[node + 1]):
            target = neighbor[position]
            if target == source:
                continue
            if via[target] == UNREACHED:
                for lane in range(LANES):
                    distance[target, lane] = distance[node, lane] + packed[position, lane]
                via[target] = node
            else:
                better = False
                for lane in range(LANES):
                    there = distance[node, lane] + packed[position, lane]
                    old = distance[target, lane]
                    distance[target, lane] = min(old, there)
                    better |= there < old
                if not better:
                    continue
                fresh = not changed[rank[target]]
                via[target] = node if fresh or via[target] == node else SEVERAL
            changed[rank[target]] = True
            place = min(place, rank[target])


@compiled
def search_singly(
    arcs: Arcs,
    cost: FloatArray,
    first: int,
    origin: int,
    lanes: Lanes,
) -> None:
    """Do the same by one search for each scenario from ``first`` on."""
    n_nodes, distance = lanes.via.size, lanes.distance
    row = np.empty(n_nodes)
    predecessor = np.empty(n_nodes, dtype=np.int32)
    everywhere = np.empty(0, dtype=np.int32)
    lanes.via[:] = SEVERAL
    for lane in range(min(LANES, cost.shape[0] - first)):
        pack_row(arcs, cost, first + lane, lanes.space)
        grow_tree(arcs, origin, everywhere, row, predecessor, lanes.space)
        for node in range(n_nodes):
            distance[node, lane] = row[node]


@compiled
def write_lanes(
    nodes: IntArray, distance: FloatArray, via: IntArray, n_lanes: int, out: FloatArray
) -> None:
    """Write the rows of some nodes into columns of ``out`` (n_lanes, n_nodes)."""
    for start in range(0, nodes.size, TILE):
        stop = min(start + TILE, nodes.size)
        for lane in range(n_lanes):
            for column in range(start, stop):
                node = nodes[column]
                out[lane, column] = np.inf if via[node] == UNREACHED else distance[node, lane]


@compiled
def fill_skims(
    arcs: Arcs,
    cost: FloatArray,
    origins: IntArray,
    ranking: IntArray,
    destinations: IntArray,
    first: int,
    last: int,
    offset: int,
    lanes: Lanes,
    out: FloatArray,
) -> None:
    """Fill units ``first .. last - 1`` of ``out`` (n_scenarios, n_origins, n_destinations).

    A unit is one origin under ``LANES`` scenarios; the origin varies fastest. ``origins`` are
    those of ``out`` from ``offset`` on.
    """
    together = True
    for unit in range(first, last):
        block, row = unit // origins.size, unit % origins.size
        start = block * LANES
        if together:
            pack_lanes(arcs, cost, block, lanes)
            together = search_lanes(arcs, origins[row], ranking[row], destinations, lanes)
        if not together:
            search_singly(arcs, cost, start, origins[row], lanes)
        n_lanes = min(LANES, cost.shape[0] - start)
        found = out[start : start + n_lanes, offset + row]
        write_lanes(destinations, lanes.distance, lanes.via, n_lanes, found)


@compiled
def find_predecessors(arcs: Arcs, lanes: Lanes) -> None:
    """Write the lowest arc that reaches each node from a nearer one, ``ZERO_STEP`` without one."""
    packed, distance = lanes.packed, lanes.distance
    via, predecessor = lanes.via, lanes.predecessor
    for node in range(via.size):
        predecessor[node] = ZERO_STEP
        if via[node] == UNREACHED:
            distance[node] = np.inf
    for node in range(via.size):
        if via[node] == UNREACHED:
            continue
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            target, arc = arcs.neighbor[position], arcs.order[position]
            for lane in range(LANES):
                here, there = distance[node, lane], distance[target, lane]
                tight = (here + packed[position, lane] == there) & (here < there)
                old = predecessor[target, lane]
                predecessor[target, lane] = arc if tight & (arc < old) else old


@compiled
def write_trees(
    origin: int,
    predecessor: IntArray,
    distance: FloatArray,
    n_lanes: int,
    out: IntArray,
) -> None:
    """Write predecessors into ``out`` (n_lanes, n_nodes), -1 at the origin and where unreachable.

    ``distance`` (n_lanes, n_nodes) is written already.
    """
    n_nodes = out.shape[1]
    for start in range(0, n_nodes, TILE):
        for lane in range(n_lanes):
            for node in range(start, min(start + TILE, n_nodes)):
                found = predecessor[node, lane]
                out[lane, node] = found if distance[lane, node] < np.inf else -1
    out[:, origin] = -1


@compiled
def grow_batch(
    arcs: Arcs,
    cost: FloatArray,
    origins: IntArray,
    ranking: IntArray,
    first: int,
    last: int,
    offset: int,
    lanes: Lanes,
    distance: FloatArray,
    predecessor: IntArray,
) -> None:
    """Fill units of distances and trees (n_scenarios, n_origins, n_nodes); see ``fill_skims``."""
    n_nodes = arcs.indptr.size - 1
    nodes, everywhere = np.arange(n_nodes, dtype=np.int32), np.empty(0, dtype=np.int32)
    together = True
    for unit in range(first, last):
        block, row = unit // origins.size, unit % origins.size
        start, column = block * LANES, offset + row
        stop = min(start + LANES, cost.shape[0])
        pack_lanes(arcs, cost, block, lanes)
        if together:
            together = search_lanes(arcs, origins[row], ranking[row], everywhere, lanes)
        if not together:
            search_singly(arcs, cost, start, origins[row], lanes)
        find_predecessors(arcs, lanes)
        found, trees = distance[start:stop, column], predecessor[start:stop, column]
        write_lanes(nodes, lanes.distance, lanes.via, stop - start, found)
        write_trees(origins[row], lanes.predecessor, found, stop - start, trees)
        for scenario in range(start, stop):
            row_distance, tree = distance[scenario, column], predecessor[scenario, column]
            hang_on(arcs, cost[scenario], row_distance, tree, lanes.space)
