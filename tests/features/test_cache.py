"""The cache gives everybody the same bytes, whatever else happens to the file."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from depose.errors import AnalysisError
from depose.features.cache import connect, remember
from fakes import until

TEXTS = [f"text {n}" for n in range(600)]
WRITER = """
import sys
from pathlib import Path
from depose.features.cache import remember

name, texts = sys.argv[2], [f"text {n}" for n in range(int(sys.argv[3]))]
print("ready", flush=True)
sys.stdin.readline()
values = remember(Path(sys.argv[1]), "maker", texts, lambda some: [f"{text} by {name}".encode() * 40 for text in some])
print(b"|".join(values).hex())
"""


def made(texts: Sequence[str]) -> list[bytes]:
    """Make values that tell their text."""
    return [text.encode() * 100 for text in texts]


def refuse(texts: Sequence[str]) -> Iterator[bytes]:
    """Make nothing: every text should be known."""
    raise AssertionError(f"{len(texts)} texts were not known")


def writer(file: Path, name: str, count: int) -> subprocess.Popen[str]:
    """Start a process that waits for a line, and then remembers `count` texts."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file), name, str(count)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def entries(file: Path) -> int:
    """Count the entries of a file."""
    with closing(connect(file)) as db:
        count: int = db.execute("SELECT COUNT(*) FROM made").fetchone()[0]
    return count


def test_values_belong_to_text_and_maker(tmp_path: Path) -> None:
    """Each text gets its own value in its own place, twice if asked twice, and another maker's is never given."""
    file = tmp_path / "c.sqlite"
    asked = [*TEXTS, TEXTS[3], "half \ud83d of a face"]
    first = list(remember(file, "one", asked[:-1], made))
    assert first == made(asked[:-1])
    assert list(remember(file, "one", asked[:-1], refuse)) == first
    assert list(remember(file, "two", TEXTS[:2], lambda some: [b"other"] * len(some))) == [b"other"] * 2
    assert list(remember(file, "one", asked[-1:], lambda some: [b"odd"] * len(some))) == [b"odd"]


def test_processes_agree(tmp_path: Path) -> None:
    """Six processes that meet at a new file, each with values of its own, all come away with the same ones."""
    file = tmp_path / "new" / "c.sqlite"
    running = [writer(file, str(n), 500) for n in range(6)]
    for one in running:
        assert one.stdout
        one.stdout.readline()
    for one in running:
        assert one.stdin
        one.stdin.write("go\n")
        one.stdin.flush()
    said = {one.communicate()[0] for one in running}
    assert [one.returncode for one in running] == [0] * 6
    assert len(said) == 1
    assert said.pop().count("7c") >= 499  # one bar between each two values


def test_kill_leaves_whole_entries(tmp_path: Path) -> None:
    """A writer killed at any moment leaves a sound file; what it had written is kept, the rest is made."""
    chance = random.Random()
    for least in (0, 1, 2_000, 5_000):
        file = tmp_path / str(least) / "c.sqlite"
        one = writer(file, "killed", 20_000)
        assert one.stdin
        assert one.stdout
        one.stdout.readline()
        one.stdin.write("go\n")
        one.stdin.flush()
        until(lambda file=file, least=least: entries(file) >= least, one)  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.02))
        one.kill()
        one.communicate()
        with closing(connect(file)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert entries(file) >= least
        assert entries(file) % 256 in (0, 20_000 % 256)
        values = list(remember(file, "maker", TEXTS, lambda some: [f"{text} by heir".encode() * 40 for text in some]))
        assert all(
            value in (f"{text} by killed".encode() * 40, f"{text} by heir".encode() * 40)
            for text, value in zip(TEXTS, values, strict=True)
        )


def test_size_is_bounded_and_what_is_used_stays(tmp_path: Path) -> None:
    """A file keeps under its limit, and drops what was not used lately before what was."""
    file, limit = tmp_path / "c.sqlite", 3_000_000
    often = TEXTS[:100]
    for start in range(0, 12_000, 1_000):
        fresh = [f"once {n}" for n in range(start, start + 1_000)]
        assert list(remember(file, "maker", often + fresh, made, limit=limit)) == made(often + fresh)
    with closing(connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert 0 < db.execute("SELECT COUNT(*) FROM made").fetchone()[0] < 12_100
    assert file.stat().st_size < 1.2 * limit
    assert list(remember(file, "maker", often, refuse, limit=limit)) == made(often)
    with pytest.raises(AssertionError, match="1 texts"):
        list(remember(file, "maker", ["once 0"], refuse, limit=limit))


def test_call_larger_than_the_limit_is_answered(tmp_path: Path) -> None:
    """A single call that needs more than fits gets everything all the same."""
    assert list(remember(tmp_path / "c.sqlite", "maker", TEXTS, made, limit=50_000)) == made(TEXTS)


def test_file_of_another_format_is_emptied(tmp_path: Path) -> None:
    """A file as an earlier version wrote it is no error: its texts are made again."""
    file = tmp_path / "c.sqlite"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE made (maker TEXT, digest TEXT, value BLOB, PRIMARY KEY (maker, digest)) WITHOUT ROWID")
    assert list(remember(file, "maker", TEXTS[:5], made)) == made(TEXTS[:5])
    assert list(remember(file, "maker", TEXTS[:5], refuse)) == made(TEXTS[:5])


def test_locked_file_is_not_called_damaged(tmp_path: Path) -> None:
    """A file that cannot be opened names its remedy, which is not to remove it."""
    (tmp_path / "c.sqlite").mkdir()
    with pytest.raises(AnalysisError, match="DEPOSE_CACHE"):
        remember(tmp_path / "c.sqlite", "maker", TEXTS, made)
