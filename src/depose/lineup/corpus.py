"""Training-set access: the best near-duplicate of every member of every bag in a corpus that was produced.

The corpus is read once, batch by batch, and never held: Parquet, JSONL, or text with a document on each line, also
packed or in folders. Of a document every string counts, wherever it is nested; a string longer than two members is read
in overlapping pieces, so that an answer inside a transcript is met at its own length. Candidates come from MinHash
signatures of word pairs (Broder 1997; R-MinHash by the library rensa), by bands that agree; each is then compared word
by word, and the score of a member is its best normalised indel ratio, 0 where no candidate was met. Members of a bag
are searched for alike, so that the decoys are the control: a corpus that never held the deliveries holds passages like
the decoys as often.

A pair of texts that share a part J of their word pairs becomes a candidate with probability 1 - (1 - J^3)^32: .58 at
J = .3, .88 at .4, .99 at .5.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Indel

from depose.errors import CaseError
from depose.features.words import words
from depose.lineup.corpus_files import Document, digest_of, documents, listed
from depose.lineup.scorer import Scores
from depose.model import Fact
from depose.model.lineup import Bag, Passage

BANDS, ROWS = 32, 3
SEED = 42
AT_ONCE = 4_096
"""Documents whose signatures are made together."""
FEWEST = 3
"""Words of a text that is compared; shorter ones are alike by chance."""

Keys = NDArray[np.uint64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """The best near-duplicate of one member."""

    ratio: float
    """Normalised indel ratio over words, 0 to 1."""
    file: str
    number: int
    """Of the document in its file, from 1."""
    text: str
    """The passage that was compared."""


class CorpusScorer:
    """Scores bags by their best near-duplicates in a corpus; `matches` holds the exhibits of the last call."""

    independent = False
    """Bags could be searched for one by one, but each search reads the whole corpus."""

    def __init__(self, corpus: Path) -> None:
        self._corpus = corpus
        self._files = listed(corpus)
        self._digests: tuple[str, ...] = ()
        self._searched = ""
        self.matches: tuple[tuple[Match | None, ...], ...] = ()

    def facts(self) -> tuple[Fact, ...]:
        """Name every file with its size and digest, and how candidates are found; raise CaseError as `score` does."""
        self._digests = self._digests or tuple(map(digest_of, self._files))
        return (
            *(
                Fact(
                    name=f"corpus {path.relative_to(self._corpus.parent)}",
                    value=f"{path.stat().st_size} bytes, sha256 {digest}",
                )
                for path, digest in zip(self._files, self._digests, strict=True)
            ),
            Fact(name="candidates", value=f"R-MinHash of word pairs, {BANDS} bands of {ROWS}, seed {SEED}"),
            Fact(name="rensa", value=version("rensa")),
            Fact(name="score", value="normalised indel ratio over words of the best near-duplicate, 0 to 1"),
            *((Fact(name="searched", value=self._searched),) if self._searched else ()),
        )

    def score(self, bags: Sequence[Bag]) -> tuple[Scores, ...]:
        """Search the corpus once for all members.

        Raises CaseError for a file that cannot be read, and for a corpus without a text: it was not searched at all.
        """
        search = _Search([member for bag in bags for member in bag.members])
        search.run(documents(self._files, self._corpus))
        if not search.texts:
            raise CaseError(
                f"{self._corpus}: holds no text of {FEWEST} words: there is nothing to search",
                hint="numbers of tokens and pictures hold no text; ask for the texts that they were made of",
            )
        self._searched = f"{search.texts} texts of {FEWEST} words or more"
        found = iter(search.best)
        self.matches = tuple(tuple(next(found) for _ in bag.members) for bag in bags)
        return tuple(tuple(0.0 if one is None else one.ratio for one in row) for row in self.matches)

    def passages(self) -> tuple[tuple[Passage | None, ...], ...]:
        """Name the document in which the best near-duplicate of each member stands, [bags][members]."""
        return tuple(
            tuple(None if one is None else Passage(file=one.file, document=one.number) for one in row)
            for row in self.matches
        )


class _Search:
    """Members with their signatures, and the best match of each so far."""

    def __init__(self, members: Sequence[str]) -> None:
        self._members = [_words(text) for text in members]
        self.best: list[Match | None] = [None] * len(members)
        self.texts = 0
        """Of the corpus that were long enough to be compared."""
        sizes = sorted(len(one) for one in self._members)
        self._length = max(FEWEST, sizes[len(sizes) // 2] if sizes else 0)
        """Half a piece: what a member of middle length has."""
        able = [place for place, one in enumerate(self._members) if len(one) >= FEWEST]
        keys = _keys([self._members[place] for place in able])
        order = np.argsort(keys, axis=0, kind="stable")
        self._sorted = [keys[order[:, band], band] for band in range(BANDS)]
        self._owners = [np.array(able, dtype=np.intp)[order[:, band]] for band in range(BANDS)]

    def run(self, read: Iterator[Document]) -> None:
        """Read everything."""
        pieces: list[list[str]] = []
        sources: list[Document] = []
        for one in read:
            found = _words(one.text)
            self.texts += len(found) >= FEWEST
            for piece in self._pieces(found):
                pieces.append(piece)
                sources.append(one)
            if len(pieces) >= AT_ONCE:
                self._take(pieces, sources)
                pieces, sources = [], []
        self._take(pieces, sources)

    def _pieces(self, text: list[str]) -> Iterator[list[str]]:
        if len(text) < FEWEST:
            return
        if len(text) <= 2 * self._length:
            yield text
            return
        for start in range(0, len(text) - self._length, self._length):
            yield text[start : start + 2 * self._length]

    def _take(self, pieces: Sequence[list[str]], sources: Sequence[Document]) -> None:
        if not pieces or not len(self._sorted[0]):
            return
        keys = _keys(pieces)
        pairs: set[tuple[int, int]] = set()
        for band in range(BANDS):
            known, owners = self._sorted[band], self._owners[band]
            low = np.searchsorted(known, keys[:, band], side="left")
            high = np.searchsorted(known, keys[:, band], side="right")
            for place in np.flatnonzero(high > low).tolist():
                pairs.update((place, int(owner)) for owner in owners[low[place] : high[place]])
        for place, owner in sorted(pairs):
            before = self.best[owner]
            least = before.ratio if before else 0.0
            ratio = Indel.normalized_similarity(self._members[owner], pieces[place], score_cutoff=least)
            if ratio > least:
                source = sources[place]
                self.best[owner] = Match(
                    ratio=round(ratio, 9), file=source.file, number=source.number, text=" ".join(pieces[place])
                )


def _words(text: str) -> list[str]:
    return words(text.lower())


def _keys(texts: Sequence[list[str]]) -> Keys:
    """Hash the bands of the signature of each text, [texts, bands]."""
    import rensa

    if not texts:
        return np.zeros((0, BANDS), dtype=np.uint64)
    pairs = [[f"{one} {two}" for one, two in pairwise(text)] for text in texts]
    rows = rensa.RMinHash.digests_from_token_sets(pairs, num_perm=BANDS * ROWS, seed=SEED)
    signature = np.array(rows, dtype=np.uint64).reshape(len(texts), BANDS, ROWS)
    keys = np.zeros((len(texts), BANDS), dtype=np.uint64)
    for row in range(ROWS):
        keys = (keys ^ signature[:, :, row]) * np.uint64(0x9E3779B97F4A7C15)
        keys ^= keys >> np.uint64(29)
    return keys
