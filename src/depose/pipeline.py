"""One function per stage, and the one that composes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

from depose import selftest
from depose.analysis.results import FINDINGS, SCORES, VECTORS, Results, arithmetic, exhibits_table, results
from depose.asking import collect
from depose.asking.collect import Collected
from depose.asking.imports import Imported
from depose.asking.imports import import_answers as record_answers
from depose.asking.secret_half import make_secret_half
from depose.case import annexes, bundled, calibration, casefile, protocol
from depose.case.budget import Estimate
from depose.case.controls import placed, refuse_shadow
from depose.case.tables import AS_IT_IS, Wanted
from depose.case.untrusted_files import read_untrusted
from depose.errors import CaseError, EndpointError, ProtocolChanged, UsageError, shell
from depose.evidence import ledger
from depose.evidence.changes import amending
from depose.evidence.checkpoints import Checkpoints
from depose.evidence.ledger import Amended, Entries, Reading
from depose.evidence.log import GENESIS, Clock, Log, is_sealed, log_path, read_blob, read_log, write_whole
from depose.evidence.provenance import Withdrawn
from depose.evidence.records import Amendment, Scored, Unblinded, Withdrawal
from depose.features.packaged import cache_folder
from depose.lineup.reading import lineup_findings
from depose.model import Case, Findings, Outcome, Record, Registration, SelfTest
from depose.model.canonical import canonical, sha256
from depose.registering import beforehand as beforehand
from depose.registering import draw_controls as draw_controls
from depose.registering import draw_seed as draw_seed
from depose.registering import everybody, frozen_case, registered_study, seedless
from depose.report.gate import Gated, judged
from depose.report.publish import Order as Order
from depose.report.publish import publish
from depose.weights.held import compared_weights

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
    """A file, its digest and its size in bytes."""

    path: str
    sha256: str
    size: int


def new(source: str, folder: Path) -> tuple[Path, ...]:
    """Copy a case into a new folder."""
    return bundled.copy(source, folder)


def register_case(path: Path, clock: Clock) -> Registered:
    """Freeze the protocol as record 0 of the log; do nothing if the same one stands there."""
    folder = casefile.folder_of(path)
    case = casefile.read(folder)
    if not log_path(folder).is_file():
        refuse_shadow(case, folder)
    placed(case, folder)
    make_secret_half(case, folder)
    frozen = frozen_case(case, folder)
    if log_path(folder).is_file() and any(True for _ in read_log(folder)):
        return _registered_before(folder, frozen)
    canonical(frozen)  # whatever cannot be written must show before the log is made
    with Log(folder, clock) as log:
        if log.head != GENESIS:
            raise CaseError(f"{folder}: another depose has just registered it", hint=f"depose register {shell(folder)}")
        _enclose(case, folder, log)
        digest = log.append("protocol", frozen)
    return Registered(
        folder=str(folder), digest=digest, prompts=len(frozen.prompts), models=len(case.models), fresh=True
    )


def _enclose(case: Case, folder: Path, log: Log) -> None:
    """Keep what a case names as blobs of its log."""
    for one in protocol.enclosures(everybody(case, folder), folder):
        if isinstance(one, bytes):
            log.store(one)
        else:
            log.keep(one)


def _registered_before(folder: Path, frozen: Registration) -> Registered:
    found = ledger.entries(folder)
    for field in ("case", "prompts", "files"):
        if getattr(found.written, field) != getattr(frozen, field):
            raise ProtocolChanged(
                f"{folder}: {field} {'differ' if field != 'case' else 'differs'} from the registered protocol",
                hint=_restore(folder),
            )
    return Registered(
        folder=str(folder),
        digest=found.protocol_digest,
        prompts=len(frozen.prompts),
        models=len(frozen.case.models),
        fresh=False,
    )


def _restore(folder: Path) -> str:
    return f"restore it, or record the change: depose amend {shell(folder)} --reason TEXT"


def _unchanged(folder: Path, entries: Entries) -> None:
    """Refuse to go on with a case file, or a file that it names, that is not the registered one."""
    found = entries.written
    case = casefile.read(folder)
    if case != found.case:
        raise ProtocolChanged(f"{folder / casefile.NAME}: differs from the registered protocol", hint=_restore(folder))
    for now, then in zip(protocol.digests(everybody(case, folder), folder), found.files, strict=True):
        if now != then:
            raise ProtocolChanged(
                f"{folder / now.name}: differs from the file that was registered", hint=_restore(folder)
            )


def _may_ask(folder: Path, entries: Entries) -> None:
    """Refuse to ask under another protocol than the one in force, or a confirmatory one before it has a time-stamp."""
    _unchanged(folder, entries)
    if entries.registration.case.protocol.phase == "confirmatory" and not entries.stamped:
        raise CaseError(
            f"{folder}: a confirmatory protocol is not asked before it has a time-stamp",
            hint=f"depose register {shell(folder)} --tsa URL --tsa-root PEM",
        )
    if entries.waits_for_seed:
        raise seedless(folder, entries)


def self_test(path: Path | None, kit: Path | None, clock: Clock, say: Say, *, live: bool = True) -> SelfTest:
    """Test this installation on known samples, and keep the record in the log of a case where one is named."""
    if path is None:
        return selftest.selftest(kit, say, live=live)
    if kit is not None:
        raise UsageError("--kit: a case is tested with the kit that ships with depose", hint="leave out --kit or CASE")
    folder = casefile.folder_of(path)
    with Log(folder, clock) as log:
        if log.head == GENESIS:
            raise CaseError(f"{folder}: not registered", hint=f"depose register {shell(folder)}")
        found = selftest.selftest(kit, say, live=live)
        log.append("selftest", found)
    return found


def fit_for_use(path: Path, clock: Clock, say: Say) -> SelfTest:
    """Run the self-test of a registered case, unless this version has passed it there; live where the case is."""
    folder = casefile.folder_of(path)
    entries = ledger.entries(folder)
    known = entries.selftest
    if known is not None and known.passed and known.software == version("depose"):
        return known
    live = any(spec.provider == "transformers" for spec in entries.registration.case.models)
    return self_test(folder, None, clock, say, live=live)


def estimate(path: Path) -> tuple[Estimate, ...]:
    """Count what is still to be asked, with upper bounds of tokens and cost."""
    folder = casefile.folder_of(path)
    entries = ledger.entries(folder)
    _unchanged(folder, entries)
    return collect.estimate_of(entries)


def probe(
    path: Path,
    clock: Clock,
    progress: collect.Progress,
    watch: collect.Watch | None = None,
    checkpoints: Checkpoints | None = None,
) -> Collected:
    """Ask what is still unanswered; raise EndpointError if every question of this run failed, or none is answered."""
    folder = casefile.folder_of(path)
    done = collect.collect(folder, clock, progress, lambda entries: _may_ask(folder, entries), watch, checkpoints)
    if done.asked and done.failed == done.asked:
        raise EndpointError(
            f"all {done.asked} questions failed; the most frequent reason: {_reason(folder, ('failed',))}",
            hint=f"depose check {shell(path)} --ask tries each model once; then run depose probe again",
        )
    if not done.answered and not done.waiting and not done.known:
        raise EndpointError(
            f"nothing is answered{_counts(done)}: {done.stopped or _reason(folder)}",
            hint="check the models and the budget",
        )
    return done


def was_asked(path: Path) -> bool:
    """Tell whether a suspect and a reference of a case were asked anything, answered or not."""
    found = ledger.entries(casefile.folder_of(path))
    asked = {exchange.model for exchange in found.exchanges}
    roles = {spec.role for spec in found.registration.case.models if spec.code in asked}
    return {"suspect", "reference"} <= roles


def _counts(done: Collected) -> str:
    parts = [f"{n} {name}" for n, name in ((done.blocked, "blocked"), (done.empty, "empty"), (done.failed, "failed"))]
    return f" ({', '.join(one for one in parts if not one.startswith('0 '))})" if done.asked else ""


def _reason(folder: Path, outcomes: Sequence[Outcome] = ("failed", "blocked", "empty")) -> str:
    """Say why most of the questions without an answer have none, by their last attempts."""
    last = {ledger.key(one): one for one in ledger.entries(folder).exchanges}
    why = Counter(one.reason or "the answer is empty" for one in last.values() if one.outcome in outcomes)
    return next((reason for reason, _ in why.most_common(1)), "nothing was asked")


def import_answers(
    path: Path,
    code: str,
    file: Path,
    name: str,
    clock: Clock,
    wanted: Wanted = AS_IT_IS,
    *,
    same_on_purpose: bool = False,
) -> Imported:
    """Record transcripts of one model from a file; nothing of it is kept where none of its rows can be used."""
    folder = casefile.folder_of(path)

    def check(entries: Entries) -> None:
        _may_ask(folder, entries)

    return record_answers(folder, code, file, name, clock, check, wanted, same_on_purpose=same_on_purpose)


def withdraw(path: Path, code: str, reason: str, clock: Clock) -> Withdrawn:
    """Record that the answers of a model no longer count, and why; its questions are open again."""
    folder = casefile.folder_of(path)
    if not reason.strip():
        raise UsageError("a withdrawal without a reason", hint="--reason TEXT says why these answers do not count")
    reading = Reading(str(folder))
    with Log(folder, clock, reading.add) as log:
        found = reading.entries()
        spec = next((one for one in found.registration.case.models if one.code == code), None)
        if spec is None:
            known = ", ".join(one.code for one in found.registration.case.models)
            raise UsageError(f"{code}: no such model in the case", hint=f"models: {known}")
        if spec.provider == "recorded" and spec.file:
            raise CaseError(
                f"{code}: its file is named in the case, and would be read again",
                hint=f"name the right file in {folder / casefile.NAME}, then depose amend "
                f"{shell(folder)} --reason TEXT",
            )
        mine = [one for one in found.exchanges if one.model == code]
        if not mine:
            raise CaseError(
                f"{code}: has no answers to withdraw", hint=f"depose import {shell(folder)} --model {code} FILE"
            )
        log.append(
            "withdrawal",
            Withdrawal(
                model=code,
                reason=reason.strip(),
                answers=sum(one.outcome != "failed" for one in mine),
                files=found.endpoints.get(code, ()),
                scored=bool(found.scored),
            ),
        )
    return ledger.entries(folder).withdrawn[-1]


def amend(path: Path, reason: str, clock: Clock) -> Amended:
    """Record the case as it stands now as the protocol in force, with what differs and why."""
    folder = casefile.folder_of(path)
    if not reason.strip():
        raise UsageError("an amendment without a reason", hint="--reason TEXT says why the protocol changes")
    case = placed(casefile.read(folder), folder)
    frozen = frozen_case(case, folder)
    reading = Reading(str(folder))
    with Log(folder, clock, reading.add) as log:
        before = reading.entries()
        changes = amending(folder / casefile.NAME, before, frozen)
        _enclose(case, folder, log)
        log.append(
            "amendment",
            Amendment(reason=reason.strip(), changes=changes, scored=bool(before.scored), registration=frozen),
        )
    if before.draws:
        draw_seed(folder, clock)
    return ledger.entries(folder).amendments[-1]


def analyze_case(path: Path, progress: Say, clock: Clock) -> tuple[Findings, tuple[Written, ...]]:
    """Turn transcripts into findings, scores and exhibits, and write all three.

    The digest of the scores, which know the models by their codes alone, is recorded before the findings name them.
    """
    folder = casefile.folder_of(path)
    entries = compared_weights(folder, ledger.entries(folder), progress, clock)
    dossier = collect.dossier_of(entries, str(folder))
    if entries.waits_for_seed:
        raise seedless(folder, entries)
    if (folder / casefile.NAME).is_file() and casefile.read(folder) != entries.written.case:
        raise ProtocolChanged(
            f"{folder / casefile.NAME}: differs from the registered protocol",
            hint="the analysis follows the registered one; restore the file, or depose amend",
        )
    loaded = registered_study(dossier, calibration.load(dossier.registration.case.protocol.calibration, folder))
    lineup = lineup_findings(entries, lambda name: read_blob(folder, name), str(folder))
    made = results(dossier, loaded, cache_folder(), progress, lineup=lineup)
    _unblind(folder, entries, made, clock)
    (folder / "out").mkdir(exist_ok=True)
    return made.findings, tuple(_write(folder, name, data) for name, data in made.files.items())


def _unblind(folder: Path, entries: Entries, made: Results, clock: Clock) -> None:
    """Record the digest of the scores, and then that the codes got their names; the same scores are recorded once."""
    scores = sha256(made.files[SCORES])
    if entries.scored and entries.scored[-1].scores == scores:
        return
    vectors = made.files.get(VECTORS)
    scored = Scored(
        scores=scores,
        head=entries.head,
        arithmetic=arithmetic(),
        vectors=sha256(vectors) if vectors else "",
        encoder=made.encoder,
    )
    with Log(folder, clock) as log:
        if log.head != entries.end:
            raise CaseError(f"{folder}: the log grew while it was analyzed", hint=f"depose analyze {shell(folder)}")
        log.append("scores", scored)
        log.sync()
        log.append("unblinding", Unblinded(scores=scores, names=ledger.names(entries.registration.case)))


def _write(folder: Path, name: str, data: bytes) -> Written:
    """Write one file of `out/`; what was sealed is never written again with other bytes."""
    path = folder / "out" / name
    if not path.is_file() or path.read_bytes() != data:
        _spare_sealed(folder, name, data)
        path.parent.mkdir(exist_ok=True)
        write_whole(path, data)
    return Written(path=str(path), sha256=sha256(data), size=len(data))


def _spare_sealed(folder: Path, name: str, data: bytes) -> None:
    """Refuse to change a file of a sealed case."""
    path = folder / "out" / name
    if path.is_file() and path.read_bytes() != data and is_sealed(folder):
        raise CaseError(
            f"{path}: was sealed, and would be changed",
            hint=f"copy the case, remove out/{name} in the copy, and work there; the bundle stays as it is",
        )


def read_findings(path: Path) -> tuple[Path, Findings, bytes]:
    """Read the findings of a case."""
    folder = casefile.folder_of(path)
    file = folder / "out" / FINDINGS
    try:
        data = read_untrusted(file, 1024**3)
        return folder, msgspec.json.decode(data, type=Findings), data
    except FileNotFoundError as error:
        raise CaseError(f"{file}: not there", hint=f"depose analyze {shell(folder)}") from error
    except (ValueError, RecursionError) as error:  # of msgspec too; no file, or not UTF-8
        raise CaseError(
            f"{file}: not findings of this version: {error}", hint=f"depose analyze {shell(folder)}"
        ) from error


def outcome(path: Path, fail_on: Sequence[str] = (), *, allow_blind: bool = False) -> tuple[Findings, Gated]:
    """Read the findings of a case, and judge them as a gate does, with the waivers beside them."""
    folder, findings, _ = read_findings(path)
    return findings, judged(findings, fail_on, annexes.read(folder).waivers, allow_blind=allow_blind)


def report_case(path: Path, order: Order) -> tuple[Written, ...]:
    """Render the findings of a case; every file is written whole, or not at all, and none where one was sealed."""
    folder, findings, data = read_findings(path)
    made: Iterable[tuple[str, bytes]] = publish(folder, findings, data, exhibits_table(findings), order)
    if is_sealed(folder):
        made = tuple(made)
        for name, content in made:
            _spare_sealed(folder, name, content)
    return tuple(_write(folder, name, content) for name, content in made)
