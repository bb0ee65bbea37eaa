"""What a GGUF file says of itself: settings, vocabulary and where each tensor lies; read in a child, with limits.

The `gguf` package parses the head. Nothing that it says is believed before it agrees with the size of the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depose.case.untrusted_files import in_child
from depose.model import Record

MEMORY = 3 * 1024**3
SECONDS = 120
"""Of a processor; the vocabulary of a large model, read one string at a time, takes ten."""


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
    found = in_child("depose.weights.gguf_table:parse", str(path), answer=GgufTable, memory=MEMORY, seconds=SECONDS)
    for one in found.tensors:
        if one.start < 0 or one.size < 0 or one.start + one.size > size or min(one.shape, default=0) < 1:
            raise ValueError(f"tensor {one.name[:80]!r} does not lie in the file")
    return found


def parse(path: str) -> dict[str, Any]:
    """Read the head of a GGUF file as plain data; for a child alone."""
    from gguf import GGUFReader

    reader = GGUFReader(path)
    settings: dict[str, int] = {}
    architecture, tokens = "", []
    for name, field in reader.fields.items():
        if name == "general.architecture":
            architecture = str(field.contents())
        elif name == "tokenizer.ggml.tokens":
            tokens = [str(one) for one in field.contents()]
        elif len(field.types) == 1:
            value = field.contents()
            if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
                settings[name.partition(".")[2]] = value
    tensors = [
        {
            "name": str(one.name),
            "kind": int(one.tensor_type),
            "shape": [int(size) for size in reversed(one.shape)],
            "start": int(one.data_offset),
            "size": int(one.n_bytes),
        }
        for one in reader.tensors
    ]
    return {"architecture": architecture, "settings": settings, "tokens": tokens, "tensors": tensors}
