"""Rows to judged cells: likelihood ratios with lineages left out, local false-discovery rates, and what may be claimed.

Pure. Each cell is judged by the pairs of known relation that share no lineage, suspect or reference with it. Scores
beyond all of these pairs count as the outermost of them, so that nothing is extrapolated. A hit needs a low local rate,
which rests on those pairs, and a p-value of at most alpha, which rests on the controls of its own cell: where a batch
is unlike the pairs of known relation, the one misleads and the other does not. A hit is a place to look: with K
controls no p-value falls below 1 / (K + 1), so that a claim needs as many independent control lineages as the number of
hits asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.batch.rows import Cell, Row, Score
from depose.case.population import Member
from depose.model import Line, Question, Record
from depose.statistics import ranks
from depose.statistics.calibration import fit, log_lr
from depose.statistics.era import era, month
from depose.statistics.likelihood_ratio_cap import lineage_cap
from depose.statistics.lineage import share_base
from depose.statistics.rounding import tidy
from depose.statistics.screening import benjamini_hochberg, local_fdr, related_share
from depose.validate.labelled import Labelled, LabelledPair
from depose.validate.study import PRIMARY

Array = NDArray[np.float64]
Outcome = Literal["screening hit", "screening hit, not claimable", "no hit", "not informative"]

FEWEST_PAIRS = 5
"""Pairs of either kind without which, lineages left out, nothing is fitted."""


class Judged(Record, frozen=True, kw_only=True):
    """One suspect, reference and question."""

    question: Question
    suspect: str
    reference: str
    outcome: Outcome
    reason: str
    """Why it is not informative."""
    k: int
    k_eff: int
    floor: float | None
    detector: str
    t: float | None
    p_reference: float | None
    p_suspect: float | None
    p: float | None
    """The larger of the two."""
    q: float | None
    """Benjamini-Hochberg over all tests of the matrix."""
    p_length_matched: float | None
    p_layout_matched: float | None
    log10_lr: float | None
    """Uncapped, lineages left out: cells are ranked by it, and the local rate rests on it."""
    lr: float | None
    """Capped by the number of independent lineages: all that one cell can carry by itself."""
    cap: float | None
    lfdr: float | None
    controls: tuple[str, ...]


class Asked(Record, frozen=True, kw_only=True):
    """One question over the whole matrix."""

    question: Question
    cells: int
    informative: int
    share: float
    """Estimated share of related cells among the informative ones."""
    share_low: float
    """Lower end of its interval, on which local rates rest."""
    hits: int
    expected_false: float
    """Sum of the local false-discovery rates of the hits."""


class Screened(Record, frozen=True, kw_only=True):
    """All cells, judged together."""

    tests: int
    """Size of the family: cells with a p-value, over all questions."""
    rejections: int
    """Of Benjamini and Hochberg at alpha."""
    lowest_floor: float | None
    hits: int
    k_needed: int
    """Independent control lineages that a claim about that many hits needs; 0 without hits."""
    shared_base: int
    """Hits for `distilled` whose suspect and reference share a base that their controls do not."""
    asked: tuple[Asked, ...]
    cells: tuple[Judged, ...]


class _Touched:
    """Which of some pairs share a lineage, the suspect or the reference with a cell."""

    def __init__(self, pairs: Sequence[LabelledPair]) -> None:
        self._nothing = np.zeros(len(pairs), bool)
        self._of: dict[tuple[str, str], NDArray[np.bool_]] = {}
        for place, one in enumerate(pairs):
            named = [("lineage", name) for name in one.lineages]
            for key in (*named, ("suspect", one.suspect), ("reference", one.reference)):
                self._of.setdefault(key, np.zeros(len(pairs), bool))[place] = True

    def by(self, lineages: Collection[str], suspect: str, reference: str) -> NDArray[np.bool_]:
        """Return [pairs]: touched or not."""
        named = [("lineage", name) for name in lineages]
        found = [self._of[key] for key in (*named, ("suspect", suspect), ("reference", reference)) if key in self._of]
        touched: NDArray[np.bool_] = np.logical_or.reduce([self._nothing, *found])
        return touched


class _Judge:
    """Fits likelihood ratios for cells, equal selections of pairs once."""

    def __init__(self, labelled: Labelled, question: Question, prompts: int, *, one_base: bool) -> None:
        """Judge cells whose suspect and reference both answered so many prompts."""
        sizes = [place for place, size in enumerate(labelled.prompts) if size <= prompts]
        self._labelled = labelled
        self.reason = ""
        detector = PRIMARY[question]
        failed = next((fact.value for fact in labelled.refused if fact.name == question), "")
        if failed:
            self.reason = failed
        elif not sizes:
            fewest = min(labelled.prompts, default=0)
            self.reason = f"{prompts} prompts answered by both; pairs of known relation are scored on {fewest} or more"
        elif one_base != labelled.one_base:
            mine, theirs = ("one base" if one else "different bases" for one in (one_base, labelled.one_base))
            self.reason = f"models of {mine}; validated for models of {theirs}"
        place = max(sizes, key=labelled.prompts.__getitem__, default=0)
        pairs = [one for one in labelled.pairs if sizes and one.t[detector][place] is not None]
        self._true = [one for one in pairs if one.question == question]
        self._other = [one for one in pairs if question in one.control_for]
        self._t = [np.array([one.t[detector][place] for one in kind], float) for kind in (self._true, self._other)]
        self._touched = [_Touched(kind) for kind in (self._true, self._other)]
        self._made: dict[bytes, tuple[Line, float, float] | None] = {}

    def log_lr(self, score: Score, cell: Cell, suspect: Member, reference: Member) -> float | str:
        """Natural log of the ratio, or why there is none."""
        if self.reason:
            return self.reason
        if not self._labelled.k_low <= len(cell.controls) <= self._labelled.k_high:
            return f"{len(cell.controls)} controls; validated for {self._labelled.k_low} to {self._labelled.k_high}"
        gone = {suspect.family, suspect.data_lineage, reference.family, reference.data_lineage}
        kept = [~kind.by(gone, suspect.name, reference.name) for kind in self._touched]
        key = np.concatenate(kept).tobytes()
        if key not in self._made:
            self._made[key] = self._fitted(*(t[keep] for t, keep in zip(self._t, kept, strict=True)))
        made = self._made[key]
        if made is None:
            return "too few pairs of known relation are left without its lineages"
        line, lowest, highest = made
        return float(log_lr(line, np.array([min(max(score.t, lowest), highest)]))[0])

    def _fitted(self, first: Array, second: Array) -> tuple[Line, float, float] | None:
        if min(len(first), len(second)) < FEWEST_PAIRS:
            return None
        line = fit(first, second)
        both = np.concatenate([first, second])
        return (line, float(both.min()), float(both.max())) if line.slope > 0 else None


_JudgeOf = Callable[[str, str], _Judge]
"""Of a suspect and a reference."""


def _judges(labelled: Labelled, question: Question, prompts: Callable[[str, str], int], *, one_base: bool) -> _JudgeOf:
    """Judge a cell by scores on no more prompts than its suspect and its reference have both answered."""
    made = cache(partial(_Judge, labelled, question, one_base=one_base))

    def judge(suspect: str, reference: str) -> _Judge:
        both = prompts(suspect, reference)
        return made(max((size for size in labelled.prompts if size <= both), default=both))

    return judge


def screen(
    rows: Sequence[Row],
    members: Mapping[str, Member],
    labelled: Labelled,
    questions: Sequence[Question],
    *,
    prompts: Callable[[str, str], int],
    one_base: bool,
    alpha: float,
    fdr: float,
) -> Screened:
    """Judge every cell for every question; rows are taken in the order of their suspects.

    `prompts` says how many prompts a suspect and a reference have both answered.
    """
    ordered = sorted(rows, key=lambda row: row.suspect)
    judged: list[Judged] = []
    asked: list[Asked] = []
    for question in questions:
        judge = _judges(labelled, question, prompts, one_base=one_base)
        cells, summary = _question(ordered, members, judge, question, alpha, fdr)
        judged += cells
        asked.append(summary)
    tested = [place for place, one in enumerate(judged) if one.p is not None]
    q = benjamini_hochberg([judged[place].p or 0.0 for place in tested])
    for place, value in zip(tested, q, strict=True):
        judged[place] = msgspec.structs.replace(judged[place], q=tidy(value))
    hits = sum(one.outcome == "screening hit" for one in judged)
    needed = ranks.controls_needed(hits, alpha) if hits else 0
    return Screened(
        tests=len(tested),
        rejections=sum(value <= alpha for value in q),
        lowest_floor=min((one.floor for one in judged if one.floor is not None), default=None),
        hits=hits,
        k_needed=needed,
        shared_base=0 if one_base else sum(_on_one_base(one, members) for one in judged),
        asked=tuple(asked),
        cells=tuple(_claimed(one, needed) for one in judged),
    )


def _on_one_base(one: Judged, members: Mapping[str, Member]) -> bool:
    suspect, reference = members[one.suspect].spec(), members[one.reference].spec()
    return one.question == "distilled" and one.outcome == "screening hit" and share_base(suspect, reference)


def _claimed(one: Judged, needed: int) -> Judged:
    if one.outcome != "screening hit" or one.k_eff >= needed:
        return one
    return msgspec.structs.replace(one, outcome="screening hit, not claimable")


def _question(
    rows: Sequence[Row], members: Mapping[str, Member], judge: _JudgeOf, question: Question, alpha: float, fdr: float
) -> tuple[list[Judged], Asked]:
    made: list[Judged] = []
    logs: list[float] = []
    places: list[int] = []
    for row in rows:
        for cell in row.cells:
            one, found = _cell(row, cell, question, judge, members)
            if found is not None:
                places.append(len(made))
                logs.append(found)
            made.append(one)
    share = related_share(np.array(logs), [made[place].suspect for place in places])
    rates = local_fdr(np.array(logs), share.low).tolist()
    hits = []
    for place, rate in zip(places, rates, strict=True):
        p = made[place].p
        outcome: Outcome = "no hit"
        if rate <= fdr and p is not None and p <= alpha:
            outcome = "screening hit"
            hits.append(rate)
        made[place] = msgspec.structs.replace(made[place], lfdr=tidy(rate), outcome=outcome)
    summary = Asked(
        question=question,
        cells=len(made),
        informative=len(places),
        share=tidy(share.value),
        share_low=tidy(share.low),
        hits=len(hits),
        expected_false=tidy(sum(hits)),
    )
    return made, summary


def out_of_years(suspect: str, reference: str, controls: Sequence[str], members: Mapping[str, Member]) -> str:
    """Say why the dates of the controls of a cell do not span those of its two models, or nothing where they do."""
    dates = members[suspect].released, members[reference].released
    found = era(*dates, {name: members[name].released for name in controls})
    if found.inside:
        return ""
    if any(month(one) is None for one in dates):
        return "era: the suspect or the reference has no date of release"
    return f"era: {found.near} of the controls are of the years of the two; {found.needed} are needed"


def _cell(
    row: Row, cell: Cell, question: Question, judge: _JudgeOf, members: Mapping[str, Member]
) -> tuple[Judged, float | None]:
    """Judge a cell by itself; its log likelihood ratio where it is informative."""
    detector = PRIMARY[question]
    score = next((one for one in cell.scores if one.detector == detector), None)
    k, k_eff = len(cell.controls), len(cell.controls) if question == "distilled" else cell.k_eff
    reason: str = cell.reason
    found: float | None = None
    if score is not None:
        made = judge(row.suspect, cell.reference).log_lr(score, cell, members[row.suspect], members[cell.reference])
        if k_eff < FEWEST_LINEAGES:
            reason = f"{k_eff} independent control lineages; {FEWEST_LINEAGES} are needed"
        elif said := out_of_years(row.suspect, cell.reference, cell.controls, members):
            reason = said
        elif isinstance(made, str):
            reason = made
        else:
            found = made
    cap = None if found is None or score is None else lineage_cap(min(score.reached, k_eff), k_eff)
    return Judged(
        question=question,
        suspect=row.suspect,
        reference=cell.reference,
        outcome="not informative" if found is None else "no hit",
        reason=reason,
        k=k,
        k_eff=k_eff,
        floor=tidy(ranks.floor(k)) if score else None,
        detector=detector,
        t=score.t if score else None,
        p_reference=score.p_reference if score else None,
        p_suspect=score.p_suspect if score else None,
        p=max(score.p_reference, score.p_suspect) if score else None,
        q=None,
        p_length_matched=score.p_length_matched if score else None,
        p_layout_matched=score.p_layout_matched if score else None,
        log10_lr=tidy(found / np.log(10)) if found is not None else None,
        lr=tidy(min(float(np.exp(min(found, 500.0))), cap)) if found is not None and cap is not None else None,
        cap=tidy(cap) if cap is not None else None,
        lfdr=None,
        controls=cell.controls,
    ), found
