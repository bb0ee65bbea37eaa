"""The coin of a randomised line-up stands in record 0, is shown once the key is open, and chose what was delivered."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from depose import pipeline
from depose.case import casefile
from depose.custody import keys
from depose.custody.seal import seal
from depose.custody.verify import verify
from depose.errors import CaseError, DeposeError, UsageError
from depose.evidence import ledger
from depose.lineup import acts
from depose.lineup.coin import Coin
from depose.lineup.reading import throws
from depose.lineup.unfolding import unfold
from depose.model.canonical import canonical
from fakes import depose
from line_ups import COIN as KEY
from line_ups import case, clock, clock_after, table
from line_ups import thrown as log_of

COIN = Coin(KEY)
Row = dict[str, Any]


def up_to_seal(root: Path, log: bytes, registered: str = COIN.commitment, key: bytes = KEY) -> tuple[Path, Path]:
    """Take a case up to its sealed scores; return its folder and the key of the line-up."""
    now = clock()
    folder = case(root / "case", f'coin = "{registered}"' if registered else "")
    pipeline.register_case(folder, now)
    files = unfold(log, "log", key, root / "files", ("B1",)).files
    acts.build_bags(folder, Path(files[0]), Path(files[1]), root / "key.json", now, root / "bags.jsonl")
    acts.seal_key(folder, root / "key.json", "Notary N.", now)
    bags = (root / "bags.jsonl").read_bytes()
    for code in ("S1", "R1", "C1"):
        acts.record_table(folder, code, table(bags, code, {}, 0.0), f"table of {code}", now)
    acts.seal_scores(folder, clock_after(folder))
    return folder, root / "key.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A line-up of a registered coin whose scores are sealed, with the owner's files beside the case."""
    root = tmp_path_factory.mktemp("coin")
    (root / "thrown.jsonl").write_bytes(log_of(40))
    (root / "coin.key").write_bytes(KEY)
    up_to_seal(root, log_of(40))
    return root


def opened(root: Path) -> Path:
    """Open a case with its coin, and test it."""
    folder = root / "case"
    acts.open_key(folder, root / "key.json", clock_after(folder), root / "thrown.jsonl", root / "coin.key")
    pipeline.analyze_case(folder, lambda line: None, clock_after(folder))
    return folder


@pytest.mark.slow
def test_a_coin_that_is_registered_and_shown_makes_it_randomised(made: Path, tmp_path: Path) -> None:
    """The tier is that of the coin, and findings and `verify` say what the throws show and what they do not."""
    shutil.copytree(made, tmp_path / "made")
    folder = opened(tmp_path / "made")
    entries = ledger.entries(folder)
    found = acts.line_up_of(pipeline.read_findings(folder)[1])
    assert found.findings[0].tier == "randomised"
    assert found.plan.coin == COIN.commitment
    assert any("80 of 80 throws are dated before the coin was registered" in one for one in found.flags)
    assert entries.lineup is not None
    keys.make(tmp_path / "key.pem")
    bundle = Path(seal(folder, keys.load(tmp_path / "key.pem"), clock_after(folder), {}).bundle)
    done = verify(bundle, recompute=False, clock=lambda: "2026-06-01T00:00:00.000000Z")
    assert "the bags follow from 80 throws of the registered coin" in done.checks
    assert any("was fixed before 80 of its 80 throws" in one for one in done.not_verified)


def test_without_the_coin_the_fillers_count_as_kept(made: Path, tmp_path: Path) -> None:
    """A registered coin that is not shown, and one that was never registered, leave the owner's word."""
    shutil.copytree(made, tmp_path / "made")
    acts.open_key(tmp_path / "made/case", tmp_path / "made/key.json", clock_after(tmp_path))
    folder, key = up_to_seal(tmp_path, log_of(40), registered="")
    with pytest.raises(CaseError, match="registers no coin"):
        acts.open_key(folder, key, clock_after(folder), made / "thrown.jsonl", made / "coin.key")
    acts.open_key(folder, key, clock_after(folder))
    for one, flag in ((tmp_path / "made/case", "were not shown"), (folder, "No coin was registered")):
        pipeline.analyze_case(one, lambda line: None, clock_after(one))
        found = acts.line_up_of(pipeline.read_findings(one)[1])
        assert (found.findings[0].tier, found.findings[0].cap) == ("kept", 300)
        assert any(flag in line for line in found.flags)


def _rows(root: Path, change: Callable[[list[Row]], list[Row]]) -> None:
    rows = change([json.loads(line) for line in (root / "thrown.jsonl").read_bytes().splitlines()])
    (root / "thrown.jsonl").write_bytes(b"".join(canonical(row) + b"\n" for row in rows))


def _other_coin(root: Path) -> None:
    (root / "coin.key").write_bytes(bytes(32))
    (root / "thrown.jsonl").write_bytes(log_of(40, bytes(32)))


def _swapped(root: Path) -> None:
    _rows(root, lambda rows: [rows[0] | {"chosen": (rows[0]["chosen"] + 1) % 3}, *rows[1:]])


def _reworded(root: Path) -> None:
    _rows(root, lambda rows: [rows[0] | {"draws": [*rows[0]["draws"][:-1], "another"]}, *rows[1:]])


CHANGES = [
    (_other_coin, "another coin than the one that was registered"),
    (_swapped, "and the coin says"),
    (_reworded, "do not follow from the thrown log"),
    (lambda root: _rows(root, lambda rows: rows[1:]), "do not follow from the thrown log"),
    (lambda root: _rows(root, lambda rows: [*rows, rows[0]]), "stands twice"),
    (lambda root: (root / "thrown.jsonl").write_bytes(b"{"), "is no request of a randomised delivery"),
    (lambda root: (root / "coin.key").write_bytes(b"short"), "the key of a coin has 5 bytes"),
]


def test_throws_that_do_not_hold_open_nothing(made: Path, tmp_path: Path) -> None:
    """Another coin, another choice, a reworded, missing or doubled throw: nothing is recorded, and it can be mended."""
    root = tmp_path / "made"
    shutil.copytree(made, root)
    for change, message in CHANGES:
        for name in ("thrown.jsonl", "coin.key"):
            shutil.copyfile(made / name, root / name)
        change(root)
        with pytest.raises(DeposeError, match=message):
            opened(root)
        assert (root / "case/evidence/log.jsonl").read_bytes() == (made / "case/evidence/log.jsonl").read_bytes()
    for name in ("thrown.jsonl", "coin.key"):
        shutil.copyfile(made / name, root / name)
    with pytest.raises(UsageError, match="go together"):
        acts.open_key(root / "case", root / "key.json", clock_after(root), root / "thrown.jsonl")
    ran = depose(
        "lineup", "open", root / "case", "--key", root / "key.json",
        "--thrown", root / "thrown.jsonl", "--coin", root / "coin.key",
    )  # fmt: skip
    assert (ran.code, "the coin is the one that was registered" in ran.out) == (0, True), ran.err


def test_throws_of_accounts_that_the_case_does_not_name_may_be_left_out(made: Path, tmp_path: Path) -> None:
    """The bags do not rest on them."""
    log = log_of(40)
    more = json.loads(log.splitlines()[0]) | {"request_id": "other", "account_code": "Z9"}
    more |= {"chosen": COIN.choose("other", 3), "messages": [{"role": "user", "content": "Mine alone"}]}
    up_to_seal(tmp_path, log + canonical(more) + b"\n")
    for name in ("thrown.jsonl", "coin.key"):
        shutil.copyfile(made / name, tmp_path / name)
    opened(tmp_path)


def test_a_record_that_names_other_throws_is_no_evidence(made: Path, tmp_path: Path) -> None:
    """The signer writes the record of opening himself, with a log from which the bags do not follow."""
    root = tmp_path / "made"
    shutil.copytree(made, root)
    folder = opened(root)
    keys.make(tmp_path / "key.pem")
    entries = ledger.entries(folder)
    assert entries.lineup is not None
    assert entries.lineup.opened is not None
    plan = entries.registration.case.lineup
    assert not isinstance(plan, msgspec.UnsetType)
    for change, message in CHANGES:
        for name in ("thrown.jsonl", "coin.key"):
            shutil.copyfile(made / name, root / name)
        change(root)
        names = {entries.lineup.opened.thrown: "thrown.jsonl", entries.lineup.opened.coin: "coin.key"}

        def blob(digest: str, names: dict[Any, str] = names) -> bytes:
            path = root / names[digest] if digest in names else folder / "evidence/blobs" / digest
            return path.read_bytes()

        with pytest.raises(CaseError, match=message):
            throws(entries.registration.case, plan, entries.lineup, blob, entries.registered_at)


@pytest.mark.parametrize(
    ("more", "message"), [('coin = "no digest"', "coin"), (f'coin = "{"a" * 64}"', "goes with randomised answers")]
)
def test_a_coin_is_a_digest_and_goes_with_its_tier(tmp_path: Path, more: str, message: str) -> None:
    """A case says so before it is registered."""
    folder = case(tmp_path / "case", more)
    if "no digest" not in more:
        file = folder / "case.toml"
        file.write_text(file.read_text().replace('tier = "randomised"', 'tier = "kept"'))
    with pytest.raises(CaseError, match=message):
        casefile.read(folder)


@pytest.mark.parametrize("chained", [True, False])
def test_a_log_without_marks_opens_nothing_where_the_case_registers_marks(chained: bool, tmp_path: Path) -> None:
    """Marks that are stripped from all lines are missed by what was registered, not by the log's own word."""
    log = log_of(4, chained=chained)
    folder, key = up_to_seal(tmp_path, log, f'{COIN.commitment}"\ncoin_marks = true\nchosen_with = "logs')
    (tmp_path / "thrown.jsonl").write_bytes(log)
    (tmp_path / "coin.key").write_bytes(KEY)
    both = (tmp_path / "thrown.jsonl", tmp_path / "coin.key")
    if chained:
        acts.open_key(folder, key, clock_after(folder), *both)
    else:
        with pytest.raises(CaseError, match="carry no marks of the coin, and the case registers that they do"):
            acts.open_key(folder, key, clock_after(folder), *both)


def test_marks_go_with_a_coin(tmp_path: Path) -> None:
    """A case that registers marks of no coin is refused before anything is asked."""
    with pytest.raises(CaseError, match=r"\$\.lineup\.coin_marks: goes with a coin, and none is registered"):
        casefile.read(case(tmp_path / "case", "coin_marks = true"))
