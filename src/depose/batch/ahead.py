"""Before a batch is asked or scored: which cells can never speak, what would open them, what is missing to ask.

Only what follows from lineages is counted here: a cell that has controls enough may still be blind once it is scored.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.batch.asking import estimate
from depose.batch.blind import Blind, opened_by
from depose.batch.plan import Plan, live
from depose.case.budget import Estimate
from depose.evidence.log import Clock
from depose.model import Question, Record
from depose.model.natural_order import natural
from depose.readiness.checking import Point, check
from depose.statistics.lineage import choose, share_base

CASE_ALONE = ("self-test", "files", "case")
"""What is looked at in the case of the models that are asked, and says nothing of a batch."""


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
    blind, left_out = _blind(plan)
    return Ahead(
        cells=len(plan.suspects) * len(plan.references) * len(plan.file.screening.questions),
        blind=blind,
        left_out=left_out,
        points=tuple(one for one in found if one.about not in CASE_ALONE),
        estimates=rows,
    )


def _blind(plan: Plan) -> tuple[tuple[Blind, ...], dict[str, int]]:
    members = {one.name: one for one in plan.population.members}
    specs = {name: member.spec() for name, member in members.items()}
    pool = [specs[name] for name in plan.controls]
    groups: dict[str, list[tuple[Question, str, str, int]]] = {}
    left_out: Counter[str] = Counter()
    for question in plan.file.screening.questions:
        for suspect in plan.suspects:
            for reference in (one for one in plan.references if one != suspect):
                if question == "derived" and share_base(specs[suspect], specs[reference]):
                    groups.setdefault("the two share a base", []).append((question, suspect, reference, 0))
                    continue
                chosen = choose(specs[suspect], specs[reference], pool, question)
                if chosen.k_eff < FEWEST_LINEAGES:
                    groups.setdefault("controls", []).append((question, suspect, reference, chosen.k_eff))
                    left_out.update(one.reason for one in chosen.excluded)
    found = []
    for reason, cells in groups.items():
        least = min(k for *_, k in cells)
        lineages = f"{least} independent control lineages; {FEWEST_LINEAGES} are needed"
        makers = {members[name].developer for _, *pair, _ in cells for name in pair}
        found.append(
            Blind(
                reason=lineages if reason == "controls" else reason,
                cells=len(cells),
                questions=tuple(dict.fromkeys(one[0] for one in cells)),
                suspects=tuple(sorted({one[1] for one in cells}, key=natural)),
                references=tuple(sorted({one[2] for one in cells}, key=natural)),
                opens=opened_by(FEWEST_LINEAGES - least, makers) if reason == "controls" else "weights answer it",
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.cells, one.reason))), dict(left_out.most_common())
