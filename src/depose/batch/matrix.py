"""The matrix: what a batch found, what that may be taken for, and what changed since the last one; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

import msgspec

from depose.batch.blind import Blind
from depose.batch.plan import Screening
from depose.batch.screen import Asked, Judged, Screened
from depose.case.population import Member
from depose.case.tables import LARGEST
from depose.case.untrusted_files import read_untrusted
from depose.errors import UsageError
from depose.model import Fact, Question, Record, Verdict, spreadsheet
from depose.model.canonical import sha256
from depose.model.weights import EMBEDDINGS_ALONE, WeightReading
from depose.report.machine_readable import xml
from depose.statistics.ranks import controls_needed
from depose.statistics.rounding import tidy, upwards

FORMAT = "depose batch matrix 1"
HITS = ("screening hit", "screening hit, not claimable")


class Entry(Record, frozen=True, kw_only=True):
    """A suspect or a reference."""

    name: str
    developer: str
    weight_lineage: str
    data_lineage: str
    answers: str
    """Digest of its answers on the prompts that are screened on."""
    answered: int
    of: int
    model: str = ""
    """Its name at its maker, where the batch file gives one besides the code."""
    released: str = ""


class Changed(Record, frozen=True, kw_only=True):
    """A cell whose outcome is not what it was."""

    question: Question
    suspect: str
    reference: str
    before: str
    """Nothing for a cell that is new."""
    after: str
    """Nothing for a cell that is gone."""
    t_before: float | None
    t_after: float | None


class Drift(Record, frozen=True, kw_only=True):
    """How far the scores of a suspect have moved, over the cells that both matrices have."""

    suspect: str
    answers_differ: bool
    cells: int
    mean: float
    largest: float
    """The largest movement, in either direction."""


class Changes(Record, frozen=True, kw_only=True):
    """What is not as in an earlier matrix."""

    since: str
    """Digest of the earlier matrix."""
    base_differs: bool
    """Other prompts, references or controls move every score by themselves; with other prompts all answers differ."""
    settings: tuple[str, ...]
    """What else is not as it was and makes cells read otherwise by itself."""
    controls_differ: int
    """Cells that have other controls than they had, for which a score may move by itself."""
    new: tuple[Changed, ...]
    gone: tuple[Changed, ...]
    changed: tuple[Changed, ...]
    drift: tuple[Drift, ...]


class Confirmation(Record, frozen=True, kw_only=True):
    """The case that asks the fresh prompts about a hit."""

    suspect: str
    reference: str
    questions: tuple[Question, ...]
    folder: str
    case_sha256: str = ""
    """SHA-256 of its case file as the batch wrote it; nothing in a matrix of before."""
    alpha: float
    """Alpha of the batch divided by the number of hits."""
    opinions: tuple[Verdict, ...] = ()
    """One for each question; none where this run did not audit the case."""
    reasons: tuple[str, ...] = ()
    """Why each opinion reads so, in codes; one for each question."""
    report: str = ""
    """Its report, seen from the folder of the matrix; nothing where this run did not audit the case."""
    also: tuple[str, ...] = ()
    """Other cases of the pair that were registered: its fresh prompts may have been looked at there."""


class Weighed(Record, frozen=True, kw_only=True):
    """A suspect and a reference whose weights were compared: `derived` is answered by them, whatever answers say."""

    suspect: str
    reference: str
    reading: WeightReading
    log10_p: float
    suspect_files: dict[str, str]
    reference_files: dict[str, str]
    """SHA-256 of each file that was read, by its name."""
    cautions: tuple[str, ...] = ()
    """What the reading does not rest on, and where it rests on embeddings alone."""

    @property
    def embeddings_alone(self) -> bool:
        """Whether a table of embeddings is all that both share: hidden layers tell nothing."""
        return any(one.startswith(EMBEDDINGS_ALONE) for one in self.cautions)


class Matrix(Record, frozen=True, kw_only=True):
    """A whole batch."""

    format: str
    title: str
    authority: str
    screening: Screening
    software: tuple[Fact, ...]
    labelled: tuple[Fact, ...]
    base: str
    """Digest of the answers of references and controls, and of the prompts that are screened on."""
    log: str = ""
    """Head of the log of the models that were asked; nothing where all answers stand in files."""
    prompts_screened: int
    prompts_fresh: int
    suspects: tuple[Entry, ...]
    references: tuple[Entry, ...]
    controls: tuple[str, ...]
    statement: tuple[str, ...]
    tests: int
    rejections: int
    lowest_floor: float | None
    hits: int
    k_needed: int
    asked: tuple[Asked, ...]
    cells: tuple[Judged, ...]
    confirmations: tuple[Confirmation, ...] = ()
    changes: Changes | None = None
    blind: tuple[Blind, ...] = ()
    """Cells that cannot speak, by why and by what would open them."""
    weights: tuple[Weighed, ...] = ()
    """Pairs whose weights were compared, where the batch has a section `[weights]`."""


def entry(member: Member, texts: Sequence[str | None], digest: str, model: str = "") -> Entry:
    """Describe a suspect or a reference."""
    return Entry(
        name=member.name,
        developer=member.developer,
        weight_lineage=member.weight_lineage,
        data_lineage=member.data_lineage,
        answers=digest,
        answered=sum(text is not None for text in texts),
        of=len(texts),
        model=model,
        released=member.released,
    )


def ranked(matrix: Matrix) -> list[Judged]:
    """List the hits, strongest first; equal ones by suspect and reference."""
    hits = (one for one in matrix.cells if one.outcome in HITS)
    return sorted(hits, key=lambda one: (-(one.log10_lr or 0.0), one.suspect, one.reference, one.question))


def statement(found: Screened, screening: Screening) -> tuple[str, ...]:
    """Say in sentences what the number of comparisons does to what the matrix can carry."""
    lines = []
    if found.lowest_floor is None:
        lines.append("No cell could be compared, so that there is no p-value and no hit.")
    else:
        alone = controls_needed(found.tests, screening.alpha)
        lines.append(
            f"{found.tests} p-values were computed. With K controls a rank p-value cannot fall below 1/(K+1), here "
            f"{upwards(found.lowest_floor)} at the least. Benjamini-Hochberg over all of them at {screening.alpha:g} "
            f"rejects {found.rejections}; for one cell alone to be rejected, {alone} independent controls would be "
            "needed."
        )
    for one in found.asked:
        lines.append(
            f"{one.question}: none of {one.cells} cells is informative; the heat map says why."
            if not one.informative
            else f"{one.question}: {one.informative} of {one.cells} cells are informative. The model puts the share of "
            f"related cells at {one.share:.3f}, lower end {one.share_low:.3f}; {one.hits or 'no'} "
            f"{'cell has' if one.hits == 1 else 'cells have'} a local false-discovery rate of at most "
            f"{screening.fdr:g} and a p-value of at most {screening.alpha:g}"
            + (f"; {one.expected_false:.1f} of these are expected to be false if the model holds." if one.hits else ".")
        )
    lines.append(
        "Every question is screened against unrelated pairs alone, same and derived by one score: a relation of one "
        "kind can be a hit for all of them, and which kind it is the matrix does not say."
        + (
            f" In {found.shared_base} of the hits for distilled suspect and reference share a base, which by itself "
            "makes them alike, and the controls do not share it."
            if found.shared_base
            else ""
        )
    )
    lines.append(
        "Local false-discovery rates are model-based: they hold as far as the pairs of known relation, from which they "
        "are estimated with all lineages of a cell left out, are like the cells of this batch. A share of related "
        "cells beyond belief says that they are not. The p-value of a cell rests on its own controls alone."
    )
    if found.hits:
        every = controls_needed(found.tests, screening.alpha)
        able = sum(one.outcome == HITS[0] for one in found.cells)
        lines.append(
            f"A claim about {found.hits} hit{'s' if found.hits != 1 else ''} "
            f"at {screening.alpha:g} needs {found.k_needed} independent control "
            f"lineages (hits/alpha - 1), which {able} of {found.hits} reach{'es' if able == 1 else ''}"
            f"{'' if able == found.hits else '; the rest are leads, not claims'}. That is "
            f"a count of hits, not of the {found.tests} p-values that they were chosen from, for which it is {every}: "
            "fresh prompts guard against luck with prompts, not against two models that are alike by chance, whom the "
            "same controls meet again."
        )
    lines.append(
        "A screening hit is a place to look and says nothing of wrongdoing; each is put to the fresh half of the "
        "prompts in a case of its own, with alpha divided by the number of hits."
    )
    return tuple(lines)


# --- since the last audit ---------------------------------------------------------------------------


def read(path: Path) -> tuple[Matrix, bytes]:
    """Read an earlier matrix."""
    try:
        data = read_untrusted(path, LARGEST)
        found = msgspec.json.decode(data, type=Matrix)
    except (OSError, ValueError) as error:
        raise UsageError(f"--since {path}: not a matrix of this version: {error}", hint="name a matrix.json") from error
    if found.format != FORMAT:
        raise UsageError(f"--since {path}: not a matrix of this version: {found.format}", hint=f"format {FORMAT}")
    return found, data


def changes(before: Matrix, data: bytes, now: Matrix) -> Changes:
    """Compare with an earlier matrix: cells by question, suspect and reference."""
    old = {(one.question, one.suspect, one.reference): one for one in before.cells}
    new = {(one.question, one.suspect, one.reference): one for one in now.cells}
    both = [key for key in new if key in old]
    answers = {one.name: one.answers for one in before.suspects}
    return Changes(
        since=sha256(data),
        base_differs=before.base != now.base,
        settings=tuple(_settings(before, now)),
        controls_differ=sum(old[key].controls != new[key].controls for key in both),
        new=tuple(_changed(None, one) for key, one in new.items() if key not in old),
        gone=tuple(_changed(one, None) for key, one in old.items() if key not in new),
        changed=tuple(_changed(old[key], new[key]) for key in both if old[key].outcome != new[key].outcome),
        drift=tuple(
            _drift(one.name, answers[one.name] != one.answers, [(old[key], new[key]) for key in both])
            for one in now.suspects
            if one.name in answers
        ),
    )


def _settings(before: Matrix, now: Matrix) -> Iterator[str]:
    for name in ("alpha", "fdr", "seed"):
        if getattr(before.screening, name) != getattr(now.screening, name):
            yield name
    if before.labelled != now.labelled:
        yield "pairs of known relation"
    if before.software != now.software:
        yield "software"


def _changed(before: Judged | None, after: Judged | None) -> Changed:
    one = after or before
    if one is None:
        raise ValueError("a change has a before or an after")
    return Changed(
        question=one.question,
        suspect=one.suspect,
        reference=one.reference,
        before=before.outcome if before else "",
        after=after.outcome if after else "",
        t_before=before.t if before else None,
        t_after=after.t if after else None,
    )


def _drift(suspect: str, differ: bool, both: Sequence[tuple[Judged, Judged]]) -> Drift:
    moved = [new.t - old.t for old, new in both if new.suspect == suspect and new.t is not None and old.t is not None]
    return Drift(
        suspect=suspect,
        answers_differ=differ,
        cells=len(moved),
        mean=tidy(sum(moved) / len(moved)) if moved else 0.0,
        largest=tidy(max(moved, key=abs)) if moved else 0.0,
    )


# --- for machines -----------------------------------------------------------------------------------


def table(matrix: Matrix) -> bytes:
    """Write every cell as a row of CSV; weights stand beside `derived`, which is what they answer."""
    names = [name for name in Judged.__struct_fields__ if name != "controls"]
    weighed = _weighed(matrix)
    rows = [
        [*(getattr(one, name) for name in names), said.reading if (said := weighed.get(_cell(one))) else ""]
        for one in matrix.cells
    ]
    return spreadsheet.write([[*names, "weights"], *rows])


def _weighed(matrix: Matrix) -> dict[tuple[str, str, str], Weighed]:
    return {("derived", one.suspect, one.reference): one for one in matrix.weights}


def _cell(one: Judged) -> tuple[str, str, str]:
    return one.question, one.suspect, one.reference


def junit(matrix: Matrix) -> bytes:
    """Write one test case for each cell: a hit is a failure, what is not informative is skipped with its reason.

    Where weights answer `derived`, their reading stands beside the figures, and weights that are not independent fail.
    """
    weighed = _weighed(matrix)
    suite = ElementTree.Element("testsuite", name="depose batch", tests=str(len(matrix.cells)))
    failures = skipped = 0
    for one in matrix.cells:
        case = ElementTree.SubElement(
            suite, "testcase", classname=xml(f"{one.suspect}.{one.reference}"), name=one.question
        )
        properties = ElementTree.SubElement(case, "properties")
        for name, value in _figures(one):
            ElementTree.SubElement(properties, "property", name=name, value=value)
        said = weighed.get(_cell(one))
        if said is not None:
            ElementTree.SubElement(properties, "property", name="weights", value=said.reading)
        if said is not None and said.reading == "not independent":
            failures += 1
            alone = "; embeddings alone" if said.embeddings_alone else ""
            ElementTree.SubElement(case, "failure", message=f"weights: {said.reading}{alone}")
        elif one.outcome in HITS:
            failures += 1
            ElementTree.SubElement(case, "failure", message=one.outcome)
        elif one.outcome == "not informative":
            skipped += 1
            ElementTree.SubElement(case, "skipped", message=xml(one.reason))
    suite.set("failures", str(failures))
    suite.set("skipped", str(skipped))
    suite.set("errors", "0")
    ElementTree.indent(suite)
    written: bytes = ElementTree.tostring(suite, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + written + b"\n"


def _figures(one: Judged) -> Iterator[tuple[str, str]]:
    for name in ("t", "p", "q", "floor", "k_eff", "log10_lr", "lfdr"):
        value = getattr(one, name)
        if value is not None:
            yield name, str(value)
