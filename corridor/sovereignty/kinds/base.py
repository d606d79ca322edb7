"""What every rule has: an id, a title, a window of validity and a scope."""

from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from typing import ClassVar, Self

from pydantic import model_validator

from corridor.errors import Fault
from corridor.network import Network
from corridor.sovereignty.effects import Effects
from corridor.sovereignty.journeys import Finding, Journeys
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.territory import Territory


class Rule(Scope):
    """A dated rule of one or more states; subclasses say what it does.

    Attributes
    ----------
    id, kind, title
        Unique id, kind, and one line for people.
    valid_from, valid_to
        Half-open window: in force from the first day, no longer on the last.
    source, confidence, note
        Where the rule is known from.
    """

    scope_keys: ClassVar[frozenset[str]] = frozenset(Scope.model_fields)
    """Keys of a scope that the kind understands; any other is refused, never ignored."""

    id: str
    kind: str
    title: str
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""
    confidence: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _no_contradictions(self) -> Self:
        found = self.contradictions()
        if found:
            raise ValueError("; ".join(found))
        return self

    def contradictions(self) -> list[str]:
        """Return what cannot be meant within the rule itself."""
        found = []
        given = {key for key in Scope.model_fields if getattr(self, key) is not None}
        strange = sorted(given - self.scope_keys)
        if strange:
            known = ", ".join(sorted(self.scope_keys)) or "none"
            found.append(
                f"a {self.kind} rule must have no keys of a scope but {known}; it would ignore "
                f"{', '.join(strange)}"
            )
        for scope in self.scopes:
            empty = [key for key in Scope.model_fields if getattr(scope, key) == ()]
            if empty:
                found.append(
                    f"a scope must not be empty; {', '.join(empty)} must name something, or be "
                    "left out to mean all"
                )
        first, last = self.valid_from, self.valid_to
        if first is not None and last is not None and last <= first:
            found.append(f"valid_to must be after valid_from ({first}); found {last}")
        return found

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Every scope of the rule; classes of shipments are told apart by them."""
        return (self,)

    @property
    def regimes(self) -> dict[str, str]:
        """Regime that the rule sets at each crossing."""
        return {}

    def in_force(self, day: date | None) -> bool:
        """Whether the rule is in force on a day; None is a day after all that the data knows.

        Examples
        --------
        >>> from datetime import date
        >>> rule = Rule(id="r", kind="forbid", title="", valid_from=date(2022, 1, 1),
        ...             valid_to=date(2023, 1, 1))
        >>> days = (date(2021, 12, 31), date(2022, 1, 1), date(2023, 1, 1), None)
        >>> [rule.in_force(day) for day in days]
        [False, True, False, False]
        """
        if day is None:
            return self.valid_to is None
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day < self.valid_to)

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add what the rule does on a territory to the effects; by itself, nothing."""

    def check(self, network: Network) -> list[Fault]:
        """Return every id that a network does not know."""
        return [
            self.fault(key, repr(name), f"{_OF[key]} of the network", _remedy(name, known))
            for scope in self.scopes
            for key, columns in _LABELS.items()
            if (names := getattr(scope, key)) is not None
            for known in (_labels(network, columns),)
            for name in names
            if name not in known
        ]

    def conflicts(
        self,
        others: Sequence["Rule"],  # noqa: ARG002
        network: Network,  # noqa: ARG002
    ) -> list[Fault]:
        """Return what cannot hold beside other rules: errors, or warnings where it may be meant."""
        return []

    def overlaps(self, other: "Rule") -> bool:
        """Return whether both rules are in force on some day."""
        for first, last in ((self.valid_from, other.valid_to), (other.valid_from, self.valid_to)):
            if first is not None and last is not None and last <= first:
                return False
        return True

    def audit(self, journeys: Journeys) -> list[Finding]:  # noqa: ARG002
        """Return what the rule finds in a plan, from its paths alone; by itself, nothing."""
        return []

    def fault(
        self, column: str, found: str, expected: str, remedy: str, *, warning: bool = False
    ) -> Fault:
        """Return a fault of this rule."""
        return Fault(
            file="rules.toml", key=self.id, column=column, found=found, expected=expected,
            remedy=remedy, warning=warning,
        )  # fmt: skip


_OF = {
    "links": "the id of a link", "crossings": "the id of a crossing", "countries": "a state",
    "layers": "a layer", "commodities": "a commodity", "origins": "a node or state",
    "destinations": "a node or state",
}  # fmt: skip
"""What a key of a scope names, in words."""
_ENDS = (("nodes", "node_id"), ("nodes", "country"))
_LABELS: dict[str, tuple[tuple[str, str], ...]] = {
    "links": (("links", "link_id"),),
    "crossings": (("crossings", "crossing_id"),),
    "countries": (("nodes", "country"),),
    "layers": (("layers", "layer"),),
    "commodities": (("commodities", "commodity_id"),),
    "origins": _ENDS,
    "destinations": _ENDS,
}
"""Tables and columns that hold what a key of a scope may name; a flag may be of any state."""


def _remedy(name: str, known: set[str]) -> str:
    close = get_close_matches(name, sorted(known), n=1)
    return f"did you mean {close[0]!r}?" if close else "correct the id or remove it"


def labels(network: Network, table: str, column: str) -> set[str]:
    """Return the values of a column of texts."""
    return set(network.texts(table, column))


def _labels(network: Network, columns: tuple[tuple[str, str], ...]) -> set[str]:
    return set().union(*(labels(network, table, column) for table, column in columns))
