"""Directives that write pages from the code itself, so that they cannot go stale."""

import formulas
import pages
from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directives and the renderer of formulas."""
    app.add_directive("public-names", pages.PublicNames)
    app.add_directive("data-dictionary", pages.DataDictionary)
    app.add_directive("command-reference", pages.CommandReference)
    app.add_directive("result-columns", pages.ResultColumns)
    app.add_directive("examples", pages.Examples)
    app.add_directive("run", pages.Run)
    app.add_directive("notebook", pages.Notebook)
    app.add_html_math_renderer("mathml", formulas.INLINE, formulas.BLOCK)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
