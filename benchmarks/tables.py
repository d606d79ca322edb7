"""Results as a file that later runs add to, and as the table in the documentation."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.harness import Report
from benchmarks.registry import GROUPS, group_of, names

Content = dict[str, Any]

HEADER = """# Benchmarks

Written by `python -m benchmarks --write docs/benchmarks.md`; do not edit.

Every row is a library at the setting its documentation calls fastest, on the same work in the same
process, all of them in every round (brief calls repeated for 0.05 s), and their answers compared.
*Warm* is the median time over that of the first row: 2.0 means that the first row takes half the
time. *Cold* is the same for a fresh
process: imports, building the library's own graph and the first call, with compiled code from the
disk cache where there is any, and *memory* the most that such a process held, in MiB. Slow
libraries do only a share of the work, and their cold figures are not scaled up. Seconds on other
machines differ; ratios differ less.

`python -m benchmarks --only NAME` runs a workload, or a group of them, here:
"""

PROMISES = """## Promises

How many times as long as ours each library takes: at least *promised*, or it is a defect (in bold);
*aim* is where it should be. Below 1 ours may be slower, but no more than that.

| workload | ours | library | promised | aim | measured |
|---|---|---|---|---|---|"""


def merged(content: Content, reports: list[Report]) -> Content:
    """Return earlier results with newer ones in their places."""
    found = {entry["name"]: entry for entry in content.get("workloads", [])}
    found.update({report.name: asdict(report) for report in reports})
    return {"workloads": list(found.values())}


def read(path: Path) -> Content:
    """Return earlier results, or none."""
    if not path.exists():
        return {}
    content: Content = json.loads(path.read_text(encoding="utf-8"))
    return content


def write(path: Path, content: Content) -> None:
    """Write results as JSON."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def markdown(content: Content) -> str:
    """Return the page of the documentation: promises, then the tables, both by groups."""
    groups: dict[str, list[Content]] = {group: [] for group in GROUPS}
    for entry in content["workloads"]:
        if entry["name"] in names():  # others were renamed or dropped since
            groups[group_of(entry["name"])].append(entry)
    lines = [HEADER]
    for group, entries in groups.items():
        links = ", ".join(f"[{entry['name']}](#{entry['name']})" for entry in entries)
        lines += [f"- [{group}](#{group}): {links}"] if entries else []
    lines += ["", *promises([entry for entries in groups.values() for entry in entries])]
    for group, entries in groups.items():
        lines += [f"## {group}", ""] if entries else []
        lines += [section(entry) for entry in entries]
    return "\n".join(lines)


def promises(entries: list[Content]) -> list[str]:
    """Return the table of the ratios that are promised, with those that were measured."""
    rows = []
    for entry in entries:
        for timing in entry["timings"]:
            floor, goal, ratio = timing.get("floor"), timing.get("goal"), timing["ratio"]
            if floor is None:
                continue
            measured = "not installed" if ratio is None else shown(ratio)
            if ratio is not None and ratio < floor:
                measured = f"**{measured}**"
            rows.append(
                f"| [{entry['name']}](#{entry['name']}) | {entry['timings'][0]['name']} "
                f"| {timing['name']} | {shown(floor)} | {shown(goal) if goal else ''} "
                f"| {measured} |"
            )
    return [PROMISES, *rows, ""] if rows else []


def section(entry: Content) -> str:
    """Return one workload's table."""
    lines = [f"### {entry['name']}", "", f"{entry['title'].capitalize()}.", ""]
    lines += [
        "| library | version | warm | cold | memory | share timed |",
        "|---|---|---|---|---|---|",
    ]
    ours = entry["timings"][0]
    for timing in entry["timings"]:
        if timing["seconds"] is None:
            lines.append(f"| {timing['name']} | not installed | | | | |")
            continue
        cold = ""
        if timing["cold_s"] is not None and ours["cold_s"]:
            cold = f"{timing['cold_s'] / ours['cold_s']:.2g}"
        peak = timing.get("peak_mib")
        memory = "" if peak is None else f"{peak:,.0f}"
        lines.append(
            f"| {timing['name']} | {timing['version']} | {shown(timing['ratio'])} | {cold} "
            f"| {memory} | {timing['share']:.1%} |"
        )
    machine = ", ".join(f"{key} {value}" for key, value in entry["machine"].items())
    load = "" if entry["load_average"] is None else f"; load average {entry['load_average']:.1f}"
    rounds = ours["rounds"]
    lines += ["", f"Median of {rounds} rounds; {machine}{load}.", ""]
    return "\n".join(lines)


def shown(ratio: float) -> str:
    """Return a ratio with three digits or so."""
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:,.0f}"
