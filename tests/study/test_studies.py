"""Reading studies, and every operation of a variant on the tables."""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from corridor.errors import InputError
from corridor.network import Network
from corridor.study import Study, load_study
from tests.study.toy import HEADER


def _value(network: Network, table: str, key: str, column: str) -> object:
    frame = network.table(table)
    return frame.loc[network.rows[table].keys == key, column].item()


def test_the_header_is_read(study: Study) -> None:
    assert (study.name, study.base, study.date) == ("Toy", "today", dt.date(2026, 1, 1))
    assert study.header.unmet_usd_per_t == 4000
    assert len(study.references) == 3
    assert study.demand.scenario == "base"


def test_a_path_in_the_study_starts_at_its_folder(
    study_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert len(load_study(study_folder / "study.toml").variants) == 8


def test_without_rules_those_of_the_data_set_hold(study_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(study_folder, tmp_path / "study")
    file = folder / "study.toml"
    text = file.read_text(encoding="utf-8").replace('rules = "rules.toml"\n', "")
    file.write_text(text, encoding="utf-8")
    assert len(load_study(file).rules) == 0
    (folder / "rules.toml").rename(folder / "data" / "rules.toml")
    assert [rule.id for rule in load_study(file).rules.rules] == ["entry_fee"]


def test_the_base_is_the_network_itself(study: Study) -> None:
    network, demand, rules = study.case("today")
    pd.testing.assert_frame_equal(network.links, study.network.links)
    assert demand is study.demand
    assert [rule.id for rule in rules.rules] == ["entry_fee"]
    assert network.date == rules.date == study.date


def test_close_breaks_links_and_crossings(study: Study) -> None:
    network = study.case("rail_closed").network
    assert _value(network, "crossings", "ab-rail", "status") == "broken"
    assert _value(network, "links", "x-ab-rail", "status") == "broken"
    assert _value(network, "crossings", "ab-road", "status") == "open"


def test_a_star_stands_for_any_part(study: Study) -> None:
    network = study.case("all_closed").network
    assert network.crossings["status"].tolist() == ["broken", "broken"]
    assert set(network.links["status"]) == {"open", "construction"}


def test_open_clears_the_opening_date(study_with: Callable[..., Path]) -> None:
    text = '[[variant]]\nid = "o"\ntitle = "o"\nopen = ["A1-AP-rail2"]\n'
    network = load_study(study_with(text)).case("o").network
    assert _value(network, "links", "A1-AP-rail2", "status") == "open"
    assert network.links["opens"].isna().all()
    assert network.open_links.all()


def test_set_changes_single_cells_of_any_table(study: Study) -> None:
    network = study.case("slow").network
    assert _value(network, "links", "A1-AP-road", "speed_kmh") == 20.0
    assert _value(network, "stages", "ab-road/AAA/out//1/all", "servers") == 1.0
    before = study.network.stages["servers"]
    assert (network.stages["servers"] != before).sum() == 1


def test_projects_set_their_cells_and_their_works_are_done(study: Study) -> None:
    network = study.case("works").network
    assert _value(network, "stages", "ab-road/AAA/out//1/all", "servers") == 4.0
    assert _value(network, "stages", "*/AAA/both//1/all/rail1520", "service_min") == 30.0
    # The link was to open in 2030; the project builds it.
    assert network.open_links.all()


def test_set_comes_after_projects(study_with: Callable[..., Path]) -> None:
    text = (
        '[[variant]]\nid = "v"\ntitle = "v"\nprojects = ["officers"]\n'
        'set = [{ table = "stages", key = "ab-road/AAA/out//1/all", column = "servers", '
        "value = 7 }]\n"
    )
    network = load_study(study_with(text)).case("v").network
    assert _value(network, "stages", "ab-road/AAA/out//1/all", "servers") == 7.0


def test_rules_are_added_dropped_and_dated(study: Study, study_with: Callable[..., Path]) -> None:
    assert [rule.id for rule in study.case("banned").rules.rules] == ["entry_fee", "shut"]
    text = '[[variant]]\nid = "free"\ntitle = "free"\nrules_drop = ["entry_fee"]\n'
    assert len(load_study(study_with(text)).case("free").rules) == 0
    later = study.case("later")
    assert later.network.date == later.rules.date == dt.date(2027, 6, 1)


def test_the_study_stays_as_it_is(study: Study) -> None:
    before = study.network.links.copy()
    for name in study.variant_ids:
        study.case(name)
    pd.testing.assert_frame_equal(study.network.links, before)


BAD = {
    "open": ('open = ["ab-raod"]', "open", "ab-rail"),
    "close": ('open = ["ab-road"]\nclose = ["ab-road"]', "close", "also opens"),
    "project": ('projects = ["ofices"]', "projects", "officers"),
    "requires": ('projects = ["track"]', "projects", "add officers"),
    "group": ('projects = ["officers", "track", "other_track"]', "projects", "rails"),
    "drop": ('rules_drop = ["entry_fees"]', "rules_drop", "entry_fee"),
    "key": (
        'set = [{ table = "links", key = "A1-AP", column = "speed_kmh", value = 3 }]',
        "key",
        "A1-AP-road",
    ),
    "table": ('set = [{ table = "link", key = "a", column = "b", value = 3 }]', "table", "links"),
    "column": (
        'set = [{ table = "links", key = "A1-AP-road", column = "speed", value = 3 }]',
        "column",
        "speed_kmh",
    ),
    "value": (
        'set = [{ table = "links", key = "A1-AP-road", column = "speed_kmh", value = true }]',
        "value",
        "number",
    ),
    "range": (
        'set = [{ table = "links", key = "A1-AP-road", column = "speed_kmh", value = -20 }]',
        "value",
        "-20 for A1-AP-road.speed_kmh; expected a finite number > 0",
    ),
    "word": (
        'set = [{ table = "links", key = "A1-AP-road", column = "status", value = "opne" }]',
        "value",
        "one of open, broken",
    ),
    "unknown key": ("opens = []", "opens", "a key that is known here"),
    "bad date": ('date = "soon"', "date", "date"),
    "rule": ('[[variant.rules_add]]\nid = "x"\nkind = "ban"\ntitle = "x"', "kind", "forbid"),
    "rule twice": (
        '[[variant.rules_add]]\nid = "entry_fee"\nkind = "forbid"\ntitle = "x"\nlayers = ["road"]',
        "rules_add",
        "already",
    ),
    "rule scope": (
        '[[variant.rules_add]]\nid = "x"\nkind = "forbid"\ntitle = "x"\ncrossings = ["nowhere"]',
        "crossings",
        "nowhere",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_variant_is_a_fault_with_its_place(
    name: str, study_with: Callable[..., Path]
) -> None:
    body, column, said = BAD[name]
    file = study_with(f'\n[[variant]]\nid = "bad"\ntitle = "bad"\n{body}\n')
    with pytest.raises(InputError) as caught:
        load_study(file)
    (fault,) = caught.value.faults
    assert fault.column == column
    assert said in str(fault)
    assert fault.remedy


HEADERS = {
    "base": ('base = "today"', 'base = "todya"', "base", "today"),
    "assignment": ("unmet_usd", 'assignment = "guess"\nunmet_usd', "assignment", "logit"),
    "logit": ("unmet_usd", 'assignment = "logit"\nunmet_usd', "dispersion_per_usd", "a number > 0"),
    "dataset": ('"data"', '"date"', "dataset", "crossroads"),
    "rules": ('"rules.toml"', '"rule.toml"', "rules", "rule.toml"),
    "unknown key": ("unmet_usd", 'colour = "red"\nunmet_usd', "colour", "a key that is known here"),
    "price": ("= 4000", "= -1", "unmet_usd_per_t", "a number > 0"),
    "no date": ("date = 2026-01-01", "", "date", "nothing"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_bad_header_is_a_fault_with_its_key(name: str, study_with: Callable[..., Path]) -> None:
    old, new, column, said = HEADERS[name]
    with pytest.raises(InputError) as caught:
        load_study(study_with(header=HEADER.replace(old, new)))
    (fault,) = caught.value.faults
    assert fault.column == column
    assert said in str(fault)


def test_all_faults_are_reported_at_once(study_with: Callable[..., Path]) -> None:
    text = (
        '[[variant]]\nid = "today"\ntitle = "again"\n'
        '[[variant]]\nid = "b"\ntitle = "b"\nopen = ["nowhere"]\nrules_drop = ["none"]\n'
        '[[variant]]\nid = "c"\n'
        '[[reference]]\nid = "boxes"\norigin = "A1"\ndestination = "A1"\ncommodity = "gold"\n'
    )
    with pytest.raises(InputError) as caught:
        load_study(study_with(text))
    found = {(fault.key, fault.column) for fault in caught.value.faults}
    assert found == {
        ("today", "id"),
        ("b", "open"),
        ("b", "rules_drop"),
        ("c", "title"),
        ("boxes", "id"),
        ("boxes", "destination"),
        ("boxes", "commodity"),
    }


def test_a_change_that_leaves_faults_names_the_variant(study_with: Callable[..., Path]) -> None:
    text = (
        '[[variant]]\nid = "v"\ntitle = "v"\n'
        'set = [{ table = "links", key = "A1-AP-road", column = "length_km", value = 3 }]\n'
    )
    study = load_study(study_with(text))
    with pytest.raises(InputError, match=r"Variant 'v'.*\n.*length_km") as caught:
        study.case("v")
    assert caught.value.faults[0].file == "links.csv"


def test_an_unknown_variant_has_a_hint(study: Study) -> None:
    with pytest.raises(InputError, match="did you mean rail_closed"):
        study.case("rail_close")


@pytest.mark.parametrize("text", ["variant = 3", "[variant]\nid = 'x'", "[[variant]", "\x00"])
def test_what_is_no_study_is_an_input_error(study_folder: Path, text: str) -> None:
    file = study_folder / "broken.toml"
    file.write_text(HEADER + text, encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.toml"):
        load_study(file)


def test_a_folder_without_a_study_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"study\.toml is not in"):
        load_study(tmp_path)
