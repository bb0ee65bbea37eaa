"""Seals a case: lists, signs, stamps and bundles it. A sealed case takes no further record."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Collection, Mapping
from importlib.metadata import version
from pathlib import Path

import msgspec

from depose import pipeline
from depose.analysis import results
from depose.case import annexes, casefile, casetext
from depose.custody import (
    commitment,
    container,
    envelope,
    instructions,
    keys,
    kinds,
    leaks,
    manifest,
    merkle,
    pdf,
)
from depose.custody.stamp import ROOTS, Source, fetch
from depose.errors import CaseError, EvidenceError, shell
from depose.evidence import ledger, timestamp
from depose.evidence.compression import SHORTEST
from depose.evidence.ledger import Entries
from depose.evidence.log import SEALED, Clock, Log, is_sealed, log_path, read_log, seals_folder, write_whole
from depose.evidence.search import Sought
from depose.model import Findings, Record
from depose.model.canonical import canonical, digest, sha256

FORMAT = "depose seal 3"
TOKEN = re.compile(r"[0-9a-f]{64}\.ts[qr]\Z")


class LogSeal(Record, frozen=True, kw_only=True):
    """What the log was when it was sealed."""

    records: int
    head: str
    merkle_root: str


class Seal(Record, frozen=True, kw_only=True):
    """`seal.json`."""

    format: str
    sealed_at: str
    depose: str
    signer: str
    """Fingerprint of the public key."""
    protocol: str
    phase: str
    log: LogSeal


class Mark(Record, frozen=True, kw_only=True):
    """What stays in the case folder: that it is sealed, and what."""

    sealed_at: str
    contents: str
    """Digest of the digests of all files of the case."""
    bundle: str


class Sealed(Record, frozen=True, kw_only=True):
    """A bundle that was written."""

    bundle: str
    sha256: str
    fingerprint: str
    records: int
    head: str
    merkle_root: str
    stamped: str
    """Time of the token over the whole, or nothing."""
    unchanged: bool = False
    """Whether this bundle was there before, byte for byte."""


def seal(
    path: Path,
    key: keys.PrivateKey,
    clock: Clock,
    environment: Mapping[str, str],
    source: Source | None = None,
    who: pdf.Signer | None = None,
    known: Mapping[str, bytes] | None = None,
) -> Sealed:
    """Write the bundle of a case; sealing again with nothing changed gives the same bytes, but for a token.

    A bundle that is there stays: another one, as with a new token, gets a name with a number. Tokens of the last one
    are kept where they are over the same contents.

    With `who` each PDF in `out` is signed first, into a file of its own, unless it was before. `known` are further
    secrets, by the names that a message gives them: a passphrase, the file of a key.

    Raises SecretFound, and writes nothing, where a secret stands in any file.
    """
    folder = casefile.folder_of(path)
    source = (source or Source()).checked()
    if not log_path(folder).is_file():
        raise CaseError(f"{folder}: nothing is registered yet", hint=f"depose register {shell(folder)}")
    with contextlib.nullcontext() if is_sealed(folder) else Log(folder, clock):
        entries = ledger.entries(folder)
        findings = _ready(folder, entries)
        if who is not None:
            _sign(folder, who, source)
        files = contents(folder, {stamp.of for stamp in entries.stamps}, _named(folder, entries))
        _search(files, entries, key, environment, (who.secrets if who else {}) | dict(known or {}))
        digests = {name: _digest(file) for name, file in files.items()}
        before = _mark(folder)
        same = before is not None and before.contents == digest(digests)
        sealed_at = before.sealed_at if before is not None and same else clock()
        added = _added(folder, entries, findings, digests, key, sealed_at)
        master = commitment.master_of(keys.number(key), digest(digests))
        whole_files: dict[str, Path | bytes] = {**files, **added}
        committed = commitment.committed(whole_files, lambda name: container.open_source(whole_files[name]), master)
        added[commitment.SALTS] = commitment.salts(master)
        listing = manifest.write(digests | {name: sha256(data) for name, data in added.items()})
        outside = {"SHA256SUMS": listing, commitment.FILE: commitment.write(committed)}
        stamped = _stamp(outside, source) or _kept_tokens(folder, before, outside)
        signed = manifest.write({name: sha256(data) for name, data in outside.items()})
        goal = folder / "sealed" / f"{re.sub(r'[^A-Za-z0-9._-]', '-', folder.resolve().name)}-{entries.end[:12]}.zip"
        goal.parent.mkdir(exist_ok=True)
        outside |= {"SEAL": signed, "SEAL.sig": keys.sign(key, signed)}
        there = frozenset(goal.parent.iterdir())
        goal = container.write_new(goal, {**files, **added, **outside})
        seals_folder(folder).mkdir(exist_ok=True)
        mark = Mark(sealed_at=sealed_at, contents=digest(digests), bundle=goal.name)
        write_whole(seals_folder(folder) / SEALED, canonical(mark))
        _make_read_only(folder)
    root = msgspec.json.decode(added["seal.json"], type=Seal).log.merkle_root
    with goal.open("rb") as file:
        whole = container.digest(file)[0]
    return Sealed(
        bundle=str(goal),
        sha256=whole,
        fingerprint=keys.fingerprint(key.public_key()),
        records=entries.records,
        head=entries.end,
        merkle_root=root,
        stamped=stamped,
        unchanged=goal in there,
    )


def _ready(folder: Path, entries: Entries) -> Findings:
    """Refuse to seal what holds no answers, or findings of another state of the log."""
    lined_up = entries.lineup is not None and entries.lineup.opened is not None
    if not lined_up and not any(one.outcome == "answered" for one in entries.exchanges):
        raise CaseError(f"{folder}: nothing is answered, so that there is nothing to seal", hint="depose probe")
    with log_path(folder).open("rb") as file:
        file.seek(-1, 2)
        if file.read() != b"\n":
            raise CaseError(f"{folder}: the last record was cut off by a kill", hint=f"depose probe {shell(folder)}")
    _, findings, _ = pipeline.read_findings(folder)
    if findings.log_head != entries.head or not entries.scored:
        raise CaseError(
            f"{folder}: the findings are of another state of the log", hint=f"depose analyze {shell(folder)}"
        )
    return findings


def _stamp(outside: dict[str, bytes], source: Source) -> str:
    """Add tokens over both lists of the files, and return the time of the first; nothing where none is asked for.

    A token that was fetched elsewhere is over SHA256SUMS alone.
    """
    if not source.given:
        return ""
    times = []
    for name in ("SHA256SUMS", commitment.FILE) if source.url else ("SHA256SUMS",):
        got = fetch(outside[name], source, f"token of {name}")
        times.append(got.said.time)
        outside[f"{name}.tsr"] = got.token
        if got.query:
            outside[f"{name}.tsq"] = got.query
    outside["SHA256SUMS.pem"] = source.roots
    return times[0]


def _kept_tokens(folder: Path, before: Mark | None, outside: dict[str, bytes]) -> str:
    """Take over the tokens of the bundle that was sealed before, and return their time; nothing where there are none.

    Only those that are over these very lists: whoever seals again without an authority loses no token, and gets the
    bundle that is there.
    """
    path = folder / "sealed" / before.bundle if before else folder
    if not path.is_file():
        return ""
    try:
        with contextlib.closing(container.Zipped(path)) as bundle:
            names = [name for name in bundle.sizes() if name.startswith(("SHA256SUMS", f"{commitment.FILE}"))]
            there = {name: bundle.open(name).read() for name in names}
        over = [name for name, data in outside.items() if there.get(name) == data and f"{name}.tsr" in there]
        if "SHA256SUMS" not in over:
            return ""
        roots = there["SHA256SUMS.pem"]
        said = [timestamp.verify(there[f"{name}.tsr"], outside[name], roots, f"{name}.tsr") for name in over]
    except (EvidenceError, KeyError):
        return ""
    for name in over:
        outside |= {one: there[one] for one in (f"{name}.tsr", f"{name}.tsq") if one in there}
    outside["SHA256SUMS.pem"] = roots
    return said[0].time


def _named(folder: Path, entries: Entries) -> set[str]:
    """Collect the blobs that the log names: a kill may leave some that it does not."""
    recorded = {spec.code for spec in entries.registration.case.models if spec.provider == "recorded"}
    return {blob for one in read_log(folder) for blob in kinds.blobs_of(one.entry, recorded)}


def contents(folder: Path, stamped: Collection[str], named: Collection[str]) -> dict[str, Path]:
    """List the files of a case that belong into its bundle, by their names in it.

    `stamped` are the records whose tokens the log names, `named` its blobs: a kill may leave some that it does not.
    """
    evidence, out = folder / "evidence", folder / "out"
    found = {"case.toml": _case_file(folder), "evidence/log.jsonl": log_path(folder)}
    found |= {f"evidence/blobs/{one.name}": one for one in (evidence / "blobs").iterdir() if one.name in named}
    found |= {name: folder / name for name in annexes.FILES if (folder / name).exists()}
    if seals_folder(folder).is_dir():
        for one in seals_folder(folder).iterdir():
            if one.name == ROOTS or (TOKEN.match(one.name) and one.stem in stamped):
                found[f"evidence/seals/{one.name}"] = one
    for one in out.rglob("*"):
        if one.is_file() and not one.name.startswith("."):
            found[manifest.safe(f"out/{one.relative_to(out).as_posix()}")] = one
    for name, one in found.items():
        if one.is_symlink() or not one.is_file():
            raise CaseError(f"{one}: not a plain file", hint=f"{name} cannot be sealed; put the file itself there")
    return dict(sorted(found.items()))


def _case_file(folder: Path) -> Path:
    """Find the case file; one whose models stand in a table is written out whole, for a bundle holds no table."""
    found = casefile.written_in(folder)
    if not found.rows:
        return folder / casefile.NAME
    write_whole(folder / "evidence" / casefile.NAME, casetext.whole(found.data).encode())
    return folder / "evidence" / casefile.NAME


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return container.digest(opened)[0]


def _sign(folder: Path, who: pdf.Signer, source: Source) -> None:
    reports = [one for one in sorted((folder / "out").glob("*.pdf")) if not one.name.endswith(pdf.SUFFIX)]
    if not reports:
        raise CaseError(f"{folder / 'out'}: no PDF to sign", hint=f"depose report {shell(folder)} --format pdf")
    for one in reports:
        report, goal = one.read_bytes(), one.with_name(one.stem + pdf.SUFFIX)
        if not (goal.is_file() and pdf.signed_by(goal.read_bytes(), report, who)):
            write_whole(goal, pdf.sign(report, who, source))


def _search(
    files: Mapping[str, Path],
    entries: Entries,
    key: keys.PrivateKey,
    environment: Mapping[str, str],
    further: Mapping[str, bytes],
) -> None:
    cases = [entries.registration.case]
    secrets = leaks.of_environment(cases, environment) | leaks.of_files(cases)
    secrets |= {f"signing key, {name}": value for name, value in keys.secret_numbers(key).items()}
    found = secrets | {name: value for name, value in further.items() if len(value) >= SHORTEST}
    sought = Sought(found, secret=True)
    leaks.search(io.BytesIO("\n".join(files).encode()), "the names of the files", sought)
    for name, file in files.items():
        with file.open("rb") as opened:
            leaks.search(opened, name, sought)


def _added(
    folder: Path,
    entries: Entries,
    findings: Findings,
    digests: Mapping[str, str],
    key: keys.PrivateKey,
    sealed_at: str,
) -> dict[str, bytes]:
    """Make the files that the seal adds and SHA256SUMS lists."""
    with log_path(folder).open("rb") as file:
        root = merkle.root([merkle.leaf(line[:-1]) for line in file])
    subjects = {name: digests[name] for name in (f"out/{results.FINDINGS}", "evidence/log.jsonl")}
    record = Seal(
        format=FORMAT,
        sealed_at=sealed_at,
        depose=version("depose"),
        signer=keys.fingerprint(key.public_key()),
        protocol=entries.protocol_digest,
        phase=entries.registration.case.protocol.phase,
        log=LogSeal(records=entries.records, head=entries.end, merkle_root=root.hex()),
    )
    return {
        "seal.json": canonical(record),
        "signer.pem": keys.public_pem(key.public_key()),
        "statement.json": envelope.write(envelope.statement(findings, subjects), key),
        "VERIFY.md": instructions.text(key.public_key(), entries.stamps, record.depose),
        **{name: instructions.script(name) for name in instructions.SCRIPTS},
    }


def _mark(folder: Path) -> Mark | None:
    file = seals_folder(folder) / SEALED
    try:
        return msgspec.json.decode(file.read_bytes(), type=Mark) if file.is_file() else None
    except (ValueError, RecursionError) as error:  # of msgspec too, or not UTF-8
        raise CaseError(f"{file}: not the mark of a seal: {error}", hint="work in a copy of the bundle") from error


def _make_read_only(folder: Path) -> None:
    for file in (log_path(folder), *(folder / "evidence" / "blobs").iterdir()):
        file.chmod(0o444)
