"""A labelled population: models of documented lineage, their answers, and pairs whose relation is known.

The format is that of the lineage benchmark (`lineage.csv`, `pairs.csv`, `ranking.csv`, `generation.csv`,
`responses-SOURCE.parquet`). Lineage follows from the tables by rule, never from looking at outputs:

weight lineage   the root of `base`, followed through models of the table
data lineage     `family`; a family made entirely by one developer is that maker's own lineage, with all its others
trained on       developers of the documented and likely teachers; OpenAI where `openai_teacher` says yes
order            hubs first, then by name, which is the order in which representatives are taken
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from msgspec.structs import replace

from depose.answers.line_ends import evened
from depose.answers.settle import compared_text
from depose.case.tables import read as read_table
from depose.case.untrusted_files import read_untrusted
from depose.errors import CaseError
from depose.model import LISTED, ModelSpec, Record
from depose.model.spreadsheet import text_in

CLASSES = {"chatgpt": "OpenAI", "gpt4": "OpenAI", "gpt4turbo": "OpenAI", "gpt-4o": "OpenAI"}
"""Makers of the classes of teachers that the tables name without a snapshot."""


class Member(Record, frozen=True, kw_only=True):
    """One model of the population."""

    name: str
    family: str
    developer: str
    weight_lineage: str
    data_lineage: str
    trained_on: tuple[str, ...]
    hub: bool
    released: str = ""
    """When it was first offered, where the table has a column `date`."""

    def spec(self) -> ModelSpec:
        """Describe it as a model of a case, so that the rules for controls apply."""
        return ModelSpec(
            code=self.name,
            role="control",
            provider="recorded",
            developer=self.developer,
            weight_lineage=self.weight_lineage,
            data_lineage=self.data_lineage,
            trained_on=self.trained_on,
            released=self.released,
        )


class Pair(Record, frozen=True, kw_only=True):
    """Two models and what is known of them."""

    suspect: str
    reference: str
    relation: str
    label: int | None
    """1: the suspect was made from the reference, or is it; 0: not; None: no fair answer."""
    hard: str
    matched: bool
    documented: bool
    suspect_family: str
    reference_family: str


class Task(Record, frozen=True, kw_only=True):
    """Which of the candidates is the teacher, base or same model of the suspect?"""

    kind: str
    suspect: str
    candidates: tuple[str, ...]
    true: tuple[str, ...]
    same_developer: tuple[str, ...]


class Population(Record, frozen=True, kw_only=True):
    """One source of answers with its labels."""

    source: str
    members: tuple[Member, ...]
    pairs: tuple[Pair, ...]
    tasks: tuple[Task, ...]
    rows: tuple[tuple[str, int], ...]
    """Prompt id and sample of each row of answers."""
    prompts: tuple[str, ...]
    """Text of the prompt of each row."""
    answers: tuple[tuple[str | None, ...], ...]
    """[rows][members]; None where a model did not answer."""
    families: tuple[str, ...] = ()
    """Families (categories) of the prompts."""
    kinds: tuple[str, ...] = ()
    """[rows]: the family of the prompt of each row."""

    def cut(self, rows: Sequence[int]) -> Population:
        """Keep some of the rows, and none of the labels."""
        return replace(
            self,
            pairs=(),
            tasks=(),
            rows=tuple(self.rows[row] for row in rows),
            prompts=tuple(self.prompts[row] for row in rows),
            answers=tuple(self.answers[row] for row in rows),
            kinds=tuple(self.kinds[row] for row in rows) if self.kinds else (),
        )


LARGEST = 64 * 1024**2
"""Bytes of a table of labels."""
NEEDED = {
    "lineage.csv": "model developer family role base teachers teacher_models openai_teacher",
    "generation.csv": "source model",
    "pairs.csv": "source suspect reference relation label hard matched confidence suspect_family reference_family",
    "ranking.csv": "source task suspect candidates true same_developer",
}
"""Columns of each table that are read."""


def _csv(folder: Path, name: str) -> list[dict[str, str]]:
    """Read a table; every row has every needed column."""
    try:
        text = read_untrusted(folder / name, LARGEST).decode()
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
    except (OSError, ValueError, csv.Error) as error:
        raise CaseError(f"{folder / name}: {error}", hint="--data names a folder of the lineage benchmark") from error
    for number, row in enumerate(rows, 1):
        lacking = [column for column in NEEDED.get(name, NEEDED["lineage.csv"]).split() if row.get(column) is None]
        if lacking:
            raise CaseError(
                f"{folder / name}: row {number} has no {', '.join(lacking)}",
                hint="--data names a folder of the lineage benchmark",
            )
        if row.get("label", "") not in ("", "0", "1"):
            raise CaseError(
                f"{folder / name}: row {number}: label {row['label']!r} is not 0, 1 or nothing", hint="0: unrelated"
            )
    return [{key: text_in(value) for key, value in row.items() if isinstance(value, str)} for row in rows]


def sources(folder: Path) -> tuple[str, ...]:
    """Name the sources whose answers stand in the folder."""
    return tuple(sorted(path.stem.partition("-")[2] for path in folder.glob("responses-*.parquet")))


def members(folder: Path, source: str) -> tuple[Member, ...]:
    """Read the models that answered in a source, hubs first, then by name."""
    table = {row["model"]: row for row in _csv(folder, "lineage.csv")}
    names = {row["model"] for row in _csv(folder, "generation.csv") if row["source"] == source}
    unknown = sorted(names - set(table))
    if not names or unknown:
        what = f"models without a lineage: {', '.join(unknown)}" if unknown else f"no models of source {source!r}"
        raise CaseError(f"{folder}: {what}", hint=f"sources here: {', '.join(sources(folder)) or 'none'}")
    makers: dict[str, set[str]] = defaultdict(set)
    for row in table.values():
        makers[row["family"]].add(row["developer"])
    found = (_member(table[name], table, makers) for name in names)
    return tuple(sorted(found, key=lambda one: (not one.hub, one.name)))


def documented(file: Path) -> dict[str, Member]:
    """Read what a table of lineage says of each of its models, whatever source they answered in."""
    table = {row["model"]: row for row in _csv(file.parent, file.name)}
    makers: dict[str, set[str]] = defaultdict(set)
    for row in table.values():
        makers[row["family"]].add(row["developer"])
    return {name: _member(row, table, makers) for name, row in table.items()}


def _member(row: dict[str, str], table: dict[str, dict[str, str]], makers: dict[str, set[str]]) -> Member:
    sole = len(makers[row["family"]]) == 1
    return Member(
        name=row["model"],
        family=row["family"],
        developer=row["developer"],
        weight_lineage=_root(row["model"], table) or f"undisclosed ({row['model']})",
        data_lineage=f"all of {row['developer']}" if sole else row["family"],
        trained_on=_taught_by(row, table),
        hub=row["role"] == "hub",
        released=row.get("date", ""),
    )


def _root(name: str, table: dict[str, dict[str, str]]) -> str:
    seen = set()
    while name in table and name not in seen:
        seen.add(name)
        name = table[name]["base"]
    return name


def _taught_by(row: dict[str, str], table: dict[str, dict[str, str]]) -> tuple[str, ...]:
    named = row["teachers"].split(";") + row["teacher_models"].split(";")
    found = {CLASSES.get(name) or table.get(name, {}).get("developer", "") for name in named}
    if row["openai_teacher"] in ("documented yes", "likely yes"):
        found.add("OpenAI")
    return tuple(sorted(found - {""}))


def _pair(row: dict[str, str]) -> Pair:
    return Pair(
        suspect=row["suspect"],
        reference=row["reference"],
        relation=row["relation"],
        label=int(row["label"]) if row["label"] else None,
        hard=row["hard"],
        matched=row["matched"] == "1",
        documented=row["confidence"] == "documented",
        suspect_family=row["suspect_family"],
        reference_family=row["reference_family"],
    )


def _task(row: dict[str, str]) -> Task:
    def listed(text: str) -> tuple[str, ...]:
        return tuple(part for part in text.split(";") if part)

    return Task(
        kind=row["task"],
        suspect=row["suspect"],
        candidates=listed(row["candidates"]),
        true=listed(row["true"]),
        same_developer=listed(row["same_developer"]),
    )


def read(folder: Path, source: str, leave_out: Collection[str] = ()) -> Population:
    """Read one source: models, labels, tasks and answers, without every model of the families left out."""
    models = members(folder, source)
    unknown = sorted(set(leave_out) - {one.family for one in models})
    if unknown:
        raise CaseError(
            f"{folder}: no family {', '.join(unknown)} in {source!r}",
            hint=f"families: {', '.join(sorted({one.family for one in models})[:40])}",
        )
    models = tuple(one for one in models if one.family not in leave_out)
    place = {one.name: index for index, one in enumerate(models)}
    texts: dict[tuple[str, int], list[str | None]] = {}
    prompts: dict[tuple[str, int], str] = {}
    families: dict[tuple[str, int], str] = {}
    for row in read_table(folder / f"responses-{source}.parquet"):
        if row.model in place and row.text and (text := compared_text(row.text)):
            key = (row.id, row.sample)
            texts.setdefault(key, [None] * len(models))[place[row.model]] = text
            prompts[key] = evened(row.prompt)
            families[key] = row.family or LISTED
    rows = tuple(sorted(texts))
    listed = [_pair(row) for row in _csv(folder, "pairs.csv") if row["source"] == source]
    return Population(
        source=source,
        members=models,
        pairs=tuple(pair for pair in listed if pair.suspect in place and pair.reference in place),
        tasks=tuple(
            _task(row) for row in _csv(folder, "ranking.csv") if row["source"] == source and row["suspect"] in place
        ),
        rows=rows,
        prompts=tuple(prompts[row] for row in rows),
        answers=tuple(tuple(texts[row]) for row in rows),
        families=tuple(sorted(set(families.values()))),
        kinds=tuple(families[row] for row in rows),
    )
