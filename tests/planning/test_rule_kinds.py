"""Every kind of rule on the bundled network: plan, equilibria, route, and what each refuses."""

from collections.abc import Callable
from typing import TypeAlias

import pandas as pd
import pytest

import corridor
from corridor.errors import InputError, NoRouteError
from corridor.network import Demand, Network
from corridor.planning import Itinerary, Plan, compile_model, solve_equilibrium, solve_plan
from corridor.sovereignty import Rules
from corridor.sovereignty.kinds import KINDS
from corridor.sovereignty.rulebook import parse_rules

Check: TypeAlias = Callable[[Plan, Plan], bool]
Seen: TypeAlias = Callable[[Itinerary, Itinerary], bool]

UNMET_USD_PER_T = 20000.0
FLOWS = [
    ("AZ_BAKU", "AZ_NAKHCHIVAN", "containers", 300.0, "AZE"),
    ("AM_YEREVAN", "BG_BURGAS", "containers", 200.0, "ARM"),
    ("TR_ISTANBUL", "AZ_BAKU", "containers", 400.0, "TUR"),
    ("KZ_AKTAU", "TR_MERSIN", "metals", 250.0, "KAZ"),
]
TRIPP = ["tripp-east-road", "tripp-east-rail", "tripp-west-road", "tripp-west-rail"]
BOTH_TRIPP = {"enter": TRIPP, "leave": TRIPP}


@pytest.fixture(scope="module")
def case() -> tuple[Network, Demand, Rules]:
    network, _, rules = corridor.load_study("crossroads").case("crossroads_full")
    frame = pd.DataFrame(
        FLOWS, columns=["origin", "destination", "commodity", "t_per_day", "flag"]
    ).assign(scenario="some", elasticity=0.0, source="D0", confidence="assumed")
    return network, Demand.from_table(frame, network), rules


@pytest.fixture(scope="module")
def free(case: tuple[Network, Demand, Rules]) -> tuple[Plan, Itinerary]:
    """Return what is planned, and how fuel for Nakhchivan goes, without one more rule."""
    return planned(case), routed(case)


@pytest.fixture(scope="module")
def free_choice(case: tuple[Network, Demand, Rules]) -> dict[float | None, Plan]:
    """Return where choices lead without one more rule."""
    return {dispersion: chosen(case, dispersion) for dispersion in (None, 0.05)}


def with_rule(rules: Rules, *tables: dict[str, object]) -> Rules:
    more = parse_rules([{"id": f"r{i}", "title": "", **t} for i, t in enumerate(tables)], "")
    return Rules((*rules.rules, *more), rules.date)


def planned(case: tuple[Network, Demand, Rules], *tables: dict[str, object]) -> Plan:
    network, demand, rules = case
    model = compile_model(network, demand, with_rule(rules, *tables))
    return solve_plan(model, unmet_usd_per_t=UNMET_USD_PER_T)


def chosen(
    case: tuple[Network, Demand, Rules], dispersion: float | None, *tables: dict[str, object]
) -> Plan:
    network, demand, rules = case
    model = compile_model(network, demand, with_rule(rules, *tables))
    return solve_equilibrium(
        model, model="deterministic" if dispersion is None else "logit",
        dispersion_per_usd=dispersion, unmet_usd_per_t=UNMET_USD_PER_T,
    )  # fmt: skip


def routed(case: tuple[Network, Demand, Rules], *tables: dict[str, object]) -> Itinerary:
    network, _, rules = case
    return corridor.route(
        network, "AZ_BAKU", "AZ_NAKHCHIVAN", "containers", with_rule(rules, *tables)
    )


def through(plan: Plan, place: str, origin: str = "", by: str = "crossings") -> float:
    """Return what passes a crossing or a state [t/day], of one origin or all."""
    rows = plan.paths
    met = rows[by].str.split(">").map(lambda names: any(n.startswith(place) for n in names))
    if origin:
        met &= rows["origin"] == origin
    return float(rows.loc[met, "t_per_day"].sum())


def border_h(plan: Plan) -> float:
    """Return the mean time at borders of goods for Nakhchivan [h]."""
    rows = plan.paths[plan.paths["destination"] == "AZ_NAKHCHIVAN"]
    return float((rows["border_h"] * rows["t_per_day"]).sum() / rows["t_per_day"].sum())


def earned(plan: Plan, state: str) -> float:
    return float(plan.countries.set_index("country").loc[state, "revenue_usd_per_day"])


AZ_NAX = {"origins": ["AZ_BAKU"], "destinations": ["AZ_NAKHCHIVAN"]}
CASES: dict[str, tuple[dict[str, object], Check, Seen]] = {
    "forbid": (
        {"kind": "forbid", "crossings": TRIPP},
        lambda ruled, free: through(ruled, "tripp") == 0.0 < through(free, "tripp"),
        lambda ruled, free: not set(TRIPP) & set(ruled.crossings) and "ARM" in free.countries,
    ),
    "quota": (
        {"kind": "quota", "countries": ["ARM"], "limit": 100.0, "unit": "t_per_day",
         "traffic": ["transit"]},
        lambda ruled, free: _entries(ruled) <= 100.0 + 1e-6 and _entries(free) > 200.0,
        # One tonne has room under any limit on an amount.
        lambda ruled, free: ruled.links == free.links,
    ),
    "share_cap": (
        {"kind": "share_cap", "countries": ["ARM"], "share": 0.25, **AZ_NAX},
        lambda ruled, free: through(ruled, "ARM", "AZ_BAKU", "countries") <= 75.0 + 1e-3
        and through(free, "ARM", "AZ_BAKU", "countries") > 200.0,
        lambda ruled, free: ruled.links == free.links,
    ),
    "inspection_floor": (
        {"kind": "inspection_floor", "country": "ARM", "stage": "scanner", "share": 0.05,
         "layers": ["road"]},
        lambda ruled, free: ruled.objective_usd_per_day
        == pytest.approx(free.objective_usd_per_day, rel=2e-6),
        lambda ruled, free: ruled.links == free.links,
    ),
    "fee": (
        {"kind": "fee", "countries": ["ARM"], "traffic": ["transit"], "usd_per_t": 1.0,
         "per": "entry", "payee": "host"},
        lambda ruled, free: earned(ruled, "ARM") > earned(free, "ARM") + 100.0,
        lambda ruled, free: ruled.cost_usd_per_t == pytest.approx(free.cost_usd_per_t + 1.0),
    ),
    "regime": (
        {"kind": "regime", "crossings": TRIPP, "regime": "standard"},
        lambda ruled, free: border_h(ruled) != pytest.approx(border_h(free), rel=1e-3),
        lambda ruled, free: ruled.time_h != pytest.approx(free.time_h, rel=1e-6),
    ),
    "sealed": (
        {"kind": "sealed", "countries": ["ARM"], **AZ_NAX, **BOTH_TRIPP, "skip": ["intake"]},
        # A seal saves an intake, and may draw goods from the road to the slower and cheaper train.
        lambda ruled, free: ruled.objective_usd_per_day < free.objective_usd_per_day - 100.0,
        lambda ruled, free: ruled.generalized_usd_per_t < free.generalized_usd_per_t - 0.3,
    ),
    "require": (
        {"kind": "require", "countries": ["IRN"], **AZ_NAX},
        lambda ruled, free: through(ruled, "IRN", "AZ_BAKU", "countries")
        == pytest.approx(300.0) != through(free, "IRN", "AZ_BAKU", "countries"),
        lambda ruled, free: "IRN" in ruled.countries and "IRN" not in free.countries,
    ),
    "waive": (
        {"kind": "waive", "principle": "P4", "country": "ARM"},
        lambda ruled, free: ruled.paths.equals(free.paths),
        lambda ruled, free: ruled.links == free.links,
    ),
    "reciprocity": (
        {"kind": "reciprocity", "low": 0.8, "high": 1.1, "floor": 50.0, "unit": "t_per_day",
         "a": {"countries": ["ARM"], "origins": ["AZE"], "traffic": ["transit"]},
         "b": {"countries": ["AZE"], "origins": ["ARM", "KAZ"], "traffic": ["transit"]}},
        lambda ruled, free: _is_banded(ruled) and not _is_banded(free),
        lambda ruled, free: ruled.links == free.links,
    ),
}  # fmt: skip


def _entries(plan: Plan) -> float:
    """Return the goods that pass Armenia between two others [t/day]."""
    return float(plan.countries.set_index("country").loc["ARM", "transit_t_per_day"])


def _is_banded(plan: Plan) -> bool:
    a = through(plan, "ARM", "AZ_BAKU", "countries")
    b = through(plan, "AZE", "AM_YEREVAN", "countries") + through(
        plan, "AZE", "KZ_AKTAU", "countries"
    )
    return min(a, b) >= 50.0 - 1e-3 and 0.8 * b - 1e-3 <= a <= 1.1 * b + 1e-3


def test_there_is_a_case_of_every_kind() -> None:
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("kind", CASES)
def test_plans_keep_every_kind(
    kind: str, case: tuple[Network, Demand, Rules], free: tuple[Plan, Itinerary]
) -> None:
    rule, holds, _ = CASES[kind]
    found = planned(case, rule)
    assert found.status in ("optimal", "partial")
    assert holds(found, free[0])
    assert not (found.compliance["verdict"] == "broken").any()


@pytest.mark.parametrize(
    ("kind", "dispersion"), [*((kind, 0.05) for kind in CASES), ("quota", None), ("sealed", None),
                             ("reciprocity", None)],
)  # fmt: skip
def test_equilibria_keep_every_kind_or_say_that_they_cannot(
    kind: str,
    dispersion: float | None,
    case: tuple[Network, Demand, Rules],
    free_choice: dict[float | None, Plan],
) -> None:
    rule, holds, _ = CASES[kind]
    if kind == "reciprocity":
        with pytest.raises(InputError, match="r0 asks for a floor or a balance"):
            chosen(case, dispersion, rule)
        return
    found = chosen(case, dispersion, rule)
    assert found.gap <= 1e-6
    assert holds(found, free_choice[dispersion])
    assert not (found.compliance["verdict"] == "broken").any()


@pytest.mark.parametrize("kind", CASES)
def test_routes_keep_every_kind(
    kind: str, case: tuple[Network, Demand, Rules], free: tuple[Plan, Itinerary]
) -> None:
    rule, _, seen = CASES[kind]
    assert seen(routed(case, rule), free[1])


def test_a_regime_below_a_floor_leaves_no_plan_equilibrium_or_route(
    case: tuple[Network, Demand, Rules],
) -> None:
    rule = {"kind": "regime", "crossings": TRIPP, "regime": "no_stop"}
    assert planned(case, rule).status == "infeasible"
    assert chosen(case, 0.05, rule).status == "infeasible"
    with pytest.raises(NoRouteError) as refused:
        routed(case, rule)
    assert set(refused.value.reasons) == {"floor_arm_scanner", "floor_arm_inspection"}
