"""The search for a design: relaxation, neighborhood, proof."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from corridor.core.flows._arrays import BoolArray, FloatArray
from corridor.core.flows._design_dive import dive
from corridor.core.flows._design_model import USED, DesignModel, build_model
from corridor.core.flows._design_paths import paths_of
from corridor.core.flows._design_relaxation import Relaxation
from corridor.core.flows.generation import min_cost_flow
from corridor.core.flows.problem import FlowProblem
from corridor.core.flows.result import FlowResult, PathColumns
from corridor.core.solver import Answer, solve
from corridor.core.solver.request import Effort, Interrupt, Progress, is_set

MANY_FLOWS: Final = 30_000
"""Flow columns from which a first design by paths comes before the relaxation."""
FEW_SWITCHES: Final = 40
"""Free switches up to which the whole program is solved at once."""
NEIGHBORHOOD_GAP: Final = 1e-3
"""Gap to which the neighborhood of the relaxation is searched; the proof goes on from there."""
HARD_GAP: Final = 0.02
"""Gap of the first design from which more is done for good designs."""
MOST_NEIGHBORHOODS: Final = 5
NEIGHBORHOOD_SHARE: Final = 0.3
"""Share of the time left that a neighborhood of a hard problem may take."""
CUTOFF_SHARE: Final = 0.5
"""Share of the tolerance within which better designs may be cut off."""
STALLED: Final = 0.01
"""Share of the tolerance by which a round of the relaxation must lift the bound."""
MOST_ROUNDS: Final = 200
GRACE_S: Final = 1.0
"""Time for routing over a design that was found just before the end."""
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
    problem, fixed_cost, tolerance, time_limit, progress, interrupt
        As of `corridor.core.flows.design.design_network`.
    """

    def __init__(
        self,
        problem: FlowProblem,
        fixed_cost: FloatArray,
        tolerance: float,
        time_limit: float | None,
        progress: Progress | None,
        interrupt: Interrupt | None,
    ) -> None:
        self.began = time.perf_counter()
        self.problem, self.fixed_cost, self.tolerance = problem, fixed_cost, tolerance
        self.time_limit, self.progress, self.interrupt = time_limit, progress, interrupt
        self.bound = -math.inf
        self.best: Design | None = None
        self.limit = ""
        self.infeasible: FlowResult | None = None
        self._told = (math.inf, -math.inf)

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
        for _ in range(MOST_ROUNDS):
            if self._stopped() or not self._relax() or self._done():
                return
            self._dive()
            if (
                self._done()
                or self._search_neighborhood()
                or self._prove()
                or not self._touch_delays()
            ):
                return

    def _without_switches(self) -> None:
        """Solve where nothing costs anything to open."""
        flow = min_cost_flow(self.problem, self.tolerance, self._left(), threads=1)
        if flow.status == "infeasible":
            self.infeasible = flow
            return
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
        flow = min_cost_flow(spread, self.tolerance, self._left(), threads=1)
        if flow.status == "infeasible":
            self.infeasible = flow
        elif math.isfinite(flow.objective):
            self._raise_bound(flow.bound)
            self._try(flow.arc_flow > 0, flow.columns)

    def _relax(self) -> bool:
        """Tighten the relaxation and open what it uses; False when stopped or infeasible."""
        if self.infeasible is not None:
            return False
        model, before = self.model, -math.inf
        while True:
            answer = self.relaxation.solve(self._left())
            if answer.status == "infeasible":
                self._confirm_infeasible()
                return False
            if answer.status != "optimal" or answer.x is None:
                self.limit = answer.limit or "solver"
                return False
            self._raise_bound(answer.bound * model.money)
            x = answer.x
            self.ever |= x[model.switches] > USED
            load = self.relaxation.load(x)
            grew = self.relaxation.add_links(x) > 0
            grew |= self.relaxation.add_tangents(load, self._precision() / max(load.size, 1))
            rise, before = self.bound - before, self.bound
            if not grew or rise <= STALLED * self.tolerance * abs(self.bound) or self._stopped():
                break
        self._try(model.used(x), paths_of(model, x))
        self.support: BoolArray = x[model.switches] > USED
        return not self._stopped()

    def _dive(self) -> None:
        """Look for a better first design where the relaxation's own is poor."""
        answer = self.relaxation.answer
        if answer is None or answer.x is None or self._gap() <= HARD_GAP:
            return
        x = dive(self.relaxation, answer.x, self._left())
        if x is not None:
            self.ever |= x[self.model.switches] > USED
            self._try(self.model.used(x), paths_of(self.model, x))

    def _search_neighborhood(self) -> bool:
        """Solve over the arcs that the relaxation used, and those of the best design.

        Where the gap is small, those that any round of the relaxation used: few designs come into
        question, and the best one is found at once. Where it is large, those that the last round
        used, and again as long as that leads to better designs, which bring in other arcs.
        """
        lower, upper, _ = self._fixed()
        if int((upper > lower).sum()) <= FEW_SWITCHES:
            return False
        hard = self._gap() > HARD_GAP
        gap = max(self.tolerance, NEIGHBORHOOD_GAP)
        for _ in range(MOST_NEIGHBORHOODS if hard else 1):
            before, near = self.best, self.support if hard else self.ever
            if before is not None:
                near = near | before.is_open[self.model.paid]
            lower, upper, _ = self._fixed()
            share = NEIGHBORHOOD_SHARE if hard else 1.0
            self._solve(np.minimum(lower, near), np.minimum(upper, near), gap, "proof", share=share)
            if self.best is before or self._done():
                break
        return self._done()

    def _prove(self) -> bool:
        """Solve with the switches fixed that reduced costs decide."""
        lower, upper, cutoff = self._fixed()
        effort: Effort = "balanced" if self._gap() > HARD_GAP else "proof"
        gap = (1 - CUTOFF_SHARE) * self.tolerance
        answer = self._solve(lower, upper, gap, effort, cutoff)
        self.limit = answer.limit
        if answer.status == "infeasible" and self.best is None:
            self._confirm_infeasible()
        elif answer.status in ("optimal", "feasible", "infeasible"):
            self._raise_bound(min(answer.bound * self.model.money, cutoff))
        return self._done()

    def _touch_delays(self) -> bool:
        """Add tangents at the best design's loads; False where there is nothing to add."""
        if self.best is None or self.problem.delay is None:
            return False
        least = self._precision() / max(self.best.flow.pool_load.size, 1)
        return self.relaxation.add_tangents(self.best.flow.pool_load, least)

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
        model = self.model
        program, keep = self.relaxation.restricted(lower, upper)
        start, left = None, self._left()
        if self.best is not None:
            point = model.point(self.best.flow, self.best.is_open)
            start = None if point is None or point[~keep].any() else point[keep]
        answer = solve(
            program,
            "scip",
            None if left is None else share * left,
            relative_gap=gap,
            start=start,
            interrupt=self.interrupt,
            progress=self._listener(cutoff),
            effort=effort,
        )
        if answer.x is None:
            return answer
        x = np.zeros(model.program.n_columns)
        x[keep] = answer.x
        used = model.used(x)
        used[model.paid] &= x[model.switches] > OPEN
        if self.best is None or not np.array_equal(used, self.best.is_open):
            self._try(used, paths_of(model, x))
        return answer

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

    def _try(self, is_open: BoolArray, columns: PathColumns | None = None) -> None:
        """Route the demand over the open arcs at least cost; keep the design if it is the best.

        Paths to begin with save the search for them; they need not suffice.
        """
        usable = is_open | (self.fixed_cost <= 0)
        allowed = usable if self.problem.allowed is None else self.problem.allowed & usable
        flow = min_cost_flow(
            replace(self.problem, allowed=allowed),
            min(1e-9, self.tolerance),
            None if self.time_limit is None else max(self._left_raw(), GRACE_S),
            columns=columns,
            threads=1,
        )
        if math.isfinite(flow.objective):
            self._keep(flow)

    def _keep(self, flow: FlowResult) -> None:
        is_open = flow.arc_flow > USED * flow.arc_flow.max(initial=0.0)
        design = Design(is_open=is_open, flow=flow, fixed=float(self.fixed_cost[is_open].sum()))
        if self.best is None or design.objective < self.best.objective:
            self.best = design
            self._tell()

    def _confirm_infeasible(self) -> None:
        """Let the flow engine say that the demand cannot be carried, all arcs open."""
        flow = min_cost_flow(self.problem, 1.0, self._left(), threads=1)
        if flow.status == "infeasible":
            self.infeasible = flow
        else:
            self.limit = flow.limit or "precision"

    # -- limits and reports -------------------------------------------------------------------

    def _done(self) -> bool:
        return self._closed() or self._stopped()

    def _closed(self) -> bool:
        return self._gap() <= self.tolerance

    def _gap(self) -> float:
        """Return the relative gap; inf without a design."""
        if self.best is None:
            return math.inf
        gap = self.best.objective - self.bound
        return gap / abs(self.best.objective) if gap > 0 else 0.0

    def _stopped(self) -> bool:
        if is_set(self.interrupt):
            self.limit = "interrupt"
        elif self.time_limit is not None and self._left_raw() <= 0:
            self.limit = "time"
        return self.limit != ""

    def _left_raw(self) -> float:
        return (self.time_limit or 0.0) - (time.perf_counter() - self.began)

    def _left(self) -> float | None:
        """Return the time left [s], > 0; None without a limit."""
        return None if self.time_limit is None else max(self._left_raw(), 1e-3)

    def _precision(self) -> float:
        """Return the error of the delay that does not matter."""
        size = abs(self.bound) if self.best is None else abs(self.best.objective)
        return 0.2 * self.tolerance * size if math.isfinite(size) else 0.0

    def _raise_bound(self, bound: float) -> None:
        if bound > self.bound:
            self.bound = bound
            self._tell()

    def _tell(self) -> None:
        objective = math.inf if self.best is None else self.best.objective
        self._say(objective, self.bound)

    def _say(self, objective: float, bound: float) -> None:
        """Hand on what is new; a solver's log has but few digits and may fall behind."""
        best, proved = self._told
        now = (min(best, objective), max(proved, min(bound, objective)))
        if self.progress is not None and now != self._told:
            self._told = now
            self.progress(*now)

    def _listener(self, cutoff: float) -> Callable[[float, float], None] | None:
        """Return what hands on the progress of an integer program."""
        if self.progress is None:
            return None
        money = self.model.money

        def listen(objective: float, bound: float) -> None:
            best = math.inf if self.best is None else self.best.objective
            self._say(min(best, objective * money), max(self.bound, min(bound * money, cutoff)))

        return listen
