"""Attacks by whoever has the signing key on what is evidence in a bundle: answers, files, versions, dates, tokens.

All of them have new tokens and well made chains, trees and seals: what refuses them is a look at what they say.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from attacks_with_key import reanalyzed, stamped_anew
from authority import openssl
from depose.custody import commitment, keys, manifest
from depose.custody.kinds import OUTSIDE
from depose.evidence import timestamp
from depose.model.canonical import canonical, sha256
from tampering import DATE, LOG, Attacks, Records, Target, edit, rechain, relist

ON_ANSWERS = Attacks()
Body = dict[str, Any]


def _live(records: Records, code: str = "S1") -> Body:
    return next(
        one["body"]
        for one in records
        if one["kind"] == "exchange" and one["body"]["model"] == code and one["body"]["outcome"] == "answered"
    )


def _forged(
    name: str, says: str, change: Callable[[Records], None], *, files: Callable[[Path], None] | None = None
) -> None:
    """Change records, and make everything else agree and be signed and stamped."""

    def act(work: Path, target: Target) -> None:
        if files is not None:
            files(work)
        rechain(work, change, target.authority.reply)
        _tidied(work)
        reanalyzed(work)
        stamped_anew(work, target)

    ON_ANSWERS.add(f"answers: {name}", says)(act)


def _tidied(work: Path) -> None:
    """Take out the raw bytes that the log no longer names."""
    log = (work / LOG).read_text()
    for blob in (work / "evidence/blobs").iterdir():
        if blob.name not in log:
            blob.unlink()


def _placed(name: str, says: str, *, signed: bool = True) -> Callable[[Callable[[Path, Target], None]], None]:
    """Change files; `signed` has them signed and stamped afterwards."""

    def added(change: Callable[[Path, Target], None]) -> None:
        def act(work: Path, target: Target) -> None:
            change(work, target)
            if signed:
                stamped_anew(work, target)

        ON_ANSWERS.add(f"files: {name}", says)(act)

    return added


# --- answers of an API ------------------------------------------------------------------------------


def _without(field: str, code: str = "S1") -> Callable[[Records], None]:
    def change(records: Records) -> None:
        _live(records, code)[field] = ""

    return change


def _no_wire(records: Records) -> None:
    _live(records)["wire"] = None


def _invented(records: Records) -> None:
    body = _live(records)
    again = json.loads(json.dumps(body))
    again |= {"outcome": "answered", "status": "whole", "text": "I am the suspect", "wire": None, "response": ""}
    body |= again


def _wire(**fields: Any) -> Callable[[Records], None]:
    def change(records: Records) -> None:
        _live(records)["wire"] |= fields

    return change


def _reworded(code: str) -> Callable[[Records], None]:
    def change(records: Records) -> None:
        _live(records, code)["text"] += " indeed"

    return change


def _as(code: str = "S1", **fields: Any) -> Callable[[Records], None]:
    def change(records: Records) -> None:
        body = _live(records, code)
        wire = fields.get("wire", {})
        body |= {name: value for name, value in fields.items() if name != "wire"}
        if wire and body["wire"]:
            body["wire"] = body["wire"] | wire

    return change


FAILED = {"outcome": "failed", "status": "failed", "text": "", "finish": "", "reason": "HTTP 503"}

_forged("an answer without its raw bytes", "an answer without raw bytes", _without("response"))
_forged("an answer to no request", "does not ask the registered question", _without("request"))
_forged("a streamed answer without its raw bytes", "an answer without raw bytes", _without("response", "C1"))
_forged("an answer that went over no network", "without what went over the network", _no_wire)
_forged("an answer invented whole", "without what went over the network", _invented)
_forged("a streamed answer with a word more", "not the one in its raw bytes", _reworded("C1"))
_forged("another model said to have answered", "not the one in its raw bytes", _wire(model_returned="gpt-99"))
_forged("another address said to have been asked", "another address or model", _wire(url="https://api.example/v1"))
_forged("fewer tokens than were counted", "not the one in its raw bytes", _wire(output_tokens=1))
_forged("an answer with the status of none", "without the status of one", _wire(status=204))
_forged(
    "a good answer said to have been refused", "says answered|hold a whole answer", _as(**FAILED, wire={"status": 503})
)
_forged(
    "a good answer said to have been cut off",
    "raw bytes of a response that, by its record, never came",
    _as(
        **FAILED | {"reason": "the connection broke"}, wire={"status": None, "last_byte_at": "", "response_headers": []}
    ),
)
_forged(
    "a good answer said to have been unreadable",
    "hold a whole answer",
    _as(**FAILED, wire={"last_byte_at": "", "response_headers": [["content-encoding", "br"]]}),
)
_forged("a streamed answer said to have failed", "its raw bytes say answered", _as("C1", **FAILED))
_forged(
    "a good answer said to be empty",
    "not the one in its raw bytes",
    _as(outcome="empty", status="empty", text="", reason=""),
)

# --- answers of a file ------------------------------------------------------------------------------


def _other_row(records: Records) -> None:
    body = _live(records, "C2")
    body["source"] = body["source"].rpartition(" ")[0] + " 1"


def _described(records: Records, code: str) -> list[Body]:
    found = (one["body"] for one in records if one["kind"] == "endpoint")
    return next(body["facts"] for body in found if body["model"] == code)


def _other_file(records: Records) -> None:
    facts = _described(records, "C2")
    prompts = next(one["value"] for one in records[0]["body"]["files"] if one["name"] == "prompts.csv")
    next(fact for fact in facts if fact["name"] == "file sha256")["value"] = prompts


def _other_model(records: Records) -> None:
    facts = _described(records, "C2")
    next(fact for fact in facts if fact["name"] == "model in file")["value"] = "C3"


def _asked(records: Records) -> None:
    _live(records, "C2")["request"] = _live(records)["request"]


_forged("a recorded answer with a word more", "another answer than answers.jsonl holds", _reworded("R1"))
_forged("a recorded answer from another row", "another answer than answers.jsonl holds", _other_row)
_forged("a recorded answer left out", "another answer than answers.jsonl holds", _as("C3", **FAILED | {"source": ""}))
_forged("a recorded answer made empty", "another answer than answers.jsonl holds", _as("C4", outcome="empty", text=""))
_forged("recorded answers of another file", "whose 'file sha256' is not what the case", _other_file)
_forged("recorded answers of another model", "whose 'model in file' is not what the case", _other_model)
_forged("a recorded answer that was asked for", "claims to have been asked for", _asked)

# --- versions and formats ---------------------------------------------------------------------------


def _of_version(version: str) -> Callable[[Records], None]:
    def change(records: Records) -> None:
        for fact in records[0]["body"]["software"]:
            if fact["name"] == "depose":
                fact["value"] = version

    return change


def _script(work: Path) -> None:
    edit(work / "VERIFY.py", b"if not holds:", b"if False:")


def _seal(work: Path, **fields: str) -> None:
    value = json.loads((work / "seal.json").read_bytes())
    (work / "seal.json").write_bytes(canonical(value | fields))


STAMPED_LATE = "VERIFY.py: is not the one|after the first question"

_forged("an old version, and a script that says yes", STAMPED_LATE, _of_version("0.0.1"), files=_script)
_forged("a version yet to come, and a script that says yes", STAMPED_LATE, _of_version("9.9"), files=_script)


@_placed("a script that says yes, sealed by a made-up version", "VERIFY.(py|md): is not the one that depose writes")
def _(work: Path, target: Target) -> None:
    _script(work)
    _seal(work, depose="0.0.1")


@_placed("a format that is yet to come", "sealed as 'depose seal 9', and only")
def _(work: Path, target: Target) -> None:
    _seal(work, format="depose seal 9")


@_placed("format 1, with what only format 2 has", "is no file of a bundle of the format 'depose seal 1'")
def _(work: Path, target: Target) -> None:
    _seal(work, format="depose seal 1")


@_placed("format 1, all else taken out, and a script that says yes", "VERIFY.md|VERIFY.py: is not the one")
def _(work: Path, target: Target) -> None:
    _seal(work, format="depose seal 1")
    for name in ("SALTS", "COPY.py", *(one.name for one in work.glob("COMMITMENT*"))):
        (work / name).unlink()
    _script(work)


@_placed("format 2 without salts", "SALTS: is missing|COMMITMENT: does not follow")
def _(work: Path, target: Target) -> None:
    (work / "SALTS").unlink()


def _signed(work: Path, target: Target) -> None:
    """Sign the tokens and lists as they are."""
    outside = {name: sha256((work / name).read_bytes()) for name in OUTSIDE if (work / name).is_file()}
    (work / "SEAL").write_bytes(manifest.write(outside))
    (work / "SEAL.sig").write_bytes(keys.sign(target.key, (work / "SEAL").read_bytes()))


@_placed("a root over other files than are there", "COMMITMENT: does not follow from the files", signed=False)
def _(work: Path, target: Target) -> None:
    before = (work / commitment.FILE).read_bytes()
    edit(work / "case.toml", b"[case]", b"[case] ")
    relist(work)
    (work / commitment.FILE).write_bytes(before)
    _signed(work, target)


@_placed("salts of one's own", "COMMITMENT: does not follow from the files", signed=False)
def _(work: Path, target: Target) -> None:
    before = (work / commitment.FILE).read_bytes()
    (work / commitment.SALTS).write_bytes(b"0" * 64 + b"\n")
    relist(work)
    (work / commitment.FILE).write_bytes(before)
    _signed(work, target)


# --- files that nobody names ------------------------------------------------------------------------

NO_KIND = "of no kind that a bundle has"


@_placed("a letter beside the case file", f"letter.txt: {NO_KIND}")
def _(work: Path, target: Target) -> None:
    (work / "letter.txt").write_text("By the way")


@_placed("a module that Python would import", f"hashlib.py: {NO_KIND}")
def _(work: Path, target: Target) -> None:
    (work / "hashlib.py").write_text("sha256 = None")


@_placed("raw bytes that no record names", rf"evidence/blobs/[0-9a-f]{{64}}: {NO_KIND}")
def _(work: Path, target: Target) -> None:
    data = b"an answer that nobody gave"
    (work / "evidence/blobs" / sha256(data)).write_bytes(data)


@_placed("certificates of somebody else among the tokens", f"evidence/seals/own.pem: {NO_KIND}")
def _(work: Path, target: Target) -> None:
    (work / "evidence/seals/own.pem").write_bytes(target.authority.roots.read_bytes())


@_placed("a second log", f"evidence/log-2.jsonl: {NO_KIND}")
def _(work: Path, target: Target) -> None:
    shutil.copyfile(work / LOG, work / "evidence/log-2.jsonl")


# --- dates and tokens -------------------------------------------------------------------------------


def _later(work: Path, **by: float) -> None:
    sealed = json.loads((work / "seal.json").read_bytes())["sealed_at"]
    _seal(work, sealed_at=(datetime.fromisoformat(sealed) + timedelta(**by)).strftime(DATE))


@_placed("a seal dated a year from now", "the seal is dated .*, which is yet to come")
def _(work: Path, target: Target) -> None:
    _later(work, days=365)


@_placed("a seal dated in the year 9999", "which is yet to come")
def _(work: Path, target: Target) -> None:
    _seal(work, sealed_at="9999-12-31T23:59:59.999999Z")


@_placed("a seal dated by no calendar", "is not a time of a log")
def _(work: Path, target: Target) -> None:
    _seal(work, sealed_at="tomorrow")


@_placed("a seal of the 32nd of a month", "day is out of range|is not a time of a log")
def _(work: Path, target: Target) -> None:
    _seal(work, sealed_at="2026-11-32T00:00:00.000000Z")


def _last_date(value: str) -> Callable[[Records], None]:
    def change(records: Records) -> None:
        records[-1]["at"] = value

    return change


def _asked_at(value: str) -> Callable[[Records], None]:
    def change(records: Records) -> None:
        _live(records)["started"] = value

    return change


_forged(
    "a last record dated in ten years",
    "the last record is dated .*, which is yet to come",
    _last_date("2036-01-01T00:00:00Z"),
)
_forged("a record without a time zone", "is not a time of a log", _last_date("2999-01-01T00:00:00.000000"))
_forged("a question asked at a time in words", "is not a time of a log|which fits neither", _asked_at("noon"))
_forged("a question asked in another time zone", "is not a time of a log", _asked_at("2026-11-27T00:00:00+09:00"))


def _twin(work: Path, target: Target, file: Path) -> None:
    """Put a second certificate with issuer and number of the signer's, under another name, into a token."""
    folder, made = target.authority.folder, work.parent / "twin"
    made.mkdir()
    signer = folder / "tsa.pem"
    number = openssl("x509", "-in", signer, "-noout", "-serial").stdout.decode().strip().partition("=")[2]
    issuer = openssl("x509", "-in", signer, "-noout", "-issuer", "-nameopt", "compat").stdout.decode().strip()
    subject = issuer.partition("=")[2].strip()
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", made / "ca.key")
    openssl("req", "-new", "-x509", "-key", made / "ca.key", "-subj", subject, "-out", made / "ca.pem", "-days", "30")
    # Longer than the signer's: a set in DER is in order, and openssl writes the signer's first.
    better = "/CN=A better known authority" + "".join(f"/OU={letter * 60}" for letter in "abcde")
    openssl("req", "-new", "-key", made / "ca.key", "-subj", better, "-out", made / "csr")
    sign = ("-CA", made / "ca.pem", "-CAkey", made / "ca.key", "-set_serial", f"0x{number}", "-days", "30")
    openssl("x509", "-req", "-in", made / "csr", *sign, "-out", made / "twin.pem")
    config = (folder / "tsa.cnf").read_text() + f"certs = {made / 'twin.pem'}\n"
    (made / "tsa.cnf").write_text(config)
    query = file.with_suffix(".tsq")
    query.write_bytes(timestamp.request((work / file.stem).read_bytes()))
    openssl("ts", "-reply", "-config", made / "tsa.cnf", "-queryfile", query, "-out", file)
    _signed(work, target)


TWINS = "has 2 certificates that each claim to be its signer's"


@_placed("a token whose signer has a better known twin", f"SHA256SUMS.tsr: {TWINS}", signed=False)
def _(work: Path, target: Target) -> None:
    _twin(work, target, work / "SHA256SUMS.tsr")


@_placed("the same in the token over the root", f"COMMITMENT.tsr: {TWINS}", signed=False)
def _(work: Path, target: Target) -> None:
    _twin(work, target, work / "COMMITMENT.tsr")
