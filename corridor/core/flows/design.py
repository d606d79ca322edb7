"""Fixed-charge network design: which arcs to open so that carrying all demand costs least.

Formula, with ``x[k, a]`` the flow of commodity k on arc a, ``d[k]`` its demand and ``y[a]`` whether
arc a is open::

    minimize    sum(cost[a] * x[k, a]) + sum(fixed_cost[a] * y[a])
    subject to  each commodity's flow leaves its origin and reaches its destination
                sum over k of x[k, a] <= capacity[a] * y[a]        (weak form)
                x[k, a] <= min(d[k], capacity[a]) * y[a]           (links)
                y[a] in {0, 1}

beside all that a `FlowProblem` may hold: classes, pools, side rows, convex delay, a price of unmet
demand. Without the links the linear relaxation opens just the share of an arc that its flow needs,
and bounds little; with all of them it has a row for each commodity and arc. So links are added
only when a relaxation breaks them, a few dozen as a rule, each round from the last basis. The rest
is a search in three steps:

1. *Relaxation.* Links, and tangents of delay, until none is broken. The arcs that carry its flow
   are opened, and `min_cost_flow` routes over them: the first design.
2. *Neighborhood.* The integer program over the arcs that any round of the relaxation used, a
   fraction of all: here the best design lies nearly always, but nothing is proved.
3. *Proof.* The integer program over all arcs but those that reduced costs decide (a switch whose
   change lifts the relaxation above the best design stays where it is), with the links that bind,
   begun with the best design and without heuristics.

Cover, minimum-cardinality and flow-cover inequalities of cutsets (Chouman et al.) are not added
here, for they do not pay once the links are there. On four instances of the set canad, single nodes
as cutsets, all commodities together and each alone, the relaxation with its links was this far
below the best design, before and after all violated ones were added, and the search took::

    instance   gap       with cuts   cuts   processor   with cuts
    r01.1      0.000 %   0.000 %     0      0.05 s      0.05 s
    r02.1      0.673 %   0.673 %     0      0.11 s      0.11 s
    c33        0.235 %   0.201 %     1      0.20 s      0.26 s
    c35        0.715 %   0.659 %     4      0.93 s      1.25 s

(Pairs of neighbors as cutsets too: two more cuts, the same bounds, 1.0 s and 2.0 s on c33 and c35.)
The solver finds those that help a node by itself.

References
----------
B. Gendron, T. G. Crainic and A. Frangioni, "Multicommodity capacitated network design", in
Telecommunications Network Planning, Kluwer (1999) 1-19; M. Chouman, T. G. Crainic and B. Gendron,
"Commodity representations and cut-set-based inequalities for multicommodity capacitated
fixed-charge network design", Transportation Science 51 (2017) 650-667.
"""

import math
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.flows._arrays import BoolArray, FloatArray, as_floats, check_values, wrong_shape
from corridor.core.flows._design_limits import Limits, Report
from corridor.core.flows._design_search import Search
from corridor.core.flows.problem import FlowProblem
from corridor.core.flows.result import FlowResult, Status
from corridor.core.solver.request import Interrupt, Progress
from corridor.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DesignResult:
    """What to open, what flows there, and the certificate; the status is data.

    Parameters
    ----------
    status
        ``optimal`` (relative gap <= tolerance), ``feasible`` (a limit stopped it at a design),
        ``infeasible`` (proved: demand that must be carried, or a side row, cannot be met with all
        arcs open) or ``unknown`` (stopped before a design was found).
    limit
        What stopped it: ``time``, ``interrupt``, ``precision`` (rounding hides the rest of the gap)
        or a limit of the solver's own; empty where nothing did.
    objective
        ``flow.objective + fixed_cost``; NaN without a design.
    fixed_cost
        Sum of the fixed costs of the open arcs; NaN without a design.
    bound
        Proved lower bound on the objective; inf where infeasible, -inf where nothing is proved.
    gap, relative_gap
        ``objective - bound`` and the same over ``|objective|``; NaN without a design.
    open : ndarray of bool, shape (n_arcs,)
        Arcs that are opened: those that carry flow. All False without a design.
    arc_flow : ndarray of float64, shape (n_arcs,)
        Flow of all classes; 0 without a design.
    flow : FlowResult or None
        The cheapest flow over the open arcs with its paths and prices, as of `min_cost_flow`; its
        bound and prices are those of the open arcs. None where the status is ``unknown``.
    seconds
        Wall time [s].
    """

    status: Status
    limit: str
    objective: float
    fixed_cost: float
    bound: float
    gap: float
    relative_gap: float
    open: BoolArray
    arc_flow: FloatArray
    flow: FlowResult | None
    seconds: float


def design_network(
    problem: FlowProblem,
    fixed_cost: ArrayLike,
    tolerance: float = 1e-4,
    time_limit: float | None = None,
    *,
    start: ArrayLike | None = None,
    interrupt: Interrupt | None = None,
    progress: Progress | None = None,
) -> DesignResult:
    """Return which arcs to open so that fixed costs and the flow's costs together are least.

    Parameters
    ----------
    problem : FlowProblem
        What is to be carried, on which arcs that may be opened, within which limits.
    fixed_cost : array-like of float64, shape (n_arcs,)
        Cost of opening each arc [cost unit], >= 0 and finite; 0 for what is there already. Arcs
        that cannot be built are closed in the problem (``allowed`` or an infinite cost).
    tolerance : float
        Relative gap at which the design counts as optimal, >= 0.
    time_limit : float, optional
        Wall time [s], > 0; the best design so far is returned when it ends. Routing over it may
        take up to a second more.
    start : array-like of bool, shape (n_arcs,), optional
        Arcs of a known design to begin with; it need not be good, nor carry the demand.
    interrupt : threading.Event or callable, optional
        Stops the search when it is set or returns True: at once within an integer program, else
        after the linear program at hand. The best design so far is returned.
    progress : callable, optional
        Called with the best objective (inf before the first) and the best bound when one is new.

    Returns
    -------
    result : DesignResult
        Open arcs, flow, status, objective and bound. One thread; deterministic unless a limit
        stops it.

    Raises
    ------
    InputError
        If an argument has the wrong shape or is out of its range.
    SolverError
        If a solver fails or a flow does not pass the checks.

    Notes
    -----
    The design's cost is that of its flow, computed anew by `min_cost_flow` over the open arcs. The
    bound is the relaxation's own, from checked prices, or that of the integer program, capped where
    designs were cut off for being no better than the best by half the tolerance.

    Side rows that pay for flow are met by flow along paths alone, never by flow in circles, which
    the integer program cannot tell apart: then the bound stays true but may not close the gap, and
    the status is ``feasible``.

    Examples
    --------
    One road of capacity 10 for 8 to open and 1 a unit, or an open one at 3 a unit. For 5 units the
    new road costs 13, the old one 15; for 3 units 11 and 9.

    >>> from corridor.core.graph import Graph
    >>> graph = Graph(2, [0, 0], [1, 1])
    >>> for demand in (5.0, 3.0):
    ...     problem = FlowProblem(graph, [0], [1], [demand], [1.0, 3.0], [10.0, 10.0])
    ...     result = design_network(problem, [8.0, 0.0])
    ...     print(result.status, round(result.objective, 6), result.open.tolist())
    optimal 13.0 [True, False]
    optimal 9.0 [False, True]
    """
    began = time.perf_counter()
    fixed = as_floats("fixed_cost", fixed_cost, (problem.graph.n_arcs,))
    check_values("fixed_cost", fixed, (fixed >= 0) & np.isfinite(fixed), ">= 0 and finite")
    if not tolerance >= 0:
        msg = f"tolerance must be >= 0; found {tolerance}."
        raise InputError(msg)
    if time_limit is not None and not time_limit > 0:
        msg = f"time_limit must be > 0 s or None; found {time_limit}."
        raise InputError(msg)
    limits, report = Limits(time_limit, interrupt), Report(progress)
    search = Search(problem, fixed, tolerance, limits, report)
    search.run(_start_mask(start, problem.graph.n_arcs))
    return _result(problem, search, tolerance, began)


def _start_mask(start: ArrayLike | None, n_arcs: int) -> BoolArray | None:
    if start is None:
        return None
    mask = np.array(start)
    if mask.dtype != np.bool_:
        msg = f"start must be bool; found {mask.dtype}. Compare, or use astype(bool)."
        raise InputError(msg)
    if mask.shape != (n_arcs,):
        raise InputError(wrong_shape("start", mask.shape, (n_arcs,)))
    return mask


def _result(problem: FlowProblem, search: Search, tolerance: float, began: float) -> DesignResult:
    best, n_arcs = search.best, problem.graph.n_arcs
    if search.infeasible is not None or best is None:
        proved = search.infeasible is not None
        return DesignResult(
            status="infeasible" if proved else "unknown",
            limit="" if proved else search.limit or "search",
            objective=math.nan,
            fixed_cost=math.nan,
            bound=math.inf if proved else search.bound,
            gap=math.nan,
            relative_gap=math.nan,
            open=np.zeros(n_arcs, dtype=np.bool_),
            arc_flow=np.zeros(n_arcs),
            flow=search.infeasible,
            seconds=time.perf_counter() - began,
        )
    bound = min(search.bound, best.objective)
    gap = best.objective - bound
    relative = gap / abs(best.objective) if gap > 0 else 0.0
    optimal = relative <= tolerance
    return DesignResult(
        status="optimal" if optimal else "feasible",
        limit="" if optimal else search.limit or "precision",
        objective=best.objective,
        fixed_cost=best.fixed,
        bound=bound,
        gap=gap,
        relative_gap=relative,
        open=best.is_open,
        arc_flow=best.flow.arc_flow,
        flow=best.flow,
        seconds=time.perf_counter() - began,
    )
