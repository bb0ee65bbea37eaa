"""A laboratory as a labelled population, in the format of the lineage benchmark (`population.py`).

Families are data lineages: a student belongs to the family of its teacher, a mixture to that of the mix-in teacher, so
that no lineage stands twice among the controls of a pair. Mixtures, paraphrases, the foil and students of students are
grey: their dose is known, but no label is fair. `depose lab study` looks at them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations, product
from pathlib import Path

import pyarrow
import pyarrow.parquet

from depose.evidence.log import write_whole
from depose.lab.recipe import Planned, Recipe, line_up
from depose.model import Prompt, Record, spreadsheet

SOURCE, SAMPLES = "lab", "lab-samples"
"""One answer to every prompt; several answers to some."""
ROOT = "base of the laboratory"
AGAIN = "-again"
"""Ending of the name under which a lineage's second answers stand: the same model, asked twice."""
PAIR = (
    "source",
    "suspect",
    "reference",
    "relation",
    "label",
    "hard",
    "matched",
    "confidence",
    "suspect_family",
    "reference_family",
)


class Answered(Record, frozen=True, kw_only=True):
    """One answer of one model."""

    prompt: str
    sample: int
    replicate: int
    text: str
    finish: str


class Link(Record, frozen=True, kw_only=True):
    """A pair and what is known of it."""

    suspect: str
    reference: str
    relation: str
    label: str
    hard: str = ""


def families(plan: Sequence[Planned]) -> dict[str, str]:
    """Name the data lineage of every model: its house style, or that of its last teacher's."""
    found: dict[str, str] = {}
    for planned in plan:
        found[planned.name] = found[planned.parts[-1].teacher] if planned.student else planned.guide
    return found


def pure(planned: Planned) -> bool:
    """Tell whether a student learnt from the plain answers of one lineage and from nothing else."""
    return planned.material == "answers" and len(planned.parts) == 1 and planned.name != "second-hand"


def links(plan: Sequence[Planned]) -> Iterator[Link]:
    """List every pair with its relation."""
    family = families(plan)
    lineages = [one for one in plan if not one.student]
    students = [one for one in plan if pure(one)]
    for one in lineages:
        yield Link(suspect=one.name + AGAIN, reference=one.name, relation="same_model", label="1")
    for one in (one for one in plan if one.student):
        for part in one.parts:
            label = "1" if pure(one) else ""
            relation = "distilled_from" if label else f"learnt_{one.material}"
            yield Link(suspect=one.name, reference=part.teacher, relation=relation, label=label)
    for first, second in product((*students, *lineages), lineages):
        if family[first.name] != family[second.name]:
            hard = "same_base_other_teacher"
            yield Link(suspect=first.name, reference=second.name, relation="unrelated", label="0", hard=hard)
    for first, second in permutations(students, 2):
        if family[first.name] == family[second.name]:
            hard = "shared_teacher"
            yield Link(suspect=first.name, reference=second.name, relation="shared_teacher", label="0", hard=hard)


def write(out: Path, recipe: Recipe, answers: Mapping[str, Sequence[Answered]], probes: Sequence[Prompt]) -> None:
    """Write the tables and the answers of a laboratory into `out`."""
    plan = line_up(recipe)
    family = families(plan) | {"base": "base"}
    lineages = [one.name for one in plan if not one.student]
    owner = {name: name for name in family} | {name + AGAIN: name for name in lineages}
    teachers = {one.name: [part.teacher for part in one.parts] for one in plan}
    once = {
        name: [a for a in answers[mine] if a.sample == 0 and a.replicate == (name != mine)]
        for name, mine in owner.items()
    }
    several = {name: [a for a in answers[name] if a.replicate == 0] for name in family}
    often = {a.prompt for rows in several.values() for a in rows if a.sample}
    several = {
        name: [a for a in rows if a.prompt in often] for name, rows in several.items() if any(a.sample for a in rows)
    }
    _table(
        out / "lineage.csv",
        ("model", "family", "role", "developer", "base", "teachers", "teacher_models", "openai_teacher"),
        [
            (
                name,
                family[mine],
                "hub" if name in lineages else "lab",
                f"maker of {mine}",
                ROOT,
                "",
                ";".join(teachers.get(mine, [])),
                "documented no",
            )
            for name, mine in owner.items()
        ],
    )
    _table(
        out / "generation.csv",
        ("source", "model"),
        [(SOURCE, name) for name in owner] + ([(SAMPLES, name) for name in several]),
    )
    _table(
        out / "pairs.csv",
        PAIR,
        [
            (
                SOURCE,
                link.suspect,
                link.reference,
                link.relation,
                link.label,
                link.hard,
                "1",
                "documented",
                family[owner[link.suspect]],
                family[owner[link.reference]],
            )
            for link in links(plan)
        ],
    )
    _table(
        out / "ranking.csv",
        ("source", "task", "suspect", "candidates", "true", "same_developer"),
        [(SOURCE, "teacher", one.name, ";".join(lineages), one.parts[0].teacher, "") for one in plan if pure(one)],
    )
    _responses(out / f"responses-{SOURCE}.parquet", once, probes)
    if often:
        _responses(out / f"responses-{SAMPLES}.parquet", several, probes)


def _table(path: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    write_whole(path, spreadsheet.write([names, *rows], ending="\n"))


def _responses(path: Path, answers: Mapping[str, Sequence[Answered]], probes: Sequence[Prompt]) -> None:
    asked = {prompt.id: prompt for prompt in probes}
    rows = [(name, asked[one.prompt], one) for name, given in answers.items() for one in given if one.text.strip()]
    table = pyarrow.table(
        {
            "model": [name for name, _, _ in rows],
            "prompt_id": [prompt.id for _, prompt, _ in rows],
            "sample": [one.sample for _, _, one in rows],
            "category": [prompt.family for _, prompt, _ in rows],
            "prompt": [prompt.text for _, prompt, _ in rows],
            "output": [one.text for _, _, one in rows],
        }
    )
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer, compression="zstd", compression_level=19)
    write_whole(path, buffer.getvalue())
