"""Waits of pools as their users meet them, and the integrals that an equilibrium minimizes."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from corridor.core.queues._inputs import FloatArray
from corridor.core.queues.delay import QueueDelay

N_NODES: Final = 48
"""Points of the Gauss-Legendre rule for the integral of a wait."""


@dataclass(frozen=True, slots=True, eq=False)
class BeckmannDelay:
    r"""The integral of the wait in each pool: what users who choose for themselves minimize.

    `QueueDelay` counts what all vehicles lose together, so its slope holds what one more vehicle
    costs the others; here the slope is the wait of that vehicle alone. A flow of least cost with
    these curves is an equilibrium, in which nobody gains by another way (Beckmann).

    Formula, with v the load of the pool, W the mean wait at a stage and b its background::

        wait  = sum over stages of share W(share (b + v) / open_h_per_day)      [h per vehicle]
        value = integral of usd_per_vehicle_h x wait from 0 to v                [USD/day]

    Parameters
    ----------
    queues
        The queues; `usd_per_vehicle_h` of their stages is the value of waiting for all users of
        the pool. Above 99 % utilization W goes on along its tangent.

    References
    ----------
    M. Beckmann, C. B. McGuire and C. B. Winsten, "Studies in the Economics of Transportation",
    Yale University Press (1956).

    Examples
    --------
    One booth, half an hour a truck: at 24 trucks a day each waits half an hour, worth 5 USD. The
    integral of 10 x 0.5 a / (1 - a) USD for a = v / 48 is 240 (log 2 - 1/2) USD.

    >>> one = np.ones(1)
    >>> booth = QueueDelay(n_pools=1, pool=np.array([0]), share=one, servers=np.array([1]),
    ...     service_h=0.5 * one, arrival_scv=one, service_scv=one, open_h_per_day=24 * one,
    ...     usd_per_vehicle_h=10 * one, base_load=0 * one)
    >>> selfish, load = BeckmannDelay(booth), np.array([24.0])
    >>> selfish.slope(load).round(9), (selfish.value(load) / 240).round(9)
    (array([5.]), array([0.19314718]))
    """

    queues: QueueDelay
    _at_limit: tuple[FloatArray, FloatArray] = field(init=False, repr=False)
    _area_at_base: FloatArray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        queues = self.queues
        object.__setattr__(self, "_at_limit", queues.relative_wait(queues.limit))
        at_base = self._area(queues.base_load * queues.erlang_per_load)
        object.__setattr__(self, "_area_at_base", at_base)

    @property
    def n_pools(self) -> int:
        """Number of pools."""
        return self.queues.n_pools

    def wait_and_slope(self, load: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the mean wait of a vehicle in each pool and its derivative by the load.

        Parameters
        ----------
        load
            (n_pools,): load of each pool, background excluded [units/day], >= 0 (down to -1e-6
            counts as 0).

        Returns
        -------
        wait, slope : ndarray of float64, (n_pools,)
            Wait summed over the stages, each weighted with the share that joins it [h], and its
            slope [h per unit]; 0 for pools without stages.

        Raises
        ------
        InputError
            If the shape is not (n_pools,) or a load is NaN, infinite or negative.
        """
        queues = self.queues
        wait, slope = self._wait(queues.offered_load(load))
        hours = queues.share * queues.service_h
        return (
            queues.sum_by_pool(hours * wait),
            queues.sum_by_pool(hours * slope * queues.erlang_per_load),
        )

    def value(self, load: FloatArray) -> FloatArray:
        """Return the integral of the value of waiting, shape (n_pools,) [USD/day]."""
        queues = self.queues
        area = np.maximum(self._area(queues.offered_load(load)) - self._area_at_base, 0.0)
        # d(load) = d(erlangs) / erlang_per_load, and share service_h / erlang_per_load is open_h.
        return queues.sum_by_pool(queues.usd_per_vehicle_h * queues.open_h_per_day * area)

    def slope(self, load: FloatArray) -> FloatArray:
        """Return the value of a vehicle's own wait, shape (n_pools,) [USD per unit]."""
        queues = self.queues
        wait, _ = self._wait(queues.offered_load(load))
        return queues.sum_by_pool(queues.usd_per_vehicle_h * queues.share * queues.service_h * wait)

    def _wait(self, erlangs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the wait in service times and its slope by the offered load."""
        excess = np.maximum(erlangs - self.queues.limit, 0.0)
        wait, slope = self.queues.relative_wait(np.minimum(erlangs, self.queues.limit))
        return wait + slope * excess, slope

    def _area(self, erlangs: FloatArray) -> FloatArray:
        """Return the integral of the wait over the offered load, by Gauss's rule.

        With y = -log(1 - utilization) the pole at capacity is gone: wait x (1 - utilization) is
        smooth.
        """
        points, weights = np.polynomial.legendre.leggauss(N_NODES)
        servers = self.queues.servers.astype(np.float64)
        inside = np.minimum(erlangs, self.queues.limit)
        width = -np.log1p(-inside / servers)
        area = np.zeros(erlangs.shape)
        for point, weight in zip(points.tolist(), weights.tolist(), strict=True):
            y = 0.5 * (point + 1.0) * width
            wait, _ = self.queues.relative_wait(-np.expm1(-y) * servers)
            area += weight * wait * np.exp(-y)
        excess = erlangs - inside
        at_limit, slope = self._at_limit
        return 0.5 * width * servers * area + excess * (at_limit + 0.5 * slope * excess)
