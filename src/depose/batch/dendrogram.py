"""How suspects stand to all references, as a tree; drawn in parts that fit a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from markupsafe import escape
from numpy.typing import NDArray

from depose.batch.matrix import Matrix
from depose.report.figures.drawing import FONT, GREY, INK, WIDTH
from depose.report.typography import clip, visible

ROW, LEFT, RIGHT = 11.0, 150.0, WIDTH * 72
"""Points: the height of a row, the width of the names, the width of all."""
PART = 56
"""Rows of one part."""
MOST = 400
"""More suspects than this are not drawn: nobody reads such a tree."""


def dendrogram(matrix: Matrix) -> Iterator[str]:
    """Draw suspects by their scores against all references (average linkage); nothing for fewer than 3."""
    from scipy.cluster.hierarchy import dendrogram as lay_out
    from scipy.cluster.hierarchy import linkage

    names = [one.name for one in matrix.suspects]
    if not 3 <= len(names) <= MOST:
        return
    made = lay_out(linkage(_profiles(matrix, names), "average"), no_plot=True, labels=names)
    largest = max(max(branch) for branch in made["dcoord"]) or 1.0
    lines = [_branch(p, d, largest) for p, d in zip(made["icoord"], made["dcoord"], strict=True)]
    for start in range(0, len(names), PART):
        shown = made["ivl"][start : start + PART]
        yield _part(lines, shown, start, f"Rows {start + 1} to {start + len(shown)} of {len(names)}; ", largest)


def _branch(places: Sequence[float], distances: Sequence[float], largest: float) -> str:
    """One fork: scipy counts 10 to a row."""
    x = [LEFT + (RIGHT - LEFT - 6) * distance / largest for distance in distances]
    y = [place / 10 * ROW for place in places]
    return f'<path d="M{x[0]:.1f} {y[0]:.1f}H{x[1]:.1f}V{y[2]:.1f}H{x[3]:.1f}"/>'


def _part(lines: Sequence[str], names: Sequence[str], start: int, rows: str, largest: float) -> str:
    top, height = start * ROW, len(names) * ROW
    labels = [
        f'<text x="{LEFT - 4:.0f}" y="{top + (place + 0.5) * ROW + 2.5:.1f}">{escape(visible(clip(name, 34)))}</text>'
        for place, name in enumerate(names)
    ]
    note = f"{rows}distance 0 to {largest:.1f}, in units of T"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {RIGHT:.0f} {height + 18:.0f}" role="img">'
        f"<title>Dendrogram of suspects. {note}</title>"
        f'<svg viewBox="0 {top:.1f} {RIGHT:.0f} {height:.1f}" width="{RIGHT:.0f}" height="{height:.1f}">'
        f'<g fill="none" stroke="{INK}" stroke-width="0.8">{"".join(lines)}</g>'
        f'<g font-family="{FONT}" font-size="7.5" fill="{INK}" text-anchor="end">{"".join(labels)}</g></svg>'
        f'<text x="{LEFT:.0f}" y="{height + 12:.0f}" font-family="{FONT}" font-size="7" fill="{GREY}">'
        f"{note}</text></svg>"
    )


def _profiles(matrix: Matrix, names: Sequence[str]) -> NDArray[np.float64]:
    """T of the first question's detector, [suspects, references]; 0 where there is none."""
    first = matrix.asked[0].question
    rows = {name: number for number, name in enumerate(names)}
    columns = {one.name: number for number, one in enumerate(matrix.references)}
    found = np.zeros((len(rows), len(columns)))
    for one in matrix.cells:
        if one.question == first and one.t is not None:
            found[rows[one.suspect], columns[one.reference]] = one.t
    return found
