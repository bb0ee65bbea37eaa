"""Sentence vectors beside plain `SentenceTransformer.encode` with its defaults: `make bench-embedding`.

Texts: answers of alpaca_eval in ../shared/data, or those of a FILE given, a JSON list. Both take turns, so that load on
the machine falls on both alike; printed are texts per second, the median ratio of each two neighbouring turns, and the
least cosine to float32.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

from depose.case.tables import read as read_table
from depose.features import packaged
from depose.features.devices import choose
from depose.features.sentence_vectors import MODEL, Embedder

DATA = Path("../shared/data/responses-alpaca_eval.parquet")
COUNT, TURNS = 400, 5
"""Texts in a turn, and turns of each."""


def texts_of(file: Path | None) -> list[str]:
    """Return distinct texts, evenly over the source."""
    if file:
        every = sorted(set(json.loads(file.read_text())))
    else:
        every = sorted({row.text for row in read_table(DATA) if row.text and row.text.strip()})
    return every[:: max(1, len(every) // COUNT)][:COUNT]


def main() -> int:
    """Print what was measured; 1 where it falls short of the target of this machine."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if not (file or DATA).is_file():
        print(f"skipped: {file or DATA} is not here")
        return 0
    packaged.settle_libraries()
    from sentence_transformers import SentenceTransformer

    texts, device = texts_of(file), choose()
    plain = SentenceTransformer(str(packaged.folder(MODEL)), device=device, local_files_only=True)
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
    goal = 2 if device == "cpu" and packaged.cpu_has_bf16() else 1
    slow, fast = (len(texts) / statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"{len(texts)} texts of {statistics.mean(map(len, texts)):.0f} characters on average, device {device}")
    print(f"SentenceTransformer.encode {slow:.0f} texts/s, depose {fast:.0f} texts/s")
    print(f"ratio {ratio:.2f} (each turn: {', '.join(f'{a / b:.2f}' for a, b in pairs)}; target >= {goal})")
    print(f"least cosine to float32 {cosine:.6f} (target >= 0.9999)")
    return int(ratio < goal or cosine < 0.9999)


if __name__ == "__main__":
    sys.exit(main())
