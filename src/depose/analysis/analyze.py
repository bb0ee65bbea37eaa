"""Transcripts to findings: a pure function of the dossier.

For each suspect, reference and question: choose clean controls, build the bag, score it with every detector,
rank, bootstrap, and look the opinion up. The same dossier gives the same findings to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from depose.analysis import (
    bare_result,
    closest_candidate,
    documents,
    exchangeability,
    hull_of_answers,
    illustrations,
    inventory,
    likelihood_ratios,
    quality,
)
from depose.analysis.files_compared import files_compared
from depose.analysis.multiplicity import over_all, over_references
from depose.analysis.null_pairs import null_pairs
from depose.analysis.reported_ratios import reported, used
from depose.analysis.robustness import Robustness
from depose.analysis.scored_bags import Bench, Progress
from depose.analysis.shared_values import shared_values
from depose.analysis.traces import traces
from depose.case.calibration import Loaded
from depose.errors import AnalysisError
from depose.features.extract import Bag, Features
from depose.features.words import typical_length
from depose.model import (
    Condition,
    Dossier,
    Exchangeability,
    Finding,
    Findings,
    Grounds,
    ModelSpec,
    NotScored,
    Power,
    Protocol,
    Question,
    Ratio,
    Reported,
    Result,
    likeness,
)
from depose.model.random_streams import stream
from depose.statistics import lineage, ranks
from depose.statistics.centring import FEWEST, per_prompt_parts
from depose.statistics.permutation import prompt_level
from depose.statistics.rounding import tidy

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Weight:
    """What the validation study says of one finding."""

    ratios: tuple[Ratio, ...]
    conditions: tuple[Condition, ...]
    power: Power | None
    reported: tuple[Reported, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Analysis:
    """Findings, and the scores behind them for `scores.parquet`."""

    findings: Findings
    scores: tuple[tuple[str, Bag, Array], ...]
    """Detector, bag, centred scores prompt by prompt: for the table of scores."""


class _Analyst:
    """One analysis: holds what is computed once and used for several questions."""

    def __init__(self, dossier: Dossier, features: Features, loaded: Loaded | None, progress: Progress) -> None:
        self.dossier = dossier
        self.calibration = loaded.calibration if loaded else None
        self.performance = loaded.performance if loaded else None
        self.case = dossier.registration.case
        self.protocol: Protocol = self.case.protocol
        self.bench = Bench(dossier, features, progress)
        self.robustness = Robustness(self.bench)
        self.prompts = self.bench.prompts
        self.counts = {one.model: one for one in inventory.denominators(dossier)}
        self.checks = quality.checks(dossier, self.counts, self.bench)
        self.documents = {one.model: one for one in documents.documents(dossier)}
        self.specs = {spec.code: spec for spec in self.case.models}
        self.facts = {item.code: item.facts for item in inventory.items(dossier)}

    def role(self, role: str) -> list[ModelSpec]:
        return [spec for spec in self.case.models if spec.role == role and not spec.repeats]

    # --- one finding --------------------------------------------------------------------------------

    def found(self, suspect: ModelSpec, question: Question) -> list[Finding]:
        """Test every reference for one suspect and question, with Holm over the references."""
        references = self.role("reference")
        drawn = self.dossier.registration.drawn or ()
        chosen = [lineage.choose(suspect, one, self.role("control"), question, drawn) for one in references]
        bags = [
            (suspect.code, one.code, *(spec.code for spec in controls.used))
            for one, controls in zip(references, chosen, strict=True)
        ]
        outcomes = [[self.bench.result(bag, name, question) for name in self.protocol.detectors] for bag in bags]
        scored = over_references([[one for one in row if isinstance(one, Result)] for row in outcomes])
        missing = [tuple(one for one in row if isinstance(one, NotScored)) for row in outcomes]
        needed = ranks.controls_needed(len(references), self.protocol.alpha)
        found = []
        for reference, controls, bag, results, gone in zip(references, chosen, bags, scored, missing, strict=True):
            primary = getattr(self.protocol.primary, question)
            rivals = self.role("candidate")
            beside = closest_candidate.compared(self.bench, self.specs, bag, rivals, primary, question)
            stood = exchangeability.examine(self.bench, self.specs, bag, controls, primary)
            weight = self._weigh(bag, results, suspect, reference, question, stood)
            grounds = self._grounds(suspect, reference, question, results, beside, needed, stood, weight)
            judged = documents.opinions(grounds, weight.ratios, self.documents.get(reference.code))
            given = likelihood_ratios.withheld(weight.ratios, grounds)
            if given != weight.ratios:
                weight = replace(weight, ratios=given, reported=())
            found.append(
                Finding(
                    question=question,
                    suspect=suspect.code,
                    reference=reference.code,
                    controls=bag[2:],
                    excluded=controls.excluded,
                    k=len(controls.used),
                    k_eff=stood.k_eff,
                    weight_lineages=controls.weight_lineages,
                    data_lineages=controls.data_lineages,
                    floor=tidy(ranks.floor(len(controls.used))),
                    k_needed=needed,
                    condition=controls.condition,
                    results=tuple(results),
                    not_scored=gone,
                    candidates=beside.ranked,
                    opinion=judged.opinion,
                    opinion_without=judged.without,
                    grounds=grounds,
                    raw=tuple(
                        raw for name in self.protocol.detectors if (raw := self.bench.raw(bag, name)) is not None
                    ),
                    ratios=weight.ratios,
                    conditions=weight.conditions,
                    power=weight.power,
                    p_prompt_level=self._prompt_level(bag, question),
                    exchangeability=stood,
                    **self._other(bag, results, question, stood.k_eff, weight, beside),
                )
            )
        return found

    def _weigh(
        self,
        bag: tuple[str, ...],
        results: Sequence[Result],
        suspect: ModelSpec,
        reference: ModelSpec,
        question: Question,
        stood: Exchangeability,
    ) -> Weight:
        """Evaluate likelihood ratios, conditions and power on the primary detector."""
        primary = next((result for result in results if result.primary), None)
        if primary is None:
            return Weight(ratios=(), conditions=(), power=None)
        case = likelihood_ratios.Circumstances(
            question=question,
            suspect=suspect.model,
            families=tuple(sorted({prompt.family for prompt in self.prompts})),
            k=len(bag) - 2,
            k_eff=stood.k_eff,
            shared_base=lineage.share_base(suspect, reference),
            controls=tuple(self.specs[code].model for code in bag[2:]),
            untaught=documents.named(self.documents.get(reference.code)),
            words=typical_length(text for row in self.bench.bag(bag).answers for samples in row for text in samples),
        )
        held = likelihood_ratios.conditions(self.calibration, primary, case)
        held += exchangeability.rows(stood, self.specs, bag, self.protocol)
        held += bare_result.row(self.bench, bag, primary, self.protocol.alpha)
        held += hull_of_answers.rows(self.bench, bag, primary, self.protocol.alpha)
        draws = self.bench.draws[bag, primary.detector]
        ratios = likelihood_ratios.ratios(self.calibration, primary, draws, case, held)
        rng = stream(self.protocol.seed, "reported ratios", question, suspect.code, reference.code)
        return Weight(
            ratios=ratios,
            conditions=held,
            reported=reported(self.performance, question, ratios, primary.prompts, rng),
            power=(
                likelihood_ratios.power(
                    self.calibration, primary, question, self.protocol.alpha / len(self.role("reference"))
                )
                if all(one.inside for one in held if one.decides)
                else None
            ),
        )

    def _other(
        self,
        bag: tuple[str, ...],
        results: Sequence[Result],
        question: Question,
        k_eff: int,
        weight: Weight,
        beside: closest_candidate.Compared,
    ) -> dict[str, Any]:
        """Show what other analyses, rival teachers and dates say; no opinion looks at it."""
        suspect, reference = (self.specs[code] for code in bag[:2])
        others = self.role("candidate")
        found: dict[str, Any] = {
            "direction": closest_candidate.direction(suspect, reference),
            "files": files_compared(self.facts[suspect.code], self.facts[reference.code]),
        }
        primary = next((result for result in results if result.primary), None)
        if primary is None:
            return found
        evaluated = any(one.value is not None for one in weight.ratios[:1])
        scored = self.bench.scored(bag, primary.detector)
        return {
            **found,
            "reported": weight.reported,
            "per_prompt": per_prompt_parts(scored.measured),
            "null_pairs": null_pairs(
                scored.scores.t,
                bag,
                self.protocol.alpha,
                weight.ratios[0].value if weight.ratios else None,
                partial(self._ratio_of, primary, question, k_eff, evaluated),
            ),
            "rank": closest_candidate.rank(primary, beside, len(others)),
            "without": self.robustness.without(bag, primary.detector),
            "curve": self.robustness.curve(
                bag,
                tuple(one.detector for one in results),
                primary.detector,
                question,
                k_eff,
                self.calibration if evaluated else None,
            ),
            "common": tuple(
                closest_candidate.common_source(self.bench, self.specs, bag, other, primary.detector, question)
                for other in others
                if len(closest_candidate.clean_for_all(self.specs, bag, other, question)) >= FEWEST
            ),
        }

    def _ratio_of(
        self, primary: Result, question: Question, k_eff: int, evaluated: bool, value: float, reached: int
    ) -> float | None:
        """Give two controls the ratio against an unrelated model that this finding would give such a score."""
        if not evaluated:
            return None
        return likelihood_ratios.point(
            self.calibration,
            question,
            primary.detector,
            value,
            prompts=primary.prompts,
            reached=reached,
            k_eff=k_eff,
        )

    def _prompt_level(self, bag: tuple[str, ...], question: Question) -> float | None:
        """Test the pair against each control prompt by prompt; None where the test is not possible."""
        detector = getattr(self.protocol.primary, question)
        if (bag, detector) not in self.bench.draws:
            return None
        d = self.bench.scored(bag, detector).d
        clusters = [prompt.cluster for prompt in self.bench.bag(bag).prompts]
        rng = stream(self.protocol.seed, "prompt level", detector)
        try:
            return tidy(prompt_level(d[:, 0, 1], d[:, 0, 2:], clusters, rng))
        except ValueError:
            return None

    def _grounds(
        self,
        suspect: ModelSpec,
        reference: ModelSpec,
        question: Question,
        results: Sequence[Result],
        beside: closest_candidate.Compared,
        k_needed: int,
        stood: Exchangeability,
        weight: Weight,
    ) -> Grounds:
        primary = next((result for result in results if result.primary), None)
        pair = (self.counts[suspect.code], self.counts[reference.code])
        sound = quality.passed(self.checks, suspect.code, reference.code)
        return Grounds(
            question=question,
            alpha=self.protocol.alpha,
            k_eff=stood.k_eff,
            k_needed=k_needed,
            p=primary.p_holm if primary else None,
            p_length_matched=primary.p_length_matched if primary else None,
            p_layout_matched=primary.p_layout_matched if primary else None,
            quality=sound,
            refusals=max(
                (one.refused + one.blocked + one.unjudged) / max(one.answered + one.blocked, 1) for one in pair
            ),
            era=stood.era.inside,
            shared_base=lineage.share_base(suspect, reference),
            candidate_closer=any(one.tested and not one.in_set for one in beside.ranked),
            lr_unrelated_low=weight.ratios[0].low if weight.ratios else None,
            lr_alternative_low=documents.least(weight.ratios),
            in_range=bool(weight.conditions) and all(one.inside for one in weight.conditions if one.decides),
            power=weight.power.lower95 if weight.power else None,
            files=files_compared(self.facts[suspect.code], self.facts[reference.code]).state,
            suspect_first=closest_candidate.direction(suspect, reference).order == "suspect first",
            p_lineages=exchangeability.p_lineages(primary, stood, self.protocol.alpha),
            rivals_left=beside.left or UNSET,
        )


def analyze(dossier: Dossier, features: Features, progress: Progress, loaded: Loaded | None = None) -> Analysis:
    """Score everything that the protocol registers; raise AnalysisError where nothing can be scored."""
    stated, asked = inventory.stated(dossier, loaded), likeness(dossier.registration.case.protocol)
    if not asked:
        return Analysis(findings=stated, scores=())
    analyst = _Analyst(dossier, features, loaded, progress)
    heard = {t.model for t in dossier.transcripts} | {u.model for u in dossier.unanswered if u.reason != "not asked"}
    for role in ("suspect", "reference"):
        if not any(spec.code in heard for spec in analyst.role(role)):
            raise AnalysisError(f"no {role} has an answer", hint="depose probe CASE, or depose import CASE")
    found = [
        one for suspect, question in product(analyst.role("suspect"), asked) for one in analyst.found(suspect, question)
    ]
    findings = msgspec.structs.replace(
        stated,
        prompts=len(analyst.prompts),
        clusters=len({prompt.cluster for prompt in analyst.prompts}),
        families=inventory.families(analyst.prompts),
        denominators=tuple(analyst.counts.values()),
        findings=over_all(found),
        exhibits=illustrations.shown_exhibits(analyst.bench, found),
        quality=analyst.checks,
        performance=used(loaded.performance, analyst.protocol.questions, len(analyst.prompts))
        if loaded and loaded.performance
        else None,
        tree=illustrations.joined(analyst.bench, analyst.case),
        shared_values=shared_values(analyst.bench, found) or UNSET,
        traces=traces(dossier, found) or UNSET,
    )
    return Analysis(findings=findings, scores=analyst.bench.scores())
