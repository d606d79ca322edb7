"""The schedule of a queue over its period, as every method of `periodic_queue` reads it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from corridor.core.queues._inputs import FloatArray, broadcast, finite_array, whole_array
from corridor.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Schedule:
    """Slots of constant arrivals and servers.

    Attributes
    ----------
    arrival_rate, servers, length : ndarray of float64, (n_slots,)
        Arrivals per unit of time, whole servers >= 0, and the length of each slot.
    service_rate
        Services that one busy server ends per unit of time.
    """

    arrival_rate: FloatArray
    servers: FloatArray
    length: FloatArray
    service_rate: float

    @classmethod
    def of(
        cls,
        arrival_rate: ArrayLike,
        service_time: float,
        servers: ArrayLike,
        slot_length: ArrayLike,
    ) -> "Schedule":
        """Check what the user gave."""
        rate = np.atleast_1d(finite_array("arrival_rate", arrival_rate))
        c = np.atleast_1d(whole_array("servers", servers, least=0).astype(np.float64))
        length = np.atleast_1d(finite_array("slot_length", slot_length, positive=True))
        time = finite_array("service_time", service_time, positive=True)
        if time.ndim:
            msg = f"service_time must be one number for all slots; found the shape {time.shape}."
            raise InputError(msg)
        rate, c, length = broadcast(("arrival_rate", "servers", "slot_length"), (rate, c, length))
        if rate.ndim != 1 or rate.size == 0:
            msg = f"arrival_rate must have the shape (n_slots,), n_slots >= 1; found {rate.shape}."
            raise InputError(msg)
        if not c.any():
            msg = (
                f"servers must be > 0 in at least one slot; found 0 in all {c.size} slots. A post "
                "that never opens has no queue: leave it out."
            )
            raise InputError(msg)
        rate, c, length = (np.ascontiguousarray(a) for a in (rate, c, length))
        return cls(arrival_rate=rate, servers=c, length=length, service_rate=1.0 / float(time))

    @property
    def period(self) -> float:
        """Length of all slots together."""
        return float(self.length.sum())

    @property
    def utilization(self) -> float:
        """Arrivals over all that the servers can do in a period; 1 or more is overload for ever."""
        work = self.arrival_rate @ self.length
        return float(work / (self.service_rate * (self.servers @ self.length)))

    def mean(self, slot_values: FloatArray) -> float:
        """Mean over time."""
        return float(slot_values @ self.length) / self.period

    def mean_of_arrivals(self, slot_values: FloatArray) -> float:
        """Mean over arrivals; over time where nobody arrives."""
        arrivals = self.arrival_rate * self.length
        if not arrivals.any():
            return self.mean(slot_values)
        used = arrivals > 0.0
        return float(slot_values[used] @ arrivals[used] / arrivals.sum())
