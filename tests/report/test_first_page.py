"""The first page: after it alone a reader knows what was asked, what was found, how sure, and on what it rests."""

from __future__ import annotations

import msgspec

from depose.model import Document, Finding, Findings, NullPair, NullPairs, Opinion, Ratio
from depose.report import facts, first_page
from reports import build, ratio


def stated(*ratios: Ratio, verdict: str = "indication", assumption: str = "") -> Finding:
    """Take an invented finding on `distilled` with these ratios."""
    one = build(questions=("distilled",)).findings[0]
    opinion = Opinion(verdict=verdict, reasons=(), assumption=assumption)  # type: ignore[arg-type]
    without = Opinion(verdict="relation, kind not resolved", reasons=("kind",))
    return msgspec.structs.replace(one, ratios=ratios, opinion=opinion, opinion_without=without)


NONE = msgspec.structs.replace(ratio("common teacher"), value=None, low=None, high=None, words="", reason="too few")


def test_how_strongly_is_said_in_numbers_before_the_word() -> None:
    """Each ratio with its alternative in plain words, its interval or bound, the word, and what is not evaluated."""
    held = ratio("same base, other teacher", value=6.9, low=6.9, high=6.9)
    assert first_page.how_strongly(stated(ratio(), held, NONE)) == (
        "How strongly, as a likelihood ratio: 5.10 (3.20 to 6.80) against a model without a relation; 6.90 (held by a "
        "bound) against a model on the same base with another teacher: weak support for it. Not evaluated against a "
        "student of a third model that taught both."
    )
    assert first_page.how_strongly(stated(NONE)) == ""
    assert "How strongly" in first_page.means(stated(ratio()))
    assert "How strongly" not in first_page.means(stated(ratio(), verdict="inconclusive"))


def test_an_opinion_that_rests_on_a_document_says_so_where_it_stands() -> None:
    """The exhibit and the opinion without it; nothing where nothing is assumed."""
    document = Document(exhibit="D1", model="R1", says="R1 learnt alone", file="l.pdf", sha256="e" * 64, source="R Inc")
    rests = stated(ratio(), assumption="R1 learnt alone (exhibit D1)")
    said = first_page.means(rests, (document,))
    assert said.endswith("Assumed: what exhibit D1 says of R1; without that relation, kind not resolved.")
    assert "Assumed" not in first_page.means(stated(ratio()), (document,))


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
    """Of findings with as many pairs each the counts stand side by side, in the order of the findings."""

    def counted(findings: Findings, *rows: tuple[int, int]) -> Findings:
        changed = tuple(
            msgspec.structs.replace(one, null_pairs=msgspec.structs.replace(one.null_pairs, at_alpha=a, as_close=c))
            for one, (a, c) in zip(findings.findings, rows, strict=True)
            if one.null_pairs
        )
        return msgspec.structs.replace(findings, findings=changed)

    assert facts.of_nulls(counted(paired(), (7, 0), (10, 3))) == [
        "Of 253 pairs of controls in their place, beside findings 1, 2: 7, 10 have p at or below 0.05; none, 3 are at "
        "least as close."
    ]
    assert facts.of_nulls(build()) == []
