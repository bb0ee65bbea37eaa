"""A server that sends a second answer behind the first: on a kept connection the next question would get it."""

from __future__ import annotations

import contextlib
import json
import socketserver
import threading
from pathlib import Path

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
    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while self.rfile.readline():
                length = 0
                while head := self.rfile.readline().strip().lower():
                    name, _, value = head.partition(b":")
                    length = int(value) if name == b"content-length" else length
                self.rfile.read(length)
                self.wfile.write(_answer("Asked for.") + _answer("Of somebody else."))


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def answers_behind_answers(folder: Path) -> tuple[list[str], list[str]]:
    """Ask QUESTIONS questions over one connection; return what counts as answered, and the reasons of what failed."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        case = folder / "case"
        models = [
            remote(f"http://127.0.0.1:{server.server_address[1]}", concurrency=1),
            model("R1", "reference", provider="scripted", model="same"),
        ]
        write_case(case, case_of(models, probes=[f"open_howto:{QUESTIONS}"], replicates=1, bogus_model=False))
        pipeline.register_case(case, now)
        pipeline.probe(case, now, lambda answered, failed: None)
        server.shutdown()
    found = heard(case)
    return [one.text for one in found if one.outcome == "answered"], [one.reason for one in found if one.reason]


def act(folder: Path) -> str:
    """Return the message, for the table of faults."""
    answered, reasons = answers_behind_answers(folder)
    assert answered == ["Asked for."] * QUESTIONS, answered
    return "; ".join(dict.fromkeys(reasons))
