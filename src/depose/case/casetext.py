"""The text of a case file, written by depose: by a batch for its cases, by a replication for its own."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from depose.model import Case, ModelSpec

_ALWAYS = ("code", "role", "provider")
_DEFAULTS = msgspec.to_builtins(ModelSpec(code="", role="control", provider=""))


def described(spec: ModelSpec) -> dict[str, Any]:
    """Describe a model by what is not as it would be without being said."""
    values = msgspec.to_builtins(spec)
    return {name: value for name, value in values.items() if name in _ALWAYS or value != _DEFAULTS[name]}


def text_of(case: Case) -> str:
    """Write a whole case file, which reads as this case."""
    values = msgspec.to_builtins(case)
    heads = [name for name in ("case", "protocol", "budget", "prices", "terms") if values[name]]
    parts = [table(f"[{name}]", values[name]) for name in heads]
    return "\n".join([*parts, *(table("[[models]]", described(spec)) for spec in case.models)])


def whole(data: dict[str, Any]) -> str:
    """Write what a case file says, with the models of its table in their place."""
    parts = [table(f"[{name}]", value) for name, value in data.items() if name != "models"]
    return "\n".join([*parts, *(table("[[models]]", one) for one in data["models"])])


def table(head: str, values: dict[str, Any]) -> str:
    """Write a table of TOML under its head, such as `[case]`; what is None is left out."""
    return (
        head + "\n" + "".join(f"{_key(key)} = {_toml(value)}\n" for key, value in values.items() if value is not None)
    )


def _key(name: str) -> str:
    return name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else _toml(name)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
