"""Fees and premiums: a transfer to a payee, per entry or per tonne-kilometer."""

from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy import sparse

from corridor.errors import Fault
from corridor.network import Network
from corridor.sovereignty.effects import Effects, Fee
from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.territory import Territory


class FeeRule(Rule):
    """Shipments of the scope pay each time they enter it, or for every tonne-kilometer inside.

    Attributes
    ----------
    usd_per_t, usd_per_vehicle, usd_per_teu
        The fee; exactly one is given. Per TEU only containerised goods pay.
    per
        ``entry`` or ``t_km`` (then ``usd_per_t`` is read as USD per tonne-kilometer, and likewise
        the others).
    payee
        ``host`` (the state of the arc), a state, or ``none`` (insurance, premiums: nobody's
        revenue).
    """

    kind: Literal["fee"]
    usd_per_t: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    usd_per_vehicle: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    usd_per_teu: float | None = Field(default=None, ge=0.0, allow_inf_nan=False)
    per: Literal["entry", "t_km"] = "entry"
    payee: str = "host"

    @model_validator(mode="after")
    def _one_amount(self) -> Self:
        given = [
            a for a in (self.usd_per_t, self.usd_per_vehicle, self.usd_per_teu) if a is not None
        ]
        if len(given) != 1:
            msg = "exactly one of usd_per_t, usd_per_vehicle and usd_per_teu must be given"
            raise ValueError(msg)
        return self

    def check(self, network: Network) -> list[Fault]:
        """Return a fault for each unknown id, and if the payee is no state of the network."""
        faults = super().check(network)
        if self.payee not in ("host", "none", *network.nodes["country"]):
            expected = "host, none or a state of nodes.csv"
            faults.append(self.fault("payee", repr(self.payee), expected, "correct the payee"))
        return faults + (self.adjoining_links(network) if self.per == "entry" else [])

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add the fee on the arcs that enter the scope, or on the kilometers inside it."""
        per_km = self.per == "t_km"
        pairs = (territory.inside(self) if per_km else territory.entries(self)).tocoo()
        rows, columns = pairs.coords
        usd = self._usd_per_t(territory, rows, columns)
        if per_km:
            usd = usd * territory.supernetwork.arc_length_km[columns]
        fee = sparse.csr_array((usd, (rows, columns)), shape=pairs.shape)
        fee.eliminate_zeros()
        effects.fees.append(Fee(rule_id=self.id, payee=self.payee, usd_per_t=fee))

    def _usd_per_t(
        self, territory: Territory, rows: NDArray[np.integer], columns: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Return the fee at each (class, arc) pair [USD/t]."""
        if self.usd_per_t is not None:
            return np.full(rows.size, self.usd_per_t)
        if self.usd_per_vehicle is not None:
            per_t: NDArray[np.float64] = 1.0 / territory.arc_payload_t[rows, columns]
            return self.usd_per_vehicle * per_t
        teu: NDArray[np.float64] = territory.class_teu_per_t[rows]
        return (self.usd_per_teu or 0.0) * teu
