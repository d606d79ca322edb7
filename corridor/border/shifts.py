"""Shift plans of a post: whole shifts with a break that keep the wait below a target all day."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from corridor.core.queues import mean_wait, periodic_queue
from corridor.core.solver import Program, solve
from corridor.errors import InputError

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

_MOST_ROUNDS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRules:
    """What a shift looks like, in slots of the day.

    Parameters
    ----------
    length
        Slots from start to end, the break included, >= 1.
    pause
        Slots of the break, unpaid, >= 0 and < length.
    pause_from, pause_until
        The break starts this many slots after the shift at the earliest, and at the latest.
    starts
        Slots in which shifts may start; None for all.
    least_crew, most_crew
        Fewest and most people on duty in every slot: the host state's side is never unmanned.

    Raises
    ------
    InputError
        If the break does not fit into the shift, or a number is out of its range.
    """

    length: int = 8
    pause: int = 1
    pause_from: int = 3
    pause_until: int = 5
    starts: tuple[int, ...] | None = None
    least_crew: int = 1
    most_crew: int | None = None

    def __post_init__(self) -> None:
        fits = 0 <= self.pause_from <= self.pause_until <= self.length - self.pause
        if self.length < 1 or not 0 <= self.pause < self.length or (self.pause and not fits):
            msg = (
                "A shift must hold its break: 0 <= pause_from <= pause_until <= length - pause; "
                f"found length {self.length}, pause {self.pause}, pause_from {self.pause_from}, "
                f"pause_until {self.pause_until}."
            )
            raise InputError(msg)
        if self.least_crew < 0 or (self.most_crew is not None and self.most_crew < self.least_crew):
            msg = (
                "least_crew must be >= 0 and <= most_crew; found "
                f"{self.least_crew} and {self.most_crew}."
            )
            raise InputError(msg)

    def patterns(self, n_slots: int) -> tuple[IntArray, IntArray, FloatArray]:
        """Return start, start of the break (-1 for none) and slots on duty of every shift.

        Raises
        ------
        InputError
            If a shift is longer than the day, or a start lies outside it.
        """
        if self.length > n_slots:
            msg = f"A shift must fit into the day of {n_slots} slots; found {self.length}."
            raise InputError(msg)
        starts = range(n_slots) if self.starts is None else self.starts
        if any(not 0 <= start < n_slots for start in starts):
            msg = f"starts must be slots 0..{n_slots - 1}; found {list(starts)}."
            raise InputError(msg)
        pauses = range(self.pause_from, self.pause_until + 1) if self.pause else (self.length,)
        begin, rest, duty = [], [], []
        for start in starts:
            for pause in pauses:
                on = np.zeros(n_slots)
                on[(start + np.arange(self.length)) % n_slots] = 1.0
                on[(start + pause + np.arange(self.pause)) % n_slots] = 0.0
                begin.append(start)
                rest.append((start + pause) % n_slots if self.pause else -1)
                duty.append(on)
        return np.array(begin), np.array(rest), np.array(duty)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ShiftPlan:
    """People on duty, and what they achieve.

    Attributes
    ----------
    shifts
        int64 (n_shifts, 3): start slot, slot of the break (-1 for none), people; one row for each
        kind of shift that is used.
    crew
        int64 (n_slots,): people on duty.
    paid
        Slots paid in all.
    wait_h
        float64 (n_slots,): mean wait of arrivals in each slot; empty for a bare cover.
    required
        int64 (n_slots,): people that the plan was made to cover.
    rounds
        Covers that were solved.
    """

    shifts: IntArray
    crew: IntArray
    paid: int
    wait_h: FloatArray
    required: IntArray
    rounds: int = 1


def cover_shifts(required: ArrayLike, rules: ShiftRules | None = None) -> ShiftPlan:
    """Return the fewest paid slots that put the required people on duty in every slot.

    An integer program with one column for each start and break, solved to optimality by CP-SAT.

    Parameters
    ----------
    required
        int (n_slots,): people needed in each slot of a day that repeats, >= 0.
    rules
        What shifts look like; eight slots with a break by default.

    Raises
    ------
    InputError
        If the numbers are out of range, or no plan within `most_crew` covers them.

    Examples
    --------
    Two people by day, one by night, shifts of eight hours without breaks:

    >>> rules = ShiftRules(length=8, pause=0, starts=(0, 8, 16))
    >>> cover_shifts([1] * 8 + [2] * 8 + [1] * 8, rules).shifts.tolist()
    [[0, -1, 1], [8, -1, 2], [16, -1, 1]]
    """
    rules = ShiftRules() if rules is None else rules
    need = np.asarray(required)
    if need.ndim != 1 or need.dtype.kind not in "iu" or (need < 0).any():
        msg = (
            "required must be whole numbers >= 0, one a slot; found "
            f"{need.dtype} of shape {need.shape}."
        )
        raise InputError(msg)
    need = np.maximum(need.astype(np.int64), rules.least_crew)
    begin, rest, duty = rules.patterns(need.size)
    most = np.inf if rules.most_crew is None else float(rules.most_crew)
    if need.max(initial=0) > most:
        raise InputError(_uncovered(need, rules))
    n_columns = begin.size
    program = Program(
        duty.sum(axis=1),
        np.zeros(n_columns),
        np.full(n_columns, float(need.max(initial=0))),
        sparse.csr_matrix(duty.T),
        need.astype(np.float64),
        np.full(need.size, most),
        np.ones(n_columns, dtype=np.bool_),
    )
    answer = solve(program, solver="cp_sat")
    if answer.x is None:
        raise InputError(_uncovered(need, rules))
    people = np.rint(answer.x).astype(np.int64)
    used = np.flatnonzero(people)
    return ShiftPlan(
        shifts=np.column_stack([begin[used], rest[used], people[used]]),
        crew=np.rint(people @ duty).astype(np.int64),
        paid=int(np.rint(answer.objective)),
        wait_h=np.empty(0),
        required=need,
    )


def _uncovered(need: IntArray, rules: ShiftRules) -> str:
    return (
        f"No plan of these shifts covers the required people (most {int(need.max())} in a slot) "
        f"with at most {rules.most_crew} on duty. Allow more people, other starts or longer waits."
    )


def plan_shifts(
    arrivals_per_h: ArrayLike,
    service_h: float,
    most_wait_h: float,
    rules: ShiftRules | None = None,
    *,
    service_scv: float = 1.0,
    slot_h: float = 1.0,
) -> ShiftPlan:
    """Return shifts that keep the mean wait of every slot's arrivals below a target.

    Waits are those of `periodic_queue` under the crew on duty, so that a queue from the morning
    counts in the afternoon. The people required begin at the load that a post with unlimited crew
    would have, rise by one wherever the target is missed, and are then lowered again one slot at a
    time wherever that saves pay and the target holds. The target is met for certain, and no single
    requirement can be lowered to save; that no other plan is cheaper is not proved.

    Parameters
    ----------
    arrivals_per_h
        float64 (n_slots,): vehicles an hour in each slot of a day that repeats, >= 0.
    service_h
        Mean service time [h], > 0.
    most_wait_h
        Longest mean wait in any slot [h], > 0.
    rules, service_scv, slot_h
        What shifts look like; variation of the service times; length of a slot [h].

    Returns
    -------
    ShiftPlan
        With the waits it achieves.

    Raises
    ------
    InputError
        If a value is out of range, or `most_crew` cannot meet the target.
    """
    rules = ShiftRules() if rules is None else rules
    rate = np.asarray(arrivals_per_h, dtype=np.float64)
    if not most_wait_h > 0.0:
        msg = f"most_wait_h must be > 0 h; found {most_wait_h}."
        raise InputError(msg)

    def waits(crew: IntArray) -> FloatArray:
        return _waits(rate, service_h, crew, service_scv, slot_h)

    required = np.maximum(_load(rate, service_h, slot_h), rules.least_crew)
    if rules.most_crew is not None:
        required = np.minimum(required, rules.most_crew)
    plan = cover_shifts(required, rules)
    rounds = 1
    while (missed := ~((wait := waits(plan.crew)) <= most_wait_h)).any():
        stuck = rules.most_crew is not None and (plan.crew[missed] >= rules.most_crew).all()
        if stuck or rounds >= _MOST_ROUNDS:
            worst = int(np.argmax(np.where(missed, wait, -np.inf)))
            msg = (
                f"The wait must stay below {most_wait_h:g} h; with {plan.crew[worst]} people on "
                f"duty it is {wait[worst]:.3g} h in slot {worst}. Allow more people, or a "
                "longer wait."
            )
            raise InputError(msg)
        # More than are on duty: what is required may be covered already by a shift's other slots.
        required = np.where(missed, np.maximum(required, plan.crew) + 1, required)
        if rules.most_crew is not None:
            required = np.minimum(required, rules.most_crew)
        plan, rounds = cover_shifts(required, rules), rounds + 1
    return _lowered(replace(plan, wait_h=wait, rounds=rounds), rules, most_wait_h, waits)


def _lowered(
    plan: ShiftPlan,
    rules: ShiftRules,
    most_wait_h: float,
    waits: Callable[[IntArray], FloatArray],
) -> ShiftPlan:
    """Require one person less wherever that saves pay and keeps the target, until it never does."""
    rounds, lowered = plan.rounds, True
    while lowered:
        lowered = False
        for slot in np.argsort(-plan.crew, kind="stable"):
            fewer = plan.required.copy()
            fewer[slot] -= 1
            if fewer[slot] < rules.least_crew:
                continue
            other, rounds = cover_shifts(fewer, rules), rounds + 1
            if other.paid < plan.paid and ((wait := waits(other.crew)) <= most_wait_h).all():
                plan, lowered = replace(other, wait_h=wait), True
    return replace(plan, rounds=rounds)


def _waits(
    rate: FloatArray, service_h: float, crew: IntArray, service_scv: float, slot_h: float
) -> FloatArray:
    if (crew == crew[0]).all() and (rate == rate[0]).all():
        wait = mean_wait(rate[0], service_h, int(crew[0]), 1.0, service_scv)
        return np.full(rate.size, float(wait))
    found = periodic_queue(rate, service_h, crew, slot_h, service_scv=service_scv)
    return np.where(rate > 0.0, found.mean_wait, 0.0)


def _load(rate: FloatArray, service_h: float, slot_h: float) -> IntArray:
    """Return the people that would be busy with unlimited crew, rounded down: a place to begin."""
    decay = np.exp(-slot_h / service_h)
    busy = rate.mean() * service_h
    loads = np.zeros(rate.size)
    for _ in range(2 * int(np.ceil(10.0 * service_h / (slot_h * rate.size))) + 2):
        for slot, arrivals in enumerate(rate):
            loads[slot] = busy
            busy = busy * decay + arrivals * service_h * (1.0 - decay)
    return np.floor(loads).astype(np.int64)
