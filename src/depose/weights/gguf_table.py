"""What a GGUF file says of itself: settings, vocabulary and where each tensor lies; read in a child, with limits.

The head is walked as its format is laid down (ggml, docs/gguf.md, versions 2 and 3): the reader of the `gguf` package
makes an array of each entry, so that a count of 2^40 in a file of 50 bytes took half a minute and 3 GiB, and maps the
whole file, which a limit of memory counts. Here every count is held against the bytes that are left, numbers are
passed over and not read, and nothing that the head says is believed before it agrees with the size of the file.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any, BinaryIO

from depose.case.untrusted_files import in_child, opened
from depose.model import Record

MOST = 3_000_000
"""Settings, texts and tensors of a head together; the vocabulary of a large model with its merges has 1.3 million."""
LONGEST = 64 * 1024**2
"""Bytes of one text, such as a chat template."""
DIMENSIONS = 4
VERSIONS = (2, 3)
TEXT, LIST = 8, 9
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a number of each kind."""
WHOLE = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 10: "<Q", 11: "<q"}
"""How a whole number of each kind is read."""


class GgufTensor(Record, frozen=True, kw_only=True):
    """One tensor: its name, kind of quantisation, shape with rows first, and where its bytes lie."""

    name: str
    kind: int
    shape: tuple[int, ...]
    start: int
    size: int


class GgufTable(Record, frozen=True, kw_only=True):
    """The head of a GGUF file."""

    architecture: str
    settings: dict[str, int]
    tokens: tuple[str, ...]
    tensors: tuple[GgufTensor, ...]


def read_table(path: Path) -> GgufTable:
    """Read the head of a GGUF file; raises ValueError where it is none, or says what cannot be."""
    size = path.stat().st_size
    found = in_child("depose.weights.gguf_table:parse", str(path), answer=GgufTable)
    for one in found.tensors:
        if one.start < 0 or one.size < 0 or one.start + one.size > size or min(one.shape, default=0) < 1:
            raise ValueError(f"tensor {one.name[:80]!r} does not lie in the file")
    return found


def parse(path: str) -> dict[str, Any]:
    """Read the head of a GGUF file as plain data; for a child alone."""
    with opened(Path(path)) as file:
        return _Head(file, Path(path).stat().st_size).table()


class _Head:
    """A head that is walked from its beginning."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._size, self._seen = file, size, 0

    def table(self) -> dict[str, Any]:
        if self._bytes(4) != b"GGUF":
            raise ValueError("does not begin as GGUF")
        version = self._number(4)
        if version not in VERSIONS:
            raise ValueError(f"GGUF of version {version}, which is not read (or of the other byte order)")
        tensors, settings = self._count(self._number(8), 24), self._count(self._number(8), 13)
        found: dict[str, Any] = {"architecture": "", "settings": {}, "tokens": []}
        names: set[str] = set()
        alignment = 32
        for _ in range(settings):
            name, kind = self._text(), self._number(4)
            if name in names:
                raise ValueError(f"setting {name[:80]!r} stands twice")
            names.add(name)
            if name == "tokenizer.ggml.tokens" and kind == LIST:
                found["tokens"] = self._texts()
                continue
            value = self._value(kind)
            if name == "general.architecture" and isinstance(value, str):
                found["architecture"] = value
            elif name == "general.alignment" and isinstance(value, int):
                alignment = value
            elif isinstance(value, int) and abs(value) < 2**53:
                found["settings"][name if name.startswith("split.") else name.partition(".")[2]] = value
        if alignment < 1 or alignment & (alignment - 1) or alignment > 2**20:
            raise ValueError(f"an alignment of {alignment}")
        listed = [self._tensor() for _ in range(tensors)]
        if len({one["name"] for one in listed}) != len(listed):
            raise ValueError("two tensors have one name")
        start = -(-self._file.tell() // alignment) * alignment
        found["tensors"] = [one | {"start": start + one["start"]} for one in listed]
        return found

    def _tensor(self) -> dict[str, Any]:
        from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

        name, dimensions = self._text(), self._number(4)
        if dimensions > DIMENSIONS:
            raise ValueError(f"tensor {name[:80]!r} has {dimensions} dimensions")
        shape = [self._number(8) for _ in range(dimensions)]
        kind, start = self._number(4), self._number(8)
        block, size = GGML_QUANT_SIZES[GGMLQuantizationType(kind)]
        whole = math.prod(shape) * size // block
        if whole > self._size or start > self._size or max(shape, default=0) > self._size * 8:
            raise ValueError(f"tensor {name[:80]!r} does not lie in the file")
        return {"name": name, "kind": kind, "shape": shape[::-1], "start": start, "size": whole}

    def _value(self, kind: int) -> int | str | None:
        """Read a setting: a whole number or a text; anything else is passed over."""
        if kind == TEXT:
            return self._text()
        if kind == LIST:
            self._pass_list(0)
            return None
        if kind not in SIZES:
            raise ValueError(f"a setting of kind {kind}, which there is not")
        found = self._bytes(SIZES[kind])
        return int(struct.unpack(WHOLE[kind], found)[0]) if kind in WHOLE else None

    def _pass_list(self, depth: int) -> None:
        kind, count = self._number(4), self._number(8)
        if kind in SIZES:
            self._pass(SIZES[kind] * count)
        elif kind == TEXT:
            for _ in range(self._count(count, 8)):
                self._pass(self._number(8))
        elif kind == LIST and depth < DIMENSIONS:
            for _ in range(self._count(count, 12)):
                self._pass_list(depth + 1)
        else:
            raise ValueError(f"a list of kind {kind}, which there is not")

    def _texts(self) -> list[str]:
        kind, count = self._number(4), self._number(8)
        if kind != TEXT:
            raise ValueError("a vocabulary of what is no text")
        return [self._text() for _ in range(self._count(count, 8))]

    def _text(self) -> str:
        return self._bytes(self._number(8)).decode("utf-8", "replace")

    def _count(self, count: int, least: int) -> int:
        """Take a count of entries that have so many bytes each at least."""
        self._seen += count
        if count * least > self._size - self._file.tell() or self._seen > MOST:
            raise ValueError(f"says that it has {count} entries, which cannot be")
        return count

    def _number(self, size: int) -> int:
        return int.from_bytes(self._bytes(size), "little")

    def _bytes(self, count: int) -> bytes:
        found = self._file.read(count) if count <= LONGEST else b""
        if len(found) != count:
            raise ValueError(f"ends within its head, at byte {self._file.tell()}")
        return found

    def _pass(self, count: int) -> None:
        if count > self._size - self._file.tell():
            raise ValueError(f"ends within its head, at byte {self._file.tell()}")
        self._file.seek(count, 1)
