"""Opens a sealed bundle: checks its signature, that its files are those listed, and that its log is the sealed one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from depose.custody import container, keys, manifest, merkle
from depose.custody.container import Bundle, Unpacked, Zipped
from depose.custody.seal import FORMAT, OUTSIDE, Seal
from depose.custody.stamp import CLOCK_TOLERANCE
from depose.errors import EvidenceError, UsageError
from depose.evidence import timestamp
from depose.evidence.ledger import Entries, Reading
from depose.evidence.log import Chained, chained
from depose.model import Exchange

LOG = "evidence/log.jsonl"
LARGEST = 65_536
"""Bytes of what is read before a signature was checked."""
HINT = "ask for the bundle as it was sealed"


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
    for name in ("SEAL", "SEAL.sig", "signer.pem"):
        if sizes[name] > LARGEST:
            raise EvidenceError(f"{bundle.name}: {name}: has {sizes[name]} bytes, more than any has", hint=HINT)
    key = keys.load_public(content(bundle, "signer.pem"), "signer.pem")
    if public_key:
        known = keys.load_public(public_key, "--public-key")
        if keys.fingerprint(known) != keys.fingerprint(key):
            raise EvidenceError(
                f"{bundle.name}: signed with the key {keys.fingerprint(key)[:16]}..., "
                f"not with {keys.fingerprint(known)[:16]}...",
                hint="somebody else sealed it",
            )
    signed = content(bundle, "SEAL")
    keys.check(key, content(bundle, "SEAL.sig"), signed, "SEAL.sig")
    outside = manifest.read(signed, "SEAL")
    if not {"SHA256SUMS"} <= outside.keys() <= set(OUTSIDE):
        raise EvidenceError("SEAL: lists other files than a seal does", hint=HINT)
    _check_crc(bundle, "SEAL", "SEAL.sig")
    _check_file(bundle, "SHA256SUMS", outside["SHA256SUMS"])
    listed = manifest.read(content(bundle, "SHA256SUMS"), "SHA256SUMS") | outside
    for name in sorted(sizes.keys() - listed.keys() - {"SEAL", "SEAL.sig"}):
        raise EvidenceError(f"{name}: was added; the manifest does not list it", hint=HINT)
    for name in sorted(listed.keys() - sizes.keys()):
        raise EvidenceError(f"{name}: is missing; the manifest lists it", hint=HINT)
    for name, wanted in listed.items():
        _check_file(bundle, name, wanted)
        if name.startswith("evidence/blobs/") and name.removeprefix("evidence/blobs/") != wanted:
            raise EvidenceError(f"{name}: its bytes do not have the digest of its name", hint=HINT)
    return _log(bundle, key)


def content(bundle: Bundle, name: str) -> bytes:
    """Read a file of a bundle."""
    with bundle.open(name) as file:
        return file.read()


def _check_crc(bundle: Zipped | Unpacked, *names: str) -> None:
    for name in names:
        with bundle.open(name) as file:
            _, is_ = container.digest(file)
        if isinstance(bundle, Zipped) and is_.crc != bundle.crc(name):
            raise EvidenceError(f"{bundle.name}: the checksum of {name} is wrong", hint=HINT)


def _check_file(bundle: Zipped | Unpacked, name: str, wanted: str) -> None:
    with bundle.open(name) as file:
        found, is_ = container.digest(file)
    if found != wanted:
        link = _broken_link(bundle) if name == LOG else ""
        raise EvidenceError(f"{name}: was changed after it was sealed{link}", hint=HINT)
    if isinstance(bundle, Zipped) and is_.crc != bundle.crc(name):
        raise EvidenceError(f"{bundle.name}: the checksum of {name} is wrong", hint=HINT)


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
        seal = msgspec.json.decode(content(bundle, "seal.json"), type=Seal)
    except msgspec.DecodeError as error:
        raise EvidenceError(f"seal.json: not a seal: {error}", hint="verify with the depose that sealed it") from error
    if seal.format != FORMAT or seal.signer != keys.fingerprint(key):
        raise EvidenceError("seal.json: another format, or another signer than signed it", hint=HINT)
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
        raise EvidenceError(f"{LOG}: another length or end than seal.json says", hint=HINT)
    if merkle.root(leaves).hex() != seal.log.merkle_root:
        raise EvidenceError("seal.json: another Merkle root than that of the log", hint=HINT)
    sent = (*entries.controls, *entries.exchanges, *entries.superseded)
    _dates(sent, entries.registered_at, last)
    named = {blob for one in sent for blob in _blobs(one) if blob}
    for blob in sorted(named - {name.rpartition("/")[2] for name in bundle.sizes()}):
        raise EvidenceError(f"{LOG}: names the blob {blob[:16]}..., which is missing", hint=HINT)
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
            raise EvidenceError(f"{LOG}: the last line is cut off", hint=HINT)
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
