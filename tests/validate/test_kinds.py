"""Listed prompts are of a kind that no study knows: it is open to them where each of its own kinds held, left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from depose.case.population import Population
from depose.model import Calibration, Gate
from depose.statistics.calibration import fit, left_out, log_lr
from depose.validate import kinds
from depose.validate.study import PRIMARY, Study
from scored_studies import study as scored_study
from studies import study as calibration


def gate(prompts: int, kind: str = "", *, passed: bool = True, **more: Any) -> Gate:
    """Make one gate of `same`: on a kind of prompts, or on a population."""
    left: Any = "kind of prompts" if kind else "population"
    plain = Gate(
        question="same",
        detector="phrases",
        population="made",
        left_out=left,
        families_true=9,
        families_other=26,
        cllr=0.2,
        low=0.1,
        high=0.3,
        passed=passed,
        kind=kind,
        prompts=prompts,
        words=float(prompts),
    )
    return msgspec.structs.replace(plain, **more)


def listed(*gates: Gate) -> tuple[tuple[int, int, float, float], ...]:
    """Say from how many prompts on, by how many kinds, and for answers of which length `same` is open."""
    made: Calibration = calibration(gates=gates)
    return tuple((one.prompts, one.kinds, one.shortest, one.longest) for one in kinds.listed(made))


FOUR = tuple(gate(n, kind) for n, kind in ((60, "a"), (70, "b"), (90, "c"), (120, "d")))
ELSEWHERE = gate(0)


def test_a_question_is_open_from_the_number_of_prompts_from_which_every_kind_held() -> None:
    """Four kinds and another population open it; a kind that failed moves the number of prompts beyond its own."""
    assert listed(*FOUR, ELSEWHERE) == ((60, 4, 60.0, 120.0),)
    assert listed(*FOUR[::-1], gate(44, "e", passed=False), ELSEWHERE) == ((60, 4, 60.0, 120.0),)
    assert listed(*FOUR, gate(44, "e"), ELSEWHERE) == ((44, 5, 44.0, 120.0),)


@pytest.mark.parametrize(
    "gates",
    [
        FOUR,
        (*FOUR[1:], ELSEWHERE),
        (*FOUR, gate(65, "e", passed=False), ELSEWHERE),
        (*FOUR, ELSEWHERE, gate(0, passed=False, population="third")),
        (*FOUR, ELSEWHERE, gate(0, passed=False, left_out="lineages")),
        tuple(msgspec.structs.replace(one, question="derived") for one in (*FOUR, ELSEWHERE)),
    ],
    ids=["no other population", "three kinds", "three above the failed", "a third failed", "own failed", "no ratios"],
)
def test_whatever_is_missing_keeps_it_closed(gates: tuple[Gate, ...]) -> None:
    """Too few kinds, no population that took no part, or one on which the ratios failed: no listed prompts."""
    assert listed(*gates) == ()


def population() -> Population:
    """Forty prompts of three kinds, one of them too small to be examined, two samples each."""
    named = ["a"] * 20 + ["b"] * 12 + ["c"] * 8
    rows = tuple((f"q{n:02d}", sample) for n in range(40) for sample in range(2))
    return Population(
        source="made",
        members=(),
        pairs=(),
        tasks=(),
        rows=rows,
        prompts=("",) * len(rows),
        answers=tuple(("one two three", None, "one " * n) for n in range(len(rows))),
        kinds=tuple(named[n] for n in range(40) for _ in range(2)),
    )


def test_a_kind_stands_beside_as_many_prompts_of_the_others() -> None:
    """All samples of a prompt go together, no prompt is on both sides, and the others are of any kind."""
    made = population()
    weights, sizes = kinds.parted(made, 7)
    assert kinds.kinds(made) == ("a", "b")
    assert sizes == (20, 20, 12, 12)
    assert weights.sum(axis=1).tolist() == [40, 40, 24, 24]
    for own, other in ((0, 1), (2, 3)):
        assert not (weights[own] * weights[other]).any()
    assert {kind for kind, taken in zip(made.kinds, weights[3], strict=True) if taken} == {"a", "c"}
    assert kinds.kinds(msgspec.structs.replace(made, kinds=("a",) * 80)) == ()
    assert kinds.typical(made, "c") == 33.5  # half of the answers have three words, the others 64 to 79


def test_the_fit_is_made_on_the_other_prompts_and_lineages() -> None:
    """A pair is predicted by the line of the other pairs' scores on the other prompts."""
    rng = np.random.default_rng(1)
    h1, h2, f1, f2 = (rng.normal(shift, 1, 6) for shift in (3, 0, 2, -1))
    of1, of2 = ([frozenset({f"{kind}{n}"}) for n in range(6)] for kind in "ab")
    first, second = left_out(h1, h2, of1, of2, f1, f2)
    assert first[2] == pytest.approx(log_lr(fit(np.delete(f1, 2), f2), h1[2:3])[0])
    assert second[4] == pytest.approx(log_lr(fit(f1, np.delete(f2, 4)), h2[4:5])[0])


@pytest.mark.parametrize(("sign", "passes"), [(1, True), (-1, False)])
def test_a_kind_on_which_likeness_misleads_is_seen(sign: int, passes: bool) -> None:
    """Fitted on prompts that inform, ratios pass on a kind that does too, and fail on one where all is turned."""
    made = scored_study()
    pairs = tuple(
        replace(one, t={name: np.array([sign * one.t[name][0], one.t[name][0]]) for name in one.t})
        for one in made.scored.pairs
    )
    apart = Study(made.population, replace(made.scored, pairs=pairs, sizes=(50, 50)), 7)
    found = kinds._left_out(apart, "distilled", "open_howto", 0)
    assert found is not None
    assert (found.passed, found.kind, found.prompts) == (passes, "open_howto", 50)
    assert found.words > 10
    assert found.detector == PRIMARY["distilled"]
    assert kinds._left_out(apart, "derived", "open_howto", 0) is None
