"""The other side asks the same protocol again, with its own keys and into a case of its own, and compares.

Answers of a live model are not expected to repeat. What is compared is whether each model differs from its earlier
self by more than the reference differed from itself when it was asked twice in the same run.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from depose import pipeline
from depose.analysis import inventory, results
from depose.analysis.scored_bags import AGAIN, Bench, tidy
from depose.asking import collect
from depose.case import casefile
from depose.custody.bundle import opened
from depose.custody.stamp import Source, obtain, stamp
from depose.detectors import Similarity
from depose.errors import CaseError, ProtocolChanged
from depose.evidence import ledger
from depose.evidence.checkpoints import Checkpoints
from depose.evidence.log import Clock, write_whole
from depose.features.extract import Features
from depose.model import Dossier, Findings, Record, Registration, Transcript
from depose.model.canonical import canonical
from depose.model.names import named_files
from depose.statistics.centring import parts_of

NEW = "\x00new"
FILE = "replication.json"


class Counts(Record, frozen=True, kw_only=True):
    """What became of the questions to one model."""

    planned: int
    answered: int
    failed: int


class Drift(Record, frozen=True, kw_only=True):
    """One model, then and now."""

    model: str
    then: Counts
    now: Counts
    alike: float | None
    """Mean similarity of its answers then and now, on the scale of the primary detector."""
    noise: float | None
    """The same between the two runs of the reference in the sealed case."""
    low: float | None
    """noise - alike, 95 % interval over prompts: wholly above 0 means that the model has changed."""
    high: float | None


class Pair(Record, frozen=True, kw_only=True):
    """One finding, then and now."""

    suspect: str
    reference: str
    question: str
    then: float | None
    low: float | None
    high: float | None
    now: float | None
    inside: bool | None
    """Whether T now lies in the interval of then."""
    opinion_then: str
    opinion_now: str


class Replication(Record, frozen=True, kw_only=True):
    """A comparison of two runs of one protocol."""

    bundle: str
    folder: str
    protocol_then: str
    protocol_now: str
    models: tuple[Drift, ...]
    pairs: tuple[Pair, ...]


def replicate(
    bundle: Path,
    folder: Path,
    public_key: bytes,
    source: Source,
    clock: Clock,
    progress: collect.Progress,
    say: Callable[[str], None],
) -> Replication:
    """Verify a bundle, ask its protocol again in a case of one's own, analyze, and compare; resumable like probe.

    A confirmatory protocol needs a time-stamp of one's own, from `source`.
    """
    with opened(bundle, public_key) as read:
        entries = read.entries
        then = collect.dossier_of(entries, str(bundle))
        with read.bundle.open(f"out/{results.FINDINGS}") as file:
            findings = msgspec.json.decode(file.read(), type=Findings)
        if not folder.exists():
            files = {}
            for name in named_files(entries.registration.case):
                fact = next(f for f in entries.registration.files if f.name in (name, Path(name).name))
                with read.bundle.open(f"evidence/blobs/{fact.value}") as file:
                    files[name] = file.read()
            with read.bundle.open("case.toml") as file:
                files[casefile.NAME] = file.read()
            _lay_out(folder, files)
    pipeline.register_case(folder, clock)
    _same(entries.registration, ledger.entries(folder).registration)
    if source.given:
        stamp(folder, source, clock)
    stamper = partial(obtain, folder, source) if source.given else None
    pipeline.probe(folder, clock, progress, checkpoints=Checkpoints(stamper))
    again, _ = pipeline.analyze_case(folder, say, clock)
    now = collect.dossier(folder)
    made = Replication(
        bundle=str(bundle),
        folder=str(folder),
        protocol_then=then.protocol_digest,
        protocol_now=now.protocol_digest,
        models=_drifts(then, now),
        pairs=_pairs(findings, again),
    )
    write_whole(folder / "out" / FILE, canonical(made))
    return made


def _lay_out(folder: Path, files: dict[str, bytes]) -> None:
    work = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        for name, data in files.items():
            if Path(name).is_absolute():
                raise CaseError(
                    f"{name}: the case names a file in full", hint="put it there, and copy the case by hand"
                )
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            (work / name).write_bytes(data)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _same(then: Registration, now: Registration) -> None:
    for field in ("case", "prompts"):
        if getattr(then, field) != getattr(now, field):
            raise ProtocolChanged(
                f"{field} of the new case differs from the sealed protocol",
                hint="replicate into a new folder, with the version of depose that sealed it",
            )


def _drifts(then: Dossier, now: Dossier) -> tuple[Drift, ...]:
    counts = [{one.model: one for one in inventory.denominators(dossier)} for dossier in (then, now)]
    bench = _bench(then, now)
    case = then.registration.case
    detector = getattr(case.protocol.primary, case.protocol.questions[-1])
    reference = next(spec.code for spec in case.models if spec.role == "reference")
    others = tuple(spec.code for spec in case.models if spec.code != reference)
    rows = []
    for spec in case.models:
        rest = (reference, reference + AGAIN, *others)
        members = (spec.code, spec.code + NEW, *(one for one in rest if one != spec.code))
        measured = bench.scored(members, detector).measured
        values = next((part.values for part in parts_of(measured) if isinstance(part, Similarity)), None)
        alike = noise = low = high = None
        if values is not None:
            mine = values[:, 0, 1]
            twice = values[:, members.index(reference), members.index(reference + AGAIN)]
            alike, noise = _mean(mine), _mean(twice)
            low, high = _interval(twice - mine)
        then_, now_ = (
            Counts(planned=c[spec.code].planned, answered=c[spec.code].answered, failed=c[spec.code].failed)
            for c in counts
        )
        rows.append(Drift(model=spec.code, then=then_, now=now_, alike=alike, noise=noise, low=low, high=high))
    return tuple(rows)


def _bench(then: Dossier, now: Dossier) -> Bench:
    """Put the new answers beside the old ones as models of their own."""
    new = tuple(
        Transcript(model=t.model + NEW, prompt=t.prompt, sample=t.sample, replicate=0, text=t.text)
        for t in now.transcripts
        if t.replicate == 0
    )
    return Bench(msgspec.structs.replace(then, transcripts=then.transcripts + new), Features(), lambda _: None)


def _mean(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float | None:
    known = values[np.isfinite(values)]
    return tidy(float(known.mean())) if known.size else None


def _interval(
    differences: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> tuple[float | None, float | None]:
    """Mean and 1.96 standard errors over prompts, which are taken as independent: a screen, no test."""
    known = differences[np.isfinite(differences)]
    if known.size < 2:
        return None, None
    half = 1.96 * float(known.std(ddof=1)) / math.sqrt(known.size)
    return tidy(float(known.mean()) - half), tidy(float(known.mean()) + half)


def _pairs(then: Findings, now: Findings) -> tuple[Pair, ...]:
    later = {(one.suspect, one.reference, one.question): one for one in now.findings}
    rows = []
    for one in then.findings:
        other = later[one.suspect, one.reference, one.question]
        old, new = (next((r for r in each.results if r.primary), None) for each in (one, other))
        rows.append(
            Pair(
                suspect=one.suspect,
                reference=one.reference,
                question=one.question,
                then=old.value if old else None,
                low=old.low if old else None,
                high=old.high if old else None,
                now=new.value if new else None,
                inside=old.low <= new.value <= old.high if old and new else None,
                opinion_then=one.opinion.verdict,
                opinion_now=other.opinion.verdict,
            )
        )
    return tuple(rows)
