"""Check an unpacked bundle of depose with nothing but Python: python3 -I VERIFY.py."""

import sys

if not sys.flags.isolated:
    sys.exit("NOT RUN: begin with python3 -I, or Python takes its modules from this folder, whoever put them there")

import hashlib
import json
import pathlib

here = pathlib.Path(sys.argv[0]).resolve().parent
sealed = json.loads((here / "seal.json").read_bytes())["log"]


def need(holds, what):
    """Stop at the first thing that does not hold."""
    if not holds:
        sys.exit("NOT VERIFIED: " + what)


def node(left, right):
    """Hash two nodes of the tree (RFC 6962)."""
    return hashlib.sha256(b"\1" + left + right).digest()


listed = {
    n: d for f in ("SEAL", "SHA256SUMS") for d, n in (x.split("  ") for x in open(here / f).read().split("\n")[:-1])
}
there = {p.relative_to(here).as_posix() for p in here.rglob("*") if not p.is_dir()}
need(not any(p.is_symlink() for p in here.rglob("*")), "there is a symbolic link")
need(all(p.is_file() or p.is_dir() for p in here.rglob("*")), "there is a pipe, a socket or a device")
odd = sorted((there - {"SEAL", "SEAL.sig"}) ^ set(listed))
need(not odd, f"listed and not there, or there and not listed: {odd[:5]}")
for name in listed:
    need(hashlib.sha256((here / name).read_bytes()).hexdigest() == listed[name], f"{name} was changed")
last, level, digests, at, stamped, asked = "0" * 64, [], set(), "", set(), []
for line in open(here / "evidence/log.jsonl", "rb"):
    entry, line = json.loads(line), line[:-1]
    kind, body = entry["kind"], entry["body"]
    need((entry["seq"], entry["prev"]) == (len(level), last), f"record {len(level)} does not follow")
    need(entry["at"] >= at, f"record {len(level)} is dated before the one that it follows")
    need((kind == "protocol") == (not level), f"record {len(level)}: a log has one protocol, at its beginning")
    if kind == "checkpoint":
        need((body["records"], body["head"]) == (len(level), last), f"checkpoint {len(level)} is of another log")
    if kind == "timestamp":
        stamped.add(body["of"])
    if kind in ("exchange", "control"):
        asked.append(body["started"])
        for blob in filter(None, (body["request"], body["response"])):
            need(f"evidence/blobs/{blob}" in listed, f"record {len(level)} names a blob that is missing")
    at = entry["at"]
    last = hashlib.sha256(line).hexdigest()
    digests.add(last)
    level.append(hashlib.sha256(b"\0" + line).digest())
need((len(level), last) == (sealed["records"], sealed["head"]), "the log has another length or end than was sealed")
while len(level) > 1:
    level = [node(*level[n : n + 2]) if n + 1 < len(level) else level[n] for n in range(0, len(level), 2)]
need(level[0].hex() == sealed["merkle_root"], "the records are not those of the sealed tree")
tokens = {token.stem for token in (here / "evidence").glob("seals/*.tsr")}
need(tokens == stamped <= digests, f"time-stamps are not those of this log: {sorted(tokens ^ stamped)}")
print(f"first question sent {min(asked, default='never')}, last record {at}; {len(tokens)} time-stamps")
print("verified; the signature and the time-stamps are checked with openssl, see VERIFY.md")
