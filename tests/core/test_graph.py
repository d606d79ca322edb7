"""The graph keeps what it was given, refuses what it cannot keep, and sorts arcs right."""

import copy
import pickle
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from corridor.core.graph import KERNEL_ARCS, Graph, as_count, as_floats, as_positions
from corridor.errors import InputError


@pytest.fixture
def graph() -> Graph:
    """Five nodes, the last without arcs; a self loop (2) and parallel arcs (1, 4)."""
    return Graph(5, tail=[3, 0, 1, 2, 0, 0], head=[0, 1, 1, 3, 1, 2])


def test_arcs_keep_the_callers_order(graph: Graph) -> None:
    assert (graph.n_nodes, graph.n_arcs) == (5, 6)
    np.testing.assert_array_equal(graph.tail, [3, 0, 1, 2, 0, 0])
    np.testing.assert_array_equal(graph.head, [0, 1, 1, 3, 1, 2])


def test_both_csr_forms_list_each_nodes_arcs_in_order(graph: Graph) -> None:
    for node in range(graph.n_nodes):
        leaving = graph.order[graph.indptr[node] : graph.indptr[node + 1]]
        entering = graph.reverse_order[graph.reverse_indptr[node] : graph.reverse_indptr[node + 1]]
        np.testing.assert_array_equal(leaving, np.flatnonzero(graph.tail == node))
        np.testing.assert_array_equal(entering, np.flatnonzero(graph.head == node))
    np.testing.assert_array_equal(graph.neighbor, graph.head[graph.order])
    np.testing.assert_array_equal(graph.reverse_neighbor, graph.tail[graph.reverse_order])


@pytest.mark.parametrize(
    "name",
    [
        "tail", "head", "indptr", "order", "neighbor",
        "reverse_indptr", "reverse_order", "reverse_neighbor",
    ],
)  # fmt: skip
def test_every_array_is_int32_and_read_only(graph: Graph, name: str) -> None:
    array = getattr(graph, name)
    assert array.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_attributes_cannot_be_set(graph: Graph) -> None:
    with pytest.raises(FrozenInstanceError):
        graph.n_nodes = 7


def test_later_writes_to_the_callers_array_do_not_reach_the_graph() -> None:
    tail = np.array([0, 1], dtype=np.int32)
    view = tail[:]
    view.flags.writeable = False
    graphs = Graph(2, tail, [1, 0]), Graph(2, view, [1, 0])
    tail[:] = 0
    for graph in graphs:
        np.testing.assert_array_equal(graph.tail, [0, 1])


def test_locked_arrays_are_shared(graph: Graph) -> None:
    again = Graph(5, graph.tail, graph.head)
    assert again.tail is graph.tail


def unpickled(graph: Graph) -> Graph:
    return pickle.loads(pickle.dumps(graph))  # noqa: S301 - its own bytes


@pytest.mark.parametrize("clone", [copy.deepcopy, unpickled])
def test_copies_are_equal_and_still_read_only(
    graph: Graph, clone: Callable[[Graph], Graph]
) -> None:
    other = clone(graph)
    np.testing.assert_array_equal(other.head, graph.head)
    np.testing.assert_array_equal(other.reverse_order, graph.reverse_order)
    assert not other.tail.flags.writeable


@pytest.mark.parametrize("n_nodes", [0, 3])
def test_a_graph_may_have_no_arcs(n_nodes: int) -> None:
    graph = Graph(n_nodes, [], [])
    assert graph.n_arcs == 0
    np.testing.assert_array_equal(graph.indptr, np.zeros(n_nodes + 1))


def test_whole_floats_are_no_lossy_cast() -> None:
    np.testing.assert_array_equal(Graph(3, [0.0, 2.0], [1, 1]).tail, [0, 2])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((3, [0, 1.7], [1, 2]), r"tail must hold whole numbers; found 1.7 at position 1 \(1 of 2"),
        ((3, [0, np.nan], [1, 2]), "tail must hold whole numbers; found nan"),
        ((3, [0, 1], [1, 3]), r"head must lie in 0..2; found 3 at position 1 \(1 of 2"),
        ((3, [-1, -2], [1, 2]), r"tail must lie in 0..2; found -1 at position 0 \(2 of 2"),
        ((3, [0, 2**40], [1, 2]), "found 1099511627776"),
        ((3, np.array([2**63], dtype=np.uint64), [1]), "found 9223372036854775808"),
        ((3, [0, np.inf], [1, 2]), "found inf"),
        ((3, [True, False], [1, 2]), "found dtype bool"),
        ((3, ["0", "1"], [1, 2]), "translate ids"),
        ((3, [[0], [1]], [1, 2]), r"one-dimensional; found shape \(2, 1\)"),
        ((3, [0, 1], [1]), "equally long; found 2 and 1"),
        ((3, [[0], [1, 2]], [1, 2]), "tail must be a rectangular array"),
        ((0, [0], [0]), "tail must be empty"),
        ((-1, [], []), "n_nodes must be a whole number in 0.."),
        ((2.0, [], []), "n_nodes must be a whole number .*found 2.0"),
        ((2**31, [], []), "found 2147483648"),
    ],
)
def test_bad_input_says_what_where_and_how_many(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Graph(*arguments)


def test_positions_of_an_empty_list_are_int32() -> None:
    assert as_positions("origins", [], 0).dtype == np.int32


@pytest.mark.parametrize(
    "exact",
    [
        np.array([2**53, 2**60, -(2**63)]),
        np.array([2**63 + 2**11], dtype=np.uint64),
        np.array([1.5, np.inf, np.nan], dtype=np.longdouble),
        np.array([0.1], dtype=np.float32),
        np.array(7),
    ],
)
def test_numbers_that_float64_can_hold_are_taken(exact: npt.NDArray[Any]) -> None:
    floats = as_floats("cost", exact)
    assert floats.dtype == np.float64
    np.testing.assert_array_equal(floats, exact)


@pytest.mark.parametrize(
    ("lossy", "words"),
    [
        (np.array([2, 2**53 + 1]), r"found 9007199254740993 at position 1 \(1 of 2"),
        (np.array([2**63 - 1]), "found 9223372036854775807"),
        (np.array([2**64 - 1], dtype=np.uint64), "found 18446744073709551615"),
        (np.array([[1, 1], [np.longdouble(1) / 3, 1]]), r"at position 2 \(1 of 4"),
        (np.array([np.longdouble("1e400")]), r"found 1e\+400"),
    ],
)
def test_numbers_that_float64_cannot_hold_are_refused(lossy: npt.NDArray[Any], words: str) -> None:
    if np.finfo(np.longdouble).nmant == np.finfo(np.float64).nmant and lossy.dtype.kind == "f":
        pytest.skip("long double is float64 on this system")
    with pytest.raises(InputError, match=words):
        as_floats("cost", lossy)


def test_counts_accept_numpy_integers() -> None:
    assert as_count("k", np.int64(4)) == 4


def test_kernels_group_arcs_as_numpy_does(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    tail, head = rng.integers(4_000, size=(2, KERNEL_ARCS))  # some nodes are left out
    pytest.importorskip("numba")
    by_kernels = Graph(4_001, tail, head)
    monkeypatch.delitem(sys.modules, "numba")
    by_arrays = Graph(4_001, tail, head)
    for name in by_kernels.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(by_kernels, name), getattr(by_arrays, name))
    assert not by_kernels.neighbor.flags.writeable
