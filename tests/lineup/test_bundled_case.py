"""The bundled line-up of known truth: its log holds against its coin, and `make demo-lineup` finds who learnt."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from depose.case import bundled
from depose.errors import CaseError
from depose.lineup.acts import build_bags, seal_key
from depose.lineup.coin import Coin
from depose.lineup.tables import read_bags
from depose.lineup.unfolding import unfold
from depose.pipeline import register_case
from line_ups import clock

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "casefiles" / "exposed"


def test_every_delivery_is_the_coin_s(tmp_path: Path) -> None:
    """The coin is the one whose commitment the case names, chose each delivery, and chose no place every time."""
    key = (SOURCE / "coin.key").read_bytes()
    assert Coin(key).commitment in (SOURCE / "case.toml").read_text()
    done = unfold((SOURCE / "thrown.jsonl").read_bytes(), "thrown.jsonl", key, tmp_path / "files", ())
    assert (done.requests, done.commitment) == (96, Coin(key).commitment)
    rows = [json.loads(line) for line in (SOURCE / "thrown.jsonl").read_text().splitlines()]
    assert {row["chosen"] for row in rows} == {0, 1, 2}


def test_another_answer_than_the_coin_s_is_refused(tmp_path: Path) -> None:
    """A log in which one delivery was swapped for its sibling does not unfold."""
    lines = (SOURCE / "thrown.jsonl").read_text().splitlines()
    row = json.loads(lines[5])
    lines[5] = json.dumps(row | {"chosen": (row["chosen"] + 1) % 3})
    with pytest.raises(CaseError, match="and the coin says"):
        unfold("\n".join(lines).encode(), "log", (SOURCE / "coin.key").read_bytes(), tmp_path / "files", ())


def test_bags_are_built_of_the_bundled_files(tmp_path: Path) -> None:
    """All 96 requests are line-ups of three members, and the case folder holds nothing of the key."""
    now, folder = clock(), tmp_path / "case"
    bundled.copy("exposed", folder)
    for name in ("thrown.jsonl", "coin.key"):
        shutil.move(folder / name, tmp_path / name)
    register_case(folder, now)
    unfold((tmp_path / "thrown.jsonl").read_bytes(), "log", (tmp_path / "coin.key").read_bytes(), tmp_path / "f", ())
    files = (tmp_path / "f" / "deliveries.jsonl", tmp_path / "f" / "decoys.jsonl")
    built = build_bags(folder, *files, tmp_path / "key.json", now, tmp_path / "bags.jsonl")
    seal_key(folder, tmp_path / "key.json", "nobody", now)
    bags = read_bags((tmp_path / "bags.jsonl").read_bytes(), "bags")
    assert (built.count, {len(bag.members) for bag in bags}) == (96, {3})


@pytest.mark.slow
@pytest.mark.live
def test_the_demo_finds_who_learnt(tmp_path: Path) -> None:
    """`make demo-lineup`: S1 is exposed with p below 1e-20, and neither S2 nor the untuned base is."""
    where = tmp_path / "lineup"
    subprocess.run(
        ["make", "-o", ".venv/.setup-done", "demo-lineup", f"LINEUP={where}", f"BIN={Path(sys.executable).parent}"],
        cwd=ROOT,
        check=True,
    )
    found = json.loads((where / "case" / "out" / "findings.json").read_text())["lineup"]["findings"]
    by = {one["suspect"]: one for one in found}
    assert {code: one["opinion"]["verdict"] for code, one in by.items()} == {
        "S1": "indication",
        "S2": "no indication",
        "B": "no indication",
    }
    assert by["S1"]["log10_p"] < -20
    assert by["S1"]["bags"] <= 100
    assert min(by[code]["log10_p"] for code in ("S2", "B")) > -1.3
    html = (where / "case" / "out" / "report.html").read_text()
    assert f"{by['S1']['picks']} of {by['S1']['bags']}" in html
    assert f"{by['S2']['picks']} of {by['S2']['bags']}" in html
