"""Normalised indel ratio of every two texts of a group, for many groups at once, on a GPU; equal to rapidfuzz.

The GPU finds the length of the longest common subsequence of each pair (lcs_kernel.py); the ratio is then the formula
of rapidfuzz in float64. Pairs with a text that is longer than the kernel takes are left to rapidfuzz.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import LCSseq

from depose.features.extract import Match

PAIRS = 1 << 18
"""Pairs of one launch, unless a single group has more."""
ROOM = 1 << 26
"""Places of the table of rows, one for each text and letter of a launch."""
WARP = 32
Ints = NDArray[np.int64]


def matcher(device: str) -> Match | None:
    """Give the function that matches on the device, or None where rapidfuzz does it."""
    if device != "cuda" or find_spec("triton") is None:
        return None
    return lambda groups: match(groups, device)


def match(groups: Sequence[Sequence[str]], device: str, block: int = WARP) -> list[NDArray[np.float64]]:
    """Give each group of n texts its n x n ratios (0 to 1).

    `block` is how many words of 64 characters one program works on; under Triton's interpreter (TRITON_INTERPRET=1,
    device `cpu`) large blocks are faster.
    """
    found = []
    for part in _launches(groups):
        texts = [text for group in part for text in group]
        ends = np.cumsum([0, *map(len, part)])
        pairs = np.array(
            [pair for start, end in pairwise(ends) for pair in combinations(range(start, end), 2)],
            np.int64,
        ).reshape(-1, 2)
        lengths = np.array([len(text) for text in texts], np.int64)
        total = lengths[pairs].sum(axis=1)
        common = _common(texts, lengths, pairs, device, block)
        values = 1.0 - np.where(total > 0, (total - 2 * common) / np.maximum(total, 1), 0.0)
        at = 0
        for group in part:
            n = len(group)
            ratios = np.ones((n, n))
            upper = np.triu_indices(n, 1)
            ratios[upper] = values[at : at + len(upper[0])]
            ratios.T[upper] = ratios[upper]
            at += len(upper[0])
            found.append(ratios)
    return found


def _launches(groups: Sequence[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    """Cut the groups into runs that one launch takes."""
    run: list[Sequence[str]] = []
    letters: set[str] = set()
    pairs = texts = 0
    for group in groups:
        fresh = letters.union(*group)
        more, n = len(group) * (len(group) - 1) // 2, texts + len(group)
        if run and (pairs + more > PAIRS or n * len(fresh) > ROOM):
            yield run
            run, pairs, n, fresh = [], 0, len(group), set().union(*group)
        run.append(group)
        letters, pairs, texts = fresh, pairs + more, n
    if run:
        yield run


def _common(texts: Sequence[str], lengths: Ints, pairs: Ints, device: str, block: int) -> Ints:
    """Find the length of the longest common subsequence of each pair."""
    from depose.features.lcs_kernel import LONGEST

    out = np.zeros(len(pairs), np.int64)
    # The longer text lies across the lanes, the shorter one is walked through.
    swap = lengths[pairs[:, 0]] < lengths[pairs[:, 1]]
    longer, shorter = np.where(swap, pairs.T[::-1], pairs.T)
    for at in np.flatnonzero(lengths[longer] > LONGEST).tolist():
        out[at] = LCSseq.similarity(texts[longer[at]], texts[shorter[at]])
    fit = np.flatnonzero((lengths[longer] <= LONGEST) & (lengths[shorter] > 0))
    # Neighbours share a program, which walks as far as the longest of them needs.
    fit = fit[np.argsort(lengths[shorter[fit]], kind="stable")]
    if len(fit):
        out[fit] = _launch(_tables(texts, lengths), longer[fit], shorter[fit], device, block)
    return out


@dataclass(frozen=True, kw_only=True, slots=True)
class Tables:
    """What the kernel reads of the texts."""

    codes: NDArray[np.int32]
    """Letters of all texts, one text after another, as numbers from 0."""
    starts: Ints
    lengths: NDArray[np.int32]
    rows: NDArray[np.int32]
    """[texts, letters]: row of the letter among the masks of the text, 0 where it is not in it."""
    masks: Ints
    """For each text, an empty row and one for each of its letters; bit b of word w: the letter stands at 64 w + b."""
    mask_starts: Ints


def _tables(texts: Sequence[str], lengths: Ints) -> Tables:
    points = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), np.uint32)
    alphabet, codes = np.unique(points, return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    owner = np.repeat(np.arange(len(texts)), lengths)
    place = np.arange(len(points)) - starts[owner]
    # Each text's letters, numbered from 1 within the text.
    keys, key_of = np.unique(owner * len(alphabet) + codes, return_inverse=True)
    distinct = np.bincount(keys // len(alphabet), minlength=len(texts))
    number = np.arange(len(keys)) - (np.cumsum(distinct) - distinct)[keys // len(alphabet)] + 1
    rows = np.zeros(len(texts) * len(alphabet), np.int32)
    rows[keys] = number
    words = (lengths + 63) // 64
    sizes = (distinct + 1) * words
    mask_starts = np.cumsum(sizes) - sizes
    masks = np.zeros(int(sizes.sum()), np.uint64)
    where = mask_starts[owner] + number[key_of] * words[owner] + place // 64
    np.bitwise_or.at(masks, where, np.uint64(1) << (place % 64).astype(np.uint64))
    return Tables(
        codes=codes.astype(np.int32),
        starts=starts,
        lengths=lengths.astype(np.int32),
        rows=rows.reshape(len(texts), -1),
        masks=masks.view(np.int64),
        mask_starts=mask_starts,
    )


def _launch(tables: Tables, longer: Ints, shorter: Ints, device: str, block: int) -> Ints:
    import torch

    from depose.features.lcs_kernel import WORD, lcs

    def put(array: NDArray[Any]) -> Any:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    out = torch.zeros(len(longer), dtype=torch.int32, device=device)
    most = int(tables.lengths[longer].max())
    lanes = 1 << (-(-most // WORD) - 1).bit_length()
    together = max(1, block // lanes)
    lcs[(-(-len(longer) // together),)](
        put(longer.astype(np.int32)),
        put(shorter.astype(np.int32)),
        out,
        len(longer),
        put(tables.codes),
        put(tables.starts),
        put(tables.lengths),
        put(tables.rows),
        tables.rows.shape[1],
        put(tables.masks),
        put(tables.mask_starts),
        PAIRS=together,
        LANES=lanes,
        num_warps=1,
    )
    found: Ints = out.cpu().numpy().astype(np.int64)
    return found
