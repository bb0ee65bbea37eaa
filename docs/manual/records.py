"""Records to tables of fields: type, unit, range, default and what each field means.

msgspec keeps types and limits, but not the strings that stand under the fields; those are read from the source.
"""

from __future__ import annotations

import ast
import inspect
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types

UNITS = Path(__file__).with_name("units.toml")
PATTERNS = {
    r"^[A-Za-z][A-Za-z0-9_-]{0,31}\Z": "a letter, then at most 31 letters, digits, `_` or `-`",
    r"^([A-Za-z_][A-Za-z0-9_]*)?\Z": "name of a variable",
    r"^([0-9]{4}(-(0[1-9]|1[0-2])(-[0-9]{2})?)?|unknown)?\Z": "`YYYY`, `YYYY-MM`, `YYYY-MM-DD` or `unknown`",
    r"^([0-9a-f]{64})?\Z": "64 hexadecimal digits",
    r"^[0-9a-f]{64}\Z": "64 hexadecimal digits",
    r"^[0-9a-f]{32,128}\Z": "32 to 128 hexadecimal digits",
    r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?\Z": "`YYYY-MM-DD`",
    r"^[a-z][a-z0-9-]{0,39}\Z": "a small letter, then at most 39 small letters, digits or `-`",
    r"^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){0,3}\Z": "numbers with points between, four at most",
    r"^[0-9a-f]{16}\Z": "16 hexadecimal digits",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z": "`YYYY-MM-DD`",
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z\Z": "`YYYY-MM-DDTHH:MMZ`, or with seconds",
}
"""Patterns in words."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldDoc:
    """What the table says of one field."""

    name: str
    type: str
    unit: str
    range: str
    default: str
    meaning: str


@cache
def _module(name: str) -> ast.Module:
    return ast.parse(inspect.getsource(sys.modules[name]))


@cache
def strings(record: type) -> dict[str, str]:
    """The string under each field of a record, from its source."""
    found: dict[str, str] = {}
    for node in _module(record.__module__).body:
        if isinstance(node, ast.ClassDef) and node.name == record.__name__:
            for field, below in zip(node.body, node.body[1:], strict=False):
                if isinstance(field, ast.AnnAssign) and isinstance(below, ast.Expr):
                    said = below.value
                    if isinstance(said, ast.Constant) and isinstance(said.value, str):
                        found[ast.unparse(field.target)] = " ".join(said.value.split())
    return found


@cache
def units() -> dict[str, dict[str, str]]:
    """Units by record and field."""
    found: dict[str, dict[str, str]] = tomllib.loads(UNITS.read_text("utf-8"))
    return found


def fields(record: type[msgspec.Struct], *, strict: bool) -> list[FieldDoc]:
    """Describe the fields of a record; `strict` asks for a meaning of each, and a unit of each number."""
    info = types.type_info(record)
    if not isinstance(info, types.StructType):
        raise TypeError(f"{record}: not a record")
    said, measured = strings(record), units().get(record.__name__, {})
    found = []
    for field in info.fields:
        one = FieldDoc(
            name=field.encode_name,
            type=named(field.type),
            unit=measured.get(field.name, ""),
            range=limits(field.type),
            default=_default(field),
            meaning=said.get(field.name, ""),
        )
        if strict and not one.meaning:
            raise ValueError(f"{record.__module__}.{record.__name__}.{field.name}: no string under it says what it is")
        if strict and not one.unit and _number(field.type):
            raise ValueError(f"{record.__name__}.{field.name}: add its unit to {UNITS.name}, `1` for a bare number")
        found.append(one)
    return found


def named(kind: types.Type) -> str:
    """A type in words."""
    match kind:
        case types.UnionType():
            return " or ".join(named(one) for one in kind.types if not isinstance(one, types.NoneType))
        case types.VarTupleType() | types.ListType():
            return f"list of {named(kind.item_type)}"
        case types.TupleType():
            return f"list of {len(kind.item_types)}: " + ", ".join(named(one) for one in kind.item_types)
        case types.DictType():
            return f"table of {named(kind.value_type)} by {named(kind.key_type)}"
        case types.StructType():
            return f"[{kind.cls.__name__}](#{kind.cls.__name__.lower()})"
        case types.Metadata():
            return named(kind.type)
        case _:
            plain = {
                types.StrType: "text",
                types.BoolType: "true or false",
                types.IntType: "whole number",
                types.FloatType: "number",
                types.DateType: "date",
                types.AnyType: "any value",
                types.LiteralType: "word",
            }
            return plain[type(kind)]


def limits(kind: types.Type) -> str:
    """What a value must keep to, in words."""
    match kind:
        case types.UnionType():
            return "; ".join(filter(None, (limits(one) for one in kind.types)))
        case types.Metadata():
            return limits(kind.type)
        case types.LiteralType():
            return ", ".join(f"`{one}`" for one in kind.values)
        case types.IntType() | types.FloatType():
            return _between(kind)
        case types.StrType():
            if kind.pattern:
                return PATTERNS[kind.pattern]
            return _sized(kind.min_length, kind.max_length, "characters")
        case types.VarTupleType() | types.ListType():
            inner = limits(kind.item_type)
            return "; ".join(filter(None, (_sized(kind.min_length, kind.max_length, "entries"), inner)))
        case types.DictType():
            return limits(kind.value_type)
        case _:
            return ""


def _between(kind: types.IntType | types.FloatType) -> str:
    low = (
        f"from {_figure(kind.ge)}"
        if kind.ge is not None
        else f"above {_figure(kind.gt)}"
        if kind.gt is not None
        else ""
    )
    high = (
        f"to {_figure(kind.le)}" if kind.le is not None else f"below {_figure(kind.lt)}" if kind.lt is not None else ""
    )
    return " ".join(filter(None, (low, high)))


def _figure(value: float) -> str:
    if value == 2**53:
        return "2⁵³"
    return f"{value:,.10g}" if isinstance(value, int) or value < 1e9 else f"{value:g}"


def _sized(low: int | None, high: int | None, what: str) -> str:
    parts = [f"at least {low}" if low else "", f"at most {high:,}" if high else ""]
    return f"{' and '.join(filter(None, parts))} {what}" if any(parts) else ""


def _number(kind: types.Type) -> bool:
    match kind:
        case types.UnionType():
            return any(_number(one) for one in kind.types)
        case types.VarTupleType():
            return _number(kind.item_type)
        case types.TupleType():
            return any(_number(one) for one in kind.item_types)
        case types.Metadata():
            return _number(kind.type)
        case _:
            return isinstance(kind, types.IntType | types.FloatType)


def _default(field: types.Field) -> str:
    if field.required:
        return "**required**"
    value: Any = field.default if field.default is not msgspec.NODEFAULT else ()
    if isinstance(value, msgspec.Struct):
        return "its own defaults"
    if value in (None, "", (), msgspec.UNSET):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    plain = list(value) if isinstance(value, tuple) else value
    return f"`{msgspec.json.encode(plain).decode()}`"


def table(record: type[msgspec.Struct], *, strict: bool) -> list[str]:
    """The table of a record's fields, in Markdown."""
    rows = fields(record, strict=strict)
    measured = any(one.unit for one in rows)
    head = ["field", "type", *(["unit"] if measured else []), "range", "default", "meaning"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for one in rows:
        unit = "" if one.unit == "1" else one.unit
        cells = [f"`{one.name}`", one.type, *([unit] if measured else []), one.range, one.default, one.meaning]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return lines


def reached(record: type[msgspec.Struct]) -> list[type[msgspec.Struct]]:
    """A record and every record that its fields hold, each once, in order of appearance."""
    found: list[type[msgspec.Struct]] = []

    def visit(kind: types.Type) -> None:
        match kind:
            case types.StructType():
                if kind.cls not in found:
                    found.append(kind.cls)
                    for field in kind.fields:
                        visit(field.type)
            case types.UnionType():
                for one in kind.types:
                    visit(one)
            case types.VarTupleType() | types.ListType():
                visit(kind.item_type)
            case types.TupleType():
                for one in kind.item_types:
                    visit(one)
            case types.DictType():
                visit(kind.value_type)
            case types.Metadata():
                visit(kind.type)
            case _:
                pass

    visit(types.type_info(record))
    return found


def described(record: type) -> str:
    """What a record is, from its docstring."""
    return inspect.getdoc(record) or ""
