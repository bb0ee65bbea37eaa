"""Reads every answer again from its raw bytes, and every question from the request that was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version

from depose.answers.settle import settle
from depose.custody.bundle import LOG, Read, content
from depose.custody.consistent import written_by
from depose.endpoints.anthropic import ANTHROPIC
from depose.endpoints.google import GOOGLE
from depose.endpoints.http_outcome import reread, settled_of
from depose.endpoints.openai import OPENAI
from depose.endpoints.wire_format import Dialect, Unreadable
from depose.endpoints.wire_values import whole
from depose.errors import EvidenceError
from depose.evidence import ledger
from depose.model import Ask, Exchange, ModelSpec, Wire
from depose.model.canonical import canonical

DIALECTS = {"openai": OPENAI, "anthropic": ANTHROPIC, "google": GOOGLE}


def rederived(read: Read) -> tuple[list[str], list[str]]:
    """Compare questions and answers of the log with the bytes of their requests and responses.

    Where depose knows the wire format, a difference is an error; of a plugin, it knows whether the words stand there.
    """
    registration = read.entries.registration
    models = {spec.code: spec for spec in registration.case.models}
    asks = {ledger.key(ask): ask for ask in ledger.asks(registration)}
    exact = written_by(read) == version("depose")
    same = found = 0
    odd: list[str] = []
    for one in read.entries.exchanges:
        ask = asks.get(ledger.key(one))
        if ask is None:
            raise ledger.not_asked(LOG, ledger.key(one))
        spec = models[one.model]
        dialect = DIALECTS.get(spec.provider)
        wrong = ""
        if dialect is not None and one.wire is not None:
            wrong = _differs(read, one, one.wire, dialect, spec, ask)
            same += not wrong
        elif one.outcome == "answered" and one.response:
            wrong = "" if _stands_in(one.text, _blob(read, one.response)) else "words that are not in its raw bytes"
            found += not wrong
        if not wrong:
            continue
        said = f"{one.model}, {one.prompt}, sample {one.sample}, replicate {one.replicate}: {wrong}"
        if exact and spec.provider in (*DIALECTS, "transformers"):
            raise EvidenceError(f"{LOG}: {said}", hint="the log says otherwise than what was sent or received")
        odd.append(said)
    checks = [f"{same} exchanges: request and answer follow from the registered question and the raw bytes"] * bool(
        same
    )
    checks += [f"{found} answers: their words stand in their raw bytes"] * bool(found)
    return checks, [f"{len(odd)} exchanges that stand otherwise in the raw bytes, such as {odd[0]}"] if odd else []


def _blob(read: Read, name: str) -> bytes:
    return content(read.bundle, f"evidence/blobs/{name}") if name else b""


def _differs(read: Read, one: Exchange, wire: Wire, dialect: Dialect, spec: ModelSpec, ask: Ask) -> str:
    """Say in what an exchange differs from its bytes, or nothing."""
    if _blob(read, one.request) != canonical(dialect.body(spec, ask)):
        return "a request that does not ask the registered question as registered"
    if one.outcome == "failed":
        return ""
    try:
        said = reread(dialect, wire.response_headers, _blob(read, one.response), spec.stream)
    except Unreadable as error:
        return f"an answer whose raw bytes cannot be read: {error}"
    told = (one.finish, wire.model_returned, wire.response_id, wire.fingerprint)
    read_ = (whole(said.finish), said.model, said.id, said.fingerprint)
    if one.status is None:  # written before answers were parted from reasoning
        same = one.text == whole(said.text or said.refusal)
    else:
        found = settled_of(said)
        same = (one.text, one.reasoning) == (whole(found.text), whole(found.reasoning)) and one.status == found.status
    return "" if told == read_ and same else "an answer that is not the one in its raw bytes"


def _stands_in(text: str, raw: bytes) -> bool:
    """Tell whether words are a string of the raw bytes, or all of them together."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        value = raw.decode("utf-8", "replace")
    said = [whole(one) for one in _strings(value)]
    return text in said or text == "".join(said) or any(settle(one, live=True).text == text for one in said)


def _strings(value: object) -> Iterator[str]:
    """Yield every string in a JSON value, in order."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict | list):
            waiting += reversed(list(one.values()) if isinstance(one, dict) else one)
