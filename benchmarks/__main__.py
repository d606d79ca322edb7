"""Command line of the benchmarks."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmarks import tables
from benchmarks.harness import Cold, FirstCall, Report, first_call, machine, run_workload, table_of
from benchmarks.registry import GROUPS, named, names, workload


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        choices=[*GROUPS, *names()],
        default=[],
        help="a workload or a group of them; may come again",
    )
    parser.add_argument("--list", action="store_true", help="list the workloads and stop")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, seconds in all")
    parser.add_argument("--rounds", type=int, default=7, help="timed rounds, all peers in each")
    parser.add_argument("--cold", action="store_true", help="time first calls in fresh processes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="add the results to this file")
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="write the file's results as a page, run nothing"
    )
    parser.add_argument("--one-cold", nargs=2, metavar=("NAME", "POSITION"), help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def cold_calls(name: str, *, smoke: bool) -> Cold:
    """Return what times one contestant of a workload in a fresh process."""

    def call(position: int) -> FirstCall:
        command = [sys.executable, "-m", "benchmarks", "--one-cold", name, str(position)]
        command += ["--smoke"] if smoke else []
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return FirstCall(*json.loads(done.stdout.splitlines()[-1]))

    return call


def main(arguments: list[str] | None = None) -> int:
    """Run the chosen workloads, print their tables, and write the files asked for."""
    options = parse(arguments)
    if options.list:
        print("\n".join(names()))
    elif options.one_cold:
        name, position = options.one_cold
        print(json.dumps(first_call(workload(name, smoke=options.smoke), int(position))))
    elif options.write:
        source = options.json or options.write.with_suffix(".json")
        options.write.write_text(tables.markdown(tables.read(source)), encoding="utf-8")
    else:
        run(options)
    return 0


def run(options: argparse.Namespace) -> None:
    """Run the chosen workloads."""
    reports: list[Report] = []
    for name in [name for word in options.only or names() for name in named(word)]:
        rounds = 1 if options.smoke else options.rounds
        cold = cold_calls(name, smoke=options.smoke) if options.cold else None
        reports.append(run_workload(workload(name, smoke=options.smoke), rounds, cold))
        print(table_of(reports[-1]), end="\n\n", flush=True)
        if options.json:
            tables.write(options.json, tables.merged(tables.read(options.json), reports))
    print(", ".join(f"{key} {value}" for key, value in machine().items()))


if __name__ == "__main__":
    sys.exit(main())
