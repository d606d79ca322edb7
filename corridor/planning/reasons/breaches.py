"""Why posts fall below a state's inspection floor, and what would have to change."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Final, NamedTuple, TypeAlias

from corridor.border import FloorBreach, compile_posts, crossing_regimes, floor_breaches
from corridor.network import Demand
from corridor.planning.model import Model, compile_model
from corridor.planning.reasons.changes import Change, apply_changes
from corridor.planning.reasons.conflicts import MOST, Diagnosis, Names, find_conflicts
from corridor.sovereignty import Rules
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule
from corridor.sovereignty.kinds.regime import RegimeRule
from corridor.sovereignty.kinds.sealed import SealedRule

Option: TypeAlias = tuple[Change, ...]

HOST_WEIGHT: Final = 1e6
"""Weight of a change that is a host's own: every other way out comes first."""


class FloorDiagnosis(NamedTuple):
    """Conflicts of floors, and the ways out: each a set of changes, lightest first."""

    found: Diagnosis
    options: list[Option]


def diagnose_floors(
    model: Model, demand: Demand, weights: Mapping[str, float], most: int = MOST
) -> FloorDiagnosis:
    """Return which rules put posts below inspection floors, and every least way out.

    Only the rules that a breach can come from may give way: floors, regimes of the crossings, and
    seals under which a stage is skipped. A floor is its host's: it is never relaxed, and a change
    of it is listed as the host's own, after all others.

    Parameters
    ----------
    model, demand
        A compiled model with breaches, and the demand that it was compiled with.
    weights
        Policy weights of rules; 1 where none is given.
    most
        Most conflicts, and most corrections.
    """
    rules = model.rules
    names = _involved(model)
    weighed = {name: weights.get(name, 1.0) for name in names}
    for rule in rules.in_force:
        if isinstance(rule, InspectionFloorRule) and rule.id in weighed:
            weighed[rule.id] = HOST_WEIGHT * weighed[rule.id]

    def can_hold(kept: Names) -> bool:
        return not _breaches(model, demand, _only(rules, kept))

    found = find_conflicts(names, can_hold, weighed, most)
    options: list[Option] = []
    for correction in found.corrections:
        options += [o for o in _options(model, demand, correction) if o not in options]
    return FloorDiagnosis(found, options)


def _involved(model: Model) -> list[str]:
    """Return the rules that a breach can come from, in their order."""
    floors = {breach.rule_id for breach in model.breaches}
    seals = {breach.seal_id for breach in model.breaches}
    crossings = {breach.crossing_id for breach in model.breaches}
    return [
        rule.id
        for rule in model.rules.in_force
        if rule.id in floors
        or rule.id in seals
        or (isinstance(rule, RegimeRule) and crossings.intersection(rule.crossings))
    ]


def _only(rules: Rules, kept: Names) -> Rules:
    return Rules(tuple(rule for rule in rules.in_force if rule.id in kept), rules.date)


def _breaches(model: Model, demand: Demand, rules: Rules) -> list[FloorBreach]:
    """Return the breaches of a model under other floors, regimes and seals.

    Where nothing is sealed only the posts change, and only they are compiled.
    """
    if model.effects.paths:
        return compile_model(model.network, demand, rules, like=model).breaches
    network, filled, net = model.network, model.filled, model.supernetwork
    regimes = crossing_regimes(network, rules.regimes())
    posts = compile_posts(network, filled, net, regimes, model.background_vehicles)
    # A joint post lies on its host's soil, so that the regime says whose floors hold there.
    soil = replace(net, arc_country=posts.arc_country)
    territory = replace(model.territory, supernetwork=soil)
    floors = Rules(
        tuple(rule for rule in rules.rules if isinstance(rule, InspectionFloorRule)), rules.date
    )
    return floor_breaches(posts, network, filled, net, floors.apply(territory).floors)


def _options(model: Model, demand: Demand, correction: Sequence[str]) -> list[Option]:
    """Return the ways in which the rules of a correction can change so that no floor is broken.

    All floors in force are looked at: another regime may break one that the present regime meets. A
    floor is lowered to what its posts inspect once regimes and seals have changed. Ways in which a
    change is idle are left out.
    """
    of_rule = {rule.id: rule for rule in model.rules.in_force}
    everything = Rules(model.rules.in_force, model.rules.date)
    choices: list[list[Change | None]] = []
    for name in correction:
        rule = of_rule[name]
        if isinstance(rule, RegimeRule):
            choices.append([None, *_other_regimes(model, rule)])
        elif isinstance(rule, SealedRule):
            choices.append([None, _skip_less(model, rule)])
    floors = [of_rule[name] for name in correction]

    def holds(option: Sequence[Change]) -> bool:
        return not _breaches(model, demand, apply_changes(everything, option))

    options: list[Option] = []
    for chosen in product(*choices):
        moved = [change for change in chosen if change is not None]
        left = _breaches(model, demand, apply_changes(everything, moved))
        lowered = [
            _lower_floor(rule, left)
            for rule in floors
            if isinstance(rule, InspectionFloorRule) and rule.id in {b.rule_id for b in left}
        ]
        option = _in_order([*moved, *lowered], correction)
        idle = any(holds([c for c in option if c is not change]) for change in option)
        if option and not idle and holds(option):
            options.append(option)
    return options


def _in_order(changes: Sequence[Change], names: Sequence[str]) -> Option:
    return tuple(sorted(changes, key=lambda change: list(names).index(change.rule_id)))


def _lower_floor(rule: InspectionFloorRule, breaches: Sequence[FloorBreach]) -> Change:
    """Return the host's own change: down to the least share that one of its posts inspects."""
    least = min(breach.share for breach in breaches if breach.rule_id == rule.id)
    return Change(
        rule_id=rule.id, kind=rule.kind, field="share", before=float(rule.share),
        after=float(least), unit="share of vehicles", host=rule.country,
    )  # fmt: skip


def _other_regimes(model: Model, rule: RegimeRule) -> list[Change]:
    """Return a change to each other regime that has stages of the states with a broken floor."""
    stages = model.network.stages
    states = {b.country for b in model.breaches if b.crossing_id in rule.crossings}
    theirs = stages.loc[stages["country"].isin(states), "regime"]
    regimes = dict.fromkeys(str(name) for name in theirs if name and name != rule.regime)
    return [
        Change(
            rule_id=rule.id, kind=rule.kind, field="regime", before=rule.regime, after=regime
        )
        for regime in regimes
    ]  # fmt: skip


def _skip_less(model: Model, rule: SealedRule) -> Change:
    """Return the change that lets a seal skip no stage with a broken floor."""
    needed = {breach.stage for breach in model.breaches if breach.seal_id == rule.id}
    left = tuple(stage for stage in rule.skip if stage not in needed)
    return Change(rule_id=rule.id, kind=rule.kind, field="skip", before=rule.skip, after=left)
