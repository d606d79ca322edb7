"""Queues at posts and terminals: Erlang's formulas, M/G/c waits, convex delay curves."""

from corridor.core.queues.arrivals import simulate_arrivals
from corridor.core.queues.batches import BatchQueue, batch_queue, fit_batch_sizes
from corridor.core.queues.beckmann import BeckmannDelay
from corridor.core.queues.delay import QueueDelay
from corridor.core.queues.erlang import erlang_b, erlang_c
from corridor.core.queues.operating import OperatingHours
from corridor.core.queues.periodic import QueueProfile, periodic_queue
from corridor.core.queues.priorities import conservation_gap, priority_wait
from corridor.core.queues.screening import ScreeningCurve, screening_curve, targeted_detection
from corridor.core.queues.simulation import (
    Estimate,
    QueueSimulation,
    estimate_mean,
    simulate_queue,
)
from corridor.core.queues.staffing import ServerAllocation, allocate_servers
from corridor.core.queues.stage_simulation import (
    SimulatedStage,
    StageSimulation,
    simulate_stages,
)
from corridor.core.queues.tails import wait_quantile, wait_tail
from corridor.core.queues.tandem_stages import Tandem, tandem
from corridor.core.queues.waits import mean_wait, wait_and_slope

__all__ = [
    "BatchQueue",
    "BeckmannDelay",
    "Estimate",
    "OperatingHours",
    "QueueDelay",
    "QueueProfile",
    "QueueSimulation",
    "ScreeningCurve",
    "ServerAllocation",
    "SimulatedStage",
    "StageSimulation",
    "Tandem",
    "allocate_servers",
    "batch_queue",
    "conservation_gap",
    "erlang_b",
    "erlang_c",
    "estimate_mean",
    "fit_batch_sizes",
    "mean_wait",
    "periodic_queue",
    "priority_wait",
    "screening_curve",
    "simulate_arrivals",
    "simulate_queue",
    "simulate_stages",
    "tandem",
    "targeted_detection",
    "wait_and_slope",
    "wait_quantile",
    "wait_tail",
]
