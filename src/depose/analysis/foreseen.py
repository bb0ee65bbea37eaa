"""Which conditions of the validation study a case leaves before anything is asked: its opinions are then known.

Pure. Outside of a condition that decides there is no likelihood ratio and no power, so that whatever is answered the
opinion is `inconclusive (range)` or `inconclusive (power)` (`opinion.decide`). The score and what is peculiar about a
suspect are seen in the answers alone, and are not foreseen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from depose.analysis import exchangeability, likelihood_ratios
from depose.analysis.beforehand import Outlook
from depose.case import representatives
from depose.model import LISTED, Calibration, Case, Condition, Exchangeability, Prompt, Question
from depose.statistics import lineage


def outside(
    one: Outlook,
    case: Case,
    prompts: Sequence[Prompt],
    calibration: Calibration | None,
    words: Mapping[str, Sequence[int]] | None = None,
) -> tuple[Condition, ...]:
    """List the conditions that decide and do not hold for a pair and question.

    `words` are those of each answer that is there already, by model; their length is foreseen where all have some.
    """
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
        words=_typical([(words or {}).get(spec.code, ()) for spec in (suspect, reference, *used)]),
    )
    detector = getattr(case.protocol.primary, one.question)
    held = likelihood_ratios.foreseen(calibration, detector, len(prompts), circumstances)
    unseen = Exchangeability(era=one.era, k_by_name=one.k_eff, k_by_likeness=None, clades=(), peculiar=(), subsets=None)
    bag = (suspect.code, reference.code, *(spec.code for spec in used))
    held += exchangeability.rows(unseen, specs, bag, case.protocol)
    said = "controls" if one.k_eff < one.needed else "release dates"  # by `beforehand.why`, with what would open it
    return tuple(row for row in held if row.decides and not row.inside and row.name != said)


def _typical(counts: Sequence[Sequence[int]]) -> float | None:
    """Median words of the answers of a bag; None where a member has none yet."""
    return float(median(count for mine in counts for count in mine)) if all(counts) else None


def ratio_of(one: Outlook, prompts: int, calibration: Calibration | None) -> str:
    """Say why the study has no likelihood ratio against an unrelated model; nothing where it has one."""
    if calibration is None:
        return "no study is named"
    found = likelihood_ratios.between(calibration, one.question, "unrelated", prompts)
    return found if isinstance(found, str) else ""


OF_THE_STUDY = ("detector", "number of prompts", "kind of prompts", "length of answers", "controls", "score T", "bases")
"""Conditions whose range is that of the validation study (`likelihood_ratios.conditions`); of others a rule sets it."""


def in_words(one: Condition, question: Question) -> str:
    """Set what a case has beside what the study covers, in words where a name alone says too little."""
    if one.name == "question":
        return one.validated
    if one.name == "suspect":
        return "the suspect is one of the models that the study was made of"
    if one.name == "kind of prompts" and one.case.endswith(f": {LISTED}"):
        return (
            f"prompts of the case's own: no kind of prompts is known for them, and the study holds for {question} on "
            f"its own kinds alone ({one.validated})"
        )
    source = "the study" if one.name in OF_THE_STUDY else "needed"
    return f"{one.name}: {one.case} ({source}: {one.validated})"
