"""Curves of the study behind the ratios of a case: one figure for each question that has a ratio; pure."""

from __future__ import annotations

from typing import Any

import msgspec

from depose.model import Findings, HeldOut
from depose.report.arrange import primary
from depose.report.figures.error_curves import error_curves
from depose.report.typography import drawn
from depose.statistics.held_out import LOG10, bounded, study_of

UNRELATED = "unrelated"


def curves(findings: Findings) -> list[tuple[HeldOut, str, Any]]:
    """Draw for each question the held-out ratios against an unrelated model, held to the bounds of its first ratio."""
    made = []
    for question in findings.protocol.questions:
        for one in findings.findings:
            ratio = next((r for r in one.ratios if r.against == UNRELATED and r.value is not None), None)
            result = primary(one)
            if one.question != question or ratio is None or result is None or ratio.elub_low is None:
                continue
            held = study_of(findings.performance, question, UNRELATED, result.prompts)
            if held is not None and held.true and held.other:
                true, other = bounded(held, ratio)
                shown = msgspec.structs.replace(
                    held, true=tuple((true / LOG10).tolist()), other=tuple((other / LOG10).tolist())
                )
                made.append((held, ", held to the bounds of this case", drawn(error_curves(shown))))
                break
    return made
