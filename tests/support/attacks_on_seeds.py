"""Attacks on a seed that nobody may choose, by a signer who has the key and gets genuine tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attacks_with_key import reanalyzed, stamped_anew
from depose.evidence import timestamp
from depose.evidence.seed import derived, of_token
from depose.model.canonical import canonical, sha256
from tampering import Attacks, Records, Target, rechain

ON_SEEDS = Attacks()
WANTED = 7
"""The seed that the signer likes."""


def _of(records: Records, kind: str) -> dict[str, Any]:
    return next(one for one in records if one["kind"] == kind)


def _typed(records: Records) -> None:
    drawn = _of(records, "seed")["body"]
    drawn["seed"]["seed"] = drawn["registration"]["case"]["protocol"]["seed"] = WANTED


def _value_made_up(records: Records) -> None:
    """Try values until one gives a seed that suits."""
    drawn = _of(records, "seed")["body"]
    tries = (sha256(str(n).encode()) for n in range(10_000))
    value = next(one for one in tries if derived(drawn["seed"]["of"], one) % 100 == WANTED)
    seed = derived(drawn["seed"]["of"], value)
    drawn["seed"] |= {"value": value, "seed": seed}
    drawn["registration"]["case"]["protocol"]["seed"] = seed


def _confirmatory_typed(records: Records) -> None:
    drawn = _of(records, "seed")
    records[0]["body"] = drawn["body"]["registration"]
    records[0]["body"]["case"]["protocol"].pop("seed_from")
    records.remove(drawn)


def _late(records: Records) -> None:
    drawn = _of(records, "seed")
    records.remove(drawn)
    place = next(n for n, one in enumerate(records) if one["kind"] == "exchange")
    records.insert(place + 1, {**drawn, "at": records[place]["at"]})


def _second(records: Records) -> None:
    """Amend and draw again, so that the other half of the questions is asked by a seed that suits."""
    place = records.index(_of(records, "seed"))
    again = json.loads(json.dumps(records[place]))
    value = sha256(b"another")
    seed = derived(again["body"]["seed"]["of"], value)
    again["body"]["seed"] |= {"value": value, "seed": seed}
    again["body"]["registration"]["case"]["protocol"]["seed"] = seed
    said = {"reason": "more", "changes": [], "scored": False, "registration": records[0]["body"]}
    at = records[place]["at"]
    records[place + 1 : place + 1] = [
        {"kind": "amendment", "at": at, "body": said, "was": "amended"},
        {**again, "was": "drawn again"},
    ]


def _before_the_stamp(records: Records) -> None:
    drawn, stamp = _of(records, "seed"), _of(records, "timestamp")
    first, second = records.index(stamp), records.index(drawn)
    records[first], records[second] = {**drawn, "at": stamp["at"]}, {**stamp, "at": drawn["at"]}


def _amended(records: Records) -> None:
    """Leave the first token undrawn from, change a word, and draw from the token of the amendment."""
    place = records.index(_of(records, "timestamp"))
    body = json.loads(json.dumps(records[0]["body"]))
    body["case"]["case"]["title"] = "a word more"
    said = {"reason": "a word", "changes": [], "scored": False, "registration": body}
    note = {**records[place]["body"], "of": "amended"}
    at = records[place]["at"]
    records[place + 1 : place + 1] = [
        {"kind": "amendment", "at": at, "body": said, "was": "amended"},
        {"kind": "timestamp", "at": at, "body": note, "was": "stamped"},
    ]
    _of(records, "seed")["body"]["seed"]["of"] = "amended"


def _settings(records: Records) -> None:
    _of(records, "seed")["body"]["registration"]["case"]["protocol"]["alpha"] = 0.2


def _add(name: str, says: str, change: Callable[[Records], None]) -> None:
    def act(work: Path, target: Target) -> None:
        rechain(work, change, target.authority.reply)
        reanalyzed(work)
        stamped_anew(work, target)

    ON_SEEDS.add(f"seed: {name}", says)(act)


_add("typed, and claimed to be drawn", "protocol and its token by the rule: it was typed", _typed)
_add("a value made up until its seed suits", "is not what this token draws", _value_made_up)
_add("amended until a token suits", "otherwise than the protocol says that was time-stamped first", _amended)
_add("typed in a confirmatory protocol", "after the first question at", _confirmatory_typed)
_add("drawn after the first answer", "asks before the seed of the protocol was drawn", _late)
_add("drawn again for an amendment", "draws a second seed", _second)
_add("drawn before the protocol had its token", "before the protocol was time-stamped", _before_the_stamp)
_add("alpha changed with the draw", "the controls and settings are not those that the seed draws", _settings)


@ON_SEEDS.add("seed: another genuine token put in the place of the one that drew", "is not what this token draws")
def _(work: Path, target: Target) -> None:
    def swapped(records: Records) -> None:
        note = _of(records, "timestamp")["body"]
        line = canonical({name: value for name, value in records[0].items() if name != "was"})
        token = target.spare
        file = work / f"evidence/seals/{note['of']}.tsr"
        assert of_token(token, "token") != of_token(file.read_bytes(), "token")
        file.write_bytes(token)
        said = timestamp.verify(token, line, target.authority.roots.read_bytes(), "token")
        note |= {"token": sha256(token), "time": said.time}

    rechain(work, swapped, target.authority.reply)
    reanalyzed(work)
    stamped_anew(work, target)
