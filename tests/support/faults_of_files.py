"""Faults of files and authorities: acts on a new folder, each with the message that it meets.

Every act checks itself that nothing is lost that was reported as written.
"""

from __future__ import annotations

import contextlib
import gzip
import http.server
import os
import resource
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import line_ups
from attacks_on_throws import nobody
from authority import Authority, openssl
from depose import pipeline
from depose.cli.options import now
from depose.custody import keys
from depose.endpoints import time_stamp_authority
from depose.errors import DeposeError
from depose.evidence import timestamp
from depose.evidence.log import Log, log_path, read_log
from depose.lineup.coin import Coin
from depose.lineup.middleware import RandomisedDelivery
from depose.lineup.unfolding import thrown_of, unfold
from fakes import Clock, depose, scripted_case

# --- files that fail --------------------------------------------------------------------------------

LOCAL: dict[str, tuple[str, Callable[[Path], str]]] = {}
"""Faults of files and authorities: what the message says, and the act that gives it."""


def local(name: str, says: str) -> Callable[[Callable[[Path], str]], Callable[[Path], str]]:
    """Add a fault: a function that meets it in a new folder and returns the message."""

    def added(act: Callable[[Path], str]) -> Callable[[Path], str]:
        LOCAL[name] = says, act
        return act

    return added


@contextlib.contextmanager
def no_file_beyond(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as on a disk that is full; needs no other rights."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def _message(act: Callable[[], object]) -> str:
    try:
        act()
    except DeposeError as error:
        return error.message
    return ""


def begun(folder: Path) -> Path:
    """Write a log of three records."""
    with Log(folder, Clock()) as log:
        for number in range(3):
            log.append("exchange", {"n": number})
    return log_path(folder)


def kinds(folder: Path) -> list[int]:
    """Read the log: the numbers that its records hold."""
    return [one.entry.body["n"] for one in read_log(folder)]


def _going_on(folder: Path, spoil: Callable[[Log, Path], None]) -> str:
    """Append, spoil, append again: the message; what was reported as written must stand in the log or be kept."""

    def act() -> None:
        with Log(folder, Clock()) as log:
            log.append("exchange", {"n": 3})
            log.sync()
            spoil(log, log_path(folder))
            log.append("exchange", {"n": 4})
            log.sync()

    return _message(act)


def _full(folder: Path, size: int, blob: bytes = b"") -> str:
    begun(folder)

    def spoil(log: Log, path: Path) -> None:
        with no_file_beyond(path.stat().st_size + size):
            for _ in range(2):
                with contextlib.suppress(DeposeError):
                    log.store(blob * 99)
                    log.append("exchange", {"n": 9, "text": "word " * 2_000})
                    log.sync()
        # The disk has room again, and nothing more may be written all the same.

    message = _going_on(folder, spoil)
    assert log_path(folder).read_bytes().endswith(b"\n"), "half a line was left"
    assert kinds(folder) == [0, 1, 2, 3]
    with Log(folder, Clock()) as log:
        log.append("exchange", {"n": 5})
    assert kinds(folder) == [0, 1, 2, 3, 5]
    assert not [one for one in (folder / "evidence/blobs").iterdir() if one.name.startswith(".")]
    return message


_NOT_WRITTEN = r"cannot be written: .*; all that was reported as answered stands in it"


@local("a disk that is full in the midst of a line, and then has room again", f"log.jsonl: {_NOT_WRITTEN}")
def _(folder: Path) -> str:
    return _full(folder, 700)


@local("a disk that is full before the first byte of a line", f"log.jsonl: {_NOT_WRITTEN}")
def _(folder: Path) -> str:
    return _full(folder, 0)


@local("a disk that is full in the midst of an answer's raw bytes", f"blobs/[0-9a-f]{{64}}: {_NOT_WRITTEN}")
def _(folder: Path) -> str:
    return _full(folder, 0, os.urandom(100))


def _replaced(folder: Path, spoil: Callable[[Path, bytes], None]) -> str:
    path = begun(folder)
    old = path.read_bytes()
    message = _going_on(folder, lambda log, path: spoil(path, old))
    (kept,) = path.parent.glob("log-kept-*.jsonl")
    if "from 3 on" in message:  # what stood there before is gone, and this run's records are kept
        kept.write_bytes(old + kept.read_bytes())
    kept.replace(path)
    assert kinds(folder) == [0, 1, 2, 3, 4]
    return message


def _by_another(path: Path, old: bytes) -> None:
    other = path.with_name("restored")
    other.write_bytes(old)
    other.replace(path)


@local(
    "a log that an older copy replaced under the run", "is another file now.*the log as this run wrote it is kept in"
)
def _(folder: Path) -> str:
    return _replaced(folder, _by_another)


def _in_its_place(path: Path, old: bytes) -> None:
    path.write_bytes(old)


@local("a log that was written over in its place by an older copy", r"has \d+ bytes, not \d+.*is kept in")
def _(folder: Path) -> str:
    return _replaced(folder, _in_its_place)


@local("a log that was emptied under the run", r"has 0 bytes, not .*; its 2 records of this run, from 3 on, are in")
def _(folder: Path) -> str:
    return _replaced(folder, lambda path, old: os.truncate(path, 0))


@local(
    "a log that was deleted under the run",
    "is gone: it was changed under the run; the log as this run wrote it is kept",
)
def _(folder: Path) -> str:
    return _replaced(folder, lambda path, old: path.unlink())


@local("a log in which another program changed a byte", "holds other records now")
def _(folder: Path) -> str:
    def spoil(path: Path, old: bytes) -> None:
        data = path.read_bytes()
        time.sleep(0.01)
        path.write_bytes(data.replace(b'"n":3', b'"n":8'))

    return _replaced(folder, spoil)


@local("a log to which another program appended", r"has \d+ bytes, not")
def _(folder: Path) -> str:
    def spoil(path: Path, old: bytes) -> None:
        with path.open("ab") as file:
            file.write(b"{}\n")

    return _replaced(folder, spoil)


@local("an evidence folder that was moved away and restored", "is another file now.*is kept in")
def _(folder: Path) -> str:
    def spoil(path: Path, old: bytes) -> None:
        shutil.move(path.parent, folder / "away")
        (path.parent / "blobs").mkdir(parents=True)
        path.write_bytes(old)

    return _replaced(folder, spoil)


@local("a log with a line of 200 MB", "line 4 is not a record")
def _(folder: Path) -> str:
    path = begun(folder)
    with path.open("ab") as file:
        file.truncate(path.stat().st_size + 200_000_000)
    return _message(lambda: list(read_log(folder)))


# --- authorities that fail --------------------------------------------------------------------------


@contextlib.contextmanager
def authority_saying(answer: Callable[[http.server.BaseHTTPRequestHandler, bytes], None]) -> Iterator[str]:
    """Serve an authority that answers as it likes; give its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            with contextlib.suppress(OSError):
                answer(self, query)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def _replying(body: bytes, *headers: tuple[str, str]) -> Callable[[http.server.BaseHTTPRequestHandler, bytes], None]:
    def answer(handler: http.server.BaseHTTPRequestHandler, query: bytes) -> None:
        handler.send_response(200)
        for name, value in (("Content-Length", str(len(body))), *headers):
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def _refused(status: int) -> bytes:
    return bytes((0x30, 0x05, 0x30, 0x03, 0x02, 0x01, status))


def _registered(folder: Path, answer: Callable[[http.server.BaseHTTPRequestHandler, bytes], None]) -> str:
    """Register a case with a failing authority: the first line of what is shown, and no traceback."""
    authority = Authority(folder / "tsa")
    case = scripted_case(folder / "case", {"S1": "same", "R1": "same", "C1": "one"})
    with authority_saying(answer) as url:
        ran = depose("register", case, "--tsa", url, "--tsa-root", authority.roots)
        probed = depose("probe", case, "--tsa", url, "--tsa-root", authority.roots)
    assert ran.code in (1, 3), ran
    assert probed.code == 0, probed
    assert "no time-stamp of record" in probed.out
    return ran.err


@local("an authority that says rejection", r"the authority refused: status 2 \(rejection\): without words")
def _(folder: Path) -> str:
    return _registered(folder, _replying(_refused(2)))


@local("an authority that says waiting", r"the authority refused: status 3 \(waiting\)")
def _(folder: Path) -> str:
    return _registered(folder, _replying(_refused(3)))


@local("an authority that grants, and gives no token", "not a time-stamp reply: Missing SignedData")
def _(folder: Path) -> str:
    return _registered(folder, _replying(_refused(0)))


@local("an authority whose policy is another, with words", "Requested policy is not supported")
def _(folder: Path) -> str:
    other = Authority(folder / "other")
    openssl("ts", "-query", "-data", other.roots, "-sha256", "-tspolicy", "1.9.9", "-out", folder / "q")
    return _registered(folder, _replying(other.reply((folder / "q").read_bytes())))


@local("an authority that unpacks to 100 MB", "no time-stamp: content encoding gzip: unpacks to more than 16 MiB")
def _(folder: Path) -> str:
    return _registered(folder, _replying(gzip.compress(b"\0" * 10**8, 1), ("Content-Encoding", "gzip")))


@local("an authority that sends 3 MB", "no time-stamp: HTTP 200, 3000000 bytes")
def _(folder: Path) -> str:
    return _registered(folder, _replying(b"\0" * 3_000_000))


@local("an authority that redirects to this machine's secrets", "no time-stamp: HTTP 302")
def _(folder: Path) -> str:
    def answer(handler: http.server.BaseHTTPRequestHandler, query: bytes) -> None:
        handler.send_response(302)
        handler.send_header("Location", "file:///etc/passwd")
        handler.end_headers()

    return _registered(folder, answer)


@local("an authority that drips a byte at a time", "no time-stamp: no whole answer within 0.5 s")
def _(folder: Path) -> str:
    def answer(handler: http.server.BaseHTTPRequestHandler, query: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "5000")
        handler.end_headers()
        for _ in range(200):
            handler.wfile.write(b"0")
            time.sleep(0.05)

    with authority_saying(answer) as url:
        return _message(lambda: time_stamp_authority.ask(url, timestamp.request(b"x"), timeout=0.5))


# --- bundles ----------------------------------------------------------------------------------------


def _sealed_twice(folder: Path, first: Sequence[str | Path], again: Sequence[str | Path]) -> str:
    case = scripted_case(folder / "case", {"S1": "same", "R1": "same", "C1": "one"})
    pipeline.register_case(case, now)
    pipeline.probe(case, now, lambda *_: None)
    pipeline.analyze_case(case, lambda line: None, now)
    keys.make(folder / "key.pem")
    assert depose("seal", case, "--key", folder / "key.pem", *first).code == 0
    (bundle,) = (case / "sealed").iterdir()
    before = bundle.read_bytes()
    ran = depose("seal", case, "--key", folder / "key.pem", *again)
    assert ran.code == 0, ran.err
    assert bundle.read_bytes() == before
    return " ".join(sorted(one.name for one in (case / "sealed").iterdir()))


_TWO = r"case-([0-9a-f]{12})-2\.zip case-\1\.zip"


def _stamped(folder: Path, again: bool) -> str:
    authority = Authority(folder / "tsa")
    with authority.serve() as url:
        options = ("--tsa", url, "--tsa-root", authority.roots)
        return _sealed_twice(folder, options, options if again else ())


@local("a stamped bundle, sealed again without a token: it stays, with its token", r"case-[0-9a-f]{12}\.zip\Z")
def _(folder: Path) -> str:
    return _stamped(folder, again=False)


@local("a stamped bundle, sealed again with another token: both stay", _TWO)
def _(folder: Path) -> str:
    return _stamped(folder, again=True)


@local("a bundle sealed again with nothing changed: one stays, as it was", r"case-[0-9a-f]{12}\.zip\Z")
def _(folder: Path) -> str:
    return _sealed_twice(folder, (), ())


@local("a disk that is full while a throw is written", "File too large")
def _full_for_a_throw(folder: Path) -> str:
    """Nothing of the line is left, the answer is not delivered, and the chain goes on when there is room again."""
    log = folder / "thrown.jsonl"
    server = RandomisedDelivery(nobody, Coin(line_ups.COIN), log)
    first, second, *_ = thrown_of(line_ups.thrown(1), "throws")
    server.write(first)
    before = log.read_bytes()
    said = ""
    with no_file_beyond(len(before) + 20):
        try:
            server.write(second)
        except OSError as error:
            said = str(error.strerror)
    assert log.read_bytes() == before, "half a line was left"
    server.write(second)
    assert unfold(log.read_bytes(), "throws", line_ups.COIN, folder / "files", ()).chained
    return said
