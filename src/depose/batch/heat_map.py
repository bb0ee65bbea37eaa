"""The heat map of a matrix: a table in which every cell has its number, so that nothing rests on a shade; pure.

Darker is a larger likelihood ratio; a hit has a frame and a mark; what is not informative is hatched and has a letter
for its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from depose.batch.matrix import HITS, Matrix, Weighed
from depose.batch.screen import Judged
from depose.model import Record
from depose.report.typography import number
from depose.statistics.rounding import upwards

COLUMNS = 12
"""References beside each other; more stand in a further table."""
DARKEST = 4.0
"""Log10 likelihood ratio at which a shade is full."""
LETTERS = "abcdefghijklmnopqrstuvwxyz"


WEIGHTS = {"not independent": "W+", "nothing against independence": "W−", "not testable": "W?"}
"""Marks of cells that weights answer."""
EMBEDDINGS = "We"
"""And of those whose weights are not independent by a table of embeddings alone."""


class Square(Record, frozen=True, kw_only=True):
    """One cell of the heat map: what it shows and how."""

    text: str
    title: str
    style: str
    kind: str
    """`hit`, `lead`, `none` or `hatched`."""


def heat_map(
    matrix: Matrix, question: str, letters: dict[str, str]
) -> Iterator[tuple[Sequence[str], list[tuple[str, list[Square]]]]]:
    """Yield the references of each table of a question and its rows."""
    cells = {(one.suspect, one.reference): one for one in matrix.cells if one.question == question}
    weighed = {(one.suspect, one.reference): one for one in matrix.weights if question == "derived"}
    names = [one.name for one in matrix.references]
    for start in range(0, len(names), COLUMNS):
        columns = names[start : start + COLUMNS]
        yield (
            columns,
            [
                (
                    one.name,
                    [_square(cells[one.name, name], letters, weighed.get((one.name, name))) for name in columns],
                )
                for one in matrix.suspects
            ],
        )


def _square(one: Judged, letters: dict[str, str], weights: Weighed | None) -> Square:
    made = _of_answers(one, letters)
    if weights is None:
        return made
    # The answers keep their number and shade; what decides `derived` here is the weights.
    text = f"{made.text} {EMBEDDINGS if weights.embeddings_alone else WEIGHTS[weights.reading]}"
    alone = ", by embeddings alone" if weights.embeddings_alone else ""
    return msgspec.structs.replace(
        made, text=text, title=f"{made.title}; answered by weights: {weights.reading}{alone}"
    )


def _of_answers(one: Judged, letters: dict[str, str]) -> Square:
    if one.log10_lr is None:
        t = "" if one.t is None else f", T {number(one.t)}"
        return Square(text=letters[one.reason], title=one.reason + t, style="", kind="hatched")
    shade = round(100 - 45 * min(max(one.log10_lr / DARKEST, 0.0), 1.0))
    mark = {HITS[0]: "▲ ", HITS[1]: "△ "}.get(one.outcome, "")
    p, q = (upwards(1.0 if value is None else value) for value in (one.p, one.q))
    numbers = f"T {number(one.t or 0.0)}, p {p}, q {q}, local FDR {one.lfdr:.3f}, K_eff {one.k_eff}"
    return Square(
        text=mark + number(one.log10_lr, 1),
        title=f"{one.outcome}: {numbers}",
        style=f"background: hsl(0, 0%, {shade}%)",
        kind={HITS[0]: "hit", HITS[1]: "lead"}.get(one.outcome, "none"),
    )


def letter(place: int) -> str:
    """a, b, ..., z, aa, ab, ..."""
    more, last = divmod(place, len(LETTERS))
    return (letter(more - 1) if more else "") + LETTERS[last]
