"""Deliveries and decoys as Parquet or JSONL: rows that say what was delivered, what was not, and to which context.

Nothing of a row is repaired: a field that is unknown, missing or of the wrong type is an error that names file and row.
Texts of both go through one form (`answers.line_ends`), so that how they were stored tells nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from depose.case.untrusted_files import in_child, opened
from depose.errors import CaseError
from depose.model.canonical import UNREADABLE, digest, sha256
from depose.model.lineup import Context, Decoy, Delivery

Row = TypeVar("Row", Delivery, Decoy)
LONGEST_ROW = 16 * 1024**2
"""Bytes of a row of JSONL at most."""
_LAST = datetime.max.replace(tzinfo=UTC)
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


def deliveries(path: Path) -> tuple[tuple[Delivery, ...], str]:
    """Read deliveries; return them with the SHA-256 of the file."""
    rows, named = _read(path, Delivery, "deliveries")
    seen: set[str] = set()
    for number, one in enumerate(rows, 1):
        where = f"{path}: row {number}"
        _times(where, delivered_at=one.delivered_at)
        if one.delivery_id in seen:
            raise CaseError(f"{where}: delivery_id {one.delivery_id!r} stands twice", hint="one row for each delivery")
        seen.add(one.delivery_id)
        if not one.messages:
            raise CaseError(f"{where}: has no messages", hint="messages = what the reference was given, in order")
        if one.context_sha256 and one.context_sha256 != context_of(one):
            raise CaseError(
                f"{where}: context_sha256 is not the digest of its messages and tools",
                hint="the digest is SHA-256 over the RFC 8785 form of {messages, tools}; or leave it out",
            )
        if one.account_group != "withheld" and not one.account_code:
            raise CaseError(f"{where}: has no account_code", hint="a code for the account, never a name")
    return rows, named


def decoys(path: Path) -> tuple[tuple[Decoy, ...], str]:
    """Read decoys; return them with the SHA-256 of the file."""
    rows, named = _read(path, Decoy, "decoys")
    seen: set[str] = set()
    for number, one in enumerate(rows, 1):
        where = f"{path}: row {number}"
        _times(where, drawn_at=one.drawn_at)
        if not one.context_sha256 and not one.messages:
            raise CaseError(
                f"{where}: says of no context that it answers it",
                hint="give it the messages of its delivery, or context_sha256, as depose lineup draw does",
            )
        if one.context_sha256 and not _DIGEST.match(one.context_sha256):
            raise CaseError(f"{where}: context_sha256 is not a SHA-256 in hex", hint="depose lineup draw writes it")
        if one.messages and one.context_sha256 and one.context_sha256 != context_of(one):
            raise CaseError(
                f"{where}: context_sha256 is not the digest of its messages and tools",
                hint="the digest is SHA-256 over the RFC 8785 form of {messages, tools}; or leave it out",
            )
        if one.decoy_id in seen:
            raise CaseError(f"{where}: decoy_id {one.decoy_id!r} stands twice", hint="one row for each draw")
        seen.add(one.decoy_id)
    return tuple(
        msgspec.structs.replace(one, context_sha256=context_of(one), messages=(), tools=()) if one.messages else one
        for one in rows
    ), named


def context_of(one: Delivery | Decoy) -> str:
    """Digest of the context of an answer whose messages are given."""
    return digest(Context(messages=one.messages, tools=one.tools))


def is_as_logged(one: Delivery) -> bool:
    """Tell whether the text of a delivery has the digest that the log gives it, where it gives one."""
    return not one.text_sha256 or one.text_sha256 == sha256(one.text.encode())


def moment(text: str) -> datetime | None:
    """Read a time or a day as UTC; None for nothing. Raises ValueError for what is no time."""
    if not text:
        return None
    found = datetime.fromisoformat(text)
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text[:40]!r} is before the year 1 or after 9999 in UTC") from error


def in_time(row: Delivery) -> tuple[datetime, str]:
    """Order deliveries by when they were made, those without a time last, and by name."""
    return moment(row.delivered_at) or _LAST, row.delivery_id


def _times(where: str, **given: str) -> None:
    for name, text in given.items():
        try:
            moment(text)
        except ValueError as error:
            raise CaseError(
                f"{where}: {name} is no time: {text[:40]!r}", hint="such as 2026-05-01T12:00:00Z"
            ) from error


def _read(path: Path, kind: type[Row], what: str) -> tuple[tuple[Row, ...], str]:
    try:
        with opened(path) as file:
            named = hashlib.file_digest(file, "sha256").hexdigest()
        rows = tuple(_parquet(path, kind) if path.suffix.lower() == ".parquet" else _jsonl(path, kind))
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}", hint=f"name a file of {what}") from error
    except ValueError as error:
        raise CaseError(f"{path}: {error}", hint=_hint(str(error), what)) from error
    if not rows:
        raise CaseError(f"{path}: holds no row", hint=f"{what} are Parquet or JSONL, a row for each")
    return rows, named


def _hint(problem: str, what: str) -> str:
    """Say what to do about a row that is none."""
    if ".content`" in problem:
        return (
            "content is text: join the parts of a message, and write calls of tools as the JSON that was sent, "
            "the same way in both files"
        )
    if ".role`" in problem:
        return "a role is system, user, assistant or tool; write developer as system, in both files"
    if "decoy_id" in problem or "delivery_id" in problem:
        return f"these look like rows of the other file: {what} are asked for here"
    return f"{what} are Parquet or JSONL, a row for each; its fields: docs/reference/files/line-up.md"


def _jsonl(path: Path, kind: type[Row]) -> Iterator[Row]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    with opened(path) as file:
        number = 0
        while line := file.readline(LONGEST_ROW):
            number += 1
            if len(line) == LONGEST_ROW:
                raise ValueError(f"row {number} has more than {LONGEST_ROW // 1024**2} MiB")
            if not line.strip():
                continue
            try:
                raw = decoder.decode(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
            except UNREADABLE as error:
                raise ValueError(f"row {number} is no JSON object: {error}") from error
            yield _row(raw, kind, number)


def _parquet(path: Path, kind: type[Row]) -> Iterator[Row]:
    raws = in_child("depose.lineup.inputs:unpacked", str(path), answer=list[dict[str, Any]], size=path.stat().st_size)
    for number, raw in enumerate(raws, 1):
        yield _row(raw, kind, number)


def unpacked(name: str) -> list[dict[str, Any]]:
    """Unpack rows of Parquet in this process, whatever that takes; for a child of limited memory alone."""
    import pyarrow
    import pyarrow.parquet

    try:
        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(name).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise ValueError(str(error).partition("\n")[0]) from error
    for row in rows:
        for column, value in row.items():
            if isinstance(value, datetime):
                row[column] = value.isoformat()
    return rows


def _row(raw: dict[str, Any], kind: type[Row], number: int) -> Row:
    """Make a record of a row; messages and tools may be JSON in a string, as a table holds them; null is nothing."""
    raw = {name: value for name, value in raw.items() if value is not None}
    for name in ("messages", "tools"):
        if isinstance(raw.get(name), str):
            try:
                raw[name] = msgspec.json.decode(raw[name].encode())
            except (msgspec.DecodeError, RecursionError) as error:
                raise ValueError(f"row {number}: {name} is no JSON: {error}") from error
    try:
        return msgspec.convert(raw, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ValueError(f"row {number}: {error}") from error
