"""Equilibrium of those who choose among paths that share pools: stochastic, and its limit."""

import time

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.flows._arrays import as_floats, check_values
from corridor.core.flows._choice_result import assemble_choice
from corridor.core.flows._choice_search import Search
from corridor.core.flows.choice import ChoiceResult, ChoiceSet, PoolCharges
from corridor.core.flows.problem import FlowProblem
from corridor.errors import InputError


def logit_equilibrium(
    problem: FlowProblem,
    dispersion: float,
    charges: PoolCharges | None = None,
    *,
    path_size: float = 1.0,
    length: ArrayLike | None = None,
    choice_set: ChoiceSet | None = None,
    elasticity: ArrayLike | None = None,
    tolerance: float = 1e-9,
    threads: int | None = None,
) -> ChoiceResult:
    r"""Return the flow at which choices and the waits and prices that they cause agree.

    Formula: of commodity k with demand d, path p of its choice set, and staying at home at the
    price of unmet demand, take::

        f_p = d PS_p^beta exp(-theta C_p) / sum over q of PS_q^beta exp(-theta C_q)
        C_p = cost of its arcs + sum over its pools of charge x price

    PS_p is the path size (``path_size`` is beta), ``dispersion`` is theta. The price of a pool is
    its wait at its load; where it is full, what keeps the load at its capacity; above a soft limit
    the price of that. With one value of waiting (charges proportional to the use of the pools, for
    each class) the flow is unique and minimizes Fisk's convex program, and prices maximize its
    dual. With values that differ between pools there is no such program, and the equilibrium is
    certified as a fixed point.

    Parameters
    ----------
    problem : FlowProblem
        What is to be carried. Capacities of arcs and pools hold, side rows where they cap sums of
        flows with coefficients >= 0; ``delay`` only measures the ``objective``.
    dispersion : float
        theta, > 0 and finite, per unit of cost. The higher, the more take the cheapest path.
    charges : PoolCharges, optional
        What users of pools pay; by default full pools have a price in units of cost.
    path_size : float
        Exponent of the path size, >= 0; 0 is the plain logit.
    length : array-like of float64, shape (n_arcs,), optional
        Length of each arc for overlaps and path sizes, >= 0; by default all are 1.
    choice_set : ChoiceSet, optional
        Which paths there are to choose from.
    elasticity : array-like of float64, shape (n_commodities,), optional
        Elasticity of demand by cost, <= 0: demand is ``demand exp(elasticity (S - S0) / C0)`` with
        the expected cost S, the same on the empty network S0, and the cheapest path there C0.
    tolerance : float
        Share of the demand that may still want to choose otherwise, > 0.
    threads : int, optional
        Threads for shortest paths; None takes all cores. Results do not depend on it.

    Returns
    -------
    result : ChoiceResult
        Flows, prices, and how well they hold.

    Raises
    ------
    InputError
        If an argument is out of its range, or a side row pays for flow: no price makes users keep
        a floor.
    SolverError
        If the flow does not pass the checks.

    Notes
    -----
    Prices are found by a semi-smooth Newton's method on positions along the supply curves of the
    pools, paths by shortest paths at these prices until none is new. Both are deterministic.

    References
    ----------
    C. Fisk, "Some developments in equilibrium traffic assignment", Transportation Research B 14
    (1980) 243-255; M. G. H. Bell, "Stochastic user equilibrium assignment in networks with
    queues", Transportation Research B 29 (1995) 125-137; T. Larsson and M. Patriksson, "Side
    constrained traffic equilibrium models", Transportation Research B 33 (1999) 233-264.

    Examples
    --------
    Two paths, one dearer by 1 unit: at dispersion log 3 three of four units take the cheap one.
    If it has room for two, its price rises until the rest goes the other way.

    >>> from corridor.core.graph import Graph
    >>> two = Graph(2, [0, 0], [1, 1])
    >>> free = FlowProblem(two, [0], [1], [4.0], [2.0, 3.0])
    >>> logit_equilibrium(free, float(np.log(3))).flow.arc_flow.round(9)
    array([3., 1.])
    >>> tight = FlowProblem(two, [0], [1], [4.0], [2.0, 3.0], [2.0, np.inf])
    >>> result = logit_equilibrium(tight, float(np.log(3)))
    >>> result.flow.arc_flow.round(9), result.flow.capacity_price.round(9)
    (array([2., 2.]), array([1., 0.]))
    """
    _check_positive("dispersion", dispersion)
    start = time.perf_counter()
    search = _search(
        problem, charges, path_size, length, choice_set, elasticity, tolerance, threads
    )
    return assemble_choice(search, search.run(dispersion), start)


def capacitated_equilibrium(
    problem: FlowProblem,
    charges: PoolCharges | None = None,
    *,
    length: ArrayLike | None = None,
    choice_set: ChoiceSet | None = None,
    elasticity: ArrayLike | None = None,
    tolerance: float = 1e-6,
    threads: int | None = None,
) -> ChoiceResult:
    """Return the flow at which nobody has a cheaper path at the waits and prices it causes.

    It is the limit of `logit_equilibrium` at ever higher dispersion, followed until no more is
    spent above the cheapest paths than the tolerance allows. Of all such equilibria it is the one
    of most entropy: the path flows that come about in most ways.

    Parameters
    ----------
    problem, charges, length, choice_set, elasticity, threads
        As for `logit_equilibrium`. The choice set only helps: all paths of the network count.
    tolerance : float
        Share of what is spent that may be above the cheapest paths, > 0; 1e-8 is within reach.

    Returns
    -------
    result : ChoiceResult
        Flows, prices, and how well they hold.

    Raises
    ------
    InputError, SolverError
        As `logit_equilibrium`.

    Examples
    --------
    Two roads of cost 1 and 2; the first has room for one of four units, which pays 1 for it.

    >>> from corridor.core.graph import Graph
    >>> problem = FlowProblem(Graph(2, [0, 0], [1, 1]), [0], [1], [4.0], [1.0, 2.0], [1.0, np.inf])
    >>> result = capacitated_equilibrium(problem)
    >>> result.flow.arc_flow.round(6), result.flow.capacity_price.round(3)
    (array([1., 3.]), array([1., 0.]))
    """
    start = time.perf_counter()
    search = _search(problem, charges, 0.0, length, choice_set, elasticity, tolerance, threads)
    return assemble_choice(search, search.run_to_limit(), start)


def _search(
    problem: FlowProblem,
    charges: PoolCharges | None,
    path_size: float,
    length: ArrayLike | None,
    choice_set: ChoiceSet | None,
    elasticity: ArrayLike | None,
    tolerance: float,
    threads: int | None,
) -> Search:
    """Check the arguments and return the search."""
    _check_positive("tolerance", tolerance)
    if not (path_size >= 0 and np.isfinite(path_size)):
        msg = f"path_size must be >= 0 and finite; found {path_size}. 1 is usual, 0 is none."
        raise InputError(msg)
    _check_rows(problem)
    shape = (problem.graph.n_arcs,)
    lengths = as_floats("length", np.ones(shape) if length is None else length, shape)
    check_values("length", lengths, (lengths >= 0) & np.isfinite(lengths), ">= 0 and finite")
    falls = None
    if elasticity is not None:
        falls = as_floats("elasticity", elasticity, (problem.n_commodities,))
        check_values("elasticity", falls, (falls <= 0) & np.isfinite(falls), "<= 0 and finite")
    return Search(
        problem, charges or PoolCharges(), path_size, lengths, choice_set or ChoiceSet(), falls,
        tolerance, threads,
    )  # fmt: skip


def _check_positive(name: str, value: float) -> None:
    if not (value > 0 and np.isfinite(value)):
        msg = f"{name} must be > 0 and finite; found {value}."
        raise InputError(msg)


def _check_rows(problem: FlowProblem) -> None:
    """Refuse side rows that pay for flow."""
    rows = problem.rows
    if rows is None:
        return
    least = min(rows.matrix.data.min(initial=0.0), 0.0)
    if rows.unmet is not None:
        least = min(least, rows.unmet.data.min(initial=0.0))
    floors = np.flatnonzero(np.isfinite(rows.lower))
    if least < 0 or floors.size:
        what = f"row {floors[0]} has a lower bound" if floors.size else f"a coefficient is {least}"
        msg = (
            "Side rows of an equilibrium must be caps with coefficients >= 0, because no price "
            f"that users pay keeps a floor or a balance; {what}. Drop the row, or look for the "
            "optimum with min_cost_flow."
        )
        raise InputError(msg)
