"""A small real server on loopback that speaks three wire formats and misbehaves on order.

    with Server(lambda seen: "429" if seen.nth == 1 else "") as server: ...

`python tests/support/faults.py --share 0.2` runs it by itself and prints its port.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import hashlib
import json
import socket
import socketserver
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

FAULTS = (
    "429 with retry-after",
    "429",
    "500",
    "503",
    "slow first byte",
    "no first byte",
    "stalled body",
    "dripping body",
    "truncated JSON",
    "wrong content type",
    "wrong model id",
    "empty answer",
    "refusal",
    "duplicate headers",
    "50 MB body",
    "gzip",
    "gzip bomb",
    "invalid UTF-8",
    "closed mid-body",
    "redirect",
    "401",
    "key in the answer",
)
HELD = "held"
"""No fault: the answer comes when the test sets `release`."""
PASSING = ("429 with retry-after", "429", "500", "503", "truncated JSON", "wrong content type", "closed mid-body")
"""Faults after which another attempt is made at once and may do better."""
RAW: dict[str, Callable[[Seen, bytes], bytes]] = {}
"""Further faults: a whole response, made of the request and of the body of the good answer."""
UNKNOWN = "depose-no-such-model"
SLOW = 0.2


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request."""

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    nth: int
    """How often the same question was asked before, plus one."""

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)

    def header(self, name: str) -> str:
        """The value of a header, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")


Plan = Callable[[Seen], str]


# --- the three wire formats -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """A valid request in one of the formats."""

    format: str
    prompt: str
    model: str
    stream: bool


def understood(seen: Seen, *, continues: bool = False) -> Spoken | str:
    """Check a request as the real services do: wrong or unknown fields are refused by name.

    One that `continues` an answer, as vLLM does, has two fields more.
    """
    try:
        data = json.loads(seen.body)
    except ValueError as error:
        return f"not JSON: {error}"
    path = seen.path.partition("?")[0]
    if path.endswith("/chat/completions"):
        return _openai(data, continues=continues)
    if path.endswith("/messages"):
        return _anthropic(data, seen)
    if ":generateContent" in path or ":streamGenerateContent" in path:
        model = path.rpartition("/")[2].partition(":")[0]
        stream = ":streamGenerateContent" in path and seen.path.endswith("?alt=sse")
        return _google(data, model, stream)
    return f"no such path: {path}"


def _wrong(data: dict[str, Any], known: dict[str, Any], required: tuple[str, ...]) -> str:
    for name, value in data.items():
        kind = known.get(name)
        if kind is None:
            return f"unknown field {name}"
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            return f"{name} has the wrong type"
    return next((f"{name} is required" for name in required if name not in data), "")


def _openai(data: dict[str, Any], *, continues: bool = False) -> Spoken | str:
    ending = ["user"]
    if continues and (data.pop("add_generation_prompt", True), data.pop("continue_final_message", False)) == (
        False,
        True,
    ):
        ending = ["user", "assistant"]
    known = {"model": str, "messages": list, "temperature": (int, float), "max_tokens": int, "seed": int}
    known |= {
        "stream": bool,
        "stream_options": dict,
        "logprobs": bool,
        "top_logprobs": int,
        "max_completion_tokens": int,
        "top_p": (int, float),
    }
    wrong = _wrong(data, known, ("model", "messages"))
    if wrong:
        return wrong
    roles = [message.get("role") for message in data["messages"]]
    told = roles[: len(roles) - len(ending) + 1]
    if roles[-len(ending) :] != ending or not alternating(told[1:] if told[:1] == ["system"] else told, "assistant"):
        return f"a conversation has other roles than {roles}"
    return Spoken(
        format="openai", prompt=data["messages"][-1]["content"], model=data["model"], stream=bool(data.get("stream"))
    )


def _anthropic(data: dict[str, Any], seen: Seen) -> Spoken | str:
    known = {"model": str, "messages": list, "temperature": (int, float), "max_tokens": int, "system": str}
    wrong = _wrong(data, known | {"stream": bool, "top_k": int}, ("model", "messages", "max_tokens"))
    if wrong or seen.header("anthropic-version") != "2026-10-21":
        return wrong or "anthropic-version: header is required"
    content = data["messages"][-1]["content"]
    if not alternating([message["role"] for message in data["messages"]], "assistant"):
        return "user and assistant take turns, and the user comes last"
    prompt = content if isinstance(content, str) else content[0]["text"]
    return Spoken(format="anthropic", prompt=prompt, model=data["model"], stream=bool(data.get("stream")))


def _google(data: dict[str, Any], model: str, stream: bool) -> Spoken | str:
    wrong = _wrong(data, {"contents": list, "systemInstruction": dict, "generationConfig": dict}, ("contents",))
    config = {
        "temperature": (int, float),
        "maxOutputTokens": int,
        "candidateCount": int,
        "seed": int,
        "topK": (int, float),
    }
    wrong = wrong or _wrong(data.get("generationConfig", {}), config, ())
    if wrong:
        return wrong
    if not alternating([one["role"] for one in data["contents"]], "model"):
        return "user and model take turns, and the user comes last"
    return Spoken(format="google", prompt=data["contents"][-1]["parts"][0]["text"], model=model, stream=stream)


def alternating(roles: list[Any], other: str) -> bool:
    """Tell whether user and model take turns, the user first and last."""
    return roles == ["user", other] * (len(roles) // 2) + ["user"]


def said(prompt: str) -> str:
    """What the model behind the server answers."""
    return f"Answer «{prompt}» \U0001f600\n" + hashlib.sha256(prompt.encode()).hexdigest()


def answer(spoken: Spoken, fault: str) -> dict[str, Any]:
    """Answer in the format that was spoken."""
    text = {"empty answer": "", "refusal": "I'm sorry, but I can't help with that."}.get(fault, said(spoken.prompt))
    model = "another-model" if fault == "wrong model id" else spoken.model
    name = hashlib.sha256(spoken.prompt.encode()).hexdigest()[:12]
    if spoken.format == "openai":
        message = {"role": "assistant", "content": text, "refusal": None}
        if fault == "refusal":
            message |= {"content": None, "refusal": text}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        usage = {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18}
        head = {"id": f"chatcmpl-{name}", "object": "chat.completion", "created": 1_790_000_000, "model": model}
        return head | {"system_fingerprint": "fp_0123456789", "choices": [choice], "usage": usage}
    if spoken.format == "anthropic":
        blocks = [{"type": "text", "text": text}] if text and fault != "refusal" else []
        head = {"id": f"msg_{name}", "type": "message", "role": "assistant", "model": model, "content": blocks}
        stop = "refusal" if fault == "refusal" else "end_turn"
        head |= {"stop_reason": stop, "stop_sequence": None, "usage": {"input_tokens": 7, "output_tokens": 11}}
        details = {"type": "refusal", "category": "frontier_llm", "explanation": None}
        return head | ({"stop_details": details} if fault == "refusal" else {})
    usage = {"promptTokenCount": 7, "candidatesTokenCount": 11, "totalTokenCount": 18}
    head = {"modelVersion": model, "responseId": f"resp-{name}", "usageMetadata": usage}
    if fault == "refusal":
        return head | {"promptFeedback": {"blockReason": "SAFETY"}}
    parts = [{"text": text}] if text else []
    return head | {"candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}]}


def stream(spoken: Spoken, whole: dict[str, Any]) -> list[bytes]:
    """Cut an answer into the events in which it is streamed; text comes in two pieces."""
    if spoken.format == "openai":
        head = {k: whole[k] for k in ("id", "created", "model", "system_fingerprint")} | {
            "object": "chat.completion.chunk"
        }
        text = whole["choices"][0]["message"]["content"] or ""
        deltas = [{"role": "assistant", "content": ""}, {"content": text[:5]}, {"content": text[5:]}, {}]
        made = [head | {"choices": [{"index": 0, "delta": d, "finish_reason": None}]} for d in deltas]
        made[-1]["choices"][0]["finish_reason"] = "stop"
        made.append(head | {"choices": [], "usage": whole["usage"]})
        return [b"data: " + json.dumps(one).encode() + b"\n\n" for one in made] + [b"data: [DONE]\n\n"]
    if spoken.format == "anthropic":
        text = "".join(block["text"] for block in whole["content"])
        start = whole | {"content": [], "stop_reason": None, "usage": {"input_tokens": 7, "output_tokens": 1}}
        events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
        events += [{"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}]
        events += [{"type": "ping"}]
        for piece in (text[:5], text[5:]):
            delta = {"type": "text_delta", "text": piece}
            events.append({"type": "content_block_delta", "index": 0, "delta": delta})
        events.append({"type": "content_block_stop", "index": 0})
        stop = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        events.append({"type": "message_delta", "delta": stop, "usage": {"output_tokens": 11}})
        events.append({"type": "message_stop"})
        return [f"event: {one['type']}\ndata: {json.dumps(one)}\n\n".encode() for one in events]
    text = whole["candidates"][0]["content"]["parts"][0]["text"]
    pieces = [{"candidates": [{"content": {"role": "model", "parts": [{"text": text[:5]}]}, "index": 0}]}]
    pieces.append(whole | {"candidates": [whole["candidates"][0] | {"content": {"parts": [{"text": text[5:]}]}}]})
    head = {k: whole[k] for k in ("modelVersion", "responseId")}
    return [b"data: " + json.dumps(head | one).encode() + b"\r\n\r\n" for one in pieces]


def error(format: str, status: int, message: str) -> bytes:
    """Say what is wrong as the real service does."""
    kind = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}.get(status, "api_error")
    if format == "anthropic":
        return json.dumps({"type": "error", "error": {"type": kind, "message": message}}).encode()
    if format == "google":
        return json.dumps({"error": {"code": status, "message": message, "status": kind.upper()}}).encode()
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": None}}).encode()


# --- the server -------------------------------------------------------------------------------------


class _Handler(socketserver.StreamRequestHandler):
    server: _Server

    disable_nagle_algorithm = True

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            while self._one():
                pass

    def _one(self) -> bool:
        line = self.rfile.readline().decode("latin-1").split()
        if len(line) != 3:
            return False
        headers = []
        while head := self.rfile.readline().decode("latin-1").rstrip("\r\n"):
            name, _, value = head.partition(":")
            headers.append((name, value.strip()))
        length = int(next((value for name, value in headers if name.lower() == "content-length"), "0"))
        owner = self.server.owner
        seen = owner.note(line[1], tuple(headers), self.rfile.read(length))
        return self._answer(seen, owner.plan(seen))

    def _send(self, status: int, body: bytes, *more: tuple[str, str], kind: str = "application/json") -> bool:
        headers = [("Content-Type", kind), ("Content-Length", str(len(body))), *more]
        head = f"HTTP/1.1 {status} Fine\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers) + "\r\n"
        self.wfile.write(head.encode() + body)
        return True

    def _answer(self, seen: Seen, fault: str) -> bool:
        spoken = understood(seen, continues=self.server.owner.continues)
        if isinstance(spoken, str):
            return self._send(400, error("openai", 400, spoken))
        if spoken.model == UNKNOWN and not self.server.owner.heedless:
            return self._send(404, error(spoken.format, 404, f"model {spoken.model} not found"))
        whole = answer(spoken, fault)
        body = json.dumps(whole).encode()
        name = "request-id" if spoken.format == "anthropic" else "x-request-id"
        own = (name, "req-" + hashlib.sha256(seen.body + bytes([seen.nth])).hexdigest()[:12])
        if spoken.stream and fault in ("", "wrong model id", "closed mid-body"):
            return self._stream(stream(spoken, whole), own, cut=fault == "closed mid-body")
        return self._fault(seen, spoken, fault, body, own)

    def _stream(self, pieces: list[bytes], own: tuple[str, str], *, cut: bool) -> bool:
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
        self.wfile.write(f"{head}{own[0]}: {own[1]}\r\n\r\n".encode())
        for piece in pieces[: len(pieces) // 2] if cut else pieces:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            time.sleep(0.005)
        self.wfile.write(b"0\r\n\r\n")
        return True

    def _fault(self, seen: Seen, spoken: Spoken, fault: str, body: bytes, own: tuple[str, str]) -> bool:
        if fault in RAW:
            self.wfile.write(RAW[fault](seen, body))
            return False
        if fault[:3].isdigit() and fault != "50 MB body":
            more = (("Retry-After", "1"),) if fault.endswith("retry-after") else ()
            return self._send(int(fault[:3]), error(spoken.format, int(fault[:3]), "not now"), own, *more)
        if fault in ("stalled body", "closed mid-body", "dripping body"):
            return self._half(body, fault)
        match fault:
            case "slow first byte":
                time.sleep(SLOW)
            case "held":
                self.server.owner.release.wait()
            case "no first byte":
                self.server.owner.closing.wait()
                return False
            case "truncated JSON":
                return self._send(200, body[: len(body) // 2], own)
            case "wrong content type":
                return self._send(200, b"<html>Welcome to the hotel</html>", own, kind="text/html")
            case "duplicate headers":
                return self._send(200, body, own, ("X-Twice", "first"), ("X-Twice", "second"))
            case "50 MB body":
                return self._send(200, b'{"padding": "' + b" " * 50_000_000 + b'"}', own)
            case "gzip":
                return self._send(200, gzip.compress(body), own, ("Content-Encoding", "gzip"))
            case "gzip bomb":
                return self._send(200, _bomb(), own, ("Content-Encoding", "gzip"))
            case "invalid UTF-8":
                return self._send(200, body.replace(b"Answer", b"Answ\xff\xfe"), own)
            case "redirect":
                return self._send(307, b"", own, ("Location", "http://attacker.invalid/v1"))
            case "key in the answer":
                shown = " ".join(value for key, value in seen.headers if "key" in key.lower() or key == "Authorization")
                return self._send(200, body.replace(b"Answer", shown.encode()), own)
        return self._send(200, body, own)

    def _half(self, body: bytes, fault: str) -> bool:
        """Begin an answer and do not end it well."""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body[: len(body) // 2])
        if fault == "stalled body":
            self.server.owner.closing.wait()
        if fault == "dripping body":
            for byte in body[len(body) // 2 :]:
                self.wfile.write(bytes([byte]))
                if self.server.owner.closing.wait(0.2):
                    break
        return False


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * 50_000_000, 1)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, owner: Server, context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner
        self._context = context

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take a connection; under TLS the handshake is made by the thread that serves it."""
        plain, address = super().get_request()
        if self._context is None:
            return plain, address
        return self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that hang up."""


class Server:
    """The server, running in threads while the `with` block lasts; everything that it saw is in `seen`."""

    def __init__(
        self,
        plan: Plan = lambda seen: "",
        *,
        context: ssl.SSLContext | None = None,
        heedless: bool = False,
        continues: bool = False,
    ):
        self.plan = plan
        self.continues = continues
        self.heedless = heedless
        self.seen: list[Seen] = []
        self.closing = threading.Event()
        self.release = threading.Event()
        self._counts: Counter[bytes] = Counter()
        self._lock = threading.Lock()
        self._server = _Server(self, context)
        self.port = int(self._server.server_address[1])
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    def note(self, path: str, headers: tuple[tuple[str, str], ...], body: bytes) -> Seen:
        """Remember a request."""
        with self._lock:
            key = hashlib.sha256(path.encode() + body).digest()
            self._counts[key] += 1
            seen = Seen(path=path, headers=headers, body=body, nth=self._counts[key])
            self.seen.append(seen)
            return seen

    def __enter__(self) -> Server:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.release.set()
        self._server.shutdown()
        self._server.server_close()


def some_fail(share: float, seed: int = 7) -> Plan:
    """Let a share of all attempts fail in ways that may pass, never the fourth attempt at one question."""

    def plan(seen: Seen) -> str:
        drawn = hashlib.sha256(f"{seed} {seen.nth} ".encode() + seen.body).digest()
        if seen.nth > 3 or int.from_bytes(drawn[:4], "big") >= share * 2**32:
            return ""
        faults = [fault for fault in PASSING if fault != "429 with retry-after"]
        return faults[drawn[4] % len(faults)]

    return plan


# --- certificates -----------------------------------------------------------------------------------


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, Path, bytes]:
    """Make a certificate for a host: the context of the server, the file of whoever trusts it, its DER bytes."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "depose tests")])
    now = datetime.now(UTC)
    named: x509.GeneralName = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([named]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / f"{host}.pem", folder / f"{host}.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context, pem, made.public_bytes(serialization.Encoding.DER)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=0.0)
    with Server(some_fail(parser.parse_args().share)) as server:
        print(server.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
