"""Inspection policies with several sensors: which to use next, given what the last ones said.

The best mixed policy is a linear program in sequence form: one weight for each history of sensors
and readings and each thing to do next. Nothing here is about any goods or sensor in particular;
readings are probabilities that a user brings.
"""

from dataclasses import dataclass
from itertools import product
from math import perm
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from corridor.core.solver import Program, solve
from corridor.errors import InputError, SolverError

FloatArray: TypeAlias = NDArray[np.float64]
History: TypeAlias = tuple[tuple[int, int], ...]
"""Sensors used so far, in order, each with the reading (bin) it gave."""

OPEN: Final = -1
RELEASE: Final = -2
_MOST_HISTORIES: Final = 200_000
_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InspectionPolicy:
    """The best mixed policy within the loads that sensors and openings can bear.

    Attributes
    ----------
    detection
        Probability that a vehicle with misdeclared goods is opened.
    open_share
        Share of the other vehicles that is opened.
    sensor_share
        float64 (n_sensors,): share of the other vehicles that each sensor sees.
    price
        float64 (n_sensors + 1,): detection gained by one unit more of each sensor's greatest share,
        and last of the openings'.
    histories
        Histories in the order of the rows of `weight`, the empty one first.
    weight
        float64 (n_histories, n_sensors + 2): probability that the policy itself brings, readings
        given, of taking each sensor next, opening, and releasing.
    """

    detection: float
    open_share: float
    sensor_share: FloatArray
    price: FloatArray
    histories: list[History]
    weight: FloatArray

    def next_step(self, history: History) -> FloatArray:
        """Return the probabilities of what to do after a history; zeros if it is never reached."""
        weights = self.weight[self.histories.index(history)]
        total = float(weights.sum())
        return np.asarray(weights / total if total > 0.0 else np.zeros_like(weights))


def best_policy(
    clean: ArrayLike,
    suspect: ArrayLike,
    most_sensed: ArrayLike,
    most_opened: float,
    least_opened: float = 0.0,
) -> InspectionPolicy:
    r"""Return the mixed policy that detects most within the loads.

    Sequence form: with x[h, a] the weight of doing a after history h, maximize
    ``sum_h P(h | suspect) x[h, open]`` subject to ``sum_a x[empty, a] = 1``,
    ``sum_a x[h + (s, r), a] = x[h, s]`` for every reading r, and the loads
    ``sum_h P(h | clean) x[h, s] <= most_sensed[s]``, opened shares likewise. Each sensor is used at
    most once.

    Parameters
    ----------
    clean, suspect
        float64 (n_sensors, n_readings): probability of each reading of a vehicle in order, and of
        one with misdeclared goods; each row sums to 1.
    most_sensed
        float64 (n_sensors,): greatest share of the vehicles that each sensor can see, 0..1.
    most_opened
        Greatest share of vehicles in order that can be opened, 0..1.
    least_opened
        The host's floor on it, 0..most_opened; its price is the last of `price` where it binds.

    Returns
    -------
    InspectionPolicy
        The optimum; it mixes at most as many plain policies as there are loads that bind, plus 1.

    Raises
    ------
    InputError
        If a value is out of its range or the histories are too many.

    References
    ----------
    E. Boros, L. Fedzhora, P. B. Kantor, K. Saeger, P. Stroud, "A large-scale linear programming
    model for finding optimal container inspection strategies", Naval Research Logistics 56 (2009)
    404-420; B. von Stengel, "Efficient computation of behavior strategies", Games and Economic
    Behavior 14 (1996) 220-246.

    Examples
    --------
    A scanner that flags 10 % of vehicles in order and 80 % of the others; a tenth can be opened:

    >>> policy = best_policy([[0.9, 0.1]], [[0.2, 0.8]], [1.0], 0.1)
    >>> round(policy.detection, 6), policy.next_step(((0, 1),)).round(6).tolist()
    (0.8, [0.0, 1.0, 0.0])
    """
    p_clean, p_suspect, sensed = _checked(clean, suspect, most_sensed, most_opened, least_opened)
    histories = _histories(*p_clean.shape)
    rows = {history: i for i, history in enumerate(histories)}
    chance = np.array([_probability(p_clean, history) for history in histories])
    found = np.array([_probability(p_suspect, history) for history in histories])
    program = _program(p_clean.shape, histories, rows, chance, found)
    bounds = np.r_[sensed, float(most_opened)]
    n_equal = program.n_rows - bounds.size
    lower = program.row_lower.copy()
    upper = program.row_upper.copy()
    upper[n_equal:] = bounds
    lower[n_equal:] = np.r_[np.full(sensed.size, -np.inf), float(least_opened)]
    answer = solve(
        Program(program.cost, program.lower, program.upper, program.matrix, lower, upper)
    )
    if answer.x is None or answer.row_price is None or answer.status != "optimal":
        msg = f"The policy's program ended {answer.status}; it always has an optimum."
        raise SolverError(msg)
    weight = answer.x.reshape(len(histories), -1)
    loads = program.matrix[n_equal:] @ answer.x
    return InspectionPolicy(
        detection=-answer.objective,
        open_share=float(loads[-1]),
        sensor_share=np.asarray(loads[:-1]),
        price=-answer.row_price[n_equal:],
        histories=histories,
        weight=np.where(weight > _TOLERANCE, weight, 0.0),
    )


def _checked(
    clean: ArrayLike,
    suspect: ArrayLike,
    most_sensed: ArrayLike,
    most_opened: float,
    least_opened: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    tables = []
    for name, given in (("clean", clean), ("suspect", suspect)):
        table = np.asarray(given, dtype=np.float64)
        good = table.ndim == 2 and bool(np.all(table >= 0.0))  # noqa: PLR2004
        if not good or not np.allclose(table.sum(axis=1), 1.0, rtol=0.0, atol=_TOLERANCE):
            msg = (
                f"{name} must hold a row of probabilities >= 0 for each sensor, summing to 1; "
                f"found shape {table.shape}"
                + (f" and sums {table.sum(axis=1).tolist()}." if table.ndim == 2 else ".")  # noqa: PLR2004
            )
            raise InputError(msg)
        tables.append(table)
    p_clean, p_suspect = tables
    sensed = np.asarray(most_sensed, dtype=np.float64)
    if p_clean.shape != p_suspect.shape or sensed.shape != p_clean.shape[:1]:
        msg = (
            "clean and suspect must have one shape and most_sensed one entry a sensor; found "
            f"{p_clean.shape}, {p_suspect.shape} and {sensed.shape}."
        )
        raise InputError(msg)
    shares = np.r_[sensed, most_opened, least_opened]
    if not ((shares >= 0.0) & (shares <= 1.0)).all() or least_opened > most_opened:
        msg = (
            "most_sensed, most_opened and least_opened must be shares 0..1 with least_opened <= "
            f"most_opened; found {shares.tolist()}. The host's floor needs teams enough to meet it."
        )
        raise InputError(msg)
    return p_clean, p_suspect, sensed


def _histories(n_sensors: int, n_readings: int) -> list[History]:
    """Return every history, shorter ones first: each sensor at most once, in any order."""
    count = sum(perm(n_sensors, used) * n_readings**used for used in range(n_sensors + 1))
    if count > _MOST_HISTORIES:
        msg = (
            f"The histories must stay below {_MOST_HISTORIES:,}; {n_sensors} sensors with "
            f"{n_readings} readings have {count:,}. Use fewer sensors or coarser readings."
        )
        raise InputError(msg)
    found: list[History] = [()]
    last: list[History] = [()]
    for _ in range(n_sensors):
        last = [
            (*history, (sensor, reading))
            for history in last
            for sensor, reading in product(range(n_sensors), range(n_readings))
            if all(sensor != used for used, _ in history)
        ]
        found += last
    return found


def _probability(readings: FloatArray, history: History) -> float:
    return float(np.prod([readings[sensor, reading] for sensor, reading in history]))


def _program(
    shape: tuple[int, ...],
    histories: list[History],
    rows: dict[History, int],
    chance: FloatArray,
    found: FloatArray,
) -> Program:
    """Return the program with open loads: columns are (history, next), sensors, open, release."""
    n_sensors, n_readings = shape
    width = n_sensors + 2
    used = [{sensor for sensor, _ in history} for history in histories]
    n_columns = len(histories) * width
    upper = np.full(n_columns, np.inf)
    entries: list[tuple[int, int, float]] = []
    for i, history in enumerate(histories):
        entries += [(i, i * width + step, 1.0) for step in range(width)]
        upper[[i * width + sensor for sensor in used[i]]] = 0.0
        for sensor in set(range(n_sensors)) - used[i]:
            for reading in range(n_readings):
                child = rows[(*history, (sensor, reading))]
                entries.append((child, i * width + sensor, -1.0))
        load = [(len(histories) + s, i * width + s, chance[i]) for s in range(n_sensors)]
        entries += [*load, (len(histories) + n_sensors, i * width + n_sensors, chance[i])]
    row, column, value = (np.array(part) for part in zip(*entries, strict=True))
    n_rows = len(histories) + n_sensors + 1
    matrix = sparse.csr_matrix((value.astype(float), (row, column)), shape=(n_rows, n_columns))
    cost = np.zeros(n_columns)
    cost[np.arange(len(histories)) * width + n_sensors] = -found
    start = np.zeros(n_rows)
    start[0] = 1.0
    top = start.copy()
    top[len(histories) :] = np.inf
    return Program(cost, np.zeros(n_columns), upper, matrix, start, top)
