"""The reference beside rival sources: its rank, a common source of both, and which of suspect and reference came first.

Pure, printed, and never looked at by an opinion, but for the confidence set (`analysis._candidates`). Likeness is
symmetric: from answers alone nobody can say who learned from whom. One asymmetry was tried, that a teacher should be
the more peculiar of the two, and failed on models of known lineage (docs/validation.md), so dates are all there is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from depose.analysis.scored_bags import Bench
from depose.model import Candidate, CommonSource, Direction, ModelSpec, Question, Rank, Result
from depose.model.random_streams import stream
from depose.statistics import lineage
from depose.statistics.confidence_set import closest
from depose.statistics.ranks import DIGITS, model_level
from depose.statistics.rounding import tidy

UNKNOWN = "unknown"
RIVALS = 3
"""With fewer rivals than this the report says that the comparison with other sources is thin."""


def rank(primary: Result, candidates: Sequence[Candidate], rivals: int) -> Rank:
    """Place the tested reference among the controls in its place, and among the rivals that could be compared."""
    values = np.round([one.value for one in primary.reference_side], DIGITS)
    tested = next((one for one in candidates if one.tested), None)
    if tested is not None:
        reason = "" if len(candidates) > RIVALS else f"fewer than {RIVALS} rivals were named"
    else:
        reason = (
            "no rival could be compared, or too few controls are clean for all of them"
            if rivals
            else "no rival was named"
        )
    return Rank(
        among_controls=1 + int((values >= np.round(primary.value, DIGITS)).sum()),
        controls=len(values),
        among_candidates=None
        if tested is None
        else 1 + sum(one.value >= tested.value for one in candidates if not one.tested),
        candidates=max(len(candidates) - 1, 0),
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
