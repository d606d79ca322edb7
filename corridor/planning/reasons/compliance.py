"""The four principles as checks on a plan: jurisdiction, sovereignty, reciprocity, equality.

The checks look at the plan's paths, at the posts on them and at the rules in force. They ask
nothing of the solver: the same evidence would convict a plan made by hand.
"""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from corridor.network.supernetwork import ArcKind
from corridor.planning.answer import FlowAnswer
from corridor.planning.model import Model
from corridor.planning.tables import SEPARATOR
from corridor.sovereignty import Journeys
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule
from corridor.sovereignty.kinds.reciprocity import ReciprocityRule
from corridor.sovereignty.kinds.waive import WaiveRule

JURISDICTION: Final = "jurisdiction"
SOVEREIGNTY: Final = "sovereignty"
RECIPROCITY: Final = "reciprocity"
EQUALITY: Final = "equality"

KEPT: Final = "kept"
BROKEN: Final = "broken"
WAIVED: Final = "waived"
EXCEPTED: Final = "excepted"
NOT_RULED: Final = "not ruled"

_OWN_CONTROLS: Final = "P2"
_CONSENTS: Final = {JURISDICTION: ("P1", _OWN_CONTROLS), EQUALITY: ("P4",)}
"""Principles of `waive` rules that a state may give up; a floor and a band it cannot."""


class Verdict(NamedTuple):
    """One row of the compliance table."""

    principle: str
    verdict: str
    rules: tuple[str, ...]
    detail: str


def compliance_table(answer: FlowAnswer) -> pd.DataFrame:
    """Return how a plan stands to the four principles.

    Returns
    -------
    DataFrame
        ``principle, verdict, rules, detail``, at least one row a principle. The verdict is
        ``kept``; ``broken``; ``waived`` (a state's own consent covers it, and is cited);
        ``excepted`` (a rule in force sets the principle aside, and is named); or ``not ruled`` (no
        rule in force speaks of it). ``rules`` are ids joined by ``>``.
    """
    journeys = answer.journeys()
    verdicts = [
        *_jurisdiction(answer),
        *_sovereignty(answer.model, journeys),
        *_reciprocity(answer.model, journeys),
        *_equality(answer.model),
    ]
    return pd.DataFrame(
        {
            "principle": pd.Series([v.principle for v in verdicts], dtype=str),
            "verdict": pd.Series([v.verdict for v in verdicts], dtype=str),
            "rules": pd.Series([SEPARATOR.join(v.rules) for v in verdicts], dtype=str),
            "detail": pd.Series([v.detail for v in verdicts], dtype=str),
        }
    )


def _consent(model: Model, principle: str, state: str) -> tuple[str, ...]:
    """Return the rules by which a state waives a principle."""
    waived = _CONSENTS[principle]
    return tuple(
        rule.id
        for rule in model.rules.in_force
        if isinstance(rule, WaiveRule) and rule.principle in waived and rule.country == state
    )


def _jurisdiction(answer: FlowAnswer) -> list[Verdict]:
    """Every arc lies in one state, and a state's controls are worked on its own soil."""
    model, net = answer.model, answer.model.supernetwork
    found: list[Verdict] = []
    used = np.unique(answer.path_arc)
    lawless = used[(net.arc_country[used] == net.high_seas) & (net.arc_crossing[used] < 0)]
    if lawless.size:
        detail = f"{lawless.size} arcs on land lie in no state"
        found.append(Verdict(JURISDICTION, BROKEN, (), detail))
    for state, host, names in _moved_controls(answer, used):
        consent = _consent(model, JURISDICTION, state)
        verdict = WAIVED if consent else BROKEN
        consents = "consents" if consent else "has not consented"
        detail = f"controls of {state} at {names} are worked in {host}; {state} {consents}"
        found.append(Verdict(JURISDICTION, verdict, consent, detail))
    if not any(v.verdict == BROKEN for v in found):
        n_states = np.unique(net.arc_country[used]).size
        detail = f"each of the {used.size} arcs in use lies in one jurisdiction of {n_states}"
        found.insert(0, Verdict(JURISDICTION, KEPT, (), detail))
    return found


def _moved_controls(
    answer: FlowAnswer, used: np.ndarray[tuple[int, ...], np.dtype[np.integer]]
) -> list[tuple[str, str, str]]:
    """Return (state, host, crossings) of posts in use that stand on another state's soil."""
    net, crossings = answer.model.supernetwork, answer.model.network.crossings
    posts = used[net.is_kind(ArcKind.EXIT, ArcKind.ENTRY)[used]]
    # Towards country_b an exit post is country_a's, an entry post country_b's; and back.
    of_a = (net.arc_kind[posts] == ArcKind.EXIT) == net.arc_a_to_b[posts]
    own = np.where(
        of_a,
        crossings["country_a"].to_numpy(object)[net.arc_crossing[posts]],
        crossings["country_b"].to_numpy(object)[net.arc_crossing[posts]],
    )
    host = np.array(net.countries, dtype=object)[net.arc_country[posts]]
    moved = np.flatnonzero(own != host)
    names = crossings["crossing_id"].to_numpy(object)[net.arc_crossing[posts[moved]]]
    at = pd.DataFrame({"own": own[moved], "host": host[moved], "name": names})
    return [
        (str(state), str(soil), ", ".join(sorted(set(rows["name"]))))
        for (state, soil), rows in at.groupby(["own", "host"])
    ]


def _sovereignty(model: Model, journeys: Journeys) -> list[Verdict]:
    """No post goes below its state's floor, and nothing opens what a state closed."""
    floors = tuple(
        rule.id for rule in model.rules.in_force if isinstance(rule, InspectionFloorRule)
    )
    verdicts = [
        Verdict(
            SOVEREIGNTY, BROKEN, tuple(filter(None, (breach.rule_id, breach.seal_id))),
            f"{breach.crossing_id}, {breach.country} {breach.direction}: {breach.stage} sees "
            f"{breach.share:g} of the vehicles, the floor is {breach.floor:g}",
        )
        for breach in model.breaches
    ]  # fmt: skip
    if not verdicts and floors:
        detail = f"every open post meets the {len(floors)} inspection floors"
        verdicts = [Verdict(SOVEREIGNTY, KEPT, floors, detail)]
    elif not verdicts:
        detail = "no inspection floor is in force"
        verdicts = [Verdict(SOVEREIGNTY, NOT_RULED, (), detail)]
    told = [
        finding
        for rule in model.rules.in_force
        if not isinstance(rule, ReciprocityRule)
        for finding in rule.audit(journeys)
    ]
    broken = [finding for finding in told if not finding.kept]
    verdicts += [Verdict(SOVEREIGNTY, BROKEN, (f.rule_id,), str(f)) for f in broken]
    if told and not broken:
        n_rules = len({finding.rule_id for finding in told})
        detail = f"the paths keep all {n_rules} bans, limits and prescribed ways in force"
        verdicts.append(Verdict(SOVEREIGNTY, KEPT, (), detail))
    return verdicts + [
        Verdict(SOVEREIGNTY, WAIVED, (rule.id,), f"{rule.country} consents: {rule.title}")
        for rule in model.rules.in_force
        if isinstance(rule, WaiveRule) and rule.principle == _OWN_CONTROLS
    ]


def _reciprocity(model: Model, journeys: Journeys) -> list[Verdict]:
    """Both flows of every pair are within the band and above the floor: zero is not compliance."""
    verdicts = []
    for rule in model.rules.in_force:
        if isinstance(rule, ReciprocityRule):
            told = rule.audit(journeys)
            verdict = KEPT if all(finding.kept for finding in told) else BROKEN
            worst = [f for f in told if not f.kept] or told[:1]
            detail = "; ".join(str(finding) for finding in worst)
            verdicts.append(Verdict(RECIPROCITY, verdict, (rule.id,), detail))
    if not verdicts:
        verdicts = [Verdict(RECIPROCITY, NOT_RULED, (), "no rule of reciprocity is in force")]
    return verdicts


def _equality(model: Model) -> list[Verdict]:
    """Fees, limits and ways are the same for every flag; a rule that tells them apart is named."""
    apart = [
        rule
        for rule in model.rules.in_force
        if any(
            scope.flags is not None and model.classes.matches(scope).any() for scope in rule.scopes
        )
    ]
    if not apart:
        detail = "no rule in force tells the carriers of this demand apart"
        return [Verdict(EQUALITY, KEPT, (), detail)]
    verdicts = []
    for rule in apart:
        states = [s for scope in rule.scopes for s in scope.countries or ()]
        consent = tuple(dict.fromkeys(c for s in states for c in _consent(model, EQUALITY, s)))
        flags = sorted({flag for scope in rule.scopes for flag in scope.flags or ()})
        detail = f"{rule.kind} for {', '.join(flags)} alone: {rule.title}"
        verdict = WAIVED if consent else EXCEPTED
        verdicts.append(Verdict(EQUALITY, verdict, (rule.id, *consent), detail))
    return verdicts
