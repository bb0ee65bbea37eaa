"""Attacks on the files of a sealed bundle, but for its log, by whoever has its signing key and gets new tokens."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from pathlib import Path

import pyarrow
import pyarrow.parquet

from attacks_with_key import first_of, moved, stamped, stamped_anew
from depose.custody import envelope, keys
from depose.custody.kinds import OUTSIDE
from depose.evidence import timestamp
from depose.model.canonical import canonical, sha256
from tampering import Attacks, Records, Target, edit, rechain, recommit, restate

ON_SIGNED_FILES = Attacks()


def _rewritten(
    name: str, says: str, file: str, old: bytes, new: bytes, *, scored: bool = False, recompute: bool = True
) -> None:
    """Add an attack that changes a file, and, with `scored`, the digest that was recorded of it."""

    def act(work: Path, target: Target) -> None:
        edit(work / file, old, new)
        if scored:
            digest = sha256((work / file).read_bytes())

            def change(records: Records) -> None:
                for kind in ("scores", "unblinding"):
                    first_of(records, kind)["body"]["scores"] = digest

            rechain(work, change, target.authority.reply)
        stamped_anew(work, target)

    ON_SIGNED_FILES.add(f"with the key and a new token: {name}", says, recompute=recompute)(act)


_rewritten(
    "an opinion edited", "out/findings.json: does not follow", "out/findings.json", b"inconclusive", b"indication"
)
_rewritten("a score edited", "not the scores whose digest was recorded", "out/scores.parquet", b"PAR1", b"PAR2")
_rewritten(
    "a score and its recorded digest edited",
    "out/scores.parquet: does not follow",
    "out/scores.parquet",
    b"PAR1",
    b"PAR2",
    scored=True,
)


@ON_SIGNED_FILES.add(
    "with the key and new tokens: a score edited, and another machine claimed",
    r"out/scores.parquet: does not follow from the log: computed again, \$?column",
    recompute=True,
)
def _(work: Path, target: Target) -> None:
    file = work / "out/scores.parquet"
    table = pyarrow.parquet.read_table(file)
    values = table["value"].to_pylist()
    values[3] += 1e-6
    pyarrow.parquet.write_table(table.set_column(5, "value", pyarrow.array(values)), file, compression="zstd")
    _as_if_elsewhere(work, target, sha256(file.read_bytes()))


@ON_SIGNED_FILES.add(
    "with the key and new tokens: an opinion edited, and another machine claimed",
    r"out/findings.json: does not follow from the log: computed again, \$.findings.*verdict is inconclusive",
    recompute=True,
)
def _(work: Path, target: Target) -> None:
    edit(work / "out/findings.json", b'"verdict":"inconclusive"', b'"verdict":"indication"')
    _as_if_elsewhere(work, target, sha256((work / "out/scores.parquet").read_bytes()))


def _as_if_elsewhere(work: Path, target: Target, scores: str) -> None:
    """Record that the scores were made on a machine that adds otherwise."""

    def change(records: Records) -> None:
        first_of(records, "scores")["body"] |= {"scores": scores, "arithmetic": "arm64 numpy 2.4.0 scipy 1.17.0"}
        first_of(records, "unblinding")["body"]["scores"] = scores

    rechain(work, change, target.authority.reply)
    stamped_anew(work, target)


_rewritten("an exhibit edited", "out/exhibits.csv: does not follow", "out/exhibits.csv", b"exhibit,", b"Exhibit,")
_rewritten(
    "a sentence of the report edited",
    "out/report.html: does not follow",
    "out/report.html",
    b"inconclusive",
    b"indicated",
)
_rewritten(
    "the case file made another than the registered one",
    "case.toml: is not the case that was registered",
    "case.toml",
    b"A made-up case",
    b"Another case",
    recompute=False,
)
_rewritten(
    "a script that always says yes",
    "VERIFY.py: is not the one that depose writes",
    "VERIFY.py",
    b"if not holds:",
    b"if False:",
    recompute=False,
)


@ON_SIGNED_FILES.add(
    "with the key and a new token: instructions that ask for less", "VERIFY.md: is not the one that depose"
)
def _(work: Path, target: Target) -> None:
    edit(work / "VERIFY.md", b"sha256sum --strict --quiet -c SEAL SHA256SUMS", b"sha256sum --quiet -c SHA256SUMS")
    stamped(work, target)


@ON_SIGNED_FILES.add(
    "with the key and a new token: sealed before the last record", "seal.json: sealed 20.*, before the last"
)
def _(work: Path, target: Target) -> None:
    seal = json.loads((work / "seal.json").read_bytes())
    seal["sealed_at"] = moved(seal["sealed_at"], timedelta(days=-1))
    (work / "seal.json").write_bytes(canonical(seal))
    stamped_anew(work, target)


@ON_SIGNED_FILES.add("with the key and a new token: an envelope of another type", "statement.json: .* of another type")
def _(work: Path, target: Target) -> None:
    edit(work / "statement.json", b"application/vnd.in-toto+json", b"application/vnd.in-toto+yaml")
    stamped(work, target)


@ON_SIGNED_FILES.add(
    "with the key and a new token: a statement of other opinions", "says something else than the findings"
)
def _(work: Path, target: Target) -> None:
    value = json.loads(base64.b64decode(json.loads((work / "statement.json").read_bytes())["payload"]))
    value["predicate"]["opinions"][0]["opinion"] = "indication"
    (work / "statement.json").write_bytes(envelope.write(value, target.key))
    stamped(work, target)


@ON_SIGNED_FILES.add(
    "with the key and a new token: a record left out of the tree", "another Merkle root than that of the log"
)
def _(work: Path, target: Target) -> None:
    seal = json.loads((work / "seal.json").read_bytes())
    seal["log"]["merkle_root"] = "0" * 64
    (work / "seal.json").write_bytes(canonical(seal))
    stamped_anew(work, target)


@ON_SIGNED_FILES.add(
    "with the key and a new token: two names that are one on some disks", "is one name with .* on some disks"
)
def _(work: Path, target: Target) -> None:
    (work / "out/Findings.json").write_bytes((work / "out/findings.json").read_bytes())
    restate(work, target.key)
    names = {p.relative_to(work).as_posix(): sha256(p.read_bytes()) for p in work.rglob("*") if p.is_file()}
    for one in ("SEAL", "SEAL.sig", *OUTSIDE):
        names.pop(one, None)
    recommit(work, set(names))
    text = "".join(f"{names[name]}  {name}\n" for name in sorted(names)).encode()
    (work / "SHA256SUMS").write_bytes(text)
    (work / "SHA256SUMS.tsr").write_bytes(target.authority.reply(timestamp.request(text)))
    outside = {p.name: sha256(p.read_bytes()) for p in (*work.glob("SHA256SUMS*"), *work.glob("COMMITMENT*"))}
    (work / "SEAL").write_text("".join(f"{outside[name]}  {name}\n" for name in sorted(outside)))
    (work / "SEAL.sig").write_bytes(keys.sign(target.key, (work / "SEAL").read_bytes()))
