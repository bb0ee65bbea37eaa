"""The acceptance criteria of the science, each a check of its own; numbers as in the requirements on evidence."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from depose.analysis.analyze import analyze
from depose.features.extract import Features
from depose.model import Dossier, Finding, Findings, Question, Transcript
from depose.model.canonical import canonical
from depose.report.render import render_html
from depose.statistics.calibration import fit, left_out, log_lr
from depose.statistics.lineage import choose
from dossiers import CONTROLS, dossier, quiet, spec
from specifications import made
from thinned import thinned

PAIR = [spec("S1", "suspect"), spec("R1", "reference")]
RIVALS = [spec(f"X{n}", "candidate") for n in (1, 2, 3)]


def text_of(findings: Findings) -> str:
    """Read the report without its tags."""
    page = re.sub(r"<(style|svg).*?</\1>", " ", render_html(findings).decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\N{NO-BREAK SPACE}", " ").replace("&nbsp;", " ")


def primary(one: Finding) -> tuple[float, ...]:
    """Take the numbers of the deciding detector."""
    result = next(r for r in one.results if r.primary)
    return result.value, result.low, result.high, result.p_reference, result.p_suspect


@pytest.mark.parametrize("question", ["same", "derived", "distilled"])
@pytest.mark.criterion(31)
def test_criterion_31_ten_fine_tunes_of_one_base_add_at_most_one(question: Question) -> None:
    """K_eff follows lineages: ten fine-tunes of one control's base on one data set count one more at most."""
    more = [
        spec(f"F{n}", "control", developer=f"tuner {n}", weight_lineage="w-C0", data_lineage="shared set")
        for n in range(10)
    ]
    before = choose(PAIR[0], PAIR[1], CONTROLS, question)
    after = choose(PAIR[0], PAIR[1], [*CONTROLS, *more], question)
    assert before.k_eff <= after.k_eff <= before.k_eff + 1
    assert len(after.used) <= len(before.used) + 1


@pytest.mark.parametrize("question", ["same", "derived"])
@pytest.mark.criterion(31)
def test_criterion_31_nor_do_ten_data_sets_make_one_base_ten(question: Question) -> None:
    """Where weights count, ten fine-tunes of one base on ten data sets add at most one too."""
    more = [spec(f"F{n}", "control", weight_lineage="w-C0") for n in range(10)]
    assert (
        choose(PAIR[0], PAIR[1], [*CONTROLS, *more], question).k_eff
        <= choose(PAIR[0], PAIR[1], CONTROLS, question).k_eff + 1
    )


def twice(given: Dossier) -> Dossier:
    """Ask everything a second time under the same clusters, with the same answers."""
    asked = given.registration.prompts
    again = tuple(msgspec.structs.replace(p, id=f"{p.id}-again") for p in asked)
    answers = tuple(msgspec.structs.replace(t, prompt=f"{t.prompt}-again") for t in given.transcripts)
    registration = msgspec.structs.replace(given.registration, prompts=(*asked, *again))
    return msgspec.structs.replace(given, registration=registration, transcripts=(*given.transcripts, *answers))


@pytest.mark.criterion(32)
def test_criterion_32_duplicated_prompts_do_not_shrink_the_interval() -> None:
    """Resampling is by cluster: a case whose prompts are all there twice has the same T, p and interval."""
    plain = dossier([*PAIR, *CONTROLS], {"S1": "R1"})
    once, doubled = (analyze(one, Features(), quiet).findings.findings[0] for one in (plain, twice(plain)))
    assert primary(doubled) == pytest.approx(primary(once), rel=1e-9)


def confess(given: Dossier, model: str) -> tuple[Transcript, ...]:
    """Let a model begin every answer by naming itself after the reference's maker."""
    said = "I am ChatGPT, a large language model trained by OpenAI. "
    return tuple(msgspec.structs.replace(t, text=said + t.text) if t.model == model else t for t in given.transcripts)


@pytest.mark.criterion(34)
def test_criterion_34_what_a_model_calls_itself_has_no_weight() -> None:
    """The identity detector is reported and changes nothing: not the primary score, the opinion, nor the curve."""
    plain = dossier([*PAIR, *CONTROLS], {"S1": "R1"})
    for code in ("S1", "R1"):
        plain = msgspec.structs.replace(plain, transcripts=confess(plain, code))
    case = plain.registration.case
    wider = msgspec.structs.replace(
        case, protocol=msgspec.structs.replace(case.protocol, detectors=(*case.protocol.detectors, "identity"))
    )
    with_it = msgspec.structs.replace(plain, registration=msgspec.structs.replace(plain.registration, case=wider))
    one, two = (analyze(d, Features(), quiet).findings for d in (plain, with_it))
    named = next(r for r in two.findings[0].results if r.detector == "identity")
    assert named.value > 3, "it is seen, and reported"
    for before, after in zip(one.findings, two.findings, strict=True):
        assert primary(before) == primary(after)
        assert before.opinion == after.opinion
        assert canonical(before.ratios) == canonical(after.ratios)
        assert before.curve is not None
        assert canonical(before.curve) == canonical(after.curve)
    assert {e.prompt.id for e in one.exhibits} == {e.prompt.id for e in two.exhibits}


@pytest.mark.parametrize("detector", thinned(["phrases", "openings", "fuzzy"], 3))
@pytest.mark.criterion(34)
def test_criterion_34_a_confession_makes_no_stranger_a_student(detector: str) -> None:
    """Suspect and reference that both call themselves ChatGPT in every answer score as if they had not."""
    plain = dossier([*PAIR, *CONTROLS], {})
    loud = msgspec.structs.replace(plain, transcripts=confess(plain, "S1"))
    loud = msgspec.structs.replace(loud, transcripts=confess(loud, "R1"))
    before, after = (
        next(r for r in analyze(d, Features(), quiet).findings.findings[0].results if r.detector == detector)
        for d in (plain, loud)
    )
    assert (after.value, after.p_reference, after.p_suspect) == (before.value, before.p_reference, before.p_suspect)
    assert after.p > 0.05


@pytest.mark.slow
@pytest.mark.criterion(35)
def test_criterion_35_the_reference_is_ranked_among_rivals_and_controls() -> None:
    """With three rivals the report prints the rank among them and among the controls in the reference's place."""
    found = analyze(dossier([*PAIR, *RIVALS, *CONTROLS], {"S1": "R1"}), Features(), quiet).findings
    for one in found.findings:
        assert one.rank is not None
        assert (one.rank.among_candidates, one.rank.candidates, one.rank.controls) == (1, 3, 20)
        assert {c.model for c in one.common} == {"X1", "X2", "X3"}
    page = text_of(found)
    assert "Rank of the reference" in page
    assert re.search(r"1 of 21 +1 of 4\b", page)


@pytest.mark.slow
@pytest.mark.criterion(35)
def test_criterion_35_too_few_rivals_are_named_as_such() -> None:
    """With one rival the rank is there, and so is the remark that the comparison is thin."""
    found = analyze(dossier([*PAIR, RIVALS[0], *CONTROLS], {"S1": "R1"}), Features(), quiet).findings
    assert "fewer than 3 rivals were named" in text_of(found)


def population(rng: np.random.Generator) -> tuple[list[NDArray[np.float64]], list[list[frozenset[str]]]]:
    """Draw scores of 30 true and 60 other pairs, each of two lineages out of twelve."""
    names = [f"L{n}" for n in range(12)]
    sizes, shifts = (30, 60), (1.5, 0.0)
    scores = [rng.normal(shift, 1.0, size) for size, shift in zip(sizes, shifts, strict=True)]
    lineages = [[frozenset(rng.choice(names, 2, replace=False).tolist()) for _ in range(size)] for size in sizes]
    return scores, lineages


@pytest.mark.criterion(36)
def test_criterion_36_no_pair_is_predicted_from_its_own_lineages() -> None:
    """What shares a lineage with a pair may score anything without moving its prediction; what does not, moves it."""
    (h1, h2), (own1, own2) = population(np.random.default_rng(3))
    plain = left_out(h1, h2, own1, own2)
    moved = 0
    for target in range(10):
        mine = own1[target]
        shares = [np.array([bool(mine & one) for one in side]) for side in (own1, own2)]
        shares[0][target] = False
        up1, up2 = (np.where(s, h + 50.0, h) for h, s in zip((h1, h2), shares, strict=True))
        assert left_out(up1, up2, own1, own2)[0][target] == pytest.approx(plain[0][target], abs=1e-12)
        shares[0][target] = True
        low1, low2 = (np.where(s, h, h - 50.0) for h, s in zip((h1, h2), shares, strict=True))
        moved += left_out(low1, low2, own1, own2)[0][target] != pytest.approx(plain[0][target], abs=1e-6)
    assert moved == 10


@pytest.mark.criterion(36)
def test_criterion_36_the_prediction_is_that_of_a_fit_without_them() -> None:
    """Each held-out prediction equals a line fitted by hand on the pairs that share no lineage with it."""
    (h1, h2), (own1, own2) = population(np.random.default_rng(4))
    found = left_out(h1, h2, own1, own2)[1]
    for target in range(0, 60, 7):
        apart = [np.array([not own2[target] & one for one in side]) for side in (own1, own2)]
        line = fit(h1[apart[0]], h2[apart[1]])
        assert found[target] == pytest.approx(float(log_lr(line, h2[[target]])[0]), abs=1e-9)


@pytest.mark.criterion(37)
def test_criterion_37_the_sensitivity_table_covers_every_axis_and_prints_shares() -> None:
    """Every axis is varied or named as not varied, and the share of analyses in each band is printed."""
    found = analyze(made({"S1": "R1"}), Features(), quiet).findings
    curve = found.findings[0].curve
    assert curve is not None
    varied: dict[str, Sequence[str]] = {}
    for share in curve.shares:
        varied[share.axis] = [*varied.get(share.axis, ()), share.choice]
    assert len(varied["detector"]) > 1, "feature family"
    assert {"whole", "first half", "no refusals", "equal length"} <= set(varied["answers"]), "pre-processing"
    assert {"all", "half 1", "half 2", "without f0", "without f1"} == set(varied["prompts"]), "prompt family"
    assert len(varied["controls"]) >= 2, "control"
    assert {one.model for one in found.findings[0].without} == set(found.findings[0].controls)
    page = text_of(found)
    every = curve.shares[0]
    for k in (every.at_alpha, every.at_tenth, every.above):
        assert f"{k} ({100 * k / every.n:.0f} %)" in page
    for axis in ("temperature", "system prompt", "prompts of the other side"):
        assert axis in page[page.index("Not varied") :]


@pytest.mark.criterion(37)
def test_criterion_37_a_lucky_pick_shows() -> None:
    """Where the registered detector alone finds a likeness, the shares say that most analyses do not."""
    plain = dossier([*PAIR, *CONTROLS], {"S1": "R1"})
    found = analyze(plain, Features(), quiet).findings.findings[0]
    assert found.curve is not None
    by = {s.choice: s.at_alpha / s.n for s in found.curve.shares if s.axis == "detector"}
    assert by["phrases"] == 1.0
    assert by["openings"] < 0.5
