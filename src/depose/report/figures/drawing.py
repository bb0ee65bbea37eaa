"""What all drawings share: sizes, greys, fonts, and the way from matplotlib to plain SVG."""

from __future__ import annotations

import io
import re
from typing import Any

from depose.report.figures.few_nodes import few_nodes

WIDTH = 6.3
"""Inches: the width of the text block."""
NAME_LENGTH = 14
FONT = "Depose Sans, Source Sans 3, DejaVu Sans, sans-serif"
INK, GREY, RULE = "#1a1a1a", "#595959", "#7d7d7d"


def settings(*what: str) -> dict[str, object]:
    """Make text stay text, and ids differ between drawings but not between runs."""
    return {
        "svg.fonttype": "none",
        "svg.hashsalt": f"depose {' '.join(what)}",
        "font.family": "DejaVu Sans",
        "path.simplify": False,
    }


def written(figure, alt: str) -> bytes:  # type: ignore[no-untyped-def]
    """Save a drawing as plain SVG with its description as title."""
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(buffer, format="svg", metadata={"Title": alt, **nothing})
    return _plain(buffer.getvalue().decode())


def _plain(svg: str) -> bytes:
    """Keep the drawing alone, with styles as attributes and no unused id, so that it nests in HTML."""
    svg = re.sub(r"<(style|metadata).*?</\1>\s*", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", svg)
    svg = re.sub(r' style="([^"]*)"', lambda found: _attributes(found[1]), svg)
    return few_nodes(svg).replace("<svg ", '<svg role="img" ', 1).encode()


def _attributes(style: str) -> str:
    pairs = [pair.split(":", 1) for pair in style.split(";") if ":" in pair]
    values = {name.strip(): value.strip() for name, value in pairs}
    if font := values.pop("font", ""):
        values["font-size"] = font.split(" ")[0]
    if font or "font-family" in values:
        values["font-family"] = FONT
    return "".join(f' {name}="{value}"' for name, value in values.items())


def short(name: str) -> str:
    """Cut a name to what fits in a drawing."""
    return name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…"


def blank(height: float, width: float = WIDTH) -> Any:
    """Make an empty figure of this size in inches that draws SVG."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasSVG(figure)
    return figure


def plain_axes(axes: Any, x: str, y: str = "") -> None:
    """Leave two thin spines and name the axes."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_linewidth(0.6)
    axes.tick_params(labelsize=9, length=3, width=0.6, color=INK, labelcolor=INK)
    axes.set_xlabel(x, fontsize=9, color=INK, labelpad=2)
    axes.set_ylabel(y, fontsize=9, color=INK, labelpad=2)


def legend(axes: Any) -> None:
    """Name the lines above the panel, where no curve can run through the names."""
    axes.legend(
        frameon=False,
        fontsize=9,
        loc="lower center",
        bbox_to_anchor=(0.5, 0.99),
        ncols=1,
        labelspacing=0.15,
        handlelength=2.2,
        handletextpad=0.5,
        columnspacing=1.2,
        borderaxespad=0,
    )
