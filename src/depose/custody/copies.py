"""Derived copies of a sealed bundle, and single records with a proof: their form, and how they are verified.

A copy is the sealed bundle minus withheld words, and nothing else. It holds SEAL and its signature, COMMITMENT, the
tokens, every file that is shown, `[REDACTED]` where words of it are not, and

    copy.json           for each file what proves it against COMMITMENT (see `leaves`); hashes of files left out
    redactions.jsonl    each line of which something is withheld, how many passages, and why

SHA256SUMS stays behind: a digest of a whole file tells what was withheld in it. For the same reason a copy withholds
each digest that covers withheld words: of the line, of every line chained after it, of the file, of the tree. Lengths
do not show: a passage is one mark, and no place in the sealed file is named. A proof is the same for one line alone.
Nothing of this can be made from a bundle of format 1, and what was made from one proves nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import TypeVar

import msgspec

from depose.custody import commitment, forms, instructions, keys, kinds, leaves, merkle
from depose.custody.container import Unpacked
from depose.custody.kinds import LOG, OUTSIDE
from depose.custody.seal import Seal
from depose.custody.signed_root import Signed
from depose.custody.stamp import CLOCK_TOLERANCE
from depose.custody.verified import Verified, as_evidence
from depose.errors import EvidenceError
from depose.evidence import timestamp
from depose.evidence.log import Clock, too_nested, utc_now
from depose.model import Record
from depose.model.canonical import UNREADABLE, canonical, in_one_form, sha256

FORMATS = {"depose copy 2": 2, "depose copy 3": 3}
INDEX, RANGES = "copy.json", "redactions.jsonl"
SEALED = ("SEAL", "SEAL.sig", *(name for name in OUTSIDE if name != "SHA256SUMS"))
"""Files of the seal that stand in a copy as they are."""
SEQUENCE = re.compile(rb'"seq":(0|[1-9][0-9]{0,8})\}\n\Z')
UNNAMED = re.compile(r"evidence/blobs/withheld-[0-9]{1,9}\Z")
MOST = 512 * 1024**2
"""Bytes of a copy that are read at most."""
MOST_NESTED = 4_000_000
"""Lists and objects in copy.json at most: one for each line and file."""
_HINT = leaves.HINT
Kind = TypeVar("Kind")


class Shown(Record, frozen=True, kw_only=True):
    """A file of which a copy shows all or a part."""

    name: str
    """As it stands in the copy."""
    secret: str = ""
    """From which its salts follow, where all of it is shown."""
    salt: str = ""
    """Of its name, where a part is withheld."""
    unnamed: str = ""
    """Instead: the leaf of a name that is the digest of what is withheld."""
    pieces: tuple[str | tuple[str, ...], ...] = ()
    """For each line its secret, or the tree over what is shown of it."""


class Absent(Record, frozen=True, kw_only=True):
    """A file that a copy leaves out: its name, unless that is a digest, and hashes that tell nothing of it."""

    hash: str
    """Of the file, or of name and file where the name is not shown."""
    name: str = ""
    salt: str = ""


class Copy(Record, frozen=True, kw_only=True):
    """`copy.json`."""

    format: str
    files: tuple[Shown, ...]
    absent: tuple[Absent, ...]


class Passage(Record, frozen=True, kw_only=True):
    """A line of `redactions.jsonl`: where something is withheld, and why."""

    file: str
    line: int
    """From 1; 0 for a file that is left out."""
    passages: int
    reason: str
    at: str


def is_copy(path: Path) -> bool:
    """Tell a copy from a bundle, also one in the form of format 1."""
    return path.is_dir() and any((path / name).exists() for name in (INDEX, RANGES))


def verify_copy(path: Path, public_key: bytes, roots: bytes = b"", clock: Clock = utc_now) -> Verified:
    """Check that a copy is the sealed bundle but for what its list of redactions says."""
    with as_evidence(path):
        if not (path / INDEX).is_file():
            raise EvidenceError(
                f"{path}: a copy of a bundle of format 1: it proves nothing, for anybody can make one without a key",
                hint="ask for a copy of the case sealed again: since format 2 salted leaves prove one",
            )
        data = _data(path)
        seal = Signed.read(data, public_key, str(path))
        copy = _decoded(data[INDEX], Copy, INDEX)
        if (form := FORMATS.get(copy.format)) != seal.root.by:
            raise EvidenceError(
                f"{INDEX}: of the format {copy.format[:40]!r}, and sealed by form {seal.root.by}", hint=_HINT
            )
        _instructions(copy, data, seal)
        marks, records = dict[tuple[str, int], int](), set[str]()
        hashes = [_shown(one, data, marks, records, form) for one in copy.files]
        hashes += [_absent(one, marks, form) for one in copy.absent]
        _same_files(copy, data)
        _named(copy, marks)
        if added := sorted((data.keys() & set(SEALED)) - seal.digests.keys() - {"SEAL", "SEAL.sig", "signer.pem"}):
            raise EvidenceError(f"{added[0]}: was added; SEAL does not list it", hint=_HINT)
        _same_tree(hashes, seal)
        passages = _listed(data[RANGES], marks)
        dated, without = seal.stamps(roots, clock)
        dated += _record_stamps(data, records, roots, clock)
        sealed = _sealed(data, clock())
        whole = sum(bool(one.secret) for one in copy.files)
        return Verified(
            bundle=str(path),
            fingerprint=keys.fingerprint(seal.key),
            sealed_at=sealed.sealed_at if sealed else "",
            checks=(
                f"signature of {keys.fingerprint(seal.key)} over the root of {seal.root.files} files",
                f"{whole} files shown whole, {len(copy.files) - whole} but for {passages} passages, "
                f"{len(copy.absent)} left out: each byte that is shown is proved against that root",
                *dated,
            ),
            not_verified=(
                *(() if public_key else ("who signed: no --public-key was given",)),
                *without,
                *_may_be_joined(copy, form),
                *_without_names(copy),
                "the reasons in redactions.jsonl: they are the word of whoever made the copy",
                "what was withheld, and whether the findings follow: only the sealed bundle shows that",
            ),
            cautions=instructions.cautions(data.get("COPY.py", b"")),
        )


# --- files of a copy --------------------------------------------------------------------------------


def _data(path: Path) -> dict[str, bytes]:
    folder = Unpacked(path)
    if sum(folder.sizes().values()) > MOST:
        raise EvidenceError(f"{path}: has more than {MOST} bytes", hint="a copy of this size is not read")
    found = {}
    for name in folder.sizes():
        with folder.open(name) as file:
            found[name] = file.read(MOST)
    return found


def _decoded(data: bytes, kind: type[Kind], name: str) -> Kind:
    """Read a record in its one form: one that says a thing twice says two things."""
    if too_nested(data, MOST_NESTED):
        raise EvidenceError(f"{name}: holds more than {MOST_NESTED} lists and objects", hint=_HINT)
    try:
        found = msgspec.json.decode(data, type=kind)
    except UNREADABLE as error:
        raise EvidenceError(f"{name}: not what a copy holds under this name: {error}", hint=_HINT) from error
    if canonical(found) != data and (kind is not Seal or not in_one_form(data)):
        raise EvidenceError(f"{name}: not in canonical form", hint=_HINT)
    return found


def _hex(text: str, size: int, name: str) -> bytes:
    if not re.fullmatch(f"[0-9a-f]{{{2 * size}}}", text):
        raise EvidenceError(f"{INDEX}: {name}: not {2 * size} hex digits", hint=_HINT)
    return bytes.fromhex(text)


def _shown(
    one: Shown, data: Mapping[str, bytes], marks: dict[tuple[str, int], int], records: set[str], form: int
) -> bytes:
    """Compute the hash of a file from what is shown of it; count what is not, and collect the records that are."""
    shown = data.get(one.name)
    if shown is None:
        raise EvidenceError(f"{one.name}: is missing; {INDEX} lists it", hint=_HINT)
    known = UNNAMED.match(one.name) if one.unnamed else kinds.known(one.name)
    named = [one.secret, one.salt, one.unnamed]  # one of them goes with the name, or is proved in its place
    if not known or bool(one.secret) == bool(one.pieces) or sum(map(bool, named)) != 1:
        raise EvidenceError(f"{INDEX}: {one.name}: of no kind that a copy shows", hint=_HINT)
    if one.secret:
        secret = _hex(one.secret, 32, one.name)
        if one.name == LOG:
            records.update(sha256(line[:-1]) for line in leaves.lines(shown))
        root = forms.file_root(leaves.roots(lambda: leaves.buffer(shown), secret), form)
        return forms.commitment(leaves.name_salt(secret), one.name, root, form)
    roots, at = list[bytes](), 0
    for number, piece in enumerate(one.pieces, start=1):
        where, begun = f"{one.name}: line {number}", at
        if isinstance(piece, str):
            at = shown.find(b"\n", at) + 1 or len(shown)
            roots.append(leaves.piece(shown[begun:at], _hex(piece, 32, where)))
            if one.name == LOG:
                records.add(sha256(shown[begun : at - 1]))
        else:
            read = leaves.read(piece, shown, at, where)
            roots.append(read.root)
            at = read.end
            if read.marks:
                marks[one.name, number] = read.marks
        _one_line(shown[begun:at], where, last=number == len(one.pieces))
        if one.name == LOG and form == 2:
            _one_record(shown[begun:at], number, where)
    if at != len(shown):
        raise EvidenceError(f"{one.name}: has bytes that nothing proves", hint=_HINT)
    root = forms.file_root(roots, form)
    if one.unnamed:
        return forms.entry(_hex(one.unnamed, 32, one.name), root, form)
    return forms.commitment(_hex(one.salt, leaves.SALT, one.name), one.name, root, form)


def _one_line(line: bytes, where: str, *, last: bool) -> None:
    """Refuse a line that does not look like one: without its line feed it would read on in the next."""
    if not (line.find(b"\n") == len(line) - 1 or (last and b"\n" not in line)):
        raise EvidenceError(f"{where}: its line feed is withheld, so that two lines read as one", hint=_HINT)


def _one_record(line: bytes, number: int, where: str) -> None:
    """Refuse by form 2 a line of the log that is not the record of its number: two may have been joined by a mark."""
    shown = line.strip() != leaves.MARK
    told = SEQUENCE.search(line)
    if shown and (told is None or int(told[1]) != number - 1):
        raise EvidenceError(
            f"{where}: is not record {number - 1}, or does not say so: parts of several may have been joined",
            hint=_HINT,
        )


def _may_be_joined(copy: Copy, form: int) -> list[str]:
    """Say what form 2 cannot show of files other than the log."""
    cut = [one.name for one in copy.files if one.pieces and one.name != LOG]
    if form != 2 or not cut:
        return []
    return [
        f"that a mark in {', '.join(cut)} stands in one line: by form 2 it may stand for the end of one, the "
        "beginning of a later one and whatever was between; a copy of a bundle sealed by form 3 shows that"
    ]


def _absent(one: Absent, marks: dict[tuple[str, int], int], form: int) -> bytes:
    marks[one.name, 0] = marks.get((one.name, 0), 0) + 1
    found = _hex(one.hash, 32, one.name or "a file left out")
    if not one.name and not one.salt:
        return found
    if not kinds.known(one.name):
        raise EvidenceError(f"{INDEX}: {one.name}: of no kind that a bundle has", hint=_HINT)
    return forms.commitment(_hex(one.salt, leaves.SALT, one.name), one.name, found, form)


def _same_files(copy: Copy, data: Mapping[str, bytes]) -> None:
    names = [one.name for one in copy.files]
    if len(set(names)) != len(names):
        raise EvidenceError(f"{INDEX}: lists a file twice", hint=_HINT)
    for name in sorted(data.keys() - {*names, *SEALED, INDEX, RANGES}):
        raise EvidenceError(f"{name}: was added; {INDEX} does not list it", hint=_HINT)
    for name in ("signer.pem", "VERIFY.md", LOG, RANGES):
        if name not in (*names, RANGES) or name not in data:
            raise EvidenceError(f"{name}: no copy is without it", hint=_HINT)
    if not next(one for one in copy.files if one.name == "signer.pem").secret:
        raise EvidenceError("signer.pem: a part is withheld, so that nobody knows who signed", hint=_HINT)


def _named(copy: Copy, marks: Mapping[tuple[str, int], int]) -> None:
    """Refuse a copy that hides under no name, or under that of raw bytes, a file that every bundle has."""
    said = {*(one.name for one in copy.files), *(one.name for one in copy.absent)}
    for name in sorted({*kinds.ALWAYS} - said):
        raise EvidenceError(f"{INDEX}: names no {name}, which every bundle has", hint=_HINT)
    for one in copy.files:
        if one.unnamed and not any(file == one.name for file, _ in marks):
            raise EvidenceError(f"{INDEX}: {one.name}: is shown whole, and its name is not", hint=_HINT)


def _without_names(copy: Copy) -> list[str]:
    count = sum(bool(one.unnamed) for one in copy.files) + sum(not one.name for one in copy.absent)
    return [f"what {count} files are whose names are withheld: a name that is a digest tells what it is of"] * bool(
        count
    )


def _instructions(copy: Copy, data: Mapping[str, bytes], seal: Signed) -> None:
    """Refuse instructions that depose did not write: whoever has no depose would run them."""
    for one in copy.files:
        if one.name in (*instructions.SCRIPTS, "VERIFY.md") and one.name in data:
            before = instructions.before(one.name, seal.root.by)
            if not instructions.are_ours(one.name, data[one.name], seal.key, before):
                raise EvidenceError(f"{one.name}: is not the one that depose writes: do not run it", hint=_HINT)


def _sealed(data: Mapping[str, bytes], now: str) -> Seal | None:
    """Read seal.json, if it is shown; digests in it may be withheld."""
    if "seal.json" not in data:
        return None
    sealed = _decoded(data["seal.json"], Seal, "seal.json")
    hidden = leaves.MARK.decode() in sealed.sealed_at
    if not hidden and timestamp.seconds_between(now, sealed.sealed_at) > CLOCK_TOLERANCE:
        raise EvidenceError(f"the seal is dated {sealed.sealed_at}, which is yet to come", hint=_HINT)
    return sealed


def _same_tree(hashes: list[bytes], seal: Signed) -> None:
    if len(hashes) != seal.root.files or merkle.root(sorted(hashes)).hex() != seal.root.root:
        raise EvidenceError(
            f"{commitment.FILE}: does not follow from the files of this copy: a file differs from what was sealed, "
            "was left out unsaid, or holds words where some were withheld",
            hint=_HINT,
        )


def is_reason(text: str) -> bool:
    """Tell whether a reason has a letter or digit that anybody can see."""
    return any(map(str.isalnum, text))


def _listed(data: bytes, marks: Mapping[tuple[str, int], int]) -> int:
    """Compare what is withheld with what is listed, and count it."""
    listed = dict[tuple[str, int], int]()
    *lines, rest = data.split(b"\n")
    if rest:
        raise EvidenceError(f"{RANGES}: does not end with a row", hint=_HINT)
    for line in lines:
        one = _decoded(line, Passage, RANGES)
        listed[one.file, one.line] = listed.get((one.file, one.line), 0) + one.passages
        if not is_reason(one.reason) or one.passages < 1:
            raise EvidenceError(f"{RANGES}: {one.file}, line {one.line}: without a reason", hint=_HINT)
        timestamp.moment(one.at, f"{RANGES}: {one.file}, line {one.line}")
    for file, number in sorted(marks.keys() ^ listed.keys() | {k for k in marks if marks[k] != listed.get(k)}):
        raise EvidenceError(
            f"{file or 'a file left out'}, line {number}: {marks.get((file, number), 0)} passages are withheld, "
            f"and {RANGES} lists {listed.get((file, number), 0)}",
            hint=_HINT,
        )
    return sum(number for (_, line), number in marks.items() if line)


def _record_stamps(data: Mapping[str, bytes], records: Set[str], roots: bytes, clock: Clock) -> list[str]:
    """Check the tokens of records that are shown."""
    found = []
    for name in sorted(data):
        if (token := kinds.TOKEN.match(name)) and name.endswith(".tsr"):
            if token[1] not in records:
                raise EvidenceError(f"{name}: a token of a record that is not shown whole", hint=_HINT)
            trusted = roots or timestamp.enclosed(data.get(kinds.ROOTS, b""), kinds.ROOTS)
            said = timestamp.verify_digest(data[name], token[1], trusted, name)
            if timestamp.seconds_between(clock(), said.time) > CLOCK_TOLERANCE:
                raise EvidenceError(f"{name}: is a token of {said.time}, which is yet to come", hint=_HINT)
            found.append(f"time-stamp of record {token[1][:16]}... by {said.authority}: {said.time}")
    return found


def rows(passages: Iterable[Passage]) -> bytes:
    """Write `redactions.jsonl`."""
    return b"".join(canonical(one) + b"\n" for one in passages)
