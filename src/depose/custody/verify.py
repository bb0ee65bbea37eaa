"""Verifies a bundle with a public key alone: seal, files, log, time-stamps, and the findings computed again.

Writes nothing. Raises at the first thing that does not hold and names it; what could not be checked is listed.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import msgspec

from depose import annex, calibrated, collect, pipeline, report, timestamp
from depose.canon import canonical, sha256
from depose.custody import container, envelope, instructions, keys, manifest, merkle
from depose.custody.container import Bundle, Unpacked, Zipped
from depose.custody.seal import FORMAT, OUTSIDE, Seal
from depose.custody.stamp import CLOCK_TOLERANCE, ROOTS
from depose.errors import CaseError, EvidenceError, UsageError
from depose.evidence import Chained, chained
from depose.ledger import Entries, Reading
from depose.model import Dossier, Exchange, Fact, Findings, Record

LOG = "evidence/log.jsonl"
_HINT = "ask for the bundle as it was sealed"


class Verified(Record, frozen=True, kw_only=True):
    """What was checked and holds, and what was not checked."""

    bundle: str
    fingerprint: str
    sealed_at: str
    checks: tuple[str, ...]
    not_verified: tuple[str, ...]


class Read(NamedTuple):
    """A bundle whose files, log and seal agree."""

    bundle: Zipped | Unpacked
    seal: Seal
    key: keys.PublicKey
    entries: Entries
    asked_at: str
    """When the first question was asked."""
    ended_at: str
    dated: dict[str, Chained]
    """Records that have a token, by digest."""


def verify(
    path: Path,
    *,
    public_key: bytes = b"",
    roots: bytes = b"",
    recompute: bool = True,
    progress: Callable[[str], None] = lambda _: None,
) -> Verified:
    """Check a bundle; raise EvidenceError at the first thing that does not hold."""
    with opened(path, public_key) as read:
        checks = [
            f"signature of {keys.fingerprint(read.key)}",
            f"{len(read.bundle.sizes())} files, none missing, added or changed",
            f"{read.entries.records} records in one chain, of the sealed length, end and Merkle root",
        ]
        missing = [] if public_key else ["who signed: no --public-key was given, and a key in a bundle proves nothing"]
        stamps, without = _stamps(read, roots)
        findings = _statement(read)
        checks += [*stamps, "the signed statement says what the findings say"]
        missing += without
        if recompute:
            done, without = _recomputed(read, findings, progress)
            checks += done
            missing += without
            unlike = _unlike_raw(read)
            checks += [] if unlike else ["every answer with raw bytes stands in them as it stands in the log"]
            missing += (
                [f"{len(unlike)} answers that stand otherwise in the raw bytes, such as {unlike[0]}"] if unlike else []
            )
        else:
            missing.append("that the findings follow from the answers: not computed again")
        return Verified(
            bundle=str(path),
            fingerprint=keys.fingerprint(read.key),
            sealed_at=read.seal.sealed_at,
            checks=tuple(checks),
            not_verified=(*missing, "that the answers came from the models named: only their providers can say"),
        )


# --- seal and files ---------------------------------------------------------------------------------


@contextlib.contextmanager
def opened(path: Path, public_key: bytes) -> Iterator[Read]:
    """Open a bundle and check its signature, its files and its log."""
    if not path.exists():
        raise UsageError(f"{path}: no such bundle", hint="name the .zip that depose seal wrote, or its folder")
    bundle = container.open_bundle(path)
    try:
        yield _read(bundle, public_key)
    finally:
        bundle.close()


def _read(bundle: Zipped | Unpacked, public_key: bytes) -> Read:
    sizes = bundle.sizes()
    for name in ("SEAL", "SEAL.sig", "SHA256SUMS", "seal.json", "signer.pem", LOG):
        if name not in sizes:
            raise EvidenceError(f"{bundle.name}: no {name}: not sealed, or taken apart", hint="depose seal CASE")
    key = keys.load_public(_bytes(bundle, "signer.pem"), "signer.pem")
    if public_key:
        known = keys.load_public(public_key, "--public-key")
        if keys.fingerprint(known) != keys.fingerprint(key):
            raise EvidenceError(
                f"{bundle.name}: signed with the key {keys.fingerprint(key)[:16]}..., "
                f"not with {keys.fingerprint(known)[:16]}...",
                hint="somebody else sealed it",
            )
    signed = _bytes(bundle, "SEAL")
    keys.check(key, _bytes(bundle, "SEAL.sig"), signed, "SEAL.sig")
    outside = manifest.read(signed, "SEAL")
    if not {"SHA256SUMS"} <= outside.keys() <= set(OUTSIDE):
        raise EvidenceError("SEAL: lists other files than a seal does", hint=_HINT)
    _check_crc(bundle, "SEAL", "SEAL.sig")
    _check_file(bundle, "SHA256SUMS", outside["SHA256SUMS"])
    listed = manifest.read(_bytes(bundle, "SHA256SUMS"), "SHA256SUMS") | outside
    for name in sorted(sizes.keys() - listed.keys() - {"SEAL", "SEAL.sig"}):
        raise EvidenceError(f"{name}: was added; the manifest does not list it", hint=_HINT)
    for name in sorted(listed.keys() - sizes.keys()):
        raise EvidenceError(f"{name}: is missing; the manifest lists it", hint=_HINT)
    for name, wanted in listed.items():
        _check_file(bundle, name, wanted)
        if name.startswith("evidence/blobs/") and name.removeprefix("evidence/blobs/") != wanted:
            raise EvidenceError(f"{name}: its bytes do not have the digest of its name", hint=_HINT)
    return _log(bundle, key)


def _bytes(bundle: Bundle, name: str) -> bytes:
    with bundle.open(name) as file:
        return file.read()


def _check_crc(bundle: Zipped | Unpacked, *names: str) -> None:
    for name in names:
        with bundle.open(name) as file:
            _, is_ = container.digest(file)
        if isinstance(bundle, Zipped) and is_.crc != bundle.crc(name):
            raise EvidenceError(f"{bundle.name}: the checksum of {name} is wrong", hint=_HINT)


def _check_file(bundle: Zipped | Unpacked, name: str, wanted: str) -> None:
    with bundle.open(name) as file:
        found, is_ = container.digest(file)
    if found != wanted:
        link = _broken_link(bundle) if name == LOG else ""
        raise EvidenceError(f"{name}: was changed after it was sealed{link}", hint=_HINT)
    if isinstance(bundle, Zipped) and is_.crc != bundle.crc(name):
        raise EvidenceError(f"{bundle.name}: the checksum of {name} is wrong", hint=_HINT)


def _broken_link(bundle: Zipped | Unpacked) -> str:
    """Say where a changed log no longer holds together."""
    count, end = 0, ""
    try:
        with bundle.open(LOG) as file:
            for one in chained(_whole_lines(file, []), LOG):
                count, end = count + 1, one.digest
    except EvidenceError as error:
        return f"; {error.message.removeprefix(f'{LOG}: ')}"
    return f"; its {count} records are a chain in itself, but end in {end[:16]}..."


def _log(bundle: Zipped | Unpacked, key: keys.PublicKey) -> Read:
    """Read the log once: chain, order of times, length, end, tree, and that every blob it names is there."""
    try:
        seal = msgspec.json.decode(_bytes(bundle, "seal.json"), type=Seal)
    except msgspec.DecodeError as error:
        raise EvidenceError(f"seal.json: not a seal: {error}", hint="verify with the depose that sealed it") from error
    if seal.format != FORMAT or seal.signer != keys.fingerprint(key):
        raise EvidenceError("seal.json: another format, or another signer than signed it", hint=_HINT)
    tokens = {name[len("evidence/seals/") : -4] for name in bundle.sizes() if name.endswith(".tsr")}
    reading, last = Reading(bundle.name), ""
    leaves: list[bytes] = []
    dated: dict[str, Chained] = {}
    with bundle.open(LOG) as file:
        for one in chained(_whole_lines(file, leaves), LOG):
            reading.add(one)
            if one.entry.at < last:
                raise EvidenceError(
                    f"{LOG}: record {one.entry.seq} is dated {one.entry.at}, before the one that it follows",
                    hint="a log does not run backwards: the clock was set back, or the record made up",
                )
            last = one.entry.at
            if one.digest in tokens:
                dated[one.digest] = one
    entries = reading.entries()
    if (entries.records, entries.end) != (seal.log.records, seal.log.head):
        raise EvidenceError(f"{LOG}: another length or end than seal.json says", hint=_HINT)
    if merkle.root(leaves).hex() != seal.log.merkle_root:
        raise EvidenceError("seal.json: another Merkle root than that of the log", hint=_HINT)
    sent = (*entries.controls, *entries.exchanges, *entries.superseded)
    _dates(sent, entries.registered_at, last)
    named = {blob for one in sent for blob in _blobs(one) if blob}
    for blob in sorted(named - {name.rpartition("/")[2] for name in bundle.sizes()}):
        raise EvidenceError(f"{LOG}: names the blob {blob[:16]}..., which is missing", hint=_HINT)
    return Read(
        bundle=bundle,
        seal=seal,
        key=key,
        entries=entries,
        asked_at=min((one.started for one in sent), default=last),
        ended_at=last,
        dated=dated,
    )


def _whole_lines(file: Iterator[bytes], leaves: list[bytes]) -> Iterator[bytes]:
    for line in file:
        if not line.endswith(b"\n"):
            raise EvidenceError(f"{LOG}: the last line is cut off", hint=_HINT)
        leaves.append(merkle.leaf(line[:-1]))
        yield line


def _blobs(one: Exchange) -> tuple[str, ...]:
    """Name the raw bytes of an exchange, with the certificate and the times of the chunks where it has them."""
    return one.request, one.response, *((one.wire.certificate, one.wire.chunks) if one.wire else ())


def _dates(sent: Iterable[Exchange], registered_at: str, last: str) -> None:
    for one in sent:
        early = timestamp.seconds_between(one.started, registered_at) > CLOCK_TOLERANCE
        if early or one.ended < one.started or timestamp.seconds_between(last, one.ended) > CLOCK_TOLERANCE:
            raise EvidenceError(
                f"{LOG}: {one.model}, {one.prompt}: asked {one.started}, answered {one.ended}, which fits neither "
                f"the registration at {registered_at} nor the end at {last}",
                hint="the clock was set back, or the record made up",
            )


# --- time-stamps ------------------------------------------------------------------------------------


def _stamps(read: Read, roots: bytes) -> tuple[list[str], list[str]]:
    """Check every token: what it is over, who signed it, and that the dates of the log fit its time."""
    bundle, entries, missing = read.bundle, read.entries, []
    noted = {stamp.of: stamp for stamp in entries.stamps}
    checks = []
    for of in sorted(noted):
        name = f"evidence/seals/{of}.tsr"
        if name not in bundle.sizes() or of not in read.dated:
            raise EvidenceError(f"{name}: the log says that there is this token, and there is none", hint=_HINT)
        token, entry = _bytes(bundle, name), read.dated[of].entry
        if sha256(token) != noted[of].token:
            raise EvidenceError(f"{name}: another token than the log names", hint=_HINT)
        said = timestamp.verify(token, canonical(entry), roots or _bytes(bundle, f"evidence/seals/{ROOTS}"), name)
        _not_before(said.time, entry.at, f"record {entry.seq}")
        if (
            of == entries.in_force
            and timestamp.seconds_between(said.time, read.asked_at) < 0
            and not entries.superseded
        ):
            raise EvidenceError(
                f"{name}: the protocol was stamped at {said.time}, after the first question at {read.asked_at}",
                hint="it was not registered before the models were asked",
            )
        checks.append(f"time-stamp of record {entry.seq} by {said.authority}: {said.time}")
    unknown = [name for name in bundle.sizes() if name.startswith("evidence/seals/") and name.endswith(".tsr")]
    for name in unknown:
        if name[len("evidence/seals/") : -4] not in noted:
            raise EvidenceError(f"{name}: a token that the log does not name", hint=_HINT)
    if not entries.stamped:
        missing.append("when the protocol was registered: it has no time-stamp; its date rests on the signer's clock")
    if "SHA256SUMS.tsr" in bundle.sizes():
        trusted = roots or _bytes(bundle, "SHA256SUMS.pem")
        said = timestamp.verify(
            _bytes(bundle, "SHA256SUMS.tsr"), _bytes(bundle, "SHA256SUMS"), trusted, "SHA256SUMS.tsr"
        )
        _not_before(said.time, read.ended_at, "the last record")
        checks.append(f"time-stamp of the whole by {said.authority}: {said.time}")
    elif roots:
        raise EvidenceError(
            "SHA256SUMS.tsr: is missing: nothing shows that this is the bundle that was sealed first",
            hint="without --tsa-root the rest can be verified; its signer could have sealed it anew",
        )
    else:
        missing.append("when it was sealed: there is no time-stamp over the whole, so that its signer can seal it anew")
    if checks and not roots:
        missing.append("who stamped: no --tsa-root was given, and certificates in a bundle prove nothing")
    return checks, missing


def _not_before(stamped: str, at: str, what: str) -> None:
    if timestamp.seconds_between(stamped, at) > CLOCK_TOLERANCE:
        raise EvidenceError(
            f"{what} is dated {at}, after its time-stamp of {stamped}", hint="the clock of the log was wrong"
        )


# --- findings ---------------------------------------------------------------------------------------


def _statement(read: Read) -> Findings:
    """Check that findings and statement speak of this log."""
    name = f"out/{pipeline.FINDINGS}"
    data = _bytes(read.bundle, name) if name in read.bundle.sizes() else b""
    try:
        findings = msgspec.json.decode(data, type=Findings)
    except msgspec.DecodeError as error:
        raise EvidenceError(f"{name}: no findings of this version: {error}", hint="depose analyze CASE") from error
    if (findings.log_head, findings.protocol_digest) != (read.entries.head, read.entries.protocol_digest):
        raise EvidenceError(f"{name}: made from another log", hint=_HINT)
    payload = envelope.read(_bytes(read.bundle, "statement.json"), read.key, "statement.json")
    subjects = {name: sha256(data), LOG: ""}
    with read.bundle.open(LOG) as file:
        subjects[LOG] = container.digest(file)[0]
    if payload != canonical(envelope.statement(findings, subjects)):
        raise EvidenceError("statement.json: says something else than the findings", hint=_HINT)
    return findings


def _recomputed(read: Read, findings: Findings, progress: Callable[[str], None]) -> tuple[list[str], list[str]]:
    """Compute the findings again from the log and compare bytes."""
    dossier = collect.dossier_of(read.entries, read.bundle.name)
    made = pipeline.results(dossier, _calibration(read, dossier), None, progress)
    files = made.files | {"report.html": report.render_html(findings, report.Setting(annex=_annex(read)))}
    differing = [
        f"out/{name}"
        for name, data in files.items()
        if f"out/{name}" in read.bundle.sizes() and _bytes(read.bundle, f"out/{name}") != data
    ]
    written = next((fact.value for fact in dossier.registration.software if fact.name == "depose"), "")
    if differing and written == version("depose"):
        raise EvidenceError(
            f"{differing[0]}: does not follow from the log: computed again, its bytes differ",
            hint="it was changed before it was sealed, or made on a machine whose libraries round otherwise",
        )
    if differing:
        return [], [f"{', '.join(differing)}: made by depose {written}; this is {version('depose')}, and bytes differ"]
    shown = ", ".join(sorted(f"out/{name}" for name in files if f"out/{name}" in read.bundle.sizes()))
    rest = sorted(
        name for name in read.bundle.sizes() if name.startswith("out/") and name.removeprefix("out/") not in files
    )
    without = [f"{', '.join(rest)}: signed, but not computed again"] if rest else []
    for name, expected in (("VERIFY.py", instructions.script()),):
        if _bytes(read.bundle, name) != expected:
            without.append(f"{name} is not the one of this version of depose")
    return [f"computed again from the log, to the byte: {shown}"], without


def _unlike_raw(read: Read) -> list[str]:
    """List the answers whose words are not those of a string, or of all texts together, in their raw bytes."""
    found = []
    for one in read.entries.exchanges:
        if one.outcome == "answered" and one.response:
            raw = _bytes(read.bundle, f"evidence/blobs/{one.response}")
            try:
                value = json.loads(raw)
            except ValueError:
                value = raw.decode("utf-8", "replace")
            said = [
                text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") for text in _strings(value)
            ]
            if one.text not in said and one.text != "".join(said):
                found.append(f"{one.model}, {one.prompt}, sample {one.sample}, replicate {one.replicate}")
    return found


def _strings(value: object) -> Iterator[str]:
    """Yield every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)


def _annex(read: Read) -> annex.Annex:
    """Take waivers and checks of the literature, which the report prints, from the bundle."""
    names = [name for name in (annex.WAIVERS, annex.CHECKED) if name in read.bundle.sizes()]
    return annex.parse({name: _bytes(read.bundle, name) for name in names}, Path(read.bundle.name))


def _calibration(read: Read, dossier: Dossier) -> calibrated.Loaded | None:
    """Take the calibration from the blobs, by the digest that was registered."""
    name = dossier.registration.case.protocol.calibration
    fact = next((f for f in dossier.registration.files if f.name == f"calibration {name}"), Fact(name="", value=""))
    if not name:
        return None
    blob = f"evidence/blobs/{fact.value}"
    if blob not in read.bundle.sizes():
        raise EvidenceError(f"{blob}: the registered calibration is missing", hint=_HINT)
    rates = next((f.value for f in dossier.registration.files if f.name == f"error rates {name}"), "")
    try:
        found = calibrated.parse(_bytes(read.bundle, blob), name)
        if not rates:
            return found
        blob = f"evidence/blobs/{rates}"
        if blob not in read.bundle.sizes():
            raise EvidenceError(f"{blob}: the registered error rates are missing", hint=_HINT)
        return calibrated.joined(found, _bytes(read.bundle, blob), name)
    except CaseError as error:
        raise EvidenceError(f"{blob}: {error.message}", hint=error.hint) from error
