"""Shift plans: covers against another solver, targets met, nothing to spare."""

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from corridor.border.shifts import ShiftRules, cover_shifts, plan_shifts
from corridor.core.queues import periodic_queue
from corridor.errors import InputError

DAY = np.array([2, 2, 1, 1, 1, 2, 4, 6, 8, 9, 9, 8, 7, 7, 8, 9, 9, 8, 6, 5, 4, 3, 3, 2], float)


@pytest.mark.parametrize("seed", range(12))
def test_covers_cost_what_another_solver_finds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rules = ShiftRules(
        length=int(rng.integers(4, 8)), pause=1, pause_from=1, pause_until=2,
        starts=tuple(range(0, 12, int(rng.integers(1, 4)))), least_crew=int(rng.integers(0, 3)),
    )  # fmt: skip
    required = rng.integers(0, 6, 12)
    plan = cover_shifts(required, rules)
    begin, rest, duty = rules.patterns(12)
    need = np.maximum(required, rules.least_crew)
    best = milp(
        duty.sum(axis=1),
        constraints=LinearConstraint(duty.T, lb=need),
        integrality=np.ones(begin.size),
        bounds=Bounds(0, np.inf),
    )
    assert plan.paid == round(best.fun)
    assert (plan.crew >= need).all()
    crew = np.zeros(12)
    for start, pause, people in plan.shifts:
        crew += people * duty[(begin == start) & (rest == pause)][0]
    np.testing.assert_array_equal(plan.crew, crew)


def test_the_target_holds_all_day_and_nobody_is_to_spare() -> None:
    rules = ShiftRules(
        length=8, pause=1, pause_from=3, pause_until=4, starts=tuple(range(0, 24, 2))
    )
    plan = plan_shifts(DAY, 0.5, 0.25, rules, service_scv=0.5)
    wait = periodic_queue(DAY, 0.5, plan.crew, service_scv=0.5).mean_wait
    np.testing.assert_allclose(plan.wait_h, wait, rtol=1e-9)
    assert (plan.wait_h <= 0.25).all()
    assert (plan.crew >= 1).all()
    for slot in np.flatnonzero(plan.required > 1):
        fewer = plan.required.copy()
        fewer[slot] -= 1
        other = cover_shifts(fewer, rules)
        waits = periodic_queue(DAY, 0.5, other.crew, service_scv=0.5).mean_wait
        assert other.paid >= plan.paid or (waits > 0.25).any()
    # Those who get their wait by day only would pay for the peak all day long.
    assert plan.paid < 7 * 3 * plan.crew.max()


def test_a_crew_too_small_is_said() -> None:
    rules = ShiftRules(pause=0, most_crew=3)
    with pytest.raises(InputError, match=r"The wait must stay below 0.1 h; with 3 people"):
        plan_shifts(DAY, 0.5, 0.1, rules)
    with pytest.raises(InputError, match="No plan of these shifts covers"):
        cover_shifts([5] * 24, rules)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"length": 0}, "A shift must hold its break"),
        ({"pause_until": 8}, "A shift must hold its break"),
        ({"most_crew": 0}, "least_crew must be >= 0 and <= most_crew"),
    ],
)
def test_bad_shifts_are_refused(change: dict, words: str) -> None:
    with pytest.raises(InputError, match=words):
        ShiftRules(**change)


def test_bad_days_are_refused() -> None:
    with pytest.raises(InputError, match="whole numbers >= 0"):
        cover_shifts([1.5] * 24)
    with pytest.raises(InputError, match="must fit into the day of 6"):
        cover_shifts([1] * 6)
    with pytest.raises(InputError, match=r"starts must be slots 0\.\.23"):
        cover_shifts([1] * 24, ShiftRules(starts=(24,)))
    with pytest.raises(InputError, match="most_wait_h"):
        plan_shifts(DAY, 0.5, 0.0)
