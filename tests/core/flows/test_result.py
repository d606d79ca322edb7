"""The checks after the solve catch flows that do not hold."""

import numpy as np
import pytest
import scipy.sparse as sp

from corridor.core.flows import FlowProblem, PathColumns, Pools, Rows, generation, min_cost_flow
from corridor.core.flows._master import MasterPoint
from corridor.core.flows.result import add_up, verify_flow
from corridor.core.graph import Graph
from corridor.errors import SolverError

GRAPH = Graph(3, [0, 1, 0], [1, 2, 2])
PROBLEM = FlowProblem(
    GRAPH, [0], [2], [4.0], [1.0, 1.0, 3.0], [3.0, 3.0, 3.0],
    allowed=[True, True, True], unmet_cost=9.0,
    pools=Pools(sp.csr_matrix([[0.5, 0.0, 0.0]]), [1.5]),
    rows=Rows(sp.csr_matrix([[0.0, 0.0, 1.0]]), [0.5], [2.0]),
)  # fmt: skip


def paths(*arcs: list[int]) -> PathColumns:
    return PathColumns(
        commodity=np.zeros(len(arcs), dtype=np.int64),
        indptr=np.cumsum([0, *(len(path) for path in arcs)]),
        arcs=np.array([arc for path in arcs for arc in path], dtype=np.int32),
    )


def verify(columns: PathColumns, flow: list[float], unmet: float = 0.0) -> None:
    flows, left = np.array(flow), np.array([unmet])
    verify_flow(PROBLEM, columns, flows, left, add_up(PROBLEM, columns, flows, left))


def test_right_flow_passes_and_adds_up() -> None:
    verify(paths([0, 1], [2]), [3.0, 1.0])
    columns, flow, left = paths([0, 1], [2]), np.array([2.0, 1.0]), np.array([1.0])
    totals = add_up(PROBLEM, columns, flow, left)
    assert (totals.flow_cost, totals.unmet_cost, totals.objective) == (7.0, 9.0, 16.0)
    np.testing.assert_array_equal(totals.class_flow, [[2, 2, 1]])
    np.testing.assert_array_equal(totals.pool_load, [1])


@pytest.mark.parametrize(
    ("columns", "flow", "unmet", "message"),
    [
        (paths([0, 1], [2]), [3.0, 0.5], 0.0, "breaks demand 0: 3.5"),
        (paths([0, 1], [2]), [3.0, 1.0], 0.5, "breaks demand 0: 4.5"),
        (paths([0, 1], [2]), [3.5, 1.0], -0.5, "must be >= 0"),
        (paths([0, 1], [2]), [3.1, 0.9], 0.0, "breaks arc 0"),
        (paths([0, 1], [2]), [1.0, 3.0], 0.0, "breaks side row 0: 3"),
        (paths([0, 1], [2]), [3.0, 0.0], 1.0, "breaks side row 0: 0"),
        (paths([1, 0], [2]), [3.0, 1.0], 0.0, "must run from its origin"),
        (paths([0], [2]), [3.0, 1.0], 0.0, "must run from its origin"),
        (paths([], [2]), [3.0, 1.0], 0.0, "must run from its origin"),
    ],
)
def test_wrong_flows_are_refused(
    columns: PathColumns, flow: list[float], unmet: float, message: str
) -> None:
    with pytest.raises(SolverError, match=message):
        verify(columns, flow, unmet)


def test_pools_and_closed_arcs_are_checked() -> None:
    tight = FlowProblem(
        GRAPH, [0], [2], [4.0], [1.0, 1.0, np.inf],
        pools=Pools(sp.csr_matrix([[0.5, 0.0, 0.0]]), [1.5]),
    )  # fmt: skip
    for columns, message in ((paths([0, 1]), "breaks pool 0: 2"), (paths([2]), "open arcs")):
        flow, left = np.array([4.0]), np.zeros(1)
        with pytest.raises(SolverError, match=message):
            verify_flow(tight, columns, flow, left, add_up(tight, columns, flow, left))


def test_a_lying_master_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def lie(*_: object) -> MasterPoint:
        # All on the first path, though the second was found as well.
        return MasterPoint(
            status="optimal", limit="", flow=np.array([4.0, 0.0]), unmet=np.zeros(1),
                missed=np.zeros(1),
            worth=np.array([2.0]), price=np.zeros(5),
        )  # fmt: skip

    monkeypatch.setattr(generation.Master, "solve", lie)
    with pytest.raises(SolverError, match="breaks arc 0: 4 is not within"):
        min_cost_flow(PROBLEM)
