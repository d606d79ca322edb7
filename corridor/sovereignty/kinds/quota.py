"""Permits and quotas: F(scope) <= limit, hard, or soft with a price."""

from typing import Literal

from pydantic import Field

from corridor.sovereignty.counts import count_entries, per_day
from corridor.sovereignty.effects import Effects, Quota, QuotaUnit
from corridor.sovereignty.journeys import Finding, Journeys
from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.territory import Territory


class QuotaRule(Rule):
    """At most ``limit`` units may enter the scope; its directions and shipments share the limit.

    Attributes
    ----------
    limit, unit
        The limit and its unit. ``teu_per_day`` counts containerised goods only; ``trains_per_day``
        and the vehicle units count loaded vehicles of the layer in which the scope is entered.
    over_quota_usd_per_vehicle
        Where given, what is over the limit pays this price instead of being stopped.
    """

    kind: Literal["quota"]
    limit: float = Field(ge=0.0, allow_inf_nan=False)
    unit: QuotaUnit
    over_quota_usd_per_vehicle: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)

    def contradictions(self) -> list[str]:
        """Return what is wrong within the rule: a price by vehicle where none is counted."""
        found = super().contradictions()
        by_weight = self.unit in ("t_per_day", "teu_per_day")
        if self.over_quota_usd_per_vehicle is not None and by_weight:
            found.append(
                "over_quota_usd_per_vehicle must go with a unit that counts vehicles or trains"
            )
        return found

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add the limit on what enters the scope."""
        effects.quotas.append(
            Quota(
                rule_id=self.id,
                unit=self.unit,
                counted=count_entries(territory, effects, self.id, self, self.unit),
                limit=per_day(self.limit, self.unit),
                over_usd_per_unit=self.over_quota_usd_per_vehicle,
            )
        )

    def audit(self, journeys: Journeys) -> list[Finding]:
        """Return what enters the scope against a hard limit."""
        limit = per_day(self.limit, self.unit)
        hard = self.over_quota_usd_per_vehicle is None
        return [
            Finding(
                rule_id=self.id,
                measure="entering",
                unit=self.unit.replace("per_year", "per_day"),
                value=journeys.entered(self, self.unit),
                upper=limit if hard else float("inf"),
                scale=limit,
            )
        ]
