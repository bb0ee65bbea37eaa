"""A labelled population from plain tables: files of answers, who made which model, and pairs whose relation is known.

It is written as a folder of the lineage benchmark (`case/population.py`), so that whatever holds of that holds of it.
Pairs that are listed are the true ones, and any that somebody lists as unrelated. Besides, a model is taken to be
unrelated to the reference of a true pair where the table states maker and lineages of both, and they share no maker,
data, documented teaching or weights, the last where not all models share one base. A link that nobody wrote down makes
ratios smaller, never larger: it puts a close pair among the others.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from depose.answers.line_ends import evened
from depose.case.holdings import Held, HeldModel
from depose.case.near import nearest
from depose.case.origins import origins
from depose.case.population import LARGEST, NEEDED, Member
from depose.case.tables import read_file
from depose.case.untrusted_files import read_untrusted
from depose.errors import CaseError
from depose.evidence.log import write_whole
from depose.model import LISTED, Record, spreadsheet
from depose.validate.study import RELATION

SOURCE = "own"
UNRELATED = "unrelated"
SHOWN = 60
"""Characters of a name that a message repeats."""
RELATIONS = {**{one: one for one in RELATION.values()}, **RELATION, UNRELATED: UNRELATED}
"""What a table may say of a pair: the relation, or the question whose answer is yes."""
HINT = f"one row a pair; columns suspect, reference, relation: {', '.join((*RELATION.values(), UNRELATED))}"


class Known(Record, frozen=True, kw_only=True):
    """A pair whose relation is known."""

    suspect: str
    reference: str
    relation: str


class LaidOut(Record, frozen=True, kw_only=True):
    """What was written."""

    models: int
    prompts: int
    true: dict[str, int]
    """Listed pairs by relation."""
    unrelated: int
    unstated: tuple[str, ...]
    """Models that answered and of which the table does not state maker and lineages: they are left out."""


def lay_out(held: Held, lineage: Path, pairs: Path, folder: Path) -> LaidOut:
    """Write a folder of the lineage benchmark with one source, `own`."""
    table = origins(lineage)
    known = {one.name: table[one.name] for one in held.models if one.name in table and _stated(table[one.name])}
    if not known:
        raise CaseError(
            f"{lineage}: states maker and lineages of no model that answered",
            hint="its column 'model' names each as its file does; columns: model, developer, base, data_lineage",
        )
    listed = _listed(pairs, known, {one.name for one in held.models})
    every = [*listed, *_unrelated(listed, known)]
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "lineage.csv", [*NEEDED["lineage.csv"].split(), "date"], _lineages(known))
    _write(folder / "generation.csv", ["source", "model"], ([SOURCE, name] for name in known))
    _write(folder / "pairs.csv", NEEDED["pairs.csv"].split(), (_pair(one, known) for one in every))
    _write(folder / "ranking.csv", NEEDED["ranking.csv"].split(), ())
    _answers(folder / f"responses-{SOURCE}.parquet", held, known)
    return LaidOut(
        models=len(known),
        prompts=len(held.prompts),
        true={one: sum(pair.relation == one for pair in listed) for one in RELATION.values()},
        unrelated=sum(pair.relation == UNRELATED for pair in every),
        unstated=tuple(one.name for one in held.models if one.name not in known),
    )


def _stated(one: Member) -> bool:
    return bool(one.developer and one.weight_lineage and one.data_lineage)


def _listed(path: Path, known: Mapping[str, Member], answered: Iterable[str]) -> list[Known]:
    """Read the table of pairs; every row is understood, or the first that is not is named."""
    try:
        rows = list(csv.DictReader(io.StringIO(read_untrusted(path, LARGEST).decode("utf-8-sig"), newline="")))
    except (OSError, ValueError, csv.Error) as error:
        raise CaseError(f"{path}: {error}", hint=HINT) from error
    found, there = [], set(answered)
    for number, row in enumerate(rows, 1):
        where = f"{path}: row {number}"
        cells = {
            name: spreadsheet.text_in(row.get(name) or "").strip() for name in ("suspect", "reference", "relation")
        }
        if lacking := [name for name, cell in cells.items() if not cell]:
            raise CaseError(f"{where} has no {', '.join(lacking)}", hint=HINT)
        if cells["relation"] not in RELATIONS:
            raise CaseError(
                f"{where}: relation {cells['relation'][:SHOWN]!r}{nearest(cells['relation'], RELATIONS)}", hint=HINT
            )
        for name in ("suspect", "reference"):
            if cells[name] not in known:
                why = "its maker or lineages are not stated" if cells[name] in there else "no file of answers is its"
                raise CaseError(
                    f"{where}: {name} {cells[name][:SHOWN]!r}: {why}{nearest(cells[name], known)}", hint=HINT
                )
        found.append(Known(**{**cells, "relation": RELATIONS[cells["relation"]]}))
    if all(one.relation == UNRELATED for one in found):
        raise CaseError(f"{path}: lists no true pair", hint=HINT)
    return list(dict.fromkeys(found))


def _unrelated(listed: Sequence[Known], known: Mapping[str, Member]) -> Iterator[Known]:
    """Take those for unrelated to the reference of a true pair that share nothing with it, by the table."""
    one_base = len({one.weight_lineage for one in known.values()}) == 1
    named = {(one.suspect, one.reference) for one in listed} | {(one.reference, one.suspect) for one in listed}
    for reference in dict.fromkeys(one.reference for one in listed if one.relation != UNRELATED):
        for name, member in known.items():
            if name != reference and (name, reference) not in named and _apart(member, known[reference], one_base):
                yield Known(suspect=name, reference=reference, relation=UNRELATED)


def _apart(one: Member, other: Member, one_base: bool) -> bool:
    """Tell whether two models share no maker, lineage or teaching; weights count unless all models carry one base."""
    compared = ("developer", "data_lineage", *(() if one_base else ("weight_lineage",)))
    shared = any(getattr(one, name) == getattr(other, name) for name in compared)
    return not shared and other.developer not in one.trained_on and one.developer not in other.trained_on


def _lineages(known: Mapping[str, Member]) -> Iterator[list[str]]:
    """Say where each model comes from; a teacher is named by a model of its maker, which is what the reader follows."""
    of = {member.developer: name for name, member in known.items()}
    for name, one in known.items():
        teachers = ";".join(of[maker] for maker in one.trained_on if maker in of)
        taught = "documented yes" if "OpenAI" in one.trained_on else "unknown"
        family = one.family or one.data_lineage
        yield [name, one.developer, family, "", one.weight_lineage, teachers, "", taught, one.released]


def _pair(one: Known, known: Mapping[str, Member]) -> list[str]:
    families = [known[name].family or known[name].data_lineage for name in (one.suspect, one.reference)]
    label = "0" if one.relation == UNRELATED else "1"
    return [SOURCE, one.suspect, one.reference, one.relation, label, "", "1", "documented", *families]


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    write_whole(path, spreadsheet.write([head, *rows]))


def _answers(path: Path, held: Held, known: Mapping[str, Member]) -> None:
    """Write the answers to the prompts that most models answered, by the words of the prompt."""
    import pyarrow
    import pyarrow.parquet

    ids = {words: name for name, words in held.prompts}
    names = ("model", "prompt_id", "sample", "category", "prompt", "output")
    columns: dict[str, list[object]] = {name: [] for name in names}
    for model in held.models:
        if model.name in known:
            for cells in _rows(model, ids):
                for name, cell in zip(names, cells, strict=True):
                    columns[name].append(cell)
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), sink)
    write_whole(path, sink.getvalue())


def _rows(model: HeldModel, ids: Mapping[str, str]) -> Iterator[tuple[str, str, int, str, str, str]]:
    count: dict[str, int] = {}
    for row in read_file(model.file, model.wanted).rows:
        words = evened(row.prompt)
        if row.model == model.inside and row.text and words in ids:
            sample = count.setdefault(words, 0)
            count[words] += 1
            yield model.name, ids[words], sample, row.family or LISTED, words, row.text
