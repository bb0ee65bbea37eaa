"""Whatever bytes come for an answer, in any wire format: a judgement that can be written down, soon, or Unreadable."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depose.endpoints.anthropic import ANTHROPIC
from depose.endpoints.google import GOOGLE
from depose.endpoints.http_outcome import HeaderText, judge, reread
from depose.endpoints.network import MOST, Heard
from depose.endpoints.openai import OPENAI
from depose.endpoints.wire_format import Dialect, Unreadable
from depose.endpoints.wire_values import counted
from depose.model import Ask
from depose.model.canonical import canonical
from faults import Spoken, answer, stream
from fuzzing import FUZZ, examples

DIALECTS = (OPENAI, ANTHROPIC, GOOGLE)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
ASK = Ask(model="S1", prompt="p", sample=0, replicate=0, text="Why?", system="", temperature=0, max_tokens=9, seed=1)
HALF = "\ud800"
ODD: tuple[Any, ...] = (
    *(None, True, 0, -1, 2**60, -(2**70), 10**400, 1e308, float("nan"), float("inf"), 0.5),
    *("", "x", HALF, "a" * 3_000, "\0", "-1", "1e999", "9" * 5_000, [], {}, [[]], [None], [{}], {"": []}, [1, "x"]),
)
HEADERS = st.sampled_from(
    [b"retry-after", b"retry-after-ms", b"x-should-retry", b"x-ratelimit-reset-tokens", b"content-encoding"]
)
WORDS = st.sampled_from(
    [
        *(b"1", b"-5", b"1e400", b"nan", b"true", b"gzip", b"br", b"1s" * 2_000, b"9" * 5_000, b"\xff", b""),
        *(b"Mon, 99999999999 Jan 99999 99:99:99 +9999", b"0001-01-01T00:00:00+23:59", b"9999-12-31T23:59:59-23:59"),
    ]
)


def heard(body: bytes, *, streamed: bool, status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Heard:
    """Describe an answer that came whole."""
    kind = b"text/event-stream" if streamed else b"application/json"
    return Heard(
        status=status,
        http_version="HTTP/1.1",
        headers=((b"content-type", kind), *headers),
        body=body,
        chunks=(),
        **dict.fromkeys(("sent_at", "first_byte_at", "last_byte_at", "peer", "tls", "reason"), ""),
        sent_us=0,
        first_byte_us=0,
        last_byte_us=0,
        certificate=b"",
        trouble="",
    )


def check(dialect: Dialect, given: Heard, streamed: bool) -> None:
    """Judge an answer twice, as `verify` does: both end alike, and all of it can be written down."""
    begun = time.process_time()
    told = judge(dialect, given, streamed, NOW)
    kept: list[Any] = [told.outcome, told.reason, told.again, told.status]
    if told.reading is not None:
        read = told.reading
        kept += [read.text, read.finish, read.model, read.id, read.fingerprint, read.refusal, read.reasoning]
        kept += [counted(read, ASK), told.settled]
    canonical(kept)
    assert judge(dialect, given, streamed, NOW) == told
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in given.headers)
    encoded = any(name == "content-encoding" for name, _ in headers)
    if told.outcome == "answered":  # its bytes say so, with the encoding that was named or, were it a lie, without
        assert any(_is_read(dialect, one, given.body, streamed) for one in ((headers, ()) if encoded else (headers,)))
    assert time.process_time() - begun < 5


def _is_read(dialect: Dialect, headers: HeaderText, body: bytes, streamed: bool) -> bool:
    try:
        reread(dialect, headers, body, streamed)
    except Unreadable:
        return False
    return True


def changed(value: Any, draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """Put odd values in the place of some."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(ODD))
    if isinstance(value, dict):
        kept = {name: changed(one, draw) for name, one in value.items() if draw(st.integers(0, 19))}
        extra = draw(st.sampled_from(["", "", "", "error", "usage", "choices", "type", HALF]))
        return kept | ({extra: draw(st.sampled_from(ODD))} if extra else {})
    if isinstance(value, list):
        return [changed(one, draw) for one in value] * draw(st.sampled_from([1, 1, 1, 0, 2]))
    return value


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value within a value."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from _places(one, (*path, name))


def _with(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    made = dict(value) if isinstance(value, dict) else list(value)
    made[path[0]] = _with(value[path[0]], path[1:], odd)
    return made


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)
def test_an_odd_value_in_any_one_place_is_judged(dialect: Dialect) -> None:
    """Each value of an answer in turn is made each odd one."""
    good = answer(Spoken(format=dialect.name, prompt="Why?", model="m", stream=False), "")
    for path in _places(good):
        for odd in ODD:
            check(dialect, heard(json.dumps(_with(good, path, odd)).encode(), streamed=False), False)


@examples(60, 20_000)
@given(data=st.data(), dialect=st.sampled_from(DIALECTS), streamed=st.booleans())
def test_an_answer_with_odd_values_is_judged(data: st.DataObject, dialect: Dialect, streamed: bool) -> None:
    """Wrong types, lacking and doubled fields, numbers beyond all bounds, in one piece or as a stream."""
    good = answer(Spoken(format=dialect.name, prompt="Why?", model="m", stream=streamed), "")
    if streamed:
        lines = stream(Spoken(format=dialect.name, prompt="Why?", model="m", stream=True), good)
        events = [line.partition(b"data: ")[2].strip() for line in lines]
        odd = (one if one == b"[DONE]" else json.dumps(changed(json.loads(one), data.draw)).encode() for one in events)
        body = b"".join(b"data: " + one + b"\n\n" for one in odd)
    else:
        body = json.dumps(changed(good, data.draw)).encode()
    status = data.draw(st.sampled_from([200, 200, 200, 400, 401, 404, 429, 500, 302, 204]))
    headers = data.draw(st.lists(st.tuples(HEADERS, WORDS), max_size=2))
    check(dialect, heard(body, streamed=streamed, status=status, headers=tuple(headers)), streamed)


@examples(60, 20_000)
@given(data=st.data(), dialect=st.sampled_from(DIALECTS), streamed=st.booleans())
def test_an_answer_with_changed_bytes_is_judged(data: st.DataObject, dialect: Dialect, streamed: bool) -> None:
    """Bytes changed, dropped and added anywhere."""
    good = answer(Spoken(format=dialect.name, prompt="Why?", model="m", stream=streamed), "")
    lines = stream(Spoken(format=dialect.name, prompt="Why?", model="m", stream=True), good)
    body = b"".join(lines) if streamed else json.dumps(good).encode()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body)))
        body = body[:place] + data.draw(st.binary(max_size=3)) + body[place + data.draw(st.integers(0, 3)) :]
    check(dialect, heard(body, streamed=streamed), streamed)


@examples(60, 20_000)
@given(body=st.binary(max_size=300), dialect=st.sampled_from(DIALECTS), streamed=st.booleans())
def test_any_bytes_are_judged(body: bytes, dialect: Dialect, streamed: bool) -> None:
    """Bytes that are no answer at all."""
    check(dialect, heard(body, streamed=streamed), streamed)


SHARE = 2 if FUZZ else 64
HUGE = {
    "a stream of one letter an event": (b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n', True),
    "a stream of empty events": (b"data: {}\n\n", True),
    "a stream of empty lines": (b"\n", True),
    "a stream of pieces of a block": (
        b'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}\n\n',
        True,
    ),
    "a stream of lists": (b"data: [[],[],[],[],[],[],[],[],[],[]]\n\n", True),
    "open brackets": (b"[", False),
    "empty lists": (b"[],", False),
    "one-letter strings": (b'"a",', False),
    "escapes": (b"\\ud800", False),
}


@pytest.mark.parametrize(
    "dialect",
    [pytest.param(one, id=one.name, marks=pytest.mark.slow if number else ()) for number, one in enumerate(DIALECTS)],
)
@pytest.mark.parametrize("name", HUGE)
def test_a_large_answer_is_judged_soon_and_in_little_memory(name: str, dialect: Dialect) -> None:
    """A share of the largest body takes no more than that share of a gigabyte."""
    piece, streamed = HUGE[name]
    body = piece * (MOST // SHARE // len(piece))
    if not streamed:
        body = b'{"choices":[' + body + b"0]}" if b"[" in piece or b"," in piece else b'{"id":"' + body + b'"}'
    tracemalloc.start()
    begun = time.process_time()
    judge(dialect, heard(body, streamed=streamed), streamed, NOW)
    spent, peak = time.process_time() - begun, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spent < (60 if FUZZ else 5)  # tracing memory makes it several times as slow
    assert peak < 1024**3 // SHARE
