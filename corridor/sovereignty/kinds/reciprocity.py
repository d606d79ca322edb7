"""Reciprocity: two flows within a band of each other, and neither of them nothing."""

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from corridor.errors import Fault
from corridor.network import Network
from corridor.sovereignty.counts import count_once, per_day
from corridor.sovereignty.effects import Count, Effects, QuotaUnit, Row
from corridor.sovereignty.journeys import Finding, Journeys
from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.kinds.forbid import ForbidRule
from corridor.sovereignty.kinds.quota import QuotaRule
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.territory import Territory


class ReciprocityRule(Rule):
    """What one side gets from the other must lie in a band around what it gives, and be something.

    ``low F(b) <= F(a) <= high F(b)``, and each of them is at least the floor, which is above 0: two
    closed roads balance as well as two open ones, and are not reciprocity. A shipment counts once
    in each scope, in the vehicle that first enters it: nobody meets a floor by going in circles.

    Attributes
    ----------
    a, b
        The two scopes.
    low, high
        The band of F(a) / F(b).
    floor
        The least of each.
    unit
        In which both are counted.

    Notes
    -----
    Four rows over the flows of both scopes. A plan that cannot meet the floors is infeasible.

    Examples
    --------
    X sends 90 t a day through Y (5 USD/t) or around (9 USD/t), Y sends 30 t through X (5 USD/t) or
    around (9 USD/t); the band is 0.5 to 2, the floor 10 t::

        X --a: through Y--> .    F(a) <= 2 F(b): 60 <= 2 x 30
        X --around--------> .    30 t go around
        Y --b: through X--> .    F(b) = 30 >= 10

    Without the rule all 90 t go through Y. With it the cost is 60 x 5 + 30 x 9 + 30 x 5 = 720
    instead of 600 USD; a tonne more in the band saves 4 USD.
    """

    scope_keys: ClassVar[frozenset[str]] = frozenset()

    kind: Literal["reciprocity"]
    a: Scope
    b: Scope
    low: float = Field(ge=0.0, allow_inf_nan=False)
    high: float = Field(ge=0.0, allow_inf_nan=False)
    floor: float = Field(gt=0.0, allow_inf_nan=False)
    unit: QuotaUnit

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The two scopes."""
        return (self.a, self.b)

    def contradictions(self) -> list[str]:
        """Return what is wrong within the rule: a band with its ends exchanged."""
        found = super().contradictions()
        if self.low > self.high:
            found.append(f"low must be at most high ({self.high:g}); found {self.low:g}")
        return found

    def conflicts(
        self,
        others: Sequence[Rule],
        network: Network,  # noqa: ARG002
    ) -> list[Fault]:
        """Return a warning for each rule that keeps one of the flows below the floor."""
        found = []
        for name, scope in (("a", self.a), ("b", self.b)):
            for rule in others:
                closed = isinstance(rule, ForbidRule) and not rule.exceptions
                if isinstance(rule, QuotaRule) and rule.over_quota_usd_per_vehicle is None:
                    closed = rule.unit == self.unit and rule.limit < self.floor
                if closed and rule.covers(scope) and rule.overlaps(self):
                    found.append(
                        self.fault(
                            "floor", f"{self.floor:g} of {name} beside {rule.id}",
                            f"a flow of {name} that {rule.id} lets reach the floor",
                            "change one of the two rules", warning=True,
                        )
                    )  # fmt: skip
        return found

    def apply(self, territory: Territory, effects: Effects) -> None:
        """Add the four rows."""
        a, b = (count_once(territory, effects, self.id, scope, self.unit) for scope in self.scopes)
        floor = per_day(self.floor, self.unit)
        nobody = np.zeros(len(territory.classes))

        def add(part: str, *terms: tuple[float, Count], lower: float, upper: float) -> None:
            effects.rows.append(
                Row(
                    rule_id=self.id, part=part, unit=self.unit, terms=terms, served=nobody,
                    lower=lower, upper=upper,
                )
            )  # fmt: skip

        add("low", (1.0, a), (-self.low, b), lower=0.0, upper=np.inf)
        add("high", (1.0, a), (-self.high, b), lower=-np.inf, upper=0.0)
        add("floor of a", (1.0, a), lower=floor, upper=np.inf)
        add("floor of b", (1.0, b), lower=floor, upper=np.inf)

    def audit(self, journeys: Journeys) -> list[Finding]:
        """Return both flows against the band and the floor."""
        a, b = (journeys.entered(scope, self.unit, once=True) for scope in self.scopes)
        floor, unit = per_day(self.floor, self.unit), self.unit.replace("per_year", "per_day")
        scale = max(a, b, floor)
        parts = (
            (f"a, beside {b:g} of b,", a, self.low * b, self.high * b),
            ("a", a, floor, np.inf),
            ("b", b, floor, np.inf),
        )
        return [
            Finding(
                rule_id=self.id, measure=measure, unit=unit, value=value, lower=lower, upper=upper,
                scale=scale,
            )
            for measure, value, lower, upper in parts
        ]  # fmt: skip
