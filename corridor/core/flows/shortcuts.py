"""A smaller graph for searches: the same cheapest paths between the places that matter.

Most nodes of a supernetwork are on the way only: a border post is a chain of arcs, a town on a road
is left by whoever entered it on the other side. Where every arc into a node is followed by one arc
alone (turning round is no simple path), the two become one arc and the node is left out.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from corridor.core.flows._arrays import FloatArray, IntArray, LongArray
from corridor.core.graph import Graph
from corridor.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shortcuts:
    """A graph whose arcs are chains of another's, with all its simple paths between some nodes.

    It depends on neither costs nor on what is closed, so it serves many problems.

    Attributes
    ----------
    whole, graph, turned
        The graph it was made of, the smaller one, and that one with its arcs turned round.
    node : ndarray of int32, shape (whole.n_nodes,)
        Position of each node in `graph`; -1 for those left out.
    arc : ndarray of int64, shape (whole.n_arcs,)
        Arc of `graph` that each arc is part of; -1 where no path leads over it.
    indptr, arcs : ndarray of int64 (graph.n_arcs + 1,) and int32
        Arc i of `graph` is ``arcs[indptr[i]:indptr[i + 1]]`` of `whole`.
    """

    whole: Graph
    graph: Graph
    turned: Graph
    node: IntArray
    arc: LongArray
    indptr: LongArray
    arcs: IntArray

    @classmethod
    def between(cls, graph: Graph, ends: IntArray) -> "Shortcuts":
        """Return the smaller graph that keeps some nodes.

        Parameters
        ----------
        graph
            The graph.
        ends : ndarray of int
            Nodes at which paths start or end.

        Examples
        --------
        The way from 0 to 2 and back leads past node 1; nobody ends at node 3.

        >>> graph = Graph(4, [0, 1, 2, 1, 2], [1, 2, 1, 0, 3])
        >>> small = Shortcuts.between(graph, np.array([0, 2]))
        >>> small.graph.n_nodes, small.arc.tolist()
        (2, [0, 0, 1, 1, -1])
        >>> small.costs(np.array([[1.0, 2.0, 4.0, 8.0, 16.0]]))
        array([[ 3., 12.]])
        """
        kept, chains = _contracted(graph, set(ends.tolist()))
        node = np.full(graph.n_nodes, -1, dtype=np.int32)
        node[kept] = np.arange(len(kept))
        indptr = np.cumsum([0, *map(len, chains)])
        arcs = np.array([arc for chain in chains for arc in chain], dtype=np.int32)
        part_of = np.full(graph.n_arcs, -1, dtype=np.int64)
        part_of[arcs] = np.repeat(np.arange(len(chains)), np.diff(indptr))
        tail = node[graph.tail[arcs[indptr[:-1]]]]
        head = node[graph.head[arcs[indptr[1:] - 1]]]
        return cls(
            whole=graph,
            graph=Graph(len(kept), tail, head),
            turned=Graph(len(kept), head, tail),
            node=node,
            arc=part_of,
            indptr=indptr,
            arcs=arcs,
        )

    def check(self, graph: Graph, *ends: IntArray) -> None:
        """Refuse another graph, or ends that were left out.

        Raises
        ------
        InputError
            If they do not fit.
        """
        lost = 0
        if graph is self.whole:
            lost = int(sum((self.node[some] < 0).sum() for some in ends))
            if not lost:
                return
        found = f"{lost} ends that were left out" if lost else "another graph"
        msg = (
            f"shortcuts must be of the problem's graph and keep the ends of its commodities; found "
            f"{found}. Make them anew with Shortcuts.between."
        )
        raise InputError(msg)

    def costs(self, cost: FloatArray) -> FloatArray:
        """Return the costs of the arcs of `graph`, from those of `whole`, shape (n_rows, n_arcs).

        An arc is closed (inf) where one of its parts is.
        """
        first, size = self.indptr[:-1], np.diff(self.indptr)
        total = np.take(cost, self.arcs[first], axis=1)
        for part in range(1, int(size.max(initial=1))):
            longer = np.flatnonzero(size > part)
            total[:, longer] += cost[:, self.arcs[first[longer] + part]]
        return total

    def add(self, cost: FloatArray, place: IntArray, amount: FloatArray) -> None:
        """Add amounts at places (row x whole.n_arcs + arc) to costs as of `costs`."""
        row, arc = np.divmod(place, self.whole.n_arcs)
        short = self.arc[arc]
        met = short >= 0
        np.add.at(cost.reshape(-1), row[met] * self.graph.n_arcs + short[met], amount[met])

    def unfolded(self, indptr: LongArray, arcs: IntArray) -> tuple[LongArray, IntArray]:
        """Return paths over `graph` as paths over `whole`, path i ``arcs[indptr[i]:...]``."""
        size = np.diff(self.indptr)[arcs]
        ends = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(size)])
        within = np.arange(ends[-1]) - np.repeat(ends[:-1], size)
        return ends[indptr], self.arcs[np.repeat(self.indptr[arcs], size) + within]


def _contracted(graph: Graph, ends: set[int]) -> tuple[list[int], list[tuple[int, ...]]]:
    """Return the nodes that stay, and the chains of arcs between them."""
    n_nodes = graph.n_nodes
    chains: dict[int, tuple[int, ...]] = {arc: (arc,) for arc in range(graph.n_arcs)}
    tail = dict(enumerate(graph.tail.tolist()))
    head = dict(enumerate(graph.head.tolist()))
    # Dictionaries as ordered sets: the order of the arcs must not depend on chance.
    into: list[dict[int, None]] = [{} for _ in range(n_nodes)]
    out: list[dict[int, None]] = [{} for _ in range(n_nodes)]
    for arc in chains:
        out[tail[arc]][arc] = None
        into[head[arc]][arc] = None
    gone = [False] * n_nodes
    waiting = deque(node for node in range(n_nodes) if node not in ends)
    while waiting:
        node = waiting.popleft()
        pairs = [(a, b) for a in into[node] for b in out[node] if tail[a] != head[b]]
        is_passed = len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
        if gone[node] or not is_passed:
            continue
        gone[node] = True
        near = {tail[a]: None for a in into[node]} | {head[b]: None for b in out[node]}
        merged = [(tail[a], head[b], chains[a] + chains[b]) for a, b in pairs]
        for arc in {**into[node], **out[node]}:
            del out[tail[arc]][arc], into[head[arc]][arc], chains[arc]
        for start, end, chain in merged:
            arc = len(tail)
            tail[arc], head[arc], chains[arc] = start, end, chain
            out[start][arc] = into[end][arc] = None
        waiting.extend(other for other in near if not (gone[other] or other in ends))
    kept = [node for node in range(n_nodes) if not gone[node]]
    return kept, list(chains.values())
