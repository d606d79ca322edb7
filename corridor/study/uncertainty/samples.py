r"""Draws: scrambled Sobol points, common shocks, and the quantiles of each cell's distribution.

Each input has a draw of its own, and common factors bind some of them together (a Gaussian copula):
``x = sum(sqrt(w_f) z_f) + sqrt(1 - sum(w_f)) z`` with independent standard normal z; an input's
probability is ``Phi(x)``. So every input keeps its own distribution, whatever it shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special
from scipy.stats import qmc

from corridor.errors import InputError
from corridor.study.uncertainty.inputs import Cells, Inputs

FloatArray: TypeAlias = NDArray[np.float64]

CHUNK: Final = 64
"""Samples that are drawn and solved together: a power of two, as Sobol points want."""
SIGMAS_90: Final = 1.6448536269514722
"""Distance of the 5th and 95th percentile from the median, in standard deviations."""
SIGMAS_RANGE: Final = 3.0
"""The same of the ends of a ``lognormal`` range, at which it is cut."""
_EDGE: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Factor:
    """A shock that several inputs share.

    Attributes
    ----------
    name
        ``state GEO``, ``weather: caspian weather``, ``sanctions``.
    inputs
        Positions of the inputs it moves.
    share
        Part of the variance of each of them (of its normal score) that it explains, 0 to 1.
    """

    name: str
    inputs: tuple[int, ...]
    share: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sampler:
    """Draws samples by their numbers: sample k is the same however many are drawn.

    Attributes
    ----------
    inputs, factors
        What is drawn.
    seed
        Seed of the scrambling.
    """

    inputs: Inputs
    factors: tuple[Factor, ...]
    seed: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of `scores`: inputs, then factors."""
        return (*self.inputs.names, *(factor.name for factor in self.factors))

    def scores(self, first: int, n: int) -> FloatArray:
        """Return normal scores of samples ``first`` to ``first + n - 1``.

        Parameters
        ----------
        first
            Number of the first sample, >= 0; a multiple of `CHUNK`.
        n
            Number of samples, >= 0.

        Returns
        -------
        ndarray of float64, shape (n, n_inputs + n_factors)
            Those of the inputs, shocks included, then those of the factors alone.
        """
        n_inputs = len(self.inputs)
        sobol = qmc.Sobol(n_inputs + len(self.factors), scramble=True, rng=self.seed)
        if first:
            sobol.fast_forward(first)
        whole = -(-n // CHUNK) * CHUNK
        points = [sobol.random(CHUNK) for _ in range(whole // CHUNK)]
        uniform = np.concatenate([np.empty((0, sobol.d)), *points])[:n]
        z = special.ndtri(np.clip(uniform, _EDGE, 1.0 - _EDGE))
        load = self._loads()
        own = np.sqrt(1.0 - (load**2).sum(axis=0))
        joint = z[:, :n_inputs] * own
        # By hand: the bits of a product by BLAS may depend on its threads.
        for factor, weights in enumerate(load):
            joint += z[:, n_inputs + factor, None] * weights
        return np.concatenate([joint, z[:, n_inputs:]], axis=1)

    def _loads(self) -> FloatArray:
        """Return the weight of each factor in each input, shape (n_factors, n_inputs)."""
        load = np.zeros((len(self.factors), len(self.inputs)))
        for row, factor in enumerate(self.factors):
            load[row, list(factor.inputs)] = np.sqrt(factor.share)
        worst = (load**2).sum(axis=0).max(initial=0.0)
        if worst > 1.0 + _EDGE:
            msg = (
                "The shares of the factors of one input must not exceed 1 together; found "
                f"{worst:.3g}. Lower them."
            )
            raise InputError(msg)
        return load


def cell_values(cells: Cells, scores: FloatArray) -> FloatArray:
    """Return the numbers that the cells take.

    Parameters
    ----------
    cells
        The cells.
    scores : ndarray of float64, shape (n_samples, n_inputs)
        Normal scores of the inputs, see `Sampler.scores`.

    Returns
    -------
    ndarray of float64, shape (n_samples, n_cells)
        A triangular distribution has its mode at the cell's own number, drawn into the range.
    """
    z = scores[:, cells.source]
    u = special.ndtr(z)
    low, high = cells.low, cells.high
    values = low + u * (high - low)
    kinds = {name: cells.distribution == name for name in set(cells.distribution.tolist())}
    for name, at in kinds.items():
        lo, hi = low[at], high[at]
        if name == "triangular":
            values[:, at] = _triangular(u[:, at], lo, np.clip(cells.nominal[at], lo, hi), hi)
        elif name == "integer_uniform":
            first, last = np.ceil(lo), np.floor(hi)
            values[:, at] = np.minimum(first + np.floor(u[:, at] * (last - first + 1.0)), last)
        elif name == "lognormal90":
            values[:, at] = _lognormal(z[:, at], lo, hi, SIGMAS_90)
        elif name == "lognormal":
            values[:, at] = np.clip(_lognormal(z[:, at], lo, hi, SIGMAS_RANGE), lo, hi)
    return np.maximum(values, cells.least)


def _triangular(u: FloatArray, low: FloatArray, mode: FloatArray, high: FloatArray) -> FloatArray:
    width = high - low
    with np.errstate(invalid="ignore", divide="ignore"):
        left = np.where(width > 0.0, (mode - low) / width, 0.0)
    rising = low + np.sqrt(u * width * (mode - low))
    falling = high - np.sqrt((1.0 - u) * width * (high - mode))
    return np.where(u < left, rising, falling)


def _lognormal(z: FloatArray, low: FloatArray, high: FloatArray, sigmas: float) -> FloatArray:
    middle, half = np.log(low * high) / 2.0, np.log(high / low) / 2.0
    values: FloatArray = np.exp(middle + half * z / sigmas)
    return values


def check_factors(factors: Sequence[Factor], inputs: Inputs) -> None:
    """Refuse factors that move unknown inputs or have a share outside 0 to 1.

    Raises
    ------
    InputError
        If one does.
    """
    for factor in factors:
        known = all(0 <= position < len(inputs) for position in factor.inputs)
        if not (known and 0.0 <= factor.share <= 1.0):
            msg = (
                f"A factor must move inputs 0 to {len(inputs) - 1} with a share of 0 to 1; "
                f"{factor.name!r} has the share {factor.share} and the inputs {factor.inputs}."
            )
            raise InputError(msg)
