"""Transcripts to findings: a pure function of the dossier.

For each suspect, reference and question: choose clean controls, build the bag, score it with every detector,
rank, bootstrap, and look the opinion up. The same dossier gives the same findings to the byte.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose import casefile, exhibits, plugins
from depose.detectors import Measured, Similarity
from depose.detectors.length import length
from depose.errors import AnalysisError
from depose.features import Bag, Features, is_refusal
from depose.model import (
    Against,
    Candidate,
    Denominator,
    Dossier,
    Exhibit,
    Fact,
    Finding,
    Findings,
    Item,
    ModelSpec,
    NotScored,
    Prompt,
    Protocol,
    Question,
    Raw,
    Replicate,
    Result,
)
from depose.opinion import Grounds, decide
from depose.register import stream
from depose.statistics import bootstrap, lineage, ranks, sensitivity
from depose.statistics.centring import FEWEST, Scores, average, parts_of, per_prompt, score

FORMAT = "depose findings 1"
LEAST_ANSWERED = 0.80
"""Quality fails if suspect or reference answered a smaller share of what they were asked."""
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Analysis:
    """Findings, and the scores behind them for `scores.parquet`."""

    findings: Findings
    scores: tuple[tuple[str, Bag, Array], ...]
    """Detector, bag, centred scores prompt by prompt: for the table of scores."""


def tidy(value: float) -> float:
    """Round to ten significant digits, so that findings do not differ in the noise of floating point."""
    return float(f"{value:.10g}")


class _Analyst:
    """One analysis: holds what is computed once and used for several questions."""

    def __init__(self, dossier: Dossier, features: Features, progress: Progress) -> None:
        self.dossier = dossier
        self.case = dossier.registration.case
        self.protocol: Protocol = self.case.protocol
        self.features = features
        self.progress = progress
        self.prompts = dossier.registration.prompts
        self.specs = {spec.code: spec for spec in self.case.models}
        self._answers = {
            (t.model if t.replicate == 0 else t.model + AGAIN, t.prompt, t.sample): t.text for t in dossier.transcripts
        }
        self._answering = {(model, prompt) for model, prompt, _ in self._answers}
        self._scored: dict[tuple[tuple[str, ...], str], Scored] = {}
        self._results: dict[tuple[tuple[str, ...], str], Result | NotScored] = {}

    def role(self, role: str) -> list[ModelSpec]:
        return [spec for spec in self.case.models if spec.role == role]

    def bag(self, members: Sequence[str]) -> Bag:
        """Collect the answers of these members: a row for each sample of each prompt."""
        asked = [(prompt, sample) for prompt in self.prompts for sample in range(self.protocol.samples)]
        found = [[self._answers.get((member, prompt.id, sample)) for member in members] for prompt, sample in asked]
        return Bag(
            models=tuple(members),
            prompts=tuple(prompt for prompt, _ in asked),
            answers=tuple(tuple(() if text is None else (text,) for text in row) for row in found),
        )

    def scored(self, members: tuple[str, ...], detector: str) -> Scored:
        """Score a bag with a detector, once."""
        key = (members, detector)
        if key not in self._scored:
            self.progress(f"{detector}: {members[0]} and {members[1]} among {len(members)}")
            measured: Measured = plugins.load("detectors", detector)(self.bag(members), self.features)
            self._scored[key] = Scored(measured=measured, scores=score(measured), d=per_prompt(measured))
        return self._scored[key]

    # --- one finding --------------------------------------------------------------------------------

    def found(self, suspect: ModelSpec, question: Question) -> list[Finding]:
        """Test every reference for one suspect and question, with Holm over the references."""
        references = self.role("reference")
        chosen = [lineage.choose(suspect, one, self.role("control"), question) for one in references]
        bags = [
            (suspect.code, one.code, *(spec.code for spec in controls.used))
            for one, controls in zip(references, chosen, strict=True)
        ]
        outcomes = [[self._result(bag, name, question) for name in self.protocol.detectors] for bag in bags]
        scored = _with_holm([[one for one in row if isinstance(one, Result)] for row in outcomes])
        missing = [tuple(one for one in row if isinstance(one, NotScored)) for row in outcomes]
        needed = ranks.controls_needed(len(references), self.protocol.alpha)
        found = []
        for reference, controls, bag, results, gone in zip(references, chosen, bags, scored, missing, strict=True):
            candidates = self._candidates(bag, reference, question)
            grounds = self._grounds(suspect, reference, question, results, candidates, needed, controls.k_eff)
            found.append(
                Finding(
                    question=question,
                    suspect=suspect.code,
                    reference=reference.code,
                    controls=bag[2:],
                    excluded=controls.excluded,
                    k=len(controls.used),
                    k_eff=controls.k_eff,
                    weight_lineages=controls.weight_lineages,
                    data_lineages=controls.data_lineages,
                    floor=tidy(ranks.floor(len(controls.used))),
                    k_needed=needed,
                    condition=controls.condition,
                    results=tuple(results),
                    not_scored=gone,
                    candidates=candidates,
                    opinion=decide(grounds),
                    raw=tuple(raw for name in self.protocol.detectors if (raw := self._raw(bag, name)) is not None),
                )
            )
        return found

    def _result(self, members: tuple[str, ...], detector: str, question: Question) -> Result | NotScored:
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
        if k < FEWEST:
            return NotScored(detector=detector, reason=f"centring needs {FEWEST} clean controls; there are {k}")
        scored = self.scored(members, detector)
        t, bag = scored.scores.t, self.bag(members)
        if not np.isfinite(np.concatenate([t[0, 1:], t[2:, 1]])).all():
            return NotScored(detector=detector, reason="a member has no prompt in common with the others")
        if not any(scored.scores.scales):
            return NotScored(detector=detector, reason="no two models agree in anything that it measures")
        level = ranks.model_level(t)
        drawn = bootstrap.draws_of(
            scored.measured,
            scored.scores.scales,
            [prompt.cluster for prompt in self.bag(members).prompts],
            self.protocol.bootstrap,
            stream(self.protocol.seed, "bootstrap", detector),
        )
        bounds = bootstrap.interval(drawn)
        flagged = np.array([[any(map(is_refusal, s)) for s in row] for row in bag.answers])
        return Result(
            detector=detector,
            primary=False,
            prompts=len({p.id for p, row in zip(bag.prompts, bag.answers, strict=True) if row[0] and row[1]}),
            value=tidy(t[0, 1]),
            low=tidy(bounds.low),
            high=tidy(bounds.high),
            p_reference=tidy(level.p_reference),
            p_suspect=tidy(level.p_suspect),
            p=tidy(level.p),
            p_holm=tidy(level.p),
            reference_side=_against(members, t[0, 2:]),
            suspect_side=_against(members, t[2:, 1]),
            p_length_matched=tidy(sensitivity.length_matched(t, average(length(bag, self.features))).p),
            p_refusals_excluded=_p(score(sensitivity.without(scored.measured, flagged)).t),
        )

    def _raw(self, members: tuple[str, ...], detector: str) -> Raw | None:
        """Compare before centring, with the reference's second run as a member of the bag where there is one."""
        again = members[1] + AGAIN
        twice = any((again, prompt.id) in self._answering for prompt in self.prompts)
        measured = self.scored((*members, again) if twice else members, detector).measured
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

    def _candidates(self, members: tuple[str, ...], reference: ModelSpec, question: Question) -> tuple[Candidate, ...]:
        """Rank the tested reference among the rival candidates, each scored with controls clean for all of them."""
        rivals = [reference, *self.role("candidate")]
        suspect = self.specs[members[0]]
        clean = tuple(
            code
            for code in members[2:]
            if not any(lineage.unclean(suspect, rival, self.specs[code], question) for rival in rivals)
        )
        if len(rivals) < 2 or len(clean) < FEWEST:
            return ()
        detector = getattr(self.protocol.primary, question)
        ranked = [
            Candidate(
                model=rival.code,
                value=tidy(self.scored((members[0], rival.code, *clean), detector).scores.t[0, 1]),
                tested=rival.code == reference.code,
            )
            for rival in rivals
        ]
        return tuple(sorted(ranked, key=lambda one: (-one.value, one.model)))

    def _grounds(
        self,
        suspect: ModelSpec,
        reference: ModelSpec,
        question: Question,
        results: Sequence[Result],
        candidates: Sequence[Candidate],
        k_needed: int,
        k_eff: int,
    ) -> Grounds:
        primary = next((result for result in results if result.primary), None)
        counts = {one.model: one for one in self.denominators()}
        pair = (counts[suspect.code], counts[reference.code])
        return Grounds(
            question=question,
            alpha=self.protocol.alpha,
            k_eff=k_eff,
            k_needed=k_needed,
            p=primary.p_holm if primary else None,
            p_length_matched=primary.p_length_matched if primary else None,
            quality=all(one.answered >= LEAST_ANSWERED * one.planned for one in pair),
            refusals=max(one.refused / max(one.answered, 1) for one in pair),
            shared_base=lineage.share_base(suspect, reference),
            candidate_closer=bool(candidates) and not candidates[0].tested,
            lr_unrelated_low=None,
            lr_alternative_low=None,
            in_range=False,
            power=None,
        )

    # --- what surrounds the findings ----------------------------------------------------------------

    def denominators(self) -> tuple[Denominator, ...]:
        """Count, per model, what was planned and what became of it."""
        rows = []
        for spec in self.case.models:
            planned = len(self.prompts) * self.protocol.samples * casefile.replicates(spec, self.protocol)
            texts = [t.text for t in self.dossier.transcripts if t.model == spec.code]
            gone = [u.reason for u in self.dossier.unanswered if u.model == spec.code]
            rows.append(
                Denominator(
                    model=spec.code,
                    planned=planned,
                    sent=planned - gone.count("not asked"),
                    answered=len(texts),
                    refused=sum(map(is_refusal, texts)),
                    empty=gone.count("empty answer"),
                    failed=len(gone) - gone.count("not asked") - gone.count("empty answer"),
                    excluded=self._excluded(spec),
                )
            )
        return tuple(rows)

    def _excluded(self, spec: ModelSpec) -> int:
        """Count answers to prompts that no suspect or no reference answered, so that they enter no score."""

        def answered(role: str) -> set[str]:
            codes = {one.code for one in self.role(role)}
            return {prompt for model, prompt in self._answering if model in codes}

        usable = answered("suspect") & answered("reference")
        return sum(t.model == spec.code and t.prompt not in usable for t in self.dossier.transcripts)

    def items(self) -> tuple[Item, ...]:
        """Describe every model examined."""
        return tuple(
            Item(
                code=spec.code,
                role=spec.role,
                name=spec.model or spec.code,
                provider=spec.provider,
                developer=spec.developer,
                weight_lineage=spec.weight_lineage,
                data_lineage=spec.data_lineage,
                trained_on=spec.trained_on,
                system=spec.system,
                temperature=float(casefile.setting(spec, self.protocol, "temperature")),
                max_tokens=int(casefile.setting(spec, self.protocol, "max_tokens")),
                retrospective=spec.provider == "recorded",
                facts=self.dossier.endpoints.get(spec.code, ()),
            )
            for spec in self.case.models
        )

    def exhibits(self, found: Sequence[Finding]) -> tuple[Exhibit, ...]:
        """Set out exhibits for every suspect and reference, on the primary detector of the last question."""
        shown: list[Exhibit] = []
        for one in found:
            if one.question != self.protocol.questions[-1]:
                continue
            detector = getattr(self.protocol.primary, one.question)
            members = (one.suspect, one.reference, *one.controls)
            bag, scored = self.bag(members), self.scored(members, detector)
            similarity = _similarity(scored.measured)
            scores = scored.d[:, 0, 1]
            if not np.isfinite(scores).any():
                again = one.reference + AGAIN
                wider = (*members, again) if any((again, p.id) in self._answering for p in self.prompts) else members
                scores = _similarity(self.scored(wider, detector).measured)[:, 0, 1]
            rng = stream(self.protocol.seed, "exhibits", one.suspect, one.reference)
            of = int(np.isfinite(scores).sum())
            for choice in exhibits.choose(scores, self.protocol.exhibits, rng):
                shown.append(
                    exhibits.exhibit(
                        bag,
                        choice,
                        number=len(shown) + 1,
                        of=of,
                        value=tidy(float(scores[choice.index])),
                        similarity=similarity[choice.index],
                        rng=rng,
                    )
                )
        return tuple(shown)

    def replicates(self, found: Sequence[Finding]) -> tuple[Replicate, ...]:
        """Report how alike two runs of a reference are, by each detector, before centring."""
        rows = {
            (one.reference, raw.detector): Replicate(
                model=one.reference, detector=raw.detector, value=raw.replicate, prompts=raw.prompts
            )
            for one in found
            for raw in one.raw
            if raw.replicate is not None
        }
        return tuple(rows[key] for key in sorted(rows))

    def scores(self) -> tuple[tuple[str, Bag, Array], ...]:
        """Hand out every centred score, for the table of scores."""
        return tuple(
            (detector, self.bag(members), scored.d)
            for (members, detector), scored in self._scored.items()
            if not members[-1].endswith(AGAIN) and len(members) >= FEWEST + 2
        )


def _against(members: Sequence[str], values: Array) -> tuple[Against, ...]:
    return tuple(Against(model=code, value=tidy(float(value))) for code, value in zip(members[2:], values, strict=True))


def _similarity(measured: Measured) -> Array:
    """Per-prompt similarities of a measure; of a combination, those of its first part that has them."""
    for part in parts_of(measured):
        if isinstance(part, Similarity):
            return part.values
    raise AnalysisError(
        f"{measured.detector}: has no score per prompt, so that no exhibits can be chosen by it",
        hint="choose a primary detector that compares prompt by prompt",
    )


def _p(t: Array) -> float:
    """Return the model-level p of altered scores; 1 where a score cannot be formed."""
    if not np.isfinite(np.concatenate([t[0, 1:], t[2:, 1]])).all():
        return 1.0
    return tidy(ranks.model_level(t).p)


def _with_holm(rows: Sequence[list[Result]]) -> list[list[Result]]:
    """Adjust each detector's p over the references in which it gave a result."""
    names = sorted({result.detector for row in rows for result in row})
    adjusted: dict[tuple[str, int], float] = {}
    for name in names:
        tested = [(place, r.p) for place, row in enumerate(rows) for r in row if r.detector == name]
        for (place, _), p in zip(tested, ranks.holm([p for _, p in tested]), strict=True):
            adjusted[name, place] = tidy(p)
    return [
        [msgspec.structs.replace(result, p_holm=adjusted[result.detector, place]) for result in row]
        for place, row in enumerate(rows)
    ]


def _families(prompts: Sequence[Prompt]) -> tuple[Fact, ...]:
    counts: dict[str, int] = {}
    for prompt in prompts:
        counts[prompt.family] = counts.get(prompt.family, 0) + 1
    return tuple(Fact(name=name, value=str(counts[name])) for name in sorted(counts))


def analyze(dossier: Dossier, features: Features, progress: Progress) -> Analysis:
    """Score everything that the protocol registers; raise AnalysisError where nothing can be scored."""
    analyst = _Analyst(dossier, features, progress)
    case = analyst.case
    answering = {t.model for t in dossier.transcripts}
    for role in ("suspect", "reference"):
        if not any(spec.code in answering for spec in analyst.role(role)):
            raise AnalysisError(f"no {role} has an answer", hint="depose probe CASE, or depose import CASE")
    found = [
        one
        for suspect, question in product(analyst.role("suspect"), analyst.protocol.questions)
        for one in analyst.found(suspect, question)
    ]
    findings = Findings(
        format=FORMAT,
        title=case.case.title,
        authority=case.case.authority,
        protocol=analyst.protocol,
        protocol_digest=dossier.protocol_digest,
        log_head=dossier.head,
        registered_at=dossier.registered_at,
        first_asked=dossier.first_asked,
        last_asked=dossier.last_asked,
        retrospective=any(spec.provider == "recorded" for spec in case.models),
        time_stamped=False,
        software=dossier.registration.software,
        files=dossier.registration.files,
        prompts=len(analyst.prompts),
        clusters=len({prompt.cluster for prompt in analyst.prompts}),
        families=_families(analyst.prompts),
        items=analyst.items(),
        denominators=analyst.denominators(),
        unanswered=dossier.unanswered,
        findings=tuple(found),
        exhibits=analyst.exhibits(found),
        exhibit_rule=exhibits.RULE,
        replicates=analyst.replicates(found),
        amendments=dossier.amendments,
    )
    return Analysis(findings=findings, scores=analyst.scores())
