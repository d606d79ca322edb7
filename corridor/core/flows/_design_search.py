"""The search for a design: relaxation, neighborhood, proof."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from corridor.core.flows._arrays import BoolArray, FloatArray
from corridor.core.flows._design_dive import dive
from corridor.core.flows._design_limits import Limits, Report
from corridor.core.flows._design_model import USED, DesignModel, build_model
from corridor.core.flows._design_paths import paths_of
from corridor.core.flows._design_relaxation import Relaxation
from corridor.core.flows.generation import min_cost_flow
from corridor.core.flows.problem import FlowProblem
from corridor.core.flows.result import FlowResult, PathColumns
from corridor.core.solver import Answer, solve
from corridor.core.solver.request import Effort

MANY_FLOWS: Final = 30_000
"""Flow columns from which a first design by paths comes before the relaxation."""
FEW_SWITCHES: Final = 40
"""Free switches up to which the whole program is solved at once."""
HARD_GAP: Final = 0.02
"""Gap of the first design from which more is done for good designs."""
NEARLY: Final = 3.0
"""Gap, in tolerances, that a better first design may close alone."""
NEIGHBORHOOD_GAP: Final = 1e-3
"""Gap to which the neighborhood of the relaxation is searched; the proof goes on from there."""
NEIGHBORHOOD_SHARE: Final = 0.3
"""Share of the time left that a neighborhood of a hard problem may take."""
MOST_NEIGHBORHOODS: Final = 5
CUTOFF_SHARE: Final = 0.5
"""Share of the tolerance within which better designs may be cut off."""
STALLED: Final = 0.01
"""Share of the tolerance by which a round of the relaxation must lift the bound."""
DELAY_SHARE: Final = 0.2
"""Share of the tolerance by which the tangents may miss the delay."""
ROUTING_TOLERANCE: Final = 1e-9
MOST_ROUNDS: Final = 200
OPEN: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """A design with its flow."""

    is_open: BoolArray
    flow: FlowResult
    fixed: float

    @property
    def objective(self) -> float:
        """Cost of the flow and of what is open."""
        return self.flow.objective + self.fixed


class Search:
    """The state of one search.

    Parameters
    ----------
    problem, fixed_cost, tolerance
        As of `corridor.core.flows.design.design_network`.
    limits, report
        When to stop, and whom to tell.

    Attributes
    ----------
    best
        The best design; None before the first.
    bound
        Proved lower bound on the cost of any design.
    infeasible
        What `min_cost_flow` said where the demand cannot be carried; else None.
    limit
        What stopped the search; empty while nothing does.
    """

    def __init__(
        self,
        problem: FlowProblem,
        fixed_cost: FloatArray,
        tolerance: float,
        limits: Limits,
        report: Report,
    ) -> None:
        self.problem, self.fixed_cost, self.tolerance = problem, fixed_cost, tolerance
        self.limits, self.report = limits, report
        self.bound = -math.inf
        self.best: Design | None = None
        self.limit = ""
        self.infeasible: FlowResult | None = None
        self._loads: list[FloatArray] = []

    # -- the plan -----------------------------------------------------------------------------

    def run(self, start: BoolArray | None) -> None:
        """Search until the gap closes, a limit stops it, or nothing is left to do."""
        if start is not None:
            self._try(start)
        if not (self.fixed_cost > 0).any() or not (self.problem.demand > 0).any():
            self._without_switches()
            return
        self.model: DesignModel = build_model(self.problem, self.fixed_cost)
        if not self.model.paid.size:
            self._without_switches()
            return
        self.relaxation = Relaxation(self.model)
        self.ever: BoolArray = np.zeros(self.model.paid.size, dtype=np.bool_)
        self._raise_bound(self.model.first_bound)
        if self.model.n_flows > MANY_FLOWS:
            self._spread()
        steps = (self._relax, self._dive, self._search_neighborhood, self._prove)
        for _ in range(MOST_ROUNDS):
            for step in steps:
                if self._done():
                    return
                step()
            if self._done() or not self._touch_delays():
                return

    def _without_switches(self) -> None:
        """Solve where nothing costs anything to open."""
        flow = min_cost_flow(self.problem, self.tolerance, self.limits.left(), threads=1)
        if flow.status == "infeasible":
            self.infeasible = flow
        elif math.isfinite(flow.objective):
            self._keep(flow)
            self._raise_bound(flow.bound)
        self.limit = flow.limit

    def _spread(self) -> None:
        """Take the arcs that are used when fixed costs are spread over capacities."""
        most = float(self.problem.demand.sum())
        capacity = self.problem.capacity
        room = np.full(self.fixed_cost.size, most) if capacity is None else np.fmin(capacity, most)
        extra = np.divide(self.fixed_cost, room, out=np.zeros(room.size), where=room > 0)
        spread = replace(self.problem, cost=self.problem.cost + extra)
        flow = min_cost_flow(spread, self.tolerance, self.limits.left(), threads=1)
        if flow.status == "infeasible":
            self.infeasible = flow
        elif math.isfinite(flow.objective):
            self._raise_bound(flow.bound)
            self._try(flow.arc_flow > 0, flow.columns)

    def _relax(self) -> None:
        """Tighten the relaxation until nothing is broken or little comes of it; open its arcs."""
        x = self._tighten()
        if x is not None:
            self.support: BoolArray = x[self.model.switches] > USED
            self._try(self.model.used(x), paths_of(self.model, x))
        if self.best is None and self.infeasible is None:
            # Out of time, or flow in circles met side rows, which paths must meet.
            self._open_all()

    def _tighten(self) -> FloatArray | None:
        """Add what the relaxation breaks, and solve it again; return the last point, if any."""
        model, before, x = self.model, -math.inf, None
        while True:
            answer = self.relaxation.solve(self.limits.left())
            if answer.status == "infeasible":
                self._open_all()
                self.limit = "precision"  # where the flow engine says something else
                return None
            if answer.status != "optimal" or answer.x is None:
                self.limit = answer.limit or "solver"
                return x
            x, bound = answer.x, answer.bound * model.money
            self._raise_bound(bound)
            self.ever |= x[model.switches] > USED
            grew = self.relaxation.add_links(x) > 0
            grew |= self._touch(self.relaxation.load(x))
            rise, before = bound - before, bound
            little = rise <= STALLED * self.tolerance * abs(bound)
            if not grew or little or self.limits.reached():
                return x

    def _dive(self) -> None:
        """Look for a better first design where the relaxation's own is poor, or all but enough."""
        answer, gap = self.relaxation.answer, self._gap()
        worthwhile = gap > HARD_GAP or gap <= NEARLY * self.tolerance
        if answer is None or answer.x is None or not worthwhile:
            return
        x = dive(self.relaxation, answer.x, self.limits)
        if x is not None:
            self.ever |= x[self.model.switches] > USED
            self._try(self.model.used(x), paths_of(self.model, x))

    def _search_neighborhood(self) -> None:
        """Solve over the arcs that the relaxation used, and those of the best design.

        Where the gap is small, those that any round of the relaxation used: few designs come into
        question, and the best one is found at once. Where it is large, those that the last round
        used, and again as long as that leads to better designs, which bring in other arcs.
        """
        lower, upper, _ = self._fixed()
        if int((upper > lower).sum()) <= FEW_SWITCHES:
            return
        hard = self._gap() > HARD_GAP
        gap = max(0.1 * self.tolerance, NEIGHBORHOOD_GAP)
        for _ in range(MOST_NEIGHBORHOODS if hard else 1):
            before, near = self.best, self.support if hard else self.ever
            if before is not None:
                near = near | before.is_open[self.model.paid]
            lower, upper, _ = self._fixed()
            share = NEIGHBORHOOD_SHARE if hard else 1.0
            self._solve(np.minimum(lower, near), np.minimum(upper, near), gap, "proof", share=share)
            if self.best is before or self._done():
                return

    def _prove(self) -> None:
        """Solve with the switches fixed that reduced costs decide."""
        lower, upper, cutoff = self._fixed()
        effort: Effort = "balanced" if self._gap() > HARD_GAP else "proof"
        gap = (1 - CUTOFF_SHARE) * self.tolerance
        answer = self._solve(lower, upper, gap, effort, cutoff)
        self.limit = answer.limit
        if answer.status in ("optimal", "feasible", "infeasible"):
            self._raise_bound(min(answer.bound * self.model.money, cutoff))

    def _touch_delays(self) -> bool:
        """Add tangents at the loads of the designs found; False where there is nothing to add."""
        loads, self._loads = self._loads, []
        return sum(self._touch(load) for load in loads) > 0

    # -- steps --------------------------------------------------------------------------------

    def _solve(
        self,
        lower: FloatArray,
        upper: FloatArray,
        gap: float,
        effort: Effort,
        cutoff: float = -math.inf,
        share: float = 1.0,
    ) -> Answer:
        """Solve an integer program with the switches within bounds, and open what it opens.

        Its bound holds for all designs up to the cutoff. It may take a share of the time left.
        """
        program, keep = self.relaxation.restricted(lower, upper)
        answer = solve(
            program,
            "scip",
            self.limits.left(share),
            relative_gap=gap,
            start=self._start(keep),
            interrupt=self.limits.interrupt,
            progress=self._listener(cutoff) if self.report.wanted else None,
            effort=effort,
        )
        if answer.x is not None:
            x = np.zeros(self.model.program.n_columns)
            x[keep] = answer.x
            self._open(x)
        return answer

    def _start(self, keep: BoolArray) -> FloatArray | None:
        """Return the best design as a point of the columns kept; None where it needs others."""
        if self.best is None:
            return None
        point = self.model.point(self.best.flow, self.best.is_open)
        return None if point is None or point[~keep].any() else point[keep]

    def _open(self, x: FloatArray) -> None:
        """Open what a point of the integer program opens, within the solver's rounding."""
        model = self.model
        used = model.used(x)
        is_open = used.copy()
        is_open[model.paid] &= x[model.switches] > OPEN
        self._loads.append(self.relaxation.load(x))
        if self.best is not None and np.array_equal(is_open, self.best.is_open):
            return
        columns = paths_of(model, x)
        if not self._try(is_open, columns):
            self._try(used, columns)

    def _fixed(self) -> tuple[FloatArray, FloatArray, float]:
        """Return bounds of the switches within which all better designs lie, and their limit.

        A switch whose reduced cost lifts the relaxation above the limit stays where it is. The
        limit lies a little below the best design: what is cut off between them counts as bound.
        """
        lower = np.zeros(self.model.paid.size)
        upper = np.ones(self.model.paid.size)
        answer = self.relaxation.answer
        if self.best is None or answer is None or answer.reduced_cost is None:
            return lower, upper, math.inf
        best = self.best.objective
        limit = best - CUTOFF_SHARE * self.tolerance * abs(best)
        room = limit / self.model.money - answer.bound
        reduced = answer.reduced_cost[self.model.switches]
        upper[reduced > room] = 0.0
        lower[-reduced > room] = 1.0
        return lower, upper, limit

    def _try(self, is_open: BoolArray, columns: PathColumns | None = None) -> bool:
        """Route the demand over the open arcs at least cost; return whether that can be done.

        Paths to begin with save the search for them; they need not suffice.
        """
        usable = is_open | (self.fixed_cost <= 0)
        allowed = usable if self.problem.allowed is None else self.problem.allowed & usable
        tolerance = min(ROUTING_TOLERANCE, self.tolerance)
        if self.problem.delay is not None:
            tolerance = DELAY_SHARE * self.tolerance
        flow = min_cost_flow(
            replace(self.problem, allowed=allowed),
            tolerance,
            self.limits.left_for_routing(),
            columns=columns,
            threads=1,
        )
        if not math.isfinite(flow.objective):
            return False
        self._keep(flow)
        return True

    def _keep(self, flow: FlowResult) -> None:
        """Keep a design if it is the best; one more without the arcs that carry next to nothing."""
        is_open = flow.arc_flow > 0
        idle = is_open & (flow.arc_flow <= USED * flow.arc_flow.max(initial=0.0))
        if self.fixed_cost[idle].any():
            self._try(is_open & ~idle, flow.columns)
        design = Design(is_open=is_open, flow=flow, fixed=float(self.fixed_cost[is_open].sum()))
        self._loads.append(flow.pool_load)
        if self.best is None or design.objective < self.best.objective:
            self.best = design
            self._tell()

    def _open_all(self) -> None:
        """Route with all arcs open; what cannot be carried then never can."""
        flow = min_cost_flow(
            self.problem, self.tolerance, self.limits.left_for_routing(), threads=1
        )
        if flow.status == "infeasible":
            self.infeasible = flow
        elif math.isfinite(flow.objective):
            self._keep(flow)

    def _touch(self, load: FloatArray) -> bool:
        """Add tangents at a load where those there are miss the delay by what matters."""
        if self.problem.delay is None:
            return False
        size = abs(self.bound) if self.best is None else abs(self.best.objective)
        most = DELAY_SHARE * self.tolerance * size if math.isfinite(size) else 0.0
        return self.relaxation.add_tangents(load, most / max(load.size, 1))

    # -- limits and reports -------------------------------------------------------------------

    def _done(self) -> bool:
        """Return whether the gap is closed, nothing can be carried, or a limit is reached."""
        if self._gap() <= self.tolerance or self.infeasible is not None:
            return True
        self.limit = self.limit or self.limits.reached()
        return self.limit != ""

    def _gap(self) -> float:
        """Return the relative gap; inf without a design."""
        if self.best is None:
            return math.inf
        gap = self.best.objective - self.bound
        return gap / abs(self.best.objective) if gap > 0 else 0.0

    def _raise_bound(self, bound: float) -> None:
        if bound > self.bound:
            self.bound = bound
            self._tell()

    def _tell(self) -> None:
        self.report.tell(math.inf if self.best is None else self.best.objective, self.bound)

    def _listener(self, cutoff: float) -> Callable[[float, float], None]:
        """Return what hands on the progress of an integer program."""
        money = self.model.money

        def listen(objective: float, bound: float) -> None:
            best = math.inf if self.best is None else self.best.objective
            proved = max(self.bound, min(bound * money, cutoff))
            self.report.tell(min(best, objective * money), proved)

        return listen
