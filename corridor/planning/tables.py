"""Tables of a plan: links, crossings, paths, rules, states and what is unmet."""

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border import MAX_UTILIZATION
from corridor.network import vehicles
from corridor.network.supernetwork import ArcKind
from corridor.planning.answer import FlowAnswer
from corridor.planning.model import Model
from corridor.planning.obstacles import Obstacle
from corridor.planning.pools import LINK, QUOTA, SERVICE
from corridor.planning.quantities import PRICE_UNITS
from corridor.planning.walks import onto_plain
from corridor.units import DAYS_PER_YEAR

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

SEPARATOR: Final = ">"
_FULL: Final = 1e-6
"""Part of a quota that may be left while it counts as used up."""


def teu_per_t(model: Model) -> FloatArray:
    """Return the TEU in a tonne of each commodity; 0 for goods that are not in containers."""
    return vehicles.teu_per_t(model.filled.commodities)


def _vehicles(answer: FlowAnswer) -> FloatArray:
    """Return loaded vehicles and returning empties on each arc [vehicles/day], shape (n_arcs,)."""
    model = answer.model
    loaded = answer.arc_vehicles
    returns = model.filled.commodities["empty_return_share"].to_numpy(float)
    empties = (loaded * returns[:, None]).sum(axis=0)
    net, returning = model.supernetwork, np.zeros(loaded.shape[1])
    # Empties go back by the arcs themselves, whatever copies the loaded vehicles came by.
    there = net.arc_reverse >= 0
    np.add.at(returning, net.arc_reverse[there], empties[there])
    total: FloatArray = loaded.sum(axis=0) + returning
    return total


def link_table(answer: FlowAnswer) -> pd.DataFrame:
    """Return the flow on every link and direction that is open or carries something."""
    model = answer.model
    net, links = model.plain, model.network.links
    arcs = np.flatnonzero(net.arc_is_main & net.arc_open)
    link = net.arc_link[arcs]
    forward = net.arc_forward[arcs]
    ends = links["from_node"].to_numpy(object)[link], links["to_node"].to_numpy(object)[link]
    flow = onto_plain(model.supernetwork, answer.arc_t_per_day, net.n_arcs)
    vehicles = onto_plain(model.supernetwork, _vehicles(answer), net.n_arcs)
    utilization, price = _link_limits(answer)
    return pd.DataFrame(
        {
            "link_id": links["link_id"].to_numpy(object)[link],
            "direction": np.where(forward, "forward", "backward"),
            "from_node": np.where(forward, *ends),
            "to_node": np.where(forward, *ends[::-1]),
            "layer": np.array(net.layers, dtype=object)[net.arc_layer[arcs]],
            "t_per_day": flow[:, arcs].sum(axis=0),
            "teu_per_day": teu_per_t(model) @ flow[:, arcs],
            "vehicles_per_day": vehicles[arcs],
            "utilization": utilization[arcs],
            "shadow_price_usd_per_t": price[arcs],
        }
    )


def _link_limits(answer: FlowAnswer) -> tuple[FloatArray, FloatArray]:
    """Return utilization of each arc (NaN: no capacity is known) and its price [USD/t]."""
    model = answer.model
    net, table = model.supernetwork, model.pools.table
    pools = np.flatnonzero(table["kind"].isin([LINK, SERVICE]))
    utilization, price = np.full(net.n_arcs, np.nan), np.zeros(net.n_arcs)
    matrix = model.pools.pools.matrix[pools].tocoo()
    row, column = matrix.coords
    arc = column % net.n_arcs
    load = answer.pool_load[pools] + table["base"].to_numpy(float)[pools]
    with np.errstate(divide="ignore", invalid="ignore"):
        used = load / table["capacity"].to_numpy(float)[pools]
    utilization[arc] = np.fmax(utilization[arc], used[row])
    np.maximum.at(price, arc, answer.pool_price[pools][row])
    return utilization, price


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Ways:
    """The open ways over borders: a crossing in one direction, both its posts.

    Attributes
    ----------
    crossing, layer : ndarray of int32, shape (n_ways,)
        Positions.
    a_to_b : ndarray of bool, shape (n_ways,)
        Direction.
    arc_way : ndarray of int64, shape (n_arcs,)
        Way of each arc of an open crossing, -1 elsewhere.
    """

    crossing: IntArray
    layer: IntArray
    a_to_b: BoolArray
    arc_way: NDArray[np.int64]

    @classmethod
    def of(cls, model: Model) -> "_Ways":
        """Return the open ways of a model, by crossing; ``country_b`` to ``country_a`` first."""
        net = model.supernetwork
        key = 2 * net.arc_crossing.astype(np.int64) + net.arc_a_to_b
        is_open = (net.arc_crossing >= 0) & net.arc_open
        keys, first = np.unique(key[is_open], return_index=True)
        arc_way = np.full(net.n_arcs, -1, np.int64)
        arc_way[is_open] = np.searchsorted(keys, key[is_open])
        return cls(
            crossing=(keys // 2).astype(np.int32),
            layer=net.arc_layer[is_open][first],
            a_to_b=keys % 2 == 1,
            arc_way=arc_way,
        )

    @property
    def n(self) -> int:
        """Number of ways."""
        return int(self.crossing.size)

    def total(self, values: FloatArray, arcs: NDArray[np.integer]) -> FloatArray:
        """Return the sum of values over some arcs, by way; arcs of no way are left out."""
        way = self.arc_way[arcs]
        kept = way >= 0
        sums = np.bincount(way[kept], values[kept], minlength=self.n)
        return np.asarray(sums, dtype=np.float64)


def crossing_table(answer: FlowAnswer) -> pd.DataFrame:
    """Return one row per open crossing and direction: what passes, how long, what more brings."""
    model = answer.model
    net, crossings = model.supernetwork, model.network.crossings
    ways = _Ways.of(model)
    entry = np.flatnonzero(net.is_kind(ArcKind.ENTRY))
    every = np.arange(net.n_arcs)
    sides = (crossings[f"country_{side}"].to_numpy(object)[ways.crossing] for side in "ab")
    country_a, country_b = sides
    flow = answer.arc_t_per_day
    frame = pd.DataFrame(
        {
            "crossing_id": crossings["crossing_id"].to_numpy(object)[ways.crossing],
            "from_country": np.where(ways.a_to_b, country_a, country_b),
            "to_country": np.where(ways.a_to_b, country_b, country_a),
            "layer": np.array(net.layers, dtype=object)[ways.layer],
            "t_per_day": ways.total(flow[:, entry].sum(axis=0), entry),
            "teu_per_day": ways.total(teu_per_t(model) @ flow[:, entry], entry),
            "vehicles_per_day": ways.total(_vehicles(answer)[entry], entry),
            "background_vehicles_per_day": ways.total(model.background_vehicles, every),
            **_tightest_pool(answer, ways),
            **_post_prices(answer, ways),
            **_post_means(answer, ways),
        }
    )
    return frame.sort_values(["crossing_id", "from_country"], ignore_index=True)


def _post_means(answer: FlowAnswer, ways: _Ways) -> dict[str, FloatArray]:
    """Return fixed delay, service, wait [h] and fees of each way, both posts together.

    Means over the vehicles (fees per tonne: over the tonnes) that pass, or over all commodities
    where nothing does. Fees are those of the posts' stages, for returning empties too, and what
    rules charge there the goods that pass.
    """
    model, posts = answer.model, answer.model.posts
    goods, arcs = slice(None, -1), posts.arc
    vehicles_a_day, t_a_day = answer.arc_vehicles[:, arcs], answer.arc_t_per_day[:, arcs]
    fee_per_t = model.costs.post_fee_usd_per_t[:, arcs] + _ruled_fees(answer)[:, arcs]
    fee_per_vehicle = fee_per_t * model.costs.payload_t[:, arcs]
    columns = {
        "fixed_h": (posts.fixed_h[:, goods].T, vehicles_a_day),
        "service_h": (posts.service_h[:, goods].T, vehicles_a_day),
        "wait_h": (answer.wait_h[:, arcs], vehicles_a_day),
        "cost_usd_per_t": (fee_per_t, t_a_day),
        "cost_usd_per_vehicle": (fee_per_vehicle, vehicles_a_day),
    }
    return {
        name: ways.total((values * _shares(answer, ways, weight)).sum(axis=0), arcs)
        for name, (values, weight) in columns.items()
    }


def _ruled_fees(answer: FlowAnswer) -> FloatArray:
    """Return what rules charge on average where goods pass [USD/t], by commodity and arc."""
    paid = np.zeros(answer.arc_t_per_day.shape)
    usd = answer.model.fee_usd_per_t[answer.step_class, answer.path_arc] * answer.step_t_per_day
    np.add.at(paid, (answer.step_commodity, answer.path_arc), usd)
    mean = np.zeros(paid.shape)
    np.divide(paid, answer.arc_t_per_day, out=mean, where=answer.arc_t_per_day > 0.0)
    return mean


def _shares(answer: FlowAnswer, ways: _Ways, weight: FloatArray) -> FloatArray:
    """Return the share of each commodity and post in its side of its way: 1 in total.

    Parameters
    ----------
    weight : ndarray of float64, shape (n_commodities, n_posts)
        What passes; where nothing does, every commodity counts the same.
    """
    net, arcs = answer.model.supernetwork, answer.model.posts.arc
    side = 2 * ways.arc_way[arcs] + (net.arc_kind[arcs] == ArcKind.EXIT)
    side[ways.arc_way[arcs] < 0] = 2 * ways.n
    passing = np.bincount(side, weight.sum(axis=0), minlength=2 * ways.n + 1)
    counted = np.where(passing[side] > 0.0, weight, ~answer.model.supernetwork.is_copy[arcs])
    total = np.bincount(side, counted.sum(axis=0), minlength=2 * ways.n + 1)
    shares: FloatArray = counted / total[side]
    return shares


def _tightest_pool(answer: FlowAnswer, ways: _Ways) -> dict[str, NDArray[np.generic]]:
    """Return utilization, bottleneck and next server of each way: its most utilized pool's."""
    model, posts, net = answer.model, answer.model.posts, answer.model.supernetwork
    load = answer.pool_load[: posts.n_pools] + posts.pool_base
    used = load / posts.pool_capacity * MAX_UTILIZATION
    stage = model.filled.stages["stage"].to_numpy(object)[posts.stage_row[posts.pool_bottleneck]]
    country = np.array(net.countries, dtype=object)[posts.pool_country]
    way = ways.arc_way[posts.arc[posts.member_post]]
    order = np.argsort(used[posts.member_pool], kind="stable")
    order = order[way[order] >= 0]
    tightest = np.zeros(ways.n, np.int32)  # an open post has stages, hence a pool
    tightest[way[order]] = posts.member_pool[order]
    return {
        "utilization": used[tightest],
        "bottleneck_stage": stage[tightest],
        "bottleneck_country": country[tightest],
        "next_server_usd_per_year": _next_server_usd_per_year(answer)[tightest],
    }


def _post_prices(answer: FlowAnswer, ways: _Ways) -> dict[str, FloatArray]:
    """Return marginal delay and price of capacity of each way [USD per mean loaded vehicle]."""
    posts = answer.model.posts
    pool, post = posts.member_pool, posts.member_post
    shares = _shares(answer, ways, answer.arc_vehicles[:, posts.arc])
    # The part of a way's vehicles that a pool sees at a post.
    seen = (shares[:, post] * posts.pool_users[pool][:, :-1].T).sum(axis=0)
    prices = {
        "marginal_delay_usd_per_vehicle": answer.pool_slope,
        "capacity_price_usd_per_vehicle": answer.pool_price,
    }
    return {name: ways.total(price[pool] * seen, posts.arc[post]) for name, price in prices.items()}


def _next_server_usd_per_year(answer: FlowAnswer) -> FloatArray:
    """Return what one more server at each pool's tightest stage saves, shape (n_pools,) [USD/year].

    At this load: the delay it saves to all vehicles, background included, and the capacity it adds
    (up to the next stage's) at the price of capacity, a marginal price: exact for small steps.
    """
    posts, queues = answer.model.posts, answer.model.pools.queues
    n = posts.n_pools
    load = np.maximum(answer.pool_load, 0.0)
    load[:n] += posts.pool_base
    more = posts.stage_servers.copy()
    more[posts.pool_bottleneck] += 1
    nobody = np.zeros_like(queues.base_load)
    today = replace(queues, base_load=nobody).value(load)[:n]
    staffed = replace(queues, base_load=nobody, servers=more).value(load)[:n]
    priced = np.flatnonzero(answer.pool_price[:n] > 0.0)
    added = np.zeros(n)
    added[priced] = posts.capacity(more)[priced] - posts.pool_capacity[priced]
    return (today - staffed + answer.pool_price[:n] * added) * DAYS_PER_YEAR


def path_table(answer: FlowAnswer) -> pd.DataFrame:
    """Return one row per path that carries something, door to door."""
    model, shipments = answer.model, answer.model.shipments
    rows = answer.path_shipment
    goods = shipments.commodities[shipments.commodity[rows]]
    frame = pd.DataFrame(
        {
            "origin": shipments.places[shipments.origin[rows]],
            "destination": shipments.places[shipments.destination[rows]],
            "commodity": goods,
            "path_id": np.zeros(rows.size, dtype=int),
            "t_per_day": answer.path_t_per_day,
            **_path_times(answer),
            **_path_money(answer),
            "co2_kg_per_t": answer.path_sum(answer.step_of(model.costs.co2_kg_per_t)),
            "length_km": answer.path_sum(model.supernetwork.arc_length_km[answer.path_arc]),
            **_path_labels(answer),
        }
    )
    pair = ["origin", "destination", "commodity"]
    frame = frame.sort_values(
        [*pair, "t_per_day"], ascending=[True, True, True, False], ignore_index=True
    )
    frame["path_id"] = frame.groupby(pair).cumcount()
    return frame


def _path_times(answer: FlowAnswer) -> dict[str, FloatArray]:
    """Return the total time of each path and its parts [h]."""
    net, costs = answer.model.supernetwork, answer.model.costs
    hours = answer.step_of(costs.time_h + answer.wait_h)
    scheduled = answer.model.service_wait_h[answer.path_arc]

    def at(*kinds: ArcKind) -> BoolArray:
        return net.is_kind(*kinds)[answer.path_arc]

    return {
        "time_h": answer.path_sum(hours),
        "border_h": answer.path_sum(hours * at(ArcKind.EXIT, ArcKind.ENTRY)),
        "moving_h": answer.path_sum((hours - scheduled) * at(ArcKind.TRAVEL)),
        "terminal_h": answer.path_sum(hours * at(ArcKind.TRANSFER)),
        "service_wait_h": answer.path_sum(scheduled),
    }


def _path_money(answer: FlowAnswer) -> dict[str, FloatArray]:
    """Return money, its part at borders and generalized cost of each path [USD/t]."""
    model, costs = answer.model, answer.model.costs
    at_post = model.supernetwork.is_kind(ArcKind.EXIT, ArcKind.ENTRY)[answer.path_arc]
    fees = model.fee_usd_per_t[answer.step_class, answer.path_arc]
    money = answer.step_of(costs.money_usd_per_t) + fees
    at_border = answer.step_of(costs.post_fee_usd_per_t) + np.where(at_post, fees, 0.0)
    hours = costs.usd_per_t_h * (costs.time_h + answer.wait_h)
    spread = costs.reliability_usd_per_t_h * costs.sd_h
    return {
        "cost_usd_per_t": answer.path_sum(money),
        "border_usd_per_t": answer.path_sum(at_border),
        "generalized_usd_per_t": answer.path_sum(money + answer.step_of(hours + spread)),
    }


def _path_labels(answer: FlowAnswer) -> dict[str, list[str]]:
    """Return the links, crossings and states of each path, in the order in which it meets them."""
    net, network = answer.model.supernetwork, answer.model.network
    on_entry, ashore = net.is_kind(ArcKind.ENTRY), net.arc_country != net.high_seas
    return {
        "links": _met(answer, network.links["link_id"].tolist(), net.arc_is_main, net.arc_link),
        "crossings": _met(
            answer, network.crossings["crossing_id"].tolist(), on_entry, net.arc_crossing
        ),
        "countries": _met(answer, list(net.countries), ashore, net.arc_country),
    }


def _met(answer: FlowAnswer, names: list[str], counted: BoolArray, codes: IntArray) -> list[str]:
    """Return the names that each path meets on counted arcs, each run of the same once."""
    steps = np.where(counted, codes, -1)[answer.path_arc]
    paths = []
    for first, last in zip(answer.path_indptr[:-1], answer.path_indptr[1:], strict=True):
        met = steps[first:last]
        met = met[met >= 0]
        is_new = np.append(True, met[1:] != met[:-1])[: met.size]
        paths.append(SEPARATOR.join(names[code] for code in met[is_new]))
    return paths


def full_quotas(answer: FlowAnswer) -> frozenset[str]:
    """Return the ids of the hard quotas and of the rows of rules that are used up."""
    hard = {q.rule_id for q in answer.model.effects.quotas if q.over_usd_per_unit is None}
    table = answer.model.pools.table
    quotas = table[table["kind"] == QUOTA]
    limit, load = quotas["capacity"].to_numpy(float), answer.pool_load[quotas.index]
    full = load >= limit * (1.0 - _FULL) - 1e-9
    return (frozenset(quotas["item"][full]) & hard) | frozenset(_row_prices(answer))


def _row_prices(answer: FlowAnswer) -> dict[str, tuple[bool, float, str]]:
    """Return (binding, price, unit) of each rule with rows that bind: its dearest part's."""
    table = answer.model.rows.table
    found: dict[str, tuple[bool, float, str]] = {}
    for rule, unit, price, binds in zip(
        table["rule_id"], table["unit"], np.abs(answer.row_price), answer.row_binds, strict=True
    ):
        if binds and price >= found.get(rule, (True, 0.0, ""))[1]:
            found[rule] = (True, float(price), PRICE_UNITS[unit])
    return found


def rule_table(answer: FlowAnswer, binding_bans: set[str]) -> pd.DataFrame:
    """Return every rule in force: does it bind, and what would one unit more be worth.

    A ban binds where a shipment would go cheaper without the bans on its way, a quota, share, band
    or floor where it is used up; only these have a price of their own: what one unit more of them
    would save. Of a rule with several limits it is that of the dearest.
    """
    model = answer.model
    table = model.pools.table
    quotas = table[table["kind"] == QUOTA]
    limit, load = quotas["capacity"].to_numpy(float), answer.pool_load[quotas.index]
    price = answer.pool_load_price[quotas.index]
    binds = (price > 0.0) | ((load >= limit * (1.0 - _FULL)) & (limit > 0.0))
    by_quota = {
        rule: (bool(bind), float(usd), PRICE_UNITS[unit])
        for rule, bind, usd, unit in zip(quotas["item"], binds, price, quotas["unit"], strict=True)
    }
    rows = model.rows.table
    by_row = {
        rule: (False, 0.0, PRICE_UNITS[unit])
        for rule, unit in zip(rows["rule_id"], rows["unit"], strict=True)
    } | _row_prices(answer)
    priced = by_quota | by_row
    records = [
        (
            rule.id,
            rule.kind,
            rule.title,
            *priced.get(rule.id, (rule.id in binding_bans, np.nan, "")),
        )
        for rule in model.rules.in_force
    ]
    return pd.DataFrame(records, columns=["rule_id", "kind", "title", "binding", "price", "unit"])


def country_table(answer: FlowAnswer, paths: pd.DataFrame) -> pd.DataFrame:
    """Return transport, transit and revenue of every state.

    A path is transit of each state that it meets and that is neither its origin's nor its
    destination's, once, however often it meets it.
    """
    net = answer.model.supernetwork
    states = list(net.countries[:-1])
    flow, code = answer.step_t_per_day, net.arc_country[answer.path_arc]
    t_km = np.bincount(
        code, flow * net.arc_length_km[answer.path_arc], minlength=len(net.countries)
    )
    transit = _transit_t_per_day(answer, paths, states)
    served = float(answer.path_t_per_day.sum())
    return pd.DataFrame(
        {
            "country": states,
            "t_km_per_day": t_km[:-1].astype(float),
            "transit_t_per_day": transit,
            "revenue_usd_per_day": _revenue_usd_per_day(answer)[:-1],
            "share": transit / served if served > 0 else np.nan,
        }
    )


def _transit_t_per_day(answer: FlowAnswer, paths: pd.DataFrame, states: list[str]) -> FloatArray:
    nodes = answer.model.network.nodes
    state = dict(zip(nodes["node_id"], nodes["country"], strict=True))
    transit = dict.fromkeys(states, 0.0)
    columns = (paths["origin"], paths["destination"], paths["countries"], paths["t_per_day"])
    for origin, destination, met, t in zip(*columns, strict=True):
        for country in set(met.split(SEPARATOR)) - {state[origin], state[destination], ""}:
            transit[country] += t
    return np.array(list(transit.values()), dtype=float)


def _revenue_usd_per_day(answer: FlowAnswer) -> FloatArray:
    """Return fees and the host's part of tariffs by state, the high seas last [USD/day]."""
    model, net = answer.model, answer.model.supernetwork
    flow, code = answer.step_t_per_day, net.arc_country[answer.path_arc]
    by_arc = answer.step_of(model.costs.host_usd_per_t + model.costs.post_fee_usd_per_t)
    revenue = np.bincount(code, flow * by_arc, minlength=len(net.countries)).astype(float)
    for fee in model.effects.fees:
        paid = fee.usd_per_t.toarray()[answer.step_class, answer.path_arc] * flow
        if fee.payee == "host":
            revenue += np.bincount(code, paid, minlength=len(net.countries))
        elif fee.payee in net.countries:
            revenue[net.countries.index(fee.payee)] += paid.sum()
    return revenue


def unmet_table(answer: FlowAnswer, rows: IntArray, obstacles: list[Obstacle]) -> pd.DataFrame:
    """Return the demand that is not served, and why; see `explain_unmet`.

    Parameters
    ----------
    answer
        The evaluated flow.
    rows, obstacles
        Shipments that are not served, and what stops each.
    """
    shipments = answer.model.shipments
    return pd.DataFrame(
        {
            "origin": shipments.places[shipments.origin[rows]],
            "destination": shipments.places[shipments.destination[rows]],
            "commodity": shipments.commodities[shipments.commodity[rows]],
            "t_per_day": answer.unmet_t_per_day[rows],
            "reason": pd.Series([obstacle.reason for obstacle in obstacles], dtype=str),
            "rules": pd.Series([SEPARATOR.join(o.rules) for o in obstacles], dtype=str),
        }
    )
