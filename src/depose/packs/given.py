"""Models that are given on a command line, or in a table: the fields of [[models]], written in short."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from depose.case import casefile
from depose.case.packs import Pack
from depose.case.places import explained
from depose.case.untrusted_files import opened, read_untrusted
from depose.errors import CaseError, UsageError
from depose.evidence.log import write_whole
from depose.model import ModelSpec, Prompt, Role
from depose.packs.info import model_of

LISTED = ("trained_on", "omit")
"""Fields that hold several values, with semicolons between."""
LARGEST = 4 * 1024**2
_WHENCE = "developer=Acme,weight_lineage=llama-3,data_lineage=acme-9,released=2026-11"
_HINT = (
    f"as in: file=acme-9.jsonl,{_WHENCE}, or provider=openai,model=acme-9,base_url=https://host/v1,api_key_env=KEY,.."
)


def model(text: str, code: str, role: Role, pack: Pack, folder: Path | None) -> ModelSpec:
    """Read a model: `pack:CODE`, a file of answers, or KEY=VALUE with commas between.

    A file of answers is copied into `folder`, which is that of the case; without one nothing is written. Raises
    UsageError for anything else, CaseError where the case in `folder` rests on other answers.
    """
    if text.startswith("pack:"):
        found = model_of(pack, text.removeprefix("pack:")).spec
        return msgspec.structs.replace(found, code=code, role=role, file=f"packs/{pack.manifest.file}")
    fields = _fields(text) if "=" in text else {"file": text}
    if "file" in fields:
        fields = {"provider": "recorded", **fields}
        if folder is not None:
            fields["file"] = _copied(Path(fields["file"]), code, folder)
    return spec_of({**fields, "code": code, "role": role}, text)


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split(","):
        name, equals, value = part.partition("=")
        if not equals or name.strip() in found:
            raise UsageError(f"{part!r}: not KEY=VALUE, or given twice", hint=_HINT)
        found[name.strip()] = value.strip()
    return found


def spec_of(fields: Mapping[str, str], where: str) -> ModelSpec:
    """Turn words into a model of a case; raise UsageError for a field or a value that no model has."""
    values: dict[str, Any] = {
        name: tuple(filter(None, (part.strip() for part in value.split(";")))) if name in LISTED else value
        for name, value in fields.items()
    }
    try:
        return msgspec.convert(values, ModelSpec, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"{where}: {explained(str(error), ModelSpec, values)}", hint=_HINT) from error


def _copied(file: Path, code: str, folder: Path) -> str:
    """Copy a file into the folder of a case, whole or not at all; what a registered case rests on stays as it is."""
    name = f"given-{code}{file.suffix.lower()}"
    goal = folder / name
    work = goal.with_name(f".{name}.{os.getpid()}.tmp")
    try:
        with opened(file) as source:
            if goal.is_file() and (folder / casefile.NAME).is_file():
                if not _alike(source, goal):
                    raise CaseError(
                        f"{file}: differs from {goal}, on which the case in {folder} rests",
                        hint="give each release a folder of its own",
                    )
                return name
            folder.mkdir(parents=True, exist_ok=True)
            with work.open("xb") as copy:
                shutil.copyfileobj(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
            work.replace(goal)
    except FileNotFoundError as error:
        raise UsageError(f"{file}: no such file", hint="name a file of answers, or KEY=VALUE,...") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{file}: {error}", hint="name a file of answers, or KEY=VALUE,...") from error
    finally:
        work.unlink(missing_ok=True)
    return name


def _alike(source: io.BufferedReader, kept: Path) -> bool:
    with kept.open("rb") as ours:
        return hashlib.file_digest(source, "sha256").digest() == hashlib.file_digest(ours, "sha256").digest()


def table(path: Path) -> tuple[dict[str, str], ...]:
    """Read models from a CSV with a column `model` and others named as the fields of [[models]], or a name a line."""
    try:
        text = read_untrusted(path, LARGEST).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        raise CaseError(f"{path}: {error}", hint="a CSV with a column `model`, or one name in each line") from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise CaseError(f"{path}: names no model", hint="a CSV with a column `model`, or one name in each line")
    if "," not in lines[0] and lines[0].strip() != "model":
        return tuple({"model": line.strip()} for line in lines)
    rows: Sequence[dict[str, Any]] = list(csv.DictReader(io.StringIO("\n".join(lines))))
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values() or not (row.get("model") or "").strip():
            raise CaseError(f"{path}: row {number} has no model, or not as many fields as the header", hint="check it")
    return tuple({name.strip(): value.strip() for name, value in row.items() if value.strip()} for row in rows)


def kept(file: Path, name: str, folder: Path) -> str:
    """Copy a file of prompts into the folder of a case, once, and return its name there."""
    return _copied(file, name, folder)


def write_prompts(prompts: Sequence[Prompt], path: Path) -> None:
    """Write prompts as lines of JSON with `id` and `prompt`, for whoever asks them; nothing is written over."""
    if path.exists():
        raise UsageError(f"{path}: is there already", hint="name a new file")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, prompt_lines(prompts))


def prompt_lines(prompts: Sequence[Prompt]) -> bytes:
    """Write prompts as a table that a case reads."""
    rows = ({"id": one.id, "prompt": one.text, "family": one.family, "cluster": one.cluster} for one in prompts)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
