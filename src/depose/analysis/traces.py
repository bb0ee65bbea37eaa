"""Reasoning of suspect and reference, where both show theirs: compared apart from the answers. Pure.

Self-talk, marks and order of steps are habits that training on another model's reasoning may hand down. None of it was
validated: it gives exhibits and no opinion. Beside each measure stands the same for the suspect and each control that
shows its reasoning. Reasoning on one side alone is never held against anybody: providers hide it, or let another model
sum it up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from rapidfuzz.distance import Indel

from depose.features.trace_steps import LONGEST, marks, order, places, self_talk
from depose.model import (
    Counted,
    Dossier,
    ExhibitAnswer,
    Finding,
    Span,
    TraceExhibit,
    TraceMeasure,
    TraceRespect,
    Traces,
    likeness,
)
from depose.statistics.rounding import tidy

MOST = 2
"""Prompts that are set out for a pair."""
RULE = (
    f"Set out are the first {MOST} prompts, in the order of the protocol, on which both suspect and reference show "
    "their reasoning. What a model says to itself and how it marks its steps is marked."
)


class Read(NamedTuple):
    """One trace, read once."""

    text: str
    self_talk: Counter[str]
    marks: Counter[str]
    order: str


Of = Mapping[str, Read]
"""The reasoning of one model, by prompt."""
Alike = Callable[[Read, Read], float | None]


def read(trace: str) -> Read:
    """Read a trace."""
    return Read(text=trace, self_talk=self_talk(trace), marks=marks(trace), order=order(trace))


def _cosine(first: Counter[str], second: Counter[str]) -> float | None:
    """Cosine of two counts: 0 to 1; None where both are empty, 0 where one is."""
    if not first and not second:
        return None
    squares = [float(sum(many * many for many in one.values())) for one in (first, second)]
    product = float(sum(many * second[name] for name, many in first.items()))
    return product / float(np.sqrt(squares[0] * squares[1])) if all(squares) else 0.0


def _alike_order(first: Read, second: Read) -> float | None:
    """Normalised indel ratio of the orders of steps: 0 to 1; None where neither has a step of a known kind."""
    some = first.order or second.order
    return float(Indel.normalized_similarity(first.order, second.order)) if some else None


MEASURES: Mapping[TraceRespect, Alike] = {
    "self-talk": lambda first, second: _cosine(first.self_talk, second.self_talk),
    "step marks": lambda first, second: _cosine(first.marks, second.marks),
    "order of steps": _alike_order,
}


def traces(dossier: Dossier, found: Sequence[Finding]) -> tuple[Traces, ...]:
    """Compare the reasoning of every suspect and reference of which one shows any."""
    protocol = dossier.registration.case.protocol
    shown: dict[str, dict[str, str]] = {}
    for one in sorted(dossier.transcripts, key=lambda t: t.sample):
        if one.replicate == 0 and one.reasoning.strip():
            shown.setdefault(one.model, {}).setdefault(one.prompt, one.reasoning)
    pairs = [one for one in found if one.question == likeness(protocol)[-1] and {one.suspect, one.reference} & {*shown}]
    return tuple(_pair(dossier, shown, one) for one in pairs)


def _pair(dossier: Dossier, shown: Mapping[str, Mapping[str, str]], finding: Finding) -> Traces:
    suspect, reference = shown.get(finding.suspect, {}), shown.get(finding.reference, {})
    both = [prompt for prompt in dossier.registration.prompts if prompt.id in suspect and prompt.id in reference]
    codes = [code for code in (finding.suspect, finding.reference, *finding.controls) if code in shown]
    seen: dict[str, Of] = {
        code: {prompt.id: read(shown[code][prompt.id]) for prompt in both if prompt.id in shown[code]} for code in codes
    }
    return Traces(
        suspect=finding.suspect,
        reference=finding.reference,
        shown=tuple(Counted(model=code, count=len(shown[code])) for code in codes),
        prompts=len(both),
        measures=tuple(
            _measure(name, alike, seen[finding.suspect], seen[finding.reference], _others(seen, finding))
            for name, alike in MEASURES.items()
            if both
        ),
        exhibits=tuple(
            TraceExhibit(
                prompt=prompt,
                answers=tuple(
                    _marked(code, side[prompt.id])
                    for code, side in ((finding.reference, reference), (finding.suspect, suspect))
                ),
            )
            for prompt in both[:MOST]
        ),
        rule=RULE,
    )


def _others(seen: Mapping[str, Of], finding: Finding) -> dict[str, Of]:
    return {code: seen[code] for code in finding.controls if code in seen}


def _measure(name: TraceRespect, alike: Alike, suspect: Of, reference: Of, others: Mapping[str, Of]) -> TraceMeasure:
    values = {prompt: alike(one, reference[prompt]) for prompt, one in suspect.items()}
    usable = {prompt: value for prompt, value in values.items() if value is not None}
    beside = []
    reached = 0
    for code, side in others.items():
        each = [(usable[p], alike(suspect[p], side[p]) or 0.0) for p in usable if p in side]
        if each:
            pair, control = np.mean(np.array(each), axis=0)
            beside.append((code, tidy(float(control))))
            reached += bool(control >= pair - 1e-12)
    return TraceMeasure(
        name=name,
        value=tidy(float(np.mean([*usable.values()]))) if usable else None,
        prompts=len(usable),
        controls=tuple(beside),
        reached=reached,
    )


def _marked(model: str, trace: str) -> ExhibitAnswer:
    spans = tuple(Span(start=low, end=high, controls=0) for low, high in places(trace))
    return ExhibitAnswer(model=model, text=trace[:LONGEST], spans=spans)
