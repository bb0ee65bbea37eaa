"""Before a batch is asked or scored: which cells can never speak, what would open them, what is missing to ask.

Only what follows from lineages and dates is counted here: a cell with controls enough may still be blind once it is
scored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.batch.asking import estimate
from depose.batch.blind import Blind, dated_by, opened_by
from depose.batch.plan import Plan, live
from depose.batch.screen import out_of_years
from depose.case.budget import Estimate
from depose.case.population import Member
from depose.evidence.log import Clock
from depose.model import Question, Record
from depose.model.natural_order import natural
from depose.readiness.checking import Point, check
from depose.statistics.lineage import choose, share_base

_DIGITS = re.compile(r"\d+")
CASE_ALONE = ("self-test", "files", "case")
"""What is looked at in the case of the models that are asked, and says nothing of a batch."""


class _Silent(NamedTuple):
    """A cell that can never speak."""

    question: Question
    suspect: str
    reference: str
    reason: str


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
    groups: dict[str, list[_Silent]] = {}
    left_out: Counter[str] = Counter()
    for question in plan.file.screening.questions:
        for suspect in plan.suspects:
            for reference in (one for one in plan.references if one != suspect):
                if question == "derived" and share_base(specs[suspect], specs[reference]):
                    said = "the two share a base"
                else:
                    chosen = choose(specs[suspect], specs[reference], pool, question)
                    used = [spec.code for spec in chosen.used]
                    if chosen.k_eff < FEWEST_LINEAGES:
                        said = f"{chosen.k_eff} independent control lineages; {FEWEST_LINEAGES} are needed"
                        left_out.update(one.reason for one in chosen.excluded)
                    else:
                        said = out_of_years(suspect, reference, used, members)
                if said:
                    groups.setdefault(_DIGITS.sub("N", said), []).append(_Silent(question, suspect, reference, said))
    found = []
    for cells in groups.values():
        worst = min((one.reason for one in cells), key=natural)
        pairs = [members[name] for one in cells for name in (one.suspect, one.reference)]
        found.append(
            Blind(
                reason=worst,
                cells=len(cells),
                questions=tuple(dict.fromkeys(one.question for one in cells)),
                suspects=tuple(sorted({one.suspect for one in cells}, key=natural)),
                references=tuple(sorted({one.reference for one in cells}, key=natural)),
                opens=_opens(worst, pairs),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.cells, one.reason))), dict(left_out.most_common())


def _opens(reason: str, pairs: Sequence[Member]) -> str:
    if reason.startswith("era"):
        return dated_by(reason, [one.released for one in pairs])
    if lineages := _DIGITS.match(reason):
        return opened_by(FEWEST_LINEAGES - int(lineages[0]), {one.developer for one in pairs})
    return "weights answer it"
