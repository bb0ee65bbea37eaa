"""Each diagnostic is quiet where its premise holds, fires where it fails, and says so where it could not be made."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec import UNSET
from numpy.typing import NDArray

from depose.lineup.blind_classifier import READERS, scores
from depose.lineup.diagnostics import diagnose
from depose.lineup.opened import OpenedLineup
from depose.lineup.rank_test import opened, rank_sum
from depose.model.lineup import Bag, Context, LineupKey, LineupPlan, Opened, ScoreTable, Turn

WORDS = ["river", "stone", "lamp", "wheel", "garden", "paper", "silver", "winter", "north", "bread"]
CODES = ("S1", "R1", "C1", "C2", "C3", "N1")
Change = Callable[[str, int, bool], float]
"""What is added to a score of a model, by the number of the bag and whether the member was delivered."""


def line_up(
    change: Change = lambda code, row, given: 0.0,
    spoil: Callable[[str, bool], str] = lambda text, given: text,
    bags: int = 300,
    seed: int = 6,
    **plan: Any,
) -> OpenedLineup:
    """Make an opened line-up: two thirds accused before and after the cut-off, a sixth matched, a sixth for nobody."""
    rng = np.random.default_rng(seed)
    made, entries = [], []
    tables: dict[str, list[tuple[float, ...]]] = {code: [] for code in CODES}
    for row in range(bags):
        given = int(rng.integers(4))
        texts = [spoil(" ".join(rng.choice(WORDS, size=9)) + f" {one}", one == given) for one in range(4)]
        turn = Turn(role="user", content=f"Question {row}?")
        made.append(Bag(bag=f"b{row}", context=Context(messages=(turn,)), members=tuple(texts)))
        group: Any = ("accused", "accused", "accused", "accused", "matched", "withheld")[row % 6]
        entries.append(
            Opened(
                bag=f"b{row}",
                copies=(1,) * 4,
                received=tuple(int(one == given) for one in range(4)),
                times=tuple((1 + row % 3) * (one == given) for one in range(4)),
                group=group,
                tier="resampled",
                delivered_at="2026-06-01T00:00:00Z" if row % 6 == 3 else "2026-03-01T00:00:00Z",
                accounts=(f"A{row % 17}",),
                snapshot="r-1",
                drawn_at="",
            )
        )
        shared = rng.normal(size=4)
        for code in CODES:
            noise = shared + rng.normal(size=4)
            tables[code].append(tuple(float(noise[one]) + change(code, row, one == given) for one in range(4)))
    settings = {
        "accounts": ("A",),
        "chosen_by": "the logs",
        "sampling": "all",
        "controls": ("C1", "C2", "C3"),
        "snapshots": ("N1",),
        "cutoff": "2026-05-01",
    } | plan
    return OpenedLineup(
        plan=msgspec.convert(settings, LineupPlan),
        suspects=("S1",),
        reference="R1",
        bags=tuple(made),
        key=LineupKey(format="depose-lineup-key/1", salt=f"{seed:064x}", bags="0" * 64, entries=tuple(entries)),
        tables={
            code: ScoreTable(model=code, statistic="likelihood", bags="0" * 64, facts=(), scores=tuple(rows))
            for code, rows in tables.items()
        },
        minus="R1",
    )


def failed(found: OpenedLineup) -> set[str]:
    """Name the diagnostics that fail."""
    return {one.name for one in diagnose(found, "S1") if one.passed is False}


def test_a_line_up_that_is_what_it_should_be_passes_all() -> None:
    """With a suspect that learnt, D1 to D7 pass: it is no control, and none of its traces is taken for one."""
    found = diagnose(line_up(lambda code, row, given: 2.0 * given * (code == "S1") * (row % 6 < 3)), "S1")
    assert [one.name for one in found] == [f"D{n}" for n in range(1, 9)]
    assert {one.name: one.passed for one in found if one.name != "D8"} == {f"D{n}": True for n in range(1, 8)}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("D1", lambda code, row, given: 0.8 * given * (code in CODES)),
        ("D3", lambda code, row, given: 1.2 * given * (code == "C2")),
        ("D4", lambda code, row, given: 2.5 * given * (code == "S1" and row % 6 == 5)),
        ("D5", lambda code, row, given: 2.5 * given * (code == "S1" and row % 6 == 4)),
        ("D6", lambda code, row, given: 2.5 * given * (code == "S1" and row % 6 == 3)),
        ("D7", lambda code, row, given: 1.2 * given * (code == "N1")),
    ],
)
def test_each_fires_on_its_own_failure(name: str, change: Change) -> None:
    """A shift that only this premise forbids fails this diagnostic and no other one."""
    assert failed(line_up(change, bags=600)) == {name}


@pytest.mark.parametrize("effect", [0.8, 0.1])
def test_what_is_taken_off_is_a_control_too(effect: float) -> None:
    """A model that learnt the fillers and is taken off makes an innocent suspect of its kind prefer what was delivered.

    Taught ever so little it ranks the members as chance does by itself, and not once the reference is taken off.
    """
    found = line_up(bags=600)
    near = {
        code: msgspec.structs.replace(
            found.tables["R1"],
            model=code,
            scores=tuple(
                tuple(
                    one + 0.05 * float(rng.normal()) + taught * (not given)
                    for one, given in zip(row, entry.received, strict=True)
                )
                for row, entry in zip(found.tables["R1"].scores, found.entries, strict=True)
            ),
        )
        for code, taught, rng in (("B", effect, np.random.default_rng(1)), ("S1", 0.0, np.random.default_rng(2)))
    }
    changed = replace(found, tables={**found.tables, **near}, minus="B")
    assert "D1" in failed(changed)
    apart = {code: table for code, table in changed.tables.items() if code != "R1"}
    assert ("D1" in failed(replace(changed, tables=apart))) == (effect > 0.5)
    honest = replace(found, minus="C1")
    assert "D1" not in failed(honest) and diagnose(honest, "S1")[0].seen.count("area") == 3
    assert (
        diagnose(replace(honest, tables={c: t for c, t in found.tables.items() if c != "R1"}), "S1")[0].passed is None
    )


def test_older_models_together_have_an_interval() -> None:
    """D3 prints how far from chance the pool of controls may lie: one half is in it here, and not where they lean."""
    for lean, held in ((0.0, True), (1.5, False)):
        made = line_up(lambda code, row, given, lean=lean: lean * given * (code in ("C1", "C2", "C3")))  # type: ignore[misc]
        found = re.search(r"all of them: area ([.0-9]+) \(([.0-9]+) to ([.0-9]+)\), p = ", diagnose(made, "S1")[2].seen)
        assert found is not None
        area, low, high = map(float, found.groups())
        assert low < area < high
        assert (low <= 0.5 <= high) == held


def test_what_ranks_below_chance_fails_too() -> None:
    """A control under which deliveries rank too low is as little uniform as one under which they rank too high."""
    assert failed(line_up(lambda code, row, given: -1.2 * given * (code == "C2"), bags=600)) == {"D3"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text, given: text + "\n" * given,
        lambda text, given: text.replace("river", "River") if given else text,
        lambda text, given: text if given else text.replace("lamp", "lantern"),
        lambda text, given: text[: -3 * (not given) or None],
    ],
)
def test_the_blind_classifier_finds_what_the_log_did_to_the_text(spoil: Callable[[str, bool], str]) -> None:
    """A line break, a capital, a word, a cut end that only one kind of answers has fails D2."""
    assert "D2" in failed(line_up(spoil=spoil, bags=600))


def cut(found: OpenedLineup, share: float, delivered: float) -> OpenedLineup:
    """Say of so large shares of fillers and of deliveries that they were cut by length; texts stay."""
    rng, entries = np.random.default_rng(8), []
    for one in found.entries:
        said: Any = tuple(
            ("cut_length" if rng.random() < (delivered if given else share) else "whole",) for given in one.received
        )
        entries.append(msgspec.structs.replace(one, ended=said if len(set(said)) > 1 else UNSET))
    return replace(found, key=msgspec.structs.replace(found.key, entries=tuple(entries)))


def test_fillers_of_another_length_are_seen_by_how_they_ended() -> None:
    """Fillers cut more often than what was delivered fail D2 though no text shows it; cut alike, they pass."""
    whole = line_up(bags=600)
    assert "D2" not in failed(whole)
    assert "D2" in failed(cut(whole, 0.4, 0.1))
    assert "D2" not in failed(cut(whole, 0.3, 0.3))
    d2 = diagnose(cut(whole, 0.4, 0.1), "S1")[1]
    assert "how it ended" in d2.seen and "how it ended" not in diagnose(whole, "S1")[1].seen


@pytest.mark.slow
def test_the_blind_classifier_is_exact_under_the_null() -> None:
    """Over 80 keys of random texts the upper p of each reader is at or below .05 in no more than 9 % of them."""
    low = 0
    for seed in range(80):
        rng = np.random.default_rng(seed)
        texts = [[" ".join(rng.choice(WORDS, size=5)) for _ in range(4)] for _ in range(40)]
        delivered = np.zeros((40, 4), dtype=bool)
        delivered[np.arange(40), rng.integers(4, size=40)] = True
        low += sum(
            10 ** rank_sum(opened(scores(texts, delivered, read), delivered)).log10_p <= 0.05
            for read in READERS.values()
        )
    assert low <= 0.09 * 240


def test_what_was_not_scored_has_its_reason() -> None:
    """Without controls, snapshots, cut-off and enough bags each says why it was not made, and none fails."""
    found = line_up(bags=30, controls=(), snapshots=(), cutoff="")
    told = {one.name: one for one in diagnose(found, "S1")}
    assert all(told[name].passed is None and told[name].reason for name in ("D3", "D5", "D6", "D7"))
    assert told["D3"].reason == "0 of the 3 models that it needs were scored"


def test_a_control_under_two_codes_is_one() -> None:
    """Three codes of one model are one model, and D3 is not made of it."""
    found = line_up()
    same = {code: msgspec.structs.replace(found.tables["C1"], model=code) for code in ("C1", "C2", "C3")}
    told = diagnose(replace(found, tables={**found.tables, **same}), "S1")[2]
    assert (told.passed, told.reason) == (None, "1 of the 3 models that it needs were scored")


@pytest.mark.parametrize(
    ("released", "passed"),
    [("2026-02", True), ("2025", True), ("unknown", True), ("2026-03", True), ("2026-04", None), ("2027", None)],
)
def test_a_control_that_is_younger_than_the_deliveries_is_none(released: str, passed: bool | None) -> None:
    """One that the case dates after the first delivery may have learnt it, and counts for nothing."""
    assert diagnose(replace(line_up(), released={"C2": released}), "S1")[2].passed is passed


def test_a_control_that_tells_nothing_apart_holds_nothing() -> None:
    """A model with one score for all, as where it refused to answer, is no proof that the premise holds."""
    found = line_up()
    flat = msgspec.structs.replace(found.tables["C2"], scores=((0.0,) * 4,) * len(found.bags))
    tables = {**found.tables, "C2": flat, "R1": msgspec.structs.replace(flat, model="R1")}
    told = {one.name: one for one in diagnose(replace(found, tables=tables), "S1")}
    assert (told["D3"].passed, told["D3"].reason) == (None, "2 of the 3 models that it needs tell 20 line-ups apart")
    assert told["D1"].passed is None


def test_more_deliveries_with_higher_ranks_support_and_never_block() -> None:
    """D8 is true where ranks rise with the number of deliveries, and nothing where they do not."""
    rising = line_up(lambda code, row, given: 1.5 * (row % 3) * given * (code == "S1"))
    assert diagnose(rising, "S1")[7].passed is True
    falling = diagnose(line_up(lambda code, row, given: -1.5 * (row % 3) * given * (code == "S1")), "S1")[7]
    assert (falling.passed, falling.blocking) == (None, False)


def test_order_and_place_change_nothing() -> None:
    """Members in another order within their bags give the same p, but for the classifier, which reads texts alone."""
    first = line_up()
    turned = OpenedLineup(
        plan=first.plan,
        suspects=first.suspects,
        reference=first.reference,
        bags=tuple(msgspec.structs.replace(one, members=one.members[::-1]) for one in first.bags),
        key=msgspec.structs.replace(
            first.key,
            entries=tuple(
                msgspec.structs.replace(
                    one, copies=one.copies[::-1], received=one.received[::-1], times=one.times[::-1]
                )
                for one in first.entries
            ),
        ),
        tables={
            code: msgspec.structs.replace(one, scores=tuple(row[::-1] for row in one.scores))
            for code, one in first.tables.items()
        },
        minus=first.minus,
    )
    told: list[list[tuple[str, NDArray[Any] | float | None]]] = [
        [(one.name, one.p) for one in diagnose(found, "S1") if one.name != "D4"] for found in (first, turned)
    ]
    assert told[0] == told[1]


def test_cached_answers_that_stand_for_many_deliveries_are_stopped() -> None:
    """Ten stored answers in all contexts, each with an ending of its own: few acts look like many, and D2 tells."""
    stored = [" ".join(np.random.default_rng(n).permutation(WORDS)[:6]) for n in range(10)]
    count = iter(range(10**6))

    def cached(text: str, given: bool) -> str:
        return f"{stored[next(count) % 10]} and {text.split()[-1]}" if given else text

    told = {one.name: one for one in diagnose(line_up(spoil=cached), "S1")}
    assert told["D2"].passed is False
