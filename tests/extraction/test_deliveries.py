"""Deliveries of flagged accounts, as the line-up reads them."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pytest
from msgspec import UnsetType

import line_ups
from depose.case import casefile
from depose.errors import CaseError
from depose.extraction import deliveries, onward, plan, values
from depose.extraction.deliveries import delivery_of
from depose.extraction.events import Raw
from depose.extraction.sources.fields import asked
from depose.model import CaseHead
from depose.model.lineup import Delivery


def test_a_delivery_fits_the_line_up_and_claims_no_draw_of_its_own() -> None:
    """Two events may be one draw out of a cache, so that none is named after its event."""
    context = json.dumps({"system": "Be brief.", "messages": [{"role": "user", "content": "Why?"}]})
    row = (7, 9, datetime(2026, 1, 2, 3, 4, 5), "m-1", 0.7, 100, context, "Because.", "stop")
    found = msgspec.convert(delivery_of(row, "accused"), Delivery)
    assert found.draw_id == ""
    assert found.text == "Because."
    assert [one.role for one in found.messages] == ["system", "user"]


AT = datetime(2026, 1, 2, 3, 4, 5)
ACCUSED = {"0b": "G2", "0a": "G1", "0c": "G1"}
FIELDS = onward.table_of(ACCUSED, {"1a": "G1", "1b": "G2"}, "f" * 64, 500)
BARE = re.sub(r"(?m)^(accounts|chosen_by|sampling|matched) = .*\n", "", line_ups.CASE)


def bare(folder: Path, text: str = BARE) -> Path:
    """Write a case of a line-up that does not say yet whom it tests."""
    folder.mkdir()
    (folder / "case.toml").write_text(text.format(more="", limits=""))
    return folder


@pytest.mark.parametrize("head", ["[lineup]", "  [ lineup ]   # who", ""])
def test_a_line_up_gets_accounts_and_groups_of_a_scan(tmp_path: Path, head: str) -> None:
    """They stand in [lineup] as they are registered, beside what it says already; or it is made, behind the models."""
    text = BARE.replace("[lineup]\n", head + "\n") if head else re.sub(r"(?s)\[lineup\].*?(?=\[\[models)", "", BARE)
    folder = bare(tmp_path / "case", text)
    onward.into(folder, FIELDS)
    plan = casefile.read(folder).lineup
    assert not isinstance(plan, UnsetType) and plan is not None
    assert (plan.accounts, plan.matched) == (("0a", "0b", "0c"), ("1a", "1b"))
    assert plan.groups == {"G1": ("0a", "0c"), "G2": ("0b",)}
    assert "f" * 64 in plan.chosen_by
    assert "at most 500" in plan.sampling
    assert (plan.fillers, plan.tier) == ((3, "randomised") if head else (4, "resampled"))
    one = onward.table_of(dict.fromkeys(ACCUSED, "G1"), {}, "f" * 64, 500)
    assert "groups" not in onward.text_of(one)  # one group is all accounts


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (line_ups.CASE, r"\$\.lineup\.accounts: stands there already"),
        (BARE.replace("fillers", "filler"), "unknown field 'filler'"),
        (BARE.replace('title = "', 'title = """\n[lineup]\n').replace('liveries"', 'liveries"""'), "was not found"),
        (BARE.replace("[lineup]\n", ""), "was not found"),
        ("lineup = {{ fillers = 3 }}\n" + BARE[: BARE.index("[lineup]")], "was not found"),
        ("", "missing field"),
    ],
)
def test_a_case_that_cannot_take_them_is_left_as_it_is(tmp_path: Path, text: str, said: str) -> None:
    """One that says whom it tests, that is none, or whose table is not found gets nothing."""
    folder = bare(tmp_path / "case", text)
    before = (folder / "case.toml").read_bytes()
    with pytest.raises(CaseError, match=said):
        onward.into(folder, FIELDS)
    assert (folder / "case.toml").read_bytes() == before
    (folder / "evidence").mkdir()
    (folder / "evidence" / "log.jsonl").touch()
    with pytest.raises(CaseError, match="is registered, and whom it tests is fixed"):
        onward.into(folder, FIELDS)


WORDS = [{"role": "user", "content": [{"type": "text", "text": "Why?", "cache_control": {"type": "ephemeral"}}]}]


@pytest.mark.parametrize(
    ("messages", "kept"),
    [
        ("Why?", True),
        (WORDS, True),
        ([{"role": "user", "parts": [{"text": "Why?"}]}], True),
        ([{"role": "user", "parts": [{"type": "text", "content": "Why?"}]}], True),
        ([{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Why?"}]}], True),
        ([{"role": "assistant", "content": None}, *WORDS], True),
        (
            [{"role": "user", "content": [*WORDS[0]["content"], {"type": "image_url", "image_url": {"url": "u"}}]}],
            False,
        ),
        ([{"role": "user", "parts": [{"text": "Why?"}, {"inlineData": {"data": "AA=="}}]}], False),
        ([{"role": "user", "content": [{"text": "Why?"}, {"image": {"format": "png"}}]}], False),
        ([{"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]}, *WORDS], False),
        ([*WORDS, {"role": "user", "content": [{"type": "tool_result", "content": "7"}]}], False),
        ([{"role": "assistant", "content": [{"type": "thinking", "thinking": "Hm."}]}, *WORDS], False),
        ([*WORDS, {"type": "function_call_output", "output": "7"}], False),
    ],
)
def test_an_answer_to_more_than_words_is_no_delivery(messages: Any, kept: bool) -> None:
    """Fillers were drawn without the image that was answered: any model told them apart, and had learnt nothing."""
    left: Counter[str] = Counter()
    row = (7, 9, AT, "m-1", 0.7, 100, json.dumps({"messages": messages}), "Because.", "stop")
    assert bool(deliveries._able([row], left)) == kept
    assert left[deliveries.BEYOND_WORDS] == (0 if kept else 1)


@pytest.mark.parametrize("messages", [None, "", [], " ", [{"role": "user", "content": None}]])
def test_an_answer_to_nothing_is_no_delivery(messages: Any) -> None:
    """The prompt that a log does not hold cannot be asked again."""
    left: Counter[str] = Counter()
    row = (7, 9, AT, "m-1", 0.7, 100, json.dumps({"messages": messages}), "Because.", "stop")
    assert deliveries._able([row], left) == []
    assert left == {deliveries.UNASKED: 1, deliveries.BEYOND_WORDS: 0}


@pytest.mark.parametrize(
    ("body", "settings"),
    [
        ({"messages": WORDS, "stop": ["###"]}, {"stop": ["###"]}),
        ({"messages": WORDS, "response_format": {"type": "json_object"}}, {"response_format": {"type": "json_object"}}),
        ({"contents": [], "generationConfig": {"topP": 0.5, "topK": 40, "seed": 3}}, {"topK": 40}),
        (
            {"messages": WORDS, "top_p": 0.5, "seed": 3, "frequency_penalty": 0, "response_format": {"type": "text"}},
            None,
        ),
    ],
)
def test_settings_that_move_an_answer_are_kept(body: dict[str, Any], settings: Any) -> None:
    """A delivery said no top_p though its log did, and nothing of stops: fillers were drawn otherwise."""
    said = asked(body)
    assert said["settings"] == settings
    row = (7, 9, AT, "m-1", 0.7, 100, values.context(Raw(**said)), "Because.", "stop")
    assert deliveries._settings(row) == (json.dumps(settings, sort_keys=True) if settings else "")
    found = msgspec.convert(delivery_of(row, "accused"), Delivery)
    one = "top_p" in body or "generationConfig" in body
    assert (found.top_p, found.seed) == ((0.5, 3) if one else (None, None))


def test_fillers_are_drawn_under_what_most_answers_were_asked_with() -> None:
    """The settings of most are printed, so that fillers can be drawn so; answers under others are left out."""
    stop = (7, 9, AT, "m-1", 0.7, 100, json.dumps({"settings": {"stop": ["#"]}}), "Because.", "stop")
    none = (8, 9, AT, "m-1", 0.7, 100, "{}", "Because.", "stop")
    assert deliveries._usual([("G1", "accused", [stop, none]), ("G1", "matched", [stop])]) == '{"stop": ["#"]}'
    assert deliveries._usual([("G1", "accused", [none])]) == ""


def test_what_came_out_of_a_cache_was_drawn_for_another() -> None:
    """A cache by likeness answers one prompt with what was drawn for another, beside fillers that answer this one."""
    case = plan.ExtractionFile(
        case=CaseHead(title="t", authority="a"), period=plan.Period(tested=("2026-01-01", "2026-01-28"))
    )
    events = [{"event": n, "account": 9, "ts": AT, "model_served": "m", "temperature": None, "max_tokens": None,
               "status": "ok", "cache_hit": hit} for n, hit in enumerate((None, False, True))]  # fmt: skip
    words = [{"event": n, "context": "{}", "response": "Because.", "finish_reason": "stop"} for n in range(3)]
    left: Counter[str] = Counter()
    with duckdb.connect() as db:
        db.register("events", pa.Table.from_pylist(events))
        db.register("words", pa.Table.from_pylist(words))
        rows = deliveries._rows(db, [9], case, 10, np.random.default_rng(1), left)
    assert [row[0] for row in rows] == [0, 1]
    assert left == {deliveries.CACHED: 1}


def test_deliveries_are_parted_as_they_can_be_drawn_for() -> None:
    """`lineup draw` refuses a file in which top_p is set in some rows, as it is where customers set it themselves."""
    kinds = []
    for said, temperature, most in (({}, None, 9), ({"top_p": 0.5}, 0.2, 9), ({"top_p": 0.5}, 0.7, 8), ({}, 0.7, None)):
        row = (7, 9, AT, "m-1", temperature, most, json.dumps({"messages": "Why?", **said}), "Because.", "stop")
        kinds.append(deliveries._kind(delivery_of(row, "accused")))
    assert kinds == [
        "m-1, no top_p, no temperature",
        "m-1, top_p 0.5",
        "m-1, top_p 0.5",
        "m-1, no top_p, no max_tokens",
    ]
