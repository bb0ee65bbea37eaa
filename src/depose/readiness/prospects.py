"""Which findings of a case can speak, before anything is asked: by controls, years, and what the study covers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from depose.analysis import beforehand, foreseen
from depose.analysis.likelihood_ratios import power_of
from depose.analysis.opinion import LEAST_POWER
from depose.case import calibration, casefile
from depose.evidence import ledger
from depose.model import Case, Condition, Prompt, Question, Record, Registration

OTHER = 'What would open it: [protocol] calibration = "{}", a study that covers it'
STUDY = (
    "What would open it: a study on models of your own whose relation is known (depose validate --help), named in "
    "[protocol] calibration; T and p are given all the same"
)


class Prospect(Record, frozen=True, kw_only=True):
    """Whether a finding can speak."""

    suspect: str
    reference: str
    question: Question
    lineages: int
    needed: int
    controlled: bool
    """Whether there are controls enough, of the years of the pair, and no shared base forbids the question."""
    can_speak: bool
    """Whether an opinion other than `inconclusive` is possible at all."""
    can_indicate: bool
    """Whether `indication` is."""
    power: float | None
    """Lower bound, by the study; below 0.8 a finding can never read `no indication`."""
    why: tuple[str, ...]
    """Why it could never speak, or never indicate, and what would open it."""


def prospects(path: Path) -> tuple[Prospect, ...]:
    """Look ahead for the findings of a registered case, as `check` does, and at nothing else."""
    folder = casefile.folder_of(path)
    registration = ledger.entries(folder).registration
    return tuple(ahead(registration.case, registration, folder))


def ahead(
    case: Case, frozen: Registration, folder: Path, words: Mapping[str, Sequence[int]] | None = None
) -> Iterator[Prospect]:
    """Look ahead for each finding of a case whose prompts are drawn, whether registered or not.

    `words` are those of each answer that stands in a file already, by model.
    """
    loaded = calibration.load(case.protocol.calibration, folder)
    references = len({spec.code for spec in case.models if spec.role == "reference"})
    for one in (one for one in beforehand.outlook(case) if one.question != "exposed"):
        detector = getattr(case.protocol.primary, one.question)
        alpha = case.protocol.alpha / max(references, 1)
        study = loaded.calibration if loaded else None
        left = () if one.shared_base else foreseen.outside(one, case, frozen.prompts, study, words)
        found = None if left else power_of(study, detector, len(frozen.prompts), one.question, alpha)
        power = found.lower95 if found else None
        without = foreseen.ratio_of(one, len(frozen.prompts), study)
        indicates = one.open and not left and not without
        yield Prospect(
            suspect=one.suspect,
            reference=one.reference,
            question=one.question,
            lineages=one.k_eff,
            needed=one.needed,
            controlled=one.open,
            can_speak=indicates or (one.open and power is not None and power >= LEAST_POWER),
            can_indicate=indicates,
            power=power,
            why=_why(
                one, case, left, without, _opened_by(one, case, frozen.prompts, words) if left or without else STUDY
            ),
        )


def _opened_by(
    one: beforehand.Outlook, case: Case, prompts: Sequence[Prompt], words: Mapping[str, Sequence[int]] | None
) -> str:
    """Say what would open a finding that its study does not cover: a study that ships, or one of one's own."""
    for name in calibration.bundled():
        other = calibration.load(name, Path())
        study = other.calibration if other else None
        if not foreseen.outside(one, case, prompts, study, words) and not foreseen.ratio_of(one, len(prompts), study):
            return OTHER.format(name)
    return STUDY


def _why(one: beforehand.Outlook, case: Case, left: Sequence[Condition], without: str, opens: str) -> tuple[str, ...]:
    said = () if one.open else tuple(beforehand.why(one, case))
    if left:
        also = "besides, " if said else ""
        return (
            *said,
            f"{also}outside of what the study covers, so that no opinion will be given (range)",
            *(foreseen.in_words(row, one.question) for row in left),
            opens,
        )
    if said:
        return said
    return (f"no likelihood ratio, so that an indication cannot be read (range): {without}", opens) if without else ()
