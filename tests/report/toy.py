"""A small study on the toy network; one variant for each thing that can come of a plan."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

RULES = """
[[rule]]
id = "b_checks_half"
kind = "inspection_floor"
title = "BBB sees half of all vehicles at documents"
country = "BBB"
stage = "documents"
share = 0.5
layers = ["road"]
"""
STUDY = """
name = "Toy"
dataset = "."
rules = "."
base = "today"
date = 2026-01-01

[[reference]]
id = "boxes"
origin = "A1"
destination = "B1"
commodity = "containers"

[[variant]]
id = "today"
title = "As it is"

[[variant]]
id = "no_road"
title = "The road crossing is shut"
close = ["ab-road", "x-ab-road"]

[[variant]]
id = "no_border"
title = "Nothing may pass"

[[variant.rules_add]]
id = "shut"
kind = "forbid"
title = "The border is shut"
crossings = ["ab-road", "ab-rail"]

[[variant]]
id = "contradiction"
title = "AAA wants to scan half of the trucks and scans a fifth"

[[variant.rules_add]]
id = "a_scans_half"
kind = "inspection_floor"
title = "AAA scans half of all trucks"
country = "AAA"
stage = "scanner"
share = 0.5
layers = ["road"]
"""


def write_toy_study(folder: Path, tables: Mapping[str, pd.DataFrame], demand: pd.DataFrame) -> Path:
    """Write the tables, their rules and the study as a data set folder, and return it."""
    folder.mkdir()
    for name, frame in tables.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    demand.to_csv(folder / "demand.csv", index=False)
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    return folder
