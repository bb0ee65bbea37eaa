"""What a reader finds in a file of another tool: one answer, or the reason why there is none, and what was asked."""

from __future__ import annotations

from typing import Any

from depose.model import Record

Raw = dict[str, Any]


class Turn(Record, frozen=True, kw_only=True):
    """One message of what was asked."""

    role: str
    text: str


class Found(Record, frozen=True, kw_only=True):
    """One answer of a file, or why it holds none."""

    id: str = ""
    prompt: str = ""
    """Words of the last message of the user, where the file has them."""
    turns: tuple[Turn, ...] = ()
    """All messages that were sent before the answer; empty where the file does not say."""
    text: str | None = None
    model: str = ""
    sample: int | None = None
    """Number of the answer among those to one question; None where only the order of the file tells."""
    finish: str = ""
    """Why the answer ended, in the word of the file."""
    reasoning: str = ""
    """Reasoning that stands in a field of its own."""
    refusal: str = ""
    """Words of a refusal that stand in a field of their own."""
    guard: str = ""
    """What a guardrail says that it did."""
    also: tuple[str, ...] = ()
    """Further words for why the answer ended."""
    family: str = ""
    cluster: str = ""
    problem: str = ""
    """Why there is no answer: an error, or something that is no text."""
    missing: tuple[str, ...] = ()
    """What the format has a place for and this file leaves out, or has in another form."""


class Said(Record, frozen=True, kw_only=True):
    """One choice of an answer, as an interface wrote it."""

    text: str | None = None
    finish: str = ""
    also: tuple[str, ...] = ()
    guard: str = ""
    reasoning: str = ""
    refusal: str = ""
    problem: str = ""
    missing: tuple[str, ...] = ()


class Remade(str):
    """An entry that a spreadsheet took for a date, a truth value or a number of its own: no more what was entered."""

    __slots__ = ()


def found(said: Said, head: Raw, **more: Any) -> Found:
    """Put a choice and what is known of its question together."""
    missing = (*more.pop("missing", ()), *said.missing)
    fields = {name: getattr(said, name) for name in Said.__struct_fields__ if name != "missing"}
    return Found(**{**head, **fields, **more, "missing": missing})


def object_of(value: Any) -> Raw:
    """Take what should be an object for an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """Take what should be a list for an empty one where it is none."""
    return value if isinstance(value, list) else []


def word(value: Any) -> str:
    """Take a name or a number for a word; anything else is none."""
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value) if isinstance(value, str | int) else ""


def message_of(error: Any) -> str:
    """Say what an error says, wherever it says it."""
    told = error
    while isinstance(told, dict):
        told = next((told[key] for key in ("message", "error", "code", "type", "status") if told.get(key)), "")
    return str(told or "no reason given")[:200]
