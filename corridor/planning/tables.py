"""Tables of a plan: links, crossings, paths, rules, states and what is unmet."""

from dataclasses import replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border import MAX_UTILIZATION
from corridor.network.supernetwork import ArcKind
from corridor.planning.answer import FlowAnswer
from corridor.planning.model import Model
from corridor.planning.obstacles import Obstacles
from corridor.planning.pools import LINK, QUOTA, SERVICE
from corridor.units import DAYS_PER_YEAR

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

SEPARATOR = ">"
_NEGLIGIBLE_T_PER_DAY = 1e-6


def teu_per_t(model: Model) -> FloatArray:
    """Return the TEU in a tonne of each commodity; 0 for goods that are not in containers."""
    goods = model.filled.commodities
    t = goods["t_per_teu"].to_numpy(float)
    return np.where(goods["containerised"].to_numpy(bool), 1.0 / np.where(t > 0, t, np.inf), 0.0)


def _vehicles(answer: FlowAnswer) -> FloatArray:
    """Return loaded vehicles and returning empties on each arc [vehicles/day], shape (n_arcs,)."""
    model = answer.model
    net = model.supernetwork
    loaded = answer.arc_t_per_day / model.costs.payload_t
    returns = model.filled.commodities["empty_return_share"].to_numpy(float)
    empties = np.append((loaded * returns[:, None]).sum(axis=0), 0.0)
    return loaded.sum(axis=0) + empties[net.arc_reverse]


def link_table(answer: FlowAnswer) -> pd.DataFrame:
    """Return the flow on every link and direction that is open or carries something."""
    model = answer.model
    net, links = model.supernetwork, model.network.links
    arcs = np.flatnonzero(net.arc_is_main & net.arc_open)
    link = net.arc_link[arcs]
    forward = net.arc_forward[arcs]
    ends = links["from_node"].to_numpy(object)[link], links["to_node"].to_numpy(object)[link]
    flow = answer.arc_t_per_day
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
            "vehicles_per_day": _vehicles(answer)[arcs],
            "utilization": utilization[arcs],
            "shadow_price_usd_per_t": price[arcs],
        }
    )


def _link_limits(answer: FlowAnswer) -> tuple[FloatArray, FloatArray]:
    """Return utilization (NaN where no capacity is known) and price of capacity [USD/t] of each arc."""
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


def crossing_table(answer: FlowAnswer) -> pd.DataFrame:
    """Return one row per open crossing and direction: what passes, how long it takes, what more would bring."""
    model = answer.model
    net, crossings = model.supernetwork, model.network.crossings
    entry = np.flatnonzero(net.is_kind(ArcKind.ENTRY) & net.arc_open)
    x, a_to_b = net.arc_crossing[entry], net.arc_a_to_b[entry]
    sides = crossings["country_a"].to_numpy(object)[x], crossings["country_b"].to_numpy(object)[x]
    way = x.astype(np.int64) * 2 + a_to_b
    on_way = net.arc_crossing.astype(np.int64) * 2 + net.arc_a_to_b
    at_post = net.is_kind(ArcKind.EXIT, ArcKind.ENTRY)
    flow = answer.arc_t_per_day
    mean = _post_means(answer, way, on_way, at_post)
    limits = _post_limits(answer, way, on_way)
    frame = pd.DataFrame(
        {
            "crossing_id": crossings["crossing_id"].to_numpy(object)[x],
            "from_country": np.where(a_to_b, *sides),
            "to_country": np.where(a_to_b, *sides[::-1]),
            "layer": np.array(net.layers, dtype=object)[net.arc_layer[entry]],
            "t_per_day": flow[:, entry].sum(axis=0),
            "teu_per_day": teu_per_t(model) @ flow[:, entry],
            "vehicles_per_day": _vehicles(answer)[entry],
            "background_vehicles_per_day": limits.pop("base"),
            **limits,
            **mean,
        }
    )
    return frame.sort_values(["crossing_id", "from_country"], ignore_index=True)


def _post_means(
    answer: FlowAnswer, way: NDArray[np.int64], on_way: NDArray[np.int64], at_post: BoolArray
) -> dict[str, FloatArray]:
    """Return fixed delay, service, wait [h] and fees of each way over a border, both posts together.

    Means over the goods that pass, or over all commodities where nothing does.
    """
    model, posts = answer.model, answer.model.posts
    flow = answer.arc_t_per_day
    goods = slice(None, -1)
    by_arc: dict[str, FloatArray] = {}
    for name, values in (("fixed_h", posts.fixed_h), ("service_h", posts.service_h)):
        by_arc[name] = np.zeros(flow.shape)
        by_arc[name][:, posts.arc] = values[:, goods].T
    by_arc["wait_h"] = answer.wait_h
    by_arc["cost_usd_per_t"] = model.costs.post_fee_usd_per_t
    by_arc["cost_usd_per_vehicle"] = model.costs.post_fee_usd_per_t * model.costs.payload_t
    arcs = np.flatnonzero(at_post)
    weight = flow[:, arcs] + 1e-12
    weight = weight / weight.sum(axis=0)
    means = {}
    for name, values in by_arc.items():
        total = np.bincount(
            on_way[arcs],
            weights=(weight * values[:, arcs]).sum(axis=0),
            minlength=way.max(initial=0) + 1,
        )
        means[name] = total[way]
    return means


def _post_limits(
    answer: FlowAnswer, way: NDArray[np.int64], on_way: NDArray[np.int64]
) -> dict[str, NDArray[np.generic]]:
    """Return utilization, bottleneck and prices of each way: the tightest pool of its two posts."""
    model, posts, net = answer.model, answer.model.posts, answer.model.supernetwork
    n = posts.n_pools
    table = model.pools.table.iloc[:n]
    load = answer.pool_load[:n] + posts.pool_base
    with np.errstate(divide="ignore", invalid="ignore"):
        used = np.where(
            np.isfinite(posts.pool_capacity), load / posts.pool_capacity * MAX_UTILIZATION, 0.0
        )
    server = _next_server_usd_per_year(answer)
    stage = model.filled.stages["stage"].to_numpy(object)[posts.stage_row[posts.pool_bottleneck]]
    size = int(max(way.max(initial=0), on_way.max(initial=0))) + 1
    pool = posts.member_pool
    at = on_way[posts.arc[posts.member_post]]
    best = np.full(size, -1)
    order = np.argsort(used[pool], kind="stable")
    best[at[order]] = pool[order]
    found = best[way]
    known = found >= 0

    def total(values: FloatArray) -> FloatArray:
        return np.bincount(at, weights=values[pool], minlength=size)[way]

    country = np.array(net.countries, dtype=object)
    return {
        "base": np.where(known, posts.pool_base[found], 0.0),
        "utilization": np.where(known, used[found], np.nan),
        "bottleneck_stage": np.where(known, stage[found], ""),
        "bottleneck_country": np.where(known, country[posts.pool_country[found]], ""),
        "marginal_delay_usd_per_vehicle": total(answer.pool_slope[:n]),
        "capacity_price_usd_per_vehicle": total(answer.pool_price[: len(table)]),
        "next_server_usd_per_year": np.where(known, server[found], 0.0),
    }


def _next_server_usd_per_year(answer: FlowAnswer) -> FloatArray:
    """Return what one more server at each pool's tightest stage saves at this load [USD/year], shape (n_pools,).

    The delay it saves to all vehicles, background included, and the capacity it adds at the price
    of capacity (a marginal price: exact for small steps).
    """
    posts, queues = answer.model.posts, answer.model.pools.queues
    n = posts.n_pools
    base = np.append(posts.pool_base, np.zeros(queues.n_pools - n))
    more = queues.servers.copy()
    more[posts.pool_bottleneck] += 1
    none = np.zeros(queues.base_load.size)
    load = np.maximum(answer.pool_load, 0.0) + base
    today = replace(queues, base_load=none).value(load)
    staffed = replace(queues, base_load=none, servers=more).value(load)
    servers = posts.stage_servers[posts.pool_bottleneck]
    with np.errstate(invalid="ignore"):
        added = np.where(np.isfinite(posts.pool_capacity), posts.pool_capacity / servers, 0.0)
    return ((today - staffed)[:n] + answer.pool_price[:n] * added) * DAYS_PER_YEAR


def path_table(answer: FlowAnswer) -> pd.DataFrame:
    """Return one row per path that carries something, door to door."""
    model = answer.model
    net, costs, shipments = model.supernetwork, model.costs, model.shipments
    at_post = net.is_kind(ArcKind.EXIT, ArcKind.ENTRY)[answer.path_arc]
    moving = net.is_kind(ArcKind.TRAVEL)[answer.path_arc]
    hours = answer.step_of(costs.time_h + answer.wait_h)
    fees = model.fee_usd_per_t[answer.step_class, answer.path_arc]
    money = answer.step_of(costs.money_usd_per_t) + fees
    at_border = answer.step_of(costs.post_fee_usd_per_t) + np.where(at_post, fees, 0.0)
    spread = answer.step_of(costs.reliability_usd_per_t_h * costs.sd_h)
    generalized = money + answer.step_of(costs.usd_per_t_h) * hours + spread
    rows = answer.path_shipment
    goods = model.network.commodities["commodity_id"].to_numpy(object)
    origin, destination = (
        shipments.places[ends[rows]] for ends in (shipments.origin, shipments.destination)
    )
    commodity = goods[shipments.commodity[rows]]
    frame = pd.DataFrame(
        {
            "origin": origin,
            "destination": destination,
            "commodity": commodity,
            "path_id": np.zeros(rows.size, dtype=int),
            "t_per_day": answer.path_t_per_day,
            "time_h": answer.path_sum(hours),
            "border_h": answer.path_sum(hours * at_post),
            "moving_h": answer.path_sum(hours * moving),
            "cost_usd_per_t": answer.path_sum(money),
            "border_usd_per_t": answer.path_sum(at_border),
            "generalized_usd_per_t": answer.path_sum(generalized),
            "co2_kg_per_t": answer.path_sum(answer.step_of(costs.co2_kg_per_t)),
            "length_km": answer.path_sum(net.arc_length_km[answer.path_arc]),
            **_path_labels(answer),
        }
    )
    frame = frame.sort_values(
        ["origin", "destination", "commodity", "t_per_day"],
        ascending=[True, True, True, False],
        ignore_index=True,
    )
    frame["path_id"] = frame.groupby(["origin", "destination", "commodity"]).cumcount()
    return frame


def _path_labels(answer: FlowAnswer) -> dict[str, list[str]]:
    """Return the links, crossings and states of each path, in the order in which it meets them."""
    net, network = answer.model.supernetwork, answer.model.network
    named = (
        ("links", network.links["link_id"], np.where(net.arc_is_main, net.arc_link, -1)),
        (
            "crossings",
            network.crossings["crossing_id"],
            np.where(net.is_kind(ArcKind.ENTRY), net.arc_crossing, -1),
        ),
        (
            "countries",
            pd.Series(net.countries[:-1]),
            np.where(net.arc_country == net.high_seas, -1, net.arc_country),
        ),
    )
    labels = {}
    for column, names, code in named:
        ids = names.to_numpy(object)
        steps = code[answer.path_arc]
        paths = []
        for first, last in zip(answer.path_indptr[:-1], answer.path_indptr[1:], strict=True):
            met = steps[first:last]
            met = met[met >= 0]
            met = met[np.append(True, met[1:] != met[:-1])] if met.size else met
            paths.append(SEPARATOR.join(ids[met]))
        labels[column] = paths
    return labels


def rule_table(answer: FlowAnswer, obstacles: Obstacles) -> pd.DataFrame:
    """Return every rule in force: does it bind, and what would one unit more be worth.

    A ban binds where a shipment would go cheaper without the bans on its way; it has no price of
    its own here.
    """
    model = answer.model
    quotas = model.pools.table[model.pools.table["kind"] == QUOTA]
    limit = quotas["capacity"].to_numpy(float)
    load = answer.pool_load[quotas.index]
    # A soft quota's price is what its next unit over the limit pays.
    price = answer.pool_price[quotas.index] + answer.pool_slope[quotas.index]
    full = load >= limit * (1.0 - 1e-6) - 1e-9
    by_rule = {
        rule: (bool(f), float(p), f"USD per {unit.removesuffix('_per_day')}")
        for rule, f, p, unit in zip(quotas["item"], full, price, quotas["unit"], strict=True)
    }
    breached = {breach.rule_id for breach in model.breaches}
    rows = []
    for rule in model.rules.in_force:
        binding, value, unit = by_rule.get(
            rule.id, (rule.id in obstacles.binding | breached, np.nan, "")
        )
        rows.append((rule.id, rule.kind, rule.title, binding, value, unit))
    return pd.DataFrame(rows, columns=["rule_id", "kind", "title", "binding", "price", "unit"])


def country_table(answer: FlowAnswer, paths: pd.DataFrame) -> pd.DataFrame:
    """Return transport, transit and revenue of every state."""
    model = answer.model
    net = model.supernetwork
    n = net.high_seas
    flow = answer.step_t_per_day
    code = net.arc_country[answer.path_arc]
    t_km = np.bincount(code, weights=flow * net.arc_length_km[answer.path_arc], minlength=n + 1)[:n]
    shared = answer.step_of(model.costs.host_usd_per_t + model.costs.post_fee_usd_per_t)
    revenue = np.bincount(code, weights=flow * shared, minlength=n + 1)[:n]
    for fee in model.effects.fees:
        amount = fee.usd_per_t[answer.step_class, answer.path_arc] * flow
        if fee.payee == "host":
            revenue += np.bincount(code, weights=amount, minlength=n + 1)[:n]
        elif fee.payee in net.countries:
            revenue[net.countries.index(fee.payee)] += amount.sum()
    transit = pd.Series(0.0, index=list(net.countries[:n]))
    state = dict(zip(model.network.nodes["node_id"], model.network.nodes["country"], strict=True))
    rows = zip(
        paths["origin"], paths["destination"], paths["countries"], paths["t_per_day"], strict=True
    )
    for origin, destination, met, t in rows:
        for country in set(met.split(SEPARATOR)) - {state[origin], state[destination], ""}:
            transit[country] += t
    served = float(answer.path_t_per_day.sum())
    return pd.DataFrame(
        {
            "country": net.countries[:n],
            "t_km_per_day": t_km,
            "transit_t_per_day": transit.to_numpy(),
            "revenue_usd_per_day": revenue,
            "share": transit.to_numpy() / served if served > 0 else np.nan,
        }
    )


def unmet_table(answer: FlowAnswer, obstacles: Obstacles, full_quotas: list[str]) -> pd.DataFrame:
    """Return the demand that is not served, and why.

    ``no_path``: no open way even without rules; ``rule``: bans close every open way, and ``rules``
    names those on the cheapest; ``capacity``: ways are open and full, and ``rules`` names the hard
    quotas that are used up.
    """
    model = answer.model
    shipments = model.shipments
    unmet = answer.unmet_t_per_day
    rows = np.flatnonzero(unmet > np.maximum(_NEGLIGIBLE_T_PER_DAY, 1e-9 * model.t_per_day))
    reason, rules = [], []
    for i in rows:
        if np.isfinite(obstacles.lawful_usd_per_t[i]):
            reason.append("capacity")
            rules.append(SEPARATOR.join(full_quotas))
        elif np.isfinite(obstacles.free_usd_per_t[i]):
            reason.append("rule")
            rules.append(SEPARATOR.join(obstacles.blocking[i]))
        else:
            reason.append("no_path")
            rules.append("")
    goods = model.network.commodities["commodity_id"].to_numpy(object)
    return pd.DataFrame(
        {
            "origin": shipments.places[shipments.origin[rows]],
            "destination": shipments.places[shipments.destination[rows]],
            "commodity": goods[shipments.commodity[rows]],
            "t_per_day": unmet[rows],
            "reason": pd.Series(reason, dtype=str),
            "rules": pd.Series(rules, dtype=str),
        }
    )
