"""What was answered, in the forms of many products: whole, as a stream, or as the bytes of one; thoughts are no answer.

Of several choices the first counts, by its number and not by its place. What says something in no form that is known is
counted: an answer that is lost without a word would be missing among the deliveries of its account.
"""

from __future__ import annotations

from typing import Any

from depose.extraction.masking import words_of
from depose.extraction.sources.fields import first, parsed, table, text

UNREAD = "answers in a form that is not read"
_PLACES = ("results", "generations", "outputs", "completions")
"""Titan, Cohere, Mistral and Jamba on Bedrock."""
_WORDS = ("content", "completion", "outputText", "generation", "text", "response", "generated_text", "output_text")
_NO_WORDS = ("error", "usage", "metadata", "role", "type", "tool_calls", "function_call", "refusal", "usageMetadata",
             "promptFeedback", "messageStart", "contentBlockStart", "contentBlockStop", "id")  # fmt: skip
"""What shows that a body without words is none because there were none."""


def answer(response: Any, tally: dict[str, int] | None = None) -> tuple[str, str]:
    """Return the words of a response, and why it ended; count in `tally` what is in no form that is known."""
    found = _stream(response) if _is_stream(response) else parsed(response)
    said, why, known = _read(found)
    if tally is not None and not known:
        tally[UNREAD] = tally.get(UNREAD, 0) + 1
    return said, why


def _is_stream(response: Any) -> bool:
    return isinstance(response, str) and response.lstrip()[:6] in ("data: ", "data:{", "event:")


def _stream(response: str) -> list[Any]:
    """Return the parts of a stream as it was sent: events of a server, each with a line of data."""
    lines = (line.partition(":")[2].strip() for line in response.splitlines() if line.startswith("data:"))
    return [parsed(one) for one in lines if one and one != "[DONE]"]


def _read(found: Any) -> tuple[str, str, bool]:
    """Return words, why they ended, and whether the form is known."""
    if isinstance(found, list):  # a stream: parts in order
        parts = [_read(one) for one in found]
        why = next((why for _, why, _ in reversed(parts) if why), "")
        return "".join(one for one, _, _ in parts), why, any(known for _, _, known in parts) or not found
    if not isinstance(found, dict):
        return (found if isinstance(found, str) else ""), "", isinstance(found, str) or found is None
    for name in ("choices", "candidates"):
        if isinstance(listed := found.get(name), list):
            return (*_of_choice(listed), True)
    for name in _PLACES:
        if isinstance(found.get(name), list) and found[name] and isinstance(found[name][0], dict):
            one = found[name][0]
            said = words_of(first(one, "outputText", "text", "message") or table(one.get("data")).get("text"))
            return said, text(one, "completionReason", "finish_reason", "stop_reason"), True
    if isinstance(found.get("output"), list):  # Responses of OpenAI: reasoning, calls and messages, in order
        spoken = [one for one in found["output"] if isinstance(one, dict) and one.get("type", "message") == "message"]
        return "\n".join(filter(None, (words_of(one.get("content")) for one in spoken))), text(found, "status"), True
    if isinstance(found.get("output"), dict):  # Converse of Bedrock
        return words_of(table(found["output"].get("message")).get("content")), text(found, "stopReason"), True
    for name in ("contentBlockDelta", "messageStop"):  # a stream of Converse
        if isinstance(found.get(name), dict):
            return words_of(table(found[name].get("delta"))), text(found[name], "stopReason"), True
    if isinstance(found.get("delta"), dict):
        return words_of(found["delta"]), text(found["delta"], "stop_reason"), True
    said = words_of(first(found, *_WORDS) or "")
    if not said and isinstance(found.get("message"), dict):  # Ollama, and Cohere
        said = _of_message(found["message"])
    why = text(found, "stop_reason", "stopReason", "finish_reason", "done_reason")
    known = not found or any(name in found for name in (*_WORDS, *_NO_WORDS, "message"))
    return said, why, known


def _of_choice(listed: list[Any]) -> tuple[str, str]:
    """Return the words of the first choice; nothing where there are others alone, as in a part of a stream."""
    choices = [one for one in listed if isinstance(one, dict)]
    one = next((one for one in choices if one.get("index") in (0, None, "0")), None)
    if one is None:
        return "", ""
    inner = first(one, "message", "delta", "content") or {}
    said = _of_message(inner) if isinstance(inner, dict) else words_of(inner)
    return said or words_of(one.get("text", "")), text(one, "finish_reason", "finishReason")


def _of_message(message: dict[str, Any]) -> str:
    """Return the words of a message: no thoughts, and no refusal in a field of its own, which is no answer."""
    content = message.get("content", message)
    if isinstance(content, dict) and isinstance(content.get("parts"), list):
        content = content["parts"]
    if isinstance(content, list):
        content = [one for one in content if not (isinstance(one, dict) and one.get("thought"))]
    return words_of(content)
