"""Sections of the report that show what other verbs found."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

import corridor
from corridor import InputError
from corridor.planning import BudgetFrontier, Frontier, budget_frontier, rule_frontier
from corridor.report.page.material import Material
from corridor.report.page.sections.benefits import benefits_section
from corridor.report.page.sections.frontiers import frontiers_section
from corridor.report.page.sections.investments import investment_section
from corridor.report.page.sections.losses import losses_section
from corridor.report.page.sections.spreads import sweep_section
from corridor.study import BenefitShares, Comparison, Resilience, Sweep
from tests.report.browser import find_browser, new_browser
from tests.study.sweep_toy import write_sweep_study


@dataclass(frozen=True)
class Found:
    """A comparison of the toy study, and what every other verb says of it."""

    comparison: Comparison
    sweep: Sweep
    resilience: Resilience
    benefits: BenefitShares
    investment: corridor.InvestmentPlan
    budgets: BudgetFrontier
    frontier: Frontier
    explanation: corridor.Explanation

    def material(self) -> Material:
        """Return it as the sections want it."""
        return Material(
            comparison=self.comparison,
            sweep=self.sweep,
            resilience=self.resilience,
            benefits=self.benefits,
            investment=self.investment,
            budgets=self.budgets,
            frontiers={"Scanning": self.frontier},
        )


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    study = corridor.load_study(write_sweep_study(tmp_path_factory.mktemp("found") / "study"))
    variants = list(study.variant_ids)[:2]
    case = study.case(study.base)
    return Found(
        comparison=corridor.compare(study, variants, workers=1),
        sweep=corridor.sweep(study, samples=16, variants=variants, executor=1),
        resilience=corridor.resilience(*case),
        benefits=corridor.share_benefits(*case, players=["AAA", "BBB"]),
        investment=corridor.invest(*case, budget_musd=50.0),
        budgets=budget_frontier(*case, budgets_musd=[5.0, 50.0]),
        frontier=rule_frontier(*case, "scan", "share", [0.1, 0.3], crossings=["ab-road"]),
        explanation=corridor.explain(*case),
    )


@pytest.fixture(scope="module")
def full(found: Found, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("full") / "report.html"
    corridor.write_report(
        found.comparison,
        path,
        sweep=found.sweep,
        resilience=found.resilience,
        benefits=found.benefits,
        investment=found.investment,
        budgets=found.budgets,
        explanations={found.comparison.base: found.explanation},
        frontiers={"Scanning": found.frontier},
    )
    return path


def test_sections_are_there_only_when_something_was_found(found: Found, full: Path) -> None:
    ids = re.findall(r'<section id="([a-z]+)"', full.read_text(encoding="utf-8"))
    more = ["frontiers", "uncertainty", "closures", "benefits", "investment"]
    assert ids[-6:] == [*more, "evidence"]
    bare = Material(comparison=found.comparison)
    for make in (
        frontiers_section, sweep_section, losses_section, benefits_section, investment_section
    ):  # fmt: skip
        assert make(bare) is None


def test_tornado_is_that_of_the_sweep(found: Found) -> None:
    section = sweep_section(found.material())
    assert section is not None
    rows = found.sweep.tornado(found.comparison.base)
    bars = [r.data_source.data for r in section.charts["tornado-0"].renderers]
    assert bars[0]["value"] == pytest.approx(rows["low"].tolist())
    assert bars[1]["value"] == pytest.approx(rows["high"].tolist())
    spread = found.sweep.distributions
    of = (spread["variant"] == found.comparison.base) & (spread["indicator"] == "total_loss")
    mean = spread.loc[of, "mean"].iloc[0]
    for data in bars:
        ends = zip(data["left"], data["right"], data["value"], strict=True)
        assert all({mean, value} == {left, right} for left, right, value in ends)


def test_loss_map_holds_every_closed_link_and_crossing(found: Found) -> None:
    section = losses_section(found.material())
    assert section is not None
    losses = found.resilience.losses
    drawn = section.charts["loss-map"].renderers[-2:]
    for kind, renderer in zip(("link", "crossing"), drawn, strict=True):
        data = renderer.data_source.data
        rows = losses[losses["kind"] == kind]
        assert len(rows) > 0
        assert sorted(data["kusd"]) == pytest.approx(
            sorted(rows["loss_usd_per_day"].clip(lower=0.0) / 1e3), abs=0.01
        )
        largest = data["size"].index(max(data["size"]))
        assert data["kusd"][largest] == max(data["kusd"])


def test_heat_map_and_shares_are_those_of_the_game(found: Found) -> None:
    section = benefits_section(found.material())
    assert section is not None
    cells = section.charts["dependence"].renderers[0].data_source.data
    rows = found.benefits.interdependence
    assert cells["kusd"] == pytest.approx((rows["loss_usd_per_day"] / 1e3).tolist())
    bars = section.charts["shares"].renderers[0].data_source.data
    # No goods of the toy pass a third state: nobody has anything to share.
    shapley = found.benefits.shares["shapley_access_t_per_day"]
    assert not found.benefits.shares["shapley_usd_per_day"].fillna(0.0).any()
    assert sum(bars["value"]) == pytest.approx(shapley.sum())


def test_budgets_and_trade_offs_are_drawn(found: Found) -> None:
    money = investment_section(found.material())
    rules = frontiers_section(found.material())
    assert money is not None
    assert rules is not None
    points = money.charts["budgets"].renderers[0].data_source.data
    assert points["budget"] == [0.0, 5.0, 50.0]
    curve = rules.charts["frontier-0"].renderers[0].data_source.data
    assert curve["value"] == ["0.1", "0.3"]


def test_costs_of_rules_are_shown_where_they_were_asked(found: Found, full: Path) -> None:
    text = full.read_text(encoding="utf-8")
    assert "kUSD/day" in text.split('id="table-rules"')[1].split("</table>")[0]
    with pytest.raises(InputError, match="variants of the comparison; elsewhere are not"):
        corridor.write_report(
            found.comparison, full.parent / "x.html", explanations={"elsewhere": found.explanation}
        )


@pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed")
def test_full_report_opens_without_complaint(full: Path) -> None:
    with new_browser() as browser:
        browser.resize(1440, 900)
        browser.open(full)
        assert browser.complaints() == []
        assert browser.requests() == []
