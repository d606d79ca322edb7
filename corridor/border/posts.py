"""Stages of the posts, laid on the post arcs of a supernetwork.

A crossing is a pair of posts, one in each state. Every post has stages (documents, scanner,
inspection, ...) that take time, cost fees and pass only so many vehicles a day. Stages whose
servers see the same vehicles form one *pool*; a pool's capacity is that of its tightest stage.

Time at a post = fixed delay (permits and queues of paper that no server shortens)
+ share x (service + queue).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border.stages import EMPTY, Post, StageBook
from corridor.core.queues import QueueDelay
from corridor.errors import InputError
from corridor.network import Network
from corridor.network.fills import FilledTables
from corridor.network.hours import parse_hours
from corridor.network.supernetwork import ArcKind, Supernetwork
from corridor.units import HOURS_PER_WEEK, MINUTES_PER_HOUR

IntArray: TypeAlias = NDArray[np.int32]
FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]

MAX_UTILIZATION: Final = 0.95
"""Share of a stage's servers' time that traffic may take, background included (data contract)."""
DAYS_PER_WEEK: Final = 7.0


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
        Fixed delay with the mean wait for the post to open [h], expected service over all stages
        [h], and fees [USD per vehicle].
    opening_wait_h : ndarray of float64, shape (n_posts,)
        That mean wait, for one who arrives at a random hour [h].
    stage_row : ndarray of int32, shape (n_stages,)
        Row of the stages table; a template's row appears once per pool it serves.
    stage_pool : ndarray of int32, shape (n_stages,)
        Pool whose vehicles the stage sees; sorted.
    stage_share, stage_service_h, stage_arrival_scv, stage_service_scv, stage_open_h : ndarray
        The stage's numbers, float64, shape (n_stages,); open hours a day.
    stage_servers : ndarray of int64, shape (n_stages,)
        Servers.
    member_pool, member_post : ndarray of int32, shape (n_members,)
        Each post (position in `arc`) whose vehicles load a pool.
    pool_users : ndarray of bool, shape (n_pools, n_users)
        Users that load the pool.
    pool_capacity, pool_base : ndarray of float64, shape (n_pools,)
        Vehicles a day that the tightest stage passes at `MAX_UTILIZATION`, and background vehicles
        a day.
    pool_bottleneck : ndarray of int32, shape (n_pools,)
        Stage (position in ``stage_*``) that sets the capacity.
    pool_crossing, pool_layer, pool_country : ndarray of int32, shape (n_pools,)
        Crossing, layer, and the state whose officers work there (a position in the supernetwork's
        countries).
    """

    arc: IntArray
    arc_country: IntArray
    fixed_h: FloatArray
    opening_wait_h: FloatArray
    service_h: FloatArray
    fee_usd: FloatArray
    stage_row: IntArray
    stage_pool: IntArray
    stage_share: FloatArray
    stage_service_h: FloatArray
    stage_arrival_scv: FloatArray
    stage_service_scv: FloatArray
    stage_open_h: FloatArray
    stage_servers: NDArray[np.int64]
    member_pool: IntArray
    member_post: IntArray
    pool_users: BoolArray
    pool_capacity: FloatArray
    pool_base: FloatArray
    pool_bottleneck: IntArray
    pool_crossing: IntArray
    pool_layer: IntArray
    pool_country: IntArray

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        return int(self.pool_capacity.size)

    def capacity(self, servers: NDArray[np.integer]) -> FloatArray:
        """Return what the tightest stage of every pool passes a day with these servers [vehicles].

        Formula: min over stages of servers x open hours x max utilization / (share x service time).

        Parameters
        ----------
        servers : ndarray of int, shape (n_stages,)
            Servers of every stage.
        """
        passes = _stage_capacity(servers, self.stage_open_h, self.stage_share, self.stage_service_h)
        capacity = np.full(self.n_pools, np.inf)
        np.minimum.at(capacity, self.stage_pool, passes)
        return capacity

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
        wait = np.zeros(self.fixed_h.shape)
        per_user = pool_wait[self.member_pool, None] * self.pool_users[self.member_pool]
        np.add.at(wait, self.member_post, per_user)
        return wait


def crossing_regimes(network: Network, ruled: Mapping[str, str]) -> list[str]:
    """Return the regime of each crossing: the rule's where there is one, else the table's."""
    crossings = network.crossings
    own = zip(crossings["crossing_id"], crossings["regime"], strict=True)
    return [ruled.get(crossing_id, regime) for crossing_id, regime in own]


def compile_posts(
    network: Network,
    filled: FilledTables,
    supernetwork: Supernetwork,
    regimes: list[str],
    vehicles: FloatArray,
    skips: Sequence[frozenset[str]] | None = None,
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
    vehicles : ndarray of float64, shape (n_arcs,)
        Background vehicles a day on the main arcs, see `background_vehicles`.
    skips : sequence of frozenset of str, length n_arcs, optional
        Stages that goods on each arc skip because they are under seal; None is none.

    Raises
    ------
    InputError
        If an open post has no stages under its regime, the stages of a post name several hosts, a
        batch is not 1, or a crossing never opens.
    """
    stages = filled.stages
    _check_stage_table(stages)
    arcs = np.flatnonzero(supernetwork.is_kind(ArcKind.EXIT, ArcKind.ENTRY)).astype(np.int32)
    posts = _posts(network, supernetwork, arcs, regimes, skips)
    users = [*network.commodities["commodity_id"], EMPTY]
    work = _assign_stages(StageBook(stages, users), posts, supernetwork.arc_open[arcs])
    pool = _pool_of_work(work, posts, stages["direction"].tolist())
    member_pool, member_post = _distinct_pairs(pool, work.post)
    stage_pool, stage_row = _distinct_pairs(pool, work.row)
    _, first = np.unique(pool, return_index=True)
    first_arc = arcs[work.post[first]]
    crossing = supernetwork.arc_crossing[first_arc]
    open_h = _open_h_per_day(network)[crossing][stage_pool]
    share, service_h = (_column(stages, name)[stage_row] for name in ("share", "service_min"))
    service_h = service_h / MINUTES_PER_HOUR
    servers = stages["servers"].to_numpy(np.int64)[stage_row]
    passes = _stage_capacity(servers, open_h, share, service_h)
    bottleneck = _tightest_stages(stage_pool, passes, first.size)
    is_general = (stages["class"] == "all").to_numpy(bool)[work.row]
    base = _base_load(vehicles, pool, is_general, supernetwork, arcs[work.post])
    fixed_h = work.total(_column(stages, "fixed_delay_h"), arcs.size)
    opening_wait_h = _wait_for_opening_h(network, supernetwork, arcs)
    return Posts(
        arc=arcs,
        arc_country=_jurisdictions(supernetwork, arcs, work, stages["host"].tolist()),
        fixed_h=fixed_h + opening_wait_h[:, None],
        opening_wait_h=opening_wait_h,
        service_h=work.total(
            _column(stages, "share") * _column(stages, "service_min") / MINUTES_PER_HOUR, arcs.size
        ),
        fee_usd=work.total(_column(stages, "fee_usd"), arcs.size),
        stage_row=stage_row,
        stage_pool=stage_pool,
        stage_share=share,
        stage_service_h=service_h,
        stage_arrival_scv=_column(stages, "arrival_cv")[stage_row] ** 2,
        stage_service_scv=_column(stages, "service_cv")[stage_row] ** 2,
        stage_open_h=open_h,
        stage_servers=servers,
        member_pool=member_pool,
        member_post=member_post,
        pool_users=work.users[first],
        pool_capacity=passes[bottleneck],
        pool_base=base,
        pool_bottleneck=bottleneck,
        pool_crossing=crossing,
        pool_layer=supernetwork.arc_layer[first_arc],
        pool_country=supernetwork.arc_country[first_arc],
    )


def _tightest_stages(stage_pool: IntArray, passes: FloatArray, n_pools: int) -> IntArray:
    """Return the first of the tightest stages of each pool."""
    # Sorted by pool, then by what the stage passes.
    tightest = np.lexsort((passes, stage_pool))
    return tightest[np.searchsorted(stage_pool, np.arange(n_pools))].astype(np.int32)


def _column(table: pd.DataFrame, name: str) -> FloatArray:
    return table[name].to_numpy(float)


def _stage_capacity(
    servers: NDArray[np.integer], open_h: FloatArray, share: FloatArray, service_h: FloatArray
) -> FloatArray:
    """Return the vehicles of its pool that each stage lets pass a day."""
    with np.errstate(divide="ignore"):
        passes: FloatArray = servers * open_h * MAX_UTILIZATION / (share * service_h)
    return passes


def _check_stage_table(stages: pd.DataFrame) -> None:
    """Refuse what this version would have to ignore."""
    batched = np.flatnonzero(_column(stages, "batch") != 1.0)
    if batched.size:
        msg = (
            f"batch must be 1: this version has no queues of batches; {batched.size} rows of "
            f"stages.csv differ, the first is row {batched[0]} (0-based). Leave batch blank."
        )
        raise InputError(msg)


def _posts(
    network: Network,
    net: Supernetwork,
    arcs: IntArray,
    regimes: list[str],
    skips: Sequence[frozenset[str]] | None,
) -> list[Post]:
    crossing_id = network.crossings["crossing_id"].tolist()
    columns = (
        net.arc_crossing[arcs].tolist(),
        net.arc_country[arcs].tolist(),
        net.arc_layer[arcs].tolist(),
        (net.arc_kind[arcs] == ArcKind.EXIT).tolist(),
        [frozenset[str]()] * arcs.size if skips is None else [skips[arc] for arc in arcs],
    )
    return [
        Post(
            crossing_id=crossing_id[crossing],
            country=net.countries[country],
            layer=net.layers[layer],
            direction="out" if is_exit else "in",
            regime=regimes[crossing],
            skip=skip,
        )
        for crossing, country, layer, is_exit, skip in zip(*columns, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Work:
    """One entry per post and row of the stages table that is worked there, and for which users."""

    post: IntArray
    row: IntArray
    users: BoolArray

    def total(self, per_row: FloatArray, n_posts: int) -> FloatArray:
        """Return the sum of a column over the stages that a user meets, (n_posts, n_users)."""
        total = np.zeros((n_posts, self.users.shape[1]))
        np.add.at(total, self.post, per_row[self.row, None] * self.users)
        return total


def _assign_stages(book: StageBook, posts: list[Post], is_open: BoolArray) -> _Work:
    """Return which stages are worked at which post; an open post must have some."""
    bare: list[str] = []
    post_of: list[int] = []
    rows: list[int] = []
    users: list[BoolArray] = []
    for position, post in enumerate(posts):
        found = book.stages(post)
        if is_open[position] and not found and not post.skip:
            bare.append(str(post))
        for row, serves in found:
            post_of.append(position)
            rows.append(row)
            users.append(serves)
    if bare:
        msg = (
            f"Every open post must have stages; {len(bare)} have none: {'; '.join(bare[:5])}. Add "
            "rows to stages.csv for the crossing, or a template (crossing_id '*') for the state "
            "and layer."
        )
        raise InputError(msg)
    served = np.array(users, dtype=np.bool_).reshape(len(rows), book.n_users)
    return _Work(post=np.array(post_of, np.int32), row=np.array(rows, np.int32), users=served)


def _pool_of_work(work: _Work, posts: list[Post], directions: list[str]) -> IntArray:
    """Return the pool of each entry: stages of a post that see the same vehicles share one.

    Servers of direction ``both`` see the vehicles of both directions. Two stages see the same
    vehicles if they also see the same goods under seal.
    """
    under_seal = _seen_under_seal(work, posts, directions)
    numbers: dict[tuple[str, str, str, bytes, frozenset[_Seal]], int] = {}
    pool = np.zeros(work.post.size, np.int32)
    for entry, (position, row) in enumerate(zip(work.post, work.row, strict=True)):
        post = posts[position]
        place = post.crossing_id, post.country, _side(post, directions[row])
        sealed = frozenset(under_seal.get((*place, int(row)), ()))
        key = (*place, work.users[entry].tobytes(), sealed)
        pool[entry] = numbers.setdefault(key, len(numbers))
    return pool


_Seal: TypeAlias = tuple[str, frozenset[str]]
"""Direction of a post, and the stages that goods under seal skip there."""


def _side(post: Post, direction: str) -> str:
    return "both" if direction == "both" else post.direction


def _seen_under_seal(
    work: _Work, posts: list[Post], directions: list[str]
) -> dict[tuple[str, str, str, int], set[_Seal]]:
    """Return which goods under seal each stage of a place sees."""
    seen: dict[tuple[str, str, str, int], set[_Seal]] = defaultdict(set)
    for position, row in zip(work.post, work.row, strict=True):
        post = posts[position]
        if post.skip:
            key = (post.crossing_id, post.country, _side(post, directions[row]), int(row))
            seen[key].add((post.direction, post.skip))
    return seen


def _distinct_pairs(first: IntArray, second: IntArray) -> tuple[IntArray, IntArray]:
    """Return the distinct pairs of two columns, sorted."""
    pairs = np.unique(np.column_stack((first, second)), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _jurisdictions(
    net: Supernetwork, arcs: IntArray, work: _Work, hosts: Sequence[str]
) -> IntArray:
    """Return the jurisdiction of every arc: a post's is the state whose soil it is worked on."""
    host_of: dict[int, set[str]] = defaultdict(set)
    for position, row in zip(work.post, work.row, strict=True):
        host_of[int(position)].add(hosts[row])
    code = {state: i for i, state in enumerate(net.countries)}
    countries = net.arc_country.copy()
    for position, names in host_of.items():
        name = min(names)
        if len(names) > 1 or name not in code:
            country = net.countries[net.arc_country[arcs[position]]]
            msg = (
                f"All stages of a post must have one host, a state of the network; a post of "
                f"{country} has {sorted(names)}. Correct the host column of stages.csv."
            )
            raise InputError(msg)
        countries[arcs[position]] = code[name]
    countries.flags.writeable = False
    return countries


def _open_h_per_day(network: Network) -> FloatArray:
    """Return how long each crossing is open, a mean over the week [h/day]."""
    hours = {text: _week(text) for text in set(network.crossings["opening_hours"])}
    per_week = [
        float((hours[text][:, 1] - hours[text][:, 0]).sum())
        for text in network.crossings["opening_hours"]
    ]
    return np.array(per_week) / DAYS_PER_WEEK


def _week(text: str) -> FloatArray:
    """Return the open spells of the week as rows (start, end) [h]."""
    return np.array(parse_hours(text), dtype=float).reshape(-1, 2)


def _wait_for_opening_h(network: Network, net: Supernetwork, arcs: IntArray) -> FloatArray:
    """Return how long one who arrives at a random hour waits at each post for it to open [h].

    Formula: sum of (closed spell)^2 / (2 x 168 h). Both posts of a land border keep the crossing's
    hours, so only the first one met makes a vehicle wait; a ship reaches the second at any hour.
    """
    by_text = {
        text: _closed_wait_h(_week(text)) for text in set(network.crossings["opening_hours"])
    }
    waits = np.array([by_text[text] for text in network.crossings["opening_hours"]])
    at_sea = (network.layers["mode"] == "sea").to_numpy(bool)[net.arc_layer[arcs]]
    is_first = (net.arc_kind[arcs] == ArcKind.EXIT) | at_sea
    return np.where(is_first, waits[net.arc_crossing[arcs]], 0.0)


def _closed_wait_h(spells: FloatArray) -> float:
    next_start = np.append(spells[1:, 0], spells[:1, 0] + HOURS_PER_WEEK)
    closed = next_start - spells[:, 1]
    return float((closed**2).sum() / (2.0 * HOURS_PER_WEEK))


def _base_load(
    vehicles: FloatArray,
    pool: IntArray,
    is_general: BoolArray,
    net: Supernetwork,
    arcs: IntArray,
) -> FloatArray:
    """Return the background of each pool; it goes where rows of class ``all`` send it.

    Parameters
    ----------
    vehicles : ndarray of float64, shape (n_arcs,)
        Background vehicles a day on the main arc of each link and direction.
    pool, is_general, arcs : ndarray, shape (n_entries,)
        Pool of each stage at a post, whether its row is of class ``all``, and the post's arc.
    """
    way = (2 * net.arc_crossing + net.arc_a_to_b).astype(np.int32)
    bordering = net.arc_crossing >= 0
    by_way = np.bincount(way[bordering], weights=vehicles[bordering])
    of_pool, ways = _distinct_pairs(pool[is_general], way[arcs[is_general]])
    n_pools = int(pool.max(initial=-1)) + 1
    base = np.bincount(of_pool, weights=by_way[ways], minlength=n_pools)
    return np.asarray(base, dtype=np.float64)
