"""What rules cost: the optimum with all of them, without each, without any; and who pays."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from corridor.core.flows import FlowResult, min_cost_flow
from corridor.core.threads import as_threads
from corridor.network import Demand, Network
from corridor.planning.answer import evaluate
from corridor.planning.model import Model, compile_model
from corridor.planning.reasons.blocks import Relaxed
from corridor.sovereignty import Rules
from corridor.sovereignty.kinds.forbid import ForbidRule

Case: TypeAlias = tuple[Sequence[str], Network | None]
"""Ids of rules that are dropped, and another network, if any."""

ALL_RULES: Final = ""
"""Id under which the cost of all rules together stands."""
_LEAST_USD_PER_DAY: Final = 1.0
_LEAST_T_PER_DAY: Final = 1e-6
COSTS: Final = (
    "total_loss_usd_per_day", "cost_usd_per_day", "precision_usd_per_day", "stays_t_per_day",
)  # fmt: skip
PAYERS: Final = (
    "origin", "destination", "commodity", "t_per_day", "usd_per_t", "pays_usd_per_day",
    "stays_t_per_day",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RuleCosts:
    """Costs of rules, and who pays them.

    The total loss of a plan is the generalized cost of what it serves, and the own value of the
    goods that stay at home (``value_usd_per_t`` of their commodity), the ``total_loss`` of
    `corridor.planning.indicators`. ``unmet_usd_per_t`` steers what is served and is part of no
    cost: a ban costs at most the value of the goods that it keeps at home.

    Attributes
    ----------
    costs
        ``rule_id`` (empty: all rules together), ``total_loss_usd_per_day`` without it,
        ``cost_usd_per_day``: by how much the total loss with all rules is larger;
        ``precision_usd_per_day`` of that difference, below which it is none (the larger of the
        gaps of the two optima: it bounds the difference where the same goods are served), and
        ``stays_t_per_day``: tonnes that stay at home because of it. The cost is below 0 where it
        costs more to carry these than they are worth, as the optimum carries whatever costs less
        than ``unmet_usd_per_t``.
    payers
        ``rule_id, origin, destination, commodity, t_per_day, usd_per_t, pays_usd_per_day,
        stays_t_per_day``: by how much the rule raises the price of a tonne of each shipment, room
        and queues at their marginal cost, and that times its tonnes; largest first, a dollar a day
        and more. Negative where the rule makes room for it. Goods that stay at home, with the rule
        or without, have no price but the steering one: their money is NaN, and they stand last, by
        the tonnes that stay because of the rule. Prices are used because the optimum shares one
        saving out among shipments in many ways; scarce room is paid for to nobody, so that the sum
        is not the cost.
    """

    costs: pd.DataFrame
    payers: pd.DataFrame


class Resolved:
    """Optima of a model without some of its rules, each warm from the first.

    Parameters
    ----------
    model, demand
        A compiled model, and the demand that it was compiled with.
    first
        The optimum with all rules.
    congestion, unmet_usd_per_t, tolerance
        As in `corridor.plan`.
    """

    def __init__(
        self,
        model: Model,
        demand: Demand,
        first: FlowResult,
        *,
        congestion: bool,
        unmet_usd_per_t: float,
        tolerance: float,
    ) -> None:
        self.model, self._demand, self._first = model, demand, first
        self._relaxed = Relaxed(model, demand)
        self._congestion, self._tolerance = congestion, tolerance
        self._unmet = unmet_usd_per_t

    def optimum(self, dropped: Sequence[str] = (), network: Network | None = None) -> FlowResult:
        """Return the optimum without some rules, checked.

        Parameters
        ----------
        dropped
            Ids of the rules.
        network
            Another network with the same links; None is that of the model.
        """
        if not dropped and network is None:
            return self._first
        model = self._without(frozenset(dropped), network)
        problem = model.flow_problem(congestion=self._congestion, unmet_usd_per_t=self._unmet)
        same = model.supernetwork.n_arcs == self.model.supernetwork.n_arcs
        plain = not model.supernetwork.is_copy.any()
        columns = self._first.columns if same and plain else None
        result = min_cost_flow(problem, tolerance=self._tolerance, columns=columns)
        evaluate(model, problem, result, congestion=self._congestion)
        return result

    def optima(self, cases: Sequence[Case]) -> list[FlowResult]:
        """Return the optimum of each case, some at a time; see `optimum`."""
        with ThreadPoolExecutor(max_workers=as_threads(None)) as pool:
            return list(pool.map(lambda case: self.optimum(*case), cases))

    def without(self, dropped: Sequence[str]) -> Rules:
        """Return the rules without some."""
        rules = self.model.rules
        return Rules(tuple(rule for rule in rules.rules if rule.id not in dropped), rules.date)

    def _without(self, dropped: frozenset[str], network: Network | None) -> Model:
        left = self.without(tuple(dropped))
        bans = {rule.id for rule in self.model.rules.in_force if isinstance(rule, ForbidRule)}
        if network is None and dropped <= bans:
            kept = [ban for ban in self.model.effects.bans if ban.rule_id not in dropped]
            return replace(
                self.model, rules=left, allowed=self._relaxed.allowed(dropped),
                effects=replace(self.model.effects, bans=kept),
            )  # fmt: skip
        place = network or self.model.network
        return compile_model(place, self._demand, left, like=self.model)


def rule_costs(resolved: Resolved, binding: Sequence[str]) -> RuleCosts:
    """Return the cost of all rules together and of each that binds.

    A rule that does not bind may be dropped without a change, so that only the others are solved
    without.

    Parameters
    ----------
    resolved
        Solver of the model.
    binding
        Ids of the rules that bind.
    """
    best = resolved.optimum()
    in_force = [rule.id for rule in resolved.model.rules.in_force]
    records, payers = [], []
    cases: list[Case] = [(in_force, None), *(([rule], None) for rule in binding)]
    found = resolved.optima(cases)
    for name, without in zip([ALL_RULES, *binding], found, strict=True):
        records.append((name, *cost_record(resolved.model, best, without)))
        paid = payers_table(resolved.model, best, without)
        paid.insert(0, "rule_id", pd.Series([name] * len(paid), dtype=str))
        payers.append(paid)
    costs = pd.DataFrame(records, columns=["rule_id", *COSTS])
    return RuleCosts(costs=costs, payers=pd.concat(payers, ignore_index=True))


def total_loss_usd_per_day(model: Model, result: FlowResult) -> float:
    """Return the cost of what is served and the own value of what stays at home [USD/day].

    Parameters
    ----------
    model
        The model.
    result
        An optimum of it, with some rules or others.
    """
    value = model.network.commodities["value_usd_per_t"].to_numpy(float)
    stays = float(result.unmet @ value[model.shipments.commodity])
    return float(result.objective - result.unmet_cost) + stays


def cost_record(
    model: Model, best: FlowResult, without: FlowResult
) -> tuple[float, float, float, float]:
    """Return loss without, cost, its precision and the tonnes that stay; see `RuleCosts`.

    Parameters
    ----------
    model
        The model.
    best, without
        The optimum with all rules, and that without some.
    """
    loss = total_loss_usd_per_day(model, without)
    precision = float(max(best.gap, without.gap))
    stays = float(best.unmet.sum() - without.unmet.sum())
    return loss, total_loss_usd_per_day(model, best) - loss, precision, stays


def payers_table(model: Model, best: FlowResult, without: FlowResult) -> pd.DataFrame:
    """Return the shipments that pay, are spared or stay at home; see `RuleCosts`.

    Parameters
    ----------
    model
        The model.
    best, without
        The optimum with all rules, and that without some.
    """
    unpriced = np.maximum(best.unmet, without.unmet) > _LEAST_T_PER_DAY
    dearer = np.where(unpriced, np.nan, best.demand_price - without.demand_price)
    pays, stays = dearer * model.t_per_day, best.unmet - without.unmet
    stays = np.where(np.abs(stays) > _LEAST_T_PER_DAY, stays, 0.0)
    rows = np.flatnonzero((np.abs(pays) >= _LEAST_USD_PER_DAY) | (unpriced & (stays != 0.0)))
    money = np.where(unpriced, -np.inf, pays)
    rows = rows[np.lexsort((-stays[rows], -money[rows]))]
    shipments = model.shipments
    columns = (
        shipments.places[shipments.origin[rows]], shipments.places[shipments.destination[rows]],
        shipments.commodities[shipments.commodity[rows]], model.t_per_day[rows], dearer[rows],
        pays[rows], stays[rows],
    )  # fmt: skip
    return pd.DataFrame(dict(zip(PAYERS, columns, strict=True)))
