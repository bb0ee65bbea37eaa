"""One case for each pair with a hit: the same models on the fresh half of the prompts, under a stricter alpha.

Nothing of the fresh half has been looked at when the case is written. Alpha is divided by the number of hits, so that
the case itself says `inconclusive` where the control lineages are too few to carry a claim about that many.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from depose import pipeline
from depose.batch.matrix import HITS, Confirmation
from depose.batch.plan import Plan
from depose.batch.screen import Screened
from depose.canon import sha256
from depose.casefile import NAME
from depose.evidence import Clock
from depose.making import workspace
from depose.model import ModelSpec, Question
from depose.setting import clip
from depose.tables import read as read_table

PROMPTS, ANSWERS = "prompts.jsonl", "answers.jsonl"
DETECTORS = ("phrases", "habits", "starts", "first_words", "openings", "fuzzy", "length")


def write(plan: Plan, found: Screened, folder: Path) -> tuple[Confirmation, ...]:
    """Write a case folder for every pair with a hit; one that is there stays as it is."""
    hits: dict[tuple[str, str], list[Question]] = {}
    controls: dict[tuple[str, str], tuple[str, ...]] = {}
    for one in found.cells:
        if one.outcome in HITS:
            hits.setdefault((one.suspect, one.reference), []).append(one.question)
            controls[one.suspect, one.reference] = one.controls
    families = _families(plan) if hits else {}
    made = []
    for pair, questions in sorted(hits.items()):
        alpha = plan.file.screening.alpha / found.hits
        files = _files(plan, pair, controls[pair], questions, alpha, families)
        name = f"{_plain(pair[0])}--{_plain(pair[1])}-{sha256(''.join(files.values()).encode())[:8]}"
        if not (folder / name).is_dir():
            with workspace(folder) as work:
                for file, text in files.items():
                    (work / file).write_text(text, encoding="utf-8")
                work.chmod(0o755)
                work.rename(folder / name)
        made.append(
            Confirmation(suspect=pair[0], reference=pair[1], questions=tuple(questions), folder=name, alpha=alpha)
        )
    return tuple(made)


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.+-]", "_", name)[:60].strip(".") or "model"


def _families(plan: Plan) -> dict[str, str]:
    """Family of each prompt, as its table has it."""
    data = plan.file.data
    folder = Path(plan.folder)
    path = folder / data.folder / f"responses-{data.source}.parquet" if data else folder / plan.file.screening.prompts
    return {row.id or row.prompt: row.family for row in read_table(path)}


def _files(
    plan: Plan,
    pair: tuple[str, str],
    controls: Sequence[str],
    questions: Sequence[Question],
    alpha: float,
    families: dict[str, str],
) -> dict[str, str]:
    """The files of one case, by name."""
    made = plan.population
    place = {one.name: number for number, one in enumerate(made.members)}
    asked = {made.rows[row][0]: made.prompts[row] for row in plan.fresh}
    prompts = [
        {"prompt_id": key, "prompt": text, "category": families.get(key) or "listed"} for key, text in asked.items()
    ]
    specs = list(_specs(plan, pair, controls))
    answers = [
        {"prompt_id": made.rows[row][0], "sample": made.rows[row][1], "prompt": made.prompts[row], "model": name,
         "output": made.answers[row][place[name]]}
        for name, spec in zip((*pair, *controls), specs, strict=True)
        if spec["provider"] == "recorded"
        for row in plan.fresh
        if made.answers[row][place[name]] is not None
    ]  # fmt: skip
    protocol: dict[str, Any] = {
        "questions": list(questions),
        "alpha": alpha,
        "seed": plan.file.screening.seed,
        "samples": max(made.rows[row][1] for row in plan.fresh) + 1,
        "prompts": PROMPTS,
        "detectors": list(DETECTORS),
    }
    head = {
        "title": clip(f"{pair[0]} against {pair[1]}: confirmation of a screening hit", 1_900),
        "authority": plan.file.batch.authority,
    }
    case = [_table("[case]", head), _table("[protocol]", protocol), *(_table("[[models]]", spec) for spec in specs)]
    return {NAME: "\n".join(case), PROMPTS: _lines(prompts), ANSWERS: _lines(answers)}


def _specs(plan: Plan, pair: tuple[str, str], controls: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Models of a case; those of [[models]] keep their codes and, if they can be asked, their endpoints."""
    given = {spec.code: spec for spec in plan.file.models}
    members = {one.name: one for one in plan.population.members}
    for number, name in enumerate((*pair, *controls)):
        role = ("suspect", "reference")[number] if number < 2 else "control"
        code = ("S1", "R1")[number] if number < 2 else f"C{number - 1}"
        if name in given:
            spec = msgspec.structs.replace(given[name], role=role)
            plain = {k: v for k, v in msgspec.to_builtins(spec).items() if v != _DEFAULTS.get(k, _NOTHING)}
            plain.pop("file")
            yield plain | ({"file": ANSWERS, "model": name} if spec.provider == "recorded" else {})
            continue
        one = members[name]
        yield {
            "code": code,
            "role": role,
            "provider": "recorded",
            "file": ANSWERS,
            "model": name,
            "developer": one.developer,
            "weight_lineage": one.weight_lineage,
            "data_lineage": one.data_lineage,
            "trained_on": list(one.trained_on),
        }


_NOTHING = object()
_DEFAULTS = msgspec.to_builtins(ModelSpec(code="", role="control", provider=""))


def _lines(rows: Sequence[dict[str, Any]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _table(head: str, values: dict[str, Any]) -> str:
    return head + "\n" + "".join(f"{key} = {_toml(value)}\n" for key, value in values.items() if value is not None)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(key)} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def run(case: Path, clock: Clock, say: pipeline.Say) -> tuple[Any, ...]:
    """Audit a case of recorded answers, and return its opinions in the order of its questions."""
    pipeline.register_case(case, clock)
    pipeline.fit_for_use(case, clock, say)
    pipeline.probe(case, clock, lambda *_: None)
    findings, _ = pipeline.analyze_case(case, say, clock)
    pipeline.report_case(case, pipeline.Order(formats=("html",)))
    return tuple(one.opinion.verdict for one in findings.findings)
