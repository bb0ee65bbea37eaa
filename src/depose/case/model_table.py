"""Models as a table: one row for each, instead of one [[models]] each.

`models = "models.csv"` at the head of a case or batch file names a table beside it (.csv, .tsv, .xlsx). Its columns are
the fields of a model; some have other names besides (`OTHER_NAMES`), capitals and blanks make no difference, and lists
(`trained_on`) are parted by semicolons. An empty cell is a field that was not given. A column whose name begins with
`note` is for people. Files of answers that are imported later stand under `answers`, which is no field of a model.

Where no provider is named, a model with an address is asked in the form of openai, and any other is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from depose.case.columns import plain
from depose.case.formats import delimited, spreadsheet
from depose.case.near import nearest
from depose.case.untrusted_files import in_child, read_untrusted, through_link
from depose.errors import CaseError
from depose.model import ModelSpec, Record
from depose.model.file_names import unfit_for_case
from depose.model.spreadsheet import text_in

LARGEST = 16 * 1024**2
MOST_MODELS = 20_000
KINDS = (".csv", ".tsv", ".tab", ".xlsx")
ANSWERS = "answers"
"""Column that names a file for `depose import`, which matches files to codes by it."""
OTHER_NAMES = {
    "endpoint": "base_url",
    "address": "base_url",
    "url": "base_url",
    "maker": "developer",
    "vendor": "developer",
    "base": "weight_lineage",
    "weights": "weight_lineage",
    "weight_lineages": "weight_lineage",
    "data": "data_lineage",
    "data_lineages": "data_lineage",
    "date": "released",
    "release_date": "released",
    "teachers": "trained_on",
    "name": "model",
    "key": "api_key_env",
}
"""Names of columns beside those of the fields."""
HINT = "one row for each model; columns: code, role, model, file, developer, weight_lineage, data_lineage, released"


class Listed(Record, frozen=True, kw_only=True):
    """One row of a table of models."""

    line: int
    """In its file, from 1; of a workbook the row."""
    fields: dict[str, Any]
    """As they would stand in a case file."""
    columns: dict[str, str]
    """What the table calls each field."""
    answers: str = ""
    """Name of a file of answers that is imported later."""


def path_of(folder: Path, name: str) -> Path:
    """Find the table that a case file names; raise CaseError for what is no table below its folder."""
    said = unfit_for_case(name)
    if not said and Path(name).suffix.lower() not in KINDS:
        said = f"is no table: {', '.join(KINDS)}"
    if not said and through_link(folder, name):
        said = "is a symbolic link, or leads through one"
    if not said and not (folder / name).is_file():
        tables = [one.name for one in folder.iterdir() if one.suffix.lower() in KINDS] if folder.is_dir() else []
        said = f"is not there{nearest(name, tables)}"
    if said:
        raise CaseError(f"{folder / name}: $.models: {name!r} {said}", hint="a table beside the case file: models.csv")
    return folder / name


def read(path: Path) -> tuple[Listed, ...]:
    """Read a table of models; errors name its line and, where it has one, the code."""
    try:
        rows = _rows(path)
        if not rows:
            raise ValueError("no rows")
        names = _columns([name for _, row in rows for name in row])
        return tuple(_listed(line, row, names) for line, row in rows)
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}", hint=HINT) from error
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not UTF-8 at byte {error.start}", hint="save the table as UTF-8") from error
    except ValueError as error:
        raise CaseError(f"{path}: {error}", hint=HINT) from error


def _rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    if path.suffix.lower() == ".xlsx":
        book = in_child("depose.case.model_table:of_workbook", str(path), answer=list, size=path.stat().st_size)
        return list(enumerate(book, start=2))
    text = read_untrusted(path, LARGEST).decode("utf-8-sig")
    found, _ = delimited.read(text, path.suffix.lower())
    if len(found) > MOST_MODELS:
        raise ValueError(f"lists {len(found)} models, more than the {MOST_MODELS} that are read")
    return list(zip(_first_lines(text), found, strict=False))


def of_workbook(name: str) -> list[dict[str, Any]]:
    """Read a workbook in this process, whatever it takes; `read` calls it in a child."""
    rows = spreadsheet.read(Path(name), "")
    return [{key: None if value is None else str(value) for key, value in row.items()} for row in rows]


def _first_lines(text: str) -> list[int]:
    """Number of the line on which each row below the header begins; a quoted cell may hold line ends."""
    numbers, inside, fresh = [], False, True
    for number, line in enumerate(text.split("\n"), start=1):
        if fresh and line.strip():
            numbers.append(number)
        inside ^= line.count('"') % 2 == 1
        fresh = not inside
    return numbers[1:]


def _columns(present: Sequence[str]) -> dict[str, str]:
    """Give the field of each column; raise ValueError for one that is none."""
    fields = ModelSpec.__struct_fields__
    found: dict[str, str] = {}
    for name in dict.fromkeys(present):
        short = plain(name)
        field = short if short in (*fields, ANSWERS) else OTHER_NAMES.get(short, "")
        if short.startswith("note"):
            continue
        if not field:
            known = (*fields, ANSWERS, *OTHER_NAMES)
            raise ValueError(f"column {name!r} is no field of a model{nearest(short, known)}")
        if field in found.values():
            raise ValueError(f"two columns say {field!r}")
        found[name] = field
    return found


def _listed(line: int, row: dict[str, Any], names: dict[str, str]) -> Listed:
    cells = {names[name]: value for name, value in row.items() if name in names and value not in (None, "")}
    code = str(cells.get("code", ""))
    fields: dict[str, Any] = {}
    for field, value in cells.items():
        try:
            fields[field] = _value(field, value)
        except ValueError as error:
            column = next(name for name, one in names.items() if one == field)
            who = f" (model {code})" if code else ""
            raise ValueError(f"row {line}, column {column!r}{who}: {error}") from error
    answers = str(fields.pop(ANSWERS, ""))
    if "provider" not in fields:
        fields["provider"] = "openai" if fields.get("base_url") else "recorded"
    return Listed(line=line, fields=fields, columns={field: name for name, field in names.items()}, answers=answers)


def _value(field: str, cell: Any) -> Any:
    """Turn a cell into what would stand in a case file."""
    text = text_in(str(cell).strip().removesuffix("T00:00:00"))  # as a workbook has a date
    kinds = () if field == ANSWERS else _kinds(_HINTS[field])
    if bool in kinds and text.lower() in ("true", "yes", "1", "false", "no", "0"):
        return text.lower() in ("true", "yes", "1")
    if str in kinds or not kinds:
        return text
    if bool in kinds:
        raise ValueError(f"{text!r} is neither yes nor no")
    if dict in kinds:
        return _json(text)
    if tuple in kinds:
        parts = [part.strip() for part in text.split(";") if part.strip()]
        return [_number(part) for part in parts] if field == "within" else parts
    return _number(text)


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise ValueError("not an object of JSON")
    return found


def _number(text: str) -> int | float:
    try:
        return int(text) if text.lstrip("+-").isdigit() and len(text) < 30 else float(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not a number") from error


def _kinds(hint: Any) -> tuple[Any, ...]:
    """The plain types that a field may have."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _kinds(get_args(hint)[0])
    if origin in (Union, UnionType):
        return tuple(kind for one in get_args(hint) for kind in _kinds(one))
    return (origin,) if origin in (tuple, dict) else (hint if isinstance(hint, type) else str,)


_HINTS = get_type_hints(ModelSpec, include_extras=True)
