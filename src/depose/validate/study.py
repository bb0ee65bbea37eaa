"""The figures of a validation study: what is printed in `validation.json`.

Positives of a question are the pairs whose documented relation is the question's; negatives are the pairs labelled 0.
Grey pairs are never scored, but for `cross.same_vs_relatives`, where siblings and fine-tunes are different weights by
documentation. A figure that rests on fewer than five families of either kind is null, with the reason beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.case.population import Population
from depose.model import Calibration, Calibrator, Primary
from depose.model.random_streams import stream
from depose.scoring.bags import one_base
from depose.statistics.calibration import left_out
from depose.statistics.likelihood import cllr, cllr_min
from depose.statistics.likelihood_ratio_cap import lineage_cap
from depose.statistics.ranks import floor
from depose.statistics.rates import lower_bound, rate, upper_bound
from depose.statistics.rounding import at_least, at_most
from depose.validate.areas import (
    FEWEST_FAMILIES,
    absent,
    area,
    by_reference,
    by_suspect,
    length_matched,
    macro_area,
    together,
)
from depose.validate.scoring import PairScores, Scored

Array = NDArray[np.float64]

RELATION = {"same": "same_model", "derived": "fine_tune_of", "distilled": "distilled_from"}
PRIMARY: dict[str, str] = msgspec.structs.asdict(Primary())
TASK = {"teacher": PRIMARY["distilled"], "base": PRIMARY["derived"], "same": PRIMARY["same"]}
RELATIVES = ("version_sibling", "base_sibling", "co_derived", "fine_tune_of")
SIBLINGS = ("version_sibling", "base_sibling", "co_derived")
LEVELS = (0.05, 0.10)
Test = Callable[[PairScores], bool]


class Study:
    """One population, scored, and the pairs that each figure rests on."""

    def __init__(self, population: Population, scored: Scored, seed: int) -> None:
        self.population = population
        self.scored = scored
        self.seed = seed
        self.members = {one.name: one for one in population.members}
        self.labelled = [one for one in scored.pairs if one.pair.label is not None]
        self.negatives = [one for one in self.labelled if one.pair.label == 0]
        self.unrelated = [one for one in self.negatives if one.pair.relation == "unrelated" and one.pair.documented]

    def positives(self, question: str) -> list[PairScores]:
        """Pairs of the question's relation."""
        return [one for one in self.labelled if one.pair.label == 1 and one.pair.relation == RELATION[question]]

    def lineages(self, one: PairScores) -> frozenset[str]:
        """All lineages that a pair belongs to, of both sides: what a held-out prediction may not have seen."""
        sides = (self.members[one.pair.suspect], self.members[one.pair.reference])
        return frozenset(name for side in sides for name in (side.family, side.data_lineage))

    def matched(self, question: str) -> list[PairScores]:
        """Documented-unrelated pairs whose reference is the reference of some positive of the question."""
        references = {one.pair.reference for one in self.positives(question)}
        return [one for one in self.unrelated if one.pair.reference in references]

    def alternatives(self, question: str) -> dict[str, list[PairScores]]:
        """Pairs of the question's own alternatives: what it must be told from.

        On one base a student is a relative too: the weights are siblings, and what they say is taught.
        """
        if question == "same":
            kinds = (*RELATIVES, RELATION["distilled"]) if one_base(self.population) else RELATIVES
            return {"relatives": [one for one in self.scored.pairs if one.pair.relation in kinds]}
        if question == "derived":
            apart = [one for one in self.positives("distilled") if not self._one_base(one)]
            return {"distilled only": apart}
        hard = {"same base, other teacher": "same_base_other_teacher", "common teacher": "shared_teacher"}
        return {name: [one for one in self.negatives if mark in one.pair.hard] for name, mark in hard.items()}

    def _one_base(self, one: PairScores) -> bool:
        return self.members[one.pair.suspect].weight_lineage == self.members[one.pair.reference].weight_lineage

    def rng(self, *names: str) -> np.random.Generator:
        """Make the random stream of one figure."""
        return stream(self.seed, "validate", self.population.source, *names)


def scores_of(pairs: Sequence[PairScores], detector: str) -> dict[int, float]:
    """Scores of pairs on all prompts, by identity; `length` is the plain closeness in length, the confound."""
    if detector == "length":
        return {id(one): one.closeness for one in pairs}
    return {id(one): float(one.t[detector][0]) for one in pairs}


def families(pairs: Sequence[PairScores]) -> int:
    """Number of suspect families."""
    return len({one.pair.suspect_family for one in pairs})


def areas(study: Study, question: str, detector: str) -> dict[str, Any]:
    """Give every area of one question under one detector."""
    positives, negatives = study.positives(question), study.negatives
    score, length = scores_of(study.scored.pairs, detector), scores_of(study.scored.pairs, "length")
    classes: dict[str, list[PairScores]] = {
        "documented": [one for one in negatives if one.pair.documented],
        "all": negatives,
        "no_documented_link": [one for one in negatives if one.pair.relation == "no_documented_link"],
    }
    pooled = {
        "documented": classes["documented"],
        "matched": [one for one in negatives if one.pair.matched],
        **{
            mark: [one for one in negatives if mark in one.pair.hard]
            for mark in ("same_base_other_teacher", "same_era", "shared_teacher")
        },
        "no_documented_link": classes["no_documented_link"],
    }

    def rng(name: str) -> np.random.Generator:
        return study.rng(question, detector, name)

    def matched(name: str) -> dict[str, Any]:
        used = [one for one in classes[name] if one.pair.reference in {p.pair.reference for p in positives}]
        left = length_matched([*positives, *used], score)
        return area(positives, used, left, by_reference, rng(f"length {name}"))

    both = ("documented", "all")
    return {
        "auc_within_reference": {
            name: area(positives, classes[name], score, by_reference, rng(f"reference {name}")) for name in classes
        },
        "auc_within_reference_macro": {
            name: macro_area(positives, classes[name], score, length, rng(f"macro {name}")) for name in both
        },
        "auc_within_reference_length_matched": {name: matched(name) for name in both},
        "auc_within_suspect": {
            name: area(positives, classes[name], score, by_suspect, rng(f"suspect {name}")) for name in both
        },
        "auc_pooled": {
            name: area(positives, used, score, together, rng(f"pooled {name}")) for name, used in pooled.items()
        },
    }


def _share(pairs: Sequence[PairScores], hit: Test) -> dict[str, Any]:
    """Count pairs, and families with at least one, and the mean over families of the share of pairs."""
    by_family: dict[str, list[bool]] = {}
    for one in pairs:
        by_family.setdefault(one.pair.suspect_family, []).append(hit(one))
    shares = [sum(hits) / len(hits) for hits in by_family.values()]
    return {
        "k": sum(map(hit, pairs)),
        "n": len(pairs),
        "k_families": sum(any(hits) for hits in by_family.values()),
        "n_families": len(by_family),
        "mean_over_families": round(float(np.mean(shares)), 4) if shares else None,
    }


def k_eff(one: PairScores, question: str) -> int:
    """Independent control lineages of a pair for a question."""
    return one.k if question == "distilled" else one.k_eff


def rule(study: Study, question: str, detector: str) -> dict[str, Any]:
    """Apply the decision rule on p alone: inconclusive below 19 lineages, else p <= .05 or not."""
    sides: dict[str, Callable[[PairScores], float]] = {
        "p_reference": lambda one: float(one.p[detector][0][0]),
        "p_suspect": lambda one: float(one.p[detector][0][1]),
        "larger": lambda one: float(one.p[detector][0].max()),
    }

    def enough(one: PairScores) -> bool:
        return k_eff(one, question) >= FEWEST_LINEAGES

    def table(pairs: Sequence[PairScores], value: Callable[[PairScores], float]) -> dict[str, Any]:
        return {
            "indication": _share(pairs, lambda one: enough(one) and value(one) <= 0.05),
            "no_indication": _share(pairs, lambda one: enough(one) and value(one) > 0.05),
            "inconclusive": _share(pairs, lambda one: not enough(one)),
        }

    found: dict[str, Any] = {}
    for name, pairs in (("h1", study.positives(question)), ("h2", study.unrelated)):
        tables = {side: table(pairs, value) for side, value in sides.items()}
        found[name] = {
            outcome: {side: tables[side][outcome] for side in sides}
            for outcome in ("indication", "no_indication", "inconclusive")
        }
    return found


def type_one_error(study: Study, question: str, detector: str) -> dict[str, Any]:
    """Count documented-unrelated pairs at or below each level, where K allows that level."""
    found: dict[str, Any] = {}
    for level in LEVELS:
        able = [one for one in study.unrelated if floor(one.k) <= level]
        name = f"{level:.2f}"
        if families(able) < FEWEST_FAMILIES:
            reason = f"{families(able)} families have enough controls for this level; {FEWEST_FAMILIES} are needed"
            found[name] = {"k": None, "n": len(able), "reason": reason}
            continue
        shared = _share(able, lambda one, level=level: float(one.p[detector][0].max()) <= level)  # type: ignore[misc]
        shared["lower95"] = float(at_least(lower_bound(shared["k"], shared["n"]), 4))
        shared["upper95"] = float(at_most(upper_bound(shared["k"], shared["n"]), 4))
        found[name] = shared
    return found


def ratios(study: Study, question: str, detector: str) -> dict[str, Any]:
    """Costs and misleading rates of likelihood ratios against an unrelated model, whole lineages left out."""
    positives, negatives = study.positives(question), study.matched(question)
    names = ("cllr", "cllr_min", "cllr_capped", "misleading_h1", "misleading_h2")
    short = min(families(positives), families(negatives))
    if short < FEWEST_FAMILIES:
        return {**dict.fromkeys(names), "reason": f"{short} families of one kind; {FEWEST_FAMILIES} are needed"}
    h1, h2 = held_out(study, positives, negatives, detector)
    capped1, capped2 = (_capped(study, pairs, values, question) for pairs, values in ((positives, h1), (negatives, h2)))
    return {
        "cllr": round(cllr(h1, h2), 4),
        "cllr_min": round(cllr_min(h1, h2), 4),
        "cllr_capped": round(cllr(capped1, capped2), 4),
        "misleading_h1": _misleading(int((h1 < 0).sum()), len(h1)),
        "misleading_h2": _misleading(int((h2 > 0).sum()), len(h2)),
    }


def _misleading(k: int, n: int) -> dict[str, Any]:
    return {"k": k, "n": n, "upper95": float(at_most(rate(k, n).upper95, 4))}


def held_out(
    study: Study, positives: Sequence[PairScores], negatives: Sequence[PairScores], detector: str, subset: int = 0
) -> tuple[Array, Array]:
    """Predict log likelihood ratios with every lineage of the pair left out of the fit."""
    first = np.array([one.t[detector][subset] for one in positives])
    second = np.array([one.t[detector][subset] for one in negatives])
    return left_out(first, second, [study.lineages(o) for o in positives], [study.lineages(o) for o in negatives])


def _capped(study: Study, pairs: Sequence[PairScores], values: Array, question: str) -> Array:
    """Apply to held-out ratios the cap that each pair's own controls give, with none at or above the score."""
    caps = np.log([lineage_cap(0, max(k_eff(one, question), 1)) for one in pairs])
    return np.clip(values, -caps, caps)


def cross(study: Study) -> dict[str, Any]:
    """Tell the questions apart: the same model from relatives, inherited weights from distillation alone."""
    found = {}
    sets = {
        "same_vs_relatives": (study.positives("same"), study.alternatives("same")["relatives"], PRIMARY["same"]),
        "derived_vs_distilled_only": (
            study.positives("derived"),
            study.alternatives("derived")["distilled only"],
            PRIMARY["derived"],
        ),
    }
    for name, (positives, negatives, detector) in sets.items():
        made = area(positives, negatives, scores_of(study.scored.pairs, detector), together, study.rng("cross", name))
        found[name] = {
            "auc": made["value"],
            "lo": made["lo"],
            "hi": made["hi"],
            "n_pos": len(positives),
            "n_neg": len(negatives),
            **({"reason": made["reason"]} if "reason" in made else {}),
        }
    return found


def ranking(study: Study) -> dict[str, Any]:
    """Count tasks whose first candidate is true, or of the true maker."""
    found = {}
    for kind in TASK:
        tasks = [(task, names) for task, names in study.scored.ranked if task.kind == kind and names]
        found[kind] = {
            "n": len(tasks),
            "top1": sum(names[0] in task.true for task, names in tasks),
            "same_developer": sum(names[0] in (*task.true, *task.same_developer) for task, names in tasks),
        }
    return found


def leave_out_largest(study: Study, question: str, detector: str) -> dict[str, Any]:
    """Give the areas within reference without the developer that most references of true pairs are of."""
    positives = study.positives(question)
    counted: dict[str, int] = {}
    for name in {one.pair.reference for one in positives}:
        maker = study.members[name].developer
        counted[maker] = counted.get(maker, 0) + 1
    if not counted:
        return {"developer": None, **absent("no true pairs")}
    largest = max(sorted(counted), key=counted.__getitem__)
    kept = [one for one in positives if study.members[one.pair.reference].developer != largest]
    score = scores_of(study.scored.pairs, detector)
    classes = {"documented": [o for o in study.negatives if o.pair.documented], "all": study.negatives}
    return {
        "developer": largest,
        **{
            name: area(kept, n, score, by_reference, study.rng(question, "largest", name))
            for name, n in classes.items()
        },
    }


def selection(study: Study, question: str) -> dict[str, Any]:
    """Choose the detector for each suspect family on the other families, and compare with it what was left out."""
    positives = study.positives(question)
    documented = [one for one in study.negatives if one.pair.documented]
    names = [name for name in study.scored.detectors if name != "length"]
    tables = {name: scores_of(study.scored.pairs, name) for name in names}
    won = made = 0.0
    chosen: dict[str, str] = {}
    for family in sorted({one.pair.suspect_family for one in positives}):
        rest = [one for one in positives if one.pair.suspect_family != family]
        others = [one for one in documented if one.pair.suspect_family != family]
        merit = {name: _plain_area(rest, others, tables[name]) for name in names}
        chosen[family] = max(names, key=lambda name: (merit[name], -names.index(name)))
        mine = [one for one in positives if one.pair.suspect_family == family]
        held = _plain_counts(mine, documented, tables[chosen[family]])
        won, made = won + held[0], made + held[1]
    return {"documented": round(won / made, 4) if made else None, "chosen": chosen}


def _plain_counts(
    positives: Sequence[PairScores], negatives: Sequence[PairScores], score: dict[int, float]
) -> tuple[float, float]:
    from depose.statistics.rates import wins

    won = made = 0.0
    for name in {one.pair.reference for one in positives}:
        p = np.array([score[id(one)] for one in positives if one.pair.reference == name])
        n = np.array([score[id(one)] for one in negatives if one.pair.reference == name])
        won, made = won + wins(p, n), made + len(p) * len(n)
    return won, made


def _plain_area(positives: Sequence[PairScores], negatives: Sequence[PairScores], score: dict[int, float]) -> float:
    won, made = _plain_counts(positives, negatives, score)
    return won / made if made else 0.0


def figures(study: Study) -> dict[str, Any]:
    """Compute everything but the calibration."""
    questions = {}
    for question, detector in PRIMARY.items():
        positives = study.positives(question)
        questions[question] = {
            "relation": RELATION[question],
            "detector": detector,
            "n_pos": len(positives),
            "n_pos_families": families(positives),
            **areas(study, question, detector),
            "rule": rule(study, question, detector),
            **ratios(study, question, detector),
        }
    return {
        "questions": questions,
        "type_one_error": {q: type_one_error(study, q, detector) for q, detector in PRIMARY.items()},
        "cross": cross(study),
        "ranking": ranking(study),
        "detectors": {
            name: {question: areas(study, question, name) for question in PRIMARY} for name in study.scored.detectors
        },
    }


def plain(value: Calibration | Calibrator) -> Any:
    """Turn a record into plain JSON values."""
    return msgspec.to_builtins(value)
