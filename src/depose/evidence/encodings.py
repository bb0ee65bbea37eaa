"""The forms in which words travel, so that they are found wherever they stand: raw, JSON, HTML, URL, hex, base64."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

from depose.model import Record

SHORTEST = 8
"""Fewer bytes are no secret (`EMPTY`, `ollama`), and would be found in ordinary text."""


class Encoded(Record, frozen=True, kw_only=True):
    """Words in one form."""

    form: str
    data: bytes


def encodings(value: bytes) -> tuple[Encoded, ...]:
    """Write a value in every form, each once; of base64 what no neighbour changes."""
    found = [("as it is", value), ("hex", value.hex().encode()), ("hex", value.hex().upper().encode())]
    try:
        text = value.decode()
    except UnicodeDecodeError:
        pass  # no text, and so in no text form
    else:
        whole = json.dumps(text, ensure_ascii=False)[1:-1]
        found += [("JSON", one.encode()) for one in (json.dumps(text)[1:-1], whole, whole.replace("/", "\\/"))]
        found += [("HTML", html.escape(text, quote=quoted).encode()) for quoted in (True, False)]
        urls = (quote(text, safe=""), quote(text), quote_plus(text))
        found += [("URL-encoded", one.encode()) for url in urls for one in (url, _lower_case(url))]
    found += [("base64", part) for offset in range(3) for part in _base64(value, offset)]
    kept: dict[bytes, str] = {}
    for form, data in found:
        kept.setdefault(data, form)
    return tuple(Encoded(form=form, data=data) for data, form in kept.items())


def _lower_case(url: str) -> str:
    """Write the escapes of a URL in small letters, as some programs do."""
    head, *escaped = url.split("%")
    return head + "".join(f"%{part[:2].lower()}{part[2:]}" for part in escaped)


def _base64(value: bytes, offset: int) -> tuple[bytes, bytes]:
    """Encode a value that begins at an offset in a longer text, and keep what does not depend on its neighbours."""
    start = (0, 2, 3)[offset]
    length = (offset + len(value)) * 8 // 6
    padded = b"\0" * offset + value
    return base64.b64encode(padded)[start:length], base64.urlsafe_b64encode(padded)[start:length]
