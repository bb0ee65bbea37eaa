"""What a report prints of a validation study: error counts with exact bounds, held-out ratios for its curves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from depose.model import Calibration, ErrorRate, HeldOut, Performance
from depose.statistics.likelihood import cllr, cllr_min
from depose.statistics.rates import upper_bound
from depose.statistics.rounding import at_most
from depose.validate.areas import FEWEST_FAMILIES
from depose.validate.opinions import opinion_rates
from depose.validate.scoring import PairScores
from depose.validate.study import PRIMARY, Study, families, held_out, rule

FORMAT = "depose performance 1"
LOG10 = float(np.log(10))


def performance(study: Study, calibration: Calibration, digest: str) -> Performance:
    """Count the errors of every question and keep its held-out ratios; `digest` is that of the calibration's file."""
    pairs = tuple(_held_out(study))
    return Performance(
        format=FORMAT,
        source=study.population.source,
        calibration=digest,
        command=f"depose validate --source {study.population.source} --seed {study.seed}",
        rates=(
            *_by_rule(study),
            *(rate for one in pairs if one.prompts == study.scored.sizes[0] for rate in _misleading(one)),
        ),
        held_out=pairs,
        opinions=opinion_rates(study, calibration),
        gates=calibration.gates,
    )


def _rate(question: str, what: str, k: int, n: int, *, k_families: int | None = None, n_families: int = 0) -> ErrorRate:
    return ErrorRate(
        question=question,  # type: ignore[arg-type]
        what=what,
        k=k,
        n=n,
        upper95=float(at_most(upper_bound(k, n), 4)),
        k_families=k_families,
        n_families=n_families,
    )


def _by_rule(study: Study) -> Iterator[ErrorRate]:
    """Count false alarms and misses of the rule on p, each over the pairs with controls enough to be decided."""
    for question, detector in PRIMARY.items():
        found = rule(study, question, detector)
        for kind, wrong, what in (
            ("h2", "indication", "false alarm: an unrelated pair with p at or below 0.05 and at least 19 controls"),
            ("h1", "no_indication", "miss: a true pair with p above 0.05 and at least 19 controls"),
        ):
            table = found[kind]
            bad = table[wrong]["larger"]
            decided = bad["n"] - table["inconclusive"]["larger"]["k"]
            yield _rate(question, what, bad["k"], decided, k_families=bad["k_families"], n_families=bad["n_families"])


def _held_out(study: Study) -> Iterator[HeldOut]:
    """Yield the held-out ratios of every question, alternative and number of prompts, the largest number first."""
    for question, detector in PRIMARY.items():
        first = study.positives(question)
        for against, second in {"unrelated": study.matched(question), **study.alternatives(question)}.items():
            for subset in range(len(study.scored.sizes)):
                kept1, kept2 = (
                    [one for one in pairs if np.isfinite(one.t[detector][subset])] for pairs in (first, second)
                )
                if min(families(kept1), families(kept2)) >= FEWEST_FAMILIES:
                    yield _ratios(study, question, against, detector, kept1, kept2, subset)


def _ratios(
    study: Study,
    question: str,
    against: str,
    detector: str,
    first: Sequence[PairScores],
    second: Sequence[PairScores],
    subset: int,
) -> HeldOut:
    h1, h2 = held_out(study, first, second, detector, subset)
    names = sorted({one.pair.suspect_family for one in (*first, *second)})
    place = {name: number for number, name in enumerate(names)}
    true, other = (
        sorted(
            (round(float(value) / LOG10, 3), place[one.pair.suspect_family])
            for value, one in zip(h, pairs, strict=True)
        )
        for h, pairs in ((h1, first), (h2, second))
    )
    return HeldOut(
        question=question,  # type: ignore[arg-type]
        against=against,
        detector=detector,
        prompts=study.scored.sizes[subset],
        families_true=families(first),
        families_other=families(second),
        true=tuple(value for value, _ in true),
        other=tuple(value for value, _ in other),
        cllr=round(cllr(h1, h2), 4),
        cllr_min=round(cllr_min(h1, h2), 4),
        true_families=tuple(family for _, family in true),
        other_families=tuple(family for _, family in other),
    )


def _misleading(one: HeldOut) -> Iterator[ErrorRate]:
    """Count held-out ratios on the wrong side of 1."""
    yield _rate(
        one.question,
        f"misleading: a true pair with a likelihood ratio below 1, against {one.against}",
        sum(value < 0 for value in one.true),
        len(one.true),
    )
    yield _rate(
        one.question,
        f"misleading: another pair ({one.against}) with a likelihood ratio above 1",
        sum(value > 0 for value in one.other),
        len(one.other),
    )
