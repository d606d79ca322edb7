"""What the next server is worth: bounds, and solutions against networks with another table."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.core.queues import mean_wait
from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning import Plan, compile_model, equilibrium, plan, solve_plan
from corridor.sovereignty import Rules
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
BACKGROUND = """
target,direction,vehicles_per_day
ab-road,forward,130
"""
ROWS = (("A1", "B1", "grain", 1600.0), ("A1", "B1", "containers", 400.0))
DAYS = 365.0
UNMET_USD_PER_T = 20000.0


@pytest.fixture
def crowded(toy_tables: Tables) -> Tables:
    """Put others on the toy's road, where two windows see 240 vehicles a day, and cut its rail."""
    tables = toys.joined(toy_tables, background=BACKGROUND)
    tables = toys.changed(tables, "links", "A1-AP-rail", capacity_t_per_day=900)
    tables["commodities"]["reliability_ratio"] = [0.8, 0.4]
    return tables


def answered(
    tables: Tables, verb: Callable[..., Plan] = plan, **options: object
) -> tuple[Plan, "pd.Series[float]"]:
    """Return the plan of the toy and its way over the road from AAA."""
    network = toys.network(tables)
    found = verb(network, toys.demand(network, *ROWS), toys.rules(), **options)
    ways = found.crossings.set_index(["crossing_id", "from_country"])
    return found, ways.loc[("ab-road", "AAA")]


def with_third_window(tables: Tables) -> Tables:
    stages = tables["stages"].copy()
    stages.loc[0, "servers"] = 3
    return {**tables, "stages": stages}


def background_saving_usd_per_year(vehicles: float = 130.0) -> float:
    """Return what a third window saves the background alone, by hand."""
    two, three = (mean_wait(vehicles / 24.0, 0.2, servers) for servers in (2, 3))
    mean_value = (1600.0 * 0.01 + 400.0 * 1.5) / 2000.0
    return float(vehicles * (two - three) * (15.0 + 20.0 * mean_value) * DAYS)


@pytest.mark.parametrize("congestion", [True, False])
def test_the_value_is_the_difference_of_two_plans(crowded: Tables, *, congestion: bool) -> None:
    options = {"congestion": congestion, "tolerance": 1e-9}
    before, way = answered(crowded, next_servers=["ab-road"], **options)
    after, _ = answered(with_third_window(crowded), **options)
    assert way["bottleneck_stage"] == "documents"
    saved = (before.objective_usd_per_day - after.objective_usd_per_day) * DAYS
    expected = saved + background_saving_usd_per_year()
    assert way["next_server_usd_per_year"] == pytest.approx(expected, rel=1e-5)
    assert saved > 1e4
    at_flow, most = way["next_server_at_flow_usd_per_year"], way["next_server_most_usd_per_year"]
    # Without congestion a queue that the flow does not lengthen is what all there is to save.
    assert at_flow <= way["next_server_usd_per_year"] * (1 + 1e-6)
    assert way["next_server_usd_per_year"] <= most * (1 + 1e-6)
    assert at_flow < most * 0.95


def test_without_being_asked_only_what_bounds_prove_is_told(
    crowded: Tables, toy_tables: Tables
) -> None:
    _, way = answered(crowded)
    assert np.isnan(way["next_server_usd_per_year"])
    # Where all go by rail and nobody else is on the road, a server there is proved worthless.
    _, idle = answered(toy_tables)
    assert (idle["vehicles_per_day"], idle["next_server_usd_per_year"]) == (0.0, 0.0)


@pytest.mark.parametrize(("model", "dispersion"), [("deterministic", None), ("logit", 0.05)])
def test_of_an_equilibrium_all_choose_again(
    crowded: Tables, model: str, dispersion: float | None
) -> None:
    options = {"model": model, "dispersion_per_usd": dispersion}
    before, way = answered(crowded, equilibrium, next_servers=True, tolerance=1e-8, **options)
    after, _ = answered(with_third_window(crowded), equilibrium, tolerance=1e-8, **options)
    saved = (before.objective_usd_per_day - after.objective_usd_per_day) * DAYS
    expected = saved + background_saving_usd_per_year()
    assert way["next_server_usd_per_year"] == pytest.approx(expected, rel=1e-4)
    assert np.isnan(way["next_server_most_usd_per_year"])


def test_demand_that_changes_with_each_server_is_refused(crowded: Tables) -> None:
    with pytest.raises(InputError, match="without elastic demand"):
        answered(crowded, equilibrium, next_servers=True, elastic=True)


def test_unknown_crossings_are_named(crowded: Tables) -> None:
    with pytest.raises(InputError, match=r"1 are not: ab-raod\. Correct"):
        answered(crowded, next_servers=["ab-raod", "ab-road"])


# -- the bundled study ------------------------------------------------------------------------


def staffed_anew(network: Network, way: "pd.Series[str]") -> Network:
    """Return the network with one more server at a way's bottleneck, in the tables."""
    stages = network.stages
    state = stages["country"] == way["bottleneck_country"]
    own = state & (stages["crossing_id"] == way["crossing_id"])
    rows = stages[own]
    if rows.empty:  # the state's template for this layer becomes rows of its own
        rows = stages[state & (stages["crossing_id"] == "*") & (stages["layer"] == way["layer"])]
        rows = rows.assign(crossing_id=way["crossing_id"], layer="")
    leaves = way["bottleneck_country"] == way["from_country"]
    more = (rows["stage"] == way["bottleneck_stage"]) & rows["direction"].isin(
        ["both", "out" if leaves else "in"]
    )
    assert more.sum() == 1
    rows = rows.assign(servers=rows["servers"].where(~more, rows["servers"] + 1))
    return network.replace(stages=pd.concat([stages[~own], rows], ignore_index=True))


def idle_delay(network: Network, demand: Demand, rules: Rules, crossing_id: str) -> float:
    """Return the delay of the background alone at a crossing [USD/day]: stage by stage."""
    model = compile_model(network, demand, rules)
    posts, queues = model.posts, model.pools.queues
    rate = posts.stage_share * posts.pool_base[posts.stage_pool] / posts.stage_open_h
    wait = mean_wait(
        rate, posts.stage_service_h, posts.stage_servers.astype(float),
        posts.stage_arrival_scv, posts.stage_service_scv,
    )  # fmt: skip
    ids = network.crossings["crossing_id"].to_numpy(object)[posts.pool_crossing]
    here = (ids == crossing_id)[posts.stage_pool]
    usd = queues.usd_per_vehicle_h * rate * posts.stage_open_h * wait
    return float(usd[here].sum())


def test_three_crossings_of_the_bundled_study_are_worth_what_whole_plans_say() -> None:
    network, demand, rules = corridor.load_study("crossroads").case("crossroads_full")
    # A road that is full, a railway with room, and a road in the heart of the study.
    asked = ["irkeshtam-road", "farap-rail", "margara-road"]
    model = compile_model(network, demand, rules)
    before = solve_plan(model, unmet_usd_per_t=UNMET_USD_PER_T, tolerance=1e-8, next_servers=asked)
    ways = before.crossings.set_index(["crossing_id", "from_country"], drop=False)
    for key in [("irkeshtam-road", "CHN"), ("farap-rail", "UZB"), ("margara-road", "TUR")]:
        way = ways.loc[key]
        staffed = staffed_anew(network, way)
        again = compile_model(staffed, demand, rules)
        after = solve_plan(again, unmet_usd_per_t=UNMET_USD_PER_T, tolerance=1e-8)
        saved = before.objective_usd_per_day - after.objective_usd_per_day
        others = idle_delay(network, demand, rules, key[0]) - idle_delay(
            staffed, demand, rules, key[0]
        )
        worth = way["next_server_usd_per_year"]
        assert worth == pytest.approx((saved + others) * DAYS, rel=1e-3), key
        assert worth > 1e5
        assert way["next_server_at_flow_usd_per_year"] <= worth * (1 + 1e-3)
        assert worth <= way["next_server_most_usd_per_year"] * (1 + 1e-3)
    told = ways["next_server_usd_per_year"].notna() & ~ways["crossing_id"].isin(asked)
    bounds = ways.loc[told, ["next_server_at_flow_usd_per_year", "next_server_most_usd_per_year"]]
    gap = (bounds.iloc[:, 1] - bounds.iloc[:, 0]).to_numpy()
    assert told.sum() > 50
    assert (gap <= np.maximum(0.01 * bounds.iloc[:, 1].to_numpy(), 1000.0)).all()
