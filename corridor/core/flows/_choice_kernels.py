"""Compiled loops of choices among paths; imported only when a choice is modelled."""

from typing import Final, NamedTuple

import numpy as np

from corridor.core.flows._arrays import BoolArray, FloatArray, IntArray, LongArray
from corridor.core.paths._kernels import compiled

NOBODY: Final = 1e-30
"""Share of a group up to which an option changes nothing."""
WIDTH: Final = 4
"""Columns of a system that are eliminated together."""


class Search(NamedTuple):
    """A graph, where alternatives may lead through, and trees from origins and to destinations."""

    tail: IntArray
    head: IntArray
    length: FloatArray
    cost: FloatArray
    class_row: LongArray
    origin: IntArray
    destination: IntArray
    forth_row: LongArray
    forth_distance: FloatArray
    forth_arc: IntArray
    back_row: LongArray
    back_distance: FloatArray
    back_arc: IntArray


class Rows(NamedTuple):
    """Sparse rows, one for each option."""

    indptr: IntArray
    pool: IntArray
    value: FloatArray


@compiled
def add_covariances(
    start: LongArray,
    share: FloatArray,
    demand: FloatArray,
    slope: FloatArray,
    place: LongArray,
    load: Rows,
    charge: Rows,
    out: FloatArray,
) -> None:
    """Add to ``out[i, j]`` what a unit of price in pool j takes from the load of pool i.

    Group k has options ``start[k] .. start[k + 1] - 1`` with shares; pool j stands at ``place[j]``,
    or is left out where that is -1. Formula, E and Cov over the shares::

        out += sum over groups of demand Cov(load_i, charge_j) + slope E(load_i) E(charge_j)
    """
    loaded, charged = _means(out.shape[0]), _means(out.shape[0])
    load, charge = _only_placed(load, place), _only_placed(charge, place)
    for group in range(start.size - 1):
        for option in range(start[group], start[group + 1]):
            part = share[option]
            if part <= NOBODY:
                continue
            weight = demand[group] * part
            first, last = charge.indptr[option], charge.indptr[option + 1]
            for a in range(load.indptr[option], load.indptr[option + 1]):
                row, amount = load.pool[a], weight * load.value[a]
                for b in range(first, last):
                    out[row, charge.pool[b]] += amount * charge.value[b]
            _add_row(loaded, load, option, part)
            _add_row(charged, charge, option, part)
        weight = slope[group] - demand[group]
        for a in range(loaded.n[0]):
            row = loaded.entry[a]
            for b in range(charged.n[0]):
                column = charged.entry[b]
                out[row, column] += weight * loaded.value[row] * charged.value[column]
        _clear(loaded)
        _clear(charged)


@compiled
def _only_placed(rows: Rows, place: LongArray) -> Rows:
    """Return the entries of pools that stand somewhere, by where they do."""
    indptr = np.zeros_like(rows.indptr)
    pool, value = np.empty_like(rows.pool), np.empty_like(rows.value)
    size = 0
    for row in range(rows.indptr.size - 1):
        for i in range(rows.indptr[row], rows.indptr[row + 1]):
            if place[rows.pool[i]] >= 0:
                pool[size], value[size] = place[rows.pool[i]], rows.value[i]
                size += 1
        indptr[row + 1] = size
    return Rows(indptr, pool, value)


class Means(NamedTuple):
    """A sparse vector: its values, the entries that are not 0, and their number."""

    value: FloatArray
    entry: LongArray
    n: LongArray


@compiled
def _means(size: int) -> Means:
    return Means(np.zeros(size), np.empty(size, np.int64), np.zeros(1, np.int64))


@compiled
def _add_row(means: Means, rows: Rows, option: int, part: float) -> None:
    for i in range(rows.indptr[option], rows.indptr[option + 1]):
        pool = rows.pool[i]
        if means.value[pool] == 0.0:
            means.entry[means.n[0]] = pool
            means.n[0] += 1
        means.value[pool] += part * rows.value[i]


@compiled
def _clear(means: Means) -> None:
    for i in range(means.n[0]):
        means.value[means.entry[i]] = 0.0
    means.n[0] = 0


@compiled
def solve_dense(matrix: FloatArray, right: FloatArray) -> bool:
    """Solve a system in place by elimination with row pivots; False where it is singular.

    Four columns at a time, so that each entry to their right is read and written once for all.
    Where two threads share two cores, LAPACK's own threads made this five times slower, and its
    rounding depends on them; results here do not.
    """
    n = right.size
    for first in range(0, n, WIDTH):
        stop = min(first + WIDTH, n)
        if not _eliminate_panel(matrix, right, first, stop):
            return False
        for column in range(first, stop):
            for row in range(column + 1, stop):
                _subtract_row(matrix, row, column, stop)
        if stop - first == WIDTH:
            for row in range(stop, n):
                _subtract_four(matrix, row, first)
    for row in range(n - 1, -1, -1):
        total = right[row]
        for j in range(row + 1, n):
            total -= matrix[row, j] * right[j]
        right[row] = total / matrix[row, row]
    return True


@compiled
def _eliminate_panel(matrix: FloatArray, right: FloatArray, first: int, stop: int) -> bool:
    """Eliminate some columns among themselves, and leave the factors of rows in place."""
    n = right.size
    for column in range(first, stop):
        if not _swap_in_pivot(matrix, right, column, first):
            return False
        over = 1.0 / matrix[column, column]
        for row in range(column + 1, n):
            factor = matrix[row, column] * over
            matrix[row, column] = factor
            if factor != 0.0:
                for j in range(column + 1, stop):
                    matrix[row, j] -= factor * matrix[column, j]
                right[row] -= factor * right[column]
    return True


@compiled
def _subtract_row(matrix: FloatArray, row: int, column: int, start: int) -> None:
    """Subtract a pivot's row from another, from a position on."""
    factor = matrix[row, column]
    if factor != 0.0:
        mine, pivot = matrix[row, start:], matrix[column, start:]
        for j in range(mine.size):
            mine[j] -= factor * pivot[j]


@compiled
def _subtract_four(matrix: FloatArray, row: int, first: int) -> None:
    """Subtract the rows of four pivots from another, right of these pivots."""
    a, b, c, d = matrix[row, first : first + WIDTH]
    if a == 0.0 and b == 0.0 and c == 0.0 and d == 0.0:
        return
    start = first + WIDTH
    mine = matrix[row, start:]
    one, two = matrix[first, start:], matrix[first + 1, start:]
    three, four = matrix[first + 2, start:], matrix[first + 3, start:]
    for j in range(mine.size):
        mine[j] -= a * one[j] + b * two[j] + c * three[j] + d * four[j]


@compiled
def _swap_in_pivot(matrix: FloatArray, right: FloatArray, column: int, start: int) -> bool:
    """Bring the largest entry of a column onto the diagonal; False where all are 0.

    Rows are swapped from position `start` on.
    """
    pivot = column
    for row in range(column + 1, right.size):
        if abs(matrix[row, column]) > abs(matrix[pivot, column]):
            pivot = row
    if matrix[pivot, column] == 0.0:
        return False
    if pivot != column:
        for j in range(start, right.size):
            matrix[column, j], matrix[pivot, j] = matrix[pivot, j], matrix[column, j]
        right[column], right[pivot] = right[pivot], right[column]
    return True


@compiled
def find_alternatives(
    search: Search,
    count: int,
    factor: float,
    overlap: float,
    out_group: LongArray,
    out_ptr: LongArray,
    out_arcs: IntArray,
) -> int:
    """Write the alternatives of all groups; return how many, or -1 where there is no room."""
    n_arcs, n_nodes = search.tail.size, search.forth_distance.shape[1]
    taken, taken_length = np.zeros((count, n_arcs), np.bool_), np.empty(count)
    seen, met = np.full(n_nodes, -1, np.int64), np.full(n_arcs, -1, np.int64)
    path, through = np.empty(n_nodes + 1, np.int32), np.empty(n_arcs)
    stamp, n_paths = 0, 0
    for group in range(search.class_row.size):
        first, n_taken = n_paths, 0
        most = factor * _measure(search, group, through)
        near = np.flatnonzero(through <= most)
        for arc in near[np.argsort(through[near], kind="mergesort")]:
            if n_taken == count:
                break
            stamp += 1
            # Where a way looked at before has the arc, the same way leads through it.
            size = -1 if met[arc] == group else _trace(search, group, arc, stamp, seen, path)
            if size < 0:
                continue
            met[path[:size]] = group
            whole = _differs(path[:size], search.length, taken, taken_length, n_taken, overlap)
            if whole < 0.0:
                continue
            start, stop = out_ptr[n_paths], out_ptr[n_paths] + size
            if stop > out_arcs.size:
                return -1
            out_arcs[start:stop] = path[:size]
            taken[n_taken][path[:size]] = True
            taken_length[n_taken] = whole
            out_group[n_paths], out_ptr[n_paths + 1] = group, stop
            n_taken, n_paths = n_taken + 1, n_paths + 1
        for k in range(n_taken):
            taken[k][out_arcs[out_ptr[first + k] : out_ptr[first + k + 1]]] = False
    return n_paths


@compiled
def _measure(search: Search, group: int, through: FloatArray) -> float:
    """Write what the cheapest way through each arc costs; return what the cheapest of all does.

    A way may pass a node twice. -1 is returned where the group has no way, or needs none.
    """
    forth, back = search.forth_row[group], search.back_row[group]
    for arc in range(search.tail.size):
        through[arc] = (
            search.forth_distance[forth, search.tail[arc]]
            + search.cost[search.class_row[group], arc]
            + search.back_distance[back, search.head[arc]]
        )
    least = search.forth_distance[forth, search.destination[group]]
    if not np.isfinite(least) or search.origin[group] == search.destination[group]:
        return -1.0
    return float(least)


@compiled
def _trace(
    search: Search, group: int, arc: int, stamp: int, seen: LongArray, path: IntArray
) -> int:
    """Write the cheapest way through an arc; return its arcs, -1 where it meets a node twice."""
    origin, destination = search.origin[group], search.destination[group]
    forth, back = search.forth_row[group], search.back_row[group]
    size, node = 0, search.tail[arc]
    while node != origin:
        seen[node] = stamp
        path[size] = search.forth_arc[forth, node]
        node = search.tail[path[size]]
        size += 1
    seen[node] = stamp
    for j in range(size // 2):
        path[j], path[size - 1 - j] = path[size - 1 - j], path[j]
    path[size] = arc
    node, size = search.head[arc], size + 1
    while seen[node] != stamp:
        seen[node] = stamp
        if node == destination:
            return size
        path[size] = search.back_arc[back, node]
        node = search.head[path[size]]
        size += 1
    return -1


@compiled
def _differs(
    path: IntArray,
    length: FloatArray,
    taken: BoolArray,
    taken_length: FloatArray,
    n_taken: int,
    overlap: float,
) -> float:
    """Return the length of a path, -1 where it has too much in common with one taken before."""
    whole = 0.0
    for arc in path:
        whole += length[arc]
    for k in range(n_taken):
        common = 0.0
        for arc in path:
            if taken[k, arc]:
                common += length[arc]
        if common > overlap * min(whole, taken_length[k]):
            return -1.0
    return whole
