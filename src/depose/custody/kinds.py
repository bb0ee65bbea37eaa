"""Names every file of a bundle by its kind; what no kind takes is no part of a bundle, whoever signed it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from depose.case import annexes
from depose.custody import manifest
from depose.errors import EvidenceError
from depose.evidence.log import Entry

LOG = "evidence/log.jsonl"
OUTSIDE_1 = ("SHA256SUMS", "SHA256SUMS.pem", "SHA256SUMS.tsq", "SHA256SUMS.tsr")
OUTSIDE = (*OUTSIDE_1, "COMMITMENT", "COMMITMENT.tsq", "COMMITMENT.tsr")
"""Files that SEAL lists; all others stand in SHA256SUMS."""
ROOTS = "evidence/seals/tsa.pem"
BLOB = re.compile(r"evidence/blobs/([0-9a-f]{64})\Z")
TOKEN = re.compile(r"evidence/seals/([0-9a-f]{64})\.ts[qr]\Z")
_FIXED = {
    **dict.fromkeys(("SEAL", "SEAL.sig", "seal.json", "signer.pem", "SALTS"), "of the seal"),
    **dict.fromkeys(OUTSIDE, "of the seal"),
    "statement.json": "signed statement",
    **dict.fromkeys(("VERIFY.md", "VERIFY.py", "SCORE.py", "COPY.py"), "instructions"),
    "case.toml": "case file",
    **dict.fromkeys(annexes.FILES, "annexes"),
    LOG: "log",
    ROOTS: "time-stamps",
}
_LINEUP = {"lineup_bags": ("bags",), "lineup_scores": ("table",), "lineup_opened": ("key", "coin", "thrown")}
"""Which fields of an act name its blobs."""
NEEDED = ("seal.json", "signer.pem", "statement.json", "VERIFY.md", "case.toml", LOG)

ALWAYS = (*NEEDED, *("VERIFY.py", "SCORE.py", "COPY.py"), "out/findings.json", "out/scores.parquet")
"""What every bundle has that a copy can be made of: a copy shows it, or says by its name that it was left out."""


def blobs_of(entry: Entry, recorded: Collection[str]) -> Iterator[str]:
    """Name the blobs of a record that was read before; `recorded` are the models whose answers come from files."""
    body = entry.body
    if entry.kind in ("exchange", "control", "lineup_answer"):
        wire = body.get("wire") or {}
        yield from filter(None, (body["request"], body["response"], wire.get("certificate"), wire.get("chunks")))
    elif entry.kind in ("protocol", "amendment"):
        yield from (fact["value"] for fact in body.get("registration", body)["files"])
    elif entry.kind == "seed":
        yield from filter(None, (body["beacon"],))
    elif entry.kind in _LINEUP:
        yield from (body[name] for name in _LINEUP[entry.kind] if name in body)
    elif entry.kind == "endpoint" and body["model"] in recorded:
        yield from (fact["value"] for fact in body["facts"] if fact["name"] == "file sha256")


def kind_of(name: str, blobs: Collection[str], stamped: Collection[str]) -> str:
    """Say of what kind a file is; nothing for one that has none."""
    if blob := BLOB.match(name):
        return "raw bytes that the log names" if blob[1] in blobs else ""
    if token := TOKEN.match(name):
        return "time-stamps" if token[1] in stamped else ""
    return "results" if name.startswith("out/") else _FIXED.get(name, "")


def known(name: str) -> bool:
    """Tell whether a bundle may have a file of this name at all."""
    found = BLOB.match(name) or TOKEN.match(name) or name.startswith("out/") or name in _FIXED
    return bool(found) and bool(manifest.safe(name))


def counted(names: Iterable[str], blobs: Collection[str], stamped: Collection[str]) -> str:
    """Count the files of each kind; raise EvidenceError at the first that has none."""
    found: Counter[str] = Counter()
    for name in sorted(names):
        kind = kind_of(name, blobs, stamped)
        if not kind:
            raise EvidenceError(f"{name}: of no kind that a bundle has: nothing in it names this file", hint=_HINT)
        found[kind] += 1
    return ", ".join(f"{number} {kind}" for kind, number in sorted(found.items()))


_HINT = "depose seals no such file; ask the signer what it is"
