import io
import sys
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.image import imread

from corridor import InputError, MissingExtraError, Network
from corridor.report.maps.static import draw_map, write_map
from corridor.study import Comparison


def lines(figure: Figure) -> dict[str, LineCollection]:
    (axes,) = figure.axes
    return {c.get_label(): c for c in axes.collections if isinstance(c, LineCollection)}


def test_network_is_drawn_by_mode(toy_network: Network) -> None:
    drawn = lines(draw_map(toy_network))
    assert {label: len(part.get_segments()) for label, part in drawn.items()} == {
        "road": 4,
        "rail": 4,
    }


def test_width_grows_as_the_root_of_the_flow(comparison: Comparison) -> None:
    plan, network = comparison.plans["today"], comparison.study.network
    drawn = lines(draw_map(plan, network))
    flows = plan.links.groupby("link_id")["t_per_day"].sum()
    widths = pd.concat(
        [
            pd.Series(
                drawn[mode].get_linewidths(),
                network.links.loc[network.links["layer"].str.startswith(mode), "link_id"],
            )
            for mode in ("road", "rail")
        ]
    )
    expected = 0.5 + 6.5 * (flows / flows.max()) ** 0.5
    pd.testing.assert_series_equal(
        widths.sort_index(), expected.reindex(widths.sort_index().index), check_names=False
    )


def test_closed_links_are_apart(comparison: Comparison) -> None:
    drawn = lines(draw_map(comparison.plans["no_road"], comparison.study.network))
    assert len(drawn["closed"].get_segments()) == 1
    assert len(drawn["road"].get_segments()) == 3


def test_changes_against_a_base(comparison: Comparison) -> None:
    plans, network = comparison.plans, comparison.study.network
    drawn = lines(draw_map(plans["no_road"], network, base=plans["today"]))
    assert len(drawn["more than in the base"].get_segments()) == 3
    assert len(drawn["less than in the base"].get_segments()) == 3


def test_plan_without_flows_is_drawn(comparison: Comparison) -> None:
    drawn = lines(draw_map(comparison.plans["contradiction"], comparison.study.network))
    assert set(drawn) == {"closed"}


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf"])
def test_same_map_gives_the_same_file(toy_network: Network, tmp_path: Path, suffix: str) -> None:
    name = 'Մեղրի "ფოთი" <b> $x_2$ Ёж & co'
    network = toy_network.replace(nodes=toy_network.nodes.assign(name=name))
    for number in (1, 2):
        write_map(draw_map(network, title=name), tmp_path / f"{number}{suffix}")
    first, second = ((tmp_path / f"{number}{suffix}").read_bytes() for number in (1, 2))
    assert first == second
    assert {path.name for path in tmp_path.iterdir()} == {f"1{suffix}", f"2{suffix}"}
    if suffix == ".png":
        assert imread(tmp_path / "1.png").std() > 0.01


def test_extent_is_what_is_seen(toy_network: Network) -> None:
    (axes,) = draw_map(toy_network, extent=(1.0, -1.0, 3.0, 1.0)).axes
    assert (axes.get_xlim(), axes.get_ylim()) == ((1.0, 3.0), (-1.0, 1.0))
    assert {text.get_text() for text in axes.texts} <= {"Ash", "Beech"}


def test_what_cannot_be_drawn_is_refused(comparison: Comparison, toy_network: Network) -> None:
    plan = comparison.plans["today"]
    with pytest.raises(InputError, match="needs the network"):
        draw_map(plan)
    other = toy_network.replace(links=toy_network.links.iloc[:-1])
    with pytest.raises(InputError, match="1 of its links are not in it, such as 'B1-B2-rail'"):
        draw_map(plan, other)
    with pytest.raises(InputError, match="wider than 0 inches"):
        draw_map(toy_network, width_in=0.0)
    with pytest.raises(InputError, match="west, south, east, north"):
        draw_map(toy_network, extent=(3.0, 0.0, 1.0, 1.0))


def test_a_notebook_shows_it_without_pyplot(toy_network: Network) -> None:
    image = imread(io.BytesIO(draw_map(toy_network, width_in=3.0)._repr_png_()))
    assert image.shape[1] == pytest.approx(360, abs=1)
    assert image.std() > 0.01


def test_file_must_be_of_a_known_kind(toy_network: Network, tmp_path: Path) -> None:
    figure = draw_map(toy_network)
    with pytest.raises(InputError, match=r"must end in \.svg, \.png, \.pdf; found 'map\.doc'"):
        write_map(figure, tmp_path / "map.doc")
    with pytest.raises(InputError, match="A map must go into an existing folder"):
        write_map(figure, tmp_path / "nowhere" / "map.svg")


def test_missing_library_is_named_with_its_extra(
    toy_network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "corridor.report.maps.figures", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'corridor\[plot\]'"):
        draw_map(toy_network)
