"""Steps and legs of a way: a row per arc, joined where kind, layer and state stay the same."""

from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.network.supernetwork import ENDS, ArcKind
from corridor.planning.model import Model
from corridor.planning.ways.dated import date_legs

IntArray: TypeAlias = NDArray[np.int32]

_LEG_NAMES = {
    ArcKind.TRAVEL: "travel",
    ArcKind.EXIT: "exit post",
    ArcKind.ENTRY: "entry post",
    ArcKind.TRANSFER: "transfer",
    ArcKind.ACCESS: "loading",
    ArcKind.EGRESS: "unloading",
}


def met_on_way(
    model: Model, arcs: IntArray
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return the links, crossings and states of a way in the order in which they are met."""
    net, network = model.supernetwork, model.network
    states = np.where(net.arc_country == net.high_seas, -1, net.arc_country)
    return (
        _met(network.links["link_id"].tolist(), net.arc_link[arcs]),
        _met(network.crossings["crossing_id"].tolist(), net.arc_crossing[arcs]),
        _met(list(net.countries[:-1]), states[arcs]),
    )


def layers_on_way(model: Model, arcs: IntArray) -> tuple[str, ...]:
    """Return the layers that a way travels in, in order."""
    net = model.supernetwork
    travels = net.arc_kind[arcs] == ArcKind.TRAVEL
    return _met(list(net.layers), net.arc_layer[arcs[travels]])


def _met(names: list[str], codes: NDArray[np.integer]) -> tuple[str, ...]:
    """Return the labels met on the way, each run of the same once."""
    met = codes[codes >= 0]
    is_new = np.append(True, met[1:] != met[:-1])[: met.size]
    return tuple(names[code] for code in met[is_new])


def way_steps(model: Model, good: int, code: int, arcs: IntArray) -> pd.DataFrame:
    """Return one row per arc of a way, by its position there; ends that are free are left out."""
    net, costs, posts = model.supernetwork, model.costs, model.posts
    money = costs.money_usd_per_t[good] + model.fee_usd_per_t[code]
    free = (costs.time_h[good, arcs] == 0.0) & (money[arcs] == 0.0)
    positions = np.flatnonzero(~(np.isin(net.arc_kind[arcs], ENDS) & free))
    arcs = arcs[positions]
    post_of = np.full(net.n_arcs, -1)
    post_of[posts.arc] = np.arange(posts.arc.size)
    post = post_of[arcs]
    at_post = post >= 0
    fees = costs.post_fee_usd_per_t[good, arcs] + model.fee_usd_per_t[code, arcs]
    crossing = np.append(model.network.crossings["crossing_id"].to_numpy(object), "")
    modes = model.network.layers["mode"].to_numpy(object)
    wait_h = np.where(at_post, costs.wait_h[good, arcs], model.service_wait_h[arcs])
    return pd.DataFrame(
        {
            "arc_kind": net.arc_kind[arcs],
            "mode": modes[net.arc_layer[arcs]],
            "layer": np.array(net.layers, dtype=object)[net.arc_layer[arcs]],
            "country": np.array(net.countries, dtype=object)[net.arc_country[arcs]],
            "from_place": net.node_place[net.graph.tail[arcs]],
            "to_place": net.node_place[net.graph.head[arcs]],
            "crossing_id": np.where(at_post, crossing[net.arc_crossing[arcs]], ""),
            "length_km": net.arc_length_km[arcs],
            "time_h": costs.time_h[good, arcs] + costs.wait_h[good, arcs],
            "fixed_h": np.append(posts.fixed_h[:, good], 0.0)[post],
            "service_h": np.append(posts.service_h[:, good], 0.0)[post],
            "wait_h": wait_h,
            "cost_usd_per_t": money[arcs],
            "fee_usd_per_t": fees,
            "co2_kg_per_t": costs.co2_kg_per_t[good, arcs],
        },
        index=positions,
    )


_LABELS: Final = ("mode", "layer", "country")
_NUMBERS: Final = (
    "length_km", "time_h", "fixed_h", "service_h", "wait_h", "cost_usd_per_t", "fee_usd_per_t",
    "co2_kg_per_t",
)  # fmt: skip


def join_legs(model: Model, steps: pd.DataFrame) -> pd.DataFrame:
    """Join the steps that stay in one kind, layer and state."""
    joined = ("arc_kind", "layer", "country", "crossing_id")
    keys = [steps[name].to_numpy(object) for name in joined]
    is_new = np.ones(len(steps), dtype=np.bool_)
    is_new[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in keys])
    first = np.flatnonzero(is_new)
    last = np.append(first[1:], len(steps)) - 1 if first.size else first
    places = np.array(model.supernetwork.places, dtype=object)
    begins, ends = (steps[name].to_numpy() for name in ("from_place", "to_place"))
    frame = pd.DataFrame(
        {
            "kind": [_LEG_NAMES[ArcKind(kind)] for kind in keys[0][first].tolist()],
            **{name: steps[name].to_numpy(object)[first] for name in _LABELS},
            "from_node": places[begins[first]],
            "to_node": places[ends[last]],
            "crossing_id": keys[3][first],
            **{name: np.add.reduceat(steps[name].to_numpy(float), first) for name in _NUMBERS},
        }
    )
    if "arrive" in steps:
        frame = date_legs(frame, steps.groupby(is_new.cumsum() - 1))
    return frame
