"""The text of a case file that a batch writes."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from depose.batch.plan import BatchFile
from depose.model import ModelSpec

_ALWAYS = ("code", "role", "provider")
_DEFAULTS = msgspec.to_builtins(ModelSpec(code="", role="control", provider=""))


def described(spec: ModelSpec, folder: Path) -> dict[str, Any]:
    """Describe a model by what is not as it would be without being said; names of files start at `folder`."""
    own = {
        name: str((folder / getattr(spec, name)).resolve())
        for name in ("model", "adapter", "api_key_file")
        if getattr(spec, name)
        and (name != "model" or spec.provider == "transformers")
        and (folder / getattr(spec, name)).exists()
    }
    values = msgspec.to_builtins(msgspec.structs.replace(spec, **own))
    return {name: value for name, value in values.items() if name in _ALWAYS or value != _DEFAULTS[name]}


def limits(file: BatchFile, codes: Collection[str]) -> list[str]:
    """Write the tables of the budget and of the prices of these models, as far as there are any."""
    budget = {name: value for name, value in msgspec.to_builtins(file.budget).items() if value is not None}
    prices = {code: price for code, price in msgspec.to_builtins(file.prices).items() if code in codes}
    if not prices:
        budget.pop("money", None)
    return [table(head, values) for head, values in (("[budget]", budget), ("[prices]", prices)) if values]


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
