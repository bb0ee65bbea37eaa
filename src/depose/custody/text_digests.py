"""Names the digests of texts of which a part is withheld: who knows the rest of a prompt tries all PINs against its id.

The digests of whole files and records are found by their names; those of a prompt, an answer or a list of them stand
anywhere, whole or cut short, as the id of a prompt or the seed of a question.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import msgspec

from depose.model.canonical import digest, sha256
from depose.model.lineup import Context, Turn


class _Delivered(msgspec.Struct):
    """Of a delivery what its context is made of."""

    messages: tuple[Turn, ...]
    tools: tuple[dict[str, Any], ...] = ()

    def context(self) -> Context:
        return Context(messages=self.messages, tools=self.tools)


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]')


def of_texts(data: bytes, spans: Iterable[tuple[int, int]]) -> Iterator[str]:
    """Yield the digest of each text, list and object in JSON of which a part stands in `spans`; of other data none."""
    places = sorted(spans)
    starts = [start for start, _ in places]
    reach = [0]
    for _, stop in places:
        reach.append(max(reach[-1], stop))
    open_: list[int] = []
    for token in _TOKEN.finditer(data):
        if token[0] in (b"[", b"{"):
            open_.append(token.start())
            continue
        is_text = token[0][:1] == b'"'
        start = token.start() if is_text else open_.pop() if open_ else token.start()
        if reach[bisect_left(starts, token.end())] <= start:
            continue
        if not is_text:
            yield sha256(data[start : token.end()])
            yield from _of_context(data[start : token.end()])
        elif (text := _text(token[0])) is not None:
            yield sha256(text.encode("utf-8", "surrogatepass"))


def _of_context(data: bytes) -> Iterator[str]:
    """Yield what line-ups name the context of an answer by, which stands beside the answer."""
    if data[:1] == b"{" and b'"messages":' in data:
        with suppress(msgspec.DecodeError, msgspec.ValidationError):
            yield digest(msgspec.json.decode(data, type=_Delivered).context())


def _text(token: bytes) -> str | None:
    try:
        return str(json.loads(token))
    except ValueError:
        return None
