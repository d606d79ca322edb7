"""Command line of the benchmarks."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.harness import Report, machine, run_workload, table_of
from benchmarks.registry import names, workload


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", choices=names(), default=[])
    parser.add_argument("--list", action="store_true", help="list the workloads and stop")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, seconds in all")
    parser.add_argument("--rounds", type=int, default=7, help="timed rounds, all peers in each")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results as JSON too")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen workloads, print their tables, and write the JSON file."""
    options = parse(arguments)
    chosen = options.only or names()
    if options.list:
        print("\n".join(names()))
        return 0
    reports: list[Report] = []
    for name in chosen:
        rounds = 1 if options.smoke else options.rounds
        reports.append(run_workload(workload(name, smoke=options.smoke), rounds))
        print(table_of(reports[-1]), end="\n\n", flush=True)
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    if options.json:
        content = {
            "machine": machine(),
            "smoke": options.smoke,
            "workloads": [asdict(report) for report in reports],
        }
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
