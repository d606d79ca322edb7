"""Screening: the binormal model, its ends, and what it costs in time."""

import numpy as np
import pytest

from corridor.core.queues import mean_wait, screening_curve, targeted_detection
from corridor.errors import InputError


def test_the_score_ranks_as_a_simulated_one() -> None:
    rng = np.random.default_rng(4)
    usual, odd = rng.normal(0.0, 1.0, 400_000), rng.normal(1.3, 1.0, 400_000)
    for share in (0.02, 0.3, 0.8):
        bar = np.quantile(usual, 1.0 - share)
        assert targeted_detection(share, 1.3) == pytest.approx((odd > bar).mean(), abs=0.004)


def test_ends_are_nobody_and_everybody() -> None:
    assert targeted_detection([0.0, 1.0], 2.0).tolist() == [0.0, 1.0]
    assert targeted_detection(0.37, 0.0) == pytest.approx(0.37, rel=1e-12)


def test_the_curve_rises_in_both_and_its_slope_is_the_derivative() -> None:
    shares = np.linspace(0.05, 0.45, 41)
    made = {
        step: screening_curve(
            shares + step, 12.0, 0.7, 4, 0.5, separation=1.0, inspection_detection=0.9
        )
        for step in (-1e-6, 0.0, 1e-6)
    }
    curve = made[0.0]
    assert (np.diff(curve.detection) > 0).all()
    assert (np.diff(curve.delay) > 0).all()
    np.testing.assert_allclose(curve.wait, mean_wait(12.0 * shares, 0.7, 4, 1.0, 0.5), rtol=1e-12)
    numeric = (made[1e-6].delay - made[-1e-6].delay) / 2e-6
    np.testing.assert_allclose(curve.delay_slope, numeric, rtol=1e-5)


def test_an_overloaded_inspection_has_no_finite_wait() -> None:
    curve = screening_curve([0.0, 0.1, 0.5], 10.0, 0.5, 2)
    assert curve.delay[0] == 0.0
    assert np.isfinite(curve.delay[1])
    assert np.isinf(curve.wait[2])
    assert np.isinf(curve.delay_slope[2])
    assert curve.detection[2] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"share": [0.1, 1.1]}, "share must lie in 0..1"),
        ({"share": [0.05, 0.2], "floor": 0.1}, r"host's floor of 0.1; found 0.05 \(1 of 2"),
        ({"separation": -1.0}, "separation must be finite"),
        ({"inspection_detection": 2.0}, "inspection_detection must lie"),
        ({"servers": 0}, "servers"),
    ],
)
def test_bad_input_is_named(change: dict, words: str) -> None:
    right = {"share": [0.2], "arrival_rate": 3.0, "service_time": 0.5, "servers": 1}
    with pytest.raises(InputError, match=words):
        screening_curve(**(right | change))
