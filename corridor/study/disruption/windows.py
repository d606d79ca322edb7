"""Closures that come back in a year: dated bans, weather on scheduled crossings, and one's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from corridor.errors import InputError
from corridor.network import Network
from corridor.sovereignty import Rules
from corridor.sovereignty.kinds.forbid import ForbidRule
from corridor.units import DAYS_PER_YEAR

_LONGEST_EVENT: Final = 90
"""Days beyond which a dated ban is policy, no event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureWindow:
    """Days of a year on which something is closed.

    Attributes
    ----------
    item
        Id of a link or a crossing, a node (its terminals), or a state (to transit).
    days_per_year
        Days, above 0 to 365.
    cause
        Why, in a few words.
    """

    item: str
    days_per_year: float
    cause: str = "assumed"

    def __post_init__(self) -> None:
        if not 0.0 < self.days_per_year <= DAYS_PER_YEAR:
            msg = (
                f"days_per_year of {self.item!r} must be above 0, at most {DAYS_PER_YEAR}; found "
                f"{self.days_per_year}."
            )
            raise InputError(msg)


def event_rules(rules: Rules) -> list[tuple[ForbidRule, float]]:
    """Return the bans that lasted some days only, and how many, whether or not they are in force.

    A repeat of the event, once a year, is what they stand for.
    """
    found = []
    for rule in rules.rules:
        if isinstance(rule, ForbidRule) and rule.valid_from and rule.valid_to:
            days = (rule.valid_to - rule.valid_from).days
            if 0 < days <= _LONGEST_EVENT:
                found.append((rule, float(days)))
    return found


def weather_windows(network: Network) -> list[ClosureWindow]:
    """Return the days on which scheduled links are shut, from their share of cancelled sailings.

    A link's services are averaged; links without services, or without cancellations, have none.
    """
    services = network.services
    if not len(services) or "cancel_share" not in services:
        return []
    shares = services.groupby("link_id")["cancel_share"].mean()
    return [
        ClosureWindow(
            item=str(link),
            days_per_year=float(share) * DAYS_PER_YEAR,
            cause="weather: cancelled sailings",
        )
        for link, share in shares.items()
        if float(share) > 0.0
    ]


def checked_windows(windows: Sequence[ClosureWindow], known: Sequence[str]) -> list[ClosureWindow]:
    """Return the windows, or say which name nothing that may close.

    Raises
    ------
    InputError
        If an item is unknown.
    """
    strange = sorted({window.item for window in windows} - set(known))
    if strange:
        msg = (
            "Windows must name links, crossings, nodes or states of the network; found "
            f"{', '.join(strange)}. Correct the names."
        )
        raise InputError(msg)
    return list(windows)
