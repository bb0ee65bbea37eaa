"""Time-stamps of single records: of the protocol before anything is asked, of checkpoints as the log grows."""

from __future__ import annotations

from pathlib import Path

from depose.endpoints import time_stamp_authority
from depose.errors import CaseError, EvidenceError, UsageError
from depose.evidence import timestamp
from depose.evidence.ledger import Reading
from depose.evidence.log import Chained, Clock, Log, seals_folder, write_whole
from depose.evidence.records import Stamp
from depose.model import Record
from depose.model.canonical import canonical, sha256
from depose.registering import draw_seed

ROOTS = "tsa.pem"
CLOCK_TOLERANCE = 300.0
"""Seconds by which the clock of the log may differ from that of the authority."""


class Source(Record, frozen=True, kw_only=True):
    """Where a token comes from: an authority's URL, or a file that somebody fetched; and whom to trust."""

    url: str = ""
    token: bytes = b""
    roots: bytes = b""

    @property
    def given(self) -> bool:
        """Whether a token was asked for at all."""
        return bool(self.url or self.token)

    def checked(self) -> Source:
        """Refuse a token without roots, or from two places."""
        if self.given and not self.roots:
            raise UsageError("a token needs the certificates that it is traced to", hint="--tsa-root PEM")
        if self.url and self.token:
            raise UsageError("a token comes from a URL or from a file", hint="give --tsa or --token")
        return self


class Fetched(Record, frozen=True, kw_only=True):
    """A token over some data, and the request that led to it, if it was asked for here."""

    query: bytes
    token: bytes
    said: timestamp.Token


def fetch(data: bytes, source: Source, name: str) -> Fetched:
    """Get a token over data and check it."""
    query, token = b"", source.token
    if source.url:
        query = timestamp.request(data)
        token = time_stamp_authority.ask(source.url, query)
        if not timestamp.answers(token, query):
            raise EvidenceError(f"{source.url}: the reply answers another request", hint="try another authority")
    return Fetched(query=query, token=token, said=timestamp.verify(token, data, source.roots, name))


def obtain(folder: Path, source: Source, target: Chained) -> Stamp:
    """Have a record time-stamped and keep request, token and certificates in `seals`; the log is left alone."""
    seals = seals_folder(folder)
    kept = _kept(seals / f"{target.digest}.tsr", target, source)
    got = kept or fetch(canonical(target.entry), source, f"token of record {target.entry.seq}")
    if timestamp.seconds_between(got.said.time, target.entry.at) > CLOCK_TOLERANCE:
        raise CaseError(
            f"record {target.entry.seq} is dated {target.entry.at}, but its token {got.said.time}",
            hint="set the clock of this machine right",
        )
    seals.mkdir(exist_ok=True)
    for suffix, data in ((".tsq", got.query), (".tsr", got.token)):
        if data and kept is None:
            _put(seals / f"{target.digest}{suffix}", data)
    known = (seals / ROOTS).read_bytes() if (seals / ROOTS).is_file() else b""
    if source.roots not in known:
        write_whole(seals / ROOTS, known + source.roots)
    return Stamp(of=target.digest, time=got.said.time, token=sha256(got.token), authority=got.said.authority)


def _kept(file: Path, target: Chained, source: Source) -> Fetched | None:
    """Return a token that stands there already and holds: one from before a kill is earlier than any new one."""
    if source.token or not file.is_file():
        return None
    token = file.read_bytes()
    try:
        said = timestamp.verify(token, canonical(target.entry), source.roots, file.name)
    except EvidenceError:
        return None
    return Fetched(query=b"", token=token, said=said)


def _put(file: Path, data: bytes) -> None:
    """Write a file beside which another one, that stood there before, is kept under the name of its digest."""
    if file.is_file() and (before := file.read_bytes()) != data:
        write_whole(file.with_name(f"{file.stem}-{sha256(before)[:12]}{file.suffix}"), before)
    write_whole(file, data)


def stamp(folder: Path, source: Source, clock: Clock, record: str = "") -> Stamp:
    """Time-stamp the protocol in force, or a record by its digest, or that which a token file is over; note it.

    A protocol that draws its seed from the token has it drawn.
    """
    made = _stamped(folder, source, clock, record)
    draw_seed(folder, clock)
    return made


def _stamped(folder: Path, source: Source, clock: Clock, record: str) -> Stamp:
    source.checked()
    wanted = timestamp.imprint(source.token, "the token") if source.token else record
    known: dict[str, Chained] = {}
    reading = Reading(str(folder))

    def each(chained: Chained) -> None:
        reading.add(chained)
        if chained.entry.kind in ("protocol", "amendment") or chained.digest == wanted:
            known[chained.digest] = chained

    with Log(folder, clock, each) as log:
        found = reading.entries()
        target = known.get(wanted or found.in_force)
        if target is None:
            raise CaseError(
                f"the token is over {wanted[:16]}..., no record of {folder}", hint="is it for another case?"
            )
        before = next((one for one in found.stamps if one.of == target.digest), None)
        if before is not None:
            return before
        made = obtain(folder, source, target)
        log.append("timestamp", made)
    return made
