"""What several tests share: curve inputs."""

from __future__ import annotations

from depose.model import Curve, Finding
from depose.report.figures.specification_curve import specification_curve
from specifications import found, made


def drawn() -> tuple[Finding, Curve, str]:
    """Draw the curve of a scripted case."""
    one = found(made({"S1": "R1", "C7": "R1"}))
    assert one.curve is not None
    return one, one.curve, specification_curve(one, one.curve, 0.05).decode()
