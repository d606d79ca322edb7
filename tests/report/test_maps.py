"""The interactive map: what is drawn of a network, of a plan, and of what changes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

import corridor
from corridor import InputError
from corridor.report.maps.mercator import Box, land_within, project
from corridor.study import Comparison


def test_network_is_drawn_without_flows(toy_network: corridor.Network) -> None:
    fig = corridor.plot_map(toy_network)
    links = fig.select(name="flow-road")[0].data_source.data
    assert links["link_id"] == toy_network.links["link_id"].tolist()
    assert set(links["flow"]) == {0.0}
    assert set(links["state"]) == {"open"}
    labels = [item.label.value for item in fig.legend[0].items]
    assert {"road", "rail", "crossing unknown"} == set(labels)


def test_flows_of_a_plan_are_those_of_its_links(comparison: Comparison) -> None:
    plan = comparison.plans["today"]
    fig = corridor.plot_map(plan, comparison.study.network)
    links = fig.select(name="flow-road")[0].data_source.data
    total = plan.links.groupby("link_id")["t_per_day"].sum()
    assert links["flow"] == pytest.approx(total[links["link_id"]].tolist(), abs=0.1)


def test_change_from_a_base_is_shown_instead_of_flows(comparison: Comparison) -> None:
    base, plan = comparison.plans["today"], comparison.plans["no_road"]
    fig = corridor.plot_map(plan, comparison.study.network, base=base)
    assert fig.select(name="gain")[0].visible
    assert not fig.select(name="flow-road")[0].visible
    data = fig.select(name="gain")[0].data_source.data
    step = np.subtract(data["gain"], data["loss"])
    flows = [p.links.groupby("link_id")["t_per_day"].sum() for p in (plan, base)]
    both = [of.reindex(data["link_id"]).fillna(0.0).to_numpy() for of in flows]
    assert step == pytest.approx(both[0] - both[1], abs=0.11)


def test_crossings_closed_by_rule_are_crossed_out(comparison: Comparison) -> None:
    case = comparison.study.case("no_border")
    fig = corridor.plot_map(comparison.plans["no_border"], case.network, rules=case.rules)
    data = fig.select(name="mark-closed by rule")[0].data_source.data
    assert set(data["mark"]) == {"closed by rule"}
    assert set(data["why"]) == {"The border is shut"}


def test_plan_needs_its_own_network(
    comparison: Comparison, toy_tables: dict[str, pd.DataFrame]
) -> None:
    with pytest.raises(InputError, match=r"Call plot_map\(plan, network\)"):
        corridor.plot_map(comparison.plans["today"])
    with pytest.raises(InputError, match="a Network or a Plan; found str"):
        corridor.plot_map("today")  # type: ignore[arg-type]
    links = toy_tables["links"]
    links["link_id"] = links["link_id"].str.upper()
    other = corridor.Network.from_tables(**toy_tables)
    with pytest.raises(InputError, match="8 of its links are not in it"):
        corridor.plot_map(comparison.plans["today"], other)


def test_line_over_the_antimeridian_does_not_cross_the_map(
    toy_tables: dict[str, pd.DataFrame],
) -> None:
    nodes = toy_tables["nodes"]
    nodes["lon"] = (nodes["lon"] + 178.5 + 180.0) % 360.0 - 180.0
    fig = corridor.plot_map(corridor.Network.from_tables(**toy_tables))
    paths = fig.select(name="touch")[0].data_source.data["xs"]
    steps = np.concatenate([np.abs(np.diff(path)) for path in paths])
    assert np.nanmax(steps) < project(np.array([10.0]), np.array([0.0]))[0][0]


def test_another_point_of_view_is_drawn(toy_network: corridor.Network, tmp_path: Path) -> None:
    shape = shapely.geometry.mapping(shapely.box(0.0, -1.0, 2.0, 1.0))
    feature = {"type": "Feature", "properties": {"iso3": "AAA"}, "geometry": shape}
    text = json.dumps({"type": "FeatureCollection", "features": [feature]})
    (tmp_path / "view.geojson").write_text(text, encoding="utf-8")
    fig = corridor.plot_map(toy_network, outlines=tmp_path)
    assert fig.select(name="land-shapes")[0].data_source.data["code"] == ["AAA"]
    with pytest.raises(InputError, match="Outlines must be a folder of GeoJSON files"):
        corridor.plot_map(toy_network, outlines=tmp_path / "nowhere")


def test_land_is_cut_at_the_box() -> None:
    x, y = project(np.array([10.0]), np.array([10.0]))
    box = Box(0.0, 0.0, float(x[0]), float(y[0]))
    land = land_within(
        {"AAA": shapely.box(-20, -20, 5, 5), "BBB": shapely.box(50, 50, 60, 60)}, box
    )
    assert land.codes == ["AAA"]
    assert min(land.xs[0][0][0]) == 0.0
