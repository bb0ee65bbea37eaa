"""`depose batch`: read, index what is shared, make the rows that are missing, judge, write, confirm."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np

from depose.batch import asking, confirm, engines, matrix, page, plan, rows, screen
from depose.batch import base as bases
from depose.batch.blind import blind
from depose.batch.kept import is_own, keep, kept
from depose.batch.matrix import Confirmation, Matrix
from depose.batch.plan import Plan
from depose.batch.rows import Order, Row
from depose.batch.weighed import weighed
from depose.case.casefile import own_places
from depose.case.population import Population
from depose.errors import AnalysisError
from depose.evidence.log import Clock, write_whole
from depose.evidence.workspace import held
from depose.features.workers import cores
from depose.model import Fact, Record
from depose.model.canonical import canonical, sha256
from depose.model.canonical import digest as content_digest
from depose.scoring.bags import one_base
from depose.validate import labelled
from depose.weights.held import held_pairs

SLICES = 4
"""Slices of prompts for each worker, when features are counted."""
Say = Callable[[str], None]
Progress = Callable[[int, int], None]


class Manner(Record, frozen=True, kw_only=True):
    """How a batch is run; nothing here changes a byte of the matrix but `since` and `confirm`."""

    engine: engines.Name = "process"
    workers: int = 0
    """0: one for each core."""
    since: str = ""
    """An earlier matrix.json."""
    confirm: bool = False
    """Audit the case of every hit too."""
    pdf: bool = False


class Ran(Record, frozen=True, kw_only=True):
    """What a run found and wrote."""

    matrix: Matrix
    made: int
    """Rows that were made now."""
    kept: int
    """Rows that were there."""
    files: tuple[str, ...]


KEPT = ("rows", "base", "base/*", "cases", "cases/*", "fresh", "fresh/*", "asked", "weights")
"""Where a batch writes, and removes what it can make again."""
_INDEX = re.compile(r"[0-9a-f]{32}")


def batch(
    path: Path,
    out: Path,
    manner: Manner,
    clock: Clock,
    say: Say,
    progress: Progress,
    meter: Callable[[int], asking.Meter] | None = None,
) -> Ran:
    """Run a batch; what an earlier or killed run left in `out` is used.

    `progress` hears of rows, and the meter that `meter` makes of a number of questions hears of these.
    """
    before = matrix.read(Path(manner.since)) if manner.since else None
    say(f"{path}: reading models and answers")
    found = plan.read(path)
    scores, data = labelled.load(found.file.screening.labelled, Path(found.folder))
    out.mkdir(parents=True, exist_ok=True)
    own_places(out, KEPT)
    with held(out):
        found = asking.asked(found, out / "asked", clock, say, meter)
        made, done = _rows(found, out, manner, say, progress)
        now = _matrix(found, done, scores, sha256(data), out)
        now = msgspec.structs.replace(
            now, weights=tuple(weighed(held_pairs(found.file, Path(found.folder)), out / "weights", say))
        )
        if before is not None:
            now = msgspec.structs.replace(now, changes=matrix.changes(*before, now))
        if manner.confirm:
            now = msgspec.structs.replace(now, confirmations=confirmed(now.confirmations, out / "cases", clock, say))
        files = tuple(_written(now, out, manner))
    return Ran(matrix=now, made=made, kept=len(done) - made, files=files)


def _rows(found: Plan, out: Path, manner: Manner, say: Say, progress: Progress) -> tuple[int, list[Row]]:
    """Make the rows that are missing; return how many, and all of them in the order of the suspects."""
    screened = found.population.cut(found.screened)
    shared = only(screened, {*found.references, *found.controls})
    digest = bases.base_digest(shared)
    orders = list(rows.orders(screened, found.suspects, found.references, found.controls, digest))
    folder = out / "rows"
    folder.mkdir(exist_ok=True)
    there = {order.key: data for order in orders if (data := kept(_path(folder, order))) is not None}
    missing = [order for order in orders if order.key not in there]
    if missing:
        workers = manner.workers or cores()
        place = _base(shared, out / "base", digest, workers, say)
        say(f"{len(missing)} of {len(orders)} rows to make, {len(found.references)} references each")
        progress(0, len(missing))
        for number, (order, data) in enumerate(engines.ENGINES[manner.engine](place, missing, workers), 1):
            keep(_path(folder, order), data)
            there[order.key] = data
            progress(number, len(missing))
    return len(missing), [_checked(there[order.key], _path(folder, order), order) for order in orders]


def _path(folder: Path, order: Order) -> Path:
    return folder / f"{order.key}.json"


def _checked(data: bytes, path: Path, order: Order) -> Row:
    row = rows.parse(data, str(path))
    cells = tuple(rows.Chosen(reference=one.reference, controls=one.controls, k_eff=one.k_eff) for one in row.cells)
    if (row.key, row.suspect, row.answers, cells) != (order.key, order.suspect, order.answers, order.chosen):
        raise AnalysisError(f"{path}: is the row of something else", hint="remove it; it is made again")
    return row


def only(population: Population, names: set[str]) -> Population:
    """Keep some of the models of a population, in the order of their names."""
    kept = [place for place, one in enumerate(population.members) if one.name in names]
    kept.sort(key=lambda place: population.members[place].name)
    return msgspec.structs.replace(
        population,
        members=tuple(population.members[place] for place in kept),
        answers=tuple(tuple(row[place] for place in kept) for row in population.answers),
    )


def _base(shared: Population, folder: Path, digest: str, workers: int, say: Say) -> Path:
    """Index references and controls, unless this user did that before; only the newest index is kept."""
    place = folder / content_digest([bases.FORMAT, rows.made_with(), digest])[:32]
    if not (place.is_dir() and is_own(place)):
        say(f"features of {len(shared.members)} references and controls, {len(shared.rows)} answers each")
        count = min(len(shared.rows), SLICES * workers)
        slices = [shared.cut(part.tolist()) for part in np.array_split(np.arange(len(shared.rows)), count)]
        made = bases.build(shared, engines.counted(slices, workers))
        if place.is_dir() and not place.is_symlink():  # what somebody else made of it
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
        bases.save(made, place)
        for other in folder.iterdir():
            if other != place and _INDEX.fullmatch(other.name):  # what else lies there is the user's
                shutil.rmtree(other, ignore_errors=True)
    return place


def _matrix(found: Plan, done: Sequence[Row], scores: labelled.Labelled, digest: str, out: Path) -> Matrix:
    made, setting = found.population, found.file.screening
    screened = made.cut(found.screened)
    members = {one.name: one for one in made.members}
    place = {one.name: number for number, one in enumerate(made.members)}
    called = {spec.code: spec.model for spec in found.file.models}
    judged = screen.screen(
        done,
        members,
        scores,
        setting.questions,
        prompts=answered_by_both(screened),
        one_base=one_base(made),
        alpha=setting.alpha,
        fdr=setting.fdr,
    )

    def described(names: Sequence[str]) -> Iterator[matrix.Entry]:
        for name in names:
            texts = [row[place[name]] for row in screened.answers]
            yield matrix.entry(members[name], texts, bases.digest_of(texts), called.get(name, ""))

    return Matrix(
        format=matrix.FORMAT,
        title=found.file.batch.title,
        authority=found.file.batch.authority,
        screening=setting,
        software=tuple(Fact(name=name, value=value) for name, value in rows.made_with().items()),
        labelled=(Fact(name="source", value=scores.source), Fact(name="sha256", value=digest)),
        base=bases.base_digest(only(screened, {*found.references, *found.controls})),
        log=found.log,
        prompts_screened=len({key for key, _ in screened.rows}),
        prompts_fresh=len({made.rows[row][0] for row in found.fresh}),
        suspects=tuple(described(found.suspects)),
        references=tuple(described(found.references)),
        controls=found.controls,
        statement=matrix.statement(judged, setting),
        tests=judged.tests,
        rejections=judged.rejections,
        lowest_floor=judged.lowest_floor,
        hits=judged.hits,
        k_needed=judged.k_needed,
        asked=judged.asked,
        cells=judged.cells,
        blind=blind(judged.cells, members),
        confirmations=confirm.Cases(found, out / "cases", out / "fresh", out / "asked").write(judged),
    )


def answered_by_both(population: Population) -> Callable[[str, str], int]:
    """Tell of two models how many prompts both have answered."""
    place = {one.name: number for number, one in enumerate(population.members)}
    keys, row_of = np.unique([key for key, _ in population.rows], return_inverse=True)
    there = np.zeros((len(keys), len(place)), bool)
    np.logical_or.at(there, row_of, np.array([[text is not None for text in row] for row in population.answers]))
    return lambda one, other: int((there[:, place[one]] & there[:, place[other]]).sum())


def confirmed(cases: Sequence[Confirmation], folder: Path, clock: Clock, say: Say) -> tuple[Confirmation, ...]:
    """Audit the case of every hit, and enter its opinions."""
    made = []
    for number, one in enumerate(cases, 1):
        say(f"case {number} of {len(cases)}: {one.suspect} against {one.reference}")
        found = confirm.run(folder / one.folder, one.case_sha256, clock, say).findings
        report = f"{folder.name}/{one.folder}/out/report.html"
        made.append(
            msgspec.structs.replace(
                one,
                opinions=tuple(finding.opinion.verdict for finding in found),
                reasons=tuple(", ".join(finding.opinion.reasons) for finding in found),
                report=report if (folder.parent / report).is_file() else "",
            )
        )
    return tuple(made)


def _written(now: Matrix, out: Path, manner: Manner) -> Iterator[str]:
    data = canonical(now)
    html = page.render(now, sha256(data))
    files = {
        "matrix.json": data,
        "matrix.csv": matrix.table(now),
        "matrix.junit.xml": matrix.junit(now),
        "matrix.html": html,
    }
    if manner.pdf:
        files["matrix.pdf"] = page.pdf(html)
    for name, data in files.items():
        write_whole(out / name, data)
        yield str(out / name)
