"""Portfolios of ten projects of the bundled study against the enumeration of all 1,024.

Six minutes of processor, so only where it is asked for: ``CORRIDOR_ENUMERATE=1 pytest -m slow``.
"""

import itertools
import os

import numpy as np
import pytest

import corridor
from corridor.planning.investment.investments import new_search
from corridor.planning.investment.portfolio_program import MUSD_PER_YEAR
from corridor.planning.investment.portfolio_values import PortfolioValues
from corridor.planning.investment.projects import read_projects, yearly_costs
from corridor.study import unbuilt_case

pytestmark = pytest.mark.skipif(
    os.environ.get("CORRIDOR_ENUMERATE") != "1", reason="CORRIDOR_ENUMERATE=1 enumerates"
)
PROJECTS = (
    "red_bridge_epermit", "sarpi_lanes", "kuryk_sarzha", "caspian_vessels", "alat_port",
    "aktau_hub", "poti_port", "divrigi_kars_rail", "bagratashen_bcp", "agarak_bcp",
)  # fmt: skip


@pytest.mark.slow
def test_equals_the_enumeration_of_all_portfolios_of_ten_projects() -> None:
    study = corridor.load_study("crossroads")
    network, demand, rules = unbuilt_case(study, study.base)
    projects = read_projects(network, PROJECTS)
    assert len(projects) == 10
    assert not any(p.requires or p.exclusive_group for p in projects)
    values = PortfolioValues(
        network=network, demand=demand, rules=rules, projects=(), congestion=True,
        unmet_usd_per_t=study.header.unmet_usd_per_t, tolerance=1e-7,
    )  # fmt: skip
    yearly, capex = yearly_costs(projects, 0.06), np.array([p.capex_musd for p in projects])
    ids = [p.id for p in projects]
    masks = np.array(list(itertools.product([False, True], repeat=len(ids))), np.bool_)
    use = [values.solve([n for n, one in zip(ids, mask, strict=True) if one]) for mask in masks]
    costs = np.array([one.total_usd_per_day for one in use]) * MUSD_PER_YEAR + masks @ yearly
    for budget_musd in (15.0, 60.0, 130.0, 300.0, 500.0, 1000.0, np.inf):
        within = masks @ capex <= budget_musd
        best = float(costs[within].min())
        # Each search knows nothing of the enumeration, nor of the searches before.
        search = new_search(
            network, demand, rules, projects, 0.06, congestion=True,
            unmet_usd_per_t=study.header.unmet_usd_per_t, plan_tolerance=1e-7,
        )  # fmt: skip
        found = search.find(budget_musd, tolerance=1e-6)
        assert found.limit == ""
        assert found.cost_musd_per_year == pytest.approx(best, rel=2e-7)
        assert found.bound_musd_per_year <= best * (1.0 + 1e-7)
        assert found.value is not None
        chosen = search.values.mask(found.value.projects)
        assert float(costs[(masks == chosen).all(axis=1)][0]) <= best * (1.0 + 2e-7)
