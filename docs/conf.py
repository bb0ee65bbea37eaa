"""Sphinx: the Markdown below docs/ to a site that needs nothing from the network. Built by `make docs`."""

from __future__ import annotations

from importlib.metadata import version as version_of
from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml
from sphinx.application import Sphinx

project = "depose"
author = "the makers of depose"
version = release = version_of("depose")
extensions = ["myst_parser"]
exclude_patterns = ["manual"]
nitpicky = True
numfig = False

myst_enable_extensions = ["deflist", "dollarmath"]
myst_heading_anchors = 4
myst_links_external_new_tab = False

html_theme = "furo"
html_title = f"depose {version}"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_math_renderer = "mathml"
html_extra_path = ["findings.schema.json"]
html_permalinks_icon = "#"
html_theme_options: dict[str, Any] = {"footer_icons": []}
pygments_style = "friendly"

linkcheck_anchors = False
linkcheck_timeout = 10


def _inline(translator: Any, node: nodes.math) -> None:
    """Write a formula as MathML, which browsers draw without a script or a font from elsewhere."""
    translator.body.append(latex2mathml.tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def _block(translator: Any, node: nodes.math_block) -> None:
    translator.body.append(latex2mathml.tex2mathml(node.astext(), as_block=True))
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Draw formulas as MathML, with what docutils brings."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
