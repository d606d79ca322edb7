"""Who travels: demand checked, sorted by class and origin, and the graph its paths may take."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.flows._arrays import (
    FloatArray,
    IntArray,
    LongArray,
    as_floats,
    check_values,
    locked,
    wrong_shape,
)
from corridor.core.graph import Graph, as_count, as_positions
from corridor.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UserClasses:
    """Commodities that value time differently and pay differently.

    Formula: a unit of class k feels ``delay + money_cost[k] / value_of_time[k]`` on each arc.
    Dividing by the value of time, rather than multiplying delays by it, keeps the problem convex:
    all classes then differ by constants only.

    Parameters
    ----------
    commodity_class : array-like of int, shape (n_commodities,)
        Class of each commodity.
    money_cost : array-like of float64, shape (n_classes, n_arcs)
        What a unit of each class pays on each arc [money], >= 0; inf closes the arc to the class.
    value_of_time : array-like of float64, shape (n_classes,)
        What a unit of delay is worth to each class [money per unit of delay], > 0 and finite.

    Raises
    ------
    InputError
        If shapes differ, or a value is out of its range.

    Examples
    --------
    >>> classes = UserClasses(commodity_class=[0, 1], money_cost=[[6.0], [6.0]],
    ...                       value_of_time=[2.0, 12.0])
    >>> classes.extra
    array([[3. ],
           [0.5]])
    """

    commodity_class: IntArray
    money_cost: FloatArray
    value_of_time: FloatArray

    def __post_init__(self) -> None:
        n_classes = int(np.size(self.value_of_time))
        value = as_floats("value_of_time", self.value_of_time, (n_classes,))
        good = (value > 0) & np.isfinite(value)
        check_values("value_of_time", value, good, "> 0 and finite")
        n_arcs = int(np.shape(self.money_cost)[-1]) if np.ndim(self.money_cost) else 0
        money = as_floats("money_cost", self.money_cost, (n_classes, n_arcs))
        check_values("money_cost", money, money >= 0, ">= 0")
        classes = locked(as_positions("commodity_class", self.commodity_class, n_classes))
        object.__setattr__(self, "commodity_class", classes)
        object.__setattr__(self, "money_cost", money)
        object.__setattr__(self, "value_of_time", value)

    @property
    def extra(self) -> FloatArray:
        """Money in units of delay, shape (n_classes, n_arcs)."""
        return self.money_cost / self.value_of_time[:, None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trips:
    """Demand between different nodes, sorted so that each tree's commodities stand together.

    A *tree* is one class and origin. The *graph* is the caller's, except that the arcs which leave
    a node without through traffic start at a copy of it: paths begin there and cannot pass.

    Parameters
    ----------
    graph
        The graph for the searches; its arcs are those of the caller's.
    n_commodities
        Number of commodities given.
    staying : ndarray of int64
        Commodities with demand whose destination is their origin.
    commodity : ndarray of int64, shape (n_moving,)
        The others with demand, sorted by class and origin.
    demand : ndarray of float64, shape (n_commodities,)
        Demand as given.
    row, tree_of, destination : ndarray of int32, shape (n_moving,)
        Class, tree, and node of the graph they go to.
    tree_row, tree_origin : ndarray of int32, shape (n_trees,)
        Class and root of each tree.
    tree_start : ndarray of int32, shape (n_trees + 1,)
        Where the commodities of each tree begin.
    """

    graph: Graph
    n_commodities: int
    staying: LongArray
    commodity: LongArray
    demand: FloatArray
    row: IntArray
    tree_of: IntArray
    destination: IntArray
    tree_row: IntArray
    tree_origin: IntArray
    tree_start: IntArray

    def with_demand(self, demand: FloatArray) -> "Trips":
        """Return the same trips with other demand; commodities without any are left out.

        Raises
        ------
        InputError
            If a demand is not finite.
        """
        good = (demand >= 0) & np.isfinite(demand)
        check_values("demand on the empty network", demand, good, ">= 0 and finite")
        keep = np.flatnonzero(demand[self.commodity] > 0)
        trees, tree_of, counts = np.unique(
            self.tree_of[keep], return_inverse=True, return_counts=True
        )
        return replace(
            self,
            staying=self.staying[demand[self.staying] > 0],
            commodity=self.commodity[keep],
            demand=demand,
            row=self.row[keep],
            tree_of=tree_of.astype(np.int32),
            destination=self.destination[keep],
            tree_row=self.tree_row[trees],
            tree_origin=self.tree_origin[trees],
            tree_start=np.append(0, np.cumsum(counts)).astype(np.int32),
        )


def sort_trips(
    graph: Graph,
    origin: ArrayLike,
    destination: ArrayLike,
    demand: ArrayLike,
    first_through_node: int,
    classes: IntArray | None,
) -> Trips:
    """Return the demand as the search wants it.

    Raises
    ------
    InputError
        If shapes differ, or a node or a demand is out of its range.
    """
    start = as_positions("origin", origin, graph.n_nodes)
    end = as_positions("destination", destination, graph.n_nodes)
    shape = (int(start.size),)
    for name, array in (("destination", end), ("commodity_class", classes)):
        if array is not None and array.shape != shape:
            raise InputError(wrong_shape(name, array.shape, shape))
    amount = as_floats("demand", demand, shape)
    good = (amount >= 0) & np.isfinite(amount)
    check_values("demand", amount, good, ">= 0 and finite")
    first = as_count("first_through_node", first_through_node, most=graph.n_nodes)
    row = np.zeros(shape, dtype=np.int32) if classes is None else classes
    moving = np.flatnonzero((amount > 0) & (start != end))
    root = np.where(start < first, start + graph.n_nodes, start).astype(np.int64)
    key = row.astype(np.int64) * (graph.n_nodes + first) + root
    moving = moving[np.argsort(key[moving], kind="stable")]
    trees, begin = np.unique(key[moving], return_index=True)
    edges = np.append(begin, moving.size).astype(np.int32)
    tree_row, tree_origin = np.divmod(trees, max(1, graph.n_nodes + first))
    return Trips(
        graph=_without_passing(graph, first),
        n_commodities=shape[0],
        staying=np.flatnonzero((amount > 0) & (start == end)),
        commodity=moving,
        demand=amount,
        row=np.ascontiguousarray(row[moving], dtype=np.int32),
        tree_of=np.repeat(np.arange(trees.size, dtype=np.int32), np.diff(edges)),
        destination=np.ascontiguousarray(end[moving], dtype=np.int32),
        tree_row=tree_row.astype(np.int32),
        tree_origin=tree_origin.astype(np.int32),
        tree_start=edges,
    )


def _without_passing(graph: Graph, first_through_node: int) -> Graph:
    """Let the arcs that leave a node below ``first_through_node`` start at a copy of it."""
    if first_through_node == 0:
        return graph
    tail = np.where(graph.tail < first_through_node, graph.tail + graph.n_nodes, graph.tail)
    return Graph(graph.n_nodes + first_through_node, tail, graph.head)
