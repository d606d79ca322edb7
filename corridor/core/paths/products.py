"""Walks under rules: a graph times finite automata that read the arcs of a walk.

A shortest walk whose arcs spell a word of a regular language is a shortest path in the product of
graph and automaton, whose nodes are pairs (node, state). The product is a plain graph, so that
every search works on it; its walks may pass a node twice in different states, as the rules may
want.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order

from corridor.core.graph import Graph, as_positions
from corridor.errors import InputError

IntArray: TypeAlias = npt.NDArray[np.int32]
LongArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

OFF: Final = 0
"""The state of every automaton that reads any walk and accepts it."""
MOST_STATES: Final = 4096
"""More joint states than this are refused: their product would not fit into memory."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Automaton:
    """A finite automaton over the arcs of a graph; state 0 is off: it reads and accepts all.

    Parameters
    ----------
    symbol : ndarray of int32, shape (n_arcs,)
        What the automaton reads on each arc, a position among its symbols.
    step : ndarray of int32, shape (n_options, n_states, n_symbols)
        The next state, -1 where there is none. More than one option make it nondeterministic.
    accepting : ndarray of bool, shape (n_states,)
        States in which a walk may end.

    Raises
    ------
    InputError
        If shapes differ, a position is out of range, or state 0 does not read and accept all.

    Examples
    --------
    A walk must take arc 2: in state 1 it has not yet, in state 2 it has.

    >>> must = Automaton(symbol=np.array([0, 0, 1]), step=np.array([[[0, 0], [1, 2], [2, 2]]]),
    ...                  accepting=np.array([True, False, True]))
    >>> must.accepts([0, 1], start=1), must.accepts([0, 2], start=1), must.accepts([0], start=0)
    (False, True, True)
    """

    symbol: IntArray
    step: IntArray
    accepting: BoolArray

    def __post_init__(self) -> None:
        step = np.array(self.step, dtype=np.int32)
        accepting = np.array(self.accepting, dtype=np.bool_)
        if step.ndim != 3 or step.shape[1] != accepting.size or not accepting.size:  # noqa: PLR2004
            msg = (
                "step must have the shape (n_options, n_states, n_symbols), a state for each of "
                f"the {accepting.size} of accepting; found {step.shape}."
            )
            raise InputError(msg)
        symbol = as_positions("symbol", self.symbol, step.shape[2])
        if not ((step >= -1) & (step < accepting.size)).all():
            msg = f"step must lead to a state below {accepting.size}, or be -1 for none."
            raise InputError(msg)
        stays_off = (step[0, OFF] == OFF).all() and (step[1:, OFF] == -1).all() and accepting[OFF]
        if not stays_off or (step[:, 1:] == OFF).any():
            msg = (
                "State 0 must read and accept every walk, and no other may lead to it: "
                "step[0, 0] = 0, its other options -1, accepting."
            )
            raise InputError(msg)
        for name, array in (("symbol", symbol), ("step", step), ("accepting", accepting)):
            frozen = array.copy()
            frozen.flags.writeable = False
            object.__setattr__(self, name, frozen)

    @property
    def n_states(self) -> int:
        """Number of states."""
        return int(self.accepting.size)

    def run(self, arcs: npt.ArrayLike, start: int) -> list[set[int]]:
        """Return the states that are possible before each arc of a walk and after the last."""
        states = [{int(start)}]
        for arc in np.asarray(arcs, dtype=np.int64):
            after = self.step[:, sorted(states[-1]), self.symbol[arc]]
            states.append({int(state) for state in after.ravel() if state >= 0})
        return states

    def accepts(self, arcs: npt.ArrayLike, start: int) -> bool:
        """Return whether a walk that begins in a state may end in an accepting one."""
        return any(self.accepting[state] for state in self.run(arcs, start)[-1])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Product:
    """A graph with copies of its nodes and arcs for the states of automata.

    The graph itself comes first, with its own numbering: there every automaton is off. Walks leave
    the sources themselves and end in the sinks themselves; what lies between has copies.

    Attributes
    ----------
    graph : Graph
        The graph and the copies that lie on some walk from a source to a sink.
    arc : ndarray of int32, shape (n_arcs,)
        The arc of the graph that each is a copy of.
    node : ndarray of int32, shape (n_nodes,)
        The same of the nodes.
    before : ndarray of int32, shape (n_arcs, n_automata)
        States in which each arc is taken.
    start : ndarray of int32, shape (n_arcs,)
        For arcs that leave a source: with which row of `starts` the walk begins, and -1 elsewhere.
    """

    graph: Graph
    arc: IntArray
    node: IntArray
    before: IntArray
    start: IntArray


def product_graph(
    graph: Graph,
    automata: Sequence[Automaton],
    starts: npt.ArrayLike,
    sources: npt.ArrayLike,
    sinks: npt.ArrayLike,
) -> Product:
    """Return the product of a graph and automata, as far as walks from sources to sinks reach.

    Parameters
    ----------
    graph
        The graph.
    automata
        Automata over its arcs.
    starts : array-like of int, shape (n_starts, n_automata)
        States in which a walk may begin. The first row must be all 0: every automaton off.
    sources, sinks
        Nodes in which walks begin and end; no arc enters a source or leaves a sink.

    Returns
    -------
    Product
        With one source arc for each row of `starts`: a walk that must begin in row ``i`` is one
        whose first arc has ``start == i``.

    Raises
    ------
    InputError
        If an argument does not fit the graph or the automata, or there are too many joint states.

    References
    ----------
    C. Barrett, R. Jacob, M. Marathe, "Formal-language-constrained path problems", SIAM Journal on
    Computing 30 (2000) 809-837.

    Examples
    --------
    From 0 over 1 to 2, by one of two arcs; walks that begin in state 1 must take arc 2.

    >>> graph = Graph(3, [0, 1, 1], [1, 2, 2])
    >>> must = Automaton(symbol=np.array([0, 0, 1]), step=np.array([[[0, 0], [1, 2], [2, 2]]]),
    ...                  accepting=np.array([True, False, True]))
    >>> product = product_graph(graph, [must], [[0], [1]], sources=[0], sinks=[2])
    >>> product.arc.tolist(), product.start.tolist()
    ([0, 1, 2, 0, 2], [0, -1, -1, 1, -1])
    >>> product.graph.tail.tolist(), product.graph.head.tolist()
    ([0, 1, 1, 0, 3], [1, 2, 2, 3, 2])
    """
    source_nodes = as_positions("sources", sources, graph.n_nodes)
    sink_nodes = as_positions("sinks", sinks, graph.n_nodes)
    first = _checked_starts(automata, starts)
    for automaton in automata:
        if automaton.symbol.size != graph.n_arcs:
            msg = f"symbol must have one entry for each of the {graph.n_arcs} arcs of the graph."
            raise InputError(msg)
    is_source, is_sink = (np.zeros(graph.n_nodes, np.bool_) for _ in range(2))
    is_source[source_nodes], is_sink[sink_nodes] = True, True
    if is_source[graph.head].any() or is_sink[graph.tail].any():
        msg = (
            "No arc may enter a source or leave a sink: give the zones of walks nodes of their own."
        )
        raise InputError(msg)
    joint = _join(automata, first)
    copies = _all_copies(graph, joint, is_source, is_sink)
    return _pruned(graph, joint, copies, is_source, is_sink)


def _checked_starts(automata: Sequence[Automaton], starts: npt.ArrayLike) -> IntArray:
    first = np.array(starts, dtype=np.int32)
    sizes = np.array([automaton.n_states for automaton in automata], dtype=np.int64)
    good = first.ndim == 2 and first.shape[1] == sizes.size and len(first) > 0  # noqa: PLR2004
    if not good or (first < 0).any() or (first >= sizes).any() or first[0].any():
        msg = (
            f"starts must have a column of states for each of the {sizes.size} automata, and a "
            "first row of zeros."
        )
        raise InputError(msg)
    return first


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Joint:
    """All automata as one: joint states and symbols.

    ``states`` (n_states, n_automata), ``symbol`` (n_arcs,), ``step`` (n_options, n_states,
    n_symbols), ``accepting`` (n_states,), ``start_of`` (n_starts,) joint state of each start.
    """

    states: IntArray
    symbol: IntArray
    step: IntArray
    accepting: BoolArray
    start_of: IntArray


def _join(automata: Sequence[Automaton], starts: IntArray) -> _Joint:
    """Return the joint automaton, its states as far as words lead from the starts."""
    spelled = np.stack([automaton.symbol for automaton in automata])
    words, symbol = np.unique(spelled, axis=1, return_inverse=True)
    number: dict[bytes, int] = {}
    states: list[IntArray] = []

    def known(vector: IntArray) -> int:
        key = vector.tobytes()
        if key not in number:
            number[key] = len(states)
            states.append(vector)
        return number[key]

    known(np.zeros(len(automata), np.int32))
    start_of = np.array([known(vector) for vector in starts], dtype=np.int32)
    steps: list[list[list[int]]] = []
    """The next states by state and symbol."""
    while len(steps) < len(states):
        if len(states) > MOST_STATES:
            msg = (
                f"Rules on the ways of goods must have at most {MOST_STATES} joint states; these "
                f"{len(automata)} have more. Narrow their scopes or drop some."
            )
            raise InputError(msg)
        after = _options(automata, words, states[len(steps)])
        steps.append([[known(vector) for vector in vectors] for vectors in after])
    width = max(len(after) for of_state in steps for after in of_state)
    step = np.full((max(width, 1), len(states), words.shape[1]), -1, dtype=np.int32)
    for state, of_state in enumerate(steps):
        for sign, following in enumerate(of_state):
            step[: len(following), state, sign] = following
    joint = np.stack(states)
    accepting = np.all(
        [automaton.accepting[joint[:, i]] for i, automaton in enumerate(automata)], axis=0
    )
    return _Joint(
        states=joint,
        symbol=symbol.reshape(-1).astype(np.int32),
        step=step,
        accepting=accepting,
        start_of=start_of,
    )


def _options(
    automata: Sequence[Automaton], words: npt.NDArray[np.integer], state: IntArray
) -> list[list[IntArray]]:
    """Return the joint states that each joint symbol may lead to from a joint state."""
    after: list[list[IntArray]] = []
    for word in words.T:
        vectors = [np.zeros(0, np.int32)]
        for automaton, now, sign in zip(automata, state, word, strict=True):
            following = automaton.step[:, now, sign]
            vectors = [
                np.append(vector, option).astype(np.int32)
                for vector in vectors
                for option in following[following >= 0]
            ]
        after.append(vectors)
    return after


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Copies:
    """Every copy of an arc that some joint state allows, reachable or not.

    Nodes are numbered ``state * n_nodes + node``, sources and sinks keep their own number.
    """

    tail: LongArray
    head: LongArray
    arc: LongArray
    state: LongArray
    start: IntArray


def _all_copies(graph: Graph, joint: _Joint, is_source: BoolArray, is_sink: BoolArray) -> _Copies:
    start_at = np.full(len(joint.states), -1, np.int32)
    start_at[joint.start_of] = np.arange(joint.start_of.size)
    after = joint.step[:, 1:, joint.symbol]  # (n_options, n_states - 1, n_arcs)
    from_source, to_sink = is_source[graph.tail], is_sink[graph.head]
    kept = after >= 0
    kept &= ~from_source | (start_at[1:, None] >= 0)
    kept &= ~to_sink | joint.accepting[after]
    row, arc, option = np.nonzero(kept.transpose(1, 2, 0))
    follows, state = after[option, row, arc].astype(np.int64), row + 1
    at: LongArray = np.where(from_source[arc], 0, state)
    to: LongArray = np.where(to_sink[arc], 0, follows)
    leaves = from_source[arc]
    return _Copies(
        tail=at * graph.n_nodes + graph.tail[arc],
        head=to * graph.n_nodes + graph.head[arc],
        arc=arc,
        state=state,
        start=np.where(leaves, start_at[state], -1).astype(np.int32),
    )


def _pruned(
    graph: Graph, joint: _Joint, copies: _Copies, is_source: BoolArray, is_sink: BoolArray
) -> Product:
    """Return the graph and those copies that lie on a walk from a source to a sink."""
    n_places = len(joint.states) * graph.n_nodes
    there = _reached(n_places, copies.tail, copies.head, np.flatnonzero(is_source))
    back = _reached(n_places, copies.head, copies.tail, np.flatnonzero(is_sink))
    kept = np.flatnonzero(there[copies.tail] & back[copies.head])
    tail, head = copies.tail[kept], copies.head[kept]
    used = np.unique(np.concatenate((tail, head)))
    used = used[used >= graph.n_nodes]
    number = np.arange(n_places, dtype=np.int64)
    number[used] = graph.n_nodes + np.arange(used.size)
    own = np.arange(graph.n_arcs)
    n_automata = joint.states.shape[1]
    return Product(
        graph=Graph(
            graph.n_nodes + used.size,
            np.concatenate((graph.tail, number[tail])),
            np.concatenate((graph.head, number[head])),
        ),
        arc=np.concatenate((own, copies.arc[kept])).astype(np.int32),
        node=np.concatenate((np.arange(graph.n_nodes), used % graph.n_nodes)).astype(np.int32),
        before=np.concatenate(
            (np.zeros((graph.n_arcs, n_automata), np.int32), joint.states[copies.state[kept]])
        ),
        start=np.concatenate((np.where(is_source[graph.tail], 0, -1), copies.start[kept])).astype(
            np.int32
        ),
    )


def _reached(
    n_places: int,
    tail: LongArray,
    head: LongArray,
    roots: npt.NDArray[np.integer],
) -> BoolArray:
    """Return the places that arcs lead to from any root."""
    reached = np.zeros(n_places + 1, np.bool_)
    tails = np.concatenate((tail, np.full(roots.size, n_places)))
    heads = np.concatenate((head, roots))
    matrix = sparse.csr_array(
        (np.ones(tails.size, np.int8), (tails, heads)), shape=(n_places + 1, n_places + 1)
    )
    reached[breadth_first_order(matrix, n_places, return_predecessors=False)] = True
    return reached[:-1]
