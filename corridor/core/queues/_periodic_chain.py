"""The chain of the number in the system through the slots of a period, and what it averages to."""

from typing import Protocol

import numpy as np

from corridor.core.queues import _uniform
from corridor.core.queues._dispatch import Engine, uses_kernels
from corridor.core.queues._fast_profiles import SlotValues
from corridor.core.queues._inputs import FloatArray
from corridor.core.queues._schedule import Schedule
from corridor.core.queues._uniform import SlotChain
from corridor.errors import CorridorError

COLD_WORK = 3e8
"""State updates above which loading numba pays for itself."""
LOADED_WORK = 1e6
"""The same where numba is loaded already."""

_PERIODS = 25  # that a solution usually takes, for the choice of the engine
_SLOW = 0.3  # a change that falls by less than this, period by period, needs Krylov's method
_RESTART, _CYCLES = 60, 40
_LEAST_ROUNDING, _ENOUGH, _STUCK = 1e-13, 10.0, 1e-10
_ROUNDING = 1e-15
_STILL = 1e-13


class SlotSums(Protocol):
    """The functions of `_uniform`, or of its compiled twin."""

    def push(
        self, state: FloatArray, birth: float, down: FloatArray, mass: FloatArray, /
    ) -> FloatArray: ...

    def push_all(
        self,
        state: FloatArray,
        birth: float,
        down: FloatArray,
        leave: FloatArray,
        tag: float,
        mass: FloatArray,
        beyond: FloatArray,
        /,
    ) -> FloatArray: ...

    def pull(
        self,
        wait: FloatArray,
        waits: FloatArray,
        down: FloatArray,
        leave: FloatArray,
        mass: FloatArray,
        beyond: FloatArray,
        /,
    ) -> FloatArray: ...


class PeriodicChain:
    """The chain cut off at a number of states.

    Parameters
    ----------
    schedule
        Slots of the period.
    n_states
        States 0..n_states - 1, n_states >= 3.
    engine
        NumPy or compiled kernels.
    """

    def __init__(self, schedule: Schedule, n_states: int, engine: Engine) -> None:
        self.schedule = schedule
        self.n_states = n_states
        slots = zip(
            schedule.arrival_rate.tolist(),
            schedule.servers.tolist(),
            schedule.length.tolist(),
            strict=True,
        )
        self.chains = [
            SlotChain.of(rate, servers, schedule.service_rate, length, n_states)
            for rate, servers, length in slots
        ]
        n_events = sum(chain.mass.size for chain in self.chains)
        # By so much the probabilities change in a period if nothing but rounding does.
        self.rounding = max(_LEAST_ROUNDING, np.finfo(np.float64).eps * n_events)
        updates = n_states * n_events * _PERIODS
        self.sums: SlotSums = _uniform
        if uses_kernels(engine, updates, cold=COLD_WORK, loaded=LOADED_WORK):
            from corridor.core.queues import _uniform_kernels

            self.sums = _uniform_kernels

    def first_period(self) -> tuple[FloatArray, float]:
        """Carry a guess through a period: a cheap look at how much is cut off.

        Returns the probabilities at its end, and the largest of the highest state after any slot.
        """
        state, highest = self._stationary_guess(), 0.0
        for chain in self.chains:
            state = self.sums.push(state, chain.birth, chain.down, chain.mass)
            highest = max(highest, float(state[-1]))
        return state, highest

    def repeating_state(self, guess: FloatArray) -> FloatArray:
        """Return the probabilities at the start of the period that come back at its end.

        Period after period is run while that gains digits quickly; what is left is solved by
        Krylov's method: with u any distribution, x (I - P) + u (x 1) = u has this one solution.

        Raises
        ------
        CorridorError
            If it does not converge.
        """
        state, last = guess, np.inf
        while True:
            after = self.after_period(state)
            after /= after.sum()
            change = float(np.abs(after - state).sum())
            state, is_slow = after, change > _SLOW * last
            if change <= self.rounding or (is_slow and change <= _ENOUGH * self.rounding):
                break
            if is_slow:
                state = self._krylov(state)
                break
            last = change
        state = np.maximum(state, 0.0)
        return np.asarray(state / state.sum())

    def _krylov(self, guess: FloatArray) -> FloatArray:
        from scipy.sparse.linalg import LinearOperator, gmres

        def remainder(state: FloatArray) -> FloatArray:
            return np.asarray(state - self.after_period(state) + guess * state.sum())

        shape = (self.n_states, self.n_states)
        operator = LinearOperator(shape, matvec=remainder, dtype=np.float64)
        state, change = guess, np.inf
        for _ in range(_CYCLES):
            state, _ = gmres(
                operator, guess, x0=state, rtol=0.0, atol=_ROUNDING, restart=_RESTART, maxiter=1
            )
            after = self.after_period(state)
            last, change = change, float(np.abs(after - state).sum())
            if change <= _ENOUGH * self.rounding or last / 2.0 <= change <= _STUCK:
                return after
        msg = f"The repeating state was not found: a period still changes it by {change:g}."
        raise CorridorError(msg)

    def after_period(self, state: FloatArray) -> FloatArray:
        """Carry probabilities through all slots."""
        for chain in self.chains:
            state = self.sums.push(state, chain.birth, chain.down, chain.mass)
        return state

    def averages(self, state: FloatArray) -> tuple[SlotValues, float]:
        """Return the means of each slot, from the state at the start of the period.

        Also the largest probability of the highest state at the end of a slot.
        """
        to_come = self._waits_to_come()
        n = np.arange(float(self.n_states))
        highest = 0.0
        rows: list[tuple[float, ...]] = []
        for slot, chain in enumerate(self.chains):
            servers = float(self.schedule.servers[slot])
            length = float(self.schedule.length[slot])
            after = to_come[(slot + 1) % len(self.chains)]
            weights = (chain.birth, chain.down, chain.leave, chain.tag, chain.mass, chain.beyond)
            end, integral, tagged_end, tagged_integral = self.sums.push_all(state, *weights)
            busy = float(integral @ np.minimum(n, servers)) / length
            rows.append(
                (
                    float(integral @ np.maximum(n - servers, 0.0)) / length,
                    float(tagged_end @ after + tagged_integral @ chain.waits),
                    float(integral @ chain.waits) / length,
                    busy / servers if servers else 0.0,
                    float(state @ n),
                )
            )
            highest = max(highest, float(end[-1]))
            state = end
        return SlotValues(*(np.array(column) for column in zip(*rows, strict=True))), highest

    def _waits_to_come(self) -> list[FloatArray]:
        """Return the wait still to come, by the number before one, at the start of every slot."""
        wait = np.zeros(self.n_states)
        starts = [wait] * len(self.chains)
        while True:
            for slot in range(len(self.chains) - 1, -1, -1):
                chain = self.chains[slot]
                weights = (chain.waits, chain.down, chain.leave, chain.mass, chain.beyond)
                starts[slot] = self.sums.pull(starts[(slot + 1) % len(starts)], *weights)
            if np.abs(starts[0] - wait).max() <= _STILL * starts[0].max():
                return starts
            wait = starts[0]

    def _stationary_guess(self) -> FloatArray:
        """Probabilities of M/M/c with the mean rates: their tail falls as that of the solution."""
        schedule = self.schedule
        load = schedule.mean(schedule.arrival_rate) / schedule.service_rate
        n = np.arange(1.0, self.n_states)
        servers = np.minimum(n, schedule.mean(schedule.servers))
        if load == 0.0:
            return np.asarray(np.eye(1, self.n_states)[0])
        logs = np.concatenate([[0.0], np.cumsum(np.log(load / servers))])
        state = np.exp(logs - logs.max())
        return np.asarray(state / state.sum())
