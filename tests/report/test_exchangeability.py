"""What the report says of the controls: every model, both counts, documents, registry, other registrations."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from depose.model import (
    ControlChoice,
    Document,
    Eligible,
    Exchangeability,
    Findings,
    InLedger,
    Opinion,
    Peculiar,
    PinnedPack,
    Represented,
    Subsets,
)
from depose.report.exchangeability import covariates, others, strata
from depose.report.expert import joined
from depose.report.render import Setting, render_html
from depose.report.vocabulary import violations
from depose.statistics.era import era
from reports import build, own_words, words

EXAMINED = Exchangeability(
    era=era("2025-03", "2025-04", {f"C{n}": "2025-03" if n % 2 else "2022-01" for n in range(23)}),
    k_by_name=23,
    k_by_likeness=21,
    clades=msgspec.convert(({"models": ("C01-falcon", "C02-mpt", "C03-dolly"), "t": 2.5},), tuple[Any, ...]),
    peculiar=(Peculiar(model="S1", value=1.4, rank=3, of=24), Peculiar(model="R1", value=1.1, rank=9, of=24)),
    subsets=Subsets(size=19, draws=1_000, at_alpha=412, p_low=0.05, p_median=0.1, p_high=0.3),
)


def examined(**more: Any) -> Findings:
    """Take invented findings whose controls were examined; half of them are of the pair's years and asked live."""
    made = build()
    examined_ = msgspec.structs.replace(EXAMINED, clades=())
    items = tuple(
        msgspec.structs.replace(
            one, released="2025-03" if n % 2 or n < 2 else "2022-01", size="7B", retrospective=n % 2 == 0
        )
        for n, one in enumerate(made.items)
    )
    findings = tuple(msgspec.structs.replace(one, exchangeability=examined_) for one in made.findings)
    return msgspec.structs.replace(made, items=items, findings=findings, **more)


def test_both_counts_the_dates_the_ranks_and_the_subsets_stand_in_the_report() -> None:
    """One row for each finding: K by name and by likeness, near in time and too few of them, ranks, subsets."""
    page = words(render_html(examined()))
    assert "23 21 none 11 of 23, too few S1 3 of 24, R1 9 of 24 412 of 1000 0.0500 to 0.300" in page
    assert "Choice of controls. Named in the case by whoever made it" in page
    assert "Of a lineage of several controls the one listed first stands for it." in page  # nothing was drawn
    assert "registered without a key, so that nothing here tells how many others were" in page
    assert "Scores by stratum of the controls" in page


def test_models_of_which_the_same_is_known_share_a_row() -> None:
    """Role, date, size, route and settings part them; nothing else does."""
    rows = covariates(examined().items)
    assert sum(len(row.codes) for row in rows) == len(examined().items)
    assert len({(row.role, row.item.released, row.item.retrospective) for row in rows}) == len(rows)


def test_strata_part_the_controls_of_a_finding_by_time_and_route() -> None:
    """Every control stands in one stratum; alike controls make one stratum, and no figure."""
    one = examined()
    parts = strata(one, one.findings[0], one.findings[0].results[0])
    assert sum(len(part.reference_side) for part in parts) == len(one.findings[0].controls)
    assert {part.name for part in parts} == {"of the years of the pair, asked live", "of other years, recorded"}
    same = msgspec.structs.replace(
        one, items=tuple(msgspec.structs.replace(item, released="", retrospective=True) for item in one.items)
    )
    assert len(strata(same, one.findings[0], one.findings[0].results[0])) == 1


def test_no_two_parts_of_the_page_use_one_name() -> None:
    """What one part gathers cannot be printed in the place of what another did."""
    assert joined({"a": 1}, {"b": 2}) == {"a": 1, "b": 2}
    with pytest.raises(ValueError, match="use the names b"):
        joined({"a": 1, "b": 2}, {"b": 3})


def ledger(count: int) -> InLedger:
    """Make an entry in a ledger."""
    line = {"format": "f", "seq": count - 1, "prev": "0" * 64, "at": "2026-01-01T00:00:00Z", "protocol": "1" * 64}
    return msgspec.convert(
        {"key": "ab" * 32, "line": line, "signature": "00", "head": "cd" * 32, "count": count}, InLedger
    )


@pytest.mark.parametrize("count", [1, 3, 1_000])
def test_p_is_adjusted_for_every_registration_of_the_key(count: int) -> None:
    """Number and head are printed, p is multiplied by the number and never above 1, and a sentence stays blank."""
    one = examined(ledger=ledger(count))
    page = words(render_html(one))
    assert f"This protocol is registration {count} of the key abababababababab" in page
    assert "Whoever had the case made swears in section 24 to what else was registered or tried." in page
    assert page.count("so many protocols were registered or tried") == 1
    for row in others(one):
        assert row.adjusted == pytest.approx(min(1.0, row.p * count))
    assert others(examined()) == []


def test_a_document_is_an_exhibit_and_the_opinion_without_it_stands_beside() -> None:
    """The assumption is in the summary, with what follows if it does not hold."""
    document = Document(
        exhibit="D1", model="R1", says="R1 learnt alone", file="l.pdf", sha256="ef" * 32, source="R Inc"
    )
    made = examined(documents=(document,))
    with_ = Opinion(verdict="indication", reasons=(), assumption="R1 learnt alone (exhibit D1)")
    without = Opinion(verdict="relation, kind not resolved", reasons=("kind",))
    findings = tuple(
        msgspec.structs.replace(one, opinion=with_, opinion_without=without) if n == 2 else one
        for n, one in enumerate(made.findings)
    )
    page = words(render_html(msgspec.structs.replace(made, findings=findings)))
    assert "assuming that R1 learnt alone (exhibit D1); without it relation, kind not resolved" in page
    assert "Without it the opinion of finding 3 is relation, kind not resolved (kind) instead of indication" in page


def test_who_chose_the_controls_and_who_stands_for_a_lineage_is_printed() -> None:
    """From a pack with models named beside it, with a lineage of several."""
    pack = PinnedPack(name="lab", version="2", sha256="ab" * 32, signer="cd" * 32)
    rows = (Represented(lineage="one set", models=("C02", "C01")),)
    made = examined(chosen=ControlChoice(by="pack", pack=pack, by_hand=("C02",), lineages=rows))
    page = words(render_html(made))
    assert "All models of the control pack lab 2 (SHA-256 abababababab… , signed by the key cdcdcdcdcdcd… )" in page
    assert "Besides them, or in their place, the party named C02." in page
    assert "the seed 7, typed by the party, draws which one stands for it" in page
    assert "one set 2 C02, C01" in page


def test_the_registry_is_printed_with_who_was_left_out_and_why() -> None:
    """Drawn models and each reason with its models."""

    def one(code: str, reason: str = "") -> Eligible:
        known = {"code": code, "name": code, "data_lineage": code, "released": "2025"}
        return Eligible(**known, eligible=not reason, drawn=not reason, reason=reason)

    page = words(render_html(examined(pool=(one("C1"), one("C2"), one("X1", "of the developer of the suspect")))))
    assert "drawn 2 C1, C2 of the developer of the suspect 1 X1" in page


def test_the_compliance_summary_states_years_and_registrations() -> None:
    """It says how many controls are of the years of the two, and where the registration stands, if a key tells."""
    one = examined(ledger=ledger(3))
    stood = one.findings[0].exchangeability
    assert stood
    page = words(render_html(one, Setting(flavour="compliance")))
    assert f"{stood.era.near} ({stood.era.needed})" in page
    assert "this is number 3 of the key abababababababab" in page
    assert "head of its ledger cdcdcdcdcdcdcdcd" in page
    bare = words(render_html(examined(), Setting(flavour="compliance")))
    assert "registered without a key: nothing tells how many others" in bare


def test_own_words_of_the_section_avoid_what_the_method_cannot_carry() -> None:
    """The vocabulary of the report holds here as well."""
    assert not violations(own_words(render_html(examined(ledger=ledger(2)))))
