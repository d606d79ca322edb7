"""Portfolios of least regret against the enumeration of all portfolios in all scenarios."""

import numpy as np
import pytest

from corridor.errors import InputError
from corridor.network import Demand, Network
from corridor.planning import robust_portfolio
from corridor.planning.investment.projects import read_projects, with_project_table, yearly_costs
from corridor.planning.investment.regrets import InvestmentCase
from tests.planning.test_investments import (
    UNMET_USD_PER_T,
    enumerate_portfolios,
    random_network,
)


@pytest.fixture(scope="module")
def cases() -> dict[str, InvestmentCase]:
    """Return a network today, with fewer parts, with slower officers abroad, with dearer works."""
    network, demand = random_network(0)
    rows = demand.rows
    fewer = rows.assign(
        t_per_day=rows["t_per_day"] * np.where(rows["commodity"] == "parts", 0.3, 1.0)
    )
    abroad = network.stages["country"] == "BBB"
    minutes = network.stages["service_min"] * np.where(abroad, 1.6, 0.5)
    projects = network.projects
    dear = projects.assign(capex_musd=projects["capex_musd"] * 12.0)
    return {
        "today": (network, demand, None),
        "dear": (with_project_table(network, dear), demand, None),
        "fewer": (network, Demand(table=fewer, scenario="base"), None),
        "slow": (network.replace(stages=network.stages.assign(service_min=minutes)), demand, None),
    }


def enumerated(cases: dict[str, InvestmentCase]) -> dict[frozenset[str], list[float]]:
    """Return the cost of every portfolio in every scenario, each solved cold [MUSD/year]."""
    first = read_projects(cases["today"][0])
    found: dict[frozenset[str], list[float]] = {}
    costs: dict[frozenset[str], float] = {}
    for name, (network, demand, _) in cases.items():
        if name != "dear":  # its use is that of the one before
            costs = enumerate_portfolios(network, demand, first)
        # Conditions are the first scenario's, costs of building the scenario's own.
        more = yearly_costs(read_projects(network), 0.06) - yearly_costs(first, 0.06)
        extra = dict(zip([p.id for p in first], more, strict=True))
        for portfolio, cost in costs.items():
            found.setdefault(portfolio, []).append(cost + sum(extra[one] for one in portfolio))
    return found


def test_equals_the_enumeration_of_all_portfolios(cases: dict[str, InvestmentCase]) -> None:
    costs = enumerated(cases)
    capex = {p.id: p.capex_musd for p in read_projects(cases["today"][0])}
    for budget_musd in (9.0, 60.0):
        within = {
            portfolio: np.array(row)
            for portfolio, row in costs.items()
            if sum(capex[one] for one in portfolio) <= budget_musd
        }
        best = np.min(list(within.values()), axis=0)
        greatest = {one: float((row - best).max()) for one, row in within.items()}
        mean = {one: float((row - best).mean()) for one, row in within.items()}
        slack = 4e-6 * float(best.max())

        robust = robust_portfolio(cases, budget_musd, unmet_usd_per_t=UNMET_USD_PER_T)
        assert robust.status == "optimal"
        assert robust.regret_musd_per_year == pytest.approx(min(greatest.values()), abs=slack)
        assert robust.mean_regret_musd_per_year == pytest.approx(min(mean.values()), abs=slack)
        assert greatest[frozenset(robust.chosen)] <= min(greatest.values()) + slack
        assert mean[frozenset(robust.mean_chosen)] <= min(mean.values()) + slack
        # The ends hold the truth between them, for the best and for every portfolio told.
        rounding = 3e-8 * float(best.max())
        assert robust.regret_bound <= min(greatest.values()) + rounding
        assert robust.mean_regret_bound <= min(mean.values()) + rounding
        assert greatest[frozenset(robust.chosen)] <= robust.regret_most + rounding
        names = dict(
            zip(robust.candidates["portfolio"], robust.candidates["projects"], strict=True)
        )
        columns = ("portfolio", "scenario", "regret_least", "regret_most")
        told = [robust.regrets[name].tolist() for name in columns]
        for number, scenario, least, most in zip(*told, strict=True):
            row = within[frozenset(names[number].split(";")) - {""}]
            true = float((row - best)[list(cases).index(scenario)])
            assert least - rounding <= true <= most + rounding
        assert robust.scenarios["cost_musd_per_year"].to_numpy() == pytest.approx(best, rel=2e-6)


def test_the_scenarios_disagree_and_the_answer_is_between(
    cases: dict[str, InvestmentCase],
) -> None:
    robust = robust_portfolio(cases, 60.0, unmet_usd_per_t=UNMET_USD_PER_T)
    # A test of regret needs scenarios that want different things.
    assert robust.scenarios["projects"].nunique() >= 3
    assert robust.regret_musd_per_year > 0.01
    assert robust.mean_regret_musd_per_year <= robust.candidates["mean_regret_musd_per_year"].min()
    worst = robust.scenarios["regret_musd_per_year"].max()
    assert worst == pytest.approx(robust.regret_musd_per_year)
    assert set(robust.scenarios["projects"]) <= set(robust.candidates["projects"])
    best_in = [one for text in robust.candidates["best_in"] for one in text.split(";") if one]
    assert sorted(best_in) == sorted(cases)
    told = " ".join(robust.sentences)
    assert "4 scenarios" in told
    assert all(one in told for one in robust.chosen)


def test_stops_when_told_with_the_best_found(cases: dict[str, InvestmentCase]) -> None:
    seen: list[str] = []
    robust = robust_portfolio(
        cases, 60.0, interrupt=lambda: len(set(seen)) >= 2,
        progress=lambda stage, *_: seen.append(stage),
    )  # fmt: skip
    assert robust.status == "feasible"
    assert robust.limit == "interrupt"
    assert robust.scenarios["status"].tolist()[-1] == "not searched"
    # What was not searched may bring any regret.
    assert robust.regret_most == np.inf
    assert robust.regret_bound <= robust.regret_musd_per_year
    assert "stopped (interrupt)" in robust.sentences[1]


def test_control_c_leaves_the_best_found(cases: dict[str, InvestmentCase]) -> None:
    def tell(stage: str, *_: float) -> None:
        if stage.endswith("regret"):
            raise KeyboardInterrupt

    two = {name: cases[name] for name in ("slow", "dear")}
    robust = robust_portfolio(two, 60.0, progress=tell)
    assert robust.limit == "interrupt"
    assert (robust.scenarios["status"] == "optimal").all()
    assert np.isfinite(robust.regret_most)


def test_scenarios_must_be_two_with_the_same_projects(
    cases: dict[str, InvestmentCase],
) -> None:
    with pytest.raises(InputError, match="1 scenarios"):
        robust_portfolio({"today": cases["today"]})
    network, demand, _ = cases["today"]
    fewer: Network = with_project_table(network, network.projects.iloc[:-2])
    with pytest.raises(InputError, match="the projects of 'today'"):
        robust_portfolio({"today": cases["today"], "fewer": (fewer, demand, None)})
    with pytest.raises(InputError, match="budget_musd"):
        robust_portfolio(cases, -1.0)
