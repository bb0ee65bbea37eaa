"""A request as its source says it (`events.Raw`) to a row of events: ids hashed, words as keys, numbers in range.

What is no name of anybody (`NULL`, `nan`) is nobody's. A list of prompts in one call is as many requests. What is only
to be turned into a vector keeps its place in the volume, and its text is no prompt. A request without an id is known by
what it says, so that it is the same in a log that is delivered again with more rows.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from unicodedata import normalize

import msgspec

from depose.errors import CaseError
from depose.extraction import values
from depose.extraction.countries import NOT_LISTED, Countries, spelled
from depose.extraction.events import PLAIN, Raw
from depose.extraction.masking import classes, conversation, template
from depose.extraction.pseudonyms import Pseudonyms, address, prefix, refuse_telling
from depose.extraction.reading import mangled
from depose.extraction.sources import generic

NOBODY = frozenset({"null", "none", "nil", "nan", "undefined", "\\n", "<null>", "n/a"})
"""What exports write where a column is empty."""
IDS = ("account", "org", "access_key", "end_user", "session", "ip", "agent", "tls", "payment")
SPELLED = "accounts whose name is another's but for case, dashes or braces: one, or two?"
_BARE = str.maketrans("", "", "-{} ")
NUMBERED = ("id", "account", "org", "access_key", "end_user", "session")
"""Ids that may be numbers, which are written as whole ones in one export and with .0 in another."""
EMBEDDING = re.compile(r"(?:^|[^a-z])(?:a?embeddings?|embed)(?:[^a-z]|\Z)", re.IGNORECASE)
WITHOUT_PROMPT = "calls for embeddings, whose text is no prompt"
BATCHED = "requests in calls with a list of prompts"
WITHOUT_ID = "requests without an id, told apart by time, account, words and counts"
NO_COUNT = "counts of tokens below 0 or in no number, which are left out"
UNREAD = "prompts in a form that is not read"
PROMPTS_WITHHELD = "prompts that the export withholds by a mark in their place"
ANSWERS_WITHHELD = "answers that the export withholds by a mark in their place"
_WITHHELD = re.compile(
    r"\s*(?:redacted(?:[-_ ]by[-_ ]\w+)?|\*{3,}"
    r"|[\[<({*]+\s*(?:redacted|masked|withheld|filtered|removed|hidden)\b[^\n]{0,40}[\])}>*]+)\s*\Z",
    re.IGNORECASE,
)
"""What gateways write where they keep no words, such as `redacted-by-litellm`: no prompt that all share, no answer."""
FLOATS = "ids that a table of decimal numbers wrote with .0, taken for the whole number"
STRANGE_STATUS = "requests with a status that is no known word for success or failure, taken for failures"
_DECIMAL = re.compile(r"(\d{1,15})\.0+\Z")
_OK = re.compile(
    r"(?:ok|okay|success\w*|succeeded|completed?|done|finished|true|0|2\d\d(?:\.0+)?(?:[ _-].*)?)\Z", re.IGNORECASE
)
_NOT_OK = re.compile(
    r"(?:.*(?:error|fail|time|limit|reject|refus|denied|block|filter|cancel|abort|exceeded|invalid|exception).*"
    r"|incomplete|false|[13-5]\d\d(?:\.0+)?(?:[ _-].*)?)\Z",
    re.IGNORECASE,
)
ALIKE = ("account", "access_key", "end_user", "session", "endpoint", "model_requested", "model_served", "messages",
         "prompt_key", "system", "in_tok", "out_tok", "response", "requests")  # fmt: skip
"""What two requests without an id have in common if they are one."""


def each(raw: Raw, tally: dict[str, int]) -> Iterator[Raw]:
    """Yield the requests of a call: itself, or one for each prompt where it lists several as plain texts."""
    for name in IDS:
        value = normalize("NFC", getattr(raw, name).strip())
        setattr(raw, name, "" if value.lower() in NOBODY else value)
    raw.id = normalize("NFC", raw.id.strip())
    for name in NUMBERED:
        if whole := _DECIMAL.match(getattr(raw, name)):
            tally[FLOATS] = tally.get(FLOATS, 0) + 1
            setattr(raw, name, whole[1])
    raw.status = _status(raw.status, tally)
    if any(EMBEDDING.search(one) for one in (raw.endpoint, raw.model_requested, raw.model_served)):
        tally[WITHOUT_PROMPT] = tally.get(WITHOUT_PROMPT, 0) + 1
        raw.messages = raw.prompt_key = ""
    if _WITHHELD.match(raw.response):
        tally[ANSWERS_WITHHELD] = tally.get(ANSWERS_WITHHELD, 0) + 1
        raw.response = ""
    listed = raw.messages if isinstance(raw.messages, list) else []
    if not listed or not all(isinstance(one, str) for one in listed):
        yield raw
        return
    if len(listed) > 1:
        tally[BATCHED] = tally.get(BATCHED, 0) + len(listed)
    for place, words in enumerate(listed):
        first = place == 0
        yield msgspec.structs.replace(
            raw,
            id=raw.id if first or not raw.id else f"{raw.id}/{place}",
            where=raw.where if first else f"{raw.where}/{place}",
            messages=words,
            response=raw.response if first else "",
            in_tok=raw.in_tok if first else None,
            out_tok=raw.out_tok if first else None,
        )


def _status(said: str, tally: dict[str, int]) -> str:
    """Return `ok` for any word of success, and any other as it is."""
    said = said.strip()
    if not said or said.lower() in NOBODY or _OK.match(said):
        return "ok"
    if not _NOT_OK.match(said):
        tally[STRANGE_STATUS] = tally.get(STRANGE_STATUS, 0) + 1
    return said


class Entries:
    """Rows of events under the names of one case."""

    def __init__(
        self,
        names: Pseudonyms,
        format_: str,
        mapping: generic.Mapping | None,
        tally: dict[str, int],
        countries: Countries | None = None,
    ) -> None:
        self._names, self._format, self._mapping, self._tally = names, format_, mapping, tally
        self._countries = countries
        self._alike: Counter[int] = Counter()
        self._spelled: dict[str, str] = {}
        self._met: set[str] = set()

    def row(self, raw: Raw, at: datetime, where: str) -> dict[str, Any]:
        """Turn a request of somebody, at a time, into a row; raise SecretFound where a value tells who it is."""
        for value in (raw.id, raw.account):
            if what := mangled(value):
                raise CaseError(
                    f"{where}: {what}", hint="ask for the export as it left the system, not by a spreadsheet"
                )
        raw.country = spelled(raw.country)
        if self._countries is not None and raw.ip and not raw.country:
            raw.country = self._countries.of(raw.ip)
            if not raw.country:
                self._count(NOT_LISTED)
        self._check_hashed(raw, where)
        self._check_spelling(raw.account)
        words, inline, turns = conversation(raw.messages)
        if _WITHHELD.match(words):
            self._count(PROMPTS_WITHHELD)
            raw.messages = words = ""
        if not words and raw.messages and not _spoken(raw.messages):
            self._count(UNREAD)
        system = raw.system or inline
        key = raw.prompt_key or template(words)
        of = self._names.of
        return {
            "event": self._names.once("event", raw.id or self._known_by(raw, at)),
            "ts": at,
            "account": of("account", raw.account),
            "org": of("org", raw.org),
            "access_key": of("access_key", raw.access_key),
            "end_user": of("end_user", raw.end_user),
            "session": self._names.once("session", raw.session) if raw.session else None,
            "template": of("template", key),
            "prompt": self._names.once("prompt", words) if words else None,
            "system": of("system", system),
            "tools": of("tools", values.plain(raw.tools)),
            "temperature": values.number(raw.temperature),
            "max_tokens": values.whole(raw.max_tokens),
            "choices": values.small(raw.choices),
            "logprobs": values.truth(raw.logprobs),
            "in_tok": self._tokens(raw.in_tok),
            "out_tok": self._tokens(raw.out_tok),
            "latency_ms": values.whole(raw.latency_ms),
            "cache_hit": values.truth(raw.cache_hit),
            "ip": of("ip", address(raw.ip) or raw.ip.strip()),
            "ip24": of("ip24", prefix(raw.ip)),
            "asn": values.whole(raw.asn),
            "agent": of("agent", raw.agent),
            "tls": of("tls", raw.tls),
            "payment": of("payment", raw.payment),
            "classes": classes(words) if words else None,
            "turns": turns or None,
            "requests": values.small(raw.requests) or 1,
            **{name: getattr(raw, name)[:120] or None for name in PLAIN},
        }

    def _known_by(self, raw: Raw, at: datetime) -> str:
        """Make an id of what a request says, and of how many of this log said the same before it."""
        self._count(WITHOUT_ID)
        said = json.dumps([at.isoformat(), *(getattr(raw, name) for name in ALIKE)], default=str, sort_keys=True)
        name = self._names.once("alike", said)
        self._alike[name] += 1
        return f"{name}/{self._alike[name]}"

    def _check_spelling(self, account: str) -> None:
        """Count an account whose name is that of another but for case, dashes and braces."""
        if account in self._met:
            return
        self._met.add(account)
        bare = account.casefold().translate(_BARE)
        if self._spelled.setdefault(bare, account) != account:
            self._count(SPELLED)

    def _tokens(self, value: Any) -> int | None:
        found = values.whole(value)
        if found is not None and found >= 0:
            return found
        if value is not None and value != "" and value == value:
            self._count(NO_COUNT)
        return None

    def _count(self, why: str) -> None:
        self._tally[why] = self._tally.get(why, 0) + 1

    def _check_hashed(self, raw: Raw, where: str) -> None:
        """Refuse what tells who somebody is where only a hash or a short word may stand."""
        for name in PLAIN:
            value = getattr(raw, name)
            if value:
                refuse_telling(value, name, where)
        if self._mapping is not None:
            meanings = {column: meaning for meaning, column in self._mapping.columns.items()}
            for column in self._mapping.hashed.columns:
                value = str(getattr(raw, meanings[column], "") or "")
                refuse_telling(value, f"the column {column!r}", where, hashed=True)
        elif self._format in ("litellm", "helicone") and raw.access_key:
            refuse_telling(raw.access_key, "the column of hashed keys", where)


def _spoken(messages: Any) -> bool:
    """Tell messages that hold no words, such as calls of tools, from what is no message."""
    listed = messages if isinstance(messages, list) else [messages]
    return any(isinstance(one, dict) and (one.get("role") or one.get("type")) for one in listed)
