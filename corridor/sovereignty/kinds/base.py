"""What every rule has: an id, a title, a window of validity and a scope."""

from datetime import date

from corridor.errors import Fault
from corridor.network import Network
from corridor.sovereignty.effects import Effects
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

    id: str
    kind: str
    title: str
    valid_from: date | None = None
    valid_to: date | None = None
    source: str = ""
    confidence: str = ""
    note: str = ""

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Every scope of the rule; classes of shipments are told apart by them."""
        return (self,)

    def in_force(self, day: date | None) -> bool:
        """Whether the rule is in force on a day; None is a day after all that the data knows.

        Examples
        --------
        >>> from datetime import date
        >>> rule = Rule(id="r", kind="forbid", title="", valid_from=date(2022, 1, 1), valid_to=date(2023, 1, 1))
        >>> [rule.in_force(day) for day in (date(2021, 12, 31), date(2022, 1, 1), date(2023, 1, 1), None)]
        [False, True, False, False]
        """
        if day is None:
            return self.valid_to is None
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day < self.valid_to)

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add what the rule does on a territory to the effects."""
        raise NotImplementedError(self.kind)

    def check(self, network: Network) -> list[Fault]:
        """Return what is wrong with the rule itself on a network, its scopes aside."""
        return []

    def fault(
        self, column: str, found: str, expected: str, remedy: str, *, warning: bool = False
    ) -> Fault:
        """Return a fault of this rule."""
        return Fault(
            file="rules.toml", key=self.id, column=column, found=found, expected=expected, remedy=remedy,
            warning=warning,
        )  # fmt: skip
