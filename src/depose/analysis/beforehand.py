"""What of a case could never be answered, said before anything is asked: too few clean lineages, or of other years.

Pure: a case in, sentences out. Of 102 true pairs of the independent evaluation 101 ended for want of clean control
lineages, after everything had been asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.case import representatives
from depose.case.lineages import doubts
from depose.model import Case, Era, ModelSpec, Question, Record, likeness
from depose.statistics import lineage, ranks
from depose.statistics.era import WINDOW, era, month

NAMED = 6
"""Controls that are named for each reason; more are counted."""


class Outlook(Record, frozen=True, kw_only=True):
    """What the controls of one pair allow, whatever will be answered."""

    suspect: str
    reference: str
    question: Question
    k_eff: int
    """Independent control lineages by name; by likeness they may be fewer."""
    needed: int
    era: Era
    shared_base: bool
    """`derived` cannot be answered: suspect and reference carry one base."""
    left_out: tuple[tuple[str, tuple[str, ...]], ...]
    """Reason, and controls that are left out for it."""

    @property
    def open(self) -> bool:
        """Whether an opinion other than `inconclusive` is possible."""
        return self.k_eff >= self.needed and self.era.inside and not self.shared_base


def outlook(case: Case) -> tuple[Outlook, ...]:
    """Look ahead for every suspect, reference and question."""
    roles: dict[str, list[ModelSpec]] = {}
    for spec in case.models:
        if not spec.repeats:
            roles.setdefault(spec.role, []).append(spec)
    references = roles.get("reference", [])
    needed = max(FEWEST_LINEAGES, ranks.controls_needed(len(references), case.protocol.alpha))
    drawn = representatives.drawn(case.models, case.protocol.seed)
    return tuple(
        _ahead(suspect, reference, question, roles.get("control", []), needed, drawn)
        for suspect in roles.get("suspect", [])
        for reference in references
        for question in likeness(case.protocol)
    )


def _ahead(
    suspect: ModelSpec,
    reference: ModelSpec,
    question: Question,
    controls: list[ModelSpec],
    needed: int,
    drawn: tuple[str, ...],
) -> Outlook:
    chosen = lineage.choose(suspect, reference, controls, question, drawn)
    reasons: dict[str, list[str]] = {}
    for one in chosen.excluded:
        reasons.setdefault(one.reason, []).append(one.model)
    return Outlook(
        suspect=suspect.code,
        reference=reference.code,
        question=question,
        k_eff=chosen.k_eff,
        needed=needed,
        era=era(suspect.released, reference.released, {spec.code: spec.released for spec in chosen.used}),
        shared_base=question == "derived" and lineage.share_base(suspect, reference),
        left_out=tuple((reason, tuple(codes)) for reason, codes in reasons.items()),
    )


def warnings(case: Case) -> Iterator[str]:
    """Say in a sentence each what cannot be answered, what would open it, and which names may be one lineage."""
    specs = {spec.code: spec for spec in case.models}
    found = [one for one in outlook(case) if not one.open]
    yield from _sentences(found, specs)
    yield from doubts(case.models)


def why(one: Outlook, case: Case) -> Iterator[str]:
    """Say why one question could never be answered, what is left out, and what would open it: a line each."""
    specs = {spec.code: spec for spec in case.models}
    if one.shared_base:
        yield "both carry one base: no control can tell (shared_base)"
        return
    if one.k_eff < one.needed:
        yield f"{one.k_eff} independent clean control lineages, {one.needed} are needed (controls)"
        for reason, codes in one.left_out:
            yield f"left out: {_named(codes)}: {reason}"
    elif not one.era.inside:
        yield f"{one.era.near} of the controls are of the years of the two, {one.era.needed} are needed (era)"
    yield _opens(one, specs[one.suspect], specs[one.reference])


def _sentences(found: list[Outlook], specs: dict[str, ModelSpec]) -> Iterator[str]:
    for _, group in groupby(found, key=lambda one: (one.suspect, one.reference, one.k_eff, one.shared_base)):
        rows = list(group)
        one = rows[0]
        asked = ", ".join(row.question for row in rows)
        head = f"{one.suspect}, {one.reference}, {asked}: "
        if one.shared_base:
            yield f"{head}both carry one base: no control can tell, the answer will be inconclusive (shared_base)"
            continue
        if one.k_eff < one.needed:
            why = "; ".join(f"{_named(codes)}: {reason}" for reason, codes in one.left_out)
            yield (
                f"{head}{one.k_eff} independent clean control lineages of {one.needed} that are needed, so that the "
                f"answer will be inconclusive (controls){f'. Left out: {why}' if why else ''}. "
                f"{_opens(one, specs[one.suspect], specs[one.reference])}"
            )
        elif not one.era.inside:
            yield (
                f"{head}{one.era.near} of the controls are of the years of the two, {one.era.needed} are needed, so "
                f"that the answer will be inconclusive (era). {_dates(one, specs)}"
            )


def _dates(one: Outlook, specs: Mapping[str, ModelSpec]) -> str:
    """Ask for the dates that are missing, where they may be all that is; else describe the controls."""
    suspect, reference = specs[one.suspect], specs[one.reference]
    pair = tuple(spec.code for spec in (suspect, reference) if month(spec.released) is None)
    if not pair and one.era.near + len(one.era.undated) < one.era.needed:
        return _opens(one, suspect, reference)
    return (
        f'Not dated: {_named((*pair, *one.era.undated))}. Write under [[models]] of each released = "YYYY-MM", as its '
        "maker documents it"
    )


def _named(codes: tuple[str, ...]) -> str:
    more = len(codes) - NAMED
    return ", ".join(codes[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _opens(one: Outlook, suspect: ModelSpec, reference: ModelSpec) -> str:
    """Say what would open a question: what is not stated of the two comes first, for it may be all that is."""
    stated = "; ".join(filter(None, (_unstated(suspect), _unstated(reference))))
    makers = ", ".join(dict.fromkeys(name for name in (suspect.developer, reference.developer) if name))
    missing = max(one.needed - one.k_eff, one.era.needed - one.era.near, 1)
    taught = f", not trained on outputs of {reference.developer}" if reference.developer else ""
    others = f"makers other than {makers}" if makers else "other makers"
    years = _window(suspect.released, reference.released)
    return (
        (f"{stated}: state it first, it may open it. " if stated else "")
        + f"What would open it: {missing} or more models of {others}{taught}, each with weights and data of its own"
        + (f", released {years}" if years else "")
    )


def _unstated(spec: ModelSpec) -> str:
    """Name the fields on which the choice of controls rests, and that a model leaves open."""
    held = {name: getattr(spec, name) for name in ("developer", "weight_lineage", "data_lineage", "released")}
    open_ = [name for name, value in held.items() if not value or value == "unknown"]
    return f"{spec.code} has no {', '.join(open_)}" if open_ else ""


def _window(suspect: str, reference: str) -> str:
    first, second = month(suspect), month(reference)
    if first is None or second is None:
        return ""
    low, high = min(first, second) - WINDOW, max(first, second) + WINDOW
    return f"{low // 12}-{low % 12 + 1:02d} to {high // 12}-{high % 12 + 1:02d}"
