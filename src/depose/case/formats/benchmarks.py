"""Answer files of benchmarks: MT-bench, lm-evaluation-harness, HELM."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from depose.case.formats import messages
from depose.case.formats.found import Found, Raw, Turn, list_of, message_of, object_of, word

BROKEN = ("$ERROR$", "ERROR")
"""What MT-bench writes in the place of an answer that it did not get."""


def is_mt_bench(rows: Sequence[Any]) -> bool:
    """Tell an answer of MT-bench: a question number beside choices of turns."""
    return any(
        "question_id" in object_of(one) and any("turns" in object_of(c) for c in list_of(one.get("choices")))
        for one in rows
    )


def mt_bench(rows: Sequence[Any]) -> Iterator[Found]:
    """Read the answers to first turns; a later one answers a conversation and is not read."""
    for line in rows:
        raw = object_of(line)
        name, choices = word(raw.get("question_id")), list_of(raw.get("choices"))
        if not name or not choices:
            raise ValueError("an answer of MT-bench has no question_id, or no choices")
        for place, choice in enumerate(choices):
            turns = list_of(object_of(choice).get("turns"))
            index = object_of(choice).get("index")
            head: Raw = {
                "id": name,
                "model": word(raw.get("model_id")),
                "sample": index if type(index) is int and index >= 0 else place,
            }
            first = turns[0] if turns else None
            first = first.get("content") if isinstance(first, dict) else first
            missing = ("no finish reason", *((f"{len(turns) - 1} later turns not read",) if len(turns) > 1 else ()))
            if not isinstance(first, str):
                yield Found(**head, problem="the answer is not text" if turns else "no turn in it", missing=missing)
            elif first.strip() in BROKEN:
                yield Found(**head, problem=f"the tool's own word: {first.strip()}", missing=missing)
            else:
                yield Found(**head, text=first, missing=missing)


def is_harness(rows: Sequence[Any]) -> bool:
    """Tell a sample of lm-evaluation-harness."""
    return any({"doc_id", "arguments", "resps"} <= object_of(one).keys() for one in rows)


def harness(rows: Sequence[Any]) -> Iterator[Found]:
    """Read generated answers; `resps` counts, not what a filter cut out of it, and each filter's copy counts once."""
    filters = [word(object_of(one).get("filter")) for one in rows]
    for line, kept in zip(rows, filters, strict=True):
        raw = object_of(line)
        if kept != filters[0]:
            continue
        name = word(raw.get("doc_id"))
        if not name:
            raise ValueError("a sample of the harness has no doc_id")
        for said, asked in zip(list_of(raw.get("resps")), _requests(raw.get("arguments")), strict=False):
            turns = messages.chat_json(asked) or ((Turn(role="user", text=asked),) if asked else ())
            head: Raw = {"id": name, "prompt": messages.last_user(turns), "turns": turns}
            texts = said if isinstance(said, list) else [said]
            for text in texts:
                if isinstance(text, str):
                    yield Found(**head, text=text, missing=("no model", "no finish reason"))
                else:
                    yield Found(**head, problem="a likelihood, no generated text")


def _requests(arguments: Any) -> Iterator[str]:
    """Yield the context of each request, however the version of the harness writes it."""
    given = list(arguments.values()) if isinstance(arguments, dict) else list_of(arguments)
    for one in given:
        first = one.get("arg_0") if isinstance(one, dict) else one[0] if isinstance(one, list) and one else one
        yield word(first)


def is_helm(document: Any) -> bool:
    """Tell HELM's `scenario_state.json`."""
    return isinstance(object_of(document).get("request_states"), list)


def helm(document: Raw) -> Iterator[Found]:
    """Read the completions of a HELM run; what was asked is the prompt of the request, wrapper and all."""
    for number, state in enumerate(document["request_states"], start=1):
        raw = object_of(state)
        instance, request = object_of(raw.get("instance")), object_of(raw.get("request"))
        if not request:
            raise ValueError(f"request state {number} has no request")
        turns = messages.turns_of(request.get("messages")) or (Turn(role="user", text=word(request.get("prompt"))),)
        head: Raw = {
            "id": word(instance.get("id")),
            "prompt": messages.last_user(turns),
            "turns": turns,
            "model": word(request.get("model")) or word(request.get("model_deployment")),
        }
        result = object_of(raw.get("result"))
        completions = list_of(result.get("completions"))
        if not result.get("success", bool(completions)) or not completions:
            yield Found(**head, problem=message_of(result.get("error") or "no completion in it"))
        for one in completions if result.get("success", True) else ():
            said = object_of(one)
            finish, thought = object_of(said.get("finish_reason")), object_of(said.get("thinking"))
            text = said.get("text")
            yield Found(
                **head,
                text=text if isinstance(text, str) else None,
                problem="" if isinstance(text, str) else "the answer is not text",
                finish=word(finish.get("reason")) or word(said.get("finish_reason")),
                reasoning=word(thought.get("text")),
                missing=() if finish else ("no finish reason",),
            )
