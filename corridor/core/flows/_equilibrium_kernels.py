"""Compiled steps of gradient projection; imported only when an equilibrium is sought.

Paths of a commodity form a linked list: ``paths.first[commodity]`` is the first and
``paths.after[path]`` the next, -1 ends it. Every change of an arc's flow updates its cost at once,
so each commodity sees what the ones before it did (Gauss-Seidel).
"""

from typing import NamedTuple

import numpy as np

from corridor.core.flows._arrays import BoolArray, FloatArray, IntArray, LongArray
from corridor.core.flows._curves import (
    AKCELIK,
    AKCELIK_MARGINAL,
    BPR_FOUR,
    BPR_REAL,
    BPR_WHOLE,
    CONICAL,
    CONICAL_MARGINAL,
    STRAIGHT,
)
from corridor.core.paths._kernels import (
    Arcs,
    Heap,
    compiled,
    empty_heap,
    heap_drop,
    heap_push,
    inlined,
)

MOST_TAKES = 4
"""Times a node may be taken on average before a heap decides which is next."""

MOST_MOVES = 4
"""Places a node may move up on average when the order of the next search is made."""

OVERSHOOT = 0.5
"""Share of a difference of costs by which a step may overshoot."""

MOST_CUTS = 60
"""Halvings of a step, enough to reach rounding."""

FREE, ONCE, SHARED = 0, 1, -1
"""In ``mark``: arcs of neither path or of the dear one; of the cheap one; of both."""


class Loads(NamedTuple):
    """Flow of each arc and what follows from it; pseudo-arcs of elastic demand come last.

    ``cost`` (n_classes, n) is ``extra`` plus the curve's cost, ``slope`` (n,) its derivative.
    """

    code: IntArray
    parameter: FloatArray
    extra: FloatArray
    flow: FloatArray
    cost: FloatArray
    slope: FloatArray


class Paths(NamedTuple):
    """Paths of all commodities; path p is ``arcs[start[p]:stop[p]]``, first arc first."""

    first: IntArray
    after: IntArray
    start: LongArray
    stop: LongArray
    flow: FloatArray
    arcs: IntArray


class Work(NamedTuple):
    """Commodities with several paths, side by side, and only the arcs in which those differ.

    Entries ``first[i]:first[i + 1]`` are the paths of ``commodity[i]``; entry e is the path
    ``path[e]`` with ``arcs[start[e]:start[e + 1]]`` and ``flow[e]``.
    """

    commodity: IntArray
    row: IntArray
    first: IntArray
    path: IntArray
    start: IntArray
    flow: FloatArray
    arcs: IntArray


class Trees(NamedTuple):
    """One tree for each class and origin; its commodities are ``start[tree]:start[tree + 1]``.

    ``order`` (n_trees, n_nodes) has the nodes of each tree by the distance they had last.
    """

    row: IntArray
    origin: IntArray
    start: IntArray
    destination: IntArray
    order: IntArray
    predecessor: IntArray


class Prices(NamedTuple):
    """Cheapest cost of each commodity, what is spent above it, and whether its path is new."""

    least: FloatArray
    excess: FloatArray
    is_new: BoolArray


@inlined
def cost_and_slope(  # noqa: C901 - one branch a kind of curve
    code: int, p: FloatArray, flow: float
) -> tuple[float, float]:
    """Return cost and its derivative; ``p`` as `CurveTable` has it."""
    x = max(flow, 0.0) * p[2]
    cost, slope = p[0], 0.0
    if code == BPR_FOUR:
        cube = x * x * x
        cost = p[0] + p[1] * (cube * x)
        slope = 4.0 * p[1] * p[2] * cube
    elif code == STRAIGHT:
        cost, slope = p[0] + p[1] * flow, p[1]
    elif code == BPR_WHOLE:
        power, last = int(p[3]), 1.0
        for _ in range(power - 1):
            last *= x
        cost = p[0] + p[1] * last * x
        slope = power * p[1] * p[2] * last
    elif code == BPR_REAL:
        # The slope of a power below 1 is infinite at 0; a finite one lets the first step be made.
        last = max(x, 1e-9) ** (p[3] - 1.0)
        cost = p[0] + p[1] * last * x
        slope = p[3] * p[1] * p[2] * last
    elif code in (CONICAL, CONICAL_MARGINAL):
        y = p[1] * (1.0 - x)
        root = np.sqrt(y * y + p[3] * p[3])
        gain = p[3] * p[3] / (root + y) if y > 0.0 else root - y
        cost = p[4] + p[0] * (2.0 - p[3] + gain)
        slope = p[0] * p[1] * p[2] * gain / root
        if code == CONICAL_MARGINAL:
            bend = p[0] * (p[1] * p[2] * p[3]) ** 2 / (root * root * root)
            cost, slope = cost + flow * slope, 2.0 * slope + flow * bend
    elif code in (AKCELIK, AKCELIK_MARGINAL):
        z = x - 1.0
        root = np.sqrt(z * z + p[3] * x)
        gain = p[3] * x / (root - z) if z < 0.0 else root + z
        cost = p[0] + p[1] * gain
        lean, rest = z + 0.5 * p[3], p[3] * (1.0 - 0.25 * p[3])
        total = rest / (root - lean) if lean < 0.0 else root + lean
        slope = p[1] * p[2] * total / root
        if code == AKCELIK_MARGINAL:
            bend = p[1] * p[2] * p[2] * rest / (root * root * root)
            cost, slope = cost + flow * slope, 2.0 * slope + flow * bend
    elif x < 1.0:  # EXCESS
        cost, slope = p[0] - p[1] * np.log1p(-x), p[1] * p[2] / (1.0 - x)
    else:
        cost, slope = np.inf, np.inf
    return cost, slope


@inlined
def update(loads: Loads, arc: int) -> None:
    """Make cost and slope of an arc what its flow says."""
    cost, slope = cost_and_slope(loads.code[arc], loads.parameter[arc], loads.flow[arc])
    loads.slope[arc] = slope
    for row in range(loads.cost.shape[0]):
        loads.cost[row, arc] = loads.extra[row, arc] + cost


@compiled
def update_all(loads: Loads) -> None:
    """Make all costs and slopes what the flows say."""
    for arc in range(loads.flow.size):
        update(loads, arc)


@compiled
def curve_costs(loads: Loads, flow: FloatArray, first: int, out: FloatArray) -> None:
    """Write the costs that the curves from ``first`` on have at other flows."""
    for arc in range(first, flow.size):
        out[arc], _ = cost_and_slope(loads.code[arc], loads.parameter[arc], flow[arc])


@compiled
def add_flows(paths: Paths, first: int, last: int, out: FloatArray) -> None:
    """Add the flows of the commodities ``first .. last - 1`` up, by arc."""
    out[:] = 0.0
    for commodity in range(first, last):
        path = paths.first[commodity]
        while path >= 0:
            flow = paths.flow[path]
            for place in range(paths.start[path], paths.stop[path]):
                out[paths.arcs[place]] += flow
            path = paths.after[path]


@compiled
def search_in_order(
    arcs: Arcs,
    packed: FloatArray,
    origin: int,
    order: IntArray,
    place: IntArray,
    changed: BoolArray,
    distance: FloatArray,
    predecessor: IntArray,
    heap: Heap,
) -> None:
    """Search from an origin, taking the nodes in ``order``, and again where they changed since.

    Costs change little from one round to the next, and so does the order of the nodes: hardly any
    is taken twice. Where too many are, a heap takes over. Distances are those of Dijkstra's
    algorithm to the last bit, whatever the order.
    """
    n_nodes = order.size
    for number in range(n_nodes):
        place[order[number]] = number
    distance[:] = np.inf
    predecessor[:] = -1
    changed[:n_nodes] = False
    changed[n_nodes] = True  # ends the search for the next changed node
    distance[origin] = 0.0
    number = place[origin]
    changed[number] = True
    n_left = MOST_TAKES * n_nodes
    while n_left > 0:
        while not changed[number]:
            number += 1
        if number == n_nodes:
            return
        n_left -= 1
        changed[number] = False
        node = order[number]
        here = distance[node]
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            there = here + packed[position]
            target = arcs.neighbor[position]
            if there < distance[target]:
                distance[target] = there
                predecessor[target] = arcs.order[position]
                changed[place[target]] = True
                number = min(number, place[target])
    finish_by_heap(arcs, packed, order, changed, distance, predecessor, heap)


@compiled
def finish_by_heap(
    arcs: Arcs,
    packed: FloatArray,
    order: IntArray,
    changed: BoolArray,
    distance: FloatArray,
    predecessor: IntArray,
    heap: Heap,
) -> None:
    """Finish a search by Dijkstra's algorithm: the nearest changed node is final."""
    size = 0
    for number in range(order.size):
        if changed[number]:
            size = heap_push(heap, size, distance[order[number]], order[number])
    while size > 0:
        here, node = heap.keys[0], heap.items[0]
        size = heap_drop(heap, size)
        if here > distance[node]:
            continue
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            there = here + packed[position]
            target = arcs.neighbor[position]
            if there < distance[target]:
                distance[target] = there
                predecessor[target] = arcs.order[position]
                size = heap_push(heap, size, there, target)


@compiled
def sort_nodes(order: IntArray, distance: FloatArray) -> None:
    """Move nodes up to where their distance belongs; give up where too many are out of place."""
    n_left = MOST_MOVES * order.size
    for number in range(1, order.size):
        node = order[number]
        key = distance[node]
        hole = number
        while hole > 0 and distance[order[hole - 1]] > key:
            order[hole] = order[hole - 1]
            hole -= 1
        order[hole] = node
        n_left -= number - hole
        if n_left < 0:
            return


@inlined
def path_cost(paths: Paths, path: int, cost: FloatArray) -> float:
    """Return the cost of a path, summed from its first arc on as the search does."""
    total = 0.0
    for place in range(paths.start[path], paths.stop[path]):
        total += cost[paths.arcs[place]]
    return total


@compiled
def price_trees(
    arcs: Arcs,
    packed: FloatArray,
    cost: FloatArray,
    trees: Trees,
    paths: Paths,
    first: int,
    last: int,
    prices: Prices,
) -> None:
    """Search trees ``first .. last - 1``, and compare the paths in use with the cheapest."""
    n_nodes = arcs.indptr.size - 1
    place, changed = np.empty(n_nodes, dtype=np.int32), np.empty(n_nodes + 1, dtype=np.bool_)
    distance = np.empty(n_nodes)
    heap = empty_heap(n_nodes + packed.shape[1])
    for tree in range(first, last):
        row, order = trees.row[tree], trees.order[tree]
        search_in_order(
            arcs, packed[row], trees.origin[tree], order, place, changed, distance,
            trees.predecessor[tree], heap,
        )  # fmt: skip
        sort_nodes(order, distance)
        for commodity in range(trees.start[tree], trees.start[tree + 1]):
            compare(paths, commodity, cost[row], distance[trees.destination[commodity]], prices)


@compiled
def compare(
    paths: Paths, commodity: int, cost: FloatArray, distance: float, prices: Prices
) -> None:
    """Write the prices of a commodity whose cheapest path costs ``distance``."""
    least, carried, excess = np.inf, 0.0, 0.0
    path = paths.first[commodity]
    while path >= 0:
        here = path_cost(paths, path, cost)
        # Differences, so that nothing is lost by cancellation: both are sums in the same order.
        excess += paths.flow[path] * (here - distance)
        carried += paths.flow[path]
        least = min(least, here)
        path = paths.after[path]
    prices.is_new[commodity] = distance < least
    if least < distance:  # staying at home
        excess += carried * (distance - least)
    prices.least[commodity] = min(least, distance)
    prices.excess[commodity] = excess


@compiled
def count_steps(
    tail: IntArray,
    trees: Trees,
    tree_of: IntArray,
    commodities: IntArray,
    first: int,
    last: int,
    out: LongArray,
) -> None:
    """Write how many arcs the paths of commodities ``first .. last - 1`` of the list have."""
    for index in range(first, last):
        commodity = commodities[index]
        predecessor = trees.predecessor[tree_of[commodity]]
        n_steps, arc = 0, predecessor[trees.destination[commodity]]
        while arc >= 0:
            n_steps += 1
            arc = predecessor[tail[arc]]
        out[index] = n_steps


@compiled
def add_paths(
    tail: IntArray,
    trees: Trees,
    tree_of: IntArray,
    commodities: IntArray,
    first: int,
    last: int,
    size: int,
    paths: Paths,
) -> None:
    """Put the paths in the trees in front of the lists of commodities, from path ``size`` on.

    ``start``, ``stop`` and ``flow`` are written already.
    """
    for index in range(first, last):
        commodity, path = commodities[index], size + index
        predecessor = trees.predecessor[tree_of[commodity]]
        place, arc = paths.stop[path], predecessor[trees.destination[commodity]]
        while arc >= 0:
            place -= 1
            paths.arcs[place] = arc
            arc = predecessor[tail[arc]]
        paths.after[path] = paths.first[commodity]
        paths.first[commodity] = path


@compiled
def measure_lists(
    paths: Paths, first: int, last: int, n_paths: LongArray, n_arcs: LongArray
) -> None:
    """Write how many paths and arcs commodities ``first .. last - 1`` have."""
    for commodity in range(first, last):
        n_paths[commodity], n_arcs[commodity] = 0, 0
        path = paths.first[commodity]
        while path >= 0:
            n_paths[commodity] += 1
            n_arcs[commodity] += paths.stop[path] - paths.start[path]
            path = paths.after[path]


@compiled
def copy_lists(
    paths: Paths, first: int, last: int, path_at: LongArray, arc_at: LongArray, out: Paths
) -> None:
    """Copy the paths of commodities ``first .. last - 1`` to where they shall begin."""
    for commodity in range(first, last):
        path, to, place = paths.first[commodity], path_at[commodity], arc_at[commodity]
        out.first[commodity] = to if path >= 0 else -1
        while path >= 0:
            out.start[to] = place
            for source in range(paths.start[path], paths.stop[path]):
                out.arcs[place] = paths.arcs[source]
                place += 1
            out.stop[to] = place
            out.flow[to] = paths.flow[path]
            path = paths.after[path]
            out.after[to] = to + 1 if path >= 0 else -1
            to += 1


@compiled
def pack(paths: Paths, rows: IntArray, commodities: IntArray) -> Work:
    """Copy the paths of some commodities side by side, without the ends that all of them share.

    Sweeps then read memory in order, and only what matters.
    """
    n_paths, n_arcs = 0, 0
    for commodity in commodities:
        path = paths.first[commodity]
        while path >= 0:
            n_paths += 1
            n_arcs += paths.stop[path] - paths.start[path]
            path = paths.after[path]
    work = Work(
        commodities,
        np.empty(commodities.size, dtype=np.int32),
        np.empty(commodities.size + 1, dtype=np.int32),
        np.empty(n_paths, dtype=np.int32),
        np.empty(n_paths + 1, dtype=np.int32),
        np.empty(n_paths),
        np.empty(n_arcs, dtype=np.int32),
    )
    entry, place = 0, 0
    for index in range(commodities.size):
        commodity = commodities[index]
        work.row[index] = rows[commodity]
        work.first[index] = entry
        front, back = shared_ends(paths, paths.first[commodity])
        path = paths.first[commodity]
        while path >= 0:
            work.path[entry], work.flow[entry] = path, paths.flow[path]
            work.start[entry] = place
            for source in range(paths.start[path] + front, paths.stop[path] - back):
                work.arcs[place] = paths.arcs[source]
                place += 1
            entry += 1
            path = paths.after[path]
    work.first[commodities.size], work.start[n_paths] = entry, place
    return work


@compiled
def shared_ends(paths: Paths, one: int) -> tuple[int, int]:
    """Return how many first and how many last arcs path ``one`` and all after it share."""
    arcs = paths.arcs
    front = back = paths.stop[one] - paths.start[one]
    other = paths.after[one]
    while other >= 0:
        first, last = paths.start[one], paths.stop[one]
        begin, end = paths.start[other], paths.stop[other]
        n_same = 0
        while first < last and begin < end and arcs[first] == arcs[begin]:
            first += 1
            begin += 1
            n_same += 1
        front, n_same = min(front, n_same), 0
        while first < last and begin < end and arcs[last - 1] == arcs[end - 1]:
            last -= 1
            end -= 1
            n_same += 1
        back = min(back, n_same)
        other = paths.after[other]
    return front, back


@inlined
def move(loads: Loads, work: Work, row: int, entry: int, amount: float, mark: IntArray) -> float:
    """Add flow to the arcs of an entry that are not shared; return what they cost then."""
    total = 0.0
    for place in range(work.start[entry], work.start[entry + 1]):
        arc = work.arcs[place]
        if mark[arc] != SHARED:
            loads.flow[arc] = max(loads.flow[arc] + amount, 0.0)
            update(loads, arc)
            total += loads.cost[row, arc]
    return total


@compiled
def shift(loads: Loads, work: Work, row: int, dear: int, cheap: int, mark: IntArray) -> None:
    """Move flow from a dear path to a cheap one until they cost about the same.

    A step of Newton's method on the difference of their costs, over the arcs that they do not
    share, at most all flow; where it overshoots by more than ``OVERSHOOT``, it is cut back.
    ``mark`` is ``FREE`` for every arc before and after.
    """
    for place in range(work.start[cheap], work.start[cheap + 1]):
        mark[work.arcs[place]] = ONCE
    gap, slope = 0.0, 0.0
    for place in range(work.start[dear], work.start[dear + 1]):
        arc = work.arcs[place]
        if mark[arc] == ONCE:
            mark[arc] = SHARED
        else:
            gap += loads.cost[row, arc]
            slope += loads.slope[arc]
    for place in range(work.start[cheap], work.start[cheap + 1]):
        arc = work.arcs[place]
        if mark[arc] == ONCE:
            gap -= loads.cost[row, arc]
            slope += loads.slope[arc]
    most, step = work.flow[dear], 0.0
    if gap > 0.0:
        change = min(most, gap / slope) if slope > 0.0 else most
        for _ in range(MOST_CUTS):
            step += change
            after = move(loads, work, row, dear, -change, mark)
            after -= move(loads, work, row, cheap, change, mark)
            if after >= -OVERSHOOT * gap:
                break
            # The secant goes to the root of a straight line; halving gets nearer any root.
            change = -step * max(0.5, 1.0 - gap / (gap - after))
        work.flow[dear] = most - step if step < most else 0.0
        work.flow[cheap] += step
    for place in range(work.start[cheap], work.start[cheap + 1]):
        mark[work.arcs[place]] = FREE


@compiled
def balance(loads: Loads, work: Work, index: int, enough: float, mark: IntArray) -> float:
    """Move a commodity's flow to its cheapest path; return what was spent above that before.

    Where that is no more than ``enough``, nothing is moved.
    """
    row, first, last = work.row[index], work.first[index], work.first[index + 1]
    least, cheap, total, flow = np.inf, -1, 0.0, 0.0
    for entry in range(first, last):
        here = 0.0
        for place in range(work.start[entry], work.start[entry + 1]):
            here += loads.cost[row, work.arcs[place]]
        if work.flow[entry] > 0.0:
            total += work.flow[entry] * here
            flow += work.flow[entry]
        if here < least:
            least, cheap = here, entry
    excess = max(total - flow * least, 0.0)
    if excess > enough:
        for entry in range(first, last):
            if entry != cheap and work.flow[entry] > 0.0:
                shift(loads, work, row, entry, cheap, mark)
    return excess


@compiled
def sweep(loads: Loads, work: Work, enough: FloatArray, mark: IntArray) -> float:
    """Balance all commodities in turn; return what they spent in excess before their turn."""
    excess = 0.0
    for index in range(work.commodity.size):
        excess += balance(loads, work, index, enough[work.commodity[index]], mark)
    return excess


@compiled
def unpack(work: Work, paths: Paths, n_arcs: int, demand: FloatArray, several: BoolArray) -> None:
    """Write flows back, drop paths without flow, and let flows sum to the demand.

    Pseudo-arcs, from ``n_arcs`` on, are kept: no search would find them again. ``several`` says
    which commodities keep more than one path.
    """
    for index in range(work.commodity.size):
        commodity = work.commodity[index]
        before, most, total, n_kept = -1, -1, 0.0, 0
        for entry in range(work.first[index], work.first[index + 1]):
            path = work.path[entry]
            paths.flow[path] = work.flow[entry]
            start = paths.start[path]
            stays = start < paths.stop[path] and paths.arcs[start] >= n_arcs
            if not (paths.flow[path] > 0.0 or stays):
                continue
            if before < 0:
                paths.first[commodity] = path
            else:
                paths.after[before] = path
            before = path
            n_kept += 1
            total += paths.flow[path]
            if most < 0 or paths.flow[path] > paths.flow[most]:
                most = path
        paths.after[before] = -1
        paths.flow[most] += demand[commodity] - total
        several[commodity] = n_kept > 1
