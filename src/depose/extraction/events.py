"""What an event is: one request to a model, its ids as keyed hashes, its text as keys unless it was asked for."""

from __future__ import annotations

from typing import Any

import msgspec

COLUMNS: dict[str, str] = {
    "event": "UBIGINT",
    "ts": "TIMESTAMP",
    "account": "UBIGINT",
    "org": "UBIGINT",
    "access_key": "UBIGINT",
    "end_user": "UBIGINT",
    "session": "UBIGINT",
    "endpoint": "VARCHAR",
    "model_requested": "VARCHAR",
    "model_served": "VARCHAR",
    "template": "UBIGINT",
    "prompt": "UBIGINT",
    "system": "UBIGINT",
    "tools": "UBIGINT",
    "temperature": "DOUBLE",
    "max_tokens": "BIGINT",
    "choices": "INTEGER",
    "logprobs": "BOOLEAN",
    "in_tok": "BIGINT",
    "out_tok": "BIGINT",
    "latency_ms": "BIGINT",
    "status": "VARCHAR",
    "cache_hit": "BOOLEAN",
    "ip": "UBIGINT",
    "ip24": "UBIGINT",
    "asn": "BIGINT",
    "country": "VARCHAR",
    "agent": "UBIGINT",
    "tls": "UBIGINT",
    "payment": "UBIGINT",
    "tier": "VARCHAR",
    "classes": "INTEGER",
    "turns": "INTEGER",
    "requests": "BIGINT",
}
"""Columns of an event and their types in DuckDB. Unsigned 64-bit numbers are keyed hashes."""
HASHED = tuple(name for name, kind in COLUMNS.items() if kind == "UBIGINT")
PLAIN = tuple(name for name, kind in COLUMNS.items() if kind == "VARCHAR")
"""Short words that stay as they are; an e-mail or an address in one is refused."""
TEXTS: dict[str, str] = {
    "event": "UBIGINT",
    "context": "VARCHAR",
    "response": "VARCHAR",
    "finish_reason": "VARCHAR",
    "snapshot": "VARCHAR",
}
"""What is kept of the words, in a folder of its own, and only where it was asked for."""


class Raw(msgspec.Struct, kw_only=True):
    """One request as its source says it: ids as they are, before anything is hashed or written."""

    where: str = ""
    """File and row, for messages."""
    id: str = ""
    ts: Any = None
    account: str = ""
    org: str = ""
    access_key: str = ""
    end_user: str = ""
    session: str = ""
    endpoint: str = ""
    model_requested: str = ""
    model_served: str = ""
    messages: Any = None
    """A list of messages, a text, or nothing."""
    prompt_key: str = ""
    """A key of the prompt that the producer made, where the words are withheld."""
    system: str = ""
    tools: Any = None
    temperature: Any = None
    top_p: Any = None
    seed: Any = None
    settings: Any = None
    """What else was set that moves an answer, such as a list of stops: a table, or nothing."""
    max_tokens: Any = None
    choices: Any = None
    logprobs: Any = None
    in_tok: Any = None
    out_tok: Any = None
    latency_ms: Any = None
    status: str = "ok"
    cache_hit: Any = None
    ip: str = ""
    asn: Any = None
    country: str = ""
    agent: str = ""
    tls: str = ""
    payment: str = ""
    tier: str = ""
    response: str = ""
    finish_reason: str = ""
    requests: int = 1
    """How many requests the row counts; 1 but for buckets of a usage export."""
