"""A real server on loopback over a real model, which gives log-probabilities of what it is sent.

It speaks `completions` with `echo` as OpenAI introduced it, and chat completions with vLLM's `prompt_logprobs`: one
forward pass for each request, nothing shared, nothing padded. `without` names what it should not know.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class GivenText:
    """The server, running while the `with` block lasts; `seen` holds the path and the body of every request."""

    def __init__(self, folder: Path, *, without: frozenset[str] = frozenset(), failing: int = 0) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
        self.model.eval()
        self.without = without
        self.failing = failing
        """So many requests are answered with 503 before any other."""
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self._lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status, answer = owner.answered(self.path, body)
                data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> GivenText:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answered(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer one request."""
        with self._lock:  # one model, one thread
            self.seen.append((path, body))
            if self.failing:
                self.failing -= 1
                return 503, {"error": {"message": "not yet"}}
            if path == "/v1/completions" and "completions" not in self.without:
                return 200, self._completions(body)
            if path == "/v1/chat/completions":
                return 200, self._chat(body)
        return 404, {"error": {"message": f"nothing at {path}"}}

    def _logs(self, ids: list[int]) -> list[float | None]:
        """Log-probability of each token given those before it; of the first there is none."""
        import torch

        with torch.no_grad():
            log = torch.log_softmax(self.model(input_ids=torch.tensor([ids])).logits[0].double(), dim=-1)
        return [None, *(float(log[place, token]) for place, token in enumerate(ids[1:]))]

    def _completions(self, body: dict[str, Any]) -> dict[str, Any]:
        ids = self.tokenizer(body["prompt"], add_special_tokens=False)["input_ids"]
        pieces = [self.tokenizer.decode([one]) for one in ids]
        logs = self._logs(ids)
        if "echo" in self.without or not body.get("echo"):
            pieces, logs = [], []
        # The one token that is asked for is generated, whatever it is.
        pieces, logs = [*pieces, "!"], [*logs, -1.0]
        offsets = [sum(map(len, pieces[:place])) for place in range(len(pieces))]
        listed = {"tokens": pieces, "token_logprobs": logs, "text_offset": offsets}
        return {
            "id": "cmpl-1",
            "model": body["model"],
            "choices": [{"text": "".join(pieces), "finish_reason": "length", "logprobs": listed}],
            **({} if "usage" in self.without else {"usage": {"prompt_tokens": len(ids), "completion_tokens": 1}}),
        }

    def _chat(self, body: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {
            "id": "chat-1",
            "model": body["model"],
            "choices": [{"message": {"role": "assistant", "content": "!"}, "finish_reason": "length"}],
        }
        if "prompt_logprobs" in self.without or "prompt_logprobs" not in body:
            return answer
        *turns, last = body["messages"]
        shown = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        ids = self.tokenizer(shown + last["content"], add_special_tokens=False)["input_ids"]
        given = [
            None
            if log is None
            else {str(one): {"logprob": log, "rank": 1, "decoded_token": self.tokenizer.decode([one])}}
            for one, log in zip(ids, self._logs(ids), strict=True)
        ]
        return answer | {"prompt_logprobs": given}
