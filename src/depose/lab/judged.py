"""What a case with one drawn score of a laboratory would have said."""

from __future__ import annotations

from depose.lab.scored import PRIMARY, Drawn
from depose.model import Calibration
from depose.validate.judged import Scored, judged


def judged_at(
    one: Drawn, draw: int, prompts: int, calibration: Calibration, *, untaught: bool = True
) -> tuple[str, float | None]:
    """Look the opinion on `distilled` up as a case with this score would; and the LR against unrelated."""
    scored = Scored(
        question="distilled",
        detector=PRIMARY,
        prompts=prompts,
        t=float(one.t[draw]),
        reached=int(one.reached[draw]),
        p=float(one.p[draw]),
        p_length=float(one.p_length[draw]),
        p_layout=float(one.p_layout[draw]),
        k=one.k,
        k_eff=one.k,
        shared_base=True,
        untaught="the manifest of the laboratory" if untaught else "",
    )
    return judged(scored, calibration)
