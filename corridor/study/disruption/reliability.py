"""How sure arrival is: buffer index, on-time share, and how long queues take to clear."""

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from corridor.planning.answer import FlowAnswer
from corridor.planning.borders.tables import crossing_table

FloatArray: TypeAlias = NDArray[np.float64]


def reliability_table(answer: FlowAnswer, allowance: float) -> pd.DataFrame:
    """Return how long goods take and how sure that is.

    Times of a path are taken as lognormal with the mean and the standard deviation of the path
    (delays of its arcs come together, see `corridor.planning.costs`).

    Parameters
    ----------
    answer
        A solved flow.
    allowance
        Goods are on time when they take no more than 1 + allowance of the mean, >= 0.

    Returns
    -------
    DataFrame
        ``origin, destination, commodity, t_per_day, time_h, p95_h, buffer_index`` ((P95 - mean) /
        mean), ``on_time_share``; means over the paths of a shipment by tonnes.
    """
    model = answer.model
    costs, goods = model.costs, model.shipments
    mean = answer.path_sum(answer.step_of(costs.time_h + answer.wait_h))
    spread = answer.path_sum(answer.step_of(costs.sd_h))
    p95, on_time = lognormal_times(mean, spread, 0.95, allowance)
    rows, t = answer.path_shipment, answer.path_t_per_day
    total = np.bincount(rows, t, minlength=len(goods))
    kept = np.flatnonzero(total > 0.0)

    def average(values: FloatArray) -> FloatArray:
        sums = np.bincount(rows, t * values, minlength=len(goods))
        return np.asarray(sums[kept] / total[kept], dtype=np.float64)

    time_h, late_h = average(mean), average(p95)
    return pd.DataFrame(
        {
            "origin": goods.places[goods.origin[kept]],
            "destination": goods.places[goods.destination[kept]],
            "commodity": goods.commodities[goods.commodity[kept]],
            "t_per_day": total[kept],
            "time_h": time_h,
            "p95_h": late_h,
            "buffer_index": late_h / time_h - 1.0,
            "on_time_share": average(on_time),
        }
    )


def lognormal_times(
    mean: FloatArray, spread: FloatArray, quantile: float, allowance: float
) -> tuple[FloatArray, FloatArray]:
    """Return a quantile of lognormal times, and the share within 1 + allowance of the mean.

    Examples
    --------
    >>> late, share = lognormal_times(np.array([10.0, 10.0]), np.array([0.0, 5.0]), 0.95, 0.0)
    >>> late.round(2), share.round(3)
    (array([10.  , 19.45]), array([1.   , 0.593]))
    """
    cv = np.divide(spread, mean, out=np.zeros(mean.size), where=mean > 0.0)
    sigma = np.sqrt(np.log1p(cv**2))
    log_mean = np.log(np.maximum(mean, 1e-300)) - sigma**2 / 2.0
    late = np.exp(log_mean + sigma * ndtri(quantile))
    limit = np.log(np.maximum(mean, 1e-300)) + np.log1p(allowance)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(sigma > 0.0, ndtr((limit - log_mean) / sigma), 1.0)
    return np.where(mean > 0.0, late, 0.0), np.asarray(share, dtype=np.float64)


def recovery_table(answer: FlowAnswer) -> pd.DataFrame:
    """Return how long each crossing takes to clear the queue of one closed day.

    As a fluid: goods wait rather than go around, and room beyond the flow clears what waits.
    ``recovery_d_per_closed_d = utilization / (1 - utilization)``, background included.

    Returns
    -------
    DataFrame
        ``crossing_id, from_country, to_country, vehicles_per_day, utilization,
        recovery_d_per_closed_d`` (inf where a post is full) of the crossings that carry something.
    """
    table = crossing_table(answer)
    table = table[table["vehicles_per_day"] > 0.0]
    used = table["utilization"].to_numpy(float)
    clears = np.full(used.size, np.inf)
    np.divide(used, 1.0 - used, out=clears, where=used < 1.0)
    columns = ["crossing_id", "from_country", "to_country", "vehicles_per_day", "utilization"]
    found = table[columns].reset_index(drop=True)
    found["recovery_d_per_closed_d"] = np.where(np.isnan(used), np.nan, clears)
    return found
