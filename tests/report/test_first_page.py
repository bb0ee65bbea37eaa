"""The first page: after it alone a reader knows what was asked, what was found, how sure, and on what it rests."""

from __future__ import annotations

import msgspec

from depose.analysis.opinion import decide
from depose.model import Document, Finding, Findings, NullPair, NullPairs, Opinion, Ratio
from depose.report import facts, first_page, standards
from depose.report.render import render_html
from grounds import GOOD
from reports import build, ratio, words


def stated(*ratios: Ratio, verdict: str = "indication", assumption: str = "") -> Finding:
    """Take an invented finding on `distilled` with these ratios."""
    one = build(questions=("distilled",)).findings[0]
    opinion = Opinion(verdict=verdict, reasons=(), assumption=assumption)  # type: ignore[arg-type]
    without = Opinion(verdict="relation, kind not resolved", reasons=("kind",))
    return msgspec.structs.replace(one, ratios=ratios, opinion=opinion, opinion_without=without)


NONE = msgspec.structs.replace(ratio("common teacher"), value=None, low=None, high=None, words="", reason="too few")


def test_how_strongly_is_said_against_one_alternative_each() -> None:
    """Each ratio with its alternative in plain words and its interval or bound; what is not evaluated; no word."""
    held = ratio("same base, other teacher", value=6.9, low=6.9, high=6.9)
    assert first_page.how_strongly(stated(ratio(), held, NONE)) == (
        "How strongly: if it is so, what was seen is 5.10 (3.20 to 6.80) times more probable than for a model without "
        "a relation; 6.90 (held to a bound) times more probable than for a model on the same base with another teacher "
        "(likelihood ratios; 1 tells nothing). No ratio against all causes: a student of a third model that taught "
        "both is not evaluated."
    )
    assert first_page.how_strongly(stated(ratio())).endswith(
        " than for a model without a relation (likelihood ratios; 1 tells nothing). No ratio against all causes: "
        "others are not evaluated."
    )
    assert first_page.how_strongly(stated(NONE)) == ""
    assert "How strongly" in first_page.means(stated(ratio()))
    assert "How strongly" not in first_page.means(stated(ratio(), verdict="inconclusive"))


def test_an_opinion_that_rests_on_a_document_says_so_where_it_stands() -> None:
    """The exhibit and the opinion without it; nothing where nothing is assumed."""
    document = Document(exhibit="D1", model="R1", says="R1 learnt alone", file="l.pdf", sha256="e" * 64, source="R Inc")
    rests = stated(ratio(), assumption="R1 learnt alone (exhibit D1)")
    said = first_page.means(rests, (document,))
    assert said.endswith("Assumed: what exhibit D1 says of R1; without it the opinion is: relation, kind not resolved.")
    assert "Assumed" not in first_page.means(stated(ratio()), (document,))


def test_all_that_is_not_met_stands_on_the_first_page() -> None:
    """The opinion names the step of the rule that failed first; later ones are said behind it."""
    grounds = msgspec.structs.replace(GOOD, era=False, p_length_matched=0.2, in_range=False)
    one = msgspec.structs.replace(stated(ratio()), grounds=grounds, opinion=decide(grounds))
    assert first_page.means(one) == (
        "No answer either way: the controls are not of the years of the two, or a date is not known. Not met either: "
        "the result is not there at equal length; the case lies outside of what was validated."
    )
    good = msgspec.structs.replace(one, grounds=GOOD, opinion=decide(GOOD))
    assert "Not met either" not in first_page.means(good)


def test_p_stands_on_the_first_page_with_its_floor_and_over_all_findings() -> None:
    """At the floor that is said; p over all findings stands where it is another."""
    one = build(questions=("same",)).findings[0]
    [result, *_] = one.results
    least = msgspec.structs.replace(result, p=one.floor, p_holm=one.floor)
    found = msgspec.structs.replace(one, results=(least, *one.results[1:]), p_family=4 * one.floor)
    said = first_page.by_chance(found, 4).replace("\N{NO-BREAK SPACE}", " ")
    assert said == f"p 0.0417, the least that {one.k} controls allow; over all 4 findings 0.167."
    plain = msgspec.structs.replace(found, p_family=one.floor)
    assert "over all" not in first_page.by_chance(plain, 1)
    assert first_page.by_chance(msgspec.structs.replace(one, results=()), 1) == ""


def paired() -> Findings:
    """Take two findings with every two of their controls."""
    pair = NullPair(left="C01-falcon", right="C02-mpt", value=1.9, p=1 / 24, ratio=3.0)
    nulls = NullPairs(
        n=253, at_alpha=7, as_close=3, largest=1.9, rated=253, mean_ratio=0.58, as_large=1, pairs=(pair, pair)
    )
    made = build(questions=("same", "distilled"))
    return msgspec.structs.replace(
        made, findings=tuple(msgspec.structs.replace(one, null_pairs=nulls) for one in made.findings)
    )


def test_pairs_of_controls_are_counted_in_one_sentence() -> None:
    """Of findings with as many pairs each every count stands with its findings; equal counts stand once."""

    def counted(findings: Findings, *rows: tuple[int, int]) -> Findings:
        changed = tuple(
            msgspec.structs.replace(one, null_pairs=msgspec.structs.replace(one.null_pairs, at_alpha=a, as_close=c))
            for one, (a, c) in zip(findings.findings, rows, strict=True)
            if one.null_pairs
        )
        return msgspec.structs.replace(findings, findings=changed)

    assert facts.of_nulls(counted(paired(), (7, 0), (10, 3))) == [
        "Of 253 pairs of controls in the place of the two, so many had p at or below 0.05 (were at least as close), by "
        "finding: 7 (none) in 1, 10 (3) in 2."
    ]
    three = msgspec.structs.replace(paired(), findings=(*paired().findings, paired().findings[1]))
    [said] = facts.of_nulls(counted(three, (7, 0), (10, 3), (10, 3)))
    assert said.endswith(": 7 (none) in 1, 10 (3) in 2 and 3.")
    assert facts.of_nulls(build()) == []


def test_the_first_page_leaves_out_what_says_least() -> None:
    """Of nine findings the last is an indication: it stands there, pair by pair, and what is left out is counted."""
    found = build(suspects=("S1", "S2", "S3"))
    verdicts = ["inconclusive"] * 5 + ["no indication", "relation, kind not resolved", "inconclusive", "indication"]
    opinions = [Opinion(verdict=one, reasons=()) for one in verdicts]  # type: ignore[arg-type]
    made = msgspec.structs.replace(
        found,
        findings=tuple(
            msgspec.structs.replace(one, opinion=said) for one, said in zip(found.findings, opinions, strict=True)
        ),
    )
    shown = first_page.answers(made)
    assert {6, 7, 9} < {one.number for one in shown}
    assert len(shown) == first_page.ROWS
    assert [one.suspect for one in shown] == sorted(one.suspect for one in shown)
    assert first_page.left_out(made) == "Not on this page: 3 more findings (3 inconclusive)"
    assert first_page.left_out(build()) == ""


def test_p_over_several_references_says_so() -> None:
    """None of the controls is as close, and p is twice its floor: why stands beside it."""
    one = build(questions=("same",)).findings[0]
    result = msgspec.structs.replace(one.results[0], p=one.floor, p_holm=2 * one.floor)
    found = msgspec.structs.replace(one, results=(result, *one.results[1:]), p_family=None)
    said = first_page.by_chance(found, 2, references=2).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "p 0.0834, adjusted over 2 references."
    page = words(render_html(build(references=("R1", "R2"))))
    assert "adjusted over 2 references" in page


def test_one_finding_has_one_p_on_every_page() -> None:
    """What is adjusted over references, and what is not, stands beside each: no number is read as another."""
    made = build(questions=("same",), references=("R1", "R2"))
    two = tuple(
        msgspec.structs.replace(
            one, results=(msgspec.structs.replace(one.results[0], p=3 * one.floor, p_holm=6 * one.floor),), without=()
        )
        for one in made.findings
    )
    text = words(render_html(msgspec.structs.replace(made, findings=two)))
    assert "p = 0.125 with floor 0.0417, adjusted over the references 0.250" in text.replace("\N{NO-BREAK SPACE}", " ")
    alone = tuple(
        msgspec.structs.replace(one, results=(msgspec.structs.replace(one.results[0], p_holm=one.results[0].p),))
        for one in two
    )
    assert "with floor 0.0417, adjusted" not in words(render_html(msgspec.structs.replace(made, findings=alone)))


def test_too_few_controls_are_counted_beside_those_needed() -> None:
    """Twenty-three controls are too few for two references, and the first page says how many would do."""
    one = build(questions=("same",)).findings[0]
    few = msgspec.structs.replace(one, opinion=Opinion(verdict="inconclusive", reasons=("controls",)), k_needed=39)
    assert first_page.means(few) == f"No answer either way: too few independent controls ({one.k_eff}, needed 39)."
    reached = msgspec.structs.replace(few, k_needed=19)
    assert first_page.means(reached) == "No answer either way: too few independent controls."


def test_equal_files_are_not_said_to_be_something_else() -> None:
    """Where digests answer `same`, no score does, and what it does not mean is not that the files are equal."""
    one = build(questions=("same",)).findings[0]
    equal = msgspec.structs.replace(one, opinion=Opinion(verdict="indication", reasons=("files_equal",)))
    [row] = first_page.answers(msgspec.structs.replace(build(questions=("same",)), findings=(equal,)))
    assert row.seen.startswith("Digests of files decide, and no score. Of 23 models")
    assert row.means == "Every recorded file of weights is the same on both sides."
    assert row.means_not == "Not whose files came first, and not how they came there."


def test_a_case_without_controls_does_not_count_none_of_them() -> None:
    """Where nothing stands beside the two, the first page says what that means."""
    made = build(questions=("same",), controls=())
    bare = tuple(msgspec.structs.replace(one, excluded=()) for one in made.findings)
    page = words(render_html(msgspec.structs.replace(made, findings=bare)))
    assert "No other model stands beside them as a control, so that" in page
    assert "Beside them stand 25 other models as controls" in words(render_html(build()))


def test_ratios_of_one_size_are_said_once() -> None:
    """Two alternatives whose ratios stand at one bound share the number, each named."""
    held = ratio(value=6.9, low=6.9, high=6.9), ratio("same base, other teacher", value=6.9, low=6.9, high=6.9)
    assert first_page.how_strongly(stated(*held)).count("6.90 (held to a bound)") == 1
    assert "than for a model without a relation or than for a model on the same base" in first_page.how_strongly(
        stated(*held)
    )


def test_controls_that_no_comparison_uses_are_not_counted_for_it() -> None:
    """Where the rules leave fewer controls than stand beside the two, the first page says how many each has."""
    made = build()
    fewer = tuple(msgspec.structs.replace(one, k=one.k - 2) for one in made.findings)
    said = "each comparison uses those alone that the rules leave it"
    used = sorted({one.k for one in fewer})
    page = words(render_html(msgspec.structs.replace(made, findings=fewer)))
    assert f"{said} ({', '.join(map(str, used))})." in page
    everyone = len({code for one in made.findings for code in (*one.controls, *(e.model for e in one.excluded))})
    full = tuple(msgspec.structs.replace(one, k=everyone) for one in made.findings)
    assert said not in words(render_html(msgspec.structs.replace(made, findings=full)))


def test_few_controls_are_no_pairs_that_were_not_called() -> None:
    """Where no pair can reach alpha, none that did is no result: page 1, the table and the standards say so."""
    made = paired()
    few = tuple(msgspec.structs.replace(one, floor=0.25, k=3) for one in made.findings)
    [said] = facts.of_nulls(msgspec.structs.replace(made, findings=few))
    assert said == (
        "Of 253 pairs of controls in the place of the two 3 are at least as close; with so few controls no pair can "
        "have p at or below 0.05 (findings 1, 2)."
    )
    assert "too few for any to reach alpha" in standards._tested(msgspec.structs.replace(made, findings=few))
    assert "at the most 7 of 253 pairs reached alpha" in standards._tested(made)
