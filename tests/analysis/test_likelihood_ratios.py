"""What a validation study adds to a finding: ratios, conditions, power."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from calibrators import calibrator
from depose.analysis.likelihood_ratios import Circumstances, conditions, power, ratios, withheld
from depose.case.calibration import apart_from, bundled, load, parse
from depose.errors import CaseError
from depose.model import Calibration, Fact, Line, Listed, Result, TruePair
from depose.statistics.likelihood_ratio_cap import lineage_cap
from depose.validate.kinds import listed
from grounds import GOOD
from studies import CASE, LINE, result, study


def weighed(found: Calibration | None, one: Result, case: Circumstances = CASE) -> Any:
    """Evaluate the ratios of a case."""
    return ratios(found, one, np.full(99, one.value), case, conditions(found, one, case))


def test_a_ratio_is_capped_named_and_in_words() -> None:
    """Against unrelated the capped ratio, its cap and its word; against relatives the study's own reason."""
    first, second = weighed(study(), result())
    assert first.value == pytest.approx(lineage_cap(0, 23), rel=1e-6)
    assert first.words == "weak support for H1 over H2"
    assert second.value is None
    assert second.reason == "2 families of one kind in made; 5 are needed"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"refusals": 0.21}, "refusals"),
        ({"quality": False}, "a check of quality was not met"),
        ({"question": "same", "files": "different"}, "different digests"),
    ],
)
def test_answers_that_cannot_carry_a_ratio_get_none(changes: dict[str, Any], reason: str) -> None:
    """A suspect that refuses, or a check that failed: no ratio in either direction, whatever the alternative."""
    found = weighed(study(), result())
    assert withheld(found, GOOD) == found
    first, second = withheld(found, msgspec.structs.replace(GOOD, **changes))
    assert (first.value, first.low, first.words) == (None, None, "")
    assert reason in first.reason
    assert second == found[1] if "files" in changes else second.reason == first.reason


def test_controls_that_reach_the_score_lower_the_cap() -> None:
    """With T = 1.5 three of 23 controls reach it on a side, and the cap counts them."""
    first, _ = weighed(study(), result(1.5))
    assert first.reached == 3
    assert first.cap == pytest.approx(lineage_cap(3, 23), rel=1e-6)


@pytest.mark.parametrize(
    ("case", "one", "name"),
    [
        (msgspec.structs.replace(CASE, families=("a", "poems")), result(), "kind of prompts"),
        (msgspec.structs.replace(CASE, k=14), result(), "controls"),
        (msgspec.structs.replace(CASE, shared_base=True), result(), "bases"),
        (msgspec.structs.replace(CASE, suspect="known"), result(), "suspect"),
        (CASE, result(prompts=99), "number of prompts"),
        (CASE, result(9.5), "score T"),
        (CASE, msgspec.structs.replace(result(), detector="fuzzy"), "detector"),
    ],
)
def test_outside_the_validated_range_nothing_is_evaluated(case: Circumstances, one: Result, name: str) -> None:
    """Each condition that the case does not meet is named, and no ratio is given."""
    outside = [row.name for row in conditions(study(), one, case) if not row.inside]
    assert outside == [name]
    assert [r.reason for r in weighed(study(), one, case)] == [f"outside the validated range: {name}"] * 2


def test_a_worthless_calibrator_is_not_used() -> None:
    """Where left-out lineages cost as much as LR = 1 does, no ratio is given, and the cost is named."""
    poor = msgspec.structs.replace(calibrator(LINE), cllr=1.03)
    assert weighed(study(calibrators=(poor,)), result())[0].reason.endswith("Cllr 1.03, lineages left out")


def test_without_a_study_there_is_no_ratio() -> None:
    """A protocol that names no calibration gets the reason instead of a number."""
    assert {r.reason for r in weighed(None, result())} == {"the protocol names no validation study"}
    assert power(None, result(), "same", 0.05) is None


def test_power_counts_each_family_once() -> None:
    """Of five families one reaches p <= .05: power .2, from the largest number of prompts that the case has."""
    found = power(study(), result(), "same", 0.05)
    assert found is not None
    assert (found.value, found.k, found.n, found.families, found.prompts) == (0.2, 2, 10, 5, 100)
    half = power(study(), result(prompts=60), "same", 0.07)
    assert half is not None
    assert (half.value, half.prompts) == (0.4, 50)


@pytest.mark.parametrize(("name", "other"), [("alpaca_eval", "shaberi_w"), ("shaberi_w", "alpaca_eval")])
def test_a_bundled_calibration_loads_and_is_whole(tmp_path: Any, name: str, other: str) -> None:
    """What ships reads back strictly, has a ratio or the reason for every question, and names its sources by digest."""
    assert bundled() == ("alpaca_eval", "lab", "shaberi_w")
    loaded = load(name, tmp_path)
    assert loaded is not None
    assert loaded.performance is not None
    made = loaded.calibration
    given = {c.question for c in made.calibrators if c.against == "unrelated"}
    whole = [one for one in made.gates if not one.kind]
    passed = {q: all(one.passed for one in whole if one.question == q) for q in ("same", "derived", "distilled")}
    assert given == {question for question, holds in passed.items() if holds}
    assert {one.population for one in made.gates if one.left_out == "population"} == {other}
    withheld = [fact.value for fact in made.missing if fact.name == "distilled / unrelated"]
    assert ("distilled" in given) != bool(withheld)
    assert {len(fact.value) for fact in made.files} == {64}
    assert all(c.line.slope > 0 for c in made.calibrators if c.against == "unrelated")
    assert all(c.cllr < 1 for c in made.calibrators if c.against == "unrelated" and c.prompts == made.prompts)
    assert made.listed == listed(made)
    assert {one.question for one in made.listed} <= given
    assert "same" in {one.question for one in made.listed}


def test_the_study_of_listed_prompts_is_the_first_without_the_suspect() -> None:
    """The usual one, else one that the suspect took no part in; where it took part in each, the usual one again."""
    studies = {name: load(name, Path()) for name in ("alpaca_eval", "shaberi_w")}
    first, second = (set(one.calibration.suspects) if one else set() for one in studies.values())
    assert apart_from(["somebody new"]) == apart_from([]) == "alpaca_eval"
    assert apart_from([min(first - second)]) == "shaberi_w"
    assert apart_from([min(second - first)]) == "alpaca_eval"
    assert apart_from([min(first - second), min(second - first)]) == "alpaca_eval"


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'{"format": "x"}', b"\xff", b"[" * 100_000])
def test_what_is_no_calibration_is_refused(data: bytes) -> None:
    """Broken files give one error that says how to make a calibration."""
    with pytest.raises(CaseError, match="not a calibration"):
        parse(data, "broken.json")


def test_a_missing_calibration_is_named(tmp_path: Any) -> None:
    """A name that is neither bundled nor a file is an error with the path in the case file."""
    with pytest.raises(CaseError, match=r"\$\.protocol\.calibration: 'nowhere'"):
        load("nowhere", tmp_path)
    assert load("", tmp_path) is None


def test_a_document_excludes_the_common_teacher_and_the_figure_is_still_given() -> None:
    """A reference documented to have learnt from nobody shares no teacher; without the document nothing changes."""
    made = study(
        calibrators=tuple(
            msgspec.structs.replace(calibrator(LINE), question="distilled", against=against)
            for against in ("unrelated", "same base, other teacher", "common teacher")
        )
    )
    case = msgspec.structs.replace(CASE, question="distilled")
    draws = np.full(50, 4.0)
    plain, told = (
        ratios(made, result(), draws, one, conditions(made, result(), one))
        for one in (case, msgspec.structs.replace(case, untaught="the manifest"))
    )
    assert [one.excluded for one in plain] == [False, False, False]
    assert [one.excluded for one in told] == [False, False, True]
    assert told[2].value == plain[2].value
    assert "the manifest" in told[2].reason


def test_a_study_on_one_base_holds_for_one_base_alone() -> None:
    """The laboratory's calibration is outside its range where the bases differ, and the other way round."""
    for one_base in (True, False):
        for shared in (True, False):
            case = msgspec.structs.replace(CASE, shared_base=shared)
            held = {one.name: one.inside for one in conditions(study(one_base=one_base), result(), case)}
            assert held["bases"] == (one_base == shared)


def test_a_calibrator_that_falls_with_the_score_is_not_used() -> None:
    """Where the alternative gives closer likeness than H1 does, no likeness is evidence for H1 against it."""
    falling = calibrator(Line(intercept=1.0, slope=-0.5))
    made = study(calibrators=(falling,))
    found = ratios(made, result(), np.full(50, 4.0), CASE, conditions(made, result(), CASE))
    assert found[0].value is None
    assert "closer likeness" in found[0].reason


def test_power_needs_five_families() -> None:
    """A single family that is always found says nothing of the others."""
    made = study()
    few = tuple(one for one in made.true_pairs if one.family != "f4")
    assert power(msgspec.structs.replace(made, true_pairs=few), result(), "same", 0.05) is None


def test_a_study_speaks_from_the_number_of_prompts_from_which_it_always_does() -> None:
    """Information with 25 and 100 prompts and none with 50 is none below 100: asking one prompt less gains nothing."""
    made = study(
        prompts=100,
        calibrators=tuple(
            msgspec.structs.replace(calibrator(LINE), prompts=size, cllr=cost)
            for size, cost in ((25, 0.7), (50, 1.03), (100, 0.6))
        ),
    )
    values = {n: weighed(made, result(1.0, prompts=n))[0] for n in (25, 49, 50, 99, 100, 400)}
    assert [n for n, one in values.items() if one.value is not None] == [100, 400]
    assert values[49].reason.startswith("with fewer than 100 prompts the study has no information")
    worse = msgspec.structs.replace(made.calibrators[2], cllr=1.2)
    assert weighed(study(prompts=100, calibrators=(*made.calibrators[:2], worse)), result(prompts=100))[0].value is None


def test_a_prompt_more_makes_no_ratio_jump() -> None:
    """From 50 to 100 prompts with two lines that say different things: each step is small."""
    steep = msgspec.structs.replace(calibrator(Line(intercept=0.0, slope=1.5)), prompts=100)
    flat = msgspec.structs.replace(calibrator(Line(intercept=0.0, slope=0.5)), prompts=50)
    made = study(calibrators=(flat, steep))
    values = [weighed(made, result(1.0, prompts=n))[0].value for n in range(50, 101)]
    steps = np.diff(np.log(values))
    assert (steps >= 0).all()
    assert steps.max() < 0.05


def test_a_study_whose_bounds_leave_no_room_gives_no_ratio() -> None:
    """ELUB of 1 to 1: no ratio of that study costs less than none, so that none is handed out."""
    none = msgspec.structs.replace(calibrator(LINE), elub_low=0.0, elub_high=0.0)
    assert "ELUB" in weighed(study(calibrators=(none,)), result())[0].reason


def test_controls_of_the_study_are_named_and_decide_nothing() -> None:
    """Study and controls that share a model are said to, beside a ratio that is still given."""
    case = msgspec.structs.replace(CASE, controls=("known", "other", ""))
    row = conditions(study(), result(), case)[-1]
    assert (row.inside, row.decides, row.case) == (False, False, "1 of 3 are in the study")
    assert weighed(study(), result(), case)[0].value is not None
    assert conditions(study(), result(), CASE)[-1].inside


def test_power_has_a_lower_bound_over_families() -> None:
    """Six families that are always found: as little as .607 of new ones may be; 14 carry .807."""
    for n, lower in ((6, 0.05 ** (1 / 6)), (14, 0.05 ** (1 / 14))):
        pairs = tuple(
            TruePair(question="same", detector="phrases", prompts=100, family=f"f{i}", k_eff=24, p=0.01)
            for i in range(n)
        )
        found = power(study(true_pairs=pairs), result(), "same", 0.05)
        assert found is not None
        assert found.value == 1.0
        assert found.lower95 == pytest.approx(lower, rel=1e-6)
    some = power(study(), result(), "same", 0.05)
    assert some is not None
    assert some.lower95 == pytest.approx(1 - 0.95 ** (1 / 5), rel=1e-6)


OPEN = Listed(question="same", prompts=110, kinds=4, shortest=100, longest=250)


@pytest.mark.parametrize(
    ("case", "prompts", "outside"),
    [
        ({}, 110, []),
        ({"words": 100.0}, 120, []),
        ({"words": 99.0}, 120, ["length of answers"]),
        ({"words": 260.0}, 120, ["length of answers"]),
        ({}, 109, ["number of prompts"]),
        ({"families": ("a", "listed"), "words": 150.0}, 120, []),
        ({"families": ("open_howto", "short_creative"), "words": 150.0}, 120, []),
        ({"families": ("listed", "open_lists"), "words": 150.0}, 109, ["number of prompts"]),
        ({"families": ("open_advice",), "words": 39.0}, 120, ["length of answers"]),
        ({"families": ("open_howto", "small_talk"), "words": 150.0}, 120, ["kind of prompts"]),
        ({"families": ("forced_choice", "listed"), "words": 150.0}, 120, ["kind of prompts"]),
        ({"families": ("forced_choice",), "words": 150.0}, 120, ["kind of prompts"]),
        ({"families": ("a",), "words": 2.0}, 100, []),
    ],
)
def test_listed_prompts_are_covered_as_far_as_kinds_left_out_held(
    case: dict[str, Any], prompts: int, outside: list[str]
) -> None:
    """Listed, or open questions of depose: prompts enough, answers as long as those examined; no other kind by name."""
    circumstances = msgspec.structs.replace(CASE, **{"families": ("listed",), **case})
    held = conditions(study(listed=(OPEN,)), result(prompts=prompts), circumstances)
    assert [one.name for one in held if not one.inside] == outside
    found = ratios(study(listed=(OPEN,)), result(prompts=prompts), np.array([4.0]), circumstances, held)
    assert (found[0].value is None) is bool(outside)


def test_another_question_stays_closed_to_listed_prompts() -> None:
    """What was examined for one question opens no other, and a study without it opens none."""
    case = msgspec.structs.replace(CASE, families=("listed",), words=150.0)
    for made in (study(), study(listed=(msgspec.structs.replace(OPEN, question="derived"),))):
        outside = [one for one in conditions(made, result(), case) if not one.inside]
        assert [(one.name, one.case) for one in outside] == [("kind of prompts", "not validated: listed")]


def test_a_question_without_a_ratio_says_what_it_cost() -> None:
    """The condition of a question that did not pass the gate holds the reason of the study, on one line of its own."""
    why = "not given: on made, population left out, it costs (Cllr) 1.20; it would have to lie below 1"
    made = study(missing=(Fact(name="derived / unrelated", value=why),))
    (row,) = conditions(made, result(), msgspec.structs.replace(CASE, question="derived"))
    assert (row.inside, row.decides) == (False, True)
    # Of a cost of .82 (.37 to 1.33) "it would have to lie below 1" reads as if it did.
    assert row.validated == why.replace("not given", "no likelihood ratio").replace("; it", "; that interval")
    (row,) = conditions(made, result(), msgspec.structs.replace(CASE, question="distilled"))
    assert row.validated == "no likelihood ratio: not validated"
