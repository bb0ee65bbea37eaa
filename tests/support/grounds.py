"""Grounds that give an indication, for tests of what takes it away."""

from __future__ import annotations

from depose.model import Grounds

GOOD = Grounds(
    question="distilled",
    alpha=0.05,
    k_eff=24,
    k_needed=19,
    p=0.04,
    p_length_matched=0.04,
    p_layout_matched=0.04,
    quality=True,
    refusals=0.0,
    era=True,
    shared_base=False,
    candidate_closer=False,
    lr_unrelated_low=3.0,
    lr_alternative_low=2.0,
    in_range=True,
    power=0.9,
)
