"""A study: one network, one demand and one rulebook, and the variants made of them."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from corridor import datasets
from corridor.arguments import check_names, check_type
from corridor.errors import Fault, InputError
from corridor.network import Demand, Network, load_demand, load_network
from corridor.network.texts import find_text, is_geopackage
from corridor.sovereignty import Rule, Rules, load_rules
from corridor.sovereignty.rulebook import parse_rules, read_toml, toml_faults
from corridor.study.changes import changed_tables, near, variant_faults
from corridor.study.variants import Constant, Header, Reference, Variant

_FILE = "study.toml"
_TABLES = ("reference", "constant", "variant")
_Part = TypeVar("_Part", bound=BaseModel)


class Case(NamedTuple):
    """What a planning verb takes: ``corridor.plan(*case)``."""

    network: Network
    demand: Demand
    rules: Rules


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Study:
    """Variants of one corridor, to be compared on the same demand.

    Build one with `load_study`.

    Attributes
    ----------
    header
        Name, base, date, prices and how flows are found.
    references
        Shipments shown door to door.
    constants
        Costs that shippers act on and no table states, where they choose for themselves.
    variants
        In the order of the file.
    network, demand, rules
        What the variants change, read once.
    file
        Name of the study file, for messages.
    """

    header: Header
    references: tuple[Reference, ...]
    constants: tuple[Constant, ...]
    variants: tuple[Variant, ...]
    network: Network
    demand: Demand
    rules: Rules
    file: str = _FILE

    @property
    def name(self) -> str:
        """Name for people."""
        return self.header.name

    @property
    def base(self) -> str:
        """Id of the variant that all others are compared with."""
        return self.header.base

    @property
    def date(self) -> dt.date:
        """Day that works and rules are read as of, unless a variant says otherwise."""
        return self.header.date

    @property
    def variant_ids(self) -> tuple[str, ...]:
        """Ids of the variants, in the order of the file."""
        return tuple(variant.id for variant in self.variants)

    def variant(self, variant_id: str) -> Variant:
        """Return a variant by id.

        Raises
        ------
        InputError
            If there is no such variant.
        """
        for variant in self.variants:
            if variant.id == variant_id:
                return variant
        msg = (
            f"A variant must be one of {', '.join(self.variant_ids)}; found {variant_id!r}: "
            f"{near(variant_id, self.variant_ids)}"
        )
        raise InputError(msg)

    def case(self, variant_id: str) -> Case:
        """Return the network, demand and rules of a variant.

        Parameters
        ----------
        variant_id
            Id of a variant.

        Returns
        -------
        Case
            Network and rules changed and read as of the variant's date; the demand is the study's.

        Raises
        ------
        InputError
            If there is no such variant, or its changes leave a network with faults.

        Examples
        --------
        >>> import corridor
        >>> study = corridor.load_study("crossroads")
        >>> network, demand, rules = study.case("am_tr_open")
        >>> crossings = network.crossings
        >>> crossings.loc[crossings["crossing_id"] == "margara-road", "status"].item()
        'open'
        """
        variant = self.variant(variant_id)
        date = variant.date or self.date
        tables = changed_tables(self.network, variant)
        try:
            network = self.network.replace(**tables) if tables else self.network
        except InputError as error:
            subject = f"Variant {variant_id!r} of {self.file}"
            raise InputError.from_faults(subject, error.faults) from error
        added = parse_rules(list(variant.rules_add), self.file)
        rules = self.rules.changed(added, variant.rules_drop, date)
        return Case(network.as_of(date), self.demand, rules)

    def __repr__(self) -> str:
        return f"Study({self.name!r}: {len(self.variants)} variants of {self.network.name!r})"


def chosen_variants(study: Study, variants: Iterable[str] | None) -> list[str]:
    """Return the ids of variants in the order of the study; None is all of them.

    Raises
    ------
    InputError
        If `study` is none, the ids are no list, or one is unknown.
    """
    check_type("study", study, Study, advice="Load it with corridor.load_study.")
    if variants is None:
        return list(study.variant_ids)
    check_names("variants", variants, study.base)
    wanted = {study.variant(name).id for name in variants}
    return [name for name in study.variant_ids if name in wanted]


def load_study(source: str | Path, demand: str | None = None) -> Study:
    """Read a study, and the data set that it names.

    Parameters
    ----------
    source
        Name of a bundled data set, a folder or GeoPackage that holds ``study.toml``, or a TOML
        file.
    demand
        Scenario of the demand; None is the one that the study names.

    Returns
    -------
    Study
        Its variants, checked against the tables and the rulebook.

    Raises
    ------
    InputError
        If the file is missing or is no TOML, the data set has faults, or the study names what it
        does not hold; ``.faults`` lists all of them.

    Examples
    --------
    >>> import corridor
    >>> corridor.load_study("crossroads").base
    'status_quo'
    """
    path = datasets.path(source)
    name, content = _read_file(path)
    faults: list[Fault] = []
    header, references, constants, variants = _read_parts(content, name, faults)
    if header is None:
        raise InputError.from_faults(name, faults)
    folder, rulebook = _places(header, path, name, faults)
    if folder is None:
        raise InputError.from_faults(name, faults)
    study = Study(
        header=header,
        references=references,
        constants=constants,
        variants=variants,
        network=load_network(folder, header.date),
        demand=load_demand(folder, header.demand if demand is None else demand),
        rules=load_rules(rulebook, header.date) if rulebook else Rules(date=header.date),
        file=name,
    )
    faults += _study_faults(study)
    if faults:
        raise InputError.from_faults(name, faults)
    return study


def study_places(source: str | Path) -> tuple[str | Path, str | Path | None]:
    """Return the data set and the rulebook that a study names, which may have faults.

    Parameters
    ----------
    source
        As in `load_study`.

    Returns
    -------
    dataset
        Bundled name, folder or GeoPackage.
    rulebook
        As `corridor.load_rules` takes it; None where the study has no rules.

    Raises
    ------
    InputError
        If the file is missing or is no TOML, or its header has faults.

    Examples
    --------
    >>> study_places("crossroads")
    ('crossroads', 'crossroads')
    """
    path = datasets.path(source)
    name, content = _read_file(path)
    faults: list[Fault] = []
    header, *_ = _read_parts(content, name, [])
    if header is None:
        _read_parts(content, name, faults)
        raise InputError.from_faults(name, faults)
    folder, rulebook = _places(header, path, name, faults)
    if folder is None or faults:
        raise InputError.from_faults(name, faults)
    return folder, rulebook


def _read_file(path: Path) -> tuple[str, dict[str, object]]:
    """Return name and content of the study file at a path."""
    name, content = read_toml(path, _FILE)
    if content is None:
        msg = f"A study must be a TOML file; {name} is not in {path}. Give the file."
        raise InputError(msg)
    return name, content


def _places(
    header: Header, path: Path, file: str, faults: list[Fault]
) -> tuple[str | Path | None, str | Path | None]:
    """Return the data set and the rulebook that a header names; what is not there is a fault."""
    here = path if path.is_dir() or is_geopackage(path) else path.parent
    folder = _place(header.dataset, here, file, "dataset", faults)
    if header.rules is not None:
        return folder, _place(header.rules, here, file, "rules", faults)
    own = folder is not None and find_text(datasets.path(folder), "rules.toml") is not None
    return folder, folder if own else None


def _read_parts(
    content: Mapping[str, object], file: str, faults: list[Fault]
) -> tuple[Header | None, tuple[Reference, ...], tuple[Constant, ...], tuple[Variant, ...]]:
    """Return header, references, constants and variants of a study file, as far as they read."""
    top = {key: value for key, value in content.items() if key not in _TABLES}
    tables = {name: _array(content.get(name, []), name, file, faults) for name in _TABLES}
    header = _parsed(Header, [top], file, faults)
    references = _parsed(Reference, tables["reference"], file, faults)
    constants = _parsed(Constant, tables["constant"], file, faults)
    variants = _parsed(Variant, tables["variant"], file, faults)
    for name in _TABLES:
        faults += _id_faults(name, tables[name], file)
    if not header:
        return None, tuple(references), tuple(constants), tuple(variants)
    faults += _header_faults(header[0], _ids(tables["variant"]), file)
    return header[0], tuple(references), tuple(constants), tuple(variants)


def _parsed(
    model: type[_Part], tables: Iterable[object], file: str, faults: list[Fault]
) -> list[_Part]:
    """Return the tables that fit a model; the others become faults."""
    parts = []
    for position, table in enumerate(tables, start=1):
        try:
            parts.append(model.model_validate(table))
        except ValidationError as error:
            key = "" if model is Header else f"{model.__name__.lower()} {position}"
            if isinstance(table, dict):
                key = str(table.get("id", key))
            faults += toml_faults(error, file, key)
    return parts


def _array(value: object, name: str, file: str, faults: list[Fault]) -> list[object]:
    if isinstance(value, list):
        return value
    fault = Fault(
        file=file,
        column=name,
        found=repr(value)[:80],
        expected=f"an array of tables ([[{name}]])",
        remedy="correct the brackets",
    )
    faults.append(fault)
    return []


def _ids(tables: Iterable[object]) -> list[str]:
    return [str(table["id"]) for table in tables if isinstance(table, dict) and "id" in table]


def _header_faults(header: Header, variant_ids: Sequence[str], file: str) -> list[Fault]:
    """Report an unknown base, no variants, and a choice without its dispersion."""
    faults = []

    def report(column: str, found: str, expected: str, remedy: str) -> None:
        fault = Fault(file=file, column=column, found=found, expected=expected, remedy=remedy)
        faults.append(fault)

    if not variant_ids:
        report("variant", "no variant", "at least the base variant", "add [[variant]] tables")
    elif header.base not in variant_ids:
        advice = near(header.base, variant_ids)
        report("base", repr(header.base), "the id of a variant", advice)
    if header.assignment == "logit" and header.dispersion_per_usd is None:
        found = "none, with the assignment logit"
        report("dispersion_per_usd", found, "a number > 0", "write 0.02, say, or fit it")
    return faults


def _id_faults(kind: str, tables: Iterable[object], file: str) -> list[Fault]:
    return [
        Fault(
            file=file,
            key=name,
            column="id",
            found=f"the id of {n} {kind}s",
            expected="a unique id",
            remedy="rename all but one",
        )
        for name, n in Counter(_ids(tables)).items()
        if n > 1
    ]


def _place(name: str, here: Path, file: str, column: str, faults: list[Fault]) -> str | Path | None:
    """Return the data set, folder or file that a key of the study names.

    A path is relative to the study, so that it reads the same from every working folder; in a
    GeoPackage, to the folder of that, and ``.`` and the names of the texts in it are its own.
    """
    if is_geopackage(here) and (name == "." or find_text(here, name) is not None):
        return here
    beside = (here.parent if is_geopackage(here) else here) / name
    if beside.exists():
        return beside
    if name in datasets.names():
        return name
    names = ", ".join(datasets.names())
    fault = Fault(
        file=file,
        column=column,
        found=repr(name),
        expected=f"a bundled data set ({names}) or a path that starts at the study's folder",
        remedy="correct the name",
    )
    faults.append(fault)
    return None


def _study_faults(study: Study) -> list[Fault]:
    """Return every name in references and variants that the data set does not hold."""
    faults = _reference_faults(study) + _constant_faults(study) + _state_faults(study)
    added: dict[str, Rule] = {}
    for variant in study.variants:
        faults += variant_faults(study.network, variant, study.file)
        faults += _rule_faults(study, variant, added)
    # Ids of links and crossings are the same in every variant: one check serves all of them.
    found = Rules(tuple(added.values())).check(study.network)
    return faults + [replace(fault, file=study.file) for fault in found if not fault.warning]


def _state_faults(study: Study) -> list[Fault]:
    known = sorted(set(study.network.nodes["country"]))
    return [
        Fault(
            file=study.file,
            column="headline_states",
            found=repr(state),
            expected="a state with nodes in the data set",
            remedy=near(state, known),
        )
        for state in study.header.headline_states or ()
        if state not in known
    ]


def _reference_faults(study: Study) -> list[Fault]:
    nodes = study.network.nodes["node_id"].tolist()
    goods = study.network.commodities["commodity_id"].tolist()
    known = {"origin": nodes, "destination": nodes, "commodity": goods}
    faults = [
        Fault(
            file=study.file,
            key=reference.id,
            column=column,
            found=repr(getattr(reference, column)),
            expected="an id of the data set",
            remedy=near(getattr(reference, column), ids),
        )
        for reference in study.references
        for column, ids in known.items()
        if getattr(reference, column) not in ids
    ]
    faults += [
        Fault(
            file=study.file,
            key=reference.id,
            column="destination",
            found=f"{reference.destination!r}, the origin itself",
            expected="another node than the origin",
            remedy="correct one of them",
        )
        for reference in study.references
        if reference.origin == reference.destination
    ]
    return faults


def _constant_faults(study: Study) -> list[Fault]:
    """Report scopes of constants that name what the data set does not hold."""
    network = study.network
    crossings = network.crossings["crossing_id"].tolist()
    known = {
        "countries": network.nodes["country"].unique().tolist(),
        "layers": network.layers["layer"].tolist(),
    }
    faults = []
    for constant in study.constants:
        wrong = [
            ("crossings", name, crossings)
            for name in constant.crossings
            if not any(fnmatchcase(crossing, name) for crossing in crossings)
        ]
        wrong += [
            (column, name, ids)
            for column, ids in known.items()
            for name in getattr(constant, column)
            if name not in ids
        ]
        faults += [
            Fault(
                file=study.file,
                key=constant.id,
                column=column,
                found=repr(name),
                expected="an id of the data set",
                remedy=near(name, ids),
            )
            for column, name, ids in wrong
        ]
    return faults


def _rule_faults(study: Study, variant: Variant, added: dict[str, Rule]) -> list[Fault]:
    """Report rules that cannot be dropped or added; collect the added ones."""
    known = [rule.id for rule in study.rules.rules]
    faults = [
        Fault(
            file=study.file,
            key=variant.id,
            column="rules_drop",
            found=repr(name),
            expected="the id of a rule of the study",
            remedy=near(name, known),
        )
        for name in variant.rules_drop
        if name not in known
    ]
    try:
        rules = parse_rules(list(variant.rules_add), study.file)
    except InputError as error:
        return faults + [replace(f, key=f"{variant.id}/{f.key}") for f in error.faults]
    kept = set(known) - set(variant.rules_drop)
    for rule in rules:
        added[f"{variant.id}/{rule.id}"] = rule
        if rule.id in kept:
            faults.append(
                Fault(
                    file=study.file,
                    key=f"{variant.id}/{rule.id}",
                    column="rules_add",
                    found="the id of a rule that is there already",
                    expected="a new id, or the old rule in rules_drop",
                    remedy="rename it or drop the old rule",
                )
            )
    return faults
