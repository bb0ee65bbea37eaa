"""Attacks on the records of a sealed bundle by whoever has its signing key, and may ask the authority for new tokens.

Those on its other files are in `attacks_on_signed_files.py`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

from attacks import forge_answer
from authority import Authority
from depose.custody import instructions
from depose.evidence import timestamp
from depose.evidence.records import Stamp
from depose.model.canonical import canonical, sha256
from tampering import (
    Attacks,
    Records,
    Reply,
    Target,
    answer_of,
    edit,
    lines,
    rechain,
    relist,
    restamp,
    restate,
)

DATE = "%Y-%m-%dT%H:%M:%S.%fZ"
BY_SIGNER = Attacks()


def reanalyzed(work: Path) -> None:
    """Make the findings name the forged log."""
    file = work / "out/findings.json"
    value = json.loads(file.read_bytes())
    asked = [line for line in lines(work) if json.loads(line)["kind"] not in ("scores", "unblinding")]
    value |= {"log_head": sha256(asked[-1][:-1]), "protocol_digest": sha256(lines(work)[0][:-1])}
    file.write_bytes(canonical(value))


def _sealed_anew(work: Path, target: Target) -> None:
    """Sign everything as it now is; the last token is left as it was."""
    restate(work, target.key)
    relist(work, target.key)


def stamped_anew(work: Path, target: Target) -> None:
    """Seal again, with a fresh and genuine token: what only a look at the contents can refuse."""
    restate(work, target.key)
    notes = [json.loads(line)["body"] for line in lines(work) if json.loads(line)["kind"] == "timestamp"]
    stamps = [Stamp(**note) for note in notes]
    (work / "VERIFY.md").write_bytes(instructions.text(target.key.public_key(), stamps, version("depose")))
    stamped(work, target)


def stamped(work: Path, target: Target) -> None:
    """List, stamp and sign everything as it now is; what stands in it is left alone."""
    relist(work)
    restamp(work, target.authority.reply)
    relist(work, target.key)


def _drop_last_token(work: Path) -> None:
    for suffix in ("tsr", "tsq", "pem"):
        (work / f"SHA256SUMS.{suffix}").unlink()
        (work / f"COMMITMENT.{suffix}").unlink(missing_ok=True)


# --- without a new token ----------------------------------------------------------------------------


@BY_SIGNER.add("with the key: an opinion edited and all sealed anew", "SHA256SUMS.tsr: the token is over other data")
def _(work: Path, target: Target) -> None:
    edit(work / "out/findings.json", b"inconclusive", b"indication")
    _sealed_anew(work, target)


@BY_SIGNER.add("with the key: an answer edited and all sealed anew", "the log says that there is this token")
def _(work: Path, target: Target) -> None:
    rechain(work, forge_answer)
    reanalyzed(work)
    _sealed_anew(work, target)


@BY_SIGNER.add(
    "with the key: the last record edited and all sealed anew", "SHA256SUMS.tsr: the token is over other data"
)
def _(work: Path, target: Target) -> None:
    rechain(work, _date_of_the_end)
    reanalyzed(work)
    _sealed_anew(work, target)


def _date_of_the_end(records: Records) -> None:
    records[-1]["at"] = (datetime.fromisoformat(records[-1]["at"]) + timedelta(seconds=1)).strftime(DATE)


@BY_SIGNER.add("with the key: the same without the token", "SHA256SUMS.tsr: is missing: nothing shows")
def _(work: Path, target: Target) -> None:
    _drop_last_token(work)
    rechain(work, _date_of_the_end)
    reanalyzed(work)
    _sealed_anew(work, target)


@BY_SIGNER.add("with the key: a token of an authority of one's own", "not signed by an authority of the roots")
def _(work: Path, target: Target) -> None:
    own = Authority(Path(tempfile.mkdtemp()) / "own", "Own")
    query = timestamp.request((work / "SHA256SUMS").read_bytes())
    (work / "SHA256SUMS.tsr").write_bytes(own.reply(query))
    (work / "SHA256SUMS.pem").write_bytes(own.roots.read_bytes())
    relist(work, target.key)


# --- with new tokens --------------------------------------------------------------------------------


def _forged(
    name: str, says: str, change: Callable[[Records], None], *, recompute: bool = False, restamped: bool = True
) -> None:
    """Add an attack of somebody who has the key and gets a fresh token for each record that needs one."""

    def act(work: Path, target: Target) -> None:
        reply: Reply | None = target.authority.reply if restamped else None
        rechain(work, change, reply)
        reanalyzed(work)
        stamped_anew(work, target)

    BY_SIGNER.add(f"with the key and new tokens: {name}", says, recompute=recompute)(act)


def first_of(records: Records, kind: str) -> dict[str, Any]:
    """Return the first record of a kind."""
    return next(one for one in records if one["kind"] == kind)


def moved(date: str, by: timedelta) -> str:
    """Move a date."""
    return (datetime.fromisoformat(date) + by).strftime(DATE)


def _back(records: Records) -> None:
    for one in (one for one in records if one["kind"] == "exchange"):
        for field in ("started", "ended"):
            one["body"][field] = moved(one["body"][field], timedelta(days=-36_500))


def _undated(records: Records) -> None:
    records[6]["at"] = "2020-01-01T00:00:00.000000Z"


def _too_early(records: Records) -> None:
    body = answer_of(records)
    body["started"] = moved(body["started"], timedelta(seconds=-100))


def _all_backdated(records: Records) -> None:
    for one in records:
        one["at"] = moved(one["at"], timedelta(days=-1))
        for field in {"started", "ended"} & one["body"].keys():
            one["body"][field] = moved(one["body"][field], timedelta(days=-1))


def _protocol(records: Records) -> None:
    records[0]["body"]["case"]["protocol"]["alpha"] = 0.2


def _no_blob(records: Records) -> None:
    answer_of(records)["response"] = "0" * 64


def _twice(records: Records) -> None:
    records.insert(1, json.loads(json.dumps(records[0])))


def _seen_first(records: Records) -> None:
    place = next(n for n, one in enumerate(records) if one["kind"] == "scores")
    records[place]["at"] = records[place + 1]["at"]
    records[place], records[place + 1] = records[place + 1], records[place]


def _stranger(records: Records) -> None:
    answer_of(records)["prompt"] = "never-asked"


def _picked(records: Records) -> None:
    place = next(n for n, one in enumerate(records) if one["kind"] == "exchange")
    again = json.loads(json.dumps(records[place]))
    again["body"]["text"] = "the better of two answers"
    key = [again["body"][name] for name in ("model", "prompt", "sample", "replicate")]
    records[place + 1 : place + 1] = [again | {"kind": "asking", "body": {"asks": [key]}, "was": ""}, again]


def _picked_later(records: Records) -> None:
    """The same in a run of its own, in which a question may be asked that an earlier run left open."""
    _picked(records)
    place = next(n for n, one in enumerate(records) if one["kind"] == "asking" and not one["was"])
    begun = next(one for one in records if one["kind"] == "run" and one["body"]["event"] == "begin")
    ended = begun | {"body": begun["body"] | {"event": "end"}}
    records[place:place] = [{**one, "at": records[place]["at"], "was": ""} for one in (ended, begun)]


def _checkpoint(records: Records) -> None:
    first_of(records, "checkpoint")["body"] |= {"records": 3, "forged": True}


def _without_note(records: Records) -> None:
    gone = [one for one in records if one["kind"] == "timestamp"][-1]
    place = records.index(gone)
    records.remove(gone)
    scored = first_of(records, "scores")["body"]
    if scored["head"] == gone["was"]:  # the scores were made when it was the last record
        scored["head"] = records[place - 1]["was"]


def _other_scores(records: Records) -> None:
    first_of(records, "scores")["body"]["scores"] = "0" * 64
    first_of(records, "unblinding")["body"]["scores"] = "0" * 64


def _other_names(records: Records) -> None:
    names = first_of(records, "unblinding")["body"]["names"]
    names[0]["value"], names[2]["value"] = names[2]["value"], names[0]["value"]


def _unknown(records: Records) -> None:
    records[-1]["kind"] = "remark"


def _field(records: Records) -> None:
    answer_of(records)["note"] = "by the way"


def _hand_picked(records: Records) -> None:
    prompts = first_of(records, "seed")["body"]["registration"]["prompts"]
    prompts[0]["text"] = "Say only the word that the suspect always says."


_forged("all questions dated back by a century", "asked 19.*which fits neither", _back)
_forged("a record dated before the one before", "before the one that it follows", _undated)
_forged("a question asked before the protocol was stamped", "after the first question at", _too_early)
_forged("the whole log dated back by a day", "the prompts are not those that the seed draws", _all_backdated)
_forged("a protocol changed after the answers", "the prompts are not those that the seed draws", _protocol)
_forged("the same with the old token", "seed before the protocol was time-stamped", _protocol, restamped=False)
_forged("a record that names a blob that is not there", "names the blob 0000000000000000", _no_blob)
_forged("a second protocol slipped in", "is a second protocol", _twice)
_forged("names known before the scores", "unblinded before the scores were recorded", _seen_first)
_forged("the codes given other names", "given other names than the protocol gives", _other_names)
_forged("another digest of the scores recorded", "not the scores whose digest was recorded", _other_scores)
_forged("a checkpoint of another log", "is a checkpoint of another log: 3 records", _checkpoint)
_forged("a token whose note was taken out", "a token that the log does not name", _without_note)
_forged("a record of a kind that there is not", "is a 'remark', which is no kind", _unknown)
_forged("a field more in a record", "is no Exchange: Object contains unknown field", _field)
_forged("prompts picked by hand", "the prompts are not those that the seed draws", _hand_picked)
_forged("an answer to what was never asked", "this question was about to be sent", _stranger, recompute=True)
_forged("a question answered twice, the better answer last", "the better one could be kept", _picked, recompute=True)
_forged(
    "a question answered twice, the better answer in a run of its own",
    "is answered twice",
    _picked_later,
    recompute=True,
)
_forged("an answer edited, scores left", "does not follow from the log", forge_answer, recompute=True)


def _made_with(name: str, says: str, **told: str) -> None:
    """Have scores be made by something else, by the word of whoever signs."""

    def act(work: Path, target: Target) -> None:
        def change(records: Records) -> None:
            for one in records:
                if one["kind"] == "scores":
                    one["body"] |= told

        rechain(work, change, target.authority.reply)
        stamped_anew(work, target)

    BY_SIGNER.add(f"with the key and a new token: {name}", says)(act)


_NO_MACHINE = "scores that were made by something that is no machine"
_made_with("scores that a letter made", _NO_MACHINE, arithmetic="as R1's maker confessed on 3 May")
_made_with("scores that a machine and a letter made", _NO_MACHINE, arithmetic="x86_64 numpy 2.4.6 as R1 confessed")
_made_with("vectors that a letter made", _NO_MACHINE, encoder="R1 confessed")
