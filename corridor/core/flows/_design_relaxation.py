"""The linear relaxation of a design problem, tightened by the linking rows it breaks."""

from typing import Final

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import BoolArray, FloatArray, LongArray
from corridor.core.flows._design_model import DesignModel
from corridor.core.flows.problem import value_and_slope
from corridor.core.solver import Answer, Program, Session, solve

VIOLATION: Final = 1e-6
"""Share of a demand by which a linking row must be broken to be added."""
BINDING: Final = 1e-7
"""Slack up to which a row counts as binding."""
LINKS_AT_ONCE: Final = 2_000
"""Flow columns up to which all links are there from the start: one solve is faster than rounds."""


class Relaxation:
    """The relaxation that grows: links (``flow <= share x switch``) and tangents come when broken.

    Parameters
    ----------
    model
        The program.

    Attributes
    ----------
    always : ndarray of bool, shape (n_rows,)
        Rows that no program leaves out: those of the model, and tangents.
    answer
        The last optimum; None before the first.
    """

    def __init__(self, model: DesignModel) -> None:
        self.model = model
        self.session = Session(model.program)
        # Where the whole demand does not fit, the arc's own row says more than the link.
        self.has_link: BoolArray = (model.switch < 0) | (model.share < 1.0)
        self.always: BoolArray = np.ones(model.program.n_rows, dtype=np.bool_)
        self.answer: Answer | None = None
        self._tangents: list[tuple[LongArray, FloatArray, FloatArray]] = []
        self._at_once = model.n_flows <= LINKS_AT_ONCE
        if self._at_once:
            self._add(np.flatnonzero(~self.has_link))

    @property
    def program(self) -> Program:
        """The present program, with all links found so far."""
        return self.session.program

    def solve(self, time_limit: float | None) -> Answer:
        """Solve the present relaxation; keep the answer if it is optimal."""
        if self._at_once and self.answer is None:  # no basis to keep: no session to begin
            answer = solve(self.program, "glop", time_limit)
        else:
            answer = self.session.solve(time_limit)
        if answer.status == "optimal":
            self.answer = answer
        return answer

    def add_links(self, x: FloatArray) -> int:
        """Add the links that a point breaks; return how many."""
        model = self.model
        flow = x[: model.n_flows]
        room = np.where(model.switch >= 0, x[model.switch], 1.0)
        broken = np.flatnonzero((flow - room > VIOLATION) & ~self.has_link)
        if broken.size:
            self._add(broken)
        return int(broken.size)

    def _add(self, flows: LongArray) -> None:
        rows = np.arange(flows.size)
        ones = np.ones(flows.size)
        matrix = sp.csr_matrix(
            (np.r_[ones, -ones], (np.r_[rows, rows], np.r_[flows, self.model.switch[flows]])),
            shape=(flows.size, self.program.n_columns),
        )
        self.session.add_rows(matrix, np.full(flows.size, -np.inf), np.zeros(flows.size))
        self.has_link[flows] = True
        self.always = np.r_[self.always, np.zeros(flows.size, dtype=np.bool_)]

    def add_tangents(self, load: FloatArray, least: float) -> bool:
        """Touch the delay curves at a load; return whether any was farther than ``least`` off.

        Parameters
        ----------
        load : ndarray of float64, shape (n_pools,)
            Where to touch [pool units].
        least
            Cost by which a curve must be above the present tangents there.
        """
        model = self.model
        if model.problem.delay is None:
            return False
        load = np.minimum(load, model.network.upper[: load.size])
        value, slope = value_and_slope(model.problem.delay, load)
        slope = slope - model.network.first_slope
        value = value - model.network.first_slope * load
        pools = np.flatnonzero((value - self._envelope(load) > least) & np.isfinite(slope))
        if not pools.size:
            return False
        pick = sp.csr_matrix(
            (np.ones(pools.size), (np.arange(pools.size), model.delays.start + pools)),
            shape=(pools.size, self.program.n_columns),
        )
        rise = sp.diags(slope[pools] / model.money) @ model.load[pools]
        rise.resize((pools.size, self.program.n_columns))
        floor = (value[pools] - slope[pools] * load[pools]) / model.money
        self.session.add_rows(sp.csr_matrix(pick - rise), floor, np.full(pools.size, np.inf))
        self.always = np.r_[self.always, np.ones(pools.size, dtype=np.bool_)]
        self._tangents.append((pools, slope[pools], floor * model.money))
        return True

    def load(self, x: FloatArray) -> FloatArray:
        """Return the load of each pool with delay at a point [pool units]."""
        load: FloatArray = self.model.load @ x[: self.model.n_flows]
        return load

    def restricted(self, lower: FloatArray, upper: FloatArray) -> tuple[Program, BoolArray]:
        """Return the integer program with some switches fixed, and which columns it keeps.

        Links that do not bind in the last answer are left out: they are cheap to find again, and
        slow every node down.

        Parameters
        ----------
        lower, upper : ndarray of float64, shape (n_paid,)
            Bounds of the switches.
        """
        model, program = self.model, self.program
        rows = self.always
        if self.answer is not None and self.answer.x is not None:
            slack = program.row_upper - program.matrix @ self.answer.x
            rows = rows | (slack < BINDING)
        all_lower, all_upper = program.lower.copy(), program.upper.copy()
        all_lower[model.switches], all_upper[model.switches] = lower, upper
        closed = np.zeros(program.n_columns, dtype=np.bool_)
        closed[model.switches] = upper == 0
        all_upper[: model.n_flows][(model.switch >= 0) & closed[model.switch]] = 0.0
        keep = all_upper > 0
        integer = np.zeros(program.n_columns, dtype=np.bool_)
        integer[model.switches] = True
        return Program(
            cost=program.cost[keep],
            lower=all_lower[keep],
            upper=all_upper[keep],
            matrix=program.matrix[rows][:, keep],
            row_lower=program.row_lower[rows],
            row_upper=program.row_upper[rows],
            integer=integer[keep],
        ), keep

    def _envelope(self, load: FloatArray) -> FloatArray:
        """Return the cost beyond the slope at load 0 that the tangents see."""
        envelope = np.zeros(load.size)
        for pools, slope, floor in self._tangents:
            envelope[pools] = np.maximum(envelope[pools], floor + slope * load[pools])
        return envelope
