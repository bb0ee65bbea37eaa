"""The words in which providers say why an answer ended, each with the status that it stands for.

Chat completions (OpenAI, Azure, xAI, OpenRouter, vLLM, SGLang, TGI, Ollama, Mistral, DeepSeek, Zhipu, Together),
Responses, Messages, generateContent, Bedrock, Cohere, watsonx, inspect and promptfoo. A word that stands in no list is
read by its parts, and is `unknown` where they say nothing.
"""

from __future__ import annotations

import re

from depose.model import Status

_WORDS: dict[Status, str] = {
    "whole": "stop stop_sequence end_turn eos eos_token endoftext end_of_text complete completed finish finished done"
    " normal success stop_token word matched_stop",
    "cut_length": "length max_tokens max_length model_length max_output_tokens token_limit limit context_length"
    " model_context_window_exceeded max_new_tokens length_capped max_completion_tokens",
    "cut_filter": "content_filter content_filtered safety recitation language blocklist prohibited_content spii"
    " image_safety image_prohibited_content image_recitation guardrail_intervened model_armor sensitive error_toxic"
    " moderation jailbreak flagged",
    "refused": "refusal refused declined",
    "failed": "error abort aborted cancelled canceled user_cancel timeout time_limit error_limit network_error failed"
    " failure insufficient_system_resource other load unload in_progress queued not_finished incomplete pause_turn"
    " tool_calls tool_call tool_use function_call malformed_function_call malformed_response malformed_tool_use"
    " malformed_model_output unexpected_tool_call too_many_tool_calls missing_thought_signature image_other no_image"
    " preempted expired compaction",
    "unknown": "unknown finish_reason_unspecified unspecified null none nil nan",
}
_STATUS = {word: status for status, words in _WORDS.items() for word in words.split()}
_PARTS: tuple[tuple[Status, str], ...] = (
    ("cut_filter", "filter|safety|block|policy|moderat|prohibit|guardrail|sensitiv|toxic|censor|violat|flagged|harm"),
    ("refused", "refus|declin"),
    (
        "failed",
        "error|abort|cancel|time_?out|fail|interrupt|disconnect|broke|crash|preempt|shutdown|killed|expired|invalid|lost|gone|closed|dropped"
        "|malform|exception|unavailable|overload|incomplete|unfinished|partial|tool|function_call",
    ),
    ("cut_length", "length|max_|limit|truncat|exceed|too_long|context_window|budget"),
    ("whole", "^(eos|stop|end|finish|complete)(_|$)"),
)
_BROKEN_OFF = re.compile(r"tool|function|pause")


def plain(word: str) -> str:
    """Write a provider's word as the lists have it: `FinishReason.MAX_TOKENS`, `maxTokens` are `max_tokens`."""
    last = word.strip().rpartition(".")[2]
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", last)
    return re.sub(r"\W+", "_", parted.lower()).strip("_").removeprefix("finish_reason_") or ""


def status_of(word: str) -> Status:
    """Say what a provider's word means: `unknown` for none, or for one that says nothing to us."""
    given = plain(word)
    if not given:
        return "unknown"
    if given in _STATUS:
        return _STATUS[given]
    return next((status for status, parts in _PARTS if re.search(parts, given)), "unknown")


def wants_a_tool(word: str) -> bool:
    """Tell whether the answer was ended so that something else may be done first."""
    return _BROKEN_OFF.search(plain(word)) is not None
