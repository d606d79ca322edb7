"""Every benchmark runs in its smallest size, and ours and the peers agree on the answers."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import harness, tables
from benchmarks.__main__ import cold_calls, main
from benchmarks.harness import Contestant, FirstCall, Workload, run_workload, table_of
from benchmarks.registry import group_of, named, names, workload


@pytest.mark.parametrize("name", names())
def test_ours_and_the_peers_agree(name: str) -> None:
    report = run_workload(workload(name, smoke=True), rounds=1)
    assert report.name == name
    present = [timing for timing in report.timings if timing.seconds is not None]
    assert present[0].package == "corridor"
    assert {timing.package for timing in present} > {"corridor"}
    assert report.timings[0].ratio == 1.0


def contestant(name: str, answer: list[float], package: str = "numpy") -> Contestant:
    return Contestant(name=name, package=package, prepare=lambda: lambda: np.array(answer))


def test_a_wrong_answer_is_an_error() -> None:
    entries = contestant("ours", [1.0, 2.0]), contestant("theirs", [1.0, 2.1])
    with pytest.raises(AssertionError, match="theirs and ours disagree"):
        run_workload(Workload(name="toy", title="", contestants=entries), rounds=1)


def test_a_missing_peer_is_said() -> None:
    entries = contestant("ours", [1.0]), contestant("theirs", [1.0], package="no_such_package")
    report = run_workload(Workload(name="toy", title="", contestants=entries), rounds=1)
    assert report.timings[1].seconds is None
    assert "not installed" in table_of(report)


def test_part_of_the_work_is_scaled_up_and_marked() -> None:
    part = Contestant(
        name="theirs", package="numpy", prepare=lambda: lambda: np.array([1.0]), share=0.5
    )
    toy = Workload(name="toy", title="", contestants=(contestant("ours", [1.0, 2.0]), part))
    assert "scaled up from 50.00% of the work" in table_of(run_workload(toy, rounds=1))


def test_a_group_stands_for_its_workloads() -> None:
    assert named("paths") == names("paths")
    assert "trees-300" in names("paths")
    assert named("trees-300") == ["trees-300"]


def test_the_command_line_adds_to_its_results_and_writes_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results, page = tmp_path / "results.json", tmp_path / "page.md"
    for name in ("ksp-10", "ksp-100", "ksp-10"):
        assert main(["--only", name, "--smoke", "--json", str(results)]) == 0
    assert "networkx" in capsys.readouterr().out
    workloads = json.loads(results.read_text())["workloads"]
    assert [report["name"] for report in workloads] == ["ksp-10", "ksp-100"]
    assert workloads[0]["timings"][0]["version"]
    assert main(["--json", str(results), "--write", str(page)]) == 0
    lines = page.read_text().splitlines()
    assert {"## paths", "### ksp-100"} <= set(lines)
    assert "- [paths](#paths): [ksp-10](#ksp-10), [ksp-100](#ksp-100)" in lines
    assert sum(line.startswith("| corridor | ") and " | 1.00 | " in line for line in lines) == 2


def test_promises_are_shown_beside_what_was_measured() -> None:
    quick, slow = contestant("ours", [1.0]), contestant("slow", [1.0])
    slow = replace(slow, floor=1e9, goal=2e9)
    kept = replace(slow, name="kept", floor=1e-9)
    missing = replace(slow, name="missing", package="no_such_package")
    toy = Workload(name="ksp-10", title="", contestants=(quick, slow, kept, missing))
    page = tables.markdown(tables.merged({}, [run_workload(toy, rounds=1)]))
    assert "## Promises" in page
    rows = [line.split(" | ")[2:] for line in page.splitlines() if line.startswith("| [ksp-10]")]
    assert [row[1] for row in rows] == ["1,000,000,000", "0.00", "1,000,000,000"]
    assert [row[-1].startswith("**") for row in rows] == [True, False, False]
    assert rows[2][-1] == "not installed |"


def test_fresh_processes_have_no_cold_times() -> None:
    toy = Workload(name="toy", title="", contestants=(contestant("ours", [1.0]),), fresh=True)
    assert run_workload(toy, 1, lambda _: FirstCall(1.0, None)).timings[0].cold_s is None


def test_groups_hold_workloads_of_smaller_groups() -> None:
    assert {"import", "map-layer", "geodesic-lines"} < set(named("paths"))
    assert group_of("map-layer") == "geo"
    assert group_of("ksp-10") == "paths"


def test_the_first_call_is_timed_in_a_fresh_process() -> None:
    report = run_workload(
        workload("ksp-10", smoke=True), 1, lambda position: FirstCall(1.0 + position, 9.0)
    )
    assert (report.timings[0].cold_s, report.timings[0].peak_mib) == (1.0, 9.0)
    assert "1.00 s in a fresh process, 9 MiB at most" in table_of(report)
    seconds, peak = cold_calls("ksp-10", smoke=True)(0)
    assert seconds > 0.0
    assert peak is None or peak > 1.0


def test_a_slow_contestant_is_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(harness, "SLOW_S", -1.0)
    toy = Workload(name="toy", title="", contestants=(contestant("ours", [1.0]),))
    assert run_workload(toy, 3).timings[0].rounds == 1
