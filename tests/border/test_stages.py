"""Which stages serve a post: own rows, templates, regimes, classes."""

from dataclasses import replace

import pandas as pd
import pytest

from corridor.border.stages import Post, StageBook
from tests.planning.toys import frame

USERS = ["grain", "boxes", "empty"]
POST = Post(crossing_id="x", country="AAA", layer="road", direction="in", regime="standard")


def served(text: str, post: Post = POST) -> dict[int, list[str]]:
    """Return the users that each row of a stages table serves at a post."""
    columns = "crossing_id,country,layer,direction,regime,order,class,stage\n"
    stages = frame(columns + text)
    stages = stages.astype(object).where(stages.notna(), "")
    rows = StageBook(stages, USERS).stages(post)
    return {row: [u for u, s in zip(USERS, serves, strict=True) if s] for row, serves in rows}


def test_own_rows_keep_the_template_out() -> None:
    text = "*,AAA,road,in,,1,all\n*,AAA,road,in,,2,all\nx,AAA,,in,,1,all"
    assert served(text) == {2: USERS}
    assert served(text, replace(POST, crossing_id="y")) == {0: USERS, 1: USERS}


def test_templates_go_by_state_layer_and_direction() -> None:
    text = (
        "*,AAA,rail,in,,1,all\n*,BBB,road,in,,1,all\n*,AAA,road,out,,1,all\n*,AAA,road,both,,2,all"
    )
    assert served(text) == {3: USERS}
    assert served(text, replace(POST, direction="out")) == {2: USERS, 3: USERS}
    assert served(text, replace(POST, country="CCC")) == {}


def test_own_rows_of_another_direction_or_regime_leave_the_template_in() -> None:
    text = "x,AAA,,out,,1,all\nx,AAA,,in,joint,1,all\n*,AAA,road,in,,1,all"
    assert served(text) == {2: USERS}
    assert served(text, replace(POST, regime="joint")) == {1: USERS}


def test_a_blank_regime_is_every_regime_and_the_named_one_wins_its_slot() -> None:
    text = "x,AAA,,in,joint,1,all\nx,AAA,,in,,1,all\nx,AAA,,in,,2,all"
    assert served(text) == {1: USERS, 2: USERS}
    assert served(text, replace(POST, regime="joint")) == {0: USERS, 2: USERS}


def test_a_direction_of_its_own_beats_both_in_one_slot() -> None:
    assert served("x,AAA,,in,,1,all\nx,AAA,,both,,1,all") == {0: USERS}


def test_the_most_specific_class_of_an_order_wins() -> None:
    text = "x,AAA,,in,,1,all\nx,AAA,,in,,1,boxes\nx,AAA,,in,,1,empty\nx,AAA,,in,,2,all"
    assert served(text) == {0: ["grain"], 1: ["boxes"], 2: ["empty"], 3: USERS}


@pytest.mark.parametrize("user", ["sealed", "gold"])
def test_a_row_that_serves_nobody_is_left_out(user: str) -> None:
    assert served(f"x,AAA,,in,,1,{user}\nx,AAA,,in,,2,all") == {1: USERS}


def test_an_empty_table_has_no_stages() -> None:
    names = ["crossing_id", "country", "layer", "direction", "regime", "order", "class", "stage"]
    assert StageBook(pd.DataFrame(columns=names), USERS).stages(POST) == []


def test_goods_under_seal_skip_stages_and_go_to_rows_of_their_own() -> None:
    text = (
        "x,AAA,,in,,1,all,documents\nx,AAA,,in,,1,sealed,seal check\nx,AAA,,in,,2,all,scanner\n"
        "x,AAA,,in,,3,boxes,inspection\nx,AAA,,in,,3,empty,inspection"
    )
    sealed = replace(POST, skip=frozenset({"scanner"}))
    assert served(text, sealed) == {1: ["grain", "boxes"], 3: ["boxes"], 4: ["empty"]}
    assert served(text) == {0: USERS, 2: USERS, 3: ["boxes"], 4: ["empty"]}
    nothing = replace(POST, skip=frozenset({"scanner", "seal check", "inspection"}))
    assert served(text, nothing) == {}
