"""Equilibria on the toy network by hand, and on random worlds against the optimum."""

import numpy as np
import pandas as pd
import pytest

from corridor.errors import InputError
from corridor.planning import (
    ChoiceConstant,
    Plan,
    compile_model,
    equilibrium,
    plan,
    solve_equilibrium,
    solve_plan,
)
from corridor.planning.charges import constant_costs
from tests.planning import toys
from tests.planning.worlds import draw_world

Tables = dict[str, pd.DataFrame]
BOXES = ("A1", "B1", "containers", 1000.0)
ON_RAIL = ChoiceConstant(id="rail", usd_per_t=3.0, layers=("rail1520",))


def found(tables: Tables, *rules: dict[str, object], **options: object) -> Plan:
    network = toys.network(tables)
    return equilibrium(network, toys.demand(network, BOXES), toys.rules(*rules), **options)


def by_mode(result: Plan) -> pd.DataFrame:
    """Return the path over each crossing."""
    return result.paths.set_index("crossings")


def test_shares_follow_the_costs_that_the_flow_itself_makes(toy_tables: Tables) -> None:
    result = found(toy_tables, model="logit", dispersion_per_usd=0.3)
    assert result.status == "optimal"
    assert result.gap < 1e-9
    paths = by_mode(result)
    gap = (
        paths.loc["ab-rail", "generalized_usd_per_t"]
        - paths.loc["ab-road", "generalized_usd_per_t"]
    )
    ratio = paths.loc["ab-rail", "t_per_day"] / paths.loc["ab-road", "t_per_day"]
    assert ratio == pytest.approx(np.exp(-0.3 * gap), rel=1e-9)
    assert paths["t_per_day"].sum() == pytest.approx(1000.0)
    # The wait at the posts is part of the costs.
    assert (result.crossings["wait_h"] > 0).any()


def test_constants_move_choices_and_no_cost(toy_tables: Tables) -> None:
    plain = by_mode(found(toy_tables, model="logit", dispersion_per_usd=0.3))
    moved = by_mode(found(toy_tables, model="logit", dispersion_per_usd=0.3, constants=(ON_RAIL,)))
    gap = moved["generalized_usd_per_t"]["ab-rail"] - moved["generalized_usd_per_t"]["ab-road"]
    ratio = moved["t_per_day"]["ab-rail"] / moved["t_per_day"]["ab-road"]
    assert ratio == pytest.approx(np.exp(-0.3 * (gap + 3.0)), rel=1e-9)
    assert moved["t_per_day"]["ab-rail"] < plain["t_per_day"]["ab-rail"]
    assert moved["cost_usd_per_t"].to_dict() == pytest.approx(plain["cost_usd_per_t"].to_dict())


def test_all_take_the_cheapest_way_until_it_is_full(toy_tables: Tables) -> None:
    easy = found(toy_tables)
    assert by_mode(easy).loc["ab-rail", "t_per_day"] == pytest.approx(1000.0, rel=1e-5)
    tight = found(toys.changed(toy_tables, "links", "A1-AP-rail", capacity_t_per_day=400.0))
    paths = by_mode(tight)
    assert paths.loc["ab-rail", "t_per_day"] == pytest.approx(400.0, rel=1e-6)
    links = tight.links.set_index(["link_id", "direction"])
    price = links.loc[("A1-AP-rail", "forward"), "shadow_price_usd_per_t"]
    gap = (
        paths.loc["ab-road", "generalized_usd_per_t"]
        - paths.loc["ab-rail", "generalized_usd_per_t"]
    )
    assert price == pytest.approx(gap, abs=0.05)
    assert tight.gap <= 1e-6


def test_in_front_of_a_full_post_stands_the_queue_that_turns_the_others_away(
    toy_tables: Tables,
) -> None:
    """Rail passes one train of three hours at a time: 7.6 a day, where ten would go."""
    stages = toy_tables["stages"].copy()
    rail = stages["layer"] == "rail1520"
    stages.loc[rail, "service_min"] = 180.0
    tables = toys.changed(toy_tables, "layers", "rail1520", t_per_vehicle=100, vehicle_usd_per_h=15)
    tables = toys.changed(tables, "layers", "road", cost_usd_per_t_km=1.0)
    result = found({**tables, "stages": stages})
    paths = by_mode(result)
    at = result.crossings.set_index("crossing_id").query("from_country == 'AAA'").loc["ab-rail"]
    assert at["vehicles_per_day"] == pytest.approx(7.6, rel=1e-6)
    assert at["utilization"] == pytest.approx(0.95, rel=1e-6)
    gap = paths["generalized_usd_per_t"].max() - paths["generalized_usd_per_t"].min()
    assert gap < 0.05, "both ways cost the same, the queue included"
    assert at["wait_h"] > 10.0
    overflow = result.indicators.set_index("indicator").loc["overflow_cost", "value"]
    assert overflow > 0.0
    cost = paths["generalized_usd_per_t"] @ paths["t_per_day"]
    assert result.objective_usd_per_day == pytest.approx(cost, rel=0.05)


@pytest.mark.parametrize("model", ["deterministic", "logit"])
@pytest.mark.parametrize("seed", range(6))
def test_no_equilibrium_beats_the_optimum(seed: int, model: str) -> None:
    compiled = draw_world(seed).model()
    best = solve_plan(compiled)
    dispersion = 0.2 if model == "logit" else None
    own = solve_equilibrium(compiled, model=model, dispersion_per_usd=dispersion)
    assert own.status in ("optimal", "partial")
    assert own.gap <= 1e-6
    assert own.objective_usd_per_day >= best.objective_usd_per_day * (1.0 - 1e-6)
    assert own.served_t_per_day <= compiled.t_per_day.sum() * (1 + 1e-9)
    pd.testing.assert_index_equal(own.links.columns, best.links.columns)


def test_dear_demand_stays_at_home_and_loses_by_the_rule_of_half(toy_tables: Tables) -> None:
    tables = toys.changed(toy_tables, "links", "A1-AP-rail", capacity_t_per_day=100.0)
    tables = toys.changed(tables, "links", "A1-AP-road", capacity_t_per_day=100.0)
    network = toys.network(tables)
    rows = toys.demand(network, BOXES).rows.assign(elasticity=-0.5)
    demand = type(toys.demand(network, BOXES)).from_table(rows, network)
    rigid = equilibrium(network, demand)
    assert rigid.status == "partial"
    assert rigid.unmet["reason"].tolist() == ["capacity"]
    soft = equilibrium(network, demand, elastic=True)
    assert soft.status == "optimal"
    assert soft.demand_t_per_day == pytest.approx(200.0, rel=1e-5)
    gain = soft.indicators.set_index("indicator").loc["consumer_surplus", "value"]
    free = by_mode(equilibrium(network, toys.demand(network, (*BOXES[:3], 1.0))))
    cheapest = free["generalized_usd_per_t"].min()
    # 1000 exp(-0.5 (S - S0) / C0) = 200; (1000 + 200) / 2 tonnes lose the rise.
    rise = cheapest * np.log(5.0) / 0.5
    assert gain == pytest.approx(-600.0 * rise * 365 / 1e6, rel=1e-2)


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        ({"kind": "reciprocity", "a": {"crossings": ["ab-road"]}, "b": {"crossings": ["ab-rail"]},
          "low": 0.5, "high": 2.0, "floor": 10, "unit": "t_per_day"}, "r0"),
    ],
)  # fmt: skip
def test_rules_that_no_price_keeps_are_refused_by_name(
    toy_tables: Tables, rule: dict[str, object], name: str
) -> None:
    with pytest.raises(InputError, match=f"{name} asks for a floor or a balance"):
        found(toy_tables, rule)


def test_quotas_and_share_caps_hold(toy_tables: Tables) -> None:
    quota = {"kind": "quota", "crossings": ["ab-rail"], "limit": 300, "unit": "t_per_day"}
    result = found(toy_tables, quota)
    assert by_mode(result).loc["ab-rail", "t_per_day"] == pytest.approx(300.0, rel=1e-6)
    [price] = result.rules["price"]
    assert price > 0.0
    cap = {"kind": "share_cap", "crossings": ["ab-rail"], "share": 0.4}
    result = found(toy_tables, cap, model="logit", dispersion_per_usd=0.3)
    assert by_mode(result).loc["ab-rail", "t_per_day"] == pytest.approx(400.0, rel=1e-6)


def test_a_broken_floor_leaves_no_equilibrium_either(toy_tables: Tables) -> None:
    floor = {"kind": "inspection_floor", "country": "AAA", "stage": "scanner", "share": 0.9}
    assert found(toy_tables, floor).status == "infeasible"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "logit"}, "dispersion_per_usd belongs to the logit model"),
        ({"dispersion_per_usd": 0.1}, "dispersion_per_usd belongs to the logit model"),
        ({"model": "probit"}, "model must be"),
        ({"unmet_usd_per_t": 0.0}, "unmet_usd_per_t must be"),
        ({"tolerance": 0.0}, "tolerance must be > 0"),
    ],
)
def test_bad_arguments_are_refused(
    toy_tables: Tables, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        found(toy_tables, **options)


def test_constants_count_at_posts_of_entry_within_their_scope(toy_tables: Tables) -> None:
    network = toys.network(toy_tables)
    model = compile_model(network, toys.demand(network, BOXES))
    scoped = ChoiceConstant(id="c", usd_per_t=2.0, crossings=("ab-*",), countries=("BBB",))
    both = constant_costs(model, (scoped, ON_RAIL))
    assert sorted(both[both > 0].tolist()) == [2.0, 3.0, 5.0]
    with pytest.raises(InputError, match="'x' must hold a post of entry"):
        constant_costs(model, (ChoiceConstant(id="x", usd_per_t=1.0, countries=("ZZZ",)),))


def test_the_optimum_is_untouched(toy_tables: Tables) -> None:
    """The same network planned and chosen on: the plan alone minimizes."""
    network = toys.network(
        toys.changed(toy_tables, "links", "A1-AP-rail", capacity_t_per_day=400.0)
    )
    demand = toys.demand(network, BOXES, ("B2", "A1", "containers", 300.0))
    best, own = plan(network, demand), equilibrium(network, demand, None, "logit", 0.05)
    assert own.objective_usd_per_day > best.objective_usd_per_day
