"""Permits and quotas: F(scope) <= limit, hard, or soft with a price."""

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator
from scipy import sparse

from corridor.errors import Fault
from corridor.network import Network
from corridor.sovereignty.effects import Effects, Quota, QuotaUnit
from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.territory import Territory
from corridor.units import DAYS_PER_YEAR


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

    @model_validator(mode="after")
    def _price_needs_vehicles(self) -> Self:
        if self.over_quota_usd_per_vehicle is not None and self.unit in (
            "t_per_day",
            "teu_per_day",
        ):
            msg = "over_quota_usd_per_vehicle needs a unit that counts vehicles or trains"
            raise ValueError(msg)
        return self

    def check(self, network: Network) -> list[Fault]:
        """Return a fault for each unknown id, and a warning if links of the scope meet."""
        return super().check(network) + self.adjoining_links(network)

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add the limit on what enters the scope."""
        entering = territory.entries(self).tocoo()
        rows, columns = entering.coords
        if self.unit == "t_per_day":
            per_t = np.ones(rows.size)
        elif self.unit == "teu_per_day":
            per_t = territory.class_teu_per_t[rows]
        else:
            per_t = 1.0 / territory.arc_payload_t[rows, columns]
        a_day = DAYS_PER_YEAR if self.unit == "vehicles_per_year" else 1.0
        effects.quotas.append(
            Quota(
                rule_id=self.id,
                unit=self.unit,
                per_t=sparse.csr_array((per_t, (rows, columns)), shape=entering.shape),
                limit=self.limit / a_day,
                over_usd_per_unit=self.over_quota_usd_per_vehicle,
            )
        )
