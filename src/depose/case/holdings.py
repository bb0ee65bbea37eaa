"""What somebody holds: files of answers, looked through for columns, prompts and models, to draft a case from.

Columns are known by their names, or else, where several files have the same ones, by what stands in them: the prompts
of all files are the same, their answers are not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from depose.answers.line_ends import evened
from depose.case.formats import delimited
from depose.case.tables import AS_IT_IS, KINDS, PLAIN, Row, Wanted, read_file
from depose.case.untrusted_files import in_child, read_untrusted
from depose.errors import CaseError
from depose.model import Record
from depose.model.natural_order import natural

MOST_FILES = 5_000
TEXT = (".csv", ".tsv", ".tab")
LEAST_SHARE = 0.5
"""A prompt that fewer of the files hold is left out of the draft."""
_WORDS = re.compile(r"\w[^\W\d_]*\W+\w|[^\x00-\x7f]|.{13}", re.DOTALL)


class HeldModel(Record, frozen=True, kw_only=True):
    """Answers of one model in one file."""

    name: str
    """Inside the file, or the name of the file."""
    file: Path
    inside: str
    """Its name inside the file; nothing where the file names none."""
    answers: int
    wanted: Wanted
    """How the file is to be read."""


class Held(Record, frozen=True, kw_only=True):
    """What was found."""

    models: tuple[HeldModel, ...]
    prompts: tuple[tuple[str, str], ...]
    """Id and words of each prompt that at least half of the models answered."""
    other: tuple[str, ...]
    """Files that hold no answers, each with the reason."""
    rare: int
    """Prompts that fewer than half of the models answered."""


def files_in(paths: Iterable[Path]) -> list[Path]:
    """List the tables among files and in folders, in the natural order of their names."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += [one for one in path.rglob("*") if one.suffix.lower() in KINDS and one.is_file()]
        elif path.is_file():
            found.append(path)
        else:
            raise CaseError(f"{path}: no such file or folder", hint="check the name")
        if len(found) > MOST_FILES:
            raise CaseError(f"{path}: more than {MOST_FILES} tables", hint="name the folder of the answers alone")
    return sorted(dict.fromkeys(one for one in found if not one.is_symlink()), key=lambda one: natural(str(one)))


def look(paths: Iterable[Path], columns: Mapping[str, str] | None = None, encoding: str = "") -> Held:
    """Look through files and folders; what is no file of answers is named with its reason.

    `columns` says under which name a meaning stands, for all of the files; else it is guessed. `encoding` is that of
    the text tables that are not UTF-8.
    """
    files = files_in(paths)
    encodings = {file: encoding for file in files if encoding and _other_text(file)}
    wanted = dict.fromkeys(files, Wanted(columns=dict(columns))) if columns else _by_contents(files, encodings)
    for file, name in encodings.items():
        wanted[file] = msgspec.structs.replace(wanted.get(file, AS_IT_IS), encoding=name)
    rows: dict[tuple[Path, str], list[Row]] = {}
    other = []
    for file in files:
        try:
            table = read_file(file, wanted.get(file, AS_IT_IS))
        except CaseError as error:
            other.append(error.message)
            continue
        answered = [row for row in table.rows if row.text]
        if not answered:
            other.append(f"{file}: holds no answers")
        for row in answered:
            rows.setdefault((file, row.model), []).append(row)
    stems = Counter(file.stem for file, name in rows if not name)
    models = [
        HeldModel(
            name=name or (file.stem if stems[file.stem] == 1 else f"{file.parent.name}/{file.stem}"),
            file=file,
            inside=name,
            answers=len(found),
            wanted=wanted.get(file, AS_IT_IS),
        )
        for (file, name), found in rows.items()
    ]
    prompts, rare = _prompts(list(rows.values()))
    return Held(models=tuple(models), prompts=prompts, other=tuple(other), rare=rare)


def _prompts(models: Sequence[Sequence[Row]]) -> tuple[tuple[tuple[str, str], ...], int]:
    """Collect what most models were asked, with the id of the files where all agree on one."""
    ids: dict[str, set[str]] = {}
    count: Counter[str] = Counter()
    for rows in models:
        asked = {evened(row.prompt): row.id for row in rows if row.prompt.strip()}
        count.update(asked.keys())
        for words, name in asked.items():
            ids.setdefault(words, set()).add(name)
    kept = [words for words in ids if count[words] >= LEAST_SHARE * len(models)]
    named = [next(iter(ids[words])) if len(ids[words]) == 1 else "" for words in kept]
    unique = all(named) and len(set(named)) == len(named)
    found = tuple(
        (name if unique else f"p{place}", words) for place, (name, words) in enumerate(zip(named, kept, strict=True), 1)
    )
    return found, len(ids) - len(kept)


def _other_text(file: Path) -> bool:
    """Tell whether a text table is not UTF-8."""
    if file.suffix.lower() not in TEXT or file.stat().st_size > PLAIN:
        return False
    try:
        read_untrusted(file, PLAIN).decode("utf-8-sig")
    except UnicodeDecodeError:
        return True
    return False


def _by_contents(files: Sequence[Path], encodings: Mapping[Path, str]) -> dict[Path, Wanted]:
    """Guess the columns of tables whose names say nothing, from tables that have the same ones."""
    alike: dict[tuple[str, ...], dict[Path, list[Any]]] = {}
    for file in files:
        if file.suffix.lower() not in (*TEXT, ".xlsx") or file.stat().st_size > PLAIN:
            continue
        try:
            read_file(file, Wanted(encoding=encodings.get(file, "")))
        except CaseError:
            try:
                raw = _raw(file, encodings.get(file, "utf-8-sig"))
            except (OSError, ValueError, LookupError, CaseError):
                continue
            if raw:
                alike.setdefault(tuple(raw[0]), {})[file] = raw
    found: dict[Path, Wanted] = {}
    for names, tables in alike.items():
        columns = _guessed(names, tables)
        if columns:
            found |= dict.fromkeys(tables, Wanted(columns=columns))
    return found


def _raw(file: Path, encoding: str) -> list[dict[str, str]]:
    """Read the cells of a table as text, whatever its columns mean."""
    if file.suffix.lower() == ".xlsx":
        size = file.stat().st_size
        rows = in_child("depose.case.model_table:of_workbook", str(file), answer=list[dict[str, str | None]], size=size)
        return [{name: value or "" for name, value in row.items()} for row in rows]
    return delimited.read(read_untrusted(file, PLAIN).decode(encoding), file.suffix.lower())[0]


def _guessed(names: Sequence[str], tables: Mapping[Path, Sequence[Mapping[str, str]]]) -> dict[str, str]:
    """Tell prompts from answers: nearly all values of prompts stand in other tables too, nearly none of answers do."""
    if len(tables) < 2:
        return {}
    shared = {}
    for name in names:
        values = [{evened(row[name]) for row in table if row[name]} for table in tables.values()]
        count = Counter(value for held in values for value in held)
        if count and 2 * sum(bool(_WORDS.search(value)) for value in count) >= len(count):
            shared[name] = sum(number > 1 for number in count.values()) / len(count)
    if len(shared) < 2:
        return {}
    prompt, text = max(shared, key=lambda one: shared[one]), min(shared, key=lambda one: shared[one])
    return {"prompt": prompt, "text": text} if shared[prompt] > 0.5 and shared[text] < 0.2 else {}
