"""Opens a sealed bundle: checks its signature, that its files are those listed, and that its log is the sealed one.

A bundle says by which format it was sealed. Each format has rules that are known here; nothing else that its signer
says, such as the version of depose, switches a check off. Format 1 had no salted leaves; by format 2 the hash of a
line was like one over several (see `forms`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec

from depose.custody import commitment, container, forms, keys, kinds, manifest, merkle
from depose.custody.container import Bundle, Unpacked, Zipped
from depose.custody.described import odd_description
from depose.custody.kinds import LOG, OUTSIDE, OUTSIDE_1
from depose.custody.seal import FORMAT, LogSeal, Seal
from depose.custody.sending import Sending
from depose.custody.stamp import CLOCK_TOLERANCE
from depose.errors import EvidenceError, UsageError, shell
from depose.evidence import ledger, timestamp
from depose.evidence.ledger import Entries, Reading
from depose.evidence.log import Chained, chained
from depose.evidence.records import Amendment, Described, Drawn
from depose.model import Exchange, Fact, Registration, WeightFinding
from depose.model.canonical import UNREADABLE, in_one_form

FORMAT_1, FORMAT_2 = "depose seal 1", "depose seal 2"
FORMS = {FORMAT_2: 2, FORMAT: forms.LATEST}
"""Form of the salted leaves of each format that has them."""
LARGEST = 65_536
"""Bytes of what is read before a signature was checked."""
LARGE = 64 * 1024**2
"""Bytes of a file that is read whole; what is larger is only ever digested."""
LONGEST_LINE = 256 * 1024**2
HINT = "ask for the bundle as it was sealed"
UNSEALED = Seal(
    format="",
    sealed_at="",
    depose="",
    signer="",
    protocol="",
    phase="",
    log=LogSeal(records=0, head="", merkle_root=""),
)
"""Stands for the seal of a case that has none."""


class Asked(NamedTuple):
    """An exchange, the number of its record, and the protocol that it was made under."""

    record: int
    exchange: Exchange
    registration: Registration
    described: tuple[Fact, ...]
    """What its endpoint said of itself before."""
    control: bool


class Read(NamedTuple):
    """A bundle whose files, log and seal agree."""

    bundle: Bundle
    seal: Seal
    key: keys.PublicKey
    entries: Entries
    asked_at: str
    """When the first question was asked."""
    ended_at: str
    dated: dict[str, Chained]
    """Records that have a token, by digest."""
    asked: tuple[Asked, ...]
    """All exchanges, those that count and those that do not."""
    of_line_up: tuple[Asked, ...]
    """What models said to the bags of a line-up."""
    weighed: tuple[tuple[int, WeightFinding], ...]
    """Comparisons of weights, each with the number of its record."""
    blobs: frozenset[str]
    """Blobs that records name."""
    unnamed: tuple[str, ...]
    """Blobs that no record names: a kill left them, and format 1 sealed them all the same."""


@contextlib.contextmanager
def opened(path: Path, public_key: bytes) -> Iterator[Read]:
    """Open a bundle and check its signature, its files and its log."""
    if not path.exists():
        raise UsageError(f"{path}: no such bundle", hint="name the .zip that depose seal wrote, or its folder")
    if held := _beside(path):
        raise UsageError(f"{path}: is no bundle, and holds {len(held)}", hint=f"depose verify {shell(held[-1])}")
    bundle = container.open_bundle(path)
    try:
        yield _read(bundle, public_key)
    finally:
        bundle.close()


def _beside(path: Path) -> list[Path]:
    """List the bundles that a case folder, or the folder of its bundles, holds, the last one at the end."""
    if not path.is_dir() or (path / "SEAL").exists():
        return []
    found = [*(path / "sealed").glob("*.zip"), *path.glob("*.zip")]
    return sorted(found, key=lambda one: (one.stat().st_mtime, one.name))


def _read(bundle: Zipped | Unpacked, public_key: bytes) -> Read:
    sizes = bundle.sizes()
    for name in ("SEAL", "SEAL.sig", "SHA256SUMS", *kinds.NEEDED):
        if name not in sizes:
            raise EvidenceError(f"{bundle.name}: no {name}: not sealed, or taken apart", hint="depose seal CASE")
    for name in ("SEAL", "SEAL.sig", "signer.pem", "seal.json"):
        if sizes[name] > LARGEST:
            raise EvidenceError(f"{bundle.name}: {name}: has {sizes[name]} bytes, more than any has", hint=HINT)
    key = keys.signer(content(bundle, "signer.pem"), public_key, bundle.name)
    signed = content(bundle, "SEAL")
    keys.check(key, content(bundle, "SEAL.sig"), signed, "SEAL.sig")
    outside = manifest.read(signed, "SEAL")
    if not {"SHA256SUMS"} <= outside.keys() <= set(OUTSIDE):
        raise EvidenceError("SEAL: lists other files than a seal does", hint=HINT)
    check_crc(bundle, "SEAL", "SEAL.sig")
    check_file(bundle, "SHA256SUMS", outside["SHA256SUMS"])
    listed = manifest.read(content(bundle, "SHA256SUMS"), "SHA256SUMS") | outside
    for name in sorted(sizes.keys() - listed.keys() - {"SEAL", "SEAL.sig"}):
        raise EvidenceError(f"{name}: was added; the manifest does not list it", hint=HINT)
    for name in sorted(listed.keys() - sizes.keys()):
        raise EvidenceError(f"{name}: is missing; the manifest lists it", hint=HINT)
    for name, wanted in listed.items():
        check_file(bundle, name, wanted)
        if name.startswith("evidence/blobs/") and name.removeprefix("evidence/blobs/") != wanted:
            raise EvidenceError(f"{name}: its bytes do not have the digest of its name", hint=HINT)
    seal = _seal(bundle, key)
    _by_format(bundle, seal, outside.keys(), listed.keys() - outside.keys())
    return read_log(bundle, key, seal)


def _seal(bundle: Bundle, key: keys.PublicKey) -> Seal:
    """Read seal.json."""
    data = content(bundle, "seal.json")
    try:
        seal = msgspec.json.decode(data, type=Seal)
    except UNREADABLE as error:
        raise EvidenceError(f"seal.json: not a seal: {error}", hint="verify with the depose that sealed it") from error
    if seal.format not in (FORMAT_1, *FORMS):
        raise EvidenceError(
            f"seal.json: sealed as {seal.format[:40]!r}, and only {FORMAT_1!r} to {FORMAT!r} are known here",
            hint="verify with the depose that sealed it",
        )
    if not in_one_form(data):
        raise EvidenceError("seal.json: not in canonical form: what says a thing twice says two things", hint=HINT)
    if seal.signer != keys.fingerprint(key):
        raise EvidenceError("seal.json: names another signer than signed it", hint=HINT)
    return seal


def _by_format(bundle: Bundle, seal: Seal, outside: Collection[str], inside: Collection[str]) -> None:
    """Check what a bundle of its format has beside the files of the case."""
    if seal.format == FORMAT_1:
        for name in sorted((set(outside) - set(OUTSIDE_1)) | ({commitment.SALTS, "COPY.py"} & set(inside))):
            raise EvidenceError(f"{name}: is no file of a bundle of the format {FORMAT_1!r}", hint=HINT)
        return
    for name in (commitment.FILE, commitment.SALTS):
        if name not in (*outside, *inside):
            raise EvidenceError(f"{name}: is missing; a bundle of the format {seal.format!r} has it", hint=HINT)
    given = {name: content(bundle, name) for name in (commitment.FILE, commitment.SALTS)}
    commitment.check(bundle, [name for name in inside if name != commitment.SALTS], given, FORMS[seal.format])


def content(bundle: Bundle, name: str) -> bytes:
    """Read a file of a bundle whole; raise EvidenceError where there is none, or one that is too large for that."""
    size = bundle.sizes().get(name)
    if size is None:
        raise EvidenceError(f"{name}: is missing", hint=HINT)
    if size > LARGE:
        raise EvidenceError(f"{name}: has {size} bytes, more than the {LARGE} that are read", hint=HINT)
    with bundle.open(name) as file:
        return file.read()


def check_crc(bundle: Zipped | Unpacked, *names: str) -> None:
    """Compare the checksums that a zip states with the files; there are none in a folder."""
    for name in names:
        with bundle.open(name) as file:
            _, is_ = container.digest(file)
        if isinstance(bundle, Zipped) and is_.crc != bundle.crc(name):
            raise EvidenceError(f"{bundle.name}: the checksum of {name} is wrong", hint=HINT)


def check_file(bundle: Zipped | Unpacked, name: str, wanted: str) -> None:
    """Raise EvidenceError unless a file has the digest that is wanted, and the checksum that its zip states."""
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


def read_log(bundle: Bundle, key: keys.PublicKey, seal: Seal) -> Read:
    """Read the log once: chain, order of times, length, end, tree, and that every file is one that it names.

    Under UNSEALED, of a case that nobody sealed, there is no length and no end to compare it with.
    """
    tokens = {name[len("evidence/seals/") : -4] for name in bundle.sizes() if name.endswith(".tsr")}
    reading, last = Reading(bundle.name), ""
    leaves: list[bytes] = []
    dated: dict[str, Chained] = {}
    asked: list[Asked] = []
    of_line_up: list[Asked] = []
    weighed: list[tuple[int, WeightFinding]] = []
    blobs: set[str] = set()
    registration: Registration | None = None
    described: dict[str, tuple[Fact, ...]] = {}
    sending, odd = Sending(), None
    with bundle.open(LOG) as file:
        for one in chained(_whole_lines(file, leaves), LOG):
            timestamp.moment(one.entry.at, f"{LOG}: record {one.entry.seq}")
            reading.add(one)
            if one.entry.at < last:
                raise EvidenceError(
                    f"{LOG}: record {one.entry.seq} is dated {one.entry.at}, before the one that it follows",
                    hint="a log does not run backwards: the clock was set back, or the record made up",
                )
            last = one.entry.at
            if one.digest in tokens:
                dated[one.digest] = one
            kind = one.entry.kind
            sending.see(one)
            if kind == "protocol":
                registration = ledger.body(one, Registration)
            elif kind == "amendment":
                registration = ledger.body(one, Amendment).registration
            elif kind == "seed":
                registration = ledger.body(one, Drawn).registration
            elif kind in ("exchange", "control", "lineup_answer") and registration is not None:
                exchange = ledger.body(one, Exchange)
                odd = odd or sending.odd(one, exchange, registration.case.models)
                facts = described.get(exchange.model, ())
                place = of_line_up if kind == "lineup_answer" else asked
                place.append(Asked(one.entry.seq, exchange, registration, facts, kind == "control"))
            elif kind == "weights":
                weighed.append((one.entry.seq, ledger.body(one, WeightFinding)))
            elif kind == "endpoint":
                endpoint = ledger.body(one, Described)
                described[endpoint.model] = endpoint.facts
                odd = odd or odd_description(one, endpoint, registration)
            models = registration.case.models if registration else ()
            blobs.update(kinds.blobs_of(one.entry, {spec.code for spec in models if spec.provider == "recorded"}))
    entries = reading.entries()
    if seal is not UNSEALED and (entries.records, entries.end) != (seal.log.records, seal.log.head):
        raise EvidenceError(f"{LOG}: another length or end than seal.json says", hint=HINT)
    if seal is not UNSEALED and merkle.root(leaves).hex() != seal.log.merkle_root:
        raise EvidenceError("seal.json: another Merkle root than that of the log", hint=HINT)
    sent = (*entries.controls, *entries.exchanges, *entries.superseded)
    _dates((*sent, *(one.exchange for one in of_line_up)), entries.registered_at, last)
    if odd is not None:
        raise odd
    there = {found[1] for name in bundle.sizes() if (found := kinds.BLOB.match(name))}
    for blob in sorted(blobs - there):
        raise EvidenceError(f"{LOG}: names the blob {blob[:16]}..., which is missing", hint=HINT)
    unnamed = tuple(sorted(f"evidence/blobs/{blob}" for blob in there - blobs)) if seal.format == FORMAT_1 else ()
    return Read(
        bundle=bundle,
        seal=seal,
        key=key,
        entries=entries,
        asked_at=min((one.started for one in sent), default=last),
        ended_at=last,
        dated=dated,
        asked=tuple(asked),
        of_line_up=tuple(of_line_up),
        weighed=tuple(weighed),
        blobs=frozenset(blobs),
        unnamed=unnamed,
    )


def _whole_lines(file: BinaryIO, leaves: list[bytes]) -> Iterator[bytes]:
    while line := file.readline(LONGEST_LINE):
        if not line.endswith(b"\n"):
            cut = "the last line is cut off" if len(line) < LONGEST_LINE else f"a line of {LONGEST_LINE} bytes or more"
            raise EvidenceError(f"{LOG}: {cut}", hint=HINT)
        leaves.append(merkle.leaf(line[:-1]))
        yield line


def _dates(sent: Iterable[Exchange], registered_at: str, last: str) -> None:
    for one in sent:
        for at in (one.started, one.ended):
            timestamp.moment(at, f"{LOG}: {one.model}, {one.prompt}")
        early = timestamp.seconds_between(one.started, registered_at) > CLOCK_TOLERANCE
        if early or one.ended < one.started or timestamp.seconds_between(last, one.ended) > CLOCK_TOLERANCE:
            raise EvidenceError(
                f"{LOG}: {one.model}, {one.prompt}: asked {one.started}, answered {one.ended}, which fits neither "
                f"the registration at {registered_at} nor the end at {last}",
                hint="the clock was set back, or the record made up",
            )
