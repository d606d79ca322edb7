"""Paths out of flows on arcs: what a relaxation or an integer program used."""

import numpy as np

from corridor.core.flows._arrays import BoolArray, FloatArray, LongArray
from corridor.core.flows._design_model import DesignModel
from corridor.core.flows.result import PathColumns

DUST = 1e-7
"""Share of a demand that is not worth a path."""


def paths_of(model: DesignModel, x: FloatArray) -> PathColumns:
    """Return paths that carry the flows of a point; all groups walk at once, the widest way.

    Flow in circles gives no path, and a walk that is caught in one is given up.

    Parameters
    ----------
    model
        The program.
    x : ndarray of float64, shape (n_columns,)
        A point; only its flows are read.
    """
    graph, groups = model.problem.graph, model.network.groups
    rest = np.zeros((groups.size, graph.n_arcs + 1))
    rest[model.flow_group, model.flow_arc] = x[: model.n_flows]
    leaving = _leaving(graph.tail.astype(np.int64), graph.n_nodes)
    found: list[tuple[int, LongArray]] = []
    active = np.arange(groups.size)
    while active.size:
        steps, arrived = _walk(model, rest, leaving, active)
        width = np.min([rest[active, arcs] for arcs in steps], axis=0, initial=1.0,
                       where=np.array(steps) < graph.n_arcs)  # fmt: skip
        good = arrived & (width > DUST)
        for arcs in steps:
            inside = good & (arcs < graph.n_arcs)
            rest[active[inside], arcs[inside]] -= width[inside]
        table = np.array(steps)
        found.extend(
            (int(active[walker]), table[table[:, walker] < graph.n_arcs, walker])
            for walker in np.flatnonzero(good)
        )
        active = active[good]
    lengths = np.array([arcs.size for _, arcs in found], dtype=np.int64)
    return PathColumns(
        commodity=groups.first[np.array([group for group, _ in found], dtype=np.int64)],
        indptr=np.r_[0, np.cumsum(lengths)],
        arcs=np.concatenate([np.empty(0, np.int64), *(arcs for _, arcs in found)]).astype(np.int32),
    )


def _leaving(tail: LongArray, n_nodes: int) -> LongArray:
    """Return the arcs that leave each node, filled up with a number past the last arc."""
    order = np.argsort(tail, kind="stable")
    count = np.bincount(tail, minlength=n_nodes)
    first = np.cumsum(count) - count
    table = np.full((n_nodes, max(1, int(count.max(initial=0)))), tail.size, dtype=np.int64)
    table[tail[order], np.arange(tail.size) - first[tail[order]]] = order
    return table


def _walk(
    model: DesignModel, rest: FloatArray, leaving: LongArray, active: LongArray
) -> tuple[list[LongArray], BoolArray]:
    """Return the arcs of each step and who arrived; who stands still has a number past the last."""
    graph, groups = model.problem.graph, model.network.groups
    head = np.r_[graph.head, 0].astype(np.int64)
    node = groups.origin[active].astype(np.int64)
    goal = groups.destination[active]
    steps = [np.full(active.size, graph.n_arcs, dtype=np.int64)]
    stuck = np.zeros(active.size, dtype=np.bool_)
    for _ in range(graph.n_nodes):
        moving = (node != goal) & ~stuck
        if not moving.any():
            break
        choice = leaving[node]
        width = rest[active[:, None], choice]
        best = np.argmax(width, axis=1)
        every = np.arange(active.size)
        stuck |= moving & (width[every, best] <= DUST)
        arc = np.where(moving & ~stuck, choice[every, best], graph.n_arcs)
        node = np.where(arc < graph.n_arcs, head[arc], node)
        steps.append(arc)
    return steps, (node == goal) & ~stuck
