"""Economics against figures worked out by hand, and against their definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.planning.investment.appraisals import Subject as Appraised
from corridor.planning.investment.appraisals import (
    appraise,
    cash_flows,
    economics_table,
    saturation_years,
)
from corridor.planning.investment.economics import (
    capital_recovery_factor,
    internal_rate,
    payback_years,
    present_value,
    spending,
    value_at_opening,
)
from corridor.planning.investment.projects import Project


def project(**numbers: float) -> Project:
    return Project(id="p", name="P", country="AAA", **numbers)  # type: ignore[arg-type]


def test_npv_and_eirr_by_hand() -> None:
    # 100 and 100 in two years of building, then 40 less 5 of upkeep in each of three years:
    # -100 - 100/1.1 + 35/1.21 + 35/1.331 + 35/1.4641 = -111.7778...
    built = project(capex_musd=200.0, build_years=2.0, opex_musd_per_year=5.0, life_years=3.0)
    flows = cash_flows([built], 40.0, horizon_years=3)
    assert flows.net.tolist() == [-100.0, -100.0, 35.0, 35.0, 35.0]
    by_hand = -100.0 - 100.0 / 1.1 + 35.0 / 1.21 + 35.0 / 1.331 + 35.0 / 1.4641
    assert appraise(flows, 0.10)["npv_musd"] == pytest.approx(by_hand, rel=1e-12)
    # -60 + 110/(1 + r) = 0 at r = 5/6.
    assert internal_rate([-60.0, 110.0]) == pytest.approx(5.0 / 6.0)
    # 100 grows to 121 in two years at 10 %.
    assert internal_rate([-100.0, 0.0, 121.0]) == pytest.approx(0.1)


def test_switching_values_bring_the_present_value_to_zero() -> None:
    built = project(capex_musd=50.0, build_years=3.0, opex_musd_per_year=1.0, life_years=12.0)
    flows = cash_flows([built], 9.0)
    told = appraise(flows, 0.06)
    dearer = flows.costs * (1.0 + told["switching_cost"])
    poorer = flows.benefits * (1.0 - told["switching_benefit"])
    assert present_value(flows.benefits - dearer, 0.06) == pytest.approx(0.0, abs=1e-9)
    assert present_value(poorer - flows.costs, 0.06) == pytest.approx(0.0, abs=1e-9)


def test_renewal_and_what_is_left() -> None:
    # Life 20 in a horizon of 30: one renewal at the end of year 20 of use, half of it left.
    built = project(capex_musd=10.0, build_years=1.0, life_years=20.0)
    flows = cash_flows([built], 1.0, horizon_years=30)
    assert flows.costs[0] == 10.0
    assert flows.costs[20] == 10.0
    assert flows.costs[30] == -5.0
    assert flows.costs.sum() == 15.0


def test_annuity_pays_back_with_interest_while_building() -> None:
    # The yearly cost over the life is worth the spending, at the same rate.
    rate, built = 0.07, project(capex_musd=90.0, build_years=3.0, life_years=25.0)
    annuity = 90.0 * value_at_opening(rate, 3.0) * capital_recovery_factor(rate, 25.0)
    flows = cash_flows([built], annuity, horizon_years=25)
    assert present_value(flows.net, rate) == pytest.approx(0.0, abs=1e-9)
    assert internal_rate(flows.net) == pytest.approx(rate)


def test_growth_stops_when_full() -> None:
    built = project(capex_musd=10.0, build_years=0.0)
    flows = cash_flows([built], 1.0, horizon_years=5, growth=0.5, growing_years=2.0)
    assert flows.benefits.tolist() == [0.0, 1.0, 1.5, 2.25, 2.25, 2.25]
    table = economics_table(
        [Appraised(id="p", projects=(built,), saving_musd_per_year=1.0, utilization=0.5)],
        [0.06], first_year=2027, growth=0.04,
    )  # fmt: skip
    row = table.iloc[0]
    assert row["opening_year"] == 2028
    assert row["saturation_year"] == 2028 + math.floor(math.log(2.0) / math.log(1.04))
    assert row["first_year_return"] == pytest.approx(0.1)
    assert saturation_years(1.2, 0.04) == 0.0


def test_rates_without_an_answer() -> None:
    assert math.isnan(internal_rate([5.0, 5.0]))
    assert math.isnan(internal_rate([-5.0, -5.0]))
    assert math.isnan(internal_rate([5.0, -20.0, 5.0]))
    assert internal_rate([-5.0, 4.0]) == pytest.approx(-0.2)
    # A renewal in between leaves the rate single: the running total changes its sign once.
    assert present_value([-5.0, 4.0, -1.0, 9.0], internal_rate([-5.0, 4.0, -1.0, 9.0])) == (
        pytest.approx(0.0, abs=1e-9)
    )


@given(
    st.lists(st.floats(0.0, 100.0), min_size=1, max_size=20),
    st.floats(1.0, 500.0),
    st.floats(0.0, 0.5),
)
def test_payback_is_where_the_running_total_turns(
    gains: list[float], cost: float, rate: float
) -> None:
    flows = np.array([-cost, *gains])
    years = payback_years(flows, rate)
    total = np.cumsum(flows * (1.0 + rate) ** -np.arange(flows.size))
    if math.isinf(years):
        assert total[-1] < 0.0
    else:
        assert total[math.ceil(years - 1e-9) - 1] >= -1e-6
        assert years < 2.0 or total[math.floor(years - 1e-9) - 1] <= 1e-6


@given(st.floats(0.0, 12.0))
def test_spending_adds_up(years: float) -> None:
    assert spending(years).sum() == pytest.approx(1.0)
    assert value_at_opening(0.0, years) == pytest.approx(1.0)
