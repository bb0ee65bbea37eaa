"""Transcripts to findings, on scripted models of known truth."""

from __future__ import annotations

import msgspec
import pytest

from calibrators import calibrator
from depose.analysis.analyze import analyze
from depose.case.calibration import Loaded
from depose.errors import AnalysisError
from depose.features.extract import Features
from depose.model import (
    Line,
    Primary,
    TruePair,
)
from depose.model.canonical import canonical
from dossiers import CONTROLS, PROMPTS, dossier, quiet, spec
from studies import study


def test_a_copy_reaches_the_floor_and_a_stranger_does_not() -> None:
    """The scripted copy of the reference has p = 1 / (K + 1) on both sides; the unrelated suspect has not."""
    specs = [spec("S1", "suspect"), spec("S2", "suspect"), spec("R1", "reference"), *CONTROLS]
    found = analyze(dossier(specs, {"S1": "R1"}), Features(), quiet).findings.findings
    by = {(f.suspect, f.question): next(r for r in f.results if r.primary) for f in found}
    for question in ("same", "derived", "distilled"):
        assert by["S1", question].p == pytest.approx(1 / 21)
        assert by["S1", question].low > 0
        assert by["S2", question].p > 0.05
    assert {f.k_eff for f in found} == {20}
    assert {f.opinion.reasons for f in found if f.suspect == "S1"} == {("range",)}


def test_the_order_of_models_and_transcripts_changes_nothing() -> None:
    """The same dossier in another order gives the same numbers."""
    specs = [spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS]
    plain = dossier(specs, {"S1": "R1"})
    turned = msgspec.structs.replace(plain, transcripts=plain.transcripts[::-1])
    first, second = (analyze(d, Features(), quiet).findings for d in (plain, turned))
    assert canonical(first) == canonical(second)
    other = analyze(dossier([*reversed(CONTROLS), specs[1], specs[0]], {"S1": "R1"}), Features(), quiet).findings
    one, two = first.findings[0].results[0], other.findings[0].results[0]
    assert (one.value, one.p_reference, one.p_suspect) == pytest.approx((two.value, two.p_reference, two.p_suspect))


def test_without_controls_there_are_raw_scores_and_exhibits_and_no_opinion() -> None:
    """No controls: `inconclusive (controls)`; raw similarity, replicate noise and exhibits all the same."""
    specs = [spec("S1", "suspect"), spec("R1", "reference")]
    found = analyze(dossier(specs, {"S1": "R1"}, replicates=2), Features(), quiet).findings
    assert [f.opinion.reasons for f in found.findings] == [("controls",)] * 3
    assert found.findings[0].results == ()
    assert len(found.findings[0].not_scored) == 4
    raw = {r.detector: r for r in found.findings[0].raw}
    assert raw["phrases"].controls is None
    assert raw["phrases"].replicate is not None
    assert 0 < raw["phrases"].value < 1
    assert len(found.exhibits) == 6


def test_two_references_are_adjusted_and_need_more_controls() -> None:
    """With two tested references Holm doubles the smaller p, and 20 controls are not enough."""
    specs = [spec("S1", "suspect"), spec("R1", "reference"), spec("R2", "reference"), *CONTROLS]
    found = analyze(dossier(specs, {"S1": "R1"}), Features(), quiet).findings.findings
    first = next(r for r in found[0].results if r.primary)
    assert first.p_holm == pytest.approx(2 / 21)
    assert {f.k_needed for f in found} == {39}
    assert {f.opinion.reasons for f in found} == {("controls",)}


@pytest.mark.slow
def test_power_is_that_of_the_adjusted_test() -> None:
    """A study whose true pairs reach p = .04 has power for one reference; with two Holm asks .025, and it has none."""
    pairs = tuple(
        TruePair(question="same", detector="phrases", prompts=20, family=f"f{i}", k_eff=24, p=0.04) for i in range(14)
    )
    line = msgspec.structs.replace(calibrator(Line(intercept=0.0, slope=2.0)), prompts=20)
    made = study(families=("f",), prompts=PROMPTS, k_high=60, calibrators=(line,), true_pairs=pairs)
    controls = [spec(f"C{i}", "control") for i in range(40)]
    powers = []
    for references in (("R1",), ("R1", "R2")):
        one = dossier([spec("S1", "suspect"), *(spec(code, "reference") for code in references), *controls], {})
        protocol = msgspec.structs.replace(
            one.registration.case.protocol, questions=("same",), detectors=("phrases",), primary=Primary()
        )
        case = msgspec.structs.replace(one.registration.case, protocol=protocol)
        one = msgspec.structs.replace(one, registration=msgspec.structs.replace(one.registration, case=case))
        found = analyze(one, Features(), quiet, Loaded(calibration=made, sha256="0" * 64)).findings.findings
        powers.append([(f.power.value if f.power else None, f.opinion.verdict, f.opinion.reasons) for f in found])
    assert powers == [[(1.0, "no indication", ())], [(0.0, "inconclusive", ("power",))] * 2]


def test_every_two_controls_are_scored_in_the_same_bag() -> None:
    """With K controls K (K - 1) / 2 pairs stand beside the finding, the closest first, each with p and T of the bag."""
    specs = [spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS]
    found = analyze(dossier(specs, {"S1": "R1"}), Features(), quiet).findings.findings[0]
    nulls = found.null_pairs
    assert nulls is not None
    k = len(CONTROLS)
    assert nulls.n == len(nulls.pairs) == k * (k - 1) // 2
    values = [one.value for one in nulls.pairs]
    assert values == sorted(values, reverse=True)
    assert nulls.largest == values[0]
    assert nulls.as_close == 0
    assert min(one.p for one in nulls.pairs) >= found.floor
    assert nulls.mean_ratio is None


@pytest.mark.criterion(33)
def test_p_over_all_findings_is_adjusted_and_decides_nothing() -> None:
    """Three questions of one pair: Holm over all three beside each, while p over references stays as it is."""
    specs = [spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS]
    found = analyze(dossier(specs, {"S1": "R1"}), Features(), quiet).findings.findings
    primary = [next(r for r in f.results if r.primary) for f in found]
    assert [f.p_family for f in found] == pytest.approx([3 * r.p for r in primary])
    assert [r.p_holm for r in primary] == [r.p for r in primary]


def test_a_closer_rival_is_ranked_first() -> None:
    """A candidate that the suspect copied stands above the tested reference."""
    specs = [spec("S1", "suspect"), spec("R1", "reference"), spec("X1", "candidate"), *CONTROLS]
    found = analyze(dossier(specs, {"S1": "X1"}), Features(), quiet).findings.findings[2]
    assert [c.model for c in found.candidates] == ["X1", "R1"]
    assert [c.tested for c in found.candidates] == [False, True]


def test_denominators_add_up() -> None:
    """Planned = sent + not asked, and sent = answered + empty + failed, for every model."""
    specs = [spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS]
    found = analyze(dossier(specs, {}, missing=["C3"]), Features(), quiet).findings
    rows = {d.model: d for d in found.denominators}
    assert (rows["C3"].planned, rows["C3"].sent, rows["C3"].answered) == (PROMPTS, 0, 0)
    assert all(d.sent == d.answered + d.empty + d.failed for d in rows.values())
    assert len(found.unanswered) == PROMPTS


def test_no_answers_is_an_error_that_names_the_side() -> None:
    """An analysis without any answer of the suspect is refused."""
    specs = [spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS]
    with pytest.raises(AnalysisError, match="no suspect has an answer"):
        analyze(dossier(specs, {}, missing=["S1"]), Features(), quiet)
