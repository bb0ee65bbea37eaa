"""Attacks by whoever signs on what is recorded of a transfer: when it was, from where, and what a failure said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from attacks_with_key import reanalyzed, stamped_anew
from tampering import Attacks, Records, Target, rechain

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
_attack("an attempt before the first", "sent in another way than questions are", _wire(attempt=0))
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
_attack("a status that there is not", "a status of 999, which there is not", _wire(status=999), "control")
