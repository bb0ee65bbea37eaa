"""Where in a file of people something is wrong, and what would be right: line, code, allowed values, the nearest name.

A message of msgspec names a path (`$.models[3].role`); a person looks for a line. The values of an unknown field are
never repeated: a key may stand there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from depose.case.near import nearest

STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]")
_HEAD = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_FIELD = re.compile(r"^\s*(\"[^\"]*\"|'[^']*'|[\w-]+)(?:\s*\.\s*[\w-]+)*\s*=")
EXPECTED = {
    "code": "not a code: a letter, then up to 31 letters, digits, - or _",
    "api_key_env": "not the name of a variable; the key itself must not stand in a case file",
    "released": "not a date: a year, month or day such as 2025-03, in quotes, or unknown",
}
"""What a field wants, where the pattern that it is checked against is hard to read."""

_OF_NAME = "`key` in "
_NAME = re.compile(r"[\w-]+\Z")

_KINDS = {
    "float": "a number",
    "int": "a whole number",
    "str": "text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "float | null": "a number",
    "int | null": "a whole number",
    "object | null": "a table",
}
"""Kinds of values in the words of a case file."""


def steps(path: str) -> list[str | int]:
    """Take a path such as `$.models[3].role` apart."""
    return [name or int(index) for name, index in STEP.findall(path) if index != "..."]


def explained(message: str, kind: Any, data: Any) -> str:
    """Turn a message of msgspec about data of a kind into `$.path: what is wrong`, with what would be right."""
    text, _, where = message.partition(" - at ")
    of_name, where = where.startswith(_OF_NAME), where.removeprefix(_OF_NAME)
    path = _through_tables(where.strip("`") or "$", kind, data)
    field = path.rpartition(".")[2]
    inner, value = _followed(kind, data, steps(path))
    if of_name:
        name = _odd_one(inner, value, of_name)
        said = EXPECTED["code"] if "matching regex" in text else text
        return f"{path}: the name {name[:80]!r} is {said}"
    if "matching regex" in text:  # the pattern says little, and the value may be a key
        text = EXPECTED.get(field, text)
    if unknown := re.match(r"^Object contains unknown field `(.*)`$", text):
        known = [name for one in _records(inner) for name in one.__struct_encode_fields__]
        text = f"unknown field {unknown[1]!r}".replace("\\\\", "\\") + nearest(unknown[1], known)
    text = re.sub(r"^Object missing required field `(.*)`$", r"missing field '\1'", text)
    if text.startswith("Invalid enum value"):
        allowed = [str(one) for one in _choices(inner)]
        if allowed:
            near = nearest(value, allowed) if isinstance(value, str) else ""
            text = text.replace("Invalid enum value", "not known:") + f"; one of {', '.join(allowed)}{near}"
    elif text.startswith("Expected `str`, got") and field == "released":
        text = EXPECTED["released"]
    for name, said in _KINDS.items():
        text = text.replace(f"`{name}`", said)
    return f"{path}: {text.replace('`', chr(39))}"


def _through_tables(path: str, kind: Any, data: Any) -> str:
    """Name in a path the entries of tables whose names are the writer's own, such as groups: msgspec says `[...]`."""
    named = ""
    for step in STEP.finditer(path):
        inner, value = _followed(kind, data, steps(named))
        name = _odd_one(inner, value) if step[2] == "..." else ""
        named += f".{name}" if _NAME.match(name) else step[0]
    return f"${named}"


def _odd_one(kind: Any, data: Any, of_name: bool = False) -> str:
    """Find the first entry of such a table that is not of its kind, or whose name is not; nothing where none is."""
    tables = [get_args(one) for one in _parts(kind) if get_origin(one) is dict]
    for name, value in data.items() if tables and isinstance(data, Mapping) else ():
        wanted, found = (tables[0][0], name) if of_name else (tables[0][1], value)
        try:
            msgspec.convert(found, type=wanted, strict=True)
        except msgspec.ValidationError:
            return str(name)
    return ""


def _followed(kind: Any, data: Any, path: Sequence[str | int]) -> tuple[Any, Any]:
    """Follow a path through a type and through data of it at once."""
    for step in path:
        kind = _inside(kind, step)
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            data = None
    return kind, data


def _inside(kind: Any, step: str | int) -> Any:
    for one in _parts(kind):
        if isinstance(step, int):
            if get_origin(one) in (tuple, list):
                return get_args(one)[0]
        elif isinstance(one, type) and issubclass(one, msgspec.Struct):
            names = dict(zip(one.__struct_encode_fields__, one.__struct_fields__, strict=True))
            if step in names:
                return get_type_hints(one, include_extras=True)[names[step]]
        elif get_origin(one) is dict:
            return get_args(one)[1]
    return None


def _parts(kind: Any) -> list[Any]:
    """List what a type may be, without what only limits it."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _parts(get_args(kind)[0])
    if origin in (Union, UnionType):
        return [part for one in get_args(kind) for part in _parts(one)]
    return [kind]


def _records(kind: Any) -> list[type[msgspec.Struct]]:
    return [one for one in _parts(kind) if isinstance(one, type) and issubclass(one, msgspec.Struct)]


def _choices(kind: Any) -> list[Any]:
    return [value for one in _parts(kind) if get_origin(one) is Literal for value in get_args(one)]


def placed(name: str, text: str, message: str, data: Any = None) -> str:
    """Set the file before a message that begins with a path, and behind it the line and the code of the model."""
    path = message.partition(": ")[0]
    found = steps(path) if path.startswith("$") else []
    index = _model(found)
    if unknown := re.search(r": unknown field '([^']*)'", message):
        found = [*found, unknown[1]]
    where = []
    if line := line_of(text, found):
        where.append(f"line {line}")
    if code := _code(data, index):
        where.append(f"model {code}")
    return f"{name}: {message}" + (f" ({', '.join(where)})" if where else "")


def in_table(message: str, data: Any, rows: Sequence[tuple[str, int]], columns: Mapping[str, str]) -> str:
    """Set table, row, column and code before a message about a model that stands in a table; nothing for any other.

    `rows` are file and line of each model, `columns` the names of the columns by field.
    """
    path, _, said = message.partition(": ")
    found = steps(path) if path.startswith("$") else []
    index = _model(found)
    if index is None or index >= len(rows):
        return ""
    field = str(found[2]) if len(found) > 2 else ""
    if missing := re.match(r"missing field '([^']*)'$", said):
        field, said = missing[1], "is empty, or no column has that name"
    code = _code(data, index)
    where = [f"row {rows[index][1]}", *([f"column {columns.get(field, field)!r}"] if field else [])]
    return f"{rows[index][0]}: {', '.join(where)}{f' (model {code})' if code else ''}: {said}"


def _model(path: Sequence[str | int]) -> int | None:
    """Number of the model that a path leads to, from 0."""
    index = path[1] if len(path) > 1 and path[0] == "models" else None
    return index if isinstance(index, int) else None


def _code(data: Any, index: Any) -> str:
    models = data.get("models") if isinstance(data, Mapping) else None
    fits = isinstance(models, list) and isinstance(index, int) and index < len(models)
    one = models[index] if fits else None  # type: ignore[index]
    code = one.get("code") if isinstance(one, Mapping) else None
    return code if isinstance(code, str) and re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,31}", code) else ""


def line_of(text: str, path: Sequence[str | int]) -> int:
    """Find the line of a TOML file on which a path stands, from 1; of the table around it where it does not; else 0."""
    goal = [str(one) for one in path]
    best, best_line = 0, 0
    count: dict[str, int] = {}
    table: list[str] = []
    closing = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if closing:
            closing = "" if closing in line else closing
            continue
        if head := _HEAD.match(line):
            names = [part.strip().strip("\"'") for part in head[2].split(".")]
            if head[1] == "[[":
                count[head[2]] = count.get(head[2], -1) + 1
                table = [*names, str(count[head[2]])]
            else:
                table = _under(names, count)
            here = table
        elif field := _FIELD.match(line):
            here = [*table, *(part.strip().strip("\"'") for part in field[0].rstrip("= \t").split("."))]
            closing = next((mark for mark in ('"""', "'''") if line.count(mark) % 2), "")
        else:
            continue
        shared = _shared(here, goal)
        if shared == len(here) and shared > best:
            best, best_line = shared, number
    return best_line


def _under(names: list[str], count: Mapping[str, int]) -> list[str]:
    """Put the number of the last [[table]] into the path of a table below it."""
    return [names[0], str(count[names[0]]), *names[1:]] if len(names) > 1 and names[0] in count else names


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    shared = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        shared += 1
    return shared
