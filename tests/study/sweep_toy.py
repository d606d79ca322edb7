"""The toy study with uncertain numbers of every kind, small enough to be swept in a second."""

from pathlib import Path

import pandas as pd

from tests.study.toy import RULES, write_study

RANGES = """\
table,key,column,low,high,distribution,group
layers,road,speed_kmh,40,70,triangular,speed
links,A1-AP-road,length_km,120,150,uniform,
links,A1-AP-rail,capacity_t_per_day,300,900,uniform,
links,*-rail,speed_kmh,20,40,triangular,speed
stages,ab-road/AAA/*//1/all,service_min,6,30,triangular,documents:AAA
stages,ab-road/AAA/out//1/all,servers,2,4,integer_uniform,servers:AAA
stages,ab-road/AAA/out//2/all,share,0.02,0.4,triangular,scanner:AAA
stages,ab-road/BBB/both//1/all,service_min,6,30,triangular,documents:BBB
stages,*/AAA/both//1/all/rail1520,fixed_delay_h,1,6,lognormal90,
stages,ab-road/AAA/out//1/all,fee_usd,20,90,uniform,fee:AAA
commodities,containers,value_of_time_usd_per_t_h,0.7,3,lognormal90,value_of_time
commodities,grain,value_of_time_usd_per_t_h,0.005,0.02,lognormal90,value_of_time
commodities,containers,t_per_teu,9,13,triangular,payload
commodities,containers,empty_return_share,0,0.5,uniform,empties
defaults,links/road//host_share,value,0.01,0.1,uniform,
services,ab-train,headway_h,12,48,triangular,ships
services,ab-train,cancel_share,0,0.3,triangular,weather
background,ab-road/forward,vehicles_per_day,20,120,triangular,
demand,base/A1/B1/containers,t_per_day,700,1400,lognormal90,
demand,base/A2/B2/grain,t_per_day,300,800,lognormal90,
layers,road,end_h,1,6,triangular,ends
layers,rail1520,end_h,12,72,triangular,ends
layers,*,end_usd_per_t,2,12,uniform,handling
layers,rail1520,end_usd_per_teu,40,120,triangular,handling
projects,track/*/*/*,capex_musd,5,20,triangular,
"""
BACKGROUND = "target,direction,vehicles_per_day\nab-road,forward,60\nab-road,backward,40\n"
DEFAULTS = "table,layer,country,column,value\nlinks,road,,host_share,0.05\n"
SERVICES = (
    "service_id,link_id,from_node,headway_h,headway_cv,sailing_h,capacity_t,cancel_share\n"
    "ab-train,x-ab-rail,AP,24,0.5,1,600,0.1\n"
)
MORE_RULES = """
[[rule]]
id = "permits"
kind = "quota"
title = "Permits of Beech"
crossings = ["ab-road"]
limit = 70
unit = "vehicles_per_day"
over_quota_usd_per_vehicle = 90

[[rule]]
id = "box_toll"
kind = "fee"
title = "Toll a box and kilometer"
countries = ["AAA"]
usd_per_teu = 0.02
per = "t_km"
payee = "host"

[[rule]]
id = "share"
kind = "share_cap"
title = "Not all by rail"
crossings = ["ab-rail"]
share = 0.9

[[rule]]
id = "scan"
kind = "inspection_floor"
title = "Scan some"
country = "AAA"
stage = "scanner"
layers = ["road"]
share = 0.1

[[rule]]
id = "premium"
kind = "fee"
title = "Premium under sanctions"
countries = ["AAA"]
usd_per_t = 1.0
"""


def write_sweep_study(folder: Path) -> Path:
    """Write the toy study with ranges, services, background and rules that count vehicles."""
    folder.mkdir(exist_ok=True)
    write_study(folder)
    data = folder / "data"
    stages = pd.read_csv(data / "stages.csv")
    scanner = stages[(stages["stage"] == "scanner")].assign(direction="in")
    pd.concat([stages, scanner]).to_csv(data / "stages.csv", index=False)
    layers = pd.read_csv(data / "layers.csv")
    at_ends = {"end_h": [3.0, 24.0, 24.0], "end_usd_per_teu": [None, 60.0, None]}
    layers.assign(**at_ends).to_csv(data / "layers.csv", index=False)
    (data / "ranges.csv").write_text(RANGES, encoding="utf-8")
    (data / "background.csv").write_text(BACKGROUND, encoding="utf-8")
    (data / "defaults.csv").write_text(DEFAULTS, encoding="utf-8")
    (data / "services.csv").write_text(SERVICES, encoding="utf-8")
    (folder / "rules.toml").write_text(RULES + MORE_RULES, encoding="utf-8")
    return folder
