"""Deliveries of flagged accounts, as the line-up reads them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from msgspec import UnsetType

import line_ups
from depose.case import casefile
from depose.errors import CaseError
from depose.extraction import onward
from depose.extraction.deliveries import delivery_of
from depose.model.lineup import Delivery


def test_a_delivery_fits_the_line_up_and_claims_no_draw_of_its_own() -> None:
    """Two events may be one draw out of a cache, so that none is named after its event."""
    context = json.dumps({"system": "Be brief.", "messages": [{"role": "user", "content": "Why?"}]})
    row = (7, 9, datetime(2026, 1, 2, 3, 4, 5), "m-1", 0.7, 100, context, "Because.", "stop")
    found = msgspec.convert(delivery_of(row, "accused"), Delivery)
    assert found.draw_id == ""
    assert found.text == "Because."
    assert [one.role for one in found.messages] == ["system", "user"]


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
