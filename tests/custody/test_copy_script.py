"""COPY.py alone: whoever has no depose must not be told "verified" of a copy or a record that somebody changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from changed_copies import CHANGED_COPIES
from depose.cli import cli
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
BUNDLES = Path(__file__).parent / "bundles"
FAULT = "COPY.py is an old one with a fault"


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


@pytest.fixture(scope="module")
def of_old_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of a bundle that was sealed with a COPY.py that takes words moved behind their salt."""
    folder = tmp_path_factory.mktemp("old-script")
    done = redact(BUNDLES / "format-2.zip", folder / "copy", Wanted(words=(b"q1",)), "a name", now())
    assert any(FAULT in one for one in done.cautions)
    return folder / "copy"


def test_an_old_script_that_takes_what_was_changed_is_named(of_old_script: Path, tmp_path: Path) -> None:
    """Bundles and copies with it verify as before, and say that what it says counts for nothing."""
    for path in (of_old_script, BUNDLES / "format-2.zip"):
        said = verify(path, recompute=False).cautions
        assert [FAULT in one and "only depose verify counts" in one for one in said] == [True]
    goal = tmp_path / "copy"
    shutil.copytree(of_old_script, goal)
    index = json.loads((goal / "copy.json").read_bytes())
    pieces = next(one for one in index["files"] if one["name"] == LOG)["pieces"]
    lines = (goal / LOG).read_bytes().splitlines(keepends=True)
    number = next(n for n, one in enumerate(pieces) if isinstance(one, list) and b'"kind":"exchange"' in lines[n])
    pieces[number], lines[number] = SALTS_MOVED["a word moved behind the salt before it"](pieces[number], lines[number])
    (goal / LOG).write_bytes(b"".join(lines))
    (goal / "copy.json").write_bytes(canonical(index))
    assert "verified" in script(goal).stdout  # the fault of which the caution warns
    with pytest.raises(EvidenceError, match="does not fit the tree"):
        verify(goal)


def test_a_record_beside_an_old_script_says_so(tmp_path: Path) -> None:
    """A folder of proofs as depose wrote it before."""
    produce(BUNDLES / "format-2.zip", tmp_path / "proofs", [3])
    assert not verify(tmp_path / "proofs").cautions
    with zipfile.ZipFile(BUNDLES / "format-2.zip") as file:
        (tmp_path / "proofs/COPY.py").write_bytes(file.read("COPY.py"))
    assert [FAULT in one for one in verify(tmp_path / "proofs").cautions] == [True]


def test_today_s_script_needs_no_caution(target: Target, made: tuple[Path, Path]) -> None:
    """Of a bundle, a copy and a record."""
    for path in (made[0], made[1].parent, made[1]):
        assert verify(path).cautions == ()
    assert verify(target.bundle, recompute=False).cautions == ()


def test_the_terminal_and_json_warn_of_an_old_script(tmp_path: Path) -> None:
    """Of verify and of redact."""
    bundle = str(BUNDLES / "format-2.zip")
    calls = (("verify", bundle, "--no-recompute"), ("redact", bundle, "F", "--find", "q1"))
    for number, words in enumerate(calls):
        args = [str(tmp_path / f"copy-{number}") if one == "F" else one for one in words]
        args += ["--reason", "a name"] if words[0] == "redact" else []
        ran = CliRunner().invoke(cli, args)
        assert ran.exit_code == 0 and f"CAUTION: {FAULT}" in ran.output
        args = [one.replace("copy-1", "copy-2") for one in args]
        told = CliRunner().invoke(cli, [*args, "--json"])
        assert [FAULT in one for one in json.loads(told.stdout)["cautions"]] == [True]


@pytest.mark.parametrize("name", CHANGED_COPIES)
def test_the_script_refuses_changed_copies_as_verify_does(made: tuple[Path, Path], tmp_path: Path, name: str) -> None:
    """COPY.py said "verified" of each of them: of an answer in the place of the findings."""
    goal = tmp_path / "copy"
    shutil.copytree(made[0], goal)
    index = json.loads((goal / "copy.json").read_bytes())
    one = CHANGED_COPIES[name]
    one.change(goal, index)
    (goal / "copy.json").write_bytes(canonical(index))
    ran = script(goal)
    assert ran.returncode != 0 and one.script in ran.stderr
    with pytest.raises(EvidenceError, match=one.verify):
        verify(goal)


@pytest.mark.parametrize("field", ["signer", "signature", "stamps"])
def test_the_script_reads_who_signed_a_record_and_when(made: tuple[Path, Path], tmp_path: Path, field: str) -> None:
    """Another signer or token could stand in a proof: COPY.py looked at the files beside it alone."""

    def changed(proof: dict[str, Any]) -> bytes:
        if field == "stamps":
            proof[field] = dict.fromkeys(proof[field], "AAAA")
        else:
            proof[field] = "AAAA"
        return canonical(proof)

    file = _proof(made, tmp_path / "proof", changed)
    ran = script(file.parent, file.name)
    assert ran.returncode != 0 and "NOT VERIFIED" in ran.stderr
    with pytest.raises(EvidenceError):
        verify(file)


def _says_a_side(proof: dict[str, Any]) -> None:
    """Say something where COPY.py took anything but `left` for the right."""
    next(one for one in proof["file_path"] if one[0] == "right")[0] = "approved by the court"


CHANGED_PROOFS: dict[str, Callable[[dict[str, Any]], object]] = {
    "without a time-stamp": lambda proof: proof["stamps"].pop("COMMITMENT.tsr"),
    "without any time-stamp": lambda proof: proof.update(stamps={}),
    "with a word of one's own": lambda proof: proof.update(comment="approved by the court"),
    "with a side that says something": _says_a_side,
    "with a number that is none": lambda proof: proof.update(lines=float(proof["lines"]) + 0.5),
}


@pytest.mark.parametrize("name", CHANGED_PROOFS)
def test_the_script_refuses_changed_records_as_verify_does(made: tuple[Path, Path], tmp_path: Path, name: str) -> None:
    """COPY.py said "verified" of a record without its time-stamp, and of words that nobody sealed."""

    def changed(proof: dict[str, Any]) -> bytes:
        CHANGED_PROOFS[name](proof)
        return canonical(proof)

    file = _proof(made, tmp_path / "proof", changed)
    ran = script(file.parent, file.name)
    assert ran.returncode != 0 and "NOT VERIFIED" in ran.stderr
    with pytest.raises(EvidenceError):
        verify(file)
