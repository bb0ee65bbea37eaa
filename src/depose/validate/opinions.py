"""How often the opinion of a case would be wrong, by what the two models are to each other.

A rate of small p-values is not the rate of an opinion, which asks for more. So every pair of a study is put through the
rules of a case (`judged.py`), by the study's calibration without the lineages of that pair (`left_out.py`), and the
opinions are counted with exact bounds. The suspect's base counts as unknown, as in a dispute about it. Where documents
of the population do not say who taught the reference, the case counts as one whose papers say that nobody did: it
claims the most.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from depose.analysis.closest_candidate import direction
from depose.analysis.opinion import FEWEST_LINEAGES
from depose.model import Calibration, OpinionRate, Question
from depose.scoring.bags import Bags, one_base
from depose.statistics.era import era
from depose.statistics.rates import lower_bound, upper_bound
from depose.statistics.rounding import at_least, at_most
from depose.validate.judged import ALPHA, ASIDE, Scored, judged
from depose.validate.labelled import QUESTIONS
from depose.validate.left_out import LeftOut
from depose.validate.scoring import PairScores
from depose.validate.study import PRIMARY, RELATION, Study, k_eff

TRUE = "true pairs"
STUDENT = "student and teacher"
HARD = {"shared_teacher": "students of one teacher", "same_base_other_teacher": "one base, another teacher"}
RELATIONS = {
    "unrelated": "strangers",
    "no_documented_link": "no documented link",
    "shared_teacher": HARD["shared_teacher"],
    "version_sibling": "another version or size",
    "base_sibling": "another tune of one base",
    "co_derived": "another tune of one base",
    "same_developer_family": "another model of one maker",
    "teacher_sibling": "student of another version of the reference",
    "reverse_derivation": "the reference was made from the suspect",
}
GREY = ("same_developer_family", "teacher_sibling", "reverse_derivation")
"""Relations without a label that are scored for this count alone."""


def kind(question: Question, one: PairScores) -> str:
    """Say what the two of a pair are to each other, or nothing where it is not known whether H1 is true of them."""
    pair = one.pair
    if pair.label == 1 and pair.relation == RELATION[question]:
        return TRUE
    if question == "same" and pair.relation in (RELATION["derived"], RELATION["distilled"]):
        return "fine-tune and base" if pair.relation == RELATION["derived"] else STUDENT
    marks = [said for mark, said in HARD.items() if mark in pair.hard]
    if marks:
        return marks[0]
    if pair.relation == "unrelated" and not pair.documented:
        return RELATIONS["no_documented_link"]
    if "same_era" in pair.hard:
        return "strangers of the same years"
    return RELATIONS.get(pair.relation, "")


class Judge:
    """Puts pairs of one study through the rules of a case.

    `elsewhere` says that the calibration was fitted on another population: it is then used as it is, as a case would.
    """

    def __init__(self, study: Study, calibration: Calibration, *, elsewhere: bool) -> None:
        self._study = study
        self._calibration = calibration
        self._bags = Bags(study.population)
        self._specs = {one.name: one.spec() for one in study.population.members}
        self._dated = any(one.released for one in study.population.members)
        self._one_base = one_base(study.population)
        self._left_out = {} if elsewhere else {one: LeftOut(study, calibration, one) for one in QUESTIONS}

    def opinion(self, question: Question, one: PairScores, subset: int, p_bare: float | None = None) -> str:
        """Look the opinion on one pair up; without the rule on bare words, unless p without these is given."""
        detector = PRIMARY[question]
        p = float(one.p[detector][subset].max())
        matched = one.p_matched[detector][subset]
        suspect, reference = (self._specs[name] for name in (one.pair.suspect, one.pair.reference))
        called = bool(p <= ALPHA and matched.max() <= ALPHA and k_eff(one, question) >= FEWEST_LINEAGES)
        left = (
            self._left_out[question].without(self._study.lineages(one), subset, ratios=called)
            if self._left_out
            else self._calibration
        )
        scored = Scored(
            question=question,
            detector=detector,
            prompts=self._study.scored.sizes[subset],
            t=float(one.t[detector][subset]),
            reached=round(p * (one.k + 1)) - 1,
            p=p,
            p_length=float(matched[0]),
            p_layout=float(matched[1]),
            k=one.k,
            k_eff=k_eff(one, question),
            era=not self._dated or self._era(one),
            shared_base=self._one_base and question != "derived",
            suspect_first=direction(suspect, reference).order == "suspect first",
            untaught="" if reference.trained_on else "papers that a party could hand in",
            p_bare=p_bare,
        )
        return judged(scored, left)[0]

    def _era(self, one: PairScores) -> bool:
        suspect, reference = (self._specs[name] for name in (one.pair.suspect, one.pair.reference))
        used = self._bags.controls(suspect.code, reference.code).used
        return era(suspect.released, reference.released, {spec.code: spec.released for spec in used}).inside


def opinion_rates(study: Study, calibration: Calibration, *, elsewhere: bool = False) -> tuple[OpinionRate, ...]:
    """Count opinions by question, number of prompts and kind of pair, true pairs first.

    `elsewhere` says that the calibration was fitted on another population: it is then used as it is, as a case would.
    """
    judge = Judge(study, calibration, elsewhere=elsewhere)
    return tuple(
        rate
        for question in QUESTIONS
        for subset in range(len(study.scored.sizes))
        for rate in _rates(judge, study, question, subset)
    )


def _rates(judge: Judge, study: Study, question: Question, subset: int) -> Iterator[OpinionRate]:
    kinds: dict[str, list[PairScores]] = {TRUE: []}
    for one in study.scored.pairs:
        if (name := kind(question, one)) and np.isfinite(one.t[PRIMARY[question]][subset]):
            kinds.setdefault(name, []).append(one)
    for name, pairs in kinds.items():
        if pairs:
            opinions = [judge.opinion(question, one, subset) for one in pairs]
            yield _rate(study, question, name, subset, pairs, opinions)


def _rate(
    study: Study, question: Question, name: str, subset: int, pairs: Sequence[PairScores], opinions: Sequence[str]
) -> OpinionRate:
    k, n = opinions.count("indication"), len(opinions)
    hit = {one.pair.suspect_family for one, said in zip(pairs, opinions, strict=True) if said == "indication"}
    return OpinionRate(
        question=question,
        kind=name,
        true=name == TRUE,
        prompts=study.scored.sizes[subset],
        n=n,
        at_alpha=sum(float(one.p[PRIMARY[question]][subset].max()) <= ALPHA for one in pairs),
        indications=k,
        relations=opinions.count("relation, kind not resolved"),
        cleared=opinions.count("no indication"),
        lower95=float(at_least(lower_bound(k, n), 4)),
        upper95=float(at_most(upper_bound(k, n), 4)),
        k_families=len(hit),
        n_families=len({one.pair.suspect_family for one in pairs}),
    )


def opinion_lines(rates: Sequence[OpinionRate], by: str = "") -> Iterator[str]:
    """Set the counts on all prompts out for a terminal; `by` names the study of another population that judged."""
    most = max((one.prompts for one in rates), default=0)
    head = f"opinions by {by}" if by else "opinions"
    for one in rates:
        if one.prompts == most:
            yield (
                f"{head}, {one.question}, {one.prompts} prompts, {one.kind}: p at alpha {one.at_alpha}/{one.n}, "
                f"indication {one.indications} (exact 95 % bounds {one.lower95}, {one.upper95}; families "
                f"{one.k_families}/{one.n_families}), relation {one.relations}, no indication {one.cleared}"
            )
    if rates:
        yield f"{head}: {ASIDE}"
