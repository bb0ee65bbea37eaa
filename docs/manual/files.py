"""The field reference of every file that depose reads, from the records that it reads them into.

What a file is for stands in `explained.toml`, examples stand in `examples/` or ship with depose. They are read with the
same records while the pages are made: one that does not fit is an error here.
"""

from __future__ import annotations

import inspect
import tomllib
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

import depose
from depose.batch.matrix import Matrix
from depose.batch.plan import BatchFile
from depose.batch.rows import Row
from depose.case import packs, population, tables
from depose.case.annexes import Checks, Waivers
from depose.case.formats import inspect_log
from depose.case.registry import Registry
from depose.case.witness import Witness
from depose.custody.commitment import Commitment
from depose.custody.copies import Absent, Copy, Passage, Shown
from depose.custody.envelope import Envelope
from depose.custody.key_ledger import Signed
from depose.custody.own_endpoints import Endpoints
from depose.custody.proofs import Proof
from depose.custody.seal import Mark, Seal
from depose.evidence import lineup_acts, log, records
from depose.evidence.machine import Run
from depose.extraction.plan import ExtractionFile
from depose.extraction.sources.generic import Mapping
from depose.lab.build import Manifest
from depose.lab.export import Answered
from depose.lab.recipe import Recipe
from depose.lineup.coin import Thrown
from depose.lineup.draw import DrawBegun
from depose.lineup.score import ScoringBegun
from depose.model import Calibration, Case, Exchange, Findings, Performance, Prompt, Registration, SelfTest
from depose.model.key_ledger import InLedger
from depose.model.lineup import Bag, Decoy, Delivery, LineupKey, ScoreTable
from depose.report.viewer import Score
from depose.selftest import Kit
from depose.validate.labelled import Labelled
from manual import records as fields

EXPLAINED = Path(__file__).with_name("explained.toml")
EXAMPLES = Path(__file__).with_name("examples")
BUNDLED = Path(depose.__file__).parent
SHARED = ("__init__", "delimited", "found", "messages", "spreadsheet", "strict")
"""Files of `case/formats` that read no format of another tool."""


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """One file that is read into records: its page, those records, and examples if people write it."""

    page: str
    tops: tuple[type[msgspec.Struct], ...]
    examples: tuple[str, ...] = ()


def _bundled_case() -> str:
    return files("depose.casefiles").joinpath("recorded", "case.toml").read_text("utf-8")


def _shown(name: str) -> str:
    return (EXAMPLES / name).read_text("utf-8")


LOG: tuple[type[msgspec.Struct], ...] = (
    *(log.Entry, Registration, Exchange, Run, records.Described, records.Asking, records.Amendment, records.Stamp),
    records.Drawn,
    *(records.Checkpoint, records.Unstamped, SelfTest, InLedger, records.Scored, records.Unblinded),
    *lineup_acts.BODIES.values(),
)
LINE_UP: tuple[type[msgspec.Struct], ...] = (
    *(Delivery, Decoy, Bag, LineupKey, ScoreTable),
    *(DrawBegun, ScoringBegun, Thrown),
)
FILES = (
    File(page="case", tops=(Case,), examples=(_bundled_case(),)),
    File(page="batch", tops=(BatchFile,), examples=(_shown("batch.toml"), _shown("batch-data.toml"))),
    File(page="registry", tops=(Registry,), examples=(_shown("registry.toml"),)),
    File(page="extraction", tops=(ExtractionFile,), examples=(_shown("extraction.toml"),)),
    File(page="mapping", tops=(Mapping,), examples=(_shown("mapping.toml"),)),
    File(page="recipe", tops=(Recipe,), examples=((BUNDLED / "lab" / "fast.toml").read_text("utf-8"),)),
    File(page="waivers", tops=(Waivers,), examples=(_shown("waivers.toml"),)),
    File(page="witness", tops=(Witness,), examples=(_shown("witness.toml"),)),
    File(page="checked", tops=(Checks,), examples=(_shown("checked.toml"),)),
    File(page="endpoints", tops=(Endpoints,), examples=(_shown("endpoints.toml"),)),
    File(page="calibration", tops=(Calibration, Performance)),
    File(page="pack", tops=(packs.PackManifest, Prompt, packs.PackAnswer, packs._Signed)),
    File(page="screening", tops=(Labelled,)),
    File(page="kit", tops=(Kit,)),
    File(page="findings", tops=(Findings, Score)),
    File(page="log", tops=LOG),
    File(page="bundle", tops=(Seal, Mark, Commitment, Envelope, Copy, Shown, Absent, Passage, Proof)),
    File(page="key-ledger", tops=(Signed,)),
    File(page="matrix", tops=(Matrix, Row)),
    File(page="laboratory", tops=(Manifest, Answered)),
    File(page="line-up", tops=LINE_UP),
)
"""Those with an example are written by people: then every field has a meaning, and every number a unit."""
PAGES = (*(one.page for one in FILES), "tables", "populations")


def pages() -> dict[str, str]:
    """The pages of all files, and their index."""
    said = tomllib.loads(EXPLAINED.read_text("utf-8"))
    found = {one.page: [*_head(said, one.page), *_body(one)] for one in FILES}
    found["tables"] = [*_head(said, "tables"), *_tables(said["columns"])]
    found["populations"] = [*_head(said, "populations"), *_populations(said["columns"])]
    found["index"] = _index(said["files"])
    return {f"reference/files/{page}.md": "\n".join(lines) for page, lines in found.items()}


def _head(said: dict[str, Any], page: str) -> list[str]:
    one = said["files"][page]
    return [f"# {one['title']}", "", f"Written by: {one['written']}.", "", f"Read by: {one['read']}.", "", one["text"]]


def _body(one: File) -> list[str]:
    lines = []
    for number, example in enumerate(one.examples):
        msgspec.convert(tomllib.loads(example), one.tops[0])
        lines += ["Or:" if number else "## Example", "", "```toml", example.rstrip(), "```", ""]
    for record in _records(one):
        lines += [f"## {record.__name__}", "", fields.described(record), ""]
        lines += [*fields.table(record, strict=bool(one.examples)), ""]
    return lines


def _records(one: File) -> list[type[msgspec.Struct]]:
    return list(dict.fromkeys(record for top in one.tops for record in fields.reached(top)))


def home() -> dict[str, str]:
    """The page on which each record stands."""
    found: dict[str, str] = {}
    for one in FILES:
        for record in _records(one):
            found.setdefault(record.__name__, one.page)
    return found


def _tables(columns: dict[str, Any]) -> list[str]:
    lines = [
        f"Limits: {tables.LARGEST // 1024**3} GiB for a table,",
        f"{inspect_log.LARGEST_MEMBER // 1024**2} MiB for an unpacked sample of an inspect log.",
        "",
        "## Files of other tools",
        "",
        "Known by their own marks, whatever the file is called:",
        "",
        *(f"- {said}" for said in _formats()),
        "",
        "## Columns",
        "",
        "Of a plain table. `depose import --column MEANING=NAME` gives another name, or a path within JSON, such as",
        "`text=choices[0].turns[0]`.",
        "",
        "| meaning | names | default | what it is |",
        "|---|---|---|---|",
    ]
    for meaning, names in tables.COLUMNS.items():
        shown, one = ", ".join(f"`{name}`" for name in names), columns["tables"][meaning]
        lines.append(f"| `{meaning}` | {shown} | {one['default']} | {one['is']} |")
    tables.read(EXAMPLES / "answers.jsonl")
    return [*lines, "", "## Example", "", "```json", _shown("answers.jsonl").rstrip(), "```"]


def _formats() -> list[str]:
    """What each reader of `formats` reads, from its docstring; those that the readers share are none."""
    names = sorted(path.stem for path in (BUNDLED / "case" / "formats").glob("*.py"))
    modules = (import_module(f"depose.case.formats.{name}") for name in names if name not in SHARED)
    return [(inspect.getdoc(one) or "").partition("\n\n")[0].replace("\n", " ") for one in modules]


def _populations(columns: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, listed in population.NEEDED.items():
        said = columns[name.removesuffix(".csv")]
        lines += [f"## {name}", "", said["file"], "", "| column | what it holds |", "|---|---|"]
        lines += [*(f"| `{column}` | {said[column]} |" for column in listed.split()), ""]
        first = (BUNDLED / "kit" / name).read_text("utf-8").splitlines()[:2]
        lines += ["In the kit that ships with depose:", "", "```text", *(row[:200] for row in first), "```", ""]
    return lines


def _index(said: dict[str, Any]) -> list[str]:
    return [
        "# Files",
        "",
        "Every file that depose reads, field by field, made from the records that it is read into: type, unit, range,",
        "default, meaning, and an example. All are read strictly.",
        "",
        "| file | written by | read by |",
        "|---|---|---|",
        *(f"| [{said[page]['title']}]({page}.md) | {said[page]['written']} | {said[page]['read']} |" for page in PAGES),
        "",
        *("```{toctree}", ":hidden:", "", *PAGES, "```"),
    ]
