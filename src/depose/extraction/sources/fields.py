"""Fields of a row by any of several names, and values as logs write them."""

from __future__ import annotations

import json
from typing import Any

LONGEST_ID = 2_000


def first(row: dict[str, Any], *names: str) -> Any:
    """Return the first field that is there and not empty, None for none."""
    for name in names:
        value = row.get(name)
        if value is not None and value != "" and value == value:  # NaN, as a table of numbers has it, is nothing
            return value
    return None


def text(row: dict[str, Any], *names: str) -> str:
    """Return the first such field as a text, nothing for none or for what is no single value."""
    value = first(row, *names)
    return "" if value is None or isinstance(value, dict | list) else str(value)[:LONGEST_ID]


def parsed(value: Any) -> Any:
    """Return what a text of JSON holds, and anything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def table(value: Any) -> dict[str, Any]:
    """Return a value that is a table, also one written as JSON; an empty one for anything else."""
    found = parsed(value)
    return found if isinstance(found, dict) else {}


def answer(response: Any) -> tuple[str, str]:
    """Return the words of a response in the forms of OpenAI, Anthropic and Google, and why it ended."""
    from depose.extraction.masking import words_of

    found = parsed(response)
    if isinstance(found, list):  # a stream: parts in order
        parts = [answer(one) for one in found]
        return "".join(one for one, _ in parts), next((why for _, why in reversed(parts) if why), "")
    if not isinstance(found, dict):
        return (found if isinstance(found, str) else ""), ""
    for name in ("choices", "candidates"):
        if isinstance(found.get(name), list) and found[name] and isinstance(found[name][0], dict):
            one = found[name][0]
            inner = first(one, "message", "delta", "content") or {}
            said = words_of(inner.get("content", inner) if isinstance(inner, dict) else inner)
            return said or words_of(one.get("text", "")), text(one, "finish_reason", "finishReason")
    for name in ("results", "generations", "outputs", "completions"):  # Titan, Cohere, Mistral, Jamba on Bedrock
        if isinstance(found.get(name), list) and found[name] and isinstance(found[name][0], dict):
            one = found[name][0]
            said = words_of(first(one, "outputText", "text", "message") or table(one.get("data")).get("text"))
            return said, text(one, "completionReason", "finish_reason", "stop_reason")
    if isinstance(found.get("output"), list):  # Responses of OpenAI: reasoning, calls and messages, in order
        spoken = [one for one in found["output"] if isinstance(one, dict) and one.get("type", "message") == "message"]
        return "\n".join(filter(None, (words_of(one.get("content")) for one in spoken))), text(found, "status")
    if isinstance(found.get("output"), dict):  # Converse of Bedrock
        return words_of(table(found["output"].get("message")).get("content")), text(found, "stopReason")
    if isinstance(found.get("delta"), dict):
        return words_of(found["delta"]), text(found["delta"], "stop_reason")
    said = words_of(first(found, "content", "completion", "outputText", "generation", "text") or "")
    return said, text(found, "stop_reason", "stopReason", "finish_reason")


def asked(body: Any) -> dict[str, Any]:
    """Return what a request body in the forms of OpenAI, Anthropic and Google says, as fields of `events.Raw`."""
    found = table(body)
    settings = found | table(found.get("generationConfig")) | table(found.get("inferenceConfig"))
    system = first(found, "system", "systemInstruction", "system_instruction", "instructions")
    return {
        "messages": first(found, "messages", "contents", "input", "prompt", "inputText"),
        "system": system_words(system),
        "tools": first(found, "tools", "functions", "toolConfig"),
        "temperature": settings.get("temperature"),
        "max_tokens": first(settings, "max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens",
                            "maxTokens", "max_tokens_to_sample"),
        "choices": first(settings, "n", "candidateCount"),
        "logprobs": first(settings, "logprobs", "responseLogprobs"),
    }  # fmt: skip


def system_words(value: Any) -> str:
    """Return the words of a system prompt in any of its forms."""
    from depose.extraction.masking import words_of

    return "" if value is None else words_of(parsed(value))
