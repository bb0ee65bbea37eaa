"""What the wire formats have in common: a request made from a question, and an answer read strictly."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from depose.endpoints.error_words import said_of
from depose.endpoints.network import MOST
from depose.model import Ask, ModelSpec, Record
from depose.model.base import ready
from depose.model.canonical import digest

Kind = TypeVar("Kind")
MOST_NESTED = 1_000_000
"""Lists and objects of an answer at most."""


class Unreadable(ValueError):
    """The answer is not what the wire format says that it is."""


class Opaque(Unreadable):
    """The answer is encoded in a way in which nothing can be found in it."""


class ErrorWithin(Unreadable):
    """An error that came where an answer should be, under a status of success."""

    def __init__(self, error: Any) -> None:
        super().__init__("an error in the answer's place")
        self.document = {"error": error}


class Loose(msgspec.Struct):
    """A piece of a provider's answer: fields that are read are checked, others are let be."""


class Reading(Record, frozen=True, kw_only=True):
    """What an answer says."""

    text: str
    finish: str
    """Why it ended, in the provider's own word."""
    also: tuple[str, ...] = ()
    """Further words on why, such as that of the model behind a gateway."""
    guard: str = ""
    """What a filter or guardrail says that it did."""
    refusal: str = ""
    """The words of a refusal that has a field of its own."""
    reasoning: str = ""
    """What was thought, in a field of its own."""
    error: Any = None
    """An error that stands beside the answer."""
    model: str
    fingerprint: str
    id: str
    input_tokens: int | None
    output_tokens: int | None


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One wire format."""

    name: str
    base_url: str
    path: Callable[[ModelSpec, bool], str]
    """The path below `base_url` for a model, streamed or not."""
    secret: Callable[[str], tuple[str, str]]
    """The header that carries a key."""
    headers: tuple[tuple[str, str], ...]
    body: Callable[[ModelSpec, Ask], dict[str, Any]]
    read: Callable[[Any], Reading]
    fold: Callable[[Sequence[Any]], Any]
    """Join the events of a stream to the answer that would have come without streaming; Unreadable if it broke off."""
    request_id: str
    """Header with the provider's name for a request."""
    absent: Mapping[str, str]
    """Fields of the record that this format never gives, and why."""


def seed_of(ask: Ask) -> int:
    """Derive a seed of 31 bits from everything that tells one question from another."""
    return int(digest([ask.seed, ask.model, ask.prompt, ask.sample, ask.replicate])[:8], 16) >> 1


def adjusted(spec: ModelSpec, body: dict[str, Any]) -> dict[str, Any]:
    """Take away and add what the case says of the request body."""
    return {name: value for name, value in body.items() if name not in spec.omit} | spec.parameters


def failing(event: Any) -> bool:
    """Raise ErrorWithin for a piece of a stream that is an error in any service's shape, whatever it is called."""
    parts = ("choices", "candidates", "message", "delta")
    if isinstance(event, dict) and not any(isinstance(event.get(name), dict | list) for name in parts):
        said = said_of(event)
        if said.words or said.code:
            raise ErrorWithin(event.get("error") or event)
    return False


def soft_text(value: Any) -> str:
    """Take a value that need not be there for text: a number as it is written, nothing for what is neither."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def soft_count(value: Any) -> int | None:
    """Take a value that need not be there for a count of tokens; None for what counts nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 2**53 else None  # NaN is in no range


def produced(said: int | None, prompt: int | None, total: int | None, thought: int | None = None) -> int | None:
    """Count the tokens that came out: by the total where it knows of more, such as reasoning that stands apart."""
    if total is not None and prompt is not None and (said is None or total - prompt > said):
        return max(total - prompt, 0)
    if total is None and thought is not None and thought > (said or 0):
        return (said or 0) + thought
    return said


def decoded(body: bytes, encodings: Sequence[str]) -> bytes:
    """Undo a content encoding that nobody asked for; refuse what is unknown, broken or grows beyond the limit."""
    for encoding in reversed([part.strip().lower() for value in encodings for part in value.split(",")]):
        if encoding in ("", "identity"):
            continue
        if encoding not in ("gzip", "x-gzip", "deflate"):
            raise Opaque(f"content encoding {encoding!r}, which was not asked for")
        inflate = zlib.decompressobj(wbits=47 if "gzip" in encoding else 15)
        try:
            body = inflate.decompress(body, MOST + 1)
        except zlib.error as error:
            raise Unreadable(f"content encoding {encoding}: {error}") from error
        if len(body) > MOST or inflate.unconsumed_tail:
            raise Opaque(f"content encoding {encoding}: unpacks to more than {MOST // 1024**2} MiB")
        if not inflate.eof:
            raise Unreadable(f"content encoding {encoding}: cut off")
    return body


def text_of(data: bytes) -> str:
    """Decode UTF-8 strictly."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8 at byte {error.start}") from error


def parsed(text: str) -> Any:
    """Parse JSON; what is nested a million times takes a hundred times its size in memory, and is no answer."""
    if text.count("{") + text.count("[") > MOST_NESTED:
        raise Unreadable(f"not JSON of an answer: more than {MOST_NESTED} lists and objects")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"not JSON: {error}") from error


def checked(data: Any, kind: type[Kind]) -> Kind:
    """View JSON as records; Unreadable names the place that is wrong."""
    try:
        return msgspec.convert(data, ready(kind))
    except (msgspec.ValidationError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def events(text: str) -> Iterator[str]:
    """Yield the data of each server-sent event (WHATWG HTML, 9.2.6); a last one without a blank line is cut off."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if not line and lines:
            yield "\n".join(lines)
            lines = []
        name, _, value = line.partition(":")
        if name == "data":
            lines.append(value.removeprefix(" "))
