"""Values of sets of states where roads fill up: plans with capacities, queues and quotas."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.core.flows import FlowResult, PathColumns, min_cost_flow
from corridor.errors import InputError
from corridor.planning import Model
from corridor.study.cooperation.transfers import split_costs
from corridor.study.disruption.interruptions import Interruptible

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
Checked: TypeAlias = Literal["none", "marginal", "all"]

CHECKED: Final[tuple[Checked, ...]] = ("none", "marginal", "all")
MOST_CHECKED: Final = 8
"""Players up to which all sets are planned."""
_DEARER: Final = 10.0
"""Price of a tonne left behind, in costs of the dearest detour."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CapacityCheck:
    """What sets of states are worth when capacities, quotas and growing queues count.

    Attributes
    ----------
    mask : ndarray of int64, shape (n_sets,)
        Sets that were valued.
    usd_per_day : ndarray of float64, shape (n_sets,)
        Values [USD/day]: what is saved on the goods that can be carried with all players closed.
    t_per_day : ndarray of float64, shape (n_shipments,)
        These goods.
    n_plans
        Plans that were solved; the others follow from a larger set that needs no more states.
    """

    mask: NDArray[np.int64]
    usd_per_day: FloatArray
    t_per_day: FloatArray
    n_plans: int


def wanted_sets(checked: Checked, n: int) -> NDArray[np.int64]:
    """Return the sets that a check values: none, all but one and the whole, or all.

    Raises
    ------
    InputError
        If the word is another, or all sets of more than eight players are asked for.
    """
    if checked not in CHECKED:
        msg = f"capacity must be one of {', '.join(CHECKED)}; found {checked!r}."
        raise InputError(msg)
    if checked == "none":
        return np.zeros(0, np.int64)
    if checked == "marginal":
        everyone = 2**n - 1
        return np.unique([everyone, 0, *(everyone & ~(1 << i) for i in range(n))])
    if n > MOST_CHECKED:
        msg = (
            f"All sets of at most {MOST_CHECKED} players can be planned; found {n}. Ask for "
            "marginal, or for fewer players."
        )
        raise InputError(msg)
    return np.arange(2**n)


def check_capacities(
    case: Interruptible,
    players: Sequence[str],
    t_per_day: FloatArray,
    detour_usd_per_t: float,
    masks: NDArray[np.int64],
    *,
    prune: bool = True,
) -> CapacityCheck:
    """Return the values of some sets by plans at the cost of resources and time.

    The goods that count are those that can be carried with all players closed; they can be carried
    with any open, so that every set carries the same. A set T has the value of a larger set S when
    the plan of S crosses no state that T lacks: what S does best, T can do, and no better.

    Parameters
    ----------
    case, players
        The model with what each state closes, and the players.
    t_per_day : ndarray of float64, shape (n_shipments,)
        Goods with a way past all players.
    detour_usd_per_t
        Cost of the dearest of these ways.
    masks
        Sets to value; that of nobody is planned first.
    prune
        False plans every set, to prove that nothing is lost.
    """
    plans = _Plans(case, players, t_per_day, _DEARER * max(detour_usd_per_t, 1.0))
    base = plans.solve(0)
    carried = np.maximum(t_per_day - base.unmet, 0.0)
    plans.carry(carried)
    known: dict[int, tuple[float, int]] = {}
    # Largest sets first, so that smaller ones can follow from them.
    for mask in sorted(masks.tolist(), key=lambda m: (-m.bit_count(), m)):
        larger = (known.get(mask | 1 << i) for i in range(len(players)) if not mask >> i & 1)
        same = next((v for v in larger if prune and v is not None and v[1] & ~mask == 0), None)
        known[mask] = same if same is not None else plans.value(mask)
    nobody = known[0][0] if 0 in known else plans.value(0)[0]
    return CapacityCheck(
        mask=np.asarray(masks, np.int64),
        usd_per_day=nobody - np.array([known[int(mask)][0] for mask in masks]),
        t_per_day=carried,
        n_plans=plans.n_solved,
    )


class _Plans:
    """Plans of sets of states, each from the paths of all before."""

    def __init__(
        self, case: Interruptible, players: Sequence[str], t_per_day: FloatArray, unmet: float
    ) -> None:
        self._case, self._players, self._t, self._unmet = case, players, t_per_day, unmet
        # Queues of the plan grow by themselves: their waits are no part of the arcs' cost.
        self._cost = split_costs(case.model, with_wait=False).resource_usd_per_t
        self._columns: PathColumns | None = None
        self.n_solved = 0

    def carry(self, t_per_day: FloatArray) -> None:
        """Plan for other goods from now on."""
        self._t = t_per_day

    def value(self, mask: int) -> tuple[float, int]:
        """Return the cost of a set's plan, and the players that it crosses."""
        result = self.solve(mask)
        left = float(result.unmet.sum())
        if left > _LEAST * max(float(self._t.sum()), 1.0):
            # A larger set carries whatever a smaller one does; only a limit of the solver hides it.
            return np.nan, 2 ** len(self._players) - 1
        return result.flow_cost + result.delay_cost, self._crossed(result)

    def solve(self, mask: int) -> FlowResult:
        """Return the plan of a set."""
        model = self._open(mask)
        problem = model.flow_problem(congestion=True, unmet_usd_per_t=self._unmet)
        problem = replace(problem, cost=self._cost, demand=self._t)
        result = min_cost_flow(problem, tolerance=1e-7, columns=self._columns)
        self._columns = result.columns
        self.n_solved += 1
        return result

    def _open(self, mask: int) -> Model:
        model = self._case.model
        allowed = model.allowed.copy()
        for position, name in enumerate(self._players):
            if not mask >> position & 1:
                allowed[self._case.bans[name].nonzero()] = False
        return replace(model, allowed=allowed)

    def _crossed(self, result: FlowResult) -> int:
        carries: BoolArray = np.asarray(result.class_flow) > 0.0
        crossed = 0
        for position, name in enumerate(self._players):
            if carries[self._case.bans[name].nonzero()].any():
                crossed |= 1 << position
        return crossed


_LEAST: Final = 1e-6
"""Share of the goods that a solver's zeros may leave behind."""
