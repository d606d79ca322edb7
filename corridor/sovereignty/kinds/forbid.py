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
        Scopes (key ``except`` in the file) that the ban leaves open.
    """

    kind: Literal["forbid"]
    exceptions: tuple[Scope, ...] = Field(default=(), alias="except")

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scope and its exceptions."""
        return (self, *self.exceptions)

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Close the arcs to the classes."""
        arcs = territory.inside(self)
        pairs = territory.matrix(self, arcs)
        for scope in self.exceptions:
            spared = arcs & territory.inside(scope) if scope.names_place else arcs
            pairs = pairs - pairs.multiply(territory.matrix(scope, spared))
        pairs = pairs.tocsr()
        pairs.eliminate_zeros()
        effects.bans.append(Ban(rule_id=self.id, pairs=pairs))
