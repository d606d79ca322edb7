"""The regime a crossing is worked under."""

from typing import Literal

from corridor.errors import Fault
from corridor.network import Network
from corridor.sovereignty.effects import Effects
from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.territory import Territory


class RegimeRule(Rule):
    """The crossings are worked under the stages of this regime; the last rule in force wins.

    Attributes
    ----------
    crossings, regime
        The crossings and the regime's name in ``stages.csv``.
    """

    kind: Literal["regime"]
    crossings: tuple[str, ...]
    regime: str

    def check(self, network: Network) -> list[Fault]:
        """Return a fault if no stage knows the regime."""
        known = sorted(set(network.stages["regime"]) - {""})
        if self.regime in known or self.regime == "standard":
            return []
        expected = f"a regime of stages.csv ({', '.join(known)})"
        return [self.fault("regime", repr(self.regime), expected, "correct it or add its stages")]

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Set the regime of each crossing."""
        for crossing in self.crossings:
            effects.regimes[crossing] = (self.regime, self.id)
