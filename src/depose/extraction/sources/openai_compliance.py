"""OpenAI: conversations of the compliance export of a workspace, which hold words and no counts of tokens.

A conversation lists its messages, or they are rows beside it that name it. Each message of a user is a request, the
messages of the assistant up to the next are its answer; what was written before stands before it. Messages that have no
time of their own have that of the conversation. The account is `user_id`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from depose.extraction.events import Raw
from depose.extraction.masking import words_of
from depose.extraction.sources.fields import first, parsed, table, text

Numbered = tuple[int, dict[str, Any]]


def requests(rows: Iterable[tuple[int, dict[str, Any]]], tally: dict[str, int]) -> Iterator[Raw]:
    """Yield one request for each message of a user, once all rows are read: a message may precede its conversation."""
    known: dict[str, Numbered] = {}
    messages: dict[str, dict[str, Numbered]] = {}
    for number, row in rows:
        listed = row.get("messages")
        inside = listed.get("data") if isinstance(listed, dict) else listed
        name = text(row, "conversation_id") or text(row, "id")
        if isinstance(inside, list) or not {"author", "role"} & set(row):
            known[name] = (number, row)
            loose = [one for one in inside or () if isinstance(one, dict)]
        else:
            loose = [row]
        for one in loose:
            key = text(one, "id") or f"{number}/{len(messages.get(name, ()))}"
            if key in messages.setdefault(name, {}):
                tally["older versions of a row"] = tally.get("older versions of a row", 0) + 1
            messages[name][key] = (number, one)
    for name in known:
        if name not in messages:
            tally["conversations without messages"] = tally.get("conversations without messages", 0) + 1
    for name, each in messages.items():
        yield from _requests(name, known.get(name, (0, {}))[1], list(each.items()))


def _requests(name: str, row: dict[str, Any], messages: list[tuple[str, Numbered]]) -> Iterator[Raw]:
    when = [_time(one) for _, (_, one) in messages]
    if all(isinstance(one, int | float) for one in when):
        messages = [messages[place] for place in sorted(range(len(when)), key=when.__getitem__)]
    before: list[dict[str, Any]] = []
    request: Raw | None = None
    for key, (number, one) in messages:
        role = (text(table(one.get("author")), "role") or text(one, "role")).lower()
        said = {"role": role, "content": words_of(parsed(one.get("content")))}
        if role == "user":
            if request is not None:
                yield request
            actor = table(one.get("user")) | table(one.get("actor"))
            request = Raw(
                where=str(number),
                id=f"{name}/{key}",
                ts=_time(one) or first(row, "created_at", "create_time"),
                account=text(one, "user_id") or text(actor, "id", "user_id") or text(row, "user_id"),
                session=name,
                messages=[*before, said],
            )
        elif role == "assistant" and request is not None:
            request.response = "\n".join(filter(None, (request.response, said["content"])))
            request.model_served = text(one, "model", "model_slug") or request.model_served
        before.append(said)
    if request is not None:
        yield request


def _time(message: dict[str, Any]) -> Any:
    return first(message, "created_at", "create_time", "timestamp")
