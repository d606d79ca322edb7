"""Ctrl-C during a solve is not lost."""

import os
import signal
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import scipy.sparse as sp

from corridor.core.solver import Program, Session
from corridor.core.solver._signals import held_interrupt


def transport(size: int) -> Program:
    """Return a dense transport problem, which keeps GLOP busy."""
    rng = np.random.default_rng(0)
    ones = np.ones((1, size))
    eye = sp.identity(size, format="csr")
    rows = sp.vstack([sp.kron(eye, ones), sp.kron(ones, eye)], format="csr")
    supply = rng.uniform(1, 5, size)
    amount = np.r_[supply, rng.permutation(supply)]
    cost = rng.uniform(1, 9, size * size)
    return Program(
        cost, np.zeros(cost.size), np.full(cost.size, np.inf), rows, amount, amount
    )  # fmt: skip


def interrupt_soon(seconds: float) -> threading.Thread:
    """Send SIGINT to this process after some time."""

    def send() -> None:
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def solve_for(session: Session, seconds: float) -> None:
    """Solve again and again, costs turned round each time."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        session.solve()
        session.change(cost=session.program.cost[::-1])


@pytest.fixture
def python_handler() -> Iterator[None]:
    """Let SIGINT raise KeyboardInterrupt, also where the tests run in the background of a shell."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("python_handler")
def test_interrupt_during_a_session_is_raised() -> None:
    session = Session(transport(60))
    session.solve()
    thread = interrupt_soon(0.05)
    with pytest.raises(KeyboardInterrupt):
        solve_for(session, 10.0)
    thread.join()
    assert session.solve().status == "optimal"


def test_handler_is_put_back_and_called_once() -> None:
    calls: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: calls.append(number))
    try:
        handler = signal.getsignal(signal.SIGINT)
        with held_interrupt():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            assert not calls
        assert calls == [signal.SIGINT]
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_other_threads_leave_signals_alone() -> None:
    seen: list[object] = []

    def look() -> None:
        with held_interrupt():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
