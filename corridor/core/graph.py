"""The directed graph that every algorithm of the core works on: arc ends and their CSR."""

import operator
import sys
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from corridor.errors import InputError

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int32]

INT32_MAX = int(np.iinfo(np.int32).max)

KERNEL_ARCS = 10_000
"""Arcs from which a compiled counting sort pays where numba is loaded already: its code comes from
the disk."""

EIGHT_BYTES = 8
LARGEST_WHOLE = 2.0**53
"""Up to it float64 holds every whole number."""


def as_count(name: str, value: int, least: int = 0, most: int = INT32_MAX - 1) -> int:
    """Return a whole number in ``least .. most``, or say what is wrong.

    Raises
    ------
    InputError
        When ``value`` is no whole number or out of range.

    Examples
    --------
    >>> as_count("k", 3, least=1)
    3
    >>> as_count("k", 0, least=1, most=9)
    Traceback (most recent call last):
    corridor.errors.InputError: k must be a whole number in 1..9; found 0
    """
    try:
        count = operator.index(value)
    except TypeError:
        count = least - 1
    if not least <= count <= most:
        message = f"{name} must be a whole number in {least}..{most}; found {value!r}"
        raise InputError(message)
    return count


def as_array(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return values as an array, or say that they have no shape.

    Raises
    ------
    InputError
        When ``values`` are nested lists of different lengths.

    Examples
    --------
    >>> as_array("cost", [[1.0], [1.0, 2.0]])
    Traceback (most recent call last):
    corridor.errors.InputError: cost must be a rectangular array; found rows of different lengths; \
give every row as many values
    """
    try:
        return np.asarray(values)
    except ValueError:
        message = (
            f"{name} must be a rectangular array; found rows of different lengths; "
            "give every row as many values"
        )
        raise InputError(message) from None


def as_floats(name: str, array: npt.NDArray[Any]) -> FloatArray:
    """Return numbers as float64, C-contiguous, or say which would not stay what they are.

    Raises
    ------
    InputError
        When float64 cannot hold a value: a whole number beyond 2**53, or a longer float.

    Examples
    --------
    >>> as_floats("cost", np.array([1, 2**53 + 1]))
    Traceback (most recent call last):
    corridor.errors.InputError: cost must hold numbers that float64 can hold; found \
9007199254740993 at position 1 (1 of 2 values); give them in a coarser unit, or round them first
    """
    if array.dtype == np.float64 or array.dtype.itemsize < EIGHT_BYTES:
        return np.asarray(array, dtype=np.float64, order="C")
    with np.errstate(over="ignore"):
        floats = np.asarray(array, dtype=np.float64, order="C")
    changed = _are_changed(array, floats)
    remedy = "give them in a coarser unit, or round them first"
    _refuse(name, array.ravel(), changed.ravel(), "hold numbers that float64 can hold", remedy)
    return floats


def _are_changed(array: npt.NDArray[Any], floats: FloatArray) -> npt.NDArray[np.bool_]:
    """Return where the floats differ from the numbers that they were made from."""
    if array.dtype.kind == "f":
        changed: npt.NDArray[np.bool_] = (floats != array) & ~np.isnan(array)
        return changed
    changed = np.asarray(np.abs(floats) >= LARGEST_WHOLE)
    # Few are so large: compare these in Python's integers, which know no bounds.
    large = changed.copy()
    exact = zip(floats[large].tolist(), array[large].tolist(), strict=True)
    changed[large] = [int(number) != whole for number, whole in exact]
    return changed


def as_positions(name: str, values: npt.ArrayLike, limit: int) -> IntArray:
    """Return one-dimensional positions in ``0 .. limit - 1`` as int32, or say what is wrong.

    Parameters
    ----------
    name
        What the array is called in messages.
    values
        One-dimensional array-like of whole numbers; whole floats are taken, 0.7 is not.
    limit
        Number of positions there are.

    Returns
    -------
    IntArray
        int32, C-contiguous; may share memory with ``values``.

    Raises
    ------
    InputError
        When the array is not one-dimensional, not whole numbers, or out of range.

    Examples
    --------
    >>> as_positions("origins", [0, 2], 3)
    array([0, 2], dtype=int32)
    >>> as_positions("origins", [0, 3], 3)
    Traceback (most recent call last):
    corridor.errors.InputError: origins must lie in 0..2; found 3 at position 1 (1 of 2 values); \
use 0-based positions
    """
    array = as_array(name, values)
    if array.ndim != 1:
        message = f"{name} must be one-dimensional; found shape {array.shape}; pass a flat array"
        raise InputError(message)
    if array.size == 0:
        return np.empty(0, dtype=np.int32)
    if array.dtype.kind not in "iuf":
        message = (
            f"{name} must hold whole numbers; found dtype {array.dtype}; "
            "translate ids to 0-based positions first"
        )
        raise InputError(message)
    if array.dtype.kind == "f":
        _refuse(name, array, array != np.floor(array), "hold whole numbers", "round them first")
    outside = ~((array >= 0) & (array < limit))
    span = f"lie in 0..{limit - 1}" if limit else "be empty: there is nothing to point at"
    _refuse(name, array, outside, span, "use 0-based positions")
    return np.ascontiguousarray(array, dtype=np.int32)


def _refuse(
    name: str, array: npt.NDArray[np.generic], bad: npt.NDArray[np.bool_], must: str, remedy: str
) -> None:
    """Raise for the first true entry of ``bad``."""
    if not bad.any():
        return
    first = int(np.argmax(bad))
    message = (
        f"{name} must {must}; found {array[first]!s} at position {first} "
        f"({int(bad.sum())} of {array.size} values); {remedy}"
    )
    raise InputError(message)


def _locked(array: IntArray) -> IntArray:
    """Return a read-only array that nobody else can write to."""
    if array.flags.writeable or not array.flags.owndata:
        array = array.copy()
        array.flags.writeable = False
    return array


def _compressed(
    ends: IntArray, others: IntArray, n_nodes: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return (indptr, order, neighbor): arcs grouped by one end, in arc order inside a group."""
    indptr = np.zeros(n_nodes + 1, dtype=np.int32)
    if ends.size >= KERNEL_ARCS and "numba" in sys.modules:
        from corridor.core import _graph_kernels

        order, neighbor = np.empty(ends.size, dtype=np.int32), np.empty(ends.size, dtype=np.int32)
        _graph_kernels.group_arcs(ends, others, indptr, order, neighbor)
    else:
        np.cumsum(np.bincount(ends, minlength=n_nodes), out=indptr[1:])
        order = np.argsort(ends, kind="stable").astype(np.int32)
        neighbor = others[order]
    for array in (indptr, order, neighbor):
        array.flags.writeable = False
    return indptr, order, neighbor


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class Graph:
    """Immutable directed graph; arcs keep the order in which the caller gave them.

    Self loops and parallel arcs are allowed: an arc is its position, not its pair of ends.

    Parameters
    ----------
    n_nodes
        Number of nodes, ``0 .. 2**31 - 2``.
    tail, head
        Node each arc leaves and enters: whole numbers in ``0 .. n_nodes - 1``, equal length.

    Attributes
    ----------
    n_nodes, n_arcs : int
        Sizes.
    tail, head : IntArray
        int32 (n_arcs,), read-only.
    indptr, order : IntArray
        CSR by tail: the arcs that leave node ``v`` are ``order[indptr[v]:indptr[v + 1]]``,
        int32 (n_nodes + 1,) and (n_arcs,), read-only.
    neighbor : IntArray
        int32 (n_arcs,), read-only: head of each arc in the order of ``order``.
    reverse_indptr, reverse_order, reverse_neighbor : IntArray
        The same by head: the arcs that enter a node, and their tails.

    Raises
    ------
    InputError
        For sizes that differ, a cast that would lose digits, or a node out of range.

    Examples
    --------
    >>> graph = Graph(3, tail=[2, 0, 0], head=[0, 1, 2])
    >>> graph
    Graph(n_nodes=3, n_arcs=3)
    >>> graph.order[graph.indptr[0] : graph.indptr[1]]
    array([1, 2], dtype=int32)
    >>> Graph(3, [0], [0.7])
    Traceback (most recent call last):
    corridor.errors.InputError: head must hold whole numbers; found 0.7 at position 0 \
(1 of 1 values); round them first
    """

    n_nodes: int
    n_arcs: int
    tail: IntArray
    head: IntArray
    indptr: IntArray
    order: IntArray
    neighbor: IntArray
    reverse_indptr: IntArray
    reverse_order: IntArray
    reverse_neighbor: IntArray

    def __init__(self, n_nodes: int, tail: npt.ArrayLike, head: npt.ArrayLike) -> None:
        size = as_count("n_nodes", n_nodes)
        tails = _locked(as_positions("tail", tail, size))
        heads = _locked(as_positions("head", head, size))
        if tails.size != heads.size:
            message = (
                f"tail and head must be equally long; found {tails.size} and {heads.size} values; "
                "give both ends of every arc"
            )
            raise InputError(message)
        forward, reverse = _compressed(tails, heads, size), _compressed(heads, tails, size)
        values = (size, tails.size, tails, heads, *forward, *reverse)
        for field, value in zip(self.__dataclass_fields__, values, strict=True):
            object.__setattr__(self, field, value)

    def __repr__(self) -> str:
        return f"Graph(n_nodes={self.n_nodes}, n_arcs={self.n_arcs})"

    def __reduce__(self) -> tuple[type["Graph"], tuple[int, IntArray, IntArray]]:
        # Pickled arrays come back writable, so a copy is built anew from its arc ends.
        return Graph, (self.n_nodes, self.tail, self.head)
