"""Keep Ctrl-C from being lost while OR-Tools runs."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def held_interrupt() -> Iterator[None]:
    """Hold SIGINT back inside the context, and hand it to its handler at the end.

    MathOpt's binding converts its result with Python code, in which a signal that came during the
    solve is handled; it drops what the handler raises, ``KeyboardInterrupt`` as a rule. Signals
    reach the main thread only, and only a handler written in Python can be put back.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    caught: list[tuple[int, FrameType | None]] = []
    signal.signal(signal.SIGINT, lambda number, frame: caught.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if caught:
        handler(*caught[0])
