"""The calibration of a study as it would be had it never seen the lineages of one pair.

Fit, refits on resampled families, range of scores, families of true pairs and power are made anew from the pairs that
share no lineage with it, on either side. The cost by which a study informs and its empirical bounds are those of the
whole study, in which every ratio was made without the lineages of its own pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.model import Calibration, Calibrator, Line, Question
from depose.statistics.calibration import fit
from depose.validate.areas import FEWEST_FAMILIES
from depose.validate.calibrate import lowest_by_family, refits, true_pair
from depose.validate.scoring import PairScores
from depose.validate.study import Study, families

Array = NDArray[np.float64]

FEWEST_LEFT = FEWEST_FAMILIES - 1
"""Families of each kind that must be left: as many as a study needs, but for the one left out."""
Kinds = Mapping[str, tuple[Sequence[PairScores], Sequence[PairScores]]]


class LeftOut:
    """One question of a study, whose calibration can be had without some lineages."""

    def __init__(self, study: Study, calibration: Calibration, question: Question) -> None:
        self._study, self._calibration, self._question = study, calibration, question
        self._mine = [one for one in calibration.calibrators if one.question == question]
        self._true = study.positives(question)
        self._other = {"unrelated": study.matched(question), **study.alternatives(question)}
        self._lineages = {id(one): study.lineages(one) for one in study.scored.pairs}
        self._made: dict[tuple[frozenset[str], int, bool], Calibration] = {}

    def without(self, lineages: frozenset[str], subset: int, *, ratios: bool) -> Calibration:
        """Give what is left for one number of prompts; without ratios where no opinion asks for them."""
        key = (lineages, subset, ratios)
        if key not in self._made:
            size = self._study.scored.sizes[subset]
            kept = [
                self._refitted(one, lineages, subset) if one.prompts == size else one
                for one in (self._mine if ratios else ())
            ]
            rows = [true_pair(self._question, one, subset, size) for one in self._apart(self._true, lineages)]
            self._made[key] = msgspec.structs.replace(
                self._calibration,
                suspects=(),
                calibrators=tuple(one for one in kept if one is not None),
                true_pairs=tuple(row for row in rows if row is not None),
            )
        return self._made[key]

    def _apart(self, pairs: Sequence[PairScores], lineages: frozenset[str]) -> list[PairScores]:
        return [one for one in pairs if not self._lineages[id(one)] & lineages]

    def _refitted(self, one: Calibrator, lineages: frozenset[str], subset: int) -> Calibrator | None:
        """Fit a calibrator anew; None where too few families are left."""
        first, second = (
            [o for o in self._apart(pairs, lineages) if np.isfinite(o.t[one.detector][subset])]
            for pairs in (self._true, self._other[one.against])
        )
        if min(families(first), families(second)) < FEWEST_LEFT:
            return None
        t1, t2 = (np.array([o.t[one.detector][subset] for o in pairs]) for pairs in (first, second))
        line = fit(t1, t2)
        names = (self._question, one.against, str(one.prompts), *sorted(lineages))
        return msgspec.structs.replace(
            one,
            line=Line(intercept=line.intercept, slope=line.slope),
            draws=refits(self._study.rng("left out", *names), first, second, t1, t2),
            n_pos=len(first),
            n_pos_families=families(first),
            n_neg=len(second),
            n_neg_lineages=len({self._study.members[o.pair.suspect].data_lineage for o in second}),
            lowest=float(min(t1.min(), t2.min())),
            highest=float(max(t1.max(), t2.max())),
            positives=lowest_by_family(first, t1),
        )
