"""The ledger of a signing key: every protocol that was registered with it, in one chain.

A time-stamp proves that a protocol is older than its answers, and not that there was no other. Beside a key lies
`KEY.ledger.jsonl`: one canonical line for each registration, with the digest of the line before it, signed by the key.
Whoever registers ten protocols with a key and shows one shows number and head of ten. What a ledger cannot show is
another key, or a registration without one; for these the report has a sentence that its signer completes.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from depose.custody import keys
from depose.errors import DeposeError, EvidenceError
from depose.evidence import timestamp
from depose.evidence.ledger import Reading
from depose.evidence.log import GENESIS, Clock, Log, write_whole
from depose.evidence.workspace import held
from depose.model import InLedger, KeyLine, Record
from depose.model.canonical import UNREADABLE, canonical, sha256

FORMAT = "depose key ledger 1"
LARGEST = 64 * 1024**2
DIGEST = re.compile(r"[0-9a-f]{64}\Z")
KIND = "ledger"
HINT = (
    "keep the ledger beside its key and never edit it; a copy of it from before will do if nothing was registered since"
)


class Signed(Record, frozen=True, kw_only=True):
    """One line of the file."""

    line: KeyLine
    signature: str
    """Of the canonical form of `line`, by the key, in hexadecimal digits."""


def path_of(key: Path) -> Path:
    """Name the ledger of a key file."""
    return key.with_name(f"{key.name}.ledger.jsonl")


def read(path: Path, key: keys.PublicKey) -> tuple[InLedger, ...]:
    """Read a ledger and check its chain and every signature; empty where there is none."""
    if not path.is_file():
        return ()
    if path.stat().st_size > LARGEST:
        raise EvidenceError(f"{path}: larger than any ledger", hint=HINT)
    found: list[InLedger] = []
    for number, raw in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        where = f"{path}: line {number}"
        try:
            signed = msgspec.json.decode(raw, type=Signed)
        except UNREADABLE as error:
            raise EvidenceError(f"{where}: no line of a ledger: {error}", hint=HINT) from error
        if raw != canonical(signed) + b"\n":
            raise EvidenceError(f"{where}: not in canonical form, or without its end", hint=HINT)
        made = _entered(signed, keys.fingerprint(key))
        last = found[-1].head if found else GENESIS
        if (made.line.seq, made.line.prev, made.line.format) != (len(found), last, FORMAT):
            raise EvidenceError(f"{where}: does not follow the line before it", hint=HINT)
        check(made, key, where)
        found.append(made)
    return tuple(found)


def _entered(signed: Signed, fingerprint: str) -> InLedger:
    return InLedger(
        key=fingerprint,
        line=signed.line,
        signature=signed.signature,
        head=sha256(canonical(signed)),
        count=signed.line.seq + 1,
    )


def check(one: InLedger, key: keys.PublicKey, where: str) -> None:
    """Raise EvidenceError unless an entry is what it says, and signed by the key."""
    again = _entered(Signed(line=one.line, signature=one.signature), keys.fingerprint(key))
    if again != one:
        raise EvidenceError(f"{where}: number, head or key are not those of its line", hint=HINT)
    first = one.line.seq == 0 and one.line.prev == GENESIS
    follows = one.line.seq > 0 and one.line.prev != GENESIS and DIGEST.match(one.line.prev)
    if one.line.format != FORMAT or not (first or follows):
        raise EvidenceError(f"{where}: number {one.count} is no place in a ledger", hint=HINT)
    timestamp.moment(one.line.at, where)
    try:
        signature = bytes.fromhex(one.signature)
    except ValueError as error:
        raise EvidenceError(f"{where}: its signature is no hexadecimal number", hint=HINT) from error
    keys.check(key, signature, canonical(one.line), where)


def enter(folder: Path, path: Path, key: keys.PrivateKey, clock: Clock) -> InLedger:
    """Enter the protocol of a case into the ledger of a key, once, and note the entry in the log of the case.

    Raises EvidenceError where the ledger does not hold, and DeposeError where it cannot be written.
    """
    file, public = path_of(path), key.public_key()
    reading = Reading(str(folder))
    with held(path.parent), Log(folder, clock, reading.add) as log:
        entries = reading.entries()
        lines = read(file, public)
        noted = entries.ledger
        if noted is not None and noted.key == keys.fingerprint(public) and noted not in lines:
            raise EvidenceError(
                f"{file}: does not hold entry {noted.count}, which the log of {folder} notes: it was set back",
                hint="restore the ledger as it was when this case was registered, or later",
            )
        made = next((one for one in lines if one.line.protocol == entries.protocol_digest), None)
        if made is None:
            line = KeyLine(
                format=FORMAT,
                seq=len(lines),
                prev=lines[-1].head if lines else GENESIS,
                at=clock(),
                protocol=entries.protocol_digest,
            )
            signed = Signed(line=line, signature=keys.sign(key, canonical(line)).hex())
            before = file.read_bytes() if lines else b""
            try:
                write_whole(file, before + canonical(signed) + b"\n")
            except OSError as error:
                raise DeposeError(
                    f"{file}: {error.strerror or error}", hint="the ledger lies beside its key"
                ) from error
            made = _entered(signed, keys.fingerprint(public))
        if entries.ledger != made:
            log.append(KIND, made)
    return made
