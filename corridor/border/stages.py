"""Which stages a post has: its own rows of the stages table, else its state's template."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BoolArray: TypeAlias = NDArray[np.bool_]

EMPTY: Final = "empty"
"""The user of a post, and the class of a stage, that stands for empty vehicles."""
_ALL: Final = "all"
_SEALED: Final = "sealed"
_BOTH: Final = "both"
_TEMPLATE: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One direction of one state's side of a crossing.

    Attributes
    ----------
    crossing_id, country, layer, regime
        Labels.
    direction
        ``in`` or ``out``, as seen from the state.
    skip
        Stages that the post leaves out for goods under seal; empty for all other traffic.
    """

    crossing_id: str
    country: str
    layer: str
    direction: str
    regime: str
    skip: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.crossing_id}/{self.country}/{self.direction} under {self.regime!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What decides whether a row of the stages table serves a post."""

    position: int
    direction: str
    regime: str
    order: float
    user: str
    stage: str

    def serves(self, post: Post) -> bool:
        return self.direction in (post.direction, _BOTH) and self.regime in ("", post.regime)

    @property
    def is_specific(self) -> tuple[bool, bool]:
        """How closely the row speaks of the post: its own regime first, its own direction next."""
        return self.regime != "", self.direction != _BOTH


class StageBook:
    """Finds the stages of a post and the users that each of them serves.

    Parameters
    ----------
    stages
        The stages table.
    users
        Commodities, and last the empty vehicles.
    """

    def __init__(self, stages: pd.DataFrame, users: Sequence[str]) -> None:
        self._users = users
        self._own: dict[tuple[str, str], list[_Row]] = defaultdict(list)
        self._template: dict[tuple[str, str], list[_Row]] = defaultdict(list)
        names = (
            "crossing_id", "country", "layer", "direction", "regime", "order", "class", "stage",
        )  # fmt: skip
        columns = [stages[name].tolist() for name in names]
        for position, values in enumerate(zip(*columns, strict=True)):
            crossing, country, layer, direction, regime, order, user, stage = values
            row = _Row(
                position=position, direction=direction, regime=regime, order=order, user=user,
                stage=stage,
            )  # fmt: skip
            if crossing == _TEMPLATE:
                self._template[country, layer].append(row)
            else:
                self._own[crossing, country].append(row)

    @property
    def n_users(self) -> int:
        """Number of users, the empty vehicles included."""
        return len(self._users)

    def stages(self, post: Post) -> list[tuple[int, BoolArray]]:
        """Return the rows of a post and the users each serves; rows of its own keep templates out.

        Of several rows with one order and class the most specific wins; of an order, a commodity's
        own row keeps the row of class ``all`` out. Goods under seal go to the row of class
        ``sealed`` of an order where there is one, and to none of a stage that they skip.
        """
        rows = [row for row in self._own[post.crossing_id, post.country] if row.serves(post)]
        if not rows:
            rows = [row for row in self._template[post.country, post.layer] if row.serves(post)]
        slots: dict[float, dict[str, _Row]] = defaultdict(dict)
        for row in sorted(rows, key=lambda row: row.is_specific):
            slots[row.order][row.user] = row
        chosen = []
        for slot in slots.values():
            for user, row in slot.items():
                serves = self._serves(user, slot, is_sealed=bool(post.skip))
                if serves.any() and row.stage not in post.skip:
                    chosen.append((row.position, serves))
        return chosen

    def _serves(self, user: str, slot: dict[str, _Row], *, is_sealed: bool) -> BoolArray:
        if is_sealed and _SEALED in slot:
            return np.array([user == _SEALED and name != EMPTY for name in self._users])
        if user == _ALL:
            return np.array([name not in slot for name in self._users])
        return np.array([name == user for name in self._users])
