"""Scenarios to invest under: rule sets of variants, and draws of numbers and capex."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.errors import InputError
from corridor.planning.investment.projects import network_with
from corridor.study import investment_cases
from corridor.study.uncertainty.drawn_projects import drawn_effects, with_projects
from tests.study.sweep_toy import write_sweep_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> corridor.Study:
    folder: Path = tmp_path_factory.mktemp("scenarios") / "study"
    return corridor.load_study(write_sweep_study(folder))


def test_a_draw_has_the_same_numbers_under_every_rule_set(study: corridor.Study) -> None:
    cases = investment_cases(study, ["today", "rail_closed"], draws=3)
    first = ["today", "today, draw 1", "today, draw 2", "today, draw 3"]
    assert list(cases) == [*first, *(name.replace("today", "rail_closed") for name in first)]
    roads = [
        layers[layers["layer"] == "road"] for layers in (c.network.layers for c in cases.values())
    ]
    speeds = [float(rows["speed_kmh"].iloc[0]) for rows in roads]
    assert speeds[:4] == speeds[4:]
    assert len(set(speeds)) == 4
    assert all(40.0 <= speed <= 70.0 for speed in speeds[1:4])
    closed = [
        (case.network.crossings.set_index("crossing_id")["status"] == "broken").any()
        for case in cases.values()
    ]
    assert closed == [False] * 4 + [True] * 4


def test_capex_is_drawn_within_its_range_and_only_where_it_has_one(study: corridor.Study) -> None:
    told = study.network.projects.drop_duplicates("project_id").set_index("project_id")
    cases = investment_cases(study, ["today"], draws=12, seed=5)
    drawn = [
        case.network.projects.drop_duplicates("project_id").set_index("project_id")["capex_musd"]
        for case in cases.values()
    ]
    track = np.array([costs["track"] for costs in drawn])
    assert track[0] == told.loc["track", "capex_musd"]
    assert (track[1:] >= 5.0).all()
    assert (track[1:] <= 20.0).all()
    assert len(set(track[1:].tolist())) == 12
    others = [costs.drop("track").tolist() for costs in drawn]
    assert all(costs == told["capex_musd"].drop("track").tolist() for costs in others)
    again = investment_cases(study, ["today"], draws=12, seed=5)
    same = again["today, draw 12"].network.projects["capex_musd"]
    assert same.tolist() == cases["today, draw 12"].network.projects["capex_musd"].tolist()


@pytest.mark.parametrize(
    ("variants", "draws", "found"),
    [(["today", "today"], 0, "today twice"), ([], 0, "0 variants"), (["today"], -1, "-1 draws")],
)
def test_bad_scenarios_are_told(
    study: corridor.Study, variants: list[str], draws: int, found: str
) -> None:
    with pytest.raises(InputError, match=found):
        investment_cases(study, variants, draws=draws)


def test_what_projects_do_is_drawn_within_its_range(study: corridor.Study) -> None:
    told = ["projects", "officers/stages/ab-road/AAA/out//1/all/servers", "value", 2.0, 6.0]
    frame = pd.DataFrame(
        [[*told, "integer_uniform"]],
        columns=["table", "key", "column", "low", "high", "distribution"],
    )
    network = study.network.replace(ranges=frame)
    drawn = drawn_effects(network, 40, 0)
    rows = [table.loc[table["column"] == "servers", "value"].tolist() for table in drawn]
    values = {float(value) for [value] in rows}
    assert values == {2.0, 3.0, 4.0, 5.0, 6.0}
    for table in drawn:
        others = table["column"] != "servers"
        pd.testing.assert_frame_equal(table[others], network.projects[others])
    built = network_with(with_projects(network, drawn[0]), ["officers"])
    row = built.stages.query(
        "crossing_id == 'ab-road' and country == 'AAA' and direction == 'out' and order == 1"
    )
    assert row["servers"].tolist() == [float(rows[0][0])]
    assert [table["value"].tolist() for table in drawn_effects(network, 40, 0)] == [
        table["value"].tolist() for table in drawn
    ]
    # A post that has eight already keeps them.
    mine = network.stages.index.isin(
        network.stages.query(
            "crossing_id == 'ab-road' and country == 'AAA' and direction == 'out' and order == 1"
        ).index
    )
    servers = network.stages["servers"].mask(mine, 8.0)
    large = network.replace(stages=network.stages.assign(servers=servers))
    kept = network_with(with_projects(large, drawn[0]), ["officers"]).stages
    assert kept.loc[mine, "servers"].tolist() == [8.0]
