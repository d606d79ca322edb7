"""Stop a running solver, and hand on what it reports, without an exception inside the solver."""

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from corridor.core.solver.request import Interrupt, Progress, is_set

POLL_S: Final = 0.02
"""How often a function is asked whether to stop [s]."""
_TABLE_CELLS: Final = 15
"""Least number of columns of SCIP's table."""


class Watch:
    """A context in which a solver runs: polls the interrupt beside it, and reports progress.

    An exception of the caller's functions stops the solver and is raised when the context ends.

    Parameters
    ----------
    interrupt, progress
        As of `corridor.core.solver.request.Request`.
    stop
        Stops the solver; may be called from any thread.
    """

    def __init__(
        self, interrupt: Interrupt | None, progress: Progress | None, stop: Callable[[], None]
    ) -> None:
        self._interrupt, self._progress, self._stop = interrupt, progress, stop
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._last: tuple[float, float] | None = None
        self.fired = False
        """Whether the solver was told to stop."""

    def __enter__(self) -> Self:
        if self._interrupt is not None:
            self._thread = threading.Thread(target=self._poll, name="solver-watch", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error

    def report(self, objective: float, bound: float) -> None:
        """Hand on the best objective and bound, when they are others than the last."""
        if self._progress is None or self._error is not None or self._last == (objective, bound):
            return
        self._last = objective, bound
        self._guard(lambda: self._progress(objective, bound))  # type: ignore[misc]

    def read_table(self, lines: Sequence[str]) -> None:
        """Report what lines of SCIP's log say: its table ends in bound, objective, gap, share."""
        for line in lines:
            cells = line.split("|")
            if len(cells) < _TABLE_CELLS:
                continue
            try:
                bound, objective = float(cells[-4]), float(cells[-3])
            except ValueError:  # the heading, or "--" before the first point
                continue
            self.report(objective, bound)

    def _poll(self) -> None:
        while not self._ended.wait(POLL_S):
            if self._guard(lambda: is_set(self._interrupt)):
                self._fire()
                return

    def _guard(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401
        try:
            return call()
        except BaseException as error:  # noqa: BLE001  raised again when the solver is out
            self._error = error
            self._fire()
            return None

    def _fire(self) -> None:
        self.fired = True
        self._stop()
