"""Minimal sets of rules that cannot hold together, and the least that must give way.

The search knows nothing of rules: it asks a question of sets of names, *can these hold together?*
A **conflict** is a set that cannot, of which every part can (an irreducible infeasible set). A
**correction** is a set without which the others can, of which no part is enough. Corrections hit
every conflict, so the lightest set that hits all conflicts known so far is either a correction,
and then the lightest there is, or what is left without it holds a conflict that is not known yet.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

Names: TypeAlias = frozenset[str]
Question: TypeAlias = Callable[[Names], bool]

MOST: Final = 12
"""Conflicts and corrections that are looked for, each; the lightest corrections come first."""
_SMALL: Final = 12
"""Conflicts up to this size are checked part by part: rules that override others need it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Diagnosis:
    """What a search for conflicts found.

    Attributes
    ----------
    conflicts
        Minimal sets that cannot hold together, in the order of the names.
    corrections
        Minimal sets without which the others can, lightest first.
    hopeless
        True if it cannot even be with nothing to hold: the names are not the reason.
    complete
        Whether these are all corrections there are.
    """

    conflicts: tuple[tuple[str, ...], ...] = ()
    corrections: tuple[tuple[str, ...], ...] = ()
    hopeless: bool = False
    complete: bool = True


def find_conflicts(
    names: Sequence[str],
    can_hold: Question,
    weights: Mapping[str, float] | None = None,
    most: int = MOST,
) -> Diagnosis:
    """Return conflicts and corrections of names that cannot hold together.

    Parameters
    ----------
    names
        What may give way, without repetition.
    can_hold
        Whether a set of them can hold together.
    weights
        How unwelcome it is that each gives way, > 0; 1 where none is given.
    most
        Most conflicts, and most corrections.

    References
    ----------
    R. Reiter, "A theory of diagnosis from first principles", Artificial Intelligence 32 (1987)
    57-95; U. Junker, "QuickXplain", AAAI (2004) 167-172; M. H. Liffiton et al., "Fast, flexible
    MUS enumeration", Constraints 21 (2016) 223-250.

    Examples
    --------
    A quota and a floor cannot be, nor can a floor and a ban: the floor alone may give way, or both
    of the others.

    >>> def can_hold(kept):
    ...     return not kept >= {"quota", "floor"} and not kept >= {"ban", "floor"}
    >>> found = find_conflicts(["ban", "floor", "quota"], can_hold)
    >>> found.conflicts, found.corrections
    ((('ban', 'floor'), ('floor', 'quota')), (('floor',), ('ban', 'quota')))
    """
    ask = _remembered(can_hold)
    everything = frozenset(names)
    if ask(everything):
        return Diagnosis()
    if not ask(frozenset()):
        return Diagnosis(hopeless=True)
    weigh = {name: 1.0 if weights is None else weights.get(name, 1.0) for name in names}
    conflicts: list[Names] = []
    corrections: list[Names] = []
    complete = False
    while len(corrections) < most and len(conflicts) < most:
        lightest = lightest_hitting_set(conflicts, weigh, corrections)
        if lightest is None:
            complete = True
            break
        kept = everything - lightest
        if ask(kept):
            corrections.append(_without_idle(lightest, everything, ask, weigh))
        else:
            conflicts.append(minimal_conflict([n for n in names if n in kept], ask))
    place = {name: i for i, name in enumerate(names)}
    ordered = [tuple(sorted(found, key=place.__getitem__)) for found in conflicts]
    return Diagnosis(
        conflicts=tuple(sorted(ordered, key=lambda found: [place[name] for name in found])),
        corrections=tuple(tuple(sorted(c, key=place.__getitem__)) for c in corrections),
        complete=complete,
    )


def _remembered(can_hold: Question) -> Question:
    """Return the question with a memory of the sets it was asked about."""
    known: dict[Names, bool] = {}

    def ask(kept: Names) -> bool:
        if kept not in known:
            known[kept] = can_hold(kept)
        return known[kept]

    return ask


def _without_idle(
    lightest: Names, everything: Names, ask: Question, weigh: Mapping[str, float]
) -> Names:
    """Return a correction without members that need not give way, the heaviest spared first.

    Where more can hold the less there is to hold, there are none.
    """
    left = lightest
    for name in sorted(lightest, key=lambda name: (-weigh[name], name)):
        if ask(everything - (left - {name})):
            left -= {name}
    return left


def minimal_conflict(names: Sequence[str], can_hold: Question) -> Names:
    """Return a conflict among names that cannot hold together (QuickXplain).

    A conflict of at most twelve names is checked part by part, so that it is minimal even where one
    name, put to others, sets them aside.
    """
    found = frozenset(_explain(frozenset(), [], list(names), can_hold))
    if len(found) <= _SMALL:
        ordered = [name for name in names if name in found]
        for size in range(len(ordered)):
            for part in combinations(ordered, size):
                if not can_hold(frozenset(part)):
                    return frozenset(part)
    return found


def _explain(
    background: Names, added: Sequence[str], names: list[str], can_hold: Question
) -> list[str]:
    """Return a minimal part of the names that cannot hold together with the background."""
    if added and not can_hold(background):
        return []
    if len(names) == 1:
        return names
    first, second = names[: len(names) // 2], names[len(names) // 2 :]
    in_second = _explain(background.union(first), first, second, can_hold)
    in_first = _explain(background.union(in_second), in_second, first, can_hold)
    return in_first + in_second


def lightest_hitting_set(
    conflicts: Sequence[Names], weigh: Mapping[str, float], spared: Sequence[Names] = ()
) -> Names | None:
    """Return the lightest set with a member of every conflict that holds no spared set.

    Returns
    -------
    frozenset of str or None
        None where there is none. Of equally light sets the first in the order of the names.

    Examples
    --------
    >>> conflicts = [frozenset("ab"), frozenset("ac")]
    >>> sorted(lightest_hitting_set(conflicts, {"a": 3.0, "b": 1.0, "c": 1.0}))
    ['b', 'c']
    """
    order = {name: i for i, name in enumerate(weigh)}
    best: tuple[float, list[int], Names] | None = None

    def visit(chosen: Names, barred: Names, weight: float) -> None:
        nonlocal best
        if any(found <= chosen for found in spared):
            return
        limit = math.inf if best is None else best[0]
        if weight > limit:
            return
        missed = next((found for found in conflicts if not found & chosen), None)
        if missed is None:
            key = (weight, sorted(order[name] for name in chosen), chosen)
            if best is None or key[:2] < best[:2]:
                best = key
            return
        tried: Names = barred
        for name in sorted(missed - barred, key=lambda name: (weigh[name], order[name])):
            visit(chosen | {name}, tried, weight + weigh[name])
            tried = tried | {name}

    visit(frozenset(), frozenset(), 0.0)
    return None if best is None else best[2]
