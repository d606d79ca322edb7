"""Changes of single rules, each in the rule's own unit, and rulebooks with them made."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from corridor.sovereignty import Rule, Rules, Scope
from corridor.sovereignty.kinds.forbid import ForbidRule
from corridor.sovereignty.kinds.sealed import SealedRule

DROPPED: Final = "dropped"
"""Value of a rule that is taken out."""
RULE: Final = "rule"
"""Field of a change that takes the whole rule out."""
EXCEPT: Final = "except"
"""Field of a change that spares a shipment of a ban."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one rule.

    Attributes
    ----------
    rule_id, kind
        The rule.
    field
        Its key in rules.toml; ``rule`` where the whole rule is taken out.
    before, after
        Values of the key; of ``except`` the scope that is spared.
    unit
        Unit of the values; empty where they are no numbers.
    host
        State that alone may make the change: an inspection floor is its own; else empty.
    """

    rule_id: str
    kind: str
    field: str
    before: Any
    after: Any
    unit: str = ""
    host: str = ""

    @property
    def amount(self) -> float:
        """How much the value changes, in `unit`; NaN where values are no numbers."""
        if isinstance(self.before, float) and isinstance(self.after, float):
            return self.after - self.before
        return float("nan")

    def __str__(self) -> str:
        """Say in words what changes."""
        subject = f"{self.rule_id} ({self.kind})"
        if self.host:
            subject = f"{self.host} alone, not a planner, may change its own {subject}"
        if self.field == RULE:
            return f"{subject}: dropped for the whole of its scope"
        if self.field == EXCEPT:
            return f"{subject}: lifted for {describe_scope(self.after)}"
        if isinstance(self.after, float):
            unit = f" {self.unit}" if self.unit else ""
            return f"{subject}: {self.field} from {self.before:g} to {self.after:.6g}{unit}"
        return f"{subject}: {self.field} from {self.said(self.before)} to {self.said(self.after)}"

    @staticmethod
    def said(value: object) -> str:
        """Return a value in words."""
        if isinstance(value, Scope):
            return describe_scope(value)
        if isinstance(value, tuple):
            return "/".join(str(part) for part in value) or "nothing"
        return f"{value:.8g}" if isinstance(value, float) else str(value)


def describe_scope(scope: Scope) -> str:
    """Return a scope in a few words.

    Examples
    --------
    >>> describe_scope(Scope(origins=("A",), destinations=("B",), commodities=("silk",)))
    'A to B, silk'
    """
    ends = [" ".join(names) for names in (scope.origins, scope.destinations) if names]
    more = [
        f"{' '.join(names)}{word}"
        for names, word in ((scope.commodities, ""), (scope.flags, " carriers"))
        if names
    ]
    return ", ".join([" to ".join(ends), *more] if ends else more) or "all shipments"


def apply_changes(rules: Rules, changes: Iterable[Change]) -> Rules:
    """Return a rulebook with changes made, in the order of the rules.

    Parameters
    ----------
    rules
        The rules.
    changes
        What changes; several changes of one rule are made one after another.

    Examples
    --------
    >>> from corridor.sovereignty.rulebook import parse_rules
    >>> rules = Rules(parse_rules([{"id": "q", "kind": "quota", "title": "", "limit": 5.0,
    ...                             "unit": "t_per_day"}], "rules.toml"))
    >>> change = Change(rule_id="q", kind="quota", field="limit", before=5.0, after=7.0)
    >>> apply_changes(rules, [change]).rules[0].limit
    7.0
    """
    of_rule: dict[str, list[Change]] = {}
    for change in changes:
        of_rule.setdefault(change.rule_id, []).append(change)
    kept: list[Rule] = []
    for rule in rules.rules:
        changed: Rule | None = rule
        for change in of_rule.get(rule.id, []):
            changed = None if changed is None else _changed(changed, change)
        if changed is not None:
            kept.append(changed)
    return replace(rules, rules=tuple(kept))


def _changed(rule: Rule, change: Change) -> Rule | None:
    """Return the rule after a change, None where it is taken out."""
    if change.field == RULE:
        return None
    if change.field == EXCEPT and isinstance(rule, ForbidRule):
        return rule.model_copy(update={"exceptions": (*rule.exceptions, change.after)})
    if isinstance(rule, SealedRule) and change.field == "skip" and not change.after:
        return None
    return rule.model_copy(update={change.field: change.after})
