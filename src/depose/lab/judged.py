"""What a case with one drawn score would have said."""

from __future__ import annotations

import numpy as np

from depose.analysis import likelihood_ratios
from depose.analysis.opinion import FEWEST_LINEAGES, Grounds, decide
from depose.lab.scored import PRIMARY, Drawn
from depose.model import Against, Calibration, Result

ALPHA = 0.05


def judged_at(
    one: Drawn, draw: int, prompts: int, calibration: Calibration, *, untaught: bool = True
) -> tuple[str, float | None]:
    """Look the opinion up as a case with this score would, its own power left aside; and the LR against unrelated.

    The interval of the ratio is that of the calibrator alone: a draw has no bootstrap of its own.
    """
    t = float(one.t[draw])
    above = tuple(Against(model="", value=t) for _ in range(int(one.reached[draw])))
    result = Result(
        detector=PRIMARY,
        primary=True,
        prompts=prompts,
        value=t,
        low=t,
        high=t,
        p_reference=float(one.p[draw]),
        p_suspect=float(one.p[draw]),
        p=float(one.p[draw]),
        p_holm=float(one.p[draw]),
        reference_side=above,
        suspect_side=(),
        p_length_matched=float(one.p_length[draw]),
        p_layout_matched=float(one.p_layout[draw]),
        p_refusals_excluded=float(one.p[draw]),
    )
    case = likelihood_ratios.Circumstances(
        question="distilled",
        suspect="",
        families=calibration.families,
        k=one.k,
        k_eff=one.k,
        shared_base=True,
        untaught="the manifest of the laboratory" if untaught else "",
    )
    held = likelihood_ratios.conditions(calibration, result, case)
    ratios = likelihood_ratios.ratios(calibration, result, np.array([t]), case, held)
    alternatives = [ratio.low for ratio in ratios[1:] if not ratio.excluded]
    power = likelihood_ratios.power(calibration, result, "distilled", ALPHA)
    grounds = Grounds(
        question="distilled",
        alpha=ALPHA,
        k_eff=one.k,
        k_needed=FEWEST_LINEAGES,
        p=result.p,
        p_length_matched=result.p_length_matched,
        p_layout_matched=result.p_layout_matched,
        quality=True,
        refusals=0.0,
        era=True,
        shared_base=True,
        candidate_closer=False,
        lr_unrelated_low=ratios[0].low,
        lr_alternative_low=None if None in alternatives else min(low for low in alternatives if low is not None),
        in_range=all(condition.inside for condition in held),
        power=power.lower95 if power else None,
    )
    return decide(grounds).verdict, ratios[0].value
