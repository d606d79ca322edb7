"""Settings of the documentation: ``sphinx-build -W docs out/site``; nothing is fetched."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

import corridor  # noqa: E402 (the checkout must be on the path first)

project = "corridor"
author = "the corridor authors"
project_copyright = "the corridor authors, MIT license"
version = release = corridor.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "corridor_docs"]
exclude_patterns = ["_ext"]
language = "en"
smartquotes = False  # --out is an option, not a dash

myst_enable_extensions = ["dollarmath", "amsmath", "deflist"]
myst_heading_anchors = 3
html_math_renderer = "mathml"

autodoc_member_order = "bysource"
autodoc_typehints = "none"
python_maximum_signature_line_length = 88
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "furo"
html_title = f"corridor {release}"
html_show_copyright = False
html_copy_source = False
pygments_style = "friendly"
