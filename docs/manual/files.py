"""The field reference of every file that depose reads, from the records that it reads them into.

The examples are read with the same records while the pages are made: one that does not fit is an error here.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from depose.batch.matrix import Matrix
from depose.batch.plan import BatchFile
from depose.case import foreign, population, tables
from depose.case.annexes import Checks, Waivers
from depose.case.tables import COLUMNS
from depose.custody.envelope import Envelope
from depose.custody.redact import Proof, Range
from depose.custody.seal import Mark, Seal
from depose.evidence import log, records
from depose.evidence.machine import Run
from depose.lab.recipe import Recipe
from depose.model import Calibration, Case, Exchange, Findings, Performance, Registration, SelfTest
from depose.report.viewer import Score
from depose.selftest import Kit
from depose.validate.labelled import Labelled
from manual import records as fields

EXPLAINED = Path(__file__).with_name("explained.toml")


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """One file: its page, what it is, who writes it, its records, and an example."""

    page: str
    title: str
    written: str
    """By a person, or by which command."""
    read: str
    """By which commands."""
    text: str = ""
    tops: tuple[type[msgspec.Struct], ...] = ()
    example: str = ""
    by_hand: bool = False
    """Whether people write it: then every field has a meaning and a unit."""
    extra: list[str] = field(default_factory=list)


def _example(name: str) -> str:
    return files("depose").joinpath(name).read_text("utf-8")


def _bundled(name: str) -> str:
    return files("depose.casefiles").joinpath(name, "case.toml").read_text("utf-8")


BATCH = """\
[batch]
title = "Vendors, autumn"
authority = "contracts, section 4"

[screening]                      # all optional but `prompts`, which [[models]] need
alpha = 0.05
fdr = 0.1
labelled = "alpaca_eval"
prompts = "prompts.jsonl"

[asking]
temperature = 0.7
max_tokens = 200

[budget]
requests = 5000

[[models]]
code = "V1"
role = "suspect"
provider = "openai"              # asked; or "recorded", with `file` for its answers
model = "vendor-chat-1"
api_key_env = "VENDOR_KEY"
developer = "Vendor One"
weight_lineage = "llama-3"
data_lineage = "vendor one"

[[models]]
code = "R1"
role = "reference"
provider = "recorded"
file = "reference.jsonl"
developer = "Reference Inc"
weight_lineage = "harbour-base"
data_lineage = "harbour-chat"
"""
BATCH_DATA = """\
[batch]
title = "Everybody against the largest"
authority = "published outputs"

[data]                           # instead of [[models]]
folder = "../shared/data"
source = "alpaca_eval"
suspects = ["*"]                 # names or patterns
references = ["gpt-4*"]
controls = ["*"]                 # for each cell, one of every lineage that is clean for it
"""
WAIVERS = """\
[[waiver]]
id = "W1"
suspect = "S1"
reference = "R1"
question = "distilled"           # left out: all three
reason = "vendor disclosed licensed outputs"
owner = "supplier management"
approver = "model risk"
expires = 2026-12-31
"""
CHECKED = """\
[[check]]
id = "enfsi-2015"                # the ids are in the message of --final
checked_on = 2026-11-30
checked_by = "JD"
sha256 = ""                      # of the document compared, if there is a file
"""
TABLE = """\
{"prompt_id": "q1", "prompt": "Name three rivers.", "category": "lists", "output": "Elbe, Oder, Rhine.", "model": "acme"}
{"prompt_id": "q1", "prompt": "Name three rivers.", "category": "lists", "output": "Rhine, Main.", "model": "acme", "sample": 1}
"""

FILES = (
    File(
        page="case",
        title="case.toml",
        written="a person; `depose new` copies one to begin with",
        read="`register`, `amend` and every later command on the case",
        text="A case: who is suspected, who is the reference, who are the controls, what is asked and how it is judged. "
        "Read strictly: an unknown key, a wrong type, a missing role or a code used twice is an error that names its "
        "place, such as `$.protocol: unknown field 'alhpa'`. Names of files are read from the case folder. "
        "[The case file](../../guide/case.md) says what to think of.",
        tops=(Case,),
        example=_bundled("recorded"),
        by_hand=True,
    ),
    File(
        page="batch",
        title="batch.toml",
        written="a person",
        read="`batch`",
        text="Many suspects against many references; the name of the file is free. Models stand in `[data]` or in "
        "`[[models]]`, in one of the two. [Many vendors at once](../../guide/batch.md) says what a matrix can carry.",
        tops=(BatchFile,),
        example=BATCH,
        by_hand=True,
    ),
    File(
        page="recipe",
        title="Recipe of a laboratory",
        written="a person; `default` and `fast` ship with depose",
        read="`lab build --recipe`",
        text="Which models of known lineage are trained, on what, and what they are asked afterwards. "
        "[The laboratory](../../laboratory.md) shows what comes of it.",
        tops=(Recipe,),
        example=_example("lab/fast.toml"),
        by_hand=True,
    ),
    File(
        page="waivers",
        title="waivers.toml",
        written="a person, beside the case file",
        read="`report`, `seal`, `verify`",
        text="Exceptions that somebody answers for until a date. They are printed beside the number, with owner and "
        "expiry, and change no outcome and no exit code.",
        tops=(Waivers,),
        example=WAIVERS,
        by_hand=True,
    ),
    File(
        page="checked",
        title="checked.toml",
        written="a person, beside the case file",
        read="`report` (`--final` refuses without it), `seal`, `verify`",
        text="Works cited and the verbal scale that somebody compared with the primary document. The report is marked "
        "DRAFT until every one is. The ids stand in [the literature](../literature.md).",
        tops=(Checks,),
        example=CHECKED,
        by_hand=True,
    ),
    File(
        page="calibration",
        title="calibration.json and performance.json",
        written="`validate`, `lab study`",
        read="`analyze`, by `[protocol] calibration`; `performance.json` where it lies beside",
        text="What turns scores into likelihood ratios, with the conditions under which it holds; and the error rates of "
        "the same study, which the report prints. `alpaca_eval` and `lab` ship with depose.",
        tops=(Calibration, Performance),
    ),
    File(
        page="screening",
        title="screening.json",
        written="`validate`",
        read="`batch`, by `[screening] labelled`",
        text="Scores of pairs of known relation, pair by pair with their lineages, from which local false-discovery "
        "rates are made with every lineage of a cell left out. `alpaca_eval` and `lab` ship with depose.",
        tops=(Labelled,),
    ),
    File(
        page="kit",
        title="Kit of the self-test",
        written="`make lab-kit`",
        read="`selftest --kit`, and `audit` with the bundled one",
        text="`kit.json` says which model plays which sample; the answers stand beside it as a "
        "[labelled population](populations.md) with the source `lab`.",
        tops=(Kit,),
    ),
    File(
        page="findings",
        title="findings.json and scores.parquet",
        written="`analyze`",
        read="`report`, `seal`, `verify`",
        text="Everything that a report may say. No number of a report is typed: all come from here. "
        "The schema is [findings.schema.json](../../findings.schema.json), which `report --format data` writes too. "
        "`scores.parquet` has one row of Score for each two models, prompt and detector.",
        tops=(Findings, Score),
    ),
    File(
        page="log",
        title="evidence/log.jsonl",
        written="`register`, `amend`, `probe`, `import`, `selftest`, `analyze`",
        read="every command on a case",
        text="One canonical line (RFC 8785) for each event, chained by the SHA-256 of the line before. `body` is the record "
        "of its kind: `protocol` Registration, `amendment` Amendment, `endpoint` Described, `asking` and `left` Asking, "
        "`exchange` and `control` Exchange, `run` Run, `checkpoint` Checkpoint, `timestamp` Stamp, `unstamped` Unstamped, "
        "`selftest` SelfTest, `scores` Scored, `unblinding` Unblinded. Raw bytes stand in `evidence/blobs`, named by "
        "their SHA-256; tokens in `evidence/seals`. [Custody](../../custody.md) says what the chain shows.",
        tops=(
            log.Entry,
            Registration,
            Exchange,
            Run,
            records.Described,
            records.Asking,
            records.Amendment,
            records.Stamp,
            records.Checkpoint,
            records.Unstamped,
            SelfTest,
            records.Scored,
            records.Unblinded,
        ),
    ),
    File(
        page="bundle",
        title="Bundles, copies and proofs",
        written="`seal`, `redact`",
        read="`verify`, `replicate`, `redact`",
        text="A bundle is a case folder with `seal.json`, the manifest `SHA256SUMS`, `SEAL` and its signature "
        "`SEAL.sig`, the signer's public key, tokens, a signed statement of the opinions (a DSSE envelope), and `VERIFY.md`, "
        "`VERIFY.py`, `SCORE.py`. A derived copy lists what was withheld; a proof carries one record to the sealed root. "
        "Keys are PEM files of `keygen`; roots of time-stamping authorities are PEM, tokens DER (RFC 3161).",
        tops=(Seal, Mark, Envelope, Range, Proof),
    ),
    File(
        page="matrix",
        title="matrix.json",
        written="`batch`",
        read="`batch --since`",
        text="A whole matrix; `--since` compares the new one with it.",
        tops=(Matrix,),
    ),
)


def pages() -> dict[str, str]:
    """The pages of all files, and their index."""
    found = {f"reference/files/{one.page}.md": page(one) for one in FILES}
    found["reference/files/tables.md"] = _tables()
    found["reference/files/populations.md"] = _populations()
    found["reference/files/index.md"] = _index()
    return found


def page(one: File) -> str:
    """The page of one file."""
    lines = [f"# {one.title}", "", one.text, "", f"Written by: {one.written}.\n", f"Read by: {one.read}.", ""]
    if one.example:
        _fits(one)
        lines += ["## Example", "", "```toml", one.example.rstrip(), "```", ""]
    if one.page == "batch":
        msgspec.convert(tomllib.loads(BATCH_DATA), BatchFile)
        lines += ["Or, with a labelled population:", "", "```toml", BATCH_DATA.rstrip(), "```", ""]
    seen: list[type[msgspec.Struct]] = []
    for top in one.tops:
        for record in fields.reached(top):
            if record not in seen:
                seen.append(record)
                lines += [f"## {record.__name__}", "", fields.described(record), ""]
                lines += [*fields.table(record, strict=one.by_hand), ""]
    return "\n".join(lines)


def _fits(one: File) -> None:
    """Raise where the example is not what the record reads."""
    msgspec.convert(tomllib.loads(one.example), one.tops[0])


def _explained() -> dict[str, Any]:
    return tomllib.loads(EXPLAINED.read_text("utf-8"))


def _tables() -> str:
    said = _explained()["columns"]["tables"]
    lines = [
        "# Tables of prompts and answers",
        "",
        "Prompts of a case (`[protocol] prompts`) and of a batch (`[screening] prompts`), and answers that somebody recorded "
        "(`file` of a model, `depose import`). Every format becomes the same rows.",
        "",
        "Written by: a person, or another tool.\n",
        "Read by: `register`, `import`, `probe`, `batch`.",
        "",
        "| format | ending | note |",
        "|---|---|---|",
        "| JSON Lines | `.jsonl`, `.ndjson` | an object a line; OpenAI batch output: `custom_id` is the prompt id, `ID#1` a further sample |",
        "| JSON | `.json` | a list of objects, as AlpacaEval writes; inspect logs; promptfoo results |",
        "| CSV | `.csv` | with a header |",
        "| Parquet | `.parquet` | only the columns below are read |",
        "| inspect log | `.eval` | a zip with a file for each sample |",
        "",
        "## Columns",
        "",
        "The first name that the file has counts. `depose import --column MEANING=NAME` gives another one.",
        "",
        "| meaning | names | default | what it is |",
        "|---|---|---|---|",
    ]
    for meaning, names in COLUMNS.items():
        shown = ", ".join(f"`{name}`" for name in names)
        lines.append(f"| `{meaning}` | {shown} | {said[meaning]['default']} | {said[meaning]['is']} |")
    lines += [
        "",
        "A row with neither a prompt nor a prompt id, a sample that is no small whole number, a value that is neither text "
        "nor a whole number, and a key that stands twice are errors that name the row. Rows that hold no answer, or fit no "
        "registered prompt, are listed by `import` with the reason.",
        "",
        f"Limits: {tables.LARGEST // 1024**3} GiB for a table; {foreign.LARGEST_MEMBER // 1024**2} MiB for an unpacked sample "
        f"of an inspect log.",
        "",
        "## Example",
        "",
        "```json",
        TABLE.rstrip(),
        "```",
        "",
    ]
    return "\n".join(lines)


def _populations() -> str:
    said = _explained()["columns"]
    lines = [
        "# Labelled populations",
        "",
        "A folder with models of documented lineage, their answers, and pairs whose relation is known: what `validate` "
        "measures error rates on, and what `batch` may screen with `[data]`. Lineage follows from the tables by rule, never "
        "from looking at answers.",
        "",
        "Written by: a person; `lab build` writes one of its models.\n",
        "Read by: `validate`, `batch`, `selftest`.",
        "",
        "Answers stand in `responses-SOURCE.parquet`, a [table](tables.md) for each source. The other files are CSV with a "
        "header; further columns are ignored.",
        "",
    ]
    for name, columns in population.NEEDED.items():
        lines += [f"## {name}", "", said[name.removesuffix(".csv")]["file"], "", "| column | what it holds |", "|---|---|"]
        lines += [f"| `{column}` | {said[name.removesuffix('.csv')][column]} |" for column in columns.split()]
        lines.append("")
    example = files("depose.kit")
    lines += ["## Example", "", "The first lines of the kit that ships with depose:", ""]
    for name in population.NEEDED:
        shown = "\n".join(example.joinpath(name).read_text("utf-8").splitlines()[:2])
        lines += ["```text", f"{name}", shown[:300], "```", ""]
    return "\n".join(lines)


def _index() -> str:
    lines = [
        "# Files",
        "",
        "Every file that depose reads, field by field, made from the records that it is read into: type, unit, range, default, "
        "meaning, and an example. All are read strictly.",
        "",
        "| file | written by | read by |",
        "|---|---|---|",
        *(f"| [{one.title}]({one.page}.md) | {one.written} | {one.read} |" for one in FILES),
        "| [Tables of prompts and answers](tables.md) | a person, or another tool | `register`, `import`, `probe`, `batch` |",
        "| [Labelled populations](populations.md) | a person, `lab build` | `validate`, `batch`, `selftest` |",
        "",
        "```{toctree}",
        ":hidden:",
        "",
        *(one.page for one in FILES),
        "tables",
        "populations",
        "```",
    ]
    return "\n".join(lines)
