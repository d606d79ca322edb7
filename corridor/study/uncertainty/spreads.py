"""Statistics of samples: quantiles, tails, and which inputs drive the spread."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from corridor.errors import InputError

FloatArray: TypeAlias = NDArray[np.float64]

TAIL: Final = 0.05
"""Share of the samples that counts as a tail."""
_LEAST_IN_BIN: Final = 8


def conditional_value_at_risk(values: FloatArray, tail: float = TAIL) -> FloatArray:
    """Return the mean of the highest values: what is to be expected in the worst cases.

    Formula (Rockafellar and Uryasev): ``min_e e + mean(max(v - e, 0)) / tail``, which the sorted
    values give directly, the value at the edge counted in part.

    Parameters
    ----------
    values : ndarray of float64, shape (n, ...)
        Samples along the first axis, n >= 1.
    tail
        Share of the samples in the tail, 0 < tail <= 1.

    Returns
    -------
    ndarray of float64, shape (...)
        Means of the tail. For the lowest values pass ``-values`` and turn the sign.

    Raises
    ------
    InputError
        If `tail` is out of its range, or there are no samples.

    References
    ----------
    R. T. Rockafellar and S. Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2
    (2000) 21-41.

    Examples
    --------
    The worst quarter of 1, 2, 3, 4 is 4; the worst 3/8 is 4 and half of 3.

    >>> conditional_value_at_risk(np.array([3.0, 1.0, 4.0, 2.0]), 0.25).round(9)
    np.float64(4.0)
    >>> conditional_value_at_risk(np.array([3.0, 1.0, 4.0, 2.0]), 0.375).round(9)
    np.float64(3.666666667)
    """
    n = values.shape[0]
    if not (0.0 < tail <= 1.0 and n):
        msg = f"tail must be a share > 0 and <= 1 of samples; found {tail} of {n} samples."
        raise InputError(msg)
    worst = np.flip(np.sort(values, axis=0), axis=0)
    weight = np.clip(tail * n - np.arange(n), 0.0, 1.0)
    shaped = weight.reshape(-1, *(1,) * (values.ndim - 1))
    mean: FloatArray = (worst * shaped).sum(axis=0) / (tail * n)
    return mean


def rank_correlations(inputs: FloatArray, outputs: FloatArray) -> FloatArray:
    """Return Spearman's rank correlation of each input with each output.

    Parameters
    ----------
    inputs : ndarray of float64, shape (n, n_inputs)
        Samples of the inputs.
    outputs : ndarray of float64, shape (n, n_outputs)
        Samples of the outputs.

    Returns
    -------
    ndarray of float64, shape (n_outputs, n_inputs)
        -1 to 1; 0 where one of them does not vary.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [3.0]])
    >>> rank_correlations(x, -(x**3)).round(9).tolist()
    [[-1.0]]
    """
    x, y = _standard(_ranks(inputs)), _standard(_ranks(outputs))
    return np.asarray(np.einsum("ki,kj->ij", y, x), dtype=np.float64)


def first_order_indices(inputs: FloatArray, outputs: FloatArray) -> FloatArray:
    """Return Sobol's first-order indices, estimated from samples as they are.

    The index of an input is ``Var(E[y | x]) / Var(y)``: the part of the variance that would be gone
    if the input were known. The samples are cut into classes of equal size by the input; the means
    of the classes stand for E[y | x], and what chance alone would spread them by is taken off (the
    analysis of variance's adjusted correlation ratio). With correlated inputs the index counts what
    an input tells of the others, too.

    Parameters
    ----------
    inputs : ndarray of float64, shape (n, n_inputs)
        Samples of the inputs.
    outputs : ndarray of float64, shape (n, n_outputs)
        Samples of the outputs.

    Returns
    -------
    ndarray of float64, shape (n_outputs, n_inputs)
        0 to 1; NaN where there are fewer than 16 samples, or the output does not vary.

    References
    ----------
    E. Plischke, "An effective algorithm for computing global sensitivity indices (EASI)",
    Reliability Engineering and System Safety 95 (2010) 354-360; E. Borgonovo, "A new uncertainty
    importance measure", same journal 92 (2007) 771-784, for given-data estimates.

    Examples
    --------
    >>> x = np.random.default_rng(1).random((4096, 2))
    >>> y = (x[:, :1] + 2.0 * x[:, 1:])  # variances 1 and 4
    >>> first_order_indices(x, y).round(1).tolist()
    [[0.2, 0.8]]
    """
    n, n_outputs = outputs.shape
    bins = min(round(np.cbrt(n) * 1.5), n // _LEAST_IN_BIN)
    if bins < 2:  # noqa: PLR2004 (one class has nothing to compare with)
        return np.full((n_outputs, inputs.shape[1]), np.nan)
    centered = outputs - outputs.mean(axis=0)
    total = (centered**2).sum(axis=0)
    edges = np.linspace(0, n, bins + 1).round().astype(np.int64)
    size = np.diff(edges)[:, None]
    indices = np.empty((n_outputs, inputs.shape[1]))
    for column in range(inputs.shape[1]):
        order = np.argsort(inputs[:, column], kind="stable")
        means = np.add.reduceat(centered[order], edges[:-1], axis=0) / size
        between = (size * means**2).sum(axis=0)
        within = (total - between) / (n - bins)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = (between - (bins - 1) * within) / total
        indices[:, column] = np.clip(share, 0.0, 1.0)
    return indices


def swings(
    inputs: FloatArray, outputs: FloatArray, tail: float = 0.1
) -> tuple[FloatArray, FloatArray]:
    """Return the mean of each output where an input is low, and where it is high.

    Parameters
    ----------
    inputs : ndarray of float64, shape (n, n_inputs)
        Samples of the inputs.
    outputs : ndarray of float64, shape (n, n_outputs)
        Samples of the outputs.
    tail
        Share of the samples that counts as low, and as high.

    Returns
    -------
    low, high : ndarray of float64, shape (n_outputs, n_inputs)
        The bars of a tornado chart.
    """
    n = max(1, round(tail * inputs.shape[0]))
    low = np.empty((outputs.shape[1], inputs.shape[1]))
    high = np.empty_like(low)
    for column in range(inputs.shape[1]):
        order = np.argsort(inputs[:, column], kind="stable")
        low[:, column] = outputs[order[:n]].mean(axis=0)
        high[:, column] = outputs[order[-n:]].mean(axis=0)
    return low, high


def _ranks(values: FloatArray) -> FloatArray:
    """Return ranks along the first axis; equal values share their mean rank."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=0), dtype=np.float64)


def _standard(values: FloatArray) -> FloatArray:
    """Return values with mean 0 and length 1 along the first axis; 0 where they do not vary."""
    centered = values - values.mean(axis=0)
    length = np.sqrt((centered**2).sum(axis=0))
    scaled: FloatArray = centered / np.where(length > 0.0, length, 1.0)
    return scaled
