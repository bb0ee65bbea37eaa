"""Sentence vectors beside plain `SentenceTransformer.encode` with its defaults, on the same texts: `make bench-embedding`.

Texts: the answers of the bundled kit, each once. Both take turns, so that load on the machine falls on both alike;
printed are texts per second, the median ratio of each two neighbouring turns, and the least cosine to float32.
"""

from __future__ import annotations

import statistics
import sys
import time
from importlib.resources import as_file, files
from pathlib import Path

import pyarrow.parquet
from depose import embedded
from depose.devices import choose
from depose.vectors import MODEL, Embedder

COUNT, TURNS = 400, 5
"""Texts in a turn, and turns of each."""


def kit_texts() -> list[str]:
    """Return distinct answers of the kit, evenly over the file."""
    with as_file(files("depose.kit")) as folder:
        tables = [pyarrow.parquet.read_table(path) for path in sorted(Path(folder).glob("*.parquet"))]
    every = sorted({text for table in tables for text in table["text"].to_pylist() if text})
    return every[:: max(1, len(every) // COUNT)][:COUNT]


def main() -> int:
    """Print what was measured; 1 where it falls short of the target of this machine."""
    embedded.settle_libraries()
    from sentence_transformers import SentenceTransformer

    texts, device = kit_texts(), choose()
    plain = SentenceTransformer(str(embedded.folder(MODEL)), device=device, local_files_only=True)
    ours = Embedder(None, device)
    exact = plain.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    cosine = float((ours.encode(texts) * exact).sum(axis=1).min())
    pairs = []
    for _ in range(TURNS):
        start = time.perf_counter()
        plain.encode(texts, show_progress_bar=False)
        middle = time.perf_counter()
        ours.encode(texts)
        pairs.append((middle - start, time.perf_counter() - middle))
    ratio = statistics.median(a / b for a, b in pairs)
    goal = 2 if device == "cpu" and embedded.cpu_has_bf16() else 1
    slow, fast = (len(texts) / statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{len(texts)} texts of {statistics.mean(map(len, texts)):.0f} characters on average, device {device}")
    print(f"SentenceTransformer.encode {slow:.0f} texts/s, depose {fast:.0f} texts/s")
    print(f"ratio {ratio:.2f} (each turn: {', '.join(f'{a / b:.2f}' for a, b in pairs)}; target >= {goal})")
    print(f"least cosine to float32 {cosine:.6f} (target >= 0.9999)")
    return int(ratio < goal or cosine < 0.9999)


if __name__ == "__main__":
    sys.exit(main())
