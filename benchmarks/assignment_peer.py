"""A process in which AequilibraE waits for orders: ``python -m benchmarks.assignment_peer FILE``.

It is a process of its own because the setting of OpenMP that suits it best must be in the
environment before its libraries are loaded. Each line on standard input makes it assign once; it
answers with one line of JSON. Everything that can be prepared is prepared before.
"""

import json
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SETTINGS = {"OMP_WAIT_POLICY": "PASSIVE", "AEQ_SHOW_PROGRESS": "FALSE"}
"""Threads that wait give up their core (on shared cores it is otherwise slower by far); no bars."""


def build(problem: dict[str, Any], gap: float, cores: int) -> Any:  # noqa: ANN401 - untyped
    """Return an assignment by the biconjugate Frank-Wolfe method, ready to run."""
    from aequilibrae.matrix import AequilibraeMatrix
    from aequilibrae.paths import Graph, TrafficAssignment, TrafficClass

    n_zones = int(problem["n_zones"])
    index = np.arange(n_zones) + 1
    links = pd.DataFrame(
        {
            "link_id": np.arange(problem["tail"].size) + 1,
            "a_node": problem["tail"] + 1,
            "b_node": problem["head"] + 1,
            "direction": 1,
            "capacity": problem["capacity"],
            "free_flow_time": problem["free_flow"],
            "alpha": problem["b"],
            "beta": problem["power"],
        }
    )
    graph = Graph()
    graph.network = links
    graph.prepare_graph(index)
    graph.set_graph("free_flow_time")
    graph.set_skimming(["free_flow_time"])
    graph.set_blocked_centroid_flows(int(problem["first_through_node"]) > 0)
    matrix = AequilibraeMatrix()
    matrix.create_empty(zones=n_zones, matrix_names=["all"], memory_only=True)
    matrix.index = index
    matrix.matrix["all"][:, :] = 0.0
    matrix.matrix["all"][problem["origin"], problem["destination"]] = problem["demand"]
    matrix.computational_view(["all"])
    assignment = TrafficAssignment()
    assignment.set_classes([TrafficClass("all", graph, matrix)])
    assignment.set_vdf("BPR")
    assignment.set_vdf_parameters({"alpha": "alpha", "beta": "beta"})
    assignment.set_capacity_field("capacity")
    assignment.set_time_field("free_flow_time")
    assignment.set_algorithm("bfw")
    assignment.max_iter = 100_000
    assignment.rgap_target = gap
    assignment.set_cores(cores)
    return assignment


def main() -> None:
    """Read the problem, and assign it as often as asked."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the library prints is no answer
    warnings.filterwarnings("ignore")
    logging.disable()
    with np.load(Path(sys.argv[1])) as stored:
        problem = dict(stored)
    assignment = build(problem, float(sys.argv[2]), int(sys.argv[3]))
    print("ready", file=answers, flush=True)
    for _ in sys.stdin:
        assignment.execute()
        flow = assignment.results()["PCE_tot"].sort_index().to_numpy()
        answer = {"flow": flow.tolist(), "rounds": int(assignment.assignment.iter)}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
