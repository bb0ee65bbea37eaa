"""The acts of a line-up, each a record in the log of its case: build, seal the key, score, seal the scores, open.

The key is written beside the case, never into it, until it is opened. Whoever scores gets the case folder alone.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from msgspec import UnsetType

from depose.case import casefile
from depose.case.untrusted_files import read_untrusted
from depose.errors import AnalysisError, CaseError, ProtocolChanged, UsageError, shell
from depose.evidence import ledger
from depose.evidence.ledger import Entries, Reading
from depose.evidence.lineup_acts import (
    BagsBuilt,
    KeyOpened,
    KeySealed,
    LineupActs,
    LineupTested,
    ScoresSealed,
    TableScored,
)
from depose.evidence.log import Clock, Log, read_blob, write_whole
from depose.lineup.bags import SALT, bags_file, build, key_file
from depose.lineup.continuation import CONTINUES
from depose.lineup.foresight import foreseen
from depose.lineup.inputs import decoys as read_decoys
from depose.lineup.inputs import deliveries as read_deliveries
from depose.lineup.tables import read_key, read_table, table_file
from depose.lineup.unfolding import bags_follow
from depose.model import Case, Fact, Findings, ModelSpec, Record
from depose.model.canonical import sha256
from depose.model.lineup import LineupPlan
from depose.model.lineup_findings import LineupFindings

Say = Callable[[str], None]
LARGEST = 4 * 1024**3
"""Bytes of a key or a table at most."""


class BuiltBags(Record, frozen=True, kw_only=True):
    """What a build came to."""

    bags: str
    """SHA-256 of the file of bags."""
    count: int
    key: str
    """Where the key was written."""
    commitment: str
    """SHA-256 of the key, which the custodian seals."""
    tally: tuple[Fact, ...]
    foreseen: tuple[str, ...] = ()
    """What these bags could never say, a sentence each."""


class Sealed(Record, frozen=True, kw_only=True):
    """What was sealed, and the digest of its record, for a time-stamp."""

    what: str
    digest: str
    record: str


class Scored(Record, frozen=True, kw_only=True):
    """A table of scores that was recorded."""

    model: str
    bags: int
    table: str
    """SHA-256 of the table."""
    record: str


def build_bags(
    folder: Path, deliveries: Path, decoys: Path, key: Path, clock: Clock, copy: Path | None = None, dry: bool = False
) -> BuiltBags:
    """Build bags in the case and write their key outside of it, and a copy of the bags where one is wanted.

    With `dry` nothing is written, and the digests are of this trial alone.
    """
    folder = casefile.folder_of(folder)
    _outside(folder, {"--key": key, "--deliveries": deliveries, "--decoys": decoys})
    if key.exists():
        raise UsageError(f"{key}: is there already", hint="name a new file; a key is never written over")
    given, delivered_digest = read_deliveries(deliveries)
    fillers, decoys_digest = read_decoys(decoys)
    with Act(folder, clock) as act:
        salt = secrets.token_bytes(SALT)
        made = build(act.plan, given, fillers, act.case.protocol.seed, salt)
        bags = bags_file(made.bags)
        secret = key_file(bags, made.entries, salt)
        body = BagsBuilt(
            bags=sha256(bags),
            count=len(made.bags),
            deliveries=delivered_digest,
            decoys=decoys_digest,
            tally=made.tally,
            under=act.entries.in_force,
        )
        act.check(body)
        if not dry:
            write_secret(key, secret)
            act.log.store(bags)
            act.log.append("lineup_bags", body)
        said = foreseen(act.plan, made.entries, made.bags)
    if copy is not None and not dry:
        write_whole(copy, bags)
    return BuiltBags(
        bags=body.bags, count=body.count, key=str(key), commitment=sha256(secret), tally=made.tally, foreseen=said
    )


def seal_key(folder: Path, key: Path, custodian: str, clock: Clock) -> Sealed:
    """Commit to the key, whose file stays with its custodian."""
    folder = casefile.folder_of(folder)
    _outside(folder, {"--key": key})
    data = read_file(key, "--key")
    if not custodian.strip():
        raise UsageError("a key without a custodian", hint="--custodian NAME says who keeps it until it is opened")
    with Act(folder, clock) as act:
        built = act.built()
        read_key(data, read_blob(folder, built.built.bags), str(key))
        body = KeySealed(commitment=sha256(data), bags=built.built.bags, custodian=custodian.strip())
        act.check(body)
        record = act.log.append("lineup_key", body)
    return Sealed(what="key", digest=body.commitment, record=record)


def record_table(folder: Path, model: str, data: bytes, name: str, clock: Clock) -> Scored:
    """Record a table of scores of one model, made here or handed out by whoever has its weights."""
    folder = casefile.folder_of(folder)
    with Act(folder, clock) as act:
        built = act.built()
        bags = read_blob(folder, built.built.bags)
        table = read_table(data, bags, name)
        act.known(model)
        if table.model != model:
            raise CaseError(f"{name}: scores {table.model!r}, not {model!r}", hint=f"--model {table.model}")
        if table.statistic != act.plan.statistic:
            raise CaseError(
                f"{name}: holds {table.statistic} scores; the case registers {act.plan.statistic}",
                hint="score with the registered statistic",
            )
        kept = table_file(table)
        body = TableScored(
            model=model, statistic=table.statistic, table=sha256(kept), bags=table.bags, facts=table.facts
        )
        act.check(body)
        act.log.store(kept)
        record = act.log.append("lineup_scores", body)
    return Scored(model=model, bags=len(table.scores), table=body.table, record=record)


def seal_scores(folder: Path, clock: Clock) -> Sealed:
    """Record that no further table is made; raise CaseError where a suspect, or what is taken off it, has none."""
    folder = casefile.folder_of(folder)
    with Act(folder, clock) as act:
        built = act.built()
        tables = tuple(Fact(name=one.model, value=one.table) for one in built.tables)
        body = ScoresSealed(bags=built.built.bags, tables=tables)
        act.check(body)
        missing = [code for code in needed(act.case, act.plan) if code not in {one.name for one in tables}]
        if missing:
            raise CaseError(
                f"{', '.join(missing)}: not scored, and the test rests on it",
                hint=f"depose lineup score {shell(folder)} --model {missing[0]}",
            )
        record = act.log.append("lineup_sealed", body)
    return Sealed(what="scores", digest=record, record=record)


def open_key(folder: Path, key: Path, clock: Clock, thrown: Path | None = None, coin: Path | None = None) -> Sealed:
    """Put the key into the log, where it is the one that was committed to.

    With the log of the throws and the key of the registered coin, from which the bags must follow, they go with it.
    """
    folder = casefile.folder_of(folder)
    data = read_file(key, "--key")
    if (thrown is None) != (coin is None):
        raise UsageError("--thrown and --coin go together", hint="the log of all throws, and the key of its coin")
    with Act(folder, clock) as act:
        built = act.built()
        body = KeyOpened(key=sha256(data))
        act.check(body)
        bags = read_blob(folder, built.built.bags)
        read_key(data, bags, str(key))
        if thrown is not None and coin is not None:
            if isinstance(act.plan.coin, UnsetType):
                raise CaseError(
                    f"{folder}: registers no coin, so that this one may have been made since",
                    hint="open it without --thrown and --coin; the fillers then count as kept",
                )
            log, side = read_file(thrown, "--thrown"), read_file(coin, "--coin")
            bags_follow(act.plan, act.case.protocol.seed, log, side, data, bags, "")
            body = KeyOpened(key=body.key, coin=act.log.store(side), thrown=act.log.store(log))
        act.log.store(data)
        record = act.log.append("lineup_opened", body)
    return Sealed(what="opened", digest=body.key, record=record)


def need_open(folder: Path) -> None:
    """Raise CaseError where the key of a case is not open yet."""
    folder = casefile.folder_of(folder)
    acts = ledger.entries(folder).lineup
    if acts is None or acts.opened is None:
        raise CaseError(f"{folder}: the key of its line-up is not open", hint=act_due(folder))


def act_due(folder: Path) -> str:
    """Name the command of the act of a line-up that comes next."""
    folder = casefile.folder_of(folder)
    entries = ledger.entries(folder)
    acts = entries.lineup
    if acts is None:
        return f"depose lineup build {shell(folder)} --deliveries FILE --decoys FILE --key FILE"
    if acts.key is None:
        return f"depose lineup seal {shell(folder)} --key FILE --custodian NAME"
    if acts.sealed is None:
        left, plan = unscored(folder), plan_of(entries.registration.case, folder)
        specs = [spec for spec in entries.registration.case.models if spec.code in left]
        if specs and not any(scored_here(plan, spec) for spec in specs):
            return f"depose lineup score {shell(folder)} --model {specs[0].code} --table FILE"
        return f"depose lineup {'score' if left else 'seal'} {shell(folder)}"
    if acts.opened is None:
        return f"depose lineup open {shell(folder)} --key FILE"
    return f"depose lineup test {shell(folder)}"


def unscored(folder: Path) -> list[str]:
    """List models that must be scored before the scores are sealed, where the key is sealed and they are not."""
    folder = casefile.folder_of(folder)
    entries = ledger.entries(folder)
    case, acts = entries.registration.case, entries.lineup
    if acts is None or acts.key is None or acts.sealed is not None:
        return []
    known = {one.model for one in acts.tables}
    return [code for code in scored_models(case, plan_of(case, folder)) if code not in known]


def line_up_of(findings: Findings) -> LineupFindings:
    """Return what the line-up found; raise AnalysisError where the findings hold none."""
    if isinstance(findings.lineup, UnsetType):
        raise AnalysisError("the findings hold no line-up", hint="depose lineup open CASE --key FILE")
    return findings.lineup


def record_test(folder: Path, findings: str, clock: Clock) -> None:
    """Record the digest of the findings of a test; the same one is recorded once."""
    folder = casefile.folder_of(folder)
    with Act(folder, clock) as act:
        if act.built().tested == findings:
            return
        body = LineupTested(findings=findings)
        act.check(body)
        act.log.append("lineup_tested", body)


def needed(case: Case, plan: LineupPlan) -> tuple[str, ...]:
    """Name the models without whose tables nothing can be tested: suspects, and what is taken off them."""
    suspects = tuple(spec.code for spec in case.models if spec.role == "suspect")
    return (*suspects, *((minus,) if (minus := taken_off(case, plan)) else ()))


def scored_models(case: Case, plan: LineupPlan) -> tuple[str, ...]:
    """Name every model that is scored: what is needed, the archived reference, controls and later snapshots."""
    found = (*needed(case, plan), *plan.controls, *plan.snapshots)
    archived = (reference_of(case, plan),) if plan.statistic == "likelihood" else ()
    return tuple(dict.fromkeys((*found, *archived)))


def scored_here(plan: LineupPlan, spec: ModelSpec) -> bool:
    """Tell whether a command here can score a model by the registered statistic; else its scores come as a table."""
    if plan.statistic == "likelihood":
        return spec.provider in ("transformers", "openai")
    if plan.statistic == "continuation":
        return spec.provider in CONTINUES
    return spec.provider != "recorded" if plan.statistic == "text" else plan.statistic == "corpus" and bool(spec.file)


def reference_of(case: Case, plan: LineupPlan) -> str:
    """Return the code of the archived reference."""
    return plan.reference or next(spec.code for spec in case.models if spec.role == "reference")


def taken_off(case: Case, plan: LineupPlan) -> str | None:
    """Return the code of the model whose log-likelihood is taken off: as registered, else the reference."""
    if plan.statistic != "likelihood":
        return None
    return plan.minus or reference_of(case, plan)


class Act:
    """The log of a case, open for one act of a line-up; use as a context manager."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._reading = Reading(str(folder))
        self.log = Log(folder, clock, self._reading.add)

    def __enter__(self) -> Act:
        self.log.__enter__()
        try:
            self.entries: Entries = self._reading.entries()
            self.case = self.entries.registration.case
            if casefile.read(self._folder) != self.entries.written.case:
                raise ProtocolChanged(
                    f"{self._folder / casefile.NAME}: differs from the registered protocol",
                    hint=f"restore it, or record the change: depose amend {shell(self._folder)} --reason TEXT",
                )
            self.plan = plan_of(self.case, self._folder)
            confirmatory = self.case.protocol.phase == "confirmatory"
            if confirmatory and not self.entries.stamped and self.entries.lineup is None:
                raise CaseError(
                    f"{self._folder}: a confirmatory protocol has no acts before it has a time-stamp",
                    hint=f"depose register {shell(self._folder)} --tsa URL --tsa-root PEM",
                )
        except BaseException:
            self.log.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.log.__exit__(*error)  # type: ignore[arg-type]

    def check(self, body: Record) -> None:
        """Raise CaseError where this act may not follow those of the log."""
        self._reading.lineup.take(body, self.entries.in_force)

    def may_score(self) -> None:
        """Raise CaseError where nothing may be scored, or asked for a score."""
        self._reading.lineup.may_score()

    def built(self) -> LineupActs:
        """Return the acts so far; raise CaseError where no bags were built."""
        if self.entries.lineup is None:
            raise CaseError(
                f"{self._folder}: no bags were built",
                hint=f"depose lineup build {shell(self._folder)} --deliveries FILE --decoys FILE --key FILE",
            )
        return self.entries.lineup

    def known(self, model: str) -> None:
        """Raise UsageError for a model that the line-up does not score."""
        listed = scored_models(self.case, self.plan)
        if model not in listed:
            raise UsageError(f"{model}: not a model that the line-up scores", hint=f"it scores {', '.join(listed)}")


def plan_of(case: Case, folder: Path) -> LineupPlan:
    """Return the registered line-up; raise CaseError where there is none."""
    if isinstance(case.lineup, UnsetType):
        raise CaseError(
            f"{folder}: registers no line-up", hint='add [lineup] and questions = ["exposed"], then register'
        )
    return case.lineup


def _outside(folder: Path, given: dict[str, Path]) -> None:
    """Refuse files that tell which members were delivered inside of the folder that the scorer gets."""
    for option, path in given.items():
        if path.resolve().is_relative_to(folder.resolve()):
            raise UsageError(
                f"{option} {path}: lies in the case folder, which the scorer gets",
                hint="keep key, deliveries and decoys with their custodian, in another folder",
            )


def read_file(path: Path, option: str) -> bytes:
    """Read a file that an option names; raise UsageError where it cannot be read."""
    try:
        return read_untrusted(path, LARGEST)
    except ValueError as error:
        raise UsageError(f"{option} {path}: {error}", hint="check the name") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}", hint="check the name") from error


def write_secret(path: Path, data: bytes) -> None:
    """Write a new file that its owner alone can read, whole or not at all."""
    work = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        handle = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(work, path)  # unlike a rename, never over a file that is there
    except OSError as error:
        hint = "name another file" if path.parent.is_dir() else f"make its folder: mkdir -p {shell(path.parent)}"
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}", hint=hint) from error
    finally:
        work.unlink(missing_ok=True)
