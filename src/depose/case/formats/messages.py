"""Contents, messages and bodies as the interfaces of model makers write them.

Each body becomes its choices. What is needed is the text; parts that are null or of another kind are passed over, and
what is left out is noted.
"""

from __future__ import annotations

import json
from typing import Any

from depose.answers.guards import filtered, intervened, rated
from depose.case.formats.found import Raw, Said, Turn, list_of, message_of, object_of, word

TEXT = ("text", "output_text", "input_text")
REASONING = ("reasoning", "thinking", "redacted_thinking")
USERS = ("user", "human")
MODELS = ("assistant", "model", "gpt", "chatgpt", "bot", "ai", "bing", "bard")
SYSTEMS = ("system", "developer")


def text_of(content: Any) -> str | None:
    """Join the text parts of a content; None for what holds no text."""
    if isinstance(content, dict):  # as Arena-Hard and others wrap it
        content = content.get("text", content.get("answer"))
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = [
        part if isinstance(part, str) else part.get("text")
        for part in content
        if isinstance(part, str) or (isinstance(part, dict) and part.get("type", "text") in TEXT)
    ]
    found = [text for text in texts if isinstance(text, str)]
    return "".join(found) if found else None


def reasoning_of(content: Any) -> str:
    """Join the parts of a content that are reasoning."""
    parts = [part for part in list_of(content) if isinstance(part, dict) and part.get("type") in REASONING]
    texts = [part.get("reasoning") or part.get("thinking") or part.get("text") for part in parts]
    return "\n".join(text for text in texts if isinstance(text, str))


def turns_of(messages: Any) -> tuple[Turn, ...]:
    """Read a list of messages; what is no text is named in brackets, so that it cannot pass for less than was asked."""
    found = []
    for one in list_of(messages):
        raw = object_of(one)
        role = (word(raw.get("role")) or word(raw.get("from"))).lower()
        role = "user" if role in USERS else "system" if role in SYSTEMS else "assistant" if role in MODELS else role
        text = said_in(raw)
        other = [part for part in list_of(raw.get("content")) if object_of(part).get("type") not in (*TEXT, *REASONING)]
        extra = f"[{object_of(other[0]).get('type') or 'part'}]" if other else ""
        found.append(Turn(role=role or "?", text=(text or "") + extra))
    return tuple(found)


def said_in(message: Raw) -> str | None:
    """Give the words of a message, under whatever name it has them; None where it has none."""
    return text_of(message.get("content", message.get("value", message.get("parts"))))


def asked_before(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """Leave out the last message where it is the model's: the rest is what that answers."""
    return turns[:-1] if turns and turns[-1].role == "assistant" else turns


def chat_json(text: str) -> tuple[Turn, ...]:
    """Read a prompt that is a list of messages, or a request with one, written as JSON; nothing for plain words."""
    if not text.lstrip().startswith(("[", "{")):
        return ()
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    messages = _messages_of(loaded) if isinstance(loaded, dict) else loaded
    if not list_of(messages) or not all("role" in object_of(one) for one in list_of(messages)):
        return ()
    return requested(loaded)


_SYSTEM = ("system", "systemInstruction", "system_instruction", "system_prompt", "instructions")
"""Where a request has its system prompt outside of the messages: Messages, generateContent, Responses."""


def _messages_of(request: Raw) -> Any:
    given = next((request[name] for name in ("messages", "contents", "input") if request.get(name)), None)
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


def requested(request: Any) -> tuple[Turn, ...]:
    """Read what was asked: a list of messages, or a request of any interface with its system prompt beside them."""
    if not isinstance(request, dict):
        return turns_of(request)
    return (*system_of(request), *turns_of(_messages_of(request)))


def system_of(request: Any) -> tuple[Turn, ...]:
    """Give the system prompt that stands outside of the messages, as a turn; nothing where there is none."""
    for name in _SYSTEM:
        given = object_of(request).get(name)
        text = text_of(given.get("parts") if isinstance(given, dict) and "parts" in given else given)
        if text is not None and text.strip():
            return (Turn(role="system", text=text),)
        if given and not isinstance(given, str | bool):
            return (Turn(role="system", text=text or f"[{name}]"),)
    return ()


def last_user(turns: tuple[Turn, ...]) -> str:
    """Give the words of the last message of the user."""
    return next((turn.text for turn in reversed(turns) if turn.role == "user"), "")


# --- bodies -----------------------------------------------------------------------------------------


def chat(body: Raw) -> list[Said]:
    """Read the choices of a chat completion, of inspect's output too (`stop_reason`)."""
    found = []
    ordered = sorted(
        (one for one in list_of(body.get("choices")) if isinstance(one, dict)),
        key=lambda one: one["index"] if isinstance(one.get("index"), int) else 0,
    )
    for choice in ordered:
        finish = word(choice.get("finish_reason")) or word(choice.get("stop_reason"))
        found.append(_choice(choice, finish))
    return found or [Said(problem="no choice in it")]


def _choice(choice: Raw, finish: str) -> Said:
    message = choice.get("message")
    if not isinstance(message, dict):
        text = choice.get("text")  # a completion, not a chat
        return Said(text=text, finish=finish) if isinstance(text, str) else Said(finish=finish, problem="no message")
    content = message.get("content")
    text = text_of(content)
    refusals = [part["refusal"] for part in list_of(content) if isinstance(object_of(part).get("refusal"), str)]
    told = message.get("reasoning_content") or message.get("reasoning") or reasoning_of(content)
    nothing = content is None or content in ([], "") or (text is None and bool(refusals))
    problem = "a call of a tool, no words" if nothing and message.get("tool_calls") else ""
    if choice.get("error"):
        problem = f"an error: {message_of(choice['error'])}"
    return Said(
        text="" if text is None and nothing else text,
        finish=finish,
        also=(
            word(choice.get("native_finish_reason")),
            "tool_calls" if message.get("tool_calls") or message.get("function_call") else "",
        ),
        guard=filtered(choice.get("content_filter_results")),
        reasoning=told if isinstance(told, str) else "",
        refusal=word(message.get("refusal")) or "".join(refusals),
        problem=problem or ("the answer is not text" if text is None and not nothing else ""),
        missing=() if finish else ("no finish reason",),
    )


def responses(body: Raw) -> list[Said]:
    """Read the one answer of a body of the Responses interface."""
    output = [one for one in list_of(body.get("output")) if isinstance(one, dict)]
    parts = [part for one in output if one.get("type") == "message" for part in list_of(one.get("content"))]
    refusals = [part["refusal"] for part in parts if isinstance(object_of(part).get("refusal"), str)]
    text = text_of(parts)
    kept = [part for one in output if one.get("type") == "reasoning" for part in list_of(one.get("summary"))]
    reasoning = "\n".join(p["text"] for p in map(object_of, kept) if isinstance(p.get("text"), str))
    status = word(body.get("status"))
    finish = word(object_of(body.get("incomplete_details")).get("reason")) or status
    if body.get("error") or status in ("failed", "cancelled"):
        return [Said(finish=finish, problem=message_of(body.get("error") or status))]
    return [
        Said(
            text=text or "",
            finish=finish,
            reasoning=reasoning,
            refusal="".join(refusals),
            missing=() if status else ("no status",),
        )
    ]


def anthropic(message: Raw) -> list[Said]:
    """Read the one answer of an Anthropic message."""
    content = message.get("content")
    text, finish = text_of(content), word(message.get("stop_reason"))
    missing = () if finish else ("no stop reason",)
    if message.get("error") and not list_of(content):
        return [Said(problem=f"an error: {message_of(message['error'])}")]
    called = any(object_of(part).get("type") == "tool_use" for part in list_of(content))
    return [
        Said(
            text=text or "",
            finish=finish,
            also=("tool_use",) if called else (),
            guard=intervened(message),
            reasoning=reasoning_of(content),
            missing=missing,
        )
    ]


def gemini(response: Raw) -> list[Said]:
    """Read the candidates of a generateContent response; parts marked as thoughts are reasoning."""
    feedback = object_of(response.get("promptFeedback") or response.get("prompt_feedback"))
    blocked = word(feedback.get("blockReason")) or word(feedback.get("block_reason"))
    found = []
    for candidate in (one for one in list_of(response.get("candidates")) if isinstance(one, dict)):
        given = list_of(object_of(candidate.get("content")).get("parts"))
        parts = [part for part in given if isinstance(part, dict)]
        said = [p["text"] for p in parts if isinstance(p.get("text"), str) and not p.get("thought")]
        thought = [p["text"] for p in parts if isinstance(p.get("text"), str) and p.get("thought")]
        finish = word(candidate.get("finishReason")) or word(candidate.get("finish_reason"))
        missing = (("a part is null",) if len(parts) < len(given) else ()) + (() if finish else ("no finish reason",))
        found.append(
            Said(
                text="".join(said),
                finish=finish,
                also=("tool_calls",) if any(part.get("functionCall") for part in parts) else (),
                guard=blocked or rated(candidate.get("safetyRatings", candidate.get("safety_ratings"))),
                reasoning="".join(thought),
                missing=missing,
            )
        )
    if found:
        return found
    return [Said(text="", finish=blocked) if blocked else Said(problem="no candidate in it")]


def body(value: Raw) -> list[Said]:
    """Read a body of any of these interfaces by its own marks."""
    if value.get("object") == "response" or isinstance(value.get("output"), list):
        return responses(value)
    if "candidates" in value or "promptFeedback" in value:
        return gemini(value)
    if value.get("type") == "message" or (isinstance(value.get("content"), list) and "choices" not in value):
        return anthropic(value)
    return chat(value)
