"""A small study on the toy network: a base, and variants that do one thing each."""

from pathlib import Path

import pandas as pd

from corridor.network import Network, write_tables
from tests import conftest as toy

_TABLES = ("nodes", "layers", "links", "terminals", "crossings", "stages", "commodities")

HEADER = """
name = "Toy"
dataset = "data"
demand = "base"
rules = "rules.toml"
base = "today"
date = 2026-01-01
unmet_usd_per_t = 4000
"""
REFERENCES = """
[[reference]]
id = "boxes"
origin = "A1"
destination = "B1"
commodity = "containers"

[[reference]]
id = "grain_from_alder"
origin = "A2"
destination = "B2"
commodity = "grain"

[[reference]]
id = "grain_back"
origin = "B1"
destination = "A1"
commodity = "grain"
"""
VARIANTS = """
[[variant]]
id = "today"
title = "As it is"

[[variant]]
id = "rail_closed"
title = "No railway over the border"
close = ["ab-rail", "x-ab-rail"]

[[variant]]
id = "all_closed"
title = "Nothing passes"
close = ["ab-*"]

[[variant]]
id = "banned"
title = "Both borders closed by rule"
[[variant.rules_add]]
id = "shut"
kind = "forbid"
title = "Shut"
crossings = ["ab-road", "ab-rail"]

[[variant]]
id = "contradiction"
title = "A floor that no post meets"
[[variant.rules_add]]
id = "scan_all"
kind = "inspection_floor"
title = "Scan everything"
country = "AAA"
stage = "scanner"
share = 0.9

[[variant]]
id = "works"
title = "More officers, and a second track"
projects = ["officers", "track"]

[[variant]]
id = "slow"
title = "Slower roads"
set = [
    { table = "links", key = "A1-AP-road", column = "speed_kmh", value = 20 },
    { table = "stages", key = "ab-road/AAA/out//1/all", column = "servers", value = 1 },
]

[[variant]]
id = "later"
title = "A year on"
date = 2027-06-01
"""
RULES = """
[[rule]]
id = "entry_fee"
kind = "fee"
title = "Fee of Beech"
countries = ["BBB"]
usd_per_vehicle = 40
per = "entry"
payee = "host"
"""
PROJECTS = [
    ("officers", "stages", "ab-road/AAA/out//1/all", "servers", "4", "", ""),
    ("officers", "stages", "*/AAA/both//1/all/rail1520", "service_min", "30", "", ""),
    ("track", "links", "A1-AP-rail2", "status", "open", "officers", "rails"),
    ("other_track", "links", "A1-AP-rail2", "speed_kmh", "50", "", "rails"),
]
TARGETS = """\
label,origin,destination,crossing_id,country,direction,layers,year,low,high,unit,elsewhere_h,definition,role,source,confidence,note
t1,A1,B1,,,,road,2024,3,5,h,,schedule,fit,,,
t2,A1,B1,,,,rail,2024,1,9,d,,mean,fit,,,
t3,A2,B2,,,,any,2024,1,1.5,d,,mean,holdout,,,a note
t4,A1,XX,,,,any,2024,1,1,d,,mean,holdout,,,
p1,,,ab-road,AAA,out,road,2024,0.2,0.3,h,,mean,fit,,,
p2,,,ab-road,AAA,out,road,2022,0.5,0.5,h,0.25,mean,holdout,,,
p3,,,ab-road,BBB,in,road,2022,0.5,0.5,h,,mean,holdout,,,
p4,,,ab-road,CCC,in,road,2022,0.5,0.5,h,,mean,holdout,,,
"""
COMMON = {"name": "N", "country": "AAA", "capex_musd": 10}


def toy_frames() -> dict[str, pd.DataFrame]:
    """Return the tables of the toy network."""
    return {name: toy._frame(getattr(toy, name.upper())) for name in _TABLES}


def write_study(folder: Path) -> Path:
    """Write the toy data set, its rules and its study; return the folder."""
    tables = toy_frames()
    second = tables["links"].query("link_id == 'A1-AP-rail'").assign(link_id="A1-AP-rail2")
    second = second.assign(status="construction", opens="2030-01-01")
    tables["links"] = pd.concat([tables["links"], second], ignore_index=True)
    columns = ["project_id", "table", "key", "column", "value", "requires", "exclusive_group"]
    tables["projects"] = pd.DataFrame(PROJECTS, columns=columns).assign(**COMMON)
    tables["screenlines"] = pd.DataFrame(
        [
            ("border", "road", "ab-road", "forward"),
            ("border", "rail", "ab-rail", "forward"),
            ("turned", "road", "ab-road", "forward"),
            ("turned", "rail", "ab-rail", "backward"),
        ],
        columns=["screenline", "gate", "crossing_id", "direction"],
    )
    data = folder / "data"
    write_tables(Network.from_tables(**tables), data)
    (data / "demand.csv").write_text(toy.DEMAND.strip() + "\n", encoding="utf-8")
    (data / "targets.csv").write_text(TARGETS, encoding="utf-8")
    (folder / "rules.toml").write_text(RULES, encoding="utf-8")
    (folder / "study.toml").write_text(HEADER + REFERENCES + VARIANTS, encoding="utf-8")
    return folder
