"""What a build could never say is told before it, and a trial writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

import line_ups
from depose.errors import UsageError
from depose.evidence.log import read_log
from depose.lineup import acts
from depose.lineup.bags import build
from depose.lineup.comparable import shown
from depose.lineup.foresight import foreseen
from depose.lineup.inputs import context_of, decoys, deliveries
from depose.model.lineup import Delivery, LineupLimits, Turn
from depose.pipeline import register_case

GOOD = LineupLimits(bags=20, required=())


def said(tmp_path: Path, change: dict[str, Any], **more: Any) -> str:
    """Return what is foreseen of 30 line-ups whose decoys were changed."""
    delivered, fillers = line_ups.rows(30)
    rows = [row | change for row in fillers]
    files = line_ups.written(tmp_path, "d.jsonl", delivered), line_ups.written(tmp_path, "f.jsonl", rows)
    plan = line_ups.plan(**{"limits": GOOD, "tier": "kept"} | more)
    made = build(plan, deliveries(files[0])[0], decoys(files[1])[0], 7, line_ups.SALT)
    return " ".join(foreseen(plan, made.entries))


@pytest.mark.parametrize(
    ("change", "more", "what"),
    [
        ({}, {}, ""),
        ({"reference_snapshot": ""}, {}, "in 30 of 30 line-ups reference_snapshot is missing"),
        ({"drawn_at": ""}, {}, "in 30 line-ups drawn_at is missing: what was kept counts as resampled"),
        ({"tier": "drifted"}, {"tier": "drifted"}, "decoys are drifted"),
        ({}, {"limits": LineupLimits(bags=31, required=())}, "30 line-ups can be tested, fewer than the 31"),
        ({}, {"limits": LineupLimits(bags=20, required=("D5",))}, "D5 cannot be made, since there are 0 line-ups"),
        ({}, {"limits": LineupLimits(bags=20, required=("D6",))}, "D6 cannot be made"),
    ],
)
def test_what_leaves_an_opinion_open_is_told(
    tmp_path: Path, change: dict[str, Any], more: dict[str, Any], what: str
) -> None:
    """A missing state or date, too few line-ups, a check that cannot be made: told, and nothing of what is in order."""
    told = said(tmp_path, {"tier": "kept"} | change, **more)
    assert what in told and bool(what) == bool(told)


def test_deliveries_among_their_own_decoys_are_told(tmp_path: Path) -> None:
    """A file of decoys that lists all draws has each delivered answer as its own filler, which costs power."""
    delivered, fillers = line_ups.rows(30, fillers=2)
    also = [fillers[2 * n] | {"decoy_id": f"own-{n}", "text": row["text"]} for n, row in enumerate(delivered)]
    made = line_ups.of_rows(delivered, [*fillers, *also], limits=GOOD)
    (said,) = foreseen(line_ups.plan(limits=GOOD), made.entries)
    assert "in 30 of 30 line-ups a decoy has the text that was delivered" in said
    assert foreseen(line_ups.plan(limits=GOOD), line_ups.of_rows(delivered, fillers, limits=GOOD).entries) == ()


def test_later_turns_that_show_what_was_delivered_are_told() -> None:
    """A conversation hands on the answers before: whoever scores a later turn reads the key of the earlier one."""
    delivered, fillers = line_ups.rows(30)
    later, more = line_ups.rows(10, start=500)
    for n, row in enumerate(later):
        reply = {"role": "assistant", "content": f" {delivered[n]['text']}\r\n"}
        row["messages"] = [*delivered[n]["messages"], reply, {"role": "user", "content": "And then?"}]
        turns = msgspec.convert(row["messages"], tuple[Turn, ...])
        for one in more[3 * n : 3 * n + 3]:
            one["context_sha256"] = context_of(Delivery(delivery_id="", messages=turns, text=""))
    made = line_ups.of_rows([*delivered, *later], [*fillers, *more], limits=GOOD)
    assert len(made.bags) == 40 and shown(made.bags) == 10
    (said,) = foreseen(line_ups.plan(limits=GOOD), made.entries, made.bags)
    assert "in 10 of 40 line-ups a later turn" in said and "first turns alone" in said
    alone = line_ups.of_rows(delivered, fillers, limits=GOOD)
    assert shown(alone.bags) == 0 and not foreseen(line_ups.plan(limits=GOOD), alone.entries, alone.bags)


def test_a_trial_writes_nothing(tmp_path: Path) -> None:
    """A dry run counts and foresees what a build does, and leaves no key, no bags and no record; a build may follow."""
    delivered, fillers = line_ups.rows(30)
    folder = line_ups.case(tmp_path / "case")
    register_case(folder, line_ups.clock())
    files = line_ups.written(tmp_path, "d.jsonl", delivered), line_ups.written(tmp_path, "f.jsonl", fillers)
    before = [one.entry.kind for one in read_log(folder)]
    key, copy = tmp_path / "key.json", tmp_path / "bags.jsonl"
    trial = acts.build_bags(folder, *files, key, line_ups.clock(), copy, True)
    assert not key.exists() and not copy.exists()
    assert [one.entry.kind for one in read_log(folder)] == before
    made = acts.build_bags(folder, *files, key, line_ups.clock(), copy)
    assert (trial.tally, trial.foreseen, trial.count) == (made.tally, made.foreseen, made.count)
    assert key.is_file() and copy.is_file()
    with pytest.raises(UsageError, match="cannot be written") as caught:
        acts.write_secret(tmp_path / "not" / "there" / "key.json", b"x")
    assert "mkdir -p" in caught.value.hint
