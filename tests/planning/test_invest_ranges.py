"""Ranges of what projects do and cost: their ends, the economics there, and faults."""

import pandas as pd
import pytest

from corridor.network import TABLES, Demand, Network
from corridor.network.consistency import range_faults
from corridor.network.tables import type_table
from corridor.planning.investment.appraisals import cash_flows
from corridor.planning.investment.economics import internal_rate
from corridor.planning.investment.effect_ranges import End, at_end
from corridor.planning.investment.investments import invest
from corridor.planning.investment.projects import read_projects, with_capex, with_project_table
from tests.planning.test_investments import project_rows, random_network

RANGES: list[tuple[str, str, str, float, float, str]] = [
    ("projects", "yard/terminals/*/*/*/time_h", "value", 3.0, 10.0, "triangular"),
    ("projects", "lanes/*/*/*/*/*/*/*/*", "value", 1, 4, "integer_uniform"),
    ("projects", "yard/*/*/*/*/*", "capex_musd", 0.4, 0.9, "triangular"),
]
_ENDS = ["low", "high", "distribution"]


def with_ranges(network: Network, rows: list[tuple[str, str, str, float, float, str]]) -> Network:
    columns = ["table", "key", "column", *_ENDS]
    return network.replace(ranges=pd.DataFrame(rows, columns=columns))


@pytest.fixture(scope="module")
def case() -> tuple[Network, Demand]:
    network, demand = random_network(0)
    return with_ranges(network, RANGES), demand


def values_of(network: Network, project: str) -> set[str]:
    rows = network.projects
    return set(rows.loc[rows["project_id"] == project, "value"])


def test_the_better_end_is_the_lower_hour_and_the_higher_number(
    case: tuple[Network, Demand],
) -> None:
    network, _ = case
    every = frozenset({"yard", "lanes"})
    best, worst = at_end(network, every, "best"), at_end(network, every, "worst")
    assert best is not None
    assert worst is not None
    assert (values_of(best, "yard"), values_of(worst, "yard")) == ({"3"}, {"10"})
    assert (values_of(best, "lanes"), values_of(worst, "lanes")) == ({"4"}, {"1"})
    only = at_end(network, frozenset({"yard"}), "best")
    assert only is not None
    assert values_of(only, "lanes") == {"2"}
    assert at_end(network, frozenset({"track"}), "best") is None


def test_economics_at_the_ends_are_those_of_a_project_that_does_so(
    case: tuple[Network, Demand],
) -> None:
    network, demand = case
    ids = ["clerk"]
    post = "ab-road/AAA/out//1/all"
    rows = project_rows(("clerk", 0.5, "stages", post, "service_min", 8.0))
    network = with_ranges(
        with_project_table(with_ranges(network, []), rows),
        [
            ("projects", f"clerk/stages/{post}/service_min", "value", 5.0, 11.0, "triangular"),
            ("projects", "clerk/*/*/*/*/*/*/*/*", "capex_musd", 0.4, 0.9, "triangular"),
        ],
    )
    plan = invest(network, demand, projects=ids)
    assert plan.chosen == ("clerk",)
    row = plan.economics[plan.economics["subject"] == "clerk"].iloc[0]
    assert row["saving_low"] < row["saving_musd_per_year"] < row["saving_high"]
    assert row["eirr_low"] < row["eirr"] < row["eirr_high"]
    assert (row["capex_low_musd"], row["capex_high_musd"]) == (0.4, 0.9)
    [clerk] = read_projects(network, ids)
    sides: list[tuple[str, End, float]] = [("low", "worst", 0.9), ("high", "best", 0.4)]
    for name, end, capex in sides:
        other = at_end(network, frozenset(ids), end)
        assert other is not None
        again = invest(other, demand, projects=ids)
        [saved] = again.projects["saving_musd_per_year"]
        assert row[f"saving_{name}"] == pytest.approx(saved, rel=1e-4)
        flows = cash_flows([with_capex(clerk, capex)], saved)
        assert row[f"eirr_{name}"] == pytest.approx(internal_rate(flows.net), rel=1e-4)


def test_without_ranges_nothing_is_told_of_them() -> None:
    plan = invest(*random_network(0), projects=["yard"])
    assert plan.economics[["saving_low", "eirr_low", "eirr_high"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([("projects", "yard/*/*/*/*/*", "value", -3.0, 10.0, "uniform")], "-3"),
        ([("projects", "open_*/links/*/status", "value", 0.0, 1.0, "uniform")], "links.status"),
        ([("projects", "no_such/*/*/*", "value", 0.0, 1.0, "uniform")], "no_such"),
    ],
)
def test_ranges_of_effects_that_cannot_be_are_told(
    case: tuple[Network, Demand],
    rows: list[tuple[str, str, str, float, float, str]],
    found: str,
) -> None:
    typed, _ = type_table(
        TABLES["ranges"], pd.DataFrame(rows, columns=["table", "key", "column", *_ENDS])
    )
    faults = list(range_faults({**case[0].rows, "ranges": typed}))
    assert any(found in str(fault) for fault in faults)
    sound, _ = type_table(
        TABLES["ranges"], pd.DataFrame(RANGES, columns=["table", "key", "column", *_ENDS])
    )
    assert not list(range_faults({**case[0].rows, "ranges": sound}))
