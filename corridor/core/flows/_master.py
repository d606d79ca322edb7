"""The master program: share demand among the paths found so far."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import BoolArray, FloatArray, LongArray
from corridor.core.flows._columns import Columns
from corridor.core.flows._network import Network
from corridor.core.flows._tangents import Tangents
from corridor.core.solver import Program, solve
from corridor.core.solver.program import Answer
from corridor.errors import SolverError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prices:
    """What the master program minimizes beside delay.

    Parameters
    ----------
    path : ndarray of float64, shape (n_columns,)
        Cost of a unit of flow on each path.
    unmet : ndarray of float64, shape (n_served,)
        Price of a unit left behind; inf where none may be.
    slack : float
        Price of a unit by which a side row is missed; inf where none may be.
    """

    path: FloatArray
    unmet: FloatArray
    slack: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MasterPoint:
    """The master program's optimum, in the problem's own units.

    Parameters
    ----------
    status, limit
        As in `corridor.core.solver.Answer`; the arrays are empty without a point.
    flow : ndarray of float64, shape (n_columns,)
        Flow on each path.
    unmet : ndarray of float64, shape (n_served,)
        Demand left behind.
    missed : float
        Total units by which side rows are missed.
    worth : ndarray of float64, shape (n_served,)
        Price of a unit of each demand.
    price : ndarray of float64, shape (n_resources,)
        Price of a unit of each resource: >= 0 for pools and arcs, of either sign for side rows.
    """

    status: str
    limit: str
    flow: FloatArray
    unmet: FloatArray
    missed: float
    worth: FloatArray
    price: FloatArray


def solve_master(
    network: Network,
    columns: Columns,
    tangents: Tangents,
    active: BoolArray,
    prices: Prices,
    seconds: float | None,
) -> MasterPoint:
    """Solve the master program over the columns and the active resources.

    Rows are one demand row for each served commodity and one for each active resource. A pool's
    row takes its load from segments of rising price, which are its delay curve from below; their
    total width is its capacity. Resources that are not active cannot bind with these columns: a
    pool among them has the slope of its curve at 0 added to the paths' costs.

    Parameters
    ----------
    network, columns, tangents
        What there is.
    active : ndarray of bool, shape (n_resources,)
        Resources that get a row.
    prices
        What to minimize.
    seconds
        Time limit [s], or None.
    """
    layout = _Layout(network, columns, tangents, active, prices)
    program = layout.program()
    try:
        # All costs are >= 0, so GLOP's dual simplex starts at once; HiGHS is the second opinion.
        answer = solve(program, solver="glop", time_limit=seconds)
    except SolverError:
        answer = solve(program, solver="highs", time_limit=seconds)
    return layout.read(answer)


class _Layout:
    """Positions of the parts in the program's columns and rows, and the units it is solved in.

    Flows are counted in the largest demand and money in the largest cost per unit, so that the
    solver's absolute tolerances mean the same in any unit.
    """

    def __init__(
        self,
        network: Network,
        columns: Columns,
        tangents: Tangents,
        active: BoolArray,
        prices: Prices,
    ) -> None:
        self.network, self.columns, self.tangents = network, columns, tangents
        self.prices, self.active = prices, active
        self.rows = np.flatnonzero(active)
        self.flow_unit = float(network.demand.max(initial=0.0)) or 1.0
        passive = np.zeros(network.n_resources)
        passive[: network.n_pools] = tangents.slope_at_zero()
        passive[active] = 0.0
        self.passive = passive
        self.path_cost = prices.path + columns.usage @ passive
        self.money_unit = float(self.path_cost.max(initial=0.0)) or 1.0
        in_rows = active[: network.n_pools][tangents.pool] & (tangents.width > 0)
        self.segments: LongArray = np.flatnonzero(in_rows)
        self.sides = self.rows[self.rows >= network.first_side_row]

    def program(self) -> Program:
        """Return the program: columns are paths, unmet demand, segments, slacks over and under."""
        network, n_served = self.network, self.network.served.size
        unmet_open = np.isfinite(self.prices.unmet)
        slack_open = np.isfinite(self.prices.slack)
        n_sides = self.sides.size
        slack_cost = np.full(2 * n_sides, self.prices.slack if slack_open else 0.0)
        money = [
            self.path_cost,
            np.where(unmet_open, self.prices.unmet, 0.0),
            self.tangents.slope[self.segments],
            slack_cost,
        ]
        room = [
            np.full(len(self.columns), np.inf),
            np.where(unmet_open, np.inf, 0.0),
            self.tangents.width[self.segments] / self.flow_unit,
            np.full(2 * n_sides, np.inf if slack_open else 0.0),
        ]
        demand = network.demand / self.flow_unit
        lower, upper = self._resource_bounds()
        n_columns = len(self.columns) + n_served + self.segments.size + 2 * n_sides
        return Program(
            cost=np.concatenate(money) / self.money_unit,
            lower=np.zeros(n_columns),
            upper=np.concatenate(room),
            matrix=self._matrix(),
            row_lower=np.r_[demand, lower],
            row_upper=np.r_[demand, upper],
        )

    def _resource_bounds(self) -> tuple[FloatArray, FloatArray]:
        lower = self.network.lower[self.rows] / self.flow_unit
        upper = self.network.upper[self.rows] / self.flow_unit
        # A pool's capacity is the total width of its segments.
        upper[self.rows < self.network.n_pools] = 0.0
        return lower, upper

    def _matrix(self) -> sp.csr_matrix:
        n_paths, n_served = len(self.columns), self.network.served.size
        n_segments, n_sides = self.segments.size, self.sides.size
        place = np.full(self.network.n_resources, -1, dtype=np.int64)
        place[self.rows] = np.arange(self.rows.size)
        demand = sp.csr_matrix(
            (np.ones(n_paths), (self.columns.commodity, np.arange(n_paths))),
            shape=(n_served, n_paths),
        )
        of_segment = place[self.tangents.pool[self.segments]]
        filled = sp.csr_matrix(
            (-np.ones(n_segments), (of_segment, np.arange(n_segments))),
            shape=(self.rows.size, n_segments),
        )
        over = sp.csr_matrix(
            (-np.ones(n_sides), (place[self.sides], np.arange(n_sides))),
            shape=(self.rows.size, n_sides),
        )
        usage = sp.csr_matrix(self.columns.usage[:, self.rows].T)
        met = sp.csr_matrix(sp.identity(n_served))
        blocks = [[demand, met, None, None, None], [usage, None, filled, over, -over]]
        return sp.csr_matrix(sp.bmat(blocks))

    def read(self, answer: Answer) -> MasterPoint:
        """Return the answer in the problem's own units."""
        network, n_served = self.network, self.network.served.size
        if answer.x is None or answer.row_price is None:
            empty = np.empty(0)
            return MasterPoint(
                status="unknown" if answer.status == "feasible" else answer.status,
                limit=answer.limit, flow=empty, unmet=empty, missed=0.0, worth=empty, price=empty,
            )  # fmt: skip
        n_paths = len(self.columns)
        slacks = answer.x[n_paths + n_served + self.segments.size :]
        price = self.passive.copy()
        price[self.rows] = -answer.row_price[n_served:] * self.money_unit
        first = network.first_side_row
        price[:first] = np.maximum(price[:first], 0.0)
        return MasterPoint(
            status=answer.status,
            limit=answer.limit,
            flow=np.maximum(answer.x[:n_paths], 0.0) * self.flow_unit,
            unmet=np.maximum(answer.x[n_paths : n_paths + n_served], 0.0) * self.flow_unit,
            missed=float(slacks.sum()) * self.flow_unit,
            worth=answer.row_price[:n_served] * self.money_unit,
            price=price,
        )
