"""A host's own consent to what a principle would forbid."""

from typing import ClassVar, Literal

from corridor.errors import Fault
from corridor.network import Network
from corridor.sovereignty.kinds.base import Rule, labels


class WaiveRule(Rule):
    """A dated consent of a state, cited beside the principle it waives. It opens nothing by itself.

    Attributes
    ----------
    principle, country
        The principle (P1 jurisdiction, P2 own controls, P3 open to all, P4 reciprocity and
        equality) and the state.
    """

    scope_keys: ClassVar[frozenset[str]] = frozenset()

    kind: Literal["waive"]
    principle: Literal["P1", "P2", "P3", "P4"]
    country: str

    def check(self, network: Network) -> list[Fault]:
        """Return a fault if the state is unknown."""
        if self.country in labels(network, "nodes", "country"):
            return []
        return [self.fault("country", repr(self.country), "a state of nodes.csv", "correct it")]
