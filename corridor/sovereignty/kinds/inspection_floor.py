"""The least share of vehicles that a state inspects at its own posts."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from corridor.errors import Fault
from corridor.network import Network
from corridor.sovereignty.effects import Effects, Floor
from corridor.sovereignty.kinds.base import Rule, labels
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.territory import Territory


class InspectionFloorRule(Rule):
    """The state's posts inspect at least this share of vehicles; no optimizer relaxes it.

    A regime that goes below the floor at any open post of the state makes a variant infeasible. The
    rule's layers and crossings narrow the posts; its commodities, flags, origins and destinations
    narrow the goods to those of shipments that match.

    Attributes
    ----------
    country, stage, share
        The state, the stage's name in ``stages.csv`` and the least share [0, 1].
    """

    scope_keys: ClassVar[frozenset[str]] = frozenset(
        {"crossings", "layers", "commodities", "flags", "origins", "destinations"}
    )

    kind: Literal["inspection_floor"]
    country: str
    stage: str
    share: float = Field(ge=0.0, le=1.0, allow_inf_nan=False)

    def check(self, network: Network) -> list[Fault]:
        """Return a fault for each unknown id, and if the state or the stage is unknown."""
        faults = super().check(network)
        if self.country not in labels(network, "nodes", "country"):
            faults.append(
                self.fault("country", repr(self.country), "a state of nodes.csv", "correct it")
            )
        if self.stage not in labels(network, "stages", "stage"):
            faults.append(
                self.fault("stage", repr(self.stage), "a stage of stages.csv", "correct it")
            )
        return faults

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Note the floor and the arcs that it holds on."""
        own = Scope(countries=(self.country,), layers=self.layers, crossings=self.crossings)
        effects.floors.append(
            Floor(
                rule_id=self.id,
                country=self.country,
                stage=self.stage,
                share=self.share,
                arcs=territory.place(own),
                goods=self._goods(territory),
            )
        )

    def _goods(self, territory: Territory) -> NDArray[np.bool_]:
        """Return the commodities the floor speaks of; all of them where it names no shipments."""
        classes = territory.classes
        named = (self.commodities, self.flags, self.origins, self.destinations)
        if all(names is None for names in named):
            return np.ones(classes.commodities.size, np.bool_)
        goods = np.zeros(classes.commodities.size, np.bool_)
        goods[classes.commodity[classes.matches(self)]] = True
        return goods
