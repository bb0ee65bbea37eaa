"""COPY.py alone: whoever has no depose must not be told "verified" of a copy or a record that somebody changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from depose.cli.options import now
from depose.custody.passages import Wanted
from depose.custody.redact import produce, redact
from depose.custody.verify import verify
from depose.errors import EvidenceError
from depose.evidence.log import read_log
from depose.model.canonical import canonical
from salts_moved import SALTS_MOVED, Tree
from tampering import Target, sealed_case

LOG = "evidence/log.jsonl"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed bundle."""
    return sealed_case(tmp_path_factory.mktemp("copy-script") / "target")


@pytest.fixture(scope="module")
def made(target: Target) -> tuple[Path, Path]:
    """A copy in which the first word of an answer is withheld, and the record of that answer alone."""
    entry = next(one.entry for one in read_log(target.case) if one.entry.kind == "exchange")
    word = str(entry.body["text"]).split()[0].encode()
    redact(target.bundle, target.folder / "copy", Wanted(words=(word,)), "a name", now())
    produce(target.bundle, target.folder / "proof", [entry.seq])
    return target.folder / "copy", next((target.folder / "proof").glob("proof-*.json"))


def script(folder: Path, *proofs: str) -> subprocess.CompletedProcess[str]:
    """Run COPY.py as anybody would."""
    args = [sys.executable, "-I", "COPY.py", *proofs]
    return subprocess.run(args, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


CHANGES = tuple(SALTS_MOVED.values())


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_cannot_lose_or_gain_words_beside_salts(
    made: tuple[Path, Path], tmp_path: Path, change: Callable[[Tree, bytes], tuple[Tree, bytes]]
) -> None:
    """A word left out without a mark verified by COPY.py, for a salt of any length was taken."""
    goal = tmp_path / "copy"
    shutil.copytree(made[0], goal)
    assert script(goal).returncode == 0
    index = json.loads((goal / "copy.json").read_bytes())
    pieces = next(one for one in index["files"] if one["name"] == LOG)["pieces"]
    lines = (goal / LOG).read_bytes().splitlines(keepends=True)
    number = next(n for n, one in enumerate(pieces) if isinstance(one, list) and b'"kind":"exchange"' in lines[n])
    pieces[number], lines[number] = change(pieces[number], lines[number])
    (goal / LOG).write_bytes(b"".join(lines))
    (goal / "copy.json").write_bytes(canonical(index))
    ran = script(goal)
    assert ran.returncode != 0 and "NOT VERIFIED: a tree that is none" in ran.stderr
    with pytest.raises(EvidenceError, match="does not fit the tree"):
        verify(goal)


def _proof(made: tuple[Path, Path], goal: Path, change: Callable[[dict[str, Any]], bytes]) -> Path:
    """Change a record that was produced."""
    shutil.copytree(made[1].parent, goal)
    file = goal / made[1].name
    assert script(goal, file.name).returncode == 0
    file.write_bytes(change(json.loads(file.read_bytes())))
    return file


@pytest.mark.parametrize("change", CHANGES)
def test_a_record_alone_cannot_either(
    made: tuple[Path, Path], tmp_path: Path, change: Callable[[Tree, bytes], tuple[Tree, bytes]]
) -> None:
    """The same for a proof."""

    def changed(proof: dict[str, Any]) -> bytes:
        proof["tree"], shown = change(proof["tree"], proof["shown"].encode())
        return canonical({**proof, "shown": shown.decode("utf-8", "replace")})

    file = _proof(made, tmp_path / "proof", changed)
    ran = script(file.parent, file.name)
    assert ran.returncode != 0 and "NOT VERIFIED" in ran.stderr
    with pytest.raises(EvidenceError):
        verify(file)


def test_a_proof_says_each_thing_once(made: tuple[Path, Path], tmp_path: Path) -> None:
    """Who reads the file saw the first of two records, and COPY.py verified the last."""
    file = _proof(made, tmp_path / "proof", lambda proof: b'{"shown":"I confess",' + canonical(proof)[1:])
    ran = script(file.parent, file.name)
    assert ran.returncode != 0 and "NOT VERIFIED: JSON that is not in canonical form" in ran.stderr
    with pytest.raises(EvidenceError, match=r"of another form|not a proof"):
        verify(file)


def test_a_copy_has_no_links_to_other_folders(made: tuple[Path, Path], tmp_path: Path) -> None:
    """A link to a folder is no file, so that what stands in it was seen by nobody who checked."""
    goal = tmp_path / "copy"
    shutil.copytree(made[0], goal)
    (tmp_path / "more").mkdir()
    (tmp_path / "more/exhibit.txt").write_text("by the way")
    (goal / "annex").symlink_to(tmp_path / "more")
    ran = script(goal)
    assert ran.returncode != 0 and "there is a symbolic link" in ran.stderr
    with pytest.raises(EvidenceError, match="link"):
        verify(goal)
