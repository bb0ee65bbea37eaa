"""What a provider sends is data: whatever it is, it becomes something that a log can hold, or nothing."""

from __future__ import annotations

import msgspec

from depose.endpoints.wire_format import Reading
from depose.model import Ask, Record

LONGEST = 1_000
"""Characters of a name, as of a model or an answer, at most; the raw bytes hold all of it."""
BYTES_PER_TOKEN = 64
"""No tokenizer has words as long as this on average."""
DOUBT = "the provider said"
UNSEEN = 100_000
"""Tokens that may stand behind a question or an answer unseen: instructions of the provider's own, thinking."""


def whole(text: str) -> str:
    """Put U+FFFD for half of a surrogate pair, which no log can hold; the raw bytes are kept as they came."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def name(text: str) -> str:
    """Make a provider's name for something fit for a record."""
    return whole(text[:LONGEST])


def writable(reading: Reading) -> Reading:
    """Return what was read with nothing in it that a log cannot hold."""
    return msgspec.structs.replace(
        reading,
        text=whole(reading.text),
        finish=name(reading.finish),
        also=tuple(map(name, reading.also)),
        guard=name(reading.guard),
        refusal=whole(reading.refusal),
        reasoning=whole(reading.reasoning),
        error=_shallow(reading.error),
        model=name(reading.model),
        fingerprint=name(reading.fingerprint),
        id=name(reading.id),
    )


def _shallow(error: object) -> object:
    """Keep an error that can be shown; a nest of lists is put into words."""
    try:
        return error if str(error) else None
    except RecursionError:
        return "an error nested too deep to be read"


def turns(ask: Ask) -> list[dict[str, str]]:
    """Return what is said in a conversation, without its system prompt, as most formats write it.

    The beginning of an answer stands last, as what the model has said so far.
    """
    said = [(one.role, one.content) for one in ask.earlier] + [("user", ask.text)]
    said += [("assistant", ask.beginning)] if ask.beginning else []
    return [{"role": role, "content": content} for role, content in said]


class Counted(Record, frozen=True, kw_only=True):
    """Tokens in and out as the provider counts them, as far as they can be; of the others why not."""

    input_tokens: int | None
    output_tokens: int | None
    doubts: dict[str, str]


def counted(reading: Reading, ask: Ask) -> Counted:
    """Compare the provider's counts with the words that went and came: a count that gives budget back is none."""
    asked = ask.sent
    said = sum(len(part.encode()) for part in (reading.text, reading.refusal, reading.reasoning))
    kept: dict[str, int | None] = {}
    doubts: dict[str, str] = {}
    for field, count, size, most in (
        ("input_tokens", reading.input_tokens, asked, asked + UNSEEN),
        ("output_tokens", reading.output_tokens, said, said + ask.max_tokens + UNSEEN),
    ):
        fits = count is None or -(-size // BYTES_PER_TOKEN) <= count <= most
        kept[field] = count if fits else None
        if not fits:
            doubts[field] = f"{DOUBT} {count} of {size} bytes, which cannot be: its upper bound is counted"
    return Counted(**kept, doubts=doubts)
