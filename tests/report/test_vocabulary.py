"""The lint: each forbidden phrase is found when planted, and nothing that depose writes holds one."""

from __future__ import annotations

import re
from importlib.resources import files

import msgspec
import pytest

from depose.errors import ReportError
from depose.report import contents, wording
from depose.report.render import Setting, render_html
from depose.report.vocabulary import AVOIDED, bare_rates, violations
from depose.statistics.verbal import SCALES
from reports import build, calibrated, own_words, words
from studied_reports import studied
from thinned import thinned

PLANTED = {
    "match": "the answers match",
    "proves": "this proves it",
    "certainty": "with certainty",
    "reasonable degree of scientific certainty": "to a reasonable degree of scientific certainty",
    "theft, stole": "S1 stole from R1",
    "infringed, violates, cheated": "which infringed the terms",
    "admitted, guilty": "as they admitted",
    "copied": "S1 copied R1",
    "unique to": "a phrase unique to R1",
    "identical source, identical origin": "of identical origin",
    "probability that it was distilled": "the probability that S1 was distilled",
    "times more likely that": "7 times more likely that S1 learned from R1",
    "therefore distilled": "therefore S1 was distilled from R1",
    "zero error, cannot be wrong": "a zero error rate",
    "fingerprint, DNA of a model": "the fingerprint of R1",
    "high confidence": "with high confidence",
    "statistically significant": "a statistically significant result",
    "consistent with": "consistent with distillation",
    "coincidence": "no coincidence",
    "certified clean, passed the test, passed the screening": "S1 passed the screening",
    "99 % accurate, 1 % chance": "the method is 99 % accurate",
}
TEMPLATES = sorted(f.name for f in files("depose.templates").iterdir() if f.name.endswith(".html"))


def prose(template: str) -> str:
    """What a template says itself: without expressions and statements, but with the texts in quotes inside of them."""
    text = files("depose.templates").joinpath(template).read_text("utf-8")
    quoted = " ".join(re.findall(r'"([^"]*)"', " ".join(re.findall(r"{[{%].*?[}%]}", text, flags=re.DOTALL))))
    return re.sub(r"{[{%#].*?[}%#]}", " ", text, flags=re.DOTALL) + quoted


@pytest.mark.criterion(8)
@pytest.mark.parametrize("phrase", [one.phrase for one in AVOIDED])
@pytest.mark.parametrize("template", TEMPLATES)
def test_planted_phrase_is_found(phrase: str, template: str) -> None:
    """Each phrase of the list, planted in a template, makes the lint fail, under its own name."""
    text = prose(template)
    cut = text.index("</p>") if "</p>" in text else len(text)
    found = [hit.phrase for hit in violations(text[:cut] + f" {PLANTED[phrase]}. " + text[cut:])]
    assert phrase in found
    assert phrase not in [hit.phrase for hit in violations(text)]


@pytest.mark.criterion(8)
def test_fixed_sentences_hold_none() -> None:
    """The fixed texts of wording, contents, templates and scales pass the lint."""
    texts = [repr(getattr(wording, name)) for name in dir(wording) if name.isupper()]
    texts += [repr(getattr(contents, name)) for name in dir(contents) if name.isupper()]
    texts += [prose(name) for name in TEMPLATES]
    texts += [band.words for scale in SCALES.values() for band in scale.bands]
    assert [hit for text in texts for hit in violations(text)] == []


@pytest.mark.criterion(8)
@pytest.mark.parametrize("make", [build, calibrated])
def test_rendered_reports_hold_none(make: object) -> None:
    """Both flavours, outside of quoted answers and of the list itself."""
    findings = studied(make())  # type: ignore[operator]
    assert violations(own_words(render_html(findings))) == ()
    assert violations(words(render_html(findings, Setting(flavour="compliance")))) == ()


@pytest.mark.criterion(8)
def test_list_stands_in_the_appendix_alone() -> None:
    """Every avoided phrase is printed, with what is written instead, in its appendix."""
    page = render_html(build())
    text = words(page)
    for one in AVOIDED:
        assert one.phrase in text
        assert one.instead in text
    assert violations(text)


@pytest.mark.criterion(7)
def test_error_section_has_no_bare_rate() -> None:
    """Each error is k of n with its bound; a percentage that is no level of an interval fails."""
    page = render_html(studied(calibrated())).decode()
    section = page[page.index('class="errors"') : page.index('id="s14"')]
    drawn = re.sub(r"<svg.*?</svg>", "", section, flags=re.DOTALL)
    assert bare_rates(words(drawn.encode())) == ()
    rows = re.findall(r"<td>(?:false alarm|miss|misleading): invented</td>(.*?)</tr>", drawn, flags=re.DOTALL)
    assert len(rows) == 3
    assert all("1 of 20" in row and "0.217" in row for row in rows)
    assert bare_rates("wrong in 4 % of cases, 95 % interval 1 to 7") == ("4 %",)
    assert bare_rates("12.5 percent") == ("12.5 percent",)


@pytest.mark.criterion(8)
@pytest.mark.parametrize("phrase", thinned((one.phrase for one in AVOIDED), 4))
def test_report_that_would_say_one_is_refused(phrase: str) -> None:
    """A phrase in a text of depose's own, here the rule of choice, stops the rendering and is named."""
    findings = build(questions=("same",), exhibits=1)
    spoken = msgspec.structs.replace(findings, exhibit_rule=f"Chosen at random: {PLANTED[phrase]}.")
    with pytest.raises(ReportError, match="which the method cannot carry") as refused:
        render_html(spoken)
    assert phrase in str(refused.value)


@pytest.mark.criterion(8)
def test_words_of_others_stop_no_report() -> None:
    """Names, titles, prompts and answers are quoted as they are, whole or cut; our words beside them are not."""
    findings = build(questions=("same",), text=" ".join(PLANTED.values()))
    item = msgspec.structs.replace(
        findings.items[0], name="unique-match-7b", developer="Guilty & Sons", system="Steal. " * 90
    )
    named = msgspec.structs.replace(
        findings,
        title="Alleged theft: " + "was it copied or not? " * 40,
        authority="the parties admitted this on record",
        items=(item, *findings.items[1:]),
        amendments=("the first draft violated the terms",),
        exhibits=tuple(
            msgspec.structs.replace(
                one, prompt=msgspec.structs.replace(one.prompt, text="Can you prove Fermat's theorem?")
            )
            for one in findings.exhibits
        ),
    )
    assert b"unique-match-7b" in render_html(named)
    render_html(named, Setting(flavour="compliance"))
    with pytest.raises(ReportError, match="guilt"):
        render_html(msgspec.structs.replace(named, exhibit_rule="It shows who is guilty."))


def test_every_phrase_that_is_listed_would_stop_a_report() -> None:
    """What the appendix says is searched for is searched for: each phrase, by itself, is found."""
    for one in AVOIDED:
        for phrase in one.phrase.split(", "):
            assert one.phrase in [hit.phrase for hit in violations(f"It says {phrase} here.")], phrase
