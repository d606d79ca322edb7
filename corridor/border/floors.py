"""Inspection floors: does every post inspect as much as its state demands."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.border.posts import Posts
from corridor.network import Network
from corridor.network.fills import FilledTables
from corridor.network.supernetwork import ArcKind, Supernetwork

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]

_ROUNDING = 1e-12


class InspectionFloor(Protocol):
    """The least share of loaded vehicles that a stage must see on each post among ``arcs``."""

    @property
    def rule_id(self) -> str:
        """The rule that sets it."""

    @property
    def country(self) -> str:
        """The state."""

    @property
    def stage(self) -> str:
        """Name of the stage."""

    @property
    def share(self) -> float:
        """The least share [0, 1]."""

    @property
    def arcs(self) -> BoolArray:
        """Arcs of the supernetwork on which it holds, shape (n_arcs,)."""

    @property
    def goods(self) -> BoolArray:
        """Commodities whose vehicles it speaks of, shape (n_commodities,)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FloorBreach:
    """A post that inspects less than its own state's floor demands.

    ``seal_id`` is the rule under whose seal goods pass that skip the stage; empty for all others.
    """

    rule_id: str
    crossing_id: str
    country: str
    direction: str
    stage: str
    share: float
    floor: float
    seal_id: str = ""


def floor_breaches(
    posts: Posts,
    network: Network,
    filled: FilledTables,
    supernetwork: Supernetwork,
    floors: Iterable[InspectionFloor],
) -> list[FloorBreach]:
    """Return every open post that inspects some loaded vehicles less than a floor demands.

    Parameters
    ----------
    posts, network, filled, supernetwork
        The posts and what they were compiled from.
    floors
        The floors in force.
    """
    crossing_id = network.crossings["crossing_id"].tolist()
    breaches = []
    for floor in floors:
        inspected = _inspected_share(posts, filled, floor)
        holds = floor.arcs[posts.arc] & supernetwork.arc_open[posts.arc]
        for post in np.flatnonzero(holds & (inspected < floor.share - _ROUNDING)):
            arc = posts.arc[post]
            is_exit = supernetwork.arc_kind[arc] == ArcKind.EXIT
            breaches.append(
                FloorBreach(
                    rule_id=floor.rule_id,
                    crossing_id=crossing_id[supernetwork.arc_crossing[arc]],
                    country=floor.country,
                    direction="out" if is_exit else "in",
                    stage=floor.stage,
                    share=float(inspected[post]),
                    floor=floor.share,
                )
            )
    return breaches


def _inspected_share(posts: Posts, filled: FilledTables, floor: InspectionFloor) -> FloatArray:
    """Return the share of loaded vehicles that the stage sees at each post, its least commodity's.

    Empty vehicles are not goods: a floor speaks of loaded ones.
    """
    named = (filled.stages["stage"] == floor.stage).to_numpy(bool)[posts.stage_row]
    by_pool = np.bincount(
        posts.stage_pool[named], weights=posts.stage_share[named], minlength=posts.n_pools
    )
    share = np.zeros(posts.fixed_h.shape)
    per_user = by_pool[posts.member_pool, None] * posts.pool_users[posts.member_pool]
    np.add.at(share, posts.member_post, per_user)
    least: FloatArray = share[:, :-1][:, floor.goods].min(axis=1, initial=np.inf)
    return least
