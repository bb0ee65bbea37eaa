"""Commits to the files of a bundle by salted leaves, so that a copy can withhold any words and prove all others.

A digest of a whole line tells what was withheld in it: whoever knows the rest tries all values of a short secret. So
each file is cut at sealing into leaves that are small, and each leaf is hashed with a salt of its own:

    leaf    SHA-256(00 || salt of 16 bytes || bytes): a word with the blank after it, or what stands between words
    piece   a tree over the leaves of a line; where it branches is drawn, so that a branch does not tell its size
    file    a Merkle tree (RFC 6962, inner nodes) over its lines; how many they are and the name are hashed with it
    bundle  a Merkle tree over all files, in the order of their hashes: its root stands in COMMITMENT, which SEAL lists

How a hash of one kind is told from that of another stands in `forms`.

All salts follow from one secret in the sealed bundle (SALTS), one way: master -> file -> line -> leaves. A copy shows
the secret of a file where it shows the file whole, that of a line where it shows the line whole, and in a line of which
it withholds words the salt of each leaf that it shows and the hash of each branch that it does not. A hash without its
salt tells nothing of the words under it. How many branches stand for a passage tells at most the order of magnitude
of its words; of a single word nothing. What is not UTF-8, or has a line of more than 4 MiB, is one leaf.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, NamedTuple, TypeVar

from depose.custody import merkle
from depose.errors import EvidenceError

_WORD = r"0-9A-Za-z_\x80-\xff"
WORDS = re.compile(
    rf'\\(?:u[0-9A-Fa-f]{{4}}|[^\n])|[{_WORD}]+[^{_WORD}\n"\\<>&%]{{0,2}}|[^{_WORD}\n\\]+|\n|\\'.encode("latin-1")
)
"""An escape; a word with up to two marks that follow it; what else stands between words; a line feed."""
LONGEST_LINE = 4 * 1024**2
SALT = 16
MARK = b"[REDACTED]"
"""Stands in a copy for what was withheld, however long it was."""
_CHUNK = 1024**2
Node = TypeVar("Node")


class Opened(NamedTuple):
    """A piece of which a part is withheld: how it is shown, and the tree over it in postfix order."""

    shown: bytes
    tree: tuple[str, ...]
    """`<salt>:<length>` for a leaf that is shown, `#<hash>` for a branch that is not, `+` joins the last two."""


def leaf(salt: bytes, data: bytes) -> bytes:
    """Hash one leaf."""
    return hashlib.sha256(b"\0" + salt + data).digest()


def secret_of(parent: bytes, name: str) -> bytes:
    """Derive the secret of a part from that of the whole; there is no way back."""
    return hashlib.sha256(b"\2" + parent + name.encode()).digest()


def name_salt(secret: bytes) -> bytes:
    """Salt of the leaf that holds the name of a file."""
    return secret_of(secret, "name")[:SALT]


# --- cutting ----------------------------------------------------------------------------------------


def is_text(file: BinaryIO) -> bool:
    """Tell whether a file is UTF-8 without a line that is too long."""
    decoder, length = codecs.getincrementaldecoder("utf-8")(), 0
    try:
        while chunk := file.read(_CHUNK):
            decoder.decode(chunk)
            head, *rest = chunk.split(b"\n")
            if max(length + len(head), *map(len, rest)) > LONGEST_LINE if rest else length + len(head) > LONGEST_LINE:
                return False
            length = len(rest[-1]) if rest else length + len(head)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def roots(opened: Callable[[], BinaryIO], secret: bytes) -> list[bytes]:
    """Return the root of each piece of a file, which is opened twice."""
    with opened() as file:
        text = is_text(file)
    with opened() as file:
        if text:
            found = [piece(line, secret_of(secret, str(number))) for number, line in enumerate(file)]
            return found or [piece(b"", secret_of(secret, "0"))]
        (salt,), _ = _drawn(secret_of(secret, "0"), 1)
        sha = hashlib.sha256(b"\0" + salt)
        while chunk := file.read(_CHUNK):
            sha.update(chunk)
        return [sha.digest()]


def parts(line: bytes) -> list[bytes]:
    """Cut a line of text into its leaves."""
    return WORDS.findall(line) or [b""]


def _drawn(secret: bytes, count: int) -> tuple[list[bytes], tuple[int, ...]]:
    """Draw the salts of a piece, and a number for each gap between two leaves: a tree branches at the highest."""
    stream = hashlib.shake_128(secret).digest(count * (SALT + 4))
    salts = [stream[at : at + SALT] for at in range(0, count * SALT, SALT)]
    return salts, struct.unpack_from(f"<{count}I", stream, count * SALT)


def piece(data: bytes, secret: bytes) -> bytes:
    """Return the root of a line of text; as `_joined` does, but without a call for each leaf."""
    cut = parts(data)
    count, sha = len(cut), hashlib.sha256
    stream = hashlib.shake_128(secret).digest(count * (SALT + 4))
    hashes = [
        sha(b"\0" + stream[at : at + SALT] + one).digest()
        for at, one in zip(range(0, count * SALT, SALT), cut, strict=True)
    ]
    last, waiting, gaps = hashes[0], list[bytes](), list[int]()
    for one, height in zip(hashes[1:], struct.unpack_from(f"<{count}I", stream, count * SALT)[1:], strict=True):
        while gaps and gaps[-1] < height:
            gaps.pop()
            last = sha(b"\1" + waiting.pop() + last).digest()
        gaps.append(height)
        waiting.append(last)
        last = one
    while waiting:
        last = sha(b"\1" + waiting.pop() + last).digest()
    return last


def _joined(nodes: Sequence[Node], heights: Sequence[int], join: Callable[[Node, Node], Node]) -> Node:
    """Join nodes in order, the lowest gaps first: a tree whose shape follows from the heights of its gaps alone."""
    waiting, gaps = [nodes[0]], list[int]()
    for node, height in zip(nodes[1:], heights[1:], strict=True):
        while gaps and gaps[-1] < height:
            gaps.pop()
            waiting.append(join(*_two(waiting)))
        gaps.append(height)
        waiting.append(node)
    while gaps:
        gaps.pop()
        waiting.append(join(*_two(waiting)))
    return waiting[0]


def _two(waiting: list[Node]) -> tuple[Node, Node]:
    right = waiting.pop()
    return waiting.pop(), right


# --- withholding ------------------------------------------------------------------------------------


class _Branch(NamedTuple):
    hash: bytes
    tree: tuple[str, ...]
    """Nothing where all of it is withheld."""


def withhold(line: bytes, secret: bytes, spans: Iterable[tuple[int, int]]) -> Opened:
    """Withhold every leaf of a line that one of the spans of bytes touches."""
    cut = parts(line)
    salts, heights = _drawn(secret, len(cut))
    spans = sorted(spans)
    shown, branches, at, hidden = bytearray(), list[_Branch](), 0, False
    for salt, data in zip(salts, cut, strict=True):
        end = at + len(data)
        hide = any(start < end and at < stop for start, stop in spans)
        if not hide:
            shown += data
        elif not hidden:
            shown += MARK
        tree = () if hide else (f"{salt.hex()}:{len(data)}",)
        branches.append(_Branch(leaf(salt, data), tree))
        at, hidden = end, hide
    found = _joined(branches, heights, _branch)
    return Opened(bytes(shown), found.tree or (f"#{found.hash.hex()}",))


def _branch(left: _Branch, right: _Branch) -> _Branch:
    joined = merkle.node(left.hash, right.hash)
    if not left.tree and not right.tree:
        return _Branch(joined, ())
    return _Branch(joined, (*(one for side in (left, right) for one in side.tree or (f"#{side.hash.hex()}",)), "+"))


# --- checking ---------------------------------------------------------------------------------------

_LEAF = re.compile(r"([0-9a-f]{32}):(0|[1-9][0-9]{0,8})\Z")
_HASH = re.compile(r"#([0-9a-f]{64})\Z")


class Read(NamedTuple):
    """What a tree comes to over the bytes that are shown."""

    root: bytes
    end: int
    """Where the piece ends in what is shown."""
    marks: int
    """How many passages are withheld in it."""


def read(tree: Sequence[str], shown: bytes, start: int, name: str) -> Read:
    """Compute the root of a piece of which a part is withheld; raise EvidenceError, with `name`, where it has none."""
    waiting, at, marks, hidden = list[bytes](), start, 0, False
    for one in tree:
        if one == "+" and len(waiting) > 1:
            left, right = _two(waiting)
            waiting.append(merkle.node(left, right))
        elif known := _LEAF.match(one):
            size = int(known[2])
            if at + size > len(shown):
                raise _wrong(name)
            waiting.append(leaf(bytes.fromhex(known[1]), shown[at : at + size]))
            at, hidden = at + size, False
        elif secret := _HASH.match(one):
            waiting.append(bytes.fromhex(secret[1]))
            if not hidden:
                if shown[at : at + len(MARK)] != MARK:
                    raise EvidenceError(f"{name}: holds words where some were withheld", hint=HINT)
                at, marks, hidden = at + len(MARK), marks + 1, True
        else:
            raise _wrong(name)
    if len(waiting) != 1:
        raise _wrong(name)
    return Read(waiting[0], at, marks)


def _wrong(name: str) -> EvidenceError:
    return EvidenceError(f"{name}: what is shown of it does not fit the tree that goes with it", hint=HINT)


def lines(data: bytes) -> Iterator[bytes]:
    """Yield lines with their line feeds, as a file opened in binary mode does."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", at) + 1 or len(data)
        yield data[at:end]
        at = end


def buffer(data: bytes) -> BinaryIO:
    """Open bytes as if they were a file."""
    return io.BytesIO(data)


HINT = "ask for the copy as it was produced"
