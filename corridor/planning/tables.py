"""Tables of a plan: links, paths, rules, states and what is unmet."""

from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.network import vehicles
from corridor.network.supernetwork import ENDS, ArcKind
from corridor.planning.answer import FlowAnswer
from corridor.planning.model import Model
from corridor.planning.pools import LINK, QUOTA, SERVICE
from corridor.planning.quantities import PRICE_UNITS
from corridor.planning.reasons.obstacles import Obstacle
from corridor.planning.ways.walks import onto_plain

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

SEPARATOR: Final = ">"
_FULL: Final = 1e-6
"""Part of a quota that may be left while it counts as used up."""


def teu_per_t(model: Model) -> FloatArray:
    """Return the TEU in a tonne of each commodity; 0 for goods that are not in containers."""
    return vehicles.teu_per_t(model.filled.commodities)


def link_table(answer: FlowAnswer) -> pd.DataFrame:
    """Return the flow on every link and direction that is open or carries something."""
    model = answer.model
    net, links = model.plain, model.network.links
    arcs = np.flatnonzero(net.arc_is_main & net.arc_open)
    link = net.arc_link[arcs]
    forward = net.arc_forward[arcs]
    ends = links["from_node"].to_numpy(object)[link], links["to_node"].to_numpy(object)[link]
    flow = onto_plain(model.supernetwork, answer.arc_t_per_day, net.n_arcs)
    vehicles = onto_plain(model.supernetwork, answer.all_vehicles, net.n_arcs)
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
        "terminal_h": answer.path_sum(hours * at(ArcKind.TRANSFER, *ENDS)),
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
    counts = np.flatnonzero((counted & (codes >= 0))[answer.path_arc])
    path, code = answer.step_path[counts], codes[answer.path_arc[counts]]
    is_new = np.ones(path.size, np.bool_)
    is_new[1:] = (path[1:] != path[:-1]) | (code[1:] != code[:-1])
    path, code = path[is_new], code[is_new]
    met = [names[place] for place in code.tolist()]
    ends = np.searchsorted(path, np.arange(answer.path_t_per_day.size + 1)).tolist()
    return [SEPARATOR.join(met[first:last]) for first, last in pairwise(ends)]


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
