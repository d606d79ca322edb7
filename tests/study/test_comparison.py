"""Comparing variants: statuses, blanks, determinism and the contract's columns."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from corridor.errors import InputError
from corridor.planning import plan, route
from corridor.study import Comparison, Study, compare, load_study
from corridor.study.comparison import _screenline_totals as screenline_totals
from tests.study.toy import HEADER

COLUMNS = ["variant", "indicator", "unit", "value", "scope", "direction", "commodity"]
COLUMNS += ["low", "high"]


@pytest.fixture(scope="module")
def comparison(study: Study) -> Comparison:
    return compare(study, workers=1)


def _of(comparison: Comparison, variant: str, **keys: str) -> pd.Series:
    rows = comparison.indicators[comparison.indicators["variant"] == variant]
    for name, key in keys.items():
        rows = rows[rows[name] == key]
    return rows["value"]


def test_every_variant_has_a_status(comparison: Comparison) -> None:
    assert comparison.summary.set_index("variant")["status"].to_dict() == {
        "today": "optimal",
        "rail_closed": "optimal",
        "all_closed": "partial",
        "banned": "partial",
        "contradiction": "infeasible",
        "works": "optimal",
        "slow": "optimal",
        "later": "optimal",
    }
    assert list(comparison.plans) == list(comparison.study.variant_ids)


def test_indicators_have_the_columns_of_the_contract(comparison: Comparison) -> None:
    frame = comparison.indicators
    assert frame.columns.tolist() == COLUMNS
    assert frame["indicator"].nunique() >= 25
    assert (frame["unit"] != "").all()
    assert not frame.duplicated(["variant", *COLUMNS[1:3], *COLUMNS[4:7]]).any()
    assert frame["value"].dtype == np.float64


def test_plans_are_those_of_the_verb_plan(study: Study, comparison: Comparison) -> None:
    direct = plan(*study.case("slow"), unmet_usd_per_t=4000)
    assert comparison.plans["slow"].objective_usd_per_day == direct.objective_usd_per_day


def test_results_do_not_depend_on_the_workers(study: Study, comparison: Comparison) -> None:
    twice = compare(study, workers=2)
    for name in ("indicators", "summary", "differences", "references", "legs"):
        pd.testing.assert_frame_equal(getattr(comparison, name), getattr(twice, name))


def test_an_infeasible_variant_has_reasons_and_blanks(comparison: Comparison) -> None:
    row = comparison.summary.set_index("variant").loc["contradiction"]
    assert row["reasons"] == "scan_all"
    numbers = comparison.summary.select_dtypes("number").columns
    assert row[numbers].isna().all()
    assert _of(comparison, "contradiction").isna().all()
    assert len(_of(comparison, "contradiction")) > 25
    references = comparison.references.query("variant == 'contradiction'")
    assert references["time_d"].isna().all()
    assert (references["reasons"] == "scan_all").all()


def test_closing_everything_gives_reasons_and_no_numbers(comparison: Comparison) -> None:
    unmet = comparison.plans["all_closed"].unmet
    assert unmet["t_per_day"].sum() == pytest.approx(1800)
    assert set(unmet["reason"]) == {"no_path"}
    references = comparison.references.query("variant == 'all_closed'")
    assert references[["time_d", "cost_usd_per_t"]].isna().all().all()
    assert references["reasons"].str.contains("x-ab").all()
    assert not (comparison.legs["variant"] == "all_closed").any()
    assert _of(comparison, "all_closed", indicator="reference_time").isna().all()
    assert _of(comparison, "all_closed", indicator="door_to_door_time_mean").isna().all()


def test_a_ban_is_named_as_the_reason(comparison: Comparison) -> None:
    references = comparison.references.query("variant == 'banned'")
    assert (references["reasons"] == "shut").all()
    assert set(comparison.plans["banned"].unmet["rules"]) == {"shut"}


def test_references_are_routes(study: Study, comparison: Comparison) -> None:
    case = study.case("today")
    way = route(case.network, "A1", "B1", "containers", case.rules)
    row = comparison.references.iloc[0]
    assert row["time_d"] * 24 == pytest.approx(way.time_h)
    assert row["cost_usd_per_teu"] == pytest.approx(way.cost_usd_per_teu)
    legs = comparison.legs.query("variant == 'today' and reference == 'boxes'")
    assert legs["time_h"].sum() == pytest.approx(way.time_h)
    assert legs["cost_usd_per_t"].sum() == pytest.approx(way.cost_usd_per_t)
    assert legs["leg"].tolist() == list(range(1, len(legs) + 1))


def test_a_reference_outside_the_demand_is_routed_too(comparison: Comparison) -> None:
    row = comparison.references.query("variant == 'today' and reference == 'grain_back'")
    assert row["time_d"].item() > 0


def test_differences_are_minus_the_base(comparison: Comparison) -> None:
    rows = comparison.differences
    assert "today" not in set(rows["variant"])
    time = rows.query("variant == 'slow' and indicator == 'door_to_door_time_mean'").iloc[0]
    base = _of(comparison, "today", indicator="door_to_door_time_mean").item()
    assert time["base"] == base
    assert time["difference"] == pytest.approx(time["value"] - base)
    assert time["relative"] == pytest.approx(time["value"] / base - 1)
    same = rows.query("variant == 'later'")["difference"].dropna()
    assert (same == 0).all()


def test_what_a_variant_no_longer_carries_differs_by_all_of_it(comparison: Comparison) -> None:
    gate = comparison.differences.query(
        "variant == 'rail_closed' and indicator == 'throughput' and scope == 'border/rail' "
        "and unit == 'Mt_per_year' and direction == 'forward'"
    ).iloc[0]
    assert gate["value"] == 0
    assert gate["difference"] == -gate["base"] < 0


def test_gates_of_a_screenline_may_count_opposite_ways(comparison: Comparison) -> None:
    keys = ["variant", "indicator", "unit", "scope", "direction", "commodity"]
    rows = comparison.indicators.set_index(keys)["value"]
    line = ("today", "throughput", "Mt_per_year", "turned")
    assert rows[(*line, "forward", "")] == 0.0 or rows[(*line, "backward", "")] == 0.0
    flows = rows.copy()
    flows[(*line, "forward", "")], flows[(*line, "backward", "")] = 2.0, 3.0
    assert screenline_totals(comparison.study, flows.reset_index())["today", "turned"] == 5.0


def test_what_a_variant_saves_counts_goods_left_at_home_at_their_value(
    comparison: Comparison,
) -> None:
    saved = comparison.summary.set_index("variant")["saved_musd_per_year"]
    value = comparison.study.case("today").network.commodities.set_index("commodity_id")
    loss = {}
    for name in ("today", "all_closed"):
        plan = comparison.plans[name]
        cost = plan.paths["t_per_day"] @ plan.paths["generalized_usd_per_t"]
        price = plan.unmet["commodity"].map(value["value_usd_per_t"].to_dict())
        loss[name] = (cost + plan.unmet["t_per_day"] @ price.to_numpy(float)) * 365 / 1e6
    assert saved["today"] == 0.0
    assert saved["all_closed"] == pytest.approx(loss["today"] - loss["all_closed"], rel=1e-4)
    assert np.isnan(saved["contradiction"])


def test_a_screenline_counts_what_its_gates_count(comparison: Comparison) -> None:
    summary = comparison.summary.set_index("variant")
    # 1,500 t/day go from Ash and Alder to Beech and Birch; the way back is not counted.
    assert summary.loc["today", "border_mt_per_year"] == pytest.approx(1500 * 365 / 1e6)
    assert summary.loc["all_closed", "border_mt_per_year"] == 0


def test_the_base_is_always_compared(study: Study) -> None:
    seen: list[tuple[int, int, str]] = []
    some = compare(study, ["slow"], progress=lambda *step: seen.append(step))
    assert list(some.plans) == ["today", "slow"]
    assert [step[:2] for step in seen] == [(1, 2), (2, 2)]
    assert {step[2] for step in seen} == {"today", "slow"}


def test_bad_arguments_are_refused(study: Study) -> None:
    with pytest.raises(InputError, match="workers must be a whole number >= 1"):
        compare(study, workers=0)
    with pytest.raises(InputError, match="did you mean slow"):
        compare(study, ["slwo"])


def test_an_interrupt_stops_what_has_not_begun(study: Study) -> None:
    seen: list[str] = []

    def interrupt(_done: int, _total: int, name: str) -> None:
        seen.append(name)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(study, workers=1, progress=interrupt)
    assert seen == ["today"]


def test_the_summary_tells_of_the_states_that_a_study_puts_first(
    comparison: Comparison, study_with: Callable[..., Path]
) -> None:
    assert not [name for name in comparison.summary if name.startswith("transit_")]
    named = load_study(study_with(header=HEADER + 'headline_states = ["BBB", "AAA"]\n'))
    summary = compare(named, ["today"], workers=1).summary
    states = [name for name in summary if name.startswith(("transit_", "revenue_"))]
    assert states == [
        "transit_bbb_mt_per_year", "revenue_bbb_musd_per_year",
        "transit_aaa_mt_per_year", "revenue_aaa_musd_per_year",
    ]  # fmt: skip
    revenue = comparison.plans["today"].countries.set_index("country")["revenue_usd_per_day"]
    assert summary["revenue_bbb_musd_per_year"].item() == pytest.approx(revenue["BBB"] * 365 / 1e6)
    with pytest.raises(InputError, match="'CCC'; expected a state with nodes"):
        load_study(study_with(header=HEADER + 'headline_states = ["CCC"]\n'))
