"""What rules do to a model: bans, fees, quotas and inspection floors."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]
QuotaUnit: TypeAlias = Literal[
    "t_per_day", "vehicles_per_day", "vehicles_per_year", "teu_per_day", "trains_per_day"
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ban:
    """A rule that closes arcs to classes: ``pairs`` is 1 where closed, (n_classes, n_arcs)."""

    rule_id: str
    pairs: sparse.csr_array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fee:
    """A transfer of ``usd_per_t`` [USD/t], shape (n_classes, n_arcs), to a payee.

    ``payee`` is ``host`` (the state of the arc), a state, or ``none``.
    """

    rule_id: str
    payee: str
    usd_per_t: sparse.csr_array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quota:
    """A limit on a flow: ``per_t`` units a tonne, (n_classes, n_arcs), at most ``limit`` a day.

    With ``over_usd_per_unit`` the quota is soft: what is over it pays that price, to nobody.
    """

    rule_id: str
    unit: QuotaUnit
    per_t: sparse.csr_array
    limit: float
    over_usd_per_unit: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Floor:
    """The least share of vehicles that a stage must see on each post among ``arcs``.

    ``goods`` are the commodities whose vehicles it speaks of, shape (n_commodities,).
    """

    rule_id: str
    country: str
    stage: str
    share: float
    arcs: BoolArray
    goods: BoolArray


@dataclass(slots=True, kw_only=True, eq=False)
class Effects:
    """Collects what each rule in force does; a rule adds to it with ``apply``.

    Attributes
    ----------
    bans, fees, quotas, floors
        In the order of the rules.
    """

    bans: list[Ban] = field(default_factory=list)
    fees: list[Fee] = field(default_factory=list)
    quotas: list[Quota] = field(default_factory=list)
    floors: list[Floor] = field(default_factory=list)

    def allowed(self, n_classes: int, n_arcs: int) -> BoolArray:
        """Return the arcs open to each class under the bans, shape (n_classes, n_arcs)."""
        allowed = np.ones((n_classes, n_arcs), np.bool_)
        for ban in self.bans:
            allowed[ban.pairs.nonzero()] = False
        return allowed

    def fee_usd_per_t(self, n_classes: int, n_arcs: int) -> FloatArray:
        """Return all fees of the rules together [USD/t], shape (n_classes, n_arcs)."""
        total = np.zeros((n_classes, n_arcs))
        for fee in self.fees:
            entries = fee.usd_per_t.tocoo()
            total[entries.coords] += entries.data
        return total
