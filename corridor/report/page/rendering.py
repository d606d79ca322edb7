"""The page as text: sections, charts, tables and the script that follows the chosen variant."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from corridor import __version__
from corridor.report.page.material import Material
from corridor.report.page.parts import Section
from corridor.report.page.sections.answer import answer_section
from corridor.report.page.sections.atlas import map_section
from corridor.report.page.sections.benefits import benefits_section
from corridor.report.page.sections.chains import chains_section
from corridor.report.page.sections.evidence import evidence_section
from corridor.report.page.sections.frontiers import frontiers_section
from corridor.report.page.sections.gates import gates_section
from corridor.report.page.sections.investments import investment_section
from corridor.report.page.sections.laws import rules_section
from corridor.report.page.sections.losses import losses_section
from corridor.report.page.sections.posts import posts_section
from corridor.report.page.sections.spreads import sweep_section
from corridor.report.page.sections.states import states_section
from corridor.report.page.sections.variants import variants_section
from corridor.report.records import Record

if TYPE_CHECKING:
    from bokeh.plotting import figure as Figure  # noqa: N812
    from jinja2 import Environment

SECTIONS: Final[Sequence[Callable[[Material], Section | None]]] = (
    answer_section,
    map_section,
    variants_section,
    gates_section,
    posts_section,
    rules_section,
    states_section,
    chains_section,
    frontiers_section,
    sweep_section,
    losses_section,
    benefits_section,
    investment_section,
    evidence_section,
)
"""The sections in the order of the page; one that has nothing to show returns None."""


def render_page(material: Material) -> str:
    """Return the HTML of a report.

    Parameters
    ----------
    material
        The comparison and what belongs to it.
    """
    made = [make(material) for make in SECTIONS]
    sections = [section for section in made if section is not None]
    template = _environment().get_template("page.html.j2")
    study = material.comparison.study
    return template.render(
        study=study,
        version=__version__,
        sections=sections,
        variants=[
            {"id": name, "title": material.title(name), "status": plan.status}
            for name, plan in material.plans.items()
        ],
        base=material.base,
        charts={
            name: script_json(_item(figure))
            for section in sections
            for name, figure in section.charts.items()
        },
        data=script_json(_page_data(material, sections)),
        bokeh=_bokeh_script(),
        style=_asset("page.css"),
        script=_asset("page.js"),
    )


def _page_data(material: Material, sections: Sequence[Section]) -> Record:
    data: Record = {
        "base": material.base,
        "steered": [name for name in material.plans if material.comparison.is_steered(name)],
        "variants": list(material.plans),
        "tables": {
            name: follower.record()
            for section in sections
            for name, follower in section.tables.items()
        },
    }
    for section in sections:
        data |= section.data
    return data


def _item(figure: "Figure") -> object:
    """Return a figure as the JSON that Bokeh's script embeds."""
    from bokeh.embed import json_item

    item: object = json_item(figure)
    return item


def script_json(value: object) -> str:
    r"""Return plain values as JSON that may stand inside a script element: no ``<`` can end it.

    Examples
    --------
    >>> script_json({"name": "</script>"})
    '{"name":"\\u003c/script>"}'
    """
    text = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for sign in "<\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


@cache
def _bokeh_script() -> str:
    """Return the script of Bokeh's core, 1.3 MB: no widgets, no tables, no WebGL, no formulas."""
    from bokeh.resources import Resources

    return "\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)


def _asset(name: str) -> str:
    return files("corridor.report.page").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("corridor.report.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
