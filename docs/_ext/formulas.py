"""Formulas as MathML, which browsers draw themselves: no script, no font, no network."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.writers.html5 import HTML5Translator


def _visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    markup = convert(node.astext(), display="block")
    self.body.append(self.starttag(node, "div", CLASS="math") + markup + "</div>\n")
    raise nodes.SkipNode


INLINE = (_visit_inline, None)
BLOCK = (_visit_block, None)
