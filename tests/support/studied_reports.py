"""What several tests share: studied reports."""

from __future__ import annotations

import msgspec

from depose.model import ErrorRate, Findings, HeldOut, Performance


def studied(findings: Findings) -> Findings:
    """The same findings with the error rates of a study."""
    rates = tuple(
        ErrorRate(question=question, what=f"{kind}: invented", k=1, n=20, upper95=0.2161)
        for question in ("same", "derived", "distilled")
        for kind in ("false alarm", "miss", "misleading")
    )
    held = HeldOut(
        question="distilled",
        against="unrelated",
        detector="wording",
        prompts=390,
        families_true=5,
        families_other=6,
        true=(-0.2, 0.3, 0.9, 1.4),
        other=(-1.2, -0.8, -0.3, 0.1, -0.5),
        cllr=0.5,
        cllr_min=0.4,
    )
    made = Performance(
        format="depose performance 1",
        source="x",
        calibration="0" * 64,
        command="depose validate",
        rates=rates,
        held_out=(held,),
    )
    return msgspec.structs.replace(findings, performance=made)
