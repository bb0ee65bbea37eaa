"""A sealed bundle, an attacker's tools, and what attacks meet; they stand in `attacks.py` and `attacks_*.py`.

An attacker has a text editor; some also have the signing key. Nobody has the time-stamping authority's.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import msgspec

from authority import Authority
from depose import pipeline
from depose.cli.options import now
from depose.custody import commitment, envelope, keys, manifest, merkle
from depose.custody.kinds import OUTSIDE
from depose.custody.seal import seal
from depose.custody.stamp import Source, obtain, stamp
from depose.custody.verify import verify
from depose.errors import DeposeError, EvidenceError
from depose.evidence import timestamp
from depose.evidence.checkpoints import Checkpoints
from depose.evidence.log import read_log
from depose.evidence.seed import derived, of_token
from depose.model import Findings
from depose.model.canonical import canonical, sha256
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
    spare: bytes = b""
    """Another genuine token over the protocol, as old as the one that drew its seed."""


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
            stamp(case, source, now)
            spare = authority.reply(timestamp.request(canonical(next(iter(read_log(case))).entry)))
            checkpoints = Checkpoints(partial(obtain, case, source), every=15)
            pipeline.probe(case, now, lambda answered, failed: None, checkpoints=checkpoints)
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
        spare=spare,
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


Records = list[dict[str, Any]]
Reply = Callable[[bytes], bytes]
"""How a time-stamping authority answers a request."""


def rechain(work: Path, change: Callable[[Records], None], reply: Reply | None = None) -> None:
    """Change records, number and chain all of them anew, and make checkpoints and seal.json agree.

    With `reply` every record that has a token and is no longer the one that it is over gets a fresh, genuine one.
    """
    records: Records = [{**json.loads(line), "was": sha256(line[:-1])} for line in lines(work)]
    change(records)
    made: list[bytes] = []
    previous = "0" * 64
    known: dict[str, bytes] = {}
    for number, record in enumerate(records):
        was, body = record.pop("was"), record["body"]
        if record["kind"] == "checkpoint" and "forged" not in body:
            body |= {"records": number, "head": previous}
        if record["kind"] == "timestamp" and reply is not None:
            _stamp_anew(work, body, known[body["of"]], reply)
        if record["kind"] == "seed" and reply is not None and "forged" not in body:
            _draw_anew(work, body, known[body["seed"]["of"]], records[0]["body"])
        if record["kind"] == "scores" and body["head"] in known:
            body["head"] = sha256(known[body["head"]])
        body.pop("forged", None)
        line = canonical({**record, "seq": number, "prev": previous})
        previous, known[was] = sha256(line), line
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


def _stamp_anew(work: Path, note: dict[str, Any], line: bytes, reply: Reply) -> None:
    """Replace the token that a record of the log notes, unless it is still over the record that it is noted for."""
    if sha256(line) == note["of"]:
        return
    seals, query = work / "evidence/seals", timestamp.request(line)
    for suffix in (".tsq", ".tsr"):
        (seals / f"{note['of']}{suffix}").unlink(missing_ok=True)
    note["of"] = sha256(line)
    (seals / f"{note['of']}.tsq").write_bytes(query)
    (seals / f"{note['of']}.tsr").write_bytes(token := reply(query))
    said = timestamp.verify(token, line, (seals / "tsa.pem").read_bytes(), "token")
    note |= {"token": sha256(token), "time": said.time, "authority": said.authority}


def _draw_anew(work: Path, drawn: dict[str, Any], line: bytes, protocol: dict[str, Any]) -> None:
    """Draw the seed of a protocol that was changed and stamped anew, and leave all that the old seed drew."""
    if (of := sha256(line)) == drawn["seed"]["of"]:
        return
    token = (work / f"evidence/seals/{of}.tsr").read_bytes()
    said = timestamp.verify(token, line, (work / "evidence/seals/tsa.pem").read_bytes(), "token")
    value = of_token(token, "token")
    drawn["seed"] |= {"of": of, "value": value, "seed": derived(of, value), "at": said.time}
    drawn["registration"]["case"]["protocol"] = {**protocol["case"]["protocol"], "seed": derived(of, value)}


def relist(work: Path, key: keys.PrivateKey | None = None) -> None:
    """Make all manifests agree with the files; sign them with a key, if there is one."""
    names = {p.relative_to(work).as_posix() for p in work.rglob("*") if p.is_file()} - {"SEAL", "SEAL.sig"}
    digests = {name: sha256((work / name).read_bytes()) for name in names - set(OUTSIDE)}
    (work / "SHA256SUMS").write_bytes(manifest.write(digests))
    recommit(work, names - set(OUTSIDE))
    outside = {name: sha256((work / name).read_bytes()) for name in names & set(OUTSIDE)}
    (work / "SEAL").write_bytes(manifest.write(outside))
    if key is not None:
        (work / "SEAL.sig").write_bytes(keys.sign(key, (work / "SEAL").read_bytes()))


def recommit(work: Path, names: set[str]) -> None:
    """Commit to the files as they now are, with the salts that they were sealed with."""
    if (work / commitment.SALTS).is_file():
        master = commitment.master((work / commitment.SALTS).read_bytes())
        made = [_committed(name, (work / name).read_bytes(), master) for name in names - {commitment.SALTS}]
        (work / commitment.FILE).write_bytes(commitment.write(sorted(made, key=lambda one: one.hash)))


@lru_cache(1_024)
def _committed(name: str, data: bytes, master: bytes) -> commitment.Committed:
    """Commit to one file: most are as they were for the attack before."""
    [made] = commitment.committed([name], lambda _: io.BytesIO(data), master)
    return made


def restamp(work: Path, reply: Reply) -> None:
    """Get fresh tokens over both lists of the files."""
    for name in ("SHA256SUMS", commitment.FILE):
        if not (work / name).is_file():
            continue
        query = timestamp.request((work / name).read_bytes())
        (work / f"{name}.tsq").write_bytes(query)
        (work / f"{name}.tsr").write_bytes(reply(query))


def restate(work: Path, key: keys.PrivateKey) -> None:
    """Sign the statement over the findings as they now are."""
    data = (work / "out/findings.json").read_bytes()
    subjects = {name: sha256((work / name).read_bytes()) for name in ("out/findings.json", LOG)}
    statement = envelope.statement(msgspec.json.decode(data, type=Findings), subjects)
    (work / "statement.json").write_bytes(envelope.write(statement, key))


def answer_of(records: Records) -> dict[str, Any]:
    """Body of the first exchange."""
    body: dict[str, Any] = next(one for one in records if one["kind"] == "exchange")["body"]
    return body


# --- what an attack is ------------------------------------------------------------------------------------

Act = Callable[[Path, Target], Path | None]
"""Changes the unpacked bundle; may return another bundle to be verified instead."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """One attack."""

    name: str
    says: str
    act: Act
    unseen: bool = False
    """Nobody but depose can see it: it is on the zip itself, or leaves all that is sealed as it is."""
    recompute: bool = False


class Attacks(list[Attack]):
    """Attacks of one kind of attacker."""

    def add(self, name: str, says: str, *, unseen: bool = False, recompute: bool = False) -> Callable[[Act], Act]:
        """Add the function that is decorated."""

        def added(act: Act) -> Act:
            self.append(Attack(name=name, says=says, act=act, unseen=unseen, recompute=recompute))
            return act

        return added


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
    "python3": f"{sys.executable} -I VERIFY.py | grep -q '^verified'",
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
        done = subprocess.run(["bash", "-c", command], cwd=work, capture_output=True, check=False)
        if done.returncode:
            yield name
