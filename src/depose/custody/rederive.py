"""Reads every answer again from its raw bytes or its registered file, and every question from the request sent.

What an exchange may be without is decided by who was asked and what came of it: a provider whose wire format is known
here cannot answer without a request, a response and a record of the wire; a recorded answer stands in a file that is
in the bundle. What nobody here can read again is listed by the number of its record.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from msgspec import UnsetType

from depose.answers.settle import settle
from depose.asking import collect
from depose.case.tables import Wanted
from depose.custody.bundle import Asked, Read, content
from depose.custody.described import DIALECTS
from depose.custody.kinds import LOG
from depose.custody.wires import Bytes, odd_wire, other_reason, said_of_failure
from depose.endpoints.http_outcome import Told, has_body, judge
from depose.endpoints.network import MOST, Heard
from depose.endpoints.recorded import READ_WITH, Recorded
from depose.endpoints.wire_format import Dialect
from depose.endpoints.wire_values import counted, turns, whole
from depose.errors import CaseError, EvidenceError, few
from depose.evidence import ledger, timestamp
from depose.evidence.records import Key
from depose.lineup.ask import questions as asked_of_line_up
from depose.lineup.tables import read_bags
from depose.model import Ask, Exchange, Fact, ModelSpec, Registration, Wire
from depose.model.canonical import canonical

_SHOWN = 12
_HINT = "the log says otherwise than what was sent or received"


_FromFiles = dict[tuple[Fact, ...], list[tuple[Asked, ModelSpec, Ask]]]


@dataclass
class _Count:
    """What was read again, and the records that could not be."""

    same: int = 0
    looked_up: int = 0
    standing: int = 0
    odd: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def rederived(read: Read) -> tuple[list[str], list[str]]:
    """Compare questions and answers of the log with the bytes of their requests, responses and files."""
    count, questions, lined_up = _Count(), dict[int, dict[Key, Ask]](), dict[str, dict[Key, Ask]]()
    from_files: _FromFiles = defaultdict(list)
    for one in read.asked:
        asks = questions.setdefault(id(one.registration), _asks(one.registration))
        _read_again(read, one, asks, from_files, count)
    for one in read.of_line_up:
        if one.exchange.model not in lined_up:
            lined_up[one.exchange.model] = _asks_of_line_up(read, one)
        _read_again(read, one, lined_up[one.exchange.model], from_files, count)
    for facts, looked_up in from_files.items():
        _look_up(read, facts, looked_up, count)
    checks = [f"{count.same} exchanges: request and answer follow from the registered question and the raw bytes"]
    checks = checks * bool(count.same)
    checks += [f"{count.looked_up} exchanges: looked up again in the registered files"] * bool(count.looked_up)
    checks += [f"{count.standing} answers: their words stand in their raw bytes"] * bool(count.standing)
    return checks, [f"{_numbers(found)}: {why}" for why, found in sorted(count.odd.items())]


def again(read: Read, asked: Iterable[tuple[Asked, Ask | None]]) -> list[str]:
    """Compare exchanges with the questions that they answer, and with their bytes; say what cannot be read again."""
    count, from_files = _Count(), _FromFiles()
    for one, ask in asked:
        _read_again(read, one, {} if ask is None else {ledger.key(ask): ask}, from_files, count)
    return [f"{_numbers(found)}: {why}" for why, found in sorted(count.odd.items())]


def _read_again(read: Read, one: Asked, asks: dict[Key, Ask], from_files: _FromFiles, count: _Count) -> None:
    """Compare one exchange with what it rests on; what comes from a file waits until all of that file is known."""
    ask = asks.get(ledger.key(one.exchange))
    if ask is None:
        raise ledger.not_asked(LOG, ledger.key(one.exchange))
    spec = next(spec for spec in one.registration.case.models if spec.code == one.exchange.model)
    if spec.provider in (*DIALECTS, "transformers"):
        _need(bool(one.described), one, "an exchange with an endpoint that was never opened")
    if spec.provider == "recorded":
        from_files[one.described].append((one, spec, ask))
    elif dialect := DIALECTS.get(spec.provider):
        spec = msgspec.structs.replace(spec, model=collect.BOGUS) if one.control else spec
        _need(not (wrong := _differs(read, one.exchange, dialect, spec, ask)), one, wrong)
        count.same += 1
    elif spec.provider == "transformers":
        _need(not (wrong := _differs_locally(read, one.exchange, ask)), one, wrong)
        count.same += 1
    else:
        _of_plugin(read, one, spec, count)


def _asks_of_line_up(read: Read, one: Asked) -> dict[Key, Ask]:
    """List what the registered line-up asks of the model of an exchange, from the bags in the bundle."""
    acts, plan = read.entries.lineup, one.registration.case.lineup
    spec = next((spec for spec in one.registration.case.models if spec.code == one.exchange.model), None)
    if acts is None or isinstance(plan, UnsetType) or spec is None:
        return {}
    try:
        bags = read_bags(_blob(read, acts.built.bags), "bags")
    except CaseError as error:
        raise EvidenceError(f"{LOG}: {error.message}", hint=_HINT) from error
    return {ledger.key(ask): ask for ask in asked_of_line_up(one.registration.case, plan, spec, bags)}


def _asks(registration: Registration) -> dict[Key, Ask]:
    return {ledger.key(ask): ask for ask in ledger.asks(registration)}


def _need(holds: bool, one: Asked, what: str) -> None:
    if not holds:
        said = one.exchange
        raise EvidenceError(
            f"{LOG}: record {one.record}: {said.model}, {said.prompt}, sample {said.sample}, "
            f"replicate {said.replicate}: {what}",
            hint=_HINT,
        )


def _numbers(records: Sequence[int]) -> str:
    return f"record{'s' * (len(records) > 1)} {few(records, _SHOWN)}"


def _blob(read: Read, name: str) -> bytes:
    return content(read.bundle, f"evidence/blobs/{name}") if name else b""


# --- over a network ---------------------------------------------------------------------------------


def _differs(read: Read, one: Exchange, dialect: Dialect, spec: ModelSpec, ask: Ask) -> str:
    """Say in what an exchange differs from its bytes, or nothing; whatever is missing is a difference."""
    wire, body = one.wire, _blob(read, one.response)
    if wire is None:
        return f"an exchange with {spec.provider} without what went over the network"
    if _blob(read, one.request) != canonical(dialect.body(spec, ask)):
        return "a request that does not ask the registered question as registered"
    base = (spec.base_url or dialect.base_url).rstrip("/")
    if wire.url != base + dialect.path(spec, spec.stream) or wire.model_asked != spec.model:
        return "a request to another address or model than is registered"
    told = judge(dialect, _heard(wire, body), spec.stream, timestamp.moment(one.ended, LOG))
    held = Bytes(_blob(read, one.request), body, _blob(read, wire.chunks))
    if one.outcome == "failed":
        return (
            _hides_an_answer(wire, body, told)
            or said_of_failure(one, wire, told)
            or odd_wire(one, wire, dialect, spec, held)
            or other_reason(one, wire, told, body)
        )
    return _another_answer(one, wire, body, told, ask) or odd_wire(one, wire, dialect, spec, held)


def _another_answer(one: Exchange, wire: Wire, body: bytes, told: Told, ask: Ask) -> str:
    """Say in what an answer differs from the one in its raw bytes, or nothing."""
    if not has_body(wire.status) or not body:
        return f"an answer without {'the status of one' if body else 'raw bytes'}"
    if told.reading is None or told.settled is None:
        return f"an answer whose raw bytes cannot be read: {told.reason}"
    said, names = told.reading, (one.finish, wire.model_returned, wire.response_id, wire.fingerprint)
    if names != (said.finish, said.model, said.id, said.fingerprint):
        return "an answer that is not the one in its raw bytes"
    if one.status is None:  # written before answers were parted from reasoning
        words, counts = whole(said.text or said.refusal), counted(said, ask)
        same = one.text == words and one.outcome == ("answered" if words.strip() else "empty") and not one.reasoning
        told_of = ((said.input_tokens, said.output_tokens), (counts.input_tokens, counts.output_tokens))
        same = same and (wire.input_tokens, wire.output_tokens) in told_of
    else:
        counts, found = counted(said, ask), told.settled
        same = (one.outcome, one.status) == (told.outcome, found.status)
        same = same and (one.text, one.reasoning, one.reason) == (found.text, found.reasoning, whole(told.reason))
        same = same and (wire.input_tokens, wire.output_tokens) == (counts.input_tokens, counts.output_tokens)
    return "" if same else "an answer that is not the one in its raw bytes"


def _hides_an_answer(wire: Wire, body: bytes, told: Told) -> str:
    """Tell a failure whose raw bytes hold an answer, whatever status, header or broken connection its record claims."""
    if body and wire.status is None:
        return "raw bytes of a response that, by its record, never came"
    if wire.status == 200 and wire.last_byte_at and len(body) <= MOST and told.outcome != "failed":
        return f"recorded as failed, and its raw bytes say {told.outcome}"
    return "recorded as failed, and its raw bytes hold a whole answer" if told.outcome == "answered" else ""


def _heard(wire: Wire, body: bytes) -> Heard:
    """Put together what was heard, from what was recorded of it."""
    return Heard(
        status=wire.status,
        http_version=wire.http_version,
        headers=tuple(
            (k.encode("latin-1", "replace"), v.encode("latin-1", "replace")) for k, v in wire.response_headers
        ),
        body=body,
        chunks=(),
        sent_at=wire.sent_at,
        first_byte_at=wire.first_byte_at,
        last_byte_at=wire.last_byte_at,
        sent_us=wire.sent_us,
        first_byte_us=wire.first_byte_us,
        last_byte_us=wire.last_byte_us,
        peer=wire.peer,
        tls=wire.tls,
        certificate=b"",
        trouble="",
        reason="",
    )


# --- on the signer's machine ------------------------------------------------------------------------


def _differs_locally(read: Read, one: Exchange, ask: Ask) -> str:
    """Compare an exchange with local weights with the messages that were sent and the tokens that came."""
    sent, said = (_json(_blob(read, name)) for name in (one.request, one.response))
    messages = [{"role": "system", "content": ask.system}] if ask.system else []
    messages += turns(ask)
    if one.wire is not None or not isinstance(sent, dict) or sent.get("messages") != messages:
        return "a request that does not ask the registered question as registered"
    if one.outcome == "failed" and not one.response:
        return "recorded as failed, and with words" if one.text or one.reasoning or one.finish else ""
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        return "an answer without raw bytes that hold one"
    words, finish, tokens = said.get("marked", said["text"]), said.get("finish"), said.get("tokens")
    if not isinstance(words, str) or not isinstance(finish, str) or not isinstance(tokens, list):
        return "an answer without raw bytes that hold one"
    found = settle(words, live=True, finish=finish, output_tokens=len(tokens))
    if one.status is None:  # written before answers were parted from reasoning
        text = whole(said["text"])
        same = one.text == text and one.outcome == ("answered" if text.strip() else "empty") and not one.reasoning
    else:
        same = (one.outcome, one.status) == (found.outcome, found.status)
        same = same and (one.text, one.reasoning) == (whole(found.text), whole(found.reasoning))
    return "" if same and one.finish == whole(finish) else "an answer that is not the one in its raw bytes"


def _of_plugin(read: Read, one: Asked, spec: ModelSpec, count: _Count) -> None:
    """Look for the words of an answer in its raw bytes: no more is known of the format of a plugin."""
    said = one.exchange
    if said.outcome == "failed":
        if said.text or said.reasoning:
            count.odd[f"recorded as failed by the plugin {spec.provider}, and with words"].append(one.record)
        if said.response:
            count.odd[f"recorded as failed, with raw bytes that only the plugin {spec.provider} can read"].append(
                one.record
            )
        return
    if not said.response:
        count.odd[f"answers of the plugin {spec.provider} without raw bytes"].append(one.record)
    elif said.outcome == "answered" and _stands_in(said.text, _blob(read, said.response)):
        count.standing += 1
    else:
        count.odd[f"words that are not in the raw bytes of the plugin {spec.provider}"].append(one.record)


def _stands_in(text: str, raw: bytes) -> bool:
    """Tell whether words are a string of the raw bytes, or all of them together."""
    value = _json(raw)
    said = [whole(one) for one in _strings(raw.decode("utf-8", "replace") if value is None else value)]
    return text in said or text == "".join(said) or any(settle(one, live=True).text == text for one in said)


def _json(raw: bytes) -> object:
    try:
        found: object = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found


def _strings(value: object) -> Iterator[str]:
    """Yield every string in a JSON value, in order."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict | list):
            waiting += reversed(list(one.values()) if isinstance(one, dict) else one)


# --- in a file --------------------------------------------------------------------------------------


def _look_up(
    read: Read, facts: tuple[Fact, ...], exchanges: Sequence[tuple[Asked, ModelSpec, Ask]], count: _Count
) -> None:
    """Look recorded answers up again in the file that the endpoint named, which must be the registered one."""
    said = {fact.name: fact.value for fact in facts}
    name, digest = said.get("file", ""), said.get("file sha256", "")
    first, spec, _ = exchanges[0]
    registered = {fact.name: fact.value for fact in first.registration.files}
    if spec.file:
        wanted = registered.get(spec.file, registered.get(Path(spec.file).name))
        _need(digest == wanted, first, "answers of a file that is not the registered one")
    blob = f"evidence/blobs/{digest}"
    _need(bool(digest) and blob in read.bundle.sizes(), first, "a recorded answer whose file is not in the bundle")
    _need(bool(name) and name == Path(name).name and len(name) < 200, first, "a file whose name is no name of a file")
    for one, _, _ in exchanges:
        bare = one.exchange.wire is None and not one.exchange.request and not one.exchange.response
        _need(bare, one, "a recorded answer that claims to have been asked for")
    with tempfile.TemporaryDirectory(prefix="depose-verify-") as folder:
        copy = Path(folder) / name.replace("\0", "")
        with read.bundle.open(blob) as source, copy.open("wb") as goal:
            shutil.copyfileobj(source, goal)
        try:
            given = msgspec.json.decode(said.get(READ_WITH, "{}"), type=Wanted)
            table = Recorded(copy, said.get("model in file", ""), given)
            replies = table.ask([ask for _, _, ask in exchanges])
        except msgspec.MsgspecError as error:
            raise EvidenceError(f"{LOG}: how {name} was read is no such record: {error}", hint=_HINT) from error
        except CaseError as error:
            count.odd[f"{name} cannot be read again here: {error.message.replace(f'{folder}/', '')}"] += [
                one.record for one, _, _ in exchanges
            ]
            return
    for (one, _, _), reply in zip(exchanges, replies, strict=True):
        exchange = one.exchange
        now: tuple[object, ...] = (reply.outcome, whole(reply.text), whole(reply.finish), reply.source)
        then: tuple[object, ...] = (exchange.outcome, exchange.text, exchange.finish, exchange.source)
        if exchange.status is not None:
            now = (*now, reply.status, whole(reply.reasoning), whole(reply.reason))
            then = (*then, exchange.status, exchange.reasoning, exchange.reason)
        _need(now == then, one, f"another answer than {name} holds, which is in the bundle")
        count.looked_up += 1
