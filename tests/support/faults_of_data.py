"""Faults of data: what a provider may send for values, and echoes of the key.

They are further faults of the server (`faults.RAW`), each with what its record says.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import zlib
from collections.abc import Callable
from typing import Any

from faults import RAW, Seen


def _response(body: bytes, *headers: tuple[str, str], status: int = 200) -> bytes:
    given = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *headers]
    head = f"HTTP/1.1 {status} Fine\r\n" + "".join(f"{name}: {value}\r\n" for name, value in given) + "\r\n"
    return head.encode("latin-1") + body


# --- values of a provider ---------------------------------------------------------------------------

VALUES: dict[str, str] = {}
"""Faults of values, and what the record of the answer says: its outcome, or the reason why it failed."""


def _value(name: str, says: str, change: Callable[[dict[str, Any]], object]) -> None:
    def made(seen: Seen, body: bytes) -> bytes:
        answer = json.loads(body)
        change(answer)
        return _response(json.dumps(answer).encode("utf-8", "surrogatepass"))

    RAW[name], VALUES[name] = made, says


def _usage(**counts: Any) -> Callable[[dict[str, Any]], object]:
    return lambda answer: answer.update(usage=counts)


_GIVEN_UP = "input_tokens: the provider (said|gave)"
_value("counts below nothing", _GIVEN_UP, _usage(prompt_tokens=-5_000, completion_tokens=-(10**9)))
_value("counts beyond all models", _GIVEN_UP, _usage(prompt_tokens=10**15, completion_tokens=10**15))
_value("counts of 400 digits", _GIVEN_UP, _usage(prompt_tokens=10**400, completion_tokens=10**400))
_value("a count of zero for a long question and answer", _GIVEN_UP, _usage(prompt_tokens=0, completion_tokens=0))
_value("counts that are words", _GIVEN_UP, _usage(prompt_tokens="none", completion_tokens=[1]))
_value("counts that are infinite", _GIVEN_UP, _usage(prompt_tokens=float("inf"), completion_tokens=float("nan")))
_value("usage that is a list", r"unreadable: Expected `object.*usage", lambda a: a.update(usage=[7, 11]))
_value("half a surrogate in the finish reason", "answered", lambda a: a["choices"][0].update(finish_reason="st\udfff"))
_value("half a surrogate in the text", "answered", lambda a: a["choices"][0]["message"].update(content="hi \udc00 so"))
_value("a name of the model of 100,000 letters", "answered", lambda a: a.update(model="m" * 10**5))
_value("a name of the model that is a list", "answered", lambda a: a.update(model=["m-1"], id={"a": 1}))
_value("a text that is a number", "unreadable: Expected `str", lambda a: a["choices"][0]["message"].update(content=7))
_value("choices that are no list", "unreadable: Expected `array", lambda a: a.update(choices={"0": {}}))


def _says(text: str) -> Callable[[dict[str, Any]], object]:
    return lambda answer: answer["choices"][0]["message"].update(content=text)


_value("an answer of 100,000 carriage returns", "empty", _says("\r" * 100_000))
_value("an answer of 7,000 thoughts", "more than 2000 marks of reasoning", _says("<think></think>" * 7_000))
_value("an answer of 4,000 last words", "more than 2000 marks", _says("<|channel|>final<|message|>" * 4_000))
_value("an answer of 20,000 blocks of code", "answered", _says("<think>so</think>" + "```x\n" * 20_000))


def _raw(name: str, says: str, made: Callable[[Seen, bytes], bytes]) -> None:
    RAW[name], VALUES[name] = made, says


def _deep(levels: int) -> bytes:
    return b'{"error":' + b"[" * levels + b"]" * levels + b"}"


_raw("an error nested 900 deep", "HTTP 400", lambda seen, body: _response(_deep(900), status=400))
_raw("an answer nested 100,000 deep", "not JSON", lambda seen, body: _response(_deep(100_000)))
_raw(
    "an answer of two million lists",
    "more than 1000000 lists",
    lambda seen, body: _response(b"[" + b"[]," * 2 * 10**6 + b"0]"),
)
_raw(
    "half a surrogate in an error",
    "HTTP 400",
    lambda seen, body: _response(b'{"error":{"message":"no \\ud83d"}}', status=400),
)
_raw(
    "a pause until the end of time",
    "HTTP 429.*pause of",
    lambda seen, body: _response(b"{}", ("Retry-After", "9e300"), status=429),
)
_raw(
    "a pause until a date beyond all years",
    "HTTP 403",
    lambda seen, body: _response(b"{}", ("Retry-After", "Fri, 31 Dec 99999 99:99:99 +9999"), status=403),
)
_raw(
    "NaN where a number belongs",
    "answered",
    lambda seen, body: _response(body.replace(b'"created": 1790000000', b'"created": NaN')),
)
_raw("a status line that is none", "the connection broke", lambda seen, body: b"HTTP/1.1 \xff\xfe 200\r\n\r\n")

# --- echoes of the key ------------------------------------------------------------------------------

ECHOES: dict[str, str] = {}
"""Faults that give the key back, and the reason for which the answer is not kept."""


def _key_in(seen: Seen) -> str:
    shown = [value for name, value in seen.headers if "key" in name.lower() or name == "Authorization"]
    return shown[0].removeprefix("Bearer ")


def _echo(
    name: str, made: Callable[[str, bytes], bytes], says: str = "holds the key that was sent and is not kept"
) -> None:
    RAW[name] = lambda seen, body: made(_key_in(seen), body)
    ECHOES[name] = says


def _within(written: Callable[[str], bytes]) -> Callable[[str, bytes], bytes]:
    return lambda key, body: _response(body.replace(b"Answer", written(key)))


def _each(text: str, form: str) -> str:
    return "".join(form.format(ord(c)) for c in text)


_BROTLI = "content encoding 'br', which was not asked for; not kept: it cannot be searched"
_echo("key in the name of a header", lambda key, body: _response(body, (f"X-Of-{key}", "1")))
_echo(
    "key in the address of a redirect",
    lambda key, body: _response(b"", ("Location", f"https://h/?k={key}"), status=302),
)
_echo("key in a cookie", lambda key, body: _response(body, ("Set-Cookie", f"sid={key}; Path=/")))
_echo(
    "key in deflate",
    lambda key, body: _response(zlib.compress(f'{{"k":"{key}"}}'.encode()), ("Content-Encoding", "deflate")),
)
_echo("key in gzip that nobody names", lambda key, body: _response(gzip.compress(key.encode() * 3)))
_echo(
    "key in gzip, twice",
    lambda key, body: _response(gzip.compress(gzip.compress(body + key.encode())), ("Content-Encoding", "gzip, gzip")),
)
_echo(
    "key in gzip that breaks off",
    lambda key, body: _response(gzip.compress(key.encode() + os.urandom(9_000))[:-999], ("Content-Encoding", "gzip")),
)
_echo("key in Brotli", lambda key, body: _response(b"\x0b\x02\x80" + key.encode(), ("Content-Encoding", "br")), _BROTLI)
_echo("key in percent signs", _within(lambda key: _each(key, "%{:02X}").encode()))
_echo("key in numbers of HTML", _within(lambda key: _each(key, "&#{};").encode()))
_echo("key in escapes of JSON, twice", _within(lambda key: _each(key, "\\\\u{:04x}").encode()))
_echo("key in capitals", _within(lambda key: key.upper().encode()))
_echo("key in base64 over lines", _within(lambda key: base64.encodebytes(key.encode() * 4).replace(b"\n", b"\\r\\n")))
_echo("key in hex of UTF-16", _within(lambda key: key.encode("utf-16-be").hex(" ").encode()))
_echo("key with marks between", _within(lambda key: "*".join(key).encode()))
_echo(
    "key in the parts of an error",
    lambda key, body: _response(
        json.dumps({"error": [{"message": key[:9]}, {"message": key[9:]}]}).encode(), status=400
    ),
)
