"""Who solves the chunks: this process, processes of this machine, or a dask cluster.

All call the same function on the same bytes, so it does not matter who does. A worker that dies
gives its chunks back; they are solved by another.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from corridor.errors import InputError, MissingExtraError, SolverError
from corridor.study.uncertainty.chunks import Chunk, Desk, Packed, Task, Work, solve_packed

if TYPE_CHECKING:
    from distributed import Client

Executor: TypeAlias = "int | str | Client | None"
"""Worker processes, the address of a dask scheduler, a dask client, or None for this machine."""

_MOST_BREAKS: Final = 3
"""Pools that may break in a row without a chunk done: then it is not chance."""
_AHEAD: Final = 2
"""Chunks handed out for each worker, so that none waits."""
_SECONDS_TO_CONNECT: Final = 5.0

_received: list[Packed] = []
"""In a worker process: the work that it was started with."""


def solved(work: Work, desk: Desk, tasks: Sequence[Task], executor: Executor) -> Iterator[Chunk]:
    """Yield the chunks of some tasks as they are done, in no order.

    Parameters
    ----------
    work, desk
        The work, and where this process itself would do it.
    tasks
        What to do.
    executor
        Who does it; 1 is this process itself, None as many processes as there are cores.

    Raises
    ------
    InputError
        If the executor is none, or no scheduler answers.
    MissingExtraError
        If dask.distributed is asked for and not installed.
    SolverError
        If workers die again and again.
    """
    if executor is None:
        executor = min(os.cpu_count() or 1, max(len(tasks), 1))
    if isinstance(executor, bool) or (isinstance(executor, int) and executor < 1):
        msg = f"executor must be at least 1 process; found {executor}."
        raise InputError(msg)
    if isinstance(executor, int):
        if executor == 1:
            return (desk.solve(task) for task in tasks)
        return _by_processes(Packed.of(work), tasks, executor)
    return _by_dask(Packed.of(work), tasks, executor)


# -- processes ---------------------------------------------------------------------------------


def _receive(packed: Packed) -> None:
    """Take the work in a new worker process; Ctrl-C is the parent's to answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _received[:] = [packed]


def _leave_with_parent() -> None:
    """End this worker when its parent is gone: one that was killed cannot say so."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _solve_received(task: Task) -> Chunk:
    return solve_packed(_received[0], task)


def _by_processes(packed: Packed, tasks: Sequence[Task], workers: int) -> Iterator[Chunk]:
    """Yield chunks from worker processes; a pool that breaks is replaced by another."""
    left = list(tasks)
    breaks = 0
    while left:
        before = len(left)
        try:
            for task, chunk in _by_pool(packed, left, workers):
                left.remove(task)
                yield chunk
        except BrokenProcessPool as error:
            breaks = breaks + 1 if len(left) == before else 0
            if breaks >= _MOST_BREAKS:
                msg = (
                    f"Worker processes must live; {breaks} pools of {workers} died at once, with "
                    f"{len(left)} chunks left. In a script, call sweep under "
                    "`if __name__ == '__main__':`; else give them more memory, or executor=1."
                )
                raise SolverError(msg) from error


def _by_pool(packed: Packed, tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Chunk]]:
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, initializer=_receive, initargs=(packed,))
    waiting = list(tasks)
    running: dict[Future[Chunk], Task] = {}
    try:
        while waiting or running:
            while waiting and len(running) < _AHEAD * workers:
                task = waiting.pop(0)
                running[pool.submit(_solve_received, task)] = task
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                task = running.pop(future)
                yield task, future.result()
    finally:
        # Whoever stops asking (an error, Ctrl-C) does not wait for what is under way.
        if running or waiting:
            for process in list((pool._processes or {}).values()):  # noqa: SLF001 (no public way)
                process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


# -- dask --------------------------------------------------------------------------------------


def _distributed() -> Any:  # noqa: ANN401 (an optional package)
    try:
        import distributed
    except ImportError as error:
        msg = "A cluster needs dask.distributed: pip install 'corridor[scale]'."
        raise MissingExtraError(msg) from error
    return distributed


def _by_dask(packed: Packed, tasks: Sequence[Task], executor: "str | Client") -> Iterator[Chunk]:
    distributed = _distributed()
    if isinstance(executor, distributed.Client):
        yield from _by_client(packed, tasks, executor)
        return
    if not isinstance(executor, str):
        msg = (
            "executor must be a number of processes, the address of a dask scheduler "
            f"(tcp://host:8786), a dask client or None; found {type(executor).__name__}."
        )
        raise InputError(msg)
    try:
        client = distributed.Client(executor, timeout=_SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        msg = (
            f"A dask scheduler must answer at {executor}; none did within {_SECONDS_TO_CONNECT:g} "
            "s. Start one with `dask scheduler` and workers with `dask worker ADDRESS`."
        )
        raise InputError(msg) from error
    with client:
        yield from _by_client(packed, tasks, client)


def _by_client(
    packed: Packed,
    tasks: Sequence[Task],
    client: Any,  # noqa: ANN401 (its methods have no types)
) -> Iterator[Chunk]:
    """Yield chunks from the workers of a client; the work is sent to each of them once."""
    distributed = _distributed()
    left, breaks = list(tasks), 0
    while left:
        shared = client.scatter(packed, broadcast=True, hash=False)
        futures = {
            client.submit(solve_packed, shared, task, pure=False, retries=_MOST_BREAKS): task
            for task in left
        }
        lost, before = 0, len(left)
        try:
            # With the client's own loop: it need not be the default client.
            for future in distributed.as_completed(futures, loop=client.loop):
                try:
                    chunk = future.result()
                except (distributed.KilledWorker, OSError, distributed.FutureCancelledError):
                    lost += 1
                    continue
                left.remove(futures[future])
                yield chunk
        finally:
            client.cancel(list(futures))
        breaks = breaks + 1 if len(left) == before else 0
        if lost and breaks >= _MOST_BREAKS:
            msg = (
                f"Workers of the cluster must live; {lost} chunks were lost {breaks} times over. "
                "Look at the workers' logs: they may lack memory."
            )
            raise SolverError(msg)
