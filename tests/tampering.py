"""Attacks on a sealed bundle, each with the message that it must meet; `python tests/tampering.py` prints the table.

An attacker has a text editor; some also have the signing key. Nobody has the time-stamping authority's.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from authority import Authority
from depose import pipeline
from depose.canon import canonical, sha256
from depose.cli.options import now
from depose.custody import envelope, keys, manifest, merkle
from depose.custody.seal import OUTSIDE, seal
from depose.custody.stamp import Source, stamp
from depose.custody.verify import verify
from depose.errors import DeposeError, EvidenceError
from depose.model import Findings
from fakes import install, scripted_case

LOG = "evidence/log.jsonl"
DATE = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A sealed bundle and all that its attackers may want."""

    folder: Path
    case: Path
    bundle: Path
    key: keys.PrivateKey
    public: bytes
    authority: Authority


def sealed_case(folder: Path, **protocol: Any) -> Target:
    """Register, stamp, ask, analyze, report, stamp and seal a small confirmatory case of scripted models."""
    site = install(folder / "site")
    sys.path.insert(0, str(site))
    try:
        authority = Authority(folder / "tsa")
        scripts = {"S1": "same", "R1": "same", "C1": "one", "C2": "two", "C3": "three"}
        case = scripted_case(folder / "case", scripts, phase="confirmatory", **protocol)
        pipeline.register_case(case, now)
        with authority.serve() as url:
            source = Source(url=url, roots=authority.roots.read_bytes())
            stamp(case, "protocol", source, now)
            pipeline.probe(case, now, lambda answered, failed: None)
            pipeline.analyze_case(case, lambda line: None, now)
            pipeline.report_case(case, pipeline.Order(formats=("html",)))
            public = keys.make(folder / "key.pem")
            key = keys.load(folder / "key.pem")
            done = seal(case, key, now, {}, source)
    finally:
        sys.path.remove(str(site))
    return Target(
        folder=folder,
        case=case,
        bundle=Path(done.bundle),
        key=key,
        public=public.read_bytes(),
        authority=authority,
    )


def unpack(target: Target, folder: Path) -> Path:
    """Unpack a bundle as anybody would."""
    with zipfile.ZipFile(target.bundle) as file:
        file.extractall(folder)
    return folder


# --- an attacker's tools ----------------------------------------------------------------------------


def edit(file: Path, old: bytes, new: bytes) -> None:
    """Replace bytes that are there."""
    data = file.read_bytes()
    assert old in data, (file, old)
    file.write_bytes(data.replace(old, new, 1))


def flip(file: Path, place: float = 0.5) -> None:
    """Flip the lowest bit of one byte."""
    data = bytearray(file.read_bytes())
    data[int(place * (len(data) - 1))] ^= 1
    file.write_bytes(bytes(data))


def lines(work: Path) -> list[bytes]:
    """Lines of the log."""
    return (work / LOG).read_bytes().splitlines(keepends=True)


def put(work: Path, new: list[bytes]) -> None:
    """Write the lines of the log."""
    (work / LOG).write_bytes(b"".join(new))


def rechain(work: Path, change: Callable[[list[dict[str, object]]], None]) -> None:
    """Change records, number and chain all of them anew, and make seal.json agree."""
    records = [json.loads(line) for line in lines(work)]
    change(records)
    made, previous = [], "0" * 64
    for number, record in enumerate(records):
        line = canonical({**record, "seq": number, "prev": previous})
        previous = sha256(line)
        made.append(line)
    put(work, [line + b"\n" for line in made])
    file = work / "seal.json"
    seal_ = json.loads(file.read_bytes())
    seal_["log"] = {
        "records": len(made),
        "head": previous,
        "merkle_root": merkle.root([merkle.leaf(line) for line in made]).hex(),
    }
    file.write_bytes(canonical(seal_))


def relist(work: Path, key: keys.PrivateKey | None = None) -> None:
    """Make all manifests agree with the files; sign them with a key, if there is one."""
    names = {p.relative_to(work).as_posix() for p in work.rglob("*") if p.is_file()} - {"SEAL", "SEAL.sig"}
    digests = {name: sha256((work / name).read_bytes()) for name in names - set(OUTSIDE)}
    (work / "SHA256SUMS").write_bytes(manifest.write(digests))
    outside = {name: sha256((work / name).read_bytes()) for name in names & set(OUTSIDE)}
    (work / "SEAL").write_bytes(manifest.write(outside))
    if key is not None:
        (work / "SEAL.sig").write_bytes(keys.sign(key, (work / "SEAL").read_bytes()))


def restate(work: Path, key: keys.PrivateKey) -> None:
    """Sign the statement over the findings as they now are."""
    data = (work / "out/findings.json").read_bytes()
    subjects = {name: sha256((work / name).read_bytes()) for name in ("out/findings.json", LOG)}
    statement = envelope.statement(msgspec.json.decode(data, type=Findings), subjects)
    (work / "statement.json").write_bytes(envelope.write(statement, key))


def answer_of(record: dict[str, object]) -> dict[str, object]:
    """Body of a record."""
    body = record["body"]
    assert isinstance(body, dict)
    return body


# --- the attacks ------------------------------------------------------------------------------------

Act = Callable[[Path, Target], Path | None]
"""Changes the unpacked bundle; may return another bundle to be verified instead."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One attack."""

    name: str
    says: str
    act: Act
    with_key: bool = False
    zipped: bool = False
    recompute: bool = False


ATTACKS: list[Attack] = []


def attack(
    name: str, says: str, *, with_key: bool = False, zipped: bool = False, recompute: bool = False
) -> Callable[[Act], Act]:
    """Add an attack to the list."""

    def add(act: Act) -> Act:
        ATTACKS.append(Attack(name=name, says=says, act=act, with_key=with_key, zipped=zipped, recompute=recompute))
        return act

    return add


def _flipped(name: str, says: str, file: str, place: float = 0.5) -> None:
    attack(name, says)(lambda work, _: flip(next(iter(sorted(work.glob(file)))), place))


_flipped("a bit of the protocol in the log", f"{LOG}: was changed.*line [12] ", LOG, 0.01)
_flipped("a bit in the midst of the log", f"{LOG}: was changed", LOG)
_flipped("a bit of the last line feed", f"{LOG}: was changed.*the last line is cut off", LOG, 1.0)
_flipped("a bit of a blob", r"evidence/blobs/[0-9a-f]{64}: was changed", "evidence/blobs/*")
_flipped("a bit of the case file", "case.toml: was changed", "case.toml")
_flipped("a bit of the findings", "out/findings.json: was changed", "out/findings.json")
_flipped("a bit of the scores", "out/scores.parquet: was changed", "out/scores.parquet")
_flipped("a bit of the exhibits", "out/exhibits.csv: was changed", "out/exhibits.csv")
_flipped("a bit of the report", "out/report.html: was changed", "out/report.html")
_flipped("a bit of the statement", "statement.json: was changed", "statement.json")
_flipped("a bit of seal.json", "seal.json: was changed", "seal.json")
_flipped("a bit of the instructions", "VERIFY.md: was changed", "VERIFY.md")
_flipped("a bit of the script", "VERIFY.py: was changed", "VERIFY.py")
_flipped("a bit of the manifest", "SHA256SUMS: was changed", "SHA256SUMS")
_flipped("a bit of SEAL", "SEAL.sig: not a signature", "SEAL")
_flipped("a bit of the signature", "SEAL.sig: not a signature", "SEAL.sig")
_flipped("a bit of the protocol's token", r"evidence/seals/[0-9a-f]{64}.tsr: was changed", "evidence/seals/*.tsr")
_flipped(
    "a bit of the last token that its own signature leaves open", "SHA256SUMS.tsr: was changed", "SHA256SUMS.tsr", 0.034
)
_flipped("a bit of the request for a token", "SHA256SUMS.tsq: was changed", "SHA256SUMS.tsq")
_flipped("a bit of the authority's certificates", "evidence/seals/tsa.pem: was changed", "evidence/seals/tsa.pem")


@attack("a bit of the public key", "signer.pem: not a public key|signed with the key|not a signature")
def _(work: Path, target: Target) -> None:
    flip(work / "signer.pem", 0.6)


@attack("an answer edited", f"{LOG}: was changed.*does not follow the line before")
def _(work: Path, target: Target) -> None:
    edit(work / LOG, b'"text":"', b'"text":"As ChatGPT, ')


@attack("a date edited", f"{LOG}: was changed.*line 2 does not follow")
def _(work: Path, target: Target) -> None:
    edit(work / LOG, b'"at":"20', b'"at":"19')


@attack("a line dropped", f"{LOG}: was changed.*has number 6, not 5")
def _(work: Path, target: Target) -> None:
    put(work, lines(work)[:5] + lines(work)[6:])


@attack("the last line dropped", f"{LOG}: was changed.*are a chain in itself")
def _(work: Path, target: Target) -> None:
    put(work, lines(work)[:-1])


@attack("two lines swapped", f"{LOG}: was changed.*has number 9, not 8")
def _(work: Path, target: Target) -> None:
    all_ = lines(work)
    put(work, [*all_[:8], all_[9], all_[8], *all_[10:]])


@attack("a line repeated", f"{LOG}: was changed.*has number 7, not 8")
def _(work: Path, target: Target) -> None:
    all_ = lines(work)
    put(work, [*all_[:8], all_[7], *all_[8:]])


@attack("a line appended, well chained", f"{LOG}: was changed.*are a chain in itself")
def _(work: Path, target: Target) -> None:
    all_ = lines(work)
    last = json.loads(all_[-1])
    made = canonical({**last, "seq": last["seq"] + 1, "prev": sha256(all_[-1][:-1])})
    put(work, [*all_, made + b"\n"])


@attack("a file added", "out/letter.txt: was added")
def _(work: Path, target: Target) -> None:
    (work / "out/letter.txt").write_text("By the way")


@attack("a hidden file added", r"\.notes: was added")
def _(work: Path, target: Target) -> None:
    (work / ".notes").write_text("By the way")


@attack("an empty folder whose name says something", "an empty folder was added")
def _(work: Path, target: Target) -> None:
    (work / "out/all.of.this.is.invented").mkdir()


@attack("a file called like a part of the seal", "out/SEAL: was added")
def _(work: Path, target: Target) -> None:
    (work / "out/SEAL").write_text("By the way")


@attack("a blob removed", "is missing; the manifest lists it")
def _(work: Path, target: Target) -> None:
    next((work / "evidence/blobs").iterdir()).unlink()


@attack("a blob and its line of the manifest removed", "SHA256SUMS: was changed")
def _(work: Path, target: Target) -> None:
    blob = next((work / "evidence/blobs").iterdir())
    kept = [x for x in (work / "SHA256SUMS").read_text().splitlines(keepends=True) if blob.name not in x]
    (work / "SHA256SUMS").write_text("".join(kept))
    blob.unlink()


@attack("a junk line in the manifest", "SHA256SUMS: was changed")
def _(work: Path, target: Target) -> None:
    (work / "SHA256SUMS").write_bytes((work / "SHA256SUMS").read_bytes() + b"# all good\n")


@attack("findings and all manifests edited alike", "SEAL.sig: not a signature")
def _(work: Path, target: Target) -> None:
    edit(work / "out/findings.json", b"inconclusive", b"indication")
    relist(work)


@attack("an answer edited, the whole chain and all manifests made anew", "SEAL.sig: not a signature")
def _(work: Path, target: Target) -> None:
    rechain(work, _forge_answer)
    relist(work)


def _forge_answer(records: list[dict[str, object]]) -> None:
    answer_of(next(one for one in records if one["kind"] == "exchange"))["text"] = "forged"


@attack("everything made anew and signed with another key", "signed with the key .* not with")
def _(work: Path, target: Target) -> None:
    other = keys.load(_other_key(target))
    rechain(work, _forge_answer)
    (work / "signer.pem").write_bytes(keys.public_pem(other.public_key()))
    restate(work, other)
    relist(work, other)


def _other_key(target: Target) -> Path:
    path = target.folder / "other.pem"
    if not path.is_file():
        keys.make(path)
    return path


@attack("signature by another key under the right public key", "SEAL.sig: not a signature")
def _(work: Path, target: Target) -> None:
    relist(work, keys.load(_other_key(target)))


@attack("the seal taken off", "no SEAL: not sealed")
def _(work: Path, target: Target) -> None:
    (work / "SEAL").unlink()


@attack("the signature taken off", "no SEAL.sig: not sealed")
def _(work: Path, target: Target) -> None:
    (work / "SEAL.sig").unlink()


@attack("the last token taken off", "SHA256SUMS.tsr: is missing; the manifest lists it")
def _(work: Path, target: Target) -> None:
    (work / "SHA256SUMS.tsr").unlink()


@attack("the last token swapped for a later one", "SHA256SUMS.tsr: was changed")
def _(work: Path, target: Target) -> None:
    from depose import timestamp

    query = timestamp.request((work / "SHA256SUMS").read_bytes())
    (work / "SHA256SUMS.tsr").write_bytes(target.authority.reply(query))


@attack(
    "two tokens swapped with each other", r"evidence/seals/[0-9a-f]{64}.tsr: was changed|SHA256SUMS.tsr: was changed"
)
def _(work: Path, target: Target) -> None:
    one, other = next((work / "evidence/seals").glob("*.tsr")), work / "SHA256SUMS.tsr"
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


@attack("a file replaced by a symbolic link", "case.toml is a symbolic link")
def _(work: Path, target: Target) -> None:
    (work / "case.toml").unlink()
    (work / "case.toml").symlink_to(target.case / "case.toml")


@attack("a folder replaced by a symbolic link", "out is a symbolic link")
def _(work: Path, target: Target) -> None:
    shutil.rmtree(work / "out")
    (work / "out").symlink_to(target.case / "out")


@attack("a pipe that never ends", "out/pipe is not a file")
def _(work: Path, target: Target) -> None:
    os.mkfifo(work / "out/pipe")


@attack("a name that a terminal obeys", "not a name that may stand in a bundle")
def _(work: Path, target: Target) -> None:
    (work / "out/\x1b[2J").write_text("")


# --- on the zip -------------------------------------------------------------------------------------


def _rezipped(work: Path, name: str, data: bytes, **how: int) -> Path:
    """Zip a file as zip tools do."""
    goal = work.with_suffix(".zip")
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = how.get("mode", 0o100644) << 16
    info.create_system = 3
    info.flag_bits |= 0x800
    with zipfile.ZipFile(goal, "w") as file:
        file.writestr(info, data, compress_type=how.get("method", zipfile.ZIP_STORED))
    raw = bytearray(goal.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = raw.index(mark) + offset
        raw[place : place + 2] = struct.pack("<H", 0x800)
    goal.write_bytes(bytes(raw))
    return goal


@attack("path traversal in a zip", r"'\.\./\.\./evil': not a name", zipped=True)
def _(work: Path, target: Target) -> Path:
    return _rezipped(work, "../../evil", b"x")


@attack("an absolute path in a zip", "'/etc/passwd': not a name", zipped=True)
def _(work: Path, target: Target) -> Path:
    return _rezipped(work, "/etc/passwd", b"x")


@attack("a Windows path in a zip", "not a name that may stand", zipped=True)
def _(work: Path, target: Target) -> Path:
    return _rezipped(work, "..\\evil", b"x")


@attack("a symbolic link in a zip", "SEAL is a symbolic link", zipped=True)
def _(work: Path, target: Target) -> Path:
    return _rezipped(work, "SEAL", b"/etc/passwd", mode=0o120777)


@attack("a zip bomb", "is compressed, so that a small file may hide a huge one", zipped=True)
def _(work: Path, target: Target) -> Path:
    return _rezipped(work, "SEAL", bytes(50_000_000), method=zipfile.ZIP_DEFLATED)


@attack("a size that a zip does not have", "more than the bundle", zipped=True)
def _(work: Path, target: Target) -> Path:
    raw = bytearray(target.bundle.read_bytes())
    raw[18:26] = struct.pack("<II", 4_000_000_000, 4_000_000_000)
    return _raw(work, bytes(raw))


@attack("an entry twice in a zip", "out of order, or there twice", zipped=True)
def _(work: Path, target: Target) -> Path:
    raw = target.bundle.read_bytes()
    first = raw[: raw.index(b"PK\x03\x04", 4)]
    return _raw(work, first + raw)


@attack("bytes after a zip", "bytes after the directory", zipped=True)
def _(work: Path, target: Target) -> Path:
    return _raw(work, target.bundle.read_bytes() + b"\0")


@attack("bytes before a zip", "not a zip file with files in it", zipped=True)
def _(work: Path, target: Target) -> Path:
    return _raw(work, b"\0" + target.bundle.read_bytes())


@attack("a zip cut off", "directory entry|ends within|more than the bundle|bytes after", zipped=True)
def _(work: Path, target: Target) -> Path:
    return _raw(work, target.bundle.read_bytes()[:-200])


@attack("a date in a zip", "is not as depose writes it", zipped=True)
def _(work: Path, target: Target) -> Path:
    raw = bytearray(target.bundle.read_bytes())
    raw[12] ^= 1
    return _raw(work, bytes(raw))


def _raw(work: Path, data: bytes) -> Path:
    goal = work.with_suffix(".zip")
    goal.write_bytes(data)
    return goal


# --- with the key -----------------------------------------------------------------------------------


def _sealed_anew(work: Path, target: Target) -> None:
    restate(work, target.key)
    relist(work, target.key)


@attack(
    "with the key: an answer edited and all sealed anew", "SHA256SUMS.tsr: the token is over other data", with_key=True
)
def _(work: Path, target: Target) -> None:
    rechain(work, _forge_answer)
    _reanalyzed(work)
    _sealed_anew(work, target)


def _reanalyzed(work: Path) -> None:
    """Make the findings name the forged log."""
    file = work / "out/findings.json"
    value = json.loads(file.read_bytes())
    asked = [line for line in lines(work) if json.loads(line)["kind"] not in ("scores", "unblinding")]
    value |= {"log_head": sha256(asked[-1][:-1]), "protocol_digest": sha256(lines(work)[0][:-1])}
    file.write_bytes(canonical(value))


@attack("with the key: the same without the token", "SHA256SUMS.tsr: is missing: nothing shows", with_key=True)
def _(work: Path, target: Target) -> None:
    _drop_last_token(work)
    rechain(work, _forge_answer)
    _reanalyzed(work)
    _sealed_anew(work, target)


def _drop_last_token(work: Path) -> None:
    for suffix in ("tsr", "tsq", "pem"):
        (work / f"SHA256SUMS.{suffix}").unlink()


@attack("with the key: a token of an authority of one's own", "not signed by an authority of the roots", with_key=True)
def _(work: Path, target: Target) -> None:
    from depose import timestamp

    own = Authority(Path(tempfile.mkdtemp()) / "own", "Own")
    query = timestamp.request((work / "SHA256SUMS").read_bytes())
    (work / "SHA256SUMS.tsr").write_bytes(own.reply(query))
    (work / "SHA256SUMS.pem").write_bytes(own.roots.read_bytes())
    relist(work, target.key)


def _stamped_anew(work: Path, target: Target) -> None:
    """Seal again, with a fresh and genuine token: what only a look at the contents can refuse."""
    from depose import timestamp

    restate(work, target.key)
    relist(work)
    query = timestamp.request((work / "SHA256SUMS").read_bytes())
    (work / "SHA256SUMS.tsq").write_bytes(query)
    (work / "SHA256SUMS.tsr").write_bytes(target.authority.reply(query))
    relist(work, target.key)


def _forged(name: str, says: str, change: Callable[[list[dict[str, object]]], None]) -> None:
    """Add an attack of somebody who has the key and gets a fresh token."""

    def act(work: Path, target: Target) -> None:
        rechain(work, change)
        _reanalyzed(work)
        _stamped_anew(work, target)

    attack(f"with the key and a new token: {name}", says, with_key=True)(act)


def _back(records: list[dict[str, object]]) -> None:
    for one in (one for one in records if one["kind"] == "exchange"):
        body = answer_of(one)
        for field in ("started", "ended"):
            body[field] = str(body[field]).replace("20", "19", 1)


def _undated(records: list[dict[str, object]]) -> None:
    records[6]["at"] = "2020-01-01T00:00:00.000000Z"


def _too_early(records: list[dict[str, object]]) -> None:
    body = answer_of(next(one for one in records if one["kind"] == "exchange"))
    body["started"] = (datetime.fromisoformat(str(body["started"])) - timedelta(seconds=100)).strftime(DATE)


def _protocol(records: list[dict[str, object]]) -> None:
    body = json.loads(json.dumps(records[0]["body"]))
    body["case"]["protocol"]["alpha"] = 0.2
    records[0]["body"] = body


def _no_blob(records: list[dict[str, object]]) -> None:
    answer_of(next(one for one in records if one["kind"] == "exchange"))["response"] = "0" * 64


def _twice(records: list[dict[str, object]]) -> None:
    records.insert(1, {**records[0]})


def _seen_first(records: list[dict[str, object]]) -> None:
    place = next(n for n, one in enumerate(records) if one["kind"] == "scores")
    records[place], records[place + 1] = records[place + 1], records[place]


def _stranger(records: list[dict[str, object]]) -> None:
    answer_of(next(one for one in records if one["kind"] == "exchange"))["prompt"] = "never-asked"


_forged("all questions dated back by a century", "asked 19.*which fits neither", _back)
_forged("a record dated before the one before", "before the one that it follows", _undated)
_forged("a question asked before the protocol was stamped", "after the first question at", _too_early)
_forged("a protocol changed after the answers", "the log says that there is this token|over other data", _protocol)
_forged("a record that names a blob that is not there", "names the blob 0000000000000000", _no_blob)
_forged("a second protocol slipped in", "is a second protocol", _twice)
_forged("names known before the scores", "unblinded before the scores were recorded", _seen_first)


@attack(
    "with the key and a new token: an answer to what was never asked", "does not ask", with_key=True, recompute=True
)
def _(work: Path, target: Target) -> None:
    rechain(work, _stranger)
    _reanalyzed(work)
    _stamped_anew(work, target)


def _rewritten(name: str, says: str, file: str, old: bytes, new: bytes) -> None:
    def act(work: Path, target: Target) -> None:
        edit(work / file, old, new)
        _stamped_anew(work, target)

    attack(f"with the key and a new token: {name}", says, with_key=True, recompute=True)(act)


_rewritten(
    "an opinion edited", "out/findings.json: does not follow", "out/findings.json", b"inconclusive", b"indication"
)
_rewritten("a score edited", "out/scores.parquet: does not follow", "out/scores.parquet", b"PAR1", b"PAR2")
_rewritten("an exhibit edited", "out/exhibits.csv: does not follow", "out/exhibits.csv", b"exhibit,", b"Exhibit,")
_rewritten(
    "a sentence of the report edited",
    "out/report.html: does not follow",
    "out/report.html",
    b"inconclusive",
    b"indicated",
)


@attack(
    "with the key and a new token: an answer edited, scores left",
    "does not follow from the log",
    with_key=True,
    recompute=True,
)
def _(work: Path, target: Target) -> None:
    rechain(work, _forge_answer)
    _reanalyzed(work)
    _stamped_anew(work, target)


# --- carrying them out ------------------------------------------------------------------------------


def met(one: Attack, target: Target, folder: Path) -> str:
    """Carry out an attack and return the message that it meets, or nothing if it passes for genuine."""
    work = unpack(target, folder / "bundle")
    goal = one.act(work, target) or work
    try:
        verify(
            goal,
            public_key=target.public,
            roots=target.authority.roots.read_bytes(),
            recompute=one.recompute,
        )
    except DeposeError as error:
        assert isinstance(error, EvidenceError), error
        return error.message.replace(f"{goal}: ", "")
    return ""


COMMANDS = {
    "sha256sum": "sha256sum --strict --quiet -c SEAL SHA256SUMS",
    "openssl": "openssl dgst -sha256 -verify signer.pem -signature SEAL.sig SEAL",
    "diff": "diff <({ cut -c67- SEAL SHA256SUMS; echo SEAL; echo SEAL.sig; } | LC_ALL=C sort) "
    "<(find . -type f -o -type d -empty | sed 's|^\\./||' | LC_ALL=C sort)",
    "find": 'test -z "$(find . ! -type f ! -type d)"',
    "python3": f"{sys.executable} -I VERIFY.py",
    "fingerprint": 'test "$(openssl pkey -pubin -in signer.pem -outform DER | sha256sum | cut -c1-64)" = FINGERPRINT',
    "openssl ts": "openssl ts -verify -data SHA256SUMS -in SHA256SUMS.tsr -CAfile ROOTS",
    "openssl ts, protocol": 'for t in evidence/seals/*.tsr; do n=$(basename "$t" .tsr); '
    'openssl ts -verify -digest "$n" -in "$t" -CAfile ROOTS || exit 1; done',
}
"""The commands of VERIFY.md, with the key and the certificates that the reader got by another way."""


def seen_by(work: Path, target: Target) -> Iterator[str]:
    """Name the commands of VERIFY.md that end badly on an unpacked bundle."""
    known = keys.fingerprint(target.key.public_key())
    for name, command in COMMANDS.items():
        command = command.replace("FINGERPRINT", known).replace("ROOTS", str(target.authority.roots))
        done = subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, timeout=30, check=False)
        if done.returncode:
            yield name


def main() -> None:
    """Print every attack with the message that it meets."""
    with tempfile.TemporaryDirectory() as folder:
        target = sealed_case(Path(folder) / "target")
        untouched = unpack(target, Path(folder) / "untouched")
        assert not met(Attack(name="", says="", act=lambda *_: None, recompute=True), target, Path(folder) / "none")
        assert list(seen_by(untouched, target)) == []
        passed = 0
        for number, one in enumerate(ATTACKS, start=1):
            message = met(one, target, Path(folder) / str(number))
            passed += not message
            shown = message.encode("unicode_escape").decode()[:110] or "NOT REFUSED"
            print(f"{number:3}  {one.name:74}  {shown}")
    print(f"{len(ATTACKS)} attacks, {len(ATTACKS) - passed} refused; the untouched bundle verifies")
    sys.exit(passed > 0)


if __name__ == "__main__":
    main()
