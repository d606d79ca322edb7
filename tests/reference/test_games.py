"""Published games: their Shapley values and nucleoli."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from corridor.core.games import nucleolus, shapley_value

FOLDER = Path(os.environ.get("CORRIDOR_INSTANCES", "instances-not-given")) / "games"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="CORRIDOR_INSTANCES names no folder with reference instances"
)


def test_published_games() -> None:
    games = json.loads((FOLDER / "games.json").read_text(encoding="utf-8"))
    assert len(games) >= 5
    for game in games:
        sign = -1.0 if game["kind"] == "cost" else 1.0
        v = np.zeros(2 ** game["n"])
        for names, value in game["v"].items():
            v[sum(1 << int(name) - 1 for name in names.split(","))] = sign * value
        for name, solve in (("shapley", shapley_value), ("nucleolus", nucleolus)):
            for kind in ("published", "computed"):
                if game[kind][name] is not None:
                    found = sign * solve(v)
                    np.testing.assert_allclose(found, game[kind][name], rtol=1e-7, atol=1e-9)
