"""Screening: which share of vehicles is inspected, what it finds, and how long all wait for it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.queues._inputs import FloatArray, broadcast, finite_array, share_array
from corridor.core.queues.waits import wait_and_slope
from corridor.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScreeningCurve:
    """Detection against delay, one entry for each inspected share.

    Attributes
    ----------
    share
        float64 (n_shares,): share of the vehicles inspected.
    detection
        float64 (n_shares,): probability that a vehicle with misdeclared goods is found.
    wait
        float64 (n_shares,): mean wait for inspection of those inspected; inf where overloaded.
    delay
        float64 (n_shares,): mean delay of a vehicle of the whole stream, ``share * (wait +
        service_time)``.
    delay_slope
        float64 (n_shares,): derivative of the delay by the share: what one point more of a
        floor costs every vehicle; inf where overloaded.
    """

    share: FloatArray
    detection: FloatArray
    wait: FloatArray
    delay: FloatArray
    delay_slope: FloatArray


def targeted_detection(share: ArrayLike, separation: ArrayLike) -> FloatArray:
    r"""Return which part of the vehicles with misdeclared goods a risk score sends to inspection.

    Binormal model: the score is standard normal for other vehicles and shifted by ``separation``
    for these, and the share of the stream with the highest scores is inspected. Nearly all vehicles
    are in order, so the share is their false alarm rate::

        selected = Phi(separation + Phi^-1(share))

    Parameters
    ----------
    share
        Share of the vehicles inspected, 0..1.
    separation
        Distance of the two means in standard deviations, >= 0; 0 is a random choice.

    Returns
    -------
    ndarray of float64
        Probability of selection, of the broadcast shape.

    Raises
    ------
    InputError
        If a value is out of its range.

    Examples
    --------
    Ten of a hundred trucks at random find ten of a hundred; by a good risk score, many more:

    >>> targeted_detection(0.1, [0.0, 1.0, 2.0]).round(3)
    array([0.1  , 0.389, 0.764])
    """
    from scipy.special import ndtr, ndtri

    sent = share_array("share", share)
    apart = finite_array("separation", separation)
    sent, apart = broadcast(("share", "separation"), (sent, apart))
    return np.asarray(ndtr(apart + ndtri(sent)), dtype=np.float64)


def screening_curve(
    share: ArrayLike,
    arrival_rate: float,
    service_time: float,
    servers: float,
    service_scv: float = 1.0,
    *,
    separation: float = 0.0,
    inspection_detection: float = 1.0,
    floor: float = 0.0,
) -> ScreeningCurve:
    """Return detection and delay at a post for shares of vehicles inspected.

    Both rise with the share, so every entry is on the Pareto curve; where detection must be at
    least something, the least share that reaches it is the quickest.

    Parameters
    ----------
    share
        (n_shares,): shares inspected, 0..1. None may lie below the floor.
    arrival_rate, service_time, servers, service_scv
        All vehicles of the stream, and the inspection's queue, as in `mean_wait`.
    separation
        Quality of the risk score, as in `targeted_detection`; 0 chooses at random.
    inspection_detection
        Probability that an inspection finds what is there, 0..1.
    floor
        Least share that the host state has inspected, 0..1: its right, which is never relaxed.

    Returns
    -------
    ScreeningCurve
        One entry a share, in their order.

    Raises
    ------
    InputError
        If a value is out of its range, or a share lies below the floor.

    Examples
    --------
    One inspection team, half an hour a truck, ten trucks an hour:

    >>> curve = screening_curve([0.05, 0.1, 0.15], 10.0, 0.5, 1, separation=1.5)
    >>> curve.detection.round(3), curve.wait.round(3)
    (array([0.442, 0.586, 0.679]), array([0.167, 0.5  , 1.5  ]))
    """
    sent = np.atleast_1d(share_array("share", share))
    least = float(share_array("floor", floor))
    finds = float(share_array("inspection_detection", inspection_detection))
    if (sent < least).any():
        msg = (
            f"share must be at least the host's floor of {least:g}; found {sent.min():g} "
            f"({int((sent < least).sum())} of {sent.size} values). The floor is not relaxed: "
            "raise the shares, or let the host state change its rule."
        )
        raise InputError(msg)
    rate = float(finite_array("arrival_rate", arrival_rate))
    wait, slope = wait_and_slope(sent * rate, service_time, servers, 1.0, service_scv)
    # d(share (wait + s)) / d(share), with the wait's slope by the arrivals of the inspection.
    by_share = wait + service_time + sent * slope * rate
    with np.errstate(invalid="ignore"):
        delay = np.where(sent > 0.0, sent * (wait + service_time), 0.0)
    return ScreeningCurve(
        share=sent,
        detection=finds * targeted_detection(sent, separation),
        wait=np.asarray(wait),
        delay=delay,
        delay_slope=np.where(np.isfinite(wait), by_share, np.inf),
    )
