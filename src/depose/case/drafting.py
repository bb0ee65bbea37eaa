"""A first draft of a case from what is held: a short commented case.toml, models.csv, prompts.csv and the files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.resources import files as packaged
from pathlib import Path
from urllib.parse import urlsplit

from depose.case import addresses, calibration, casefile
from depose.case.holdings import Held, HeldModel
from depose.case.lineages import plain
from depose.case.near import nearest
from depose.case.population import Member
from depose.case.tables import AS_IT_IS
from depose.case.untrusted_files import opened
from depose.errors import CaseError, UsageError, few
from depose.model import Protocol, Record, Role, spreadsheet
from depose.model.natural_order import natural

TABLE = "models.csv"
PROMPTS = "prompts.csv"
SCHEMA = "case.schema.json"
STUDY = f"study/{calibration.CALIBRATION}"
PROBES = ("open_howto:20", "open_advice:18", "open_lists:18", "short_creative:8")
"""As many as `same` and `derived` need where the study does not know the kind of prompts."""
COLUMNS = (
    *("code", "role", "model", "file", "answers", "provider", "base_url", "api_key_env", "allow_private", "developer"),
    *("weight_lineage", "data_lineage", "trained_on", "released", "source"),
)
LETTERS: dict[Role, str] = {"suspect": "S", "reference": "R", "candidate": "K", "control": "C"}


class Endpoint(Record, frozen=True, kw_only=True):
    """A model that is to be asked over a network."""

    role: Role
    model: str
    base_url: str
    provider: str = "openai"
    api_key_env: str = ""


class Weights(Record, frozen=True, kw_only=True):
    """A model that is to be asked on this machine."""

    role: Role
    folder: str


class Order(Record, frozen=True, kw_only=True):
    """What a draft is made of."""

    title: str
    authority: str
    held: Held
    roles: dict[str, Role]
    """Names of models in files that are no controls."""
    endpoints: tuple[Endpoint, ...] = ()
    weights: tuple[Weights, ...] = ()
    questions: tuple[str, ...] = ("same", "derived", "distilled")
    study: Path | None = None
    """A `calibration.json` that `depose validate` wrote; it is copied, with the error rates beside it."""


class ToImport(Record, frozen=True, kw_only=True):
    """Files that are imported alike."""

    files: tuple[str, ...]
    columns: dict[str, str]
    """How they are read."""
    encoding: str


class Drafted(Record, frozen=True, kw_only=True):
    """A draft that was written."""

    folder: str
    files: tuple[str, ...]
    models: int
    prompts: int
    unknown: tuple[str, ...]
    """Codes of controls whose maker or lineage the table does not say yet: they cannot be used."""
    undated: tuple[str, ...]
    """Codes whose date is written as unknown."""
    pair: tuple[tuple[str, Role, str], ...]
    """Code, role and name of each model that is no control."""
    private: tuple[str, ...]
    """Codes of models whose address leads to this machine or its network."""
    study: str
    """The study of the ratios, where the case names another than the usual one."""
    to_import: tuple[ToImport, ...]
    """Files that a case cannot name, for their columns or encoding: they are imported."""


def named(held: Held, name: str) -> str:
    """Find a model of files by its name, or by its file; raise UsageError where none is meant, or two."""
    for way in (
        [one.name for one in held.models if one.name == name],
        [one.name for one in held.models if name in (one.file.name, str(one.file))],
        [one.name for one in held.models if plain(one.name) == plain(name)],
    ):
        if len(way) == 1:
            return way[0]
    known = [one.name for one in held.models]
    alike = [one for one in known if name and plain(name) in plain(one)] or known
    models = few(alike, 12) or "none"
    raise UsageError(f"no model {name!r} in the files{nearest(name, known)}", hint=f"models: {models}")


def new(folder: Path) -> None:
    """Raise UsageError for a folder that holds something, before anybody is asked anything."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: exists and is not an empty folder", hint="name a new folder")


def draft(order: Order, known: Mapping[str, Member], folder: Path) -> Drafted:
    """Write a draft into a new folder, whole or not at all; `known` says where models come from, by their names."""
    new(folder)
    rows, copies = _rows(order, known)
    for role in ("suspect", "reference"):
        if role not in {row["role"] for row in rows}:
            raise UsageError(f"no {role} is named", hint=f"--{role} NAME, or --ask {role}=MODEL@ADDRESS")
    work = Path(os.path.abspath(folder.with_name(f".{folder.name}.{os.getpid()}.tmp")))  # noqa: PTH100
    try:
        work.mkdir(parents=True)
        for source, name in copies.items():
            (work / name).parent.mkdir(exist_ok=True)
            with opened(source) as given, (work / name).open("xb") as copy:
                shutil.copyfileobj(given, copy)
        if order.study is not None:
            _copy_study(order.study, work)
        if order.held.prompts:
            table = [("prompt_id", "prompt"), *order.held.prompts]
            (work / PROMPTS).write_bytes(spreadsheet.write(table))
        used = [one for one in COLUMNS if one in ("developer", "released") or any(row.get(one) for row in rows)]
        used += [one for one in ("weight_lineage", "data_lineage", "trained_on", "source") if one not in used]
        listed = [used, *([row.get(one, "") for one in used] for row in rows)]
        (work / TABLE).write_bytes(spreadsheet.write(listed))
        (work / SCHEMA).write_bytes((packaged("depose.templates") / "schemas" / SCHEMA).read_bytes())
        (work / casefile.NAME).write_text(_text(order), encoding="utf-8")
        try:
            case = casefile.read(work)
        except CaseError as error:  # of a file that is gone when this is read
            raise type(error)(error.message.replace(f"{work}{os.sep}", ""), hint=error.hint) from error
        if folder.is_dir():
            folder.rmdir()
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Drafted(
        folder=str(folder),
        files=tuple(sorted(one.name for one in folder.iterdir())),
        models=len(case.models),
        prompts=len(order.held.prompts),
        unknown=tuple(
            one.code
            for one in case.models
            if one.role == "control" and not (one.developer and one.weight_lineage and one.data_lineage)
        ),
        undated=tuple(one.code for one in case.models if one.released == "unknown"),
        pair=tuple((one.code, one.role, one.model or one.file) for one in case.models if one.role != "control"),
        private=tuple(one.code for one in case.models if one.allow_private),
        study="" if case.protocol.calibration == Protocol().calibration else case.protocol.calibration,
        to_import=_imports(order.held.models),
    )


def _copy_study(study: Path, work: Path) -> None:
    """Copy a study and the error rates beside it; raise CaseError for what is none."""
    calibration.load(study.name, study.parent)
    (work / STUDY).parent.mkdir()
    (work / STUDY).write_bytes(calibration.raw(study.name, study.parent))
    rates = calibration.beside(study.name, study.parent)
    if rates is not None:
        (work / STUDY).with_name(calibration.PERFORMANCE).write_bytes(rates)


def _imports(models: Sequence[HeldModel]) -> tuple[ToImport, ...]:
    alike: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
    for one in models:
        if one.wanted != AS_IT_IS:
            key = (one.wanted.encoding, tuple(sorted(one.wanted.columns.items())))
            alike.setdefault(key, []).append(str(one.file))
    return tuple(
        ToImport(files=tuple(dict.fromkeys(files)), columns=dict(columns), encoding=encoding)
        for (encoding, columns), files in alike.items()
    )


def _rows(order: Order, known: Mapping[str, Member]) -> tuple[list[dict[str, str]], dict[Path, str]]:
    """One row for each model, and the files to copy with their names in the case."""
    count = dict.fromkeys(LETTERS.values(), 0)
    copies: dict[Path, str] = {}
    rows = []
    for one in order.endpoints:
        rows.append({**_coded(count, one.role), "released": "unknown", "model": one.model, "provider": one.provider,
                     "base_url": one.base_url, "api_key_env": one.api_key_env,
                     "allow_private": "yes" if _private(one.base_url) else ""})  # fmt: skip
    for held in order.weights:
        rows.append(
            {**_coded(count, held.role), "released": "unknown", "model": held.folder, "provider": "transformers"}
        )
    ranked = sorted(order.held.models, key=lambda one: ([*LETTERS].index(_role(order, one)), natural(one.name)))
    documented = {plain(name): member for name, member in known.items()}
    for model in ranked:
        row = {**_coded(count, _role(order, model)), "released": "unknown", "model": model.inside or model.name}
        if model.wanted == AS_IT_IS:
            row["file"] = copies.setdefault(model.file, _copied_as(model.file, copies))
        else:
            row["answers"] = model.file.name
        member = documented.get(plain(model.name))
        if member is not None:
            row |= {
                "developer": member.developer,
                "weight_lineage": member.weight_lineage,
                "data_lineage": member.data_lineage,
                "trained_on": ";".join(member.trained_on),
                "released": member.released or "unknown",
                "source": "the table of lineage that was given",
            }
        rows.append(row)
    return sorted(rows, key=lambda row: [*LETTERS].index(row["role"])), copies  # type: ignore[arg-type]


def _private(address: str) -> bool:
    """Whether an address that somebody typed says itself that it leads to this machine, or to a network of theirs."""
    return addresses.of_host(urlsplit(address).hostname or "") == "private"


def _role(order: Order, model: HeldModel) -> Role:
    return order.roles.get(model.name, "control")


def _coded(count: dict[str, int], role: Role) -> dict[str, str]:
    letter = LETTERS[role]
    count[letter] += 1
    return {"code": f"{letter}{count[letter]}", "role": role}


def _copied_as(file: Path, copies: Mapping[Path, str]) -> str:
    """Name a file in the case: as it is called, with a number where another is called so."""
    name, number = f"answers/{file.name}", 1
    while name.casefold() in {other.casefold() for other in copies.values()}:
        number += 1
        name = f"answers/{file.stem}-{number}{file.suffix}"
    return name


def _text(order: Order) -> str:
    """The case file; what is left at its default is not written, and stands in the reference."""
    source = (
        f'prompts = "{PROMPTS}"          # what the files were asked; one row each'
        if order.held.prompts
        else f"probes = {_list(PROBES)}   # families of prompts with counts: depose list probes"
    )
    ratios = _study(order)
    money = "\n[budget]\nrequests = 20000                  # a stop before any limit is passed; also tokens, money\n"
    return f"""\
#:schema ./{SCHEMA}
# Every field: docs/reference/files/case.md. Before you ask anything: depose check .
models = "{TABLE}"             # one row for each model; a control needs developer, both lineages and released

[case]
title = {json.dumps(order.title, ensure_ascii=False)}
authority = {json.dumps(order.authority, ensure_ascii=False)}

[protocol]
questions = {_list(order.questions)}
{source}
alpha = 0.05                      # an indication needs p at most so large
seed = 7
{ratios}{money if order.endpoints else ""}"""


def _study(order: Order) -> str:
    """Name the study of the ratios where it is not the usual one: one's own, or one that the suspects are not in."""
    if order.study is not None:
        return f'calibration = "{STUDY}"   # the study of the ratios, as depose validate made it\n'
    suspects = [name for name, role in order.roles.items() if role == "suspect"]
    found = calibration.apart_from([*suspects, *(one.model for one in order.endpoints if one.role == "suspect")])
    if found == Protocol().calibration:
        return ""
    return f'calibration = "{found}"         # the study of the ratios: the suspect took no part in it\n'


def _list(values: Sequence[str]) -> str:
    return json.dumps(list(values))
