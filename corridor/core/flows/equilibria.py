"""Traffic assignment: where users' own choices lead, what would be best, and tolls between both."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.flows._arrays import FloatArray, wrong_shape
from corridor.core.flows._assignment import Assignment, assemble_assignment
from corridor.core.flows._curves import CurveTable, TabledDelay, VolumeDelay, as_flow, curvature_of
from corridor.core.flows._projection import Projection
from corridor.core.flows._trips import Trips, UserClasses, sort_trips
from corridor.core.flows.elastic import ElasticDemand
from corridor.core.flows.result import FlowResult
from corridor.core.graph import Graph
from corridor.core.paths import shortest_trees
from corridor.core.threads import as_threads
from corridor.errors import InputError


def user_equilibrium(
    graph: Graph,
    origin: ArrayLike,
    destination: ArrayLike,
    demand: ArrayLike,
    delay: VolumeDelay,
    tolerance: float = 1e-6,
    first_through_node: int = 0,
    threads: int | None = None,
    *,
    classes: UserClasses | None = None,
    elastic: ElasticDemand | None = None,
) -> FlowResult:
    """Return the flow at which nobody has a cheaper path than the one taken (Wardrop).

    It minimizes Beckmann's function, the sum over arcs of the integral of the cost of a unit of
    flow, here by gradient projection on path flows: for one commodity after the other a step of
    Newton's method moves flow from its dear paths to its cheapest, and shortest paths are added
    where they are cheaper than those in use.

    Parameters
    ----------
    graph : Graph
        The graph.
    origin, destination : array-like of int, shape (n_commodities,)
        Where each commodity comes from and goes to; where both are one node nothing moves.
    demand : array-like of float64, shape (n_commodities,)
        What is to be carried, >= 0; at the reference cost where it is elastic.
    delay : VolumeDelay
        The cost of a unit of flow on each arc: `BPR`, `Conical`, `Akcelik`, `StageDelay`,
        `MixedDelay`, or any object with the same methods. The first three are followed at each
        change of flow by compiled code; of others tangents are, and a search along the way they
        propose.
    tolerance : float
        Relative gap at which the flow counts as an equilibrium, >= 0; 1e-12 is within reach.
    first_through_node : int
        Nodes below it begin and end journeys only: no path leads through them.
    threads : int, optional
        Threads for the searches; None takes all cores. Results do not depend on it.
    classes : UserClasses, optional
        What commodities of different classes pay, and what time is worth to them.
    elastic : ElasticDemand, optional
        How demand depends on the cost: `ExponentialDemand` or `LinearDemand`.

    Returns
    -------
    result : FlowResult
        ``objective`` is Beckmann's function: ``delay_cost``, the integrals of the arcs, plus
        ``flow_cost``, what classes pay in units of delay, plus ``unmet_cost``, the integrals of
        the cost at which demand stays at home instead of travelling as on the empty network (0
        where demand is fixed). ``gap`` is what is spent above the cheapest paths,
        ``sum(flow * cost) - sum(demand * cheapest)``; ``objective - gap`` is a proved lower
        ``bound`` because the function is convex; and ``relative_gap``, the usual measure in
        traffic assignment, is ``gap`` over ``sum(demand * cheapest)``. ``demand_price`` is the
        cheapest path's cost of each commodity. What elastic demand comes to is the sum of the
        path flows of each commodity.

        The status is ``optimal`` at the tolerance, ``feasible`` where rounding (``precision``) or
        the number of ``rounds`` ended it before, and ``infeasible`` where demand cannot reach its
        destination: ``unmet`` and an inf in ``demand_price`` then say which, and no flow is given.
        Elastic demand that cannot reach its destination is 0.

    Raises
    ------
    InputError
        If an argument is out of its range, shapes differ, or a curve gives a cost that is
        negative or not finite.

    Notes
    -----
    Arc flows are unique where every cost rises with the flow; path and class flows are one
    equilibrium of many. Zero costs are allowed.

    References
    ----------
    J. G. Wardrop, "Some theoretical aspects of road traffic research", Proceedings of the
    Institution of Civil Engineers 1 (1952) 325-362; M. Beckmann, C. B. McGuire, C. B. Winsten,
    "Studies in the Economics of Transportation", Yale 1956; R. Jayakrishnan et al., "A faster
    path-based algorithm for traffic assignment", Transportation Research Record 1443 (1994).

    Examples
    --------
    Pigou: one road takes an hour, the other as many hours as there are units on it. All take the
    second, although half of them there would cost a quarter less.

    >>> from corridor.core.flows import BPR, system_optimum, user_equilibrium
    >>> from corridor.core.graph import Graph
    >>> roads, delay = Graph(2, [0, 0], [1, 1]), BPR([1.0, 1e-9], [1.0, 1.0], [0, 1e9], [1, 1])
    >>> user_equilibrium(roads, [0], [1], [1.0], delay).arc_flow.round(6)
    array([0., 1.])
    >>> system_optimum(roads, [0], [1], [1.0], delay).arc_flow.round(6)
    array([0.5, 0.5])
    """
    start = time.perf_counter()
    _check_tolerance(tolerance)
    _check_sizes(graph, delay, demand, classes, elastic)
    kind = None if classes is None else classes.commodity_class
    trips = sort_trips(graph, origin, destination, demand, first_through_node, kind)
    extra = np.zeros((1, graph.n_arcs)) if classes is None else classes.extra
    return _assign(graph, trips, delay, extra, elastic, tolerance, as_threads(threads), start)


def system_optimum(
    graph: Graph,
    origin: ArrayLike,
    destination: ArrayLike,
    demand: ArrayLike,
    delay: VolumeDelay,
    tolerance: float = 1e-6,
    first_through_node: int = 0,
    threads: int | None = None,
    *,
    elastic: ElasticDemand | None = None,
) -> FlowResult:
    """Return the flow that costs all users together least.

    It is the user equilibrium at marginal costs ``cost + flow * slope``: what one more unit costs
    itself and all others on the arc.

    Parameters
    ----------
    graph, origin, destination, demand, delay, tolerance, first_through_node, threads, elastic
        As in `user_equilibrium`. ``flow * cost`` must be convex, as it is for all curves here.
        Users with different values of time have no part in it: that problem is not convex.

    Returns
    -------
    result : FlowResult
        As for `user_equilibrium`, at marginal costs: ``delay_cost`` is ``sum(flow * cost)``, which
        is the objective where demand is fixed, and ``demand_price`` what one more unit adds to it.

    Raises
    ------
    InputError
        As `user_equilibrium`.

    Examples
    --------
    >>> from corridor.core.flows import BPR
    >>> from corridor.core.graph import Graph
    >>> roads, delay = Graph(2, [0, 0], [1, 1]), BPR([1.0, 1.0], [1.0, 1.0], [1.0, 0.0], [1.0, 1.0])
    >>> system_optimum(roads, [0], [1], [2.0], delay).objective
    2.0
    """
    return user_equilibrium(
        graph, origin, destination, demand, MarginalCost(delay), tolerance, first_through_node,
        threads, elastic=elastic,
    )  # fmt: skip


def marginal_tolls(delay: VolumeDelay, flow: ArrayLike) -> FloatArray:
    """Return what a unit of flow on each arc costs all others there.

    Formula: ``flow * slope(flow)``. At the flow of the system optimum these are the tolls with
    which the user equilibrium is that optimum (Pigou).

    Parameters
    ----------
    delay : VolumeDelay
        The curves.
    flow : array-like of float64, shape (n_arcs,)
        Flow on each arc, >= 0.

    Returns
    -------
    ndarray of float64, shape (n_arcs,)
        In the unit of the cost, >= 0.

    Raises
    ------
    InputError
        If the shape differs, or a flow is negative or not finite.

    Examples
    --------
    >>> from corridor.core.flows import BPR
    >>> marginal_tolls(BPR([10.0], [100.0], [0.15], [4.0]), [100.0]).round(9)
    array([6.])
    """
    volume = as_flow(flow, delay.n_arcs)
    used = volume > 0
    # A slope may be infinite where there is no flow; nobody is there to be delayed.
    return np.where(used, volume * delay.slope(np.where(used, volume, 1.0)), 0.0)


def price_of_anarchy(delay: VolumeDelay, equilibrium: FlowResult, optimum: FlowResult) -> float:
    """Return the total cost of the user equilibrium over that of the system optimum, >= 1.

    Parameters
    ----------
    delay : VolumeDelay
        The curves, without tolls.
    equilibrium, optimum : FlowResult
        What `user_equilibrium` and `system_optimum` found.

    Returns
    -------
    float
        1 where both are the same, or nothing costs anything.

    Examples
    --------
    Pigou's two roads: 1 against 3/4.

    >>> from corridor.core.flows import BPR
    >>> from corridor.core.graph import Graph
    >>> delay = BPR([1.0, 1e-9], [1.0, 1.0], [0.0, 1e9], [1.0, 1.0])
    >>> case = (Graph(2, [0, 0], [1, 1]), [0], [1], [1.0], delay)
    >>> round(price_of_anarchy(delay, user_equilibrium(*case), system_optimum(*case)), 6)
    1.333333
    """
    spent, best = (
        float(result.arc_flow @ delay.cost(result.arc_flow)) for result in (equilibrium, optimum)
    )
    return spent / best if best > 0 else 1.0


@dataclass(frozen=True, slots=True, eq=False)
class MarginalCost:
    """The marginal cost ``cost + flow * slope`` of curves, as a curve.

    Parameters
    ----------
    delay : VolumeDelay
        The curves.
    """

    delay: VolumeDelay

    @property
    def n_arcs(self) -> int:
        """Number of arcs."""
        return self.delay.n_arcs

    def cost(self, flow: FloatArray) -> FloatArray:
        """Return ``cost + flow * slope``."""
        return self.delay.cost(flow) + marginal_tolls(self.delay, flow)

    def integral(self, flow: FloatArray) -> FloatArray:
        """Return ``flow * cost``."""
        return flow * self.delay.cost(flow)

    def slope(self, flow: FloatArray) -> FloatArray:
        """Return ``2 slope + flow * curvature``."""
        used = flow > 0
        bend = curvature_of(self.delay, np.where(used, flow, 1.0))
        return 2.0 * self.delay.slope(flow) + np.where(used, flow * bend, 0.0)

    def table(self, *, marginal: bool) -> CurveTable | None:
        """Return the marginal curves of the delay as the kernels read them."""
        if marginal or not isinstance(self.delay, TabledDelay):
            return None
        return self.delay.table(marginal=True)


def _assign(
    graph: Graph,
    trips: Trips,
    delay: VolumeDelay,
    extra: FloatArray,
    elastic: ElasticDemand | None,
    tolerance: float,
    threads: int,
    start: float,
) -> FlowResult:
    stay, free = None, np.empty(0)
    if elastic is not None:
        trips, free = _potential_trips(trips, delay, extra, elastic, threads)
        stay = elastic.excess_table(trips.commodity, trips.demand[trips.commodity], free)
    found = Projection(trips, delay, extra, stay, tolerance, threads).run()
    case = Assignment(
        graph=graph, trips=trips, delay=delay, extra=extra, elastic=elastic, free_cost=free,
        tolerance=tolerance, start=start,
    )  # fmt: skip
    return assemble_assignment(case, found)


def _potential_trips(
    trips: Trips, delay: VolumeDelay, extra: FloatArray, elastic: ElasticDemand, threads: int
) -> tuple[Trips, FloatArray]:
    """Return the demand on the empty network, and what its commodities spend there.

    Costs only rise with flow, so demand never exceeds it.
    """
    cost = extra + delay.cost(np.zeros(delay.n_arcs))
    distance, _ = shortest_trees(
        trips.graph, cost, trips.tree_row, trips.tree_origin, threads=threads
    )
    least = np.zeros(trips.n_commodities)
    least[trips.commodity] = distance[trips.tree_of, trips.destination]
    trips = trips.with_demand(elastic.demand(trips.demand, least))
    return trips, least[trips.commodity]


def _check_tolerance(tolerance: float) -> None:
    if not tolerance >= 0:
        msg = f"tolerance must be >= 0; found {tolerance}."
        raise InputError(msg)


def _check_sizes(
    graph: Graph,
    delay: VolumeDelay,
    demand: ArrayLike,
    classes: UserClasses | None,
    elastic: ElasticDemand | None,
) -> None:
    if delay.n_arcs != graph.n_arcs:
        msg = f"delay must have a curve for each of the {graph.n_arcs} arcs; found {delay.n_arcs}."
        raise InputError(msg)
    if classes is not None and classes.money_cost.shape[1] != graph.n_arcs:
        shape = classes.money_cost.shape
        raise InputError(wrong_shape("money_cost", shape, (shape[0], graph.n_arcs)))
    if elastic is not None and elastic.n_commodities != np.size(demand):
        msg = (
            f"elastic must have an entry for each of the {np.size(demand)} commodities; found "
            f"{elastic.n_commodities}."
        )
        raise InputError(msg)
