"""Which conditions of the validation study a case leaves before anything is asked: its opinions are then known.

Pure. Outside of a condition that decides there is no likelihood ratio and no power, so that whatever is answered the
opinion is `inconclusive (range)` or `inconclusive (power)` (`opinion.decide`). The score and what is peculiar about a
suspect are seen in the answers alone, and are not foreseen.
"""

from __future__ import annotations

from collections.abc import Sequence

from depose.analysis import exchangeability, likelihood_ratios
from depose.analysis.beforehand import Outlook
from depose.case import representatives
from depose.model import Calibration, Case, Condition, Exchangeability, Prompt
from depose.statistics import lineage


def outside(
    one: Outlook, case: Case, prompts: Sequence[Prompt], calibration: Calibration | None
) -> tuple[Condition, ...]:
    """List the conditions that decide and do not hold for a pair and question."""
    if calibration is None:
        return ()
    specs = {spec.code: spec for spec in case.models}
    suspect, reference = specs[one.suspect], specs[one.reference]
    candidates = [spec for spec in case.models if spec.role == "control" and not spec.repeats]
    drawn = representatives.drawn(case.models, case.protocol.seed)
    used = lineage.choose(suspect, reference, candidates, one.question, drawn).used
    circumstances = likelihood_ratios.Circumstances(
        question=one.question,
        suspect=suspect.model,
        families=tuple(sorted({prompt.family for prompt in prompts})),
        k=len(used),
        k_eff=one.k_eff,
        shared_base=lineage.share_base(suspect, reference),
        controls=tuple(spec.model for spec in used),
    )
    detector = getattr(case.protocol.primary, one.question)
    held = likelihood_ratios.foreseen(calibration, detector, len(prompts), circumstances)
    unseen = Exchangeability(era=one.era, k_by_name=one.k_eff, k_by_likeness=None, clades=(), peculiar=(), subsets=None)
    bag = (suspect.code, reference.code, *(spec.code for spec in used))
    held += exchangeability.rows(unseen, specs, bag, case.protocol)
    said = "controls" if one.k_eff < one.needed else "release dates"  # by `beforehand.why`, with what would open it
    return tuple(row for row in held if row.decides and not row.inside and row.name != said)


def ratio_of(one: Outlook, prompts: int, calibration: Calibration | None) -> str:
    """Say why the study has no likelihood ratio against an unrelated model; nothing where it has one."""
    if calibration is None:
        return "no study is named"
    found = likelihood_ratios.between(calibration, one.question, "unrelated", prompts)
    return found if isinstance(found, str) else ""
