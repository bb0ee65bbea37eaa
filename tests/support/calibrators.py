"""What several tests share: calibrators."""

from __future__ import annotations

from depose.model import Calibrator, Line


def calibrator(line: Line, n_neg_lineages: int = 40) -> Calibrator:
    """Wrap a line as a study would."""
    return Calibrator(
        question="same",
        against="unrelated",
        detector="phrases",
        prompts=100,
        line=line,
        draws=(line,),
        n_pos=60,
        n_pos_families=9,
        n_neg=400,
        n_neg_lineages=n_neg_lineages,
        lowest=-4,
        highest=9,
        positives=(0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5),
        elub_low=-1,
        elub_high=1,
        cllr=0.3,
        cllr_min=0.25,
    )
