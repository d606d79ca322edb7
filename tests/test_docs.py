"""The site names every room, and what stands in it can be built; building is a stage of CI."""

import importlib
import json
import re
from pathlib import Path

import pytest

import corridor

ROOT = Path(corridor.__file__).parent.parent
DOCS = ROOT / "docs"
LISTED = {
    name
    for page in (DOCS / "api").glob("*.rst")
    for name in re.findall(r"^\.\. public-names:: (\S+)$", page.read_text(), flags=re.MULTILINE)
}


def rooms() -> list[str]:
    """Return the packages and modules whose public names somebody may import."""
    inits = [*ROOT.glob("corridor/*/__init__.py"), *ROOT.glob("corridor/core/*/__init__.py")]
    packages = [".".join(init.parent.relative_to(ROOT).parts) for init in inits]
    shown = [name for name in packages if hasattr(importlib.import_module(name), "__all__")]
    return sorted({"corridor", "corridor.core.graph", "corridor.errors", *shown})


@pytest.mark.parametrize("room", rooms())
def test_every_room_has_a_place_in_the_reference(room: str) -> None:
    assert room in LISTED or room == "corridor.cli"  # which has a page of its own


def test_the_reference_names_only_what_is_there() -> None:
    for name in LISTED:
        importlib.import_module(name)


def test_every_page_is_in_the_table_of_contents() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([a-z/]+)$", index, flags=re.MULTILINE))
    pages = {str(page.relative_to(DOCS).with_suffix("")) for page in DOCS.rglob("*.md")}
    pages |= {str(page.relative_to(DOCS).with_suffix("")) for page in DOCS.rglob("*.rst")}
    assert listed == pages - {"index"}


def test_every_citation_of_the_formulation_has_its_source() -> None:
    text, _, sources = (
        (DOCS / "formulation.md").read_text(encoding="utf-8").partition("\n## Sources\n")
    )
    cited = {
        (part.split(",")[0].split(" and ")[0].strip().rpartition(" ")[0], part[-4:])
        for block in re.findall(r"\[([^\]]*\b(?:18|19|20)\d\d)\](?!\()", text)
        for part in (whole.strip() for whole in block.split(";"))
    }
    assert len(cited) > 25
    for name, year in cited:
        surname = name.split(" and ")[0].split(",")[0].strip() or name
        lines = re.split(r"\n- ", sources)
        assert any(surname in line and (year in line or surname == "CAREC") for line in lines), name


def test_the_notebook_is_committed_without_outputs() -> None:
    book = json.loads((ROOT / "examples" / "story.ipynb").read_text(encoding="utf-8"))
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    assert len(code) > 10
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
