"""What a case with one score would have said: the rules of a case, applied to a pair of a study.

Left aside, as a pair of a study has none of it or for the time that it takes: refusals and the controls of quality,
rival candidates, joins of controls by likeness, bare words (`analysis/bare_result.py`) where their p is not given, and
the interval of T, so that the interval of a ratio is that of its calibrator alone. Each of them can only take an
`indication` away, so that what is counted with this is at least what cases would say: of strangers and of true pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from depose.analysis import likelihood_ratios
from depose.analysis.documents import least
from depose.analysis.opinion import FEWEST_LINEAGES, decide
from depose.model import Against, Calibration, Grounds, Question, Result

ALPHA = 0.05
ASIDE = (
    "counted without bare words, length and words of answers, refusals, quality, rival candidates, joins by likeness "
    "and the interval of T, each of which can only take an opinion away or make an indication a relation: indications, "
    "and both together, are at most so many, of true pairs too"
)
"""What counts of opinions leave out, and what follows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """One pair on one set of prompts, and what its documents say."""

    question: Question
    detector: str
    prompts: int
    t: float
    reached: int
    """Most controls on one side that reach T."""
    p: float
    """The larger of the two sides, as the next two."""
    p_length: float
    p_layout: float
    k: int
    k_eff: int
    era: bool = True
    shared_base: bool = False
    suspect_first: bool = False
    untaught: str = ""
    """The document by which the reference learnt from nobody, or nothing."""
    p_bare: float | None = None
    """p without bare words; None leaves that rule aside."""


def judged(one: Scored, calibration: Calibration) -> tuple[str, float | None]:
    """Look the opinion up, and the likelihood ratio against an unrelated model."""
    result = Result(
        detector=one.detector,
        primary=True,
        prompts=one.prompts,
        value=one.t,
        low=one.t,
        high=one.t,
        p_reference=one.p,
        p_suspect=one.p,
        p=one.p,
        p_holm=one.p,
        reference_side=tuple(Against(model="", value=one.t) for _ in range(one.reached)),
        suspect_side=(),
        p_length_matched=one.p_length,
        p_layout_matched=one.p_layout,
        p_refusals_excluded=one.p,
    )
    case = likelihood_ratios.Circumstances(
        question=one.question,
        suspect="",
        families=calibration.families,
        k=one.k,
        k_eff=one.k_eff,
        shared_base=one.shared_base,
        untaught=one.untaught,
    )
    held = likelihood_ratios.conditions(calibration, result, case)
    ratios = likelihood_ratios.ratios(calibration, result, np.array([one.t]), case, held)
    power = likelihood_ratios.power(calibration, result, one.question, ALPHA)
    grounds = Grounds(
        question=one.question,
        alpha=ALPHA,
        k_eff=one.k_eff,
        k_needed=FEWEST_LINEAGES,
        p=one.p,
        p_length_matched=one.p_length,
        p_layout_matched=one.p_layout,
        quality=True,
        refusals=0.0,
        era=one.era,
        shared_base=one.shared_base,
        candidate_closer=False,
        lr_unrelated_low=ratios[0].low,
        lr_alternative_low=least(ratios),
        in_range=all(condition.inside for condition in held if condition.decides)
        and (one.p_bare is None or one.p_bare <= ALPHA),
        power=power.lower95 if power else None,
        suspect_first=one.suspect_first,
    )
    return decide(grounds).verdict, ratios[0].value
