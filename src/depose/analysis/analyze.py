"""Transcripts to findings: a pure function of the dossier.

For each suspect, reference and question: choose clean controls, build the bag, score it with every detector,
rank, bootstrap, and look the opinion up. The same dossier gives the same findings to the byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.analysis import closest_candidate, exhibits, inventory, likelihood_ratios, quality
from depose.analysis.opinion import Grounds, decide
from depose.analysis.robustness import Robustness
from depose.analysis.scored_bags import AGAIN, Bench, Progress
from depose.case.calibration import Loaded, described
from depose.errors import AnalysisError
from depose.features.extract import Bag, Features
from depose.model import (
    Candidate,
    Condition,
    Dossier,
    Exhibit,
    Finding,
    Findings,
    ModelSpec,
    NotScored,
    Power,
    Protocol,
    Question,
    Ratio,
    Result,
    Tree,
)
from depose.model.random_streams import stream
from depose.statistics import lineage, ranks
from depose.statistics.centring import FEWEST
from depose.statistics.confidence_set import closest
from depose.statistics.permutation import prompt_level
from depose.statistics.rounding import tidy
from depose.statistics.tree import FEWEST_MODELS, MOST_MODELS, tree

FORMAT = "depose findings 1"
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Weight:
    """What the validation study says of one finding."""

    ratios: tuple[Ratio, ...]
    conditions: tuple[Condition, ...]
    power: Power | None


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
        self.case = dossier.registration.case
        self.protocol: Protocol = self.case.protocol
        self.bench = Bench(dossier, features, progress)
        self.robustness = Robustness(self.bench)
        self.prompts = self.bench.prompts
        self.counts = {one.model: one for one in inventory.denominators(dossier)}
        self.checks = quality.checks(dossier, self.counts, self.bench)
        self.specs = {spec.code: spec for spec in self.case.models}

    def role(self, role: str) -> list[ModelSpec]:
        return [spec for spec in self.case.models if spec.role == role and not spec.repeats]

    # --- one finding --------------------------------------------------------------------------------

    def found(self, suspect: ModelSpec, question: Question) -> list[Finding]:
        """Test every reference for one suspect and question, with Holm over the references."""
        references = self.role("reference")
        chosen = [lineage.choose(suspect, one, self.role("control"), question) for one in references]
        bags = [
            (suspect.code, one.code, *(spec.code for spec in controls.used))
            for one, controls in zip(references, chosen, strict=True)
        ]
        outcomes = [[self.bench.result(bag, name, question) for name in self.protocol.detectors] for bag in bags]
        scored = _with_holm([[one for one in row if isinstance(one, Result)] for row in outcomes])
        missing = [tuple(one for one in row if isinstance(one, NotScored)) for row in outcomes]
        needed = ranks.controls_needed(len(references), self.protocol.alpha)
        found = []
        for reference, controls, bag, results, gone in zip(references, chosen, bags, scored, missing, strict=True):
            candidates = self._candidates(bag, reference, question)
            weight = self._weigh(bag, results, suspect, reference, question, controls.k_eff)
            grounds = self._grounds(suspect, reference, question, results, candidates, needed, controls.k_eff, weight)
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
                    raw=tuple(
                        raw for name in self.protocol.detectors if (raw := self.bench.raw(bag, name)) is not None
                    ),
                    ratios=weight.ratios,
                    conditions=weight.conditions,
                    power=weight.power,
                    p_prompt_level=self._prompt_level(bag, question),
                    **self._other(bag, results, question, controls.k_eff, weight, candidates),
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
        k_eff: int,
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
            k_eff=k_eff,
            shared_base=lineage.share_base(suspect, reference),
            untaught=reference.source if reference.untaught else "",
        )
        held = likelihood_ratios.conditions(self.calibration, primary, case)
        draws = self.bench.draws[bag, primary.detector]
        return Weight(
            ratios=likelihood_ratios.ratios(self.calibration, primary, draws, case, held),
            conditions=held,
            power=(
                likelihood_ratios.power(
                    self.calibration, primary, question, self.protocol.alpha / len(self.role("reference"))
                )
                if all(one.inside for one in held)
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
        candidates: Sequence[Candidate],
    ) -> dict[str, Any]:
        """Show what other analyses, rival teachers and dates say; no opinion looks at it."""
        suspect, reference = (self.specs[code] for code in bag[:2])
        others = self.role("candidate")
        found: dict[str, Any] = {"direction": closest_candidate.direction(suspect, reference)}
        primary = next((result for result in results if result.primary), None)
        if primary is None:
            return found
        evaluated = any(one.value is not None for one in weight.ratios[:1])
        return {
            **found,
            "rank": closest_candidate.rank(primary, candidates, len(others)),
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

    def _candidates(self, members: tuple[str, ...], reference: ModelSpec, question: Question) -> tuple[Candidate, ...]:
        """Rank the tested reference among the rival candidates, each scored with controls clean for all of them."""
        rivals = [reference, *self.role("candidate")]
        suspect = self.specs[members[0]]
        clean = tuple(
            code
            for code in members[2:]
            if not any(lineage.unclean(suspect, rival, self.specs[code], question) for rival in rivals)
        )
        if len(rivals) < 2 or len(clean) < FEWEST or self.bench.silent([suspect.code, *(one.code for one in rivals)]):
            return ()
        detector = getattr(self.protocol.primary, question)
        each = [self.bench.scored((members[0], rival.code, *clean), detector) for rival in rivals]
        rows = self.bench.bag((members[0], *clean)).prompts
        rng = stream(self.protocol.seed, "candidates", members[0], reference.code)
        d = np.stack([one.d[:, 0, 1] for one in each], axis=1)
        inside = closest(d, [row.cluster for row in rows], self.protocol.alpha, rng)
        ranked = [
            Candidate(
                model=rival.code,
                value=tidy(one.scores.t[0, 1]),
                tested=rival.code == reference.code,
                in_set=kept,
            )
            for rival, one, kept in zip(rivals, each, inside, strict=True)
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
        weight: Weight,
    ) -> Grounds:
        primary = next((result for result in results if result.primary), None)
        pair = (self.counts[suspect.code], self.counts[reference.code])
        sound = quality.passed(self.checks, suspect.code, reference.code)
        return Grounds(
            question=question,
            alpha=self.protocol.alpha,
            k_eff=k_eff,
            k_needed=k_needed,
            p=primary.p_holm if primary else None,
            p_length_matched=primary.p_length_matched if primary else None,
            p_layout_matched=primary.p_layout_matched if primary else None,
            quality=sound,
            refusals=max(
                (one.refused + one.blocked + one.unjudged) / max(one.answered + one.blocked, 1) for one in pair
            ),
            shared_base=lineage.share_base(suspect, reference),
            candidate_closer=any(one.tested and not one.in_set for one in candidates),
            lr_unrelated_low=weight.ratios[0].low if weight.ratios else None,
            lr_alternative_low=_least([one.low for one in weight.ratios[1:] if not one.excluded]),
            in_range=bool(weight.conditions) and all(one.inside for one in weight.conditions),
            power=weight.power.value if weight.power else None,
        )

    def exhibits(self, found: Sequence[Finding]) -> tuple[Exhibit, ...]:
        """Set out exhibits for every suspect and reference, on the primary detector of the last question."""
        shown: list[Exhibit] = []
        for one in found:
            if one.question != self.protocol.questions[-1] or self.bench.silent((one.suspect, one.reference)):
                continue
            detector = getattr(self.protocol.primary, one.question)
            members = (one.suspect, one.reference, *one.controls)
            bag, scored = self.bench.bag(members), self.bench.scored(members, detector)
            similarity = exhibits.similarities(scored.measured)
            scores = scored.d[:, 0, 1]
            if not np.isfinite(scores).any():
                wider = (*members, one.reference + AGAIN) if self.bench.asked_again(one.reference) else members
                scores = exhibits.similarities(self.bench.scored(wider, detector).measured)[:, 0, 1]
            rng = stream(self.protocol.seed, "exhibits", one.suspect, one.reference)
            for choice in exhibits.choose(scores, self.protocol.exhibits, rng):
                shown.append(
                    exhibits.exhibit(
                        bag,
                        choice,
                        number=len(shown) + 1,
                        of=int(np.isfinite(scores).sum()),
                        value=tidy(float(scores[choice.index])),
                        similarity=similarity[choice.index],
                        rng=rng,
                        endings=self.bench.endings,
                    )
                )
        return tuple(shown)

    def tree(self) -> Tree | None:
        """Join all models that answered by likeness, on the primary detector of the last question."""
        codes = [spec.code for spec in self.case.models if not spec.repeats and not self.bench.silent((spec.code,))]
        if not FEWEST_MODELS <= len(codes) <= MOST_MODELS:
            return None
        detector = getattr(self.protocol.primary, self.protocol.questions[-1])
        clusters = [prompt.cluster for prompt in self.bench.bag(codes).prompts]
        rng = stream(self.protocol.seed, "tree", detector)
        try:
            return tree(self.bench.measured(codes, detector), codes, clusters, self.protocol.bootstrap, rng)
        except ValueError:
            return None


def _least(values: Sequence[float | None]) -> float | None:
    """Return the smallest, or None if one of them was not evaluated."""
    known = [value for value in values if value is not None]
    return min(known) if known and len(known) == len(values) else None


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


def analyze(dossier: Dossier, features: Features, progress: Progress, loaded: Loaded | None = None) -> Analysis:
    """Score everything that the protocol registers; raise AnalysisError where nothing can be scored."""
    analyst = _Analyst(dossier, features, loaded, progress)
    case = analyst.case
    heard = {t.model for t in dossier.transcripts} | {u.model for u in dossier.unanswered if u.reason != "not asked"}
    for role in ("suspect", "reference"):
        if not any(spec.code in heard for spec in analyst.role(role)):
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
        time_stamped=dossier.time_stamped,
        software=dossier.registration.software,
        files=dossier.registration.files,
        prompts=len(analyst.prompts),
        clusters=len({prompt.cluster for prompt in analyst.prompts}),
        families=inventory.families(analyst.prompts),
        items=inventory.items(dossier),
        denominators=tuple(analyst.counts.values()),
        unanswered=dossier.unanswered,
        findings=tuple(found),
        exhibits=analyst.exhibits(found),
        exhibit_rule=exhibits.RULE,
        amendments=dossier.amendments,
        withdrawn=dossier.withdrawn,
        weights=dossier.weights,
        calibration=described(loaded),
        scale=likelihood_ratios.SCALE,
        quality=analyst.checks,
        performance=loaded.performance if loaded else None,
        tree=analyst.tree(),
    )
    return Analysis(findings=findings, scores=analyst.bench.scores())
