"""Finds the numbers that tell how long a withheld passage is, or that a guess at it can be tried against."""

from __future__ import annotations

import re
from collections.abc import Iterator

from depose.analysis import results
from depose.custody.kinds import BLOB, LOG

CHUNKS = re.compile(rb'"chunks":"([0-9a-f]{64})"')
_KINDS = (b'"kind":"exchange"', b'"kind":"control"', b'"kind":"lineup_answer"')
_RECORD = (re.compile(rb'"(?:in|out)put_tokens":([0-9]+)'),)
_HEADER = re.compile(rb'\["((?:[^"\\]|\\.)*)","((?:[^"\\]|\\.)+)"\]')
_HARMLESS = frozenset(
    b"host user-agent accept accept-encoding accept-language content-type content-encoding transfer-encoding"
    b" content-language connection keep-alive date server via vary cache-control pragma alt-svc x-request-id request-id"
    b" openai-version anthropic-version strict-transport-security x-content-type-options".split()
)
"""Headers that say nothing of a body. Any other may tell its length, its tokens (`x-ratelimit-...`) or its digest."""
_FINDINGS = (re.compile(rb'"(?:start|end)":([0-9]+)'),)
_PAGES = (
    re.compile(rb"</b> [a-z]+, ([0-9][0-9,]*) characters?\b"),
    re.compile(rb"\[([0-9][0-9,]*) (?:before|more)\]"),
)
_RAW = (
    re.compile(rb'"[A-Za-z_-]*(?i:token|count|length|len|size|char|duration|byte)[A-Za-z_-]*"\s*:\s*([0-9]+)'),
    re.compile(rb"\[\s*(-?[0-9][0-9.eE+-]*(?:\s*,\s*-?[0-9][0-9.eE+-]*)*)\s*\]"),
    re.compile(rb'"seed"\s*:\s*([0-9]+)'),
)
"""A row of numbers may be the words by their letters, by the numbers of their tokens, or by where they stand.

Of a question the seed follows from the prompt's id, and the id may be a digest of the prompt.
"""


def of_answer(line: bytes) -> bool:
    """Tell whether a record of the log is of an answer, with what went over the network."""
    return any(kind in line for kind in _KINDS)


def told(name: str, data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where a file, or a record of the log, of which something is withheld, holds such numbers or headers."""
    patterns: tuple[re.Pattern[bytes], ...]
    if name == f"out/{results.FINDINGS}":
        patterns = _FINDINGS
    elif name.endswith(".html"):
        patterns = _PAGES
    else:
        patterns = _RAW if BLOB.match(name) else _RECORD
    if name == LOG:
        for header in _HEADER.finditer(data):
            if header[1].lower() not in _HARMLESS:
                yield header.span(2)
    for pattern in patterns:
        for match in pattern.finditer(data):
            yield match.span(1)
