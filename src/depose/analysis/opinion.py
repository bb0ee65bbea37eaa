"""Numbers to an opinion: a lookup and nothing else (design.md, "The measurement").

indication        quality passes; K_eff >= 19 and enough for the number of tests; controls of the years of the pair;
                  p <= alpha after Holm, in controls and in lineages; length-matched and layout-matched p <= alpha;
                  conservative LR end > 1 against an unrelated model and against the question's own alternative; no
                  candidate closer; no fact on record against it
relation, kind    the same, but the LR against the question's own alternative spans 1 or is not evaluated, a
not resolved      candidate is closer or could not be compared, the files of weights are known to differ (`same`), or
                  the suspect was offered first (the other questions)
no indication     quality passes; K_eff >= 19; p > alpha; lower bound of power >= 0.8
inconclusive      everything else, with reason codes

Facts come first: where all recorded files of weights have equal digests, `same` is answered by them.
"""

from __future__ import annotations

from msgspec import UNSET

from depose.model import Grounds, Opinion
from depose.model.opinion import FEWEST_LINEAGES, LEAST_POWER, MOST_REFUSALS

__all__ = ["FEWEST_LINEAGES", "LEAST_POWER", "MOST_REFUSALS", "decide"]


def decide(g: Grounds) -> Opinion:
    """Look the opinion up."""
    if g.question == "same" and g.files == "equal":
        return Opinion(verdict="indication", reasons=("files_equal",))
    unfit = _unfit(g)
    if unfit or g.p is None:
        return Opinion(verdict="inconclusive", reasons=tuple(unfit or ["controls"]))
    if g.p > g.alpha:
        if g.power is not None and g.power >= LEAST_POWER:
            return Opinion(verdict="no indication", reasons=())
        return Opinion(verdict="inconclusive", reasons=("power",))
    doubts = _doubts(g)
    if doubts:
        return Opinion(verdict="inconclusive", reasons=tuple(doubts))
    known = _known(g)
    if known or g.candidate_closer or g.rivals_left or g.lr_alternative_low is None or g.lr_alternative_low <= 1:
        return Opinion(verdict="relation, kind not resolved", reasons=("kind", *known))
    return Opinion(verdict="indication", reasons=())


def _known(g: Grounds) -> list[str]:
    """Facts on record that speak against H1, whatever the score."""
    reasons = []
    if g.question == "same" and g.files == "different":
        reasons.append("files_differ")
    if g.question != "same" and g.suspect_first:
        reasons.append("direction")
    return reasons


def _by_copies(g: Grounds) -> bool:
    """Tell whether p is small only since controls that are no lineages of their own are counted."""
    return g.p is not None and g.p_lineages is not UNSET and g.p <= g.alpha < g.p_lineages


def _unfit(g: Grounds) -> list[str]:
    """Reasons for which no opinion is possible, whatever the score."""
    reasons = []
    if g.question == "derived" and g.shared_base:
        reasons.append("shared_base")
    elif g.k_eff < max(FEWEST_LINEAGES, g.k_needed) or _by_copies(g):
        reasons.append("controls")
    if not g.era:
        reasons.append("era")
    if not g.quality:
        reasons.append("quality")
    if g.refusals > MOST_REFUSALS:
        reasons.append("refusals")
    return reasons


def _doubts(g: Grounds) -> list[str]:
    """Reasons for which a small p-value is not enough."""
    reasons = []
    if g.p_length_matched is None or g.p_length_matched > g.alpha:
        reasons.append("length")
    if g.p_layout_matched is None or g.p_layout_matched > g.alpha:
        reasons.append("layout")
    if not g.in_range or g.lr_unrelated_low is None:
        reasons.append("range")
    elif g.lr_unrelated_low <= 1:
        reasons.append("lr_spans_one")
    return reasons
