"""Independent evaluations: figures of this method on models that took no part in any choice, made by others.

They ship as files of `evaluations/`, one for each evaluation, and are printed beside the figures of every study: a
study on families that chose its detectors flatters them.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from importlib.resources import files

import msgspec

from depose.model import Question, Record

FORMAT = "depose independent evaluation 1"


class Share(Record, frozen=True, kw_only=True):
    """k of n, by pairs and by families."""

    k: int
    n: int
    k_families: int
    n_families: int


class Area(Record, frozen=True, kw_only=True):
    """Area under the curve within reference, with a 95 % interval over families."""

    value: float
    low: float
    high: float


class Evaluated(Record, frozen=True, kw_only=True):
    """One question on one population."""

    question: Question
    detector: str
    documented: Area
    """True pairs against other suspects of the same reference that are documented to be unrelated to it."""
    every: Area
    """The same against all other suspects of the same reference."""
    true_called: Share
    """True pairs with p <= .05 on both sides."""
    unrelated_called: Share
    """Of the unrelated pairs with 19 control lineages or more, which alone can be called."""
    cllr: float
    remark: str = ""


class Evaluation(Record, frozen=True, kw_only=True):
    """One population, examined once with one version of the code."""

    format: str
    name: str
    what: str
    code: str
    date: str
    questions: tuple[Evaluated, ...]


class Unseen(Record, frozen=True, kw_only=True):
    """What one evaluation found of one question."""

    evaluation: Evaluation
    found: Evaluated


def unseen(questions: Collection[Question]) -> tuple[Unseen, ...]:
    """List what all evaluations found of these questions, by question and then by evaluation."""
    return tuple(
        Unseen(evaluation=one, found=found)
        for question in questions
        for one in evaluations()
        for found in one.questions
        if found.question == question
    )


@lru_cache(maxsize=1)
def evaluations() -> tuple[Evaluation, ...]:
    """Return all evaluations that ship, the newest first."""
    found = [
        msgspec.json.decode(one.read_bytes(), type=Evaluation)
        for one in files(__package__ + ".evaluations").iterdir()
        if one.name.endswith(".json")
    ]
    return tuple(sorted(found, key=lambda one: (one.date, one.name), reverse=True))
