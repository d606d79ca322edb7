"""The regime a crossing is worked under."""

from typing import ClassVar, Literal

from corridor.errors import Fault
from corridor.network import Network
from corridor.sovereignty.kinds.base import Rule, labels


class RegimeRule(Rule):
    """The crossings are worked under the stages of this regime; the last rule in force wins.

    Attributes
    ----------
    crossings, regime
        The crossings and the regime's name in ``stages.csv``.
    """

    scope_keys: ClassVar[frozenset[str]] = frozenset({"crossings"})

    kind: Literal["regime"]
    crossings: tuple[str, ...]
    regime: str

    @property
    def regimes(self) -> dict[str, str]:
        """The regime at each of the crossings."""
        return dict.fromkeys(self.crossings, self.regime)

    def check(self, network: Network) -> list[Fault]:
        """Return a fault for each unknown crossing, and one if no stage knows the regime."""
        faults = super().check(network)
        known = sorted(labels(network, "stages", "regime") - {""})
        if self.regime not in (*known, "standard"):
            others = (
                f"standard or a regime of stages.csv ({', '.join(known)})"
                if known
                else "standard, as stages.csv names no regime"
            )
            remedy = "correct it or add its stages"
            faults.append(self.fault("regime", repr(self.regime), others, remedy))
        return faults
