"""Closed borders, embargoes, bans: F(scope) = 0."""

from typing import Literal

from pydantic import Field
from scipy import sparse

from corridor.sovereignty.effects import Ban, Effects
from corridor.sovereignty.journeys import Finding, Journeys
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
        effects.bans.append(Ban(rule_id=self.id, pairs=self._closed(territory)))

    def _closed(self, territory: Territory) -> sparse.csr_array:
        pairs = territory.inside(self)
        for scope in self.exceptions:
            pairs = pairs - pairs.multiply(territory.inside(scope))
        pairs = pairs.tocsr()
        pairs.eliminate_zeros()
        return pairs

    def audit(self, journeys: Journeys) -> list[Finding]:
        """Return what uses a closed arc."""
        closed = journeys.at_steps(self._closed(journeys.territory)) > 0.0
        return [
            Finding(
                rule_id=self.id,
                measure="on closed arcs",
                unit="t_per_day",
                value=journeys.t_per_day_of(journeys.any_step(closed)),
                upper=0.0,
                scale=journeys.total_t_per_day,
            )
        ]
