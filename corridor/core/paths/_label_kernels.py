"""Compiled label setting over several criteria; imported only when it is asked for.

Labels are settled in lexicographic order of their totals. At every node they so arrive with a
nondecreasing first component, and whether an earlier one dominates shows in the other k - 1
components alone. Totals are whole numbers in float64 (see ``_whole``), so sums are exact, and
arcs carry reduced costs c(u, v) - h(u) + h(v), with h the least cost still to come in each
criterion: a label's total is then a lower bound of the route's, and at the destination equal to it.

The inner loop returns whenever an array is full; the outer one makes room and enters it again.
That keeps all arrays of the inner loop fixed, which is what makes it fast.
"""

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from corridor.core.compilation import machine_code
from corridor.core.graph import FloatArray, IntArray
from corridor.core.paths._kernels import (
    Arcs,
    Function,
    compiled,
    empty_heap,
    find_distances,
    inlined,
    pack,
    stamp_of,
)

Number = TypeVar("Number", bound=np.generic)
PositionArray = npt.NDArray[np.int64]

FEW = 4096
"""Labels, and rows of fronts, that there is room for at first."""

BUCKETS = 256
MOST_BUCKETS = 1 << 20
CROWDED = 4
"""Labels a bucket on average, above which there are to be more buckets."""

N_LABELS, N_SPARE, N_WANTED, N_ROWS, N_OPEN, N_SORTED, BUCKET = range(7)
"""Positions in ``Search.tally``; BUCKET is the number of the current bucket."""

DONE, MORE_LABELS, MORE_ROWS, MORE_BUCKETS, REFUSED = range(5)
"""Why the inner loop returned."""


def counting_nothing(function: Function) -> Function:
    """Compile a function that neither makes nor keeps arrays, and so need not count references.

    Counting them took two thirds of the time: one atomic step for each array and inlined call.
    """
    function.__qualname__ += "_" + stamp_of(function.__code__.co_filename)
    return machine_code(function, nogil=True, _nrt=False)


class Task(NamedTuple):
    """What is asked: ``reduced`` (n_arcs, k) in CSR order, inf in the first column is closed."""

    indptr: IntArray
    order: IntArray
    neighbor: IntArray
    reduced: FloatArray
    ceiling: FloatArray
    destination: int
    slack: float
    most_wanted: int
    max_labels: int


class Labels(NamedTuple):
    """Partial paths: last arc, the label it extends (-1: the origin), next one of its bucket."""

    total: FloatArray
    node: IntArray
    arc: IntArray
    parent: IntArray
    link: IntArray
    spare: IntArray


class Fronts(NamedTuple):
    """The last k - 1 components of the labels settled at each node, dominated ones left out.

    Those of a node are ``rows[:, start:start + size]``, by ascending first component; the stretch
    has ``room`` for more. With two components the second descends: a staircase.
    """

    start: PositionArray
    size: PositionArray
    room: PositionArray
    rows: FloatArray


class Queue(NamedTuple):
    """Open labels: a ring of buckets by first component, unsorted but for the current one.

    The current bucket is a heap (``keys``, ``items``). No arc is longer than the ring, so labels
    of one slot belong to one bucket.
    """

    first: IntArray
    keys: FloatArray
    items: IntArray
    per_unit: float


class Search(NamedTuple):
    """Everything a search has in memory."""

    labels: Labels
    fronts: Fronts
    queue: Queue
    wanted: IntArray
    tally: PositionArray


class Found(NamedTuple):
    """Labels, and which of them were asked for, in lexicographic order; ``complete`` or refused."""

    labels: Labels
    wanted: IntArray
    complete: bool


@inlined
def precedes(total: FloatArray, key: float, label: int, other_key: float, other: int) -> bool:
    """Return whether a label goes before another; the keys are their first components."""
    if key != other_key:
        return key < other_key
    column = 1
    while column < total.shape[1] - 1 and total[label, column] == total[other, column]:
        column += 1
    return bool(total[label, column] < total[other, column])


@inlined
def sort_in(keys: FloatArray, items: IntArray, size: int, total: FloatArray, label: int) -> None:
    """Add a label to a binary heap of ``size`` labels in lexicographic order."""
    key = total[label, 0]
    hole = size
    while hole > 0:
        above = (hole - 1) >> 1
        if not precedes(total, key, label, keys[above], items[above]):
            break
        keys[hole] = keys[above]
        items[hole] = items[above]
        hole = above
    keys[hole] = key
    items[hole] = label


@inlined
def drop_first(keys: FloatArray, items: IntArray, size: int, total: FloatArray) -> None:
    """Remove the first label (read it before, at position 0) of a heap of ``size`` labels."""
    rest = size - 1
    key, label = keys[rest], items[rest]
    hole, below = 0, 1
    while below < rest:
        right = below + 1
        if right < rest and precedes(total, keys[right], items[right], keys[below], items[below]):
            below = right
        if not precedes(total, keys[below], items[below], key, label):
            break
        keys[hole] = keys[below]
        items[hole] = items[below]
        hole = below
        below = 2 * hole + 1
    keys[hole] = key
    items[hole] = label


@inlined
def open_label(
    first: IntArray,
    keys: FloatArray,
    items: IntArray,
    per_unit: float,
    link: IntArray,
    total: FloatArray,
    label: int,
    tally: PositionArray,
) -> None:
    """Put a label into the queue; it does not go before the label taken last."""
    bucket = np.int64(total[label, 0] * per_unit)
    if bucket <= tally[BUCKET]:
        sort_in(keys, items, tally[N_SORTED], total, label)
        tally[N_SORTED] += 1
    else:
        slot = bucket & (first.size - 1)
        link[label] = first[slot]
        first[slot] = label
    tally[N_OPEN] += 1


@inlined
def take_label(
    first: IntArray,
    keys: FloatArray,
    items: IntArray,
    link: IntArray,
    total: FloatArray,
    tally: PositionArray,
) -> int:
    """Take the first label out of the queue, which is not empty."""
    if tally[N_SORTED] == 0:
        mask = first.size - 1
        bucket = tally[BUCKET] + 1
        while first[bucket & mask] < 0:
            bucket += 1
        tally[BUCKET] = bucket
        label = first[bucket & mask]
        first[bucket & mask] = -1
        while label >= 0:
            sort_in(keys, items, tally[N_SORTED], total, label)
            tally[N_SORTED] += 1
            label = link[label]
    label = items[0]
    drop_first(keys, items, tally[N_SORTED], total)
    tally[N_SORTED] -= 1
    tally[N_OPEN] -= 1
    return int(label)


@inlined
def rows_up_to(rows: FloatArray, start: int, size: int, value: float) -> int:
    """Return the position after the last of ``size`` rows whose first column is <= ``value``."""
    low = start
    while size > 0:
        half = (size + 1) >> 1
        # A sum instead of a branch, which would be mispredicted every other time.
        low += half * (rows[0, low + half - 1] <= value)
        size -= half
    return low


@inlined
def is_covered(
    rows: FloatArray, start: int, size: int, total: FloatArray, label: int, slack: float
) -> bool:
    """Return whether one of the rows is <= ``slack`` times the label in every column."""
    stop = rows_up_to(rows, start, size, slack * total[label, 1])
    width = len(rows)
    covered = False
    if stop == start or width == 1:
        covered = stop > start
    elif width == 2:  # noqa: PLR2004 - the staircase: the last of these rows is the lowest
        covered = rows[1, stop - 1] <= slack * total[label, 2]
    else:
        row = stop - 1  # near ones first: they cover more often
        while row >= start and not covered:
            column = 1
            while column < width and rows[column, row] <= slack * total[label, column + 1]:
                column += 1
            covered = column == width
            row -= 1
    return bool(covered)


@inlined
def is_below(total: FloatArray, label: int, rows: FloatArray, row: int) -> bool:
    """Return whether a label is <= a row in every column but the label's first."""
    column = 0
    while column < len(rows) and total[label, column + 1] <= rows[column, row]:
        column += 1
    return bool(column == len(rows))


@inlined
def move_rows(rows: FloatArray, source: int, stop: int, target: int) -> None:
    """Move the rows ``source .. stop - 1`` to ``target``; the stretches may overlap."""
    for column in range(len(rows)):
        if target > source:
            for row in range(stop - 1, source - 1, -1):
                rows[column, row + target - source] = rows[column, row]
        else:
            for row in range(source, stop):
                rows[column, row + target - source] = rows[column, row]


@inlined
def without_covered(rows: FloatArray, place: int, stop: int, total: FloatArray, label: int) -> int:
    """Remove the rows from ``place`` that the label covers; return the new end."""
    kept = place
    row = place
    if len(rows) <= 2:  # noqa: PLR2004 - the staircase: they stand together
        while row < stop and is_below(total, label, rows, row):
            row += 1
        kept = place + stop - row
        if row > place:
            move_rows(rows, row, stop, place)
    else:
        while row < stop:
            if not is_below(total, label, rows, row):
                for column in range(len(rows)):
                    rows[column, kept] = rows[column, row]
                kept += 1
            row += 1
    return kept


@inlined
def enter(rows: FloatArray, start: int, size: int, total: FloatArray, label: int) -> int:
    """Put a label that is not covered into a front with room for it; return the new size."""
    place = rows_up_to(rows, start, size, total[label, 1])
    while place > start and rows[0, place - 1] == total[label, 1]:
        place -= 1
    stop = without_covered(rows, place, start + size, total, label)
    move_rows(rows, place, stop, place + 1)
    for column in range(len(rows)):
        rows[column, place] = total[label, column + 1]
    return stop + 1 - start


@inlined
def move_front(
    rows: FloatArray,
    start: PositionArray,
    size: PositionArray,
    room: PositionArray,
    node: int,
    tally: PositionArray,
) -> None:
    """Move a full front behind all others and double its room; ``rows`` is long enough."""
    room[node] = max(4, 2 * room[node])
    move_rows(rows, start[node], start[node] + size[node], tally[N_ROWS])
    start[node] = tally[N_ROWS]
    tally[N_ROWS] += room[node]


@inlined
def extend(
    total: FloatArray,
    label: int,
    fresh: int,
    reduced: FloatArray,
    position: int,
    ceiling: FloatArray,
) -> bool:
    """Write the total of a label extended by an arc; return whether it keeps the ceiling."""
    fits = True
    for column in range(ceiling.size):
        value = total[label, column] + reduced[position, column]
        total[fresh, column] = value
        fits &= value <= ceiling[column]
    return fits


@counting_nothing
def settle_some(task: Task, search: Search) -> int:  # noqa: C901, PLR0912, PLR0915 - one hot loop
    """Settle labels until all are, or an array is full; return which (see DONE)."""
    indptr, order, neighbor, reduced = task.indptr, task.order, task.neighbor, task.reduced
    ceiling, destination, slack = task.ceiling, task.destination, task.slack
    total, node_of, arc_of = search.labels.total, search.labels.node, search.labels.arc
    parent, link, spare = search.labels.parent, search.labels.link, search.labels.spare
    start, front_size, room = search.fronts.start, search.fronts.size, search.fronts.room
    rows, wanted, tally = search.fronts.rows, search.wanted, search.tally
    first, keys, items = search.queue.first, search.queue.keys, search.queue.items
    per_unit = search.queue.per_unit
    most_wanted = task.most_wanted
    while tally[N_OPEN] > 0:
        label = take_label(first, keys, items, link, total, tally)
        node = node_of[label]
        if is_covered(rows, start[node], front_size[node], total, label, 1.0) or (
            destination >= 0
            and is_covered(rows, start[destination], front_size[destination], total, label, slack)
        ):
            spare[tally[N_SPARE]] = label
            tally[N_SPARE] += 1
            continue
        full = DONE
        if tally[N_ROWS] + max(4, 2 * room[node]) > rows.shape[1]:
            full = MORE_ROWS
        elif tally[N_LABELS] + indptr[node + 1] - indptr[node] > node_of.size + tally[N_SPARE]:
            full = MORE_LABELS
        elif tally[N_OPEN] > CROWDED * first.size and first.size < MOST_BUCKETS:
            full = MORE_BUCKETS
        if full != DONE:
            open_label(first, keys, items, per_unit, link, total, label, tally)
            return full
        if front_size[node] == room[node]:
            move_front(rows, start, front_size, room, node, tally)
        front_size[node] = enter(rows, start[node], front_size[node], total, label)
        if node == destination or destination < 0:
            wanted[tally[N_WANTED]] = label
            tally[N_WANTED] += 1
            if tally[N_WANTED] == most_wanted:
                return DONE
        if node == destination:
            continue
        back = node_of[parent[label]] if parent[label] >= 0 else -1
        for position in range(indptr[node], indptr[node + 1]):
            target = neighbor[position]
            if target == back or reduced[position, 0] == np.inf:
                continue  # the way back is covered by the label this one comes from
            fresh = spare[tally[N_SPARE] - 1] if tally[N_SPARE] > 0 else tally[N_LABELS]
            fits = extend(total, label, fresh, reduced, position, ceiling)
            if not fits or is_covered(rows, start[target], front_size[target], total, fresh, 1.0):
                continue
            if destination >= 0 and is_covered(
                rows, start[destination], front_size[destination], total, fresh, slack
            ):
                continue
            if tally[N_SPARE] > 0:
                tally[N_SPARE] -= 1
            else:
                tally[N_LABELS] += 1
            node_of[fresh], arc_of[fresh], parent[fresh] = target, order[position], label
            open_label(first, keys, items, per_unit, link, total, fresh, tally)
    return DONE


@compiled
def longer(array: npt.NDArray[Number], size: int) -> npt.NDArray[Number]:
    """Return the same array with room for more."""
    grown = np.empty(size, dtype=array.dtype)
    grown[: array.size] = array
    return grown


@compiled
def longer_rows(rows: npt.NDArray[Number], size: int) -> npt.NDArray[Number]:
    """Return the same rows with room for more."""
    grown = np.empty((size, rows.shape[1]), dtype=rows.dtype)
    grown[: len(rows)] = rows
    return grown


@compiled
def more_labels(search: Search, size: int) -> Search:
    """Return the same search with room for ``size`` labels."""
    labels, queue = search.labels, search.queue
    keys = np.empty(size, dtype=np.float64)
    keys[: queue.keys.size] = queue.keys
    return Search(
        Labels(
            longer_rows(labels.total, size),
            longer(labels.node, size),
            longer(labels.arc, size),
            longer(labels.parent, size),
            longer(labels.link, size),
            longer(labels.spare, size),
        ),
        search.fronts,
        Queue(queue.first, keys, longer(queue.items, size), queue.per_unit),
        longer(search.wanted, size),
        search.tally,
    )


@compiled
def more_rows(search: Search) -> Search:
    """Return the same search with twice the room for rows."""
    fronts = search.fronts
    width, size = fronts.rows.shape
    rows = np.empty((width, 2 * size), dtype=np.float64)
    rows[:, :size] = fronts.rows
    fronts = Fronts(fronts.start, fronts.size, fronts.room, rows)
    return Search(search.labels, fronts, search.queue, search.wanted, search.tally)


@compiled
def more_buckets(search: Search, size: int, longest: float) -> Search:
    """Return the same search with ``size`` buckets, a power of two, for arcs up to ``longest``."""
    labels, old, tally = search.labels, search.queue, search.tally
    waiting = np.empty(tally[N_OPEN], dtype=np.int32)
    n = tally[N_SORTED]
    waiting[:n] = old.items[:n]
    for label in old.first:
        while label >= 0:
            waiting[n] = label
            n += 1
            label = labels.link[label]  # noqa: PLW2901 - follows the chain
    per_unit = (size - 2) / longest if longest > 0 else 0.0
    queue = Queue(np.full(size, -1, dtype=np.int32), old.keys, old.items, per_unit)
    tally[N_OPEN] = 0
    tally[N_SORTED] = 0
    if n > 0:
        least = waiting[0]
        for label in waiting:
            if labels.total[label, 0] < labels.total[least, 0]:
                least = label
        tally[BUCKET] = np.int64(labels.total[least, 0] * per_unit)
    for label in waiting:
        open_label(
            queue.first, queue.keys, queue.items, per_unit, labels.link, labels.total, label, tally
        )
    return Search(labels, search.fronts, queue, search.wanted, tally)


@compiled
def new_search(n_nodes: int, n_criteria: int, size: int) -> Search:
    """Return an empty search with room for ``size`` labels."""
    heap = empty_heap(size)
    return Search(
        Labels(
            np.empty((size, n_criteria), dtype=np.float64),
            np.empty(size, dtype=np.int32),
            np.empty(size, dtype=np.int32),
            np.empty(size, dtype=np.int32),
            np.empty(size, dtype=np.int32),
            np.empty(size, dtype=np.int32),
        ),
        Fronts(
            np.zeros(n_nodes, dtype=np.int64),
            np.zeros(n_nodes, dtype=np.int64),
            np.zeros(n_nodes, dtype=np.int64),
            np.empty((n_criteria - 1, FEW), dtype=np.float64),
        ),
        Queue(np.empty(0, dtype=np.int32), heap.keys, heap.items, 0.0),
        np.empty(size, dtype=np.int32),
        np.zeros(7, dtype=np.int64),
    )


@compiled
def longest_arc(reduced: FloatArray) -> float:
    """Return the greatest finite entry of the first column, 0 where there is none."""
    longest = 0.0
    for position in range(len(reduced)):
        if longest < reduced[position, 0] < np.inf:
            longest = reduced[position, 0]
    return longest


@compiled
def settle_labels(task: Task, start: FloatArray, origin: int) -> Found:
    """Find the nondominated labels at the destination, or at every node where it is -1.

    ``start`` (k,) is the total of the label at the origin. Labels above ``task.ceiling``, and
    those that a route found before covers within the factor ``task.slack``, are dropped; the
    search stops after ``most_wanted`` routes, and refuses when it needs more than ``max_labels``
    labels at once.
    """
    longest = longest_arc(task.reduced)
    search = new_search(task.indptr.size - 1, start.size, min(FEW, task.max_labels))
    search = more_buckets(search, BUCKETS, longest)
    labels, queue, tally = search.labels, search.queue, search.tally
    if (start <= task.ceiling).all():
        labels.total[0] = start
        labels.node[0], labels.arc[0], labels.parent[0] = origin, -1, -1
        tally[N_LABELS] = 1
        tally[BUCKET] = np.int64(start[0] * queue.per_unit)
        open_label(
            queue.first,
            queue.keys,
            queue.items,
            queue.per_unit,
            labels.link,
            labels.total,
            0,
            tally,
        )
    complete = True
    while True:
        full = settle_some(task, search)
        if full == MORE_ROWS:
            search = more_rows(search)
        elif full == MORE_BUCKETS:
            search = more_buckets(search, 16 * search.queue.first.size, longest)
        elif full == MORE_LABELS and search.labels.node.size < task.max_labels:
            node = search.labels.node[search.queue.items[0]]
            degree = task.indptr[node + 1] - task.indptr[node]
            size = 2 * search.labels.node.size + degree
            search = more_labels(search, min(size, task.max_labels))
        else:
            complete = full == DONE
            break
    return Found(search.labels, search.wanted[: search.tally[N_WANTED]], complete)


@compiled
def distances_to(reverse: Arcs, costs: FloatArray, destination: int) -> FloatArray:
    """Return the least cost to the destination from every node, (n_criteria, n_nodes).

    ``reverse`` is the graph turned round; turned the right way the same gives the least cost from
    an origin to every node.
    """
    n_nodes = reverse.indptr.size - 1
    to_go = np.empty((costs.shape[0], n_nodes), dtype=np.float64)
    packed = np.empty(reverse.order.size, dtype=np.float64)
    heap = empty_heap(reverse.order.size + 1)
    nobody = np.zeros(n_nodes, dtype=np.bool_)
    for row in range(costs.shape[0]):
        pack(reverse.order, costs[row], packed)
        find_distances(reverse, packed, destination, nobody, 1, to_go[row], heap)
    return to_go


@compiled
def reduce_costs(arcs: Arcs, costs: FloatArray, to_go: FloatArray) -> FloatArray:
    """Return reduced costs (n_arcs, n_criteria) in CSR order; inf where an arc leads nowhere."""
    reduced = np.empty((costs.shape[1], costs.shape[0]), dtype=np.float64)
    for position in range(arcs.order.size):
        arc = arcs.order[position]
        tail, head = arcs.tail[arc], arcs.head[arc]
        for row in range(costs.shape[0]):
            ahead = costs[row, arc] + to_go[row, head]
            reduced[position, row] = ahead - to_go[row, tail] if ahead < np.inf else np.inf
    return reduced


@compiled
def trace_labels(labels: Labels, ends: IntArray) -> tuple[PositionArray, IntArray]:
    """Return (indptr, arcs): the arcs of the path to each label, first arc first."""
    indptr = np.zeros(ends.size + 1, dtype=np.int64)
    for index in range(ends.size):
        label, n_arcs = ends[index], 0
        while labels.parent[label] >= 0:
            label = labels.parent[label]
            n_arcs += 1
        indptr[index + 1] = indptr[index] + n_arcs
    steps = np.empty(indptr[-1], dtype=np.int32)
    for index in range(ends.size):
        label, place = ends[index], indptr[index + 1]
        while labels.parent[label] >= 0:
            place -= 1
            steps[place] = labels.arc[label]
            label = labels.parent[label]
    return indptr, steps


@compiled
def by_node(
    labels: Labels, settled: IntArray, scale: FloatArray, n_nodes: int
) -> tuple[PositionArray, FloatArray, IntArray, IntArray]:
    """Return (indptr, total, arc, parent) of the settled labels, grouped by node in their order.

    Totals are divided by ``scale`` (k,).
    """
    indptr = np.zeros(n_nodes + 1, dtype=np.int64)
    for label in settled:
        indptr[labels.node[label] + 1] += 1
    for node in range(n_nodes):
        indptr[node + 1] += indptr[node]
    place = indptr[:-1].copy()
    new = np.full(labels.node.size + 1, -1, dtype=np.int32)  # the last: for parent -1
    total = np.empty((settled.size, labels.total.shape[1]), dtype=np.float64)
    arc = np.empty(settled.size, dtype=np.int32)
    parent = np.empty(settled.size, dtype=np.int32)
    for label in settled:
        here = place[labels.node[label]]
        place[labels.node[label]] += 1
        new[label] = here
        total[here] = labels.total[label] / scale
        arc[here] = labels.arc[label]
        parent[here] = new[labels.parent[label]]  # settled before, so it has its place
    return indptr, total, arc, parent


class Answer(NamedTuple):
    """Paths as (total, indptr, arcs), one row of ``total`` each; ``complete`` or refused."""

    complete: bool
    total: FloatArray
    indptr: PositionArray
    arcs: IntArray


@compiled
def best_paths(
    arcs: Arcs,
    criteria: FloatArray,
    to_go: FloatArray,
    origin: int,
    destination: int,
    slack: float,
    ceiling: FloatArray,
    most_wanted: int,
    max_labels: int,
) -> Answer:
    """Return the nondominated paths to one node (see ``settle_labels``).

    ``criteria`` is (k, n_arcs), ``to_go`` (k, n_nodes) what ``distances_to`` gives for it.
    """
    start = to_go[:, origin].copy()
    if start[0] == np.inf:
        ceiling = np.full(start.size, -1.0)
    reduced = reduce_costs(arcs, criteria, to_go)
    task = Task(
        arcs.indptr,
        arcs.order,
        arcs.neighbor,
        reduced,
        ceiling,
        destination,
        slack,
        most_wanted,
        max_labels,
    )
    found = settle_labels(task, start, origin)
    total = np.empty((found.wanted.size, start.size), dtype=np.float64)
    for row in range(found.wanted.size):
        total[row] = found.labels.total[found.wanted[row]]
    indptr, steps = trace_labels(found.labels, found.wanted)
    return Answer(found.complete, total, indptr, steps)


class Tree(NamedTuple):
    """Settled labels grouped by node, in lexicographic order at each; ``complete`` or refused."""

    complete: bool
    indptr: PositionArray
    total: FloatArray
    arc: IntArray
    parent: IntArray


@compiled
def grow_label_tree(
    arcs: Arcs, criteria: FloatArray, scale: FloatArray, origin: int, max_labels: int
) -> Tree:
    """Return the nondominated labels at every node; ``criteria`` is (k, n_arcs).

    Totals are divided by ``scale`` (k,).
    """
    n_criteria, n_arcs = criteria.shape
    packed = np.empty((n_arcs, n_criteria), dtype=np.float64)
    for position in range(n_arcs):
        for row in range(n_criteria):
            packed[position, row] = criteria[row, arcs.order[position]]
    task = Task(
        arcs.indptr,
        arcs.order,
        arcs.neighbor,
        packed,
        np.full(n_criteria, np.inf),
        -1,
        1.0,
        -1,
        max_labels,
    )
    found = settle_labels(task, np.zeros(n_criteria), origin)
    indptr, total, arc, parent = by_node(found.labels, found.wanted, scale, arcs.indptr.size - 1)
    return Tree(found.complete, indptr, total, arc, parent)
