"""One crossing made ready to be looked at: its posts under any regime, and what passes them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border import Posts, compile_posts, crossing_regimes, floor_breaches
from corridor.border.next_servers import Uncertainty
from corridor.border.worksheets import N_WAYS, STAGE_KEY, Traffic, Worksheet, fill_worksheet
from corridor.errors import InputError
from corridor.network import Network
from corridor.network.schema import TABLES
from corridor.network.supernetwork import HIGH_SEAS
from corridor.network.tables import row_keys
from corridor.planning.model import Model, compile_model
from corridor.planning.results import Plan
from corridor.planning.tables import SEPARATOR
from corridor.planning.ways.itineraries import single_shipments
from corridor.sovereignty import Rules, Shipments, Territory, shipment_classes
from corridor.sovereignty.effects import Floor
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule

FloatArray: TypeAlias = NDArray[np.float64]
Passages: TypeAlias = dict[tuple[str, str, str], float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BorderCase:
    """A crossing, its network and rules compiled, and its traffic.

    Attributes
    ----------
    model
        The network and the rules compiled, for whatever shipments.
    territory
        The network as rules see it with one shipment of each commodity over the crossing.
    crossing
        Position of the crossing.
    traffic
        Vehicles of the plan and background by way.
    plan
        The plan, or None: background alone.
    usd_per_vehicle_h, cargo_usd_per_h
        Value of an hour that a vehicle waits, and the cargo's part of it [USD/h].
    """

    model: Model
    territory: Territory
    crossing: int
    traffic: Traffic
    plan: Plan | None
    usd_per_vehicle_h: float
    cargo_usd_per_h: float

    @property
    def ids(self) -> NDArray[np.object_]:
        """Ids of the crossings."""
        return self.model.network.crossings["crossing_id"].to_numpy(object)

    @property
    def row(self) -> "pd.Series[str]":
        """The crossing's row of the table."""
        return self.model.network.crossings.iloc[self.crossing]

    @property
    def layer(self) -> "pd.Series[str]":
        """The row of the crossing's layer, blanks filled."""
        layers = self.model.filled.layers
        return layers[layers["layer"] == self.row["layer"]].iloc[0]

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Exit and entry country of each way."""
        a, b = str(self.row["country_a"]), str(self.row["country_b"])
        return (b, a), (a, b)

    @property
    def ways(self) -> list[int]:
        """Ways that a link leads."""
        net = self.model.plain
        here = net.arc_a_to_b[net.arc_crossing == self.crossing]
        return [way for way in range(N_WAYS) if (here == bool(way)).any()]

    @property
    def regime(self) -> str:
        """The regime in force, by rule or table."""
        model = self.model
        return crossing_regimes(model.network, model.rules.regimes())[self.crossing]

    def posts(self, regime: str, skip: frozenset[str] = frozenset()) -> Posts:
        """Return all posts, this crossing under a regime, and all its goods under a seal."""
        model, net = self.model, self.model.plain
        regimes = crossing_regimes(model.network, model.rules.regimes())
        regimes[self.crossing] = regime
        here = net.arc_crossing == self.crossing
        skips = [skip if at else frozenset[str]() for at in here] if skip else None
        vehicles = model.background_vehicles[: net.n_arcs].copy()
        for way in self.ways:
            arcs = np.flatnonzero(here & net.arc_is_main & (net.arc_a_to_b == bool(way)))
            vehicles[arcs] = self.traffic.background[way] / max(arcs.size, 1)
        return compile_posts(model.network, model.filled, net, regimes, vehicles, skips)

    def sheet(self, posts: Posts) -> Worksheet:
        """Return the worksheet of the crossing for some posts."""
        model = self.model
        return fill_worksheet(
            posts, model.filled, model.plain, self.ids, self.crossing, self.traffic
        )

    def planned_sheet(self) -> Worksheet:
        """Return the worksheet under the regime in force, its loads those of the plan."""
        sheet = self.sheet(self.posts(self.regime))
        if self.plan is None or not len(self.plan.stages):
            return sheet
        return _with_plan(sheet, self.plan.stages)

    def broken_floors(self, posts: Posts) -> dict[str, list[str]]:
        """Return the ids of inspection floors that the crossing breaks, by country.

        Also where it is not open: a regime is judged before anybody opens a border.
        """
        model, net = self.model, self.model.plain
        soil = replace(
            net, arc_country=posts.arc_country, arc_open=np.ones(net.n_arcs, dtype=np.bool_)
        )
        floors = self.floors(posts)
        broken: dict[str, list[str]] = {}
        for breach in floor_breaches(posts, model.network, model.filled, soil, floors):
            ids = broken.setdefault(breach.country, [])
            if breach.rule_id not in ids:
                ids.append(breach.rule_id)
        return broken

    def floors(self, posts: Posts) -> list[Floor]:
        """Return the inspection floors in force, their arcs those of the crossing."""
        model, net = self.model, self.model.plain
        soil = replace(
            net, arc_country=posts.arc_country, arc_open=np.ones(net.n_arcs, dtype=np.bool_)
        )
        rules = tuple(rule for rule in model.rules.rules if isinstance(rule, InspectionFloorRule))
        territory = replace(self.territory, supernetwork=soil)
        here = net.arc_crossing == self.crossing
        floors = Rules(rules, model.rules.date).apply(territory).floors
        return [replace(floor, arcs=floor.arcs & here) for floor in floors]

    def uncertainty(self, sheet: Worksheet) -> Uncertainty:
        """Return the ranges that bear on the crossing."""
        network = self.model.network
        keys = row_keys(TABLES["stages"], network.stages)
        return Uncertainty(
            ranges=network.ranges,
            keys=keys[sheet.stages["row"].to_numpy(int)],
            background=_background_rows(network, str(self.row["crossing_id"])),
            layer=str(self.row["layer"]),
            cargo_usd_per_h=self.cargo_usd_per_h,
        )


def find_crossing(network: Network, crossing_id: str) -> int:
    """Return the position of a crossing in the crossings table.

    Raises
    ------
    InputError
        If the crossing is unknown or no link passes it.
    """
    ids = network.crossings["crossing_id"].to_numpy(object)
    found = np.flatnonzero(ids == crossing_id)
    if not found.size:
        near = get_close_matches(crossing_id, ids.tolist(), n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else "crossings.csv lists them."
        msg = f"The crossing must be one of {ids.size}; {crossing_id!r} is none of them. {hint}"
        raise InputError(msg)
    if not (network.links["crossing_id"] == crossing_id).any():
        msg = f"A link must pass the crossing {crossing_id!r}; none names it. Add it to links.csv."
        raise InputError(msg)
    return int(found[0])


def open_case(
    network: Network, crossing_id: str, rules: Rules | None, plan: Plan | None
) -> BorderCase:
    """Return the case of a crossing.

    Raises
    ------
    InputError
        If the crossing is unknown or no link passes it, or the plan is of another network.
    """
    return open_cases(network, [crossing_id], rules, plan)[0]


def open_cases(
    network: Network, crossing_ids: Iterable[str], rules: Rules | None, plan: Plan | None
) -> list[BorderCase]:
    """Return the cases of several crossings; network and rules are compiled once for all.

    Raises
    ------
    InputError
        As `open_case`.
    """
    places = [find_crossing(network, name) for name in crossing_ids]
    if not places:
        return []
    # Posts, vehicles and payloads do not depend on the shipments that a model is compiled with.
    shipments = [_over(network, place) for place in places]
    model = compile_model(network, shipments[0], rules)
    cargo = _cargo_usd_per_t_h(network, plan)
    tonnes = {} if plan is None else tonnes_over(network, plan)
    pairs = zip(places, shipments, strict=True)
    return [
        _case(model, place, over, plan, _traffic(model, place, plan, tonnes), cargo)
        for place, over in pairs
    ]


def _over(network: Network, crossing: int) -> Shipments:
    """Return one shipment of each commodity over a crossing."""
    links = network.links
    link = links[links["crossing_id"] == network.crossings["crossing_id"].iloc[crossing]].iloc[0]
    ends = str(link["from_node"]), str(link["to_node"])
    goods = network.commodities["commodity_id"]
    return single_shipments(network, [(*ends, str(good)) for good in goods])


def _case(
    model: Model,
    crossing: int,
    shipments: Shipments,
    plan: Plan | None,
    traffic: Traffic,
    cargo_usd_per_t_h: float,
) -> BorderCase:
    classes, _ = shipment_classes(shipments, model.rules.scopes)
    of_layer = model.network.crossings["layer"].iloc[crossing]
    layer = model.filled.layers.set_index("layer").loc[of_layer]
    per_vehicle = cargo_usd_per_t_h * float(layer["t_per_vehicle"])
    return BorderCase(
        model=model,
        territory=replace(model.territory, classes=classes),
        crossing=crossing,
        traffic=traffic,
        plan=plan,
        usd_per_vehicle_h=float(layer["vehicle_usd_per_h"]) + per_vehicle,
        cargo_usd_per_h=per_vehicle,
    )


def _cargo_usd_per_t_h(network: Network, plan: Plan | None) -> float:
    """Return the mean value of time of the demand that a plan was made for, [USD/t h].

    Without a plan every commodity counts the same.
    """
    value = network.commodities.set_index("commodity_id")["value_of_time_usd_per_t_h"]
    if plan is None or not (len(plan.paths) or len(plan.unmet)):
        return float(value.mean())
    rows = pd.concat(
        [table[["commodity", "t_per_day"]] for table in (plan.paths, plan.unmet) if len(table)]
    )
    weights = rows.groupby("commodity")["t_per_day"].sum()
    return float((value.reindex(weights.index) * weights).sum() / weights.sum())


def _traffic(model: Model, crossing: int, plan: Plan | None, tonnes: Passages) -> Traffic:
    net = model.plain
    background = np.zeros(N_WAYS)
    here = np.flatnonzero((net.arc_crossing == crossing) & net.arc_is_main)
    np.add.at(background, net.arc_a_to_b[here].astype(int), model.background_vehicles[here])
    n_users = len(model.network.commodities) + 1
    if plan is None:
        return Traffic(vehicles=np.zeros((N_WAYS, n_users)), background=background)
    row = model.network.crossings.iloc[crossing]
    told = plan.crossings[plan.crossings["crossing_id"] == row["crossing_id"]]
    for way, leaves in enumerate((row["country_b"], row["country_a"])):
        at = told.loc[told["from_country"] == leaves, "background_vehicles_per_day"]
        if len(at):
            background[way] = float(at.iloc[0])
    return Traffic(vehicles=_vehicles(model, crossing, tonnes), background=background)


def tonnes_over(network: Network, plan: Plan) -> Passages:
    """Return the goods of a plan over every crossing.

    The paths are followed link by link, which says in which direction each passes a crossing.

    Parameters
    ----------
    network
        The network of the plan.
    plan
        The plan.

    Returns
    -------
    dict
        (crossing, country that goods leave, commodity) -> t/day.

    Raises
    ------
    InputError
        If a path names a link that the network does not have.
    """
    columns = [network.links[name].tolist() for name in ("from_node", "to_node", "crossing_id")]
    ends = dict(zip(network.links["link_id"].tolist(), zip(*columns, strict=True), strict=True))
    country = dict(zip(network.nodes["node_id"], network.nodes["country"], strict=True))
    tonnes: Passages = defaultdict(float)
    names = ["origin", "commodity", "t_per_day", "links"]
    for origin, good, t_per_day, text in zip(*(plan.paths[name] for name in names), strict=True):
        place = origin
        for link in text.split(SEPARATOR):
            if link not in ends:
                msg = f"The plan must be of this network; its link {link!r} is unknown here."
                raise InputError(msg)
            a, b, crossing = ends[link]
            if crossing:
                tonnes[crossing, country[place], good] += t_per_day
            place = b if place == a else a
    return tonnes


def _vehicles(model: Model, crossing: int, tonnes: Passages) -> FloatArray:
    """Return the vehicles of a plan over a crossing by way and user, shape (2, n_users).

    Loaded vehicles send their share of empty ones back the other way, if the link has one.
    """
    net, row = model.plain, model.network.crossings.iloc[crossing]
    here = net.arc_crossing == crossing
    payload = model.costs.payload_t[:, here][:, 0]
    returns = model.filled.commodities["empty_return_share"].to_numpy(float)
    two_way = {bool(way) for way in net.arc_a_to_b[here]} == {True, False}
    goods = model.network.commodities["commodity_id"].tolist()
    vehicles = np.zeros((N_WAYS, len(goods) + 1))
    for way, leaves in enumerate((row["country_b"], row["country_a"])):
        passing = [tonnes.get((row["crossing_id"], leaves, good), 0.0) for good in goods]
        vehicles[way, :-1] = passing / payload
        vehicles[1 - way, -1] = (vehicles[way, :-1] * returns).sum() * two_way
    return vehicles


def _with_plan(sheet: Worksheet, stages: pd.DataFrame) -> Worksheet:
    """Return the worksheet with the loads of a plan, shared between the ways as they were."""
    key = list(STAGE_KEY)
    told = stages.assign(nth=stages.groupby(key).cumcount()).set_index([*key, "nth"])
    rows = sheet.stages.assign(nth=sheet.stages.groupby(key).cumcount())
    own = told["vehicles_per_day"].reindex(pd.MultiIndex.from_frame(rows[[*key, "nth"]]))
    own_load = own.to_numpy(float)
    before = sheet.load - sheet.base
    total = before.sum(axis=1)
    known = ~np.isnan(own_load)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(total[:, None] > 0.0, before / total[:, None], 1.0 / N_WAYS)
    load = np.where(known[:, None], np.nan_to_num(own_load)[:, None] * shares, before)
    return replace(sheet, load=load + sheet.base)


def _background_rows(
    network: Network, crossing_id: str
) -> tuple[tuple[str, float, tuple[int, ...]], ...]:
    """Return key, vehicles and ways of the rows of the background table for a crossing."""
    rows = network.background[network.background["target"] == crossing_id]
    keys = row_keys(TABLES["background"], rows)
    ways = {"forward": (1,), "backward": (0,), "both": (0, 1)}
    cells = zip(keys, rows["vehicles_per_day"], rows["direction"], strict=True)
    return tuple((str(key), float(value), ways[direction]) for key, value, direction in cells)


def at_sea(case: BorderCase) -> bool:
    """Return whether ships lie between the two posts."""
    net = case.model.plain
    at = (net.arc_crossing == case.crossing) & net.arc_is_main
    return bool((net.arc_country[at] == net.countries.index(HIGH_SEAS)).any())
