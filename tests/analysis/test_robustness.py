"""Leave-one-control-out and the specification curve of scripted cases."""

from __future__ import annotations

import msgspec
import pytest
from scipy.stats import beta

from depose.analysis.likelihood_ratios import point
from depose.features.extract import Features
from depose.model import Calibration, Calibrator, Curve, Finding, Line
from depose.model.canonical import canonical
from dossiers import CONTROLS, PROMPTS
from fakes import encode
from specifications import found, made


def curve(one: Finding) -> Curve:
    """Take the curve, which must be there."""
    assert one.curve is not None
    return one.curve


def test_every_combination_is_there_once_and_the_registered_one_is_the_result() -> None:
    """3 detectors, 4 ways to take the answers, 5 parts of the prompts, 3 sets of controls; `length` is no analysis."""
    one = found(made({"S1": "R1"}))
    every = curve(one)
    choices = {(s.detector, s.answers, s.prompts, s.controls) for s in every.specifications}
    assert len(choices) == len(every.specifications) == 3 * 4 * 5 * 3
    assert {s.detector for s in every.specifications} == {"phrases", "openings", "fuzzy"}
    primary = next(r for r in one.results if r.primary)
    assert (every.registered.value, every.registered.p) == (primary.value, primary.p)
    equal = next(
        s
        for s in every.specifications
        if (s.detector, s.answers, s.prompts, s.controls) == ("phrases", "equal length", "all", "all")
    )
    assert equal.p == primary.p_length_matched


def test_a_copy_is_found_by_nearly_all_analyses_and_a_stranger_by_few() -> None:
    """The share of analyses at alpha tells a planted copy from an unrelated suspect."""
    copy, stranger = (
        next(s for s in curve(found(made(copies))).shares if (s.axis, s.choice) == ("detector", "phrases"))
        for copies in ({"S1": "R1"}, {})
    )
    assert copy.at_alpha == copy.n
    assert stranger.at_alpha / stranger.n < 0.2


def test_the_opinion_looks_at_neither() -> None:
    """Other detectors change the curve and leave result and opinion of the registered one as they were."""
    few = made({"S1": "R1"})
    case = few.registration.case
    less = msgspec.structs.replace(case, protocol=msgspec.structs.replace(case.protocol, detectors=("phrases",)))
    fewer = msgspec.structs.replace(few, registration=msgspec.structs.replace(few.registration, case=less))
    one, two = found(few), found(fewer)
    assert len(curve(one).specifications) == 3 * len(curve(two).specifications)
    assert one.opinion == two.opinion
    assert canonical(one.results[0]) == canonical(two.results[0])


def test_a_hidden_student_among_the_controls_is_named() -> None:
    """A control that copied the reference too raises p, and its loss lowers p to the floor of one control less."""
    one = found(made({"S1": "R1", "C7": "R1"}))
    primary = next(r for r in one.results if r.primary)
    by = {w.model: w.p for w in one.without}
    assert len(by) == one.k
    assert by["C7"] == pytest.approx(1 / one.k)
    assert primary.p > by["C7"]
    assert all(p > by["C7"] for code, p in by.items() if code != "C7")


def test_nineteen_controls_cannot_lose_one_and_reach_alpha() -> None:
    """With 19 controls only the analyses with all of them are able to reach .05, and the table says so."""
    one = found(made({"S1": "R1"}, CONTROLS[:19]))
    every = curve(one).shares[0]
    assert every.able * 3 == every.n
    assert every.at_alpha <= every.able


def test_a_detector_with_a_model_is_not_run_again() -> None:
    """Halves of answers are not embedded; the curve names what it left out."""
    given = made({"S1": "R1"})
    case = given.registration.case
    wider = msgspec.structs.replace(
        case, protocol=msgspec.structs.replace(case.protocol, detectors=("phrases", "embedding"))
    )
    given = msgspec.structs.replace(given, registration=msgspec.structs.replace(given.registration, case=wider))
    every = curve(found(given, Features(encode)))
    assert {s.answers for s in every.specifications if s.detector == "embedding"} == {
        "whole",
        "equal length",
        "no refusals",
    }
    assert "embedding, first half" in {one.name for one in every.left_out}


def test_a_part_without_answers_is_counted_as_impossible() -> None:
    """A control that answered one family only has no score in the other; those combinations are counted."""
    given = made({"S1": "R1"})
    first = {p.id for p in given.registration.prompts if p.family == "f0"}
    kept = tuple(t for t in given.transcripts if t.model != "C5" or t.prompt in first)
    every = curve(found(msgspec.structs.replace(given, transcripts=kept)))
    assert every.impossible > 0
    assert every.impossible + len(every.specifications) == 3 * 4 * 5 * 3
    assert not any(s.prompts == "without f0" for s in every.specifications if s.controls != "without C5")


def test_without_enough_controls_there_is_no_curve() -> None:
    """Two controls give no result, so that nothing can be repeated."""
    one = found(made({"S1": "R1"}, CONTROLS[:2]))
    assert one.curve is None
    assert one.without == ()


def calibrator(prompts: int, detector: str = "phrases") -> Calibrator:
    """Make a calibrator of known line."""
    return Calibrator(
        question="same",
        against="unrelated",
        detector=detector,
        prompts=prompts,
        line=Line(intercept=-2.0, slope=2.0),
        draws=(),
        n_pos=9,
        n_pos_families=9,
        n_neg=99,
        n_neg_lineages=60,
        lowest=-3.0,
        highest=30.0,
        positives=(1.0, 2.0, 3.0),
        elub_low=-1.0,
        elub_high=1.0,
        cllr=0.2,
        cllr_min=0.1,
    )


def test_a_ratio_is_given_only_where_it_was_calibrated() -> None:
    """Another detector, a score beyond the study, or fewer prompts than any study: no ratio; else it is capped."""
    made_of = Calibration(
        format="",
        source="",
        files=(),
        software=(),
        families=(),
        prompts=PROMPTS,
        models=0,
        suspects=(),
        k_low=3,
        k_high=30,
        calibrators=(calibrator(10),),
        missing=(),
        true_pairs=(),
    )
    given = {"prompts": 20, "reached": 0, "k_eff": 19}
    assert point(made_of, "same", "fuzzy", 4.0, **given) is None
    assert point(made_of, "same", "phrases", 40.0, **given) is None
    assert point(made_of, "same", "phrases", 4.0, **{**given, "prompts": 9}) is None
    assert point(None, "same", "phrases", 4.0, **given) is None
    assert point(made_of, "same", "phrases", 4.0, **given) == pytest.approx(1 / (1 - 0.05 ** (1 / 19)))
    assert point(made_of, "same", "phrases", 4.0, **{**given, "reached": 5}) == pytest.approx(1 / beta.ppf(0.95, 6, 14))
