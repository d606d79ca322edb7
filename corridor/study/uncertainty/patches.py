"""What draws change in a compiled model, worked out once: fills, posts, services, rules, traffic.

A sample changes numbers, never what is open, where it lies or who works there. So each patch keeps
what `corridor.planning.compile_model` found out about the structure and computes the numbers anew,
by the formulas of the modules it stands in for. Every patch is held against the compiled model when
it is made: it must reproduce the nominal numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse

from corridor.border import MAX_UTILIZATION, Posts
from corridor.errors import InputError
from corridor.network import TABLES, Network
from corridor.network.background import background_vehicles
from corridor.network.fills import FilledTables, fill_blanks
from corridor.network.hours import parse_departures
from corridor.network.supernetwork import Supernetwork
from corridor.planning.services import LinkServices
from corridor.study.uncertainty.inputs import FILLED, Cells, filled_frames
from corridor.units import HOURS_PER_DAY, HOURS_PER_WEEK, MINUTES_PER_HOUR

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

_FIRST_TAG: Final = 1e9
"""Tags are -1e9, -1e9 - 1, ...: no number of a data set is that far below 0."""


def with_frames(network: Network, frames: Mapping[str, pd.DataFrame]) -> Network:
    """Return a network with other rows of the same keys; they are not validated again."""
    rows = dict(network.rows)
    for name, frame in frames.items():
        rows[name] = replace(rows[name], frame=frame)
    return replace(network, rows=rows)


def set_cells(
    frames: Mapping[str, pd.DataFrame], cells: Cells, values: FloatArray
) -> dict[str, pd.DataFrame]:
    """Return tables with the cells set to values; those of other tables are left out.

    Parameters
    ----------
    frames
        Tables by name.
    cells
        Cells of these tables and perhaps of others.
    values : ndarray of float64, shape (n_cells,)
        What they become.
    """
    changed: dict[str, pd.DataFrame] = {}
    places = pd.DataFrame({"table": cells.table, "column": cells.column})
    for (table, column), own in places.groupby(["table", "column"], sort=False):
        if table in frames:
            at = own.index.to_numpy()
            frame = changed.get(str(table), frames[str(table)])
            numbers = frame[column].to_numpy(np.float64, copy=True)
            numbers[cells.row[at]] = values[at]
            changed[str(table)] = frame.assign(**{str(column): numbers})
    return changed


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Column:
    """A column of a filled table that draws reach: where each of its numbers comes from."""

    table: str
    name: str
    numbers: FloatArray
    rows: IntArray
    cells: IntArray

    def drawn(self, values: FloatArray) -> FloatArray:
        """Return the column at the values of the cells."""
        numbers = self.numbers.copy()
        numbers[self.rows] = values[self.cells]
        return numbers


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FillPatch:
    """Filled tables without filling: each number is a copy of one cell, and that cell is known."""

    nominal: FilledTables
    columns: tuple[_Column, ...]

    @classmethod
    def of(cls, network: Network, nominal: FilledTables, cells: Cells) -> "FillPatch":
        """Return the patch of a network, found by filling it with a tag in each cell drawn."""
        tags = -_FIRST_TAG - np.arange(len(cells), dtype=np.float64)
        own = {name: network.table(name) for name in (*FILLED, "defaults")}
        tagged = filled_frames(fill_blanks(with_frames(network, set_cells(own, cells, tags))))
        columns = []
        for table, frame in filled_frames(nominal).items():
            for name in TABLES[table].names:
                if not TABLES[table].column(name).kind.numeric:
                    continue
                found = tagged[table][name].to_numpy(float)
                rows = np.flatnonzero(found <= -_FIRST_TAG)
                if rows.size:
                    origin = (-_FIRST_TAG - found[rows]).astype(np.int64)
                    numbers = frame[name].to_numpy(np.float64, copy=True)
                    columns.append(
                        _Column(table=table, name=name, numbers=numbers, rows=rows, cells=origin)
                    )
        return cls(nominal=nominal, columns=tuple(columns))

    def tables(self, values: FloatArray) -> FilledTables:
        """Return the filled tables at the values of the cells."""
        frames: dict[str, dict[str, FloatArray]] = {name: {} for name in FILLED}
        for column in self.columns:
            frames[column.table][column.name] = column.drawn(values)
        drawn = {
            name: getattr(self.nominal, name).assign(**columns)
            for name, columns in frames.items()
            if columns
        }
        return replace(self.nominal, **drawn)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrafficPatch:
    """Background vehicles on the arcs, linear in the rows of background.csv that draws reach."""

    fixed: FloatArray
    per_vehicle: FloatArray
    cells: IntArray

    @classmethod
    def of(
        cls, network: Network, plain: Supernetwork, n_arcs: int, scenario: str, cells: Cells
    ) -> "TrafficPatch":
        """Return the patch; copies of arcs carry no background."""
        here = np.flatnonzero(np.array(cells.table, dtype=object) == "background")
        frame = network.background

        def on_arcs(rows: pd.DataFrame) -> FloatArray:
            part = with_frames(network, {"background": rows})
            vehicles = background_vehicles(part, plain, scenario)
            return np.append(vehicles, np.zeros(n_arcs - plain.n_arcs))

        rest = frame.drop(index=cells.row[here].tolist())
        unit = frame.assign(vehicles_per_day=1.0)
        each = [on_arcs(unit.iloc[[row]]) for row in cells.row[here]]
        return cls(
            fixed=on_arcs(rest),
            per_vehicle=np.array(each).reshape(here.size, n_arcs),
            cells=here,
        )

    def vehicles(self, values: FloatArray) -> FloatArray:
        """Return background vehicles a day on the arcs at the values of the cells."""
        # By hand: the bits of a product by BLAS may depend on its threads.
        drawn = (values[self.cells, None] * self.per_vehicle).sum(axis=0)
        return np.asarray(self.fixed + drawn, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PostPatch:
    """Posts whose stages stay where they are while their numbers change."""

    nominal: Posts
    rows_met: sparse.csr_array
    is_general: BoolArray
    pool_way: sparse.csr_array
    arc_way: IntArray

    @classmethod
    def of(cls, posts: Posts, net: Supernetwork, stages: pd.DataFrame) -> "PostPatch":
        """Return the patch of the posts of a model."""
        n_rows, n_users = len(stages), posts.pool_users.shape[1]
        pairs: tuple[list[int], list[int]] = ([], [])
        for pool in range(posts.n_pools):
            rows = posts.stage_row[posts.stage_pool == pool]
            users = np.flatnonzero(posts.pool_users[pool])
            for post in posts.member_post[posts.member_pool == pool]:
                for row in rows:
                    pairs[0].extend((int(post) * n_users + users).tolist())
                    pairs[1].extend([int(row)] * users.size)
        met = sparse.csr_array(
            (np.ones(len(pairs[0])), (pairs[0], pairs[1])),
            shape=(posts.arc.size * n_users, n_rows),
        )
        general = (stages["class"] == "all").to_numpy(bool)
        by_pool = np.zeros(posts.n_pools, np.bool_)
        by_pool[posts.stage_pool[general[posts.stage_row]]] = True
        way = (2 * net.arc_crossing + net.arc_a_to_b).astype(np.int64)
        way[net.arc_crossing < 0] = -1
        member = np.flatnonzero(by_pool[posts.member_pool])
        ways = way[posts.arc[posts.member_post[member]]]
        edges = np.unique(np.column_stack((posts.member_pool[member], ways)), axis=0)
        n_ways = int(way.max(initial=-1)) + 1
        return cls(
            nominal=posts,
            rows_met=met,
            is_general=general,
            pool_way=sparse.csr_array(
                (np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(posts.n_pools, n_ways)
            ),
            arc_way=way,
        )

    def posts(self, stages: pd.DataFrame, vehicles: FloatArray) -> Posts:
        """Return the posts with the numbers of a filled stages table and this background."""
        old = self.nominal
        column = {
            name: stages[name].to_numpy(float)
            for name in (
                "fixed_delay_h", "share", "service_min", "fee_usd", "arrival_cv", "service_cv",
            )
        }  # fmt: skip
        service_h = column["service_min"] / MINUTES_PER_HOUR
        servers = stages["servers"].to_numpy(np.int64)[old.stage_row]
        stage_share, stage_h = column["share"][old.stage_row], service_h[old.stage_row]
        with np.errstate(divide="ignore"):
            passes = servers * old.stage_open_h * MAX_UTILIZATION / (stage_share * stage_h)
        tightest = np.lexsort((passes, old.stage_pool))
        first = np.searchsorted(old.stage_pool, np.arange(old.n_pools))
        bottleneck = tightest[first].astype(np.int32)
        on_way = self.arc_way >= 0
        by_way = np.bincount(
            self.arc_way[on_way], vehicles[on_way], minlength=self.pool_way.shape[1]
        )
        return replace(
            old,
            fixed_h=self._total(column["fixed_delay_h"]) + old.opening_wait_h[:, None],
            service_h=self._total(column["share"] * service_h),
            fee_usd=self._total(column["fee_usd"]),
            stage_share=stage_share,
            stage_service_h=stage_h,
            stage_arrival_scv=column["arrival_cv"][old.stage_row] ** 2,
            stage_service_scv=column["service_cv"][old.stage_row] ** 2,
            stage_servers=servers,
            pool_capacity=passes[bottleneck],
            pool_base=np.asarray(self.pool_way @ by_way, dtype=np.float64),
            pool_bottleneck=bottleneck,
        )

    def _total(self, per_row: FloatArray) -> FloatArray:
        """Return the sum over the stages that each user meets at each post."""
        total: FloatArray = (self.rows_met @ per_row).reshape(self.nominal.fixed_h.shape)
        return total


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ServicePatch:
    """Scheduled services on the arcs; see `corridor.planning.services` for the formulas."""

    n_arcs: int
    group: IntArray
    stated_h: FloatArray
    stated_cv: FloatArray
    arc: IntArray
    arc_group: IntArray
    arc_share: FloatArray
    is_main: BoolArray

    @classmethod
    def of(cls, network: Network, services: pd.DataFrame, net: Supernetwork) -> "ServicePatch":
        """Return the patch: which services share a link and direction, and on which arcs."""
        position = {link: i for i, link in enumerate(network.links["link_id"])}
        start = network.links["from_node"].to_numpy(object)
        numbers: dict[tuple[str, str], int] = {}
        ends = zip(services["link_id"], services["from_node"], strict=True)
        group = [numbers.setdefault(pair, len(numbers)) for pair in ends]
        share = net.arc_share
        parts: list[tuple[IntArray, IntArray]] = []
        for (link_id, from_node), number in numbers.items():
            link = position[link_id]
            arcs = np.flatnonzero((net.arc_link == link) & (share > 0.0))
            arcs = arcs[net.arc_forward[arcs] == (start[link] == from_node)]
            parts.append((arcs, np.full(arcs.size, number, dtype=np.int64)))
        none = np.zeros(0, dtype=np.int64)
        arc = np.concatenate([none, *(arcs for arcs, _ in parts)])
        stated = np.array([_timetable(text) for text in services["departures"]]).reshape(-1, 2)
        return cls(
            n_arcs=net.n_arcs,
            group=np.array(group, dtype=np.int64),
            stated_h=stated[:, 0],
            stated_cv=stated[:, 1],
            arc=arc,
            arc_group=np.concatenate([none, *(numbers for _, numbers in parts)]),
            arc_share=share[arc],
            is_main=net.arc_is_main[arc],
        )

    def services(self, table: pd.DataFrame) -> LinkServices:
        """Return the services with the numbers of a filled table.

        Raises
        ------
        InputError
            If all departures of a link and direction are canceled.
        """
        n = int(self.arc_group.max(initial=-1)) + 1
        timed = ~np.isnan(self.stated_h)
        headway = np.where(timed, self.stated_h, table["headway_h"].to_numpy(float))
        cv = np.where(timed, self.stated_cv, table["headway_cv"].to_numpy(float))
        sails = 1.0 - table["cancel_share"].to_numpy(float)
        rate = sails / headway

        def total(values: FloatArray) -> FloatArray:
            return np.bincount(self.group, values, minlength=n).astype(np.float64, copy=False)

        together = total(rate)
        if not (together > 0.0).all():
            msg = "Some departure of each service must sail; all those of a link are canceled."
            raise InputError(msg)
        h = 1.0 / together
        cv2 = total(rate * (sails * cv**2 + 1.0 - sails)) / together
        wait_h = h * (1.0 + cv2) / 2.0
        second_moment = h * h * (1.0 + cv2) * (1.0 + 2.0 * cv2) / 3.0
        sd_h = np.sqrt(np.maximum(second_moment - wait_h**2, 0.0))
        sailing_h = total(rate * table["sailing_h"].to_numpy(float)) / together
        t_per_day = total(rate * table["capacity_t"].to_numpy(float)) * HOURS_PER_DAY
        main = self.arc[self.is_main]
        of_main = self.arc_group[self.is_main]
        wait, sd = np.zeros(self.n_arcs), np.zeros(self.n_arcs)
        sailing, capacity = np.full(self.n_arcs, np.nan), np.full(self.n_arcs, np.inf)
        wait[main], sd[main] = wait_h[of_main], sd_h[of_main]
        capacity[main] = np.where(np.isnan(t_per_day), np.inf, t_per_day)[of_main]
        sailing[self.arc] = sailing_h[self.arc_group] * self.arc_share
        return LinkServices(
            arc_wait_h=wait, arc_wait_sd_h=sd, arc_sailing_h=sailing,
            arc_capacity_t_per_day=capacity,
        )  # fmt: skip


def _timetable(departures: str) -> tuple[float, float]:
    """Return mean headway [h] and its coefficient of variation of a timetable; NaN without one."""
    times = np.array(parse_departures(departures))
    if not times.size:
        return np.nan, np.nan
    gaps = np.diff(np.append(times, times[0] + HOURS_PER_WEEK))
    return float(gaps.mean()), float(gaps.std() / gaps.mean())
