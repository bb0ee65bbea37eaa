"""Control packs: one signed file of prompts and of the answers that many controls gave to them.

A pack is three lines and a body. The lines: the words `depose-pack 1`; the manifest, in canonical JSON; the public key
and its signature over both lines before. The body is the prompts and then the answers, one line of JSON each,
compressed by xz; the manifest states its digest and both its sizes. So no byte can change without being seen, nothing
is unpacked before that is known, nothing grows beyond its stated size, and there is no name of a file inside.
"""

from __future__ import annotations

import base64
import binascii
import json
import lzma
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from depose.case import signatures
from depose.case.casetext import described
from depose.case.formats.found import Found, Turn
from depose.case.formats.strict import pairs
from depose.case.pack_checks import MAY as MAY
from depose.case.pack_checks import problem_of
from depose.case.untrusted_files import read_untrusted
from depose.errors import CaseError, DeposeError, EvidenceError
from depose.model import ModelSpec, Prompt, Record, Text
from depose.model.canonical import UNREADABLE, canonical, sha256

SUFFIX = ".pack"
FIRST = b"depose-pack 1\n"
HEAD = 16 * 1024**2
"""Bytes of the manifest at most."""
LARGEST = 1024**3
"""Bytes of a pack at most."""
UNPACKED = 2 * 1024**3
"""Bytes of its body at most, once it is unpacked."""
MEMORY = 128 * 1024**2
"""Bytes that the decompressor may take for its dictionary."""
_CHUNK = 1024**2
NAME = r"^[a-z][a-z0-9-]{0,39}\Z"
VERSION = r"^(0|[1-9][0-9]{0,5})(\.(0|[1-9][0-9]{0,5})){0,3}\Z"
_HINT = "it was changed after it was signed, or is no pack; get it again from whoever made it"

T = TypeVar("T")


class Settings(Record, frozen=True, kw_only=True):
    """How the controls were asked: a case with the pack asks its own models so."""

    temperature: Annotated[float, Meta(ge=0, le=2)]
    """Of every model of the pack that names none of its own."""
    max_tokens: Annotated[int, Meta(ge=1, le=32_768)]
    """Length of an answer at most."""
    samples: Annotated[int, Meta(ge=1, le=100)] = 1
    """How often each prompt was asked of every model."""
    calibration: str = ""
    """The validation study that goes with these prompts, where there is one."""


class PackModel(Record, frozen=True, kw_only=True):
    """One control of a pack."""

    spec: ModelSpec
    """What a case says of it: a recorded control, whose file is the pack."""
    asked_as: str = ""
    """Its name at the provider."""
    provider: str = ""
    """How it was reached."""
    base_url: str = ""
    """Where it was asked; nothing where it ran locally, or where nobody wrote it down."""
    first_asked: str = ""
    """When its first answer began, in UTC; nothing where nobody wrote it down."""
    last_asked: str = ""
    """When its last answer ended."""
    answers: int
    """How many of its answers the pack holds."""
    sha256: str
    """Digest of its answers as they stand in the body, line by line."""


class Body(Record, frozen=True, kw_only=True):
    """What follows the three lines."""

    sha256: str
    size: Annotated[int, Meta(ge=1, le=LARGEST)]
    unpacked: Annotated[int, Meta(ge=1, le=UNPACKED)]


class PackManifest(Record, frozen=True, kw_only=True):
    """What a pack is: its second line."""

    name: Annotated[str, Meta(pattern=NAME)]
    """What a case calls it: `controls = "pack:NAME"`."""
    version: Annotated[str, Meta(pattern=VERSION)]
    """Numbers with points between; the highest is taken where a case names none."""
    title: Text
    """What it holds, in a line."""
    authority: Text
    """On what right its models were asked."""
    built: str
    """When it was built, in UTC."""
    software: str
    """Version of depose that built it."""
    made_from: str
    """What its answers come from: a case and the head of its log, a batch, or a table of answers."""
    settings: Settings
    models: Annotated[tuple[PackModel, ...], Meta(min_length=1, max_length=5_000)]
    prompts: Annotated[int, Meta(ge=1)]
    """How many prompts it holds."""
    answers: Annotated[int, Meta(ge=1)]
    """How many answers it holds."""
    languages: tuple[str, ...] = ()
    """Scripts of its answers, the most frequent first."""
    body: Body

    @property
    def file(self) -> str:
        """Its usual name as a file."""
        return f"{self.name}-{self.version}{SUFFIX}"


class PackAnswer(Record, frozen=True, kw_only=True):
    """One answer, or why there is none: a line of the body."""

    model: str
    """The `model` of its spec in the manifest."""
    prompt: str
    """Id of its prompt."""
    sample: int
    text: str
    finish: str = ""
    """Why it ended, in the provider's own word."""
    refusal: str = ""
    """Words of a refusal that came in a field of its own."""
    guard: str = ""
    """What a filter said that it did."""
    reason: str = ""
    """Why there is no answer."""


class _Signed(Record, frozen=True, kw_only=True):
    """The third line."""

    public_key: str
    signature: str


class Pack(Record, frozen=True, kw_only=True):
    """A pack whose signature and digests hold."""

    manifest: PackManifest
    signer: str
    """SHA-256 of the public key that signed it; who holds the key, only its owner can say."""
    sha256: str
    """Of the whole file."""
    packed: bytes
    """The body, still compressed."""


def manifest_of(models: Sequence[PackModel], **fields: Any) -> dict[str, Any]:
    """Lay out a manifest without its body, models by what is not as it would be without being said."""
    listed = [{**msgspec.to_builtins(one), "spec": described(one.spec)} for one in models]
    return {**msgspec.to_builtins(fields), "models": listed}


def written(
    manifest: dict[str, Any], prompts: Sequence[Prompt], answers: Sequence[PackAnswer], key: signatures.PrivateKey
) -> bytes:
    """Write a pack; the same contents and key give the same bytes."""
    lines = [canonical(one) for one in prompts] + [line_of(one) for one in answers]
    plain = b"".join(line + b"\n" for line in lines)
    packed = lzma.compress(plain, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC64, preset=6)
    body = {"sha256": sha256(packed), "size": len(packed), "unpacked": len(plain)}
    head = FIRST + canonical({**manifest, "body": body}) + b"\n"
    msgspec.convert(json.loads(head[len(FIRST) :]), PackManifest)  # what cannot be read must not be written
    signature = base64.b64encode(signatures.sign(key, head)).decode()
    pem = signatures.public_pem(key.public_key()).decode()
    return head + canonical(_Signed(public_key=pem, signature=signature)) + b"\n" + packed


def line_of(answer: PackAnswer) -> bytes:
    """Write an answer as its line of the body, without what it has not."""
    always = ("model", "prompt", "sample", "text")
    return canonical({name: value for name, value in msgspec.to_builtins(answer).items() if value or name in always})


def digest_of(answers: Sequence[PackAnswer]) -> str:
    """Digest of the answers of one model, line by line."""
    return sha256(b"".join(line_of(one) + b"\n" for one in answers))


def read(path: Path) -> Pack:
    """Read a pack and check its signature and its digests; nothing is unpacked.

    Raises EvidenceError where anything does not hold, and CaseError where the file cannot be read.
    """
    try:
        data = read_untrusted(path, LARGEST)
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or error}", hint="depose pack info lists packs") from error
    except ValueError as error:
        raise CaseError(f"{path}: {error}", hint="name a control pack") from error
    found = parsed(data, str(path))
    said = (found.manifest.name, found.manifest.version)
    if named(path.name) not in (None, said):
        raise _bad(str(path), f"is called as another pack is: it is {'-'.join(said)}")
    return found


def parsed(data: bytes, name: str) -> Pack:
    """Check the bytes of a pack; `name` is for messages."""
    if not data.startswith(FIRST):
        raise _bad(name, f"does not begin with {FIRST.decode().strip()!r}")
    end = data.find(b"\n", len(FIRST), len(FIRST) + HEAD)
    after = data.find(b"\n", end + 1, end + 1 + HEAD) if end >= 0 else -1
    if after < 0:
        raise _bad(name, "ends within its first three lines")
    head, packed = data[: end + 1], data[after + 1 :]
    signed = _canonical(data[end + 1 : after], _Signed, name, "its third line")
    key = signatures.load_public(signed.public_key.encode("utf-8", "replace"), name)
    if signatures.public_pem(key).decode() != signed.public_key:
        raise _bad(name, "its key is not in the form in which depose writes it")
    signatures.check(key, _base64(signed.signature, name), head, name)
    manifest = _canonical(head[len(FIRST) : -1], PackManifest, name, "its manifest")
    if (len(packed), sha256(packed)) != (manifest.body.size, manifest.body.sha256):
        raise _bad(name, "its body is not the one that was signed")
    if said := problem_of(manifest):
        raise _bad(name, said)
    return Pack(manifest=manifest, signer=signatures.fingerprint(key), sha256=sha256(data), packed=packed)


def _bad(name: str, what: str) -> EvidenceError:
    return EvidenceError(f"{name}: {what}", hint=_HINT)


def _base64(text: str, name: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad(name, f"its signature is not base64: {error}") from error
    if base64.b64encode(found).decode() != text:
        raise _bad(name, "its signature is not in the one form of base64")
    return found


def _canonical(line: bytes, kind: type[T], name: str, what: str) -> T:
    """Read a line that must be canonical JSON of a record."""
    try:
        value = json.loads(line, object_pairs_hook=pairs)
        found = msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        raise _bad(name, f"{what} is of another make: {error}") from error
    except (ValueError, RecursionError) as error:
        raise _bad(name, f"{what} is not JSON: {error}") from error
    try:
        one_form = canonical(value) == line
    except DeposeError as error:
        raise _bad(name, f"{what}: {error.message}") from error
    if not one_form:
        raise _bad(name, f"{what} is not in its one form")
    return found


def unpacked(pack: Pack, name: str) -> Iterator[bytes]:
    """Yield the lines of the body, never more than the manifest states."""
    left, rest = pack.manifest.body.unpacked, b""
    reader = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MEMORY)
    given = pack.packed
    try:
        while not reader.eof:
            part = reader.decompress(given, max_length=min(_CHUNK, left + 1))
            given = b""
            left -= len(part)
            if left < 0 or (not part and reader.needs_input and not reader.eof):
                raise _bad(name, "its body does not unpack to the size that it states")
            *lines, rest = (rest + part).split(b"\n")
            if len(rest) > HEAD:
                raise _bad(name, f"a line of its body has more than {HEAD} bytes")
            yield from lines
    except lzma.LZMAError as error:
        raise _bad(name, f"its body cannot be unpacked: {error}") from error
    if left or rest or reader.unused_data:
        raise _bad(name, "its body does not unpack to the size that it states")


def contents(pack: Pack, name: str) -> tuple[tuple[Prompt, ...], tuple[PackAnswer, ...]]:
    """Unpack the prompts and the answers of a pack, and hold them against its manifest."""
    prompts: list[Prompt] = []
    answers: list[PackAnswer] = []
    manifest = pack.manifest
    for line in unpacked(pack, name):
        if len(prompts) < manifest.prompts:
            prompts.append(_canonical(line, Prompt, name, f"prompt {len(prompts) + 1}"))
        elif len(answers) == manifest.answers:
            raise _bad(name, "it holds more answers than it states")
        else:
            try:
                answers.append(msgspec.json.decode(line, type=PackAnswer))
                if line_of(answers[-1]) != line:
                    raise _bad(name, f"answer {len(answers)} is not in its one form")
            except UNREADABLE as error:
                raise _bad(name, f"answer {len(answers) + 1} is of another make: {error}") from error
    ids = {one.id for one in prompts}
    if (len(ids), len(answers)) != (manifest.prompts, manifest.answers):
        raise _bad(name, "it does not hold as many prompts and answers as it states")
    mine: dict[str, list[PackAnswer]] = {one.spec.model: [] for one in manifest.models}
    seen: set[tuple[str, str, int]] = set()
    for answer in answers:
        if answer.prompt not in ids or answer.model not in mine or not 0 <= answer.sample < manifest.settings.samples:
            raise _bad(name, "an answer to a prompt, or of a model, that it does not have")
        key = (answer.model, answer.prompt, answer.sample)
        if key in seen:
            raise _bad(
                name, f"{answer.model[:80]} answers {answer.prompt[:80]} twice: of two answers one could be picked"
            )
        seen.add(key)
        mine[answer.model].append(answer)
    for one in manifest.models:
        if (len(mine[one.spec.model]), digest_of(mine[one.spec.model])) != (one.answers, one.sha256):
            raise _bad(name, f"the answers of {one.spec.code} are not those of its manifest")
    return tuple(prompts), tuple(answers)


def found(path: Path, *, answers: bool) -> Iterator[Found]:
    """Yield what a pack holds as rows of a file of answers, or its prompts alone."""
    pack = read(path)
    prompts, given = contents(pack, str(path))
    asked = {one.id: one for one in prompts}
    if not answers:
        for one in prompts:
            yield Found(id=one.id, prompt=one.text, family=one.family, cluster=one.cluster)
        return
    system = {one.spec.model: one.spec.system for one in pack.manifest.models}
    for answer in given:
        prompt, said = asked[answer.prompt], system[answer.model]
        turns = ((Turn(role="system", text=said),) if said.strip() else ()) + (Turn(role="user", text=prompt.text),)
        yield Found(
            id=prompt.id,
            prompt=prompt.text,
            turns=turns,
            text=None if answer.reason else answer.text,
            model=answer.model,
            sample=answer.sample,
            finish=answer.finish,
            refusal=answer.refusal,
            guard=answer.guard,
            family=prompt.family,
            cluster=prompt.cluster,
            problem=answer.reason,
        )


def version_key(version: str) -> tuple[int, ...]:
    """Order versions by their numbers."""
    return tuple(int(part) for part in version.split("."))


def named(file: str) -> tuple[str, str] | None:
    """Read name and version out of the usual name of a pack; None for any other name."""
    name, _, version = file.removesuffix(SUFFIX).rpartition("-")
    fits = file.endswith(SUFFIX) and re.match(NAME, name) and re.match(VERSION, version)
    return (name, version) if fits else None
