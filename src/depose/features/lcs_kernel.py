"""Longest common subsequence of many pairs of texts at once: a Triton kernel, bit-parallel.

Sixty-four characters of the pattern lie in each word of a lane; every character of the other text costs one
addition over all words, whose carries cross the lanes in two reductions (Hyyrö 2004, "Bit-parallel LCS-length
computation revisited", AWOCA). Imports triton, so that nothing but fuzzy_matching.py
may import it, and only when asked.
"""

from __future__ import annotations

import triton
import triton.language as tl

WORD = 64
LONGEST = WORD * WORD
"""Characters of a pattern at most: as many words as a carry mask has bits."""


@triton.jit  # type: ignore[untyped-decorator]
def lcs(  # type: ignore[no-untyped-def]
    pattern_of,
    other_of,
    out,
    pairs,
    codes,
    starts,
    lengths,
    rows,
    letters,
    masks,
    mask_starts,
    PAIRS: tl.constexpr,  # noqa: N803
    LANES: tl.constexpr,  # noqa: N803
):
    """Write the length of the longest common subsequence of each pair of texts to `out`.

    `codes` holds the letters of all texts one after another; `rows[t, letter]` says which row of the masks of text t
    belongs to a letter, row 0 being empty. A program compares PAIRS pairs, each of them in LANES lanes.
    """
    pair = tl.program_id(0) * PAIRS + tl.arange(0, PAIRS)
    there = pair < pairs
    pattern = tl.load(pattern_of + pair, mask=there, other=0)
    other = tl.load(other_of + pair, mask=there, other=0)
    lane = tl.arange(0, LANES)[None, :]
    shift = lane.to(tl.uint64)
    words = (tl.load(lengths + pattern, mask=there, other=0) + 63) // 64
    used = lane < words[:, None]
    mine = masks + tl.load(mask_starts + pattern)[:, None] + lane
    row = rows + pattern.to(tl.int64) * letters
    letter = codes + tl.load(starts + other)
    count = tl.load(lengths + other, mask=there, other=0)
    # A zero bit is a matched character; where nothing matches, no bit changes.
    ones = tl.full((PAIRS, LANES), -1, tl.int64).to(tl.uint64, bitcast=True)
    state = ones
    for step in range(tl.max(count, 0)):
        live = step < count
        which = tl.load(row + tl.load(letter + step, mask=live, other=0), mask=live, other=0)
        match = tl.load(mine + (which * words)[:, None], mask=used, other=0).to(tl.uint64, bitcast=True)
        hit = state & match
        total = state + hit
        carries = tl.sum((total < state).to(tl.uint64) << shift, 1)
        passes = tl.sum((total == ones).to(tl.uint64) << shift, 1)
        into = (passes + carries + carries) ^ passes
        state = (total + ((into[:, None] >> shift) & 1)) | (state ^ hit)
    # Count of zero bits, by halves.
    bits = state ^ ones
    bits = bits - ((bits >> 1) & 0x5555555555555555)
    bits = (bits & 0x3333333333333333) + ((bits >> 2) & 0x3333333333333333)
    bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F
    bits = (bits + (bits >> 8)) & 0x00FF00FF00FF00FF
    bits = (bits + (bits >> 16)) & 0x0000FFFF0000FFFF
    bits = (bits + (bits >> 32)) & 0x00000000FFFFFFFF
    tl.store(out + pair, tl.sum(bits, 1).to(tl.int32), mask=there)
