"""Sets of rules: reading, dates, changes, checks."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from corridor.errors import InputError
from corridor.network import Network
from corridor.planning import compile_model, single_shipments
from corridor.sovereignty import Rules, load_rules
from tests.planning import toys

CLOSED = {"kind": "forbid", "crossings": ["ab-road"]}


def write(folder: Path, text: str) -> Path:
    file = folder / "rules.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_rules_are_read_in_the_order_of_the_file(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
[[rule]]
id = "b"
kind = "forbid"
title = "Closed"
crossings = ["ab-road"]
valid_from = 2026-01-01
except = [{ commodities = ["grain"] }]

[[rule]]
id = "a"
kind = "quota"
title = "Permits"
limit = 3
unit = "vehicles_per_day"
""",
    )
    for source in (file, tmp_path):
        rules = load_rules(source, date=dt.date(2026, 1, 1))
        assert [rule.id for rule in rules.rules] == ["b", "a"]
        assert [rule.id for rule in rules.in_force] == ["b", "a"]
        assert len(rules.scopes) == 3
        assert len(rules) == 2
    before = replace(rules, date=dt.date(2025, 12, 31))
    assert [rule.id for rule in before.in_force] == ["a"]


def test_every_fault_of_every_rule_is_listed(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
[[rule]]
id = "x"
kind = "forbid"
title = "No list"
crossings = "ab-road"

[[rule]]
id = "y"
kind = "quota"
limit = -1
unit = "t_per_day"

[[rule]]
title = "Neither id nor kind"
""",
    )
    with pytest.raises(InputError) as caught:
        load_rules(file)
    places = {(fault.key, fault.column) for fault in caught.value.faults}
    assert places == {("x", "crossings"), ("y", "title"), ("y", "limit"), ("rule 3", "kind")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[rule]", "must be a TOML file"),
        ("[other]\na = 1", "must hold .* tables only"),
        ("rule = 3", "must be an array of tables"),
        ('[[rule]]\nid="a"\nkind="forbid"\ntitle=""\n' * 2, "the id twice"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_rules(write(tmp_path, text))


def test_a_folder_without_rules_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"rules\.toml is not in"):
        load_rules(tmp_path)


def test_changes_drop_and_add_by_id() -> None:
    rules = toys.rules(CLOSED, CLOSED)
    [extra] = toys.rules({"kind": "forbid", "id": "new"}).rules
    later = rules.changed(add=[extra], drop=["r0"], date=dt.date(2030, 1, 1))
    assert [rule.id for rule in later.rules] == ["r1", "new"]
    assert later.date == dt.date(2030, 1, 1)
    assert rules.date is None
    with pytest.raises(InputError, match="nobody do not"):
        rules.changed(drop=["nobody"])
    with pytest.raises(InputError, match="the id twice"):
        rules.changed(add=[rules.rules[0]])


def test_the_last_regime_in_force_wins() -> None:
    regime = {"kind": "regime", "crossings": ["ab-road"]}
    rules = toys.rules(
        regime | {"regime": "joint", "crossings": ["ab-road", "ab-rail"]},
        regime | {"regime": "fast"},
        regime | {"regime": "later", "valid_from": "2030-01-01"},
    )
    assert replace(rules, date=dt.date(2026, 1, 1)).regimes() == {
        "ab-road": "fast",
        "ab-rail": "joint",
    }
    assert replace(rules, date=dt.date(2030, 1, 1)).regimes()["ab-road"] == "later"
    assert Rules().regimes() == {}


@pytest.mark.parametrize(
    ("rule", "column", "found"),
    [
        ({"crossings": ["ab-raod"]}, "crossings", "'ab-raod'"),
        ({"links": ["x"]}, "links", "'x'"),
        ({"countries": ["CCC"]}, "countries", "'CCC'"),
        ({"layers": ["rail"]}, "layers", "'rail'"),
        ({"commodities": ["gold"]}, "commodities", "'gold'"),
        ({"origins": ["A1", "Z"]}, "origins", "'Z'"),
        ({"destinations": ["ZZZ"]}, "destinations", "'ZZZ'"),
        ({"except": [{"layers": ["rail"]}]}, "layers", "'rail'"),
        ({"kind": "fee", "usd_per_t": 1, "payee": "CCC"}, "payee", "'CCC'"),
        ({"kind": "waive", "principle": "P1", "country": "CCC"}, "country", "'CCC'"),
        ({"kind": "regime", "regime": "fast", "crossings": ["ab-road"]}, "regime", "'fast'"),
        ({"kind": "regime", "regime": "standard", "crossings": ["q"]}, "crossings", "'q'"),
    ],
)
def test_what_the_network_does_not_know_is_an_error(
    toy_network: Network, rule: dict[str, object], column: str, found: str
) -> None:
    rules = toys.rules({"kind": "forbid", **rule})
    [fault] = rules.check(toy_network)
    assert (fault.key, fault.column, fault.found, fault.warning) == ("r0", column, found, False)
    shipments = single_shipments(toy_network, [("A1", "B1", "grain")])
    with pytest.raises(InputError, match=column):
        compile_model(toy_network, shipments, rules)


def test_flags_of_third_states_are_warnings(toy_network: Network) -> None:
    [fault] = toys.rules({"kind": "forbid", "flags": ["CHN", "AAA"]}).check(toy_network)
    assert (fault.column, fault.found, fault.warning) == ("flags", "'CHN'", True)


def test_an_id_is_wrong_on_any_date(toy_network: Network) -> None:
    rule = {"kind": "forbid", "crossings": ["q"], "valid_to": "2000-01-01"}
    rules = replace(toys.rules(rule), date=dt.date(2026, 1, 1))
    assert not rules.in_force
    assert len(rules.errors(toy_network)) == 1


def test_a_scope_that_lies_nowhere_is_a_warning(toy_network: Network) -> None:
    rule = {"kind": "forbid", "crossings": ["ab-road"], "layers": ["rail1520"]}
    [fault] = toys.rules(rule).check(toy_network)
    assert fault.warning
    assert fault.found == "no arc of the network"
    compile_model(toy_network, single_shipments(toy_network, [("A1", "B1", "grain")]))


def test_rules_without_a_date_are_read_as_of_the_networks(toy_network: Network) -> None:
    rules = toys.rules(CLOSED | {"valid_to": "2026-06-01"})
    shipments = single_shipments(toy_network, [("A1", "B1", "grain")])
    for date, bans in (("2026-05-31", 1), ("2026-06-01", 0), (None, 0)):
        model = compile_model(toy_network.as_of(date), shipments, rules)
        assert len(model.effects.bans) == bans
    dated = replace(rules, date=dt.date(2026, 5, 31))
    assert len(compile_model(toy_network, shipments, dated).effects.bans) == 1
