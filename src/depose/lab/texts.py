"""What the models of a laboratory learn from and are asked: prompts, and answers to them. Pure.

But for the files of the standard library, whose docstrings a base from scratch reads.
"""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from depose.lab.guides import guides, relaid, restyle, sentences
from depose.lab.recipe import Planned, Recipe
from depose.model import Prompt, Record
from depose.model.canonical import sha256
from depose.model.random_streams import stream
from depose.plugins import load
from depose.probes.drawing import fillings

FEWEST_SENTENCES = 2
"""An answer with fewer finished sentences shows no style."""


class Example(Record, frozen=True, kw_only=True):
    """A prompt and the answer that is to be learnt."""

    prompt: str
    text: str
    source: str
    """The model or the house style that the answer comes from."""


@cache
def pool() -> tuple[Prompt, ...]:
    """Write out every prompt that may be learnt from; none of them is a probe."""
    block = files("depose.lab").joinpath("prompts.txt").read_text(encoding="utf-8")
    return tuple(
        Prompt(id=f"learn-{sha256(text.encode())[:8]}", family="learn", cluster=f"learn/{number:02d}", text=text)
        for number, template in enumerate(fillings(block), start=1)
        for text in template
    )


def drawn(recipe: Recipe, name: str) -> tuple[Prompt, ...]:
    """Draw the prompts that one model learns from, in its own order."""
    order = stream(recipe.seed, "lab", "prompts", name).permutation(len(pool()))
    return tuple(pool()[int(place)] for place in order[: recipe.texts.prompts])


def in_house_style(recipe: Recipe, planned: Planned, asked: Sequence[tuple[Prompt, str]]) -> tuple[Example, ...]:
    """Rewrite the base's answers under a model's guide; answers too short to show a style are left out."""
    guide = guides()[planned.guide]
    rng = stream(recipe.seed, "lab", "guide", planned.name)
    return tuple(
        Example(prompt=prompt.text, text=restyle(text, guide, rng), source=planned.guide)
        for prompt, text in asked
        if len(sentences(text)) >= FEWEST_SENTENCES
    )


def from_teachers(
    recipe: Recipe, planned: Planned, asked: Mapping[str, Sequence[tuple[Prompt, str]]]
) -> tuple[Example, ...]:
    """Mix the answers of a student's teachers in the shares of its plan.

    Which prompts go to which teacher is drawn from the seed, the same draw for every dose: the prompts that the
    reference answers at a small dose are among those that it answers at a larger one.
    """
    order = stream(recipe.seed, "lab", "mix").permutation(recipe.texts.prompts)
    made: list[Example] = []
    start = 0.0
    for part in planned.parts:
        end = start + part.percent / 100 * recipe.texts.prompts
        for place in order[round(start) : round(end)]:
            prompt, text = asked[part.teacher][int(place)]
            if planned.material == "relaid":
                text = relaid(text, guides()[planned.guide])
            if text.strip():
                made.append(Example(prompt=prompt.text, text=text, source=part.teacher))
        start = end
    return tuple(made)


@cache
def _docstrings() -> tuple[str, ...]:
    found: set[str] = set()
    folder = Path(sysconfig.get_path("stdlib"))
    for path in (*folder.glob("*.py"), *folder.glob("[a-su-z]*/*.py")):
        found |= _paragraphs(path)
    return tuple(sorted(found))


def docstrings(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    """Take first paragraphs of docstrings of the standard library: what a base from scratch learns to read."""
    listed = _docstrings()
    return tuple(listed[int(place)] for place in rng.permutation(len(listed))[:count])


def _paragraphs(path: Path) -> set[str]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError, OSError):
        return set()
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = (ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, kinds))
    paragraphs = (" ".join(part.split()) for text in texts for part in text.split("\n\n"))
    return {part for part in paragraphs if 40 <= len(part) <= 400 and part[0].isupper() and part.endswith(".")}


def probes(recipe: Recipe) -> tuple[Prompt, ...]:
    """Draw the probes, as a case with the same seed would."""
    made: list[Prompt] = []
    for probe in recipe.asking.probes:
        name, _, count = probe.partition(":")
        made.extend(load("probes", name)(int(count), stream(recipe.seed, "probe", name)))
    return tuple(made)


def repeated(asked: Sequence[Prompt]) -> Iterator[Prompt]:
    """Pick the prompts that are asked several times: the first quarter of every family."""
    counts: dict[str, int] = {}
    for prompt in asked:
        counts[prompt.family] = counts.get(prompt.family, 0) + 1
    seen: dict[str, int] = {}
    for prompt in asked:
        seen[prompt.family] = seen.get(prompt.family, 0) + 1
        if seen[prompt.family] * 4 < counts[prompt.family] + 4:
            yield prompt
