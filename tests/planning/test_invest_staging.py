"""Schedules of projects against the enumeration of all of them."""

import itertools

import numpy as np
import pytest

from corridor.errors import InputError
from corridor.planning.investment.portfolio_program import MUSD_PER_YEAR
from corridor.planning.investment.portfolio_values import PortfolioValues
from corridor.planning.investment.projects import read_projects, yearly_costs
from corridor.planning.investment.staging import Period, stage_projects
from tests.planning.test_investments import UNMET_USD_PER_T, random_network

PROJECTS = ["lanes", "back", "track"]


def test_equals_the_enumeration_of_all_schedules() -> None:
    network, demand = random_network(0)
    projects = read_projects(network, PROJECTS)
    capex = np.array([p.capex_musd for p in projects])
    lanes, back = (next(i for i, p in enumerate(projects) if p.id == n) for n in PROJECTS[:2])
    # The first budget pays for the two small projects, the kept rest and the second for the track.
    periods = [
        Period(years=3, budget_musd=float(capex[lanes] + capex[back]) + 1.0),
        Period(years=20, budget_musd=float(capex.sum()), demand_factor=1.0),
    ]
    plan = stage_projects(network, demand, periods=periods, projects=PROJECTS, tolerance=1e-7)

    values = PortfolioValues(
        network=network, demand=demand, rules=None, projects=(), congestion=True,
        unmet_usd_per_t=UNMET_USD_PER_T, tolerance=1e-8,
    )  # fmt: skip
    worth = 1.06 ** -np.arange(1.0, 24.0)
    yearly = yearly_costs(projects, 0.06)
    costs = {}
    # Building takes 2 years: begun in year 0 it is used from the second period on, from year 3.
    for begins in itertools.product([None, 0, 1], repeat=len(projects)):
        first = sum(c for c, t in zip(capex, begins, strict=True) if t == 0)
        every = sum(c for c, t in zip(capex, begins, strict=True) if t is not None)
        late = begins[back] is not None and (begins[lanes] is None or begins[lanes] > begins[back])
        if first > periods[0].budget_musd or late or every > sum(p.budget_musd for p in periods):
            continue
        used = [p.id for p, t in zip(projects, begins, strict=True) if t == 0]
        total = values.solve(()).total_usd_per_day * MUSD_PER_YEAR * worth[:3].sum()
        total += values.solve(used).total_usd_per_day * MUSD_PER_YEAR * worth[3:].sum()
        for y, t in zip(yearly, begins, strict=True):
            total += 0.0 if t is None else y * worth[2 + 3 * t :].sum()
        costs[begins] = total
    assert plan.status == "optimal"
    assert plan.objective_musd == pytest.approx(min(costs.values()), rel=3e-7)
    assert plan.bound_musd <= min(costs.values()) * (1.0 + 1e-7)
    assert (plan.periods["kept_musd"] >= -1e-9).all()
    assert plan.periods["open_projects"].iloc[0] == ""


def test_growing_demand_costs_more_and_is_in_the_certificate() -> None:
    network, demand = random_network(0)
    found = []
    for factor in (1.0, 1.1):
        periods = [
            Period(years=4, budget_musd=60.0),
            Period(years=10, budget_musd=60.0, demand_factor=factor),
        ]
        plan = stage_projects(network, demand, periods=periods, projects=PROJECTS)
        assert plan.status == "optimal"
        assert plan.gap <= 1e-6
        assert set(plan.schedule["project_id"]) <= set(PROJECTS)
        assert (plan.schedule["opens_year"] == plan.schedule["begins_year"] + 2.0).all()
        found.append(plan.objective_musd)
    assert found[1] > found[0]


def test_periods_must_be_possible() -> None:
    network, demand = random_network(0)
    with pytest.raises(InputError, match=r"2 periods, of which \[1, 2\]"):
        stage_projects(
            network, demand,
            periods=[Period(years=0, budget_musd=1.0), Period(years=2, budget_musd=-1.0)],
        )  # fmt: skip


def test_stops_when_told_with_the_best_found() -> None:
    network, demand = random_network(0)
    periods = [Period(years=4, budget_musd=60.0), Period(years=10, budget_musd=60.0)]
    seen: list[tuple[int, float, float]] = []
    best = stage_projects(network, demand, periods=periods, projects=PROJECTS)
    plan = stage_projects(
        network, demand, periods=periods, projects=PROJECTS,
        interrupt=lambda: bool(seen), progress=lambda *told: seen.append(told),
    )  # fmt: skip
    assert plan.status == "feasible"
    assert plan.limit == "interrupt"
    assert len(seen) == 1
    assert plan.bound_musd <= best.objective_musd * (1.0 + 1e-7)
    assert best.objective_musd <= plan.objective_musd * (1.0 + 1e-7)
    assert plan.periods["from_year"].tolist() == [0, 4]


def test_control_c_leaves_the_schedule_that_begins_nothing() -> None:
    network, demand = random_network(0)

    def stop() -> bool:
        raise KeyboardInterrupt

    plan = stage_projects(
        network, demand, periods=[Period(years=5, budget_musd=9.0)], projects=PROJECTS,
        interrupt=stop,
    )  # fmt: skip
    assert plan.limit == "interrupt"
    assert plan.schedule.empty
    assert np.isfinite(plan.objective_musd)
