"""Attacks on a sealed bundle by whoever has no key: on its files, and on the zip."""

from __future__ import annotations

import json
import os
import shutil
import struct
import zipfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from depose.custody import keys
from depose.evidence import timestamp
from depose.model.canonical import canonical, sha256
from tampering import LOG, Attacks, Records, Target, answer_of, edit, flip, lines, put, rechain, relist, restate

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of the curve P-256."""
BY_ANYBODY = Attacks()


def _flipped(name: str, says: str, file: str, place: float = 0.5) -> None:
    BY_ANYBODY.add(name, says)(lambda work, _: flip(next(iter(sorted(work.glob(file)))), place))


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
_flipped("a bit of the script that scores", "SCORE.py: was changed", "SCORE.py")
_flipped("a bit of the manifest", "SHA256SUMS: was changed", "SHA256SUMS")
_flipped("a bit of SEAL", "SEAL.sig: not a signature", "SEAL")
_flipped("a bit of the signature", "SEAL.sig: not a signature", "SEAL.sig")
_flipped("a bit of the protocol's token", r"evidence/seals/[0-9a-f]{64}.tsr: was changed", "evidence/seals/*.tsr")
_flipped(
    "a bit of the last token that its own signature leaves open", "SHA256SUMS.tsr: was changed", "SHA256SUMS.tsr", 0.034
)
_flipped("a bit of the request for a token", "SHA256SUMS.tsq: was changed", "SHA256SUMS.tsq")
_flipped("a bit of the authority's certificates", "evidence/seals/tsa.pem: was changed", "evidence/seals/tsa.pem")


@BY_ANYBODY.add("a bit of the public key", "signer.pem: not a public key|signed with the key|not a signature")
def _(work: Path, target: Target) -> None:
    flip(work / "signer.pem", 0.6)


@BY_ANYBODY.add("an answer edited", f"{LOG}: was changed.*does not follow the line before")
def _(work: Path, target: Target) -> None:
    edit(work / LOG, b'"text":"', b'"text":"As ChatGPT, ')


@BY_ANYBODY.add("a date edited", f"{LOG}: was changed.*line 2 does not follow")
def _(work: Path, target: Target) -> None:
    edit(work / LOG, b'"at":"20', b'"at":"19')


@BY_ANYBODY.add("a line dropped", f"{LOG}: was changed.*has number 6, not 5")
def _(work: Path, target: Target) -> None:
    put(work, lines(work)[:5] + lines(work)[6:])


@BY_ANYBODY.add("the last line dropped", f"{LOG}: was changed.*are a chain in itself")
def _(work: Path, target: Target) -> None:
    put(work, lines(work)[:-1])


@BY_ANYBODY.add("two lines swapped", f"{LOG}: was changed.*has number 9, not 8")
def _(work: Path, target: Target) -> None:
    all_ = lines(work)
    put(work, [*all_[:8], all_[9], all_[8], *all_[10:]])


@BY_ANYBODY.add("a line repeated", f"{LOG}: was changed.*has number 7, not 8")
def _(work: Path, target: Target) -> None:
    all_ = lines(work)
    put(work, [*all_[:8], all_[7], *all_[8:]])


@BY_ANYBODY.add("a line appended, well chained", f"{LOG}: was changed.*are a chain in itself")
def _(work: Path, target: Target) -> None:
    all_ = lines(work)
    last = json.loads(all_[-1])
    made = canonical({**last, "seq": last["seq"] + 1, "prev": sha256(all_[-1][:-1])})
    put(work, [*all_, made + b"\n"])


@BY_ANYBODY.add("a file added", "out/letter.txt: was added")
def _(work: Path, target: Target) -> None:
    (work / "out/letter.txt").write_text("By the way")


@BY_ANYBODY.add("a hidden file added", r"\.notes: was added")
def _(work: Path, target: Target) -> None:
    (work / ".notes").write_text("By the way")


@BY_ANYBODY.add("an empty folder whose name says something", "an empty folder was added")
def _(work: Path, target: Target) -> None:
    (work / "out/all.of.this.is.invented").mkdir()


@BY_ANYBODY.add("a file called like a part of the seal", "out/SEAL: was added")
def _(work: Path, target: Target) -> None:
    (work / "out/SEAL").write_text("By the way")


@BY_ANYBODY.add("a blob removed", "is missing; the manifest lists it")
def _(work: Path, target: Target) -> None:
    next((work / "evidence/blobs").iterdir()).unlink()


@BY_ANYBODY.add("a blob and its line of the manifest removed", "SHA256SUMS: was changed")
def _(work: Path, target: Target) -> None:
    blob = next((work / "evidence/blobs").iterdir())
    kept = [x for x in (work / "SHA256SUMS").read_text().splitlines(keepends=True) if blob.name not in x]
    (work / "SHA256SUMS").write_text("".join(kept))
    blob.unlink()


@BY_ANYBODY.add("a junk line in the manifest", "SHA256SUMS: was changed")
def _(work: Path, target: Target) -> None:
    (work / "SHA256SUMS").write_bytes((work / "SHA256SUMS").read_bytes() + b"# all good\n")


@BY_ANYBODY.add("findings and all manifests edited alike", "SEAL.sig: not a signature")
def _(work: Path, target: Target) -> None:
    edit(work / "out/findings.json", b"inconclusive", b"indication")
    relist(work)


@BY_ANYBODY.add("an answer edited, the whole chain and all manifests made anew", "SEAL.sig: not a signature")
def _(work: Path, target: Target) -> None:
    rechain(work, forge_answer)
    relist(work)


def forge_answer(records: Records) -> None:
    """Put words into a model's mouth."""
    answer_of(records)["text"] = "forged"


@BY_ANYBODY.add("everything made anew and signed with another key", "signed with the key .* not with")
def _(work: Path, target: Target) -> None:
    other = keys.load(_other_key(target))
    rechain(work, forge_answer)
    (work / "signer.pem").write_bytes(keys.public_pem(other.public_key()))
    restate(work, other)
    relist(work, other)


def _other_key(target: Target) -> Path:
    path = target.folder / "other.pem"
    if not path.is_file():
        keys.make(path)
    return path


@BY_ANYBODY.add("signature by another key under the right public key", "SEAL.sig: not a signature")
def _(work: Path, target: Target) -> None:
    relist(work, keys.load(_other_key(target)))


@BY_ANYBODY.add("the seal taken off", "no SEAL: not sealed")
def _(work: Path, target: Target) -> None:
    (work / "SEAL").unlink()


@BY_ANYBODY.add("the signature taken off", "no SEAL.sig: not sealed")
def _(work: Path, target: Target) -> None:
    (work / "SEAL.sig").unlink()


@BY_ANYBODY.add("the last token taken off", "SHA256SUMS.tsr: is missing; the manifest lists it")
def _(work: Path, target: Target) -> None:
    (work / "SHA256SUMS.tsr").unlink()


@BY_ANYBODY.add("the last token swapped for a later one", "SHA256SUMS.tsr: was changed")
def _(work: Path, target: Target) -> None:
    query = timestamp.request((work / "SHA256SUMS").read_bytes())
    (work / "SHA256SUMS.tsr").write_bytes(target.authority.reply(query))


@BY_ANYBODY.add(
    "two tokens swapped with each other", r"evidence/seals/[0-9a-f]{64}.tsr: was changed|SHA256SUMS.tsr: was changed"
)
def _(work: Path, target: Target) -> None:
    one, other = next((work / "evidence/seals").glob("*.tsr")), work / "SHA256SUMS.tsr"
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


@BY_ANYBODY.add("a file replaced by a symbolic link", "case.toml is a symbolic link")
def _(work: Path, target: Target) -> None:
    (work / "case.toml").unlink()
    (work / "case.toml").symlink_to(target.case / "case.toml")


@BY_ANYBODY.add("a folder replaced by a symbolic link", "out is a symbolic link")
def _(work: Path, target: Target) -> None:
    shutil.rmtree(work / "out")
    (work / "out").symlink_to(target.case / "out")


@BY_ANYBODY.add("a pipe that never ends", "out/pipe is not a file")
def _(work: Path, target: Target) -> None:
    os.mkfifo(work / "out/pipe")


@BY_ANYBODY.add("a name that a terminal obeys", "not a name that may stand in a bundle")
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


@BY_ANYBODY.add("path traversal in a zip", r"'\.\./\.\./evil': not a name", unseen=True)
def _(work: Path, target: Target) -> Path:
    return _rezipped(work, "../../evil", b"x")


@BY_ANYBODY.add("an absolute path in a zip", "'/etc/passwd': not a name", unseen=True)
def _(work: Path, target: Target) -> Path:
    return _rezipped(work, "/etc/passwd", b"x")


@BY_ANYBODY.add("a Windows path in a zip", "not a name that may stand", unseen=True)
def _(work: Path, target: Target) -> Path:
    return _rezipped(work, "..\\evil", b"x")


@BY_ANYBODY.add("a symbolic link in a zip", "SEAL is a symbolic link", unseen=True)
def _(work: Path, target: Target) -> Path:
    return _rezipped(work, "SEAL", b"/etc/passwd", mode=0o120777)


@BY_ANYBODY.add("a zip bomb", "is compressed, so that a small file may hide a huge one", unseen=True)
def _(work: Path, target: Target) -> Path:
    return _rezipped(work, "SEAL", bytes(50_000_000), method=zipfile.ZIP_DEFLATED)


@BY_ANYBODY.add("a size that a zip does not have", "more than the bundle", unseen=True)
def _(work: Path, target: Target) -> Path:
    raw = bytearray(target.bundle.read_bytes())
    raw[18:26] = struct.pack("<II", 4_000_000_000, 4_000_000_000)
    return _raw(work, bytes(raw))


@BY_ANYBODY.add("an entry twice in a zip", "out of order, or there twice", unseen=True)
def _(work: Path, target: Target) -> Path:
    raw = target.bundle.read_bytes()
    first = raw[: raw.index(b"PK\x03\x04", 4)]
    return _raw(work, first + raw)


@BY_ANYBODY.add("bytes after a zip", "bytes after the directory", unseen=True)
def _(work: Path, target: Target) -> Path:
    return _raw(work, target.bundle.read_bytes() + b"\0")


@BY_ANYBODY.add("bytes before a zip", "not a zip file with files in it", unseen=True)
def _(work: Path, target: Target) -> Path:
    return _raw(work, b"\0" + target.bundle.read_bytes())


@BY_ANYBODY.add("a zip cut off", "directory entry|ends within|more than the bundle|bytes after", unseen=True)
def _(work: Path, target: Target) -> Path:
    return _raw(work, target.bundle.read_bytes()[:-200])


@BY_ANYBODY.add("a date in a zip", "is not as depose writes it", unseen=True)
def _(work: Path, target: Target) -> Path:
    raw = bytearray(target.bundle.read_bytes())
    raw[12] ^= 1
    return _raw(work, bytes(raw))


def _raw(work: Path, data: bytes) -> Path:
    goal = work.with_suffix(".zip")
    goal.write_bytes(data)
    return goal


# --- on what is read before anything is known -------------------------------------------------------


@BY_ANYBODY.add("a seal of fifty megabytes of nothing", "SEAL: has 50000000 bytes, more than")
def _(work: Path, target: Target) -> None:
    with (work / "SEAL").open("r+b") as file:
        file.truncate(50_000_000)


@BY_ANYBODY.add("another signature that holds just as well", "SEAL.sig: not in the one form", unseen=True)
def _(work: Path, target: Target) -> Path:
    r, s = decode_dss_signature((work / "SEAL.sig").read_bytes())
    (work / "SEAL.sig").write_bytes(encode_dss_signature(r, ORDER - s))
    return work


@BY_ANYBODY.add("a name that Windows cannot hold", "not a name that may stand in a bundle")
def _(work: Path, target: Target) -> None:
    (work / "out/nul.txt").write_text("By the way")


@BY_ANYBODY.add("a file that is another's copy by a hard link, and is then changed", "out/findings.json: was changed")
def _(work: Path, target: Target) -> None:
    (work.parent / "outside").write_bytes((work / "out/findings.json").read_bytes())
    (work / "out/findings.json").unlink()
    (work / "out/findings.json").hardlink_to(work.parent / "outside")
    edit(work.parent / "outside", b"inconclusive", b"indication")
