"""What a killed maker leaves is swept; what is being made is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from depose.evidence.workspace import PREFIX, size, sweep, workspace

MAKER = """
import sys
from pathlib import Path
from depose.evidence.workspace import workspace

with workspace(Path(sys.argv[1])) as folder:
    (folder / "part").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    sys.stdin.readline()
"""


def maker(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that is making something, and say where."""
    one = subprocess.Popen(
        [sys.executable, "-c", MAKER, str(parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert one.stdout
    return one, Path(one.stdout.readline().strip())


def test_kill_is_swept_and_the_living_stay(tmp_path: Path) -> None:
    """Of two makers, the folder of the one that was killed goes, and only that."""
    (dead, left), (alive, held) = maker(tmp_path), maker(tmp_path)
    dead.kill()
    dead.communicate()
    assert left.is_dir()
    assert sweep(tmp_path) == 1000
    assert not left.exists()
    assert (held / "part").is_file()
    alive.communicate("\n")
    assert list(tmp_path.iterdir()) == []


def test_next_maker_sweeps(tmp_path: Path) -> None:
    """A new maker clears what a killed one left, also from before folders were held."""
    (tmp_path / f"{PREFIX}old").mkdir()
    (tmp_path / f"{PREFIX}old" / "part").write_bytes(b"x")
    with workspace(tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]


def test_nothing_to_sweep(tmp_path: Path) -> None:
    """A folder that does not exist is empty, and is not made."""
    assert (sweep(tmp_path / "none"), size(tmp_path / "none")) == (0, 0)
    assert not (tmp_path / "none").exists()
