"""JSON values that follow one another, as a stream: records, arrays of records, envelopes around them.

Apart from `reading`: JSON lines are read by lines, so that one that is broken costs itself alone; this is for what has
no lines to go by, such as an array, pretty-printed records, or several such documents in one file.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any

from depose.errors import CaseError

LONGEST = 64 * 1024**2
"""Bytes of one record at most."""
LARGEST = 8 * LONGEST
"""Characters of one object that is no record of an array: it may hold all of a log."""
_BETWEEN = " \t\r\n\ufeff"
_NEAR = 16
"""Characters before the end of what was read in which an error may be but an end of what was read."""
ENVELOPES = ("records", "data", "value", "values", "traces", "observations", "events")
RECORDS = frozenset({"resourceSpans", "resource_spans", "resourceLogs", "resource_logs", "messages", "conversations",
                     "results"})  # fmt: skip
"""Names of a list that make a record of what holds it alone; any other is a table or a query that was exported."""
PAGING = frozenset({"object", "has_more", "next_page", "first_id", "last_id", "total", "count", "page", "page_size",
                    "total_pages", "meta", "next", "nextLink", "@odata.nextLink", "@odata.context", "limit",
                    "offset"})  # fmt: skip
"""What an answer of an API holds beside the records of one page."""


class CutError(Exception):
    """A document that ends, or is no JSON any more, before it is whole."""


class NotUtf8Error(Exception):
    """Bytes that are no UTF-8."""


def number_of(text: str) -> int | float:
    """Read a whole number; one of more digits than any column holds as a float, which may be infinite."""
    return int(text) if len(text) < 40 else float(text)


_DECODER = json.JSONDecoder(parse_int=number_of)


def lenient(line: bytes) -> Any:
    """Read a line as Python writes JSON, with NaN and infinity; raise ValueError or RecursionError for none."""
    try:
        return _DECODER.decode(line.decode())
    except UnicodeDecodeError as error:
        raise ValueError(error.reason) from error


def values_of(first: bytes, chunks: Iterable[bytes], name: str) -> Iterator[tuple[Any, bool]]:
    """Yield each element of each array, and each other value, and whether it stands in an array.

    Raises CutError where it ends within a value or goes on with something that is none, NotUtf8Error, and CaseError for
    a value that is too large.
    """
    rest = iter(chunks)
    decoder = codecs.getincrementaldecoder("utf-8")()
    text, at, inside = _decoded(decoder, first), 0, False
    while True:
        at = _skip(text, at, _BETWEEN + "," if inside else _BETWEEN)
        if at == len(text):
            text, at = _more(decoder, rest, 1), 0
            if not text:
                break
        elif text[at] == "]" and inside:
            inside, at = False, at + 1
        elif text[at] == "[" and not inside:
            inside, at = True, at + 1
        else:
            try:
                value, end = _DECODER.raw_decode(text, at)
            except RecursionError:
                raise CutError from None
            except json.JSONDecodeError as error:
                if error.pos < len(text) - _NEAR and not error.msg.startswith("Unterminated string"):
                    raise CutError from None
                value, end = None, -1
            except ValueError:
                raise CutError from None
            if end < 0 or (end > len(text) - _NEAR and not isinstance(value, dict | list | str)):
                have = len(text) - at
                if have > (LONGEST if inside else LARGEST):
                    raise CaseError(f"{name}: one record of more than {have} characters", hint="not a log")
                more = _more(decoder, rest, have if inside else 3 * have)  # a large one is not begun too often
                if not more and end < 0:
                    raise CutError
                if more:
                    text, at = text[at:] + more, 0
                    continue
            yield value, inside
            at = end
    if inside:
        raise CutError


def _decoded(decoder: codecs.IncrementalDecoder, data: bytes, *, final: bool = False) -> str:
    try:
        return decoder.decode(data, final)
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and final:
            raise CutError from error
        raise NotUtf8Error from error


def _more(decoder: codecs.IncrementalDecoder, rest: Iterator[bytes], least: int) -> str:
    parts: list[str] = []
    size = 0
    while size < least:
        chunk = next(rest, b"")
        if not chunk:
            parts.append(_decoded(decoder, b"", final=True))
            break
        parts.append(_decoded(decoder, chunk))
        size += len(parts[-1])
    return "".join(parts)


def _skip(text: str, at: int, what: str) -> int:
    while at < len(text) and text[at] in what:
        at += 1
    return at


def is_page(row: dict[str, Any]) -> bool:
    """Tell an answer of an API, a page of records on one line, from a record."""
    named = [name for name in ENVELOPES if isinstance(row.get(name), list)]
    return len(named) == 1 and row.keys() - {named[0]} <= PAGING


def records(whole: dict[str, Any]) -> Iterator[dict[str, Any] | None]:
    """Yield the records of an envelope, and what is none as it is; None for what is no record."""
    if isinstance(whole.get("tables"), list):
        yield from _tables(whole["tables"])
        return
    for name in ENVELOPES:
        if isinstance(whole.get(name), list) and "id" not in whole:
            for row in whole[name]:
                yield row if isinstance(row, dict) else None
            return
    if len(whole) == 1 and (name := next(iter(whole))) not in RECORDS:
        inside = whole[name]
        if isinstance(inside, list) and inside and all(isinstance(row, dict) for row in inside):
            yield from inside
            return
    yield whole


def _tables(found: list[Any]) -> Iterator[dict[str, Any] | None]:
    """Yield the rows of tables as Azure Monitor answers a query: names of columns once, then lists of values."""
    for one in found:
        columns = one.get("columns") if isinstance(one, dict) else None
        names = [str(column.get("name", "")) if isinstance(column, dict) else "" for column in columns or ()]
        for row in (one.get("rows") or ()) if names else ():
            yield dict(zip(names, row, strict=True)) if isinstance(row, list) and len(row) == len(names) else None
