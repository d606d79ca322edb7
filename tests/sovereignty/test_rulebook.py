"""Sets of rules: reading, dates, changes, checks."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from corridor.errors import InputError
from corridor.network import Network
from corridor.planning import compile_model, single_shipments
from corridor.sovereignty import Rules, load_rules
from corridor.sovereignty.rulebook import parse_rules
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


FORBID_X: dict[str, object] = {"kind": "forbid", "crossings": ["ab-road"]}
REQUIRE_X: dict[str, object] = {"kind": "require", "crossings": ["ab-road"]}
BAND: dict[str, object] = {
    "kind": "reciprocity", "a": {"crossings": ["ab-road"]}, "b": {"crossings": ["ab-rail"]},
    "low": 0.5, "high": 2.0, "floor": 10.0, "unit": "t_per_day",
}  # fmt: skip
SEAL: dict[str, object] = {
    "kind": "sealed", "enter": ["ab-road"], "leave": ["ab-rail"], "skip": ["scanner"],
}  # fmt: skip
FLOOR: dict[str, object] = {
    "kind": "inspection_floor", "country": "AAA", "stage": "scanner", "share": 0.1,
}  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "conflicts"),
    [
        ((REQUIRE_X, FORBID_X), [("r0", "crossings", "r1")]),
        ((FORBID_X, REQUIRE_X), [("r1", "crossings", "r0")]),
        # Another crossing is open, the ban is of other goods, has an exception, or came before.
        ((REQUIRE_X | {"crossings": ["ab-road", "ab-rail"]}, FORBID_X), []),
        ((REQUIRE_X, FORBID_X | {"commodities": ["grain"]}), []),
        ((REQUIRE_X, FORBID_X | {"except": [{"commodities": ["grain"]}]}), []),
        (
            (REQUIRE_X | {"valid_from": "2026-01-01"}, FORBID_X | {"valid_to": "2026-01-01"}),
            [],
        ),
        (
            (REQUIRE_X | {"valid_from": "2026-01-01"}, FORBID_X | {"valid_to": "2026-01-02"}),
            [("r0", "crossings", "r1")],
        ),
        (
            (
                REQUIRE_X | {"crossings": ["ab-road", "ab-rail"], "commodities": ["grain"]},
                FORBID_X,
                FORBID_X | {"crossings": ["ab-rail"], "commodities": ["grain", "containers"]},
            ),
            [("r0", "crossings", "r1, r2")],
        ),
        (
            ({"kind": "require", "countries": ["BBB"]}, {"kind": "forbid", "countries": ["BBB"]}),
            [("r0", "countries", "r1")],
        ),
        ((BAND, FORBID_X), [("r0", "floor", "r1")]),
        (
            (BAND, {"kind": "quota", "crossings": ["ab-rail"], "limit": 9, "unit": "t_per_day"}),
            [("r0", "floor", "r1")],
        ),
        (
            (BAND, {"kind": "quota", "crossings": ["ab-rail"], "limit": 11, "unit": "t_per_day"}),
            [],
        ),
        ((SEAL, FLOOR), [("r0", "skip", "r1")]),
        ((SEAL | {"countries": ["BBB"]}, FLOOR), []),
        ((SEAL, FLOOR | {"stage": "documents"}), []),
        (
            (SEAL, SEAL | {"enter": ["ab-rail"], "leave": ["ab-road"]}),
            [("r0", "leave", "r0 > r1 > r0"), ("r1", "leave", "r1 > r0 > r1")],
        ),
        ((SEAL, SEAL), []),
    ],
)
def test_rules_that_cannot_both_hold_are_warned_of(
    toy_network: Network,
    rules: tuple[dict[str, object], ...],
    conflicts: list[tuple[str, str, str]],
) -> None:
    faults = toys.rules(*rules).check(toy_network)
    assert [(f.key, f.column) for f in faults] == [(key, column) for key, column, _ in conflicts]
    assert all(fault.warning for fault in faults)
    for fault, (_, _, names) in zip(faults, conflicts, strict=True):
        assert names in fault.found


@pytest.mark.parametrize(
    ("rule", "column", "said"),
    [
        (SEAL | {"enter": ["ab-raod"]}, "enter", "a name in crossings.csv"),
        (SEAL | {"leave": ["x"]}, "leave", "a name in crossings.csv"),
        (SEAL | {"skip": ["scaner"]}, "skip", "a name in stages.csv"),
        (REQUIRE_X | {"crossings": ["ab-raod"]}, "crossings", "did you mean 'ab-road'"),
        (BAND | {"a": {"countries": ["AAB"]}}, "countries", "did you mean 'AAA'"),
        ({"kind": "share_cap", "share": 0.5, "layers": ["rail"]}, "layers", "did you mean 'rail1"),
    ],
)
def test_new_kinds_know_their_networks_ids(
    toy_network: Network, rule: dict[str, object], column: str, said: str
) -> None:
    [fault] = toys.rules(rule).errors(toy_network)
    assert (fault.key, fault.column) == ("r0", column)
    assert said in str(fault)


def test_a_seal_of_states_needs_crossings_at_their_borders(toy_tables: dict[str, object]) -> None:
    network = toys.network(toys.with_sea(toy_tables))  # type: ignore[arg-type]
    rule = SEAL | {"countries": ["AAA", "BBB"]}
    faults = toys.rules(rule).errors(network)
    assert [(fault.column, fault.found) for fault in faults] == [
        ("enter", "crossings that lead nowhere"),
        ("leave", "crossings that lead nowhere"),
    ]


def test_all_faults_of_a_file_come_in_one_report(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        """
[[rule]]
id = "a"
kind = "reciprocity"
title = "Band with its ends exchanged"
a = { countries = ["AAA"] }
b = { countries = ["BBB"] }
low = 2
high = 1
floor = 5
unit = "t_per_day"

[[rule]]
id = "b"
kind = "share_cap"
title = "More than all"
share = 1.5

[[rule]]
id = "c"
kind = "sealed"
title = "A circle"
enter = ["x"]
leave = ["x"]
skip = ["scanner"]

[[rule]]
id = "d"
kind = "reqiure"
title = "Misspelt"

[[rule]]
id = "d"
kind = "forbid"
title = "Over before it begins"
valid_from = 2026-02-01
valid_to = 2026-01-01
crossings = []
""",
    )
    with pytest.raises(InputError) as caught:
        load_rules(file)
    told = {(fault.key, fault.column) for fault in caught.value.faults}
    assert told == {("a", ""), ("b", "share"), ("c", ""), ("d", "kind"), ("d", ""), ("d", "id")}
    message = str(caught.value)
    for text in (
        "low must be at most high (1); found 2", "a number <= 1", "a circle",
        "did you mean 'require'?", "the id twice", "must not be empty; crossings",
        "valid_to must be after valid_from (2026-02-01); found 2026-01-01",
    ):  # fmt: skip
        assert text in message
    assert "pydantic" not in message


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            {"kind": "forbid", "crossings": []},
            "to hold: a scope must not be empty; crossings must name something, or be left out",
        ),
        ({"kind": "require"}, "expected this to hold: either crossings or countries must be given"),
    ],
)  # fmt: skip
def test_contradictions_are_said_as_sentences(table: dict[str, object], said: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_rules([{"id": "r", "title": "", **table}], "rules.toml")
    assert said in str(caught.value)
