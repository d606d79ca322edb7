"""Fees and premiums: a transfer to a payee, per entry or per tonne-kilometer."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from scipy import sparse

from corridor.errors import Fault
from corridor.network import Network
from corridor.sovereignty.counts import remember_entries
from corridor.sovereignty.effects import Count, Effects, Fee
from corridor.sovereignty.kinds.base import Rule, labels
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

    def contradictions(self) -> list[str]:
        """Return what is wrong within the rule: not exactly one amount."""
        found = super().contradictions()
        amounts = (self.usd_per_t, self.usd_per_vehicle, self.usd_per_teu)
        if sum(amount is not None for amount in amounts) != 1:
            found.append("exactly one of usd_per_t, usd_per_vehicle and usd_per_teu must be given")
        return found

    def check(self, network: Network) -> list[Fault]:
        """Return a fault for each unknown id, and if the payee is no state of the network."""
        faults = super().check(network)
        if self.payee not in ("host", "none", *labels(network, "nodes", "country")):
            expected = "host, none or a state of nodes.csv"
            faults.append(self.fault("payee", repr(self.payee), expected, "correct the payee"))
        return faults

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add the fee on the arcs that enter the scope, or on the kilometers inside it."""
        per_km = self.per == "t_km"
        where = territory.inside(self) if per_km else territory.entries(self)
        pairs = where.tocoo()
        rows, columns = pairs.coords
        amount = self._usd_per_t(territory, rows, columns)
        if per_km:
            amount = amount * territory.supernetwork.arc_length_km[columns]
        fee = sparse.csr_array((amount, (rows, columns)), shape=pairs.shape)
        fee.eliminate_zeros()
        memory = None
        if not per_km:
            memory = remember_entries(territory, effects, self.id, self, where)
        usd = Count(per_t=fee, memory=memory)
        effects.fees.append(Fee(rule_id=self.id, payee=self.payee, usd=usd))

    def _usd_per_t(
        self, territory: Territory, rows: NDArray[np.integer], columns: NDArray[np.integer]
    ) -> NDArray[np.float64]:
        """Return the fee at each (class, arc) pair [USD/t]."""
        if self.usd_per_t is not None:
            return np.full(rows.size, self.usd_per_t)
        if self.usd_per_vehicle is not None:
            per_t: NDArray[np.float64] = 1.0 / territory.payload_at(rows, columns)
            return self.usd_per_vehicle * per_t
        teu: NDArray[np.float64] = territory.class_teu_per_t[rows]
        return (self.usd_per_teu or 0.0) * teu
