"""Garbage in what somebody else made, a bundle, copy, proof, token or log, ends in EvidenceError, and soon.

Few examples by default; under `make fuzz` about a minute for each reader.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authority import Authority
from depose.cli.options import now
from depose.custody import manifest
from depose.custody.passages import Wanted
from depose.custody.redact import produce, redact
from depose.custody.verify import verify
from depose.errors import EvidenceError
from depose.evidence import timestamp
from depose.evidence.ledger import Reading
from depose.evidence.log import chained
from depose.model.canonical import canonical
from fakes import depose
from fuzzing import FUZZ, as_json, broken, changed, examples, hold
from mixed_bundles import mixed_case
from tampering import LOG, Target, rechain, relist, unpack


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed bundle of answers over HTTP and from a file."""
    return mixed_case(tmp_path_factory.mktemp("foreign") / "target")


@pytest.fixture(scope="module")
def bundle(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It unpacked, without tokens, so that its signer may sign anything."""
    work = unpack(target, tmp_path_factory.mktemp("unpacked") / "bundle")
    for file in (*work.glob("SHA256SUMS.*"), *work.glob("COMMITMENT.*")):
        file.unlink()
    relist(work, target.key)
    assert verify(work, recompute=False).checks
    return work


@pytest.fixture(scope="module")
def copy(target: Target, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy."""
    goal = tmp_path_factory.mktemp("copied") / "copy"
    redact(target.bundle, goal, Wanted(words=(b"number",)), "a word", now())
    return goal


@pytest.fixture(scope="module")
def proof(target: Target, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A proof."""
    folder = tmp_path_factory.mktemp("proved") / "proof"
    return produce(target.bundle, folder, [6])[0].read_bytes()


def reads(act: Callable[[], object]) -> str:
    """Read something; return the message it meets."""
    return hold(act, EvidenceError)


def written(value: Any) -> bytes:
    """Write JSON, canonically where that can be done."""
    try:
        return canonical(value)
    except Exception:
        return as_json(value)


def spoilt(data: st.DataObject, raw: bytes) -> bytes:
    """Change bytes, now and then so that nesting is very deep."""
    return data.draw(broken(raw) | st.just(raw[:99] + b"[" * 50_000 + raw[99:]))


# --- readers ----------------------------------------------------------------------------------------


@examples(10, 150)
@given(data=st.data())
def test_garbage_in_any_file_of_a_bundle(
    bundle: Path, target: Target, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Even signed by whoever has the key: a message, and exit 3."""
    work = tmp_path_factory.mktemp("garbage") / "bundle"
    shutil.copytree(bundle, work)
    names = sorted(p.relative_to(work).as_posix() for p in work.rglob("*") if p.is_file())
    name = data.draw(st.sampled_from([one for one in names if one not in ("SEAL", "SEAL.sig", "signer.pem")]))
    file = work / name
    if name.endswith(".json") and data.draw(st.booleans()):
        file.write_bytes(written(changed(data, json.loads(file.read_bytes()))))
    else:
        file.write_bytes(spoilt(data, file.read_bytes()))
    if name not in ("SHA256SUMS", "COMMITMENT"):
        reads(lambda: relist(work, target.key))
    reads(lambda: verify(work, recompute=bool(FUZZ)))
    shutil.rmtree(work)


@examples(12, 200)
@given(data=st.data())
def test_garbage_in_any_record_of_a_sealed_log(
    bundle: Path, target: Target, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Well chained, signed and sealed: each field of each kind of record, with each kind of garbage."""
    work = tmp_path_factory.mktemp("records") / "bundle"
    shutil.copytree(bundle, work)

    def change(records: list[dict[str, Any]]) -> None:
        kinds = sorted({one["kind"] for one in records})
        kind = data.draw(st.sampled_from(kinds))
        record = data.draw(st.sampled_from([one for one in records if one["kind"] == kind]))
        was = record.pop("was")
        new = changed(data, record)
        record.clear()
        record.update(new, was=was)
        for field, plain in (("kind", "remark"), ("body", {}), ("at", "")):
            record.setdefault(field, plain)
        if record["kind"] == "checkpoint":
            record["kind"] = "checkpoints"

    try:
        rechain(work, change)
    except Exception:
        return
    relist(work, target.key)
    reads(lambda: verify(work, recompute=bool(FUZZ)))
    shutil.rmtree(work)


@examples(20, 400)
@given(data=st.data())
def test_garbage_in_a_copy(copy: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """In any file of it, and in what proves it."""
    work = tmp_path_factory.mktemp("copies") / "copy"
    shutil.copytree(copy, work)
    names = sorted(p.relative_to(work).as_posix() for p in work.rglob("*") if p.is_file())
    name = data.draw(st.one_of(st.just("copy.json"), st.sampled_from(names)))
    file = work / name
    before = file.read_bytes()
    if name == "copy.json" and data.draw(st.booleans()):
        file.write_bytes(written(changed(data, json.loads(before))))
    else:
        file.write_bytes(spoilt(data, before))
    message = reads(lambda: verify(work))
    same = name in ("redactions.jsonl", "copy.json") or file.read_bytes() == before
    assert message or same, f"{name} was changed, and passes"
    shutil.rmtree(work)


@examples(40, 3_000)
@given(data=st.data())
def test_garbage_in_a_proof(proof: bytes, tmp_path: Path, data: st.DataObject) -> None:
    """In any field of it; what changes is refused."""
    file = tmp_path / "proof-6.json"
    if data.draw(st.booleans()):
        file.write_bytes(written(changed(data, json.loads(proof))))
    else:
        file.write_bytes(spoilt(data, proof))
    assert reads(lambda: verify(file)) or file.read_bytes() == proof


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A token over `data`, and the certificates of its authority."""
    authority = Authority(tmp_path_factory.mktemp("authority") / "tsa")
    return authority.reply(timestamp.request(b"data")), authority.roots.read_bytes()


@examples(60, 8_000)
@given(data=st.data())
def test_garbage_in_a_token(token: tuple[bytes, bytes], data: st.DataObject) -> None:
    """A token is genuine, or it is refused; nothing else comes of any byte of it."""
    made = spoilt(data, token[0]) if data.draw(st.integers(0, 9)) else data.draw(st.binary(max_size=200))
    reads(lambda: timestamp.verify(made, b"data", token[1], "token"))


@examples(60, 4_000)
@given(data=st.data())
def test_garbage_in_a_log(bundle: Path, data: st.DataObject) -> None:
    """Lines of any bytes, read as the log of a case is."""
    raw = spoilt(data, (bundle / LOG).read_bytes())

    def read() -> None:
        reading = Reading("log")
        for one in chained((line + b"\n" for line in raw.split(b"\n")[:-1]), "log"):
            reading.add(one)

    reads(read)


@examples(60, 20_000)
@given(raw=st.binary(max_size=400))
def test_garbage_in_a_list_of_files(raw: bytes) -> None:
    """A manifest is read strictly."""
    reads(lambda: manifest.read(raw, "SHA256SUMS"))


@pytest.mark.parametrize("what", ["a pipe", "a folder", "nothing", "an empty file", "zeros", "an empty folder"])
def test_what_is_no_bundle_at_all_is_told_in_a_line(tmp_path: Path, what: str) -> None:
    """Neither waited for nor unpacked."""
    path = tmp_path / "bundle"
    if what == "a pipe":
        os.mkfifo(path)
    elif what in ("a folder", "an empty folder"):
        path.mkdir()
        if what == "a folder":
            (path / "letter.txt").write_text("By the way")
    elif what != "nothing":
        path.write_bytes(b"" if what == "an empty file" else bytes(100_000))
    ran = depose("verify", path)
    assert ran.code in (2, 3) and ran.first.startswith("error: ")
    for option in ("--public-key", "--tsa-root"):
        assert depose("verify", path, option, tmp_path / "no such file").code in (2, 3)
