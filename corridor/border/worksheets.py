"""One crossing under one regime and its traffic: what every stage and both posts of each way do.

A *way* is a direction over the crossing: 0 leads from ``country_b`` to ``country_a``, 1 from
``country_a`` to ``country_b``. Each way has two *ends*: 0 is the exit post, 1 the entry post.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border.posts import Posts
from corridor.core.queues import Tandem, mean_wait, wait_tail
from corridor.network.fills import FilledTables
from corridor.network.supernetwork import ArcKind, Supernetwork
from corridor.units import MINUTES_PER_HOUR

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

STAGE_KEY: Final = ("crossing_id", "country", "direction", "regime", "order", "class")
"""Columns that name a stage where it is worked; a template's row is worked at many crossings."""
N_WAYS: Final = 2
EXIT: Final = 0
ENTRY: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traffic:
    """What passes a crossing in a day.

    Attributes
    ----------
    vehicles : ndarray of float64, shape (2, n_users)
        Vehicles of the flow by way and user of the posts: commodities, and last the empty ones.
    background : ndarray of float64, shape (2,)
        Vehicles that are not rerouted.
    """

    vehicles: FloatArray
    background: FloatArray

    @property
    def total(self) -> FloatArray:
        """Vehicles a day by way, shape (2,)."""
        return np.asarray(self.vehicles.sum(axis=1) + self.background)

    @property
    def mix(self) -> FloatArray:
        """Share of each commodity in the loaded vehicles of each way; all alike where none is.

        Shape (2, n_users); empty vehicles have 0.
        """
        loaded = self.vehicles.copy()
        loaded[:, -1] = 0.0
        loaded[loaded.sum(axis=1) <= 0.0, :-1] = 1.0
        mix: FloatArray = loaded / loaded.sum(axis=1, keepdims=True)
        return mix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Worksheet:
    """The stages of a crossing with their load, and the posts of both ways.

    Attributes
    ----------
    stages
        One row a stage and pool: see `stage_frame`, with ``is_tightest`` (sets the pool's
        capacity). The arrays below have its rows.
    load : ndarray of float64, shape (n_stages, 2)
        Vehicles a day of each way that the stage chooses from, background included.
    base : ndarray of float64, shape (n_stages, 2)
        Background of it.
    serves : ndarray of float64, shape (n_stages, 2, 2)
        Part of the loaded vehicles of each way and end that the stage chooses from; 0 where it is
        not worked there.
    fixed_h, opening_wait_h, service_h, fee_usd : ndarray of float64, shape (2, 2)
        Means over the loaded vehicles by way and end, as in `Posts`.
    pool : ndarray of int64, shape (n_stages,)
        Stages of one pool see the same vehicles.
    """

    stages: pd.DataFrame
    load: FloatArray
    base: FloatArray
    serves: FloatArray
    fixed_h: FloatArray
    opening_wait_h: FloatArray
    service_h: FloatArray
    fee_usd: FloatArray
    pool: IntArray

    def column(self, name: str) -> FloatArray:
        """Return a number of the stages."""
        return self.stages[name].to_numpy(float)

    @property
    def service_time_h(self) -> FloatArray:
        """Mean service time of each stage [h]."""
        return self.column("service_min") / MINUTES_PER_HOUR

    @property
    def arrivals_per_day(self) -> FloatArray:
        """Vehicles a day sent to each stage."""
        return np.asarray(self.load.sum(axis=1) * self.column("share"))

    @property
    def rate(self) -> FloatArray:
        """Vehicles an open hour sent to each stage."""
        return self.arrivals_per_day / self.column("open_h_per_day")

    @property
    def utilization(self) -> FloatArray:
        """Share of the servers' open time that their vehicles take; 1 and more is overload."""
        return self.rate * self.service_time_h / self.column("servers")

    @property
    def wait_h(self) -> FloatArray:
        """Mean wait of a vehicle that is sent to each stage [h]; inf where overloaded."""
        return self.wait_with(self.column("servers"))

    def wait_with(self, servers: FloatArray) -> FloatArray:
        """Return the mean wait of each stage with other servers [h]."""
        return np.asarray(
            mean_wait(
                self.rate, self.service_time_h, servers,
                self.column("arrival_scv"), self.column("service_scv"),
            )
        )  # fmt: skip

    def wait_tail(self, hours: float) -> FloatArray:
        """Return the probability that a vehicle sent to each stage waits longer than so long."""
        return np.asarray(
            wait_tail(
                hours, self.rate, self.service_time_h, self.column("servers"),
                self.column("arrival_scv"), self.column("service_scv"),
            )
        )  # fmt: skip

    def visits(self, way: int, end: int) -> FloatArray:
        """Return the share of a post's loaded vehicles that is sent to each stage, (n_stages,)."""
        return np.asarray(self.serves[:, way, end] * self.column("share"))

    def post_wait_h(self, stage_wait_h: FloatArray) -> FloatArray:
        """Return the mean queue of a loaded vehicle by way and end [h], shape (2, 2)."""
        visits = self.serves * self.column("share")[:, None, None]
        waits = np.where(visits > 0.0, stage_wait_h[:, None, None], 0.0)
        return np.asarray((visits * waits).sum(axis=0))

    def time_quantile_h(self, probability: float) -> FloatArray:
        """Return the time at each post that a share of the vehicles do not exceed, (2, 2) [h].

        The fixed delay, with the mean wait for the opening, is a constant here; service and queue
        are those of independent stages, see `Tandem.sojourn_quantile`.
        """
        found = np.zeros((N_WAYS, 2))
        for way in range(N_WAYS):
            for end in (EXIT, ENTRY):
                at = np.flatnonzero(self.serves[:, way, end] > 0.0)
                found[way, end] = self.fixed_h[way, end]
                if at.size:
                    quantile = self._tandem(at, way, end).sojourn_quantile(probability)
                    found[way, end] += float(quantile[0])
        return found

    def _tandem(self, at: IntArray, way: int, end: int) -> Tandem:
        wait = self.wait_h[at]
        return Tandem(
            visit=self.visits(way, end)[at, None],
            stage_rate=self.rate[at],
            stage_utilization=self.utilization[at],
            stage_service=self.service_time_h[at],
            stage_service_scv=self.column("service_scv")[at],
            stage_wait=wait,
            stage_wait_slope=np.zeros_like(wait),
            stage_wait_probability=self.wait_tail(0.0)[at],
            is_escalating=False,
        )

    def tightest(self, way: int) -> int:
        """Return the most utilized stage of both posts of a way, -1 if there is none."""
        used = np.where(self.serves[:, way].max(axis=1) > 0.0, self.utilization, -1.0)
        return int(used.argmax()) if used.size and used.max() >= 0.0 else -1

    def capacity_per_day(self, way: int, max_utilization: float) -> float:
        """Return how many vehicles a day can take a way, the other way's traffic as it is.

        Formula: least over the stages of (servers x open hours x max_utilization / (service x
        share) - vehicles of the other way), over the part of the way's vehicles that come there.
        """
        share, service = self.column("share"), self.service_time_h
        with np.errstate(divide="ignore"):
            passes = self.column("servers") * self.column("open_h_per_day") * max_utilization
            passes = passes / (share * service) - self.load[:, 1 - way]
        at = self.serves[:, way].max(axis=1)
        used = at > 0.0
        return float(np.maximum(passes[used] / at[used], 0.0).min(initial=np.inf))

    def reason(self, way: int, end: int) -> str:
        """Say why a post's steady wait is infinite; empty where it is not."""
        over = (self.serves[:, way, end] > 0.0) & (self.utilization >= 1.0)
        said = []
        for row in np.flatnonzero(over):
            needed = self.utilization[row] * self.column("servers")[row]
            said.append(
                f"{self.stages['stage'].iloc[row]}: {self.arrivals_per_day[row]:.0f} vehicles a "
                f"day need {needed:.1f} servers, {self.stages['servers'].iloc[row]} are there"
            )
        return "; ".join(said)


def stage_frame(
    posts: Posts, filled: FilledTables, net: Supernetwork, crossing_id: NDArray[np.object_]
) -> pd.DataFrame:
    """Return one row per stage and place where it is worked, in the order of ``posts.stage_*``.

    Parameters
    ----------
    posts, filled, net
        Compiled posts and what they were compiled from.
    crossing_id : ndarray of object (str)
        The ids of the crossings.

    Returns
    -------
    DataFrame
        `STAGE_KEY`, ``stage, host`` and the numbers of the stage: ``servers, service_min, share,
        service_scv, arrival_scv, open_h_per_day``; ``direction`` is ``both`` where one pool of
        servers serves both, and ``regime`` is blank where the row is worked under every regime.
        ``row`` is the row of the stages table, ``fixed_delay_h`` what it adds to the post.
    """
    rows = filled.stages.iloc[posts.stage_row]
    pool = posts.stage_pool
    return pd.DataFrame(
        {
            "crossing_id": crossing_id[posts.pool_crossing[pool]],
            "country": np.array(net.countries, dtype=object)[posts.pool_country[pool]],
            **{name: rows[name].to_numpy(object) for name in ("direction", "regime")},
            "order": rows["order"].to_numpy(float),
            **{name: rows[name].to_numpy(object) for name in ("class", "stage", "host")},
            "servers": posts.stage_servers,
            "service_min": rows["service_min"].to_numpy(float),
            "share": posts.stage_share,
            "service_scv": posts.stage_service_scv,
            "arrival_scv": posts.stage_arrival_scv,
            "open_h_per_day": posts.stage_open_h,
            "fixed_delay_h": rows["fixed_delay_h"].to_numpy(float),
            "row": posts.stage_row,
        }
    )


def fill_worksheet(
    posts: Posts,
    filled: FilledTables,
    net: Supernetwork,
    crossing_id: NDArray[np.object_],
    crossing: int,
    traffic: Traffic,
) -> Worksheet:
    """Return the worksheet of one crossing.

    Parameters
    ----------
    posts, filled, net
        Compiled posts under the regime that is looked at, and what they were compiled from. Posts
        on copies of arcs are left out: the worksheet is that of open traffic.
    crossing_id : ndarray of object (str)
        The ids of the crossings.
    crossing
        Position of the crossing.
    traffic
        What passes it.
    """
    of_pool = posts.pool_crossing == crossing
    at = np.flatnonzero(of_pool[posts.stage_pool])
    frame = stage_frame(posts, filled, net, crossing_id).iloc[at]
    pool = posts.stage_pool[at]
    is_tightest = np.isin(at, posts.pool_bottleneck)
    arcs = posts.arc
    here = np.flatnonzero((net.arc_crossing[arcs] == crossing) & ~net.is_copy[arcs])
    way, end = net.arc_a_to_b[arcs].astype(int), (net.arc_kind[arcs] == ArcKind.ENTRY).astype(int)
    # Several links of a crossing have posts of their own with the same stages; one stands for all.
    post = {(way[p], end[p]): p for p in reversed(here)}
    mix = traffic.mix
    means = {name: np.zeros((N_WAYS, 2)) for name in ("fixed_h", "service_h", "fee_usd", "opening")}
    n_pools = posts.n_pools
    load, served = np.zeros((n_pools, N_WAYS)), np.zeros((n_pools, N_WAYS, 2))
    base = np.zeros((n_pools, N_WAYS))
    is_general = np.zeros(n_pools, np.bool_)
    is_general[posts.stage_pool[(filled.stages["class"] == "all").to_numpy()[posts.stage_row]]] = (
        True
    )
    for (w, e), p in post.items():
        for name in ("fixed_h", "service_h", "fee_usd"):
            means[name][w, e] = float(getattr(posts, name)[p] @ mix[w])
        means["opening"][w, e] = posts.opening_wait_h[p]
        pools = posts.member_pool[posts.member_post == p]
        users = posts.pool_users[pools]
        load[pools, w] = users @ traffic.vehicles[w]
        base[pools, w] = np.where(is_general[pools], traffic.background[w], 0.0)
        served[pools, w, e] = users @ mix[w]
    order = np.lexsort((frame["order"], frame["direction"], frame["country"]))
    pool = pool[order]
    return Worksheet(
        stages=frame.assign(is_tightest=is_tightest).iloc[order].reset_index(drop=True),
        load=load[pool] + base[pool],
        base=base[pool],
        serves=served[pool],
        fixed_h=means["fixed_h"],
        opening_wait_h=means["opening"],
        service_h=means["service_h"],
        fee_usd=means["fee_usd"],
        pool=pool.astype(np.int64),
    )
