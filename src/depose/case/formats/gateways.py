"""Exports of what stands between a user and a model: LiteLLM's logs, Langfuse's observations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from depose.case.formats import messages
from depose.case.formats.found import Found, Raw, Said, Turn, found, list_of, message_of, object_of, word

TRACED = frozenset(("traceId", "trace_id", "observations", "projectId", "project_id", "startTime", "start_time"))
"""What Langfuse keeps of an observation, and a plain table of inputs and outputs has no use for."""


def is_litellm(rows: Sequence[Any]) -> bool:
    """Tell LiteLLM's standard logging payload, or a row of its spend logs."""
    return any(
        {"messages", "response"} <= object_of(one).keys()
        and bool({"call_type", "response_cost", "spend", "request_id", "model_group"} & one.keys())
        for one in rows
    )


def litellm(rows: Sequence[Any]) -> Iterator[Found]:
    """Read calls of chat completions; what was asked stands in `messages`."""
    for line in rows:
        raw = object_of(line)
        turns = messages.turns_of(_loaded(raw.get("messages")))
        turns = (*messages.system_of(raw), *turns) if turns else ()
        if not turns and isinstance(raw.get("messages"), str):
            turns = (Turn(role="user", text=raw["messages"]),)
        response = _loaded(raw.get("response"))
        head: Raw = {
            "prompt": messages.last_user(turns),
            "turns": turns,
            "model": word(object_of(response).get("model")) or word(raw.get("model")),
        }
        if not turns:
            head["id"] = word(raw.get("request_id")) or word(raw.get("id"))
        error = raw.get("error_str") or object_of(raw.get("error_information")).get("error_message")
        if raw.get("status") == "failure" or (error and not object_of(response).get("choices")):
            yield Found(**head, problem=message_of(error))
        elif isinstance(response, str) and response:
            yield Found(**head, text=response, missing=("no finish reason",))
        elif not object_of(response):
            yield Found(**head, problem="no response in it: the gateway kept none")
        else:
            yield from _all(head, messages.body(response))


def is_langfuse(rows: Sequence[Any]) -> bool:
    """Tell an observation, or a trace, of Langfuse."""
    return any({"input", "output"} <= object_of(one).keys() and bool(TRACED & one.keys()) for one in rows)


def langfuse(rows: Sequence[Any]) -> Iterator[Found]:
    """Read generations; spans and events around them hold no answer of a model and are passed over."""
    for line in rows:
        raw = object_of(line)
        kind = word(raw.get("type")).upper()
        if kind not in ("", "GENERATION"):
            continue
        given, output = _loaded(raw.get("input")), _loaded(raw.get("output"))
        if isinstance(given, dict) and isinstance(given.get("prompt"), str) and not given.get("messages"):
            given = given | {"messages": given["prompt"]}
        turns = messages.requested(given) if isinstance(given, list | dict) else ()
        if not turns and isinstance(given, str):
            turns = (Turn(role="user", text=given),)
        model = next((word(raw[k]) for k in ("model", "providedModelName", "provided_model_name") if raw.get(k)), "")
        head: Raw = {"prompt": messages.last_user(turns), "turns": turns, "model": model}
        if not turns:
            head["id"] = word(raw.get("id"))
        if word(raw.get("level")).upper() == "ERROR":
            yield Found(**head, problem=message_of(raw.get("statusMessage") or raw.get("status_message")))
        else:
            yield from _all(head, _said(output))


def _said(output: Any) -> Sequence[Said]:
    """Read the output of a generation: words, a message, a list of them, or a whole body."""
    if isinstance(output, str):
        return [Said(text=output, missing=("no finish reason",))]
    if isinstance(output, list) and output:
        output = output[-1]
    if isinstance(output, dict) and ({"choices", "candidates", "output"} & output.keys()):
        return messages.body(output)
    if isinstance(output, dict) and "content" in output:
        return messages.chat({"choices": [{"message": output}]})
    for name in ("completion", "text", "response", "answer"):
        if isinstance(object_of(output).get(name), str):
            return [Said(text=output[name], missing=("no finish reason",))]
    return [Said(problem="no output in it" if not output else "the answer is not text")]


def _loaded(value: Any) -> Any:
    """Read what was exported as JSON within text, such as a cell of CSV; anything else stays."""
    if isinstance(value, str) and value.lstrip().startswith(("[", "{", '"')):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _all(head: Raw, said: Sequence[Said]) -> Iterator[Found]:
    return (found(one, head) for one in said)


def observations(document: Any) -> list[Any]:
    """Take the observations out of a trace that was downloaded alone."""
    return list_of(object_of(document).get("observations"))


def is_trace(document: Any) -> bool:
    """Tell a downloaded trace of Langfuse."""
    raw = object_of(document)
    return "trace" in raw and bool(observations(raw)) and is_langfuse(observations(raw))
