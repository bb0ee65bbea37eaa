"""How hashes of words become those of lines, files and names, by the form of the commitment.

By form 2 a line hashes as a branch of the tree over several lines, and a file as two branches: whoever made a copy
could show lines joined under one mark, or one mark for many lines. By form 3 each kind of hash has a mark of its own,
and the number of lines is under the root, so that a splice would need a collision of SHA-256:

    leaf    SHA-256(00 || salt || bytes)                      branch  SHA-256(01 || left || right)
    line    SHA-256(03 || root over its leaves)               file    SHA-256(04 || lines, 8 bytes || root over them)
    name    SHA-256(05 || salt || name)                       entry   SHA-256(06 || name || file)

An entry is what stands for a file in the tree over the bundle. 02 derives secrets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from depose.custody import merkle

LATEST = 3
KNOWN = (2, LATEST)


def _marked(mark: bytes, *parts: bytes) -> bytes:
    return hashlib.sha256(mark + b"".join(parts)).digest()


def file_root(pieces: Sequence[bytes], form: int) -> bytes:
    """Hash the lines of a file together, each given by the root over its leaves."""
    if form == 2:
        return merkle.root(pieces)
    return file_of(len(pieces), merkle.root([line(one, form) for one in pieces]), form)


def line(piece: bytes, form: int) -> bytes:
    """Hash a line, given by the root over its leaves."""
    return piece if form == 2 else _marked(b"\3", piece)


def file_of(lines: int, root: bytes, form: int) -> bytes:
    """Hash a file of so many lines, given the root over the hashes of its lines."""
    return root if form == 2 else _marked(b"\4", lines.to_bytes(8, "big"), root)


def name_leaf(salt: bytes, name: str, form: int) -> bytes:
    """Hash the name of a file."""
    return _marked(b"\0" if form == 2 else b"\5", salt, name.encode())


def entry(name: bytes, file: bytes, form: int) -> bytes:
    """Hash a file with its name, given the hash of each."""
    return merkle.node(name, file) if form == 2 else _marked(b"\6", name, file)


def commitment(salt: bytes, name: str, file: bytes, form: int) -> bytes:
    """Hash a file with its name, given the salt of the name."""
    return entry(name_leaf(salt, name, form), file, form)
