"""Cases to invest in: a variant's rules, with everything that projects build still to be built."""

from corridor.errors import InputError
from corridor.network.cells import Cell, project_cells, row_of
from corridor.sovereignty.rulebook import parse_rules
from corridor.study.changes import changed_tables
from corridor.study.studies import Case, Study

_SWITCHES = ("status", "opens")


def unbuilt_case(study: Study, variant_id: str) -> Case:
    """Return the case of a variant with none of its projects built.

    The variant's rules hold, and what it opens is open, but for links and crossings that a project
    of the data set opens: those are what there is to decide.

    Parameters
    ----------
    study
        The study.
    variant_id
        Id of a variant.

    Raises
    ------
    InputError
        If there is no such variant, or its changes leave a network with faults.

    Examples
    --------
    >>> import corridor
    >>> study = corridor.load_study("crossroads")
    >>> network = unbuilt_case(study, "am_tr_open").network
    >>> crossings = network.crossings.set_index("crossing_id")["status"]
    >>> crossings["akhurik-rail"] == "open", crossings["margara-road"]
    (False, 'open')
    """
    variant = study.variant(variant_id).model_copy(update={"projects": ()})
    tables = changed_tables(study.network, variant)
    for cell in _opened_by_projects(study):
        if cell.table in tables:
            row = row_of(study.network, cell)
            before = study.network.table(cell.table)
            for column in _SWITCHES:
                tables[cell.table].loc[row, column] = before[column].iloc[row]
    try:
        network = study.network.replace(**tables) if tables else study.network
    except InputError as error:
        subject = f"Variant {variant_id!r} of {study.file} without its projects"
        raise InputError.from_faults(subject, error.faults) from error
    date = variant.date or study.date
    added = parse_rules(list(variant.rules_add), study.file)
    rules = study.rules.changed(added, variant.rules_drop, date)
    return Case(network.as_of(date), study.demand, rules)


def _opened_by_projects(study: Study) -> list[Cell]:
    """Return the status cells that projects set to open."""
    ids = study.network.projects["project_id"].unique().tolist()
    cells = project_cells(study.network, ids)
    return [cell for cell in cells if (cell.column, cell.value) == ("status", "open")]
