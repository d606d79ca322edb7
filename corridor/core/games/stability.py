"""Shares that no coalition leaves, or that the least content coalition objects to least."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from corridor.core.games._values import FloatArray, coalition_values, member_sums
from corridor.core.solver import Program, solve
from corridor.errors import InputError, SolverError

_TOLERANCE: Final = 1e-9
"""In units of the largest value of a coalition."""
_ROWS_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeastCore:
    """Shares whose greatest excess is as small as can be.

    Attributes
    ----------
    shares
        float64 (n,): one such sharing.
    excess
        The greatest ``v(S) - shares of S`` over coalitions that are not empty nor all players. The
        core is not empty where it is <= 0.
    """

    shares: FloatArray
    excess: float


def excess(v: ArrayLike, shares: ArrayLike) -> FloatArray:
    """Return what each coalition would gain by leaving: its value less the shares of its members.

    Parameters
    ----------
    v
        float64 (2**n,): value of every coalition by bitmask, ``v[0] = 0``.
    shares
        float64 (n,): share of each player.

    Returns
    -------
    ndarray of float64, shape (2**n,)
        Excesses; a sharing of ``v[-1]`` is in the core where none is above 0.

    Raises
    ------
    InputError
        If the shapes do not fit.

    Examples
    --------
    >>> excess([0, 0, 0, 1], [0.25, 0.75]).tolist()
    [0.0, -0.25, -0.75, 0.0]
    """
    values, n = coalition_values(v)
    each = np.asarray(shares, dtype=np.float64)
    if each.shape != (n,):
        msg = f"shares must have one entry for each of the {n} players; found {each.shape}."
        raise InputError(msg)
    return np.asarray(values - member_sums(each))


def least_core(v: ArrayLike) -> LeastCore:
    """Return a sharing of ``v[-1]`` whose greatest excess is least.

    Parameters
    ----------
    v
        float64 (2**n,): value of every coalition by bitmask, ``v[0] = 0``; n >= 2.

    Raises
    ------
    InputError
        If `v` is no game of at least two players.

    References
    ----------
    M. Maschler, B. Peleg, L. S. Shapley, "Geometric properties of the kernel, nucleolus, and
    related solution concepts", Mathematics of Operations Research 4 (1979) 303-338.

    Examples
    --------
    Three players of whom any two get 1 cannot be content: every pair misses a third.

    >>> round(least_core([0, 0, 0, 1, 0, 1, 1, 1]).excess, 9)
    0.333333333
    """
    values, n = _game(v)
    stage = _Stage(values, n, own=False)
    shares, worst = stage.solve()[:2]
    return LeastCore(shares=shares, excess=worst)


def nucleolus(v: ArrayLike) -> FloatArray:
    """Return the nucleolus: the greatest excess is least, then the second greatest, and so on.

    A sequence of linear programs (Maschler, Peleg and Shapley; Kopelowitz), each with only the
    coalitions that matter as rows; those whose price is above 0 keep their excess from then on, and
    coalitions whose shares are settled by them are left out. It ends when all shares are settled.

    Parameters
    ----------
    v
        float64 (2**n,): value of every coalition by bitmask, ``v[0] = 0``; n <= 20. For costs give
        their negatives.

    Returns
    -------
    ndarray of float64, shape (n,)
        The one sharing of ``v[-1]`` that gives every player at least its own value.

    Raises
    ------
    InputError
        If `v` is no game, or the players alone are worth more than all together.

    References
    ----------
    D. Schmeidler, "The nucleolus of a characteristic function game", SIAM Journal on Applied
    Mathematics 17 (1969) 1163-1170; A. Kopelowitz, "Computation of the kernels of simple games and
    the nucleolus of n-person games", Hebrew University Jerusalem 1967.

    Examples
    --------
    An estate of 200 and claims of 100, 200 and 300, as the Talmud divides it:

    >>> nucleolus([0, 0, 0, 0, 0, 0, 100, 200]).round(6).tolist()
    [50.0, 75.0, 75.0]
    """
    values, n = coalition_values(v)
    if n == 1:
        return values[1:].copy()
    alone = float(values[2 ** np.arange(n)].sum())
    if alone > values[-1] + _TOLERANCE * max(float(np.abs(values).max()), 1.0):
        msg = (
            f"The players alone must be worth no more than all together; found {alone:g} and "
            f"{values[-1]:g}. No sharing gives every player its own value."
        )
        raise InputError(msg)
    return _settled(_Stage(values, n, own=True), n)


def prenucleolus(v: ArrayLike) -> FloatArray:
    """Return the nucleolus over all sharings, also those that give a player less than its own.

    Where the nucleolus exists and adding a player to others never loses what it has alone, both
    are the same. Of a game in which players replace each other only this one exists.

    Parameters
    ----------
    v
        float64 (2**n,): value of every coalition by bitmask, ``v[0] = 0``; n <= 20.

    Returns
    -------
    ndarray of float64, shape (n,)
        Shares, which sum to ``v[-1]``.

    Raises
    ------
    InputError
        If `v` is no game.

    References
    ----------
    A. I. Sobolev, "The characterization of optimality principles in cooperative games by functional
    equations", Mathematical Methods in the Social Sciences 6 (1975) 94-151.

    Examples
    --------
    Two roads of which either will do:

    >>> prenucleolus([0, 1, 1, 1]).round(6).tolist()
    [0.5, 0.5]
    """
    values, n = coalition_values(v)
    if n == 1:
        return values[1:].copy()
    return _settled(_Stage(values, n, own=False), n)


def _settled(stage: "_Stage", n: int) -> FloatArray:
    """Solve one program after the other until all shares are settled."""
    while True:
        shares, _, tight = stage.solve()
        stage.settle(tight)
        if stage.rank >= n:
            return shares


def _game(v: ArrayLike) -> tuple[FloatArray, int]:
    values, n = coalition_values(v)
    if n == 1:
        msg = "A game must have at least two players; found one, who gets everything."
        raise InputError(msg)
    return values, n


class _Stage:
    """One program after the other: least greatest excess of what is not settled yet."""

    def __init__(self, values: FloatArray, n: int, *, own: bool) -> None:
        self.n, self.own = n, own
        self.scale = float(np.abs(values).max()) or 1.0
        self.values = values / self.scale
        everyone = 2**n - 1
        self.settled = {everyone: float(self.values[everyone])}
        self.free = np.ones(2**n, dtype=np.bool_)
        self.free[[0, everyone]] = False
        self.rows = [2**i for i in range(n)] + [everyone - 2**i for i in range(n)]
        self._leave_out()

    def _members(self, coalitions: list[int]) -> FloatArray:
        bits = np.array(coalitions, dtype=np.int64)[:, None] >> np.arange(self.n)
        return (bits & 1).astype(np.float64)

    def _leave_out(self) -> None:
        """Drop coalitions in the span of the settled ones: their shares can change no more."""
        basis, singular, _ = np.linalg.svd(self._members(list(self.settled)).T)
        self.rank = int((singular > _TOLERANCE).sum())
        inside = member_sums(basis[:, : self.rank])
        size = member_sums(np.ones(self.n))
        self.free &= size - (inside**2).sum(axis=1) > _TOLERANCE * self.n
        self.rows = [row for row in self.rows if self.free[row]]

    def solve(self) -> tuple[FloatArray, float, dict[int, float]]:
        """Return shares, the greatest excess, and the coalitions that have it in every optimum."""
        while True:
            x, gap, price = self._program()
            left = self.values - member_sums(x)
            missed = np.where(self.free, left - gap, -np.inf)
            missed[self.rows] = -np.inf
            worst = np.argsort(-missed, kind="stable")[:_ROWS_AT_ONCE]
            worst = worst[missed[worst] > _TOLERANCE]
            if not worst.size:
                tight = {
                    row: float(self.values[row] - gap)
                    for row, each in zip(self.rows, price, strict=True)
                    if each > _TOLERANCE
                }
                return x * self.scale, gap * self.scale, tight
            self.rows += worst.tolist()

    def settle(self, tight: dict[int, float]) -> None:
        """Hold the shares of coalitions from now on."""
        if not tight:
            msg = "The nucleolus must settle a coalition in every program; one settled none."
            raise SolverError(msg)
        self.settled |= tight
        self._leave_out()

    def _program(self) -> tuple[FloatArray, float, NDArray[np.float64]]:
        """Minimize the greatest excess of the rows over sharings that keep what is settled."""
        fixed, rows = self._members(list(self.settled)), self._members(self.rows)
        equal = np.array(list(self.settled.values()))
        matrix = np.block(
            [[fixed, np.zeros((equal.size, 1))], [rows, np.ones((len(self.rows), 1))]]
        )
        own = self.values[2 ** np.arange(self.n)] if self.own else np.full(self.n, -np.inf)
        answer = solve(
            Program(
                np.r_[np.zeros(self.n), 1.0],
                np.r_[own, -np.inf],
                np.full(self.n + 1, np.inf),
                sparse.csr_matrix(matrix),
                np.r_[equal, self.values[self.rows]],
                np.r_[equal, np.full(len(self.rows), np.inf)],
            ),
            solver="glop",
        )
        if answer.x is None or answer.row_price is None or answer.status != "optimal":
            msg = f"A program of the nucleolus ended {answer.status}; it always has an optimum."
            raise SolverError(msg)
        return answer.x[: self.n], float(answer.x[-1]), answer.row_price[equal.size :]
