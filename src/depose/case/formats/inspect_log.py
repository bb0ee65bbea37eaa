"""Logs of inspect: `.eval`, a zip of one file per sample, and the same in JSON.

What was asked is what `messages` say: system prompt, wrappers, second turns and calls of tools stand there and not in
`input`. Epochs are samples, and so are the choices of one epoch.
"""

from __future__ import annotations

import json
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from depose.case.formats import messages
from depose.case.formats.found import Found, Raw, Turn, found, list_of, message_of, object_of, word
from depose.case.formats.strict import pairs

LARGEST_MEMBER = 64 * 1024**2
"""A sample of an inspect log that unpacks to more bytes than this is refused."""
ZSTANDARD = 93
MOST_UNPACKED = 2 * 1024**3


def is_log(document: Any) -> bool:
    """Tell an inspect log in JSON."""
    return isinstance(document, dict) and isinstance(document.get("eval"), dict) and "samples" in document


def read_log(document: Raw) -> Iterator[Found]:
    """Read an inspect log in JSON; scores and statistics in it are passed over."""
    samples = document["samples"]
    if not isinstance(samples, list):
        raise ValueError("no list of samples in it: a log of headers alone")
    yield from _samples(samples, _model_of(document))


def read_archive(path: Path) -> Iterator[Found]:
    """Read a `.eval` log: a zip with `header.json` and one file per sample."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MOST_UNPACKED:
                raise ValueError(f"unpacks to more than {MOST_UNPACKED} bytes")
            names = Counter(member.filename for member in members)
            if "header.json" not in names:
                raise ValueError("no header.json in it: the evaluation did not end, or it is no inspect log")
            model = _model_of(_member(archive, archive.getinfo("header.json")))
            wanted = [one for one in members if re.fullmatch(r"samples/.*_epoch_[0-9]+\.json", one.filename, re.DOTALL)]
            twice = next((name for name, number in names.items() if number > 1 and name.startswith("samples/")), None)
            if twice:
                raise ValueError(f"{twice} stands twice in it")
            samples = [_member(archive, one) for one in wanted]
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError) as error:
        raise ValueError(f"not a whole zip file: {error}") from error
    except (NotImplementedError, RuntimeError) as error:  # a compression that this Python lacks, or a password
        raise ValueError(f"{error}; write it anew: inspect log convert --to json") from error
    yield from _samples(samples, model)


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Any:
    if member.compress_type == ZSTANDARD:
        data = _unpacked(archive, member)
    else:
        with archive.open(member) as file:
            data = file.read(LARGEST_MEMBER + 1)
    if len(data) > LARGEST_MEMBER:
        raise ValueError(f"{member.filename} unpacks to more than {LARGEST_MEMBER} bytes")
    try:
        return json.loads(data.decode(), object_pairs_hook=pairs)
    except ValueError as error:
        raise ValueError(f"{member.filename}: {error}") from error


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Unpack what inspect packs with Zstandard, which `zipfile` knows only from Python 3.14 on."""
    import pyarrow

    raw: Any = archive.fp
    raw.seek(member.header_offset + 26)
    name, extra = struct.unpack("<HH", raw.read(4))
    raw.seek(name + extra, 1)
    packed = raw.read(member.compress_size)
    try:
        with pyarrow.CompressedInputStream(pyarrow.BufferReader(packed), "zstd") as stream:
            data: bytes = stream.read(LARGEST_MEMBER + 1)
    except (OSError, pyarrow.ArrowException) as error:
        raise ValueError(f"{member.filename}: not Zstandard: {error}") from error
    if len(data) <= LARGEST_MEMBER and zlib.crc32(data) != member.CRC:
        raise ValueError(f"{member.filename}: its checksum is wrong")
    return data


def _model_of(header: Any) -> str:
    model = object_of(object_of(header).get("eval")).get("model")
    if not isinstance(model, str):
        raise ValueError("its header names no model")
    return model


def _samples(samples: Sequence[Any], model: str) -> Iterator[Found]:
    for one in samples:
        if not isinstance(one, dict) or type(one.get("epoch")) is not int or one["epoch"] < 1:
            raise ValueError("a sample of the log has no epoch")
    most = max((len(list_of(object_of(one.get("output")).get("choices"))) for one in samples), default=1) or 1
    for one in samples:
        yield from _sample(one, model, most)


def _sample(sample: Raw, model: str, most: int) -> Iterator[Found]:
    """Yield the choices of one epoch of a sample, with all that was asked before them."""
    attached = object_of(sample.get("attachments"))
    given = sample.get("input")
    turns = messages.asked_before(messages.turns_of(sample.get("messages")))
    missing: tuple[str, ...] = ()
    if not turns:
        missing = ("no messages: what was asked is taken from `input`",)
        turns = messages.turns_of(given) if isinstance(given, list) else (Turn(role="user", text=word(given)),)
    turns = tuple(Turn(role=turn.role, text=_attached(turn.text, attached)) for turn in turns)
    head: Raw = {"id": word(sample.get("id")), "prompt": messages.last_user(turns), "turns": turns, "model": model}
    first = (sample["epoch"] - 1) * most
    output = object_of(sample.get("output"))
    error = sample.get("error") or output.get("error")
    limit = sample.get("limit")
    if limit:  # of time, tokens or messages: whatever stands there was broken off
        told = word(object_of(limit).get("type")) or word(limit) or "unknown"
        yield Found(**head, sample=first, problem=f"the evaluation stopped the sample at its limit: {told}")
        return
    if sample.get("error") or (error and not list_of(output.get("choices"))):
        yield Found(**head, sample=first, problem=message_of(error))
        return
    for place, said in enumerate(messages.chat(output)):
        text = None if said.text is None else _attached(said.text, attached)
        yield found(said, head, sample=first + place, text=text, missing=missing)


def _attached(text: str, attached: Raw) -> str:
    """Put a long text, which inspect keeps beside the messages, where it was said."""
    if text.startswith("attachment://"):
        kept = attached.get(text.removeprefix("attachment://"))
        if not isinstance(kept, str):
            raise ValueError(f"{text[:60]} is not in the log")
        return kept
    return text
