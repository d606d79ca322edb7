"""What shipments do, seen from their paths alone: the evidence by which rules are checked."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from corridor.sovereignty.counts import weighed
from corridor.sovereignty.effects import QuotaUnit
from corridor.sovereignty.scope import Scope
from corridor.sovereignty.territory import Territory

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int32]
BoolArray: TypeAlias = NDArray[np.bool_]

_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule finds in a plan: a value, and the bounds it must keep.

    Attributes
    ----------
    rule_id, measure, unit
        The rule, what was measured, and its unit.
    value, lower, upper
        The measure and its bounds; -inf and inf where there is none.
    scale
        What a rounding error is relative to, in the unit.

    Examples
    --------
    >>> Finding(rule_id="r", measure="entering", unit="t_per_day", value=9.0, upper=8.0).kept
    False
    """

    rule_id: str
    measure: str
    unit: str
    value: float
    lower: float = -np.inf
    upper: float = np.inf
    scale: float = 1.0

    @property
    def kept(self) -> bool:
        """Whether the value keeps its bounds."""
        slack = _TOLERANCE * max(self.scale, abs(self.value))
        return self.lower - slack <= self.value <= self.upper + slack

    def __str__(self) -> str:
        bounds = [f"at least {self.lower:g}"] if np.isfinite(self.lower) else []
        bounds += [f"at most {self.upper:g}"] if np.isfinite(self.upper) else []
        must = f" ({' and '.join(bounds)})" if bounds else ""
        return f"{self.measure} {self.value:g} {self.unit}{must}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Journeys:
    """The paths of a plan; the arcs of all of them stand in one array.

    Attributes
    ----------
    territory
        The network as rules see it.
    path_class : ndarray of int32, shape (n_paths,)
        Class of each path's shipment.
    path_t_per_day : ndarray of float64, shape (n_paths,)
        Its flow [t/day].
    path_indptr, path_arc : ndarray of int32
        Arcs of path ``p``: ``path_arc[path_indptr[p]:path_indptr[p + 1]]``.
    step_seals : tuple of frozenset of str, length n_steps
        Ids of the rules under whose seal each arc is passed.
    """

    territory: Territory
    path_class: IntArray
    path_t_per_day: FloatArray
    path_indptr: IntArray
    path_arc: IntArray
    step_seals: tuple[frozenset[str], ...]

    @property
    def step_path(self) -> IntArray:
        """Path of each step."""
        sizes = np.diff(self.path_indptr)
        return np.repeat(np.arange(sizes.size), sizes).astype(np.int32)

    @property
    def step_class(self) -> IntArray:
        """Class of each step."""
        return self.path_class[self.step_path]

    @property
    def total_t_per_day(self) -> float:
        """Flow of all paths [t/day]."""
        return float(self.path_t_per_day.sum())

    def at_steps(self, pairs: sparse.csr_array) -> FloatArray:
        """Return the value of (class, arc) pairs at every step, 0 where there is none."""
        told = pairs.tocsr()
        told.sort_indices()
        rows, columns = told.tocoo().coords
        key = rows.astype(np.int64) * told.shape[1] + columns
        wanted = self.step_class.astype(np.int64) * told.shape[1] + self.path_arc
        if not key.size:
            return np.zeros(wanted.size)
        at = np.minimum(np.searchsorted(key, wanted), key.size - 1)
        return np.where(key[at] == wanted, told.data[at], 0.0)

    def entered(self, scope: Scope, unit: QuotaUnit, *, once: bool = False) -> float:
        """Return F(scope) [unit a day]: every unbroken stay inside a scope is one entry.

        Nothing is asked about where a scope is entered: a stay begins on the first arc inside. Of a
        scope of links only arcs of links count, so that a terminal between two of them breaks no
        stay. With ``once`` only the first stay of each path counts.
        """
        land, net = self.territory, self.territory.supernetwork
        inside = self.at_steps(land.inside(scope)) > 0.0
        if scope.links is not None or scope.crossings is not None:
            told = np.flatnonzero(net.arc_link[self.path_arc] >= 0)
        else:
            told = np.arange(self.path_arc.size)
        path, stays = self.step_path[told], inside[told]
        before = np.append(False, stays[:-1] & (path[1:] == path[:-1]))[: stays.size]
        begins = told[stays & ~before]
        if once:
            begins = begins[np.unique(self.step_path[begins], return_index=True)[1]]
        met = (np.ones(begins.size), (self.step_class[begins], self.path_arc[begins]))
        pairs = sparse.csr_array(met, shape=(len(land.classes), net.n_arcs))
        pairs.sum_duplicates()
        pairs.data[:] = 1.0
        per_t = self.at_steps(weighed(land, pairs, unit))
        return float((per_t[begins] * self.path_t_per_day[self.step_path[begins]]).sum())

    def served_t_per_day(self, scope: Scope) -> float:
        """Return the flow of the shipments that a scope speaks of, wherever they go [t/day]."""
        spoken = self.territory.classes.matches(scope)[self.path_class]
        return float(self.path_t_per_day[spoken].sum())

    def t_per_day_of(self, paths: BoolArray) -> float:
        """Return the flow of some paths [t/day]."""
        return float(self.path_t_per_day[paths].sum())

    def any_step(self, steps: BoolArray) -> BoolArray:
        """Return which paths have one of the steps."""
        has = np.zeros(self.path_t_per_day.size, np.bool_)
        has[self.step_path[steps]] = True
        return has
