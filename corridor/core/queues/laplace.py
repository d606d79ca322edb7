"""Distributions from their Laplace transforms, by the Euler method of Abate and Whitt.

P(T > t) = exp(A / 2) / t (Re F(A / 2 t) / 2 + sum_k (-1)^k Re F((A + 2 k pi i) / 2 t)) with
F(s) = (1 - f(s)) / s, f the transform of T; the alternating sum is ended by Euler's binomial
average. It misses what the function is at odd multiples of t later, times exp(-A), and suits
smooth functions: a sum with a part of continuous density.

References
----------
J. Abate and W. Whitt, "Numerical inversion of Laplace transforms of probability distributions",
ORSA Journal on Computing 7 (1995) 36-43.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import comb

from corridor.core.queues._inputs import FloatArray

ComplexArray: TypeAlias = NDArray[np.complex128]
Transform: TypeAlias = Callable[[ComplexArray], ComplexArray]

_DAMPING = 24.0  # A: the method misses exp(-A) = 4e-11, and loses exp(A / 2) of the digits
_N_TERMS = 80
_N_AVERAGED = 14
_DOUBLINGS = 200
_HALVINGS = 44


def invert_tail(transform: Transform, time: FloatArray, at_zero: FloatArray) -> FloatArray:
    """Return P(T > t) for t >= 0.

    Parameters
    ----------
    transform
        f(s) for complex s of shape (n_nodes, *time.shape).
    time, at_zero
        t, and P(T > 0), both of one shape.
    """
    late = time > 0.0
    t = np.where(late, time, 1.0)
    k = np.arange(_N_TERMS + _N_AVERAGED + 1.0)
    above = comb(_N_AVERAGED, np.arange(_N_AVERAGED + 1.0)) / 2.0**_N_AVERAGED
    weight = np.ones(k.size)
    weight[_N_TERMS + 1 :] = above[::-1].cumsum()[::-1][1:]
    weight[0] = 0.5
    weight[1::2] *= -1.0
    column = (_DAMPING / 2.0 + 1j * np.pi * k).reshape(-1, *(1 for _ in t.shape))
    node = column / t
    tail = np.tensordot(weight, ((1.0 - transform(node)) / node).real, axes=1)
    tail *= np.exp(_DAMPING / 2.0) / t
    return np.where(late, np.clip(tail, 0.0, at_zero), at_zero)


def tail_quantile(
    transform: Transform,
    survival: FloatArray,
    at_zero: FloatArray,
    start: FloatArray,
    skip: NDArray[np.bool_],
) -> FloatArray:
    """Return the least t with P(T > t) <= survival; 0 where P(T > 0) is no more, or `skip` is.

    `start` is a positive time of the right size; all arrays are of one shape.
    """
    late = (at_zero > survival) & ~skip
    low, high = np.zeros(late.shape), np.where(start > 0.0, start, 1.0)
    for _ in range(_DOUBLINGS):
        short = late & (invert_tail(transform, high, at_zero) > survival)
        if not short.any():
            break
        low, high = np.where(short, high, low), np.where(short, 2.0 * high, high)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        above = invert_tail(transform, middle, at_zero) > survival
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(late, (low + high) / 2.0, 0.0)
