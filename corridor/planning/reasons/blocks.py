"""Why a shipment has no way: the bans and prescribed ways that bar it, and what would open one."""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.paths import shortest_paths
from corridor.network import Demand
from corridor.planning.model import Model, compile_model
from corridor.planning.reasons.changes import DROPPED, EXCEPT, RULE, Change
from corridor.planning.reasons.conflicts import MOST, Diagnosis, Names, find_conflicts
from corridor.sovereignty import Rules, Scope
from corridor.sovereignty.kinds.forbid import ForbidRule
from corridor.sovereignty.kinds.require import RequireRule

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
Option: TypeAlias = tuple[Change, ...]

NOTHING: Final[Names] = frozenset()


class Relaxed:
    """A model without some of its rules: bans by masks, prescribed ways by compiling anew.

    Parameters
    ----------
    model, demand
        A compiled model, and the demand that it was compiled with.
    """

    def __init__(self, model: Model, demand: Demand) -> None:
        self.model, self._demand = model, demand
        self._required = {r.id for r in model.rules.in_force if isinstance(r, RequireRule)}
        self._models: dict[Names, Model] = {NOTHING: model}

    def without(self, dropped: Names) -> Model:
        """Return the model without the prescribed ways among the dropped rules."""
        gone = dropped & self._required
        if gone not in self._models:
            rules = self.model.rules
            left = tuple(rule for rule in rules.rules if rule.id not in gone)
            self._models[gone] = compile_model(
                self.model.network, self._demand, Rules(left, rules.date), like=self.model
            )
        return self._models[gone]

    def allowed(self, dropped: Names) -> BoolArray:
        """Return the arcs that are open to each class without the dropped rules."""
        model = self.without(dropped)
        allowed = np.broadcast_to(
            model.supernetwork.arc_open & model.may_start, model.allowed.shape
        ).copy()
        for ban in model.effects.bans:
            if ban.rule_id not in dropped:
                allowed[ban.pairs.nonzero()] = False
        return allowed

    def open_to(self, shipment: int, dropped: Names) -> BoolArray:
        """Return the arcs that are open to one shipment without the dropped rules, (n_arcs,)."""
        model = self.without(dropped)
        code = model.class_of[shipment]
        may_start = np.broadcast_to(model.may_start, model.allowed.shape)[code]
        is_open: BoolArray = model.supernetwork.arc_open & may_start
        for ban in model.effects.bans:
            if ban.rule_id not in dropped:
                is_open[ban.pairs[[code]].nonzero()[1]] = False
        return is_open


class BlockDiagnosis(NamedTuple):
    """Conflicts that keep a shipment from every way, and the ways out, lightest first."""

    found: Diagnosis
    options: list[Option]


def diagnose_block(
    relaxed: Relaxed,
    shipment: int,
    worth_usd_per_t: float,
    weights: Mapping[str, float],
    most: int = MOST,
) -> BlockDiagnosis:
    """Return which rules together keep a shipment from every way that is worth its cost.

    A conflict is a set of bans and prescribed ways under which the cheapest way on an empty network
    costs as much as leaving the goods, while any of them may be dropped to change that. A change
    lifts a ban for the shipment alone.

    Parameters
    ----------
    relaxed, shipment
        The model, and the position of the shipment.
    worth_usd_per_t
        Price of a tonne that is not served [USD/t].
    weights
        Policy weights of rules; 1 where none is given.
    most
        Most conflicts, and most corrections.
    """
    names = _speaking(relaxed.model, shipment)

    def can_hold(kept: Names) -> bool:
        return _least_cost(relaxed, shipment, frozenset(names) - kept) < worth_usd_per_t

    found = find_conflicts(names, can_hold, weights, most)
    of_rule = {rule.id: rule for rule in relaxed.model.rules.in_force}
    scope = shipment_scope(relaxed.model, shipment)
    options = [
        tuple(
            Change(rule_id=name, kind=of_rule[name].kind, field=EXCEPT, before="", after=scope)
            if isinstance(of_rule[name], ForbidRule)
            else Change(
                rule_id=name, kind=of_rule[name].kind, field=RULE, before="in force", after=DROPPED
            )
            for name in correction
        )
        for correction in found.corrections
    ]
    return BlockDiagnosis(found, options)


def shipment_scope(model: Model, shipment: int) -> Scope:
    """Return the scope of one shipment."""
    goods = model.shipments
    return Scope(
        origins=(str(goods.places[goods.origin[shipment]]),),
        destinations=(str(goods.places[goods.destination[shipment]]),),
        commodities=(str(goods.commodities[goods.commodity[shipment]]),),
        flags=(str(goods.flag[shipment]),),
    )


def _speaking(model: Model, shipment: int) -> list[str]:
    """Return the bans and prescribed ways that speak of a shipment, in the order of the rules."""
    code = model.class_of[shipment]
    named = {ban.rule_id for ban in model.effects.bans if ban.pairs[[code]].nnz}
    named |= {
        rule.rule_id
        for rule in model.effects.paths
        if rule.start[code] and not rule.automaton.accepting.all() and not rule.skip
    }
    return [rule.id for rule in model.rules.in_force if rule.id in named]


def _least_cost(relaxed: Relaxed, shipment: int, dropped: Names) -> float:
    """Return the cost of the cheapest way on an empty network without some rules [USD/t]."""
    model = relaxed.without(dropped)
    net, code = model.supernetwork, model.class_of[shipment]
    usd = model.costs.generalized_usd_per_t(with_wait=False)[model.classes.commodity[code]]
    cost = np.where(relaxed.open_to(shipment, dropped), usd + model.fee_usd_per_t[code], np.inf)
    source = net.source[model.shipments.origin[shipment]]
    sink = net.sink[model.shipments.destination[shipment]]
    distance, _ = shortest_paths(net.graph, cost, [source])
    return float(distance[0, sink])
