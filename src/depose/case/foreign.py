"""Files that other tools write, taken apart into the rows of a table.

OpenAI batch output (JSONL, one request per line), inspect logs (`.eval`, or `.json`), promptfoo results (JSON). A row
that holds no answer says why in `problem`, so that nothing of a file is dropped without a word.
"""

from __future__ import annotations

import json
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LARGEST_MEMBER = 64 * 1024**2
"""A sample of an inspect log that unpacks to more bytes than this is refused."""
ZSTANDARD = 93
MOST_UNPACKED = 2 * 1024**3

Raw = dict[str, Any]


def pairs(found: list[tuple[str, Any]]) -> Raw:
    """Refuse an object in which a key stands twice."""
    seen = dict(found)
    if len(seen) != len(found):
        name, _ = Counter(name for name, _ in found).most_common(1)[0]
        raise ValueError(f"key {name[:80]!r} stands twice in one object")
    return seen


def rows_of(loaded: Any) -> list[Any]:
    """Take rows out of a JSON document: a list as it is, or what inspect or promptfoo wrote."""
    if isinstance(loaded, dict) and isinstance(loaded.get("results"), dict):
        return list(_promptfoo(_list(loaded["results"], "results")))
    if isinstance(loaded, dict) and isinstance(loaded.get("samples"), list) and "eval" in loaded:
        return [_sample(one, _model_of(loaded)) for one in loaded["samples"]]
    if isinstance(loaded, dict) and isinstance(loaded.get("results"), list):
        loaded = loaded["results"]
    if not isinstance(loaded, list):
        raise ValueError("the top level is not a list")
    return loaded


def from_batch(rows: list[Any]) -> list[Any]:
    """Turn lines of an OpenAI batch output into rows; other lines stay as they are.

    `custom_id` is the prompt id; further samples of a prompt are ID#1, ID#2 and so on.
    """
    return [
        _batch_line(one) if isinstance(one, dict) and {"custom_id", "response"} <= one.keys() else one for one in rows
    ]


def _batch_line(line: Raw) -> Raw:
    name, sample = re.fullmatch(r"(.*?)(?:#([0-9]{1,6}))?", str(line["custom_id"]), re.DOTALL).groups()  # type: ignore[union-attr]
    response = _object(line["response"])
    body = _object(response.get("body"))
    row = {"prompt_id": name, "sample": sample or "0", "model": body.get("model"), "output": None}
    status, error = response.get("status_code", "none"), line.get("error") or body.get("error")
    if error or status != 200:
        return row | {"problem": f"status {status}: {_message(error)}"}
    return row | _answer(body)


def _answer(output: Any) -> Raw:
    """Read choices as OpenAI and inspect write them."""
    choices = output.get("choices") if isinstance(output, dict) else None
    message = (
        choices[0].get("message") if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    )
    if not isinstance(message, dict):
        return {"output": None, "problem": "no choice in it"}
    content = message.get("content")
    if content is None and isinstance(message.get("refusal"), str):
        content = message["refusal"]
    text = _text(content)
    return {"output": text} if text is not None else {"output": None, "problem": "the answer is not text"}


def _object(value: Any) -> Raw:
    """Take what should be an object for an empty one where it is none."""
    return value if isinstance(value, dict) else {}


def _text(content: Any) -> str | None:
    """Join the text parts of a content; None for what is no content."""
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") == "text"]
        return "".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) else None


def _message(error: Any) -> str:
    said = error.get("message") if isinstance(error, dict) else error
    return str(said or "no reason given")[:200]


# --- inspect ----------------------------------------------------------------------------------------


def from_inspect(path: Path) -> list[Any]:
    """Read an inspect `.eval` log: a zip with `header.json` and one file per sample."""
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
            return [_sample(_member(archive, one), model) for one in wanted]
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError) as error:
        raise ValueError(f"not a whole zip file: {error}") from error
    except (NotImplementedError, RuntimeError) as error:  # a compression that this Python lacks, or a password
        raise ValueError(f"{error}; write it anew: inspect log convert --to json") from error


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
    head = header.get("eval") if isinstance(header, dict) else None
    model = head.get("model") if isinstance(head, dict) else None
    if not isinstance(model, str):
        raise ValueError("its header names no model")
    return model


def _sample(sample: Any, model: str) -> Raw:
    if not isinstance(sample, dict) or not isinstance(sample.get("epoch"), int):
        raise ValueError("a sample of the log has no epoch")
    given = sample.get("input")
    asked = (
        [one for one in given if isinstance(one, dict) and one.get("role") == "user"] if isinstance(given, list) else []
    )
    prompt = _text(asked[0].get("content")) if len(asked) == 1 else given if isinstance(given, str) else ""
    row = {"id": sample.get("id"), "prompt": prompt or "", "model": model, "sample": sample["epoch"] - 1}
    if sample.get("error"):
        return row | {"output": None, "problem": _message(sample["error"])}
    return row | _answer(sample.get("output"))


# --- promptfoo --------------------------------------------------------------------------------------


def _list(found: Raw, name: str) -> list[Any]:
    rows = found.get(name)
    if not isinstance(rows, list):
        raise ValueError(f"no list of {name} in it")
    return rows


def _promptfoo(results: list[Any]) -> Iterator[Raw]:
    """Yield one row per result; the same prompt to the same provider again is the next sample."""
    seen: Counter[tuple[str, str]] = Counter()
    for number, result in enumerate(results, start=1):
        if not isinstance(result, dict) or not isinstance(result.get("prompt"), dict):
            raise ValueError(f"result {number} has no prompt")
        provider = result.get("provider")
        named = provider if isinstance(provider, dict) else {"id": provider}
        prompt, model = str(result["prompt"].get("raw") or ""), str(named.get("label") or named.get("id") or "")
        row: Raw = {"prompt": prompt, "model": model, "sample": seen[prompt, model]}
        seen[prompt, model] += 1
        response = result.get("response")
        output = response.get("output") if isinstance(response, dict) else None
        if isinstance(output, str):
            yield row | {"output": output}
        else:
            failed = (response.get("error") if isinstance(response, dict) else None) or result.get("error")
            yield row | {"output": None, "problem": _message(failed) if failed else "the answer is not text"}
