"""Which prompts are shown, by a rule that is printed, and which passages are marked.

A passage is a run of at least three tokens that stands in both the suspect's and the reference's answer and
not in the prompt. Beside it stands how many of the K controls have the same run in their answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from depose.detectors import Measured, Similarity
from depose.errors import AnalysisError
from depose.features.extract import Bag
from depose.features.passages import LONGEST, read, runs, spans
from depose.model import Exhibit, ExhibitAnswer, Record, Status
from depose.statistics.centring import parts_of

RULE = (
    "Prompts are ranked by the primary detector's score of suspect and reference. Of n exhibits a third, rounded up, "
    "are the highest ranks; of the rest a third, rounded up, lie around the median; then the lowest ranks; the others "
    "are drawn at random from the protocol's seed. Beside them stand the answer of the control that is closest to the "
    "reference on that prompt by the same detector, and that of a control drawn at random. "
    "Passages of three or more tokens that suspect and reference share, and that are not in the prompt, are marked."
)


class Choice(Record, frozen=True, kw_only=True):
    """A chosen prompt: its place in the bag, its rank from 1, and the part of the rule that chose it."""

    index: int
    rank: int
    chosen: str


def choose(scores: NDArray[np.float64], count: int, rng: np.random.Generator) -> tuple[Choice, ...]:
    """Choose `count` of the prompts that have a score, by RULE; all of them if there are fewer."""
    order = [int(i) for i in np.lexsort((np.arange(len(scores)), -scores)) if np.isfinite(scores[i])]
    count = min(count, len(order))
    top = -(-count // 3)
    middle = -(-(count - top) // 3)
    low = -(-(count - top - middle) // 2)
    centre = len(order) // 2
    around = sorted(range(len(order)), key=lambda rank: (abs(rank - centre), rank))
    taken: dict[int, str] = {}

    def take(ranks: Sequence[int], many: int, name: str) -> None:
        for rank in [r for r in ranks if r not in taken][:many]:
            taken[rank] = name

    take(range(len(order)), top, "top")
    take(around, middle, "median")
    take(range(len(order) - 1, -1, -1), low, "bottom")
    take([int(r) for r in rng.permutation(len(order))], count - len(taken), "random")
    return tuple(Choice(index=order[rank], rank=rank + 1, chosen=taken[rank]) for rank in sorted(taken))


def exhibit(
    bag: Bag,
    choice: Choice,
    *,
    number: int,
    of: int,
    value: float,
    similarity: NDArray[np.float64],
    rng: np.random.Generator,
    endings: Mapping[tuple[str, str], tuple[str, Status]] | None = None,
) -> Exhibit:
    """Set one prompt out: reference, suspect and two controls, shared passages marked.

    `similarity` [members, members] is the primary detector's on this prompt. Of several samples the first is shown.
    `endings` say how the answer of a model to a prompt ended.
    """
    ended = endings or {}
    members = bag.answers[choice.index]
    prompt = bag.prompts[choice.index]
    words = [read(samples[0]) if samples else () for samples in members]
    had = [runs(one) for one in words]
    shared = (had[0] & had[1]) - runs(read(prompt.text))
    answering = [m for m in range(2, len(members)) if members[m]]
    beside = _beside(answering, similarity, rng)
    shown = [
        ExhibitAnswer(
            model=bag.models[m],
            text=members[m][0][:LONGEST],
            spans=spans(words[m], shared, [had[c] for c in answering]),
            finish=ended.get((bag.models[m], prompt.id), ("", "unknown"))[0],
            status=ended.get((bag.models[m], prompt.id), ("", "unknown"))[1],
        )
        for m in (1, 0, *beside)
    ]
    return Exhibit(
        number=number,
        suspect=bag.models[0],
        reference=bag.models[1],
        prompt=prompt,
        rank=choice.rank,
        of=of,
        chosen=choice.chosen,
        value=value,
        controls=len(answering),
        answers=tuple(shown),
    )


def _beside(answering: Sequence[int], similarity: NDArray[np.float64], rng: np.random.Generator) -> list[int]:
    if not answering:
        return []
    closest = max(answering, key=lambda m: (similarity[1, m], -m))
    others = [m for m in answering if m != closest]
    return [closest, others[int(rng.integers(len(others)))]] if others else [closest]


def similarities(measured: Measured) -> NDArray[np.float64]:
    """Per-prompt similarities of a measure; of a combination, those of its first part that has them."""
    for part in parts_of(measured):
        if isinstance(part, Similarity):
            return part.values
    raise AnalysisError(
        f"{measured.detector}: has no score per prompt, so that no exhibits can be chosen by it",
        hint="choose a primary detector that compares prompt by prompt",
    )
