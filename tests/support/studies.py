"""What several tests share: studies."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from calibrators import calibrator
from depose.analysis.likelihood_ratios import Circumstances
from depose.model import Against, Calibration, Fact, Line, Result, TruePair

LINE = Line(intercept=0.0, slope=2.0)


def study(**changes: Any) -> Calibration:
    """Make the calibration of a small study."""
    pairs = tuple(
        TruePair(
            question="same", detector="phrases", prompts=size, family=f"f{i % 5}", k_eff=20 + i, p=0.04 + 0.02 * (i % 5)
        )
        for i in range(10)
        for size in (50, 100)
    )
    plain = Calibration(
        format="depose calibration 1",
        source="made",
        files=(),
        software=(),
        families=("a", "b"),
        prompts=200,
        models=50,
        suspects=("known",),
        k_low=15,
        k_high=30,
        calibrators=(calibrator(LINE),),
        missing=(Fact(name="same / relatives", value="2 families of one kind in made; 5 are needed"),),
        true_pairs=pairs,
    )
    return msgspec.structs.replace(plain, **changes)


CASE = Circumstances(question="same", suspect="new", families=("a",), k=23, k_eff=23, shared_base=False)


def result(value: float = 4.0, prompts: int = 120) -> Result:
    """Make the primary result of a case with 23 controls."""
    side = tuple(Against(model=f"C{i}", value=float(v)) for i, v in enumerate(np.linspace(-2, 2, 23)))
    return Result(
        detector="phrases",
        primary=True,
        prompts=prompts,
        value=value,
        low=3,
        high=5,
        p_reference=1 / 24,
        p_suspect=1 / 24,
        p=1 / 24,
        p_holm=1 / 24,
        reference_side=side,
        suspect_side=side,
        p_length_matched=1 / 24,
        p_refusals_excluded=1 / 24,
    )
