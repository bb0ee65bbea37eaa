"""What a validation study hands on."""

from __future__ import annotations

from typing import Literal

from depose.model.asking import Fact
from depose.model.base import Question, Record


class Line(Record, frozen=True, kw_only=True):
    """log LR = intercept + slope * sign(T) * sqrt(|T|)."""

    intercept: float
    slope: float


class Calibrator(Record, frozen=True, kw_only=True):
    """Scores to likelihood ratios for one question, one alternative and one number of prompts."""

    question: Question
    against: str
    """`unrelated`, or the name of a closer alternative."""
    detector: str
    prompts: int
    line: Line
    draws: tuple[Line, ...]
    """The line refitted on resampled families."""
    n_pos: int
    n_pos_families: int
    n_neg: int
    n_neg_lineages: int
    lowest: float
    highest: float
    """Range of T in the study."""
    positives: tuple[float, ...]
    """The lowest T of each family of true pairs."""
    elub_low: float
    elub_high: float
    """Empirical bounds of log10 LR, from the lineages left out."""
    cllr: float
    cllr_min: float


class Gate(Record, frozen=True, kw_only=True):
    """What the ratios of a question against an unrelated model cost where they were not fitted."""

    question: Question
    detector: str
    population: str
    """Source of the pairs that it was measured on."""
    left_out: Literal["lineages", "population", "kind of prompts"]
    """What took no part in the fit: the lineages of each pair, the whole population, or besides the lineages all
    prompts of one kind, on which alone the pairs are scored then."""
    families_true: int
    families_other: int
    cllr: float
    low: float
    high: float
    """95 % over families."""
    passed: bool
    """The whole interval lies below 1, the cost of saying nothing."""
    kind: str = ""
    """The kind of prompts that was left out."""
    prompts: int = 0
    """How many prompts that kind has."""
    words: float = 0.0
    """Median words of an answer to them."""


class TruePair(Record, frozen=True, kw_only=True):
    """A true pair of the study and the p-value that it reached with a number of prompts."""

    question: Question
    detector: str
    prompts: int
    family: str
    k_eff: int
    p: float


class Listed(Record, frozen=True, kw_only=True):
    """What a case must keep that lists prompts of its own: ratios held on kinds of prompts that were left out."""

    question: Question
    prompts: int
    """At least so many: with as many or more, they held on every kind that was examined."""
    kinds: int
    """How many kinds of prompts that were."""
    shortest: float
    """Median words of an answer, of the kind with the shortest answers."""
    longest: float
    """The same of the kind with the longest."""


class Calibration(Record, frozen=True, kw_only=True):
    """All that `analyze` takes from a validation study: numbers, and the conditions under which they hold."""

    format: str
    source: str
    files: tuple[Fact, ...]
    software: tuple[Fact, ...]
    families: tuple[str, ...]
    """Families of prompts."""
    prompts: int
    models: int
    suspects: tuple[str, ...]
    """Names of the suspects of the study; a case about one of them is not independent of it."""
    k_low: int
    k_high: int
    calibrators: tuple[Calibrator, ...]
    missing: tuple[Fact, ...]
    """Question and alternative that could not be calibrated, and why."""
    true_pairs: tuple[TruePair, ...]
    gates: tuple[Gate, ...] = ()
    """Costs where the ratios were not fitted; a question that fails one has no calibrator."""
    one_base: bool = False
    """All models of the study carry the weights of one base, so that lineages are data lineages."""
    listed: tuple[Listed, ...] = ()
    """Questions for which a case may list prompts of its own, of a kind that the study does not know."""
    doses: tuple[Fact, ...] = ()
    """By question: how much of the training of its true suspects were outputs of the reference, as far as stated."""


class ErrorRate(Record, frozen=True, kw_only=True):
    """An error counted in a validation study: k of n, with the one-sided 95 % exact upper bound."""

    question: Question
    what: str
    k: int
    n: int
    upper95: float
    k_families: int | None = None
    """Families of suspects with at least one such pair, where they were counted."""
    n_families: int = 0


class HeldOut(Record, frozen=True, kw_only=True):
    """log10 likelihood ratios of a study, each fitted without the lineages of its pair; for Tippett and ECE curves."""

    question: Question
    against: str
    detector: str
    prompts: int
    families_true: int
    families_other: int
    true: tuple[float, ...]
    other: tuple[float, ...]
    cllr: float
    cllr_min: float
    true_families: tuple[int, ...] = ()
    """Family of the suspect of each true pair, as a number; empty in studies that did not keep it."""
    other_families: tuple[int, ...] = ()


class Dose(Record, frozen=True, kw_only=True):
    """How often a student of known dose was found: sets of prompts, which share their models."""

    question: Question
    percent: int
    """Share of the student's training answers that the reference gave."""
    prompts: int
    k: int
    """Sets of prompts with p at or below alpha."""
    n: int
    indications: int
    """Sets whose opinion was `indication`, or `relation, kind not resolved`."""


class OpinionRate(Record, frozen=True, kw_only=True):
    """Opinions on one kind of pairs of a study, each by its calibration without the lineages of the pair."""

    question: Question
    kind: str
    """What the two are to each other."""
    true: bool
    """Whether H1 of the question is true of them; else every `indication` is a false one."""
    prompts: int
    n: int
    """Pairs."""
    at_alpha: int
    """Pairs with p at or below alpha, both sides, whatever became of them."""
    indications: int
    relations: int
    """Opinions `relation, kind not resolved`."""
    cleared: int
    """Opinions `no indication`; the rest is `inconclusive`."""
    lower95: float
    """One-sided exact bounds of the share of indications, 95 % each."""
    upper95: float
    k_families: int
    """Families of suspects with at least one indication."""
    n_families: int


class Performance(Record, frozen=True, kw_only=True):
    """What a report prints of the validation study behind a calibration."""

    format: str
    source: str
    calibration: str
    """Digest of the calibration that came out of the same run."""
    command: str
    rates: tuple[ErrorRate, ...]
    held_out: tuple[HeldOut, ...]
    doses: tuple[Dose, ...] = ()
    """Empty where no student of known dose was made."""
    opinions: tuple[OpinionRate, ...] = ()
    """Empty in studies of before 2026-11-28."""
    gates: tuple[Gate, ...] = ()
    """Those of the calibration; likewise."""


class Band(Record, frozen=True, kw_only=True):
    """One row of a scale: values above `above`, up to the next row."""

    above: float
    words: str


class Scale(Record, frozen=True, kw_only=True):
    """A verbal scale with the document that it is from."""

    id: str
    document: str
    year: int
    checked: bool
    """Whether somebody compared it with the primary document."""
    bands: tuple[Band, ...]
