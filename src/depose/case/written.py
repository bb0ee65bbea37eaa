"""TOML that people write, read strictly into a record; what is wrong is said with its place and what would be right."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from depose.case import model_table, toml_text
from depose.case.places import explained, in_table, placed
from depose.case.untrusted_files import read_untrusted
from depose.errors import CaseError
from depose.model import Record

LARGEST = 4 * 1024**2
"""Bytes of a file that people write."""

Kind = TypeVar("Kind", bound=msgspec.Struct)


class Written(Record, frozen=True, kw_only=True):
    """The text of a file and what it says, with a table of models in its place."""

    name: str
    text: str
    data: dict[str, Any]
    rows: tuple[tuple[str, int], ...] = ()
    """File and line of each model, where they stand in a table."""
    tables: tuple[str, ...] = ()
    """The table of models, as the file names it."""
    columns: dict[str, str] = msgspec.field(default_factory=dict)
    """What the table calls each field."""
    answers: tuple[str, ...] = ()
    """The file of answers that the table names for each model; nothing where it names none."""

    def wrong(self, message: str, hint: str) -> CaseError:
        """Make an error of a message that begins with a path; one about a row of a table names the table first."""
        if said := in_table(message, self.data, self.rows, self.columns):
            in_toml = "[[" in hint or " = " in hint or "case file" in hint
            return CaseError(said, hint=model_table.HINT if in_toml else hint)
        return CaseError(placed(self.name, self.text, message, self.data), hint=hint)


def text_of(path: Path, hint: str, missing: str = "") -> str:
    """Read a text file; raise CaseError for what is none, with the hint `missing` where it is not there."""
    try:
        return read_untrusted(path, LARGEST).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not UTF-8 at byte {error.start}", hint="save the file as UTF-8") from error
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}", hint=missing or hint) from error
    except ValueError as error:
        raise CaseError(f"{path}: {error}", hint=hint) from error


def taken(text: str, name: str, folder: Path | None = None) -> Written:
    """Read TOML; `models = "models.csv"` becomes the rows of that table, which stands in the folder of the file."""
    try:
        data = toml_text.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"{name}: not TOML: {error}", hint=_slip(str(error), text)) from error
    except RecursionError as error:
        raise CaseError(f"{name}: nested too deeply", hint="see: depose new") from error
    except ValueError as error:  # a number of more digits than Python reads, or what takes too much
        hint = "a shorter number" if "digits" in str(error) else "see: depose new"
        raise CaseError(f"{name}: {error}", hint=hint) from error
    table = data.get("models")
    if not isinstance(table, str) or folder is None:
        return Written(name=name, text=text, data=data)
    file = model_table.path_of(folder, table)
    listed = model_table.read(file)
    return Written(
        name=name,
        text=text,
        data={**data, "models": [one.fields for one in listed]},
        tables=(table,),
        rows=tuple((str(file), one.line) for one in listed),
        columns=listed[0].columns,
        answers=tuple(one.answers for one in listed),
    )


_SLIPS = (
    (re.compile(r"[\u201c\u201d\u201e\u2018\u2019]"), 'quotes are straight ones: "text"'),
    (re.compile(r"=\s*\d+,\d+\s*(#.*)?$"), "a number has a point, not a comma: 0.05"),
    (re.compile(r"^\s*[\w-]+\s*:"), "a name and its value have = between them: seed = 7"),
    (re.compile(r'^[^"]*"[^"]*$'), "a quote that is opened on this line is not closed"),
)
"""What people write who come from elsewhere."""


def _slip(error: str, text: str) -> str:
    """Say what to write instead, where the line shows it."""
    place = re.search(r"at line (\d+)", error)
    lines = text.split("\n")
    line = lines[int(place[1]) - 1] if place and int(place[1]) <= len(lines) else ""
    if "overwrite" in error:
        return "the name stands twice: keep one"
    return next((said for slip, said in _SLIPS if slip.search(line)), "see https://toml.io; strings stand in quotes")


def converted(found: Written, kind: type[Kind], hint: str) -> Kind:
    """Turn what a file says into a record; the first thing wrong is an error with its place."""
    try:
        return msgspec.convert(found.data, type=kind, strict=True)
    except msgspec.ValidationError as error:
        said = explained(str(error), kind, found.data)
        table = in_table(said, found.data, found.rows, found.columns)
        raise found.wrong(said, model_table.HINT if table else hint) from error


def record_of(text: str, name: str, kind: type[Kind], hint: str) -> Kind:
    """Read a file of people that has no table of models."""
    return converted(taken(text, name), kind, hint)
