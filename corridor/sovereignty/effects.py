"""What rules do to a model: bans, fees, limits and rows, inspection floors, rules on ways."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corridor.core.paths.products import Automaton, Product

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
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
class Count:
    """What enters a scope: ``per_t`` units a tonne on each arc, (n_classes, n_arcs).

    Where ways may go on inside the scope from one of the counted arcs to another, ``memory`` is the
    position among `Effects.paths` of the rule whose state says who is inside already and does not
    enter again; else it is None.
    """

    per_t: sparse.csr_array
    memory: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fee:
    """A transfer of ``usd.per_t`` [USD/t] to a payee.

    ``payee`` is ``host`` (the state of the arc), a state, or ``none``.
    """

    rule_id: str
    payee: str
    usd: Count

    @property
    def usd_per_t(self) -> sparse.csr_array:
        """The fee [USD/t], shape (n_classes, n_arcs)."""
        return self.usd.per_t


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quota:
    """A limit on a flow: what is counted is at most ``limit`` a day.

    With ``over_usd_per_unit`` the quota is soft: what is over it pays that price, to nobody.
    """

    rule_id: str
    unit: QuotaUnit
    counted: Count
    limit: float
    over_usd_per_unit: float | None = None

    @property
    def per_t(self) -> sparse.csr_array:
        """Units a tonne, shape (n_classes, n_arcs)."""
        return self.counted.per_t


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """A linear limit on several flows: one part of a rule.

    Formula: ``lower <= sum(factor * count) + served @ t_served <= upper``, with the served demand
    of each class [t/day].

    Attributes
    ----------
    rule_id, part
        The rule, and which of its limits this is.
    unit
        Unit of the row.
    terms
        Factors and what they weigh.
    served : ndarray of float64, shape (n_classes,)
        Weight of the served demand of each class [unit/t].
    lower, upper
        Bounds, -inf and inf where there is none.
    """

    rule_id: str
    part: str
    unit: QuotaUnit
    terms: tuple[tuple[float, Count], ...]
    served: FloatArray
    lower: float = -np.inf
    upper: float = np.inf

    @property
    def per_t(self) -> sparse.csr_array:
        """Units a tonne on each arc, shape (n_classes, n_arcs)."""
        total = sparse.csr_array(self.terms[0][1].per_t.shape)
        for factor, count in self.terms:
            total = total + factor * count.per_t
        return total


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathRule:
    """A rule on whole ways, as an automaton that reads their arcs.

    Attributes
    ----------
    rule_id
        The rule.
    automaton
        State 0 stands for shipments that the rule does not speak of.
    start : ndarray of int32, shape (n_classes,)
        State in which the ways of each class begin.
    inside : ndarray of bool, shape (n_states,)
        States of a shipment that is inside the rule's scope: it does not enter again, or it is
        under seal.
    skip
        Stages that posts leave out for a shipment inside.
    skip_arcs : ndarray of bool, shape (n_arcs,)
        The posts that do.
    """

    rule_id: str
    automaton: Automaton
    start: IntArray
    inside: BoolArray
    skip: frozenset[str] = frozenset()
    skip_arcs: BoolArray = field(default_factory=lambda: np.zeros(0, np.bool_))


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
    bans, fees, quotas, rows, floors, paths
        In the order of the rules.
    """

    bans: list[Ban] = field(default_factory=list)
    fees: list[Fee] = field(default_factory=list)
    quotas: list[Quota] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    floors: list[Floor] = field(default_factory=list)
    paths: list[PathRule] = field(default_factory=list)

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

    def starts(self) -> IntArray:
        """Return the states in which the ways of each class begin, (n_classes, n_paths)."""
        return np.column_stack([rule.start for rule in self.paths]).astype(np.int32)

    def lifted(self, product: Product) -> "Effects":
        """Return the effects on the arcs of the product with the automata of `paths`."""
        return Effects(
            bans=[replace(ban, pairs=ban.pairs[:, product.arc]) for ban in self.bans],
            fees=[replace(fee, usd=self._lifted(fee.usd, product)) for fee in self.fees],
            quotas=[replace(q, counted=self._lifted(q.counted, product)) for q in self.quotas],
            rows=[
                replace(row, terms=tuple((f, self._lifted(c, product)) for f, c in row.terms))
                for row in self.rows
            ],
            floors=[replace(floor, arcs=floor.arcs[product.arc]) for floor in self.floors],
            paths=self.paths,
        )

    def _lifted(self, count: Count, product: Product) -> Count:
        per_t = count.per_t[:, product.arc]
        if count.memory is not None:
            was_inside = self.paths[count.memory].inside[product.before[:, count.memory]]
            per_t = per_t @ sparse.diags_array(1.0 - was_inside.astype(np.float64))
            per_t = sparse.csr_array(per_t)
            per_t.eliminate_zeros()
        return replace(count, per_t=per_t)


def under_seal(paths: Sequence[PathRule], product: Product) -> BoolArray:
    """Return on which arcs of a product goods are under the seal of each rule.

    Only arcs where the rule skips stages are told.

    Returns
    -------
    ndarray of bool, shape (n_arcs, n_paths)
        Whether stages are skipped there because of the rule.
    """
    return np.column_stack(
        [
            rule.inside[product.before[:, position]] & rule.skip_arcs[product.arc]
            if rule.skip
            else np.zeros(product.arc.size, np.bool_)
            for position, rule in enumerate(paths)
        ]
    )


def skipped_stages(paths: Sequence[PathRule], sealed: BoolArray) -> list[frozenset[str]]:
    """Return the stages that posts leave out on each arc, from `under_seal`."""
    patterns, pattern = np.unique(sealed, axis=0, return_inverse=True)
    skips = [
        frozenset[str]().union(*(paths[int(i)].skip for i in np.flatnonzero(row)))
        for row in patterns
    ]
    return [skips[i] for i in pattern.reshape(-1)]
