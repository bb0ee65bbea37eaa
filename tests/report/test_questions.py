"""The first page and the questions of an opponent: every reference is true, each sentence follows from findings."""

from __future__ import annotations

import io
import re
from typing import Any

import msgspec
import pypdf
import pytest

from depose.model import (
    Condition,
    Direction,
    Dose,
    Fact,
    FilesCompared,
    Findings,
    NullPair,
    NullPairs,
    Opinion,
    Power,
    Protocol,
    Raw,
    canonical,
)
from depose.model.weights import WeightFinding, WeightLayer, WeightMap, WeightReading
from depose.report import facts, first_page, power_by_dose
from depose.report.contents import APPENDICES, CROSSWALK, NO
from depose.report.first_page import ROWS
from depose.report.questions import INSTEAD, PLACES, asked
from depose.report.render import Setting, render_html, render_pdf
from depose.report.standards import argued
from depose.report.wording import MEANS_NOT, REASONS, REASONS_SHORT
from reports import build, calibrated, words
from studied_reports import studied


def whole() -> Findings:
    """Findings with everything that a report can show."""
    findings = studied(calibrated(questions=("same", "distilled"), exhibits=2))
    pair = NullPair(left="C01-falcon", right="C02-mpt", value=1.9, p=1 / 24, ratio=3.0)
    nulls = NullPairs(
        n=253, at_alpha=7, as_close=3, largest=1.9, rated=253, mean_ratio=0.58, as_large=1, pairs=(pair, pair)
    )
    found = tuple(
        msgspec.structs.replace(
            one,
            null_pairs=nulls,
            raw=(Raw(detector="phrases", value=0.25, controls=0.04, replicate=0.23, prompts=390),),
            files=FilesCompared(
                state="different",
                differing=(Fact(name="adapter adapter_model.safetensors", value="a" * 64),),
                shared=(Fact(name="weights model.safetensors", value="b" * 64),),
            ),
            direction=Direction(suspect_released="2025-03", reference_released="2024-11", order="reference first"),
            p_family=2 / 24,
        )
        for one in findings.findings
    )
    return msgspec.structs.replace(findings, findings=found)


@pytest.mark.parametrize("findings", [build(), calibrated(), whole()], ids=["plain", "calibrated", "whole"])
def test_every_reference_of_every_question_leads_somewhere(findings: Findings) -> None:
    """Fifteen questions, each with an answer and at least one place that this report has."""
    page = render_html(findings).decode()
    part = page[page.index('id="appB"') : page.index('id="appC"')]
    items = re.findall(r"<li>(.*?)</li>", part, re.DOTALL)
    assert len(items) == 15
    anchors = set(re.findall(r' id="([^"]+)"', page))
    for item in items:
        links = re.findall(r'href="#([^"]+)"', item)
        assert links
        assert set(links) <= anchors, set(links) - anchors
    standards = page[page.index('id="appA"') : page.index('id="appB"')]
    assert set(re.findall(r'href="#([^"]+)"', standards)) <= anchors
    assert set(PLACES) == set(INSTEAD)
    assert set(INSTEAD.values()) <= set(NO)


def test_answers_say_nothing_that_this_report_has_not() -> None:
    """Without power, pairs of controls, ratios or enough lineages the answers say so, and boast of none of it."""
    findings = calibrated()
    few = tuple(
        msgspec.structs.replace(one, k=3, k_eff=3, without=(), exchangeability=None) for one in findings.findings
    )
    made = [one.answer for one in asked(msgspec.structs.replace(findings, findings=few), set())]
    assert made[0].startswith("In this case nobody knows")
    assert made[5].count("too few for other sets") == 1 and "in turn" not in made[5]
    assert made[8].startswith("Nobody knows: no power")
    assert made[11].startswith("Nothing in this report judges them")
    assert "every score is inconclusive with fewer than 19 lineages" in made[14]
    there = [one.answer for one in asked(findings, set(PLACES))]
    assert there[0].startswith("Every two controls") and "its lower bound" in there[8]


def test_what_is_counted_of_conditions_agrees_in_all_places() -> None:
    """The standards count the conditions that decide, as the table of requirements does."""
    findings = whole()
    beside = Condition(
        name="(controls, independent of the study)", validated="none", case="3", inside=False, decides=False
    )
    with_it = (msgspec.structs.replace(one, conditions=(*one.conditions, beside)) for one in findings.findings)
    findings = msgspec.structs.replace(findings, findings=tuple(with_it))
    asked_of = [row for one in findings.findings for row in one.conditions if row.decides]
    said = " ".join(str(row) for row in argued(findings))
    assert f"{sum(row.inside for row in asked_of)} of {len(asked_of)} conditions" in said


def test_a_report_of_few_controls_speaks_of_its_own() -> None:
    """The key of the exhibits counts the controls that are there, and no subsets are said to have been drawn."""
    page = render_html(build(exhibits=1)).decode()
    assert "2 of 23 controls said too" not in page
    among = max(one.controls for one in build(exhibits=1).exhibits)
    assert f"1 of {among} controls said too" in page
    assert "No subsets of the controls were tried" in page or "Are suspect and reference two more" not in page


@pytest.mark.slow
def test_pages_that_are_named_are_those_on_which_the_places_stand() -> None:
    """In the PDF the number behind each reference is that of the page with the heading it leads to."""
    findings = whole()
    reader = pypdf.PdfReader(io.BytesIO(render_pdf(findings).pdf))
    texts = [re.sub(r"\s+", " ", page.extract_text()) for page in reader.pages]
    together = " ".join(texts)
    start = together.index("B Appendix: questions that an opponent will ask Would") if "ask Would" in together else 0
    part = together[start:]
    named = re.findall(r"section (\d+), page (\d+)", part)
    assert len(named) > 12
    titles = {str(n): title for (key, n), title in zip(NO.items(), _titles(), strict=True)}
    for number, page in dict(named).items():
        assert f"{number} {titles[number]}" in texts[int(page) - 1], (number, page)
    for name, heading in (("every two controls", "Every two controls"), ("power", "Power, the share of true pairs")):
        found = re.search(rf"{name}, page (\d+)", part)
        assert found is not None
        assert heading in texts[int(found[1]) - 1]


def _titles() -> list[str]:
    from depose.report.contents import SECTIONS

    return [title for _, title in SECTIONS]


@pytest.mark.slow
def test_one_page_comes_first_and_names_what_was_compared() -> None:
    """Names beside codes, per question what was seen, what it means and what not, how sure."""
    findings = whole()
    first = pypdf.PdfReader(io.BytesIO(render_pdf(findings).pdf)).pages[0].extract_text()
    text = re.sub(r"\s+", " ", first)
    assert "S1 (suspect): “s1-chat-7b”" in text
    assert "What it does not mean" in text
    assert "Of 23 models without a known relation" in text
    assert "recorded files of weights differ, so that they are not the same files" in text
    assert "R1 was offered first (2024-11, S1 2025-03)" in text
    assert "7 of 253 have p at or below 0.05 and 3 are at least as close" in text
    assert "The title is that of the case file" in text
    assert "1 Summary of opinions" not in text
    for one in first_page.answers(findings):
        assert one.means_not in MEANS_NOT.values()
    many = build(suspects=[f"S{n}" for n in range(1, 6)])
    assert f"Not on this page: {len(many.findings) - ROWS} more findings" in words(render_html(many))


def test_what_was_seen_is_counted_from_both_sides() -> None:
    """None, one and all controls at or above the score; nothing scored is said."""
    one = build(questions=("same",)).findings[0]
    [result, *_] = one.results
    for value, said in (
        (99.0, "none was as close to R1 as S1 is, and none as close to S1 as R1 is"),
        (-99.0, "all were at least as close to R1, and all were at least as close to S1"),
    ):
        changed = msgspec.structs.replace(one, results=(msgspec.structs.replace(result, value=value),))
        assert said in first_page.seen(changed)
    assert first_page.seen(msgspec.structs.replace(one, results=())) == "Nothing was scored."


def test_meanings_follow_the_opinion() -> None:
    """An indication names H1, a null its lower bound and dose, and an open question its reasons, in few words."""
    one = build(questions=("distilled",)).findings[0]

    def said(verdict: str, *reasons: str, power: Power | None = None) -> str:
        opinion = Opinion(verdict=verdict, reasons=reasons)  # type: ignore[arg-type]
        return first_page.means(msgspec.structs.replace(one, opinion=opinion, power=power))

    assert "trained on a substantial body of the reference's outputs" in said("indication")
    assert "the recorded files of weights differ" in said("relation, kind not resolved", "files_differ")
    assert said("indication", "files_equal") == "Every recorded file of weights is the same on both sides."
    power = Power(value=1.0, k=14, n=14, families=14, prompts=50, lower95=0.807, dose="at full dose")
    assert "14 of 14 known pairs, at full dose; by the lower bound at least 0.80" in said("no indication", power=power)
    assert "not known well enough" in said("inconclusive", "power")
    assert set(REASONS_SHORT) == set(REASONS)


def test_models_of_one_name_are_told_apart() -> None:
    """Where names are equal the fact that differs stands beside each; makers are as given."""
    items = build().items
    twins = tuple(
        msgspec.structs.replace(
            item,
            name="base-135m",
            facts=(
                Fact(name="weights model.safetensors", value="c" * 64),
                Fact(name="adapter adapter_model.safetensors", value=canonical.sha256(item.code.encode())),
            ),
        )
        for item in items[:2]
    )
    names = [one.name for one in first_page.people(twins)]
    assert len(set(names)) == 2
    for item, name in zip(twins, names, strict=True):
        assert f"adapter {item.facts[1].value[:8]}…" in name
        assert "cccc" not in name


def test_likeness_to_itself_stands_beside_likeness() -> None:
    """A suspect as alike as the reference to itself is said to be; without a second asking nothing is said."""
    assert facts.of_itself(whole()) == [
        "Likeness as it is, by phrases, 0 to 1, weighed anew beside each suspect: S1 and R1 "
        "0.25, R1 asked twice 0.23, controls with either 0.04: at least as alike as the reference to itself."
    ]
    assert facts.of_itself(build()) == []


def test_power_by_dose_says_where_the_test_is_blind() -> None:
    """From the least dose on from which all larger ones are found; a gap counts against it."""
    study = studied(build()).performance
    assert study is not None

    def doses(*found: tuple[int, int]) -> str:
        rows = tuple(
            Dose(question="distilled", percent=percent, prompts=50, k=k, n=20, indications=k) for percent, k in found
        )
        return power_by_dose.said(power_by_dose.table(msgspec.structs.replace(study, doses=rows)))

    assert "found at 50 in 100 or more; below that the test is blind" in doses((0, 1), (25, 0), (50, 16), (100, 20))
    assert "found at 100 in 100 or more" in doses((0, 0), (25, 20), (50, 3), (100, 20))
    assert "no dose was found" in doses((0, 0), (100, 3))
    assert doses() == ""


def test_standards_are_argued_with_the_numbers_of_the_case() -> None:
    """Each demand has a sentence; the counts in it are those of the findings."""
    text = words(render_html(whole()))
    assert "at the most 7 of 253 pairs reached alpha; as close as the pair itself were 3" in text
    assert "2 of 4 conditions that decide are as the study asks; not: language" in text
    assert "pairs called on families never seen, all together: same 28 of 31 true and 52 of 2539 unrelated" in text
    assert "distilled 3 of 116 true and 41 of 2539 unrelated" in text
    assert {place for _, _, _, where in CROSSWALK for place in where} <= set(NO)
    assert [letter for letter, _ in APPENDICES] == list("ABCDEFG")


def test_a_count_of_conditions_names_those_that_it_leaves_out() -> None:
    """Rows that decide nothing and are not as the study asks stand beside the count; without any row there is none."""
    row = Condition(name="route", validated="live", case="recorded", inside=False, decides=False)
    made = build(questions=("same",))
    [one] = made.findings
    beside = msgspec.structs.replace(made, findings=(msgspec.structs.replace(one, conditions=(*one.conditions, row)),))
    assert "; not as it asks, which decides nothing: route" in words(render_html(beside))
    none = msgspec.structs.replace(made, findings=(msgspec.structs.replace(one, conditions=()),))
    assert "checks met; no conditions of a study were compared" in words(render_html(none))


@pytest.mark.parametrize(
    ("given", "said", "unsaid"),
    [
        ({"probes": ("open_howto:4",)}, "were drawn by seed 7", "none was drawn"),
        ({"prompts": "mine.csv"}, "are those of the file mine.csv that the party handed in: none was drawn", ""),
        ({"prompts": "mine.csv", "probes": ("open_howto:4",)}, "mine.csv that the party handed in, or were drawn", ""),
        ({"controls": "pack:free"}, "are those of the control pack pack:free: none was drawn", ""),
    ],
)
def test_prompts_that_a_party_listed_were_drawn_by_no_seed(given: dict[str, Any], said: str, unsaid: str) -> None:
    """Sections 9 and 17 and the sixth question say who chose the prompts."""
    made = build(questions=("same",), protocol=Protocol(questions=("same",), **given))
    text = words(render_html(made))
    assert said in text
    assert not unsaid or unsaid not in text
    answer = asked(made, set())[5].answer
    assert ("A seed that the party typed drew the prompts" in answer) == ("probes" in given)
    assert ("who chose them is not on record" in answer) == ("probes" not in given)
    assert ("none was drawn the list is a choice" in text) == ("probes" not in given)


def test_a_case_in_which_nothing_was_asked_says_so() -> None:
    """Its dates are those of looking answers up; files and software stand where the report says that they do."""
    made = build(questions=("same",))
    looked = words(render_html(made))
    assert "the first answer was looked up at 2026-11-24" in looked
    assert "First, last look-up" in looked
    assert "question was asked at" not in looked
    asked_ = words(render_html(build(questions=("same",), retrospective=False)))
    assert "the first question was asked at" in asked_
    assert "the files and the software named in appendix F" in asked_
    assert "language and tuning stand in section 14" in asked_


def weights(suspect: str, reading: WeightReading, log10_p: float, *cautions: str) -> WeightFinding:
    """A comparison of weights by one layer, or by none where there is no test."""
    layer = WeightLayer(
        kind="mlp",
        label="0",
        closest="0",
        units=9,
        matched=9,
        cosine=0.5,
        margin=0.1,
        order_log10_p=log10_p,
        signs_log10_p=None,
        counted=True,
    )
    return WeightFinding(
        suspect=suspect,
        reference="R1",
        suspect_files={},
        reference_files={},
        reading=reading,
        log10_p=log10_p,
        alpha=1e-6,
        tests=(),
        layers=(layer,) if reading != "not testable" else (),
        map=WeightMap(suspect=("0",), reference=("0",), margins=((0.1,),), order_log10_p=((log10_p,),)),
        alignment="as they are",
        support={},
        cautions=cautions,
    )


def test_what_weights_say_stands_on_the_first_page() -> None:
    """The strongest evidence of a case is not left to a page in the middle; no limitation denies that it was seen."""
    found = (
        weights("S1", "not independent", -140.0),
        weights("S2", "nothing against independence", -0.3),
        weights("S3", "not independent", -9.0, "embeddings alone agree"),
        weights("S4", "not testable", 0.0),
    )
    said = (
        "Weights, compared by themselves, by no opinion in the table: S1 and R1 not independent, p < 1e-100; S2 and R1 "
        "nothing against independence, p 0.51; S3 and R1 not independent by embeddings alone, p 1.0e-9; S4 and R1 not "
        "testable. One was made from the other, or both from a third, or from the same random numbers; weights do not "
        "say which."
    )
    made = msgspec.structs.replace(build(questions=("same",)), weights=found)
    assert facts.of_weights(made) == [said]
    assert facts.RELATED not in facts.of_weights(msgspec.structs.replace(made, weights=found[1:]))[0]
    assert facts.of_weights(build()) == []
    page = words(render_html(made))
    assert "compared by themselves, by no opinion in the table: S1 and R1" in page[: page.index("1 Summary of op")]
    for flavour in ("expert", "compliance"):
        text = words(render_html(made, Setting(flavour=flavour)))
        assert "But for the weights of S1 and R1, S2 and R1, S3 and R1, S4 and R1, the models were seen from" in text


def test_likeness_of_several_samples_is_counted_in_answers() -> None:
    """A case of three samples has as many pairs of answers as rows, and no more prompts than it asked."""
    made = build(questions=("same",), protocol=Protocol(questions=("same",), samples=3))
    raw = Raw(detector="phrases", value=0.2, controls=0.1, replicate=None, prompts=1170)
    [one] = made.findings
    text = words(render_html(msgspec.structs.replace(made, findings=(msgspec.structs.replace(one, raw=(raw,)),))))
    assert "n = 1170 pairs of answers" in text
    assert "n = 1170 prompts" not in text


def test_another_score_would_have_led_to_another_opinion() -> None:
    """The last question says how many controls may reach the score at this alpha and K."""
    said = asked(build(), set())[-1].answer
    assert "with 23 controls p reaches alpha if none of them reaches the score" in said


@pytest.mark.parametrize("before", [True, False])
def test_prompts_that_were_handed_in_with_their_answers_are_said_to_be(before: bool) -> None:
    """Whoever picks them by the answers finds a likeness among strangers, and no figure tells."""
    findings = build(questions=("same",))
    protocol = msgspec.structs.replace(findings.protocol, probes=(), prompts="mine.csv")
    stated = msgspec.structs.replace(findings, protocol=protocol, retrospective=before)
    told = " ".join(one.answer for one in asked(stated, set(PLACES)))
    assert "The prompts are those of the file mine.csv that the party handed in" in told
    assert ("whoever picks prompts by their answers" in told) == before
