"""Makes derived copies of a sealed bundle: with words withheld, or single records alone. The bundle stays as it is.

What the form of a copy is, and how one is verified, stands in `copies` and `proofs`. A passage is withheld in whole
words, with every digest that covers it. A file that is not text (PDF, Parquet, a compressed answer) cannot be searched
and is left out, a PDF of the report among them.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import msgspec

from depose.analysis import results
from depose.custody import (
    commitment,
    container,
    copies,
    forms,
    kinds,
    leaves,
    lengths,
    manifest,
    merkle,
    passages,
    proofs,
    text_digests,
)
from depose.custody.bundle import FORMAT_1, FORMS, LARGE, Read, content, opened
from depose.custody.copies import Absent, Copy, Passage, Shown
from depose.custody.kinds import BLOB, LOG, OUTSIDE, TOKEN
from depose.custody.near_finds import Near, near
from depose.custody.passages import Spans, Wanted
from depose.custody.verified import Verified, as_evidence
from depose.errors import UsageError
from depose.model import Record
from depose.model.canonical import canonical, sha256

KEPT = ("signer.pem", "VERIFY.py", "SCORE.py", "COPY.py")
"""Files without a word of the case, by which a copy is checked."""
DIGEST = "a digest, count or place that tells what is withheld"
SHORTEST = 6
"""Digits of a digest that is cut short: as many as the id of a prompt has."""
UNREADABLE = "it is not text and cannot be searched"
_DIGESTS = re.compile(rb"[0-9a-f]{8,}|(?<=-)[0-9a-f]{6,7}(?![0-9A-Za-z])")
_LARGEST_SEARCHED = LARGE


class Redacted(Record, frozen=True, kw_only=True):
    """A derived copy that was written."""

    folder: str
    parent: str
    """SHA-256 of the parent's SEAL."""
    ranges: int
    """Passages that are withheld."""
    files: int
    """Files in which there are some, or which are left out."""
    left_out: tuple[str, ...]
    """Files that are left out, and why."""
    near: tuple[Near, ...]
    """What is like the words and was not withheld: for whoever makes the copy to look at, and no part of it."""
    cautions: tuple[str, ...]
    """What not to rely on in the copy, though it was sealed so."""


def redact(path: Path, goal: Path, wanted: Wanted, reason: str, at: str) -> Redacted:
    """Write a copy in which something is withheld wherever it stands; raise UsageError if it stands nowhere."""
    if not copies.is_reason(reason) or wanted == Wanted() or not all(word.strip() for word in wanted.words):
        raise UsageError("a redaction needs words and a reason", hint="--find TEXT or --find-env VAR, and --reason")
    _is_new(goal)
    with as_evidence(path), opened(path, b"") as read:
        master = _master(read, path)
        cut = _Cut(read, wanted)
        if not cut.spans and not cut.whole_for_words:
            raise UsageError(f"{path}: these words stand nowhere in it", hint="nothing was written")
        cut.withhold_digests()
        cut.withhold_lengths()
        made = {name: content(read.bundle, name) for name in copies.SEALED if name in read.bundle.sizes()}
        listed, files, absent = list[Passage](), list[Shown](), list[Absent]()
        for name in cut.names:
            secret = leaves.secret_of(master, name)
            if name in cut.whole:
                absent.append(_left_out(read, name, secret, hidden=cut.is_secret(name)))
                shown = absent[-1].name
                listed.append(
                    Passage(file=shown, line=0, passages=1, reason=f"{reason.strip()}: {cut.whole[name]}", at=at)
                )
            elif name in cut.spans:
                goes_by = f"evidence/blobs/withheld-{len(files)}" if cut.is_secret(name) else name
                file, data, rows = _shown(cut, name, secret, goes_by, FORMS[read.seal.format])
                files.append(file)
                made[goes_by] = data
                for row in rows:
                    why = DIGEST if row.reason == DIGEST else reason.strip()
                    listed.append(msgspec.structs.replace(row, reason=why, at=at))
            else:
                files.append(Shown(name=name, secret=secret.hex()))
                made[name] = cut.data[name]
        made[copies.INDEX] = canonical(Copy(format=_format(read), files=tuple(files), absent=tuple(absent)))
        made[copies.RANGES] = copies.rows(listed)
        text = {one.name: made[one.name] for one in files if one.name not in KEPT}
        like = near(text, cut.words)
    checked = _write(goal, made, lambda work: copies.verify_copy(work, b""))
    return Redacted(
        folder=str(goal),
        parent=sha256(made["SEAL"]),
        ranges=sum(one.passages for one in listed if one.line),
        files=len({one.file for one in listed if one.line}) + len(absent),
        left_out=tuple(f"{name}: {why}" for name, why in sorted(cut.whole.items())),
        near=like,
        cautions=checked.cautions,
    )


def _master(read: Read, path: Path) -> bytes:
    if read.seal.format == FORMAT_1:
        raise UsageError(
            f"{path}: sealed as {FORMAT_1!r}, without salted leaves: nothing could prove a copy of it",
            hint="seal the case again with this version: depose seal CASE --key KEY",
        )
    return commitment.master(content(read.bundle, commitment.SALTS))


class _Cut:
    """The files of a bundle, and what is withheld of each."""

    def __init__(self, read: Read, wanted: Wanted) -> None:
        sizes = read.bundle.sizes()
        self.names = sorted(sizes.keys() - {*OUTSIDE, "SEAL", "SEAL.sig", commitment.SALTS})
        self.spans: dict[str, Spans] = {}
        self.whole: dict[str, str] = {}
        """Files that are left out, and why."""
        self.data: dict[str, bytes] = {}
        self._secret: set[str] = set()
        self._hidden: set[str] = set()
        self._begins: dict[str, set[str]] = {}
        self._digest_spans: dict[str, set[tuple[int, int]]] = {}
        asked = (*read.asked, *read.of_line_up)
        self.words = passages.words_of(wanted, asked)
        quotes = passages.quotes_of(wanted, asked)
        parts = passages.parts_of(wanted, asked) + _values(read, wanted)
        sought, raw = passages.sought((*self.words, *quotes), parts), passages.raw_of(wanted, asked)
        for name in self.names:
            if sizes[name] > _LARGEST_SEARCHED:
                self.whole[name] = f"it has {sizes[name]} bytes, too many to be searched"
                self._keep_secret(_digest_of(read, name))
                continue
            self.data[name] = content(read.bundle, name)
            if name not in kinds.ALWAYS and passages.places(name.encode(), sought):
                self.whole[name] = "its name holds what is withheld"
                self._hidden.add(name)
            elif name in raw:
                self.whole[name] = "raw bytes of what is withheld"
            elif name in (*KEPT, "VERIFY.md") or TOKEN.match(name):
                continue
            elif not leaves.is_text(leaves.buffer(self.data[name])):
                self.whole[name] = UNREADABLE
            elif found := passages.places(self.data[name], sought):
                self.spans[name] = found
        if quotes and LOG in self.data:
            self.spans[LOG] = passages.exactly(
                self.data[LOG], wanted.passages, passages.sought(self.words), self.spans[LOG]
            )
        self.whole_for_words = {name for name, why in self.whole.items() if why != UNREADABLE}

    def is_secret(self, name: str) -> bool:
        """Tell whether the name of a file is itself a digest of what is withheld."""
        found = BLOB.match(name) or TOKEN.match(name)
        return name in self._hidden or (found is not None and found[1] in self._secret)

    def withhold_digests(self) -> None:
        """Withhold all digests that cover what is withheld, until none is left.

        Who knows all but a few digits of a line tries them all against its digest; and a line that names the digest of
        another is covered by whatever covers that one.
        """
        for name in self.spans:
            for digest in text_digests.of_texts(self.data[name], self._of_words(name)):
                self._keep_secret(digest)
        before = -1
        while before != len(self._secret):
            before = len(self._secret)
            for name in (*self.spans, *self.whole):
                if name in self.data:
                    self._keep_secret(sha256(self.data[name]))
            self._along_the_log()
            for name in self.names:
                if name in self.whole or name in KEPT or name == LOG:
                    continue
                if (token := TOKEN.match(name)) and token[1] in self._secret:
                    self.whole[name] = "a token over a record of which a part is withheld"
                elif name == "statement.json" and self._covered(_payload(self.data[name])):
                    self.whole[name] = DIGEST
                elif found := self._covered(self.data[name]):
                    self._add(name, found)

    def withhold_lengths(self) -> None:
        """Withhold what tells how long a withheld passage is: counts of bytes and tokens, times of chunks, places."""
        chunks, touched = set[str](), {name: set(self._of_words(name)) for name in self.spans}
        for name in (one for one, spans in touched.items() if spans and one != LOG):
            self._add(name, lengths.told(name, self.data[name]))
        at, starts = 0, sorted(start for start, _ in touched.get(LOG, ()))
        for line in leaves.lines(self.data.get(LOG, b"")) if starts else ():
            end = at + len(line)
            if bisect_left(starts, at) < bisect_left(starts, end) and lengths.of_answer(line):
                self._add(LOG, [(at + start, at + stop) for start, stop in lengths.told(LOG, line)])
                chunks |= {f"evidence/blobs/{match[1].decode()}" for match in lengths.CHUNKS.finditer(line)}
            at = end
        self.whole |= dict.fromkeys(
            (name for name in chunks if name in self.data and name not in self.whole),
            "it tells how long what is withheld is",
        )
        self.withhold_digests()

    def _of_words(self, name: str) -> set[tuple[int, int]]:
        """Return what is withheld in a file that is no digest or count."""
        return set(self.spans.get(name, ())) - self._digest_spans.get(name, set())

    def _add(self, name: str, found: Iterable[tuple[int, int]]) -> None:
        known = self._digest_spans.setdefault(name, set())
        new = set(found) - known
        known |= new
        if new:
            self.spans.setdefault(name, []).extend(new)

    def _along_the_log(self) -> None:
        """Go through the log: each line of which something is withheld makes its digest, in the next, a secret."""
        if LOG in self.whole:
            return
        spans, at, place, found = sorted(self.spans.get(LOG, [])), 0, 0, list[tuple[int, int]]()
        touched_any = False
        for line in leaves.lines(self.data[LOG]):
            end = at + len(line)
            while place < len(spans) and spans[place][1] <= at:
                place += 1
            touched = any(start < end and at < stop for start, stop in spans[place:])
            here = [(at + start, at + stop) for start, stop in self._covered(line)]
            found += here
            if touched or here:
                touched_any = True
                self._keep_secret(sha256(line[:-1]))
            at = end
        self._add(LOG, found)
        if touched_any:
            self._keep_secret(merkle.root([merkle.leaf(line[:-1]) for line in leaves.lines(self.data[LOG])]).hex())

    def _keep_secret(self, digest: str) -> None:
        self._secret.add(digest)
        self._begins.setdefault(digest[:SHORTEST], set()).add(digest)

    def _covered(self, data: bytes) -> list[tuple[int, int]]:
        """Find digests that are withheld, whole or cut short."""
        found = []
        for match in _DIGESTS.finditer(data):
            run = match[0].decode()
            for start in range(max(1, len(run) - 63)):
                piece = run[start : start + 64]
                if any(one.startswith(piece) for one in self._begins.get(piece[:SHORTEST], ())):
                    found.append((match.start() + start, match.start() + start + len(piece)))
        return found

    def reason(self, name: str, start: int, end: int) -> str:
        """Tell digests from what was asked to be withheld."""
        mine = [span for span in self.spans[name] if span[0] < end and start < span[1]]
        return DIGEST if all(span in self._digest_spans.get(name, ()) for span in mine) else ""


def _payload(data: bytes) -> bytes:
    """Return the statement in its envelope, which is in base64."""
    return base64.b64decode(msgspec.json.decode(data)["payload"])


def _values(read: Read, wanted: Wanted) -> tuple[bytes, ...]:
    """Read which values the findings set out of the answers that are withheld."""
    name = f"out/{results.FINDINGS}"
    return tuple(passages.values_of(content(read.bundle, name), wanted)) if name in read.bundle.sizes() else ()


def _digest_of(read: Read, name: str) -> str:
    with read.bundle.open(name) as file:
        return container.digest(file)[0]


def _left_out(read: Read, name: str, secret: bytes, *, hidden: bool) -> Absent:
    form = FORMS[read.seal.format]
    root = forms.file_root(leaves.roots(partial(read.bundle.open, name), secret), form)
    salt = leaves.name_salt(secret)
    if hidden or BLOB.match(name):
        return Absent(hash=forms.commitment(salt, name, root, form).hex())
    return Absent(name=name, salt=salt.hex(), hash=root.hex())


def _format(read: Read) -> str:
    return next(name for name, form in copies.FORMATS.items() if form == FORMS[read.seal.format])


def _shown(cut: _Cut, name: str, secret: bytes, goes_by: str, form: int) -> tuple[Shown, bytes, list[Passage]]:
    """Show what is left of a file."""
    data, spans = cut.data[name], sorted(cut.spans[name])
    shown, pieces, rows = bytearray(), list[str | tuple[str, ...]](), list[Passage]()
    at = place = 0
    for number, line in enumerate(leaves.lines(data)):
        end, own = at + len(line), leaves.secret_of(secret, str(number))
        while place < len(spans) and spans[place][1] <= at:
            place += 1
        last = end - line.endswith(b"\n")
        here = []
        for start, stop in spans[place:]:
            if start >= end:
                break
            if stop > at and max(start, at) < min(stop, last):
                here.append((max(start, at) - at, min(stop, last) - at))
        if here:
            opened_ = leaves.withhold(line, own, here)
            shown += opened_.shown
            pieces.append(opened_.tree)
            marks = leaves.read(opened_.tree, opened_.shown, 0, name).marks
            why = cut.reason(name, at, end)
            rows.append(Passage(file=goes_by, line=number + 1, passages=marks, reason=why, at=""))
        else:
            shown += line
            pieces.append(own.hex())
        at = end
    salt = leaves.name_salt(secret)
    hidden = {"unnamed": forms.name_leaf(salt, name, form).hex()} if goes_by != name else {"salt": salt.hex()}
    return Shown(name=goes_by, pieces=tuple(pieces), **hidden), bytes(shown), rows


def _is_new(goal: Path) -> None:
    if goal.exists():
        raise UsageError(f"{goal}: is there already", hint="name a new folder")


def _write(goal: Path, files: Mapping[str, bytes], check: Callable[[Path], Verified]) -> Verified:
    """Write a folder that `check` takes, whole or not at all."""
    _is_new(goal)
    work = goal.with_name(f".{goal.name}.{os.getpid()}.tmp")
    try:
        for name, data in files.items():
            file = work / manifest.safe(name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        checked = check(work)
        work.rename(goal)
        return checked
    finally:
        shutil.rmtree(work, ignore_errors=True)


def produce(path: Path, goal: Path, records: Sequence[int]) -> tuple[Path, ...]:
    """Write single records, each with all that proves it, and how to check that; nothing else."""
    _is_new(goal)
    made = dict[str, bytes]()
    with as_evidence(path), opened(path, b"") as read:
        master = _master(read, path)
        sizes = read.bundle.sizes()
        names = sorted(sizes.keys() - {*OUTSIDE, "SEAL", "SEAL.sig", commitment.SALTS})
        committed = commitment.committed(names, read.bundle.open, master, FORMS[read.seal.format])
        seal = {name: content(read.bundle, name) for name in (*copies.SEALED, "signer.pem") if name in sizes}
        with read.bundle.open(LOG) as file:
            lines = list(file)
        for number in records:
            if not 0 <= number < len(lines):
                raise UsageError(f"{path}: no record {number}", hint=f"records: 0 to {len(lines) - 1}")
            made[f"proof-{number}.json"] = proofs.make(lines, number, leaves.secret_of(master, LOG), committed, seal)
    _write(goal, made | proofs.beside(seal), lambda work: proofs.verify_proofs(work, b""))
    return tuple(goal / name for name in made)
