"""Rules read from TOML: dated, checked against a network, applied in the order of the file."""

import datetime as dt
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from corridor import datasets
from corridor.errors import Fault, InputError
from corridor.network import Network
from corridor.network.models import as_date
from corridor.network.supernetwork import build_supernetwork
from corridor.network.texts import find_text, is_geopackage, read_text
from corridor.network.vehicles import payload_t, teu_per_t
from corridor.sovereignty.effects import Effects
from corridor.sovereignty.kinds import KINDS, Rule
from corridor.sovereignty.messages import expected, nearest
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.shipments import Shipments
from corridor.sovereignty.territory import Territory


@dataclass(frozen=True, slots=True)
class Rules:
    """A set of rules as of a date.

    Parameters
    ----------
    rules
        Every rule, in the order in which it is applied.
    date
        Rules are read as of this day; None is a day after all that the data knows.
    """

    rules: tuple[Rule, ...] = ()
    date: dt.date | None = None

    def __len__(self) -> int:
        return len(self.rules)

    @property
    def in_force(self) -> tuple[Rule, ...]:
        """The rules in force on the date."""
        return tuple(rule for rule in self.rules if rule.in_force(self.date))

    @property
    def scopes(self) -> list[Scope]:
        """Every scope of the rules in force."""
        return [scope for rule in self.in_force for scope in rule.scopes]

    def changed(
        self, add: Iterable[Rule] = (), drop: Iterable[str] = (), date: dt.date | None = None
    ) -> "Rules":
        """Return the rules without the dropped ids and with the added rules at the end.

        Raises
        ------
        InputError
            If an id to drop is unknown, or an added id is there already.
        """
        dropped, added = set(drop), tuple(add)
        unknown = sorted(dropped - {rule.id for rule in self.rules})
        if unknown:
            msg = (
                f"rules_drop must name rules that exist; {', '.join(unknown)} do not. Correct them."
            )
            raise InputError(msg)
        kept = tuple(rule for rule in self.rules if rule.id not in dropped)
        result = Rules((*kept, *added), date if date is not None else self.date)
        twice = _duplicates([rule.id for rule in result.rules], "rules_add")
        if twice:
            subject = "rules_add"
            raise InputError.from_faults(subject, twice)
        return result

    def regimes(self) -> dict[str, str]:
        """Return the regime that rules in force set at crossings; the last one wins."""
        ruled: dict[str, str] = {}
        for rule in self.in_force:
            ruled.update(rule.regimes)
        return ruled

    def errors(self, network: Network) -> list[Fault]:
        """Return every error of the rules on a network, those of rules out of force too.

        A study may look at any date, so the date does not make a wrong id right.
        """
        return [fault for fault in self._faults(network) if not fault.warning]

    def _faults(self, network: Network) -> list[Fault]:
        """Return what is wrong with each rule, and with rules beside one another."""
        faults = [fault for rule in self.rules for fault in rule.check(network)]
        wrong = {fault.key for fault in faults}
        sound = [rule for rule in self.rules if rule.id not in wrong]
        for rule in sound:
            others = [other for other in sound if other is not rule]
            faults += rule.conflicts(others, network)
        return faults

    def check(self, network: Network) -> list[Fault]:
        """Return every error, and warnings: conflicts, scopes that lie nowhere, strange flags."""
        faults = self._faults(network)
        wrong = {fault.key for fault in faults if not fault.warning}
        territory = _empty_territory(network)
        nowhere = [
            rule.fault(
                "scope", "no arc of the network", "a scope that lies somewhere",
                "correct the scope", warning=True,
            )
            for rule in self.rules
            if rule.id not in wrong
            for scope in rule.scopes
            if not territory.place(scope).any()
        ]  # fmt: skip
        return faults + nowhere + self._strange_flags(network)

    def _strange_flags(self, network: Network) -> list[Fault]:
        """Warn of flags of states without a node: one letter wrong, and the rule binds nobody."""
        states = set(network.nodes["country"])
        return [
            rule.fault(
                "flags", repr(flag), "a state of nodes.csv, unless a third state's carriers are "
                "meant", "check the spelling", warning=True,
            )
            for rule in self.rules
            for scope in rule.scopes
            for flag in scope.flags or ()
            if flag not in states
        ]  # fmt: skip

    def apply(self, territory: Territory) -> Effects:
        """Return what the rules in force do on a territory."""
        effects = Effects()
        for rule in self.in_force:
            rule.apply(territory, effects)
        return effects


def load_rules(source: str | Path, date: dt.date | str | None = None) -> Rules:
    """Read rules from a TOML file.

    Parameters
    ----------
    source
        A bundled data set's name, a folder or GeoPackage that holds ``rules.toml``, or a TOML file.
    date
        The rules are read as of this day, a date or ISO text; None is the network's day, or a day
        after all that the data knows.

    Returns
    -------
    Rules
        Every rule of the file, in its order.

    Raises
    ------
    InputError
        If the file is missing or is no TOML, or any rule is not as the contract says; all faults
        are listed.

    Examples
    --------
    >>> rules = load_rules("crossroads", date="2026-06-30")
    >>> len(rules) >= 15, rules.date
    (True, datetime.date(2026, 6, 30))
    """
    path = datasets.path(source)
    name, content = read_toml(path, "rules.toml")
    if content is None:
        msg = (
            f"Rules must be a TOML file; {name} is not in {path}. Give the file, or a folder "
            "that holds it."
        )
        raise InputError(msg)
    unknown = sorted(set(content) - {"rule"})
    if unknown:
        msg = f"{name} must hold [[rule]] tables only; found {', '.join(unknown)}. Remove them."
        raise InputError(msg)
    return Rules(parse_rules(content.get("rule", []), name), as_date(date))


def read_toml(path: Path, name: str) -> tuple[str, dict[str, object] | None]:
    """Return name and content of a TOML file; no content where a data set has no such file.

    Parameters
    ----------
    path
        The file itself, or the folder or GeoPackage of a data set.
    name
        Name of the file in a data set.

    Raises
    ------
    InputError
        If it is not UTF-8 or not TOML; the message has the line.
    """
    of_data = path.is_dir() or is_geopackage(path)
    name = name if of_data else path.name
    text = find_text(path, name) if of_data else read_text(path)
    try:
        return name, None if text is None else tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{name} must be a TOML file in UTF-8; {error}. Correct the place."
        raise InputError(msg) from error


def parse_rules(tables: object, file: str) -> tuple[Rule, ...]:
    """Return the rules that TOML tables describe.

    Raises
    ------
    InputError
        With every fault of every rule.
    """
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        msg = f"Rules in {file} must be an array of tables ([[rule]]). Correct the brackets."
        raise InputError(msg)
    rules: list[Rule] = []
    faults: list[Fault] = []
    for position, table in enumerate(tables, start=1):
        try:
            rules.append(_parse_rule(table, position, file))
        except InputError as error:
            faults += error.faults
    faults += _duplicates([str(table["id"]) for table in tables if "id" in table], file)
    if faults:
        raise InputError.from_faults(file, faults)
    return tuple(rules)


def _parse_rule(table: Mapping[str, object], position: int, file: str) -> Rule:
    key = str(table.get("id", f"rule {position}"))
    kind = table.get("kind")
    if kind not in KINDS:
        fault = Fault(
            file=file,
            key=key,
            column="kind",
            found=repr(kind),
            expected="a kind of rule",
            remedy=nearest(kind, KINDS),
        )
        raise InputError.from_faults(file, [fault])
    try:
        return KINDS[str(kind)].model_validate(table)
    except ValidationError as error:
        fields = KINDS[str(kind)].model_fields
        known = [field.alias or name for name, field in fields.items()]
        raise InputError.from_faults(file, toml_faults(error, file, key, known)) from error


def toml_faults(
    error: ValidationError, file: str, key: str, known: Collection[str] = ()
) -> list[Fault]:
    """Return one fault per place that does not fit the schema.

    Parameters
    ----------
    error
        What the schema found.
    file, key
        Where the table stands.
    known
        Keys that it may have, for a hint at a misspelt one.
    """
    return [
        Fault(
            file=file,
            key=key,
            column=".".join(str(part) for part in item["loc"]),
            found=_found(item),
            expected=expected(item),
            remedy=_remedy(item, known),
        )
        for item in error.errors()
    ]


def _found(item: Mapping[str, Any]) -> str:
    if item["type"] == "missing":
        return "nothing"
    return repr(item["input"])[:80] if item["loc"] else "a table that contradicts itself"


def _remedy(item: Mapping[str, Any], known: Collection[str]) -> str:
    place = item["loc"][-1] if item["loc"] else ""
    if item["type"] == "extra_forbidden" and len(item["loc"]) == 1 and known:
        return nearest(place, known)
    return "give it" if item["type"] == "missing" else "correct it"


def _duplicates(ids: Iterable[str], file: str) -> list[Fault]:
    """Return a fault for each id that is given more than once."""
    return [
        Fault(
            file=file, key=name, column="id", found="the id twice", expected="a unique id",
            remedy="rename one",
        )
        for name in sorted(name for name, n in Counter(ids).items() if n > 1)
    ]  # fmt: skip


def _empty_territory(network: Network) -> Territory:
    """Return the territory of no shipments, enough to see where a scope lies."""
    nobody = np.zeros(0, np.int32)
    shipments = Shipments(
        origin=nobody,
        destination=nobody,
        commodity=nobody,
        flag=np.zeros(0, dtype=object),
        places=network.nodes["node_id"].to_numpy(object),
        place_country=network.nodes["country"].to_numpy(object),
        commodities=network.commodities["commodity_id"].to_numpy(object),
    )
    return Territory(
        network=network,
        supernetwork=build_supernetwork(network),
        classes=shipments,
        payload_t=payload_t(network.layers, network.commodities),
        teu_per_t=teu_per_t(network.commodities),
    )
