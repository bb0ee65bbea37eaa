"""Papers that parties hand in."""

from __future__ import annotations

from depose.model.base import Record


class Document(Record, frozen=True, kw_only=True):
    """A paper that a party handed in, on which an opinion may rest."""

    exhibit: str
    """D1, D2 and so on."""
    model: str
    says: str
    file: str
    sha256: str
    source: str
