"""Check an unpacked bundle of an extraction case with nothing but Python: python3 -I VERIFY.py."""

import sys

if not sys.flags.isolated:
    sys.exit("NOT RUN: begin with python3 -I, or Python takes its modules from this folder, whoever put them there")

import hashlib
import json
import pathlib

here = pathlib.Path(sys.argv[0]).resolve().parent
OUTSIDE = {"SEAL", "SEAL.sig", "SHA256SUMS", "SHA256SUMS.tsr", "SHA256SUMS.pem", "signer.pem"}
KINDS = {"extraction-protocol", "extraction-events", "extraction-findings", "extraction-accounts"}


def need(holds, what):
    """Stop at the first thing that does not hold."""
    if not holds:
        sys.exit("NOT VERIFIED: " + what)


def digest(name):
    """Return the SHA-256 of a file."""
    return hashlib.sha256((here / name).read_bytes()).hexdigest()


def once(data):
    """Read JSON in its one form: what says a thing twice says another to whoever reads it."""
    as_written = json.loads(data, parse_float=str, parse_constant=int)  # numbers as they stand
    said = json.dumps(as_written, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
    need(said.replace(b'"', b"") == data.replace(b'"', b""), "JSON that is not in its one form")
    return json.loads(data)


def holm(p, tests):
    """Return p-values, ordered as tested, adjusted by Holm over so many tests; those that are not named are 1."""
    order, worst, found = sorted(range(len(p)), key=lambda one: p[one]), 0.0, [0.0] * len(p)
    for place, one in enumerate(order):
        worst = found[one] = max(worst, min(1.0, (tests - place) * p[one]))
    return found


sealed = once((here / "SEAL").read_bytes())
need(sealed["sums"] == digest("SHA256SUMS"), "SHA256SUMS is not the list that was sealed")
listed = dict(reversed(line.split("  ", 1)) for line in (here / "SHA256SUMS").read_text().split("\n")[:-1])
need(not any(p.is_symlink() for p in here.rglob("*")), "there is a symbolic link")
need(all(p.is_file() or p.is_dir() for p in here.rglob("*")), "there is a pipe, a socket or a device")
there = {p.relative_to(here).as_posix() for p in here.rglob("*") if p.is_file()}
odd = sorted((there - OUTSIDE) ^ set(listed))
need(not odd, f"listed and not there, or there and not listed: {odd[:5]}")
for name in listed:
    need(digest(name) == listed[name], f"{name} was changed")
need(not sealed["token"] or digest("SHA256SUMS.tsr") == sealed["token"], "the time-stamp is another")
last, level, at, said, registered = "0" * 64, [], "", {}, ""
for line in open(here / "evidence/log.jsonl", "rb"):
    entry, line = once(line[:-1]), line[:-1]
    need((entry["seq"], entry["prev"]) == (len(level), last), f"record {len(level)} does not follow")
    need(entry["at"] >= at, f"record {len(level)} is dated before the one that it follows")
    need(entry["kind"] in KINDS, f"record {len(level)} is of an unknown kind")
    need((entry["kind"] == "extraction-protocol") == (not level), "a log has one protocol, at its beginning")
    at, last = entry["at"], hashlib.sha256(line).hexdigest()
    registered = registered or last
    said.setdefault(entry["kind"], []).append(entry["body"])
    level.append(hashlib.sha256(b"\0" + line).digest())
need((len(level), last) == (sealed["records"], sealed["head"]), "the log has another length or end than was sealed")
while len(level) > 1:
    pairs = [level[n : n + 2] for n in range(0, len(level), 2)]  # a tree as in RFC 6962
    level = [hashlib.sha256(b"\1" + b"".join(two)).digest() if len(two) == 2 else two[0] for two in pairs]
need(level[0].hex() == sealed["merkle_root"], "the records are not those of the sealed tree")
found = once((here / "out/findings-extraction.json").read_bytes())
case = said["extraction-protocol"][0]["case"]
need(digest("out/findings-extraction.json") == said["extraction-findings"][-1]["findings"], "other findings")
need(found["registered"] == registered, "the findings are of another protocol")
need(digest("events/manifest.json") == found["events"], "the findings are of other events")
need(found["events"] in [one["manifest"] for one in said["extraction-events"]], "events that the log does not name")
need((found["title"], found["tested"], found["clean"], found["alpha"]) == (case["case"]["title"],
     case["period"]["tested"], case["period"].get("clean"), case["tests"]["alpha"]), "not as registered")  # fmt: skip
made = json.loads((here / "out/tables/made.json").read_bytes())["digests"]
for name in made:
    need(digest(f"out/tables/{name}.parquet") == made[name], f"table {name} is another")
adjusted = holm([group["p"] for group in found["groups"]], found["rounds"])
for group, p in zip(found["groups"], adjusted):
    need(abs(group["p_holm"] - p) < 1e-12 and p <= found["alpha"], f"{group['code']}: its p does not follow by Holm")
    asked = [one for one in group["layers"] if one["name"] in ("synchrony", "infrastructure")]
    tied = [one["name"] for one, p in zip(asked, holm([one["p"] for one in asked], len(asked))) if p <= found["alpha"]]
    need(group["tied_by"] == tied, f"{group['code']}: concert does not follow by Holm")
print(f"{found['opinion']['verdict']}; {len(found['groups'])} groups; last record {at}")
print("verified; the signature and the time-stamp are checked with openssl, see VERIFY.md")
