"""Conversations for training (ShareGPT, lists of messages) and instructions with their outputs (Alpaca)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from depose.case.formats import messages
from depose.case.formats.found import Found, list_of, object_of, word


def is_sharegpt(rows: Sequence[Any]) -> bool:
    """Tell a conversation: `conversations` of `from` and `value`, or `messages` of `role` and `content`."""
    return any(_conversation(object_of(one)) for one in rows)


def _conversation(raw: dict[str, Any]) -> list[Any]:
    for name in ("conversations", "conversation", "messages"):
        if any(turn.role == "assistant" for turn in messages.turns_of(raw.get(name))):
            return list_of(raw[name])
    return []


def sharegpt(rows: Sequence[Any]) -> Iterator[Found]:
    """Read every answer of every conversation with all that was said before it."""
    for line in rows:
        raw = object_of(line)
        listed = _conversation(raw)
        turns = messages.turns_of(listed)
        name, model = word(raw.get("id")), word(raw.get("model"))
        if not turns:
            yield Found(id=name, model=model, problem="no answer in the conversation")
        for place, turn in enumerate(turns):
            if turn.role == "assistant":
                before = turns[:place]
                yield Found(
                    id=name,
                    model=model,
                    prompt=messages.last_user(before),
                    turns=before,
                    text=messages.said_in(object_of(listed[place])),
                    problem="the answer is not text" if messages.said_in(object_of(listed[place])) is None else "",
                    missing=("no finish reason",),
                )


def is_alpaca(rows: Sequence[Any]) -> bool:
    """Tell Alpaca: instructions some of which have an input that belongs to them."""
    return any(
        isinstance(object_of(one).get("input"), str) and one["input"].strip() and "instruction" in one for one in rows
    )


def alpaca(rows: Sequence[Any]) -> Iterator[Found]:
    """Read instructions with their outputs; what was asked is the instruction and the input together."""
    for number, line in enumerate(rows, start=1):
        raw = object_of(line)
        instruction, given, output = (raw.get(name) for name in ("instruction", "input", "output"))
        if not isinstance(instruction, str) or not isinstance(given, str | None):
            raise ValueError(f"row {number}: instruction or input is not text")
        sample = word(raw.get("sample"))
        yield Found(
            id=word(raw.get("prompt_id")) or word(raw.get("id")),
            prompt="\n\n".join(part for part in (instruction, given or "") if part.strip()),
            text=output if isinstance(output, str) else None,
            problem="" if isinstance(output, str) or output is None else "the answer is not text",
            model=word(raw.get("model")) or word(raw.get("generator")),
            sample=int(sample) if sample.isascii() and sample.isdigit() and len(sample) < 7 else None,
            family=next((word(raw[name]) for name in ("category", "family", "dataset") if raw.get(name)), ""),
            cluster=word(raw.get("cluster")),
        )
