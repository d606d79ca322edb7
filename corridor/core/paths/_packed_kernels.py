"""Compiled label setting whose totals are packed into one word; imported only when asked for.

The search is that of ``_label_kernels``. Here all whole-number totals of a label stand side by
side in a word of 64 bits, the first criterion on top, each under a guard bit that is 0:

    | 0 | first | 0 | second | 0 | third |

So words compare as the labels do in lexicographic order, one addition extends a label by an arc,
and one subtraction tests dominance: with its guard bits set, ``label - row`` keeps all of them
just when no criterion of the row is greater. A test costs three instructions a row and no branch,
which makes a front that is merely appended to quicker than a sorted one, as long as it is short.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corridor.core.graph import FloatArray, IntArray
from corridor.core.paths._kernels import Arcs, compiled, inlined
from corridor.core.paths._label_kernels import (
    PositionArray,
    Tree,
    counting_nothing,
    longer,
    longer_rows,
)

# Indices that come out of memory are unsigned: signed ones would be looked at for being negative.
IndexArray = npt.NDArray[np.uint32]
WordArray = npt.NDArray[np.uint64]

WORD_BITS = 64

NOBODY = np.uint32(0xFFFFFFFF)
"""No arc, no label, no node; greater than all of them."""

ROWS = 8
"""Rows of a front that are tested together; those without a label have the greatest totals."""

BLOCKS_OF_ROWS = np.uint64(0xFFFFFFFF - ROWS + 1)
"""Turns a number of rows into one of whole blocks."""

MOST_ROWS = (256, 1024)
"""Labels at one node above which, with two and with three criteria, sorted fronts are quicker."""

FEW = 4096
"""Labels that there is room for at first."""

FEWEST_BUCKETS, MOST_BUCKETS = 512, 1 << 16

N_OPEN, N_SORTED, N_SETTLED, N_ROWS, BUCKET = range(5)
"""Positions in ``Search.tally``; BUCKET is the number of the current bucket."""

DONE, MORE_OPEN, MORE_SETTLED, MORE_ROWS, REFUSED, UNFIT = range(6)
"""Why a search returned; UNFIT: totals too long, or fronts too long, for this kind of search."""

ARC, PARENT, SEEN, LINK, NODE = range(5)
"""Columns of ``Queue.label``: the way into the node, the label it extends, how many rows of the
node's front are known not to cover it, the next one in its bucket, and the node; eight columns
keep a label inside one cache line."""

START, SIZE, ROOM = range(3)
"""Columns of ``Fronts.extent``, ``START`` counted in rows."""


class Packing(NamedTuple):
    """Where the criteria stand in a word: lowest bits, and all guard bits."""

    shift: WordArray
    guard: np.uint64
    fits: bool


class Task(NamedTuple):
    """The open arcs in CSR order, and after the last one the way into the origin.

    ``head``, ``cost`` (packed) and ``arc`` (its number in the graph) are those of each; ``back``
    is an arc that leads back from its head. Labels go into one bucket of the queue when they share
    all but their lowest ``bucket_shift`` bits.
    """

    indptr: IndexArray
    head: IndexArray
    cost: WordArray
    arc: IntArray
    back: IndexArray
    guard: np.uint64
    bucket_shift: np.uint64
    max_degree: int
    most_rows: int
    max_labels: int


class Queue(NamedTuple):
    """Open labels: a ring of buckets, unsorted but for the current one, which is a heap.

    No arc is longer than the ring, so labels of one slot belong to one bucket. ``spare`` has the
    places without a label behind its first ``n_open`` entries.
    """

    first: IndexArray
    total: WordArray
    label: IndexArray
    spare: IndexArray
    keys: WordArray
    items: IndexArray


class Fronts(NamedTuple):
    """The labels settled at each node, in the order in which they were."""

    extent: IndexArray
    rows: WordArray


class Search(NamedTuple):
    """Everything a search has in memory; ``settled`` holds (way in, parent) of settled labels."""

    queue: Queue
    fronts: Fronts
    settled: IndexArray
    tally: PositionArray


@compiled
def are_whole(criteria: FloatArray, limit: float) -> bool:
    """Return whether all entries are whole numbers from 0 to less than ``limit``."""
    whole = True
    for row in range(criteria.shape[0]):
        for arc in range(criteria.shape[1]):
            cost = criteria[row, arc]
            whole &= (cost >= 0.0) & (cost < limit) & (cost == np.floor(cost))
    return whole


@compiled
def packing_of(criteria: FloatArray, n_steps: int) -> Packing:
    """Return how to pack totals of paths with at most ``n_steps`` arcs.

    ``criteria`` (k, n_arcs) are whole numbers, and inf.
    """
    n_criteria = len(criteria)
    shift = np.zeros(n_criteria, dtype=np.uint64)
    guard, n_bits = np.uint64(0), 0
    for row in range(n_criteria - 1, -1, -1):
        longest = np.int64(0)  # whole: the compiler looks at floats one by one
        for arc in range(criteria.shape[1]):
            cost = criteria[row, arc]
            longest = max(longest, np.int64(cost if cost < np.inf else 0.0))
        # One more than any total, so that the greatest number of a field stands for no label.
        beyond = np.float64(longest) * n_steps + 1.0
        width, greatest = 1, 1.0
        while width < WORD_BITS and beyond > greatest:
            width += 1
            greatest = 2.0 * greatest + 1.0
        if n_bits + width + 1 > WORD_BITS:
            return Packing(shift, guard, fits=False)
        shift[row] = n_bits
        guard |= np.uint64(1) << np.uint64(n_bits + width)
        n_bits += width + 1
    return Packing(shift, guard, fits=True)


@compiled
def pack_arcs(
    arcs: Arcs,
    criteria: FloatArray,
    origin: int,
    packing: Packing,
    n_buckets: int,
    most_rows: int,
    max_labels: int,
) -> Task:
    """Return the arcs that are open in every criterion, their costs packed."""
    n_nodes, n_arcs = arcs.indptr.size - 1, arcs.order.size
    indptr = np.empty(n_nodes + 1, dtype=np.uint32)
    head = np.empty(n_arcs + 1, dtype=np.uint32)
    cost = np.zeros(n_arcs + 1, dtype=np.uint64)
    number = np.full(n_arcs + 1, -1, dtype=np.int32)
    place = np.full(n_arcs, NOBODY, dtype=np.uint32)
    longest, max_degree, size = np.uint64(0), 0, 0
    for node in range(n_nodes):
        indptr[node] = size
        for position in range(arcs.indptr[node], arcs.indptr[node + 1]):
            arc = arcs.order[position]
            word, is_open = np.uint64(0), True
            for row in range(len(criteria)):
                is_open &= criteria[row, arc] < np.inf
                if is_open:
                    word |= np.uint64(criteria[row, arc]) << packing.shift[row]
            if is_open:
                head[size], cost[size], number[size] = arcs.neighbor[position], word, arc
                place[arc] = size
                longest = max(longest, word)
                size += 1
        max_degree = max(max_degree, size - int(indptr[node]))
    indptr[n_nodes] = size
    head[size], cost[size], number[size] = origin, np.uint64(0), -1
    bucket_shift = np.uint64(0)
    while longest >> bucket_shift >= np.uint64(n_buckets - 1):
        bucket_shift += np.uint64(1)
    return Task(
        indptr,
        head[: size + 1].copy(),
        cost[: size + 1].copy(),
        number[: size + 1].copy(),
        ways_back(arcs, indptr, head, place),
        packing.guard,
        bucket_shift,
        max_degree,
        most_rows,
        max_labels,
    )


@compiled
def ways_back(arcs: Arcs, indptr: IndexArray, head: IndexArray, place: IndexArray) -> IndexArray:
    """Return an arc from head to tail of each arc, or ``NOBODY``; ``place`` is that of each arc."""
    n_nodes = arcs.indptr.size - 1
    back = np.full(np.int64(indptr[n_nodes]) + 1, NOBODY, dtype=np.uint32)
    leading = np.full(n_nodes, NOBODY, dtype=np.uint32)
    for node in range(n_nodes):
        for position in range(indptr[node], indptr[node + 1]):
            leading[head[position]] = position
        for position in range(arcs.reverse_indptr[node], arcs.reverse_indptr[node + 1]):
            here = place[arcs.reverse_order[position]]
            if here != NOBODY:
                back[here] = leading[arcs.reverse_neighbor[position]]
        for position in range(indptr[node], indptr[node + 1]):
            leading[head[position]] = NOBODY
    return back


@inlined
def covers(rows: WordArray, place: np.uint64, label: np.uint64, guard: np.uint64) -> bool:
    """Return whether one of eight rows covers a label that has its guard bits set."""
    return bool(
        (((label - rows[place]) & guard) == guard)
        | (((label - rows[place + np.uint64(1)]) & guard) == guard)
        | (((label - rows[place + np.uint64(2)]) & guard) == guard)
        | (((label - rows[place + np.uint64(3)]) & guard) == guard)
        | (((label - rows[place + np.uint64(4)]) & guard) == guard)
        | (((label - rows[place + np.uint64(5)]) & guard) == guard)
        | (((label - rows[place + np.uint64(6)]) & guard) == guard)
        | (((label - rows[place + np.uint64(7)]) & guard) == guard)
    )


@inlined
def sort_in(keys: WordArray, items: IndexArray, size: int, key: np.uint64, item: np.uint32) -> None:
    """Add an entry to a binary heap of ``size`` entries."""
    hole = size
    while hole > 0:
        above = (hole - 1) >> 1
        if keys[above] <= key:
            break
        keys[hole] = keys[above]
        items[hole] = items[above]
        hole = above
    keys[hole] = key
    items[hole] = item


@inlined
def drop_first(keys: WordArray, items: IndexArray, size: int) -> None:
    """Remove the first entry (read it before, at position 0) of a heap of ``size`` entries."""
    rest = size - 1
    key, item = keys[rest], items[rest]
    hole, below = 0, 1
    while below < rest:
        right = below + 1
        if right < rest and keys[right] < keys[below]:
            below = right
        if keys[below] >= key:
            break
        keys[hole] = keys[below]
        items[hole] = items[below]
        hole = below
        below = 2 * hole + 1
    keys[hole] = key
    items[hole] = item


@counting_nothing
def settle_some(task: Task, search: Search) -> int:  # noqa: C901, PLR0912, PLR0915 - one hot loop
    """Settle labels until all are, or an array is full; return which (see DONE)."""
    indptr, head, cost, back = task.indptr, task.head, task.cost, task.back
    guard, bucket_shift = task.guard, task.bucket_shift
    first, open_total, open_label = search.queue.first, search.queue.total, search.queue.label
    spare, keys, items = search.queue.spare, search.queue.keys, search.queue.items
    extent, rows = search.fronts.extent, search.fronts.rows
    settled, tally = search.settled, search.tally
    mask, one = np.uint64(first.size - 1), np.uint64(1)
    most_open = spare.size - task.max_degree
    n_open, n_sorted = tally[N_OPEN], tally[N_SORTED]
    n_settled, n_rows = tally[N_SETTLED], tally[N_ROWS]
    bucket = np.uint64(tally[BUCKET])
    full = DONE
    while n_open > 0:
        if n_open > most_open:
            full = MORE_OPEN
            break
        if n_settled == len(settled):
            full = MORE_SETTLED
            break
        if n_settled + n_open > task.max_labels:
            full = REFUSED
            break
        # Take the first label; a bucket with a single one is not worth a heap.
        slot = NOBODY
        if n_sorted == 0:
            bucket += one
            while first[bucket & mask] == NOBODY:
                bucket += one
            slot = first[bucket & mask]
            first[bucket & mask] = NOBODY
            if open_label[slot, LINK] != NOBODY:
                while slot != NOBODY:
                    sort_in(keys, items, n_sorted, open_total[slot], slot)
                    n_sorted += 1
                    slot = open_label[slot, LINK]
        if n_sorted > 0:
            slot = items[0]
            drop_first(keys, items, n_sorted)
            n_sorted -= 1
        here, way, node = open_total[slot], open_label[slot, ARC], open_label[slot, NODE]
        start, size = extent[node, START], extent[node, SIZE]
        label = here | guard
        covered = False
        row = open_label[slot, SEEN] & BLOCKS_OF_ROWS
        while row < size:
            covered |= covers(rows, np.uint64(start + row), label, guard)
            row += np.uint64(ROWS)
        n_open -= 1
        spare[n_open] = slot
        if covered:
            continue
        if size == extent[node, ROOM]:
            if n_rows + 2 * np.int64(size) > rows.size or size >= task.most_rows:
                full = MORE_ROWS if size < task.most_rows else UNFIT
                n_open += 1
                sort_in(keys, items, n_sorted, here, slot)
                n_sorted += 1
                break
            for moved in range(np.int64(size)):
                rows[n_rows + moved] = rows[np.int64(start) + moved]
            start = np.uint32(n_rows)
            extent[node, START], extent[node, ROOM] = start, np.uint32(2) * size
            n_rows += 2 * np.int64(size)
        rows[start + size] = here
        extent[node, SIZE] = size + np.uint32(1)
        settled[n_settled, 0], settled[n_settled, 1] = way, open_label[slot, PARENT]
        parent = np.uint32(n_settled)
        n_settled += 1
        # All arcs but the one back, which without branches saves a wrong guess for each label.
        position, stop, skipped = indptr[node], indptr[node + np.uint32(1)], back[way]
        stop -= np.uint32(skipped < stop)
        while position < stop:
            way = position + np.uint32(position >= skipped)
            position += np.uint32(1)
            there, target = here + cost[way], head[way]
            label = there | guard
            start, size = extent[target, START], extent[target, SIZE]
            covered = covers(rows, np.uint64(start), label, guard)
            row = np.uint64(ROWS)
            while row < size:
                covered |= covers(rows, np.uint64(start + row), label, guard)
                row += np.uint64(ROWS)
            slot = spare[n_open]
            open_total[slot] = there
            open_label[slot, ARC], open_label[slot, PARENT] = way, parent
            open_label[slot, SEEN], open_label[slot, NODE] = size, target
            n_open += np.int64(not covered)
            its_bucket = there >> bucket_shift
            if its_bucket > bucket:
                after = first[its_bucket & mask]
                open_label[slot, LINK] = after
                first[its_bucket & mask] = after if covered else slot
            elif not covered:
                sort_in(keys, items, n_sorted, there, slot)
                n_sorted += 1
    tally[N_OPEN], tally[N_SORTED], tally[N_SETTLED] = n_open, n_sorted, n_settled
    tally[N_ROWS], tally[BUCKET] = n_rows, np.int64(bucket)
    return full


@compiled
def longer_words(array: WordArray, size: int, filler: np.uint64) -> WordArray:
    """Return the same words with room for more, which is filled."""
    grown = np.full(size, filler, dtype=np.uint64)
    grown[: array.size] = array
    return grown


@compiled
def more_open(search: Search, size: int) -> Search:
    """Return the same search with room for ``size`` open labels."""
    old = search.queue
    spare = longer(old.spare, size)
    for slot in range(old.spare.size, size):
        spare[slot] = slot
    queue = Queue(
        old.first,
        longer_words(old.total, size, np.uint64(0)),
        longer_rows(old.label, size),
        spare,
        longer_words(old.keys, size, np.uint64(0)),
        longer(old.items, size),
    )
    return Search(queue, search.fronts, search.settled, search.tally)


@compiled
def more_settled(search: Search) -> Search:
    """Return the same search with twice the room for settled labels."""
    settled = longer_rows(search.settled, 2 * len(search.settled))
    return Search(search.queue, search.fronts, settled, search.tally)


@compiled
def more_rows(search: Search, filler: np.uint64) -> Search:
    """Return the same search with twice the room for rows of fronts."""
    rows = longer_words(search.fronts.rows, 2 * search.fronts.rows.size, filler)
    fronts = Fronts(search.fronts.extent, rows)
    return Search(search.queue, fronts, search.settled, search.tally)


@compiled
def new_search(n_nodes: int, n_buckets: int, n_open: int, filler: np.uint64) -> Search:
    """Return an empty search; every node has room for ``ROWS`` rows."""
    extent = np.zeros((n_nodes, 4), dtype=np.uint32)
    for node in range(n_nodes):
        extent[node, START], extent[node, ROOM] = ROWS * node, ROWS
    spare = np.empty(n_open, dtype=np.uint32)
    for slot in range(n_open):
        spare[slot] = slot
    tally = np.zeros(5, dtype=np.int64)
    tally[N_ROWS] = ROWS * n_nodes
    return Search(
        Queue(
            np.full(n_buckets, NOBODY, dtype=np.uint32),
            np.empty(n_open, dtype=np.uint64),
            np.empty((n_open, 8), dtype=np.uint32),
            spare,
            np.empty(n_open, dtype=np.uint64),
            np.empty(n_open, dtype=np.uint32),
        ),
        Fronts(extent, np.full(ROWS * n_nodes + FEW, filler, dtype=np.uint64)),
        np.empty((FEW, 2), dtype=np.uint32),
        tally,
    )


@compiled
def by_node(task: Task, packing: Packing, scale: FloatArray, search: Search) -> Tree:
    """Return the settled labels grouped by node, in their order, their totals divided by scale."""
    extent, n_settled = search.fronts.extent, search.tally[N_SETTLED]
    n_nodes, n_criteria = len(extent), scale.size
    indptr = np.zeros(n_nodes + 1, dtype=np.int64)
    for node in range(n_nodes):
        indptr[node + 1] = indptr[node] + extent[node, SIZE]
    place = indptr[:-1].copy()
    new = np.empty(n_settled, dtype=np.int32)
    total = np.empty((n_settled, n_criteria), dtype=np.float64)
    arc = np.empty(n_settled, dtype=np.int32)
    parent = np.empty(n_settled, dtype=np.int32)
    for label in range(n_settled):
        way, before = search.settled[label, 0], search.settled[label, 1]
        here = place[task.head[way]]
        place[task.head[way]] += 1
        new[label] = here
        arc[here] = task.arc[way]
        parent[here] = -1 if before == NOBODY else new[before]
    for node in range(n_nodes):
        start = extent[node, START]
        for row in range(np.int64(extent[node, SIZE])):
            here, word = indptr[node] + row, search.fronts.rows[np.int64(start) + row]
            for column in range(n_criteria):
                total[here, column] = word >> packing.shift[column]
                word &= (np.uint64(1) << packing.shift[column]) - np.uint64(1)
    for column in range(n_criteria):
        if scale[column] != 1.0:
            total[:, column] /= scale[column]
    return Tree(complete=True, indptr=indptr, total=total, arc=arc, parent=parent)


class PackedTree(NamedTuple):
    """What ``_label_kernels.grow_label_tree`` returns, or nothing where the task is unfit."""

    fits: bool
    tree: Tree


@compiled
def grow_packed_tree(
    arcs: Arcs, criteria: FloatArray, scale: FloatArray, origin: int, max_labels: int
) -> PackedTree:
    """Return the nondominated labels at every node; ``criteria`` is (k, n_arcs).

    They are whole numbers; totals are divided by ``scale`` (k,).
    """
    n_nodes = arcs.indptr.size - 1
    packing = packing_of(criteria, n_nodes)
    n_buckets = FEWEST_BUCKETS
    while n_buckets < min(2 * n_nodes, MOST_BUCKETS):
        n_buckets *= 2
    few = len(criteria) - 2
    most_rows = MOST_ROWS[few] if few < len(MOST_ROWS) else int(NOBODY)
    full = UNFIT
    if packing.fits:
        task = pack_arcs(arcs, criteria, origin, packing, n_buckets, most_rows, max_labels)
        # No total has the greatest number in a field, so that such a row covers none.
        filler = ~packing.guard
        search = new_search(n_nodes, n_buckets, FEW + task.max_degree, filler)
        queue, tally = search.queue, search.tally
        slot = queue.spare[0]
        queue.total[slot] = 0
        queue.label[slot, ARC], queue.label[slot, PARENT] = task.head.size - 1, NOBODY
        queue.label[slot, SEEN], queue.label[slot, LINK] = 0, NOBODY
        queue.label[slot, NODE] = origin
        sort_in(queue.keys, queue.items, 0, np.uint64(0), slot)
        tally[N_OPEN] = tally[N_SORTED] = 1
        full = MORE_OPEN
        while MORE_OPEN <= full <= MORE_ROWS:
            full = settle_some(task, search)
            if full == MORE_OPEN:
                search = more_open(search, 2 * search.queue.spare.size)
            elif full == MORE_SETTLED:
                search = more_settled(search)
            elif full == MORE_ROWS:
                search = more_rows(search, filler)
        if full == DONE:
            return PackedTree(fits=True, tree=by_node(task, packing, scale, search))
    none = np.zeros(n_nodes + 1, dtype=np.int64)
    nothing = np.empty(0, dtype=np.int32)
    return PackedTree(
        full != UNFIT,
        Tree(
            complete=False,
            indptr=none,
            total=np.empty((0, scale.size)),
            arc=nothing,
            parent=nothing,
        ),
    )
