"""Which control stands for a lineage of several: a draw that nobody who lists models can steer."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from depose.analysis.analyze import analyze
from depose.case.representatives import choice, drawn, in_turn
from depose.features.extract import Features
from depose.model import Findings, PinnedPack, Registration
from depose.statistics.lineage import choose
from dossiers import CONTROLS, dossier, quiet, spec

TWINS = tuple(spec(f"T{n}", "control", data_lineage="one set") for n in range(3))
PAIR = (spec("S1", "suspect"), spec("R1", "reference"))


def test_the_draw_hangs_on_seed_and_code_alone() -> None:
    """The order of the list changes nothing, one more model moves nobody, and each of three is drawn by some seed."""
    once = drawn(TWINS, 7)
    assert drawn(tuple(reversed(TWINS)), 7) == once
    more = drawn((*TWINS, spec("A9", "control"), spec("L1", "control", repeats="T0"), *PAIR), 7)
    assert tuple(code for code in more if code != "A9") == once
    assert {drawn(TWINS, seed)[0] for seed in range(40)} == {"T0", "T1", "T2"}
    assert in_turn(("b", "a"), "seed 7") == in_turn(("a", "b"), "seed 7")


def test_each_of_a_lineage_is_drawn_equally_often() -> None:
    """Of 3,000 seeds a third each, within four standard deviations."""
    firsts = [drawn(TWINS, seed)[0] for seed in range(3_000)]
    for twin in TWINS:
        assert abs(firsts.count(twin.code) - 1_000) < 4 * np.sqrt(3_000 * 2 / 9)


def test_the_first_that_is_drawn_stands_for_its_lineage_and_the_list_keeps_its_order() -> None:
    """Not the first listed; an unclean one that is drawn first is passed over, and the reason names the draw."""
    others = [spec("C1", "control"), *TWINS, spec("C2", "control")]
    made = choose(*PAIR, others, "distilled", ("T2", "C2", "T0", "C1", "T1"))
    assert [one.code for one in made.used] == ["C1", "T2", "C2"]
    assert [one.model for one in made.excluded] == ["T0", "T1"]
    assert made.excluded[0].reason == "its lineage is represented by another control, by draw"
    taught = msgspec.structs.replace(TWINS[2], trained_on=("dev-R1",))
    assert choose(*PAIR, [*TWINS[:2], taught], "distilled", ("T2", "T0", "T1")).used == (TWINS[0],)


def analyzed(*, turned: bool) -> Findings:
    """Analyze a case of which three controls are one lineage, with its list of controls either way round."""
    controls = (*CONTROLS, *TWINS)
    made = dossier((*PAIR, *(reversed(controls) if turned else controls)), {})
    order = drawn(made.registration.case.models, 7)
    registration = msgspec.structs.replace(made.registration, drawn=order)
    return analyze(msgspec.structs.replace(made, registration=registration), Features(), quiet).findings


def test_the_order_of_the_list_changes_no_control_and_no_score() -> None:
    """Both ways round the same controls are in use, with the same T and p; without the draw they would be others."""
    one, other = analyzed(turned=False), analyzed(turned=True)
    for a, b in zip(one.findings, other.findings, strict=True):
        assert sorted(a.controls) == sorted(b.controls)
        for x, y in zip(a.results, b.results, strict=True):
            assert x.value == pytest.approx(y.value, abs=1e-9)
            assert x.p == y.p
    assert one.chosen == other.chosen
    assert one.chosen
    first = one.chosen.lineages[0].models[0]
    assert [row.models for row in one.chosen.lineages] == [drawn(TWINS, 7)]
    assert first in one.findings[0].controls
    listed = {choose(*PAIR, row, "distilled").used[0].code for row in (list(TWINS), list(reversed(TWINS)))}
    assert len(listed) == 2


def test_who_chose_is_told_from_the_protocol() -> None:
    """By hand; from a pack, with what the case lists beside it."""
    made = dossier((*PAIR, *CONTROLS), {}).registration
    by_hand = msgspec.structs.replace(made, drawn=drawn(made.case.models, 7))
    assert (choice(by_hand, "").by, choice(by_hand, "").by_hand) == ("hand", ())
    models = tuple(
        msgspec.structs.replace(one, file="x.csv" if one.code == "C3" else "packs/p-1.pack") for one in made.case.models
    )
    pack = PinnedPack(name="p", version="1", sha256="0" * 64, signer="1" * 64)
    held: Registration = msgspec.structs.replace(
        by_hand, pack=pack, case=msgspec.structs.replace(made.case, models=models)
    )
    found = choice(held, "packs/p-1.pack")
    assert (found.by, found.by_hand, found.pack) == ("pack", ("C3",), pack)
