"""Fields of a row by any of several names, and values as logs write them."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

LONGEST_ID = 2_000
MOVING = (
    *("stop", "stop_sequences", "stopSequences", "response_format", "responseMimeType", "responseSchema"),
    *("frequency_penalty", "presence_penalty", "frequencyPenalty", "presencePenalty", "repetition_penalty"),
    *("logit_bias", "top_k", "topK", "min_p", "typical_p", "reasoning", "reasoning_effort", "thinking"),
    *("thinkingConfig", "verbosity", "guided_json", "guided_choice", "guided_regex", "tool_choice", "prediction"),
)
"""Settings beside temperature, top_p and length that move what is answered, in the names of several APIs."""
_NEUTRAL: tuple[Any, ...] = (
    None,
    "",
    0,
    False,
    [],
    {},
    {"type": "text"},
    {"type": "disabled"},
    "none",
    "text/plain",
    "auto",
)
_PYTHON = re.compile(r"\[?\{'\w+': ")
"""How a value of JSON begins where a program of Python wrote it down as it is."""


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
    """Return what a text of JSON holds, or one that a table of Python wrote of such values; anything else as it is."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return _of_python(value) if _PYTHON.match(value) else value
    return value


def _of_python(value: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(value)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return value


def table(value: Any) -> dict[str, Any]:
    """Return a value that is a table, also one written as JSON; an empty one for anything else."""
    found = parsed(value)
    return found if isinstance(found, dict) else {}


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
        "top_p": first(settings, "top_p", "topP"),
        "seed": settings.get("seed"),
        "settings": {name: settings[name] for name in MOVING if settings.get(name) not in _NEUTRAL} or None,
        "max_tokens": first(settings, "max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens",
                            "maxTokens", "max_tokens_to_sample"),
        "choices": first(settings, "n", "candidateCount"),
        "logprobs": first(settings, "logprobs", "responseLogprobs"),
    }  # fmt: skip


def system_words(value: Any) -> str:
    """Return the words of a system prompt in any of its forms."""
    from depose.extraction.masking import words_of

    return "" if value is None else words_of(parsed(value))
