"""Verifies the bundle of an extraction case with a public key alone; writes nothing but tables into a temporary folder.

Whatever its signer says of it, every file is of a kind that such a bundle has, its log is one case in the order of its
acts, no date is yet to come, and a table takes no more memory than its size warrants.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import UnsetType

from depose.case.untrusted_files import TooMuch, in_child
from depose.custody import container, keys, manifest, merkle
from depose.custody.bundle import HINT, LARGEST, check_crc, check_file, content
from depose.custody.container import Unpacked, Zipped
from depose.custody.kinds import LOG
from depose.custody.stamp import CLOCK_TOLERANCE
from depose.custody.verified import Verified, as_evidence
from depose.errors import EvidenceError
from depose.evidence import timestamp
from depose.evidence.log import Chained, Clock, chained, utc_now
from depose.extraction import as_logged, conduct, instructions, plan, scan, tables
from depose.extraction import manifest as manifest_of
from depose.extraction.findings import ExtractionFindings
from depose.extraction.sealing import FORMAT, OUTSIDE, STAMP, Seal, instructions_of
from depose.features.workers import cores
from depose.model.canonical import UNREADABLE, canonical, in_one_form, sha256
from depose.model.canonical import digest as content_digest

FINDINGS = f"out/{conduct.FINDINGS}"
EVENTS = "events/manifest.json"
TABLES = "out/tables/"
_INSIDE = (plan.NAME, LOG, EVENTS, "events/public.json", "VERIFY.md", "VERIFY.py")
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")
Kind = TypeVar("Kind")
KINDS = ("extraction-protocol", "extraction-events", "extraction-accounts", "extraction-findings")
"""Kinds of records of its log; the first is record 0, and no other record is of that kind."""


def is_bundle(path: Path) -> bool:
    """Tell whether this is the bundle of an extraction case, by the names in it."""
    if path.is_dir():
        return (path / plan.NAME).is_file() and (path / "SEAL").is_file()
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(64 * 1024)
    return head[:4] == b"PK\x03\x04" and b"SEAL.sig" in head[:1024] and FORMAT.encode() in head


def verify(
    path: Path,
    *,
    public_key: bytes = b"",
    roots: bytes = b"",
    recompute: bool = True,
    progress: Callable[[str], None] = lambda _: None,
    clock: Clock = utc_now,
) -> Verified:
    """Check a bundle; raise EvidenceError at the first thing that does not hold."""
    with as_evidence(path):
        bundle = container.open_bundle(path)
        try:
            return _verified(bundle, public_key, roots, recompute, progress, clock())
        finally:
            bundle.close()


def _verified(
    bundle: Zipped | Unpacked,
    public_key: bytes,
    roots: bytes,
    recompute: bool,
    progress: Callable[[str], None],
    now: str,
) -> Verified:
    key = _signer(bundle, public_key)
    seal = _seal(bundle, key)
    listed = _files(bundle, seal)
    entries = _log(bundle, seal)
    checks = [
        f"signature of {keys.fingerprint(key)}",
        f"{len(listed)} files, each of a kind that such a bundle has, none missing, added or changed",
        f"{len(entries)} records in one chain, of the sealed length, end and Merkle root",
    ]
    left = [] if public_key else ["who signed: no --public-key was given, and a key in a bundle proves nothing"]
    _dates(seal, entries, now)
    stamped, without = _stamp(bundle, seal, entries, roots, now)
    checks += stamped
    left += without
    found = _decoded(content(bundle, FINDINGS), ExtractionFindings, FINDINGS)
    _instructions(found, listed, key)
    checks += _findings(bundle, found, listed, entries, recompute, progress)
    rest = [name for name in listed if name.startswith("out/") and not _table(name) and name != FINDINGS]
    left += [f"{', '.join(rest)}: signed, but not computed again"] if rest else []
    left.append("that the tables follow from the events: these stay with their custodian; digests are in the manifest")
    left.append("that the logs are whole and authentic: only who kept them can say")
    before = {one.entry.body.get("findings") for one in entries if one.entry.kind == "extraction-findings"}
    if earlier := len(before) - 1:
        left.append(f"what {earlier} earlier scans found: the log names their findings, and the last alone are here")
    left += [] if recompute else ["that the findings follow from the tables: not computed again"]
    return Verified(
        bundle=bundle.name,
        fingerprint=keys.fingerprint(key),
        sealed_at=seal.sealed_at,
        checks=tuple(checks),
        not_verified=tuple(left),
    )


# --- seal and files ---------------------------------------------------------------------------------


def _signer(bundle: Zipped | Unpacked, public_key: bytes) -> keys.PublicKey:
    sizes = bundle.sizes()
    for name in (*OUTSIDE, plan.NAME, LOG, EVENTS, FINDINGS):
        if name not in sizes:
            raise EvidenceError(f"{bundle.name}: no {name}", hint=HINT)
    for name in ("SEAL", "SEAL.sig", "signer.pem"):
        if sizes[name] > LARGEST:
            raise EvidenceError(f"{bundle.name}: {name}: has {sizes[name]} bytes, more than any has", hint=HINT)
    return keys.signer(content(bundle, "signer.pem"), public_key, bundle.name)


def _seal(bundle: Zipped | Unpacked, key: keys.PublicKey) -> Seal:
    signed = content(bundle, "SEAL")
    keys.check(key, content(bundle, "SEAL.sig"), signed, "SEAL.sig")
    seal = _decoded(signed, Seal, "SEAL")
    if seal.format != FORMAT or seal.signer != keys.fingerprint(key):
        raise EvidenceError("SEAL: is of another format, or names another signer than signed it", hint=HINT)
    return seal


def _decoded(data: bytes, kind: type[Kind], name: str) -> Kind:
    """Read a record in its one form: what says a thing twice says two things."""
    try:
        found = msgspec.json.decode(data, type=kind)
    except UNREADABLE as error:
        raise EvidenceError(f"{name}: not what stands under this name: {error}", hint=HINT) from error
    if not in_one_form(data):
        raise EvidenceError(f"{name}: not in canonical form", hint=HINT)
    return found


def _files(bundle: Zipped | Unpacked, seal: Seal) -> dict[str, str]:
    """Check that the files are those listed, and each of a kind that the bundle of an extraction case has."""
    outside = {*OUTSIDE, *(STAMP if seal.token else ())}
    wanted = {"SHA256SUMS": seal.sums}
    if seal.token:
        wanted["SHA256SUMS.tsr"] = seal.token
        wanted |= {} if isinstance(seal.certificates, UnsetType) else {"SHA256SUMS.pem": seal.certificates}
    for name in sorted(outside - bundle.sizes().keys()):
        raise EvidenceError(f"{name}: is missing; SEAL lists it", hint=HINT)
    for name in sorted(outside):
        if name in wanted:
            check_file(bundle, name, wanted[name])
        else:
            check_crc(bundle, name)
    listed = manifest.read(content(bundle, "SHA256SUMS"), "SHA256SUMS")
    for name in sorted(bundle.sizes().keys() - listed.keys() - outside):
        raise EvidenceError(f"{name}: was added; the manifest does not list it", hint=HINT)
    for name, digest in listed.items():
        if name not in bundle.sizes():
            raise EvidenceError(f"{name}: is missing; the manifest lists it", hint=HINT)
        if not (name in _INSIDE or (name.startswith("out/") and (not name.startswith(TABLES) or _scored(name)))):
            raise EvidenceError(
                f"{name}: of no kind that the bundle of an extraction case has: nothing in it names this file",
                hint="depose seals no such file; ask the signer what it is",
            )
        check_file(bundle, name, digest)
    return listed


def _scored(name: str) -> bool:
    """Tell whether a file is a table from which the findings are computed, or the note on how it was made."""
    return name == f"{TABLES}{tables.MADE}" or _table(name)


def _table(name: str) -> bool:
    file = name.removeprefix(TABLES)
    return file != name and file.endswith(".parquet") and file.removesuffix(".parquet") in tables.KNOWN


def _log(bundle: Zipped | Unpacked, seal: Seal) -> list[Chained]:
    """Read the log: chain, length, end and tree; one case, in the order of its acts."""
    lines = content(bundle, LOG).split(b"\n")
    if lines.pop():
        raise EvidenceError(f"{LOG}: the last line is cut off", hint=HINT)
    entries = list(chained((line + b"\n" for line in lines), LOG))
    root = merkle.root([merkle.leaf(line) for line in lines]).hex()
    if (len(entries), entries[-1].digest, root) != (seal.records, seal.head, seal.merkle_root):
        raise EvidenceError(f"{LOG}: another length, end or tree than was sealed", hint=HINT)
    for one in entries:
        kind = one.entry.kind
        if kind not in KINDS or (kind == KINDS[0]) != (one.entry.seq == 0):
            raise EvidenceError(
                f"{LOG}: record {one.entry.seq} is a {kind[:40]!r}, which has no place there",
                hint="a case is registered once, as record 0; what follows are its events, accounts and findings",
            )
    return entries


def _dates(seal: Seal, entries: list[Chained], now: str) -> None:
    last = ""
    for one in entries:
        timestamp.moment(one.entry.at, f"{LOG}: record {one.entry.seq}")
        if one.entry.at < last:
            raise EvidenceError(
                f"{LOG}: record {one.entry.seq} is dated {one.entry.at}, before the one that it follows",
                hint="a log does not run backwards: the clock was set back, or the record made up",
            )
        last = one.entry.at
    timestamp.moment(seal.sealed_at, "SEAL")
    if timestamp.seconds_between(seal.sealed_at, last) > CLOCK_TOLERANCE:
        raise EvidenceError(f"SEAL: sealed {seal.sealed_at}, before the last record of {last}", hint=HINT)
    for at, what in ((last, "the last record"), (seal.sealed_at, "the seal")):
        _not_to_come(at, now, f"{what} is dated {at}")


def _not_to_come(at: str, now: str, what: str) -> None:
    if timestamp.seconds_between(now, at) > CLOCK_TOLERANCE:
        raise EvidenceError(f"{what}, which is yet to come", hint=f"the clock here says {now}")


def _stamp(
    bundle: Zipped | Unpacked, seal: Seal, entries: list[Chained], roots: bytes, now: str
) -> tuple[list[str], list[str]]:
    if not seal.token:
        if roots:
            raise EvidenceError(
                "SHA256SUMS.tsr: is missing: --tsa-root was given, and there is no time-stamp to check",
                hint="without --tsa-root the rest can be verified; when it was sealed rests on the signer's word",
            )
        return [], ["when it was sealed: there is no time-stamp"]
    trusted = roots or timestamp.enclosed(content(bundle, "SHA256SUMS.pem"), "SHA256SUMS.pem")
    token, name = content(bundle, "SHA256SUMS.tsr"), "SHA256SUMS.tsr"
    said = timestamp.verify(token, content(bundle, "SHA256SUMS"), trusted, name)
    _not_to_come(said.time, now, f"{name}: is a token of {said.time}")
    for at, what in ((entries[-1].entry.at, "the last record"), (seal.sealed_at, "the seal")):
        if timestamp.seconds_between(said.time, at) > CLOCK_TOLERANCE:
            raise EvidenceError(f"{what} is dated {at}, after its time-stamp of {said.time}", hint=HINT)
    left = [] if roots else ["who the authority is: its certificates stand in the bundle alone"]
    return [f"time-stamped {said.time} by {said.authority}"], left


# --- findings ---------------------------------------------------------------------------------------


def _findings(
    bundle: Zipped | Unpacked,
    found: ExtractionFindings,
    listed: dict[str, str],
    entries: list[Chained],
    recompute: bool,
    progress: Callable[[str], None],
) -> list[str]:
    """Compare findings with log, case file, manifest and tables; compute them again."""
    raw = canonical(found)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for name in listed:
            if name in _INSIDE or _scored(name):
                goal = folder / name
                goal.parent.mkdir(parents=True, exist_ok=True)
                with bundle.open(name) as source, goal.open("xb") as made:
                    shutil.copyfileobj(source, made)
        registered = conduct.protocol(folder)
        said = [one.entry.body.get("findings") for one in entries if one.entry.kind == "extraction-findings"]
        if registered is None or registered[0].case != plan.read(folder):
            raise EvidenceError(f"{plan.NAME}: is not the case that was registered", hint=HINT)
        if registered[0].queries != content_digest(conduct.sql_of(registered[0].case)):
            raise EvidenceError("the registered queries are not those of this depose", hint="verify with that one")
        if not said or said[-1] != sha256(raw):
            raise EvidenceError(f"{FINDINGS}: not the findings that the log names", hint=HINT)
        for name in (EVENTS, f"{TABLES}{tables.MADE}"):
            if name in listed and not in_one_form(content(bundle, name)):
                raise EvidenceError(f"{name}: not in canonical form", hint=HINT)
        events = manifest_of.read_manifest(folder)
        if found.events != content_digest(events):
            raise EvidenceError(f"{EVENTS}: not the events that the findings are of", hint=HINT)
        as_logged.check_records(entries, found, events)
        as_logged.check_made(folder, registered[0].case, events, listed)
        if not recompute:
            return ["findings are those that the log names"]
        progress("findings: computing again from the tables")
        _read_in_child(sorted((folder / TABLES).glob("*.parquet")))
        again, count = _again(folder, registered, events, progress)
    if canonical(again) != raw:
        raise EvidenceError(
            f"{FINDINGS}: does not follow from the tables and the protocol",
            hint="it was changed before it was sealed, or made with other versions: see its software",
        )
    return [f"findings computed again from {count} tables, to the same bytes"]


def _instructions(found: ExtractionFindings, listed: dict[str, str], key: keys.PublicKey) -> None:
    """Check that the script and the words beside it are ours: who is told to run a file must know whose it is."""
    version = next((one.value for one in found.software if one.name == "depose"), "")
    if not _VERSION.fullmatch(version):
        raise EvidenceError(f"{FINDINGS}: {version[:40]!r} is no version of depose", hint=HINT)
    for name, wanted in instructions_of(key, version).items():
        known = (sha256(wanted), *(instructions.BEFORE if name == "VERIFY.py" else ()))
        if name in listed and listed[name] not in known:
            raise EvidenceError(f"{name}: is not that of this depose", hint="do not run it; verify with depose alone")


def _read_in_child(files: Sequence[Path]) -> None:
    """Read tables for once where memory is limited: what they unpack to, no file says."""
    size, names = sum(one.stat().st_size for one in files), [str(one) for one in files]
    try:
        in_child("depose.extraction.tables:rows", names, answer=int, size=size)
    except (TooMuch, ValueError) as error:
        raise EvidenceError(f"{TABLES}: cannot be read: {error}", hint="depose wrote no such tables") from error


def _again(
    folder: Path, registered: tuple[Any, str, str], events: Any, progress: Callable[[str], None]
) -> tuple[Any, int]:
    """Scan the tables of a bundle again; return the findings and how many tables there were."""
    made = tables.read(folder / TABLES)

    def slots_of(accounts: Any) -> Any:
        if "chosen" not in made.by_name or made.by_name["chosen"]["account"].to_pylist() != accounts.tolist():
            raise EvidenceError("out/tables/slots.parquet: is of other accounts than the groups have", hint=HINT)
        return made.by_name["slots"]

    result = scan.Scan(registered[0].case, made, slots_of, cores(), progress).run()
    return conduct.findings_of(folder, registered, events, result), len(made.by_name)
