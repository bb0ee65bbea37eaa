"""The compliance summary: two pages, one of three outcomes, risks and waivers in print and as data."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pypdf
import pytest

from depose.case import annexes
from depose.case.annexes import Annex, Waiver
from depose.errors import CaseError
from depose.model import Check, Findings, NotScored, Opinion, OpinionRate, Verdict
from depose.report import machine_readable, render
from depose.report.compliance import ALARM, ALARM_KIN, KIN, MISS, outcome, risks, waived
from depose.report.render import Setting, render_html, render_pdf
from depose.report.vocabulary import violations
from depose.report.wording import OUTCOMES
from depose.validate.opinions import HARD, RELATIONS, STUDENT
from reports import HOSTILE, build, calibrated, outline, ratio, words
from studied_reports import studied

WAIVER = """[[waiver]]
id = "W1"
suspect = "S1"
reference = "R1"
question = "distilled"
reason = "vendor disclosed licensed outputs"
owner = "supplier management"
approver = "model risk"
expires = 2026-12-31
"""


def with_verdicts(findings: Findings, *verdicts: Verdict) -> Findings:
    """The same findings with other opinions."""
    found = tuple(
        msgspec.structs.replace(one, opinion=Opinion(verdict=verdict, reasons=()))
        for one, verdict in zip(findings.findings, verdicts, strict=True)
    )
    return msgspec.structs.replace(findings, findings=found)


COMPLIANCE = Setting(flavour="compliance")


@pytest.mark.criterion(21)
@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("no indication", "no indication", "no indication"), OUTCOMES[0]),
        (("no indication", "no indication", "indication"), OUTCOMES[1]),
        (("inconclusive", "relation, kind not resolved", "no indication"), OUTCOMES[1]),
        (("no indication", "inconclusive", "no indication"), OUTCOMES[2]),
    ],
)
def test_outcome_is_one_of_three(verdicts: tuple[Verdict, ...], expected: str) -> None:
    """Anything that indicates asks for review; only unanimous nulls are no indication; all else is inconclusive."""
    findings = with_verdicts(build(), *verdicts)
    page = render_html(findings, COMPLIANCE).decode()
    assert outcome(findings) == expected
    assert re.findall(r'id="outcome">([^<]*)<', page) == [expected]


@pytest.mark.criterion(21)
def test_decision_rule_stands_with_its_risks() -> None:
    """The rule is printed with false alarms and misses as k of n and exact bound, or as not known."""
    text = words(render_html(studied(build()), COMPLIANCE))
    assert "Decision rule , fixed at registration" in text
    assert "False alarm: same 1 of 20 (0.217), derived 1 of 20" in text
    assert "Miss: same 1 of 20 (0.217)" in text
    assert "False alarm: not known for this case" in words(render_html(build(), COMPLIANCE))


def test_risks_are_the_opinions_that_the_court_report_counts() -> None:
    """Strangers and relatives of another kind apart, misses of true pairs; without counted opinions p stands in."""
    made = studied(build(questions=("distilled",)))
    assert made.performance is not None

    def rate(kind: str, *, true: bool, n: int, indications: int, relations: int) -> OpinionRate:
        rest = {"question": "distilled", "prompts": 50, "at_alpha": n, "cleared": 0, "k_families": 1, "n_families": 1}
        return msgspec.convert(
            {**rest, "kind": kind, "true": true, "n": n, "indications": indications, "relations": relations}
            | {"lower95": 0.0, "upper95": 1.0},
            OpinionRate,
        )

    opinions = (
        rate("true pairs", true=True, n=11, indications=9, relations=0),
        rate("one base, another teacher", true=False, n=925, indications=7, relations=1),
        rate("students of one teacher", true=False, n=10, indications=0, relations=8),
    )
    found = msgspec.structs.replace(made, performance=msgspec.structs.replace(made.performance, opinions=opinions))
    counts = [(one.k, one.n) for what in (ALARM, ALARM_KIN, MISS) for one in risks(found, what)]
    assert counts == [(8, 925), (8, 10), (2, 11)]
    assert risks(found, ALARM)[0].upper95 == pytest.approx(0.0155, abs=1e-4)
    assert risks(made, ALARM_KIN) == []
    assert {*HARD.values(), *RELATIONS.values(), STUDENT, "fine-tune and base"} >= KIN


def test_recorded_answers_are_not_said_to_be_asked() -> None:
    """Questions asked and answers looked up are counted apart."""
    live = words(render_html(build(retrospective=False), COMPLIANCE))
    assert "questions answered" in live and "looked up" not in live
    assert "recorded answers looked up" in words(render_html(build(retrospective=True), COMPLIANCE))


@pytest.mark.slow
@pytest.mark.parametrize("many", [1, 5])
@pytest.mark.parametrize("waivers", [0, 7])
def test_summary_has_two_pages(many: int, waivers: int) -> None:
    """However many suspects, references, waivers and long names there are, the summary has two pages, and an end."""
    suspects, references = tuple(f"S{i}" for i in range(many)), tuple(f"R{i}" for i in range(many))
    findings = studied(calibrated(suspects=suspects, references=references, exhibits=0))
    if many > 1:
        findings = msgspec.structs.replace(findings, title="A very long title " * 40, authority="x" * 2_000)
    rows = tuple(
        msgspec.convert({**_waiver(), "id": f"W{i}", "reason": "word " * 200, "owner": "o" * 300}, Waiver)
        for i in range(waivers)
    )
    printed = render_pdf(findings, Setting(flavour="compliance", annex=Annex(waivers=rows)))
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(printed.pdf)).pages]
    assert printed.pages == len(pages) == 2
    assert "End of summary" in pages[1]
    assert "page 2 of 2" in pages[1]


@pytest.mark.slow
def test_a_second_half_that_is_too_long_begins_on_the_first_page() -> None:
    """Questions to the vendor and failed checks of quality are more than a page: there are still two."""
    check = Check(
        name="share of questions answered", model="a model of a long name", limit="80%", seen="3", passed=False
    )
    findings = with_verdicts(studied(calibrated(exhibits=0)), *("indication",) * 3)
    findings = msgspec.structs.replace(findings, quality=(check,) * 9)
    assert render_pdf(findings, COMPLIANCE).pages == 2
    assert b'<section class="fresh">' in render_html(findings, COMPLIANCE)


def test_failed_quality_checks_are_named_in_one_line() -> None:
    """The summary names what failed, and says nothing of checks where all passed."""
    checks = tuple(
        Check(name=name, model=model, limit="at least 80%", seen="3 of 9", passed=passed)
        for name, model, passed in (("self-test", "", False), ("answered", "S1", False), ("answered", "R1", True))
    )
    setting = Setting(flavour="compliance")
    page = words(render_html(msgspec.structs.replace(build(), quality=checks), setting))
    assert "Failed checks of quality: self-test, answered S1." in re.sub(r" (?=[,.])", "", page)
    passed = words(render_html(msgspec.structs.replace(build(), quality=checks[2:]), setting))
    assert "Failed checks" not in passed


def test_summary_says_nothing_that_it_may_not() -> None:
    """No forbidden word, no script, and the line that it needs an expert."""
    for verdicts in (("no indication",) * 3, ("indication",) * 3, ("inconclusive",) * 3):
        page = render_html(with_verdicts(studied(calibrated()), *verdicts), COMPLIANCE)
        assert not violations(words(page))
        assert "Not for use as evidence without a sponsoring expert" in words(page)
        assert "script" not in outline(page).tags


def test_hostile_names_change_nothing() -> None:
    """Title, authority, names and waivers are text."""
    findings = msgspec.structs.replace(build(), title=HOSTILE[:1_000], authority=HOSTILE)
    bad = msgspec.convert({**_waiver(), "reason": HOSTILE[:900], "owner": HOSTILE[:200]}, Waiver)
    setting = Setting(flavour="compliance", annex=Annex(waivers=(bad,)))
    seen = outline(render_html(findings, setting))
    assert not {"script", "img", "a"} & set(seen.tags)
    assert render_pdf(findings, setting).pages == 2


def _waiver() -> dict[str, object]:
    import tomllib

    found = tomllib.loads(WAIVER)["waiver"][0]
    assert isinstance(found, dict)
    return found


def test_waivers_are_shown_and_change_no_outcome(tmp_path: Path) -> None:
    """A waiver stands beside its finding with owner and expiry; the outcome and the number stay."""
    (tmp_path / annexes.WAIVERS).write_text(WAIVER)
    added = annexes.read(tmp_path)
    findings = with_verdicts(build(), "no indication", "no indication", "indication")
    text = words(render_html(findings, Setting(flavour="compliance", annex=added)))
    assert "supplier management" in text and "2026-12-31" in text and "in force" in text
    assert OUTCOMES[1] in text
    assert [one.numbers for one in waived(findings, added.waivers)] == [(3,)]
    late = msgspec.structs.replace(findings, last_asked="2027-01-01T00:00:00Z")
    assert [one.state for one in waived(late, added.waivers)] == ["expired"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('owner = "supplier management"\n', ""),
        ("expires = 2026-12-31", 'expires = "soon"'),
        ('id = "W1"', 'id = "W1"\nhides = true'),
        ("[[waiver]]", "[[waivers]]"),
        ("reason", "= reason"),
        ('id = "W1"', f"id = {'9' * 5000}"),
    ],
)
def test_waivers_are_read_strictly(tmp_path: Path, old: str, new: str) -> None:
    """A missing owner, a date that is none, an unknown key or broken TOML is an error that names the file."""
    (tmp_path / annexes.WAIVERS).write_text(WAIVER.replace(old, new, 1))
    with pytest.raises(CaseError, match=r"waivers\.toml"):
        annexes.read(tmp_path)


def test_a_waiver_stands_once(tmp_path: Path) -> None:
    """Two waivers with one id are refused."""
    (tmp_path / annexes.WAIVERS).write_text(WAIVER * 2)
    with pytest.raises(CaseError, match="twice"):
        annexes.read(tmp_path)


def test_junit_tells_review_open_and_error_apart() -> None:
    """Review is a failure, inconclusive is skipped with its reason, nothing scored is an error."""
    findings = with_verdicts(build(), "no indication", "inconclusive", "indication")
    told = tuple(NotScored(detector=name, reason="too few") for name in ("phrases", "wording"))
    broken = msgspec.structs.replace(findings.findings[0], results=(), not_scored=told)
    findings = msgspec.structs.replace(findings, findings=(broken, *findings.findings[1:]), title=HOSTILE)
    suite = ElementTree.fromstring(machine_readable.junit(findings, Annex()))  # noqa: S314 - ours
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped", "errors")} == {
        "tests": "3",
        "failures": "1",
        "skipped": "1",
        "errors": "1",
    }
    assert [case.get("name") for case in suite if case.find("failure") is not None] == ["distilled"]
    assert [error.get("message") for error in suite.iter("error")] == ["too few"]


def test_data_holds_every_number() -> None:
    """The CSV tables have one row for each control and ratio, and text that begins a formula is quoted."""
    findings = calibrated()
    named = dict(machine_readable.files(findings, Annex()))
    assert set(named) == set(machine_readable.NAMES)
    rows = named["controls.csv"].decode().splitlines()
    assert len(rows) == 1 + sum(
        1 + len(r.reference_side) + len(r.suspect_side) for f in findings.findings for r in f.results
    )
    assert len(named["ratios.csv"].decode().splitlines()) == 1 + sum(len(f.ratios) for f in findings.findings)
    made = json.loads(named["compliance.json"])
    assert made["outcome"] in OUTCOMES
    assert {row["framework"] for row in made["mapping"]} >= {"NIST AI RMF 1.0", "Regulation (EU) 2024/1689 (AI Act)"}
    formula = msgspec.structs.replace(findings.findings[0].ratios[0], reason="=cmd()")
    one = msgspec.structs.replace(findings.findings[0], ratios=(formula,))
    assert "'=cmd()" in machine_readable.ratios(msgspec.structs.replace(findings, findings=(one,))).decode()


def test_published_schema_is_current() -> None:
    """docs/findings.schema.json is the schema of the records; `make schema` writes it."""
    path = Path(__file__).parents[2] / "docs" / "findings.schema.json"
    assert path.read_bytes() == machine_readable.schema(), "run make schema"
    assert json.loads(path.read_bytes())["$defs"]["Findings"]["additionalProperties"] is False


def test_the_ratio_that_is_printed_is_against_the_alternative_that_its_column_names() -> None:
    """Against an unrelated model, or none at all: one against another alternative is not put in its place."""
    found = calibrated(questions=("distilled",))
    page = words(render_html(found, COMPLIANCE))
    assert "LR against unrelated, nearer end" in page
    assert "3.20" in page
    one = found.findings[0]
    other = tuple(ratio(row.against, None) if row.against == "unrelated" else row for row in one.ratios)
    without = msgspec.structs.replace(found, findings=(msgspec.structs.replace(one, ratios=other),))
    assert "21 not known not evaluated inconclusive" in words(render_html(without, COMPLIANCE))
    assert "21 not known 3.20 inconclusive" in page
    assert "power here, of p alone: distilled 0.83 (14 of 17 pairs, 9 families; lower bound 0.00)" in page.casefold()


def test_the_strongest_opinion_stands_where_one_row_has_room() -> None:
    """Where the page has room for few findings, an indication is among them, before a relation of lower number."""
    findings = with_verdicts(
        studied(calibrated(exhibits=0)), "relation, kind not resolved", "inconclusive", "indication"
    )
    rows = render._summary(findings, COMPLIANCE, 1)["rows"]
    assert [(row["number"], row["finding"].opinion.verdict) for row in rows] == [(3, "indication")]


def test_a_ratio_that_a_bound_holds_is_said_to_be_bounded() -> None:
    """The summary calls a clipped ratio bounded, as the court report does, and rounds it towards 1."""
    findings = calibrated(questions=("distilled",))
    held = ratio(value=6.855, low=6.855, high=6.855)
    one = msgspec.structs.replace(findings.findings[0], ratios=(held,))
    page = words(render_html(msgspec.structs.replace(findings, findings=(one,)), COMPLIANCE))
    assert "bounded: 6.85" in page
    assert "6.86" not in page
