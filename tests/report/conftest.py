"""The toy study, planned."""

import json
from pathlib import Path

import pandas as pd
import pytest

import corridor
from corridor.study import Comparison
from tests.report.toy import write_toy_study

_planned: list[Comparison] = []
"""The comparison once it is made: nothing can change it, so all tests share it."""


@pytest.fixture
def comparison(
    tmp_path_factory: pytest.TempPathFactory,
    toy_tables: dict[str, pd.DataFrame],
    toy_demand: corridor.Demand,
) -> Comparison:
    """Compare the variants of the toy study: optimal, optimal, partial, infeasible."""
    if not _planned:
        # Not in the folder of the test that happens to ask first.
        folder = write_toy_study(
            tmp_path_factory.mktemp("study") / "toy", toy_tables, toy_demand.rows
        )
        _planned.append(corridor.compare(corridor.load_study(folder), workers=1))
    return _planned[0]


HOSTILE = [
    "</script><script>alert(1)</script>",
    "quote \" and ' and & <b>bold</b>",
    "Մեղրի - ագարակ",
    "თბილისი \u2028 ღია",
    "Ереван {{ 7 * 7 }} <!--",
]


@pytest.fixture(scope="session")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture
def hostile(
    hostile_folder: Path, toy_tables: dict[str, pd.DataFrame], toy_demand: corridor.Demand
) -> Path:
    """Return a report of the toy study whose names are as bad as names get."""
    path = hostile_folder / "report.html"
    if not path.exists():
        nodes = toy_tables["nodes"]
        nodes["name"] = [*HOSTILE, "Birch"]
        toy_tables["crossings"]["name"] = HOSTILE[:2]
        toy_tables["commodities"]["name"] = HOSTILE[2:4]
        folder = write_toy_study(hostile_folder / "toy", toy_tables, toy_demand.rows)
        study = (folder / "study.toml").read_text(encoding="utf-8")
        study = study.replace('title = "As it is"', f"title = {json.dumps(HOSTILE[0])}")
        study = study.replace('name = "Toy"', f"name = {json.dumps(HOSTILE[1])}")
        (folder / "study.toml").write_text(study, encoding="utf-8")
        made = corridor.compare(corridor.load_study(folder), ["today", "no_road"], workers=1)
        corridor.write_report(made, path)
    return path
