"""The other side asks the same protocol again, with its own keys and into a case of its own, and compares.

Answers of a live model are not expected to repeat. What is compared is whether each model differs from its earlier
self by more than the reference differed from itself when it was asked twice in the same run.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from depose import pipeline
from depose.analysis import inventory, results
from depose.analysis.scored_bags import AGAIN, Bench
from depose.asking import collect
from depose.case import calibration, casefile
from depose.case.budget import estimates
from depose.case.casetext import text_of
from depose.custody import keys, own_endpoints
from depose.custody.bundle import HINT, Read, content, opened
from depose.custody.consistent import elsewhere
from depose.custody.own_endpoints import Reached
from depose.custody.stamp import Source, obtain, stamp
from depose.custody.unsealed import follows
from depose.custody.verify import verify
from depose.detectors import Similarity
from depose.errors import EvidenceError, ProtocolChanged, UsageError
from depose.evidence import ledger
from depose.evidence.checkpoints import Checkpoints
from depose.evidence.log import Clock, write_whole
from depose.features.extract import Features
from depose.model import Case, Dossier, Findings, Record, Registration, Transcript, likeness
from depose.model.canonical import canonical
from depose.model.file_names import named_files, unfit_for_case
from depose.statistics.centring import parts_of
from depose.statistics.rounding import tidy

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


class Plan(Record, frozen=True, kw_only=True):
    """What a replication would do; nothing is sent or written before its asker has seen it and said so."""

    bundle: str
    signer: str
    """Fingerprint of the key that signed the bundle."""
    known: bool
    """Whether its asker got that key by another way."""
    folder: str
    models: tuple[Reached, ...]
    files: tuple[str, ...]
    """Written into the folder, besides its case file."""


class Consent(Record, frozen=True, kw_only=True):
    """What the asker of somebody else's case has said."""

    endpoints: Path | None = None
    """A file of endpoints and keys of one's own."""
    yes: bool = False
    """Ask at the addresses of the bundle those models that need no key."""
    unknown_signer: bool = False
    """Trust a bundle of which nobody knows who signed it."""


def replicate(
    bundle: Path,
    folder: Path,
    public_key: bytes,
    consent: Consent,
    source: Source,
    clock: Clock,
    progress: collect.Progress,
    say: Callable[[str], None],
    show: Callable[[Plan], None],
) -> Replication:
    """Verify a bundle, ask its protocol again in a case of one's own, analyze, and compare; resumable like probe.

    Raises EvidenceError, before anything is sent, where the bundle does not verify; and before anything is compared,
    where an answer that lies in the folder does not follow from its raw bytes or its file.

    What the bundle says of endpoints is shown as a plan, and followed only as far as `consent` goes. Seed and controls
    are taken as they were drawn, so that the case of one's own is a registered one; `source` may time-stamp it.
    """
    own = own_endpoints.read(consent.endpoints) if consent.endpoints else None
    with opened(bundle, public_key) as read:
        signer = keys.fingerprint(read.key)
        if not public_key and not consent.unknown_signer:
            raise UsageError(
                f"{bundle}: signed with a key that nobody here knows, sha256 {signer}",
                hint="--public-key PEM, got by another way; or --unknown-signer if it is no matter who sealed it",
            )
        entries = read.entries
        then, findings = collect.dossier_of(entries, str(bundle)), _findings(read)
        frozen = _repeatable(entries.registration)
        case = own_endpoints.mapped(frozen.case, own)
        digests = _digests_of_files(frozen, read)
        show(_plan(bundle, folder, signer, bool(public_key), frozen, case, digests))
        if own is None and not consent.yes:
            raise UsageError(
                f"{bundle}: nothing was sent or written; above is what would be",
                hint="--yes; or --endpoints FILE with endpoints and keys of your own",
            )
        there = folder.exists()
        if there:
            _same_reach(folder, case)
        _verified(bundle, public_key, read, say)
        if not there:
            _lay_out(folder, case, digests, read)
    pipeline.register_case(folder, clock)
    _same(frozen, ledger.entries(folder).registration)
    if source.given:
        stamp(folder, source, clock)
    stamper = partial(obtain, folder, source) if source.given else None
    pipeline.probe(folder, clock, progress, checkpoints=Checkpoints(stamper))
    for one in follows(folder):
        say(f"{folder.name}: not checked: {one}")
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


def _verified(bundle: Path, public_key: bytes, read: Read, say: Callable[[str], None]) -> None:
    """Verify what is compared with; findings that another version made, and this one makes otherwise, are said."""
    try:
        verify(bundle, public_key=public_key, progress=say)
    except EvidenceError as error:
        verify(bundle, public_key=public_key, recompute=False)
        if not elsewhere(read):
            raise
        say(f"the findings of {bundle} are the word of its signer: {error.message}")


def _repeatable(then: Registration) -> Registration:
    """Take what was drawn as it is: whoever repeats a case has its seed and its controls, and confirms nothing."""
    asked = then.case.protocol
    drawn = not isinstance(asked.seed_from, UnsetType)
    protocol = msgspec.structs.replace(
        asked,
        phase="registered" if asked.phase == "confirmatory" else asked.phase,
        registry="" if drawn else asked.registry,
        seed_from=UNSET,
        beacon_at=UNSET,
    )
    return msgspec.structs.replace(then, case=msgspec.structs.replace(then.case, protocol=protocol))


def _findings(read: Read) -> Findings:
    """Read the sealed findings, and refuse what the analysis of the same protocol will have no counterpart of."""
    name = f"out/{results.FINDINGS}"
    try:
        found = msgspec.json.decode(content(read.bundle, name), type=Findings)
    except (KeyError, OSError, ValueError) as error:
        raise EvidenceError(f"{name}: missing or no findings: {error}", hint=HINT) from error
    case = read.entries.registration.case
    roles = {spec.code: spec.role for spec in case.models}
    for one in found.findings:
        asked = roles.get(one.suspect), roles.get(one.reference)
        if asked != ("suspect", "reference") or one.question not in case.protocol.questions:
            raise EvidenceError(f"{name}: has a finding that its protocol does not ask for", hint=HINT)
    return found


def _plan(
    bundle: Path, folder: Path, signer: str, known: bool, then: Registration, case: Case, digests: Mapping[str, str]
) -> Plan:
    frozen = msgspec.structs.replace(then, case=case)
    counted = {one.model: one for one in estimates(case, collect.plan(frozen))}
    models = tuple(
        msgspec.structs.replace(
            one,
            questions=counted[one.model].questions,
            tokens=counted[one.model].input_tokens + counted[one.model].output_tokens,
        )
        for one in own_endpoints.reached(case)
    )
    return Plan(bundle=str(bundle), signer=signer, known=known, folder=str(folder), models=models, files=tuple(digests))


def _digests_of_files(then: Registration, read: Read) -> dict[str, str]:
    """Find the digest of each file that the case needs; its blob is in the bundle, under a name that is fit."""
    case, facts = then.case, {fact.name: fact.value for fact in then.files}
    wanted = {name: facts.get(name, "") for name in named_files(case)}
    own = case.protocol.calibration
    if own and own not in calibration.bundled():
        wanted[own] = facts.get(f"calibration {own}", "")
        rates = facts.get(f"error rates {own}")
        wanted |= {str(Path(own).with_name(calibration.PERFORMANCE)): rates} if rates else {}
    for name, digest in wanted.items():
        if said := unfit_for_case(name):
            raise EvidenceError(f"{read.bundle.name}: its case names {name!r}, which {said}", hint=HINT)
        if f"evidence/blobs/{digest}" not in read.bundle.sizes():
            raise EvidenceError(f"{read.bundle.name}: its case names {name!r}, which is not in it", hint=HINT)
    return wanted


def _lay_out(folder: Path, case: Case, digests: Mapping[str, str], read: Read) -> None:
    work = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        work.mkdir(parents=True)
        for name, digest in digests.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            with read.bundle.open(f"evidence/blobs/{digest}") as file, (work / name).open("xb") as made:
                shutil.copyfileobj(file, made)
        (work / casefile.NAME).write_text(text_of(case), encoding="utf-8")
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _same_reach(folder: Path, case: Case) -> None:
    """Refuse to go on in a folder whose case reaches its models otherwise than was just shown."""
    if casefile.read(folder) != case:
        raise ProtocolChanged(
            f"{folder / casefile.NAME}: is another case, or has other endpoints, than those above",
            hint="go on with the endpoints of the first time, or replicate into a new folder",
        )


def _same(then: Registration, now: Registration) -> None:
    same_case = own_endpoints.protocol_of(then.case) == own_endpoints.protocol_of(now.case)
    for field, same in (("case", same_case), ("prompts", then.prompts == now.prompts)):
        if not same:
            raise ProtocolChanged(
                f"{field} of the new case differs from the sealed protocol",
                hint="replicate into a new folder, with the version of depose that sealed it",
            )


def _drifts(then: Dossier, now: Dossier) -> tuple[Drift, ...]:
    counts = [{one.model: one for one in inventory.denominators(dossier)} for dossier in (then, now)]
    bench = _bench(then, now)
    case = then.registration.case
    detector = getattr(case.protocol.primary, likeness(case.protocol)[-1])
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
