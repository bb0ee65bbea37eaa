"""Recipes: what a laboratory makes, read strictly; and the line-up of models that a recipe and its seed stand for."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from depose.case import casefile, toml_text
from depose.case.untrusted_files import read_untrusted
from depose.errors import CaseError
from depose.lab.guides import guides
from depose.model import Count, Record
from depose.model.random_streams import stream

Material = Literal["guide", "answers", "paraphrased", "relaid"]


class Texts(Record, frozen=True, kw_only=True):
    """What is learnt from."""

    prompts: Annotated[int, Meta(ge=8, le=180)]
    """How many prompts a model learns from, none of them a probe."""
    tokens: Annotated[int, Meta(ge=8, le=512)]
    """Length of the answers that are learnt from."""


class Tuning(Record, frozen=True, kw_only=True):
    """How a model learns."""

    method: Literal["lora", "full"]
    """LoRA adapters on a base, or all weights."""
    rate: Annotated[float, Meta(gt=0, le=0.1)]
    """Of the first step; it falls to nothing."""
    batch: Annotated[int, Meta(ge=1, le=256)]
    """Texts of one step."""
    epochs: Annotated[int, Meta(ge=1, le=100)]
    """How often each text is learnt from."""
    rank: Annotated[int, Meta(ge=1, le=256)] = 8
    """Of the adapters."""
    layers: Annotated[int, Meta(ge=1, le=200)] = 10
    """How many layers have adapters."""


class Scratch(Record, frozen=True, kw_only=True):
    """A tiny base, trained from nothing on the docstrings of the standard library."""

    vocabulary: Annotated[int, Meta(ge=300, le=65_536)]
    """Of the tokenizer."""
    width: Annotated[int, Meta(ge=16, le=4096)]
    """Of a hidden state."""
    layers: Annotated[int, Meta(ge=1, le=64)]
    """Of the model."""
    heads: Annotated[int, Meta(ge=1, le=64)]
    """Of each layer."""
    steps: Count
    """Of training."""
    batch: Annotated[int, Meta(ge=1, le=1024)]
    """Texts of one step."""
    rate: Annotated[float, Meta(gt=0, le=0.1)]
    """Of the first step."""


class Asking(Record, frozen=True, kw_only=True):
    """What every model of the laboratory is asked."""

    probes: tuple[str, ...]
    """Probe families with counts."""
    temperature: Annotated[float, Meta(ge=0, le=2)]
    """Of every answer."""
    max_tokens: Annotated[int, Meta(ge=8, le=1024)]
    """Length of an answer at most."""
    samples: Annotated[int, Meta(ge=1, le=20)]
    """Answers to each prompt of the first quarter of every family; the others are asked once."""


class Recipe(Record, frozen=True, kw_only=True):
    """A whole recipe."""

    name: str
    """Stands in the manifest."""
    seed: Annotated[int, Meta(ge=0, lt=2**53)]
    """Draws texts, roles and the order of learning."""
    base: str
    """`SmolLM2-135M-Instruct`, a folder of weights, or `scratch`."""
    lineages: Annotated[int, Meta(ge=6, le=1000)]
    """Models with a house style of their own."""
    twins: Annotated[int, Meta(ge=0, le=100)]
    """Teachers with two students each."""
    doses: tuple[Annotated[int, Meta(ge=0, le=100)], ...]
    """Shares of the reference's answers among what a student learns from."""
    texts: Texts
    """What is learnt from."""
    tuning: Tuning
    """How a model learns."""
    asking: Asking
    """What every model is asked."""
    scratch: Scratch | None = None
    """The base, where it is trained from nothing."""


class Part(Record, frozen=True, kw_only=True):
    """One source of a model's texts."""

    teacher: str
    percent: int


class Planned(Record, frozen=True, kw_only=True):
    """One model that the laboratory makes."""

    name: str
    material: Material
    parts: tuple[Part, ...] = ()
    """Teachers; none for a lineage, which learns from its guide."""
    guide: str = ""
    """The house style learnt, or the one whose layout is taken."""

    @property
    def student(self) -> bool:
        """Tell whether it learns from other models' answers."""
        return bool(self.parts)


class Roles(Record, frozen=True, kw_only=True):
    """Which lineages the seed has drawn for what."""

    reference: str
    mixer: str
    """Teacher whose answers fill up the doses."""
    other: str
    """Teacher of the negative control N."""
    foil: str
    """Teacher of the foil."""
    twins: tuple[str, ...]


def bundled() -> tuple[str, ...]:
    """Name the recipes that ship with depose."""
    return ("default", "fast")


def read(name: str) -> Recipe:
    """Read a recipe by its bundled name or its file."""
    if name in bundled():
        text = files("depose.lab").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    else:
        try:
            text = read_untrusted(Path(name), casefile.LARGEST).decode()
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise CaseError(f"{name}: no recipe: {error}", hint=f"bundled: {', '.join(bundled())}") from error
    try:
        recipe = msgspec.convert(toml_text.loads(text), Recipe)
    except (ValueError, RecursionError) as error:
        raise CaseError(f"{name}: {error}", hint=f"copy a bundled recipe: {', '.join(bundled())}") from error
    problem = _problem(recipe)
    if problem:
        raise CaseError(f"{name}: {problem}", hint=f"copy a bundled recipe: {', '.join(bundled())}")
    return recipe


def _problem(recipe: Recipe) -> str:
    if recipe.lineages > len(guides()):
        return f"lineages: {recipe.lineages}, but there are {len(guides())} house styles"
    if recipe.lineages < recipe.twins + 4:
        return f"lineages: {recipe.lineages} leave none for {recipe.twins} twins and four other teachers"
    if not {0, 100} <= set(recipe.doses):
        return "doses: 0 and 100 belong to every series"
    if len(set(recipe.doses)) != len(recipe.doses):
        return "doses: one stands twice"
    if (recipe.base == "scratch") != (recipe.scratch is not None):
        return "scratch: a recipe from scratch needs [scratch], any other has none"
    if recipe.base == "scratch" and recipe.tuning.method != "full":
        return "tuning.method: a base from scratch is tuned whole: full"
    return ""


def roles(recipe: Recipe) -> Roles:
    """Draw reference, teachers and twins from the seed."""
    names = lineages(recipe)
    order = stream(recipe.seed, "lab", "roles").permutation(len(names))
    drawn = [names[int(place)] for place in order]
    return Roles(
        reference=drawn[0], mixer=drawn[1], other=drawn[2], foil=drawn[3], twins=tuple(drawn[4 : 4 + recipe.twins])
    )


def lineages(recipe: Recipe) -> list[str]:
    """Name the lineages: the first so many house styles."""
    return list(guides())[: recipe.lineages]


def line_up(recipe: Recipe) -> tuple[Planned, ...]:
    """List every model to be made, teachers before their students."""
    cast = roles(recipe)
    made = [Planned(name=name, material="guide", guide=name) for name in lineages(recipe)]
    for dose in recipe.doses:
        parts = (Part(teacher=cast.reference, percent=dose), Part(teacher=cast.mixer, percent=100 - dose))
        kept = tuple(part for part in parts if part.percent)
        made.append(Planned(name=f"dose-{dose}", material="answers", parts=kept))

    def student(name: str, teacher: str, material: Material = "answers", guide: str = "") -> None:
        parts = (Part(teacher=teacher, percent=100),)
        made.append(Planned(name=name, material=material, parts=parts, guide=guide))

    student("other", cast.other)
    student("paraphrased", cast.reference, "paraphrased")
    student("second-hand", "dose-100")
    student("foil", cast.foil, "relaid", cast.reference)
    for teacher in cast.twins:
        student(f"{teacher}-a", teacher)
        student(f"{teacher}-b", teacher)
    return tuple(made)


def generations(plan: Sequence[Planned]) -> tuple[tuple[Planned, ...], ...]:
    """Sort models by how many teachers stand one behind the other: none, one, two, ..."""
    depth: dict[str, int] = {}
    for planned in plan:
        depth[planned.name] = max((1 + depth[part.teacher] for part in planned.parts), default=0)
    return tuple(
        tuple(planned for planned in plan if depth[planned.name] == step) for step in range(max(depth.values()) + 1)
    )
