"""Products of graphs and automata against the enumeration of all walks."""

from collections import Counter
from collections.abc import Iterator
from itertools import product as combinations

import numpy as np
import pytest

from corridor.core.graph import Graph
from corridor.core.paths import shortest_paths
from corridor.core.paths.products import Automaton, Product, product_graph
from corridor.errors import InputError

MOST_ARCS = 6


def draw_graph(rng: np.random.Generator) -> tuple[Graph, list[int], list[int]]:
    """Return a random graph with two sources and two sinks around three to five nodes."""
    inner = int(rng.integers(3, 6))
    sources, sinks = [inner, inner + 1], [inner + 2, inner + 3]
    n_inner = int(rng.integers(inner, 2 * inner + 1))
    tail = [*rng.integers(0, inner, n_inner), *sources, *rng.integers(0, inner, 2)]
    head = [*rng.integers(0, inner, n_inner), *rng.integers(0, inner, 2), *sinks]
    return Graph(inner + 4, tail, head), sources, sinks


def draw_automaton(rng: np.random.Generator, n_arcs: int, n_options: int) -> Automaton:
    n_states, n_symbols = int(rng.integers(2, 4)), int(rng.integers(1, 4))
    step = rng.integers(0, n_states, (n_options, n_states, n_symbols))
    step[step == 0] = -1
    step[:, 0], step[0, 0] = -1, 0
    accepting = rng.random(n_states) < 0.6
    accepting[0] = True
    symbol = rng.integers(0, n_symbols, n_arcs)
    return Automaton(symbol=symbol, step=step, accepting=accepting)


def walks(graph: Graph, source: int, sinks: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield the arcs of every walk from a source to any sink of at most `MOST_ARCS` arcs."""
    stack: list[tuple[int, tuple[int, ...]]] = [(source, ())]
    while stack:
        node, arcs = stack.pop()
        if node in sinks:
            yield arcs
        elif len(arcs) < MOST_ARCS:
            leaving = graph.order[graph.indptr[node] : graph.indptr[node + 1]]
            stack += [(int(graph.head[a]), (*arcs, int(a))) for a in leaving]


def n_runs(automata: list[Automaton], arcs: tuple[int, ...], start: tuple[int, ...]) -> int:
    """Return in how many ways the automata can read a walk and accept it."""
    runs = Counter([start])
    for arc in arcs:
        after: Counter[tuple[int, ...]] = Counter()
        for states, n in runs.items():
            options = [
                [int(q) for q in m.step[:, s, m.symbol[arc]] if q >= 0]
                for m, s in zip(automata, states, strict=True)
            ]
            for following in combinations(*options):
                after[following] += n
        runs = after
    ends = (
        n
        for states, n in runs.items()
        if all(m.accepting[s] for m, s in zip(automata, states, strict=True))
    )
    return sum(ends)


@pytest.mark.parametrize("seed", range(200))
def test_the_walks_of_a_product_are_those_that_the_automata_accept(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph, sources, sinks = draw_graph(rng)
    automata = [
        draw_automaton(rng, graph.n_arcs, int(rng.integers(1, 3)))
        for _ in range(int(rng.integers(1, 3)))
    ]
    others = [tuple(int(rng.integers(m.n_states)) for m in automata) for _ in range(2)]
    starts = list(dict.fromkeys([(0,) * len(automata), *others]))
    made = product_graph(graph, automata, np.array(starts), sources, sinks)
    assert (made.graph.tail[: graph.n_arcs] == graph.tail).all()
    for source in sources:
        found: dict[int, Counter[tuple[int, ...]]] = {i: Counter() for i in range(len(starts))}
        for arcs in walks(made.graph, source, sinks):
            found[int(made.start[arcs[0]])][tuple(int(made.arc[a]) for a in arcs)] += 1
        for i, start in enumerate(starts):
            expected = Counter(
                {w: n for w in walks(graph, source, sinks) if (n := n_runs(automata, w, start))}
            )
            assert found[i] == expected
            for walk in walks(graph, source, sinks):
                by_parts = all(m.accepts(walk, s) for m, s in zip(automata, start, strict=True))
                assert by_parts == (walk in expected)


@pytest.mark.parametrize("seed", range(40))
def test_every_copy_lies_on_a_walk_and_knows_its_states(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    graph, sources, sinks = draw_graph(rng)
    automata = [draw_automaton(rng, graph.n_arcs, 2), draw_automaton(rng, graph.n_arcs, 1)]
    made = product_graph(graph, automata, [[0, 0], [1, 0], [0, 1]], sources, sinks)
    new = made.graph
    assert (graph.tail[made.arc] == made.node[new.tail]).all()
    assert (graph.head[made.arc] == made.node[new.head]).all()
    assert not made.before[: graph.n_arcs].any()
    for arc in range(graph.n_arcs, new.n_arcs):
        from_sources, _ = shortest_paths(new, np.ones(new.n_arcs), sources)
        to_sink, _ = shortest_paths(new, np.ones(new.n_arcs), [int(new.head[arc])])
        assert np.isfinite(from_sources[:, new.tail[arc]]).any()
        assert np.isfinite(to_sink[0, sinks]).any() or new.head[arc] in sinks
        # Whatever leaves a copy of a node is taken in the same states.
        same = np.flatnonzero((new.tail == new.tail[arc]) & (made.start == made.start[arc]))
        assert (made.before[same] == made.before[arc]).all()


def test_without_other_starts_the_product_is_the_graph() -> None:
    graph, sources, sinks = draw_graph(np.random.default_rng(0))
    automaton = draw_automaton(np.random.default_rng(1), graph.n_arcs, 1)
    made = product_graph(graph, [automaton], [[0]], sources, sinks)
    assert (made.graph.n_nodes, made.graph.n_arcs) == (graph.n_nodes, graph.n_arcs)


def test_a_walk_may_pass_a_node_twice_where_the_rules_want_it() -> None:
    """The only way to take arc 2 is from 1 to 2 and back."""
    graph = Graph(4, [0, 1, 1, 2], [1, 3, 2, 1])
    step = np.array([[[0, 0], [1, 2], [2, 2]]])
    must = Automaton(
        symbol=np.array([0, 0, 1, 0]), step=step, accepting=np.array([True, False, True])
    )
    made: Product = product_graph(graph, [must], [[0], [1]], [0], [3])
    cost = np.where(made.start == 0, np.inf, 1.0)
    distance, _ = shortest_paths(made.graph, cost, [0])
    assert distance[0, 3] == 4.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"starts": [[1]]}, "first row of zeros"),
        ({"starts": [[0, 0]]}, "a column of states for each"),
        ({"starts": [[0], [9]]}, "a column of states"),
        ({"sources": [1]}, "No arc may enter a source"),
        ({"sinks": [1]}, "leave a sink"),
        ({"sinks": [7]}, "sinks must lie in"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, list[object]], message: str) -> None:
    graph = Graph(3, [0, 1], [1, 2])
    automaton = Automaton(
        symbol=np.zeros(2, int), step=np.zeros((1, 1, 1), int), accepting=np.ones(1, bool)
    )
    given = {"starts": [[0]], "sources": [0], "sinks": [2], **change}
    with pytest.raises(InputError, match=message):
        product_graph(graph, [automaton], **given)
    with pytest.raises(InputError, match="one entry for each of the 3 arcs"):
        product_graph(Graph(3, [0, 1, 1], [1, 2, 2]), [automaton], [[0]], [0], [2])


@pytest.mark.parametrize(
    ("step", "accepting", "message"),
    [
        ([[0]], [True], "must have the shape"),
        ([[[0], [5]]], [True, True], "below 2"),
        ([[[1], [1]]], [True, True], "State 0 must read and accept"),
        ([[[0], [0]]], [True, True], "no other may lead to it"),
        ([[[0], [1]]], [False, True], "State 0 must read and accept"),
    ],
)
def test_a_wrong_automaton_is_refused(
    step: list[object], accepting: list[bool], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Automaton(symbol=np.zeros(1, int), step=np.array(step), accepting=np.array(accepting))
