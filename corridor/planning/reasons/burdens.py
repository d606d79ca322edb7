"""What rules cost: the optimum with all of them, without each, without any; and who pays."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.flows import FlowResult, min_cost_flow
from corridor.core.threads import as_threads
from corridor.network import Demand, Network
from corridor.planning.answer import evaluate
from corridor.planning.model import Model, compile_model
from corridor.planning.reasons.blocks import Relaxed
from corridor.sovereignty import Rules
from corridor.sovereignty.kinds.forbid import ForbidRule

FloatArray: TypeAlias = NDArray[np.float64]
Case: TypeAlias = tuple[Sequence[str], Network | None]
"""Ids of rules that are dropped, and another network, if any."""

ALL_RULES: Final = ""
"""Id under which the cost of all rules together stands."""
_LEAST_USD_PER_DAY: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RuleCosts:
    """Costs of rules, and who pays them.

    Attributes
    ----------
    costs
        ``rule_id`` (empty: all rules together), ``objective_usd_per_day`` without it,
        ``cost_usd_per_day``: what the optimum with all rules costs more; unmet demand included.
    payers
        ``rule_id, origin, destination, commodity, t_per_day, usd_per_t, pays_usd_per_day``: by how
        much the rule raises the price of a tonne of each shipment, room and queues at their
        marginal cost, and that times its tonnes; largest first, a dollar a day and more. Negative
        where the rule makes room for it. Prices are used because the optimum shares one saving out
        among shipments in many ways; scarce room is paid for to nobody, so that the sum is not the
        cost.
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
        records.append((name, without.objective, best.objective - without.objective))
        dearer = best.demand_price - without.demand_price
        paid = payers_table(resolved.model, dearer)
        paid.insert(0, "rule_id", pd.Series([name] * len(paid), dtype=str))
        payers.append(paid)
    costs = pd.DataFrame(records, columns=["rule_id", "objective_usd_per_day", "cost_usd_per_day"])
    return RuleCosts(costs=costs, payers=pd.concat(payers, ignore_index=True))


def payers_table(model: Model, dearer: FloatArray) -> pd.DataFrame:
    """Return the shipments that pay, or are spared, a dollar a day and more, largest first.

    Parameters
    ----------
    model
        The model.
    dearer : ndarray of float64, shape (n_shipments,)
        What a tonne of each shipment pays more [USD/t].
    """
    pays = dearer * model.t_per_day
    rows = np.flatnonzero(np.abs(pays) >= _LEAST_USD_PER_DAY)
    rows = rows[np.argsort(-pays[rows], kind="stable")]
    shipments = model.shipments
    return pd.DataFrame(
        {
            "origin": shipments.places[shipments.origin[rows]],
            "destination": shipments.places[shipments.destination[rows]],
            "commodity": shipments.commodities[shipments.commodity[rows]],
            "t_per_day": model.t_per_day[rows],
            "usd_per_t": dearer[rows],
            "pays_usd_per_day": pays[rows],
        }
    )
