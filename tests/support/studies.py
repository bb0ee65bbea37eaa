"""What several tests share: studies."""

from __future__ import annotations

from typing import Any

import msgspec

from calibrators import calibrator
from depose.model import Calibration, Fact, Line, TruePair

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
