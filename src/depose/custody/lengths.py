"""Finds the numbers that tell how long a withheld passage is, or that a guess at it can be tried against."""

from __future__ import annotations

import re
from collections.abc import Iterator

from depose.analysis import results
from depose.custody.kinds import BLOB

CHUNKS = re.compile(rb'"chunks":"([0-9a-f]{64})"')
_RECORD = (re.compile(rb'(?i)\["content-length","([0-9]+)"\]'), re.compile(rb'"(?:in|out)put_tokens":([0-9]+)'))
_FINDINGS = (re.compile(rb'"(?:start|end)":([0-9]+)'),)
_PAGES = (
    re.compile(rb"</b> [a-z]+, ([0-9][0-9,]*) characters?\b"),
    re.compile(rb"\[([0-9][0-9,]*) (?:before|more)\]"),
)
_RAW = (re.compile(rb'"[A-Za-z_]*[tT]oken[A-Za-z_]*"\s*:\s*([0-9]+)'), re.compile(rb'"seed"\s*:\s*([0-9]+)'))
"""Of a question the seed follows from the prompt's id, and the id may be a digest of the prompt."""


def told(name: str, data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where a file, or a record of the log, of which something is withheld, holds such numbers."""
    patterns: tuple[re.Pattern[bytes], ...]
    if name == f"out/{results.FINDINGS}":
        patterns = _FINDINGS
    elif name.endswith(".html"):
        patterns = _PAGES
    else:
        patterns = _RAW if BLOB.match(name) else _RECORD
    for pattern in patterns:
        for match in pattern.finditer(data):
            yield match.span(1)
