"""The reference beside rival sources: its rank, a common source of both, and which of suspect and reference came first.

Pure, printed, and never looked at by an opinion, but for the confidence set and for rivals that could not be compared
(`compared`): whoever names a rival says that it may be the source, and silence about it is no answer. Likeness is
symmetric: from answers alone nobody can say who learned from whom. One asymmetry was tried, that a teacher should be
the more peculiar of the two, and failed on models of known lineage (docs/validation.md), so dates are all there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from depose.analysis.scored_bags import Bench
from depose.errors import few
from depose.model import Candidate, CommonSource, Direction, ModelSpec, Question, Rank, Record, Result
from depose.model.random_streams import stream
from depose.statistics import lineage
from depose.statistics.centring import FEWEST
from depose.statistics.confidence_set import closest
from depose.statistics.permutation import FEWEST_CLUSTERS
from depose.statistics.ranks import DIGITS, model_level
from depose.statistics.rounding import tidy

UNKNOWN = "unknown"
RIVALS = 3
"""With fewer rivals than this the report says that the comparison with other sources is thin."""


class Compared(Record, frozen=True, kw_only=True):
    """The reference and its rivals, closest first, and the codes of those that could not be compared with it."""

    ranked: tuple[Candidate, ...]
    left: tuple[str, ...]


def compared(
    bench: Bench,
    specs: Mapping[str, ModelSpec],
    bag: Sequence[str],
    rivals: Sequence[ModelSpec],
    detector: str,
    question: Question,
) -> Compared:
    """Rank the tested reference among its rivals, each scored beside the controls that are clean for all of them.

    Left out: a rival that answered nothing or too few of the prompts for the paired test, and those without which
    the others have controls enough.
    """
    suspect, reference = specs[bag[0]], specs[bag[1]]
    named = tuple(one.code for one in rivals)
    if bench.silent([suspect.code, reference.code]):
        return Compared(ranked=(), left=named)
    speaking = [one for one in rivals if not bench.silent([one.code])]
    kept, clean = _clean_rivals(suspect, reference, speaking, bag, specs, question)
    rows = bench.bag((suspect.code, *clean)).prompts if kept else ()
    clusters = [row.cluster for row in rows]
    made = [(one, bench.scored((suspect.code, one.code, *clean), detector)) for one in (reference, *kept) if kept]
    made = [(one, scored) for one, scored in made if np.isfinite(scored.scores.t[0, 1])]
    if len(made) < 2 or made[0][0] is not reference:
        return Compared(ranked=(), left=named)
    d = np.stack([scored.d[:, 0, 1] for _, scored in made], axis=1)
    inside = closest(d, clusters, bench.protocol.alpha, stream(bench.protocol.seed, "candidates", *bag[:2]))
    ranked = [
        Candidate(
            model=one.code,
            value=tidy(scored.scores.t[0, 1]),
            tested=one is reference,
            in_set=place,
        )
        for (one, scored), place in zip(made, inside, strict=True)
    ]
    able = {one.code for column, (one, _) in enumerate(made) if _in_common(d[:, [0, column]], clusters)}
    return Compared(
        ranked=tuple(sorted(ranked, key=lambda one: (-one.value, one.model))),
        left=tuple(code for code in named if code not in able),
    )


def _in_common(d: NDArray[np.float64], clusters: Sequence[str]) -> bool:
    """Tell whether two columns have clusters enough in common for the paired test: else neither could be dropped."""
    there = np.flatnonzero(np.isfinite(d).all(axis=1)).tolist()
    return len({clusters[row] for row in there}) >= FEWEST_CLUSTERS


def _clean_rivals(
    suspect: ModelSpec,
    reference: ModelSpec,
    rivals: Sequence[ModelSpec],
    bag: Sequence[str],
    specs: Mapping[str, ModelSpec],
    question: Question,
) -> tuple[list[ModelSpec], tuple[str, ...]]:
    """Keep the rivals that leave controls enough together: the one that costs most goes first, the last one in a tie.

    Nobody may hide a rival behind another one.
    """
    kept = list(rivals)

    def clean(among: Sequence[ModelSpec]) -> tuple[str, ...]:
        return tuple(
            code
            for code in bag[2:]
            if not any(lineage.unclean(suspect, rival, specs[code], question) for rival in (reference, *among))
        )

    while kept and len(clean(kept)) < FEWEST:
        gains = [len(clean([other for other in kept if other is not one])) for one in kept]
        kept.pop(max(range(len(kept)), key=lambda place: (gains[place], place)))
    return kept, clean(kept)


def rank(primary: Result, beside: Compared, rivals: int) -> Rank:
    """Place the tested reference among the controls in its place, and among the rivals that could be compared."""
    values = np.round([one.value for one in primary.reference_side], DIGITS)
    tested = next((one for one in beside.ranked if one.tested), None)
    if not rivals:
        reason = "no rival was named"
    elif beside.left:
        reason = f"not compared: {few(beside.left)}; too few prompts in common, or controls that are clean for it too"
    else:
        reason = "" if rivals >= RIVALS else f"fewer than {RIVALS} rivals were named"
    return Rank(
        among_controls=1 + int((values >= np.round(primary.value, DIGITS)).sum()),
        controls=len(values),
        among_candidates=None
        if tested is None
        else 1 + sum(one.value >= tested.value for one in beside.ranked if not one.tested),
        candidates=max(len(beside.ranked) - 1, 0),
        reason=reason,
    )


def direction(suspect: ModelSpec, reference: ModelSpec) -> Direction:
    """Compare the documented dates: each is a year, a month or a day, and may be given more or less exactly."""
    order: Literal["reference first", "suspect first", "overlapping", "not stated"] = "overlapping"
    dates = ["" if one.released == UNKNOWN else one.released for one in (suspect, reference)]
    shared = min(map(len, dates))
    second, first = (date[:shared] for date in dates)
    if not shared:
        order = "not stated"
    elif first != second:
        order = "reference first" if first < second else "suspect first"
    return Direction(suspect_released=suspect.released, reference_released=reference.released, order=order)


def clean_for_all(
    specs: Mapping[str, ModelSpec], bag: Sequence[str], other: ModelSpec, question: Question
) -> tuple[str, ...]:
    """List the controls of a bag that are clean for suspect, reference and rival alike.

    Reference and rival often share a base; that is no reason to ask it of the controls.
    """
    suspect, reference = specs[bag[0]], specs[bag[1]]
    pairs: tuple[tuple[ModelSpec, Question], ...] = ((suspect, question), (reference, "derived"))
    return tuple(
        code for code in bag[2:] if not any(lineage.unclean(one, other, specs[code], rule) for one, rule in pairs)
    )


def common_source(
    bench: Bench,
    specs: Mapping[str, ModelSpec],
    bag: Sequence[str],
    other: ModelSpec,
    detector: str,
    question: Question,
) -> CommonSource:
    """Test the three pairs of suspect, reference and one rival with the same controls.

    If both are as close to the rival as to each other, a common source explains the findings as well as the reference.
    """
    suspect, reference = bag[:2]
    controls = clean_for_all(specs, bag, other, question)
    pairs = ((suspect, reference), (suspect, other.code), (reference, other.code))
    each = [bench.scored((*pair, *controls), detector) for pair in pairs]
    p = [tidy(model_level(one.scores.t).p) if np.isfinite(one.scores.t[0, 1]) else 1.0 for one in each]
    d = np.stack([one.d[:, 0, 1] for one in each[:2]], axis=1)
    clusters = [prompt.cluster for prompt in bench.bag((suspect, *controls)).prompts]
    rng = stream(bench.protocol.seed, "common source", suspect, reference, other.code)
    kept = closest(d, clusters, bench.protocol.alpha, rng) if np.isfinite(d).any() else (True, True)
    reading: Literal["not told apart", "reference closer", "candidate closer"] = "not told apart"
    if not kept[1] and p[0] < p[1]:
        reading = "reference closer"
    elif not kept[0] and p[1] < p[0]:
        reading = "candidate closer"
    return CommonSource(
        model=other.code,
        k=len(controls),
        p_suspect_reference=p[0],
        p_suspect_candidate=p[1],
        p_reference_candidate=p[2],
        reading=reading,
    )
