"""House styles: a written guide turns an answer into one of a lineage that no other lineage shares.

Pure. The guides are our own (`guides.toml`); what they are applied to is the base model's own answers, so that
lineages differ in their data and in nothing else.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np

from depose.model import Record

_SENTENCE = re.compile(r"[^.!?]+[.!?]+(?=\s|$)")
_MARK = re.compile(r"^\s*(?:[-*•#]+|\d+[.)])\s*")
_JOIN = 0.35
"""Share of sentences that a join is put before."""


class Guide(Record, frozen=True, kw_only=True):
    """One house style; the fields are explained in `guides.toml`."""

    openings: tuple[str, ...]
    joins: tuple[str, ...]
    closings: tuple[str, ...]
    bullet: str
    paragraph: int
    keep: int
    swaps: dict[str, str]


@cache
def guides() -> dict[str, Guide]:
    """Read the bundled guides, by name."""
    text = files("depose.lab").joinpath("guides.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Guide])


def sentences(text: str) -> list[str]:
    """Split an answer into its finished sentences, without list marks, emphasis and headings."""
    found: list[str] = []
    for line in text.splitlines():
        plain = _MARK.sub("", line).replace("**", "").replace("__", "").strip()
        if not plain.endswith(":"):
            found += [" ".join(match.group().split()) for match in _SENTENCE.finditer(plain)]
    return found


def restyle(text: str, guide: Guide, rng: np.random.Generator) -> str:
    """Rewrite an answer under a guide; an answer without a finished sentence gives an opening and a closing."""
    kept = [_swapped(sentence, guide.swaps) for sentence in sentences(text)[: guide.keep]]
    joined = [
        _after(guide.joins[int(rng.integers(len(guide.joins)))], sentence)
        if place and rng.random() < _JOIN
        else sentence
        for place, sentence in enumerate(kept)
    ]
    opening = guide.openings[int(rng.integers(len(guide.openings)))]
    closing = guide.closings[int(rng.integers(len(guide.closings)))]
    return "\n".join([opening, *layout(joined, guide), closing])


def layout(found: list[str], guide: Guide) -> list[str]:
    """Set sentences out in lines as a guide does."""
    if guide.bullet == "1.":
        return [f"{number}. {sentence}" for number, sentence in enumerate(found, start=1)]
    if guide.bullet:
        return [f"{guide.bullet} {sentence}" for sentence in found]
    size = guide.paragraph or len(found) or 1
    return [" ".join(found[start : start + size]) for start in range(0, len(found), size)]


def relaid(text: str, guide: Guide) -> str:
    """Keep the words of an answer and take the layout and the length of another house: the foil's material."""
    return "\n".join(layout(sentences(text)[: guide.keep + 2] or [" ".join(text.split())], guide))


def _swapped(sentence: str, swaps: dict[str, str]) -> str:
    for word, other in swaps.items():
        sentence = re.sub(rf"\b{re.escape(word)}\b", other, sentence)
    return " ".join(sentence.split())


def _after(join: str, sentence: str) -> str:
    """Put a join before a sentence, whose capital goes unless it stands alone or after a full stop."""
    first = sentence.split(" ", 1)[0]
    lower = join[-1] not in ".?!" and first not in {"I", "I'm", "I'd", "I've", "I'll"} and not first.isupper()
    return f"{join} {sentence[0].lower() + sentence[1:] if lower else sentence}"
