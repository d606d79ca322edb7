"""Arguments of another type are refused by name, at every public verb that the mistake reaches."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import corridor
from corridor.arguments import check_count, check_names, check_type
from corridor.study import worst_closures
from tests.report.toy import write_toy_study


@pytest.fixture
def study(
    tmp_path: Path, toy_tables: dict[str, pd.DataFrame], toy_demand: corridor.Demand
) -> corridor.Study:
    return corridor.load_study(write_toy_study(tmp_path / "toy", toy_tables, toy_demand.rows))


Call = Callable[[Any, corridor.Network, corridor.Demand, corridor.Rules], object]
CALLS: dict[str, tuple[Call, str]] = {
    "swapped": (
        lambda _, net, demand, __: corridor.plan(demand, net),  # type: ignore[arg-type]
        "network must be a Network; found a Demand",
    ),
    "no demand": (
        lambda _, net, __, rules: corridor.plan(net, rules),  # type: ignore[arg-type]
        "demand must be a Demand or a Shipments; found a Rules",
    ),
    "rules as a path": (
        lambda _, net, __, ___: corridor.route(net, "A1", "B1", rules="rules.toml"),  # type: ignore[arg-type]
        "rules must be a Rules or None; found 'rules.toml'. Load them with corridor.load_rules.",
    ),
    "no network": (
        lambda *_: corridor.route("toy", "A1", "B1"),  # type: ignore[arg-type]
        "network must be a Network; found 'toy'. Load it",
    ),
    "no origin": (
        lambda _, net, __, ___: corridor.route(net, None, "B1"),  # type: ignore[arg-type]
        "Node must be one of the network's 6; None is none of them. nodes.csv lists them.",
    ),
    "half a way": (
        lambda _, net, __, ___: corridor.alternatives(net, "A1", "B1", 1.5),  # type: ignore[arg-type]
        "k must be a whole number >= 1; found 1.5",
    ),
    "a number for a name": (
        lambda *_: corridor.load_network(5),  # type: ignore[arg-type]
        "A data set must be a str or a Path; found 5. Give its name or its path.",
    ),
    "a path for a study": (
        lambda *_: corridor.compare("toy"),  # type: ignore[arg-type]
        "study must be a Study; found 'toy'. Load it with corridor.load_study.",
    ),
    "half a thread": (
        lambda study, *_: corridor.compare(study, workers=1.5),  # type: ignore[arg-type]
        "workers must be a whole number >= 1; found 1.5",
    ),
    "half a sample": (
        lambda study, *_: corridor.sweep(study, samples=1.5),  # type: ignore[arg-type]
        "samples must be a whole number >= 1; found 1.5",
    ),
    "half a closure": (
        lambda _, net, demand, rules: worst_closures(net, demand, rules, 1.5),  # type: ignore[arg-type]
        "n_closures must be a whole number >= 1; found 1.5",
    ),
    "one next server": (
        lambda _, net, demand, rules: corridor.plan(net, demand, rules, next_servers="ab-rail"),
        "next_servers must be given as a list, such as ['agarak-road'], or True for all; found",
    ),
    "one variant": (
        lambda study, *_: corridor.compare(study, variants="today"),
        "variants must be given as a list, such as ['today']; found the text 'today'",
    ),
    "one swept variant": (
        lambda study, *_: corridor.sweep(study, variants="today"),
        "variants must be given as a list",
    ),
    "one project": (
        lambda _, net, demand, rules: corridor.invest(net, demand, rules, projects="track"),
        "projects must be given as a list, such as ['track']; found the text 'track'",
    ),
    "one player": (
        lambda _, net, demand, rules: corridor.share_benefits(net, demand, rules, players="AAA"),
        "players must be given as a list, such as ['GEO']; found the text 'AAA'",
    ),
    "one kind": (
        lambda _, net, demand, rules: corridor.resilience(net, demand, rules, kinds="state"),  # type: ignore[arg-type]
        "kinds must be given as a list, such as ['state']; found the text 'state'",
    ),
    "a path for a comparison": (
        lambda *_: corridor.write_geopackage("toy", "a.gpkg"),  # type: ignore[arg-type]
        "comparison must be a Comparison; found 'toy'",
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_wrong_type_is_named(name: str, study: corridor.Study) -> None:
    call, message = CALLS[name]
    with pytest.raises(corridor.InputError) as caught:
        call(study, *study.case(study.base))
    assert message in str(caught.value)


def test_what_is_right_passes() -> None:
    check_type("rules", None, str, type(None), advice="")
    check_names("variants", (name for name in ["a"]), "a")
    check_names("variants", {"a": 1}, "a")
    check_count("seed", 0, 0)
    with pytest.raises(corridor.InputError, match="found 5"):
        check_names("variants", 5, "a")
    with pytest.raises(corridor.InputError, match=r"found \[1\]"):
        check_names("variants", [1], "a")
    with pytest.raises(corridor.InputError, match="found True"):
        check_count("year", True)  # noqa: FBT003
