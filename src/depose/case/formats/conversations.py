"""Conversations (ShareGPT, lists of messages, messages beside their answer) and instructions with outputs (Alpaca)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from depose.case.formats import messages
from depose.case.formats.found import Found, Raw, Turn, found, list_of, object_of, word


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
        system = messages.system_of(raw)
        turns = messages.turns_of(listed)
        name, model = word(raw.get("id")), word(raw.get("model"))
        if not turns:
            yield Found(id=name, model=model, problem="no answer in the conversation")
        for place, turn in enumerate(turns):
            if turn.role == "assistant":
                before = (*system, *turns[:place])
                yield Found(
                    id=name,
                    model=model,
                    prompt=messages.last_user(before),
                    turns=before,
                    text=messages.said_in(object_of(listed[place])),
                    problem="the answer is not text" if messages.said_in(object_of(listed[place])) is None else "",
                    missing=("no finish reason",),
                )


ASKED = ("messages", "prompt", "input", "conversation", "conversations")
SAID = ("response", "output", "completion", "answer", "prediction", "generation", "model_output", "model_response")


def _asked_in(raw: dict[str, Any]) -> Any:
    """Give the messages of a row whose answer stands beside them; nothing for other rows."""
    if sum(bool(raw.get(name)) for name in SAID) != 1:
        return ()
    listed = (raw[name] for name in ASKED if list_of(raw.get(name)))
    return next((one for one in listed if all({"role", "from"} & object_of(turn).keys() for turn in one)), ())


def is_asked(rows: Sequence[Any]) -> bool:
    """Tell messages with the answer to them in a field of its own."""
    return any(_asked_in(object_of(one)) for one in rows)


def asked(rows: Sequence[Any]) -> Iterator[Found]:
    """Read messages and the answer beside them: words, a message, or a body of an interface."""
    for line in rows:
        raw = object_of(line)
        turns = messages.turns_of(_asked_in(raw))
        before = (*messages.system_of(raw), *turns)
        name = next((word(raw[key]) for key in ("prompt_id", "id") if raw.get(key)), "")
        head: Raw = {"id": name, "model": word(raw.get("model")), "prompt": messages.last_user(turns), "turns": before}
        held: Any = next((raw[key] for key in SAID if raw.get(key)), None)
        if isinstance(held, list) and len(held) == 1 and isinstance(held[0], dict):
            held = held[0]
        if isinstance(held, dict) and {"choices", "candidates", "output"} & held.keys():
            yield from (found(one, head) for one in messages.body(held))
        elif isinstance(held, dict) and "content" in held:
            yield from (found(one, head) for one in messages.chat({"choices": [{"message": held}]}))
        else:
            problem = "" if isinstance(held, str) else "the answer is not text"
            text, finish = held if isinstance(held, str) else None, word(raw.get("finish_reason"))
            missing = () if finish else ("no finish reason",)
            yield Found(**head, text=text, finish=finish, problem=problem, missing=missing)


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
        asked = "\n\n".join(part for part in (instruction, given or "") if part.strip())
        before = (*messages.system_of(raw), *((Turn(role="history", text="[...]"),) if raw.get("history") else ()))
        yield Found(
            turns=(*before, Turn(role="user", text=asked)) if before else (),
            id=word(raw.get("prompt_id")) or word(raw.get("id")),
            prompt=asked,
            text=output if isinstance(output, str) else None,
            problem="" if isinstance(output, str) or output is None else "the answer is not text",
            model=word(raw.get("model")) or word(raw.get("generator")),
            sample=int(sample) if sample.isascii() and sample.isdigit() and len(sample) < 7 else None,
            family=next((word(raw[name]) for name in ("category", "family", "dataset") if raw.get(name)), ""),
            cluster=word(raw.get("cluster")),
        )
