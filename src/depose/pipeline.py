"""One function per stage, and the one that composes them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import msgspec

from depose import calibrated, casefile, collect, register
from depose.analysis import Analysis, analyze
from depose.canon import canonical, sha256
from depose.collect import Collected, Estimate, Imported
from depose.embedded import cache_folder
from depose.errors import CaseError, EndpointError, ProtocolChanged
from depose.evidence import GENESIS, Clock, Log, log_path, read_log, write_whole
from depose.features import Features
from depose.model import Dossier, Findings, Record, Registration
from depose.publish import Order as Order
from depose.publish import publish
from depose.tagging import Tagger
from depose.vectors import Embedder

FINDINGS, SCORES, EXHIBITS = "findings.json", "scores.parquet", "exhibits.csv"
Say = Callable[[str], None]


class Registered(Record, frozen=True, kw_only=True):
    """A frozen protocol."""

    folder: str
    digest: str
    prompts: int
    models: int
    fresh: bool
    """False if the same protocol was registered before."""


class Written(Record, frozen=True, kw_only=True):
    """A file and its digest."""

    path: str
    sha256: str


def new(source: str, folder: Path) -> tuple[Path, ...]:
    """Copy a case into a new folder."""
    return casefile.copy(source, folder)


def register_case(path: Path, clock: Clock) -> Registered:
    """Freeze the protocol as record 0 of the log; do nothing if the same one stands there."""
    folder = casefile.folder_of(path)
    case = casefile.read(folder)
    frozen = register.registration(case, folder)
    if log_path(folder).is_file() and any(True for _ in read_log(folder)):
        return _registered_before(folder, frozen)
    canonical(frozen)  # whatever cannot be written must show before the log is made
    with Log(folder, clock) as log:
        if log.head != GENESIS:
            raise CaseError(f"{folder}: another depose has just registered it", hint=f"depose register {folder}")
        if case.terms is not None:
            log.store(casefile.resolve(folder, case.terms.file, "$.terms.file").read_bytes())
        digest = log.append("protocol", frozen)
    return Registered(
        folder=str(folder), digest=digest, prompts=len(frozen.prompts), models=len(case.models), fresh=True
    )


def _registered_before(folder: Path, frozen: Registration) -> Registered:
    found = collect.entries(folder)
    for field in ("case", "prompts", "files"):
        if getattr(found.registration, field) != getattr(frozen, field):
            raise ProtocolChanged(
                f"{folder}: {field} {'differ' if field != 'case' else 'differs'} from the registered protocol",
                hint="restore it, or start a new case folder: a registered protocol is not edited",
            )
    return Registered(
        folder=str(folder),
        digest=found.protocol_digest,
        prompts=len(frozen.prompts),
        models=len(frozen.case.models),
        fresh=False,
    )


def _unchanged(folder: Path) -> None:
    """Refuse to go on with a case file, or a file that it names, that is not the registered one."""
    found = collect.entries(folder).registration
    hint = "restore it, or start a new case folder: a registered protocol is not edited"
    case = casefile.read(folder)
    if case != found.case:
        raise ProtocolChanged(f"{folder / casefile.NAME}: differs from the registered protocol", hint=hint)
    for now, then in zip(register.digests(case, folder), found.files, strict=True):
        if now != then:
            raise ProtocolChanged(f"{folder / now.name}: differs from the file that was registered", hint=hint)


def estimate(path: Path) -> tuple[Estimate, ...]:
    """Count what is still to be asked, with upper bounds of tokens and cost."""
    folder = casefile.folder_of(path)
    _unchanged(folder)
    return collect.estimate(folder)


def probe(path: Path, clock: Clock, progress: collect.Progress) -> Collected:
    """Ask what is still unanswered; raise EndpointError if every question of this run failed."""
    folder = casefile.folder_of(path)
    _unchanged(folder)
    done = collect.collect(folder, clock, progress)
    if done.asked and not done.answered:
        raise EndpointError(
            f"all {done.asked} questions failed; the first reason: {_first_reason(folder)}",
            hint="the failures are in the log; check the models of the case and run depose probe again",
        )
    if not done.answered and not done.waiting and not _any_answer(folder):
        raise EndpointError(
            f"nothing is answered: {done.stopped or _first_reason(folder)}", hint="check the models and the budget"
        )
    return done


def _any_answer(folder: Path) -> bool:
    return any(exchange.outcome == "answered" for exchange in collect.entries(folder).exchanges)


def _first_reason(folder: Path) -> str:
    return next((e.reason for e in collect.entries(folder).exchanges if e.outcome == "failed"), "not known")


def import_answers(path: Path, code: str, file: Path, name: str, clock: Clock) -> Imported:
    """Record transcripts of one model from a file."""
    folder = casefile.folder_of(path)
    _unchanged(folder)
    done = collect.import_answers(folder, code, file, name, clock)
    if done.missing and not done.answered:
        raise CaseError(
            f"{file}: no row answers any of the {done.missing} open questions to {code}",
            hint="prompts are matched by prompt_id, else by their exact words; compare with the registered ones",
        )
    return done


def analyze_case(path: Path, progress: Say) -> tuple[Findings, tuple[Written, ...]]:
    """Turn transcripts into findings, scores and exhibits, and write all three."""
    folder = casefile.folder_of(path)
    dossier = collect.dossier(folder)
    if (folder / casefile.NAME).is_file() and casefile.read(folder) != dossier.registration.case:
        raise ProtocolChanged(
            f"{folder / casefile.NAME}: differs from the registered protocol",
            hint="the analysis follows the registered one; restore the file, or start a new case folder",
        )
    features = Features(Embedder(cache_folder() / "vectors.sqlite").encode, Tagger(cache_folder() / "tags.sqlite").mask)
    loaded = calibrated.load(dossier.registration.case.protocol.calibration, folder)
    _same_calibration(dossier, loaded)
    analysis = analyze(dossier, features, progress, loaded)
    out = folder / "out"
    out.mkdir(exist_ok=True)
    written = (
        _write(out / FINDINGS, canonical(analysis.findings)),
        _write(out / SCORES, _scores_table(analysis)),
        _write(out / EXHIBITS, _exhibits_table(analysis.findings)),
    )
    return analysis.findings, written


def _same_calibration(dossier: Dossier, loaded: calibrated.Loaded | None) -> None:
    """Refuse a calibration that is not the registered one, as after an update of depose."""
    name = f"calibration {dossier.registration.case.protocol.calibration}"
    registered = next((fact.value for fact in dossier.registration.files if fact.name == name), None)
    if loaded is not None and registered is not None and loaded.sha256 != registered:
        raise ProtocolChanged(
            f"{name}: its digest differs from the registered one",
            hint="analyze with the version of depose that registered the case, or name the old calibration file",
        )


def _write(path: Path, data: bytes) -> Written:
    write_whole(path, data)
    return Written(path=str(path), sha256=sha256(data))


def _scores_table(analysis: Analysis) -> bytes:
    """Every centred score: detector, prompt, left, right, the controls it was centred on, value."""
    import numpy as np
    import pyarrow
    import pyarrow.parquet

    columns: dict[str, list[object]] = {n: [] for n in ("detector", "prompt", "left", "right", "bag", "value")}
    for detector, bag, d in analysis.scores:
        name = sha256("\x1f".join(bag.models).encode())[:12]
        pairs = [(0, m) for m in range(1, len(bag.models))] + [(m, 1) for m in range(2, len(bag.models))]
        for left, right in pairs:
            for row in np.flatnonzero(np.isfinite(d[:, left, right])).tolist():
                columns["detector"].append(detector)
                columns["prompt"].append(bag.prompts[row].id)
                columns["left"].append(bag.models[left])
                columns["right"].append(bag.models[right])
                columns["bag"].append(name)
                columns["value"].append(float(d[row, left, right]))
    schema = pyarrow.schema([(n, pyarrow.float64() if n == "value" else pyarrow.string()) for n in columns])
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def _exhibits_table(findings: Findings) -> bytes:
    import csv

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["exhibit", "suspect", "reference", "prompt", "rank", "of", "chosen", "value", "shown"])
    for one in findings.exhibits:
        shown = " ".join(answer.model for answer in one.answers)
        writer.writerow(
            [
                one.number,
                one.suspect,
                one.reference,
                one.prompt.id,
                one.rank,
                one.of,
                one.chosen,
                one.value,
                shown,
            ]
        )
    return text.getvalue().encode()


def read_findings(path: Path) -> tuple[Path, Findings, bytes]:
    """Read the findings of a case."""
    folder = casefile.folder_of(path)
    file = folder / "out" / FINDINGS
    try:
        data = file.read_bytes()
        return folder, msgspec.json.decode(data, type=Findings), data
    except FileNotFoundError as error:
        raise CaseError(f"{file}: not there", hint=f"depose analyze {folder}") from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise CaseError(f"{file}: not findings of this version: {error}", hint=f"depose analyze {folder}") from error


def report_case(path: Path, order: Order) -> tuple[Written, ...]:
    """Render the findings of a case; every file is written whole, or not at all."""
    folder, findings, data = read_findings(path)
    made = publish(folder, findings, data, _exhibits_table(findings), order)
    return tuple(_write(folder / "out" / name, content) for name, content in made)
