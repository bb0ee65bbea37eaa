"""What other reasonable analyses of the same answers give: leave-one-control-out and the specification curve.

Pure. Every bag was scored before; here the scores are averaged and ranked again. The registered analysis stays the
registered one, and no opinion looks at what is found here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from depose.analysis import likelihood_ratios
from depose.analysis.scored_bags import Bench
from depose.detectors import Measured
from depose.detectors.length import closeness
from depose.model import Calibration, Curve, Fact, Question, Specification, Without, WordShare
from depose.model.random_streams import stream
from depose.statistics import specification
from depose.statistics.centring import FEWEST
from depose.statistics.rounding import tidy
from depose.statistics.verbal import SCALES, word

Array = NDArray[np.float64]

NOT_AN_ANALYSIS = ("length", "identity")
"""The confound, and what never moves an opinion: reported, but no reasonable analysis."""
CALIBRATED = ("whole", "no refusals")
"""Ways to take the answers that the validation study covers."""
NEEDS_ANSWERS = (
    ("temperature", "one registered setting was asked; another needs answers of its own"),
    ("system prompt", "one registered setting was asked; another needs answers of its own"),
    ("prompts of the other side", "none were handed in; they can be asked as a case of their own"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Made:
    """One analysis, with what a likelihood ratio needs besides its T."""

    specification: Specification
    asked: int
    """Prompts that suspect and reference both answered."""
    reached: int
    lost: int
    """Controls left out."""


class Robustness:
    """The other analyses of the bags of one case."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._made: dict[tuple[tuple[str, ...], str], tuple[tuple[_Made, ...], int, tuple[Fact, ...]]] = {}
        self._close: dict[tuple[tuple[str, ...], str], Array] = {}

    def without(self, members: tuple[str, ...], detector: str) -> tuple[Without, ...]:
        """Repeat the result of a detector without each control in turn."""
        measured = self._bench.scored(members, detector).measured
        every = specification.means(measured, self._parts(members)[:1])
        return specification.leave_one_out([one[0] for one in every], members[2:])

    def curve(
        self,
        members: tuple[str, ...],
        detectors: tuple[str, ...],
        primary: str,
        question: Question,
        k_eff: int,
        calibration: Calibration | None,
    ) -> Curve:
        """Combine every choice; `detectors` are those with a result. Likelihood ratios only with a calibration."""
        key = (members, primary)
        if key not in self._made:
            self._made[key] = self._combined(members, detectors, primary)
        made, impossible, left_out = self._made[key]
        found = [_with_ratio(one, question, k_eff, calibration) for one in made]
        ratios = [one.lr for one in found if one.lr is not None]
        words = [word(lr, lr, SCALES[likelihood_ratios.SCALE]) for lr in ratios]
        return Curve(
            specifications=tuple(sorted(found, key=_order)),
            registered=next(one for one in found if _choices(one) == (primary, "whole", "all", "all")),
            shares=specification.shares(found, len(members) - 2, self._bench.protocol.alpha),
            words=tuple(
                WordShare(words=name, k=words.count(name), n=len(words))
                for name in sorted(set(words), key=lambda name: ratios[words.index(name)])
            ),
            impossible=impossible,
            left_out=left_out,
        )

    def _parts(self, members: tuple[str, ...]) -> tuple[specification.Part, ...]:
        rng = stream(self._bench.protocol.seed, "specification", "halves")
        return specification.parts(self._bench.bag(members).prompts, rng)

    def _combined(
        self, members: tuple[str, ...], detectors: tuple[str, ...], primary: str
    ) -> tuple[tuple[_Made, ...], int, tuple[Fact, ...]]:
        parts = self._parts(members)
        removed = specification.extremes(self.without(members, primary)) if len(members) - 3 >= FEWEST else ()
        used = [name for name in detectors if name not in NOT_AN_ANALYSIS or name == primary]
        made: list[_Made] = []
        left_out = [Fact(name=name, value=why) for name, why in NEEDS_ANSWERS]
        impossible = 0
        for detector in used:
            for answers, measured in self._ways(members, detector):
                if measured is None:
                    left_out.append(
                        Fact(name=f"{detector}, {answers}", value="it runs a model, which is not run again")
                    )
                    continue
                for one in self._ranked(members, detector, answers, measured, parts, removed):
                    made += [one] if one is not None else []
                    impossible += one is None
        return tuple(made), impossible, tuple(left_out)

    def _ways(self, members: tuple[str, ...], detector: str) -> Iterator[tuple[str, Measured | None]]:
        measured = self._bench.scored(members, detector).measured
        yield "whole", measured
        yield "equal length", measured
        yield "no refusals", self._bench.without_refusals(members, detector)
        yield "first half", self._bench.first_halves(members, detector)

    def _ranked(
        self,
        members: tuple[str, ...],
        detector: str,
        answers: str,
        measured: Measured,
        parts: tuple[specification.Part, ...],
        removed: tuple[str, ...],
    ) -> Iterator[_Made | None]:
        """Score each part of the prompts with all controls and without those removed; None where it cannot be."""
        bag = self._bench.bag(members)
        averages = specification.means(measured, parts)
        both = np.array([bool(row[0] and row[1]) for row in bag.answers])
        for code in ("", *removed):
            place = members.index(code) if code else None
            t = specification.scores(averages, place)
            for index, part in enumerate(parts):
                level = specification.level(t[index])
                if level is not None and answers == "equal length":
                    gap = self._closeness(members, part)
                    kept = [m for m in range(len(members)) if m != place]
                    level = specification.level(t[index], gap[np.ix_(kept, kept)])
                if level is None:
                    yield None
                    continue
                ends = (t[index][0, 2:], t[index][2:, 1])
                yield _Made(
                    specification=Specification(
                        detector=detector,
                        answers=answers,
                        prompts=part.name,
                        controls=f"without {code}" if code else "all",
                        value=tidy(level.value),
                        p=tidy(level.p),
                    ),
                    asked=len({p.id for p, kept in zip(bag.prompts, both & part.rows, strict=True) if kept}),
                    reached=max(int((end >= level.value).sum()) for end in ends),
                    lost=int(bool(code)),
                )

    def _closeness(self, members: tuple[str, ...], part: specification.Part) -> Array:
        key = (members, part.name)
        if key not in self._close:
            bag = self._bench.bag(members)
            rows = np.flatnonzero(part.rows).tolist()
            kept = {name: tuple(getattr(bag, name)[r] for r in rows) for name in ("prompts", "answers")}
            self._close[key] = closeness(msgspec.structs.replace(bag, **kept))
        return self._close[key]


def _with_ratio(one: _Made, question: Question, k_eff: int, calibration: Calibration | None) -> Specification:
    made = one.specification
    if made.answers not in CALIBRATED:
        return made
    lr = likelihood_ratios.point(
        calibration,
        question,
        made.detector,
        made.value,
        prompts=one.asked,
        reached=one.reached,
        k_eff=max(k_eff - one.lost, 0),
    )
    return msgspec.structs.replace(made, lr=lr)


def _choices(one: Specification) -> tuple[str, str, str, str]:
    return one.detector, one.answers, one.prompts, one.controls


def _order(one: Specification) -> tuple[float, float, tuple[str, str, str, str]]:
    return one.p, -one.value, _choices(one)
