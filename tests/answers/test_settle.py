"""One status for every answer: by the provider's word, the text, errors, guardrails and counts."""

from __future__ import annotations

from typing import Any

import pytest

from depose.answers.settle import of_exchange, settle
from depose.answers.words import status_of
from depose.model import Exchange

WORDS = {
    "whole": "stop STOP end_turn stop_sequence eos_token COMPLETE FinishReason.STOP endoftext finished completed",
    "cut_length": "length max_tokens MAX_TOKENS maxTokens model_length max_output_tokens model_context_window_exceeded",
    "cut_filter": "content_filter content-filtered SAFETY RECITATION BLOCKLIST guardrail_intervened"
    " ERROR_TOXIC sensitive",
    "refused": "refusal REFUSED",
    "failed": "error abort cancelled timeout OTHER MALFORMED_FUNCTION_CALL tool_calls tool_use pause_turn network_error"
    " upstream_error connection_lost insufficient_system_resource in_progress",
    "unknown": "unknown FINISH_REASON_UNSPECIFIED null xyzzy",
}


@pytest.mark.parametrize("status", WORDS)
def test_each_provider_s_word_has_a_status(status: str) -> None:
    """Words of the wire formats and tools, in any spelling, and words nobody knew, read by their parts."""
    assert {word: status_of(word) for word in WORDS[status].split()} == dict.fromkeys(WORDS[status].split(), status)


@pytest.mark.parametrize(
    ("said", "status", "text"),
    [
        ({"finish": "stop"}, "whole", "Mist it."),
        ({"finish": "length"}, "cut_length", "Mist it."),
        ({}, "unknown", "Mist it."),
        ({"finish": "content_filter"}, "cut_filter", "Mist it."),
        ({"finish": "stop", "also": ("SAFETY",)}, "cut_filter", "Mist it."),
        ({"finish": "stop", "guard": "hate"}, "cut_filter", "Mist it."),
        ({"finish": "refusal"}, "refused", "Mist it."),
        ({"finish": "stop", "text": "", "refusal": "I will not."}, "refused", "I will not."),
        ({"finish": "stop", "error": "502: upstream went away"}, "failed", "Mist it."),
        ({"finish": "error"}, "failed", "Mist it."),
        ({"finish": "tool_calls"}, "failed", "Mist it."),
        ({"finish": "stop", "text": ""}, "empty", ""),
        ({"finish": "stop", "text": None}, "empty", ""),
        ({"finish": "stop", "text": "\ufeff \u00a0\r\n"}, "empty", "\ufeff \u00a0\r\n"),
        ({"finish": "stop", "text": "", "output_tokens": 0}, "failed", ""),
        ({"text": ""}, "failed", ""),
        ({"text": "", "live": False}, "empty", ""),
        ({"text": "nan", "live": False}, "empty", ""),
        ({"text": "#NAME?", "live": False}, "empty", ""),
        ({"text": "[output stripped]", "live": False}, "empty", ""),
        ({"text": "$ERROR$", "live": False}, "failed", ""),
        ({"text": "Error code: 429 - {'error': {'message': 'slow down'}}", "live": False}, "failed", ""),
        ({"text": "RateLimitError: too many requests", "live": False}, "failed", ""),
        ({"text": "Error: a play in one act, and then a long evening.\n\nIt began.", "live": False}, "unknown", None),
        ({"text": "\\N", "live": False}, "empty", ""),
        ({"text": "—", "live": False}, "empty", ""),
        ({"text": "########", "live": False}, "empty", ""),
        ({"text": "{{answer}}", "live": False}, "empty", ""),
        ({"text": "FAILED", "live": False}, "empty", ""),
        ({"text": "ChatCompletion(id='c', choices=[Choice(finish_reason='stop')])", "live": False}, "empty", ""),
        ({"text": "<openai.ChatCompletion object at 0x7f00>", "live": False}, "empty", ""),
        ({"text": "502 Bad Gateway", "live": False}, "failed", ""),
        ({"text": "The model is overloaded. Please try again later.", "live": False}, "failed", ""),
        ({"text": "Something went wrong, and she laughed.\n\nThen he came.", "live": False}, "unknown", None),
        ({"text": '{"error": {"message": "slow down", "code": 429}}', "finish": "stop"}, "failed", ""),
        ({"text": "**NETWORK ERROR DUE TO HIGH TRAFFIC.** Please regenerate.", "finish": "stop"}, "failed", ""),
        ({"text": "upstream connect error or disconnect/reset before headers", "finish": "stop"}, "failed", ""),
        ({"text": 'Let me look.\n<tool_call>\n{"name": "search"}\n</tool_call>', "finish": "stop"}, "failed", ""),
        ({"text": "Output data may contain inappropriate content.", "finish": "stop"}, "cut_filter", None),
        ({"text": "系统检测到输入或生成内容可能包含不安全或敏感内容。", "finish": "stop"}, "cut_filter", None),
        ({"text": "[ < { } > ]", "live": False}, "unknown", "[ < { } > ]"),
        ({"text": "Failed", "live": False}, "unknown", "Failed"),
        ({"text": "nan", "finish": "stop"}, "whole", "nan"),
        ({"text": "<think>Hm</think>Mist it.", "finish": "stop"}, "whole", "Mist it."),
        ({"text": "<think>Hm", "finish": "length"}, "empty", ""),
        ({"text": "", "reasoning": "Hm", "finish": "length"}, "empty", ""),
        ({"text": "The response was filtered due to its content.", "live": False}, "cut_filter", None),
    ],
)
def test_an_answer_is_judged(said: dict[str, Any], status: str, text: str | None) -> None:
    """Each combination has the one status that is right, and keeps the words."""
    found = settle(**{"text": "Mist it.", "live": True, **said})
    assert found.status == status
    assert text is None or found.text == text
    assert bool(found.reason) == (found.outcome != "answered") or (status == "empty" and not found.reasoning)


def test_reasoning_that_used_up_the_tokens_is_told_with_its_cause() -> None:
    """An answer that never began says so, and what was thought is kept."""
    found = settle(None, live=True, finish="length", reasoning="I could say bake bread.", output_tokens=20)
    assert (found.outcome, found.reasoning) == ("empty", "I could say bake bread.")
    assert found.reason == "nothing but reasoning, cut by length (`length`)"


def exchange(**fields: Any) -> Exchange:
    """Be an exchange as a log of 0.1 holds it."""
    empty = dict.fromkeys(("finish", "reason", "request", "response", "source", "started", "ended"), "")
    return Exchange(**{**empty, "model": "A", "prompt": "p", "sample": 0, "replicate": 0, **fields})


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"outcome": "answered", "text": "Yes.", "finish": "stop"}, "whole"),
        ({"outcome": "answered", "text": "Yes."}, "unknown"),
        ({"outcome": "answered", "text": "Half a", "finish": "SAFETY"}, "cut_filter"),
        ({"outcome": "empty", "text": "", "reason": "blocked by the provider: SAFETY"}, "cut_filter"),
        ({"outcome": "empty", "text": ""}, "empty"),
        ({"outcome": "failed", "text": "", "reason": "HTTP 503"}, "failed"),
        ({"outcome": "answered", "text": "nan"}, "empty"),
    ],
)
def test_a_log_of_before_is_judged_by_what_it_says(fields: dict[str, Any], status: str) -> None:
    """Records without a status get the one that follows from their words."""
    assert of_exchange(exchange(**fields)).status == status
