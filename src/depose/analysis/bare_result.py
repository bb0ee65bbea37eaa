"""Does a small p stand when nothing counts that is said whatever is asked? One row beside the conditions of the study.

Asked only of a result that reaches alpha. What a template of hosts, a persona or a stock answer have in common is no
likeness of two models, and neither the study nor the controls of a case are dressed so. p without the long passages
that two models share on one prompt is printed and decides nothing: a copy has them, and so have two hosts whose one
search, or one translator, wrote them.
"""

from __future__ import annotations

from depose.analysis.scored_bags import Bench
from depose.features.bare_words import SHARE
from depose.model import Condition, Result
from depose.statistics.rounding import upwards

NAME = "bare words"


def row(bench: Bench, bag: tuple[str, ...], primary: Result, alpha: float) -> tuple[Condition, ...]:
    """Rank the pair anew without what its models say whatever they are asked; nothing where p is above alpha."""
    if primary.p_holm > alpha:
        return ()
    p, alone = (bench.bare(bag, primary.detector, passages=kept) for kept in (True, False))
    without = (
        "not computed: the detector runs a model"
        if p is None or alone is None
        else f"p {upwards(p)}; and without passages in common p {upwards(alone)}"
    )
    return (
        Condition(
            name=NAME,
            validated=f"p at most {alpha:g} also without words of the prompt, stock answers, notices, and what a "
            f"model, unlike most, says in {SHARE:.0%} of its answers",
            case=f"with these p {upwards(primary.p)}; without, {without}",
            inside=p is not None and p <= alpha,
        ),
    )
