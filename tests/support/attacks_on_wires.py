"""Attacks by whoever signs on what is recorded of a transfer: when it was, from where, and what a failure said."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attacks_on_answers import FAILED
from attacks_with_key import reanalyzed, stamped_anew
from tampering import LOG, Attacks, Records, Target, rechain

ON_WIRES = Attacks()
Body = dict[str, Any]
LATE, EARLY = "2999-01-01T00:00:00.000000Z", "2001-01-01T00:00:00.000000Z"


def _attack(name: str, says: str, change: Callable[[Body], object], kind: str = "exchange") -> None:
    def changed(records: Records) -> None:
        change(next(one["body"] for one in records if one["kind"] == kind and one["body"]["wire"]))

    def act(work: Path, target: Target) -> None:
        rechain(work, changed, target.authority.reply)
        reanalyzed(work)
        stamped_anew(work, target)

    ON_WIRES.add(f"transfers: {name}", says)(act)


def _wire(**fields: Any) -> Callable[[Body], object]:
    return lambda body: body["wire"].update(fields)


def _missing(**fields: str) -> Callable[[Body], object]:
    return lambda body: body["wire"]["missing"].update(fields)


def _sent(body: Body) -> list[list[str]]:
    found: list[list[str]] = body["wire"]["request_headers"]
    return found


def _header(name: str, value: str) -> Callable[[Body], object]:
    return lambda body: next(one for one in _sent(body) if one[0] == name).__setitem__(1, value)


_attack("a question sent years before it was asked", f"a transfer at {EARLY}, after one at", _wire(sent_at=EARLY))
_attack("an answer that began in a thousand years", ", after one at 2999", _wire(first_byte_at=LATE))
_attack("an answer that ended in a thousand years", ", after one at 2999", _wire(last_byte_at=LATE))
_attack("a clock of its own that runs backwards", "whose own clock runs backwards", _wire(first_byte_us=0))
_attack("a moment before its endpoint was opened", "whose own clock runs backwards", _wire(sent_us=-1))
_attack(
    "an hour by the one clock and a moment by the other",
    "took another time by the one clock",
    lambda body: body["wire"].update(last_byte_us=body["wire"]["first_byte_us"] + 3_600_000_000),
)
_attack("a question that was fetched, not sent", "sent in another way than questions are", _wire(method="GET"))
_attack("an attempt before the first", "attempt 0, where attempt 1 is due", _wire(attempt=0))
_attack("a name of the request of another one", "its headers do not hold", _wire(request_id="req-other"))
_attack("a request to another host", "to another host than its address", _wire(request_headers=[["Host", "a.example"]]))
_attack("a header withheld for no key", "and the case names none", _wire(withheld=["X-Steer"]))
_attack("a certificate over plain http", "a certificate over plain http", _wire(tls="TLSv1.3 AES"))
_attack("no reason for what is missing", "no withheld, and no reason why", _wire(missing={}))
_attack("an answer after which another was asked for", "after which it is said", _wire(again="after 0 s or more"))
_attack("an answer from a file of the signer's", "names a file as its source", lambda body: body.update(source="a.csv"))
_attack(
    "a failure with words",
    "with words or names that its raw bytes do not hold",
    lambda b: b.update(text="I am"),
    "control",
)
_attack("a failure with the name of a model", "with words or names", _wire(model_returned="gpt-99"), "control")
_attack("a failure that cost tokens", "with tokens that nothing tells of", _wire(output_tokens=10**6), "control")
_attack("a status that there is not", "a status of 1000, which there is not", _wire(status=1000), "control")


def _in_log(name: str, says: str, change: Callable[[Records], object]) -> None:
    """Add an attack on the records around a transfer."""

    def changed(records: Records) -> None:
        change(records)

    def act(work: Path, target: Target) -> None:
        rechain(work, changed, target.authority.reply)
        log = (work / LOG).read_text()
        for blob in (work / "evidence/blobs").iterdir():
            if blob.name not in log:
                blob.unlink()
        reanalyzed(work)
        stamped_anew(work, target)

    ON_WIRES.add(f"transfers: {name}", says)(act)


def _of(records: Records, model: str, kind: str = "exchange", nth: int = 0) -> Body:
    return [one for one in records if one["kind"] == kind and one["body"]["model"] == model][nth]


def _without(*kinds: str) -> Callable[[Records], object]:
    return lambda records: records.__setitem__(slice(None), [one for one in records if one["kind"] not in kinds])


def _never_opened(records: Records) -> None:
    records.remove(_of(records, "S1", "endpoint"))


def _told_of(name: str, value: str) -> Callable[[Records], object]:
    """Have the endpoint say something else of itself, or more."""

    def change(records: Records) -> None:
        facts = _of(records, "S1", "endpoint")["body"]["facts"]
        facts[:] = [one for one in facts if one["name"] != name] + [{"name": name, "value": value}]

    return change


def _chunks(model: str, of: Callable[[Records], str]) -> Callable[[Records], object]:
    def change(records: Records) -> None:
        wire = _of(records, model)["body"]["wire"]
        wire["chunks"] = of(records)
        wire["missing"] = {name: why for name, why in wire["missing"].items() if name != "chunks"}
        wire["missing"] |= {} if wire["chunks"] else {"chunks": "nobody noted them"}

    return change


def _failed_before(records: Records) -> None:
    """Put a failed attempt before an answer that came at the first."""
    place = records.index(_of(records, "S1"))
    again = copy.deepcopy(records[place])
    again["body"] |= FAILED | {"reason": "the connection broke", "response": ""}
    wire = again["body"]["wire"]
    lost: tuple[str, ...] = ("status", "first_byte_us", "last_byte_us", "input_tokens", "output_tokens")
    lost += ("http_version", "response_headers", "request_id", "response_id", "model_returned", "fingerprint")
    lost += ("first_byte_at", "last_byte_at", "tls", "certificate", "chunks")
    wire |= {
        name: None if isinstance(wire[name], int) else type(wire[name])() for name in lost if wire[name] is not None
    }
    wire["again"] = "after 0 s or more: the connection broke"
    wire["missing"] = {name: "the connection broke" for name in wire if wire[name] in ("", None, [])}
    records.insert(place, again)


def _asked_twice(records: Records) -> None:
    """Ask for a model that cannot exist once more, and say so before."""
    place = records.index(_of(records, "S1", "control"))
    again = copy.deepcopy(records[place - 1 : place + 1])
    records[place + 1 : place + 1] = [one | {"at": records[place]["at"]} for one in again]


def _of_before(**change: Any) -> Callable[[Body], object]:
    """Say that an answer was written down by a version that checked less."""

    def changed(body: Body) -> None:
        body["status"] = None
        body["wire"] |= change.pop("wire", {})
        body.update(change)

    return changed


_attack("a seventh attempt without the six before", "attempt 7, where attempt 1 is due", _wire(attempt=7))
_attack("no status, and a reason", "why there is no status, which there is", _missing(status="the server went away"))
_attack("a reason for what no transfer has", "why there is no truth, which there is", _missing(truth="it was lost"))
_attack("a reason that nobody can see", "no withheld, and no reason why", _missing(withheld=" \u200b"))
_attack("a connection to another address", "an address of 127.0.0.1, and a connection to 8", _wire(peer="8.8.8.8:443"))
_attack("a peer at a port that there is not", "which is no address and port", _wire(peer="127.0.0.1:99999"))
_attack("a request of another length", "that depose does not send so", _header("Content-Length", "7"))
_attack(
    "a request that wants an answer of before", "that depose does not send so", _header("Cache-Control", "max-age=9")
)
_attack(
    "a request with a header more", "that depose does not send so", lambda body: _sent(body).append(["X-Steer", "1"])
)
_attack(
    "a response of another length than its bytes",
    "a header that says 1 bytes",
    lambda body: body["wire"]["response_headers"].append(["Content-Length", "1"]),
)
_attack("a version of before, and fewer tokens", "not the one in its raw bytes", _of_before(wire={"output_tokens": 1}))
_attack("a version of before, and thoughts", "not the one in its raw bytes", _of_before(reasoning="I am another"))
_in_log(
    "pieces of an answer that came in one", "was not streamed", _chunks("S1", lambda r: _of(r, "S1")["body"]["request"])
)
_in_log("a stream without its pieces", "without the moments of its pieces", _chunks("C1", lambda _: ""))
_in_log(
    "a stream with the question in the place of its pieces",
    "pieces of a streamed answer that are none",
    _chunks("C1", lambda r: _of(r, "C1")["body"]["request"]),
)
_in_log(
    "a stream whose pieces are its words", "that are none", _chunks("C1", lambda r: _of(r, "C1")["body"]["response"])
)
_in_log("a failed attempt that was made up", "attempt 1, where attempt 2 is due", _failed_before)
_in_log("questions that nobody said were sent", "that this question was about to be sent", _without("asking"))
_in_log("questions outside of any run", "asked outside of any run", _without("run"))
_in_log("an endpoint that was never opened", "an endpoint that was never opened", _never_opened)
_in_log("an endpoint elsewhere", "whose 'endpoint' is not", _told_of("endpoint", "https://a.example/v1"))
_in_log("an endpoint that asks for another model", "whose 'model asked for' is not", _told_of("model asked for", "x"))
_in_log("an endpoint that tells of weights", "whose 'weights x' is not", _told_of("weights x", "0" * 64))
_in_log("asked twice for a model that cannot exist", "the better one could be kept", _asked_twice)


def _said_later(model: str, name: str, value: str) -> Callable[[Records], object]:
    """Have the endpoint be opened once more after its last answer, and say something else."""

    def change(records: Records) -> None:
        last = max(n for n, one in enumerate(records) if one["kind"] == "exchange" and one["body"]["model"] == model)
        again = copy.deepcopy(_of(records, model, "endpoint")) | {"at": records[last]["at"]}
        facts = again["body"]["facts"]
        facts[:] = [one for one in facts if one["name"] != name] + [{"name": name, "value": value}]
        records.insert(last + 1, again)

    return change


def _asked_again(records: Records) -> None:
    """Leave out an answer, and say that its question was sent again before the answer that is kept."""
    place = records.index(_of(records, "S1"))
    one = records[place]
    key = [one["body"][name] for name in ("model", "prompt", "sample", "replicate")]
    records.insert(place, copy.deepcopy(records[place - 1]) | {"kind": "asking", "body": {"asks": [key]}})


def _asked_and_lost(records: Records) -> None:
    """Take out the reply of a model that cannot exist, and leave that it was asked for."""
    records.remove(_of(records, "S1", "control"))


_EXISTS_NOT = "asked for a model that cannot exist"
_in_log("an endpoint that tells of its teacher", "whose 'teacher' is not what", _told_of("teacher", "R1"))
_in_log("an endpoint that heeds its names, by its own word", f"whose '{_EXISTS_NOT}'", _told_of(_EXISTS_NOT, "refused"))
_in_log("an endpoint that says which model answered", "whose 'model returned'", _told_of("model returned", "gpt-99"))
_in_log("a key where none was sent", "whose 'key' is not what", _told_of("key", "environment variable R1_KEY"))
_in_log("a version as long as a letter", "whose 'TLS library' is not", _told_of("TLS library", "x " * 200))
_in_log(
    "an endpoint that moved after its answers", "whose 'endpoint' is not", _said_later("S1", "endpoint", "https://a")
)
_in_log("a name that came after the answers", "whose 'MODEL MISMATCH' is", _said_later("C1", "MODEL MISMATCH", "R1"))
_in_log("a file with a second digest", "whose 'licence' is not", _said_later("R1", "licence", "none"))
_in_log("a question asked twice in one run", "asked twice in one run", _asked_again)
_in_log("a model that cannot exist, and its reply left out", "asked twice in one run", _asked_and_lost)
_attack(
    "a failure for another reason",
    "failed for another reason than its raw bytes give",
    lambda body: body.update(reason="HTTP 403: this customer may not be examined"),
    "control",
)
_attack("a failure without a reason", "failed for another reason", lambda body: body.update(reason=""), "control")
_attack(
    "a wait of its own by the clock of the machine",
    "took another time by the one clock",
    lambda body: body["wire"].update(first_byte_us=3_600_000_000, last_byte_us=3_600_000_001),
)
for _name, _value in (("model in file", "C3"), ("file", "what S1 took.jsonl"), ("file sha256", "0" * 64)):
    _in_log(
        f"a file whose {_name!r} is another after its answers", f"whose '{_name}' is", _said_later("R1", _name, _value)
    )
_in_log("a letter in the place of columns", "whose 'read with' is", _said_later("R1", "read with", "as R1 confessed"))
for _name in ("TLS library", "httpcore2"):
    _in_log(f"a sentence in the place of {_name}", f"whose '{_name}' is", _told_of(_name, "3 copied from R1, it says"))
