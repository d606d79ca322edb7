"""Ceilings on dependence: F(scope) <= share x the served demand."""

from typing import Literal

import numpy as np
from pydantic import Field

from corridor.sovereignty.counts import count_entries
from corridor.sovereignty.effects import Effects, Row
from corridor.sovereignty.journeys import Finding, Journeys
from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.territory import Territory


class ShareCapRule(Rule):
    """At most this share of what is served of the rule's shipments may enter the scope.

    The shipments are those of the rule's origins, destinations, commodities and flags; what of them
    is not served does not count, so that a state cannot look independent by leaving goods behind.
    A shipment that enters twice counts twice.

    Attributes
    ----------
    share
        The largest share [0, 1].

    Notes
    -----
    A row with a coefficient on served demand: ``F - share * served <= 0``.

    Examples
    --------
    100 t a day go from A to B, over G (10 USD/t, cheaper) or over R (14 USD/t); at most 0.6 of them
    may enter G::

              +-- G: 60 t --+           F(G) = 60 <= 0.6 x 100
        A ----+             +---- B
              +-- R: 40 t --+           cost 60 x 10 + 40 x 14 = 1,160 USD

    One more tonne over G would save 4 USD: the price of the rule. Were R closed, nothing could be
    served: F <= 0.6 x F holds for F = 0 alone.
    """

    kind: Literal["share_cap"]
    share: float = Field(ge=0.0, le=1.0, allow_inf_nan=False)

    @property
    def shipments(self) -> Scope:
        """The scope without its places: the shipments whose served demand counts."""
        return Scope(
            origins=self.origins,
            destinations=self.destinations,
            commodities=self.commodities,
            flags=self.flags,
        )

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add the row."""
        count = count_entries(territory, effects, self.id, self, "t_per_day")
        spoken = territory.classes.matches(self.shipments)
        effects.rows.append(
            Row(
                rule_id=self.id,
                part="share",
                unit="t_per_day",
                terms=((1.0, count),),
                served=np.where(spoken, -self.share, 0.0),
                upper=0.0,
            )
        )

    def audit(self, journeys: Journeys) -> list[Finding]:
        """Return what enters the scope against the share of what is served."""
        served = journeys.served_t_per_day(self.shipments)
        return [
            Finding(
                rule_id=self.id,
                measure=f"entering, of {served:g} t_per_day served,",
                unit="t_per_day",
                value=journeys.entered(self, "t_per_day"),
                upper=self.share * served,
                scale=served,
            )
        ]
