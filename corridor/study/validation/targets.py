"""Published times held against modelled ones: what the data set was fitted to, and what it was not.

An OD target is compared with the cheapest way of a containerised shipment over the layers that the
publication speaks of; a post target with fixed delay, service and queue at background load. Nothing
is tuned here, and no row is left out without a verdict that says why.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import InputError, NoRouteError
from corridor.network import Network
from corridor.network.supernetwork import ArcKind
from corridor.planning import (
    Itinerary,
    Limits,
    Model,
    compile_model,
    find_itineraries,
    single_shipments,
)
from corridor.planning.tables import SEPARATOR
from corridor.study.studies import Study
from corridor.units import HOURS_PER_DAY

FloatArray: TypeAlias = NDArray[np.float64]

WIDE: Final = 2.0
"""A band whose high end is more than this many times its low end says too little to be evidence."""
ROUNDING: Final = 0.05
"""Part by which the ends of a band are moved out before a time is called outside of it."""
NEAR: Final = 0.25
"""Relative error to the middle of the band up to which a modelled time counts as near."""
_HOURS: Final = {"h": 1.0, "d": HOURS_PER_DAY}
_HOME: Final = {"truck": "road", "train": "rail"}
_TEXTS: Final = (
    *("label", "origin", "destination", "crossing_id", "country", "direction", "layers", "avoid"),
    *("unit", "definition", "role", "source", "note"),
)
_SCHEDULE: Final = "schedule"
_FEWEST: Final = 3
_JUDGED: Final = ("inside", "below", "above")
_GROUPS: Final = (
    ("od", "fit"),
    ("od", "holdout"),
    ("post", "fit"),
    ("post, another year of a fitted post", "holdout"),
    ("post, not fitted", "holdout"),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TargetCheck:
    """Every published time of a study's data set beside the modelled one.

    Attributes
    ----------
    name, dataset, date
        The study, its data set, and the day whose network and rules were used.
    commodity
        The containerised commodity that was sent.
    rows
        One row per target: ``label, kind`` (od, post), ``group, role, origin, destination,
        crossing_id, country, direction, layers, definition, year, low, high, unit``; ``middle``
        (the published value, else the middle of the band), ``modelled, naive`` (in that unit);
        ``error`` (modelled by middle - 1), ``naive_error``,
        ``verdict``, ``detail`` (states on the way, or the reason why there is none), ``source,
        note``. Verdicts: ``inside, below, above`` the published band, its ends moved out by 5 %
        because published numbers are rounded; ``no evidence`` where the band is wider than a
        factor 2; ``input`` where a service on the way cites the same source, so that the number
        proves itself; ``no route``; ``no post``.
    statistics
        One row per group and role over the judged rows: ``group, role, n, mape, median_ape,
        mean_error, rank_correlation`` (Spearman; NaN below three rows), ``share_inside``,
        ``share_near`` (within 25 % of the middle), ``naive_mape, naive_median_ape``, ``n_fitted``
        (numbers of the data set that were set with the group's fit rows in view).
    """

    name: str
    dataset: str
    date: dt.date
    commodity: str
    rows: pd.DataFrame
    statistics: pd.DataFrame

    def __repr__(self) -> str:
        judged = int(self.rows["verdict"].isin(_JUDGED).sum())
        return f"TargetCheck({self.name!r}: {len(self.rows)} published times, {judged} judged)"


def check_targets(study: Study) -> TargetCheck:
    """Hold every published time of a study's data set against the base variant.

    Schedules are compared with running time, waits for connecting sailings and transfers: a
    schedule begins when the first service leaves and ends when the last arrives, and it knows no
    queue and no permit. Means and forwarders' times are compared with the whole time: borders,
    queues, loading at the first place and unloading at the last included.

    Parameters
    ----------
    study
        A study whose data set has ``targets.csv``.

    Returns
    -------
    TargetCheck
        Rows and statistics.

    Raises
    ------
    InputError
        If there are no targets, or no containerised commodity.

    Examples
    --------
    >>> import corridor
    >>> from corridor.study import check_targets
    >>> check = check_targets(corridor.load_study("crossroads"))
    >>> bool(check.rows["verdict"].ne("").all())
    True
    """
    network, _, rules = study.case(study.base)
    targets = published_times(network)
    commodity = _reference_commodity(network)
    od = targets[targets["kind"] == "od"]
    pairs = list(dict.fromkeys(zip(od["origin"], od["destination"], strict=True)))
    known = set(network.nodes["node_id"])
    pairs = [pair for pair in pairs if known.issuperset(pair)]
    shipments = single_shipments(network, [(o, d, commodity) for o, d in pairs])
    model = compile_model(network, shipments, rules)
    rows = [
        _od_row(model, row, pairs) if row["kind"] == "od" else _post_row(model, row, commodity)
        for row in _records(targets)
    ]
    frame = _judged(pd.concat([targets, pd.DataFrame(rows)], axis=1))
    return TargetCheck(
        name=study.name,
        dataset=network.name,
        date=study.variant(study.base).date or study.date,
        commodity=commodity,
        rows=frame,
        statistics=_statistics(frame, network),
    )


def usable_layers(network: Network, words: str) -> frozenset[str] | None:
    """Return the layers that a publication speaks of.

    Parameters
    ----------
    network
        The network.
    words
        Layers and modes joined by ``+``; ``any`` or nothing is all. A mode stands for its layers; a
        ferry needs the mode of its vehicles too (a train ferry is ``rail+sea``).

    Returns
    -------
    frozenset of str, or None
        Layer ids; None is all.

    Examples
    --------
    >>> import corridor
    >>> net = corridor.load_network("crossroads")
    >>> sorted(usable_layers(net, "rail+sea"))
    ['rail1435', 'rail1520', 'railferry1520', 'sea']
    """
    if words in ("", "any"):
        return None
    said = set(words.split("+"))
    table = network.layers[["layer", "mode", "vehicle"]].to_numpy(object)
    return frozenset(
        layer
        for layer, mode, vehicle in table
        if layer in said or {mode, _HOME.get(vehicle, mode)} <= said
    )


def published_times(network: Network) -> pd.DataFrame:
    """Return the targets with every column that is used, numbers as numbers.

    Parameters
    ----------
    network
        A network with targets.

    Returns
    -------
    DataFrame
        ``label, origin, destination, crossing_id, country, direction, layers, avoid, unit,
        definition, role, source, note, year, low, high, middle`` (the published value, else the
        middle of the band), ``elsewhere_h`` and ``kind``: ``od`` or ``post``.

    Raises
    ------
    InputError
        If there are no targets, or one has another unit than h or d.
    """
    targets = network.targets
    if not len(targets):
        msg = f"The data set {network.name!r} must have targets.csv; it has none. Add times."
        raise InputError(msg)
    frame = pd.DataFrame({name: _text_column(targets, name) for name in _TEXTS})
    for name in ("year", "low", "high"):
        frame[name] = targets[name].to_numpy(float)
    value = targets["value"].to_numpy(float)
    frame["low"] = frame["low"].fillna(pd.Series(value))
    frame["high"] = frame["high"].fillna(pd.Series(value))
    frame["middle"] = pd.Series(value).fillna((frame["low"] + frame["high"]) / 2.0)
    elsewhere = _text_column(targets, "elsewhere_h")
    frame["elsewhere_h"] = pd.to_numeric(pd.Series(elsewhere), errors="coerce").fillna(0.0)
    frame["kind"] = np.where(frame["crossing_id"] != "", "post", "od")
    foreign = sorted(set(frame["unit"]) - set(_HOURS))
    if foreign:
        msg = f"Units of targets.csv must be h or d; found {', '.join(foreign)}. Convert them."
        raise InputError(msg)
    return frame


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): cell for name, cell in row.items()} for row in frame.to_dict("records")]


def _text_column(frame: pd.DataFrame, name: str) -> list[str]:
    if name not in frame:
        return [""] * len(frame)
    return ["" if pd.isna(cell) else str(cell) for cell in frame[name].tolist()]


def _reference_commodity(network: Network) -> str:
    goods = network.commodities
    boxed = goods.loc[goods["containerised"].astype(bool), "commodity_id"]
    if not len(boxed):
        msg = "commodities.csv must have a containerised commodity to time; it has none. Mark one."
        raise InputError(msg)
    return str(boxed.iloc[0])


def _od_row(model: Model, target: dict[str, Any], pairs: list[tuple[str, str]]) -> dict[str, Any]:
    pair = target["origin"], target["destination"]
    blank = {"modelled": np.nan, "length_km": np.nan, "verdict": "no route"}
    if pair not in pairs:
        missing = ", ".join(name for name in pair if not any(name in known for known in pairs))
        return blank | {"detail": f"not a node of the network: {missing}"}
    layers = usable_layers(model.network, target["layers"])
    try:
        limits = Limits(avoid=tuple(filter(None, target["avoid"].split("+"))))
        way = find_itineraries(model, pairs.index(pair), layers=layers, limits=limits)[0]
    except NoRouteError as error:
        return blank | {"detail": f"blocked by {', '.join(error.reasons) or 'missing links'}"}
    hours = _scheduled_h(way) if target["definition"] == _SCHEDULE else way.time_h
    return {
        "modelled": (hours + target["elsewhere_h"]) / _HOURS[target["unit"]],
        "length_km": way.length_km,
        "verdict": "input" if _is_input(model.network, way, target["source"]) else "",
        "detail": SEPARATOR.join(way.countries) or "at sea",
    }


def _scheduled_h(way: Itinerary) -> float:
    """Return running time, connecting waits and transfers: what a timetable holds [h]."""
    legs = way.legs
    travel, transfer = (legs[legs["kind"] == kind] for kind in ("travel", "transfer"))
    first_wait = 0.0
    # A schedule's clock runs from departure to arrival: loading, a wait that opens the journey and
    # unloading are not in it.
    if len(travel) and not (transfer.index < travel.index[0]).any():
        first_wait = float(travel["wait_h"].iloc[0])
    return way.moving_h + way.service_wait_h - first_wait + float(transfer["time_h"].sum())


def _is_input(network: Network, way: Itinerary, source: str) -> bool:
    """Return whether a service on the way was itself taken from the source of the target."""
    services = network.services
    cited = services[(services["source"] == source) & services["link_id"].isin(way.links)]
    return bool(source) and len(cited) > 0


def _post_row(model: Model, target: dict[str, Any], commodity: str) -> dict[str, Any]:
    net, costs = model.supernetwork, model.costs
    crossings = model.network.crossings
    blank = {"modelled": np.nan, "length_km": np.nan, "verdict": "no post"}
    found = np.flatnonzero((crossings["crossing_id"] == target["crossing_id"]).to_numpy(bool))
    if not found.size:
        return blank | {"detail": "not a crossing of the network"}
    row = crossings.iloc[int(found[0])]
    leaving = target["direction"] == "out"
    # Goods leave state a going from a to b, and enter it going from b to a.
    a_to_b = leaving == (target["country"] == row["country_a"])
    kind = ArcKind.EXIT if leaving else ArcKind.ENTRY
    arcs = np.flatnonzero(
        (net.arc_crossing == found[0]) & net.is_kind(kind) & (net.arc_a_to_b == a_to_b)
    )
    if not arcs.size or target["country"] not in (row["country_a"], row["country_b"]):
        return blank | {"detail": "no such post at the crossing"}
    good = int(np.flatnonzero(model.network.commodities["commodity_id"] == commodity)[0])
    hours = float((costs.time_h + costs.wait_h)[good, arcs[0]]) + target["elsewhere_h"]
    return {
        "modelled": hours / _HOURS[target["unit"]],
        "length_km": np.nan,
        "verdict": "",
        "detail": f"{float(costs.wait_h[good, arcs[0]]):.1f} h of it queue",
    }


def _judged(frame: pd.DataFrame) -> pd.DataFrame:
    """Add group, errors, naive rival and verdict."""
    post = frame["crossing_id"] + "/" + frame["country"] + "/" + frame["direction"]
    fitted = set(post[(frame["kind"] == "post") & (frame["role"] == "fit")])
    held = (frame["kind"] == "post") & (frame["role"] == "holdout")
    again = held & post.isin(fitted)
    frame["group"] = np.select([again, held], [_GROUPS[3][0], _GROUPS[4][0]], frame["kind"])
    frame["post"] = post
    frame["error"] = frame["modelled"] / frame["middle"] - 1.0
    known = frame["verdict"] == ""
    wide = known & (frame["high"] > WIDE * frame["low"])
    below = frame["modelled"] < frame["low"] * (1.0 - ROUNDING)
    above = frame["modelled"] > frame["high"] * (1.0 + ROUNDING)
    frame["verdict"] = np.select(
        [~known, wide, below, above],
        [frame["verdict"], "no evidence", "below", "above"],
        "inside",
    )
    frame["naive"] = _naive(frame)
    frame["naive_error"] = frame["naive"] / frame["middle"] - 1.0
    columns = ["label", "kind", "group", "role", "origin", "destination", "crossing_id", "country"]
    columns += ["direction", "layers", "definition", "year", "low", "high", "unit", "middle"]
    columns += ["modelled", "error", "naive", "naive_error", "verdict", "detail", "source", "note"]
    return frame[columns]


def _naive(frame: pd.DataFrame) -> FloatArray:
    """Return what a planner without a model would say, from the fit rows alone.

    ODs: the modelled length at the median speed of the fit rows. Posts: the published time of the
    same post in its fit row, else the median of the fit rows of all posts.
    """
    hours = frame["middle"] * frame["unit"].map(_HOURS)
    fit = (frame["role"] == "fit") & frame["verdict"].isin(_JUDGED)
    od, post = frame["kind"] == "od", frame["kind"] == "post"
    speed = (frame["length_km"] / hours)[fit & od].median()
    by_post = hours[fit & post].groupby(frame["post"][fit & post]).mean()
    again = frame["role"] == "holdout"
    same = frame["post"].map(by_post).where(again)
    said = np.where(od, frame["length_km"] / speed, same.fillna(hours[fit & post].median()))
    return np.asarray(said / frame["unit"].map(_HOURS), dtype=float)


def _statistics(frame: pd.DataFrame, network: Network) -> pd.DataFrame:
    judged = frame[frame["verdict"].isin(_JUDGED)]
    rows = []
    for group, role in _GROUPS:
        part = judged[(judged["group"] == group) & (judged["role"] == role)]
        error, naive = part["error"].abs(), part["naive_error"].abs()
        rows.append(
            {
                "group": group,
                "role": role,
                "n": len(part),
                "mape": error.mean(),
                "median_ape": error.median(),
                "mean_error": part["error"].mean(),
                "rank_correlation": _rank_correlation(part),
                "share_inside": (part["verdict"] == "inside").mean() if len(part) else np.nan,
                "share_near": (error <= NEAR).mean() if len(part) else np.nan,
                "naive_mape": naive.mean(),
                "naive_median_ape": naive.median(),
                "n_fitted": _n_fitted(frame, network) if group.startswith("post") else 0,
            }
        )
    return pd.DataFrame(rows)


def _rank_correlation(part: pd.DataFrame) -> float:
    """Return Spearman's rank correlation of modelled and published hours."""
    scale = part["unit"].map(_HOURS)
    ranks = pd.DataFrame({"said": part["middle"] * scale, "found": part["modelled"] * scale}).rank()
    if len(ranks) < _FEWEST or (ranks.nunique() == 1).any():
        return float("nan")
    return float(np.corrcoef(ranks["said"], ranks["found"])[0, 1])


def _n_fitted(frame: pd.DataFrame, network: Network) -> int:
    """Return how many posts of the fit rows have a fixed delay derived from a published time.

    A post without rows of its own shares the template of its state and layer.
    """
    stages = network.stages
    stages = stages[(stages["confidence"] == "derived") & (stages["fixed_delay_h"] > 0)]
    layer_of = network.crossings.set_index("crossing_id")["layer"]
    own_rows = set(network.stages["crossing_id"])
    fit = frame[(frame["kind"] == "post") & (frame["role"] == "fit")]
    used = set()
    for crossing, country, direction in fit[["crossing_id", "country", "direction"]].to_numpy(
        object
    ):
        at = stages[(stages["country"] == country) & stages["direction"].isin([direction, "both"])]
        if crossing in own_rows:
            at = at[at["crossing_id"] == crossing]
        else:
            at = at[(at["crossing_id"] == "*") & (at["layer"] == layer_of.get(crossing, ""))]
        used.update(at.index.tolist())
    return len(used)
