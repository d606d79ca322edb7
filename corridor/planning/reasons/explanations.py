"""The verb ``explain``: why not, what the rules cost, and the least that would have to change."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from corridor.border import FloorBreach
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning.model import Model, compile_model
from corridor.planning.plans import UNMET_USD_PER_T, plan_and_flow
from corridor.planning.reasons.blocks import Option, Relaxed, diagnose_block
from corridor.planning.reasons.breaches import diagnose_floors
from corridor.planning.reasons.burdens import ALL_RULES, COSTS, PAYERS, Resolved, rule_costs
from corridor.planning.reasons.changes import apply_changes
from corridor.planning.reasons.conflicts import MOST, Diagnosis
from corridor.planning.reasons.principles import principle_costs
from corridor.planning.reasons.refusals import closed_links
from corridor.planning.reasons.shortfalls import diagnose_shortfall
from corridor.planning.results import Plan, Status
from corridor.planning.tables import SEPARATOR
from corridor.sovereignty import Rules

POSTS: Final = "posts"
"""Subject of conflicts with inspection floors."""
FLOWS: Final = "flows"
"""Subject of conflicts that leave no flow at all."""
_MOST_FULL: Final = 3
_TOP: Final = 3
_TOLD: Final = ("cost_usd_per_day", "precision_usd_per_day", "stays_t_per_day")
_LEAST_SAID: Final = 0.05
"""Tonnes a day that are told of."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Explanation:
    """Why a plan is as it is: what cannot be, what would have to change, and what rules cost.

    Attributes
    ----------
    status
        Status of the plan, see `Plan`.
    date
        The day whose rules were read.
    conflicts
        ``subject, conflict, rules, detail``: minimal sets of rules (ids joined by ``>``) that
        cannot hold together. The subject is ``posts`` (inspection floors), ``flows`` (no flow
        keeps the rules even when nothing need be served) or a shipment that is not served.
    relaxations
        ``subject, option, rule_id, kind, field, before, after, change, unit, host``: the rows of
        one option are made together and are enough for its subject; options are numbered over all
        subjects, the lightest of a subject first. ``change`` is in the rule's own unit, NaN where
        the value is no number. ``host`` names the state that alone may make the change.
    prices
        ``rule_id, kind, title, price, unit`` of the rules that bind; a ban has no price.
    costs
        ``rule_id`` (empty: all rules), ``total_loss_usd_per_day`` without it, ``cost_usd_per_day``
        (by how much the total loss is larger: the cost of what is served, and goods that stay at
        home at their own value, never at ``unmet_usd_per_t``), ``precision_usd_per_day`` and
        ``stays_t_per_day``, see `corridor.planning.reasons.burdens.RuleCosts`.
    payers
        ``rule_id, origin, destination, commodity, t_per_day, usd_per_t, pays_usd_per_day,
        stays_t_per_day``; goods that stay at home have no price, and stand last.
    principles
        ``principle, without, rules`` and the numbers of `costs`: what each of the four principles
        costs, see `corridor.planning.reasons.principles.PrincipleCosts`.
    principle_payers
        ``principle, without`` and the columns of `payers`.
    compliance
        How the plan stands to the four principles, see `Plan`.
    options
        The changes of each option, in the order of their numbers.
    sentences
        All of it in words, with the ids of the rules.
    """

    status: Status
    date: dt.date | None
    conflicts: pd.DataFrame
    relaxations: pd.DataFrame
    prices: pd.DataFrame
    costs: pd.DataFrame
    payers: pd.DataFrame
    principles: pd.DataFrame
    principle_payers: pd.DataFrame
    compliance: pd.DataFrame
    options: tuple[Option, ...]
    sentences: tuple[str, ...]

    def relaxed(self, rules: Rules, option: int = 0) -> Rules:
        """Return a rulebook with the changes of an option made.

        Parameters
        ----------
        rules
            The rules that were explained.
        option
            Number of the option in `relaxations`.
        """
        return apply_changes(rules, self.options[option])

    def __repr__(self) -> str:
        return (
            f"Explanation({self.status}, {len(self.conflicts)} conflicts, "
            f"{len(self.options)} options, {len(self.prices)} rules bind)"
        )


def explain(
    network: Network,
    demand: Demand,
    rules: Rules | None = None,
    *,
    congestion: bool = True,
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    weights: Mapping[str, float] | None = None,
    most: int = MOST,
    tolerance: float = 1e-6,
) -> Explanation:
    """Return why rules leave no plan or goods unserved, what would help, and what rules cost.

    Every conflict is minimal: its rules cannot hold together, any part of them can. Every option is
    enough for its subject, and nothing less of it is. An inspection floor is never relaxed; a
    change of it is listed as the host's own, after all other options.

    Parameters
    ----------
    network, demand, rules
        As in `corridor.plan`.
    congestion, unmet_usd_per_t, tolerance
        As in `corridor.plan`.
    weights
        Policy weights: how unwelcome a change of a rule is, > 0; 1 where none is given. Options
        with the least total weight come first.
    most
        Most conflicts and most corrections that are looked for, for each subject.

    Returns
    -------
    Explanation
        Tables, options and sentences.

    Raises
    ------
    InputError
        If network, demand and rules do not fit each other, or a weight is of no rule or not a
        finite number > 0.

    Examples
    --------
    >>> import corridor
    >>> case = corridor.load_study("crossroads").case("no_stop_under_floor")
    >>> found = corridor.explain(*case)
    >>> found.status, found.conflicts["rules"].tolist()
    ('infeasible', ['floor_arm_scanner>tripp_no_stop', 'floor_arm_inspection>tripp_no_stop'])
    """
    _check_weights(weights, rules)
    model = compile_model(network, demand, rules)
    plan, flow = plan_and_flow(
        model, congestion=congestion, unmet_usd_per_t=unmet_usd_per_t, tolerance=tolerance
    )
    told = _Told(model, demand, weights or {}, most)
    if plan.status == "infeasible":
        told.infeasible()
    elif flow is not None:
        told.unserved(plan, unmet_usd_per_t)
        resolved = Resolved(
            model, demand, flow, congestion=congestion, unmet_usd_per_t=unmet_usd_per_t,
            tolerance=tolerance,
        )  # fmt: skip
        told.priced(plan, resolved)
    return told.explanation(plan)


def _check_weights(weights: Mapping[str, float] | None, rules: Rules | None) -> None:
    """Refuse weights of unknown rules, and what is no finite number > 0."""
    if not weights:
        return
    known = {rule.id for rule in rules.rules} if rules is not None else set()
    unknown = [name for name in weights if name not in known]
    if unknown:
        msg = (
            f"weights must be of rules of the rulebook; {len(unknown)} are not: "
            f"{', '.join(map(str, unknown[:_TOP]))}. Correct the ids."
        )
        raise InputError(msg)
    for name, weight in weights.items():
        if not 0.0 < weight < np.inf:
            msg = f"The weight of {name} must be a finite number > 0; found {weight!r}. Correct it."
            raise InputError(msg)


class _Told:
    """Collects what is told, subject by subject."""

    def __init__(
        self, model: Model, demand: Demand, weights: Mapping[str, float], most: int
    ) -> None:
        self.model, self.demand, self.weights, self.most = model, demand, weights, most
        self.relaxed = Relaxed(model, demand)
        self.conflicts: list[tuple[str, int, str, str]] = []
        self.options: list[tuple[str, Option]] = []
        self.prices = pd.DataFrame(columns=["rule_id", "kind", "title", "price", "unit"])
        self.costs = pd.DataFrame(columns=["rule_id", *COSTS])
        self.payers = pd.DataFrame(columns=["rule_id", *PAYERS])
        self.principles = pd.DataFrame(columns=["principle", "without", "rules", *COSTS])
        self.principle_payers = pd.DataFrame(columns=["principle", "without", *PAYERS])
        self.sentences: list[str] = []

    def infeasible(self) -> None:
        """Tell what leaves no plan even when nothing need be served."""
        self.sentences.append("No plan keeps the rules, even when nothing need be served.")
        if self.model.breaches:
            found, options = diagnose_floors(self.model, self.demand, self.weights, self.most)
            self._tell(POSTS, found, options, _shown_breaches(self.model.breaches))
        if any(row.lower > 0.0 for row in self.model.effects.rows):
            nobody = np.zeros(0, np.int32)
            found, options = diagnose_shortfall(self.relaxed, nobody, self.weights, self.most)
            if found.conflicts:
                self._tell(FLOWS, found, options, {})

    def unserved(self, plan: Plan, unmet_usd_per_t: float) -> None:
        """Tell what keeps shipments from being served."""
        rows = _shipment_rows(self.model, plan.unmet)
        for row, t_per_day, reason in zip(
            rows, plan.unmet["t_per_day"], plan.unmet["reason"], strict=True
        ):
            if reason == "rule":
                subject = _subject(self.model, row)
                self.sentences.append(f"{subject}: {t_per_day:,.0f} t/day have no lawful way.")
                found, options = diagnose_block(
                    self.relaxed, int(row), unmet_usd_per_t, self.weights, self.most
                )
                self._tell(subject, found, options, {})
        for reason, why in _WHY.items():
            left = plan.unmet[plan.unmet["reason"] == reason]
            if len(left):
                self.sentences.append(
                    f"{len(left)} shipments, {left['t_per_day'].sum():,.0f} t/day: {why}"
                )
        self._closed(rows[(plan.unmet["reason"] == "no_path").to_numpy()], unmet_usd_per_t)
        named = (plan.unmet["reason"] == "capacity") & (plan.unmet["rules"] != "")
        if named.any():
            self._full(rows[named.to_numpy()])

    def _closed(
        self, rows: np.ndarray[tuple[int], np.dtype[np.int32]], unmet_usd_per_t: float
    ) -> None:
        """Tell which closed links bar shipments from ways that are worth their cost."""
        of_links: dict[tuple[str, ...], list[int]] = {}
        for row in rows:
            links = closed_links(self.model, int(row), unmet_usd_per_t)
            if links:
                of_links.setdefault(links, []).append(int(row))
        for links, barred in of_links.items():
            t_per_day = float(self.model.t_per_day[barred].sum())
            who = _subject(self.model, barred[0])
            n = len(barred) - 1
            more = f" and {n} more shipment{'s' if n > 1 else ''}" if n else ""
            self.sentences.append(
                f"{who}{more} ({t_per_day:,.0f} t/day): the cheapest way is closed at "
                f"{', '.join(links)}; what closes links is their status or works of the day, or "
                "the variant."
            )

    def _full(self, must: np.ndarray[tuple[int], np.dtype[np.int32]]) -> None:
        """Tell which limits keep shipments, all of them together, from being served in full."""
        most = min(self.most, _MOST_FULL)
        found, options = diagnose_shortfall(self.relaxed, must, self.weights, most)
        subject = f"{len(must)} shipments kept back by limits"
        if len(must) == 1:
            subject = _subject(self.model, must[0])
        self._tell(subject, found, options, {})

    def _tell(
        self, subject: str, found: Diagnosis, options: list[Option], details: Mapping[str, str]
    ) -> None:
        if found.hopeless:
            self.sentences.append(f"{subject}: not even without any rule; it is not the rules.")
        for number, rules in enumerate(found.conflicts):
            detail = " ".join(details[rule] for rule in rules if rule in details)
            self.conflicts.append((subject, number, SEPARATOR.join(rules), detail))
            self.sentences.append(f"{subject}: {_clash(rules)}. {detail}".rstrip())
        if options:
            self.sentences.append(f"{subject}: any one of these ways is enough, lightest first:")
        for option in options:
            # The number is that of the tables and of `Explanation.relaxed`: it runs on.
            self.sentences.append(f"  way {len(self.options)}: {'; '.join(map(str, option))}.")
            self.options.append((subject, option))

    def priced(self, plan: Plan, resolved: Resolved) -> None:
        """Tell which rules bind, their prices and costs, and who pays."""
        binding = plan.rules[plan.rules["binding"].astype(bool)]
        self.prices = binding.drop(columns="binding").reset_index(drop=True)
        if not len(plan.rules):
            return
        found = rule_costs(resolved, binding["rule_id"].tolist())
        self.costs, self.payers = found.costs, found.payers
        by_principle = principle_costs(resolved)
        self.principles, self.principle_payers = by_principle.costs, by_principle.payers
        for row in self.prices[self.prices["price"] > 0.0].itertuples():
            unit = str(row.unit).replace("usd_per_", "USD per ")
            self.sentences.append(
                f"{row.rule_id}: one unit more of its limit would save {row.price:,.2f} {unit}."
            )
        for name, cost, precision, stays in found.costs[["rule_id", *_TOLD]].itertuples(
            index=False
        ):
            paying = found.payers[found.payers["rule_id"] == name].head(_TOP)
            who = "; ".join(
                f"{p.origin} to {p.destination}, {p.commodity} ({p.pays_usd_per_day:,.0f})"
                for p in paying.itertuples()
                if float(p.pays_usd_per_day) > 0.0
            )
            subject = "All rules together" if name == ALL_RULES else name
            by = f"; most is paid by {who}" if who else ""
            said = _cost_said(cost, precision, stays, "cost", "save")
            self.sentences.append(f"{subject}: {said}{by}.")
        self._tell_principles()

    def _tell_principles(self) -> None:
        """Tell what each principle costs."""
        rows = self.principles[["principle", "without", "rules", *_TOLD]]
        for principle, without, rules, cost, precision, stays in rows.itertuples(index=False):
            if rules:
                name = principle.capitalize() or "No principle"
                said = _cost_said(cost, precision, stays, "costs", "saves")
                self.sentences.append(f"{name} ({without}): {said}.")

    def explanation(self, plan: Plan) -> Explanation:
        """Return all that was told."""
        columns = ["subject", "conflict", "rules", "detail"]
        return Explanation(
            status=plan.status,
            date=plan.date,
            conflicts=pd.DataFrame(self.conflicts, columns=columns),
            relaxations=_relaxations(self.options),
            prices=self.prices,
            costs=self.costs,
            payers=self.payers,
            principles=self.principles,
            principle_payers=self.principle_payers,
            compliance=plan.compliance,
            options=tuple(option for _, option in self.options),
            sentences=tuple(self.sentences),
        )


_WHY: Final = {
    "capacity": "a way is open and worth its cost, but it is full.",
    "no_path": "no open way costs less than leaving the goods, rules or not.",
}


def _cost_said(cost: float, precision: float, stays: float, costs: str, saves: str) -> str:
    """Return a cost in words, and what stays at home."""
    if abs(cost) <= precision:
        said = f"{costs} none, within the plan's precision"
    else:
        said = f"{costs if cost > 0.0 else saves} {abs(cost):,.0f} USD/day"
    return said + _stays_said(stays)


def _stays_said(t_per_day: float) -> str:
    """Return what stays at home or is set free by a rule, in words."""
    if abs(t_per_day) < _LEAST_SAID:
        return ""
    if t_per_day > 0.0:
        return f", {t_per_day:,.1f} t/day that stay at home counted at their own value"
    return f", {-t_per_day:,.1f} t/day more carried with it"


def _clash(rules: Iterable[str]) -> str:
    """Return that some rules cannot hold together, in words."""
    names = list(rules)
    if len(names) == 1:
        return f"{names[0]} alone rules it out"
    return f"{', '.join(names[:-1])} and {names[-1]} cannot hold together"


def _subject(model: Model, shipment: int | np.signedinteger) -> str:
    goods = model.shipments
    origin, destination = goods.origin[shipment], goods.destination[shipment]
    commodity = goods.commodities[goods.commodity[shipment]]
    return f"{goods.places[origin]} to {goods.places[destination]}, {commodity}"


def _shipment_rows(model: Model, unmet: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Return the position of each row of unmet demand among the shipments."""
    goods = model.shipments
    keys = zip(
        goods.places[goods.origin], goods.places[goods.destination],
        goods.commodities[goods.commodity], strict=True,
    )  # fmt: skip
    position = {key: i for i, key in enumerate(keys)}
    columns = (unmet["origin"], unmet["destination"], unmet["commodity"])
    return np.array([position[key] for key in zip(*columns, strict=True)], dtype=np.int32)


def _shown_breaches(breaches: Iterable[FloorBreach]) -> dict[str, str]:
    """Return what each floor demands, and what the posts below it inspect."""
    of_floor: dict[str, list[FloorBreach]] = {}
    for breach in breaches:
        of_floor.setdefault(breach.rule_id, []).append(breach)
    shown = {}
    for rule, found in of_floor.items():
        first = found[0]
        least = min(breach.share for breach in found)
        where = ", ".join(dict.fromkeys(breach.crossing_id for breach in found))
        shown[rule] = (
            f"{first.country} demands that its {first.stage} sees at least {first.floor:g} of the "
            f"vehicles; it sees {least:g} at {where}."
        )
    return shown


def _relaxations(options: list[tuple[str, Option]]) -> pd.DataFrame:
    """Return every change of every option."""
    columns = ["subject", "option", "rule_id", "kind", "field", "before", "after", "change"]
    records = [
        (
            subject, number, change.rule_id, change.kind, change.field, change.said(change.before),
            change.said(change.after), change.amount, change.unit, change.host,
        )
        for number, (subject, option) in enumerate(options)
        for change in option
    ]  # fmt: skip
    return pd.DataFrame(records, columns=[*columns, "unit", "host"])
