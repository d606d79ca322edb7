"""Projects as investment sees them: what each costs, excludes and needs, and networks with some."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from corridor.errors import Fault, InputError
from corridor.network import TABLES, Network
from corridor.network.cells import project_cells, set_cells
from corridor.network.consistency import project_faults
from corridor.network.tables import type_table
from corridor.planning.investment.economics import capital_recovery_factor, value_at_opening

FloatArray: TypeAlias = NDArray[np.float64]

OPEX_MUSD_PER_YEAR: Final = 0.0
"""Upkeep where a project states none [MUSD/year]."""
BUILD_YEARS: Final = 1.0
"""Time to build where a project states none [years]."""
LIFE_YEARS: Final = 30.0
"""Years of use where a project states none."""
_FILE: Final = "projects.csv"
_HEADER: Final = (
    "name", "country", "capex_musd", "opex_musd_per_year", "build_years", "life_years",
    "exclusive_group", "requires",
)  # fmt: skip
"""Columns that say the same in every row of a project."""

NO_SHARE: Final = (
    "servers", "service_min", "fixed_delay_h", "fee_usd", "speed_kmh", "capacity_t_per_day",
)  # fmt: skip
"""Columns that change no share of the vehicles that a post inspects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Something that can be built, whole or not at all.

    Attributes
    ----------
    id, name, country
        Id, name for people, and the state that builds it.
    capex_musd
        Cost to build [MUSD], >= 0, spread evenly over `build_years`.
    opex_musd_per_year
        Upkeep once it is built [MUSD/year], >= 0.
    build_years, life_years
        Time to build, >= 0, and years of use after it, > 0.
    exclusive_group
        At most one project of a group is built; empty is none.
    requires
        Ids of projects that must be built too.
    """

    id: str
    name: str
    country: str
    capex_musd: float
    opex_musd_per_year: float = OPEX_MUSD_PER_YEAR
    build_years: float = BUILD_YEARS
    life_years: float = LIFE_YEARS
    exclusive_group: str = ""
    requires: tuple[str, ...] = ()


def read_projects(network: Network, only: Sequence[str] | None = None) -> tuple[Project, ...]:
    """Return the projects of a network, in the order of its table.

    Parameters
    ----------
    network
        The network and its ``projects``.
    only
        Ids of the projects that may be built; None is all. What a project requires must be among
        them.

    Raises
    ------
    InputError
        If there are none, or the table has faults; ``.faults`` lists all of them.

    Examples
    --------
    >>> import corridor
    >>> network = corridor.load_study("crossroads").case("status_quo").network
    >>> [tail] = [p for p in read_projects(network) if p.id == "akhurik_rail"]
    >>> tail.capex_musd, tail.exclusive_group
    (25.0, 'tail')
    """
    faults = prerequisite_faults(network.projects, only)
    if faults:
        subject = "The set of projects"
        raise InputError.from_faults(subject, faults)
    heads = network.projects.drop_duplicates("project_id")
    if only is not None:
        heads = heads[heads["project_id"].isin(only)]
    return tuple(_project(row) for row in heads.to_dict("records"))


def _project(row: Mapping[Hashable, object]) -> Project:
    def number(column: str, blank: float) -> float:
        value = float(str(row[column]))
        return blank if np.isnan(value) else value

    return Project(
        id=str(row["project_id"]),
        name=str(row["name"]),
        country=str(row["country"]),
        capex_musd=number("capex_musd", 0.0),
        opex_musd_per_year=number("opex_musd_per_year", OPEX_MUSD_PER_YEAR),
        build_years=number("build_years", BUILD_YEARS),
        life_years=number("life_years", LIFE_YEARS),
        exclusive_group=str(row["exclusive_group"]),
        requires=_needs(row["requires"]),
    )


def _needs(text: object) -> tuple[str, ...]:
    return tuple(part.strip() for part in str(text).split(";") if part.strip())


def with_project_table(network: Network, projects: pd.DataFrame) -> Network:
    """Return the network with other projects, all faults of theirs reported at once.

    Parameters
    ----------
    network
        The network.
    projects
        Rows as in projects.csv.

    Raises
    ------
    InputError
        For a column or value that cannot be, an unknown target, an effect outside its column's
        range, requirements that are unknown or go in a circle, and rows of a project that
        contradict each other; ``.faults`` lists all of them.
    """
    typed, faults = type_table(TABLES["projects"], projects)
    faults = [*faults, *project_faults({**network.rows, "projects": typed})]
    known = {(fault.row, fault.column) for fault in faults}
    faults += [
        fault
        for fault in prerequisite_faults(typed.frame, None)
        if (fault.row, fault.column) not in known
    ]
    errors = [fault for fault in faults if not fault.warning]
    if errors:
        subject = "The set of projects"
        raise InputError.from_faults(subject, errors)
    return replace(network, rows={**network.rows, "projects": typed})


def prerequisite_faults(projects: pd.DataFrame, only: Sequence[str] | None) -> list[Fault]:
    """Report what makes projects impossible: unknown ids, contradictions, circles.

    Parameters
    ----------
    projects
        The typed table.
    only
        Ids of the projects that may be built; None is all.
    """
    ids = list(dict.fromkeys(projects["project_id"].tolist()))
    chosen = ids if only is None else list(only)
    if not chosen:
        return [_fault("", "project_id", "no project", "at least one project", "add rows")]
    faults = [
        _fault(name, "project_id", repr(name), "the id of a project", "correct the id")
        for name in chosen
        if name not in ids
    ]
    rows = projects[projects["project_id"].isin(chosen)]
    faults += _contradictions(rows)
    heads = rows.drop_duplicates("project_id")
    needs = {row["project_id"]: _needs(row["requires"]) for row in heads.to_dict("records")}
    faults += [
        _fault(name, "requires", repr(other), "the id of a project that may be built", "add it")
        for name, others in needs.items()
        for other in others
        if other not in needs
    ]
    circle = _circle(needs)
    if circle:
        way = " -> ".join([*circle, circle[0]])
        advice = "take one requirement out"
        faults.append(_fault(circle[0], "requires", way, "requirements without a circle", advice))
    return faults


def _fault(key: str, column: str, found: str, expected: str, remedy: str) -> Fault:
    return Fault(file=_FILE, key=key, column=column, found=found, expected=expected, remedy=remedy)


def _contradictions(rows: pd.DataFrame) -> list[Fault]:
    """Report columns that differ between the rows of one project."""
    counts = rows.groupby("project_id", sort=False)[list(_HEADER)].nunique(dropna=False)
    return [
        _fault(
            str(project), column, f"{int(n)} values in the rows of the project",
            "the same value in each of its rows", "correct the rows",
        )
        for column in _HEADER
        for project, n in counts[column].items()
        if n > 1
    ]  # fmt: skip


def _circle(needs: dict[str, tuple[str, ...]]) -> list[str]:
    """Return projects that require each other in a circle, in its order; empty where none do."""
    left = {name: {other for other in others if other in needs} for name, others in needs.items()}
    while free := [name for name, others in left.items() if not others]:
        for name in free:
            del left[name]
        for others in left.values():
            others.difference_update(free)
    if not left:
        return []
    way = [min(left)]
    while (after := min(left[way[-1]])) not in way:
        way.append(after)
    return way[way.index(after) :]


def closure(projects: Sequence[Project], ids: Iterable[str]) -> frozenset[str]:
    """Return projects with everything that they require, and what that requires."""
    needs = {project.id: project.requires for project in projects}
    found: set[str] = set()
    left = list(ids)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += needs[name]
    return frozenset(found)


def without(projects: Sequence[Project], portfolio: frozenset[str], name: str) -> frozenset[str]:
    """Return a portfolio without a project and without what requires it."""
    return frozenset(other for other in portfolio if name not in closure(projects, [other]))


def with_capex(project: Project, capex_musd: float) -> Project:
    """Return a project at another capex [MUSD]."""
    return replace(project, capex_musd=capex_musd)


def rival_projects(network: Network, ids: Iterable[str]) -> frozenset[str]:
    """Return the projects among some that set a cell which another sets to another value.

    The later of the table wins there, so that leaving it out may be better.
    """
    rows = network.projects
    rows = rows[rows["project_id"].isin(list(ids))]
    values = rows.groupby(["table", "key", "column"])["value"].transform("nunique")
    return frozenset(rows.loc[values > 1, "project_id"])


def touched_crossings(
    network: Network, ids: Iterable[str], *, but: Sequence[str] = ()
) -> frozenset[str]:
    """Return the crossings at which projects set anything: themselves, their stages or links.

    Parameters
    ----------
    network
        The network and its projects.
    ids
        Ids of projects.
    but
        Columns that do not count.
    """
    rows = network.projects
    rows = rows[rows["project_id"].isin(list(ids)) & ~rows["column"].isin(but)]
    found: set[str] = set()
    crossings = network.crossings["crossing_id"].tolist()
    of_link = dict(zip(network.links["link_id"], network.links["crossing_id"], strict=True))
    for table, key in zip(rows["table"].tolist(), rows["key"].tolist(), strict=True):
        place = key.split("/")[0] if table == "stages" else key
        if table == "links":
            place = of_link.get(key, "")
        found.update(crossings if place == "*" else [place])
    return frozenset(found.intersection(crossings))


def network_with(network: Network, ids: Iterable[str]) -> Network:
    """Return the network with projects built.

    Cells of projects were checked with their table, so the tables are not validated again.

    Parameters
    ----------
    network
        The network before.
    ids
        Ids of projects of its table; where two set one cell the later of the table wins.
    """
    wanted = set(ids)
    order = [name for name in dict.fromkeys(network.projects["project_id"]) if name in wanted]
    tables: dict[str, pd.DataFrame] = {}
    set_cells(network, tables, project_cells(network, order))
    rows = {name: replace(network.rows[name], frame=frame) for name, frame in tables.items()}
    return replace(network, rows={**network.rows, **rows})


def yearly_costs(projects: Sequence[Project], discount_rate: float) -> FloatArray:
    """Return capital and upkeep of projects a year of use [MUSD/year], shape (n_projects,).

    Formula: capex x value at opening x capital recovery factor over the life + opex.
    """
    return np.array(
        [capital_musd_per_year(p, discount_rate) + p.opex_musd_per_year for p in projects]
    )


def capital_musd_per_year(project: Project, discount_rate: float) -> float:
    """Return the annuity of a project's capex with interest while building [MUSD/year]."""
    opened = project.capex_musd * value_at_opening(discount_rate, project.build_years)
    return opened * capital_recovery_factor(discount_rate, project.life_years)
