"""Pareto fronts against every simple way of the toy, and their properties on the real network."""

from typing import get_args

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor import load_network, load_rules
from corridor.errors import InputError, NoRouteError
from corridor.network import Network
from corridor.planning import Model, alternatives, compile_model, pareto, route, single_shipments
from corridor.planning.ways.fronts import FrontCriterion
from corridor.planning.ways.measures import arc_km_in, arc_measure
from tests.planning import toys
from tests.planning.test_limits import every_way

Tables = dict[str, pd.DataFrame]
CRITERIA = get_args(FrontCriterion)
ENDS = ("CN_XIAN", "TR_MERSIN")


@pytest.fixture
def toy(toy_tables: Tables) -> Network:
    tables = toys.with_sea(toy_tables)
    layers = tables["layers"].assign(co2_g_per_t_km=[85.0, 20, 30, 15], time_cv=[0.1, 0.5, 0.3, 1])
    return toys.network({**tables, "layers": layers})


@pytest.fixture(scope="module")
def real() -> Network:
    return load_network("crossroads", date="2026-06-30")


def model_of(network: Network, *ends: str, commodity: str) -> Model:
    return compile_model(network, single_shipments(network, [(*ends, commodity)]))


def nondominated(vectors: np.ndarray) -> np.ndarray:
    """Return the distinct vectors that no other dominates, by comparing all pairs."""
    vectors = np.unique(np.round(vectors, 6), axis=0)
    kept = [
        vector
        for vector in vectors
        if not ((vectors <= vector).all(axis=1) & (vectors < vector).any(axis=1)).any()
    ]
    return np.array(kept)


@pytest.mark.parametrize("commodity", ["grain", "containers"])
@pytest.mark.parametrize("ends", [("B2", "A1"), ("A1", "B1"), ("A2", "PB")])
@pytest.mark.parametrize(
    "criteria",
    [
        ("time_h", "cost_usd_per_t"),
        ("time_h", "cost_usd_per_t", "co2_kg_per_t"),
        ("sd_h", "n_crossings"),
        CRITERIA,
    ],
)
def test_the_front_is_that_of_all_simple_ways(
    toy: Network, criteria: tuple[FrontCriterion, ...], ends: tuple[str, str], commodity: str
) -> None:
    model = model_of(toy, *ends, commodity=commodity)
    arcs = every_way(model)
    measures = np.array([arc_measure(model, 0, name) for name in criteria])
    expected = nondominated(np.array([measures[:, way].sum(axis=1) for way in arcs]))
    front = pareto(toy, *ends, criteria, commodity)
    assert np.unique(np.round(front[list(criteria)], 6), axis=0) == pytest.approx(expected)
    assert len(front) == len(expected)
    assert front["path_id"].tolist() == list(range(len(front)))


def test_exposure_is_a_criterion_of_its_own(toy: Network) -> None:
    model = model_of(toy, "B2", "A1", commodity="grain")
    measures = np.array([arc_km_in(model, ["BBB"]), arc_measure(model, 0, "time_h")])
    expected = nondominated(np.array([measures[:, way].sum(axis=1) for way in every_way(model)]))
    front = pareto(toy, "B2", "A1", ["time_h"], "grain", exposure=["BBB"])
    found = np.unique(np.round(front[["exposure_km", "time_h"]], 6), axis=0)
    assert found == pytest.approx(expected)
    assert len(expected) > 1
    assert "exposure_km" not in pareto(toy, "B2", "A1", commodity="grain")


def test_each_row_is_a_way_with_its_own_totals(toy: Network) -> None:
    front = pareto(toy, "B2", "A1", CRITERIA, "grain", exposure=["AAA"])
    ways = alternatives(toy, "B2", "A1", 1000, "grain")
    known = {(way.links, round(way.time_h, 6)): way for way in ways}
    assert len(front) > 1
    for row in front.to_dict("records"):
        way = known[tuple(row["links"].split(">")), round(row["time_h"], 6)]
        names = "time_h", "cost_usd_per_t", "co2_kg_per_t", "length_km", "generalized_usd_per_t"
        for name in names:
            assert row[name] == pytest.approx(getattr(way, name)), name
        assert row["crossings"] == ">".join(way.crossings)
        assert row["countries"] == ">".join(way.countries)
        assert row["n_crossings"] == len(way.crossings)
        in_state = way.legs["country"] == "AAA"
        assert row["exposure_km"] == pytest.approx(way.legs.loc[in_state, "length_km"].sum())


def check_front(front: pd.DataFrame, criteria: list[str]) -> None:
    values = front[criteria].to_numpy()
    for vector in values:
        no_worse = (values <= vector + 1e-9).all(axis=1)
        better = (values < vector - 1e-6).any(axis=1)
        assert not (no_worse & better).any()


@pytest.mark.parametrize("rules", [True, False])
def test_the_front_of_the_bundled_network(real: Network, rules: bool) -> None:  # noqa: FBT001
    rulebook = load_rules("crossroads", real.date) if rules else None
    front = pareto(real, *ENDS, rules=rulebook)
    criteria = ["time_h", "cost_usd_per_t", "co2_kg_per_t"]
    check_front(front, criteria)
    assert len(front) > 5
    by = {"time": "time_h", "money": "cost_usd_per_t", "co2": "co2_kg_per_t"}
    for minimize, name in by.items():
        best = route(real, *ENDS, rules=rulebook, minimize=minimize)
        assert front[name].min() == pytest.approx(getattr(best, name), abs=1e-6)
    assert front["time_h"].is_monotonic_increasing
    # The weighted sum is not one of the criteria: its best need not be on the front, yet none on
    # the front can be better.
    best = route(real, *ENDS, rules=rulebook)
    assert front["generalized_usd_per_t"].min() >= best.generalized_usd_per_t - 1e-6


def test_more_criteria_keep_every_vector_of_fewer(real: Network) -> None:
    few = pareto(real, *ENDS, ("time_h", "n_crossings"))
    more = pareto(real, *ENDS, ("time_h", "n_crossings", "sd_h"), exposure=["RUS", "IRN"])
    assert len(more) > len(few)
    check_front(more, ["time_h", "n_crossings", "sd_h", "exposure_km"])
    for vector in few[["time_h", "n_crossings"]].to_numpy():
        gaps = np.abs(more[["time_h", "n_crossings"]].to_numpy() - vector).max(axis=1)
        assert gaps.min() < 1e-6
    assert more["exposure_km"].min() == 0.0


@pytest.mark.parametrize("epsilon", [0.02, 0.2])
def test_epsilon_leaves_out_what_another_nearly_is(real: Network, epsilon: float) -> None:
    criteria = ["time_h", "cost_usd_per_t", "sd_h"]
    whole = pareto(real, *ENDS, criteria)
    short = pareto(real, *ENDS, criteria, epsilon=epsilon)
    assert len(short) < len(whole)
    check_front(short, criteria)
    near = short[criteria].to_numpy()
    for vector in whole[criteria].to_numpy():
        assert (near <= vector * (1 + epsilon) + 1e-6).all(axis=1).any()


def test_avoided_states_are_not_on_the_front(real: Network) -> None:
    front = pareto(real, *ENDS, avoid=["IRN", "RUS"])
    assert not front["countries"].str.contains("IRN|RUS").any()
    assert pareto(real, *ENDS)["countries"].str.contains("IRN").any()


def test_no_way_has_no_front(toy: Network, real: Network) -> None:
    shut = toys.rules({"kind": "forbid", "countries": ["BBB"]})
    with pytest.raises(NoRouteError) as caught:
        pareto(toy, "A1", "B1", ("n_crossings", "time_h"), rules=shut)
    assert caught.value.reasons == ("r0",)
    neighbors = ["ARM", "GEO", "IRN", "RUS", "TUR", "KAZ", "TKM"]
    with pytest.raises(NoRouteError, match="must keep avoid ARM, GEO") as caught:
        pareto(real, "AZ_BAKU", "CN_XIAN", avoid=neighbors)
    assert all(reason.startswith("avoid ") for reason in caught.value.reasons)


def test_a_broken_floor_leaves_no_front(toy: Network) -> None:
    floor = {"kind": "inspection_floor", "country": "AAA", "stage": "scanner", "share": 0.5}
    with pytest.raises(NoRouteError, match="ab-road"):
        pareto(toy, "A1", "B1", rules=toys.rules(floor))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"criteria": ("time_h", "beauty")}, "found 'beauty'. Risk is sd_h"),
        ({"criteria": ("time_h",)}, "at least 2 different criteria; found time_h"),
        ({"criteria": ()}, "found none"),
        ({"criteria": ("time_h", "time_h")}, "found time_h, time_h"),
        ({"criteria": "time_h"}, "must be given as a list"),
        ({"exposure": ["QQQ"]}, "found 'QQQ'"),
        ({"exposure": "AAA"}, "must be given as a list"),
        ({"avoid": ["QQQ"]}, "found 'QQQ'"),
        ({"avoid": ["BBB"]}, "must not be those of origin and destination; found BBB"),
        ({"epsilon": -0.1}, "epsilon must be a finite number >= 0"),
        ({"commodity": "gran"}, "Did you mean grain"),
        ({"destination": "A1"}, "must differ"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    toy: Network, options: dict[str, object], message: str
) -> None:
    asked = {"origin": "A1", "destination": "B1"} | options
    with pytest.raises(InputError, match=message):
        pareto(toy, **asked)


def test_it_is_public(toy: Network) -> None:
    assert corridor.pareto(toy, "A1", "B1")["countries"].unique().tolist() == ["AAA>BBB"]
