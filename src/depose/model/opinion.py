"""An opinion, and the numbers that it is looked up from."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from depose.model.base import Question, Record, Verdict

FEWEST_LINEAGES = 19
"""Independent control lineages without which there is no opinion."""
MOST_REFUSALS = 0.20
"""Share of refusals above which there is none either."""
LEAST_POWER = 0.80
"""Lower bound of power without which a large p says nothing."""


class Opinion(Record, frozen=True, kw_only=True):
    """A lookup and nothing else (`opinion.py`)."""

    verdict: Verdict
    reasons: tuple[str, ...]
    """Codes: controls, era, power, quality, range, refusals, shared_base, kind, length, layout, lr_spans_one,
    files_equal, files_differ, direction."""
    assumption: str = ""
    """What it rests on besides the answers, and by which exhibit; without it the finding's `opinion_without` holds."""


class Grounds(Record, frozen=True, kw_only=True):
    """All that an opinion may rest on. None means: not evaluated."""

    question: Question
    alpha: float
    k_eff: int
    k_needed: int
    p: float | None
    """Model-level p of the primary detector, adjusted for the number of references tested."""
    p_length_matched: float | None
    p_layout_matched: float | None
    quality: bool
    refusals: float
    """Share of refusals among the answers of the suspect or the reference, whichever is larger; those that nobody can
    judge, for their language, may all be refusals."""
    era: bool
    """Whether the controls are of the years of suspect and reference."""
    shared_base: bool
    """Suspect and reference are documented to carry weights of one base."""
    candidate_closer: bool
    lr_unrelated_low: float | None
    """Conservative end of the likelihood ratio against an unrelated model."""
    lr_alternative_low: float | None
    """The same against the question's own alternative."""
    in_range: bool
    """The case lies inside the range in which the likelihood ratio was validated."""
    power: float | None
    """One-sided lower bound, over families, of the share of true pairs of the study that reach alpha."""
    files: Literal["equal", "different", "not known"] = "not known"
    """What the digests of the weights of suspect and reference say."""
    suspect_first: bool = False
    """The suspect was offered before the reference, by documented dates."""
    p_lineages: float | UnsetType = UNSET
    """p counted in independent lineages, with `k_eff` for K; set where p comes to alpha though some control reaches the
    score, and there are fewer lineages than controls."""
    rivals_left: tuple[str, ...] | UnsetType = UNSET
    """Rival candidates that were named and could not be compared with the reference; unset where there is none."""
