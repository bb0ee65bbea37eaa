"""Check an unpacked bundle of depose with nothing but Python: python3 -I VERIFY.py."""

import sys

if not sys.flags.isolated:
    sys.exit("NOT RUN: begin with python3 -I, or Python takes its modules from this folder, whoever put them there")

import hashlib
import json
import pathlib

here = pathlib.Path(sys.argv[0]).resolve().parent


def need(holds, what):
    """Stop at the first thing that does not hold."""
    if not holds:
        sys.exit("NOT VERIFIED: " + what)


def once(data):
    """Read JSON in its one form: what says a thing twice says another to whoever reads it."""
    value = json.loads(data, parse_float=str, parse_constant=int)  # a number stays as it is written
    said = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    need(said.replace(b'"', b"") == data.replace(b'"', b""), "JSON that is not in its one form")
    return value


listed = dict(x.split("  ")[::-1] for f in ("SEAL", "SHA256SUMS") for x in open(here / f).read().split("\n")[:-1])
there = {p.relative_to(here).as_posix() for p in here.rglob("*") if not p.is_dir()}
need(not any(p.is_symlink() for p in here.rglob("*")), "there is a symbolic link")
need(all(p.is_file() or p.is_dir() for p in here.rglob("*")), "there is a pipe, a socket or a device")
odd = sorted((there - {"SEAL", "SEAL.sig"}) ^ set(listed))
need(not odd, f"listed and not there, or there and not listed: {odd[:5]}")
for name in listed:
    need(hashlib.sha256((here / name).read_bytes()).hexdigest() == listed[name], f"{name} was changed")
sealed = once((here / "seal.json").read_bytes())["log"]
last, level, digests, at, stamped, asked = "0" * 64, [], set(), "", set(), []
for line in open(here / "evidence/log.jsonl", "rb"):
    entry, line = once(line[:-1]), line[:-1]
    kind, body = entry["kind"], entry["body"]
    need((entry["seq"], entry["prev"]) == (len(level), last), f"record {len(level)} does not follow")
    need(entry["at"] >= at, f"record {len(level)} is dated before the one that it follows")
    need((kind == "protocol") == (not level), f"record {len(level)}: a log has one protocol, at its beginning")
    of_this = kind != "checkpoint" or (body["records"], body["head"]) == (len(level), last)
    need(of_this, f"checkpoint {len(level)} is of another log")
    stamped |= {body["of"]} if kind == "timestamp" else set()
    if kind in ("exchange", "control"):
        asked.append(body["started"])
        for blob in filter(None, (body["request"], body["response"])):
            need(f"evidence/blobs/{blob}" in listed, f"record {len(level)} names a blob that is missing")
    at, last = entry["at"], hashlib.sha256(line).hexdigest()
    digests.add(last)
    level.append(hashlib.sha256(b"\0" + line).digest())
need((len(level), last) == (sealed["records"], sealed["head"]), "the log has another length or end than was sealed")
while len(level) > 1:
    pairs = [level[n : n + 2] for n in range(0, len(level), 2)]  # a tree as in RFC 6962
    level = [hashlib.sha256(b"\1" + b"".join(two)).digest() if len(two) == 2 else two[0] for two in pairs]
need(level[0].hex() == sealed["merkle_root"], "the records are not those of the sealed tree")
tokens = {token.stem for token in (here / "evidence").glob("seals/*.tsr")}
need(tokens == stamped <= digests, f"time-stamps are not those of this log: {sorted(tokens ^ stamped)}")
print(f"first question sent {min(asked, default='never')}, last record {at}; {len(tokens)} time-stamps")
print("verified; the signature and the time-stamps are checked with openssl, see VERIFY.md")
