"""How a search ended, as data: sheets, reasons and exit codes switch on it, never on a text."""

from typing import Final, Literal, TypeAlias

import numpy as np

SearchStatus: TypeAlias = Literal["optimal", "feasible", "infeasible", "unknown"]
Outcome: TypeAlias = Literal["proved", "stopped", "unlawful"]
"""``proved``: the answer is the best within the gap; ``stopped``: a limit ended the search, and
nothing is known beyond its gap; ``unlawful``: the rules allow no answer at all."""

_WHO: Final = {"time": "the time limit", "interrupt": "the keyboard"}


def outcome_of(status: SearchStatus) -> Outcome:
    """Return how a search with a status ended.

    Examples
    --------
    >>> outcome_of("optimal"), outcome_of("feasible"), outcome_of("infeasible")
    ('proved', 'stopped', 'unlawful')
    """
    if status == "infeasible":
        return "unlawful"
    return "proved" if status == "optimal" else "stopped"


def told_stop(limit: str | None, gap: float) -> str:
    """Return the sentence that says what stopped a search, and what is proved nonetheless.

    Examples
    --------
    >>> told_stop("time", 0.02)
    'Stopped by the time limit: nothing is proved beyond the gap of 2.0e-02.'
    >>> told_stop("interrupt", float("nan"))
    'Stopped by the keyboard: nothing is proved.'
    """
    who = _WHO.get(limit or "", limit or "a limit")
    if not np.isfinite(gap) or gap >= 1.0:
        return f"Stopped by {who}: nothing is proved."
    return f"Stopped by {who}: nothing is proved beyond the gap of {gap:.1e}."


def told_rules(rules: tuple[str, ...]) -> str:
    """Return the sentence that says that nothing is lawful, and which rules forbid it.

    Examples
    --------
    >>> told_rules(("scan_all",))
    'No portfolio is lawful: whatever is built, open posts break scan_all.'
    """
    if not rules:
        return "No portfolio is lawful: the rules contradict each other."
    return f"No portfolio is lawful: whatever is built, open posts break {', '.join(rules)}."


def gap_of(cost: float, bound: float) -> float:
    """Return (cost - bound) / cost; 0 where both are the same, as when nothing moves at no cost.

    Examples
    --------
    >>> gap_of(4.0, 3.0), gap_of(0.0, 0.0)
    (0.25, 0.0)
    """
    if not np.isfinite(cost):
        return float("nan")
    missing = max(cost - bound, 0.0)
    return 0.0 if missing == 0.0 else missing / abs(cost) if cost != 0.0 else float("inf")
