"""Files that somebody else made are regular files, and no reader of them takes more than it may."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from depose.case.untrusted_files import (
    MEMORY,
    MOST_MEMORY,
    PATIENCE,
    TooMuch,
    in_child,
    memory_for,
    opened,
    read_untrusted,
)
from depose.errors import EvidenceError


def _link(path: Path) -> None:
    (path.parent / "private").write_text("secret")
    path.symlink_to(path.parent / "private")


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


MADE = {
    "a symbolic link": _link,
    "a dangling link": lambda path: path.symlink_to("nowhere"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a pipe": os.mkfifo,
    "a folder": lambda path: path.mkdir(),
    "a socket": _socket,
}


@pytest.mark.parametrize("kind", MADE)
def test_only_a_regular_file_is_opened(kind: str, tmp_path: Path) -> None:
    """A link, a pipe, a device, a socket and a folder are refused at once, by what they are."""
    MADE[kind](tmp_path / "given")
    with pytest.raises((ValueError, OSError), match=r"symbolic link|not a file|No such device"):
        opened(tmp_path / "given")


def test_a_file_is_read_up_to_the_limit_and_no_further(tmp_path: Path) -> None:
    """Bytes are counted as they are read: a device that says it has none, or a file that grows, is held back alike."""
    (tmp_path / "given").write_bytes(b"x" * 1000)
    assert read_untrusted(tmp_path / "given", 1000) == b"x" * 1000
    with pytest.raises(TooMuch, match="larger than 999 bytes"):
        read_untrusted(tmp_path / "given", 999)


def test_memory_follows_from_the_bytes_on_disk() -> None:
    """A small file may take a gibibyte, a large one more, and none more than the most."""
    assert (memory_for(0), memory_for(27_000), memory_for(10**12)) == (MEMORY, MEMORY, MOST_MEMORY)
    assert MEMORY < memory_for(200 * 1024**2) < MOST_MEMORY


def test_a_child_gives_back_what_its_reader_returned() -> None:
    """What a reader returns comes back as it was, checked against its type."""
    assert in_child("greedy:double", "ä\u202e", answer=str) == "ä\u202eä\u202e"


@pytest.mark.parametrize(
    ("reader", "arguments", "message"),
    [
        ("much", (600 * 1024**2,), "takes more than 200 MiB of memory"),
        ("talkative", (60 * 1024**2,), None),
        ("busy", (), "takes more than 1 s of a processor"),
        pytest.param("waits", (), f"takes more than {PATIENCE} s to read", marks=pytest.mark.slow),
        ("dies", (), "cannot be read within 200 MiB of memory"),
    ],
)
def test_a_reader_is_held_to_its_limits(reader: str, arguments: tuple[int, ...], message: str | None) -> None:
    """Memory, processor time, the clock, and a library that ends its process: each is a refusal that says so."""
    if message is None:
        assert len(in_child(f"greedy:{reader}", *arguments, answer=str, memory=200 * 1024**2)) == arguments[0]
        return
    with pytest.raises(TooMuch, match=message):
        in_child(f"greedy:{reader}", *arguments, answer=int, memory=200 * 1024**2, seconds=1)


def test_what_a_reader_raises_is_raised_here() -> None:
    """An error of depose keeps its kind and its hint, a ValueError its message; anything else is a ValueError."""
    with pytest.raises(EvidenceError, match="third record") as caught:
        in_child("greedy:raises", "EvidenceError", answer=int)
    assert caught.value.hint == "look at it"
    with pytest.raises(ValueError, match=r"^row 3 is odd$"):
        in_child("greedy:raises", "ValueError", answer=int)
    with pytest.raises(ValueError, match="KeyError: 'row 3 is odd'"):
        in_child("greedy:raises", "KeyError", answer=int)


def test_a_child_has_no_secrets_and_writes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that a file has taken over finds no key in the environment, and can write nothing."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1234")
    assert "OPENAI_API_KEY" not in in_child("greedy:environment", answer=list[str])
    with pytest.raises(ValueError):
        in_child("greedy:writes", str(tmp_path / "made"), answer=type(None))
    assert not (tmp_path / "made").exists() or not (tmp_path / "made").read_text()
