"""Scores of pairs of known relation, with their lineages, from which `depose batch` estimates false-discovery rates.

A calibration is one line for everybody. A batch may hold relatives of the study's own models, and leaves out every
pair that shares a lineage with the cell it judges; for that it needs the scores one by one.
"""

from __future__ import annotations

import math
from importlib.resources import files
from pathlib import Path
from typing import get_args

import msgspec

from depose.case.calibration import LARGEST
from depose.case.untrusted_files import read_untrusted
from depose.errors import CaseError
from depose.model import Fact, Primary, Question, Record
from depose.model.base import Likeness
from depose.scoring.bags import one_base
from depose.validate.study import Study

FORMAT = "depose screening 2"
NAME = "screening.json"
QUESTIONS: tuple[Question, ...] = get_args(Likeness)
DETECTORS = Primary().detectors()


class LabelledPair(Record, frozen=True, kw_only=True):
    """One pair of known relation."""

    suspect: str
    reference: str
    question: Question | None
    """The question whose answer is yes for it; None for a pair that is documented to be unrelated."""
    lineages: tuple[str, ...]
    """Families and data lineages of both."""
    family: str
    """Of the suspect."""
    control_for: tuple[Question, ...] = ()
    """Of an unrelated pair: the questions some true pair of which has the same reference."""
    t: dict[str, tuple[float | None, ...]]
    """Scores on each number of prompts, by detector."""


class Labelled(Record, frozen=True, kw_only=True):
    """A study, pair by pair."""

    format: str
    source: str
    files: tuple[Fact, ...]
    software: tuple[Fact, ...]
    prompts: tuple[int, ...]
    """Numbers of prompts that the pairs were scored on."""
    k_low: int
    k_high: int
    one_base: bool
    """Whether all models carry the weights of one base, as in a laboratory."""
    refused: tuple[Fact, ...] = ()
    """Questions whose ratios did not pass the gate (gate.py), and why."""
    pairs: tuple[LabelledPair, ...]


def labelled(study: Study, facts: tuple[Fact, ...], software: tuple[Fact, ...]) -> Labelled:
    """List the true pairs of every question, and the unrelated ones of the same references."""
    true: dict[int, Question] = {id(one): question for question in QUESTIONS for one in study.positives(question)}
    controls: dict[int, list[Question]] = {}
    for question in QUESTIONS:
        for one in study.matched(question):
            controls.setdefault(id(one), []).append(question)
    kept = [one for one in study.labelled if id(one) in true or id(one) in controls]
    kept.sort(key=lambda one: (one.pair.suspect, one.pair.reference, one.pair.relation))
    return Labelled(
        format=FORMAT,
        source=study.population.source,
        files=facts,
        software=software,
        prompts=study.scored.sizes,
        k_low=min((one.k for one in kept), default=0),
        k_high=max((one.k for one in kept), default=0),
        one_base=one_base(study.population),
        pairs=tuple(
            LabelledPair(
                suspect=one.pair.suspect,
                reference=one.pair.reference,
                question=true.get(id(one)),
                lineages=tuple(sorted(study.lineages(one))),
                family=one.pair.suspect_family,
                control_for=tuple(controls.get(id(one), ())),
                t={
                    name: tuple(round(t, 4) if math.isfinite(t) else None for t in one.t[name].tolist())
                    for name in DETECTORS
                },
            )
            for one in kept
        ),
    )


def bundled() -> tuple[str, ...]:
    """Name the labelled scores that ship with depose."""
    folder = files("depose.case.calibrations").joinpath("screening")
    return tuple(sorted(one.name.removesuffix(".json") for one in folder.iterdir() if one.name.endswith(".json")))


def load(name: str, folder: Path) -> tuple[Labelled, bytes]:
    """Read labelled scores, bundled or from a file, strictly."""
    try:
        if name in bundled():
            data = files("depose.case.calibrations").joinpath("screening", f"{name}.json").read_bytes()
        else:
            data = read_untrusted(folder / name, LARGEST)
        found = msgspec.json.decode(data, type=Labelled)
    except (OSError, ValueError) as error:
        raise CaseError(
            f"$.screening.labelled: {name!r} is neither bundled nor a file of labelled scores: {error}",
            hint=f"bundled: {', '.join(bundled()) or 'none'}; depose validate writes {NAME}",
        ) from error
    if found.format != FORMAT:
        raise CaseError(f"{name}: format {found.format!r}, not {FORMAT!r}", hint="make it again: depose validate")
    for number, one in enumerate(found.pairs, 1):
        if any(len(one.t.get(detector, ())) != len(found.prompts) for detector in DETECTORS):
            raise CaseError(
                f"{name}: pair {number} has not a score of {' and of '.join(DETECTORS)} for each number of prompts",
                hint="make it again: depose validate",
            )
    return found, data
