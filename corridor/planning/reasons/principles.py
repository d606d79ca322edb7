"""What each of the four principles costs: the optimum under the rules, and without its rules.

Every rule stands for one principle at most:

* **reciprocity**: bands and floors between two flows;
* **equality**: rules that tell flags apart, of any other kind. They set the principle aside, so
  that their cost is that of not treating all alike;
* **jurisdiction**: whose law and charges hold at a post: regimes, seals and the fees of states;
* **sovereignty**: what a state closes, limits or prescribes on its soil, and what it inspects.

Consents, and costs that no state sets (a fee that nobody earns: insurance), stand for none.

Inspections cost time whether a rule demands them or not. The cost of an inspection floor is
therefore that of inspecting: the optimum when the posts work the stage, less that when no post of
the state works it.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final, NamedTuple

import pandas as pd

from corridor.network import Network
from corridor.planning.reasons.bargaining import with_own_rows, worked_by_share
from corridor.planning.reasons.burdens import COSTS, Resolved, cost_record, payers_table
from corridor.planning.reasons.compliance import EQUALITY, JURISDICTION, RECIPROCITY, SOVEREIGNTY
from corridor.planning.tables import SEPARATOR
from corridor.sovereignty import Rule
from corridor.sovereignty.kinds.fee import FeeRule
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule
from corridor.sovereignty.kinds.reciprocity import ReciprocityRule
from corridor.sovereignty.kinds.regime import RegimeRule
from corridor.sovereignty.kinds.sealed import SealedRule
from corridor.sovereignty.kinds.waive import WaiveRule

NO_PRINCIPLE: Final = ""
ALL_PRINCIPLES: Final = "all four"
LIMITS: Final = "bans, limits and prescribed ways"
INSPECTIONS: Final = "inspections that floors demand"
CHARGES: Final = "regimes, seals and charges"
BANDS: Final = "bands between two flows"
FLAGS: Final = "rules for single flags"
EVERYTHING: Final = "all of these"
UNPRINCIPLED: Final = "consents and costs that no state sets"
NOBODY: Final = "none"
"""Payee of a fee that no state earns."""


class PrincipleCosts(NamedTuple):
    """What the principles cost, and who pays.

    Attributes
    ----------
    costs
        ``principle, without`` (what is taken away), ``rules`` (ids joined by ``>``),
        ``total_loss_usd_per_day`` without it, and ``cost_usd_per_day, precision_usd_per_day,
        stays_t_per_day`` as in `corridor.planning.reasons.burdens.RuleCosts`: differences of the
        total loss, transfers included. Below 0 where it saves: a regime that is quicker than the
        posts' own. 0 where no rule stands for it. The last row is what stands for no principle (the
        principle is empty): "all rules together" of the rules' costs takes that away too, and
        leaves the posts to inspect as before, so that it is another sum than "all four".
    payers
        ``principle, without`` and the columns of
        `corridor.planning.reasons.burdens.RuleCosts.payers`.
    """

    costs: pd.DataFrame
    payers: pd.DataFrame


def principle_of(rule: Rule) -> str:
    """Return the principle that a rule stands for; empty for none.

    Examples
    --------
    >>> from corridor.sovereignty.rulebook import parse_rules
    >>> ban = {"id": "b", "kind": "forbid", "title": "", "countries": ["ARM"]}
    >>> [principle_of(rule) for rule in parse_rules([ban, ban | {"id": "c", "flags": ["TUR"]}], "")]
    ['sovereignty', 'equality']
    """
    if isinstance(rule, WaiveRule) or (isinstance(rule, FeeRule) and rule.payee == NOBODY):
        return NO_PRINCIPLE
    if isinstance(rule, ReciprocityRule):
        return RECIPROCITY
    if any(scope.flags is not None for scope in rule.scopes):
        return EQUALITY
    if isinstance(rule, RegimeRule | SealedRule | FeeRule):
        return JURISDICTION
    return SOVEREIGNTY


def principle_costs(resolved: Resolved) -> PrincipleCosts:
    """Return what each principle costs, and all four together.

    Parameters
    ----------
    resolved
        Solver of the model; its optimum has all rules.
    """
    best, cases = resolved.optimum(), _counterfactuals(resolved)
    found = resolved.optima([(case.rules, case.network) for case in cases])
    records, payers = [], []
    for case, result in zip(cases, found, strict=True):
        key = (case.principle, case.without)
        numbers = cost_record(resolved.model, best, result)
        records.append((*key, SEPARATOR.join(case.rules), *numbers))
        paid = payers_table(resolved.model, best, result)
        for place, name in enumerate(("principle", "without")):
            paid.insert(place, name, pd.Series([key[place]] * len(paid), dtype=str))
        payers.append(paid)
    columns = ["principle", "without", "rules", *COSTS]
    return PrincipleCosts(
        costs=pd.DataFrame(records, columns=columns), payers=pd.concat(payers, ignore_index=True)
    )


class _Counterfactual(NamedTuple):
    """What is taken away for a principle: rules, and inspections by another network."""

    principle: str
    without: str
    rules: list[str]
    network: Network | None = None


def _counterfactuals(resolved: Resolved) -> list[_Counterfactual]:
    """Return what is taken away for each principle, and for all of them."""
    in_force = resolved.model.rules.in_force
    floors = [rule for rule in in_force if isinstance(rule, InspectionFloorRule)]
    bare = uninspected(resolved.model.network, floors) if floors else None
    cases = []
    for principle, without in (
        (SOVEREIGNTY, LIMITS), (JURISDICTION, CHARGES), (RECIPROCITY, BANDS), (EQUALITY, FLAGS),
    ):  # fmt: skip
        rules = [r.id for r in in_force if principle_of(r) == principle and r not in floors]
        cases.append(_Counterfactual(principle, without, rules))
        if principle == SOVEREIGNTY:
            names = [rule.id for rule in floors]
            cases.append(_Counterfactual(principle, INSPECTIONS, names, bare))
    rules = [rule.id for rule in in_force if principle_of(rule) != NO_PRINCIPLE]
    others = [rule.id for rule in in_force if principle_of(rule) == NO_PRINCIPLE]
    return [
        *cases,
        _Counterfactual(ALL_PRINCIPLES, EVERYTHING, rules, bare),
        _Counterfactual(NO_PRINCIPLE, UNPRINCIPLED, others),
    ]


def uninspected(network: Network, floors: Sequence[InspectionFloorRule]) -> Network:
    """Return the network whose posts send nobody to the stages that floors speak of.

    Under no regime, at no fee and without a delay.

    Parameters
    ----------
    network
        The network.
    floors
        The floors: each speaks of a stage of its state's posts, of some crossings and layers alone
        where it names any.
    """
    stages, crossings = network.stages, network.crossings
    layer_of = dict(zip(crossings["crossing_id"], crossings["layer"], strict=True))
    regimes = sorted({*crossings["regime"], *stages["regime"]} - {""})
    for floor in floors:
        for crossing, regime in product(floor.crossings or (), regimes):
            post = (crossing, floor.country, layer_of[crossing])
            stages = with_own_rows(stages, post, regime)
        layer = stages["crossing_id"].map(layer_of).fillna(stages["layer"])
        skipped = (stages["country"] == floor.country) & (stages["stage"] == floor.stage)
        if floor.layers is not None:
            skipped &= layer.isin(floor.layers)
        if floor.crossings is not None:
            skipped &= stages["crossing_id"].isin(floor.crossings)
        stages = worked_by_share(stages, skipped, 0.0)
    return network.replace(stages=stages)
