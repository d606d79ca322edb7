"""Prescribed ways: the scope's shipments must pass a crossing or a state."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from corridor.core.paths.products import OFF, Automaton
from corridor.errors import Fault
from corridor.network import Network
from corridor.network.supernetwork import ArcKind
from corridor.sovereignty.effects import BoolArray, Effects, PathRule
from corridor.sovereignty.journeys import Finding, Journeys
from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.kinds.forbid import ForbidRule
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.territory import Territory


class RequireRule(Rule):
    """The shipments must pass one of the crossings, or the territory of one of the states.

    Whoever starts or ends in a state has passed it. A shipment that cannot pass is not served; a
    detour to a crossing and back is a way.

    Attributes
    ----------
    crossings, countries
        Where to pass; one of the two is given.

    Notes
    -----
    An automaton with the states *not yet* and *passed*, of which only the second may end::

        not yet --any arc--> not yet --arc of the place--> passed --any arc--> passed

    Examples
    --------
    Grain from A to B goes over x (5 USD/t) or y (8 USD/t) and must pass y::

        A --x-- B      banned for grain by the rule, though nothing closes x
        A --y-- B      8 USD/t: the rule costs 3 USD/t
    """

    scope_keys: ClassVar[frozenset[str]] = frozenset(
        {"crossings", "countries", "commodities", "flags", "origins", "destinations"}
    )

    kind: Literal["require"]

    @property
    def shipments(self) -> Scope:
        """The shipments that must pass."""
        return Scope(
            commodities=self.commodities,
            flags=self.flags,
            origins=self.origins,
            destinations=self.destinations,
        )

    def contradictions(self) -> list[str]:
        """Return what is wrong within the rule: not exactly one kind of place."""
        found = super().contradictions()
        if (self.crossings is None) == (self.countries is None):
            found.append(
                "either crossings or countries must be given, and not both; write a rule for each"
            )
        return found

    def conflicts(
        self,
        others: Sequence[Rule],
        network: Network,  # noqa: ARG002
    ) -> list[Fault]:
        """Return a warning if bans close every place that the shipments must pass."""
        key = "crossings" if self.crossings is not None else "countries"
        barring: list[str] = []
        for name in getattr(self, key) or ():
            place = self.shipments.model_copy(update={key: (name,)})
            bans = [
                rule.id
                for rule in others
                if isinstance(rule, ForbidRule)
                and not rule.exceptions
                and rule.covers(place)
                and rule.overlaps(self)
            ]
            if not bans:
                return []
            barring.append(bans[0])
        return [
            self.fault(
                key, f"every place closed to the shipments by {', '.join(dict.fromkeys(barring))}",
                "a place that is open to them", "drop the requirement or the bans", warning=True,
            )
        ]  # fmt: skip

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add the automaton."""
        effects.paths.append(
            PathRule(
                rule_id=self.id,
                automaton=Automaton(
                    symbol=self._passes(territory).astype(np.int32),
                    step=np.array([[[OFF, OFF], [1, 2], [2, 2]]]),
                    accepting=np.array([True, False, True]),
                ),
                start=np.where(territory.classes.matches(self), 1, OFF).astype(np.int32),
                inside=np.array([False, False, False]),
            )
        )

    def _passes(self, territory: Territory) -> BoolArray:
        """Return the arcs on which the place is passed: a crossing on its border arc."""
        passes = territory.place(Scope(crossings=self.crossings, countries=self.countries))
        if self.crossings is not None:
            passes &= territory.supernetwork.is_kind(ArcKind.ENTRY)
        return passes

    def audit(self, journeys: Journeys) -> list[Finding]:
        """Return what of the shipments does not pass."""
        passes = journeys.any_step(self._passes(journeys.territory)[journeys.path_arc])
        spoken = journeys.territory.classes.matches(self)[journeys.path_class]
        return [
            Finding(
                rule_id=self.id,
                measure="not passing",
                unit="t_per_day",
                value=journeys.t_per_day_of(spoken & ~passes),
                upper=0.0,
                scale=journeys.total_t_per_day,
            )
        ]
