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

STEPS_EXPECTED = 24
"""Arcs of a path for which there is room at first."""

CODE, FLOW, SLOPE = 5, 6, 7
"""Columns of ``Loads.arc`` after the parameters."""

FREE, ONCE, SHARED = 0, 1, -1
"""In ``mark``: arcs of neither path or of the dear one; of the cheap one; of both."""


class Loads(NamedTuple):
    """Flow of each arc and what follows from it; pseudo-arcs of elastic demand come last.

    ``arc`` (n, 8) has a row, that is a cache line, for each: the curve's parameters and code, the
    flow and the slope. ``cost`` (n_classes, n) is the curve's cost plus ``extra``.
    """

    arc: FloatArray
    extra: FloatArray
    cost: FloatArray


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


class Space(NamedTuple):
    """What a run of searches writes to; ``changed`` is false for all places before and after."""

    distance: FloatArray
    place: IntArray
    changed: BoolArray
    heap: Heap


class Prices(NamedTuple):
    """Cheapest cost of each commodity, what is spent above it, and whether its path is new."""

    least: FloatArray
    excess: FloatArray
    is_new: BoolArray


@inlined
def cost_and_slope(  # noqa: C901 - one branch a kind of curve
    table: FloatArray, arc: int, flow: float
) -> tuple[float, float]:
    """Return what the curve of an arc says of a flow; parameters as `CurveTable` has them."""
    p0, p1, p2, p3 = table[arc, 0], table[arc, 1], table[arc, 2], table[arc, 3]
    code, x = int(table[arc, CODE]), flow * p2
    cost, slope = p0, 0.0
    if code == BPR_FOUR:
        cube = x * x * x
        cost = p0 + p1 * (cube * x)
        slope = 4.0 * p1 * p2 * cube
    elif code == STRAIGHT:
        cost, slope = p0 + p1 * flow, p1
    elif code == BPR_WHOLE:
        power, last = int(p3), 1.0
        for _ in range(power - 1):
            last *= x
        cost = p0 + p1 * last * x
        slope = power * p1 * p2 * last
    elif code == BPR_REAL:
        # The slope of a power below 1 is infinite at 0; a finite one lets the first step be made.
        last = max(x, 1e-9) ** (p3 - 1.0)
        cost = p0 + p1 * last * x
        slope = p3 * p1 * p2 * last
    elif code in (CONICAL, CONICAL_MARGINAL):
        y = p1 * (1.0 - x)
        root = np.sqrt(y * y + p3 * p3)
        gain = p3 * p3 / (root + y) if y > 0.0 else root - y
        cost = table[arc, 4] + p0 * (2.0 - p3 + gain)
        slope = p0 * p1 * p2 * gain / root
        if code == CONICAL_MARGINAL:
            bend = p0 * (p1 * p2 * p3) ** 2 / (root * root * root)
            cost, slope = cost + flow * slope, 2.0 * slope + flow * bend
    elif code in (AKCELIK, AKCELIK_MARGINAL):
        z = x - 1.0
        root = np.sqrt(z * z + p3 * x)
        gain = p3 * x / (root - z) if z < 0.0 else root + z
        cost = p0 + p1 * gain
        lean, rest = z + 0.5 * p3, p3 * (1.0 - 0.25 * p3)
        total = rest / (root - lean) if lean < 0.0 else root + lean
        slope = p1 * p2 * total / root
        if code == AKCELIK_MARGINAL:
            bend = p1 * p2 * p2 * rest / (root * root * root)
            cost, slope = cost + flow * slope, 2.0 * slope + flow * bend
    elif x < 1.0:  # EXCESS
        cost, slope = p0 - p1 * np.log1p(-x), p1 * p2 / (1.0 - x)
    else:
        cost, slope = np.inf, np.inf
    return cost, slope


@inlined
def update(table: FloatArray, extra: FloatArray, cost: FloatArray, arc: int) -> None:
    """Make cost and slope of an arc what its flow says."""
    here, table[arc, SLOPE] = cost_and_slope(table, arc, table[arc, FLOW])
    for row in range(cost.shape[0]):
        cost[row, arc] = extra[row, arc] + here


@compiled
def update_all(loads: Loads) -> None:
    """Make all costs and slopes what the flows say."""
    table, extra, cost = loads.arc, loads.extra, loads.cost
    for arc in range(table.shape[0]):
        update(table, extra, cost, arc)


@compiled
def curve_costs(table: FloatArray, flow: FloatArray, first: int, out: FloatArray) -> None:
    """Write the costs that the curves from ``first`` on have at other flows."""
    for arc in range(first, flow.size):
        out[arc], _ = cost_and_slope(table, arc, flow[arc])


@compiled
def add_flows(paths: Paths, first: int, last: int, out: FloatArray) -> None:
    """Add the flows of the commodities ``first .. last - 1`` up, by arc."""
    after, start, stop, arcs = paths.after, paths.start, paths.stop, paths.arcs
    out[:] = 0.0
    for commodity in range(first, last):
        path = paths.first[commodity]
        while path >= 0:
            flow = paths.flow[path]
            for place in range(start[path], stop[path]):
                out[arcs[place]] += flow
            path = after[path]


@compiled
def add_paths_up(
    indptr: LongArray, arcs: IntArray, row: IntArray, flow: FloatArray, out: FloatArray
) -> None:
    """Add the flows of paths ``arcs[indptr[p]:indptr[p + 1]]`` up, by class and arc."""
    for path in range(flow.size):
        for place in range(indptr[path], indptr[path + 1]):
            out[row[path], arcs[place]] += flow[path]


@compiled
def search_again(  # noqa: C901, PLR0912 - calls with arrays would double its time
    arcs: Arcs,
    packed: FloatArray,
    cost: FloatArray,
    origin: int,
    order: IntArray,
    space: Space,
    predecessor: IntArray,
) -> None:
    """Search from an origin, beginning with the tree that was found under other costs.

    Costs change little from one round to the next, so most of the tree stays. Its distances under
    the new costs are computed in ``order``, and where an arc leads to a node by a shorter way, the
    search goes on from there: the first changed node in order next, or the nearest where too many
    are taken. Distances, in ``space``, are those of Dijkstra's algorithm to the last bit, whatever
    the order and the tree.
    """
    distance, place, changed = space.distance, space.place, space.changed
    indptr, neighbor, tail = arcs.indptr, arcs.neighbor, arcs.tail
    n_nodes = order.size
    distance[:] = np.inf
    distance[origin] = 0.0
    for number in range(n_nodes):
        node = order[number]
        arc = predecessor[node]
        if arc >= 0:
            distance[node] = distance[tail[arc]] + cost[arc]
    for number in range(n_nodes):
        place[order[number]] = number
    changed[n_nodes] = True  # ends the search for the next changed node
    is_same, again = True, n_nodes
    for number in range(n_nodes):
        node = order[number]
        here = distance[node]
        for position in range(indptr[node], indptr[node + 1]):
            there = here + packed[position]
            target = neighbor[position]
            if there < distance[target]:
                distance[target] = there
                predecessor[target] = arcs.order[position]
                is_same = False
                if place[target] < number:
                    changed[place[target]] = True
                    again = min(again, place[target])
    n_left = MOST_TAKES * n_nodes
    while again < n_nodes and n_left > 0:
        n_left -= 1
        number, again = again, n_nodes
        changed[number] = False
        node = order[number]
        here = distance[node]
        for position in range(indptr[node], indptr[node + 1]):
            there = here + packed[position]
            target = neighbor[position]
            if there < distance[target]:
                distance[target] = there
                predecessor[target] = arcs.order[position]
                changed[place[target]] = True
                again = min(again, place[target])
        number += 1
        while number < again and not changed[number]:
            number += 1
        again = min(again, number)
    if again < n_nodes:
        finish_by_heap(arcs, packed, order, changed, distance, predecessor, space.heap)
    if not is_same:
        sort_nodes(order, distance)


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
            changed[number] = False
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


@compiled
def space_for(arcs: Arcs) -> Space:
    """Return room for searches."""
    n_nodes = arcs.indptr.size - 1
    return Space(
        np.empty(n_nodes),
        np.empty(n_nodes, dtype=np.int32),
        np.zeros(n_nodes + 1, dtype=np.bool_),
        empty_heap(n_nodes + arcs.order.size),
    )


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
    space = space_for(arcs)
    for tree in range(first, last):
        row = trees.row[tree]
        search_again(
            arcs, packed[row], cost[row], trees.origin[tree], trees.order[tree], space,
            trees.predecessor[tree],
        )  # fmt: skip
        compare(
            cost[row],
            trees.destination,
            space.distance,
            trees.start[tree],
            trees.start[tree + 1],
            paths,
            prices,
        )


@compiled
def compare(
    cost: FloatArray,
    destination: IntArray,
    distance: FloatArray,
    begin: int,
    end: int,
    paths: Paths,
    prices: Prices,
) -> None:
    """Write the prices of the commodities ``begin .. end - 1`` of a tree."""
    after, start, stop, arcs = paths.after, paths.start, paths.stop, paths.arcs
    for commodity in range(begin, end):
        found = distance[destination[commodity]]
        least, carried, excess = np.inf, 0.0, 0.0
        path = paths.first[commodity]
        while path >= 0:
            here, flow = 0.0, paths.flow[path]
            for place in range(start[path], stop[path]):
                here += cost[arcs[place]]
            # Differences, so that nothing is lost by cancellation: both sum in the same order.
            if flow > 0.0:
                excess += flow * (here - found)
                carried += flow
            least = min(least, here)
            path = after[path]
        prices.is_new[commodity] = found < least
        if least < found:  # staying at home
            excess += carried * (found - least)
        prices.least[commodity] = min(least, found)
        prices.excess[commodity] = excess


@compiled
def gather_paths(
    tail: IntArray,
    trees: Trees,
    tree_of: IntArray,
    commodities: IntArray,
    first: int,
    last: int,
    steps: LongArray,
) -> IntArray:
    """Return the paths in the trees of commodities ``first .. last - 1`` of the list, in a row.

    How many arcs each has is written to ``steps``.
    """
    predecessor, destination = trees.predecessor, trees.destination
    n_nodes = predecessor.shape[1]
    arcs = np.empty(max(n_nodes, STEPS_EXPECTED * (last - first)), dtype=np.int32)
    size = 0
    for index in range(first, last):
        commodity = commodities[index]
        tree = tree_of[commodity]
        if size + n_nodes > arcs.size:
            longer = np.empty(2 * arcs.size + n_nodes, dtype=np.int32)
            longer[:size] = arcs[:size]
            arcs = longer
        begin, arc = size, predecessor[tree, destination[commodity]]
        while arc >= 0:
            arcs[size] = arc
            size += 1
            arc = predecessor[tree, tail[arc]]
        steps[index] = size - begin
        # They came from the last arc to the first.
        low, high = begin, size - 1
        while low < high:
            arcs[low], arcs[high] = arcs[high], arcs[low]
            low += 1
            high -= 1
    return arcs[:size]


@compiled
def link_paths(paths: Paths, commodities: IntArray, size: int) -> None:
    """Put paths from ``size`` on in front of the lists of commodities."""
    first, after = paths.first, paths.after
    for index in range(commodities.size):
        after[size + index] = first[commodities[index]]
        first[commodities[index]] = size + index


@compiled
def measure_lists(
    paths: Paths, first: int, last: int, n_paths: LongArray, n_arcs: LongArray
) -> None:
    """Write how many paths and arcs commodities ``first .. last - 1`` have."""
    after, start, stop = paths.after, paths.start, paths.stop
    for commodity in range(first, last):
        number, size = 0, 0
        path = paths.first[commodity]
        while path >= 0:
            number += 1
            size += stop[path] - start[path]
            path = after[path]
        n_paths[commodity], n_arcs[commodity] = number, size


@compiled
def copy_lists(
    paths: Paths, first: int, last: int, path_at: LongArray, arc_at: LongArray, out: Paths
) -> None:
    """Copy the paths of commodities ``first .. last - 1`` to where they shall begin."""
    after, start, stop, flow, arcs = paths.after, paths.start, paths.stop, paths.flow, paths.arcs
    to_after, to_start, to_stop, to_flow, to_arcs = (
        out.after, out.start, out.stop, out.flow, out.arcs,
    )  # fmt: skip
    for commodity in range(first, last):
        path, to, place = paths.first[commodity], path_at[commodity], arc_at[commodity]
        out.first[commodity] = to if path >= 0 else -1
        while path >= 0:
            to_start[to] = place
            for source in range(start[path], stop[path]):
                to_arcs[place] = arcs[source]
                place += 1
            to_stop[to] = place
            to_flow[to] = flow[path]
            path = after[path]
            to_after[to] = to + 1 if path >= 0 else -1
            to += 1


@compiled
def pack(paths: Paths, rows: IntArray, commodities: IntArray) -> Work:
    """Copy the paths of some commodities side by side, without the ends that all of them share.

    Sweeps then read memory in order, and only what matters.
    """
    after, start, stop, arcs = paths.after, paths.start, paths.stop, paths.arcs
    n = commodities.size
    fronts, backs = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    n_paths, n_arcs = 0, 0
    for index in range(n):
        one = paths.first[commodities[index]]
        front, back = shared_ends(after, start, stop, arcs, one)
        fronts[index], backs[index] = front, back
        while one >= 0:
            n_paths += 1
            n_arcs += stop[one] - start[one] - front - back
            one = after[one]
    work = Work(
        commodities,
        np.empty(n, dtype=np.int32),
        np.empty(n + 1, dtype=np.int32),
        np.empty(n_paths, dtype=np.int32),
        np.empty(n_paths + 1, dtype=np.int32),
        np.empty(n_paths),
        np.empty(n_arcs, dtype=np.int32),
    )
    to_path, to_start, to_flow, to_arcs = work.path, work.start, work.flow, work.arcs
    entry, place = 0, 0
    for index in range(n):
        work.row[index] = rows[commodities[index]]
        work.first[index] = entry
        front, back = fronts[index], backs[index]
        path = paths.first[commodities[index]]
        while path >= 0:
            to_path[entry], to_flow[entry], to_start[entry] = path, paths.flow[path], place
            for source in range(start[path] + front, stop[path] - back):
                to_arcs[place] = arcs[source]
                place += 1
            entry += 1
            path = after[path]
    work.first[n], to_start[n_paths] = entry, place
    return work


@inlined
def shared_ends(
    after: IntArray, start: LongArray, stop: LongArray, arcs: IntArray, one: int
) -> tuple[int, int]:
    """Return how many first and how many last arcs path ``one`` and all after it share."""
    front = back = stop[one] - start[one]
    other = after[one]
    while other >= 0:
        first, last = start[one], stop[one]
        begin, end = start[other], stop[other]
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
        other = after[other]
    return front, back


@inlined
def move(
    table: FloatArray,
    extra: FloatArray,
    cost: FloatArray,
    row: int,
    arcs: IntArray,
    first: int,
    last: int,
    amount: float,
    mark: IntArray,
) -> float:
    """Add flow to arcs ``first .. last - 1`` of a list that are not shared; return their cost."""
    total = 0.0
    for place in range(first, last):
        arc = arcs[place]
        if mark[arc] != SHARED:
            table[arc, FLOW] = max(table[arc, FLOW] + amount, 0.0)
            update(table, extra, cost, arc)
            total += cost[row, arc]
    return total


@inlined
def shift(
    loads: tuple[FloatArray, FloatArray, FloatArray],
    row: int,
    arcs: IntArray,
    dear: tuple[int, int],
    cheap: tuple[int, int],
    most: float,
    mark: IntArray,
) -> float:
    """Move flow from a dear path to a cheap one until they cost about the same; return how much.

    A step of Newton's method on the difference of their costs, over the arcs that they do not
    share, at most all flow; where it overshoots by more than ``OVERSHOOT``, it is cut back.
    ``mark`` is ``FREE`` for every arc before and after.
    """
    table, extra, cost = loads
    for place in range(cheap[0], cheap[1]):
        mark[arcs[place]] = ONCE
    gap, slope, step = 0.0, 0.0, 0.0
    for place in range(dear[0], dear[1]):
        arc = arcs[place]
        if mark[arc] == ONCE:
            mark[arc] = SHARED
        else:
            gap += cost[row, arc]
            slope += table[arc, SLOPE]
    for place in range(cheap[0], cheap[1]):
        arc = arcs[place]
        if mark[arc] == ONCE:
            gap -= cost[row, arc]
            slope += table[arc, SLOPE]
    if gap > 0.0:
        change = min(most, gap / slope) if slope > 0.0 else most
        for _ in range(MOST_CUTS):
            step += change
            after = move(table, extra, cost, row, arcs, dear[0], dear[1], -change, mark)
            after -= move(table, extra, cost, row, arcs, cheap[0], cheap[1], change, mark)
            if after >= -OVERSHOOT * gap:
                break
            # A secant would stop far short of the root where the curve is steep.
            change = -0.5 * step
    for place in range(cheap[0], cheap[1]):
        mark[arcs[place]] = FREE
    return step


@compiled
def sweep(loads: Loads, work: Work, enough: FloatArray, mark: IntArray) -> float:
    """Balance all commodities in turn; return what they spent in excess before their turn.

    Each moves its flow to its cheapest path, unless its excess is ``enough``.
    """
    # Taking an array out of a tuple costs more than reading from it: once, not in the loops.
    state, cost = (loads.arc, loads.extra, loads.cost), loads.cost
    arcs, start, flow, first, rows = work.arcs, work.start, work.flow, work.first, work.row
    excess = 0.0
    for index in range(work.commodity.size):
        row, begin, end = rows[index], first[index], first[index + 1]
        least, cheap, total, carried = np.inf, begin, 0.0, 0.0
        for entry in range(begin, end):
            here = 0.0
            for place in range(start[entry], start[entry + 1]):
                here += cost[row, arcs[place]]
            if flow[entry] > 0.0:
                total += flow[entry] * here
                carried += flow[entry]
            if here < least:
                least, cheap = here, entry
        wasted = max(total - carried * least, 0.0)
        excess += wasted
        if wasted <= enough[index]:
            continue
        for entry in range(begin, end):
            if entry != cheap and flow[entry] > 0.0:
                most = flow[entry]
                step = shift(
                    state, row, arcs, (start[entry], start[entry + 1]),
                    (start[cheap], start[cheap + 1]), most, mark,
                )  # fmt: skip
                flow[entry] = most - step if step < most else 0.0
                flow[cheap] += step
    return excess


@compiled
def unpack(work: Work, paths: Paths, n_arcs: int, demand: FloatArray, several: BoolArray) -> None:
    """Write flows back, drop paths without flow, and let flows sum to the demand.

    Pseudo-arcs, from ``n_arcs`` on, are kept: no search would find them again. ``several`` says
    which commodities keep more than one path.
    """
    after, start, stop, flow, arcs = paths.after, paths.start, paths.stop, paths.flow, paths.arcs
    entry_path, entry_flow, first = work.path, work.flow, work.first
    for index in range(work.commodity.size):
        commodity = work.commodity[index]
        before, most, total, n_kept = -1, -1, 0.0, 0
        for entry in range(first[index], first[index + 1]):
            path = entry_path[entry]
            flow[path] = entry_flow[entry]
            stays = start[path] < stop[path] and arcs[start[path]] >= n_arcs
            if not (flow[path] > 0.0 or stays):
                continue
            if before < 0:
                paths.first[commodity] = path
            else:
                after[before] = path
            before = path
            n_kept += 1
            total += flow[path]
            if most < 0 or flow[path] > flow[most]:
                most = path
        after[before] = -1
        flow[most] += demand[commodity] - total
        several[commodity] = n_kept > 1
