"""Before a batch is asked or scored: which cells can never speak, what would open them, what is missing to ask.

The run's own rules are asked, so that what is said here is what the matrix will say: lineages, numbers of prompts and
controls, and whether the study carries a ratio. What shows in answers alone (a model that is silent) is not foreseen.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.batch.asking import estimate
from depose.batch.blind import Blind, blind
from depose.batch.plan import Plan, live
from depose.batch.rows import Cell, Row, Score, not_comparable
from depose.batch.run import answered_by_both
from depose.batch.screen import Judged, screen
from depose.case.budget import Estimate
from depose.evidence.log import Clock
from depose.model import Record
from depose.readiness.checking import Point, check
from depose.scoring.bags import Bags, one_base
from depose.validate import labelled
from depose.validate.labelled import DETECTORS

CASE_ALONE = ("self-test", "files", "case")
"""What is looked at in the case of the models that are asked, and says nothing of a batch."""


NOTHING = tuple(
    Score(detector=name, t=0.0, p_reference=1.0, p_suspect=1.0, p_length_matched=1.0, p_layout_matched=1.0, reached=0)
    for name in DETECTORS
)
"""Stands for what is measured: whether a cell can speak does not depend on it."""


class Ahead(Record, frozen=True, kw_only=True):
    """What can be said of a batch before anything is asked."""

    cells: int
    blind: tuple[Blind, ...]
    """Cells that can never speak, by reason."""
    left_out: dict[str, int]
    """How often a control is left out of a blind cell, by reason."""
    points: tuple[Point, ...]
    """Keys, endpoints and budget of the models that are asked."""
    estimates: tuple[Estimate, ...]

    @property
    def silent(self) -> int:
        """Count the cells that can never speak."""
        return sum(one.cells for one in self.blind)

    @property
    def wrong(self) -> int:
        """Count what would stop the run."""
        return sum(one.state == "wrong" for one in self.points)


def ahead(plan: Plan, folder: Path, clock: Clock) -> Ahead:
    """Look ahead; `folder` is that of the models that are asked. Nothing is asked."""
    rows = estimate(plan, folder)
    found = check(folder, clock).points if live(plan.file) else ()
    cells, left_out = _foreseen(plan)
    return Ahead(
        cells=len(cells),
        blind=blind(cells, {one.name: one for one in plan.population.members}),
        left_out=left_out,
        points=tuple(one for one in found if one.about not in CASE_ALONE),
        estimates=rows,
    )


def _foreseen(plan: Plan) -> tuple[tuple[Judged, ...], dict[str, int]]:
    """Judge every cell as the run does, with a score that says nothing in the place of what will be measured."""
    made, setting = plan.population, plan.file.screening
    scores, _ = labelled.load(setting.labelled, Path(plan.folder))
    screened = made.cut(plan.screened)
    bags = Bags(screened, plan.controls)
    both, to_ask = answered_by_both(screened), {spec.code for spec in live(plan.file)}
    every = len({key for key, _ in screened.rows})
    left_out: Counter[str] = Counter()

    def prompts(suspect: str, reference: str) -> int:
        return every if {suspect, reference} & to_ask else both(suspect, reference)

    def cell(suspect: str, reference: str) -> Cell:
        chosen = bags.controls(suspect, reference)
        cell = Cell(reference=reference, controls=tuple(spec.code for spec in chosen.used), k_eff=chosen.k_eff)
        if chosen.k_eff < FEWEST_LINEAGES:
            left_out.update(one.reason for one in chosen.excluded)
        reason = not_comparable(suspect, cell) or ("" if prompts(suspect, reference) else "no prompt in common")
        return msgspec.structs.replace(cell, reason=reason, scores=() if reason else NOTHING)

    rows = [
        Row(format="", key="", suspect=one, answers="", cells=tuple(cell(one, other) for other in plan.references))
        for one in plan.suspects
    ]
    judged = screen(
        rows,
        {one.name: one for one in made.members},
        scores,
        setting.questions,
        prompts=prompts,
        one_base=one_base(made),
        alpha=setting.alpha,
        fdr=setting.fdr,
    )
    return judged.cells, dict(left_out.most_common())
