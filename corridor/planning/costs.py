"""Time, money and emissions of a tonne on every arc, by commodity.

Shippers pay resource cost, transfers and time::

    generalized = tariff + empties + post fees + rule fees
                + (value of time + vehicle_usd_per_h / payload) x hours
                + reliability ratio x value of time x sd of time

Loading at the first place and unloading at the last take the hours and the money that the layer
states (``end_h``, ``end_usd_per_t``, ``end_usd_per_teu``), each once; like goods in a terminal, no
vehicle is priced for them meanwhile.

The standard deviations of the arcs of a path are added, as if its delays came together; a path's
true spread lies between that and the root of the sum of squares.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border import Posts
from corridor.network.fills import FilledTables
from corridor.network.supernetwork import ENDS, ArcKind, Supernetwork
from corridor.network.vehicles import payload_t
from corridor.planning.services import LinkServices
from corridor.units import G_PER_KG

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ArcCosts:
    """What a tonne of each commodity meets on each arc; arrays are (n_commodities, n_arcs).

    Attributes
    ----------
    payload_t
        Load of one vehicle [t].
    time_h, wait_h, sd_h
        Time without queues [h], queue at background load [h], standard deviation of both [h].
    usd_per_t_h
        Value of an hour of a tonne in its vehicle [USD/t/h].
    tariff_usd_per_t, host_usd_per_t
        Price of carriage and handling [USD/t], and the part of it that is the host state's revenue.
    empties_usd_per_t
        Cost of the empty vehicles that go back [USD/t].
    post_fee_usd_per_t
        Fees of the posts, those of returning empties included [USD/t]: a transfer to the host.
    co2_kg_per_t
        Emissions [kg/t].
    reliability_usd_per_t_h
        Price of an hour of standard deviation [USD/t/h], shape (n_commodities, 1).
    """

    payload_t: FloatArray
    time_h: FloatArray
    wait_h: FloatArray
    sd_h: FloatArray
    usd_per_t_h: FloatArray
    tariff_usd_per_t: FloatArray
    host_usd_per_t: FloatArray
    empties_usd_per_t: FloatArray
    post_fee_usd_per_t: FloatArray
    co2_kg_per_t: FloatArray
    reliability_usd_per_t_h: FloatArray

    @property
    def money_usd_per_t(self) -> FloatArray:
        """Tariffs, empties and the fees of posts [USD/t]; the fees of rules come on top."""
        return self.tariff_usd_per_t + self.empties_usd_per_t + self.post_fee_usd_per_t

    def generalized_usd_per_t(self, *, with_wait: bool) -> FloatArray:
        """Return generalized cost without the fees of rules [USD/t].

        Parameters
        ----------
        with_wait
            Whether the queue at background load is part of it; a model with queues of its own
            leaves it out.
        """
        hours = self.time_h + self.wait_h if with_wait else self.time_h
        return (
            self.money_usd_per_t
            + self.usd_per_t_h * hours
            + self.reliability_usd_per_t_h * self.sd_h
        )


def arc_costs(
    filled: FilledTables,
    supernetwork: Supernetwork,
    posts: Posts,
    services: LinkServices,
    post_wait_h: FloatArray,
) -> ArcCosts:
    """Return the costs of every arc for every commodity.

    Parameters
    ----------
    filled, supernetwork, posts, services
        The filled tables, its arcs, their posts and scheduled services.
    post_wait_h : ndarray of float64, shape (n_posts, n_users)
        Queue at each post at background load [h].
    """
    goods = filled.commodities
    net = supernetwork
    payload = np.ascontiguousarray(payload_t(filled.layers, goods)[net.arc_layer].T)
    time_h, wait_h, sd_h = _times(filled, net, posts, services, post_wait_h, payload.shape)
    tariff, host = _tariffs(filled, goods, net, payload)
    value_h = goods["value_of_time_usd_per_t_h"].to_numpy(float)[:, None]
    ratio = goods["reliability_ratio"].to_numpy(float)[:, None]
    vehicle_h = filled.layers["vehicle_usd_per_h"].to_numpy(float)[net.arc_layer]
    # Goods in a terminal stand on the ground, and the price of an end holds what a vehicle waits.
    in_vehicle = ~net.is_kind(ArcKind.TRANSFER, *ENDS)
    returns = goods["empty_return_share"].to_numpy(float)[:, None]
    return ArcCosts(
        payload_t=payload,
        time_h=time_h,
        wait_h=wait_h,
        sd_h=sd_h,
        usd_per_t_h=value_h + np.where(in_vehicle, vehicle_h, 0.0) / payload,
        tariff_usd_per_t=tariff,
        host_usd_per_t=host,
        empties_usd_per_t=returns * _empty_usd(filled, net) / payload,
        post_fee_usd_per_t=_post_fees(net, posts, returns, payload),
        co2_kg_per_t=np.broadcast_to(_co2_kg_per_t(filled, net), payload.shape),
        reliability_usd_per_t_h=ratio * value_h,
    )


def _link_column(table: pd.DataFrame, column: str, net: Supernetwork) -> FloatArray:
    """Return a column of the links on the travel arcs, 0 elsewhere."""
    values = np.append(table[column].to_numpy(float), 0.0)
    on_arcs: FloatArray = np.where(net.is_kind(ArcKind.TRAVEL), values[net.arc_link], 0.0)
    return on_arcs


def _end_column(layers: pd.DataFrame, column: str, net: Supernetwork) -> FloatArray:
    """Return a column of the layers on the arcs from and to zones, 0 elsewhere."""
    values = layers[column].to_numpy(float)[net.arc_layer]
    on_arcs: FloatArray = np.where(net.is_kind(*ENDS), values, 0.0)
    return on_arcs


def _times(
    filled: FilledTables,
    net: Supernetwork,
    posts: Posts,
    services: LinkServices,
    post_wait_h: FloatArray,
    shape: tuple[int, ...],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return time without queues, queue at background load, and standard deviation [h]."""
    moving = _moving_h(filled, net, services)
    sd_moving = moving * _link_column(filled.links, "time_cv", net)
    dwell = np.append(filled.terminals["time_h"].to_numpy(float), 0.0)[net.arc_terminal]
    dwell += _end_column(filled.layers, "end_h", net)
    cv = filled.layers["time_cv"].to_numpy(float)[net.arc_layer]
    time_h, sd_h, wait_h = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    time_h += moving + services.arc_wait_h + dwell
    sd_h += np.hypot(sd_moving, services.arc_wait_sd_h) + dwell * cv
    clearance = (posts.fixed_h + posts.service_h)[:, :-1].T
    time_h[:, posts.arc] += clearance
    wait_h[:, posts.arc] += post_wait_h[:, :-1].T
    sd_h[:, posts.arc] += _post_sd_h(clearance, cv[posts.arc], wait_h[:, posts.arc])
    return time_h, wait_h, sd_h


def _post_sd_h(clearance_h: FloatArray, cv: FloatArray, wait_h: FloatArray) -> FloatArray:
    """Return the standard deviation of the time at posts [h].

    A queue's wait is about exponential (sd = mean); delays without servers vary as the layer's
    times do.
    """
    sd: FloatArray = np.hypot(clearance_h * cv, wait_h)
    return sd


def with_post_waits(
    costs: ArcCosts,
    filled: FilledTables,
    net: Supernetwork,
    posts: Posts,
    post_wait_h: FloatArray,
) -> ArcCosts:
    """Return the costs with other queues at the posts.

    Parameters
    ----------
    costs
        Costs of the same arcs and posts.
    filled, net, posts, post_wait_h
        As in `arc_costs`.
    """
    cv = filled.layers["time_cv"].to_numpy(float)[net.arc_layer]
    clearance = (posts.fixed_h + posts.service_h)[:, :-1].T
    wait_h, sd_h = costs.wait_h.copy(), costs.sd_h.copy()
    wait_h[:, posts.arc] = post_wait_h[:, :-1].T
    sd_h[:, posts.arc] = _post_sd_h(clearance, cv[posts.arc], wait_h[:, posts.arc])
    return replace(costs, wait_h=wait_h, sd_h=sd_h)


def _moving_h(filled: FilledTables, net: Supernetwork, services: LinkServices) -> FloatArray:
    """Return the time under way on travel arcs: the service's, else the link's, else by speed.

    Formula by speed: length / (speed x moving share); crews rest as they go.
    """
    travel = net.is_kind(ArcKind.TRAVEL)
    given = _link_column(filled.links, "time_h", net) * net.arc_share
    speed_kmh = np.where(travel, _link_column(filled.links, "speed_kmh", net), 1.0)
    moves = filled.layers["moving_share"].to_numpy(float)[net.arc_layer]
    own = np.where(np.isnan(given), net.arc_length_km / (speed_kmh * moves), given)
    return np.where(np.isnan(services.arc_sailing_h), own, services.arc_sailing_h)


def _tariffs(
    filled: FilledTables, goods: pd.DataFrame, net: Supernetwork, payload: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the price of carriage and handling, and the host's part of it [USD/t].

    Loading and unloading are handling; the layer's host share holds for their price.
    """
    links, terminals, share = filled.links, filled.terminals, net.arc_share
    per_vehicle = np.nan_to_num(_link_column(links, "cost_usd_per_vehicle", net)) * share
    carriage = _priced(links, "_km", goods, net.arc_link) * net.arc_length_km
    carriage += _priced(links, "", goods, net.arc_link) * share + per_vehicle / payload
    handling = _priced(terminals, "", goods, net.arc_terminal)
    per_t, per_teu = (
        _end_column(filled.layers, f"end_usd_per_{unit}", net) for unit in ("t", "teu")
    )
    ends = _by_goods(per_t, per_teu, goods)
    # The high seas are no state: nobody there to take a share.
    ashore = net.arc_country != net.high_seas
    hosts_of_links = np.nan_to_num(_link_column(links, "host_share", net)) * ashore
    hosts = np.append(terminals["host_share"].to_numpy(float), 0.0)[net.arc_terminal]
    hosts_of_ends = _end_column(filled.layers, "host_share", net)
    hosts_part = carriage * hosts_of_links + handling * np.nan_to_num(hosts) + ends * hosts_of_ends
    return carriage + handling + ends, hosts_part


def _priced(table: pd.DataFrame, suffix: str, goods: pd.DataFrame, rows: IntArray) -> FloatArray:
    """Return a price on each arc by commodity [USD/t]; goods in containers pay by TEU, if at all.

    Parameters
    ----------
    table, suffix
        Table with ``cost_usd_per_t`` and ``cost_usd_per_teu``, and what follows these names.
    rows : ndarray of int32, shape (n_arcs,)
        Row of each arc, -1 for none (which costs nothing).
    """
    per_t, per_teu = (
        np.append(table[f"cost_usd_per_{unit}{suffix}"].to_numpy(float), 0.0)[rows]
        for unit in ("t", "teu")
    )
    return _by_goods(np.nan_to_num(per_t), per_teu, goods)


def _by_goods(per_t: FloatArray, per_teu: FloatArray, goods: pd.DataFrame) -> FloatArray:
    """Return a price by commodity [USD/t]: by TEU for goods in containers where it is not NaN."""
    t_per_teu = goods["t_per_teu"].to_numpy(float)[:, None]
    in_boxes = goods["containerised"].to_numpy(bool)[:, None]
    boxed = np.where(np.isnan(per_teu), per_t, per_teu / t_per_teu)
    price: FloatArray = np.where(in_boxes, boxed, per_t)
    return price


def _empty_usd(filled: FilledTables, net: Supernetwork) -> FloatArray:
    """Return the cost of one empty vehicle over each arc's reverse [USD]."""
    per_km = filled.layers["empty_usd_per_km"].to_numpy(float)[net.arc_layer]
    return np.where(net.arc_reverse >= 0, per_km * net.arc_length_km, 0.0)


def _post_fees(
    net: Supernetwork, posts: Posts, returns: FloatArray, payload: FloatArray
) -> FloatArray:
    """Return the fees of loaded vehicles, and of their empties at the reverse arc [USD/t]."""
    loaded, empty = np.zeros(payload.shape), np.zeros(net.n_arcs + 1)
    loaded[:, posts.arc] = posts.fee_usd[:, :-1].T
    empty[posts.arc] = posts.fee_usd[:, -1]
    fees: FloatArray = (loaded + returns * empty[net.arc_reverse]) / payload
    return fees


def _co2_kg_per_t(filled: FilledTables, net: Supernetwork) -> FloatArray:
    per_km = np.nan_to_num(_link_column(filled.links, "co2_g_per_t_km", net))
    kg: FloatArray = per_km * net.arc_length_km / G_PER_KG
    return kg
