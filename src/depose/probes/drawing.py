"""Templates to prompts: the one way in which every built-in family is drawn.

Templates stand in one block of text, divided by blank lines; `{this | that}` is a slot. Two fillings
of one template are not independent, so a template is a cluster, numbered by its place in the block:
new templates go to the end. A template may hold one item in several languages, divided by `//`, with
slots that say the same in the same order: twins.
"""

from __future__ import annotations

import re
from itertools import product, zip_longest

import numpy as np

from depose.errors import CaseError
from depose.model import Prompt
from depose.model.canonical import sha256

TWIN = "//"
"""Divides the languages of a template of twins."""
_SLOT = re.compile(r"\{([^{}]*)\}")


def fillings(block: str, *, twins: bool = False) -> tuple[tuple[str, ...], ...]:
    """Write out every text of every template, in the order of the block; with `twins` those of one filling together."""
    return tuple(tuple(text for filling in template for text in filling) for template in _filled(block, twins))


def _filled(block: str, twins: bool) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """Write out [template][filling][language]; without twins there is one language."""
    templates = (" ".join(template.split()) for template in block.strip().split("\n\n"))
    parted = (template.split(TWIN) if twins else [template] for template in templates)
    return tuple(tuple(zip(*(_fill(one.strip()) for one in parts), strict=True)) for parts in parted)


def _fill(template: str) -> tuple[str, ...]:
    choices = (
        [word.strip() for word in piece.split("|")] if place % 2 else [piece]  # odd pieces are slots
        for place, piece in enumerate(_SLOT.split(template))
    )
    return tuple("".join(words) for words in product(*choices))


def draw(family: str, block: str, count: int, rng: np.random.Generator, *, twins: bool = False) -> tuple[Prompt, ...]:
    """Draw every template once before any is drawn again, never the same text twice.

    From a fresh `rng`, a larger count begins with the prompts of a smaller one; each template is filled
    from a stream of its own. Twins are drawn together: one filling in every language, of one cluster.
    Raises CaseError when the block holds fewer texts than asked for.
    """
    texts = _filled(block, twins)
    available = sum(len(filling) for template in texts for filling in template)
    if not 1 <= count <= available:
        raise CaseError(
            f"probe family {family!r} holds {available} prompts in {len(texts)} templates, asked for {count}",
            hint=f"ask for 1 to {available}, at best no more than {len(texts)}, or add another family",
        )
    shuffled = tuple(
        tuple(
            tuple(_prompt(family, number, text) for text in template[place])
            for place in stream.permutation(len(template))
        )
        for number, (template, stream) in enumerate(zip(texts, rng.spawn(len(texts)), strict=True), start=1)
    )
    rounds = zip_longest(*(shuffled[place] for place in rng.permutation(len(texts))), fillvalue=())
    return tuple(prompt for drawn in rounds for filling in drawn for prompt in filling)[:count]


def _prompt(family: str, number: int, text: str) -> Prompt:
    return Prompt(
        id=f"{family}-{number:02d}-{sha256(text.encode())[:6]}",
        family=family,
        cluster=f"{family}/{number:02d}",
        text=text,
    )
