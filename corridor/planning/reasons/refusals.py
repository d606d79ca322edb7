"""Why there is no way: inspection floors, rules, closed links, and limits that none keeps."""

from collections.abc import Collection, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.paths import arc_paths, shortest_paths
from corridor.errors import NoRouteError
from corridor.planning.model import Model
from corridor.planning.ways.limits import Bounds, Ends, least_limits, rounded_up, spared_states

FloatArray: TypeAlias = NDArray[np.float64]


def check_lawful(model: Model) -> None:
    """Refuse a model with open posts that do not meet an inspection floor.

    Raises
    ------
    NoRouteError
        If there are any; ``reasons`` has the rules.
    """
    if not model.breaches:
        return
    rules = sorted({name for b in model.breaches for name in (b.rule_id, b.seal_id)} - {""})
    first = model.breaches[0]
    seal = f" under the seal of {first.seal_id}" if first.seal_id else ""
    msg = (
        f"Every open post must inspect what its state's rules demand; {len(model.breaches)} do "
        f"not, the first is {first.crossing_id} ({first.country}, {first.direction}): "
        f"{first.stage} sees {first.share:g} of the vehicles{seal}, {first.rule_id} demands "
        f"{first.floor:g}. Change the regime, the stages or the rules."
    )
    raise NoRouteError(msg, rules)


def limits_block(
    model: Model,
    shipment: int,
    cost: FloatArray,
    bounds: Bounds,
    avoid: Collection[str],
) -> NoRouteError | None:
    """Return the error that names the limits that block every way, None where others do.

    Parameters
    ----------
    model, shipment
        A compiled model, and one of its shipments.
    cost : ndarray of float64, shape (n_arcs,)
        What the way should have least of, inf where rules or works close an arc.
    bounds, avoid
        Limits that no way keeps.
    """
    net = model.supernetwork
    source, sink = ends = shipment_ends(model, shipment)
    distance, _ = shortest_paths(net.graph, cost, [source])
    if np.isinf(distance[0, sink]):
        return None
    asked = [f"{name} = {most:g}" for name, most in zip(bounds.names, bounds.most, strict=True)]
    asked += [f"avoid {', '.join(avoid)}"] if avoid else []
    where = f"A way from {_names(model, shipment)} must keep {' and '.join(asked)}; none does"
    least = least_limits(model, cost, ends, bounds, avoid)
    spared = spared_states(model, cost, ends, bounds, avoid)
    if not least and not spared:
        msg = f"{where}, nor would it without any single one of them. Relax several."
        return NoRouteError(msg, [*bounds.names, *map("avoid {}".format, avoid)])
    helps = [f"{name} = {value:g}" for name, value in least.items()]
    helps += [f"{_one_of(spared)} not avoided"] if spared else []
    msg = f"{where}. The least that helps is {' or '.join(helps)}."
    return NoRouteError(msg, [*least, *map("avoid {}".format, spared)])


def _one_of(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}"


def too_late(model: Model, shipment: int, most_h: float, late_h: Sequence[float]) -> NoRouteError:
    """Return the error that says how late the dated ways come that were looked at.

    Parameters
    ----------
    model, shipment
        A compiled model, and one of its shipments.
    most_h
        Limit of the time from door to door [h].
    late_h
        What the ways take that were looked at [h].
    """
    msg = (
        f"A way from {_names(model, shipment)} must keep max_time_h = {most_h:g} from its "
        f"departure; none of the {len(late_h)} looked at does. The quickest takes "
        f"{rounded_up(min(late_h)):g} h: give it as much, or leave at another time."
    )
    return NoRouteError(msg, ["max_time_h"])


def shipment_ends(model: Model, shipment: int) -> Ends:
    """Return the nodes where a shipment starts and ends."""
    net, shipments = model.supernetwork, model.shipments
    source, sink = net.source[shipments.origin], net.sink[shipments.destination]
    return int(source[shipment]), int(sink[shipment])


def _names(model: Model, shipment: int) -> str:
    places, shipments = model.supernetwork.places, model.shipments
    origin, destination = shipments.origin[shipment], shipments.destination[shipment]
    return f"{places[origin]} to {places[destination]}"


def no_way(model: Model, shipment: int, cost: FloatArray) -> NoRouteError:
    """Return the error that names what blocks the cheapest way: rules first, else closed links.

    Parameters
    ----------
    model, shipment
        A compiled model, and one of its shipments.
    cost : ndarray of float64, shape (n_arcs,)
        What the way should have least of, rules and works left out of account.
    """
    net = model.supernetwork
    source, sink = shipment_ends(model, shipment)
    where = f"A way from {_names(model, shipment)} must be open; there is none"
    free = np.where(net.is_copy, np.inf, cost)  # of the copies that rules on ways need none
    for passable in (np.where(net.arc_open, free, np.inf), free):
        distance, predecessor = shortest_paths(net.graph, passable, [source])
        if np.isfinite(distance[0, sink]):
            break
    else:
        msg = f"{where}, not even over closed links. Add the missing links or terminals."
        return NoRouteError(msg)
    arcs = arc_paths(net.graph, predecessor[0], sink)
    code = int(model.class_of[shipment])
    rules = [
        ban.rule_id for ban in model.effects.bans if ban.pairs[[code]].toarray()[0, arcs].any()
    ] + [
        rule.rule_id
        for rule in model.effects.paths
        if not rule.automaton.accepts(arcs, int(rule.start[code]))
    ]
    closed = arcs[~net.arc_open[arcs] & (net.arc_link[arcs] >= 0)]
    links = list(dict.fromkeys(model.network.links["link_id"].iloc[net.arc_link[closed]]))
    reasons = [*rules, *links]
    advice = "Drop or change the rules, open the links, or choose other ends."
    msg = f"{where}: the cheapest is blocked by {', '.join(reasons)}. {advice}"
    return NoRouteError(msg, reasons)


def closed_links(model: Model, shipment: int, worth_usd_per_t: float) -> tuple[str, ...]:
    """Return the closed links of the cheapest way there would be if every link were open.

    Parameters
    ----------
    model, shipment
        A compiled model, and one of its shipments.
    worth_usd_per_t
        Price of a tonne that is not served [USD/t].

    Returns
    -------
    tuple of str
        Ids of the links; empty if there is no such way that costs less than leaving the goods.
    """
    net, code = model.supernetwork, int(model.class_of[shipment])
    source, sink = shipment_ends(model, shipment)
    usd = model.costs.generalized_usd_per_t(with_wait=False)[model.classes.commodity[code]]
    cost = np.where(net.is_copy, np.inf, usd + model.fee_usd_per_t[code])
    distance, predecessor = shortest_paths(net.graph, cost, [source])
    if not distance[0, sink] < worth_usd_per_t:
        return ()
    arcs = arc_paths(net.graph, predecessor[0], sink)
    closed = arcs[~net.arc_open[arcs] & (net.arc_link[arcs] >= 0)]
    return tuple(dict.fromkeys(model.network.links["link_id"].iloc[net.arc_link[closed]]))
