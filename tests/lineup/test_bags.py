"""Bags: every rule treats the draws of a context alike, what does not fit is counted or stops the build."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from msgspec import UNSET, UnsetType
from scipy.stats import kstest

import line_ups
from depose.errors import CaseError
from depose.lineup import inputs
from depose.lineup.bags import Built
from depose.lineup.rank_test import opened, rank_sum
from depose.model.canonical import sha256
from line_ups import SALT, of_rows, tallied


def test_order_of_members_says_nothing() -> None:
    """The delivered member stands at every place about as often, and at another one under another salt."""
    delivered, decoys = line_ups.rows(400)
    places = [[one.received.index(1) for one in of_rows(delivered, decoys, salt).entries] for salt in (SALT, b"t" * 32)]
    assert min(np.bincount(places[0], minlength=4)) > 60
    assert places[0] != places[1]


def test_rows_in_any_order_give_the_same_bags() -> None:
    """Neither file's order of rows changes bags or key."""
    delivered, decoys = line_ups.rows(30, fillers=6)
    assert of_rows(delivered, decoys) == of_rows(delivered[::-1], decoys[::-1])


def skewed(rng: np.random.Generator, bags: int) -> tuple[list[Any], list[Any], dict[str, float]]:
    """Draw answers of which one is far more likely than the others, all from one distribution."""
    texts, chances = ["yes", "maybe so", "no", "not at all"], np.array([0.7, 0.15, 0.1, 0.05])
    delivered, decoys = line_ups.rows(bags)
    for row in (*delivered, *decoys):
        row["text"] = str(rng.choice(texts, p=chances))
        row.pop("text_sha256", None)
    return delivered, decoys, dict(zip(texts, np.log(chances).tolist(), strict=True))


def p_of(found: Built, likes: dict[str, float], *, forget: bool) -> float:
    """Test a suspect that prefers likely texts and learnt nothing, with or without the number of equal draws."""
    scores = np.full((len(found.bags), 4), np.nan)
    keys = np.zeros((len(found.bags), 4), dtype=bool)
    for row, (bag, entry) in enumerate(zip(found.bags, found.entries, strict=True)):
        copies = [1] * len(bag.members) if forget else entry.copies
        drawn = np.repeat([likes[text] for text in bag.members], copies)
        scores[row, : len(drawn)] = drawn
        starts = np.cumsum([0, *copies])
        keys[row, starts[next(place for place, received in enumerate(entry.received) if received)]] = True
    return float(10 ** rank_sum(opened(scores, keys)).log10_p)


def test_equal_draws_keep_their_number() -> None:
    """A suspect that prefers likely texts has uniform p; with equal draws forgotten it would seem to have learnt."""
    rng = np.random.default_rng(11)
    right, wrong = [], []
    for _ in range(80):
        delivered, decoys, likes = skewed(rng, 60)
        found = of_rows(delivered, decoys)
        right.append(p_of(found, likes, forget=False))
        wrong.append(p_of(found, likes, forget=True))
    # ties make p a step function above the uniform one; it must not lie below
    assert np.mean(np.array(right) <= 0.05) <= 0.1
    assert kstest(right, "uniform", alternative="greater").pvalue > 0.01
    assert np.mean(np.array(wrong) <= 0.05) > 0.3


def test_a_cached_answer_is_one_random_act() -> None:
    """Deliveries of one draw count once; without the name of the draw only the first delivery counts."""
    delivered, decoys = line_ups.rows(1)
    again = [delivered[0] | {"delivery_id": f"c{n}", "delivered_at": "2026-03-20T00:00:00Z"} for n in range(50)]
    found = of_rows([*again, *delivered], decoys)
    assert (sum(found.entries[0].received), sum(found.entries[0].times)) == (1, 1)
    assert tallied(found)["further deliveries of a context without the name of their draw, left out"] == 50
    named = [row | {"draw_id": "x"} for row in (*delivered, *again)]
    found = of_rows(named, decoys)
    assert (sum(found.entries[0].received), sum(found.entries[0].times)) == (1, 51)


def test_several_delivered_in_a_bag() -> None:
    """Two draws of one context are two delivered members."""
    delivered, decoys = line_ups.rows(1, draw_id="x")
    other = delivered[0] | {"delivery_id": "e", "draw_id": "y", "text": "another one", "text_sha256": ""}
    assert sum(of_rows([*delivered, other], decoys).entries[0].received) == 2


def test_a_draw_is_one_text() -> None:
    """One name of a draw for two texts stops the build."""
    delivered, decoys = line_ups.rows(1, draw_id="x")
    other = delivered[0] | {"delivery_id": "e", "text": "another one", "text_sha256": ""}
    with pytest.raises(CaseError, match="draw 'x' stands for two texts"):
        of_rows([*delivered, other], decoys)


def test_text_unlike_its_digest_is_dropped_and_counted() -> None:
    """A delivered text that is not byte-identical to the digest of the log is dropped and counted."""
    delivered, decoys = line_ups.rows(300)
    delivered[0]["text"] += " "
    found = of_rows(delivered, decoys)
    assert tallied(found)["deliveries whose text has not the digest of the log, dropped"] == 1
    assert len(found.bags) == 299


def test_contexts_that_do_not_match_stop_the_build() -> None:
    """More than one in a hundred contexts in one file alone stop the build, either way; fewer are counted."""
    delivered, decoys = line_ups.rows(200)
    assert tallied(of_rows(delivered, decoys[6:]))["contexts without a decoy"] == 2
    with pytest.raises(CaseError, match="3 of 200 contexts stand in one of the two files alone"):
        of_rows(delivered, decoys[9:])
    with pytest.raises(CaseError, match="0 without a decoy, 3 never delivered"):
        of_rows(delivered[3:], decoys)


def test_no_filler_no_test() -> None:
    """Without a single filler there is nothing to test, and the build says what to do."""
    delivered, decoys = line_ups.rows(20)
    low = [row | {"tier": "drifted"} for row in decoys]
    with pytest.raises(CaseError, match="M = 0") as caught:
        of_rows(delivered, low)
    assert "depose lineup draw" in caught.value.hint


def test_all_draws_one_text_is_left_out() -> None:
    """A context whose draws are all one text carries nothing, and is left out by a rule that needs no key."""
    delivered, decoys = line_ups.rows(5)
    for row in decoys[:3]:
        row["text"] = delivered[0]["text"]
    found = of_rows(delivered, decoys)
    assert len(found.bags) == 4
    assert tallied(found)["bags in which all draws are one text, left out"] == 1


def test_accounts_are_those_registered() -> None:
    """Other accounts are counted and left out; an account under another group than registered is an error."""
    delivered, decoys = line_ups.rows(300)
    delivered[0]["account_code"] = "Z9"
    with pytest.raises(CaseError, match="'A1' is accused by the case, and matched in the file"):
        of_rows([*delivered, delivered[1] | {"delivery_id": "x", "account_group": "matched"}], decoys)
    assert tallied(of_rows(delivered, decoys))["deliveries to other accounts"] == 1


def test_a_row_without_a_group_has_that_of_its_account() -> None:
    """The case says whose accounts are matched; rows need not say it again."""
    delivered, decoys = line_ups.rows(4, account="B1")
    also, beside = line_ups.rows(4, start=10)
    rows = [{name: value for name, value in row.items() if name != "account_group"} for row in (*delivered, *also)]
    found = of_rows(rows, [*decoys, *beside])
    assert sorted(one.group for one in found.entries) == ["accused"] * 4 + ["matched"] * 4
    assert found == of_rows([*delivered, *also], [*decoys, *beside])


def test_deliveries_of_another_group_are_not_fillers() -> None:
    """A context that both groups asked is one bag: of two, what they share would show who is who."""
    delivered, decoys = line_ups.rows(2)
    twin = delivered[0] | {
        "delivery_id": "m", "account_code": "B1", "account_group": "matched", "text": "mine", "text_sha256": ""
    }  # fmt: skip
    found = of_rows([*delivered, twin], decoys)
    assert len(found.bags) == 2
    assert all("mine" not in one.members for one in found.bags)


def test_more_than_registered_is_drawn_by_name() -> None:
    """Of more contexts and decoys than registered some are drawn; another text in a decoy changes no choice."""
    delivered, decoys = line_ups.rows(50, fillers=8)
    found = of_rows(delivered, decoys, bags=20)
    assert len(found.bags) == 20
    assert {len(one.members) for one in found.bags} == {4}
    changed = [row | {"text": row["text"] + " x"} for row in decoys]
    assert [one.bag for one in of_rows(delivered, changed, bags=20).bags] == [one.bag for one in found.bags]


def test_stored_otherwise_is_the_same_text() -> None:
    """Line ends and blanks around a text, which the log keeps and a file of decoys may not, are made equal."""
    delivered, decoys = line_ups.rows(1)
    delivered[0] |= {"text": "one\r\ntwo \r\n", "text_sha256": sha256(b"one\r\ntwo \r\n")}
    decoys[0]["text"] = "one\ntwo"
    entry = of_rows(delivered, decoys).entries[0]
    assert max(entry.copies) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"texts": "x"}, "row 1: Object contains unknown field `texts`"),
        ({"messages": []}, "row 1: has no messages"),
        ({"messages": "[{"}, "row 1: messages is no JSON"),
        ({"account_code": ""}, "row 1: has no account_code"),
        ({"delivered_at": "yesterday"}, "row 1: delivered_at is no time: 'yesterday'"),
        ({"context_sha256": "0" * 64}, "row 1: context_sha256 is not the digest of its messages and tools"),
        ({"text": 5}, "row 1: Expected `str`, got `int`"),
        ({"account_group": "guilty"}, "row 1: Invalid enum value 'guilty'"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """A row that is none is an error that names file and row."""
    file = line_ups.written(tmp_path, "d.jsonl", [line_ups.rows(1)[0][0] | change])
    with pytest.raises(CaseError) as caught:
        inputs.deliveries(file)
    assert message in caught.value.message
    assert str(file) in caught.value.message


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]}, "join the parts of a message"),
        ({"messages": [{"role": "assistant", "content": None}]}, "write calls of tools as the JSON that was sent"),
        ({"messages": [{"role": "developer", "content": "x"}]}, "write developer as system, in both files"),
        ({"decoy_id": "x"}, "these look like rows of the other file: deliveries are asked for"),
        ({"prompt": "x"}, "its fields: docs/reference/files/line-up.md"),
    ],
)
def test_rows_of_other_tools_have_a_next_step(tmp_path: Path, change: dict[str, Any], hint: str) -> None:
    """What logs of providers hold otherwise, and swapped files, are told how to be written."""
    file = line_ups.written(tmp_path, "d.jsonl", [line_ups.rows(1)[0][0] | change])
    with pytest.raises(CaseError) as caught:
        inputs.deliveries(file)
    assert hint in caught.value.hint


def test_null_is_nothing_in_jsonl_as_in_parquet(tmp_path: Path) -> None:
    """An export that writes null for what it does not know says no more than one that leaves it out."""
    row = line_ups.rows(1)[0][0]
    (plain,), (null,) = (
        inputs.deliveries(line_ups.written(tmp_path, name, [row | more]))[0]
        for name, more in (("a.jsonl", {}), ("b.jsonl", {"finish_reason": None, "stack_id": None, "draw_id": None}))
    )
    assert plain == null


def test_files_that_are_none(tmp_path: Path) -> None:
    """Torn JSON, a row that stands twice, an empty file, Parquet that is none, and no file at all are errors."""
    delivered, decoys = line_ups.rows(1)
    for name, text, message in (
        ("torn.jsonl", json.dumps(delivered[0])[:-5], "row 1 is no JSON object"),
        ("twice.jsonl", 2 * (json.dumps(delivered[0]) + "\n"), "row 2: delivery_id 'd0' stands twice"),
        ("empty.jsonl", "\n", "holds no row"),
        ("none.parquet", "PAR1", "none.parquet: "),
        ("deep.jsonl", '{"messages": ' + "[" * 100_000 + "]" * 100_000 + "}\n", "row 1 is no JSON object"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(CaseError) as caught:
            inputs.deliveries(tmp_path / name)
        assert message in caught.value.message
    with pytest.raises(CaseError, match="No such file"):
        inputs.decoys(tmp_path / "gone.jsonl")
    with pytest.raises(CaseError, match="context_sha256 is not a SHA-256"):
        inputs.decoys(line_ups.written(tmp_path, "c.jsonl", [decoys[0] | {"context_sha256": "abc"}]))


def test_deliveries_to_nobody_in_question_are_not_taken_for_missing_fillers() -> None:
    """Where no row is to an account of the case the error counts them and names the accounts; M = 0 has its counts."""
    delivered, decoys = line_ups.rows(3)
    with pytest.raises(CaseError, match=r"no delivery can be taken: .*deliveries to other accounts: 3") as caught:
        of_rows([row | {"account_code": "Z"} for row in delivered], decoys)
    assert "A1, A2, B1" in caught.value.hint
    with pytest.raises(CaseError, match=r"M = 0.*decoys of a lower tier than registered, left out: 9"):
        of_rows(delivered, [row | {"tier": "resampled"} for row in decoys])


def test_decoys_may_say_their_context_as_deliveries_do(tmp_path: Path) -> None:
    """Rows with the messages that they answer are those with its digest; a wrong digest, or neither, is refused."""
    delivered, decoys = line_ups.rows(2)
    said = {row["context_sha256"]: row for row in decoys}
    plain = inputs.decoys(line_ups.written(tmp_path, "c.jsonl", decoys))[0]
    contexts = {row.context_sha256: one["messages"] for one, row in zip(delivered, plain[::3], strict=True)}
    spelt = [
        {name: value for name, value in row.items() if name != "context_sha256"}
        | {"messages": contexts[row["context_sha256"]]}
        for row in decoys
    ]
    assert inputs.decoys(line_ups.written(tmp_path, "m.jsonl", spelt))[0] == plain
    both = [row | {"context_sha256": old["context_sha256"]} for row, old in zip(spelt, decoys, strict=True)]
    assert inputs.decoys(line_ups.written(tmp_path, "b.jsonl", both))[0] == plain
    other = next(name for name in said if name != both[0]["context_sha256"])
    with pytest.raises(CaseError, match="row 1: context_sha256 is not the digest of its messages"):
        inputs.decoys(line_ups.written(tmp_path, "w.jsonl", [both[0] | {"context_sha256": other}]))
    with pytest.raises(CaseError, match="row 1: says of no context that it answers it"):
        inputs.decoys(line_ups.written(tmp_path, "n.jsonl", [spelt[0] | {"messages": []}]))


def test_parquet_says_the_same(tmp_path: Path) -> None:
    """Rows in Parquet, with messages nested or as JSON in a string, are the rows in JSONL."""
    delivered, _ = line_ups.rows(3)
    plain = inputs.deliveries(line_ups.written(tmp_path, "d.jsonl", delivered))[0]
    for name, rows in (
        ("nested.parquet", delivered),
        ("flat.parquet", [row | {"messages": json.dumps(row["messages"]), "tools": "[]"} for row in delivered]),
    ):
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / name)
        assert inputs.deliveries(tmp_path / name)[0] == plain


def test_how_draws_ended_goes_into_the_key_where_all_rows_say_it() -> None:
    """In whatever words, delivered draws first; nothing where a row is silent, or all ended alike."""
    delivered, decoys = line_ups.rows(1)
    words = ["max_tokens", "stop", "eos"]
    said = [row | {"finish_reason": word} for row, word in zip(decoys, words, strict=True)]
    given = delivered[0] | {"finish_reason": "end_turn"}
    (entry,) = of_rows([given], said).entries
    (bag,) = of_rows([given], said).bags
    assert entry.ended == tuple((("cut_length" if one == said[0]["text"] else "whole"),) for one in bag.members)
    twin = [said[0] | {"text": given["text"]}, *said[1:]]
    both = of_rows([given], twin).entries[0].ended
    assert not isinstance(both, UnsetType)
    assert ("whole", "cut_length") in both
    for rows, decoyed in (([delivered[0]], said), ([given], [decoys[0], *said[1:]]), ([given], said[1:])):
        assert of_rows(rows, decoyed).entries[0].ended is UNSET
