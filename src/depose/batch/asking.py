"""Live models of a batch are asked once, in a registered case of their own: `asked` in the folder of the matrix.

The case holds the prompts that are screened on and no others, so that the fresh half is not asked before a hit is
confirmed. It is a case like any other: its protocol is frozen before the first question, a run that was killed goes
on, the budget holds, and `depose probe`, `analyze` and `seal` work on it. A model that joins the batch later is an
amendment, and is asked alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from depose import pipeline
from depose.asking import collect
from depose.batch.casetext import described, lay_adapters, limits
from depose.batch.confirm import prompts_in
from depose.batch.plan import Plan, live
from depose.case import casefile
from depose.case.budget import Estimate, estimates
from depose.case.casetext import table
from depose.case.protocol import registration
from depose.custody.unsealed import follows
from depose.errors import CaseError, ProtocolChanged
from depose.evidence import ledger
from depose.evidence.log import Clock, is_sealed, log_path, read_log, write_whole
from depose.model import ModelSpec, Role
from depose.validate.labelled import DETECTORS

PROMPTS = "prompts.jsonl"
NEEDED: tuple[Role, ...] = ("suspect", "reference")
"""Roles without which no case is registered."""
Say = Callable[[str], None]


def estimate(plan: Plan, folder: Path) -> tuple[Estimate, ...]:
    """Count what is still to be asked of live models, with upper bounds of tokens and cost; nothing is asked."""
    if not live(plan.file):
        return ()
    case = casefile.read(_written(plan, folder))
    frozen = registration(case, folder)
    done = set()
    if log_path(folder).is_file() and any(True for _ in read_log(folder)):
        done = {ledger.key(one) for one in ledger.entries(folder).exchanges if one.outcome != "failed"}
    asked = {spec.code for spec in live(plan.file)}
    open_ = [ask for ask in collect.plan(frozen) if ask.model in asked and ledger.key(ask) not in done]
    return tuple(one for one in estimates(case, open_) if one.model in asked)


class Meter(collect.Watch, Protocol):
    """Shows how far the asking is."""

    def advance(self, answered: int, failed: int) -> None:
        """Hear how many questions of a batch were answered and how many failed."""
        ...

    def finish(self) -> None:
        """Hear that nothing more is asked."""
        ...


def asked(plan: Plan, folder: Path, clock: Clock, say: Say, meter: Callable[[int], Meter] | None = None) -> Plan:
    """Ask live models what is still unanswered, and put all their answers into the population of the plan.

    Raises EvidenceError where an answer that lies there does not follow from its raw bytes.
    """
    if not live(plan.file):
        return plan
    _written(plan, folder)
    _in_force(folder, clock)
    codes = {spec.code for spec in live(plan.file)}
    left = sum(one.questions for one in pipeline.estimate(folder) if one.model in codes)
    if left:
        say(f"{left} questions to {len(codes)} models, recorded in {folder}")
        shown = meter(left) if meter else None
        done = pipeline.probe(folder, clock, shown.advance if shown else lambda *_: None, shown)
        if shown:
            shown.finish()
        for line in (*done.notices, *([f"stopped: {done.stopped}"] if done.stopped else [])):
            say(line)
    for one in follows(folder):
        say(f"{folder.name}: not checked: {one}")
    found = collect.dossier(folder)
    texts = {(one.model, one.prompt): one.text for one in found.transcripts}
    made = plan.population
    answers = tuple(
        tuple(
            texts.get((one.name, key)) if one.name in codes else text
            for one, text in zip(made.members, row, strict=True)
        )
        for (key, _), row in zip(made.rows, made.answers, strict=True)
    )
    return msgspec.structs.replace(plan, population=msgspec.structs.replace(made, answers=answers), log=found.head)


def _in_force(folder: Path, clock: Clock) -> None:
    """Register the case, or amend it where the batch file has changed since."""
    try:
        pipeline.register_case(folder, clock)
    except ProtocolChanged:
        pipeline.amend(folder, "the batch file was changed", clock)


def _written(plan: Plan, folder: Path) -> Path:
    """Write the case file and its prompts where they are not as they should be."""
    setting, models = plan.file.screening, _models(plan)
    prompts = "".join(json.dumps(row) + "\n" for row in prompts_in(plan, plan.screened))
    protocol = {
        "questions": list(setting.questions),
        "alpha": setting.alpha,
        "seed": setting.seed,
        "replicates": 1,
        **msgspec.to_builtins(plan.file.asking),
        "prompts": PROMPTS,
        "detectors": list(DETECTORS),
        "calibration": "",
    }
    head = {"title": plan.file.batch.title, "authority": plan.file.batch.authority}
    parts = [table("[case]", head), table("[protocol]", protocol), *limits(plan.file, [one["code"] for one in models])]
    parts += [table("[[models]]", one) for one in models]
    text = "\n".join(parts)
    casefile.parse(text, str(folder / casefile.NAME))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in ((PROMPTS, prompts), (casefile.NAME, text)):
        if not (folder / name).is_file() or (folder / name).read_bytes() != content.encode():
            if is_sealed(folder):
                raise CaseError(
                    f"{folder}: sealed, and the batch was changed since", hint="ask again in another folder: --out DIR"
                )
            write_whole(folder / name, content.encode())
    if not is_sealed(folder):
        lay_adapters(live(plan.file), Path(plan.folder), folder)
    return folder


def _models(plan: Plan) -> list[dict[str, Any]]:
    """Describe the live models, and one recorded model without its answers for each role that no live one has."""
    chosen: list[ModelSpec] = list(live(plan.file))
    for role in NEEDED:
        if role not in {spec.role for spec in chosen}:
            other = next(spec for spec in plan.file.models if spec.role == role)
            chosen.append(msgspec.structs.replace(other, provider="recorded", file=""))
    return [described(spec, Path(plan.folder)) for spec in chosen]
