"""The least share of vehicles that a state inspects at its own posts."""

from typing import Literal

from pydantic import Field

from corridor.errors import Fault
from corridor.network import Network
from corridor.sovereignty.effects import Effects
from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.territory import Territory


class InspectionFloorRule(Rule):
    """The state's posts inspect at least this share of vehicles; no optimizer relaxes it.

    A regime that goes below the floor at any open post of the state makes a variant infeasible.

    Attributes
    ----------
    country, stage, share
        The state, the stage's name in ``stages.csv`` and the least share [0, 1].
    """

    kind: Literal["inspection_floor"]
    country: str
    stage: str
    share: float = Field(ge=0.0, le=1.0, allow_inf_nan=False)

    def check(self, network: Network) -> list[Fault]:
        """Return faults if the state or the stage is unknown."""
        faults = []
        if self.country not in set(network.nodes["country"]):
            faults.append(
                self.fault("country", repr(self.country), "a state of nodes.csv", "correct it")
            )
        if self.stage not in set(network.stages["stage"]):
            faults.append(
                self.fault("stage", repr(self.stage), "a stage of stages.csv", "correct it")
            )
        return faults

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Note the floor."""
        effects.floors.append((self.id, self.country, self.stage, self.share, self.layers or ()))
