"""Values that suspect and reference share where nobody knows: facts of the long tail, and things that do not exist.

What both state alike and no control does is set out, each with how many of the controls give it. How many such values
there are says nothing by itself: beside it stands the same number for the suspect and each control, counted by the same
rule. It was not validated for any question, so that it gives exhibits and no opinion. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from depose.analysis.scored_bags import Bench
from depose.features.compared import compared
from depose.features.extract import Bag
from depose.features.passages import LONGEST
from depose.features.stated_values import Value, keys, stated, whole_number
from depose.features.words import words
from depose.model import Counted, ExhibitAnswer, Finding, Prompt, SharedValue, SharedValues, Span, likeness

FAMILIES = ("long_tail", "false_premise")
"""Families of prompts whose answers are looked at."""
MOST = 24
"""Values that are set out for a pair."""
RULE = (
    "Of the prompts about facts of the long tail and about things that do not exist, every number, year, date, name "
    "and title is taken that both suspect and reference give, in whatever writing, and that does not stand in the "
    f"prompt. Set out are the {MOST} that the fewest controls give, and none that more than half of them give, in the "
    "order of the protocol among equals."
)


class _Given(NamedTuple):
    """Where a model gave a value first."""

    text: str
    value: Value


_OTHERWISE = {"name": "title", "title": "name", "year": "number", "number": "year"}
"""Kinds that one value may be of by how it is written."""
_Held = dict[tuple[str, str], dict[int, _Given]]
"""Who gives which value (kind and key), by place in the bag."""


def shared_values(bench: Bench, found: Sequence[Finding]) -> tuple[SharedValues, ...]:
    """Compare every suspect and reference on these prompts, beside the controls of the last question."""
    if not any(prompt.family in FAMILIES for prompt in bench.prompts):
        return ()
    return tuple(
        _pair(bench, bench.bag((one.suspect, one.reference, *one.controls)))
        for one in found
        if one.question == likeness(bench.protocol)[-1] and not bench.silent((one.suspect, one.reference))
    )


def _pair(bench: Bench, bag: Bag) -> SharedValues:
    answers: dict[str, list[list[str]]] = {}
    prompts: dict[str, Prompt] = {}
    for prompt, members in zip(bag.prompts, bag.answers, strict=True):
        if prompt.family in FAMILIES:
            prompts[prompt.id] = prompt
            said = answers.setdefault(prompt.id, [[] for _ in bag.models])
            for place, samples in enumerate(members):
                said[place] += samples
    both = {name: said for name, said in answers.items() if said[0] and said[1] and any(said[2:])}
    alone = np.zeros((len(bag.models), len(bag.models)), int)
    shared: list[SharedValue] = []
    for name, said in both.items():
        every = _held(said, prompts[name].text)
        for (kind, key), held in every.items():
            # Who gives it otherwise, as a title without its marks, or a year as a number, gives it too.
            giving = {*held, *every.get((_OTHERWISE.get(kind, kind), key), ())}
            if len(held) == len(giving) == 2:
                alone[tuple(held)] += 1
                alone[tuple(held)[::-1]] += 1
            if 0 in held and 1 in held:
                many = len(giving) - 2
                shown = tuple(_marked(bench, bag.models[m], prompts[name], held[m], many) for m in (1, 0))
                shared.append(
                    SharedValue(
                        prompt=prompts[name],
                        kind=held[0].value.kind,
                        value=key,
                        controls=many,
                        of=sum(map(bool, said[2:])),
                        answers=shown,
                    )
                )
    rare = sorted((one for one in shared if 2 * one.controls <= one.of), key=lambda one: one.controls / one.of)
    return SharedValues(
        suspect=bag.models[0],
        reference=bag.models[1],
        prompts=len(both),
        shared=len(shared),
        alone=int(alone[0, 1]),
        reference_side=_counted(bag.models, alone[0]),
        suspect_side=_counted(bag.models, alone[1]),
        values=tuple(rare[:MOST]),
        rule=RULE,
    )


def _counted(models: Sequence[str], row: Sequence[int]) -> tuple[Counted, ...]:
    return tuple(Counted(model=code, count=int(n)) for code, n in zip(models[2:], row[2:], strict=True))


def _held(said: Sequence[Sequence[str]], prompt: str) -> _Held:
    """Collect the values of all members that do not stand in the prompt, in the order in which they come."""
    asked = {one.key for one in stated(prompt)} | {word.lower() for word in words(prompt)}
    found: _Held = defaultdict(dict)
    for place, texts in enumerate(said):
        for text in texts:
            counting = {*keys(compared(text[:LONGEST]))}
            for one in stated(text[:LONGEST]):
                new = one.key not in asked and not {*one.key.split(" ")} <= asked
                key = whole_number(text, one) if one.kind == "number" else one.key
                if new and key and f"{one.kind} {one.key}" in counting:
                    found[one.kind, key].setdefault(place, _Given(text, one))
    return found


def _marked(bench: Bench, model: str, prompt: Prompt, given: _Given, controls: int) -> ExhibitAnswer:
    finish, status = bench.endings.get((model, prompt.id), ("", "unknown"))
    return ExhibitAnswer(
        model=model,
        text=given.text[:LONGEST],
        spans=(Span(start=given.value.start, end=given.value.end, controls=controls),),
        finish=finish,
        status=status,
    )
