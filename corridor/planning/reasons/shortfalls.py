"""Why flows cannot meet rules on quantities: which rules clash, and each one's least change.

The questions are linear programs without costs on the flow engine: is there any flow, and how small
can a linear form of it be. The form is bounded by a slack, which is the unmet demand of one more
commodity on an arc of its own; a smallest ratio of two forms is found by Dinkelbach's method.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corridor.core.flows import FlowProblem, FlowResult, Pools, Rows, min_cost_flow
from corridor.core.graph import Graph
from corridor.planning.model import Model
from corridor.planning.pools import QUOTA
from corridor.planning.reasons.blocks import Option, Relaxed
from corridor.planning.reasons.changes import DROPPED, RULE, Change
from corridor.planning.reasons.conflicts import MOST, Diagnosis, Names, find_conflicts
from corridor.sovereignty import Rule
from corridor.sovereignty.effects import Row
from corridor.sovereignty.kinds.quota import QuotaRule
from corridor.sovereignty.kinds.reciprocity import ReciprocityRule
from corridor.sovereignty.kinds.share_cap import ShareCapRule
from corridor.units import DAYS_PER_YEAR

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]

_OUTWARD: Final = 1e-6
"""Part by which a least value is rounded outward, so that a solver's tolerance keeps it."""
_MOST_ROUNDS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Form:
    """A linear form of a flow: ``flow @ class_flow + unmet @ unmet_demand + constant``.

    Attributes
    ----------
    flow : csr_array of float64, shape (n_classes, n_arcs)
        Weights of flows.
    unmet : ndarray of float64, shape (n_shipments,)
        Weights of what is not served.
    constant
        What is added.
    """

    flow: sparse.csr_array
    unmet: FloatArray
    constant: float = 0.0

    def plus(self, factor: float, other: "Form") -> "Form":
        """Return this form and a multiple of another."""
        return Form(
            flow=self.flow + factor * other.flow,
            unmet=self.unmet + factor * other.unmet,
            constant=self.constant + factor * other.constant,
        )

    def value(self, result: FlowResult) -> float:
        """Return the value of a flow; arcs and commodities behind the form's own are left out."""
        n_arcs, n_shipments = self.flow.shape[1], self.unmet.size
        moved = self.flow.multiply(result.class_flow[:, :n_arcs]).sum()
        return float(moved + self.unmet @ result.unmet[:n_shipments] + self.constant)


class Bound(NamedTuple):
    """``form - slack <= upper``, without the slack where it is not meant to give way."""

    form: Form
    upper: float
    gives: bool = False


class ShortfallDiagnosis(NamedTuple):
    """Conflicts of rules on quantities, and the ways out, lightest first."""

    found: Diagnosis
    options: list[Option]


def diagnose_shortfall(
    relaxed: Relaxed, must: IntArray, weights: Mapping[str, float], most: int = MOST
) -> ShortfallDiagnosis:
    """Return which rules leave no flow, or none that serves some shipments, and the ways out.

    Bans, prescribed ways, hard quotas, shares and bands may give way. The change of a limit is the
    least that is enough while the others of its correction are changed as said; of a band the
    ways to change it (its ends, its floor) are options of their own.

    Parameters
    ----------
    relaxed
        The model.
    must : ndarray of int32
        Shipments that must be served in full; none asks for any flow at all.
    weights
        Policy weights of rules; 1 where none is given.
    most
        Most conflicts, and most corrections.
    """
    program = _Program(relaxed, must)
    names = _restricting(relaxed.model)

    def can_hold(kept: Names) -> bool:
        return program.is_feasible(frozenset(names) - kept)

    found = find_conflicts(names, can_hold, weights, most)
    options: list[Option] = []
    for correction in found.corrections:
        options += _options(program, correction, weights)
    return ShortfallDiagnosis(found, options)


def _restricting(model: Model) -> list[str]:
    """Return the rules in force that can leave no flow, in their order."""
    effects = model.effects
    named = {ban.rule_id for ban in effects.bans if ban.pairs.nnz}
    named |= {quota.rule_id for quota in effects.quotas if quota.over_usd_per_unit is None}
    named |= {row.rule_id for row in effects.rows}
    named |= {
        rule.rule_id
        for rule in effects.paths
        if rule.start.any() and not rule.automaton.accepting.all() and not rule.skip
    }
    return [rule.id for rule in model.rules.in_force if rule.id in named]


class _Program:
    """Feasibility and least values of linear forms, without some rules."""

    def __init__(self, relaxed: Relaxed, must: IntArray) -> None:
        self.relaxed, self.must = relaxed, must
        self._columns: dict[int, FlowResult] = {}

    def is_feasible(self, dropped: Names) -> bool:
        """Return whether any flow keeps all rules but the dropped ones."""
        return self._solve(dropped, []) is not None

    def least(self, dropped: Names, bounds: Sequence[Bound]) -> tuple[float, FlowResult] | None:
        """Return the least slack of some bounds, and the flow; None where there is no flow."""
        result = self._solve(dropped, bounds)
        return None if result is None else (float(result.objective), result)

    def least_value(
        self, dropped: Names, form: Form, fixed: Sequence[Bound] = ()
    ) -> tuple[float, FlowResult] | None:
        """Return the least value of a form of any sign, and the flow."""
        lift = self.largest(form.plus(-2.0, form))
        found = self.least(dropped, [*fixed, Bound(form, -lift, gives=True)])
        return None if found is None else (form.value(found[1]), found[1])

    def least_ratio(
        self, dropped: Names, above: Form, below: Form, fixed: Sequence[Bound] = ()
    ) -> float | None:
        """Return the least ``above / below``, ``below`` > 0; None where there is none."""
        found = self.least_value(dropped, above, fixed)
        ratio = np.inf
        for _ in range(_MOST_ROUNDS):
            if found is None:
                return None
            over, under = above.value(found[1]), below.value(found[1])
            if not under > 0.0:
                return None
            if over / under >= ratio * (1.0 - _OUTWARD / 10.0):
                return min(ratio, over / under)
            ratio = over / under
            found = self.least_value(dropped, above.plus(-ratio, below), fixed)
        return ratio

    def largest(self, form: Form) -> float:
        """Return a bound of a form's value: every tonne meets each arc it counts at most twice."""
        total = float(self.relaxed.model.t_per_day.sum())
        per_t = form.flow.max(axis=1).toarray().clip(min=0.0).max(initial=0.0)
        per_unmet = np.maximum(form.unmet, 0.0) @ self.relaxed.model.t_per_day
        entries = max(int((form.flow > 0).sum(axis=1).max(initial=0)), 1)
        return float(2.0 * min(entries, 8) * per_t * total + per_unmet + abs(form.constant) + 1.0)

    def _solve(self, dropped: Names, bounds: Sequence[Bound]) -> FlowResult | None:
        model = self.relaxed.without(dropped)
        slack = max(
            (2.0 * self.largest(b.form) + abs(b.upper) for b in bounds if b.gives), default=0
        )
        problem = self._problem(model, dropped, bounds, float(slack))
        warm = self._columns.get(id(model))
        result = min_cost_flow(problem, columns=None if warm is None else warm.columns)
        if result.status == "unknown" and warm is not None:
            result = min_cost_flow(problem)
        if result.status != "optimal":
            # What no solver can settle lies within its tolerance: no flow that keeps the rules.
            return None
        self._columns[id(model)] = result
        return result

    def _problem(
        self, model: Model, dropped: Names, bounds: Sequence[Bound], slack: float
    ) -> FlowProblem:
        """Return the program: nothing costs, but a unit of slack costs 1."""
        net, shipments = model.supernetwork, model.shipments
        n_nodes, n_arcs, n_classes = net.graph.n_nodes, net.n_arcs, len(model.classes)
        graph = Graph(
            n_nodes + 2, np.append(net.graph.tail, n_nodes), np.append(net.graph.head, n_nodes + 1)
        )
        allowed = np.ones((n_classes, n_arcs + 1), np.bool_)
        allowed[:, :n_arcs] = self.relaxed.allowed(dropped)
        return FlowProblem(
            graph,
            np.append(net.source[shipments.origin], n_nodes),
            np.append(net.sink[shipments.destination], n_nodes + 1),
            np.append(model.t_per_day, slack),
            np.zeros(n_arcs + 1),
            commodity_class=np.append(model.class_of, 0),
            allowed=allowed,
            pools=_pools(model, dropped),
            rows=self._rows(model, dropped, bounds),
            unmet_cost=np.append(np.zeros(len(shipments)), 1.0),
        )

    def _rows(self, model: Model, dropped: Names, bounds: Sequence[Bound]) -> Rows | None:
        """Return the rows of the rules that are kept, the bounds, and the shipments that must."""
        flow, unmet, lower, upper = [], [], [], []
        n_shipments = len(model.shipments)
        for row in model.effects.rows:
            if row.rule_id not in dropped:
                form = _row_form(model, row)
                flow.append(form.flow)
                unmet.append(np.append(form.unmet, 0.0))
                lower.append(row.lower - form.constant)
                upper.append(row.upper - form.constant)
        for bound in bounds:
            flow.append(bound.form.flow)
            unmet.append(np.append(bound.form.unmet, -1.0 if bound.gives else 0.0))
            lower.append(-np.inf)
            upper.append(bound.upper - bound.form.constant)
        if self.must.size:
            served = np.zeros(n_shipments + 1)
            served[self.must] = 1.0
            flow.append(sparse.csr_array((len(model.classes), model.supernetwork.n_arcs)))
            unmet.append(served)
            lower.append(-np.inf)
            upper.append(0.0)
        if not flow:
            return None
        wide = [_flat(part) for part in flow]
        return Rows(
            sparse.csr_matrix(sparse.vstack(wide)), np.array(lower), np.array(upper),
            unmet=sparse.csr_matrix(np.stack(unmet)),
        )  # fmt: skip


def _flat(by_class: sparse.csr_array) -> sparse.csr_array:
    """Return (class, arc) weights as one row, with an arc more in each class."""
    entries = by_class.tocoo()
    classes, arcs = entries.coords
    n_classes, n_arcs = by_class.shape
    columns = classes.astype(np.int64) * (n_arcs + 1) + arcs
    rows = np.zeros(columns.size, np.int64)
    return sparse.csr_array((entries.data, (rows, columns)), shape=(1, n_classes * (n_arcs + 1)))


def _pools(model: Model, dropped: Names) -> Pools:
    """Return the pools with an arc more, and without the quotas that are dropped."""
    pools, table = model.pools.pools, model.pools.table
    entries = sparse.coo_array(pools.matrix)
    rows, columns = entries.coords
    n_arcs = model.supernetwork.n_arcs
    moved = columns.astype(np.int64) + columns // n_arcs
    shape = (pools.n_pools, len(model.classes) * (n_arcs + 1))
    matrix = sparse.csr_matrix((entries.data, (rows, moved)), shape=shape)
    soft = {q.rule_id for q in model.effects.quotas if q.over_usd_per_unit is not None}
    gone = (table["kind"] == QUOTA) & table["item"].isin(dropped | soft)
    return Pools(matrix, np.where(gone, np.inf, pools.capacity))


def _row_form(model: Model, row: Row) -> Form:
    """Return what a row of a rule adds up to."""
    of_shipment = row.served[model.class_of]
    return Form(
        flow=sparse.csr_array(row.per_t),
        unmet=-of_shipment,
        constant=float(of_shipment @ model.t_per_day),
    )


# -- options ------------------------------------------------------------------------------------


def _options(
    program: _Program, correction: Sequence[str], weights: Mapping[str, float]
) -> list[Option]:
    """Return the ways to change the rules of a correction.

    A single rule gets an option for each of its fields that is enough. Of several rules each gets
    its first such field in turn, those that weigh most first, so that they change least.
    """
    of_rule = {rule.id: rule for rule in program.relaxed.model.rules.in_force}
    dropped = frozenset(correction)
    if len(correction) == 1:
        rule = of_rule[correction[0]]
        return [(change,) for change, _ in _least_changes(program, rule, dropped, [])]
    fixed: list[Bound] = []
    changes: dict[str, Change] = {}
    for name in sorted(correction, key=lambda name: -weights.get(name, 1.0)):
        changes[name], bounds = _least_changes(program, of_rule[name], dropped, fixed)[0]
        fixed += bounds
    return [tuple(changes[name] for name in correction)]


def _least_changes(
    program: _Program, rule: Rule, dropped: Names, fixed: Sequence[Bound]
) -> list[tuple[Change, list[Bound]]]:
    """Return the least change of each field that is enough, and what then bounds flows.

    Where no field is enough the whole rule is dropped.
    """
    found: list[tuple[Change, list[Bound]] | None] = []
    if isinstance(rule, QuotaRule):
        found.append(_raise_limit(program, rule, dropped, fixed))
    elif isinstance(rule, ShareCapRule):
        found.append(_raise_share(program, rule, dropped, fixed))
    elif isinstance(rule, ReciprocityRule):
        found += [_widen(program, rule, dropped, fixed, end) for end in ("low", "high")]
        found.append(_lower_floor(program, rule, dropped, fixed))
    enough = [change for change in found if change is not None]
    whole = Change(rule_id=rule.id, kind=rule.kind, field=RULE, before="in force", after=DROPPED)
    return enough or [(whole, [])]


def _raise_limit(
    program: _Program, rule: QuotaRule, dropped: Names, fixed: Sequence[Bound]
) -> tuple[Change, list[Bound]] | None:
    model = program.relaxed.without(dropped)
    [quota] = [q for q in model.effects.quotas if q.rule_id == rule.id]
    count = Form(flow=quota.per_t, unmet=np.zeros(len(model.shipments)))
    found = program.least_value(dropped, count, fixed)
    if found is None:
        return None
    least = found[0] * (1.0 + _OUTWARD)
    days = DAYS_PER_YEAR if rule.unit == "vehicles_per_year" else 1.0
    change = _numeric(rule, "limit", rule.limit, least * days, rule.unit)
    return change, [Bound(count, least)]


def _raise_share(
    program: _Program, rule: ShareCapRule, dropped: Names, fixed: Sequence[Bound]
) -> tuple[Change, list[Bound]] | None:
    model = program.relaxed.without(dropped)
    [row] = [row for row in model.effects.rows if row.rule_id == rule.id]
    count = Form(flow=sparse.csr_array(row.per_t), unmet=np.zeros(len(model.shipments)))
    spoken = model.shipments.matches(rule.shipments).astype(float)
    served = Form(
        flow=sparse.csr_array(row.per_t.shape), unmet=-spoken,
        constant=float(spoken @ model.t_per_day),
    )  # fmt: skip
    share = program.least_ratio(dropped, count, served, fixed)
    if share is None or share * (1.0 + _OUTWARD) > 1.0:
        return None
    share *= 1.0 + _OUTWARD
    change = _numeric(rule, "share", rule.share, share, "share of what is served")
    return change, [Bound(count.plus(-share, served), 0.0)]


def _sides(program: _Program, rule: ReciprocityRule, dropped: Names) -> tuple[Form, Form, float]:
    """Return the flows of a reciprocity and its floor a day."""
    model = program.relaxed.without(dropped)
    nobody = np.zeros(len(model.shipments))
    parts = {row.part: row for row in model.effects.rows if row.rule_id == rule.id}
    a, b = (
        Form(flow=sparse.csr_array(parts[part].per_t), unmet=nobody)
        for part in ("floor of a", "floor of b")
    )
    return a, b, float(parts["floor of a"].lower)


def _negative(form: Form) -> Form:
    return form.plus(-2.0, form)


def _widen(
    program: _Program, rule: ReciprocityRule, dropped: Names, fixed: Sequence[Bound], end: str
) -> tuple[Change, list[Bound]] | None:
    """Return the least widening of one end of a band, with the other end and the floor kept."""
    a, b, floor = _sides(program, rule, dropped)
    floors = [Bound(_negative(a), -floor), Bound(_negative(b), -floor)]
    low = Bound(b.plus(1.0 / rule.low, _negative(a)), 0.0) if rule.low > 0.0 else None
    high = Bound(a.plus(-rule.high, b), 0.0)
    if end == "high":
        kept = [*floors, *([low] if low else [])]
        ratio = program.least_ratio(dropped, a, b, [*fixed, *kept])
        if ratio is None:
            return None
        value = ratio * (1.0 + _OUTWARD)
        widened = Bound(a.plus(-value, b), 0.0)
        return _numeric(rule, "high", rule.high, value, ""), [*kept, widened]
    kept = [*floors, high]
    ratio = program.least_ratio(dropped, b, a, [*fixed, *kept])
    if ratio is None:
        return None
    value = 1.0 / (ratio * (1.0 + _OUTWARD))
    widened = Bound(_negative(a).plus(value, b), 0.0)
    return _numeric(rule, "low", rule.low, value, ""), [*kept, widened]


def _lower_floor(
    program: _Program, rule: ReciprocityRule, dropped: Names, fixed: Sequence[Bound]
) -> tuple[Change, list[Bound]] | None:
    """Return the least lowering of the floor with the band kept, while it stays above 0."""
    a, b, floor = _sides(program, rule, dropped)
    band = [Bound(_negative(a).plus(rule.low, b), 0.0), Bound(a.plus(-rule.high, b), 0.0)]
    gives = [Bound(_negative(side), -floor, gives=True) for side in (a, b)]
    found = program.least(dropped, [*fixed, *band, *gives])
    if found is None:
        return None
    least = floor - found[0] - floor * _OUTWARD
    if not least > 10.0 * floor * _OUTWARD:
        return None  # zero is not compliance: such a floor would say nothing
    days = DAYS_PER_YEAR if rule.unit == "vehicles_per_year" else 1.0
    change = _numeric(rule, "floor", rule.floor, least * days, rule.unit)
    return change, [*band, *(Bound(_negative(side), -least) for side in (a, b))]


def _numeric(rule: Rule, field: str, before: float, after: float, unit: str) -> Change:
    return Change(
        rule_id=rule.id, kind=rule.kind, field=field, before=float(before), after=float(after),
        unit=unit,
    )  # fmt: skip
