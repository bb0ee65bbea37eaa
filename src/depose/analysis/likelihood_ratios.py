"""Results to likelihood ratios, power and the conditions under which they hold: what a validation study adds to a case.

Pure. Of the calibrators for a question and an alternative the one for the largest number of prompts that the case
reaches is used. Outside the validated range nothing is evaluated; the conditions say why.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.model import Calibration, Calibrator, Condition, Power, Question, Ratio, Record, Result
from depose.statistics.calibration import likelihood_ratio
from depose.statistics.verbal import SCALES, word

Array = NDArray[np.float64]

FEWEST_FAMILIES = 5
"""Families of true pairs without which a study says nothing of power."""
SCALE = "enfsi-2015"
COMMON_TEACHER = "common teacher"
AGAINST: dict[Question, tuple[str, ...]] = {
    "same": ("unrelated", "relatives"),
    "derived": ("unrelated", "distilled only"),
    "distilled": ("unrelated", "same base, other teacher", COMMON_TEACHER),
}
"""The alternatives of each question: an unrelated model first, then its own."""


class Circumstances(Record, frozen=True, kw_only=True):
    """What of a case is compared with the conditions of the study."""

    question: Question
    suspect: str
    """Name of the suspect model."""
    families: tuple[str, ...]
    k: int
    k_eff: int
    shared_base: bool
    untaught: str = ""
    """The document by which the reference has learnt from no other model, or nothing."""


def calibrator(calibration: Calibration | None, question: Question, against: str, prompts: int) -> Calibrator | None:
    """Find the calibrator for the largest number of prompts that the case reaches."""
    if calibration is None:
        return None
    able = [
        one
        for one in calibration.calibrators
        if one.question == question and one.against == against and one.prompts <= prompts
    ]
    return max(able, key=lambda one: one.prompts, default=None)


def conditions(calibration: Calibration | None, result: Result, case: Circumstances) -> tuple[Condition, ...]:
    """Set the conditions of the study beside those of the case."""
    if calibration is None:
        return ()
    mine = [one for one in calibration.calibrators if one.question == case.question]
    if not mine:
        return (Condition(name="question", validated="not validated", case=case.question, inside=False),)
    used = calibrator(calibration, case.question, "unrelated", result.prompts) or mine[0]
    fewest = min(one.prompts for one in mine)
    foreign = sorted(set(case.families) - set(calibration.families))
    rows = (
        ("detector", used.detector, result.detector, used.detector == result.detector),
        ("number of prompts", f"{fewest} to {calibration.prompts}", str(result.prompts), result.prompts >= fewest),
        (
            "kind of prompts",
            ", ".join(calibration.families),
            ", ".join(case.families) if not foreign else f"not validated: {', '.join(foreign)}",
            not foreign,
        ),
        ("controls", f"{calibration.k_low} to {calibration.k_high}", str(case.k), case.k >= calibration.k_low),
        (
            "score T",
            f"{used.lowest:z.2f} to {used.highest:z.2f}",
            f"{result.value:z.2f}",
            used.lowest <= result.value <= used.highest,
        ),
        (
            "suspect",
            "not a suspect of the study",
            "a suspect of the study" if case.suspect in calibration.suspects else "not a suspect of the study",
            case.suspect not in calibration.suspects,
        ),
        (
            "bases",
            _bases(calibration.one_base),
            _bases(case.shared_base),
            case.shared_base == calibration.one_base,
        ),
    )
    return tuple(
        Condition(name=name, validated=validated, case=seen, inside=inside) for name, validated, seen, inside in rows
    )


def _bases(one: bool) -> str:
    return "one base" if one else "different or not known"


def ratios(
    calibration: Calibration | None, result: Result, draws: Array, case: Circumstances, held: Sequence[Condition]
) -> tuple[Ratio, ...]:
    """Evaluate the likelihood ratio against every alternative of the question, or say why not."""
    outside = [one.name for one in held if not one.inside]
    reached = max(
        sum(one.value >= result.value for one in side) for side in (result.reference_side, result.suspect_side)
    )
    found = []
    for against in AGAINST[case.question]:
        used = calibrator(calibration, case.question, against, result.prompts)
        if calibration is None:
            found.append(_without(against, "the protocol names no validation study"))
        elif outside:
            found.append(_without(against, f"outside the validated range: {', '.join(outside)}"))
        elif used is None:
            name = f"{case.question} / {against}"
            why = next((fact.value for fact in calibration.missing if fact.name == name), "not in the validation study")
            found.append(_without(against, why))
        elif not _informs(used):
            found.append(_without(against, _uninformed(used)))
        else:
            found.append(_evaluated(used, result, draws, reached, case.k_eff))
    return tuple(_with_documents(one, case) for one in found)


def _with_documents(one: Ratio, case: Circumstances) -> Ratio:
    """Mark what the documents of the case exclude: a reference that learnt from nobody shares no teacher."""
    if one.against != COMMON_TEACHER or not case.untaught:
        return one
    said = f"excluded by documents: {case.untaught}"
    return msgspec.structs.replace(one, excluded=True, reason=f"{said}; {one.reason}" if one.reason else said)


def point(
    calibration: Calibration | None,
    question: Question,
    detector: str,
    value: float,
    *,
    prompts: int,
    reached: int,
    k_eff: int,
) -> float | None:
    """Evaluate the capped ratio of a score against an unrelated model, without interval; None where it was not fitted.

    For the specification curve: the case as a whole must be in the validated range, which the caller knows.
    """
    used = calibrator(calibration, question, "unrelated", prompts)
    if used is None or used.detector != detector or not _informs(used) or not used.lowest <= value <= used.highest:
        return None
    return _tidy(likelihood_ratio(used, value, np.array([value]), reached, k_eff).value)


def _informs(used: Calibrator) -> bool:
    """Tell whether the study has information: the ratio rises with the likeness, and costs less than none held out."""
    return used.line.slope > 0 and used.cllr < 1


def _uninformed(used: Calibrator) -> str:
    if used.line.slope <= 0:
        return "in the study a closer likeness does not speak for H1 against it"
    return f"the study has no information on it: Cllr {used.cllr:z.2f}, lineages left out"


def _without(against: str, reason: str) -> Ratio:
    return Ratio(
        against=against,
        value=None,
        low=None,
        high=None,
        uncapped=None,
        cap=None,
        bottom=None,
        reached=0,
        lineages=0,
        elub_low=None,
        elub_high=None,
        words="",
        reason=reason,
    )


def _evaluated(used: Calibrator, result: Result, draws: Array, reached: int, k_eff: int) -> Ratio:
    made = likelihood_ratio(used, result.value, draws, reached, k_eff)
    return Ratio(
        against=used.against,
        value=_tidy(made.value),
        low=_tidy(made.low),
        high=_tidy(made.high),
        uncapped=_tidy(made.uncapped),
        cap=_tidy(made.cap),
        bottom=_tidy(made.bottom),
        reached=reached,
        lineages=made.lineages,
        elub_low=_tidy(10**used.elub_low),
        elub_high=_tidy(10**used.elub_high),
        words=word(made.low, made.high, SCALES[SCALE]),
        reason="",
    )


def _tidy(value: float) -> float:
    return float(f"{value:.8g}")


def power(calibration: Calibration | None, result: Result, question: Question, alpha: float) -> Power | None:
    """Count how often true pairs of the study reach alpha with enough controls and at most as many prompts.

    Where several references are tested, `alpha` is what Holm asks of the smallest of their p-values.
    """
    if calibration is None:
        return None
    rows = [
        one
        for one in calibration.true_pairs
        if one.question == question
        and one.detector == result.detector
        and one.prompts <= result.prompts
        and one.k_eff >= FEWEST_LINEAGES
    ]
    if not rows:
        return None
    size = max(one.prompts for one in rows)
    hits: dict[str, list[bool]] = {}
    for one in rows:
        if one.prompts == size:
            hits.setdefault(one.family, []).append(one.p <= alpha)
    if len(hits) < FEWEST_FAMILIES:
        return None
    shares = [sum(values) / len(values) for values in hits.values()]
    flat = [hit for values in hits.values() for hit in values]
    return Power(value=_tidy(float(np.mean(shares))), k=sum(flat), n=len(flat), families=len(hits), prompts=size)
