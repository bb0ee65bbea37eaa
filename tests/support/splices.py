"""A forger of copies: shows lines of one file joined, cut, repeated, swapped, or with those of another.

The forger has the sealed bundle with its salts, and no key: whoever makes a copy honestly has no more.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from depose.custody import commitment, forms, leaves
from depose.model.canonical import canonical

Pieces = list[leaves.Opened]
Splice = Callable[[Pieces, Pieces, Sequence[bytes], bytes], Pieces]
"""Makes pieces of the honest ones of a file, those of another file, the lines and the secret of the file."""


def pieces_of(bundle: Path, name: str) -> tuple[Pieces, list[bytes], bytes]:
    """Show a file of a bundle line by line, without a word withheld; its lines; its secret."""
    secret = leaves.secret_of(commitment.master((bundle / commitment.SALTS).read_bytes()), name)
    lines = list(leaves.lines((bundle / name).read_bytes()))
    return [leaves.withhold(one, _own(secret, n), []) for n, one in enumerate(lines)], lines, secret


def _own(secret: bytes, number: int) -> bytes:
    return leaves.secret_of(secret, str(number))


def joined(honest: Pieces, other: Pieces, lines: Sequence[bytes], secret: bytes) -> Pieces:
    """Show each two lines as one: the first half of one, a mark, the second half of the next."""
    found: Pieces = []
    for n in range(0, len(lines) - 1, 2):
        head, tail = len(lines[n]) // 2, len(lines[n + 1]) // 2
        left = leaves.withhold(lines[n], _own(secret, n), [(head, len(lines[n]))])
        right = leaves.withhold(lines[n + 1], _own(secret, n + 1), [(0, tail)])
        shown = left.shown.removesuffix(leaves.MARK) + leaves.MARK + right.shown.removeprefix(leaves.MARK)
        found.append(leaves.Opened(shown, (*left.tree, *right.tree, "+")))
    return found + honest[len(found) * 2 :]


def cut(honest: Pieces, other: Pieces, lines: Sequence[bytes], secret: bytes) -> Pieces:
    """Show the last two lines, or the odd last one, as one mark without a line feed."""
    found = joined(honest, other, lines, secret)
    first = (len(found) - 1) * 2
    roots = [leaves.piece(one, _own(secret, first + n)) for n, one in enumerate(lines[first:])]
    return [*found[:-1], leaves.Opened(leaves.MARK, (f"#{forms.file_root(roots, 2).hex()}",))]


def repeated(honest: Pieces, other: Pieces, lines: Sequence[bytes], secret: bytes) -> Pieces:
    """Show the first line in the place of the second too."""
    return [honest[0], honest[0], *honest[2:]]


def added(honest: Pieces, other: Pieces, lines: Sequence[bytes], secret: bytes) -> Pieces:
    """Show the last line twice."""
    return [*honest, honest[-1]]


def dropped(honest: Pieces, other: Pieces, lines: Sequence[bytes], secret: bytes) -> Pieces:
    """Leave the last line out."""
    return honest[:-1]


def swapped(honest: Pieces, other: Pieces, lines: Sequence[bytes], secret: bytes) -> Pieces:
    """Show the first two lines in the other order."""
    return [honest[1], honest[0], *honest[2:]]


def borrowed(honest: Pieces, other: Pieces, lines: Sequence[bytes], secret: bytes) -> Pieces:
    """Show a line of another file in the place of the first."""
    return [other[0], *honest[1:]]


def without_feed(honest: Pieces, other: Pieces, lines: Sequence[bytes], secret: bytes) -> Pieces:
    """Withhold the line feed of the first line, so that it reads on in the second."""
    return [leaves.withhold(lines[0], _own(secret, 0), [(len(lines[0]) - 1, len(lines[0]))]), *honest[1:]]


SPLICES: dict[str, Splice] = {
    "joined": joined,
    "cut": cut,
    "repeated": repeated,
    "added": added,
    "dropped": dropped,
    "swapped": swapped,
    "borrowed": borrowed,
    "without feed": without_feed,
}


def forge(copy: Path, bundle: Path, name: str, other: str, splice: Splice) -> None:
    """Show a file of an honest copy as spliced, with lists that fit."""
    honest, lines, secret = pieces_of(bundle, name)
    show(copy, name, leaves.name_salt(secret), splice(honest, pieces_of(bundle, other)[0], lines, secret))


def show(copy: Path, name: str, salt: bytes, pieces: Pieces) -> None:
    """Put pieces into a copy as those of a file, with lists that fit."""
    index = json.loads((copy / "copy.json").read_bytes())
    entry = next(one for one in index["files"] if one["name"] == name)
    entry |= {"secret": "", "salt": salt.hex(), "pieces": [list(one.tree) for one in pieces]}
    (copy / name).write_bytes(b"".join(one.shown for one in pieces))
    (copy / "copy.json").write_bytes(canonical(index))
    rows = (json.loads(line) for line in (copy / "redactions.jsonl").read_bytes().splitlines())
    listed = [row for row in rows if row["file"] != name]
    for number, one in enumerate(pieces, start=1):
        if marks := leaves.read(one.tree, one.shown, 0, name).marks:
            listed.append(
                {
                    "at": "2026-11-27T00:00:00.000000Z",
                    "file": name,
                    "line": number,
                    "passages": marks,
                    "reason": "a word",
                }
            )
    (copy / "redactions.jsonl").write_bytes(b"".join(canonical(row) + b"\n" for row in listed))
