"""How long 50 rules take to check and compile on the bundled network."""

import time

import pytest

import corridor
from corridor.planning import compile_model
from corridor.sovereignty import Rules, shipment_classes

MOST_S = 0.050


def test_fifty_rules_compile_in_time(capsys: pytest.CaptureFixture[str]) -> None:
    """Every rule of the data set at once, whatever its dates: check, tell classes apart, apply."""
    network, demand, _ = corridor.load_study("crossroads").case("status_quo")
    dated = corridor.load_rules("crossroads").rules
    rules = Rules(tuple(r.model_copy(update={"valid_from": None, "valid_to": None}) for r in dated))
    model = compile_model(network, demand, rules)
    assert len(rules.in_force) >= 50
    assert {rule.kind for rule in rules.in_force} >= {"forbid", "quota", "fee", "inspection_floor"}
    seconds = []
    for _ in range(5):
        start = time.process_time()  # others may use the machine
        assert not rules.errors(network)
        shipment_classes(model.shipments, rules.scopes)
        effects = rules.apply(model.territory)
        seconds.append(time.process_time() - start)
    assert len(effects.bans) + len(effects.fees) + len(effects.quotas) >= 40
    with capsys.disabled():
        print(f"\n{len(rules.in_force)} rules: {min(seconds) * 1e3:.0f} ms")  # noqa: T201
    assert min(seconds) < MOST_S
