"""The report as people meet it: in a browser without a network, with a mouse and without."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

import corridor
from corridor.study import Comparison
from tests.report.browser import Browser, find_browser, new_browser

pytestmark = pytest.mark.skipif(
    find_browser() is None, reason="no Chromium is installed, so that no page can be looked at"
)
PHONE = (390, 844)
DESK = (1440, 900)

DEEP = """
(function texts(root) {
  return [...root.querySelectorAll('*')].flatMap((el) =>
    [...(el.classList.contains('bk-Tooltip') && el.style.display !== 'none' ? [el] : []),
     ...(el.shadowRoot ? texts(el.shadowRoot) : [])]);
})(document).map((el) => (el.shadowRoot || el).textContent).join(' ')
"""
"""Text of all tooltips; Bokeh keeps them in trees of their own."""

PLACE = """
(() => {
  const map = Bokeh.documents.map((d) => d.get_model_by_name('map')).find(Boolean);
  const view = Object.values(Bokeh.index.roots || Bokeh.index).find((v) => v.model === map);
  const at = map.document.get_model_by_name('crossings').data;
  const i = at.crossing_id.indexOf('%s');
  const box = view.canvas_view.el.getBoundingClientRect();
  return [box.left + view.frame.x_scale.compute(at.x[i]),
          box.top + view.frame.y_scale.compute(at.y[i])];
})()
"""
"""Where a crossing is in the window."""


def of_map(what: str) -> str:
    """Return an expression over the model of the map, its links and its crossings."""
    return f"""(() => {{
      const map = Bokeh.documents.map((d) => d.get_model_by_name('map')).find(Boolean);
      const named = (name) => map.document.get_model_by_name(name);
      return {what};
    }})()"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with new_browser() as started:
        yield started


@pytest.fixture
def page(browser: Browser, comparison: Comparison, pages: Path) -> Browser:
    """Return the browser with the report of the toy study on a desk."""
    path = pages / "report.html"
    if not path.exists():
        corridor.write_report(comparison, path)
    browser.resize(*DESK)
    browser.open(path)
    return browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


def choose(page: Browser, variant: str) -> None:
    page.run(
        f"(() => {{ const s = document.getElementById('variant'); s.value = '{variant}';"
        "s.dispatchEvent(new Event('change')); })()"
    )
    page.settle()


def test_page_opens_without_complaint_or_request(page: Browser) -> None:
    assert page.complaints() == []
    assert page.requests() == []
    assert page.run("document.querySelectorAll('.chart canvas').length + 1") >= 1
    charts = page.run("document.querySelectorAll('.chart').length")
    drawn = page.run("[...document.querySelectorAll('.chart')].filter((c) => c.firstChild).length")
    assert drawn == charts > 2


def test_variant_switch_changes_map_and_tables(page: Browser) -> None:
    flow = of_map("[...named('links').data.flow]")
    marks = of_map("[...named('crossings').data.mark]")
    rows = "document.querySelector('#table-crossings tbody').textContent"
    before = [page.run(what) for what in (flow, rows)]
    assert "not open" not in page.run(marks)
    choose(page, "no_road")
    after = [page.run(what) for what in (flow, rows)]
    assert "not open" in page.run(marks)
    assert after[0] != before[0]
    assert after[1] != before[1]
    assert page.run("document.querySelector('tr.chosen').dataset.variant") == "no_road"
    assert page.run("document.querySelector('#table-states td small').textContent[0]") in "+-="


def test_variant_without_a_plan_says_so(page: Browser) -> None:
    choose(page, "contradiction")
    assert page.run("document.querySelector('#table-crossings tbody').textContent").startswith(
        "Nothing"
    )
    assert "cannot hold together" in page.run("document.querySelector('.alert').textContent")
    assert page.complaints() == []


def test_change_from_base_is_drawn(page: Browser) -> None:
    choose(page, "no_road")
    page.run("document.querySelector('input[value=change]').click()")
    page.settle()
    assert page.run(of_map("[named('gain').visible, named('flow-road').visible]")) == [True, False]
    data = of_map("[Math.max(...named('links').data.gain), Math.max(...named('links').data.loss)]")
    gain, loss = page.run(data)
    assert gain > 0
    assert loss > 0


def test_goods_split_into_containers_and_bulk(page: Browser) -> None:
    flow = of_map("named('links').data.flow.reduce((a, b) => a + b)")
    found = {}
    for goods in ("all", "containers", "bulk"):
        page.run(
            f"(() => {{ const g = document.getElementById('goods'); g.value = '{goods}';"
            "g.dispatchEvent(new Event('change')); })()"
        )
        found[goods] = page.run(flow)
    assert found["containers"] > 0
    assert found["bulk"] > 0
    assert found["containers"] + found["bulk"] == pytest.approx(found["all"], abs=1.0)


def test_pointing_at_a_crossing_tells_numbers_with_units(page: Browser) -> None:
    page.run("document.getElementById('map').scrollIntoView()")
    page.settle()
    # Road and rail cross at the same place: either may be on top.
    x, y = page.run(PLACE % "ab-road")
    page.point(x - 40, y - 40)
    page.point(x, y)
    page.wait_for(f"{DEEP}.includes('t/day')")
    said = page.run(DEEP)
    assert "Ash-Beech" in said
    assert "AAA - BBB" in said
    assert "vehicles/day" in said
    assert "% used" in said
    assert "NaN" not in said


def test_keyboard_sorts_switches_and_zooms(page: Browser) -> None:
    page.run("document.querySelectorAll('#table-answer .sort')[1].focus()")
    page.press("Enter", 13, "\r")
    values = "[...document.querySelectorAll('#table-answer tbody tr')].map((r) => r.cells[1])"
    shown = page.run(f"{values}.map((c) => c.dataset.value && Number(c.dataset.value))")
    known = [value for value in shown if value is not None]
    assert known == sorted(known, reverse=True)
    assert shown[: len(known)] == known, "what is unknown comes last"
    assert page.run("document.querySelectorAll('th[aria-sort=descending]').length") == 1

    page.run("document.getElementById('variant').focus()")
    page.press("ArrowDown", 40)
    assert page.run("document.querySelector('tr.chosen').dataset.variant") == "no_road"

    width = of_map("map.x_range.end - map.x_range.start")
    before = page.run(width)
    page.run("document.querySelector('[data-move=in]').focus()")
    page.press("Enter", 13, "\r")
    assert page.run(width) < before


def test_phone_shows_it_all_in_one_column(page: Browser) -> None:
    page.resize(*PHONE)
    page.settle()
    assert page.run("document.documentElement.scrollWidth") <= PHONE[0]
    legend, chart = (
        page.run(f"document.querySelector('{name}').getBoundingClientRect().top")
        for name in (".legend", "#chart-map")
    )
    assert legend > chart
    assert page.complaints() == []


def test_charts_are_as_dark_as_the_page(page: Browser) -> None:
    color = of_map("map.background_fill_color")
    day = page.run(color)
    page.resize(*DESK, dark=True)
    page.wait_for(f"{color} !== '{day}'")
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(21, 25, 29)"


def test_paper_holds_the_page(page: Browser) -> None:
    answer = page.send("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    paper = base64.b64decode(answer["data"])
    assert paper.startswith(b"%PDF")
    assert paper.count(b"/Type /Page\n") > 5


def test_nothing_folded_is_lost_on_paper(page: Browser) -> None:
    page.resize(1000, 700)
    page.send("Emulation.setEmulatedMedia", {"media": "print"})
    page.settle()
    shown = """[...document.querySelectorAll('details:not([open])')].map((fold) => [
      fold.querySelector('summary').checkVisibility(), fold.classList.contains('paper'),
      fold.querySelector('table').checkVisibility()])"""
    folded = page.run(shown)
    page.send("Emulation.setEmulatedMedia", {"media": ""})
    assert len(folded) > 4
    assert all(summary for summary, _, _ in folded)
    assert any(paper for _, paper, _ in folded)
    assert all(table == paper for _, paper, table in folded), "evidence is unfolded, all else named"


def test_tables_are_no_wider_than_paper(page: Browser) -> None:
    page.resize(1000, 700)
    page.send("Emulation.setEmulatedMedia", {"media": "print"})
    page.settle()
    tables = "[...document.querySelectorAll('table')]"
    wide = page.run(f"{tables}.filter((t) => t.clientWidth > 976).map((t) => t.id)")
    page.send("Emulation.setEmulatedMedia", {"media": ""})
    assert wide == []


def test_chart_of_a_crossing_is_drawn_when_it_is_unfolded(page: Browser) -> None:
    page.run("document.querySelectorAll('#crossings details')[1].open = true")
    page.settle()
    page.wait_for("document.querySelector('#chart-day-1').clientHeight > 200")
    assert page.run("document.querySelector('#chart-day-1').firstChild.clientWidth") > 400
    assert page.complaints() == []


def test_hostile_names_are_shown_as_they_are(page: Browser, hostile: Path) -> None:
    page.open(hostile)
    assert page.complaints() == []
    assert "alert(1)" in page.run("document.querySelector('#variant').textContent")
    assert page.run("document.querySelectorAll('h1 b, td script').length") == 0
    text = page.run("document.body.textContent")
    for name in ("Մեղրի - ագարակ", "თბილისი", "Ереван {{ 7 * 7 }}"):
        assert name in text
    page.run("document.getElementById('map').scrollIntoView()")
    page.settle()
    x, y = page.run(PLACE % "ab-road")
    page.point(x - 40, y - 40)
    page.point(x, y)
    page.wait_for(f"{DEEP}.includes('t/day')")
    assert "<script>alert(1)</script>" in page.run(DEEP) or "<b>bold</b>" in page.run(DEEP)
