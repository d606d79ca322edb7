"""A session answers like fresh solves, whatever is changed, and from any basis."""

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from corridor.core.solver import Answer, Program, Session, _mathopt, solve
from corridor.core.solver._raw import Raw
from corridor.core.solver.program import FloatArray
from corridor.core.solver.request import Request
from corridor.errors import InputError

INF = np.inf


def random_block(
    rng: np.random.Generator, n_rows: int, n_columns: int, density: float
) -> sp.csr_matrix:
    """Return whole numbers from -2 to 4 at random places."""
    block = sp.random_array((n_rows, n_columns), density=density, rng=rng, format="csr")
    block.data = np.round(block.data * 6 - 2)
    return sp.csr_matrix(block)


def random_program(rng: np.random.Generator, n_rows: int = 25, n_columns: int = 40) -> Program:
    """Return a feasible program with equality rows, free columns and ties."""
    matrix = random_block(rng, n_rows, n_columns, 0.2)
    inside = np.round(rng.uniform(-1, 3, n_columns))
    activity = matrix @ inside
    kind = rng.integers(0, 4, n_rows)
    room = np.round(rng.uniform(0, 3, n_rows))
    lower = np.where(kind == 1, -INF, activity - np.where(kind == 0, 0, room))
    upper = np.where(kind == 2, INF, activity + np.where(kind == 0, 0, room))
    free = rng.random(n_columns) < 0.1
    cost = np.where(free, 0.0, np.round(rng.normal(size=n_columns) * 3))
    return Program(cost, np.where(free, -INF, -2.0), np.where(free, INF, 5.0), matrix, lower, upper)


def change_cost(session: Session, rng: np.random.Generator) -> None:
    bounded = np.isfinite(session.program.lower) & np.isfinite(session.program.upper)
    hit = bounded & (rng.random(bounded.size) < 0.5)
    session.change(cost=session.program.cost + hit * np.round(rng.normal(size=hit.size)))


def change_columns(session: Session, rng: np.random.Generator) -> None:
    lower = np.where(np.isfinite(session.program.lower), np.round(rng.uniform(-3, 0)), -INF)
    width = np.round(rng.uniform(0, 8, lower.size), 1)
    session.change(lower=lower, upper=np.where(np.isfinite(lower), lower + width, INF))


def change_rows(session: Session, rng: np.random.Generator) -> None:
    hit = rng.random(session.program.n_rows) < 0.3
    shift = hit * np.round(rng.normal(size=hit.size) * 9, 1)
    program = session.program
    session.change(row_lower=program.row_lower + shift, row_upper=program.row_upper + shift)


def add_columns(session: Session, rng: np.random.Generator) -> None:
    count = int(rng.integers(1, 4))
    block = random_block(rng, session.program.n_rows, count, 0.3)
    cost, lower = np.round(rng.normal(size=count) * 2), np.round(rng.uniform(-2, 0, count))
    session.add_columns(cost, lower, lower + 3, block)


def add_rows(session: Session, rng: np.random.Generator) -> None:
    count = int(rng.integers(1, 3))
    block = random_block(rng, count, session.program.n_columns, 0.1)
    session.add_rows(block, np.full(count, -30.0), np.full(count, 30.0))


CHANGES: list[Callable[[Session, np.random.Generator], None]] = [
    change_cost, change_columns, change_rows, change_rows, add_columns, add_rows,
]  # fmt: skip


def run(seed: int, *, from_base: bool) -> list[tuple[str, float, float]]:
    """Return status, answer and fresh answer after each of 100 random changes."""
    rng = np.random.default_rng(seed)
    session = Session(random_program(rng))
    session.solve()
    base = session.basis
    found = []
    for step in range(100):
        program = session.program
        CHANGES[step % len(CHANGES)](session, rng)
        answer = session.solve(basis=base if from_base else None)
        fresh = solve(session.program)
        assert answer.status == fresh.status
        found.append((answer.status, answer.objective, fresh.objective))
        if answer.status != "optimal":  # go on from the last feasible program, by changes alone
            session.change(
                cost=np.r_[program.cost, session.program.cost[program.n_columns :]],
                lower=np.r_[program.lower, session.program.lower[program.n_columns :]],
                upper=np.r_[program.upper, session.program.upper[program.n_columns :]],
                row_lower=np.r_[program.row_lower, session.program.row_lower[program.n_rows :]],
                row_upper=np.r_[program.row_upper, session.program.row_upper[program.n_rows :]],
            )
    return found


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("start", ["last", "base"])
def test_changes_equal_fresh_solves(seed: int, start: str) -> None:
    found = run(seed, from_base=start == "base")
    statuses = {status for status, *_ in found}
    assert statuses == {"optimal", "infeasible"}
    optimal = [pair for status, *pair in found if status == "optimal"]
    assert len(optimal) > 50
    ours, fresh = np.array(optimal).T
    np.testing.assert_allclose(ours, fresh, rtol=1e-9, atol=1e-9)


def test_same_changes_give_the_same_answers() -> None:
    np.testing.assert_array_equal(
        np.array(run(3, from_base=False)), np.array(run(3, from_base=False))
    )


def test_basis_can_be_pickled_and_given_to_another_session() -> None:
    rng = np.random.default_rng(0)
    program = random_program(rng)
    session = Session(program)
    first = session.solve()
    basis = pickle.loads(pickle.dumps(session.basis))  # noqa: S301
    again = Session(program).solve(basis=basis)
    np.testing.assert_allclose(again.x, first.x, atol=1e-12)


def test_basis_of_a_larger_program_is_refused() -> None:
    small, large = (random_program(np.random.default_rng(0), 10, n) for n in (20, 30))
    session = Session(large)
    session.solve()
    with pytest.raises(InputError, match="basis has 30 columns and 10 rows"):
        Session(small).solve(basis=session.basis)


def test_integers_are_refused() -> None:
    program = Program([1], [0], [9], sp.csr_matrix([[2.0]]), [3], [9], integer=[True])
    with pytest.raises(InputError, match="takes no integer columns"):
        Session(program)


def test_unbounded_and_back() -> None:
    session = Session(Program([1, 2], [0, 0], [INF, 1], sp.csr_matrix([[0, 1]]), [0], [INF]))
    assert session.solve().objective == 0.0
    session.change(cost=[-1, 2])
    assert session.solve().status == "unbounded"
    session.change(upper=[7, 1])
    assert session.solve().objective == pytest.approx(-7.0)


def test_a_bad_change_leaves_the_session_as_it_was() -> None:
    session = Session(Program([1, 2], [0, 0], [3, 3], sp.csr_matrix([[1, 1]]), [4], [4]))
    with pytest.raises(InputError, match="lower must not exceed upper"):
        session.change(cost=[5, 5], lower=[4, 0])
    with pytest.raises(InputError, match="program's 1 rows; found 2"):
        session.add_columns([1], [0], [1], sp.csr_matrix(np.ones((2, 1))))
    assert session.solve().objective == pytest.approx(5.0)


def test_answers_from_one_basis_do_not_depend_on_the_order() -> None:
    rng = np.random.default_rng(7)
    program = random_program(rng)
    shifts = [np.round(rng.normal(size=program.n_rows), 1) for _ in range(12)]
    session = Session(program)
    session.solve()
    base = session.basis

    def answer(shift: FloatArray) -> Answer:
        session.change(row_lower=program.row_lower + shift, row_upper=program.row_upper + shift)
        return session.solve(basis=base)

    forth = [answer(shift) for shift in shifts]
    back = [answer(shift) for shift in reversed(shifts)][::-1]
    for one, other in zip(forth, back, strict=True):
        assert one.status == other.status
        if one.x is not None:
            np.testing.assert_array_equal(one.x, other.x)
            np.testing.assert_array_equal(one.row_price, other.row_price)


def steps(session: Session) -> int:
    """Return the simplex steps of the next solve."""
    assert session._resolver is not None
    inner, found = session._resolver.solve, []

    def watched(*arguments: Any, **named: Any) -> Raw:  # noqa: ANN401
        found.append(inner(*arguments, **named))
        return found[-1]

    session._resolver.solve = watched  # type: ignore[method-assign]
    session.solve()
    session._resolver.solve = inner  # type: ignore[method-assign]
    return int(found[0].iterations)


def test_growing_keeps_the_basis() -> None:
    """Columns and rows that change nothing cost no step; from scratch it takes dozens."""
    rng = np.random.default_rng(1)
    session = Session(random_program(rng, 60, 120))
    session.solve()
    first = _mathopt.Resolver(session.program).solve(session.program, None, Request(), dual=True)
    assert first.iterations > 30
    n_rows, n_columns = session.program.n_rows, session.program.n_columns
    session.add_columns([1e6] * 3, [0] * 3, [1] * 3, random_block(rng, n_rows, 3, 0.3))
    assert steps(session) == 0
    session.add_rows(random_block(rng, 4, n_columns + 3, 0.1), [-1e4] * 4, [1e4] * 4)
    assert steps(session) == 0


def test_new_columns_without_a_lower_bound_start_somewhere() -> None:
    session = Session(Program([1, 2], [0, 0], [3, 3], sp.csr_matrix([[1, 1]]), [4], [INF]))
    assert session.solve().objective == pytest.approx(5.0)
    block = sp.csr_matrix([[1.0, 1.0, 1.0]])
    # A free column of cost 0.5 carries all; one that ends at 0, one fixed at 1 carries one unit.
    session.add_columns([0.5, 0.0, 0.25], [-INF, -INF, 1], [INF, 0, 1], block)
    answer = session.solve()
    assert answer.objective == pytest.approx(0.25 + 0.5 * 3)
    assert answer.x is not None
    np.testing.assert_allclose(answer.x[[0, 1, 4]], [0, 0, 1], atol=1e-9)


def test_a_bad_basis_is_dropped_and_the_program_solved_from_scratch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = Session(random_program(np.random.default_rng(2)))
    expected = session.solve().objective
    lie = Raw(status="optimal", x=np.zeros(40), row_price=np.zeros(25))
    monkeypatch.setattr(_mathopt.Resolver, "solve", lambda *_, **__: lie)
    answer = session.solve()
    assert answer.objective == pytest.approx(expected)
    assert session.basis is None


def test_sessions_run_side_by_side() -> None:
    programs = [random_program(np.random.default_rng(seed), 60, 120) for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(lambda program: Session(program).solve(), programs))
    for program, answer in zip(programs, together, strict=True):
        np.testing.assert_array_equal(answer.x, Session(program).solve().x)
