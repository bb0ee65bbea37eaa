"""What several tests share: a study of students and teachers whose scores are drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from depose.case import calibration, population
from depose.case.population import Pair
from depose.model import Question
from depose.validate.scoring import PairScores, Scored
from depose.validate.study import PRIMARY, Study

FAMILIES = 8
QUESTION: Question = "distilled"
DETECTOR = PRIMARY[QUESTION]


def scored(pair: Pair, t: float, p: float) -> PairScores:
    """One pair with the same score under every detector."""
    return PairScores(
        pair=pair,
        k=24,
        k_eff=24,
        t={name: np.array([t]) for name in PRIMARY.values()},
        p={name: np.array([[p, p]]) for name in PRIMARY.values()},
        p_matched={name: np.array([[p, p]]) for name in PRIMARY.values()},
        closeness=0.0,
    )


def study(shift: float = 0.0) -> Study:
    """Eight teachers with a student each, and every student beside every other teacher; the first pair's T moved."""
    kit = population.read(Path(str(calibration.__file__)).parents[1] / "kit", "lab")
    teachers = [one for one in kit.members if one.hub and not one.name.endswith("-again")][: 2 * FAMILIES]
    students, teachers = teachers[:FAMILIES], teachers[FAMILIES:]
    rng = np.random.default_rng(5)
    rows = []
    for i, s in enumerate(students):
        for j, r in enumerate(teachers):
            pair = Pair(
                suspect=s.name,
                reference=r.name,
                relation="distilled_from" if i == j else "unrelated",
                label=int(i == j),
                hard="" if i == j else "same_base_other_teacher",
                matched=True,
                documented=True,
                suspect_family=s.family,
                reference_family=r.family,
            )
            t = 6 + rng.normal() if i == j else rng.normal()
            rows.append(scored(pair, t + (shift if i == j == 0 else 0), 0.04 if i == j else 0.5))
    made = Scored(detectors=tuple(PRIMARY.values()), sizes=(50,), pairs=tuple(rows), unscored=(), ranked=())
    return Study(kit, made, 7)
