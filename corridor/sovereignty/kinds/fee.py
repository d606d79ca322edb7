"""Fees and premiums: a transfer to a payee, per entry or per tonne-kilometer."""

from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator
from scipy import sparse

from corridor.errors import Fault
from corridor.network import Network
from corridor.network.supernetwork import ArcKind
from corridor.sovereignty.effects import Effects, Fee
from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.territory import Territory


class FeeRule(Rule):
    """Shipments of the scope pay a fee each time they enter it, or for every tonne-kilometer inside.

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
        """Return a fault if the payee is no state of the network."""
        if self.payee in ("host", "none", *network.nodes["country"]):
            return []
        return [
            self.fault(
                "payee", repr(self.payee), "host, none or a state of nodes.csv", "correct the payee"
            )
        ]

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add the fee on the arcs that enter the scope, or on its travel arcs."""
        net = territory.supernetwork
        per_km = self.per == "t_km"
        arcs = (
            territory.inside(self) & net.is_kind(ArcKind.TRAVEL)
            if per_km
            else territory.entries(self)
        )
        pairs = territory.matrix(self, arcs).tocoo()
        rows, columns = pairs.coords
        usd = self._usd_per_t(territory)[rows, columns]
        if per_km:
            usd = usd * net.arc_length_km[columns]
        fee = sparse.csr_array((usd, (rows, columns)), shape=pairs.shape)
        effects.fees.append(Fee(rule_id=self.id, payee=self.payee, usd_per_t=fee))

    def _usd_per_t(self, territory: Territory) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        shape = (len(territory.classes), territory.supernetwork.n_arcs)
        if self.usd_per_t is not None:
            return np.full(shape, self.usd_per_t)
        if self.usd_per_vehicle is not None:
            return self.usd_per_vehicle / territory.arc_payload_t
        goods = territory.network.commodities.iloc[territory.classes.commodity]
        teu = np.where(goods["containerised"], 1.0 / goods["t_per_teu"].to_numpy(float), 0.0)
        return np.broadcast_to(float(self.usd_per_teu or 0.0) * teu[:, None], shape)
