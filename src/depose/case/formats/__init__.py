"""The formats that answers come in, one reader each: what tells a format, what it needs, and what reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from depose.case.formats import batches, benchmarks, conversations, gateways, inspect_log, promptfoo
from depose.case.formats.found import Found
from depose.model import Record

Reader = Callable[[Any], Iterator[Found]]


class Format(Record, frozen=True, kw_only=True):
    """One format: `sniff` tells it, `read` yields what it holds; both are handed the same rows or document."""

    name: str
    needs: str
    """What must be there; anything else is noted where it is missing."""
    sniff: Callable[[Any], bool]
    read: Reader


def _trace(document: Any) -> Iterator[Found]:
    return gateways.langfuse(gateways.observations(document))


def _inlined(document: Any) -> Iterator[Found]:
    return batches.gemini(batches.inlined(document))


DOCUMENTS = (
    Format(
        name="inspect log",
        needs="eval.model; samples with epoch and output.choices",
        sniff=inspect_log.is_log,
        read=inspect_log.read_log,
    ),
    Format(
        name="HELM scenario_state.json",
        needs="request_states with request and result.completions",
        sniff=benchmarks.is_helm,
        read=benchmarks.helm,
    ),
    Format(name="Langfuse trace", needs="observations with input and output", sniff=gateways.is_trace, read=_trace),
    Format(
        name="Gemini batch job",
        needs="inlinedResponses with metadata.key and response.candidates",
        sniff=batches.is_inlined,
        read=_inlined,
    ),
    Format(
        name="promptfoo results",
        needs="results.results with prompt.raw, provider and response.output",
        sniff=promptfoo.is_document,
        read=promptfoo.read_document,
    ),
)
"""Formats of a whole JSON document."""
ROWS = (
    Format(
        name="OpenAI batch",
        needs="custom_id; response.status_code and response.body of chat completions or responses",
        sniff=batches.is_openai,
        read=batches.openai,
    ),
    Format(
        name="Anthropic message batch",
        needs="custom_id; result.type and result.message",
        sniff=batches.is_anthropic,
        read=batches.anthropic,
    ),
    Format(
        name="Gemini batch",
        needs="key, or request.contents; response.candidates",
        sniff=batches.is_gemini,
        read=batches.gemini,
    ),
    Format(
        name="promptfoo JSONL",
        needs="prompt.raw, provider and response.output",
        sniff=promptfoo.is_lines,
        read=promptfoo.read_lines,
    ),
    Format(
        name="MT-bench answers",
        needs="question_id; choices with turns",
        sniff=benchmarks.is_mt_bench,
        read=benchmarks.mt_bench,
    ),
    Format(
        name="lm-evaluation-harness samples",
        needs="doc_id, arguments and resps",
        sniff=benchmarks.is_harness,
        read=benchmarks.harness,
    ),
    Format(name="LiteLLM log", needs="messages and response", sniff=gateways.is_litellm, read=gateways.litellm),
    Format(name="Langfuse observations", needs="input and output", sniff=gateways.is_langfuse, read=gateways.langfuse),
    Format(
        name="messages beside an answer",
        needs="messages, or prompt, of role and content; response, output or completion",
        sniff=conversations.is_asked,
        read=conversations.asked,
    ),
    Format(
        name="ShareGPT or messages",
        needs="conversations of from and value, or messages of role and content",
        sniff=conversations.is_sharegpt,
        read=conversations.sharegpt,
    ),
    Format(name="Alpaca", needs="instruction and output", sniff=conversations.is_alpaca, read=conversations.alpaca),
)
"""Formats of a list of objects: lines of JSONL, a JSON list, or rows of a text table."""


def recognise(document: Any) -> Format | None:
    """Tell which tool wrote a document, or a list of rows; None for a plain table."""
    known = ROWS if isinstance(document, list) else DOCUMENTS
    return next((one for one in known if one.sniff(document)), None)
