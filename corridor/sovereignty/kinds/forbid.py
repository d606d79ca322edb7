"""Closed borders, embargoes, bans: F(scope) = 0."""

from typing import Literal

from pydantic import Field

from corridor.sovereignty.effects import Ban, Effects
from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.territory import Territory


class ForbidRule(Rule):
    """No shipment of the scope may use any arc in it, except those of an exception.

    Attributes
    ----------
    exceptions
        Scopes (key ``except`` in the file) that the ban leaves open: each spares its own shipments
        on its own arcs.
    """

    kind: Literal["forbid"]
    exceptions: tuple[Scope, ...] = Field(default=(), alias="except")

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scope and its exceptions."""
        return (self, *self.exceptions)

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Close the arcs to the classes."""
        pairs = territory.inside(self)
        for scope in self.exceptions:
            pairs = pairs - pairs.multiply(territory.inside(scope))
        pairs = pairs.tocsr()
        pairs.eliminate_zeros()
        effects.bans.append(Ban(rule_id=self.id, pairs=pairs))
