"""A green lane moves delay: by hand, by the conservation law, and with less work."""

import numpy as np
import pandas as pd
import pytest

from corridor.core.queues import mean_wait
from corridor.errors import InputError
from corridor.network import Network
from corridor.planning import GreenLane, crossing, open_green_lane
from tests.planning import toys

Tables = dict[str, pd.DataFrame]
TRAFFIC = "target,direction,vehicles_per_day\nab-road,forward,{}\nab-road,backward,48"


def network(tables: Tables, forward: float = 96) -> Network:
    return toys.network(toys.joined(tables, background=TRAFFIC.format(forward)))


def lane(tables: Tables, share: float, work: float = 1.0, forward: float = 96) -> GreenLane:
    return open_green_lane(network(tables, forward), "ab-road", share, work)


def stage(found: GreenLane, name: str) -> pd.Series:
    rows = found.stages[found.stages["stage"] == name]
    return pd.Series(rows.to_dict("records")[0])


def test_the_scanner_by_hand(toy_tables: Tables) -> None:
    row = stage(lane(toy_tables, 0.25), "scanner")
    # One server, 20 minutes, 0.8 trucks an hour; a quarter of the load goes first (Cobham).
    rho = 0.8 / 3
    residual = rho / 3
    assert row["lane_wait_h"] == pytest.approx(residual / (1 - rho / 4))
    assert row["other_wait_h"] == pytest.approx(residual / ((1 - rho / 4) * (1 - rho)))
    assert row["wait_h"] == pytest.approx(float(mean_wait(0.8, 1 / 3, 1)))
    assert row["lane_wait_h"] < row["wait_h"] < row["other_wait_h"]


def test_a_lane_with_the_same_work_saves_nothing(toy_tables: Tables) -> None:
    found = lane(toy_tables, 0.4, forward=200)
    np.testing.assert_allclose(found.stages["conservation_gap_h"], 0.0, atol=1e-12)
    np.testing.assert_allclose(found.posts["saved_h_per_day"], 0.0, atol=1e-9)
    assert (found.posts["lane_h"] < found.posts["other_h"]).all()
    today = crossing(network(toy_tables, 200), "ab-road").posts
    np.testing.assert_allclose(found.posts["today_h"], today["service_h"] + today["wait_h"])


def test_less_work_saves_time_for_all_together(toy_tables: Tables) -> None:
    same, less = lane(toy_tables, 0.4, forward=200), lane(toy_tables, 0.4, 0.5, forward=200)
    assert (less.posts["saved_h_per_day"] > 0.0).all()
    assert (less.posts["other_h"] < same.posts["other_h"]).all()
    # No less than what the lane's own vehicles need less at the servers: queues get shorter too.
    today = crossing(network(toy_tables, 200), "ab-road").posts
    spared = 0.4 * 0.5 * today["service_h"] * today["arrivals_per_day"]
    assert (less.posts["saved_h_per_day"] > spared).all()
    np.testing.assert_allclose(
        less.stages["utilization_after"], 0.8 * less.stages["utilization"], rtol=1e-12
    )


def test_the_lane_moves_on_where_the_others_wait_for_ever(toy_tables: Tables) -> None:
    # 300 trucks overload two officers; a fifth of them goes first.
    found = lane(toy_tables, 0.2, forward=300)
    row = found.posts[(found.posts["from_country"] == "AAA") & (found.posts["country"] == "AAA")]
    assert np.isfinite(row["lane_h"].iloc[0])
    assert row["other_h"].iloc[0] == np.inf


@pytest.mark.parametrize(("share", "work"), [(0.0, 1.0), (1.0, 1.0), (0.3, 0.0), (0.3, 1.1)])
def test_wrong_numbers_are_refused(toy_tables: Tables, share: float, work: float) -> None:
    with pytest.raises(InputError, match="share must be > 0 and < 1 and work > 0 and <= 1"):
        lane(toy_tables, share, work)
