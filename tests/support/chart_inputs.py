"""What several tests share: chart inputs."""

from __future__ import annotations

from depose.model import Candidate, Fact
from reports import build
from studied_reports import studied

STUDY = studied(build()).performance


EVENTS = (
    Fact(name="last question", value="2026-11-24T06:09:41Z"),
    Fact(name="protocol registered", value="2026-11-24T06:00:00Z"),
)


RIVALS = tuple(
    Candidate(model=model, value=value, tested=model == "R1", in_set=value > 0)
    for model, value in (("T2", 1.7), ("R1", 1.5), ("T3", -0.4))
)
