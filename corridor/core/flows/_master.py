"""The master program: share demand among the paths found so far."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from corridor.core.flows._arrays import BoolArray, FloatArray, LongArray
from corridor.core.flows._columns import Columns
from corridor.core.flows._network import Network
from corridor.core.flows._tangents import Tangents
from corridor.core.solver import Answer, Program, Session


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stage:
    """What is minimized.

    Parameters
    ----------
    free
        Whether paths and delay cost nothing (only feasibility is asked).
    unmet : ndarray of float64, shape (n_groups,)
        Price of a unit left behind; inf where none may be.
    slack : ndarray of float64, shape (n_side_rows,)
        Price of missing a side row by a unit; inf, of all of them, where none may be missed.
    """

    free: bool
    unmet: FloatArray
    slack: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MasterPoint:
    """The master program's optimum, in the problem's own units.

    Parameters
    ----------
    status, limit
        As in `corridor.core.solver.Answer`; the arrays are empty without a point.
    flow : ndarray of float64, shape (n_columns,)
        Flow on each path.
    unmet : ndarray of float64, shape (n_groups,)
        Demand left behind.
    missed : ndarray of float64, shape (n_side_rows,)
        Units by which each side row is missed.
    worth : ndarray of float64, shape (n_groups,)
        Price of a unit of each demand.
    price : ndarray of float64, shape (n_resources,)
        Price of a unit of each resource: >= 0 for pools, beyond the slope of their delay at load
        0, and for arcs; of either sign for side rows.
    """

    status: str
    limit: str
    flow: FloatArray
    unmet: FloatArray
    missed: FloatArray
    worth: FloatArray
    price: FloatArray


class Master:
    """A linear program that grows by rows and columns, solved each time from its last basis.

    Rows are one demand row for each group that competes and one for each active resource. A pool's
    row takes its load from segments of rising price, which are its delay curve from below; their
    total width is its capacity. Resources that are not active cannot bind with these columns.
    Groups whose cheapest way takes nothing of what is scarce do not compete: they get no row.

    Flows are counted in the largest demand and money in one cost given, so that the solver's
    absolute tolerances mean the same in any unit.

    Parameters
    ----------
    network, columns
        What there is; `columns` may grow.
    stage
        What is minimized.
    money_unit
        Cost that is counted as 1, > 0.
    """

    def __init__(self, network: Network, columns: Columns, stage: Stage, money_unit: float) -> None:
        self._network, self._columns, self._stage = network, columns, stage
        self._money_unit = money_unit
        self._flow_unit = float(network.groups.demand.max(initial=0.0)) or 1.0
        self._session: Session | None = None
        self._places = _Places(network)

    def solve(self, tangents: Tangents, active: BoolArray, seconds: float | None) -> MasterPoint:
        """Solve over the present columns.

        Parameters
        ----------
        tangents
            Delay curves from below.
        active : ndarray of bool, shape (n_resources,)
            Resources that get a row; those that have one keep it.
        seconds
            Time limit [s], or None.
        """
        alone = self._alone(active)
        self._grow(tangents, active, alone.group)
        answer = None if self._session is None else self._session.solve(time_limit=seconds)
        return self._read(answer, alone)

    # -- who competes --------------------------------------------------------------------------

    def _path_cost(self) -> FloatArray:
        """Return what a unit of flow costs on each path."""
        return np.zeros(len(self._columns)) if self._stage.free else self._columns.cost

    def _alone(self, active: BoolArray) -> "_Alone":
        """Find the groups that need no row, what they pay, and the paths they take."""
        columns, unmet = self._columns, self._stage.unmet
        cost, usage = self._path_cost(), columns.usage
        entry = np.repeat(np.arange(len(columns)), np.diff(usage.indptr))
        touches = np.zeros(len(columns), dtype=np.bool_)
        touches[entry[active[usage.indices]]] = True
        # Side rows may pay for flow: whoever meets one competes.
        competes = self._places.row_of_group >= 0
        competes |= np.diff(self._network.groups.unmet_usage.indptr) > 0
        competes[columns.group[entry[usage.indices >= self._network.first_side_row]]] = True
        least, quiet = unmet.copy(), unmet.copy()
        np.minimum.at(least, columns.group, cost)
        untouched = np.flatnonzero(~touches)
        np.minimum.at(quiet, columns.group[untouched], cost[untouched])
        alone = ~competes & (quiet <= least) & np.isfinite(least)
        # Written backwards, so that the first of several equal paths stays.
        takes = untouched[cost[untouched] == least[columns.group[untouched]]][::-1]
        path = np.full(unmet.size, -1, dtype=np.int64)
        path[columns.group[takes]] = takes
        path[unmet <= least] = -1
        return _Alone(group=alone, cost=least, path=path)

    # -- growing -------------------------------------------------------------------------------

    def _grow(self, tangents: Tangents, active: BoolArray, alone: BoolArray) -> None:
        """Add the rows and columns that are new, and set the widths of the segments."""
        rows = self._new_rows(active, ~alone)
        block = self._new_columns(tangents)
        lower, matrix = np.zeros(block.size), block.matrix(self._places.n_rows)
        if self._session is None:
            if rows.upper.size:
                self._session = Session(
                    Program(block.cost, lower, block.upper, matrix, rows.lower, rows.upper)
                )
            return
        if rows.upper.size:
            self._session.add_rows(rows.matrix, rows.lower, rows.upper)
        if block.size:
            self._session.add_columns(block.cost, lower, block.upper, matrix)
        if tangents.n_known > tangents.n_pools:
            upper = self._with_widths(tangents, self._session.program.upper)
            self._session.change(upper=upper)

    def _new_rows(self, active: BoolArray, competes: BoolArray) -> "_Rows":
        """Give a row to the resources and groups that need one and have none."""
        network, places = self._network, self._places
        n_columns = places.n_columns
        resources = np.flatnonzero(active & (places.row_of_resource < 0))
        groups = np.flatnonzero(competes & (places.row_of_group < 0))
        places.row_of_resource[resources] = places.n_rows + np.arange(resources.size)
        first = places.n_rows + resources.size
        places.row_of_group[groups] = first + np.arange(groups.size)
        usage = self._columns.usage[: places.column_of_path.size, resources].tocoo()
        column = places.column_of_path[usage.row]
        inside = column >= 0
        places.n_rows += resources.size + groups.size
        upper = network.upper[resources].copy()
        # A pool's capacity is the total width of its segments.
        upper[resources < network.n_pools] = 0.0
        demand = network.groups.demand[groups]
        return _Rows(
            lower=np.r_[network.lower[resources], demand] / self._flow_unit,
            upper=np.r_[upper, demand] / self._flow_unit,
            matrix=sp.csr_matrix(
                (usage.data[inside], (usage.col[inside], column[inside])),
                shape=(resources.size + groups.size, n_columns),
            ),
        )

    def _new_columns(self, tangents: Tangents) -> "_Block":
        """Give a column to the paths, unmet demand, segments and slacks that have none."""
        block = _Block(self._places.n_columns)
        self._add_paths(block)
        self._add_unmet(block)
        self._add_segments(block, tangents)
        self._add_slacks(block)
        self._places.n_columns += block.size
        return block

    def _add_paths(self, block: "_Block") -> None:
        """Add the paths of the groups that compete: demand row 1, resource rows their usage."""
        columns, places = self._columns, self._places
        fresh = np.ones(len(columns), dtype=np.bool_)
        fresh[: places.column_of_path.size] = places.column_of_path < 0
        paths = np.flatnonzero(fresh & (places.row_of_group[columns.group] >= 0))
        usage = columns.usage[paths].tocoo()
        at = block.add(self._path_cost()[paths] / self._money_unit)
        block.enter(places.row_of_group[columns.group[paths]], at, np.ones(paths.size))
        block.enter(places.row_of_resource[usage.col], at[usage.row], usage.data)
        missing = np.full(len(columns) - places.column_of_path.size, -1, dtype=np.int64)
        places.column_of_path = np.concatenate([places.column_of_path, missing])
        places.column_of_path[paths] = at

    def _add_unmet(self, block: "_Block") -> None:
        """Add the demand left behind, where it may be: demand row 1, side rows their entries."""
        network, places = self._network, self._places
        may = np.isfinite(self._stage.unmet) & (places.row_of_group >= 0)
        groups = np.flatnonzero(may & (places.column_of_unmet < 0))
        at = block.add(self._stage.unmet[groups] / self._money_unit)
        block.enter(places.row_of_group[groups], at, np.ones(groups.size))
        entries = network.groups.unmet_usage[groups].tocoo()
        rows = places.row_of_resource[network.first_side_row + entries.col]
        block.enter(rows, at[entries.row], entries.data)
        places.column_of_unmet[groups] = at

    def _add_segments(self, block: "_Block", tangents: Tangents) -> None:
        """Add the segments of pools that have a row, priced above the slope at load 0."""
        places = self._places
        missing = np.full(tangents.n_known - places.column_of_segment.size, -1, dtype=np.int64)
        places.column_of_segment = np.concatenate([places.column_of_segment, missing])
        row = places.row_of_resource[tangents.pool]
        fresh = (places.column_of_segment[tangents.identity] < 0) & (row >= 0)
        which = np.flatnonzero(fresh & (tangents.width > 0))
        rise = tangents.slope[which] - self._network.first_slope[tangents.pool[which]]
        if self._stage.free:
            rise = np.zeros(which.size)
        width = tangents.width[which] / self._flow_unit
        at = block.add(np.maximum(rise, 0.0) / self._money_unit, width)
        block.enter(row[which], at, -np.ones(which.size))
        places.column_of_segment[tangents.identity[which]] = at

    def _add_slacks(self, block: "_Block") -> None:
        """Add what a side row may be missed by, over and under, where it may be."""
        places = self._places
        first = self._network.first_side_row
        if places.has_slacks or not np.isfinite(self._stage.slack).all():
            return
        places.has_slacks = True
        rows = places.row_of_resource[first:]
        for sign in (-1.0, 1.0):
            at = block.add(self._stage.slack / self._money_unit)
            block.enter(rows, at, np.full(rows.size, sign))
            places.slacks.append(at)

    def _with_widths(self, tangents: Tangents, upper: FloatArray) -> FloatArray:
        """Return the columns' upper bounds with the present widths of the segments."""
        places = self._places
        changed = upper.copy()
        changed[places.column_of_segment[places.column_of_segment >= 0]] = 0.0
        at = places.column_of_segment[tangents.identity]
        changed[at[at >= 0]] = tangents.width[at >= 0] / self._flow_unit
        return changed

    # -- reading -------------------------------------------------------------------------------

    def _read(self, answer: Answer | None, alone: "_Alone") -> MasterPoint:
        """Return the answer in the problem's own units; None where nobody competes."""
        x = dual = np.empty(0)
        status, limit = "optimal", ""
        if answer is not None:
            status, limit = answer.status, answer.limit
            if answer.x is None or answer.row_price is None:
                status = "unknown" if status == "feasible" else status
                return MasterPoint(
                    status=status, limit=limit, flow=x, unmet=x, missed=x, worth=x, price=x
                )
            x = np.maximum(answer.x, 0.0) * self._flow_unit
            dual = answer.row_price * self._money_unit
        places = self._places
        flow, unmet = _taken(x, places.column_of_path), _taken(x, places.column_of_unmet)
        worth, price = _taken(dual, places.row_of_group), -_taken(dual, places.row_of_resource)
        demand = self._network.groups.demand
        by_path = np.flatnonzero(alone.group & (alone.path >= 0))
        stays = np.flatnonzero(alone.group & (alone.path < 0))
        flow[alone.path[by_path]] = demand[by_path]
        unmet[stays] = demand[stays]
        worth[alone.group] = alone.cost[alone.group]
        first = self._network.first_side_row
        price[:first] = np.maximum(price[:first], 0.0)
        return MasterPoint(
            status=status,
            limit=limit,
            flow=flow,
            unmet=unmet,
            missed=sum((x[at] for at in places.slacks), np.zeros(self._network.n_side_rows)),
            worth=worth,
            price=price,
        )


def _taken(values: FloatArray, places: LongArray) -> FloatArray:
    """Return the values at the places, 0 where the place is -1."""
    taken = np.zeros(places.size)
    known = places >= 0
    taken[known] = values[places[known]]
    return taken


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Alone:
    """Groups without a row.

    Parameters
    ----------
    group : ndarray of bool, shape (n_groups,)
        Which they are.
    cost : ndarray of float64, shape (n_groups,)
        The cheapest way of each group, competing or not, while nothing has a price.
    path : ndarray of int64, shape (n_groups,)
        The path that is it; -1 where staying at home is.
    """

    group: BoolArray
    cost: FloatArray
    path: LongArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """New rows over the columns there are."""

    lower: FloatArray
    upper: FloatArray
    matrix: sp.csr_matrix


class _Places:
    """Where things stand in the program; -1 where they do not."""

    def __init__(self, network: Network) -> None:
        self.n_rows = 0
        self.n_columns = 0
        self.row_of_group = np.full(network.groups.size, -1, dtype=np.int64)
        self.row_of_resource = np.full(network.n_resources, -1, dtype=np.int64)
        self.column_of_path: LongArray = np.empty(0, dtype=np.int64)
        self.column_of_unmet = np.full(network.groups.size, -1, dtype=np.int64)
        self.column_of_segment: LongArray = np.empty(0, dtype=np.int64)
        self.slacks: list[LongArray] = []
        self.has_slacks = False


class _Block:
    """New columns, collected part by part."""

    def __init__(self, first: int) -> None:
        self.first, self.size = first, 0
        self._cost: list[FloatArray] = [np.empty(0)]
        self._upper: list[FloatArray] = [np.empty(0)]
        self._entries: list[tuple[LongArray, LongArray, FloatArray]] = []

    def add(self, cost: FloatArray, upper: FloatArray | float = np.inf) -> LongArray:
        """Add columns; return their positions in the program."""
        self._cost.append(cost)
        self._upper.append(np.broadcast_to(upper, cost.shape))
        at = np.arange(self.first + self.size, self.first + self.size + cost.size)
        self.size += cost.size
        return at

    def enter(self, rows: LongArray, columns: LongArray, values: FloatArray) -> None:
        """Set coefficients; those of rows that do not exist (-1) are left out."""
        inside = rows >= 0
        self._entries.append((rows[inside], columns[inside] - self.first, values[inside]))

    @property
    def cost(self) -> FloatArray:
        """Costs of the columns."""
        return np.concatenate(self._cost)

    @property
    def upper(self) -> FloatArray:
        """Upper bounds of the columns; the lower ones are 0."""
        return np.concatenate(self._upper)

    def matrix(self, n_rows: int) -> sp.csr_matrix:
        """Return the coefficients, CSR (n_rows, size)."""
        row, column, value = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        return sp.csr_matrix((value, (row, column)), shape=(n_rows, self.size))
