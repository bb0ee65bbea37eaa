"""The sentence vectors of a bundle: given out for computing again, and compared with what this machine makes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from depose.analysis import results
from depose.case.parquet_table import columns
from depose.custody.bundle import HINT, Read, content
from depose.errors import EvidenceError, ModelFileError
from depose.features.devices import choose
from depose.features.sentence_vectors import WIDTH, Embedder
from depose.model.canonical import sha256

ALIKE = 0.9998
"""Products in bfloat16 instead of float32 leave a cosine above .9999 (sentence_vectors.py)."""
LEANING = 0.005
"""How much the cosine of two texts may change. Rounding has no direction and leaves it all but as it was, while two
vectors that are turned towards each other as far as `ALIKE` allows come closer by some .04."""
_ROWS = 2_000


class Vectors:
    """The sealed sentence vectors: given out by text, then compared with those that this machine makes."""

    def __init__(self, read: Read) -> None:
        self._name = f"out/{results.VECTORS}"
        self._texts: list[str] = []
        self._rows: dict[str, NDArray[np.float32]] = {}
        if self._name in read.bundle.sizes():
            self._rows = self._read(content(read.bundle, self._name))

    def _read(self, data: bytes) -> dict[str, NDArray[np.float32]]:
        try:
            table = columns(data, ("sha256", "float32"))
            joined = b"".join(one for one in table["float32"] if isinstance(one, bytes))
            rows = np.frombuffer(joined, "<f4").reshape(-1, WIDTH).astype(np.float32)
            return dict(zip(map(str, table["sha256"]), rows, strict=True))
        except (ValueError, OSError, KeyError, TypeError) as error:
            raise EvidenceError(f"{self._name}: not a table of sentence vectors: {error}", hint=HINT) from error

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give each text its sealed vector."""
        self._texts += texts
        try:
            return np.stack([self._rows[sha256(text.encode())] for text in texts])
        except KeyError as error:
            raise EvidenceError(f"{self._name}: holds no vector of an answer in the log", hint=HINT) from error

    def compared(self) -> tuple[list[str], list[str]]:
        """Make the vectors again; raise EvidenceError where one is not that of its text, however it is rounded."""
        if not self._texts:
            return [], []
        sealed = np.stack([self._rows[sha256(text.encode())] for text in self._texts]).astype(np.float64)
        try:
            fresh = Embedder(None, choose()).encode(self._texts).astype(np.float64)
        except ModelFileError as error:
            return [], [f"that {self._name} are the vectors of the answers: {error.message}"]
        lengths = np.linalg.norm(sealed, axis=1)
        cosines = (sealed * fresh).sum(axis=1) / np.maximum(lengths, 1e-12)
        worst = float(cosines.min())
        if not worst >= ALIKE or abs(lengths - 1).max() > 1e-5:
            raise EvidenceError(
                f"{self._name}: not the vectors of the answers: made again, one has the cosine {worst:.6f} with it",
                hint=f"another device or number format leaves at least {ALIKE}",
            )
        apart = leaning(sealed, fresh)
        if apart > LEANING:
            raise EvidenceError(
                f"{self._name}: not the vectors of the answers: made again, two of them are {apart:.4f} closer or "
                "further apart",
                hint=f"rounding has no direction and leaves at most {LEANING}; these were turned",
            )
        said = f"{len(self._texts)} sentence vectors made again: cosine with the sealed ones at least {worst:.7f}"
        if np.array_equal(sealed, fresh):
            return [f"{said}, to the last bit"], []
        return [f"{said} (tolerance {ALIKE})"], [
            "sentence vectors to the last bit: devices and libraries round otherwise"
        ]


def leaning(sealed: NDArray[np.float64], fresh: NDArray[np.float64]) -> float:
    """Return the largest change of a cosine of two texts, [texts, width] each with rows of length 1."""
    ours, theirs = fresh.astype(np.float32), sealed.astype(np.float32)
    most = 0.0
    for start in range(0, len(ours), _ROWS):
        rows = slice(start, start + _ROWS)
        most = max(most, float(np.abs(ours[rows] @ ours.T - theirs[rows] @ theirs.T).max()))
    return most
