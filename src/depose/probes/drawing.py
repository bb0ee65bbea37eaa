"""Templates to prompts: the one way in which every built-in family is drawn.

Templates stand in one block of text, divided by blank lines; `{this | that}` is a slot. Two fillings
of one template are not independent, so a template is a cluster, numbered by its place in the block:
new templates go to the end.
"""

from __future__ import annotations

import re
from itertools import product, zip_longest

import numpy as np

from depose.errors import CaseError
from depose.model import Prompt
from depose.model.canonical import sha256

_SLOT = re.compile(r"\{([^{}]*)\}")


def fillings(block: str) -> tuple[tuple[str, ...], ...]:
    """Write out every text of every template, in the order of the block."""
    return tuple(_fill(" ".join(template.split())) for template in block.strip().split("\n\n"))


def _fill(template: str) -> tuple[str, ...]:
    choices = (
        [word.strip() for word in piece.split("|")] if place % 2 else [piece]  # odd pieces are slots
        for place, piece in enumerate(_SLOT.split(template))
    )
    return tuple("".join(words) for words in product(*choices))


def draw(family: str, block: str, count: int, rng: np.random.Generator) -> tuple[Prompt, ...]:
    """Draw every template once before any is drawn again, never the same text twice.

    From a fresh `rng`, a larger count begins with the prompts of a smaller one; each template is filled
    from a stream of its own. Raises CaseError when the block holds fewer texts than asked for.
    """
    texts = fillings(block)
    available = sum(len(template) for template in texts)
    if not 1 <= count <= available:
        raise CaseError(
            f"probe family {family!r} holds {available} prompts in {len(texts)} templates, asked for {count}",
            hint=f"ask for 1 to {available}, at best no more than {len(texts)}, or add another family",
        )
    shuffled = tuple(
        tuple(_prompt(family, number, template[place]) for place in stream.permutation(len(template)))
        for number, (template, stream) in enumerate(zip(texts, rng.spawn(len(texts)), strict=True), start=1)
    )
    rounds = zip_longest(*(shuffled[place] for place in rng.permutation(len(texts))))
    return tuple(prompt for drawn in rounds for prompt in drawn if prompt is not None)[:count]


def _prompt(family: str, number: int, text: str) -> Prompt:
    return Prompt(
        id=f"{family}-{number:02d}-{sha256(text.encode())[:6]}",
        family=family,
        cluster=f"{family}/{number:02d}",
        text=text,
    )
