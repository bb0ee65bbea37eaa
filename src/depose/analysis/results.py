"""An analysis as the bytes of its files: findings, scores, exhibits, and the sentence vectors that it used."""

from __future__ import annotations

import io
import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET, UnsetType

from depose.analysis.analyze import Analysis, analyze
from depose.case import calibration
from depose.features.devices import choose
from depose.features.extract import Encode, Features
from depose.features.fuzzy_matching import matcher
from depose.features.sentence_vectors import Embedder
from depose.features.tagging import Tagger
from depose.model import Dossier, Findings, Record, spreadsheet
from depose.model.canonical import canonical, sha256
from depose.model.lineup_findings import LineupFindings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FINDINGS, SCORES, EXHIBITS, VECTORS = "findings.json", "scores.parquet", "exhibits.csv", "vectors.parquet"
Say = Callable[[str], None]


class Results(Record, frozen=True, kw_only=True):
    """What the analysis makes of a dossier: findings, and the bytes of every file in `out/` that holds them."""

    findings: Findings
    files: dict[str, bytes]
    encoder: str
    """What made the sentence vectors, if any were made."""


def results(
    dossier: Dossier,
    loaded: calibration.Loaded | None,
    cache: Path | None,
    progress: Say,
    encode: Encode | None = None,
    lineup: LineupFindings | UnsetType = UNSET,
) -> Results:
    """Analyze; pure but for the cache of what was made from texts, which None leaves alone.

    `encode` gives sentence vectors that were made before, instead of the encoder of this machine. `lineup` is what the
    line-up of the case found, where its key is open.
    """
    vectors, tags = (cache / name if cache else None for name in ("vectors.sqlite", "tags.sqlite"))
    device = choose()
    embedder = Embedder(vectors, device)
    features = Features(encode or embedder.encode, Tagger(tags).mask, matcher(device))
    analysis = analyze(dossier, features, progress, loaded)
    findings = msgspec.structs.replace(analysis.findings, lineup=lineup)
    files = {
        FINDINGS: canonical(findings),
        SCORES: _scores_table(analysis),
        EXHIBITS: exhibits_table(findings),
    }
    if features.encoded:
        files[VECTORS] = vectors_table({sha256(text.encode()): row for text, row in features.encoded.items()})
    return Results(findings=findings, files=files, encoder=embedder.maker if features.encoded else "")


def vectors_table(vectors: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Write sentence vectors, float32 as they were used, by the SHA-256 of their texts."""
    import pyarrow
    import pyarrow.parquet

    names = sorted(vectors)
    rows = [vectors[name].astype("<f4").tobytes() for name in names]
    table = pyarrow.table({"sha256": names, "float32": pyarrow.array(rows, pyarrow.binary())})
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer, compression="zstd", use_dictionary=False)
    return buffer.getvalue()


def arithmetic() -> str:
    """Name what adds, writes and draws here: machine, BLAS with its processor, libraries that make the bytes."""
    import numpy as np
    import threadpoolctl

    libraries = (one for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas")
    used = {f"{one['internal_api']} {one['version']} {one.get('architecture', '')}".strip() for one in libraries}
    made = (f"{name} {version(name)}" for name in ("scipy", "pyarrow", "jinja2", "matplotlib"))
    return " ".join((platform.machine(), f"numpy {np.__version__}", *sorted(used), *made))


def _scores_table(analysis: Analysis) -> bytes:
    """Every centred score: detector, prompt, left, right, the controls it was centred on, value."""
    import numpy as np
    import pyarrow
    import pyarrow.parquet

    columns: dict[str, list[object]] = {n: [] for n in ("detector", "prompt", "left", "right", "bag", "value")}
    for detector, bag, d in analysis.scores:
        name = sha256("\x1f".join(bag.models).encode())[:12]
        pairs = [(0, m) for m in range(1, len(bag.models))] + [(m, 1) for m in range(2, len(bag.models))]
        for left, right in pairs:
            for row in np.flatnonzero(np.isfinite(d[:, left, right])).tolist():
                columns["detector"].append(detector)
                columns["prompt"].append(bag.prompts[row].id)
                columns["left"].append(bag.models[left])
                columns["right"].append(bag.models[right])
                columns["bag"].append(name)
                columns["value"].append(float(d[row, left, right]))
    schema = pyarrow.schema([(n, pyarrow.float64() if n == "value" else pyarrow.string()) for n in columns])
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns, schema=schema), buffer, compression="zstd")
    return buffer.getvalue()


def exhibits_table(findings: Findings) -> bytes:
    """Write the index of exhibits as CSV."""
    rows: list[list[object]] = [["exhibit", "suspect", "reference", "prompt", "rank", "of", "chosen", "value", "shown"]]
    for one in findings.exhibits:
        shown = " ".join(answer.model for answer in one.answers)
        places = [one.number, one.suspect, one.reference, one.prompt.id]
        rows.append([*places, one.rank, one.of, one.chosen, one.value, shown])
    return spreadsheet.write(rows)
