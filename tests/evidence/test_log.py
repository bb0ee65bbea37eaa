"""The log and the blobs: whatever is changed afterwards shows."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depose.errors import CaseError, EvidenceError
from depose.evidence.log import GENESIS, Log, log_path, read_blob, read_log, write_whole
from depose.model.canonical import sha256
from fakes import Clock

EVENTS = 6


def make(case: Path, events: int = EVENTS) -> bytes:
    """Write a log of several events and return its bytes."""
    with Log(case, Clock()) as log:
        for number in range(events):
            log.append("exchange", {"n": number, "p": 0.05, "text": f"answer {number}: é, \n, \u2028", "more": [1.5]})
    return log_path(case).read_bytes()


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Bytes of an untouched log."""
    return make(tmp_path_factory.mktemp("original"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case folder to lay changed logs into."""
    case = tmp_path_factory.mktemp("desk")
    make(case)
    return case


def head_of(case: Path, data: bytes) -> str:
    """Lay a log into a case folder and read it: the digest of its last record."""
    log_path(case).write_bytes(data)
    return (["", *(chained.digest for chained in read_log(case))])[-1]


def test_the_chain_can_be_checked_with_sha256_and_a_json_parser(tmp_path: Path) -> None:
    """Each line names the digest of the line before it, from 64 zeros on, and the head is that of the last."""
    lines = make(tmp_path).splitlines()
    read = list(read_log(tmp_path))
    assert [chained.entry.prev for chained in read] == [GENESIS, *(sha256(line) for line in lines[:-1])]
    assert [chained.entry.seq for chained in read] == list(range(EVENTS))
    assert read[-1].digest == sha256(lines[-1])
    assert read[3].entry.body["text"] == "answer 3: é, \n, \u2028"
    assert read[0].entry.at == "2026-01-01T00:00:00.001000Z"


def test_a_log_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """Opening a log again appends to the same chain, and its head is known at once."""
    make(tmp_path, 2)
    head = list(read_log(tmp_path))[-1].digest
    with Log(tmp_path, Clock()) as log:
        assert log.head == head
        assert log.append("more", {}) == log.head != head
    assert [chained.entry.kind for chained in read_log(tmp_path)] == ["exchange", "exchange", "more"]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_changed_byte_shows(original: bytes, desk: Path, data: st.DataObject) -> None:
    """A byte changed before the last line breaks the chain; one in the last line changes the head or breaks it."""
    place = data.draw(st.integers(0, len(original) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != original[place]))
    changed = original[:place] + bytes([other]) + original[place + 1 :]
    last_line = original[:-1].rfind(b"\n") + 1
    truth = sha256(original[last_line:-1])
    if place < last_line:
        with pytest.raises(EvidenceError):
            head_of(desk, changed)
    else:
        with contextlib.suppress(EvidenceError):
            assert head_of(desk, changed) != truth


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_dropped_swapped_or_repeated_line_shows(original: bytes, desk: Path, data: st.DataObject) -> None:
    """A line dropped (but the last), swapped or repeated breaks the chain; without its last line the head differs."""
    lines = original.splitlines(keepends=True)
    first, second = data.draw(st.permutations(range(EVENTS)))[:2]
    how = data.draw(st.sampled_from(["drop", "swap", "repeat"]))
    changed = list(lines)
    if how == "drop":
        del changed[first]
    elif how == "swap":
        changed[first], changed[second] = changed[second], changed[first]
    else:
        changed.insert(second, lines[first])
    if how == "drop" and first == EVENTS - 1:
        assert head_of(desk, b"".join(changed)) != head_of(desk, original)
        assert head_of(desk, b"".join(changed)) == sha256(lines[-2][:-1])
    else:
        with pytest.raises(EvidenceError) as caught:
            head_of(desk, b"".join(changed))
        assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b'{"at":"","body":{"n":9007199254740993},"kind":"x","prev":"PREV","seq":6}',
        b'{"at":"","body":{"n":1e400},"kind":"x","prev":"PREV","seq":6}',
        b'{"at":"","body":{"n":1,"n":2},"kind":"x","prev":"PREV","seq":6}',
        b'{"at":"","body":{"n":1.0},"kind":"x","prev":"PREV","seq":6}',
        b'{"at":"","body":{},"kind":"x","prev":"PREV","seq":6,"note":"unknown field"}',
        b'{"at":"","body":{},"kind":"x","prev":"PREV","seq":6} ',
        b'{"at":"","body":{"s":"\\ud800"},"kind":"x","prev":"PREV","seq":6}',
    ],
    ids=["blank", "null", "deep", "deep keys", "not utf-8", "big", "huge", "twice", "1.0", "field", "space", "half"],
)
def test_a_forged_line_is_refused_even_with_the_right_link(original: bytes, desk: Path, line: bytes) -> None:
    """Whatever is not the one canonical form of a record is refused as evidence, never a crash."""
    head = head_of(desk, original)
    good = b'{"at":"","body":{},"kind":"x","prev":"PREV","seq":6}'
    assert head_of(desk, original + good.replace(b"PREV", head.encode()) + b"\n") != head
    with pytest.raises(EvidenceError, match="line 7"):
        head_of(desk, original + line.replace(b"PREV", head.encode()) + b"\n")


def test_every_torn_last_line_is_dropped_and_the_log_goes_on(tmp_path: Path) -> None:
    """Wherever a kill cuts the last line, it is not read, and the next record follows the one before it."""
    whole = make(tmp_path, 3)
    last_line = whole[:-1].rfind(b"\n") + 1
    for cut in range(last_line, len(whole) - 1, 11):
        log_path(tmp_path).write_bytes(whole[:cut])
        assert len(list(read_log(tmp_path))) == 2
        with Log(tmp_path, Clock()) as log:
            log.append("after", {"cut": cut})
        assert [chained.entry.kind for chained in read_log(tmp_path)] == ["exchange", "exchange", "after"]


@pytest.mark.criterion(50)
def test_a_killed_writer_leaves_a_log_that_verifies(tmp_path: Path) -> None:
    """After SIGKILL in the midst of appending the chain holds, the lock is free, and what was synced is there."""
    code = (
        "import sys; from pathlib import Path; from depose.evidence.log import Log\n"
        "with Log(Path(sys.argv[1]), lambda: '2026-01-01T00:00:00.000000Z') as log:\n"
        "    for n in range(10**9):\n"
        "        log.append('x', {'n': n, 'text': 'word ' * 999})\n"
        "        if n == 20:\n"
        "            log.sync(); print('synced', flush=True)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stdout.readline() == "synced\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    read = [chained.entry.body["n"] for chained in read_log(tmp_path)]
    assert read[:21] == list(range(21))
    with Log(tmp_path, Clock()) as log:
        log.append("after", {})
    assert [chained.entry.seq for chained in read_log(tmp_path)] == list(range(len(read) + 1))


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    """Two writers would break the chain, so that the second is refused until the first is done."""
    with Log(tmp_path, Clock()) as log:
        log.append("x", {})
        with pytest.raises(CaseError, match="another depose is writing here"), Log(tmp_path, Clock()):
            pass
        log.append("x", {})
    with Log(tmp_path, Clock()) as log:
        log.append("x", {})
    assert len(list(read_log(tmp_path))) == 3


def test_nothing_is_appended_to_a_log_that_does_not_verify(tmp_path: Path) -> None:
    """Opening a broken log for writing raises, changes nothing and lets go of the lock."""
    broken = make(tmp_path).replace(b"answer 2", b"ANSWER 2")
    log_path(tmp_path).write_bytes(broken)
    for _ in range(2):
        with pytest.raises(EvidenceError, match="line 4 does not follow"), Log(tmp_path, Clock()):
            pass
    assert log_path(tmp_path).read_bytes() == broken


def test_a_case_without_a_log_is_not_registered(tmp_path: Path) -> None:
    """Reading a log that is not there names the command that makes it, and makes nothing."""
    with pytest.raises(CaseError, match="nothing is registered yet") as caught:
        list(read_log(tmp_path))
    assert caught.value.hint == f"depose register {tmp_path}"
    assert list(tmp_path.iterdir()) == []


def test_blobs_are_kept_once_under_their_digest_and_checked_when_read(tmp_path: Path) -> None:
    """A blob comes back as it was stored; changed, missing and misnamed ones are errors of evidence."""
    with Log(tmp_path, Clock()) as log:
        name = log.store(b"\x00raw\xff")
        assert log.store(b"\x00raw\xff") == name == sha256(b"\x00raw\xff")
        assert log.store(b"") == ""
    blobs = log_path(tmp_path).parent / "blobs"
    assert [file.name for file in blobs.iterdir()] == [name]
    assert read_blob(tmp_path, name) == b"\x00raw\xff"
    for bad in ("../log.jsonl", "", name.upper(), name[:-1]):
        with pytest.raises(EvidenceError, match="is not the name of a blob"):
            read_blob(tmp_path, bad)
    with pytest.raises(EvidenceError, match="missing"):
        read_blob(tmp_path, "0" * 64)
    (blobs / name).write_bytes(b"\x00raw\xfe")
    with pytest.raises(EvidenceError, match="do not have the digest"):
        read_blob(tmp_path, name)


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """A write that fails leaves the old file and no temporary one."""
    write_whole(tmp_path / "file", b"old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(tmp_path / "folder", b"new")
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "none" / "file", b"new")
    with pytest.raises(TypeError):
        write_whole(tmp_path / "file", "not bytes")  # type: ignore[arg-type]
    assert (tmp_path / "file").read_bytes() == b"old"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder"]
    write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
