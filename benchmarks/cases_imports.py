"""Looks at the cases of files that other tools wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.cases_frame import Look, Ran, Seen, depose, exchanges

PROMPTS = (
    "How do I keep a fern alive?",
    "Name a good rainy day plan.",
    "Describe a library smell.",
    "How should a manager open a meeting?",
)


def _case(folder: Path) -> Path:
    """Register a case of three models that wait for files."""
    folder.mkdir()
    rows = [json.dumps({"prompt_id": f"p{n}", "prompt": text}) for n, text in enumerate(PROMPTS, 1)]
    (folder / "prompts.jsonl").write_text("\n".join(rows))
    parts = ['[case]\ntitle = "Imports"\nauthority = "own files"\n[protocol]\nprompts = "prompts.jsonl"']
    parts.append('replicates = 1\ndetectors = ["phrases", "wording"]\ncalibration = ""')
    for code, role in (("S1", "suspect"), ("R1", "reference"), ("C1", "control")):
        lineage = f'developer = "{code}"\nweight_lineage = "{code}"\ndata_lineage = "{code}"'
        parts.append(f'[[models]]\ncode = "{code}"\nrole = "{role}"\nprovider = "recorded"\n{lineage}')
    (folder / "case.toml").write_text("\n".join(parts))
    depose("register", folder)
    return folder


def _imported(work: Path, file: Path, *options: str) -> tuple[Path, Ran]:
    case = _case(work / f"{file.parent.name}-{file.name}")
    return case, depose("import", case, "--model", "S1", file, *options)


def _texts(case: Path) -> dict[str, str]:
    return {
        name: attempts[-1]["text"] if attempts[-1]["outcome"] == "answered" else f"[{attempts[-1]['status']}]"
        for name, attempts in sorted(exchanges(case).items())
    }


def _said(ran: Ran) -> str:
    return f"exit {ran.code}: {ran.out}{ran.err}"


def batch_shapes(folder: Path, work: Path) -> Iterator[Seen]:
    """Batch outputs of three makers, and an error file."""
    for name in ("a.jsonl", "b.jsonl", "c.jsonl"):
        case, ran = _imported(work, folder / name)
        expected = {f"p{n}": f"answer {n}" for n in range(1, 5)}
        yield Seen(right=f"{name}: four answers", came=_said(ran), ok=ran.code == 0 and _texts(case) == expected)
    case, ran = _imported(work, folder / "e.jsonl")
    told = "status 400: Unsupported parameter: 'max_tokens'"
    yield Seen(right=f"e.jsonl: {told}", came=_said(ran), ok=ran.code == 1 and told in ran.err and not exchanges(case))


def excel_cells(folder: Path, work: Path) -> Iterator[Seen]:
    """Cells that hold no answer, and a file of another matter."""
    case, ran = _imported(work, folder / "a.csv")
    found = _texts(case)
    told = all(f"row {n}: p{n}" in ran.out for n in (2, 3, 4))
    right = "p1 answered; p2 to p4 told, and open for a later file"
    (work / "later.csv").write_text("prompt_id,output\n" + "".join(f"p{n},later {n}\n" for n in (2, 3, 4)))
    depose("import", case, "--model", "S1", work / "later.csv")
    ok = found["p1"] == "a real answer" and told and _texts(case)["p2"] == "later 2"
    yield Seen(right=right, came=_said(ran), ok=ok)
    case, ran = _imported(work, folder / "wrong.jsonl")
    kept = [one.name for one in (case / "evidence" / "blobs").iterdir() if b"another matter" in one.read_bytes()]
    yield Seen(right="nothing is kept of it", came=_said(ran), ok=ran.code == 1 and not kept and not exchanges(case))


def inspect_json(folder: Path, work: Path) -> Iterator[Seen]:
    """An inspect log in JSON with scores in it."""
    case, ran = _imported(work, folder / "a.json")
    yield Seen(
        right="four answers", came=_said(ran), ok=list(_texts(case).values()) == [f"answer {n}" for n in range(4)]
    )


def inspect_messages(folder: Path, work: Path) -> Iterator[Seen]:
    """Samples that were asked otherwise than their input says."""
    case, ran = _imported(work, folder / "a.json")
    both = all(text in ran.out for text in ("You are a pirate.", "Reply with ANSWER", "Are you sure?", "registered"))
    none = all(one.startswith("[") for one in _texts(case).values())
    yield Seen(right="p1 to p3 listed with both wordings, p4 cut by a filter", came=_said(ran), ok=both and none)


def promptfoo_sentences(folder: Path, work: Path) -> Iterator[Seen]:
    """The tool's own sentences, and its reasoning before an answer."""
    case, ran = _imported(work, folder / "a.json")
    found = list(_texts(case).values())
    ok = found[0] == "Mist it daily." and all(one.startswith("[") for one in found[1:])
    yield Seen(right="p1 without the reasoning, p2 to p4 no answers", came=f"{found} {_said(ran)}", ok=ok)


def promptfoo_shapes(folder: Path, work: Path) -> Iterator[Seen]:
    """Ordinary configurations of promptfoo."""
    for name in ("a.json", "b.json", "c.json", "d.jsonl"):
        case, ran = _imported(work, folder / name)
        ok = list(_texts(case).values()) == [f"ans {text}" for text in PROMPTS]
        yield Seen(right=f"{name}: four answers", came=_said(ran), ok=ok and ran.code == 0)


def quiz_key(folder: Path, work: Path) -> Iterator[Seen]:
    """A key beside the answers."""
    case, ran = _imported(work, folder / "a.csv")
    yield Seen(right="asks for --column text=", came=_said(ran), ok=ran.code == 1 and "--column text=" in ran.err)
    ran = depose("import", case, "--model", "S1", "--column", "text=response", folder / "a.csv")
    yield Seen(right="with it, what the model said", came=_said(ran), ok=_texts(case)["p1"] == "what the model said 0")


def two_files(folder: Path, work: Path) -> Iterator[Seen]:
    """Two snapshots under one code."""
    case, _ = _imported(work, folder / "a.jsonl")
    ran = depose("import", case, "--model", "S1", folder / "b.jsonl")
    both = "acme-2026-01-01" in ran.err and "acme-2026-06-01" in ran.err
    yield Seen(right="the second snapshot is refused, both named", came=_said(ran), ok=ran.code == 1 and both)
    named = ("--name", "acme-2026-06-01")
    for code, name, options in (("S1", "b", named), ("R1", "r", ()), ("C1", "c", ())):
        depose("import", case, "--model", code, *options, folder / f"{name}.jsonl")
    depose("analyze", case)
    text = (case / "out" / "findings.json").read_text() if (case / "out" / "findings.json").is_file() else ""
    ok = all(name in text for name in ('"a.jsonl"', '"b.jsonl"', "acme-2026-01-01", "acme-2026-06-01"))
    yield Seen(right="named on purpose, the findings name both files", came="both" if ok else "not both", ok=ok)


LOOKS: dict[str, Look] = {
    "batch-shapes": batch_shapes,
    "excel-cells": excel_cells,
    "inspect-json": inspect_json,
    "inspect-messages": inspect_messages,
    "promptfoo-sentences": promptfoo_sentences,
    "promptfoo-shapes": promptfoo_shapes,
    "quiz-key": quiz_key,
    "two-files-one-code": two_files,
}
