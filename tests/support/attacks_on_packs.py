"""Traps in control packs: files of many answers that a stranger signed, or that somebody put in another one's place."""

from __future__ import annotations

import base64
import json
import lzma
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from depose.case import controls, packs, signatures
from depose.case.packs import PackAnswer
from depose.model.canonical import canonical, sha256
from depose.packs import build
from depose.packs.info import info
from fakes import recorded_case
from traps import Place, Traps

ON_PACKS = Traps("a pack that says what it does not hold, or takes more than it may")
KEY = ec.derive_private_key(7, ec.SECP256R1())
AT = "2026-11-28T04:00:00.000000Z"


class Parts(NamedTuple):
    """What a pack is made of."""

    manifest: dict[str, Any]
    prompts: list[bytes]
    answers: list[dict[str, Any]]


@cache
def whole() -> bytes:
    """A pack of three controls and three prompts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recorded_case(folder / "acme", suspect="somebody", controls=3, prompts=3)
        path = folder / "acme-1.pack"
        build.write(build.from_case(folder / "acme"), build.Label("acme", "1"), KEY, path, AT)
        return path.read_bytes()


def parts() -> Parts:
    """Take it apart."""
    _, manifest, _, packed = whole().split(b"\n", 3)
    lines = lzma.decompress(packed).splitlines()
    return Parts(json.loads(manifest), lines[:3], [json.loads(line) for line in lines[3:]])


def signed(manifest: dict[str, Any], body: bytes, unpacked: int, key: signatures.PrivateKey = KEY) -> bytes:
    """Sign any manifest over any body, as whoever has a key can."""
    said = manifest | {"body": {"sha256": sha256(body), "size": len(body), "unpacked": unpacked}}
    line = json.dumps(said, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    head = packs.FIRST + line.encode("utf-8", "surrogatepass") + b"\n"
    pem = signatures.public_pem(key.public_key()).decode()
    seal = {"public_key": pem, "signature": base64.b64encode(signatures.sign(key, head)).decode()}
    return head + canonical(seal) + b"\n" + body


def made(of: Parts, key: signatures.PrivateKey = KEY) -> bytes:
    """Sign parts that agree with each other: counts and digests are made anew."""
    rows = [msgspec.convert(one, PackAnswer) for one in of.answers]
    models = []
    for model in of.manifest["models"]:
        mine = [one for one in rows if one.model == model["spec"]["model"]]
        models.append(model | {"answers": len(mine), "sha256": packs.digest_of(mine)})
    plain = b"".join(line + b"\n" for line in (*of.prompts, *map(packs.line_of, rows)))
    return signed(of.manifest | {"models": models, "answers": len(rows)}, lzma.compress(plain), len(plain), key)


def _opened(path: Path) -> object:
    """Do what `depose pack info` does."""
    found = packs.read(path)
    packs.contents(found, str(path))
    return info(found, path, AT)


def _pack(
    name: str, says: str, *, file: str = "x.pack", slow: bool = False
) -> Callable[[Callable[[Parts], bytes]], None]:
    """Add a pack that is made of the parts of a genuine one."""

    def added(make: Callable[[Parts], bytes]) -> None:
        def spring(place: Place) -> object:
            (place.folder / file).write_bytes(make(parts()))
            return _opened(place.folder / file)

        ON_PACKS.add(f"a pack {name}", says, slow=slow)(spring)

    return added


# --- what it holds ----------------------------------------------------------------------------------


def _repeated(count: int, of: Parts, line: bytes = b"") -> bytes:
    """A body of so many lines, which packs to nothing, with digests that hold."""
    first, *others = of.manifest["models"]
    line = line or packs.line_of(msgspec.convert(of.answers[0] | {"text": ""}, PackAnswer)) + b"\n"
    name = of.answers[0]["model"]
    models = [
        one
        | {
            "answers": count if one["spec"]["model"] == name else 0,
            "sha256": sha256(line * count if one["spec"]["model"] == name else b""),
        }
        for one in (first, *others)
    ]
    plain = b"".join(prompt + b"\n" for prompt in of.prompts) + line * count
    settings = of.manifest["settings"] | {"samples": 100}
    return signed(
        of.manifest | {"models": models, "answers": count, "settings": settings},
        lzma.compress(plain, preset=0),
        len(plain),
    )


@_pack("of a million answers to three prompts", "it states 1000000 answers, and its prompts can have 900")
def _(of: Parts) -> bytes:
    return _repeated(1_000_000, of)


@_pack("that states two thousand million prompts", "would take .* MiB of memory, more than a pack of its size may")
def _(of: Parts) -> bytes:
    return signed(of.manifest | {"prompts": 2 * 10**9}, b"x", 1)


@_pack("that unpacks to two gigabytes, and says so", "would take 2048 MiB of memory")
def _(of: Parts) -> bytes:
    return signed(of.manifest, b"x", packs.UNPACKED)


@_pack("whose body is of zip's format", "cannot be unpacked")
def _(of: Parts) -> bytes:
    return signed(of.manifest, b"PK\x03\x04" + bytes(100), 1)


@_pack("with a second answer to pick from", "answers .* twice: of two answers one could be picked")
def _(of: Parts) -> bytes:
    settings = of.manifest["settings"] | {"samples": 2}
    return made(
        of._replace(manifest=of.manifest | {"settings": settings}, answers=[*of.answers, of.answers[0] | {"text": "x"}])
    )


@_pack("with a sample that was not asked for", "an answer to a prompt, or of a model, that it does not have")
def _(of: Parts) -> bytes:
    return made(of._replace(answers=[of.answers[0] | {"sample": 7}, *of.answers[1:]]))


@_pack("whose answers were moved to another control", "the answers of .* are not those of its manifest")
def _(of: Parts) -> bytes:
    names = sorted({one["model"] for one in of.answers})
    moved = dict(zip(names, (*names[1:], names[0]), strict=True))
    rows = [msgspec.convert(one | {"model": moved[one["model"]]}, PackAnswer) for one in of.answers]
    plain = b"".join(line + b"\n" for line in (*of.prompts, *map(packs.line_of, rows)))
    return signed(of.manifest, lzma.compress(plain), len(plain))


@_pack("with a prompt twice", "as many prompts and answers as it states")
def _(of: Parts) -> bytes:
    return made(of._replace(prompts=[of.prompts[0], of.prompts[0], of.prompts[2]]))


@_pack("with an answer that is no UTF-8", "answer 1 is of another make: .*decode byte 0xff")
def _(of: Parts) -> bytes:
    line = packs.line_of(msgspec.convert(of.answers[0], PackAnswer)).replace(b'"text":"', b'"text":"\xff')
    plain = b"".join(prompt + b"\n" for prompt in of.prompts) + line + b"\n"
    return signed(of.manifest, lzma.compress(plain), len(plain))


@_pack("with half a surrogate in a prompt", "prompt 1: a value has no canonical JSON form")
def _(of: Parts) -> bytes:
    plain = of.prompts[0].replace(b'"text":"', b'"text":"\\ud800') + b"\n"
    return signed(of.manifest, lzma.compress(plain), len(plain))


@_pack("with a prompt that nests a hundred thousand times", "prompt 1 is not JSON: maximum recursion")
def _(of: Parts) -> bytes:
    plain = b"[" * 100_000 + b"\n"
    return signed(of.manifest, lzma.compress(plain), len(plain))


@_pack("with an answer that says two things", "answer 1 is not in its one form")
def _(of: Parts) -> bytes:
    line = packs.line_of(msgspec.convert(of.answers[0], PackAnswer))
    plain = b"".join(prompt + b"\n" for prompt in of.prompts) + b'{"text":"another",' + line[1:] + b"\n"
    return signed(of.manifest, lzma.compress(plain), len(plain))


# --- what it says -----------------------------------------------------------------------------------


def _said(name: str, says: str, **changes: Any) -> None:
    _pack(name, says)(lambda of: made(of._replace(manifest=of.manifest | changes)))


def _said_of_a_model(name: str, says: str, *, spec: dict[str, Any] | None = None, **changes: Any) -> None:
    def make(of: Parts) -> bytes:
        first, *others = of.manifest["models"]
        first = first | changes | {"spec": first["spec"] | (spec or {})}
        return made(of._replace(manifest=of.manifest | {"models": [first, *others]}))

    _pack(name, says)(make)


_said("whose title steers the terminal", r"its title holds '\\x1b'", title="controls\x1b[2J")
_said("whose title reads backwards", r"its title holds '\\u202e'", title="controls \u202elortnoc")
_said("whose source steers the terminal", r"its made_from holds '\\x9b'", made_from="\x9b31m")
_said("whose languages hold a line of their own", r"its languages holds '\\n'", languages=["latin\nsigned by 0"])
_said("built on no day", "'zzzz' is no time such as", built="zzzz")
_said("built in another form of time", "is no time such as", built="2026-11-28 04:00")
_said("with 2^60 prompts", "its manifest: a value has no canonical JSON form", prompts=2**60)
_said("with a title of half a surrogate", "its manifest is not JSON|no canonical JSON form", title="a\ud800")
_said_of_a_model("asked on no day", "'soon' is no time such as", first_asked="soon", last_asked="soon")
_said_of_a_model("asked last before it was asked first", "asked last before", first_asked=AT, last_asked="")
_said_of_a_model(
    "asked after it was built",
    "was asked after the pack was built",
    first_asked=AT,
    last_asked=AT.replace("2026", "2027"),
)
_said_of_a_model(
    "with a letter that nobody sees in a developer", r"its developer holds '\\u200b'", spec={"developer": "Ac\u200bme"}
)
_said_of_a_model("with a name at the provider over two lines", r"its asked_as holds '\\n'", asked_as="a\nb")
_said_of_a_model(
    "that names a variable of a key", "is more than a recorded control", spec={"api_key_env": "DEPOSE_CANARY"}
)
_said_of_a_model(
    "that names a file of the reader", "is more than a recorded control", spec={"file": "../home/private.csv"}
)


# --- in another one's place -------------------------------------------------------------------------


@_pack("of an older version under a newer name", "is called as another pack is: it is acme-1", file="acme-9.pack")
def _(of: Parts) -> bytes:
    return whole()


@_pack("under the name of another one", "is called as another pack is: it is acme-1", file="lab-1.pack")
def _(of: Parts) -> bytes:
    return whole()


@_pack("with the signature of another one", "not a signature of")
def _(of: Parts) -> bytes:
    other = made(of._replace(manifest=of.manifest | {"title": "another"}))
    first, manifest, _, body = whole().split(b"\n", 3)
    return b"\n".join((first, manifest, other.split(b"\n", 3)[2], body))


@_pack("with the body of another one", "its body is not the one that was signed")
def _(of: Parts) -> bytes:
    other = made(of._replace(answers=[of.answers[0] | {"text": "another"}, *of.answers[1:]]))
    return b"\n".join((*whole().split(b"\n", 3)[:3], other.split(b"\n", 3)[3]))


@ON_PACKS.add("an older pack that a case would take for the newest", "is called as another pack is: it is acme-1")
def _(place: Place) -> object:
    folder = place.folder / controls.FOLDER
    folder.mkdir()
    for name in ("acme-1.pack", "acme-3.pack"):
        (folder / name).write_bytes(whole())
    return packs.read(controls.find("acme", place.folder))


@ON_PACKS.add("a pack that is a link to a private file", "a symbolic link")
def _(place: Place) -> object:
    (place.folder / "acme-1.pack").symlink_to(place.canary)
    return _opened(place.folder / "acme-1.pack")
