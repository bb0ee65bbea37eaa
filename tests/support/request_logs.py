"""Logs of requests as products write them, a few rows each, and a case to import them into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CASE = """[case]
title = "a log"
authority = "own service"

[period]
tested = ["2026-05-01", "2026-05-28"]
"""
PROMPT = 'Explain in plain words how number {n} relates to "a quoted thing" here'


def case(folder: Path, text: str = CASE) -> Path:
    """A folder with a case file, and a hash key beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "extraction.toml").write_text(text)
    key_of(folder).write_bytes(bytes(range(32)))
    return folder


def key_of(folder: Path) -> Path:
    """The hash key of a case made by `case`."""
    return folder.parent / "custodian.key"


def lines(file: Path, rows: list[dict[str, Any]]) -> Path:
    """A file of JSON lines."""
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def at(n: int) -> str:
    """A time of the period."""
    return f"2026-05-{1 + n % 3:02d}T10:{n % 60:02d}:00.500Z"


def messages(n: int) -> list[dict[str, str]]:
    """What was asked."""
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPT.format(n=n)}]


def chat(text: str = "An answer.") -> dict[str, Any]:
    """What came back."""
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


def litellm(count: int = 30) -> list[dict[str, Any]]:
    """Rows of LiteLLM's spend logs."""
    return [
        {"request_id": f"r{n}", "call_type": "acompletion", "api_key": "ab" * 32, "user": f"user{n % 5}@example.org",
         "startTime": at(n), "model": "m-1", "messages": messages(n), "response": chat(), "prompt_tokens": 10,
         "completion_tokens": 4, "requester_ip_address": f"10.0.{n % 3}.7", "status": "success"}
        for n in range(count)
    ]  # fmt: skip


def apim(count: int = 30, *, id_in_all: bool = False) -> list[dict[str, Any]]:
    """Rows of API Management: tokens, messages in two parts, answer, out of order; and callers in a table of their own.

    RequestId stands beside the tokens alone, or in all rows.
    """
    rows: list[dict[str, Any]] = []
    for n in range(count):
        body = json.dumps(messages(n))
        same = {"TimeGenerated": at(n), "CorrelationId": f"c{n}", "RequestMessages": "", "ResponseMessages": "",
                "RequestId": f"q{n}" if id_in_all else "", "DeploymentName": "", "ModelName": "",
                "PromptTokens": 0, "CompletionTokens": 0}  # fmt: skip
        answer = json.dumps([{"role": "assistant", "content": "An answer."}])
        rows.append({**same, "SequenceNumber": 2, "RequestMessages": body[40:]})
        rows.append({**same, "SequenceNumber": 1, "RequestMessages": body[:40]})
        rows.append({**same, "SequenceNumber": 3, "ResponseMessages": answer})
        rows.append({**same, "SequenceNumber": 0, "RequestId": f"q{n}", "DeploymentName": "d", "ModelName": "m-1",
                     "PromptTokens": 10, "CompletionTokens": 4})  # fmt: skip
    return rows + callers(count)


def callers(count: int = 30) -> list[dict[str, Any]]:
    """The rows of the gateway's own table."""
    return [
        {"TimeGenerated": at(n), "CorrelationId": f"c{n}", "CallerIpAddress": f"10.0.{n % 3}.7",
         "ApimSubscriptionId": f"sub-{n % 5}", "ResponseCode": 200}
        for n in range(count)
    ]  # fmt: skip


def otlp(count: int = 30) -> list[dict[str, Any]]:
    """Spans of the GenAI conventions, ten in each document."""

    def value(one: Any) -> dict[str, Any]:
        return {"intValue": str(one)} if isinstance(one, int) else {"stringValue": one}

    def span(n: int) -> dict[str, Any]:
        said = {
            "gen_ai.operation.name": "chat", "gen_ai.request.model": "m-1", "gen_ai.response.model": "m-1",
            "gen_ai.usage.input_tokens": 10, "gen_ai.usage.output_tokens": 4, "user.id": f"u{n % 5}",
            "client.address": f"10.0.{n % 3}.7",
            "gen_ai.input.messages": json.dumps(
                [{"role": "user", "parts": [{"type": "text", "content": PROMPT.format(n=n)}]}]
            ),
        }  # fmt: skip
        start = 1_777_629_600_000_000_000 + n * 60_000_000_000
        return {"traceId": "ab" * 16, "spanId": f"{n:016x}", "name": "chat m-1", "startTimeUnixNano": str(start),
                "endTimeUnixNano": str(start + 900_000_000),
                "attributes": [{"key": key, "value": value(one)} for key, one in said.items()]}  # fmt: skip

    spans = [span(n) for n in range(count)]
    return [
        {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"spans": spans[n : n + 10]}]}]}
        for n in range(0, count, 10)
    ]


def langfuse(count: int = 30) -> list[dict[str, Any]]:
    """Observations before their traces, each in an older version too, and a deleted one."""
    rows: list[dict[str, Any]] = []
    for n in range(count):
        one = {"id": f"o{n}", "trace_id": f"t{n}", "type": "GENERATION", "start_time": at(n), "event_ts": "2",
               "provided_model_name": "m-1", "input": json.dumps(messages(n)), "output": chat(),
               "usage_details": {"input": 10, "output": 4}, "level": "DEFAULT"}  # fmt: skip
        rows += [{**one, "event_ts": "1", "usage_details": {"input": 1}}, one]
        rows.append({"id": f"t{n}", "timestamp": at(n), "user_id": f"u{n % 5}", "session_id": "s", "event_ts": "1"})
    rows.append({"id": "gone", "trace_id": "t0", "type": "GENERATION", "start_time": at(0), "is_deleted": 1})
    return rows


def bedrock(count: int = 30) -> list[dict[str, Any]]:
    """Invocations, with an event of CloudTrail among them."""
    rows: list[dict[str, Any]] = [
        {"schemaType": "ModelInvocationLog", "timestamp": at(n), "accountId": "111122223333",
         "identity": {"arn": f"arn:aws:iam::111122223333:user/u{n % 5}"}, "region": "us-east-1", "requestId": f"b{n}",
         "operation": "InvokeModel", "modelId": "m-1",
         "input": {"inputContentType": "application/json", "inputTokenCount": 10, "inputBodyJson":
                   {"messages": [messages(n)[1]], "system": "Be brief.", "max_tokens": 100, "temperature": 0.5}},
         "output": {"outputTokenCount": 4, "outputBodyJson": {"content": [{"type": "text", "text": "An answer."}],
                                                              "stop_reason": "end_turn"}}}
        for n in range(count)
    ]  # fmt: skip
    return [*rows, {"eventSource": "bedrock.amazonaws.com", "eventName": "InvokeModel", "requestID": "b1"}]


def vertex(count: int = 30) -> list[dict[str, Any]]:
    """Request-response logging, a sample."""
    return [
        {"logging_time": at(n), "request_id": f"v{n}", "api_method": "generateContent", "model": "m-1",
         "sampling_rate": 0.1, "metadata": {"user": f"u{n % 5}"},
         "full_request": {"contents": [{"role": "user", "parts": [{"text": PROMPT.format(n=n)}]}]},
         "full_response": json.dumps({"candidates": [{"content": {"parts": [{"text": "An answer."}]}}],
                                      "usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 4}})}
        for n in range(count)
    ]  # fmt: skip


def helicone(count: int = 30) -> list[dict[str, Any]]:
    """Rows of its export."""
    return [
        {"id": f"h{n}", "created_at": at(n), "user_id": f"u{n % 5}", "auth_hash": "cd" * 32, "model": "m-1",
         "request_body": {"messages": messages(n)}, "response_body": chat(), "prompt_tokens": 10,
         "completion_tokens": 4, "delay_ms": 900, "status": 200}
        for n in range(count)
    ]  # fmt: skip


def openai(count: int = 30) -> list[dict[str, Any]]:
    """Buckets of the usage API."""
    return [
        {"object": "bucket", "start_time": 1_777_629_600 + 3600 * n, "results": [
            {"user_id": f"u{n % 5}", "model": "m-1", "input_tokens": 100, "output_tokens": 40,
             "num_model_requests": 3}]}
        for n in range(count)
    ]  # fmt: skip


def compliance(count: int = 30, *, apart: bool = False) -> list[dict[str, Any]]:
    """Conversations of two questions each, their messages inside or as rows beside; one has none."""
    made: list[dict[str, Any]] = []
    for n in range(count):
        said = [
            {"id": f"c{n}-{place}", "created_at": 1_777_629_600 + 3600 * n + place,
             "author": {"role": "assistant" if place % 2 else "user"}, "model": "m-1",
             "content": {"content_type": "text", "parts": ["An answer." if place % 2 else PROMPT.format(n=n)]}}
            for place in range(4)
        ]  # fmt: skip
        row = {
            "id": f"c{n}",
            "user_id": f"u{n % 5}",
            "user_email": f"u{n % 5}@example.org",
            "created_at": 1_777_629_600,
        }
        if apart:
            made += [{**one, "conversation_id": f"c{n}"} for one in reversed(said)] + [row]
        else:
            made.append({**row, "messages": {"object": "list", "data": said}})
    return [*made, {"id": "empty", "user_id": "u1", "created_at": 1_777_629_600}]


EVERY = {"litellm": litellm, "apim": apim, "otlp": otlp, "langfuse": langfuse, "bedrock": bedrock, "vertex": vertex,
         "helicone": helicone, "openai": openai}  # fmt: skip
