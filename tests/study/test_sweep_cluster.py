"""Sweeps on a real dask cluster of two workers, one of which is killed under way."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from corridor.errors import InputError
from corridor.study import load_study, sweep
from tests.study.sweep_toy import write_sweep_study

distributed = pytest.importorskip("distributed", reason="corridor[scale] is not installed")

pytestmark = pytest.mark.filterwarnings("default")
"""Warnings of a cluster that loses a worker are its own."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep_study(tmp_path_factory.mktemp("cluster"))


@pytest.fixture
def cluster() -> Iterator[object]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        silence_logs=50,
    ) as local:  # fmt: skip
        yield local


def test_a_killed_worker_loses_nothing(folder: Path, cluster: object) -> None:
    """Two workers give the bits of one process, even when one of them dies."""
    study = load_study(folder)
    pids: list[int] = []
    dead: list[int] = []

    def kill(*_: object) -> None:
        if not dead:
            dead.append(pids[0])
            os.kill(pids[0], signal.SIGKILL)

    address = cluster.scheduler_address
    with distributed.Client(address, set_as_default=False) as client:
        pids += client.run(os.getpid).values()
        assert len(set(pids)) == 2
        found = sweep(study, 129, ["today"], seed=5, executor=address, progress=kill)
        first = sweep(study, 64, ["today"], seed=5, executor=client)
    assert dead
    alone = sweep(study, 129, ["today"], seed=5, executor=1)
    assert len(found.samples) == 129
    for one in (found, first):
        pd.testing.assert_frame_equal(
            one.samples.drop(columns="seconds"),
            alone.samples.drop(columns="seconds").iloc[: len(one.samples)],
            check_exact=True,
        )


def test_a_scheduler_that_is_not_there_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("corridor.study.uncertainty.executors._SECONDS_TO_CONNECT", 0.3)
    with pytest.raises(InputError, match=r"must answer at tcp://127.0.0.1:9"):
        sweep(load_study(folder), 2, ["today"], executor="tcp://127.0.0.1:9")
