"""Fees that transit states would set: each for itself, and all as one through tariff."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.core.games import Tolls, joint_tolls, toll_equilibrium
from corridor.study.cooperation.route_sets import RouteSets

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TransitFees:
    """Fees per tonne of transit, and what comes of them.

    Attributes
    ----------
    table
        ``country, fee_usd_per_t, t_per_day, revenue_usd_per_day`` where each sets its own, and the
        same with ``through_`` where all set theirs together.
    totals
        ``scheme`` (``free``, ``own_fees``, ``through_tariff``), ``revenue_usd_per_day``,
        ``shippers_usd_per_day`` (their surplus less that without fees), ``welfare_usd_per_day``
        (both).
    regret
        The most that a state could still gain alone, over the largest revenue.
    spread_usd_per_t
        How far fees from another start differ at most; above a cent there are several equilibria.
    """

    table: pd.DataFrame
    totals: pd.DataFrame
    regret: float
    spread_usd_per_t: float


class FeeGame:
    """Shippers who choose among the routes of each shipment by logit, fees included.

    Formula: route k of a shipment is taken with probability ``exp(-d (c_k + fees of its states)) /
    sum of the same over its routes``.

    Parameters
    ----------
    sets
        Routes; each shipment must have one that crosses no player, or its fees had no limit.
    t_per_day : ndarray of float64, shape (n_shipments,)
        Demand.
    dispersion_per_usd
        d, > 0.
    """

    def __init__(self, sets: RouteSets, t_per_day: FloatArray, dispersion_per_usd: float) -> None:
        self.n, self._d = sets.n_players, dispersion_per_usd
        shipments, group = np.unique(sets.shipment, return_inverse=True)
        self._t, self._group = t_per_day[shipments], group.reshape(-1)
        self._first = np.searchsorted(self._group, np.arange(shipments.size))
        self._cost = sets.usd_per_t
        self._meets = ((sets.states[:, None] >> np.arange(self.n)) & 1).astype(np.float64)
        self._asked: tuple[int, FloatArray, tuple[FloatArray, FloatArray, FloatArray]] | None = None

    @property
    def most_usd_per_t(self) -> float:
        """A fee above any that a state would set: twice the dearest detour, and more."""
        if not self._cost.size:
            return 0.0
        least = np.minimum.reduceat(self._cost, self._first)
        excess = float((self._cost - least[self._group]).max())
        return 2.0 * excess + 50.0 / self._d

    def quantity(self, owner: int, candidates: FloatArray, fees: FloatArray) -> FloatArray:
        """Return the transit of a state at each fee it might set [t/day]."""
        odds, _, _ = self._odds(owner, fees)
        return self._t @ _logistic(odds[:, None] - self._d * candidates)

    def total(self, owner: int, candidates: FloatArray, fees: FloatArray) -> FloatArray:
        """Return the revenue of all states at each fee that one might set [USD/day]."""
        odds, past, through = self._odds(owner, fees)
        share = _logistic(odds[:, None] - self._d * candidates)
        earned = share * (through[:, None] + candidates) + (1.0 - share) * past[:, None]
        return self._t @ earned

    def shares(self, fees: FloatArray) -> FloatArray:
        """Return the probability of each route, shape (n_routes,)."""
        weight, total = self._weights(self._cost + self._meets @ fees)
        return np.asarray(weight / total[self._group], dtype=np.float64)

    def transit_t_per_day(self, fees: FloatArray) -> FloatArray:
        """Return the transit of every state [t/day], shape (n_players,)."""
        return np.asarray((self._t[self._group] * self.shares(fees)) @ self._meets)

    def surplus_usd_per_day(self, fees: FloatArray) -> float:
        """Return the expected surplus of shippers, up to a constant [USD/day]."""
        cost = self._cost + self._meets @ fees
        least = np.minimum.reduceat(cost, self._first)
        _, total = self._weights(cost)
        return float(self._t @ (np.log(total) / self._d - least))

    def _weights(self, cost: FloatArray) -> tuple[FloatArray, FloatArray]:
        least = np.minimum.reduceat(cost, self._first)
        weight = np.exp(-self._d * (cost - least[self._group]))
        return weight, np.add.reduceat(weight, self._first)

    def _odds(self, owner: int, fees: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return log odds of crossing the owner at fee 0, and mean fees of others past and through.

        A line search asks for the same many times: the last answer is kept.
        """
        others = fees.copy()
        others[owner] = 0.0
        last = self._asked
        if last is not None and last[0] == owner and np.array_equal(last[1], others):
            return last[2]
        asked = self._meets @ others
        cost = self._cost + asked
        least = np.minimum.reduceat(cost, self._first)[self._group]
        weight = np.exp(-self._d * (cost - least))
        meets = self._meets[:, owner]
        sums = [
            np.add.reduceat(weight * part, self._first)
            for part in (1.0 - meets, meets, (1.0 - meets) * asked, meets * asked)
        ]
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = np.log(sums[1]) - np.log(sums[0])
            past, through = (
                np.where(total > 0, fee / total, 0.0)
                for total, fee in ((sums[0], sums[2]), (sums[1], sums[3]))
            )
        found = np.clip(odds, -_FAR, _FAR), past, through
        self._asked = owner, others, found
        return found


_FAR: Final = 700.0
"""Log odds beyond which exp would overflow."""


def solve_transit_fees(game: FeeGame, players: Sequence[str]) -> TransitFees:
    """Return the fees of states that each set their own, and those of all together.

    Parameters
    ----------
    game
        Routes and shippers.
    players
        Names of the states, in the order of the bits.
    """
    most = np.full(game.n, game.most_usd_per_t)
    own = toll_equilibrium(game.quantity, most, tolerance=_FINE, max_rounds=_ROUNDS)
    again = toll_equilibrium(game.quantity, most, start=most, tolerance=_FINE, max_rounds=_ROUNDS)
    together = _best_joint(game, most, own)
    free = np.zeros(game.n)
    base = game.surplus_usd_per_day(free) if game.n and most[0] > 0 else 0.0
    totals = []
    for scheme, fees in (
        ("free", free),
        ("own_fees", own.tolls),
        ("through_tariff", together.tolls),
    ):
        revenue = float(fees @ game.transit_t_per_day(fees))
        shippers = (game.surplus_usd_per_day(fees) if most[0] > 0 else 0.0) - base
        totals.append((scheme, revenue, shippers, revenue + shippers))
    columns: dict[str, object] = {"country": list(players)}
    for prefix, found in (("", own), ("through_", together)):
        # Where nobody passes at any fee, none can be told.
        transit = game.transit_t_per_day(found.tolls)
        columns[f"{prefix}fee_usd_per_t"] = np.where(transit > _NOBODY, found.tolls, np.nan)
        columns[f"{prefix}t_per_day"] = transit
        columns[f"{prefix}revenue_usd_per_day"] = found.tolls * transit
    used = game.transit_t_per_day(own.tolls) > _NOBODY
    apart = np.abs(own.tolls - again.tolls)[used]
    return TransitFees(
        table=pd.DataFrame(columns),
        totals=pd.DataFrame(
            totals,
            columns=[
                "scheme", "revenue_usd_per_day", "shippers_usd_per_day", "welfare_usd_per_day",
            ],
        ),
        regret=own.regret,
        spread_usd_per_t=float(apart.max(initial=0.0)),
    )  # fmt: skip


_NOBODY: Final = 1e-3
"""Transit below this is none [t/day]."""
_FINE: Final = 1e-7
_ROUNDS: Final = 50
"""Rounds of answers; where there is no equilibrium in fees, they would go on for ever."""


def _best_joint(game: FeeGame, most: FloatArray, own: Tolls) -> Tolls:
    """Return the best of the joint fees found from several starts."""
    starts = (np.zeros(game.n), own.tolls, own.tolls / max(game.n, 1))
    found = [
        joint_tolls(
            game.total, game.quantity, most, start=start, tolerance=_FINE, max_rounds=_ROUNDS
        )
        for start in starts
    ]
    return max(found, key=lambda tolls: float(tolls.revenue.sum()))


def _logistic(x: FloatArray) -> FloatArray:
    half = np.tanh(x / 2.0)
    return np.asarray((1.0 + half) / 2.0, dtype=np.float64)
