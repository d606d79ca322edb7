"""The integer program that chooses portfolios: its rows, from what is known of their costs.

Columns: binaries for projects, the use of the network above a floor (one for each period), and a
saving for each group of shipments of each bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from corridor.core.solver import Program
from corridor.planning.investment.portfolio_values import Portfolio, Value
from corridor.planning.investment.price_bounds import PriceBound
from corridor.planning.investment.projects import Project, closure
from corridor.units import DAYS_PER_YEAR

FloatArray: TypeAlias = NDArray[np.float64]
BoolArray: TypeAlias = NDArray[np.bool_]

MUSD_PER_YEAR: Final = DAYS_PER_YEAR / 1e6
"""[MUSD/year] in a [USD/day]."""
_TRIFLE: Final = 1e-6
"""Savings up to this are not worth a row [MUSD/year]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where projects and the use of the network stand among the columns.

    Attributes
    ----------
    projects
        Binaries of each project, whose sum says whether it is built.
    use
        Column of the use above the floor.
    """

    projects: tuple[tuple[int, ...], ...]
    use: int

    def spread(self, per_project: FloatArray) -> tuple[list[int], list[float]]:
        """Return columns and entries of amounts per project; zeros are left out."""
        columns: list[int] = []
        entries: list[float] = []
        for project in np.flatnonzero(per_project):
            columns += self.projects[project]
            entries += [float(per_project[project])] * len(self.projects[project])
        return columns, entries


class Rows:
    """Rows ``entries @ x <= upper`` of the integer program, and the limits of its savings.

    Rows of money are kept in MUSD/year and scaled together, so that no entry exceeds 1.
    """

    def __init__(self, n_binaries: int, n_uses: int = 1) -> None:
        self.n_binaries, self.n_uses = n_binaries, n_uses
        self.savings: list[float] = []
        self.upper: list[float] = []
        self._money: list[bool] = []
        self._row: list[int] = []
        self._column: list[int] = []
        self._entry: list[float] = []

    def add_saving(self, most: float) -> int:
        """Add a column between 0 and its most, and return its position."""
        self.savings.append(most)
        return self.n_binaries + self.n_uses + len(self.savings) - 1

    def add(
        self, columns: Sequence[int], entries: Sequence[float], upper: float, *, money: bool = False
    ) -> None:
        """Add a row; in a row of money the columns of money have the entries 1 and -1."""
        self._row += [len(self.upper)] * len(columns)
        self._column += columns
        self._entry += entries
        self._money.append(money)
        self.upper.append(upper)

    def unit(self) -> float:
        """Return the largest amount of money in a row [MUSD/year], at least 1e-3."""
        entries = self._of_money()
        return max(float(np.abs(np.array(self._entry)[entries]).max(initial=0.0)), 1e-3)

    def limits(self, unit: float) -> FloatArray:
        """Return the upper ends of the rows, shape (n_rows,)."""
        return np.array(self.upper) / np.where(self._money, unit, 1.0)

    def matrix(self, n_columns: int, unit: float) -> sp.csr_matrix:
        """Return the coefficients, shape (n_rows, n_columns)."""
        entry = np.array(self._entry)
        entry[self._of_money()] /= unit
        place = np.array(self._row, np.intp), np.array(self._column, np.intp)
        shape = (len(self.upper), n_columns)
        return sp.csr_matrix(sp.coo_matrix((entry, place), shape=shape))

    def program(self, cost_musd: FloatArray) -> tuple[Program, float]:
        """Return the program, and the money that is 1 in it [MUSD].

        Parameters
        ----------
        cost_musd : ndarray of float64, shape (n_binaries,) or (n_binaries + n_uses,)
            Cost of the binary columns [MUSD], and weights of the uses (1 where there are none).
        """
        unit, n = self.unit(), self.n_binaries
        size = n + self.n_uses + len(self.savings)
        upper = np.concatenate(
            [np.ones(n), np.full(self.n_uses, np.inf), np.array(self.savings) / unit]
        )
        cost = np.zeros(size)
        cost[:n] = cost_musd[:n] / unit
        cost[n : n + self.n_uses] = cost_musd[n:] if cost_musd.size > n else 1.0
        program = Program(
            cost=cost, lower=np.zeros(size), upper=upper, matrix=self.matrix(size, unit),
            row_lower=np.full(len(self.upper), -np.inf), row_upper=self.limits(unit),
            integer=np.arange(size) < n,
        )  # fmt: skip
        return program, unit

    def _of_money(self) -> BoolArray:
        """Return which entries are money for a binary, in rows of money."""
        money = np.array(self._money, np.bool_)[np.array(self._row, np.intp)]
        return money & (np.array(self._column, np.intp) < self.n_binaries)


def add_bound(rows: Rows, bound: PriceBound, places: Places, floor_musd: float) -> None:
    """Let use cost at least what a bound says: constant + coefficient x - savings <= use.

    Parameters
    ----------
    rows
        The rows so far.
    bound
        The bound [USD/day].
    places
        Where it stands.
    floor_musd
        Use that no portfolio goes below [MUSD/year].
    """
    constant = bound.constant * MUSD_PER_YEAR - floor_musd
    columns, entries = places.spread(bound.coefficient * MUSD_PER_YEAR)
    columns.append(places.use)
    entries.append(-1.0)
    for group in bound.groups:
        most = float(group.constant[0]) * MUSD_PER_YEAR
        if most <= _TRIFLE:
            constant -= max(most, 0.0)
            continue
        saving = rows.add_saving(most)
        columns.append(saving)
        entries.append(-1.0)
        for limit, per_project in zip(group.constant[1:], group.coefficient[1:], strict=True):
            # Below 0 only by rounding; more room is safe.
            room = max(float(limit), 0.0) * MUSD_PER_YEAR
            if room < most:
                which, amounts = places.spread(-np.maximum(per_project, 0.0) * MUSD_PER_YEAR)
                rows.add([saving, *which], [1.0, *amounts], room, money=True)
    rows.add(columns, entries, -constant, money=True)


def add_value(
    rows: Rows,
    value: Value,
    chosen: BoolArray,
    worsens: BoolArray,
    places: Places,
    floor_musd: float,
) -> None:
    """Hold each part of a solved portfolio to its cost: fewer projects cost no less.

    Where a project may worsen things, leaving it out is no longer a part.

    Parameters
    ----------
    rows, places, floor_musd
        As for `add_bound`.
    value
        The solved portfolio.
    chosen, worsens : ndarray of bool, shape (n_projects,)
        Its projects, and those that may worsen things.
    """
    if value.status == "infeasible":
        # A part of it may be lawful, where a post of the rest breaks a floor.
        leave_out(rows, chosen, places)
        return
    above = value.bound_usd_per_day * MUSD_PER_YEAR - floor_musd
    if not np.isfinite(above) or above <= 0.0:
        return
    # above - above (others built + worsening ones left out) <= use
    leave = chosen & worsens
    changes = np.where(chosen, np.where(leave, -1.0, 0.0), 1.0)
    columns, entries = places.spread(-above * changes)
    limit = -above * (1.0 - float(leave.sum()))
    rows.add([*columns, places.use], [*entries, -1.0], limit, money=True)


def leave_out(rows: Rows, chosen: BoolArray, places: Places) -> None:
    """Add the row that keeps one portfolio out: something must differ."""
    columns, entries = places.spread(np.where(chosen, 1.0, -1.0))
    rows.add(columns, entries, float(chosen.sum()) - 1.0)


def add_conditions(rows: Rows, projects: Sequence[Project], budget_musd: float) -> None:
    """Add the budget, the requirements and the exclusive groups of projects, a binary each."""
    if np.isfinite(budget_musd):
        most = max(budget_musd, 1e-9)
        capex = [project.capex_musd / most for project in projects]
        rows.add([*range(len(projects))], capex, budget_musd / most)
    position = {project.id: i for i, project in enumerate(projects)}
    for project in projects:
        for other in project.requires:
            rows.add([position[project.id], position[other]], [1.0, -1.0], 0.0)
    for members in exclusive_groups(projects):
        rows.add(members, [1.0] * len(members), 1.0)


def exclusive_groups(projects: Sequence[Project]) -> list[list[int]]:
    """Return the positions of the projects of each exclusive group that has several."""
    groups: dict[str, list[int]] = {}
    for position, project in enumerate(projects):
        groups.setdefault(project.exclusive_group, []).append(position)
    return [members for name, members in groups.items() if name and len(members) > 1]


def is_buildable(projects: Sequence[Project], portfolio: Portfolio, budget_musd: float) -> bool:
    """Return whether a portfolio keeps budget, requirements and exclusive groups."""
    chosen = [project for project in projects if project.id in portfolio]
    groups = [project.exclusive_group for project in chosen if project.exclusive_group]
    capex = sum(project.capex_musd for project in chosen)
    return (
        len(chosen) == len(portfolio)
        and capex <= budget_musd + 1e-9 * max(capex, 1.0)
        and len(set(groups)) == len(groups)
        and closure(projects, portfolio) == portfolio
    )


def least_use(bound: PriceBound) -> float:
    """Return the use that no portfolio goes below [USD/day]."""
    saved = sum(max(float(group.constant[0]), 0.0) for group in bound.groups)
    return bound.constant + float(np.minimum(bound.coefficient, 0.0).sum()) - saved
