"""What ``compare --with`` adds: shown on the page, written as files, kept when it is stopped."""

import hashlib
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import corridor
from corridor import InputError
from corridor.cli import app
from corridor.report import findings
from corridor.report.findings import FINDERS, Finder, Findings, Notice, check_findings
from corridor.report.page.material import Material
from corridor.report.page.sections.answer import answer_section, worth_ranges
from corridor.study import Comparison
from tests.study.sweep_toy import write_sweep_study

SAMPLES = 16
VARIANT = "rail_closed"
FOUND = [name for name in FINDERS if name != "benefits"]
"""What the toy has the means for: no goods of it pass a third state."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep_study(tmp_path_factory.mktemp("findings") / "study")


def compare(folder: Path, out: Path, *more: str) -> Result:
    arguments = ["compare", str(folder), "--out", str(out), "--variant", VARIANT]
    return CliRunner().invoke(app, [*arguments, "--workers", "1", *more])


@pytest.fixture(scope="module")
def full(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a comparison with all that can be asked."""
    out = tmp_path_factory.mktemp("full") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(findings, "SAMPLES", SAMPLES)
        patch.setattr(findings, "sweep", partial(corridor.sweep, executor=1))
        result = compare(folder, out, "--with", "all")
    assert result.exit_code == 0, result.output
    for name in FOUND:
        assert f" {name}: " in result.stderr, "progress is told"
    assert "Without benefits: " in result.stderr
    return out


def test_what_the_study_lacks_the_means_for_is_told(folder: Path, tmp_path: Path) -> None:
    # No goods of the toy pass a third state, so that nobody has anything to share.
    result = compare(folder, tmp_path, "--with", "benefits")
    assert result.exit_code == 2
    assert "Without benefits: Players must be states that goods cross" in result.stderr
    assert (tmp_path / "report.html").is_file()
    with pytest.raises(
        InputError, match=r"can have explanations, frontiers, .* or all; found swep"
    ):
        check_findings(["swep"])


def test_page_has_a_section_for_everything_found(full: Path) -> None:
    text = (full / "report.html").read_text(encoding="utf-8")
    ids = re.findall(r'<section id="([a-z]+)"', text)
    more = ["frontiers", "uncertainty", "closures", "investment", "evidence"]
    assert ids[-5:] == more
    rules = text.split('id="table-rules"')[1].split("</table>")[0]
    assert "kUSD/day" in rules
    command = "corridor compare study.toml --out out"
    assert command + "".join(f" --with {name}" for name in FOUND) in text
    missing = text.split("What this report could have besides")[1].split("</dl>")[0]
    assert re.findall("<dt><code>([a-z]+)", missing) == ["benefits"]


def test_tables_are_those_of_the_verbs(folder: Path, full: Path) -> None:
    study = corridor.load_study(folder)
    losses = corridor.resilience(*study.case(study.base), kinds=["crossing"]).losses
    written = pd.read_csv(full / "resilience_losses.csv", keep_default_na=False)
    crossings = written[written["kind"] == "crossing"].set_index("item")["loss_usd_per_day"]
    for item, loss in losses.set_index("item")["loss_usd_per_day"].items():
        assert float(crossings[str(item)]) == pytest.approx(loss)
    costs = pd.read_csv(full / "explanations_costs.csv", keep_default_na=False)
    assert set(costs["variant"]) == {study.base, VARIANT}
    said = corridor.explain(*study.case(VARIANT), unmet_usd_per_t=study.header.unmet_usd_per_t)
    own = costs[costs["variant"] == VARIANT]["cost_usd_per_day"]
    assert own.tolist() == pytest.approx(said.costs["cost_usd_per_day"].tolist())
    points = pd.read_csv(full / "frontiers_points.csv")
    assert {0.0, 0.25, 0.5, 0.75, 1.0} <= set(points["value"])
    assert len(pd.read_csv(full / "sweep_samples.csv")) == 2 * SAMPLES


def test_package_describes_the_tables(full: Path) -> None:
    package = json.loads((full / "datapackage.json").read_text(encoding="utf-8"))
    described = {entry["path"]: entry for entry in package["resources"]}
    assert {path.name for path in full.iterdir()} == {*described, "datapackage.json"}
    entry = described["resilience_losses.csv"]
    content = (full / entry["path"]).read_bytes()
    assert entry["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
    header = content.decode().split("\n", 1)[0].split(",")
    assert [field["name"] for field in entry["schema"]["fields"]] == header
    units = {field["name"]: field.get("unit") for field in entry["schema"]["fields"]}
    assert units["loss_usd_per_day"] == "USD/day"


def test_ranges_of_savings_are_those_of_the_draws(folder: Path, full: Path) -> None:
    study = corridor.load_study(folder)
    made = corridor.compare(study, [VARIANT], workers=1)
    swept = corridor.sweep(study, SAMPLES, [study.base, VARIANT], findings.SEED, executor=1)
    cost = swept.keys.loc[swept.keys["indicator"] == "total_loss", "column"].iloc[0]
    rows = swept.samples.set_index(["variant", "sample"])[cost]
    saved = (rows[study.base] - rows[VARIANT]).sort_values().to_numpy()
    low, high = worth_ranges(Material(comparison=made, sweep=swept))[VARIANT]
    # The 5th and 95th of 16 draws lie between the outermost two on either side.
    assert saved[0] <= low <= saved[1] <= saved[-2] <= high <= saved[-1]
    assert low < high
    text = (full / "report.html").read_text(encoding="utf-8")
    for table in ("answer", "compare"):
        line = text.split(f'id="table-{table}"')[1].split(f'data-variant="{VARIANT}"')[1]
        assert f"<small>{low:,.0f} to {high:,.0f}</small>" in line.split("</tr>")[0]
    assert f"from the 5th to the 95th percentile over {SAMPLES} draws" in text


def test_what_is_done_is_written_when_asking_is_cut_short(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def first_only(
        found: Findings, comparison: Comparison, notice: Notice
    ) -> Iterator[Findings]:  # fmt: skip
        for step in FINDERS["explanations"].find(found, comparison, notice):
            yield step
            raise KeyboardInterrupt

    def never(found: Findings, *_: object) -> Iterator[Findings]:
        asked.append(1)
        yield found

    cut = {"explanations": Finder(first_only, "first"), "benefits": Finder(never, "never")}
    monkeypatch.setattr("corridor.report.findings.FINDERS", cut)
    result = compare(folder, tmp_path / "out", "--with", "explanations", "--with", "benefits")
    assert result.exit_code == 130
    assert "Stopped from the keyboard." in result.stderr
    assert not asked
    costs = pd.read_csv(tmp_path / "out" / "explanations_costs.csv")
    assert costs["variant"].nunique() == 1
    assert "benefits" not in {path.name.split("_")[0] for path in (tmp_path / "out").iterdir()}
    assert (tmp_path / "out" / "report.html").is_file()


def test_options_that_need_a_folder_say_so(folder: Path) -> None:
    for option in (["--with", "sweep"], ["--outlines", "x"], ["--geoparquet"]):
        result = CliRunner().invoke(app, ["compare", str(folder), *option])
        assert result.exit_code == 2
        assert "need --out DIR" in result.stderr


def test_plain_report_says_which_command_adds_the_rest(comparison: Comparison) -> None:
    from corridor.report.page.rendering import render_page

    text = render_page(Material(comparison=comparison))
    for name in FINDERS:
        assert f"<dt><code>{name}</code></dt>" in text
    assert "corridor compare --out DIR --with explanations." in text
    assert "corridor compare --out DIR --with sweep." in text


def test_another_point_of_view_is_drawn_and_named(folder: Path, tmp_path: Path) -> None:
    square = [[[0, 0], [9, 0], [9, 9], [0, 9], [0, 0]]]
    feature = {
        "type": "Feature",
        "properties": {"iso3": "AAA", "name": "Ash <land>"},
        "geometry": {"type": "Polygon", "coordinates": square},
    }
    view = {"type": "FeatureCollection", "name": "As <Ash> sees it", "features": [feature]}
    (tmp_path / "outlines").mkdir()
    (tmp_path / "outlines" / "ash.geojson").write_text(json.dumps(view), encoding="utf-8")
    result = compare(folder, tmp_path / "out", "--outlines", str(tmp_path / "outlines"))
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Outlines: As &lt;Ash&gt; sees it. The map takes no position" in text
    assert "Natural Earth" not in text
    assert "Ash &lt;land&gt;" in text or "Ash \\u003cland>" in text
    wrong = compare(folder, tmp_path / "other", "--outlines", str(tmp_path / "nowhere"))
    assert wrong.exit_code == 2
    assert "Outlines must be a folder of GeoJSON files" in wrong.stderr
    assert not (tmp_path / "other").exists()


def test_first_screen_names_the_dearest_rule(comparison: Comparison) -> None:
    said = corridor.explain(*comparison.study.case("no_border"))
    asked = {comparison.study.base: said}
    section = answer_section(Material(comparison=comparison, explanations=asked))
    text = section.context["reasons"][2][1]
    [cost] = said.costs.loc[said.costs["rule_id"] == "shut", "cost_usd_per_day"]
    found = re.search("the dearest is “(.*?)”: (.*?) ([mb])illion USD a year", text)
    assert found is not None
    assert found.group(1) == "The border is shut"
    size = {"m": 1e6, "b": 1e9}[found.group(3)]
    assert float(found.group(2)) * size == pytest.approx(cost * 365, rel=0.05)
    plain = answer_section(Material(comparison=comparison)).context["reasons"][2][1]
    assert "dearest" not in plain


def test_the_docs_say_what_can_be_asked() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "howto.md").read_text(encoding="utf-8")
    table = docs.split("| `--with` |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `([a-z]+)` \|", table, re.MULTILINE) == list(FINDERS)
    assert f"{findings.SAMPLES} draws each, seed {findings.SEED}" in table
    assert f"{findings.BUDGET_MUSD:g} MUSD" in table
