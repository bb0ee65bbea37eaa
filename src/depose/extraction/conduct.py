"""The acts of a case: register, scan, and what is new since the last scan; each leaves a record in the log.

Records: `extraction-protocol` (record 0), `extraction-events` (the manifest that was read), `extraction-findings`.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from depose.errors import CaseError, EvidenceError, ProtocolChanged, shell
from depose.evidence.log import GENESIS, Clock, Log, log_path, read_log, write_whole
from depose.evidence.workspace import held
from depose.extraction import beside, caveats, plan, queries, request, scan, tables
from depose.extraction import findings as said
from depose.extraction import manifest as manifest_of
from depose.extraction.engine import engine
from depose.extraction.findings import ExtractionFindings
from depose.extraction.plan import ExtractionFile
from depose.features.workers import cores
from depose.model import Fact, Record, spreadsheet
from depose.model.canonical import UNREADABLE, canonical, sha256
from depose.model.canonical import digest as content_digest

FINDINGS = "findings-extraction.json"
Say = Callable[[str], None]


class Protocol(Record, frozen=True, kw_only=True):
    """Record 0: what is fixed before anything is looked for."""

    case: ExtractionFile
    queries: str
    """SHA-256 of the SQL that makes the tables."""
    software: tuple[Fact, ...]


class Looked(Record, frozen=True, kw_only=True):
    """Which events a scan read."""

    manifest: str
    files: int
    sources: tuple[Fact, ...]


class Found(Record, frozen=True, kw_only=True):
    """Digest of what a scan found."""

    findings: str
    groups: int
    accounts: int


class Registered(Record, frozen=True, kw_only=True):
    """A protocol that is frozen."""

    case: str
    digest: str
    fresh: bool
    """Whether it was registered now."""


class Made(Record, frozen=True, kw_only=True):
    """Tables that stand on the disk, and from what."""

    key: str
    digests: dict[str, str]


class Ran(Record, frozen=True, kw_only=True):
    """A scan."""

    findings: ExtractionFindings
    files: tuple[str, ...]
    new: tuple[str, ...]
    """Accounts of groups that no earlier scan named."""
    gone: tuple[str, ...]


def sql_of(case: ExtractionFile) -> dict[str, str]:
    """Return every query that a scan asks, by name."""
    tested, clean = case.period.tested, case.period.clean
    found: dict[str, str] = {}
    for suffix, days in [("_clean", clean), ("", tested)] if clean else [("", tested)]:
        first, end = days[0], plan.before(days)
        found[f"accounts{suffix}"] = queries.accounts(first, end)
        found[f"held{suffix}"] = queries.held(first, end)
        found[f"rare{suffix}"] = queries.rare(case.templates.most, case.templates.share)
        found[f"dropped{suffix}"] = queries.dropped(case.templates.most, case.templates.share)
        if suffix:
            found["known"] = queries.known(case.templates.known)
    first, end = tested[0], plan.before(tested)
    found["infrastructure"] = queries.infrastructure(first, end)
    found["daily"] = queries.daily(first, end)
    found["slots"] = queries.slots(first, end, case.tests.slot, case.tests.window)
    return found


def software() -> tuple[Fact, ...]:
    """Name what computes."""
    return tuple(
        Fact(name=name, value=version(name)) for name in ("depose", "duckdb", "numpy", "numba", "scikit-learn")
    )


def register(path: Path, clock: Clock) -> Registered:
    """Freeze the protocol as record 0 of the log; do nothing if the same one stands there."""
    folder = plan.folder_of(path)
    case = plan.read(folder)
    frozen = Protocol(case=case, queries=content_digest(sql_of(case)), software=software())
    if log_path(folder).is_file() and (before := protocol(folder)) is not None:
        if before[0].case != case:
            raise ProtocolChanged(
                f"{folder}: {plan.NAME} differs from the registered protocol",
                hint="put it back, or start a new case with a title of its own: what was looked for is fixed",
            )
        return Registered(case=str(folder), digest=before[1], fresh=False)
    with Log(folder, clock) as log:
        if log.head != GENESIS:
            raise CaseError(f"{folder}: another depose has just registered it", hint="run the command again")
        digest = log.append("extraction-protocol", frozen)
    return Registered(case=str(folder), digest=digest, fresh=True)


def protocol(folder: Path) -> tuple[Protocol, str, str] | None:
    """Return the protocol of a case, its digest and when it was registered; None where there is none."""
    for one in read_log(folder):
        if one.entry.kind != "extraction-protocol":
            raise EvidenceError(f"{log_path(folder)}: is the log of another kind of case", hint="a case for each")
        return msgspec.convert(one.entry.body, type=Protocol), one.digest, one.entry.at
    return None


def scan_case(path: Path, clock: Clock, say: Say = lambda _: None) -> Ran:
    """Scan the events of a case, registering it first where it was not; tables that a killed run made are used."""
    folder = plan.folder_of(path)
    manifest = manifest_of.read_manifest(folder)
    register(folder, clock)
    with held(folder):
        found = protocol(folder)
        if found is None:
            raise CaseError(f"{folder}: nothing is registered", hint="depose extraction register")
        case = found[0].case
        if case.retention.until < clock()[:10]:
            raise CaseError(f"{folder}: events were to be kept until {case.retention.until}", hint="delete them")
        made, key = _tables(folder, case, manifest, say)
        slots_of = _Slots(folder, case, manifest, made, key)
        result = scan.Scan(case, made, slots_of, cores(), say).run()
        body = Looked(manifest=content_digest(manifest), files=len(manifest.files), sources=sources_of(manifest))
        with Log(folder, clock) as log:
            if _last(folder, "extraction-events", "manifest") != body.manifest:
                log.append("extraction-events", body)
        now = findings_of(folder, found, manifest, result)
        before = _before(folder)
        files = _written(folder, case, made, now)
        with Log(folder, clock) as log:
            digest = sha256(canonical(now))
            if _last(folder, "extraction-findings", "findings") != digest:
                named = len(said.named(now.groups))
                log.append("extraction-findings", Found(findings=digest, groups=len(now.groups), accounts=named))
    named_now = set(said.named(now.groups))
    return Ran(findings=now, files=files, new=tuple(sorted(named_now - before)), gone=tuple(sorted(before - named_now)))


def _last(folder: Path, kind: str, name: str) -> Any:
    """Return what the last record of a kind says: an earlier one like it stands for a scan that others followed."""
    return next((one.entry.body[name] for one in reversed(list(read_log(folder))) if one.entry.kind == kind), None)


def findings_of(
    folder: Path, found: tuple[Protocol, str, str], manifest: manifest_of.Manifest, result: scan.Scanned
) -> ExtractionFindings:
    """Put what a scan found and where it came from together."""
    case = found[0].case
    head = next((one.digest for one in reversed(list(read_log(folder))) if one.entry.kind == "extraction-events"
                 and one.entry.body["manifest"] == content_digest(manifest)), "")  # fmt: skip
    reasons = result.opinion.reasons
    if any(one.sampled for one in manifest.sources):
        reasons = (*reasons, "sampled")
    return ExtractionFindings(
        format=said.FORMAT,
        title=case.case.title,
        authority=case.case.authority,
        registered=found[1],
        registered_at=found[2],
        log_head=head,
        events=content_digest(manifest),
        tested=case.period.tested,
        clean=case.period.clean,
        alpha=case.tests.alpha,
        swaps=case.tests.swaps,
        rounds=case.tests.rounds,
        sources=sources_of(manifest),
        warnings=(*caveats.gaps(case, manifest), *caveats.unasked(result.unasked), *caveats.losses(manifest)),
        totals=result.totals,
        standing=result.standing,
        accounts=result.accounts,
        pairs=result.pairs,
        groups=result.groups,
        next_p=result.next_p,
        opinion=msgspec.structs.replace(result.opinion, reasons=reasons),
        software=found[0].software,
        fewest=case.retention.fewest,
    )


def sources_of(manifest: manifest_of.Manifest) -> tuple[Fact, ...]:
    """Name the logs that were imported, with what each held."""
    return tuple(
        Fact(name=one.name, value=f"{one.format}, {one.rows} requests, sha256 {one.sha256}") for one in manifest.sources
    )


def _tables(folder: Path, case: ExtractionFile, manifest: manifest_of.Manifest, say: Say) -> tuple[tables.Tables, str]:
    """Make the tables, or read those that stand there if they are of these events and this protocol."""
    place = folder / "out" / "tables"
    key = key_of(case, manifest)
    if (there := _there(place, key)) is not None:
        say("tables: as they were made before")
        return there, key
    files = _checked(folder, manifest, say)
    public = beside.public_of(folder / "events")
    place.mkdir(parents=True, exist_ok=True)
    if strange := next((one for one in place.iterdir() if one.is_dir()), None):
        raise CaseError(f"{strange}: a folder among the tables, which are made anew", hint="move it elsewhere")
    for one in place.iterdir():
        one.unlink()
    with engine(folder / "out") as db:
        tables.view(db, files)
        tables.declare(db, case, public)
        made = tables.make(db, case, lambda name: say(f"table: {name}"))
    tables.write(made, place)
    _seal_tables(place, key)
    return tables.read(place), key


def key_of(case: ExtractionFile, manifest: manifest_of.Manifest) -> str:
    """Digest of all from which the tables follow."""
    parts = canonical(case).decode(), content_digest(manifest), content_digest(sql_of(case)), tables.FEW
    return content_digest([*parts])


def _there(place: Path, key: str) -> tables.Tables | None:
    try:
        made = msgspec.json.decode((place / tables.MADE).read_bytes(), type=Made)
    except (FileNotFoundError, *UNREADABLE):
        return None
    if made.key != key or any(
        not (place / f"{name}.parquet").is_file() or sha256((place / f"{name}.parquet").read_bytes()) != digest
        for name, digest in made.digests.items()
    ):
        return None
    return tables.read(place)


def _seal_tables(place: Path, key: str) -> None:
    digests = {one.stem: sha256(one.read_bytes()) for one in sorted(place.glob("*.parquet"))}
    write_whole(place / tables.MADE, canonical(Made(key=key, digests=digests)))


def _checked(folder: Path, manifest: manifest_of.Manifest, say: Say) -> list[Path]:
    """Return the files of the events after their digests were compared; raise EvidenceError for a changed one."""
    found = []
    listed = [one for one in manifest.files if not one.path.startswith("texts/")]
    anew = manifest_of.anew(folder)
    say(f"events: {len(listed)} files, {sum(one.rows for one in listed)} requests")
    for one in listed:
        path = folder / "events" / one.path
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise EvidenceError(f"{path}: {error.strerror or error}", hint=anew) from error
        if digest != one.sha256:
            raise EvidenceError(f"{path}: was changed after it was imported", hint=anew)
        found.append(path)
    if not found:
        raise CaseError(f"{folder}: no events", hint="depose extraction import")
    return found


class _Slots:
    """The table of slots, made once for the accounts of the groups and kept with the other tables."""

    def __init__(
        self, folder: Path, case: ExtractionFile, manifest: manifest_of.Manifest, made: tables.Tables, key: str
    ) -> None:
        self._folder, self._case, self._manifest, self._made, self._key = folder, case, manifest, made, key

    def __call__(self, accounts: Any) -> pa.Table:
        place = self._folder / "out" / "tables"
        kept = self._made.by_name.get("slots")
        chosen = self._made.by_name.get("chosen")
        if kept is not None and chosen is not None and chosen["account"].to_pylist() == accounts.tolist():
            return kept
        files = [self._folder / "events" / one.path for one in self._manifest.files if one.path[:6] != "texts/"]
        with engine(self._folder / "out") as db:
            tables.view(db, files)
            made, _ = tables.slots(db, self._case, accounts)
        chosen = pa.table({"account": pa.array(accounts, type=pa.uint64())})
        tables.write(tables.Tables(by_name={"slots": made, "chosen": chosen}), place)
        _seal_tables(place, self._key)
        return made


def _before(folder: Path) -> set[str]:
    """Return the accounts that the last scan named."""
    try:
        before = read_findings(folder)
    except CaseError:
        return set()
    return set(said.named(before.groups))


def read_findings(folder: Path) -> ExtractionFindings:
    """Read what the last scan found; raise CaseError where there was none."""
    file = folder / "out" / FINDINGS
    try:
        return msgspec.json.decode(file.read_bytes(), type=ExtractionFindings)
    except FileNotFoundError as error:
        raise CaseError(f"{folder}: not scanned yet", hint=f"depose extraction scan {shell(folder)}") from error
    except UNREADABLE as error:
        raise EvidenceError(f"{file}: not findings: {error}", hint="depose extraction scan") from error


def _written(folder: Path, case: ExtractionFile, made: tables.Tables, now: ExtractionFindings) -> tuple[str, ...]:
    out = folder / "out"
    out.mkdir(exist_ok=True)
    files = {FINDINGS: canonical(now), "exhibits.csv": exhibits(now), "clusters.parquet": clusters(now)}
    text = "\n\n".join(f"-- {name}\n{query};" for name, query in sql_of(case).items())
    files["queries.sql"] = (text + "\n").encode()
    if "population" in now.opinion.reasons:
        files["request.md"] = request.draft(case, now).encode()
        files["descriptives.csv"] = request.descriptives(made.by_name["accounts"], case.retention.fewest)
    else:
        for name in ("request.md", "descriptives.csv"):
            (out / name).unlink(missing_ok=True)
    for name, data in files.items():
        write_whole(out / name, data)
    return tuple(str(out / name) for name in files)


def exhibits(now: ExtractionFindings) -> bytes:
    """Return the accounts of all groups as a table for a spreadsheet."""
    head = "group,account,borne out,standing community,requests,templates shared,p of the group,p Holm,tied by,e"
    rows: list[list[object]] = [list(head.split(","))]
    for group in now.groups:
        for one in group.accounts:
            said_of = ["yes" if value else "no" for value in (one.supported, one.standing)]
            row = [group.code, one.account, *said_of, one.requests, one.templates]
            rows.append([*row, group.p, group.p_holm, " ".join(group.tied_by), group.e])
    return spreadsheet.write(rows, "\n")


def clusters(now: ExtractionFindings) -> bytes:
    """Return the accounts of all groups as Parquet."""
    rows = [(group.code, one.account, one.supported, one.standing) for group in now.groups for one in group.accounts]
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    made = pa.table(
        {
            "group": pa.array(columns[0], pa.string()),
            "account": pa.array(columns[1], pa.string()),
            "supported": pa.array(columns[2], pa.bool_()),
            "standing": pa.array(columns[3], pa.bool_()),
        }
    )
    sink = io.BytesIO()
    pq.write_table(made, sink, compression="zstd")
    return sink.getvalue()
