"""Servers out of step: a second answer behind the first, or one before the question was sent whole.

On a kept connection the next question would get what came too early, whole or in part.
"""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import ClassVar

from depose import pipeline
from depose.cli.options import now
from fakes import case_of, model, write_case
from faulty import heard, remote

EARLY = "a response that came before its question was sent"
QUESTIONS = 3


def _answer(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    said = {"id": "x", "model": "m-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    body = json.dumps(said).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class _Handler(socketserver.StreamRequestHandler):
    early: ClassVar[slice] = slice(None)
    """How much of an answer to somebody else comes behind ours; the rest comes before the next."""
    also: ClassVar[bytes] = b""
    """What comes behind that."""

    def handle(self) -> None:
        other, rest = _answer("Of somebody else."), b""
        with contextlib.suppress(OSError):
            while self.rfile.readline():
                length = 0
                while head := self.rfile.readline().strip().lower():
                    name, _, value = head.partition(b":")
                    length = int(value) if name == b"content-length" else length
                self.rfile.read(length)
                self.wfile.write(rest + _answer("Asked for.") + other[self.early] + self.also)
                rest = other[self.early.stop :] if self.early.stop else b""


class _InPart(_Handler):
    early = slice(0, 9)


class _HeadAlone(_Handler):
    early = slice(0, -40)


class _Informed(_Handler):
    early = slice(0, 0)
    also = b"HTTP/1.1 103 Early Hints\r\nLink: </of-somebody-else>\r\n\r\n"


class _BlankLine(_Handler):
    early = slice(0, 0)
    also = b"\r\n"


class _TooLarge(socketserver.StreamRequestHandler):
    """Answers when it has seen the first line, and is gone with all that it did not read."""

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")


HANDLERS: dict[str, type[socketserver.StreamRequestHandler]] = {
    "an answer sent before its question": _Handler,
    "the first bytes of an answer sent before its question": _InPart,
    "an answer sent before its question but for its end": _HeadAlone,
    "hints sent before their question": _Informed,
}
HONEST: dict[str, type[socketserver.StreamRequestHandler]] = {"a blank line behind an answer": _BlankLine}


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def asked(
    folder: Path, handler: type[socketserver.StreamRequestHandler] = _Handler, padding: int = 0
) -> tuple[list[str], list[str]]:
    """Ask QUESTIONS questions over one connection; return what counts as answered, and the reasons of what failed."""
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        case = folder / "case"
        system = "Be brief. " * (padding // 10)
        models = [
            remote(f"http://127.0.0.1:{server.server_address[1]}", concurrency=1, system=system),
            model("R1", "reference", provider="scripted", model="same"),
        ]
        write_case(case, case_of(models, probes=[f"open_howto:{QUESTIONS}"], replicates=1, bogus_model=False))
        pipeline.register_case(case, now)
        pipeline.probe(case, now, lambda answered, failed: None)
        server.shutdown()
    found = heard(case)
    return [one.text for one in found if one.outcome == "answered"], [one.reason for one in found if one.reason]


def too_large(folder: Path) -> str:
    """Return the message of a question that was answered before it was sent whole, by a server that left at once."""
    answered, reasons = asked(folder, _TooLarge, padding=4_000_000)
    assert not answered, answered
    return "; ".join(dict.fromkeys(reasons))


def _act(handler: type[socketserver.StreamRequestHandler], folder: Path) -> str:
    answered, reasons = asked(folder, handler)
    assert answered == ["Asked for."] * QUESTIONS, answered
    return "; ".join(dict.fromkeys(reasons))


OF_ORDER: dict[str, tuple[str, Callable[[Path], str]]] = {
    name: (EARLY, partial(_act, handler)) for name, handler in HANDLERS.items()
}
OF_ORDER["an answer before the question was sent whole, and the server gone"] = ("HTTP 413|connection broke", too_large)
