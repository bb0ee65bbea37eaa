"""A pack holds what was answered, shows every change, and takes no more than it states."""

from __future__ import annotations

import base64
import json
import lzma
import zlib
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from depose.case import controls, packs, signatures, tables
from depose.case.packs import Pack
from depose.errors import CaseError, DeposeError, EvidenceError, UsageError
from depose.model.canonical import canonical, sha256
from depose.packs import build
from depose.packs.info import undated
from fakes import recorded_case

KEY = ec.derive_private_key(7, ec.SECP256R1())
AT = "2026-11-28T04:00:00.000000Z"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of three controls and three prompts, from a case that was not registered."""
    folder = tmp_path_factory.mktemp("packs")
    recorded_case(folder / "acme", suspect="somebody", controls=3, prompts=3)
    path = folder / "acme-1.pack"
    build.write(build.from_case(folder / "acme"), build.Label("acme", "1"), KEY, path, AT)
    return path


def forged(small: Path, body: bytes | None = None, unpacked: int | None = None, **changes: Any) -> bytes:
    """Sign another manifest, or another body, as whoever made the pack could."""
    head, manifest, _, packed = small.read_bytes().split(b"\n", 3)
    said = json.loads(manifest)
    for name, value in changes.items():
        said[name] = value(said[name]) if callable(value) else value
    packed = packed if body is None else body
    size = said["body"]["unpacked"] if unpacked is None else unpacked
    said["body"] = {"sha256": sha256(packed), "size": len(packed), "unpacked": size}
    signed = head + b"\n" + canonical(said) + b"\n"
    text = small.read_bytes().split(b"\n", 3)[2]
    seal = {**json.loads(text), "signature": base64.b64encode(signatures.sign(KEY, signed)).decode()}
    return signed + canonical(seal) + b"\n" + packed


def opened(data: bytes) -> Pack:
    """Read a pack whole."""
    found = packs.parsed(data, "x.pack")
    packs.contents(found, "x.pack")
    return found


def test_a_pack_holds_every_answer_of_the_controls_of_a_case(small: Path) -> None:
    """What the case's own file says of its controls, the pack says too, and of nobody else."""
    told = tables.read_file(small).rows
    rows = [json.loads(line) for line in (small.parent / "acme" / "answers.jsonl").read_text().splitlines()]
    kept = {(row["model"], row["prompt_id"], row["prompt"], row["output"]) for row in rows if row["model"][0] == "C"}
    assert {(row.model, row.id, row.prompt, row.text) for row in told} == kept
    asked = tables.read_file(small, answers=False).rows
    assert [row.id for row in asked] == ["q0", "q1", "q2"]
    assert {row.family for row in asked} == {"made-up"}


def test_the_same_contents_and_key_give_the_same_bytes(small: Path, tmp_path: Path) -> None:
    """Somebody else can build a pack again and compare; a pack is never written over."""
    again = tmp_path / "again.pack"
    build.write(build.from_case(small.parent / "acme"), build.Label("acme", "1"), KEY, again, AT)
    assert again.read_bytes() == small.read_bytes()
    with pytest.raises(UsageError, match="is there already"):
        build.write(build.from_case(small.parent / "acme"), build.Label("acme", "1"), KEY, again, AT)


def test_no_byte_of_a_pack_can_change_unseen(small: Path) -> None:
    """Any bit of any byte turned, a byte more, a byte less, at any place of the head: each is refused."""
    whole = small.read_bytes()
    opened(whole)
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 1 << place % 8
        with pytest.raises(DeposeError):
            opened(bytes(data))
    for cut in (0, 1, len(packs.FIRST), 200, len(whole) - 1):
        with pytest.raises(DeposeError):
            opened(whole[:cut])
    with pytest.raises(EvidenceError):
        opened(whole + b"\0")


def test_a_body_that_grows_beyond_its_stated_size_is_not_unpacked(small: Path) -> None:
    """A bomb that its maker signed: what it states is all that it gets, in bytes and in memory."""
    bomb = lzma.compress(b"\0" * 5_000_000, format=lzma.FORMAT_XZ, preset=0)
    with pytest.raises(EvidenceError, match="does not unpack to the size"):
        opened(forged(small, bomb))
    with pytest.raises(EvidenceError, match="of another make"):
        opened(forged(small, bomb, unpacked=packs.UNPACKED + 1))
    large = bytearray(small.read_bytes().split(b"\n", 3)[3])
    large[16] = 40  # the size of the dictionary in the header of the first block (xz file format 5.3.1): 4 GiB
    end = 12 + 4 * (large[12] + 1)
    large[end - 4 : end] = zlib.crc32(large[12 : end - 4]).to_bytes(4, "little")
    with pytest.raises(EvidenceError, match="cannot be unpacked"):
        opened(forged(small, bytes(large)))
    whole = small.read_bytes().split(b"\n", 3)[3]
    with pytest.raises(EvidenceError, match="does not unpack to the size"):
        opened(forged(small, whole + whole))


@pytest.mark.parametrize(
    "field",
    [
        {"role": "suspect"},
        {"provider": "openai"},
        {"file": "../../etc/passwd"},
        {"base_url": "https://evil.example/v1"},
        {"api_key_env": "OPENAI_API_KEY"},
        {"adapter": "a"},
        {"proxy": "https://evil.example"},
        {"code": "../x"},
        {"model": ""},
        {"shell": "rm"},
    ],
    ids=lambda field: next(iter(field)),
)
def test_a_manifest_makes_recorded_controls_and_nothing_else(small: Path, field: dict[str, str]) -> None:
    """A stranger's pack cannot name a file, an address, a key or another role, though its signature holds."""

    def changed(models: list[Any]) -> list[Any]:
        return [{**models[0], "spec": {**models[0]["spec"], **field}}, *models[1:]]

    with pytest.raises(EvidenceError):
        opened(forged(small, models=changed))


def test_a_manifest_that_lies_about_its_body_is_refused(small: Path) -> None:
    """Names that lead elsewhere, doubled codes, counts and digests that do not fit: each is said."""
    first: dict[str, Any] = {"name": "../x", "version": "1/2", "prompts": 2, "answers": 8}
    for name, value in first.items():
        with pytest.raises(EvidenceError):
            opened(forged(small, None, None, **{name: value}))
    with pytest.raises(EvidenceError, match="have one code"):
        opened(forged(small, models=lambda models: [models[0], models[0], models[2]]))
    other = lambda models: [{**models[0], "sha256": "0" * 64}, *models[1:]]  # noqa: E731
    with pytest.raises(EvidenceError, match="are not those of its manifest"):
        opened(forged(small, models=other))


def test_what_is_no_pack_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    """An empty file, a folder, a link, another kind of file."""
    empty, link = tmp_path / "empty.pack", tmp_path / "link.pack"
    empty.write_bytes(b"")
    link.symlink_to(empty)
    for path in (empty, link, tmp_path, tmp_path / "none.pack"):
        with pytest.raises((CaseError, EvidenceError)) as raised:
            packs.read(path)
        assert raised.value.hint


def test_the_laboratory_ships_as_a_pack_that_holds() -> None:
    """`pack:lab` is there after any installation, whole, with 27 lineages of data on one base."""
    found = packs.read(controls.find("lab"))
    prompts, answers = packs.contents(found, "lab")
    assert (len(found.manifest.models), len(prompts), len(answers)) == (27, 50, 1350)
    assert len({one.spec.data_lineage for one in found.manifest.models}) == 27
    assert found.manifest.settings.calibration == "lab"
    assert {one.spec.released for one in found.manifest.models} == {"2026-11"}


@pytest.mark.parametrize(
    ("count", "said"), [(0, ""), (5, "every finding with them is inconclusive (era)"), (1, "count as of no year (era)")]
)
def test_a_pack_without_dates_is_warned_of(count: int, said: str) -> None:
    """Controls without a date are near no pair in time: with most of them no finding speaks, which is said."""
    lines = undated(count, 5)
    assert len(lines) == bool(count)
    assert all(line.startswith(f"WARNING: {count} of 5 controls") and line.endswith(said) for line in lines)


def test_versions_are_ordered_by_their_numbers(tmp_path: Path) -> None:
    """1.10 is after 1.9; a name with another form is no pack's."""
    for name in ("acme-1.9.pack", "acme-1.10.pack", "acme.pack", "Acme-1.pack", "acme-01.pack"):
        (tmp_path / name).touch()
    assert [path.name for path in controls.listed(tmp_path)] == ["acme-1.9.pack", "acme-1.10.pack"]
