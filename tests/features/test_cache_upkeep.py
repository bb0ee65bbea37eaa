"""`depose cache` says what is there, and empties it without harming a run that goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from depose.evidence.workspace import PREFIX, workspace
from depose.features import cache_upkeep
from depose.features.cache import connect, remember


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a cache with three texts of two makers, a converted model and what a kill left."""
    list(remember(tmp_path / "vectors.sqlite", "one", ["a", "b"], lambda some: [b"12"] * len(some)))
    list(remember(tmp_path / "tags.sqlite", "two", ["a"], lambda some: [b"1234"] * len(some)))
    for name in ("model", f"{PREFIX}left"):
        (tmp_path / "converted" / name).mkdir(parents=True)
        (tmp_path / "converted" / name / "weights").write_bytes(b"x" * 5000)
    return tmp_path


def test_info_counts(folder: Path) -> None:
    """Every maker has its line with entries and bytes, and leftovers are told from models."""
    found = cache_upkeep.info(folder)
    assert [(one.place, one.what, one.entries, one.bytes) for one in found.held] == [
        ("vectors.sqlite", "one", 2, 4),
        ("tags.sqlite", "two", 1, 4),
        (f"converted/{PREFIX}left", "being made, or left by a kill", 0, 5000),
        ("converted/model", "model", 1, 5000),
    ]
    assert found.bytes > 10_000


def test_clear_empties(folder: Path) -> None:
    """Nothing is left to be found, a reader that has a file open goes on, and the next run makes its texts again."""
    with workspace(folder / "converted") as busy:
        reader = connect(folder / "vectors.sqlite")
        done = cache_upkeep.clear(folder)
        assert reader.execute("SELECT COUNT(*) FROM made").fetchone() == (0,)
        reader.close()
        assert [one.place for one in cache_upkeep.info(folder).held] == [f"converted/{busy.name}"]
    assert (done.entries, done.bytes >= 5000) == (4, True)
    assert list(remember(folder / "vectors.sqlite", "one", ["a"], lambda some: [b"new"] * len(some))) == [b"new"]


def test_damaged_file_is_said_and_removed(folder: Path) -> None:
    """A file that is no cache is called damaged by info, and clear removes it."""
    (folder / "tags.sqlite").write_bytes(b"not a database, but long enough to look like one" * 50)
    assert any(one.what.startswith("damaged") for one in cache_upkeep.info(folder).held)
    cache_upkeep.clear(folder)
    assert not (folder / "tags.sqlite").exists()
    assert (folder / "vectors.sqlite").exists()


def test_no_cache_is_empty(tmp_path: Path) -> None:
    """Where there is no cache, both commands say so and make nothing."""
    assert cache_upkeep.info(tmp_path / "none").held == ()
    assert cache_upkeep.clear(tmp_path / "none").entries == 0
    assert not (tmp_path / "none").exists()


def test_commands(folder: Path) -> None:
    """`info` and `clear` print what they found and did, for people and as JSON, for the folder of $DEPOSE_CACHE."""
    environ = os.environ | {"DEPOSE_CACHE": str(folder)}

    def run(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", "from depose.cli import main; main()", "cache", *words],
            check=True,
            capture_output=True,
            text=True,
            env=environ,
        )
        return done.stdout

    assert "vectors.sqlite" in run("info")
    assert json.loads(run("clear", "--json"))["entries"] == 4
    assert json.loads(run("info", "--json"))["held"] == []
