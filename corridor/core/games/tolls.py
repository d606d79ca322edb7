"""Tolls that several owners set for themselves, and the toll that they would set together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from corridor.errors import InputError

FloatArray: TypeAlias = NDArray[np.float64]

Quantity: TypeAlias = Callable[[int, FloatArray, FloatArray], FloatArray]
"""``quantity(owner, candidates, tolls)``: a figure for each toll that one owner might set."""

_POINTS: Final = 65
"""Candidates looked at in each pass of a line search, ends included."""
_PASSES: Final = 7
"""Passes, each over two steps of the one before: the last is 32**6 times finer than the first."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tolls:
    """Tolls from which nobody moves.

    Attributes
    ----------
    tolls : ndarray of float64, shape (n,)
        Toll of each owner.
    revenue : ndarray of float64, shape (n,)
        What each earns: toll times quantity.
    regret : float
        The most that any owner could still add to its revenue alone, of those tolls looked at, over
        the largest revenue: a certificate. Of joint tolls, what one owner's toll could add to all.
    rounds
        Rounds over all owners.
    """

    tolls: FloatArray
    revenue: FloatArray
    regret: float
    rounds: int


def toll_equilibrium(
    quantity: Quantity,
    most: ArrayLike,
    *,
    start: ArrayLike | None = None,
    tolerance: float = 1e-9,
    max_rounds: int = 100,
) -> Tolls:
    """Return tolls of which each is the best answer to the others (a Nash equilibrium).

    Owners move in turn; each sets the toll that earns it most while the others stay. Each answer is
    searched on a grid over the whole range and then ever finer around the best point.

    Parameters
    ----------
    quantity
        Units that pass an owner at each of its candidate tolls (float64, >= 0, as many as
        candidates), given the tolls of all; the owner's own entry of them is not to be read.
    most
        float64 (n,): largest toll of each owner, >= 0 and finite.
    start
        float64 (n,): tolls to begin with; 0 by default.
    tolerance
        Largest move of a toll in a round at which it ends, as a share of the largest `most`.
    max_rounds
        Rounds at most; the regret says how good the tolls then are.

    Returns
    -------
    Tolls
        The tolls, and how much anybody could still gain.

    Raises
    ------
    InputError
        If `most` or `start` is out of its range.

    References
    ----------
    J. J. Spengler, "Vertical integration and antitrust policy", Journal of Political Economy 58
    (1950) 347-352: owners in a row ask for more together than one would.

    Examples
    --------
    Two owners in a row and a demand of ``1 - sum of tolls``: each asks a third; one alone would ask
    a half, and earn more than both.

    >>> def passes(owner, candidates, tolls):
    ...     return np.maximum(1.0 - candidates - (tolls.sum() - tolls[owner]), 0.0)
    >>> found = toll_equilibrium(passes, [1.0, 1.0])
    >>> found.tolls.round(6), found.revenue.round(6), found.regret < 1e-6
    (array([0.333333, 0.333333]), array([0.111111, 0.111111]), True)
    """
    upper, tolls = _checked(most, start)

    def earned(owner: int, candidates: FloatArray, others: FloatArray) -> FloatArray:
        return candidates * quantity(owner, candidates, others)

    rounds, regret = _turns(earned, tolls, upper, tolerance, max_rounds)
    revenue = np.array(
        [float(earned(i, tolls[i : i + 1], tolls)[0]) for i in range(tolls.size)], dtype=np.float64
    )
    return Tolls(tolls=tolls, revenue=revenue, regret=_relative(regret, revenue), rounds=rounds)


def joint_tolls(
    total: Quantity,
    quantity: Quantity,
    most: ArrayLike,
    *,
    start: ArrayLike | None = None,
    tolerance: float = 1e-9,
    max_rounds: int = 100,
) -> Tolls:
    """Return tolls that earn all owners together the most that one toll at a time can reach.

    Parameters
    ----------
    total
        Revenue of all owners at each candidate toll of one of them, given the tolls of all.
    quantity, most, start, tolerance, max_rounds
        As in `toll_equilibrium`.

    Returns
    -------
    Tolls
        A local optimum: no toll alone can be changed for the better.

    Raises
    ------
    InputError
        If `most` or `start` is out of its range.

    Examples
    --------
    >>> def passes(owner, candidates, tolls):
    ...     return np.maximum(1.0 - candidates - (tolls.sum() - tolls[owner]), 0.0)
    >>> def earned(owner, candidates, tolls):
    ...     asked = candidates + tolls.sum() - tolls[owner]
    ...     return asked * np.maximum(1.0 - asked, 0.0)
    >>> round(float(joint_tolls(earned, passes, [1.0, 1.0]).revenue.sum()), 6)
    0.25
    """
    upper, tolls = _checked(most, start)
    rounds, regret = _turns(total, tolls, upper, tolerance, max_rounds)
    revenue = np.array(
        [
            float((tolls[i : i + 1] * quantity(i, tolls[i : i + 1], tolls))[0])
            for i in range(len(tolls))
        ]
    )
    return Tolls(tolls=tolls, revenue=revenue, regret=_relative(regret, revenue), rounds=rounds)


def critical_discount_factor(
    together: ArrayLike, alone: ArrayLike, punished: ArrayLike, periods: int | None = None
) -> FloatArray:
    """Return how much the future must count for an agreement to hold without a judge.

    A party that leaves has `alone` for one period, then `punished` for `periods` (None: for ever,
    the grim trigger), then what it had `together`. It stays where ``alone - together <= (d + d**2 +
    ... + d**periods) (together - punished)``; for ever, ``d >= (alone - together) / (alone -
    punished)``.

    Parameters
    ----------
    together, alone, punished
        float64, shapes that fit each other: what a party has in a period.
    periods
        Length of the punishment, >= 1, or None.

    Returns
    -------
    ndarray of float64
        The least discount factor d of a period, 0 to 1: 0 where leaving never pays, inf where no
        factor below 1 is enough.

    Raises
    ------
    InputError
        If `periods` is no whole number >= 1.

    References
    ----------
    J. W. Friedman, "A non-cooperative equilibrium for supergames", Review of Economic Studies 38
    (1971) 1-12.

    Examples
    --------
    >>> critical_discount_factor([2.0, 3.0], 3.0, 0.0)
    array([0.33333333, 0.        ])
    """
    if periods is not None and periods < 1:
        msg = f"periods must be a whole number >= 1, or None for ever; found {periods!r}."
        raise InputError(msg)
    parts = (np.asarray(value, dtype=np.float64) for value in (together, alone, punished))
    has, leaves, pays = np.broadcast_arrays(*parts)
    tempting, lost = leaves - has, has - pays
    low, high = np.zeros(has.shape), np.ones(has.shape)
    # The sum of the powers of d rises with d, so that bisection finds where it is enough.
    for _ in range(50):
        middle = (low + high) / 2
        length = np.inf if periods is None else periods
        worth = middle / (1 - middle) * (1 - np.power(middle, length))
        enough = worth * lost >= tempting
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    reachable = lost > 0 if periods is None else periods * lost > tempting
    found = np.where(reachable, high, np.inf)
    return np.asarray(np.where(tempting <= 0, 0.0, found), dtype=np.float64)


def _checked(most: ArrayLike, start: ArrayLike | None) -> tuple[FloatArray, FloatArray]:
    upper = np.array(most, dtype=np.float64)
    if upper.ndim != 1 or not upper.size or not (np.isfinite(upper) & (upper >= 0)).all():
        msg = f"most must hold one finite toll >= 0 for each owner; found {most!r}."
        raise InputError(msg)
    tolls = np.zeros(upper.size) if start is None else np.array(start, dtype=np.float64)
    if tolls.shape != upper.shape or not ((tolls >= 0) & (tolls <= upper)).all():
        msg = f"start must hold one toll within 0..most for each owner; found {start!r}."
        raise InputError(msg)
    return upper, tolls


def _turns(
    worth: Quantity, tolls: FloatArray, most: FloatArray, tolerance: float, max_rounds: int
) -> tuple[int, float]:
    """Let owners move in turn, `tolls` in place; return the rounds and what could still be won."""
    scale = float(most.max()) or 1.0
    done, moved = 0, np.inf
    while moved > tolerance * scale and done < max_rounds:
        done += 1
        before = tolls.copy()
        for owner in range(tolls.size):
            tolls[owner] = _best(worth, owner, tolls, float(most[owner]))[0]
        moved = float(np.abs(tolls - before).max())
    regret = 0.0
    for owner in range(tolls.size):
        now = float(worth(owner, tolls[owner : owner + 1], tolls)[0])
        regret = max(regret, _best(worth, owner, tolls, float(most[owner]))[1] - now)
    return done, regret


def _best(worth: Quantity, owner: int, tolls: FloatArray, most: float) -> tuple[float, float]:
    """Return the best toll of one owner, and what it is worth."""
    low, high = 0.0, most
    best, value = float(tolls[owner]), -np.inf
    for _ in range(_PASSES):
        candidates = np.linspace(low, high, _POINTS)
        worths = worth(owner, candidates, tolls)
        top = int(np.argmax(worths))
        if worths[top] > value:
            best, value = float(candidates[top]), float(worths[top])
        step = (high - low) / (_POINTS - 1)
        low, high = max(best - step, 0.0), min(best + step, most)
    return best, value


def _relative(regret: float, revenue: FloatArray) -> float:
    largest = float(revenue.max(initial=0.0))
    return regret / largest if largest > 0 else 0.0
