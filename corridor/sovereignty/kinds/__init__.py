"""The kinds of rules: one file and one line of `KINDS` each, all subclasses of `Rule`."""

from typing import Final

from corridor.sovereignty.kinds.base import Rule
from corridor.sovereignty.kinds.fee import FeeRule
from corridor.sovereignty.kinds.forbid import ForbidRule
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule
from corridor.sovereignty.kinds.quota import QuotaRule
from corridor.sovereignty.kinds.reciprocity import ReciprocityRule
from corridor.sovereignty.kinds.regime import RegimeRule
from corridor.sovereignty.kinds.require import RequireRule
from corridor.sovereignty.kinds.sealed import SealedRule
from corridor.sovereignty.kinds.share_cap import ShareCapRule
from corridor.sovereignty.kinds.waive import WaiveRule

KINDS: Final[dict[str, type[Rule]]] = {
    "fee": FeeRule,
    "forbid": ForbidRule,
    "inspection_floor": InspectionFloorRule,
    "quota": QuotaRule,
    "reciprocity": ReciprocityRule,
    "regime": RegimeRule,
    "require": RequireRule,
    "sealed": SealedRule,
    "share_cap": ShareCapRule,
    "waive": WaiveRule,
}

__all__ = ["KINDS", "Rule"]
