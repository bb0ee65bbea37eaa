"""Files as the tools of the trade write them, made from a few answers: one writer per format.

Every writer says how an answer ended in the word of its format, where the format has one.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depose.model import Status


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer to be written."""

    id: str
    prompt: str
    text: str
    status: Status = "whole"


def ask(answer: Answer) -> dict[str, Any]:
    """Write what was asked."""
    return {"role": "user", "content": answer.prompt}


OPENAI: dict[Status, str] = {"whole": "stop", "cut_length": "length", "cut_filter": "content_filter"}
RESPONSES: dict[Status, str] = {"cut_length": "max_output_tokens", "cut_filter": "content_filter"}
ANTHROPIC: dict[Status, str] = {"whole": "end_turn", "cut_length": "max_tokens", "refused": "refusal"}
GEMINI: dict[Status, str] = {"whole": "STOP", "cut_length": "MAX_TOKENS", "cut_filter": "SAFETY"}
INSPECT: dict[Status, str] = {"whole": "stop", "cut_length": "max_tokens", "cut_filter": "content_filter"}


def chat_body(answer: Answer) -> dict[str, Any]:
    """Write a chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.status == "refused":
        message |= {"content": None, "refusal": answer.text}
    elif answer.status == "empty":
        message["content"] = ""
    choice = {"index": 0, "message": message, "finish_reason": OPENAI.get(answer.status, "stop")}
    return {"id": "c", "object": "chat.completion", "model": "m-1", "choices": [choice]}


def openai_chat(answers: Sequence[Answer]) -> list[Any]:
    """Write an OpenAI batch output of chat completions."""
    return [_batch(one, chat_body(one)) for one in answers]


def _batch(answer: Answer, body: Any) -> dict[str, Any]:
    status = 200
    if answer.status == "failed":
        status, body = 400, {"error": {"message": "not possible", "code": "x"}}
    response = {"status_code": status, "request_id": "r", "body": body}
    return {"id": "batch_req", "custom_id": answer.id, "response": response, "error": None}


def openai_responses(answers: Sequence[Answer]) -> list[Any]:
    """Write an OpenAI batch output of responses."""
    lines = []
    for one in answers:
        part = {"type": "output_text", "text": one.text, "annotations": []}
        if one.status == "refused":
            part = {"type": "refusal", "refusal": one.text}
        content = [] if one.status == "empty" else [part]
        cut = RESPONSES.get(one.status)
        body = {
            "object": "response",
            "status": "incomplete" if cut else "completed",
            "incomplete_details": {"reason": cut} if cut else None,
            "error": None,
            "model": "m-1",
            "output": [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
                {"type": "message", "role": "assistant", "content": content},
            ],
        }
        lines.append(_batch(one, body))
    return lines


def anthropic_batch(answers: Sequence[Answer]) -> list[Any]:
    """Write results of Message Batches."""
    lines = []
    for one in answers:
        content = [] if one.status == "empty" else [{"type": "text", "text": one.text}]
        message = {"type": "message", "role": "assistant", "model": "m-1", "content": content}
        message["stop_reason"] = ANTHROPIC.get(one.status, "end_turn")
        result: dict[str, Any] = {"type": "succeeded", "message": message}
        if one.status == "failed":
            error = {"type": "invalid_request_error", "message": "not possible"}
            result = {"type": "errored", "error": {"type": "error", "error": error}}
        lines.append({"custom_id": one.id, "result": result})
    return lines


def gemini_batch(answers: Sequence[Answer]) -> list[Any]:
    """Write responses of a Gemini batch."""
    lines: list[Any] = []
    for one in answers:
        parts = [] if one.status == "empty" else [None, {"text": "hm", "thought": True}, {"text": one.text}]
        candidate = {"content": {"role": "model", "parts": parts}, "finishReason": GEMINI.get(one.status, "STOP")}
        response = {"candidates": [candidate], "modelVersion": "m-1", "usageMetadata": {"totalTokenCount": 9.0}}
        error = {"code": 3, "message": "not possible"}
        lines.append({"key": one.id, **({"error": error} if one.status == "failed" else {"response": response})})
    return lines


def gemini_job(answers: Sequence[Answer]) -> Any:
    """Write a Gemini batch job that holds its responses."""
    rows = [{"metadata": {"key": one.pop("key")}, **one} for one in gemini_batch(answers)]
    return {"name": "batches/1", "done": True, "response": {"inlinedResponses": {"inlinedResponses": rows}}}


def inspect_samples(answers: Sequence[Answer]) -> list[Any]:
    """Write samples of inspect."""
    samples = []
    for one in answers:
        said = {"role": "assistant", "content": "" if one.status == "empty" else one.text, "source": "generate"}
        choice = {"message": said, "stop_reason": INSPECT.get(one.status, "stop")}
        sample = {
            "id": one.id,
            "epoch": 1,
            "input": one.prompt,
            "target": "",
            "messages": [{**ask(one), "source": "input"}, said],
            "output": {"model": "m-1", "choices": [choice], "completion": ""},
        }
        samples.append(sample | ({"error": {"message": "out of time"}} if one.status == "failed" else {}))
    return samples


def inspect_json(answers: Sequence[Answer]) -> Any:
    """Write an inspect log in JSON, with scores in `results`."""
    head = {"version": 2, "status": "success", "eval": {"model": "m-1", "task": "t"}, "plan": {}, "stats": {}}
    return {**head, "results": {"total_samples": 1, "scores": [{"name": "a"}]}, "samples": inspect_samples(answers)}


def inspect_eval(answers: Sequence[Answer]) -> bytes:
    """Write an inspect log as a zip."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for one in inspect_samples(answers):
            archive.writestr(f"samples/{one['id']}_epoch_1.json", json.dumps(one))
        archive.writestr("header.json", json.dumps({"version": 2, "status": "success", "eval": {"model": "m-1"}}))
    return data.getvalue()


def promptfoo_results(answers: Sequence[Answer]) -> list[Any]:
    """Write results of promptfoo."""
    lines = []
    for number, one in enumerate(answers):
        response: dict[str, Any] = {"output": one.text, "tokenUsage": {"total": 9}, "finishReason": "stop"}
        if one.status == "cut_length":
            response["finishReason"] = "length"
        elif one.status == "cut_filter":
            response |= {"finishReason": None, "guardrails": {"flagged": True, "flaggedOutput": True}}
        elif one.status == "refused":
            response["isRefusal"] = True
        elif one.status == "empty":
            response["output"] = ""
        elif one.status == "failed":
            response = {"error": "API error: 500"}
        head = {"promptIdx": 0, "testIdx": number, "success": True, "vars": {"q": one.prompt}}
        prompt = {"raw": one.prompt + "\n", "label": "{{q}}"}
        lines.append({**head, "prompt": prompt, "provider": {"id": "m-1", "label": ""}, "response": response})
    return lines


def promptfoo_json(answers: Sequence[Answer]) -> Any:
    """Write a promptfoo document."""
    results = {"version": 3, "timestamp": "t", "prompts": [], "results": promptfoo_results(answers), "stats": {}}
    return {"evalId": "eval-x", "results": results, "config": {}, "shareableUrl": None}


def mt_bench(answers: Sequence[Answer]) -> list[Any]:
    """Write answers of MT-bench, which has no word for how they ended."""
    return [
        {
            "question_id": one.id,
            "answer_id": "a",
            "model_id": "m-1",
            "choices": [{"index": 0, "turns": ["$ERROR$" if one.status == "failed" else one.text, "and more"]}],
            "tstamp": 1.5,
        }
        for one in answers
    ]


def harness(answers: Sequence[Answer]) -> list[Any]:
    """Write samples of lm-evaluation-harness, each through two filters."""
    return [
        {
            "doc_id": one.id,
            "doc": {"question": one.prompt},
            "target": "KEY",
            "arguments": {"gen_args_0": {"arg_0": one.prompt, "arg_1": {"until": ["\n\n"]}}},
            "resps": [[one.text]],
            "filtered_resps": ["KEY"],
            "filter": kept,
            "doc_hash": "x",
        }
        for kept in ("none", "strict-match")
        for one in answers
    ]


def helm(answers: Sequence[Answer]) -> Any:
    """Write HELM's scenario state."""
    states = []
    for one in answers:
        words = {"whole": "stop", "cut_length": "length", "cut_filter": "content_filter"}
        said = {"text": one.text, "logprob": 0.0, "tokens": [], "finish_reason": {"reason": words.get(one.status)}}
        result: dict[str, Any] = {"success": True, "completions": [said], "cached": False, "embedding": []}
        if one.status == "failed":
            result |= {"success": False, "completions": [], "error": "timeout"}
        states.append(
            {
                "instance": {"input": {"text": one.prompt}, "references": [], "split": "test", "id": one.id},
                "request": {"model": "m-1", "model_deployment": "x/m-1", "prompt": one.prompt, "num_completions": 1},
                "result": result,
                "train_trial_index": 0,
            }
        )
    return {"adapter_spec": {"method": "generation"}, "request_states": states}


def litellm(answers: Sequence[Answer]) -> list[Any]:
    """Write LiteLLM's standard logging payloads."""
    lines = []
    for one in answers:
        line: dict[str, Any] = {"id": "r", "call_type": "acompletion", "response_cost": 0.1, "model": "m-1"}
        line |= {"status": "success", "messages": [ask(one)], "response": chat_body(one), "error_str": None}
        if one.status == "failed":
            line |= {"status": "failure", "response": {}, "error_str": "BadRequestError: not possible"}
        lines.append(line)
    return lines


def langfuse(answers: Sequence[Answer]) -> list[Any]:
    """Write observations of Langfuse: a span around each generation."""
    lines: list[Any] = []
    for one in answers:
        head = {"id": "o", "traceId": "t", "startTime": "2026-01-01", "model": None, "level": "DEFAULT"}
        lines.append({**head, "type": "SPAN", "input": {"q": one.prompt}, "output": "seen"})
        output: Any = {"role": "assistant", "content": one.text}
        line = {**head, "type": "GENERATION", "model": "m-1", "input": [ask(one)], "output": output}
        if one.status == "failed":
            line |= {"level": "ERROR", "statusMessage": "not possible", "output": None}
        elif one.status in OPENAI or one.status == "refused":
            line["output"] = chat_body(one)
        lines.append(line)
    return lines


def sharegpt(answers: Sequence[Answer]) -> list[Any]:
    """Write conversations of ShareGPT, each with a second turn that answers something else."""
    return [
        {
            "id": one.id,
            "conversations": [
                {"from": "human", "value": one.prompt},
                {"from": "gpt", "value": one.text},
                {"from": "human", "value": "And then?"},
                {"from": "gpt", "value": "Nothing."},
            ],
        }
        for one in answers
    ]


def fine_tuning(answers: Sequence[Answer]) -> list[Any]:
    """Write lists of messages, as files for tuning hold them."""
    return [{"messages": [ask(one), {"role": "assistant", "content": one.text}]} for one in answers]


def asked(answers: Sequence[Answer]) -> list[Any]:
    """Write messages with the body that came for them."""
    return [{"id": one.id, "messages": [ask(one)], "response": chat_body(one)} for one in answers]


def told(answers: Sequence[Answer]) -> list[Any]:
    """Write a plain table with columns about how each answer ended."""
    more: dict[Status, dict[str, str]] = {
        "failed": {"error": "timed out"},
        "empty": {"output": ""},
        "refused": {"refusal": "I will not.", "output": ""},
    }
    return [
        {"prompt_id": one.id, "prompt": one.prompt, "output": one.text, "finish_reason": OPENAI.get(one.status, "stop")}
        | more.get(one.status, {})
        for one in answers
    ]


def alpaca(answers: Sequence[Answer]) -> list[Any]:
    """Write Alpaca: the last line of a prompt of several is its input."""
    rows = []
    for one in answers:
        head, _, tail = one.prompt.partition("\n\n")
        rows.append({"instruction": head, "input": tail, "output": one.text, "generator": "m-1"})
    return rows


def table(answers: Sequence[Answer]) -> list[Any]:
    """Write a plain table."""
    return [{"prompt_id": one.id, "prompt": one.prompt, "output": one.text, "model": "m-1"} for one in answers]


def delimited(answers: Sequence[Answer], mark: str, encoding: str) -> bytes:
    """Write a text table."""
    text = io.StringIO(newline="")
    rows = table(answers)
    writer = csv.DictWriter(text, list(rows[0]), delimiter=mark)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def workbook(answers: Sequence[Answer]) -> bytes:
    """Write an Excel workbook with an empty second sheet."""
    import openpyxl

    book = openpyxl.Workbook()
    rows = table(answers)
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append(list(row.values()))
    book.create_sheet("notes")
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


Write = Callable[[Sequence[Answer]], Any]
ALL: tuple[Status, ...] = ("whole", "cut_length", "cut_filter", "refused", "failed", "empty")
EXPORTS: dict[str, tuple[str, Write, tuple[Status, ...]]] = {
    "OpenAI batch, chat": ("jsonl", openai_chat, ALL),
    "OpenAI batch, responses": ("jsonl", openai_responses, ALL),
    "Anthropic batch": ("jsonl", anthropic_batch, ("whole", "cut_length", "refused", "failed", "empty")),
    "Gemini batch": ("jsonl", gemini_batch, ("whole", "cut_length", "cut_filter", "failed", "empty")),
    "Gemini job": ("json", gemini_job, ("whole", "cut_length", "cut_filter", "failed", "empty")),
    "inspect JSON": ("json", inspect_json, ("whole", "cut_length", "cut_filter", "failed", "empty")),
    "inspect eval": ("eval", inspect_eval, ("whole", "cut_length", "cut_filter", "failed", "empty")),
    "promptfoo JSON": ("json", promptfoo_json, ALL),
    "promptfoo JSONL": ("jsonl", promptfoo_results, ALL),
    "MT-bench": ("jsonl", mt_bench, ("unknown", "failed")),
    "lm-evaluation-harness": ("jsonl", harness, ("unknown",)),
    "HELM": ("json", helm, ("whole", "cut_length", "cut_filter", "failed")),
    "LiteLLM": ("json", litellm, ALL),
    "Langfuse": ("jsonl", langfuse, ("unknown", "whole", "cut_length", "cut_filter", "refused", "failed")),
    "ShareGPT": ("json", sharegpt, ("unknown",)),
    "messages": ("jsonl", fine_tuning, ("unknown",)),
    "messages beside an answer": ("jsonl", asked, ("whole", "cut_length", "cut_filter", "refused", "empty")),
    "Alpaca": ("json", alpaca, ("unknown",)),
    "table with reasons": ("jsonl", told, ALL),
    "CSV": ("csv", lambda answers: delimited(answers, ",", "utf-8-sig"), ("unknown",)),
    "CSV with semicolons": ("csv", lambda answers: delimited(answers, ";", "utf-8"), ("unknown",)),
    "TSV": ("tsv", lambda answers: delimited(answers, "\t", "utf-8"), ("unknown",)),
    "UTF-16": ("tsv", lambda answers: delimited(answers, "\t", "utf-16"), ("unknown",)),
    "Excel": ("xlsx", workbook, ("unknown",)),
}
"""Suffix, writer and the statuses that the format can tell."""


def write(folder: Path, name: str, answers: Sequence[Answer]) -> Path:
    """Write answers as a tool does, and return the file."""
    suffix, writer, _ = EXPORTS[name]
    made = writer(answers)
    path = folder / f"export.{suffix}"
    if isinstance(made, bytes):
        path.write_bytes(made)
    elif suffix == "jsonl":
        path.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in made))
    else:
        path.write_text(json.dumps(made, ensure_ascii=False))
    return path
