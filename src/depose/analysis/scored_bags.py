"""What each detector says of each bag of a case, computed once and used for every question.

Pure: answers in, scores out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose import plugins
from depose.answers.line_ends import evened
from depose.detectors import Measured, Similarity, layout, length
from depose.features.bare_words import Read, bare_words, spoken
from depose.features.compared import View, compared, question, view_of
from depose.features.extract import Bag, Features, NotGiven, is_refusal
from depose.model import Against, Dossier, NotScored, Protocol, Question, Raw, Result
from depose.model.opinion import MOST_REFUSALS
from depose.model.random_streams import stream
from depose.statistics import bootstrap, ranks, sensitivity
from depose.statistics.centring import FEWEST, Scores, per_prompt, score
from depose.statistics.rounding import tidy

LEAST_ANSWERED = 0.80
"""Share of its questions that a model must have answered."""
AGAIN = "\x00again"
"""Marks the second run of the reference as a member of its own."""

Progress = Callable[[str], None]
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """One detector on one bag."""

    measured: Measured
    scores: Scores
    d: Array
    """Centred scores prompt by prompt (`centring.per_prompt`)."""


class Bench:
    """Scores bags of one case."""

    def __init__(self, dossier: Dossier, features: Features, progress: Progress) -> None:
        self.protocol: Protocol = dossier.registration.case.protocol
        self.prompts = tuple(
            msgspec.structs.replace(prompt, text=evened(prompt.text)) for prompt in dossier.registration.prompts
        )
        self._features = features
        self._halves = Features()
        self._progress = progress
        self._answers = {
            (t.model if t.replicate == 0 else t.model + AGAIN, t.prompt, t.sample): t.text for t in dossier.transcripts
        }
        self.endings = {
            (t.model, t.prompt): (t.finish, t.status) for t in reversed(dossier.transcripts) if t.replicate == 0
        }
        """How the first sample of each answer ended."""
        self.answering = {(model, prompt) for model, prompt, _ in self._answers}
        self.draws: dict[tuple[tuple[str, ...], str], Array] = {}
        """Bootstrap draws of T(S, R) by bag and detector."""
        self._bags: dict[tuple[str, ...], Bag] = {}
        self._bare: dict[tuple[tuple[str, ...], View, bool], Bag] = {}
        self._said = Read()
        self._seen: dict[tuple[View, str], str] = {}
        self._scored: dict[tuple[tuple[str, ...], str], Scored] = {}
        self._results: dict[tuple[tuple[str, ...], str], Result | NotScored] = {}

    def asked_again(self, model: str) -> bool:
        """Tell whether a model was asked a second time."""
        return any((model + AGAIN, prompt.id) in self.answering for prompt in self.prompts)

    def silent(self, members: Sequence[str]) -> tuple[str, ...]:
        """Name the members that answered nothing at all."""
        speaking = {model for model, _ in self.answering}
        return tuple(member for member in members if member not in speaking)

    def mute(self, members: Sequence[str]) -> tuple[str, ...]:
        """Name the members that answered too little, or refused too much of what they answered, to be compared."""
        asked = len(self.prompts) * self.protocol.samples
        texts: dict[str, list[str]] = {member: [] for member in members}
        for (model, _, _), text in self._answers.items():
            if model in texts:
                texts[model].append(text)
        return tuple(
            member
            for member, said in texts.items()
            if len(said) < LEAST_ANSWERED * asked or sum(map(is_refusal, said)) > MOST_REFUSALS * len(said)
        )

    def bag(self, members: Sequence[str]) -> Bag:
        """Collect the answers of these members, once: a row for each sample of each prompt."""
        key = tuple(members)
        if key not in self._bags:
            self._bags[key] = self._collected(key)
        return self._bags[key]

    def _collected(self, members: tuple[str, ...]) -> Bag:
        asked = [(prompt, sample) for prompt in self.prompts for sample in range(self.protocol.samples)]
        found = [[self._answers.get((member, prompt.id, sample)) for member in members] for prompt, sample in asked]
        return Bag(
            models=members,
            prompts=tuple(prompt for prompt, _ in asked),
            answers=tuple(tuple(() if text is None else (text,) for text in row) for row in found),
        )

    def _compared(self, members: Sequence[str], detector: str) -> Bag:
        """Collect what a detector is given of prompts and answers (features/compared.py)."""
        bag, view = self.bag(members), view_of(detector)
        rows = tuple(tuple(tuple(self._view(text, view) for text in samples) for samples in row) for row in bag.answers)
        prompts = tuple(msgspec.structs.replace(prompt, text=question(prompt.text, view)) for prompt in bag.prompts)
        return msgspec.structs.replace(bag, answers=rows, prompts=prompts)

    def _view(self, text: str, view: View) -> str:
        key = (view, text)
        if key not in self._seen:
            self._seen[key] = compared(text, view)
        return self._seen[key]

    def measured(self, members: Sequence[str], detector: str) -> Measured:
        """Take a detector's measure of a bag."""
        found: Measured = plugins.load("detectors", detector)(self._compared(members, detector), self._features)
        return found

    def scored(self, members: tuple[str, ...], detector: str) -> Scored:
        """Score a bag with a detector, once."""
        key = (members, detector)
        if key not in self._scored:
            self._progress(f"measuring {detector}: {members[0]} and {members[1]} beside {len(members) - 2} controls")
            measured = self.measured(members, detector)
            self._scored[key] = Scored(measured=measured, scores=score(measured), d=per_prompt(measured))
        return self._scored[key]

    def result(self, members: tuple[str, ...], detector: str, question: Question) -> Result | NotScored:
        """Test one bag with one detector, once for all questions that use the bag."""
        key = (members, detector)
        if key not in self._results:
            self._results[key] = self._tested(members, detector)
        found = self._results[key]
        if isinstance(found, NotScored):
            return found
        return msgspec.structs.replace(found, primary=getattr(self.protocol.primary, question) == detector)

    def _tested(self, members: tuple[str, ...], detector: str) -> Result | NotScored:
        k = len(members) - 2
        silent = self.silent(members[:2])
        if silent:
            return NotScored(detector=detector, reason=f"no answer of {' and '.join(silent)}")
        if k < FEWEST:
            return NotScored(detector=detector, reason=f"centring needs {FEWEST} clean controls; there are {k}")
        scored = self.scored(members, detector)
        t, bag = scored.scores.t, self.bag(members)
        if not ranks.formed(t):
            return NotScored(detector=detector, reason="a member has no prompt in common with the others")
        if not any(scored.scores.scales):
            return NotScored(detector=detector, reason="no two models agree in anything that it measures")
        level = ranks.model_level(t)
        drawn = bootstrap.resampled(
            scored.measured,
            [prompt.cluster for prompt in self.bag(members).prompts],
            self.protocol.bootstrap,
            stream(self.protocol.seed, "bootstrap", detector),
        )
        self.draws[members, detector] = drawn.corrected
        bounds = drawn.interval()
        return Result(
            detector=detector,
            primary=False,
            prompts=len({p.id for p, row in zip(bag.prompts, bag.answers, strict=True) if row[0] and row[1]}),
            value=tidy(t[0, 1]),
            low=tidy(bounds.low),
            high=tidy(bounds.high),
            bias=tidy(drawn.bias),
            below=tidy(drawn.below),
            p_reference=tidy(level.p_reference),
            p_suspect=tidy(level.p_suspect),
            p=tidy(level.p),
            p_holm=tidy(level.p),
            reference_side=_against(members, t[0, 2:]),
            suspect_side=_against(members, t[2:, 1]),
            p_length_matched=tidy(sensitivity.matched(t, length.closeness(bag)).p),
            p_layout_matched=tidy(sensitivity.matched(t, layout.closeness(bag)).p),
            p_refusals_excluded=_p(score(self.without_refusals(members, detector)).t),
        )

    def without_refusals(self, members: tuple[str, ...], detector: str) -> Measured:
        """Take the measure of a bag without the answers that read as refusals."""
        flagged = np.array([[any(map(is_refusal, s)) for s in row] for row in self.bag(members).answers])
        return sensitivity.without(self.scored(members, detector).measured, flagged)

    def first_halves(self, members: tuple[str, ...], detector: str) -> Measured | None:
        """Measure the first half of every answer; None for a detector that runs a model, which is not run again."""
        bag = self._compared(members, detector)
        halves = tuple(
            tuple(tuple(text[: (len(text) + 1) // 2] for text in samples) for samples in row) for row in bag.answers
        )
        try:
            measured: Measured = plugins.load("detectors", detector)(
                msgspec.structs.replace(bag, answers=halves), self._halves
            )
        except NotGiven:
            return None
        return measured

    def bare(self, members: tuple[str, ...], detector: str, *, passages: bool = True) -> float | None:
        """Return p where no model is compared by what it says whatever it is asked; None for one that runs a model.

        Without `passages` neither by long runs of words that another one says to the same prompt.
        """
        key = (members, view_of(detector), passages)
        if key not in self._bare:
            self._bare[key] = bare_words(self._compared(members, detector), self._said, passages=passages)
        try:
            measured: Measured = plugins.load("detectors", detector)(self._bare[key], self._halves)
        except NotGiven:
            return None
        return _p(score(measured).t)

    def words(self, members: tuple[str, ...], detector: str) -> tuple[tuple[tuple[str, ...], ...], ...]:
        """Return the words of each answer of each member, as the detector is given it: [members][answers]."""
        return spoken(self._compared(members, detector), self._said)

    def raw(self, members: tuple[str, ...], detector: str) -> Raw | None:
        """Compare before centring, with the reference's second run as a member of the bag where there is one."""
        if self.silent(members[:2]):
            return None
        twice = self.asked_again(members[1])
        measured = self.scored((*members, members[1] + AGAIN) if twice else members, detector).measured
        if not isinstance(measured, Similarity):
            return None
        pair = measured.values[:, 0, 1]
        usable = np.isfinite(pair)
        ends = measured.values[usable][:, :2, 2 : len(members)]
        return Raw(
            detector=detector,
            value=tidy(float(pair[usable].mean())) if usable.any() else 0.0,
            controls=tidy(float(np.nanmean(ends))) if np.isfinite(ends).any() else None,
            replicate=tidy(float(np.nanmean(measured.values[:, 1, -1]))) if twice else None,
            prompts=int(usable.sum()),
        )

    def scores(self) -> tuple[tuple[str, Bag, Array], ...]:
        """Hand out every centred score, for the table of scores."""
        return tuple(
            (detector, self.bag(members), scored.d)
            for (members, detector), scored in self._scored.items()
            if not members[-1].endswith(AGAIN) and len(members) >= FEWEST + 2
        )


def _against(members: Sequence[str], values: Array) -> tuple[Against, ...]:
    return tuple(Against(model=code, value=tidy(float(value))) for code, value in zip(members[2:], values, strict=True))


def _p(t: Array) -> float:
    """Return the model-level p of altered scores; 1 where a score cannot be formed."""
    if not ranks.formed(t):
        return 1.0
    return tidy(ranks.model_level(t).p)
