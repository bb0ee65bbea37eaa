"""The picture of the house: packages in the layers of the import contract, and who imports whom.

Packages and imports are those that grimp finds, layers those of pyproject.toml. An import is drawn as a line unless it
follows from others that are drawn, so that the picture can be read; `lint-imports` checks the contract.
"""

from __future__ import annotations

import html
import inspect
import tomllib
from importlib import import_module
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
WIDTH, ROW, BOX, GAP = 980, 74, 46, 16
STYLE = (
    "rect{fill:#fff;stroke:#444;stroke-width:1.2}"
    "text{font-family:Georgia,'DejaVu Serif',serif;fill:#111}"
    ".name{font-size:15px;font-weight:bold}.says{font-size:10.5px;fill:#444}"
    "path{fill:none;stroke:#8a8a8a;stroke-width:1}"
)


def layers() -> list[list[str]]:
    """Packages and modules of each row of the contract, from the top."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    first = next(one for one in contracts if one["type"] == "layers")
    return [[name.strip() for name in row.replace("|", ":").split(":")] for row in first["layers"]]


def edges(names: list[str]) -> set[tuple[str, str]]:
    """Who imports whom, without what follows from other imports."""
    graph = grimp.build_graph("depose", cache_dir=None)
    inside = {name: {name, *graph.find_descendants(name)} for name in names}
    direct = {
        (above, below)
        for above in names
        for below in names
        if above != below
        and any(graph.find_modules_directly_imported_by(module) & inside[below] for module in inside[above])
    }
    reach: dict[str, set[str]] = {}
    for name in reversed(names):
        reach[name] = {below for above, below in direct if above == name}
        reach[name] |= set().union(*(reach.get(below, set()) for below in reach[name]))
    return {
        (above, below)
        for above, below in direct
        if not any(below in reach[between] for start, between in direct if start == above and between != below)
    }


def says(name: str) -> str:
    """The first words of what a package is for."""
    return (inspect.getdoc(import_module(name)) or "").partition("\n")[0].rstrip(".").replace("`", "")


def svg() -> str:
    """The picture."""
    rows = layers()
    names = [name for row in rows for name in row]
    place: dict[str, tuple[float, float, float]] = {}
    boxes, lines = [], []
    for depth, row in enumerate(rows):
        width = (WIDTH - GAP * (len(row) + 1)) / len(row) if len(row) > 1 else WIDTH * 0.62
        start = GAP if len(row) > 1 else (WIDTH - width) / 2
        for number, name in enumerate(row):
            left, top = start + number * (width + GAP), GAP + depth * ROW
            place[name] = (left, top, width)
            said = html.escape(_cut(says(name), int(width / 5.9)))
            boxes.append(
                f'<g><title>{html.escape(says(name))}</title><rect x="{left:.0f}" y="{top}" width="{width:.0f}" '
                f'height="{BOX}" rx="4"/><text class="name" x="{left + 10:.0f}" y="{top + 19}">'
                f"{name.removeprefix('depose.')}</text>"
                f'<text class="says" x="{left + 10:.0f}" y="{top + 36}">{said}</text></g>'
            )
    for above, below in sorted(edges(names)):
        (x1, y1, w1), (x2, y2, w2) = place[above], place[below]
        a, b, c, d = x1 + w1 / 2, y1 + BOX, x2 + w2 / 2, y2
        if y1 == y2:
            continue
        lines.append(f'<path d="M{a:.0f} {b} C{a:.0f} {b + 30} {c:.0f} {d - 30} {c:.0f} {d}"/>')
    height = GAP + ROW * len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="Packages of depose in layers; imports point downwards"><style>{STYLE}</style>'
        f'<rect x="0" y="0" width="{WIDTH}" height="{height}" style="stroke:none"/>'
        + "".join(lines + boxes)
        + "</svg>\n"
    )


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0].rstrip(",;:") + " …"


def pages() -> dict[str, str]:
    """The picture as a file of docs/."""
    return {"pictures/imports.svg": svg()}
