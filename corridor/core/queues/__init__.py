"""Queues at posts and terminals: Erlang's formulas, M/G/c waits, convex delay curves."""

from corridor.core.queues.batches import BatchQueue, batch_queue, fit_batch_sizes
from corridor.core.queues.delay import QueueDelay
from corridor.core.queues.erlang import erlang_b, erlang_c
from corridor.core.queues.priorities import conservation_gap, priority_wait
from corridor.core.queues.tails import wait_quantile, wait_tail
from corridor.core.queues.waits import mean_wait, wait_and_slope

__all__ = [
    "BatchQueue",
    "QueueDelay",
    "batch_queue",
    "conservation_gap",
    "erlang_b",
    "erlang_c",
    "fit_batch_sizes",
    "mean_wait",
    "priority_wait",
    "wait_and_slope",
    "wait_quantile",
    "wait_tail",
]
