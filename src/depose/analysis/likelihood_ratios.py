"""Results to likelihood ratios, power and the conditions under which they hold: what a validation study adds to a case.

Pure. A case with a number of prompts between two of the study gets a ratio between theirs, so that none jumps where a
prompt more is asked. A study speaks from the number of prompts on from which it always has information: one that has
some with 25 and with 100 prompts and none with 50 speaks from 100. Outside the validated range nothing is evaluated;
the conditions say why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.analysis.opinion import FEWEST_LINEAGES, MOST_REFUSALS
from depose.model import (
    LISTED,
    OPEN_QUESTIONS,
    Calibration,
    Calibrator,
    Condition,
    Grounds,
    Listed,
    Power,
    Question,
    Ratio,
    Record,
    Result,
)
from depose.statistics.calibration import likelihood_ratio
from depose.statistics.rates import lower_bound
from depose.statistics.verbal import SCALES, word

Array = NDArray[np.float64]

FEWEST_FAMILIES = 5
"""Families of true pairs without which a study says nothing of power."""
SCALE = "enfsi-2015"
COMMON_TEACHER = "common teacher"
QUESTION = "question"
"""The condition of a question for which the study gives no ratios, whatever the case is like."""
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
    controls: tuple[str, ...] = ()
    """Names of the control models."""
    untaught: str = ""
    """The document by which the reference has learnt from no other model, or nothing."""
    words: float | None = None
    """Median words of the answers that are compared; None before there are any."""


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


class Between(Record, frozen=True, kw_only=True):
    """The calibrator at or below the number of prompts of a case, the next larger one, and how much that one weighs."""

    lower: Calibrator
    larger: Calibrator | None
    share: float


def between(calibration: Calibration, question: Question, against: str, prompts: int) -> Between | str:
    """Find the calibrators on both sides of a number of prompts, or say why the study does not speak."""
    mine = sorted(
        (one for one in calibration.calibrators if one.question == question and one.against == against),
        key=lambda one: one.prompts,
    )
    if not mine:
        name = f"{question} / {against}"
        return _why(calibration, name) or "not in the validation study"
    silent = [one for one in mine if not _informs(one)]
    speaking = [one for one in mine if not silent or one.prompts > silent[-1].prompts]
    lower = [one for one in speaking if one.prompts <= prompts]
    if not speaking:
        return _uninformed(mine[-1])
    if not lower:
        fewest = speaking[0].prompts
        return f"with fewer than {fewest} prompts " + (_uninformed(silent[-1]) if silent else "the study was not made")
    larger = next((one for one in speaking if one.prompts > prompts), None)
    if larger is None:
        return Between(lower=lower[-1], larger=None, share=0.0)
    steps = np.log([lower[-1].prompts, prompts, larger.prompts])
    return Between(lower=lower[-1], larger=larger, share=float((steps[1] - steps[0]) / (steps[2] - steps[0])))


def conditions(calibration: Calibration | None, result: Result, case: Circumstances) -> tuple[Condition, ...]:
    """Set the conditions of the study beside those of the case."""
    return _held(calibration, result.detector, result.prompts, result.value, case)


def foreseen(
    calibration: Calibration | None, detector: str, prompts: int, case: Circumstances
) -> tuple[Condition, ...]:
    """The same before anything was scored: all but the row about the score."""
    return _held(calibration, detector, prompts, None, case)


def _why(calibration: Calibration, name: str) -> str:
    """Say why a ratio is missing; a cost below 1 whose interval reaches further read as if it had been low enough."""
    found = next((fact.value for fact in calibration.missing if fact.name == name), "")
    return found.replace("; it would have to lie", "; that interval would have to lie")


def _held(
    calibration: Calibration | None, detector: str, prompts: int, value: float | None, case: Circumstances
) -> tuple[Condition, ...]:
    if calibration is None:
        return ()
    mine = [one for one in calibration.calibrators if one.question == case.question]
    if not mine:
        name = f"{case.question} / unrelated"
        why = _why(calibration, name) or "not validated"
        said = f"no likelihood ratio: {why.removeprefix('not given: ')}"
        return (Condition(name=QUESTION, validated=said, case=case.question, inside=False),)
    used = calibrator(calibration, case.question, "unrelated", prompts) or mine[0]
    fewest = min(one.prompts for one in mine)
    foreign = sorted(set(case.families) - set(calibration.families))
    unnamed = bool(foreign) and set(foreign) <= {LISTED, *OPEN_QUESTIONS}
    kind = "listed" if foreign == [LISTED] else "open questions"
    listed = next((one for one in calibration.listed if one.question == case.question and unnamed), None)
    rows = (
        ("detector", used.detector, detector, used.detector == detector),
        (
            "number of prompts",
            f"{max(fewest, listed.prompts)} or more, {kind}" if listed else f"{fewest} to {calibration.prompts}",
            str(prompts),
            prompts >= max(fewest, listed.prompts if listed else 0),
        ),
        (
            "kind of prompts",
            ", ".join(calibration.families)
            + (f"; {kind}, since {listed.kinds} of them held left out" if listed else ""),
            ", ".join(case.families) if listed or not foreign else f"not validated: {', '.join(foreign)}",
            listed is not None or not foreign,
        ),
        *(_length(listed, case.words) if listed else ()),
        ("controls", f"{calibration.k_low} to {calibration.k_high}", str(case.k), case.k >= calibration.k_low),
        *(() if value is None else (_score(used, value),)),
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
    held = tuple(
        Condition(name=name, validated=validated, case=seen, inside=inside) for name, validated, seen, inside in rows
    )
    return (*held, _independent(calibration, case))


def _length(listed: Listed, words: float | None) -> Iterator[tuple[str, str, str, bool]]:
    """Hold prompts of other kinds to the length of answers on which the ratios were examined: a list may be of any."""
    if words is not None:
        yield (
            "length of answers",
            f"{listed.shortest:g} to {listed.longest:g} words, the medians of those kinds",
            f"median of {words:g} words",
            listed.shortest <= words <= listed.longest,
        )


def _score(used: Calibrator, value: float) -> tuple[str, str, str, bool]:
    low, high = used.lowest, used.highest
    return ("score T", f"{low:z.2f} to {high:z.2f}", f"{value:z.2f}", low <= value <= high)


def _independent(calibration: Calibration, case: Circumstances) -> Condition:
    """Tell whether study and controls are different models, by name: else ratio, cap and p rest on the same ones."""
    shared = sum(name in calibration.suspects for name in case.controls if name)
    return Condition(
        name="controls, independent of the study",
        validated="none of them in the study, by name",
        case=f"{shared} of {len(case.controls)} are in the study" if shared else "none of them in the study, by name",
        inside=not shared,
        decides=False,
    )


def _bases(one: bool) -> str:
    return "one base" if one else "different or not known"


def ratios(
    calibration: Calibration | None, result: Result, draws: Array, case: Circumstances, held: Sequence[Condition]
) -> tuple[Ratio, ...]:
    """Evaluate the likelihood ratio against every alternative of the question, or say why not."""
    outside = [one.name for one in held if one.decides and not one.inside]
    closed = next((one.validated for one in held if one.name == QUESTION and not one.inside), "")
    reached = max(
        sum(one.value >= result.value for one in side) for side in (result.reference_side, result.suspect_side)
    )
    found = []
    for against in AGAINST[case.question]:
        if calibration is None:
            found.append(_without(against, "the protocol names no validation study"))
        elif closed:
            found.append(_without(against, closed))
        elif outside:
            found.append(_without(against, f"outside the validated range: {', '.join(outside)}"))
        elif isinstance(used := between(calibration, case.question, against, result.prompts), str):
            found.append(_without(against, used))
        else:
            found.append(_evaluated(used, result, draws, reached, case.k_eff))
    return tuple(_with_documents(one, case) for one in found)


def _with_documents(one: Ratio, case: Circumstances) -> Ratio:
    """Mark what the documents of the case exclude: a reference that learnt from nobody shares no teacher."""
    if one.against != COMMON_TEACHER or not case.untaught:
        return one
    said = f"excluded by documents: {case.untaught}"
    return msgspec.structs.replace(one, excluded=True, reason=f"{said}; {one.reason}" if one.reason else said)


def withheld(found: Sequence[Ratio], grounds: Grounds) -> tuple[Ratio, ...]:
    """Give no ratio where the answers cannot carry one, whatever they score, or where facts on record answer.

    Whoever refuses is unlike everybody, which speaks for nothing; a ratio would take it for evidence against H1.
    """
    if grounds.question == "same" and grounds.files == "different":
        reason = "the files of weights have different digests: no ratio for one set of weights stands beside that"
        return tuple(one if one.value is None else _without(one.against, reason) for one in found)
    if grounds.refusals > MOST_REFUSALS:
        reason = (
            "more than a fifth of the answers of one of the two are refusals, or may be: what they lack is no evidence"
        )
    elif not grounds.quality:
        reason = "a check of quality was not met, so that no ratio is given"
    else:
        return tuple(found)
    return tuple(one if one.excluded else _without(one.against, reason) for one in found)


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
    used = "" if calibration is None else between(calibration, question, "unrelated", prompts)
    if isinstance(used, str) or used.lower.detector != detector:
        return None
    if not used.lower.lowest <= value <= used.lower.highest:
        return None
    found = likelihood_ratio(used.lower, value, np.array([value]), reached, k_eff, used.larger, used.share)
    return _tidy(found.value)


def _informs(used: Calibrator) -> bool:
    """Tell whether the study has information.

    The ratio rises with the likeness, costs less than none where its pair was left out, and has bounds that leave room.
    """
    return used.line.slope > 0 and used.cllr < 1 and used.elub_low < used.elub_high


def _uninformed(used: Calibrator) -> str:
    if used.line.slope <= 0:
        return "in the study a closer likeness does not speak for H1 against it"
    if used.cllr < 1:
        return "the study carries no ratio: no bound within which its ratios cost less than none (ELUB)"
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


def _evaluated(used: Between, result: Result, draws: Array, reached: int, k_eff: int) -> Ratio:
    made = likelihood_ratio(used.lower, result.value, draws, reached, k_eff, used.larger, used.share)
    both = [(used.lower, 1 - used.share), *([(used.larger, used.share)] if used.larger else [])]
    return Ratio(
        against=used.lower.against,
        value=_tidy(made.value),
        low=_tidy(made.low),
        high=_tidy(made.high),
        uncapped=_tidy(made.uncapped),
        cap=_tidy(made.cap),
        bottom=_tidy(made.bottom),
        reached=reached,
        lineages=made.lineages,
        elub_low=_tidy(10 ** sum(weight * one.elub_low for one, weight in both)),
        elub_high=_tidy(10 ** sum(weight * one.elub_high for one, weight in both)),
        words=word(made.low, made.high, SCALES[SCALE]),
        reason="",
        model_low=_tidy(made.model_low),
        model_high=_tidy(made.model_high),
        bounded_by=made.bounded_by,
    )


def _tidy(value: float) -> float:
    return float(f"{value:.8g}")


def power(calibration: Calibration | None, result: Result, question: Question, alpha: float) -> Power | None:
    """Count how often true pairs of the study reach alpha with enough controls and at most as many prompts.

    Where several references are tested, `alpha` is what Holm asks of the smallest of their p-values.
    """
    return power_of(calibration, result.detector, result.prompts, question, alpha)


def power_of(
    calibration: Calibration | None, detector: str, prompts: int, question: Question, alpha: float
) -> Power | None:
    """The same before anything was scored: the power of a detector with so many prompts."""
    if calibration is None:
        return None
    rows = [
        one
        for one in calibration.true_pairs
        if one.question == question
        and one.detector == detector
        and one.prompts <= prompts
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
    return Power(
        value=_tidy(float(np.mean(shares))),
        k=sum(flat),
        n=len(flat),
        families=len(hits),
        prompts=size,
        lower95=_tidy(lower_bound(int(np.floor(sum(shares) + 1e-9)), len(shares))),
        dose=next((one.value for one in calibration.doses if one.name == question), ""),
    )
