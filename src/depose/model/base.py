"""Words and sizes that all records share."""

from __future__ import annotations

from threading import Lock
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

Likeness = Literal["same", "derived", "distilled"]
"""Questions that answers to the prompts of a protocol decide."""
Question = Literal[Likeness, "exposed"]
Role = Literal["suspect", "reference", "candidate", "control", "positive", "foil"]
Status = Literal["whole", "cut_length", "cut_filter", "refused", "failed", "empty", "unknown"]
"""How an answer ended: `unknown` where its source does not say, or in a word that says nothing to us."""
Outcome = Literal["answered", "blocked", "empty", "failed"]
"""What became of a question: `blocked` by a filter or refused by the provider, which settles it without an answer."""
Verdict = Literal["indication", "relation, kind not resolved", "no indication", "inconclusive"]

Phase = Literal["registered", "pilot", "confirmatory"]

Code = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}\Z")]
Count = Annotated[int, Meta(ge=1, le=1_000_000)]
Text = Annotated[str, Meta(min_length=1, max_length=2_000)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A strict, immutable value."""


Kind = TypeVar("Kind")
_READY: set[object] = set()
_MAKING_READY = Lock()


def ready(kind: type[Kind]) -> type[Kind]:
    """Return a type that threads may decode into at once.

    msgspec finds the fields of a record out when it first decodes one, and where two threads do so at once it ends the
    process (0.22.0: a segmentation fault). Whatever may run in a thread decodes into `ready(kind)`.
    """
    if kind not in _READY:
        with _MAKING_READY:
            msgspec.json.Decoder(kind)
            _READY.add(kind)
    return kind
