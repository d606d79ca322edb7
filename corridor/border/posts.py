"""Stages of the posts, laid on the post arcs of a supernetwork.

A crossing is a pair of posts, one in each state. Every post has stages (documents, scanner,
inspection, ...) that take time, cost fees and pass only so many vehicles a day. Stages whose
servers see the same vehicles form one *pool*; a pool's capacity is that of its tightest stage.

Time at a post = fixed delay (permits and queues of paper that no server shortens) + share x
(service + queue).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.queues import QueueDelay
from corridor.errors import InputError
from corridor.network import Network
from corridor.network.fills import FilledTables
from corridor.network.hours import open_hours_per_week, parse_hours
from corridor.network.supernetwork import ArcKind, Supernetwork
from corridor.units import HOURS_PER_WEEK, MINUTES_PER_HOUR

IntArray: TypeAlias = NDArray[np.int32]
FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]

MAX_UTILIZATION: Final = 0.95
"""Share of a stage's servers' time that traffic may take, background included (data contract)."""
DAYS_PER_WEEK: Final = 7.0
EMPTY: Final = "empty"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Posts:
    """Every post arc with its stages: structure of arrays.

    The *users* of a post are the commodities, in the order of the commodities table, and last the
    empty vehicles.

    Attributes
    ----------
    arc : ndarray of int32, shape (n_posts,)
        Post arcs of the supernetwork (kinds exit and entry).
    arc_country : ndarray of int32, shape (n_arcs,)
        Jurisdiction of every arc of the supernetwork, with the host of a joint post in place of its
        own state.
    fixed_h, service_h, fee_usd : ndarray of float64, shape (n_posts, n_users)
        Fixed delay [h], expected service over all stages [h], and fees [USD per vehicle].
    stage_row : ndarray of int32, shape (n_stages,)
        Row of the stages table; a template's row appears once per post it serves.
    stage_pool : ndarray of int32, shape (n_stages,)
        Pool whose vehicles the stage sees.
    stage_share, stage_service_h, stage_servers, stage_arrival_scv, stage_service_scv, stage_open_h
    : ndarray of float64
        The stage's numbers, shape (n_stages,); open hours a day.
    pool_arc_indptr, pool_arc : ndarray of int32
        Posts (positions in `arc`) whose vehicles load pool ``p``:
        ``pool_arc[pool_arc_indptr[p]:pool_arc_indptr[p+1]]``.
    pool_users : ndarray of bool, shape (n_pools, n_users)
        Users that load the pool.
    pool_capacity, pool_base : ndarray of float64, shape (n_pools,)
        Vehicles a day that the tightest stage passes at `MAX_UTILIZATION`, and background vehicles
        a day.
    pool_bottleneck : ndarray of int32, shape (n_pools,)
        Stage (position in ``stage_*``) that sets the capacity.
    pool_layer, pool_country : ndarray of int32, shape (n_pools,)
        Layer, and the state whose officers work there (a position in the supernetwork's countries).
    """

    arc: IntArray
    arc_country: IntArray
    fixed_h: FloatArray
    service_h: FloatArray
    fee_usd: FloatArray
    stage_row: IntArray
    stage_pool: IntArray
    stage_share: FloatArray
    stage_service_h: FloatArray
    stage_servers: FloatArray
    stage_arrival_scv: FloatArray
    stage_service_scv: FloatArray
    stage_open_h: FloatArray
    pool_arc_indptr: IntArray
    pool_arc: IntArray
    pool_users: BoolArray
    pool_capacity: FloatArray
    pool_base: FloatArray
    pool_bottleneck: IntArray
    pool_layer: IntArray
    pool_country: IntArray

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        return int(self.pool_capacity.size)

    def queue_delay(self, layer_usd_per_vehicle_h: FloatArray) -> QueueDelay:
        """Return the convex total-delay curve of every pool.

        Parameters
        ----------
        layer_usd_per_vehicle_h : ndarray of float64, shape (n_layers,)
            Value of an hour of one waiting vehicle with its cargo [USD/h].
        """
        return QueueDelay(
            pool=self.stage_pool,
            share=self.stage_share,
            servers=self.stage_servers,
            service_h=self.stage_service_h,
            arrival_scv=self.stage_arrival_scv,
            service_scv=self.stage_service_scv,
            open_h_per_day=self.stage_open_h,
            usd_per_vehicle_h=layer_usd_per_vehicle_h[self.pool_layer[self.stage_pool]],
            base_load=self.pool_base[self.stage_pool],
            n_pools=self.n_pools,
        )

    def wait_h(self, stage_wait_h: FloatArray) -> FloatArray:
        """Return the expected queue at each post by user, from the wait of each stage.

        Parameters
        ----------
        stage_wait_h : ndarray of float64, shape (n_stages,)
            Wait of a vehicle that is sent to the stage [h].

        Returns
        -------
        wait_h : ndarray of float64, shape (n_posts, n_users)
            Wait summed over the stages, weighted with the share sent to each [h].
        """
        pool_wait = np.bincount(
            self.stage_pool, weights=self.stage_share * stage_wait_h, minlength=self.n_pools
        )
        pool = np.repeat(np.arange(self.n_pools), np.diff(self.pool_arc_indptr))
        wait = np.zeros(self.fixed_h.shape)
        np.add.at(wait, self.pool_arc, pool_wait[pool, None] * self.pool_users[pool])
        return wait


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorBreach:
    """A post that inspects less than its own state's floor demands."""

    rule_id: str
    crossing_id: str
    country: str
    direction: str
    stage: str
    share: float
    floor: float


def crossing_regimes(network: Network, ruled: Mapping[str, str]) -> list[str]:
    """Return the regime each crossing is worked under: the rule's where there is one, else the table's."""
    own = network.crossings["regime"]
    return [
        ruled.get(cid, regime)
        for cid, regime in zip(network.crossings["crossing_id"], own, strict=True)
    ]


class _StageTable:
    """Finds the stages of a post: its own rows, else its state's template."""

    def __init__(self, stages: pd.DataFrame) -> None:
        self.direction = stages["direction"].to_numpy(object)
        self.regime = stages["regime"].to_numpy(object)
        self.order = stages["order"].to_numpy(float)
        self.user = stages["class"].to_numpy(object)
        self.own: dict[tuple[str, str], list[int]] = defaultdict(list)
        self.template: dict[tuple[str, str], list[int]] = defaultdict(list)
        columns = (stages["crossing_id"], stages["country"], stages["layer"])
        for row, (crossing, country, layer) in enumerate(zip(*columns, strict=True)):
            if crossing == "*":
                self.template[country, layer].append(row)
            else:
                self.own[crossing, country].append(row)

    def rows(
        self, crossing: str, country: str, layer: str, direction: str, regime: str
    ) -> list[int]:
        """Return the rows of one post in one direction; own rows keep the template out."""
        for rows in (self.own[crossing, country], self.template[country, layer]):
            found = [
                row
                for row in rows
                if self.direction[row] in (direction, "both") and self.regime[row] in ("", regime)
            ]
            if found:
                return found
        return []

    def users(self, rows: list[int], users: list[str]) -> Iterator[tuple[int, BoolArray]]:
        """Yield each row with the users it serves: the most specific row of an order wins."""
        by_order: dict[float, dict[str, int]] = defaultdict(dict)
        for row in rows:
            by_order[self.order[row]][self.user[row]] = row
        for classes in by_order.values():
            named = set(classes) - {"all"}
            for name, row in classes.items():
                serves = np.array(
                    [(u == name) if name != "all" else (u not in named) for u in users]
                )
                yield row, serves


def compile_posts(
    network: Network,
    filled: FilledTables,
    supernetwork: Supernetwork,
    regimes: list[str],
    scenario: str = "",
) -> Posts:
    """Lay the stages of every crossing on the supernetwork's post arcs.

    Parameters
    ----------
    network
        The network.
    filled
        Its tables with the blanks filled.
    supernetwork
        The supernetwork of the same network.
    regimes
        Regime of each crossing, see `crossing_regimes`.
    scenario
        Background rows of another scenario are left out.

    Raises
    ------
    InputError
        If an open post has no stages under its regime, or its stages name several hosts.
    """
    stages = filled.stages
    users = [*network.commodities["commodity_id"], EMPTY]
    table = _StageTable(stages)
    crossings = network.crossings
    crossing_id = crossings["crossing_id"].to_numpy(object)
    background = _background(network, scenario)
    hours = [open_hours_per_week(text) / DAYS_PER_WEEK for text in crossings["opening_hours"]]
    closed_wait = [_wait_until_open_h(text) for text in crossings["opening_hours"]]

    arc = np.flatnonzero(supernetwork.is_kind(ArcKind.EXIT, ArcKind.ENTRY)).astype(np.int32)
    arc_country = supernetwork.arc_country.copy()
    shape = (arc.size, len(users))
    fixed_h, service_h, fee_usd = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    numbers = {
        name: stages[name].to_numpy(float)
        for name in (
            "servers",
            "service_min",
            "share",
            "service_cv",
            "arrival_cv",
            "fee_usd",
            "fixed_delay_h",
        )
    }
    hosts = stages["host"].to_numpy(object)
    pools: dict[tuple[int, str, str, bytes], _Pool] = {}
    bare: list[str] = []
    for post, a in enumerate(arc):
        x = int(supernetwork.arc_crossing[a])
        country = supernetwork.countries[supernetwork.arc_country[a]]
        layer = int(supernetwork.arc_layer[a])
        direction = "out" if supernetwork.arc_kind[a] == ArcKind.EXIT else "in"
        rows = table.rows(
            crossing_id[x], country, supernetwork.layers[layer], direction, regimes[x]
        )
        if not rows:
            if supernetwork.arc_open[a]:
                bare.append(f"{crossing_id[x]}/{country}/{direction} under {regimes[x]!r}")
            continue
        _set_host(
            arc_country, int(a), {hosts[row] for row in rows}, supernetwork, str(crossing_id[x])
        )
        fixed_h[post] += closed_wait[x]
        for row, serves in table.users(rows, users):
            fixed_h[post, serves] += numbers["fixed_delay_h"][row]
            service_h[post, serves] += (
                numbers["share"][row] * numbers["service_min"][row] / MINUTES_PER_HOUR
            )
            fee_usd[post, serves] += numbers["fee_usd"][row]
            shared = "both" if table.direction[row] == "both" else direction
            pool = pools.setdefault(
                (x, country, shared, serves.tobytes()),
                _Pool(crossing=x, country=country, layer=layer, users=serves),
            )
            pool.add(post, direction, row, general=table.user[row] == "all")
    if bare:
        msg = (
            f"Every open post must have stages; {len(bare)} have none: {'; '.join(bare[:5])}. Add rows to "
            "stages.csv for the crossing, or a template (crossing_id '*') for the state and layer."
        )
        raise InputError(msg)
    found = list(pools.values())
    base = [_base_load(pool, crossings, background) for pool in found]
    return Posts(
        arc=arc,
        arc_country=arc_country,
        fixed_h=fixed_h,
        service_h=service_h,
        fee_usd=fee_usd,
        **_pool_columns(found, numbers, base, hours, supernetwork.countries),
    )


def _wait_until_open_h(text: str) -> float:
    """Return how long one who arrives at a random hour of the week waits for the post to open [h].

    Formula: sum of (closed spell)^2 / (2 x 168 h).
    """
    spans = np.array([tuple(span) for span in parse_hours(text)], dtype=float).reshape(-1, 2)
    closed = np.append(spans[1:, 0], spans[:1, 0] + HOURS_PER_WEEK) - spans[:, 1]
    return float((closed**2).sum() / (2.0 * HOURS_PER_WEEK))


class _Pool:
    """One set of vehicles and the stages that see exactly them."""

    def __init__(self, *, crossing: int, country: str, layer: int, users: BoolArray) -> None:
        self.crossing, self.country, self.layer, self.users = crossing, country, layer, users
        self.posts: list[int] = []
        self.directions: set[str] = set()
        self.rows: list[int] = []
        self.general = False

    def add(self, post: int, direction: str, row: int, *, general: bool) -> None:
        """Note that the row's servers see the vehicles of a post arc."""
        self.general = self.general or general
        if post not in self.posts:
            self.posts.append(post)
        self.directions.add(direction)
        if row not in self.rows:
            self.rows.append(row)


def _set_host(
    arc_country: IntArray, arc: int, hosts: set[str], supernetwork: Supernetwork, crossing: str
) -> None:
    """Give a post arc the jurisdiction of the state on whose soil its stages are worked."""
    named = sorted(hosts - {""})
    if not named:
        return
    if len(hosts) > 1 or named[0] not in supernetwork.countries:
        msg = (
            f"All stages of a post must have one host, a state of the network; crossing {crossing} has "
            f"{sorted(hosts)}. Correct the host column of stages.csv."
        )
        raise InputError(msg)
    arc_country[arc] = supernetwork.countries.index(named[0])


def _background(network: Network, scenario: str) -> dict[tuple[str, bool], float]:
    """Return background vehicles a day by (crossing_id, along country_a -> country_b)."""
    rows = network.background
    link_crossing = dict(zip(network.links["link_id"], network.links["crossing_id"], strict=True))
    total: dict[tuple[str, bool], float] = defaultdict(float)
    columns = (rows["target"], rows["direction"], rows["vehicles_per_day"], rows["scenario"])
    for target, direction, vehicles, of_scenario in zip(*columns, strict=True):
        if of_scenario in ("", scenario):
            ways = (True, False) if direction == "both" else (direction == "forward",)
            for way in ways:
                total[link_crossing.get(target) or target, way] += float(vehicles) / len(ways)
    return total


def _base_load(
    pool: _Pool, crossings: pd.DataFrame, background: Mapping[tuple[str, bool], float]
) -> float:
    """Return the background vehicles a day that load a pool; they follow the rows of class ``all``."""
    if not pool.general:
        return 0.0
    crossing_id = crossings["crossing_id"].iloc[pool.crossing]
    is_a = crossings["country_a"].iloc[pool.crossing] == pool.country
    return sum(
        background.get((crossing_id, is_a == (way == "out")), 0.0) for way in pool.directions
    )


def _pool_columns(
    pools: list[_Pool],
    numbers: Mapping[str, FloatArray],
    base: list[float],
    hours: list[float],
    countries: tuple[str, ...],
) -> dict[str, NDArray[np.generic]]:
    """Return the stage and pool arrays of `Posts`."""
    row = np.array([row for pool in pools for row in pool.rows], dtype=np.int32)
    stage_pool = np.repeat(np.arange(len(pools)), [len(pool.rows) for pool in pools]).astype(
        np.int32
    )
    open_h = np.array([hours[pool.crossing] for pool in pools])[stage_pool]
    share, service_h = numbers["share"][row], numbers["service_min"][row] / MINUTES_PER_HOUR
    with np.errstate(divide="ignore"):
        passes = numbers["servers"][row] * open_h * MAX_UTILIZATION / (share * service_h)
    # The first of the tightest stages of each pool: sort by pool, then by what the stage passes.
    order = np.lexsort((passes, stage_pool))
    first = np.searchsorted(stage_pool, np.arange(len(pools)))
    bottleneck = order[first].astype(np.int32)
    sizes = [len(pool.posts) for pool in pools]
    return {
        "stage_row": row,
        "stage_pool": stage_pool,
        "stage_share": share,
        "stage_service_h": service_h,
        "stage_servers": numbers["servers"][row],
        "stage_arrival_scv": numbers["arrival_cv"][row] ** 2,
        "stage_service_scv": numbers["service_cv"][row] ** 2,
        "stage_open_h": open_h,
        "pool_arc_indptr": np.concatenate(([0], np.cumsum(sizes))).astype(np.int32),
        "pool_arc": np.array([post for pool in pools for post in pool.posts], dtype=np.int32),
        "pool_users": np.array([pool.users for pool in pools]),
        "pool_capacity": passes[bottleneck],
        "pool_base": np.array(base),
        "pool_bottleneck": bottleneck,
        "pool_layer": np.array([pool.layer for pool in pools], dtype=np.int32),
        "pool_country": np.array([countries.index(pool.country) for pool in pools], dtype=np.int32),
    }


def floor_breaches(
    posts: Posts,
    network: Network,
    filled: FilledTables,
    supernetwork: Supernetwork,
    floors: pd.DataFrame,
) -> list[FloorBreach]:
    """Return every open post that inspects less than a floor of its own state.

    Parameters
    ----------
    floors
        Columns ``rule_id``, ``country``, ``stage``, ``share`` and ``layers`` (a tuple, empty =
        every layer).
    """
    stage_name = filled.stages["stage"].to_numpy(object)[posts.stage_row]
    pool_of = np.repeat(np.arange(posts.n_pools), np.diff(posts.pool_arc_indptr))
    breaches = []
    for floor in floors.itertuples():
        share = np.zeros((posts.n_pools, posts.pool_users.shape[1]))
        named = stage_name == floor.stage
        np.add.at(share, posts.stage_pool[named], posts.stage_share[named, None])
        at_post = np.zeros(posts.fixed_h.shape)
        np.add.at(at_post, posts.pool_arc, share[pool_of] * posts.pool_users[pool_of])
        for post, a in enumerate(posts.arc):
            own = supernetwork.countries[supernetwork.arc_country[a]] == floor.country
            layer = supernetwork.layers[supernetwork.arc_layer[a]]
            # Empty vehicles are not goods: the floor speaks of loaded ones.
            inspected = float(at_post[post, :-1].min())
            in_force = (
                own and supernetwork.arc_open[a] and (not floor.layers or layer in floor.layers)
            )
            if in_force and inspected < floor.share:
                direction = "out" if supernetwork.arc_kind[a] == ArcKind.EXIT else "in"
                breaches.append(
                    FloorBreach(
                        rule_id=floor.rule_id,
                        crossing_id=network.crossings["crossing_id"].iloc[
                            supernetwork.arc_crossing[a]
                        ],
                        country=floor.country,
                        direction=direction,
                        stage=floor.stage,
                        share=inspected,
                        floor=floor.share,
                    )
                )
    return breaches
