"""Inspection policies: against mixtures of all plain policies, one by one."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from scipy.optimize import linprog

from corridor.border.policies import OPEN, RELEASE, best_policy
from corridor.errors import InputError

Tree = int | tuple[int, tuple["Tree", ...]]


def trees(sensors: tuple[int, ...], n_readings: int) -> Iterator[Tree]:
    """Yield every plain policy: open, release, or a sensor and what to do after each reading."""
    yield OPEN
    yield RELEASE
    for sensor in sensors:
        rest = tuple(other for other in sensors if other != sensor)
        for branches in product(list(trees(rest, n_readings)), repeat=n_readings):
            yield sensor, branches


def use(tree: Tree, readings: np.ndarray) -> np.ndarray:
    """Return the share that each sensor sees and, last, that is opened."""
    total = np.zeros(len(readings) + 1)
    if tree == OPEN:
        total[-1] = 1.0
    elif tree != RELEASE:
        sensor, branches = tree
        total[sensor] = 1.0
        for chance, branch in zip(readings[sensor], branches, strict=True):
            total += chance * use(branch, readings)
    return total


@pytest.mark.parametrize("seed", range(8))
def test_the_program_equals_the_best_mixture_of_plain_policies(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clean, suspect = (rng.dirichlet(np.ones(2), size=2) for _ in range(2))
    sensed, opened = rng.uniform(0.2, 1.0, 2), float(rng.uniform(0.05, 0.5))
    least = opened * float(rng.choice([0.0, 0.5, 1.0]))
    all_trees = list(trees((0, 1), 2))
    loads = np.array([use(tree, clean) for tree in all_trees])
    finds = np.array([use(tree, suspect)[-1] for tree in all_trees])
    best = linprog(
        -finds,
        A_ub=np.vstack([loads.T, -loads[:, -1]]),
        b_ub=np.r_[sensed, opened, -least],
        A_eq=np.ones((1, finds.size)),
        b_eq=[1.0],
    )
    policy = best_policy(clean, suspect, sensed, opened, least)
    assert policy.detection == pytest.approx(-best.fun, rel=1e-9)
    assert (policy.sensor_share <= sensed + 1e-9).all()
    assert least - 1e-9 <= policy.open_share <= opened + 1e-9


def test_prices_are_what_a_little_more_capacity_finds() -> None:
    rng = np.random.default_rng(5)
    clean, suspect = (rng.dirichlet(np.ones(3), size=3) for _ in range(2))
    sensed = np.array([0.3, 0.4, 0.5])
    policy = best_policy(clean, suspect, sensed, 0.2)
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5
        more = best_policy(clean, suspect, sensed + step[:3], 0.2 + step[3])
        gain = (more.detection - policy.detection) / 1e-5
        assert gain == pytest.approx(policy.price[i], abs=1e-6)


def test_a_floor_is_met_and_has_a_price_where_it_hurts_nobody_else() -> None:
    clean, suspect = [[0.5, 0.5]], [[0.4, 0.6]]
    free = best_policy(clean, suspect, [0.0], 0.3)
    assert free.detection == pytest.approx(0.3)
    held = best_policy(clean, suspect, [0.0], 0.3, 0.3)
    assert held.open_share == pytest.approx(0.3)


def test_weights_are_a_policy() -> None:
    rng = np.random.default_rng(1)
    clean, suspect = (rng.dirichlet(np.ones(2), size=3) for _ in range(2))
    policy = best_policy(clean, suspect, [0.5, 0.5, 0.5], 0.1)
    assert policy.next_step(()).sum() == pytest.approx(1.0)
    reached = policy.weight.sum(axis=1) > 0
    assert reached[0]
    for i, history in enumerate(policy.histories):
        if history:
            parent = policy.histories.index(history[:-1])
            weight = policy.weight[parent, history[-1][0]]
            assert policy.weight[i].sum() == pytest.approx(weight, abs=1e-7)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"clean": [[0.5, 0.4]]}, "clean must hold a row of probabilities"),
        ({"suspect": [[1.5, -0.5]]}, "suspect must hold a row of probabilities"),
        ({"suspect": [[1.0]]}, "one shape"),
        ({"most_sensed": [2.0]}, "must be shares"),
        ({"least_opened": 0.5}, "least_opened <= most_opened"),
        ({"clean": np.full((7, 6), 1 / 6), "suspect": np.full((7, 6), 1 / 6),
          "most_sensed": np.ones(7)}, "histories"),
    ],
)  # fmt: skip
def test_bad_input_is_named(change: dict, words: str) -> None:
    right = {"clean": [[0.5, 0.5]], "suspect": [[0.2, 0.8]], "most_sensed": [1.0]}
    right |= {"most_opened": 0.2}
    with pytest.raises(InputError, match=words):
        best_policy(**(right | change))
