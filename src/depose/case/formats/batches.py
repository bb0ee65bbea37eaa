"""Outputs of the batch interfaces of OpenAI, Anthropic and Google: one request a line.

The name that the user gave a request is the prompt id; further samples of a prompt are ID#1, ID#2 and so on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from depose.case.formats import messages
from depose.case.formats.found import Found, Raw, Said, found, message_of, object_of, word

NUMBERED = re.compile(r"(.*?)(?:#([0-9]{1,6}))?", re.DOTALL)


def is_openai(rows: Sequence[Any]) -> bool:
    """Tell a line of an OpenAI batch output or error file."""
    return any(isinstance(one, dict) and "custom_id" in one and ("response" in one or "error" in one) for one in rows)


def openai(rows: Sequence[Any]) -> Iterator[Found]:
    """Read an OpenAI batch output, of chat completions and of responses."""
    for line in rows:
        raw = _named(line, "custom_id")
        response = object_of(raw.get("response"))
        body = object_of(response.get("body"))
        status, error = word(response.get("status_code")), raw.get("error") or body.get("error")
        head = {"id": raw["custom_id"], "model": word(body.get("model")), "turns": messages.system_of(body)}
        if error or status != "200":
            yield from _choices(head, [Said(problem=f"status {status or 'none'}: {message_of(error)}")])
        else:
            yield from _choices(head, messages.body(body))


def is_anthropic(rows: Sequence[Any]) -> bool:
    """Tell a line of Anthropic's Message Batches."""
    return any(isinstance(one, dict) and "custom_id" in one and isinstance(one.get("result"), dict) for one in rows)


def anthropic(rows: Sequence[Any]) -> Iterator[Found]:
    """Read the results of an Anthropic message batch."""
    for line in rows:
        raw = _named(line, "custom_id")
        result = object_of(raw.get("result"))
        message = object_of(result.get("message"))
        head = {"id": raw["custom_id"], "model": word(message.get("model"))}
        if result.get("type") == "succeeded":
            yield from _choices(head, messages.anthropic(message))
        else:
            told = f": {message_of(result['error'])}" if result.get("error") else ""
            yield from _choices(head, [Said(problem=f"{word(result.get('type')) or 'no result'}{told}")])


def is_gemini(rows: Sequence[Any]) -> bool:
    """Tell a line of a Gemini batch, by file (`key`) or from Vertex (`request` beside `response`)."""
    return any(
        isinstance(one, dict)
        and ("key" in one or "request" in one)
        and ({"candidates", "promptFeedback"} & object_of(one.get("response")).keys() or "error" in one)
        for one in rows
    )


def gemini(rows: Sequence[Any]) -> Iterator[Found]:
    """Read the responses of a Gemini batch; Vertex repeats the request, whose words then count."""
    for line in rows:
        raw = object_of(line)
        request, response = object_of(raw.get("request")), object_of(raw.get("response"))
        if not raw.get("key") and not request:
            raise ValueError("a line of the batch has neither a key nor its request")
        turns = messages.requested(request)
        head = {
            "id": word(raw.get("key")),
            "model": word(response.get("modelVersion")) or word(response.get("model_version")),
            "turns": turns,
            "prompt": messages.last_user(turns),
        }
        error = raw.get("error") or raw.get("status")
        said = [Said(problem=message_of(error))] if error and not response else messages.gemini(response)
        yield from _choices(head, said)


def is_inlined(document: Any) -> bool:
    """Tell a Gemini batch whose responses came within the job."""
    return bool(inlined(document))


def inlined(document: Any) -> list[Any]:
    """Take the responses out of a Gemini batch job, each with the key of its metadata."""
    raw = object_of(document)
    held = next((object_of(raw[name]) for name in ("response", "dest", "output") if name in raw), raw)
    listed = held.get("inlinedResponses", held.get("inlined_responses"))
    listed = listed.get("inlinedResponses") if isinstance(listed, dict) else listed
    rows = listed if isinstance(listed, list) else []
    return [{"key": object_of(object_of(one).get("metadata")).get("key"), **object_of(one)} for one in rows]


def _named(line: Any, name: str) -> Raw:
    raw = object_of(line)
    if not word(raw.get(name)):
        raise ValueError(f"a line of the batch has no {name}")
    return raw | {name: word(raw[name])}


def _choices(head: Raw, said: Sequence[Said]) -> Iterator[Found]:
    """Yield one answer per choice; several choices, or the number behind a name, are samples."""
    name, sample = NUMBERED.fullmatch(head["id"]).groups()  # type: ignore[union-attr]
    base = int(sample or 0) * len(said)
    for place, one in enumerate(said):
        yield found(one, {**head, "id": name}, sample=base + place)
