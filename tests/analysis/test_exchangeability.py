"""Is the pair like its controls? Conditions that say no, counts by name and by likeness, and what documents carry."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import UNSET

from depose.analysis.analyze import analyze
from depose.analysis.documents import documents, least, opinions
from depose.analysis.exchangeability import examine, p_lineages, parameters, rows
from depose.analysis.scored_bags import Bench
from depose.features.extract import Features
from depose.model import Against, Document, Exchangeability, Fact, ModelSpec, Peculiar, Protocol, Ratio
from depose.statistics.era import era
from depose.statistics.lineage import choose
from dossiers import CONTROLS, dossier, quiet, spec
from grounds import GOOD
from studies import result

BAG = ("S1", "R1", *(one.code for one in CONTROLS))


def seen(suspect: dict[str, Any], reference: dict[str, Any], controls: dict[str, Any], **more: Any) -> dict[str, bool]:
    """Compare a pair with its controls: name of each condition, and whether the pair lies inside."""
    specs: dict[str, ModelSpec] = {"S1": spec("S1", "suspect", **suspect), "R1": spec("R1", "reference", **reference)}
    specs |= {one.code: msgspec.structs.replace(one, **controls) for one in CONTROLS}
    dates = era(specs["S1"].released, specs["R1"].released, {code: specs[code].released for code in BAG[2:]})
    found = Exchangeability(era=dates, k_by_name=20, k_by_likeness=20, clades=(), peculiar=(), subsets=None)
    made = rows(msgspec.structs.replace(found, **more), specs, BAG, Protocol())
    return {one.name: one.inside for one in made}


def test_a_pair_like_its_controls_is_inside_everywhere() -> None:
    """Nothing stands out where dates, route and settings are the same; what is not stated has no row."""
    asked = {"temperature": 0.7, "max_tokens": 200}
    assert seen(asked, asked, asked) == {"release dates": True, "route": True, "sampling settings": True}


@pytest.mark.parametrize(
    ("suspect", "controls", "outside"),
    [
        ({"released": "2023-01"}, {"released": "2020-01"}, "release dates"),
        ({"released": "unknown"}, {}, "release dates"),
        ({"provider": "openai"}, {}, "route"),
        ({"temperature": 1.3}, {}, "sampling settings"),
        ({"max_tokens": 20}, {}, "sampling settings"),
        ({"system": "Be brief."}, {}, "sampling settings"),
        ({"size": "70B"}, {"size": "7B"}, "size"),
        ({"language": "ja"}, {"language": "en"}, "language"),
        ({"tuning": "reasoning"}, {"tuning": "instruct"}, "tuning"),
    ],
)
def test_each_thing_in_which_the_suspect_stands_out_is_a_row_that_says_no(
    suspect: dict[str, Any], controls: dict[str, Any], outside: str
) -> None:
    """One difference, one condition that is not met."""
    asked = {"temperature": 0.7, "max_tokens": 200}
    given = seen({**asked, **suspect}, asked, {**asked, **controls})
    assert [name for name, inside in given.items() if not inside] == [outside]


@pytest.mark.parametrize(
    ("suspect", "controls", "said"),
    [
        ({}, {}, "not stated of S1, R1 and 20 of 20 controls, whose answers are recorded; else temperature 0.7 and"),
        ({"provider": "openai"}, {}, "not stated of R1 and 20 of 20 controls, whose"),
        ({}, {"file": "pack:free"}, "not stated of S1, R1, whose"),
        ({"temperature": 0.2}, {"temperature": 0.2, "max_tokens": 64}, "outside: temperature, max_tokens ("),
    ],
)
def test_how_recorded_answers_were_asked_is_not_taken_from_the_protocol(
    suspect: dict[str, Any], controls: dict[str, Any], said: str
) -> None:
    """Nobody knows it unless the case file states it; a row that knows nothing decides nothing, and never says yes."""
    specs = {"S1": spec("S1", "suspect", **suspect), "R1": spec("R1", "reference")}
    specs |= {one.code: msgspec.structs.replace(one, **controls) for one in CONTROLS}
    dates = era(specs["S1"].released, specs["R1"].released, {code: specs[code].released for code in BAG[2:]})
    found = Exchangeability(era=dates, k_by_name=20, k_by_likeness=20, clades=(), peculiar=(), subsets=None)
    [row] = [one for one in rows(found, specs, BAG, Protocol()) if one.name == "sampling settings"]
    assert row.case.startswith(said)
    assert not row.inside
    assert row.decides is said.startswith("outside")


def test_a_live_suspect_beside_nineteen_live_controls_is_inside() -> None:
    """Controls asked live, by any provider, are counted."""
    assert seen({"provider": "openai"}, {}, {"provider": "anthropic"})["route"]


@pytest.mark.parametrize(("ranks", "inside"), [((1, 1), False), ((1, 2), True), ((9, 1), True)])
def test_both_more_peculiar_than_every_control_is_outside(ranks: tuple[int, int], inside: bool) -> None:
    """One exchangeable side is enough."""
    found = tuple(
        Peculiar(model=code, value=2.0, rank=rank, of=21) for code, rank in zip(("S1", "R1"), ranks, strict=True)
    )
    assert seen({}, {}, {}, peculiar=found)["peculiarity"] is inside


@pytest.mark.parametrize(
    ("size", "number"), [("7B", 7e9), ("135M", 135e6), ("8x22B", 176e9), ("1.8 T", 1.8e12), ("large", None), ("", None)]
)
def test_sizes_are_read_as_makers_write_them(size: str, number: float | None) -> None:
    """Millions, billions, mixtures; anything else is not compared."""
    assert parameters(size) == (pytest.approx(number) if number else None)


@pytest.mark.parametrize(
    ("sizes", "said"), [(("135M", "135M"), "135M"), (("135M", "1.8T"), "135M to 1.8T"), (("7B", "8x22B"), "7B to 176B")]
)
def test_sizes_of_controls_are_written_as_makers_write_them(sizes: tuple[str, str], said: str) -> None:
    """No reader of a report is given 1.35e+08."""
    specs = {"S1": spec("S1", "suspect", size="7B"), "R1": spec("R1", "reference")}
    specs |= {one.code: msgspec.structs.replace(one, size=sizes[n % 2]) for n, one in enumerate(CONTROLS)}
    dates = era(specs["S1"].released, specs["R1"].released, {code: specs[code].released for code in BAG[2:]})
    found = Exchangeability(era=dates, k_by_name=20, k_by_likeness=20, clades=(), peculiar=(), subsets=None)
    [row] = [one for one in rows(found, specs, BAG, Protocol()) if one.name == "size"]
    assert row.validated == f"{said} parameters, those of the controls"


def test_controls_that_are_copies_of_each_other_count_once_whatever_they_are_called() -> None:
    """Six names on one stock of words: 20 lineages by name, fewer by likeness, and the smaller count is used."""
    copies = {one.code: "C0" for one in CONTROLS[1:6]}
    case = dossier([spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS], copies)
    bench, specs = Bench(case, Features(), quiet), {one.code: one for one in case.registration.case.models}
    bench.result(BAG, "phrases", "same")
    chosen = choose(specs["S1"], specs["R1"], CONTROLS, "same")
    found = examine(bench, specs, BAG, chosen, "phrases")
    assert found.k_by_name == 20
    assert found.k_by_likeness == found.k_eff < 19
    assert {code for clade in found.clades for code in clade.models} <= {f"C{n}" for n in range(6)}
    assert found.subsets is not None
    assert found.subsets.draws == 1_000


@pytest.mark.parametrize("how", ["refuses", "is silent"])
def test_controls_that_say_nothing_do_not_fill_up_the_count(how: str) -> None:
    """Twenty names, ten of which refuse or hardly answer, are ten lineages, however close the copy of the reference."""
    case = dossier([spec("S1", "suspect"), spec("R1", "reference"), *CONTROLS], {"S1": "R1"})
    mute = {one.code for one in CONTROLS[10:]}
    said = [
        msgspec.structs.replace(one, text=f"I'm sorry, but I can't help with {one.model}.")
        if one.model in mute and how == "refuses"
        else one
        for one in case.transcripts
        if not (one.model in mute and how == "is silent" and int(one.prompt[1:]) % 10)
    ]
    found = analyze(msgspec.structs.replace(case, transcripts=tuple(said)), Features(), quiet).findings.findings[0]
    stood = found.exchangeability
    assert stood is not None
    assert set(stood.mute or ()) == mute
    assert (stood.k_by_name, found.k) == (20, 20)
    assert stood.k_eff == found.k_eff == stood.k_by_likeness
    assert stood.k_eff <= 10
    assert "controls" in found.opinion.reasons
    plain = analyze(case, Features(), quiet).findings.findings[0].exchangeability
    assert plain is not None
    assert plain.mute is UNSET
    assert plain.k_by_likeness == 20


@pytest.mark.parametrize(
    ("released", "row"), [("2022-01", "0 of 20; suspect 2025-01"), ("", "; not dated: C0, C1, C10, C11")]
)
def test_controls_of_another_time_or_of_none_give_no_opinion(released: str, row: str) -> None:
    """The copy of the reference stands at the floor, and the opinion is `inconclusive (era)` all the same."""
    old = [msgspec.structs.replace(one, released=released) for one in CONTROLS]
    case = dossier([spec("S1", "suspect"), spec("R1", "reference"), *old], {"S1": "R1"})
    found = analyze(case, Features(), quiet).findings.findings
    assert all("era" in one.opinion.reasons for one in found)
    (dates,) = [one for one in found[0].conditions if one.name == "release dates"]
    assert row in dates.case and not dates.inside


# --- documents --------------------------------------------------------------------------------------


def ratio(against: str, low: float | None, *, excluded: bool = False) -> Ratio:
    """Make a ratio of which only the conservative end matters."""
    numbers = dict.fromkeys(("value", "high", "uncapped", "cap", "bottom", "elub_low", "elub_high"))
    more = {"reached": 0, "lineages": 20, "words": "", "reason": ""}
    return msgspec.convert({"against": against, "low": low, "excluded": excluded, **numbers, **more}, Ratio)


def test_an_opinion_that_rests_on_a_document_names_it_and_stands_beside_the_one_without() -> None:
    """With the document `indication`, without it the kind is not resolved; without a document there is one opinion."""
    held = [ratio("unrelated", 3.0), ratio("same base", 2.0), ratio("common teacher", None, excluded=True)]
    document = Document(exhibit="D1", model="R1", says="R1 learnt alone", file="l.pdf", sha256="0" * 64, source="R Inc")
    both = opinions(GOOD, held, document)
    assert both.opinion.verdict == "indication"
    assert both.opinion.assumption == "R1 learnt alone (exhibit D1, l.pdf, handed in with the case)"
    assert both.without is not None
    assert both.without.verdict == "relation, kind not resolved"
    assert opinions(GOOD, held, None).without is None
    assert (least(held), least(held, documents=False)) == (2.0, None)


def test_a_document_that_changes_nothing_is_no_assumption() -> None:
    """Where the answers carry the opinion by themselves, it rests on no paper."""
    held = [ratio("unrelated", 3.0), ratio("common teacher", 2.5, excluded=True)]
    document = Document(exhibit="D1", model="R1", says="R1 learnt alone", file="l.pdf", sha256="0" * 64, source="R Inc")
    both = opinions(GOOD, held, document)
    assert both.opinion.assumption == ""
    assert both.without == both.opinion


def test_documents_are_numbered_with_their_digests() -> None:
    """Each file named by `untaught` is an exhibit, hashed at registration; a bare claim is none."""
    specs = [spec("S1", "suspect"), spec("R1", "reference", untaught="a.pdf", source="x"), spec("R2", "reference")]
    case = dossier(specs, {})
    files = (Fact(name="a.pdf", value="f" * 64),)
    case = msgspec.structs.replace(case, registration=msgspec.structs.replace(case.registration, files=files))
    assert [(one.exhibit, one.model, one.sha256) for one in documents(case)] == [("D1", "R1", "f" * 64)]


@pytest.mark.parametrize(
    ("above", "k_eff", "p_holm", "seen"),
    [(1, 21, 2 / 41, 2 / 22), (1, 21, 4 / 41, None), (0, 21, 1 / 41, None), (1, 40, 2 / 41, None)],
)
def test_p_is_counted_in_lineages_too(above: int, k_eff: int, p_holm: float, seen: float | None) -> None:
    """40 controls of 21 lineages, one above the pair: .049 by controls, .091 by lineages; else nothing is said."""
    scores = [Against(model=f"C{n}", value=5.0 if n < above else 0.0) for n in range(40)]
    made = msgspec.structs.replace(
        result(3.0), value=3.0, p=2 / 41, p_holm=p_holm, reference_side=tuple(scores), suspect_side=tuple(scores)
    )
    stood = Exchangeability(
        era=era("2025-01", "2025-01", {}), k_by_name=k_eff, k_by_likeness=k_eff, clades=(), peculiar=(), subsets=None
    )
    found = p_lineages(made, stood, 0.05)
    assert found == (msgspec.UNSET if seen is None else pytest.approx(seen))
    assert p_lineages(None, stood, 0.05) is msgspec.UNSET
