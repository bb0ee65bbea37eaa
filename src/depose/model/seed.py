"""Where the seed of a case comes from that nobody may choose."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from depose.model.base import Record


class SeedDrawn(Record, frozen=True, kw_only=True):
    """A seed that did not exist when the protocol was registered, and what it follows from."""

    by: Literal["token", "beacon"]
    """The time-stamp token of the protocol, or a round of a public beacon."""
    of: str
    """Digest of the record of the protocol that was time-stamped before."""
    value: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    """SHA-256 of the signature in the token, or the value of the round."""
    source: str
    """Who signed the token, or which beacon and round."""
    at: str
    """Time of the token, or moment of the round."""
    seed: Annotated[int, Meta(ge=0, lt=2**52)]
    """The first 13 hexadecimal digits of SHA-256 over `depose seed 1`, `of` and `value`, a line each."""
