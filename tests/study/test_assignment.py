"""Studies whose shippers choose: the headline is theirs, the optimum stands beside it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from corridor.errors import InputError
from corridor.planning import equilibrium, plan
from corridor.study import Comparison, compare, load_study
from corridor.study.comparison import choice_constants
from tests.study.toy import HEADER

LOGIT = HEADER + 'assignment = "logit"\ndispersion_per_usd = 0.3\n'
CONSTANT = """
[[constant]]
id = "rail"
usd_per_t = 2.5
layers = ["rail1520"]
confidence = "derived"
"""


@pytest.fixture
def logit(study_with: Callable[..., Path]) -> Comparison:
    return compare(load_study(study_with(CONSTANT, header=LOGIT)), workers=1)


def _value(comparison: Comparison, variant: str, indicator: str) -> float:
    table = comparison.indicators
    rows = table[(table["variant"] == variant) & (table["indicator"] == indicator)]
    return float(rows[(rows["commodity"] == "") & (rows["scope"] == "")]["value"].item())


def test_the_headline_is_the_equilibrium_and_the_optimum_stands_beside_it(
    logit: Comparison,
) -> None:
    study = logit.study
    own = equilibrium(
        *study.case("slow"), "logit", 0.3, unmet_usd_per_t=4000, constants=choice_constants(study)
    )
    best = plan(*study.case("slow"), unmet_usd_per_t=4000)
    pd.testing.assert_frame_equal(logit.plans["slow"].paths, own.paths)
    pd.testing.assert_frame_equal(logit.best["slow"].paths, best.paths)
    ratio = own.objective_usd_per_day / best.objective_usd_per_day
    assert ratio > 1.0
    assert _value(logit, "slow", "price_of_anarchy") == pytest.approx(ratio)
    assert not len(best.unmet)
    least = best.objective_usd_per_day * 365 / 1e6
    assert _value(logit, "slow", "best_possible_total_cost") == pytest.approx(least)
    served = best.served_t_per_day * 365 / 1e6
    assert _value(logit, "slow", "best_possible_served") == pytest.approx(served)
    row = logit.summary.set_index("variant").loc["slow"]
    assert row["price_of_anarchy"] == pytest.approx(ratio)
    assert row["generalized_cost_usd_per_t"] != row["best_possible_generalized_cost_usd_per_t"]


def test_statuses_and_blanks_are_those_of_any_comparison(logit: Comparison) -> None:
    status = logit.summary.set_index("variant")["status"]
    assert status["all_closed"] == "partial"
    assert status["contradiction"] == "infeasible"
    assert np.isnan(_value(logit, "contradiction", "price_of_anarchy"))
    assert not logit.indicators.duplicated(
        ["variant", "indicator", "unit", "scope", "direction", "commodity"]
    ).any()


def test_results_do_not_depend_on_the_workers(logit: Comparison) -> None:
    twice = compare(logit.study, workers=2)
    pd.testing.assert_frame_equal(logit.indicators, twice.indicators)


def test_a_constant_moves_shares_off_the_railway(study_with: Callable[..., Path]) -> None:
    tonnes = {}
    for name, text in (("plain", ""), ("constant", CONSTANT)):
        study = load_study(study_with(text, header=LOGIT))
        table = compare(study, ["today"], workers=1).plans["today"].crossings
        tonnes[name] = table.loc[table["crossing_id"] == "ab-rail", "t_per_day"].sum()
    assert tonnes["constant"] < tonnes["plain"]


def test_deterministic_choice_is_an_assignment_too(study_with: Callable[..., Path]) -> None:
    study = load_study(study_with(header=HEADER + 'assignment = "equilibrium"\n'))
    found = compare(study, ["today"], workers=1)
    assert found.plans["today"].gap <= 1e-6
    assert _value(found, "today", "price_of_anarchy") >= 1.0 - 1e-6


def test_an_optimum_has_nothing_beside_it(study_with: Callable[..., Path]) -> None:
    found = compare(load_study(study_with()), ["today"], workers=1)
    assert found.best["today"] is found.plans["today"]
    assert not found.indicators["indicator"].str.startswith("best_possible").any()
    assert "price_of_anarchy" not in found.summary


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ('crossings = ["nowhere-*"]', "crossings"),
        ('countries = ["ZZZ"]', "countries"),
        ('layers = ["canal"]', "layers"),
        ("usd_per_t_km = 3", "usd_per_t_km"),
    ],
)
def test_a_bad_constant_is_a_fault_with_its_place(
    study_with: Callable[..., Path], line: str, column: str
) -> None:
    text = f'[[constant]]\nid = "c"\nusd_per_t = 1.0\n{line}\n'
    with pytest.raises(InputError) as caught:
        load_study(study_with(text, header=LOGIT))
    (fault,) = caught.value.faults
    assert (fault.key, fault.column) == ("c", column)


AGREED = """
[[variant]]
id = "agreed"
title = "Road and railway in balance"
[[variant.rules_add]]
id = "band"
kind = "reciprocity"
title = "Neither carries much more than the other"
a = { crossings = ["ab-road"] }
b = { crossings = ["ab-rail"] }
low = 0.05
high = 20
floor = 0.01
unit = "t_per_day"
"""


def test_a_steered_variant_is_held_against_the_best_use_of_the_base(
    study_with: Callable[..., Path],
) -> None:
    study = load_study(study_with(CONSTANT + AGREED, header=LOGIT))
    found = compare(study, ["today", "slow", "agreed"], workers=1)
    assert [found.is_steered(name) for name in ("today", "slow", "agreed")] == [False, False, True]
    assert found.base_of("agreed") is found.best["today"]
    assert found.base_of("slow") is found.plans["today"]
    rows = found.differences.set_index(["variant", "indicator"]).sort_index()
    cost = rows.loc[("agreed", "total_cost")]
    musd = 365 / 1e6
    before = found.best["today"].objective_usd_per_day * musd
    after = found.plans["agreed"].objective_usd_per_day * musd
    assert cost["base"].item() == pytest.approx(before)
    assert cost["difference"].item() == pytest.approx(after - before)
    assert cost["difference"].item() >= -1e-6 * before  # a rule more never saves
    assert rows.loc[("agreed", "price_of_anarchy")]["base"].item() == 1.0
    moved = rows.loc[("slow", "total_cost")]
    assert moved["base"].item() == pytest.approx(found.plans["today"].objective_usd_per_day * musd)
