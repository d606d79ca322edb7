"""Minimal conflicts and corrections against all subsets."""

from itertools import combinations

import numpy as np
import pytest

from corridor.planning.reasons.conflicts import (
    Diagnosis,
    Names,
    find_conflicts,
    lightest_hitting_set,
    minimal_conflict,
)

NAMES = tuple("abcdef")


def subsets() -> list[Names]:
    return [frozenset(part) for size in range(7) for part in combinations(NAMES, size)]


def draw(rng: np.random.Generator) -> list[Names]:
    """Return sets that cannot hold, 1 to 4 of them."""
    sizes = rng.integers(1, 4, rng.integers(1, 5))
    return [frozenset(rng.choice(NAMES, size, replace=False).tolist()) for size in sizes]


def minimal(found: list[Names]) -> set[Names]:
    return {one for one in found if not any(other < one for other in found)}


@pytest.mark.parametrize("seed", range(60))
def test_conflicts_and_corrections_are_those_of_all_subsets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clashes = draw(rng)
    weights = {name: float(w) for name, w in zip(NAMES, rng.uniform(0.5, 3.0, 6), strict=True)}

    def can_hold(kept: Names) -> bool:
        return not any(clash <= kept for clash in clashes)

    found = find_conflicts(NAMES, can_hold, weights, most=100)
    every = frozenset(NAMES)
    conflicts = minimal([part for part in subsets() if not can_hold(part)])
    corrections = minimal([part for part in subsets() if can_hold(every - part)])
    assert {frozenset(c) for c in found.conflicts} <= conflicts
    assert {frozenset(c) for c in found.corrections} == corrections
    assert found.complete
    total = [sum(weights[name] for name in c) for c in found.corrections]
    assert total == sorted(total)


def test_rules_that_set_others_aside_still_give_minimal_conflicts() -> None:
    """The later of two regimes holds: ``b`` sets ``a`` aside, and both clash with ``f``."""

    def can_hold(kept: Names) -> bool:
        return "f" not in kept or not kept & {"a", "b"}

    found = find_conflicts(["a", "b", "f"], can_hold)
    assert set(found.corrections) == {("f",), ("a", "b")}
    assert set(found.conflicts) == {("a", "f"), ("b", "f")}

    def alone(kept: Names) -> bool:
        return "f" not in kept or "a" in kept  # without ``a``, ``f`` alone cannot be

    assert minimal_conflict(["b", "f"], alone) == frozenset("f")


def test_what_holds_has_no_conflict_and_what_never_can_is_not_the_names_fault() -> None:
    assert find_conflicts(NAMES, lambda _: True).conflicts == ()
    found = find_conflicts(NAMES, lambda _: False)
    assert (found.hopeless, found.conflicts, found.corrections) == (True, (), ())


def test_no_set_is_asked_about_twice() -> None:
    asked: list[Names] = []

    def can_hold(kept: Names) -> bool:
        asked.append(kept)
        return not kept >= {"a", "c"}

    found: Diagnosis = find_conflicts(NAMES, can_hold)
    assert found.conflicts == (("a", "c"),)
    assert len(asked) == len(set(asked))


@pytest.mark.parametrize("seed", range(40))
def test_the_lightest_hitting_set_is_that_of_all_subsets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    conflicts, spared = draw(rng), draw(rng)[:2]
    weights = {name: float(w) for name, w in zip(NAMES, rng.uniform(0.5, 3.0, 6), strict=True)}
    able = [
        sum(weights[name] for name in part)
        for part in subsets()
        if all(part & c for c in conflicts) and not any(s <= part for s in spared)
    ]
    found = lightest_hitting_set(conflicts, weights, spared)
    assert (found is None) == (not able)
    if found is not None:
        assert sum(weights[name] for name in found) == pytest.approx(min(able))
