"""A study whose names try to break every format."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

import corridor
from corridor.study import Comparison
from tests.report.toy import write_toy_study

NAMES = [
    "Մեղրի \"quoted\" 'single'",
    "ფოთი <b>bold</b> & co",
    "Владикавказ; Ларс, 2",
    "=1+1",
    "@SUM(A1:A9)",
    "+7 -2 \\ %s {x}",
]
CROSSINGS = ['=HYPERLINK("http://x")', "-2+3 Ջուլֆա"]
TITLE = '=2+5 <script>alert("ა")</script> Ёж'
VARIANT = "ձև <i>\"1' =x"
SOURCE = "Աղբյուր"


def write_strange_study(
    folder: Path, tables: Mapping[str, pd.DataFrame], demand: pd.DataFrame
) -> Path:
    """Write the toy study with strange names of places, borders, variants and sources."""
    named = dict(tables)
    named["nodes"] = named["nodes"].assign(name=NAMES)
    named["crossings"] = named["crossings"].assign(name=CROSSINGS)
    named["sources"] = pd.DataFrame(
        {
            "source": [SOURCE],
            "title": ['=cmd|" /C calc"!A0'],
            "publisher": ["Ծ & <sons>"],
            "date": ["2026"],
            "url": ["https://example.org/?a=1&b=<2>"],
        }
    )
    cited = {
        name: frame.assign(source=SOURCE, confidence="assumed")
        for name, frame in named.items()
        if name != "sources"
    }
    write_toy_study(folder, named | cited, demand.assign(source=SOURCE, confidence="assumed"))
    file = folder / "study.toml"
    text = file.read_text(encoding="utf-8")
    text = text.replace('name = "Toy"', f"name = '''{TITLE}'''")
    text = text.replace('title = "The road crossing is shut"', f"title = '''{TITLE}'''")
    text = text.replace('id = "no_road"', f"id = '''{VARIANT}'''")
    file.write_text(text, encoding="utf-8")
    return folder


_planned: list[Comparison] = []


def strange_comparison(
    folder: Path, tables: Mapping[str, pd.DataFrame], demand: pd.DataFrame
) -> Comparison:
    """Compare the strange study; nothing can change the result, so all tests share it."""
    if not _planned:
        study = corridor.load_study(write_strange_study(folder, tables, demand))
        _planned.append(corridor.compare(study, workers=1))
    return _planned[0]
