"""Where border and sovereignty meet: network, demand and rules become arrays for the core."""

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.arguments import check_type
from corridor.border import FloorBreach, Posts, compile_posts, crossing_regimes, floor_breaches
from corridor.core.flows import FlowProblem
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.network.background import background_vehicles
from corridor.network.fills import FilledTables, fill_blanks
from corridor.network.schema import TABLES
from corridor.network.supernetwork import Supernetwork, build_supernetwork
from corridor.network.tables import row_keys
from corridor.network.vehicles import payload_t, teu_per_t
from corridor.planning.costs import ArcCosts, arc_costs
from corridor.planning.pools import PoolSet, assemble_pools
from corridor.planning.quantities import RowSet, assemble_rows
from corridor.planning.services import link_services
from corridor.planning.ways.walks import Walks, build_walks
from corridor.sovereignty import Effects, Floor, Rules, Shipments, Territory, shipment_classes

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

LEAST_SHARE: Final = 1e-8
"""Share of the largest row of demand below which a row is left out: solvers work to 1e-9."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """Everything a planning verb needs, compiled once.

    Attributes
    ----------
    network, rules, filled, supernetwork, posts, effects
        The input and what became of it. Where rules look at whole ways the supernetwork has copies
        of its arcs, see `build_walks`, and everything by arc is on them.
    territory
        The network and the classes as rules see them, on the plain supernetwork without copies.
    sealed : ndarray of bool, shape (n_arcs, n_path_rules)
        Arcs on which posts skip stages because of each rule of ``effects.paths``.
    shipments, classes, class_of
        The demand rows, the classes that rules tell apart, and the class of each row.
    t_per_day : ndarray of float64, shape (n_shipments,)
        Demand [t/day]; 0 for rows below `LEAST_SHARE` of the largest, which `assumptions` lists.
    costs
        Time, money and emissions by commodity and arc.
    background_vehicles : ndarray of float64, shape (n_arcs,)
        Vehicles a day on the main arcs that are not rerouted.
    service_wait_h : ndarray of float64, shape (n_arcs,)
        Wait for a scheduled departure, part of the time of its arc [h].
    fee_usd_per_t : ndarray of float64, shape (n_classes, n_arcs)
        Fees of the rules [USD/t].
    allowed : ndarray of bool, shape (n_classes, n_arcs)
        Arcs that rules and works leave open to each class.
    may_start : ndarray of bool, shape (n_classes, n_arcs) or (1, 1)
        False on the access arcs of other states of rules on ways than the class begins in.
    pools, rows
        Shared capacities and delay curves, and side rows of rules on quantities.
    breaches
        Inspection floors that an open post does not meet: with any, no plan is lawful.
    assumptions
        What was filled in and taken for granted.
    """

    network: Network
    rules: Rules
    filled: FilledTables
    supernetwork: Supernetwork
    posts: Posts
    effects: Effects
    territory: Territory
    sealed: BoolArray
    shipments: Shipments
    classes: Shipments
    class_of: IntArray
    t_per_day: FloatArray
    costs: ArcCosts
    background_vehicles: FloatArray
    service_wait_h: FloatArray
    fee_usd_per_t: FloatArray
    allowed: BoolArray
    may_start: BoolArray
    pools: PoolSet
    rows: RowSet
    breaches: list[FloorBreach]
    assumptions: pd.DataFrame

    @property
    def plain(self) -> Supernetwork:
        """The supernetwork without copies; its arcs are the first of `supernetwork`'s."""
        return self.territory.supernetwork

    def class_cost(self, *, with_wait: bool) -> FloatArray:
        """Return generalized cost by class and arc [USD/t], shape (n_classes, n_arcs)."""
        by_commodity = self.costs.generalized_usd_per_t(with_wait=with_wait)
        of_class: FloatArray = by_commodity[self.classes.commodity]
        return of_class + self.fee_usd_per_t

    def flow_problem(self, *, congestion: bool, unmet_usd_per_t: float) -> FlowProblem:
        """Return the flow problem: the queues are curves under congestion, fixed waits without."""
        net = self.supernetwork
        return FlowProblem(
            net.graph,
            net.source[self.shipments.origin],
            net.sink[self.shipments.destination],
            self.t_per_day,
            self.class_cost(with_wait=not congestion),
            commodity_class=self.class_of,
            allowed=self.allowed,
            pools=self.pools.pools,
            delay=self.pools.delay if congestion else self.pools.overruns,
            rows=self.rows.rows,
            unmet_cost=np.full(len(self.shipments), unmet_usd_per_t),
        )


def compile_model(
    network: Network,
    demand: Demand | Shipments,
    rules: Rules | None = None,
    *,
    like: Model | None = None,
) -> Model:
    """Compile a network, a demand and rules.

    Parameters
    ----------
    network
        The network, as of its date.
    demand
        Demand of one scenario, or single shipments without tonnes.
    rules
        Rules as of their date, or of the network's where they have none; None is no rules.
    like
        A model of the same network, whose filled tables are taken over; of another network it is
        passed over.

    Returns
    -------
    Model
        The compiled model.

    Raises
    ------
    InputError
        If an argument is of another type, rules name what the network does not know, or demand
        starts where no layer leads.
    """
    check_type("network", network, Network, advice="Load it with corridor.load_network.")
    check_type("demand", demand, Demand, Shipments, advice="Load it with corridor.load_demand.")
    check_type("rules", rules, Rules, type(None), advice="Load them with corridor.load_rules.")
    rules = _dated(rules if rules is not None else Rules(), network)
    faults = rules.errors(network)
    if faults:
        subject = "The set of rules"
        raise InputError.from_faults(subject, faults)
    shipments, t_per_day, scenario = _shipments(network, demand)
    t_per_day, left_out = _tellable(demand, t_per_day)
    filled = like.filled if like is not None and like.network is network else fill_blanks(network)
    plain = build_supernetwork(network)
    _check_zones(plain, shipments)
    vehicles = background_vehicles(network, plain, scenario)
    regimes = crossing_regimes(network, rules.regimes())
    posts = compile_posts(network, filled, plain, regimes, vehicles)

    classes, class_of = shipment_classes(shipments, rules.scopes)
    territory = Territory(
        network=network,
        supernetwork=replace(plain, arc_country=posts.arc_country),
        classes=classes,
        payload_t=payload_t(filled.layers, filled.commodities),
        teu_per_t=teu_per_t(filled.commodities),
    )
    walks = build_walks(
        network, filled, plain, posts, rules.apply(territory),
        regimes=regimes, vehicles=vehicles, n_classes=len(classes),
    )  # fmt: skip
    supernetwork, posts, effects = walks.supernetwork, walks.posts, walks.effects
    vehicles = walks.vehicles
    shape = len(classes), supernetwork.n_arcs
    services = link_services(network, filled, supernetwork)
    queues = posts.queue_delay(_vehicle_value_usd_per_h(filled, shipments, t_per_day))
    at_background = posts.wait_h(queues.wait_h(np.zeros(posts.n_pools)))
    costs = arc_costs(filled, supernetwork, posts, services, at_background)
    pools = assemble_pools(
        network, filled, supernetwork, posts, services, effects,
        queues=queues, classes=classes, payload_t=costs.payload_t, vehicles=vehicles,
    )  # fmt: skip
    return Model(
        network=network,
        rules=rules,
        filled=filled,
        supernetwork=supernetwork,
        posts=posts,
        effects=effects,
        territory=territory,
        sealed=walks.sealed,
        shipments=shipments,
        classes=classes,
        class_of=class_of,
        t_per_day=t_per_day,
        costs=costs,
        background_vehicles=vehicles,
        service_wait_h=services.arc_wait_h,
        fee_usd_per_t=effects.fee_usd_per_t(*shape),
        allowed=effects.allowed(*shape) & supernetwork.arc_open & walks.may_start,
        may_start=walks.may_start,
        pools=pools,
        rows=assemble_rows(effects, class_of, t_per_day),
        breaches=_breaches(walks, network, filled, classes),
        assumptions=pd.concat([filled.assumptions, left_out], ignore_index=True)
        if len(left_out)
        else filled.assumptions,
    )


def _breaches(
    walks: Walks, network: Network, filled: FilledTables, classes: Shipments
) -> list[FloorBreach]:
    """Return where posts inspect less than a floor demands, of open traffic and under each seal."""
    net, effects = walks.supernetwork, walks.effects
    open_traffic = ~walks.sealed.any(axis=1)
    told: list[tuple[str, list[Floor]]] = [
        ("", [replace(floor, arcs=floor.arcs & open_traffic) for floor in effects.floors])
    ]
    for position, rule in enumerate(effects.paths):
        goods = np.zeros(classes.commodities.size, np.bool_)
        goods[classes.commodity[rule.start > 0]] = True
        floors = [
            replace(floor, arcs=floor.arcs & walks.sealed[:, position], goods=floor.goods & goods)
            for floor in effects.floors
            if rule.skip
        ]
        told.append((rule.rule_id, floors))
    found = [
        replace(breach, seal_id=rule_id)
        for rule_id, floors in told
        for breach in floor_breaches(walks.posts, network, filled, net, floors)
    ]
    return list(dict.fromkeys(found))


def _dated(rules: Rules, network: Network) -> Rules:
    """Return the rules as of their own date, or of the network's where they have none."""
    return rules if rules.date is not None else replace(rules, date=network.date)


def _shipments(network: Network, demand: Demand | Shipments) -> tuple[Shipments, FloatArray, str]:
    if isinstance(demand, Shipments):
        return demand, np.zeros(len(demand)), ""
    rows = demand.rows
    places = network.nodes["node_id"].to_numpy(object)
    goods = network.commodities["commodity_id"].to_numpy(object)
    position = {name: i for i, name in enumerate(places)}
    known = {name: i for i, name in enumerate(goods)}
    missing = {*rows["origin"], *rows["destination"]} - set(position)
    missing |= set(rows["commodity"]) - set(known)
    if missing:
        msg = (
            f"Demand must use nodes and commodities of the network; {len(missing)} are unknown: "
            f"{', '.join(sorted(missing)[:5])}. Load the demand of the same data set."
        )
        raise InputError(msg)
    shipments = Shipments(
        origin=rows["origin"].map(position).to_numpy(np.int32),
        destination=rows["destination"].map(position).to_numpy(np.int32),
        commodity=rows["commodity"].map(known).to_numpy(np.int32),
        flag=rows["flag"].to_numpy(object),
        places=places,
        place_country=network.nodes["country"].to_numpy(object),
        commodities=goods,
    )
    return shipments, rows["t_per_day"].to_numpy(float), demand.scenario


def _tellable(demand: Demand | Shipments, t_per_day: FloatArray) -> tuple[FloatArray, pd.DataFrame]:
    """Return the tonnes with 0 for what a solver cannot tell from none, and that assumption."""
    lost = (t_per_day > 0.0) & (t_per_day < LEAST_SHARE * t_per_day.max(initial=0.0))
    if isinstance(demand, Shipments) or not lost.any():
        return t_per_day, pd.DataFrame()
    note: dict[str, list[object]] = {
        "table": ["demand"],
        "column": ["t_per_day"],
        "value": [0.0],
        "origin": [f"below {LEAST_SHARE:g} of the largest row: left out"],
        "n_rows": [int(lost.sum())],
        "keys": [";".join(row_keys(TABLES["demand"], demand.rows)[lost])],
    }
    return np.where(lost, 0.0, t_per_day), pd.DataFrame(note)


def _check_zones(net: Supernetwork, shipments: Shipments) -> None:
    ends = np.concatenate((shipments.origin, shipments.destination))
    bare = np.unique(ends[net.source[ends] < 0])
    if bare.size:
        names = ", ".join(net.places[i] for i in bare[:5])
        msg = (
            f"Demand must start and end at nodes that a link touches; {bare.size} have none: "
            f"{names}. Add links, or move the demand to a node that has some."
        )
        raise InputError(msg)


def _vehicle_value_usd_per_h(
    filled: FilledTables, shipments: Shipments, t_per_day: FloatArray
) -> FloatArray:
    """Return the value of an hour of a waiting vehicle by layer: vehicle, and mean cargo x load.

    One rate per layer keeps the total delay convex, so that its gap is a certificate.
    """
    value = filled.commodities["value_of_time_usd_per_t_h"].to_numpy(float)[shipments.commodity]
    weights = t_per_day if t_per_day.sum() > 0 else np.ones(len(shipments))
    mean = float(np.average(value, weights=weights)) if len(shipments) else 0.0
    layers = filled.layers
    return (layers["vehicle_usd_per_h"] + mean * layers["t_per_vehicle"]).to_numpy(float)
