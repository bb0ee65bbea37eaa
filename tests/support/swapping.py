"""A small real server on loopback that chooses among words as a model would, and swaps its model after so many calls.

with Swapping(after=100) as server: ...      server.url, server.calls
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import numpy as np

WORDS = (("amber", "birch", "coral", "delta", "ember", "fjord"), ("amber", "gable", "heath", "inlet", "jetty", "knoll"))
"""Of the first model and of the one that takes its place."""
NEVER = 10**9


class Swapping:
    """Answers chat completions; another model answers from call `after` + 1 on."""

    def __init__(self, after: int = NEVER, seed: int = 0, failing: bool = False) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status, said = outer.answer(body)
                data = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep quiet."""

        self.after, self.calls, self.failing = after, 0, failing
        self.withheld = 0  # one of so many calls has no answer for a filter; 0 is none
        self._rng = np.random.default_rng(seed)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Choose a word: each model has its own shares for each prompt."""
        with self._lock:
            self.calls += 1
            if self.failing:
                return 401, {"error": {"message": "no such key", "type": "invalid_request_error"}}
            which = int(self.calls > self.after)
            text = body["messages"][-1]["content"]
            shares = np.random.default_rng([which, *text.encode()]).dirichlet(np.full(len(WORDS[which]), 0.5))
            word = str(self._rng.choice(WORDS[which], p=shares))
            filtered = bool(self.withheld) and self.calls % self.withheld == 0
        message = {"role": "assistant", "content": "" if filtered else word}
        usage = {"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 14}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return 200, {
            "id": f"c-{self.calls}",
            "object": "chat.completion",
            "model": body["model"],
            "choices": [choice],
            "usage": usage,
        }

    def __enter__(self) -> Swapping:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
