"""The bargaining view: one field of one rule against cost and throughput, from end to end.

Between "unhindered" and "full control" lies a frontier: how much a crossing passes, how long its
posts take and what the whole plan costs for each inspected share, each band, each quota.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.border import crossing_regimes
from corridor.core.flows import FlowResult, min_cost_flow
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning.answer import FlowAnswer, evaluate
from corridor.planning.borders.tables import crossing_table
from corridor.planning.model import Model, compile_model
from corridor.planning.plans import UNMET_USD_PER_T
from corridor.planning.reasons.burdens import total_loss_usd_per_day
from corridor.planning.reasons.changes import Change, apply_changes
from corridor.sovereignty import Rule, Rules
from corridor.sovereignty.kinds import KINDS
from corridor.sovereignty.kinds.inspection_floor import InspectionFloorRule
from corridor.sovereignty.kinds.quota import QuotaRule
from corridor.sovereignty.kinds.reciprocity import ReciprocityRule
from corridor.sovereignty.kinds.share_cap import ShareCapRule
from corridor.sovereignty.rulebook import parse_rules

FloatArray: TypeAlias = NDArray[np.float64]

FIELDS: Final[dict[type[Rule], tuple[str, ...]]] = {
    InspectionFloorRule: ("share",),
    QuotaRule: ("limit",),
    ReciprocityRule: ("low", "high", "floor"),
    ShareCapRule: ("share",),
}
"""Fields of rules that can be bargained over."""
_OF_A_STAGE: Final = ("share", "fee_usd", "fixed_delay_h")
TEMPLATE: Final = "*"
"""Crossing of the rows that serve all posts of a state and layer without rows of their own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frontier:
    """What each value of a rule's field means.

    Attributes
    ----------
    rule_id, field
        What was varied.
    table
        A row per value: ``value, status, objective_usd_per_day`` (unmet demand at the price that
        steers), ``total_loss_usd_per_day`` (at its own value instead), ``served_t_per_day,
        unmet_t_per_day, crossing_t_per_day, crossing_vehicles_per_day`` (through the crossings
        looked at, both directions), ``border_h`` (both posts, queue included, vehicle-weighted;
        of the posts of all crossings looked at where nobody passes), ``border_usd_per_vehicle``,
        ``capacity_vehicles_per_day`` (the tightest of the posts looked at, of an inspection floor
        of the host's posts; NaN where posts of several modes are looked at, as the room of trains
        says nothing of trucks: name crossings of one mode).
    """

    rule_id: str
    field: str
    table: pd.DataFrame

    @property
    def value(self) -> FloatArray:
        """Values of the field, (n,)."""
        return self._column("value")

    @property
    def objective_usd_per_day(self) -> FloatArray:
        """Cost of the best plan, unmet demand included [USD/day], NaN without one, (n,)."""
        return self._column("objective_usd_per_day")

    @property
    def crossing_t_per_day(self) -> FloatArray:
        """Throughput of the crossings looked at [t/day], (n,)."""
        return self._column("crossing_t_per_day")

    @property
    def border_h(self) -> FloatArray:
        """Time at both posts of the crossings looked at [h], (n,)."""
        return self._column("border_h")

    def _column(self, name: str) -> FloatArray:
        return np.asarray(self.table[name].to_numpy(np.float64))


def rule_frontier(
    network: Network,
    demand: Demand,
    rules: Rules,
    rule_id: str,
    field: str,
    values: Iterable[float],
    *,
    crossings: Sequence[str] | None = None,
    congestion: bool = True,
    unmet_usd_per_t: float = UNMET_USD_PER_T,
    tolerance: float = 1e-6,
) -> Frontier:
    """Return cost, throughput and border time for values of a rule's field.

    Each plan begins from the paths of the one before. Where the field is the share of an inspection
    floor, the host's posts in its scope inspect exactly that share, with the servers that they
    have: what a floor means depends on what is inspected.

    Parameters
    ----------
    network, demand, rules
        As in `corridor.plan`.
    rule_id, field
        A rule in force, and its field: ``share`` of an inspection floor or a share cap, ``limit``
        of a quota, ``low``, ``high`` or ``floor`` of a reciprocity.
    values
        Values of the field.
    crossings
        Crossings whose throughput and time are told; None is those that the rule names, or else
        all crossings of its state on the layers that it names. An inspection floor is varied at
        these only, and stays as it is elsewhere.
    congestion, unmet_usd_per_t, tolerance
        As in `corridor.plan`.

    Raises
    ------
    InputError
        If the rule is not in force, has no such field, or a value is out of its range.
    """
    rule = _rule(rules, rule_id, field)
    wanted = _crossings(network, rule, crossings)
    if crossings is not None and isinstance(rule, InspectionFloorRule):
        rules, rule = _narrowed(network, rules, rule, wanted)
    host = rule.country if isinstance(rule, InspectionFloorRule) else None
    records = []
    warm: FlowResult | None = None
    n_arcs = -1
    for value in values:
        model = _model(network, demand, rules, rule, field, float(value))
        result: FlowResult | None = None
        answer: FlowAnswer | None = None
        if not model.breaches:
            problem = model.flow_problem(congestion=congestion, unmet_usd_per_t=unmet_usd_per_t)
            fits = warm is not None and model.supernetwork.n_arcs == n_arcs
            columns = warm.columns if warm is not None and fits else None
            result = min_cost_flow(problem, tolerance=tolerance, columns=columns)
            if result.status in ("optimal", "feasible"):
                answer = evaluate(model, problem, result, congestion=congestion)
                warm, n_arcs = result, model.supernetwork.n_arcs
        status = "infeasible" if result is None else result.status
        costs = (np.nan, np.nan)
        if answer is not None and result is not None:
            costs = (float(result.objective), total_loss_usd_per_day(model, result))
        records.append(_record(float(value), status, costs, model, answer, wanted, host))
    return Frontier(rule_id=rule_id, field=field, table=pd.DataFrame(records))


def _rule(rules: Rules, rule_id: str, field: str) -> Rule:
    """Return the rule, if it has the field."""
    known = [rule for rule in rules.in_force if type(rule) in FIELDS]
    found = next((rule for rule in known if rule.id == rule_id), None)
    if found is None:
        raise InputError(_no_number(rules, rule_id, known))
    if field not in FIELDS[type(found)]:
        msg = (
            f"The field of {rule_id} ({found.kind}) must be one of "
            f"{', '.join(FIELDS[type(found)])}; found {field!r}. Correct it."
        )
        raise InputError(msg)
    return found


def _no_number(rules: Rules, rule_id: str, known: Sequence[Rule]) -> str:
    """Return why a rule cannot be varied, and which can."""
    kind = next((rule.kind for rule in rules.in_force if rule.id == rule_id), None)
    names = {of: name for name, of in KINDS.items()}
    kinds = ", ".join(f"{names[of]} ({', '.join(fields)})" for of, fields in FIELDS.items())
    why = (
        f"{rule_id!r} is not in force"
        if kind is None
        else f"{rule_id!r} is of the kind {kind}, which has no field that can be varied"
    )
    can = ", ".join(f"{rule.id} ({', '.join(FIELDS[type(rule)])})" for rule in known)
    advice = (
        f"Take one of {can}." if can else f"No rule in force can be; the kinds that can: {kinds}."
    )
    return f"A frontier needs a rule in force with a number to bargain over; {why}. {advice}"


def _crossings(network: Network, rule: Rule, named: Sequence[str] | None) -> list[str]:
    """Return the crossings that are looked at."""
    table = network.crossings
    known = table["crossing_id"].tolist()
    if named is None:
        scopes = [scope for scope in rule.scopes if scope.crossings]
        named = list(dict.fromkeys(name for scope in scopes for name in scope.crossings or ()))
        if not named:
            states = {s for scope in rule.scopes for s in scope.countries or ()}
            states |= {rule.country} if isinstance(rule, InspectionFloorRule) else set()
            sides = table["country_a"].isin(states) | table["country_b"].isin(states)
            on = sides if states else np.ones(len(table), np.bool_)
            layers = {layer for scope in rule.scopes for layer in scope.layers or ()}
            on &= table["layer"].isin(layers) if layers else True
            named = table.loc[on, "crossing_id"].tolist()
    unknown = [name for name in named if name not in known]
    if unknown:
        msg = f"crossings must be ids of the network; {', '.join(unknown)} are not. Correct them."
        raise InputError(msg)
    return list(named)


def _narrowed(
    network: Network, rules: Rules, rule: InspectionFloorRule, wanted: Sequence[str]
) -> tuple[Rules, InspectionFloorRule]:
    """Return the rules with a floor split in two: at the crossings looked at, and elsewhere."""
    covered = rule.crossings or tuple(network.crossings["crossing_id"])
    others = tuple(name for name in covered if name not in wanted)
    here = rule.model_copy(update={"crossings": tuple(wanted)})
    elsewhere = rule.model_copy(update={"id": f"{rule.id} elsewhere", "crossings": others})
    split = [here, elsewhere] if others else [here]
    kept = [[other] if other.id != rule.id else split for other in rules.rules]
    return Rules(tuple(one for part in kept for one in part), rules.date), here


def _model(
    network: Network, demand: Demand, rules: Rules, rule: Rule, field: str, value: float
) -> Model:
    """Return the model with a value in place of the rule's."""
    before = float(getattr(rule, field))
    table = {**rule.model_dump(by_alias=True, exclude_none=True), field: value}
    [checked] = parse_rules([table], "The frontier")
    change = Change(
        rule_id=rule.id, kind=rule.kind, field=field, before=before, after=getattr(checked, field)
    )
    changed = apply_changes(rules, [change])
    if isinstance(rule, InspectionFloorRule):
        network = inspecting(network, changed, rule, value)
    return compile_model(network, demand, changed)


def inspecting(network: Network, rules: Rules, rule: InspectionFloorRule, share: float) -> Network:
    """Return the network with posts that inspect exactly a share of vehicles.

    Parameters
    ----------
    network, rules
        The network and the rules that say under which regime each crossing is worked.
    rule
        The floor whose posts change: those of its state, at its crossings and on its layers where
        it names any.
    share
        The inspected share [0, 1]; at 0 the stage is not worked.

    Raises
    ------
    InputError
        If none of these posts has the stage under its regime.
    """
    table, stages = network.crossings, network.stages
    regime = dict(
        zip(table["crossing_id"], crossing_regimes(network, rules.regimes()), strict=True)
    )
    chosen = table["country_a"].eq(rule.country) | table["country_b"].eq(rule.country)
    if rule.crossings is not None:
        chosen &= table["crossing_id"].isin(rule.crossings)
    if rule.layers is not None:
        chosen &= table["layer"].isin(rule.layers)
    named = table["crossing_id"][chosen].tolist()
    for crossing, layer in zip(named, table["layer"][chosen], strict=True):
        post = (str(crossing), rule.country, str(layer))
        stages = with_own_rows(stages, post, regime[str(crossing)])
    worked = stages["regime"].isin([""]) | (
        stages["regime"] == stages["crossing_id"].map(regime).fillna("")
    )
    inspects = worked & stages["crossing_id"].isin(named) & (stages["stage"] == rule.stage)
    inspects &= stages["country"] == rule.country
    if not inspects.any():
        msg = (
            f"Some post of {rule.id} must have the stage {rule.stage!r} under its regime; none of "
            f"{int(chosen.sum())} crossings has. Choose a regime that inspects."
        )
        raise InputError(msg)
    return network.replace(stages=worked_by_share(stages, inspects, share))


def with_own_rows(stages: pd.DataFrame, post: tuple[str, str, str], regime: str) -> pd.DataFrame:
    """Return the stages with rows of its own for a post that follows its state's template.

    Parameters
    ----------
    stages
        The stages table.
    post
        Crossing, state and layer.
    regime
        The regime under which the post gets rows, unless it has some that serve it.
    """
    crossing, country, layer = post
    serves = stages["regime"].isin(["", regime]) & (stages["country"] == country)
    if (serves & (stages["crossing_id"] == crossing)).any():
        return stages
    template = stages[serves & (stages["crossing_id"] == TEMPLATE) & (stages["layer"] == layer)]
    own = template.assign(crossing_id=crossing, layer="", regime=regime)
    return pd.concat([stages, own], ignore_index=True)


def worked_by_share(stages: pd.DataFrame, rows: "pd.Series[bool]", share: float) -> pd.DataFrame:
    """Return the stages with a share of the vehicles sent to some; at 0 without fee and delay.

    The rows stay, because projects may name them.
    """
    values = {"share": share} if share > 0.0 else dict.fromkeys(_OF_A_STAGE, 0.0)
    return stages.assign(**{name: stages[name].mask(rows, value) for name, value in values.items()})


def _record(
    value: float,
    status: str,
    costs: tuple[float, float],
    model: Model,
    answer: FlowAnswer | None,
    crossings: Sequence[str],
    host: str | None,
) -> dict[str, object]:
    """Return a row of the frontier."""
    record: dict[str, object] = {
        "value": value,
        "status": status,
        "objective_usd_per_day": costs[0],
        "total_loss_usd_per_day": costs[1],
        "served_t_per_day": np.nan,
        "unmet_t_per_day": np.nan,
        "crossing_t_per_day": np.nan,
        "crossing_vehicles_per_day": np.nan,
        "border_h": np.nan,
        "border_usd_per_vehicle": np.nan,
        "capacity_vehicles_per_day": _capacity(model, crossings, host),
    }
    if answer is None:
        return record
    unmet = float(answer.unmet_t_per_day.sum())
    if status == "optimal" and unmet > 1e-6 * max(float(model.t_per_day.sum()), 1.0):
        record["status"] = "partial"
    rows = crossing_table(answer)
    rows = rows[rows["crossing_id"].isin(crossings)]
    vehicles = rows["vehicles_per_day"].to_numpy(float)
    weights = vehicles if vehicles.sum() > 0.0 else np.ones(len(rows))
    hours = (rows["fixed_h"] + rows["service_h"] + rows["wait_h"]).to_numpy(float)
    return record | {
        "served_t_per_day": float(answer.path_t_per_day.sum()),
        "unmet_t_per_day": unmet,
        "crossing_t_per_day": float(rows["t_per_day"].sum()),
        "crossing_vehicles_per_day": float(vehicles.sum()),
        "border_h": _mean(hours, weights),
        "border_usd_per_vehicle": _mean(rows["cost_usd_per_vehicle"].to_numpy(float), weights),
    }


def _mean(values: FloatArray, weights: FloatArray) -> float:
    known = np.isfinite(values) & (weights > 0.0)
    return float(np.average(values[known], weights=weights[known])) if known.any() else np.nan


def _capacity(model: Model, crossings: Sequence[str], host: str | None) -> float:
    """Return what the tightest of some posts passes [vehicles/day]; NaN where modes mix."""
    table = model.network.crossings
    ids = table["crossing_id"].to_numpy(object)
    on = np.isin(ids[model.posts.pool_crossing], list(crossings))
    if host is not None:
        states = np.array(model.supernetwork.countries, dtype=object)
        on &= states[model.posts.pool_country] == host
    modes = dict(zip(model.network.layers["layer"], model.network.layers["mode"], strict=True))
    if len({modes[layer] for layer in table["layer"].iloc[model.posts.pool_crossing[on]]}) > 1:
        return float("nan")
    return float(model.posts.pool_capacity[on].min(initial=np.inf))
