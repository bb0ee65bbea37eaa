"""What keeps two answers out of one bag, and one random act out of two: by what rows say, alike on both sides."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import line_ups
from depose.errors import CaseError
from depose.lineup.bags import SEVERAL
from depose.lineup.comparable import UNSAID
from depose.lineup.e_process import log10_e
from depose.lineup.rank_test import opened, rank_sum
from line_ups import of_rows, tallied

LATER = {"delivered_at": "2026-04-30T00:00:00Z"}


@pytest.mark.parametrize(
    ("name", "mine", "theirs"),
    [
        ("temperature", 1.0, 0.7),
        ("top_p", 1.0, 0.9),
        ("max_tokens", 512, 256),
        ("stack_id", "h100-fp8", "a100-bf16"),
        ("filters", "citations removed", "none"),
        ("reference_snapshot", "r-1", "r-2"),
    ],
)
def test_a_decoy_of_other_settings_is_drifted(name: str, mine: Any, theirs: Any) -> None:
    """One that says so is no filler; one that says the same, or nothing of it, is one."""
    delivered, decoys = line_ups.rows(4, **{name: mine})
    for row in decoys:
        row["reference_snapshot"] = "r-1"
    for row in (row for row in decoys if row["decoy_id"].endswith("-0")):
        row[name] = theirs
    for row in (row for row in decoys if row["decoy_id"].endswith("-1")):
        row[name] = mine
    found = of_rows(delivered, decoys)
    assert all(sum(one.copies) == 3 for one in found.entries)
    assert tallied(found)["decoys of another state or other settings than what was delivered, which are drifted"] == 4
    for row in decoys:
        row[name] = theirs
    with pytest.raises(CaseError, match="M = 0") as caught:
        of_rows(delivered, decoys)
    assert "nothing exact follows" in caught.value.hint


def test_a_drifted_line_up_takes_them_and_says_so() -> None:
    """Where the case registers the tier drifted, decoys of another state are fillers, of that tier and no a better."""
    delivered, decoys = line_ups.rows(4)
    found = of_rows(delivered, [row | {"reference_snapshot": "r-2"} for row in decoys], tier="drifted")
    assert {one.tier for one in found.entries} == {"drifted"}


def test_deliveries_under_other_settings_than_the_first_are_left_out() -> None:
    """Two deliveries of one context at two temperatures are not two draws of one sampler."""
    delivered, decoys = line_ups.rows(1, draw_id="x", temperature=1.0)
    other = {"delivery_id": "e", "draw_id": "y", "text": "another one", "text_sha256": "", "temperature": 0.2}
    found = of_rows([*delivered, delivered[0] | other | LATER], decoys)
    assert sum(found.entries[0].received) == 1
    assert tallied(found)["deliveries of a context under other settings than its first one, left out"] == 1


@pytest.mark.parametrize(
    ("change", "as_if"),
    [
        ({"text": "<think>They want it short.</think>\n\nriver stone"}, "river stone"),
        ({"text": "river stone", "finish_reason": "content_filter"}, ""),
        ({"text": "river stone", "finish_reason": "tool_calls"}, ""),
        ({"text": "river stone", "finish_reason": "length"}, "river stone"),
        ({"text": " \u200b\r\n"}, ""),
    ],
    ids=["reasoning", "blocked", "tool", "cut", "empty"],
)
def test_both_sides_are_read_alike(change: dict[str, str], as_if: str) -> None:
    """A delivered answer and a decoy that are stored alike are read alike: as a draw reads what an endpoint says."""
    delivered, decoys = line_ups.rows(2)
    delivered[0] |= change | {"text_sha256": ""}
    at_delivered = of_rows(delivered, decoys)
    delivered, decoys = line_ups.rows(2)
    decoys[0] |= change
    at_decoy = of_rows(delivered, decoys)
    if as_if:
        assert any(as_if in bag.members for bag in at_delivered.bags)
        assert any(as_if in bag.members for bag in at_decoy.bags)
    else:
        assert tallied(at_delivered)["deliveries that are empty, blocked or broken off"] == 1
        assert tallied(at_decoy)["decoys that are empty, blocked or broken off"] == 1
        assert [len(found.bags) for found in (at_delivered, at_decoy)] == [1, 2]


def test_one_draw_in_many_contexts_is_one_random_act() -> None:
    """An answer that a cache gave to 40 contexts makes one line-up, that of the context that received it first.

    A suspect that happens to like it would put it first 40 times, and p would be 1e-24 for one draw of chance 1/4.
    """
    delivered, decoys = line_ups.rows(40)
    cached = [row | {"draw_id": "c", "text": "stone soup", "text_sha256": "", **LATER} for row in delivered]
    cached[7]["delivered_at"] = "2026-02-01T00:00:00Z"
    found = of_rows(cached, decoys)
    assert tallied(found)["deliveries of a draw that another context received first, left out"] == 39
    assert len(found.bags) == 1 and "Question 7?" in found.bags[0].context.messages[1].content
    scores = np.array([[float(text == "stone soup") for text in found.bags[0].members]])
    assert 10 ** rank_sum(opened(scores, scores > 0)).log10_p == pytest.approx(0.25)


def test_a_name_of_a_draw_stands_for_one_text_in_all_contexts() -> None:
    """Places in a list of choices, which begin anew in each request, are no names of draws: the build stops."""
    delivered, decoys = line_ups.rows(3, draw_id="0")
    with pytest.raises(CaseError, match="draw '0' stands for two texts") as caught:
        of_rows(delivered, decoys)
    assert "each other context" in caught.value.hint


@pytest.mark.parametrize("where", ["delivered", "decoy"])
def test_a_long_answer_of_another_bag_is_not_counted_again(where: str) -> None:
    """Of bags that hold one long answer the first by name stays, whichever side holds it; short ones may be alike."""
    long, short = "stone " * 40, "stone"
    for text, left in ((long, 1), (short, 6)):
        delivered, decoys = line_ups.rows(6)
        for row in delivered if where == "delivered" else [one for one in decoys if one["decoy_id"].endswith("-1")]:
            row |= {"text": text}
            row.pop("text_sha256", None)
        found = of_rows(delivered, decoys)
        assert len(found.bags) == left
        first = min(bag.bag for bag in found.bags)
        assert left > 1 or (first == found.bags[0].bag and tallied(found)[LEFT] == 5)


LEFT = "bags with a long answer that another bag holds too, left out"


def test_a_context_asked_a_thousand_times_has_an_exact_null_still() -> None:
    """Of more delivered draws than the exact null takes some are left out at random, by their names alone."""
    delivered, decoys = line_ups.rows(1)
    rng = np.random.default_rng(3)
    many = [
        delivered[0] | {"delivery_id": f"e{n}", "draw_id": f"x{n}", "text": line_ups.answer(rng), "text_sha256": ""}
        for n in range(1_000)
    ]
    found = of_rows(many, decoys)
    assert sum(found.entries[0].received) == SEVERAL
    assert of_rows(many[::-1], decoys) == found
    assert tallied(found)[f"delivered draws of a context beyond {SEVERAL}, left out at random"] == 1_000 - SEVERAL


def test_line_ups_of_nobody_in_question_are_not_built() -> None:
    """Matched accounts alone, or deliveries after the cut-off alone, could never be tested: the build says so."""
    delivered, decoys = line_ups.rows(30, account="B1")
    with pytest.raises(CaseError, match="no line-up is of an account in question: nothing can be tested"):
        of_rows(delivered, decoys)
    delivered, decoys = line_ups.rows(30)
    with pytest.raises(CaseError, match="no line-up is of an account in question up to 2026-02-01"):
        of_rows(delivered, decoys, cutoff="2026-02-01")


@pytest.mark.parametrize("side", ["delivered", "decoys"])
def test_a_setting_that_one_side_alone_names_is_counted(side: str) -> None:
    """A temperature of the decoys alone is a drift that is neither known nor excluded: the report counts it."""
    delivered, decoys = line_ups.rows(2)
    for row in delivered if side == "delivered" else decoys:
        row["temperature"] = 0.7
    assert tallied(of_rows(delivered, decoys))[UNSAID] == 6
    for row in (*delivered, *decoys):
        row["temperature"] = 0.7
    assert UNSAID not in tallied(of_rows(delivered, decoys))


def test_an_answer_that_was_asked_for_again_is_no_second_random_act() -> None:
    """Draws of one request count together; those of a later one, and what was kept of it, do not."""
    delivered, decoys = line_ups.rows(1, draw_id="x")
    together = delivered[0] | {"delivery_id": "e", "draw_id": "y", "text": "another one", "text_sha256": ""}
    later = delivered[0] | {"delivery_id": "f", "draw_id": "z", "text": "a third", "text_sha256": ""} | LATER
    kept = [row | {"decoy_id": f"later {n}", "drawn_at": LATER["delivered_at"]} for n, row in enumerate(decoys)]
    for tier, fillers in (("kept", 3), ("resampled", 6)):
        found = of_rows(
            [delivered[0], together, later], [row | {"tier": tier} for row in decoys + kept], tier=tier, fillers=9
        )
        assert sum(found.entries[0].received) == 2 and sum(found.entries[0].copies) == 2 + fillers
        assert tallied(found)["deliveries of draws of a later request for a context, left out"] == 1
    assert "decoys that were kept of another request for a context, left out" not in tallied(found)
    undated = [row | {"delivered_at": ""} for row in (delivered[0], together, later)]
    assert sum(of_rows(undated, decoys).entries[0].received) == 1


def test_a_draw_of_the_first_request_is_delivered_more_often_by_later_ones() -> None:
    """What a cache gave again to a later request is the same draw: it counts how often it was delivered."""
    delivered, decoys = line_ups.rows(1, draw_id="x")
    found = of_rows([delivered[0], delivered[0] | {"delivery_id": "e"} | LATER], decoys)
    assert (sum(found.entries[0].received), sum(found.entries[0].times)) == (1, 2)


def test_p_is_uniform_where_accounts_ask_again_until_an_answer_is_good() -> None:
    """Over 60 such logs p and E of a suspect that learnt nothing and likes good answers are low in few.

    With all draws that were delivered p was at most .05 in a third of such logs, and E at least 20 in a half.
    """
    low = high = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        delivered, decoys = line_ups.rows(60, start=60 * seed)
        log = []
        for n, row in enumerate(delivered):
            for minute in range(60):
                good = bool(rng.random() < 0.1)
                more = {"delivery_id": f"d{n}-{minute}", "draw_id": f"d{n}-{minute}", "text_sha256": ""}
                at = f"2026-03-01T00:{minute:02}:00Z"
                log.append(row | more | {"text": f"{good} {n} {minute} {seed}", "delivered_at": at})
                if good:
                    break
        fillers = [row | {"tier": "resampled", "text": f"{rng.random() < 0.1} {row['decoy_id']}"} for row in decoys]
        found = of_rows(log, fillers, tier="resampled")
        likes = np.full((60, 3 + SEVERAL), np.nan)
        keys = np.zeros(likes.shape, dtype=bool)
        for place, (bag, entry) in enumerate(zip(found.bags, found.entries, strict=True)):
            likes[place, : len(bag.members)] = [one.startswith("True") + _liking(seed, one) / 9 for one in bag.members]
            keys[place, : len(bag.members)] = entry.received
        ranked = opened(likes, keys)
        low += 10 ** rank_sum(ranked).log10_p <= 0.05
        high += log10_e(ranked)[-1] >= np.log10(20)
    assert low <= 9 and high <= 3  # 3 and fewer than 3 are expected


@pytest.mark.slow
def test_p_is_uniform_where_a_cache_answers_half_of_the_requests() -> None:
    """Over 150 logs in which one draw answers every second request p is low in few; counted anew each time, in many."""
    low = {True: 0, False: 0}
    for seed in range(150):
        rng = np.random.default_rng(seed)
        delivered, decoys = line_ups.rows(30, start=30 * seed)
        first = delivered[0]["text"]
        for n, row in enumerate(delivered):
            own = n > 0 and rng.random() < 0.5
            row |= {"draw_id": f"d{n}" if own or not n else "d0", "text": row["text"] if own else first}
            row |= {"text_sha256": "", "delivered_at": f"2026-03-01T00:{n:02}:00Z"}
        for named in low:
            rows = delivered if named else [row | {"draw_id": f"e{n}"} for n, row in enumerate(delivered)]
            found = of_rows(rows, decoys)
            likes = np.array([[_liking(seed, text) for text in bag.members] for bag in found.bags])
            keys = np.array([one.received for one in found.entries], dtype=bool)
            low[named] += 10 ** rank_sum(opened(likes, keys)).log10_p <= 0.05
    assert low[True] <= 15  # 7.5 are expected
    assert low[False] > 30


def _liking(seed: int, text: str) -> float:
    """How much a model that learnt nothing happens to like a text: the same wherever it stands."""
    return float(np.random.default_rng([seed, *text.encode()]).random())
