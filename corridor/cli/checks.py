"""Commands on data: ``validate`` and ``convert``."""

from pathlib import Path
from typing import Annotated

import typer

from corridor.cli.app import ExitCode, JsonOption, app, guarded
from corridor.cli.output import count_of, print_json
from corridor.errors import Fault, InputError


@app.command("validate")
@guarded()
def run_validate(
    *,
    folder: Annotated[
        str,
        typer.Argument(
            help="Folder of a data set or a study, .gpkg or study file, or a bundled name."
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Print every fault of a data set, its rules and its study, one a line."""
    from corridor.report.records import fault_records

    faults = _all_faults(folder)
    errors = [fault for fault in faults if not fault.warning]
    if as_json:
        print_json(
            {
                "errors": len(errors),
                "warnings": len(faults) - len(errors),
                "faults": fault_records(faults),
            }
        )
    else:
        for fault in faults:
            typer.echo(str(fault))
        warnings = count_of(len(faults) - len(errors), "warning")
        typer.echo(f"{folder}: {count_of(len(errors), 'fault')}, {warnings}")
    if errors:
        raise typer.Exit(ExitCode.BAD_INPUT)


@app.command("convert")
@guarded()
def run_convert(
    *,
    source: Annotated[
        str,
        typer.Argument(metavar="SRC", help="Folder of a data set, .gpkg file, or a bundled name."),
    ],
    target: Annotated[
        Path, typer.Argument(metavar="DST", help="New folder, or new file that ends in .gpkg.")
    ],
) -> None:
    """Write a data set as a folder of CSV files or as one GeoPackage to edit in a GIS."""
    from corridor.network import convert_dataset

    tables = convert_dataset(source, target)
    typer.echo(f"Wrote {target}: {', '.join(tables)}", err=True)


def _all_faults(folder: str) -> list[Fault]:
    """Return the faults of the tables, then of the rules, then of the study; each fault once."""
    from corridor import datasets
    from corridor.network.texts import find_text, is_geopackage
    from corridor.network.validation import validate
    from corridor.study.studies import study_places

    path = datasets.path(folder)
    study = path.suffix == ".toml" or find_text(path, "study.toml") is not None
    data: str | Path = path
    rules: str | Path | None = path if find_text(path, "rules.toml") is not None else None
    # A study whose tables lie elsewhere.
    if study and not (path / "nodes.csv").is_file() and not is_geopackage(path):
        try:
            data, rules = study_places(path)
        except InputError as error:
            return _faults_of(error, path.name if path.is_file() else "study.toml")
    faults = validate(data)
    broken = any(not fault.warning for fault in faults)
    # Ids in rules and study cannot be looked up in tables that do not load.
    if rules is not None:
        faults += _rule_faults(rules, data, broken=broken)
    if study and not broken:
        faults += _study_faults(path)
    return list(dict.fromkeys(faults))


def _rule_faults(rulebook: str | Path, data: str | Path, *, broken: bool) -> list[Fault]:
    from corridor.network import load_network
    from corridor.sovereignty import load_rules

    try:
        rules = load_rules(rulebook)
    except InputError as error:
        return _faults_of(error, "rules.toml")
    return [] if broken else rules.check(load_network(data))


def _study_faults(path: Path) -> list[Fault]:
    from corridor.study import load_study

    try:
        load_study(path)
    except InputError as error:
        return _faults_of(error, "study.toml")
    return []


def _faults_of(error: InputError, file: str) -> list[Fault]:
    """Return the faults of an error; an error without any is one fault of the whole file."""
    if error.faults:
        return list(error.faults)
    return [
        Fault(file=file, found=str(error), expected="a file that can be read", remedy="correct it")
    ]
