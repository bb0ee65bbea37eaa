"""Check a copy of a bundle, or proofs of records, with nothing but Python: python3 -I COPY.py [proof.json ...]."""

import sys

if not sys.flags.isolated:
    sys.exit("NOT RUN: begin with python3 -I, or Python takes its modules from this folder, whoever put them there")

import base64
import hashlib
import json
import pathlib
import re
import struct

WORDS = re.compile(
    rb'\\(?:u[0-9A-Fa-f]{4}|[^\n])|[0-9A-Za-z_\x80-\xff]+[^0-9A-Za-z_\x80-\xff\n"\\<>&%]{0,2}'
    rb"|[^0-9A-Za-z_\x80-\xff\n\\]+|\n|\\"
)
LOG = "evidence/log.jsonl"
ALWAYS = {
    "seal.json",
    "signer.pem",
    "statement.json",
    "VERIFY.md",
    "case.toml",
    "evidence/log.jsonl",
    "VERIFY.py",
    "SCORE.py",
    "COPY.py",
    "out/findings.json",
    "out/scores.parquet",
}
PROOF = {
    "format",
    "record",
    "shown",
    "tree",
    "line_path",
    "name_salt",
    "file_path",
    "commitment",
    "seal",
    "signature",
    "signer",
    "stamps",
}
marks = {}
here = pathlib.Path(sys.argv[0]).resolve().parent


def need(holds, what):
    """Stop at the first thing that does not hold."""
    if not holds:
        sys.exit("NOT VERIFIED: " + what)


def raw(text, size=32):
    """Bytes of a hash, or of a salt, which ends where it must: what follows it are words."""
    need(re.fullmatch(f"[0-9a-f]{{{2 * size}}}", text), f"a hash or salt that has not {size} bytes")
    return bytes.fromhex(text)


def once(data):
    """Read JSON in its one form: what says a thing twice says another to whoever reads it."""
    value = json.loads(data)
    said = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    need(said.encode() == data, "JSON that is not in canonical form")
    return value


def sha(*parts):
    """SHA-256 of parts."""
    return hashlib.sha256(b"".join(parts)).digest()


def node(left, right):
    """Hash two nodes of a tree (RFC 6962)."""
    return sha(b"\1", left, right)


def top(level):
    """Root over leaves: pairs from the left, an odd one is carried up."""
    while len(level) > 1:
        level = [node(*level[n : n + 2]) if n + 1 < len(level) else level[n] for n in range(0, len(level), 2)]
    return level[0]


def climb(found, path):
    """Root to which a path leads."""
    for side, other in path:
        found = node(raw(other), found) if side == "left" else node(found, raw(other))
    return found


def sides_of(index, size):
    """On which sides the siblings of a leaf stand in a tree of `size` leaves."""
    while size > 1:
        if index ^ 1 < size:
            yield "left" if index & 1 else "right"
        index, size = index // 2, (size + 1) // 2


def leads_from(index, sides):
    """By form 2: whether a path is that of leaf `index` in a tree of any size, and of no node above leaves."""
    for height in range(len(sides) + 1):
        told = ["left" if index >> bit & 1 else "right" for bit in range(height)]
        if told[-1:] != ["left"] and told + ["left"] * bin(index >> height).count("1") == sides:
            return True
    return False


def line_of(root):
    """Hash of a line; by form 3 it has a mark of its own, so that it is no branch over several."""
    return root if form == 2 else sha(b"\3", root)


def file_of(lines, root):
    """Hash of a file of so many lines."""
    return root if form == 2 else sha(b"\4", lines.to_bytes(8, "big"), root)


def entry(salt, name, found, leaf=""):
    """Hash of a file with its name, of which the leaf may stand alone."""
    leaf = raw(leaf) if leaf else sha(b"\0" if form == 2 else b"\5", salt, name.encode())
    return node(leaf, found) if form == 2 else sha(b"\6", leaf, found)


def piece(data, secret, whole=False):
    """Root of a line that is shown whole: salts and shape of its tree follow from its secret."""
    cut = [data] if whole else WORDS.findall(data) or [b""]
    drawn = hashlib.shake_128(secret).digest(20 * len(cut))
    heights = struct.unpack_from(f"<{len(cut)}I", drawn, 16 * len(cut))
    nodes, gaps = [], []
    for n, one in enumerate(cut):
        while n and gaps and gaps[-1] < heights[n]:
            gaps.pop()
            nodes[-2:] = [node(*nodes[-2:])]
        gaps += [heights[n]] if n else []
        nodes.append(sha(b"\0", drawn[16 * n : 16 * n + 16], one))
    while len(nodes) > 1:
        nodes[-2:] = [node(*nodes[-2:])]
    return nodes[0]


def tree(steps, shown, at):
    """Root of a line of which words are withheld, where it ends in what is shown, and how many marks it has."""
    nodes, hidden, count = [], False, 0
    for one in steps:
        need(re.fullmatch(r"\+|#[0-9a-f]{64}|[0-9a-f]{32}:[0-9]{1,9}", one), "a tree that is none")
        if one == "+":
            nodes[-2:] = [node(*nodes[-2:])]
        elif one[0] == "#":
            need(hidden or shown[at : at + 10] == b"[REDACTED]", "words stand where some were withheld")
            at, hidden, count = at + 10 * (not hidden), True, count + (not hidden)
            nodes.append(raw(one[1:]))
        else:
            salt, size = one.split(":")
            nodes.append(sha(b"\0", raw(salt, 16), shown[at : at + int(size)]))
            at, hidden = at + int(size), False
    need(len(nodes) == 1, "a tree that is none")
    return nodes[0], at, count


def is_text(data):
    """UTF-8 without a line of more than 4 MiB."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return max(map(len, data.split(b"\n"))) <= 4 * 1024**2


def file_hash(one):
    """What stands for a file of the copy in the tree over all files."""
    need(one.keys() == {"name", "secret", "salt", "unnamed", "pieces"}, "copy.json says of a file what none has")
    need(bool(one["secret"]) != bool(one["pieces"]), f"{one['name']} is shown both whole and in part, or neither")
    named = re.fullmatch("evidence/blobs/withheld-[0-9]{1,9}", one["name"]) and not one["secret"] and not one["salt"]
    need(named or not one["unnamed"], f"{one['name']} stands under a name that nothing proves")
    need(not one["secret"] or not one["salt"], f"copy.json says of {one['name']} what nothing proves")
    shown, at, roots = (here / one["name"]).read_bytes(), 0, []
    if one["secret"]:
        secret = raw(one["secret"])
        lines = re.findall(rb"[^\n]*\n|[^\n]+", shown) or [b""] if is_text(shown) else [shown]
        salt = sha(b"\2", secret, b"name")[:16]
        roots = [piece(x, sha(b"\2", secret, str(n).encode()), not is_text(shown)) for n, x in enumerate(lines)]
        return entry(salt, one["name"], file_of(len(roots), top([line_of(x) for x in roots])))
    for steps in one["pieces"]:
        start = at
        if isinstance(steps, str):
            at = shown.find(b"\n", at) + 1 or len(shown)
            found = piece(shown[start:at], raw(steps))
        else:
            found, at, count = tree(steps, shown, at)
            marks.update({(one["name"], len(roots) + 1): count} if count else {})
        line, where = shown[start:at], f"line {len(roots) + 1} of {one['name']}"
        last = len(roots) + 1 == len(one["pieces"])
        single = line.find(b"\n") == len(line) - 1 or (last and b"\n" not in line)
        need(single, f"the line feed of {where} is withheld, so that two lines read as one")
        if form == 2 and one["name"] == LOG and line.strip() != b"[REDACTED]":
            same = line.endswith(b'"seq":%d}\n' % len(roots))
            need(same, f"line {len(roots) + 1} of the log is not record {len(roots)}: parts of several may be joined")
        roots.append(found)
    need(at == len(shown), f"{one['name']} has bytes that nothing proves")
    found = file_of(len(roots), top([line_of(x) for x in roots]))
    return entry(raw(one["salt"], 0 if one["unnamed"] else 16), one["name"], found, one["unnamed"])


def left_out(one):
    """What stands for a file that the copy leaves out."""
    need(one.keys() == {"hash", "name", "salt"}, "copy.json says of a file what none has")
    found = raw(one["hash"])
    need(one["name"] or not one["salt"], "copy.json says of a file left out what nothing proves")
    marks[one["name"], 0] = marks.get((one["name"], 0), 0) + 1
    return entry(raw(one["salt"], 16), one["name"], found) if one["name"] else found


def listed_marks():
    """Passages that redactions.jsonl lists, by file and line."""
    found = {}
    *rows, rest = (here / "redactions.jsonl").read_bytes().split(b"\n")
    need(not rest, "redactions.jsonl does not end with a row")
    for row in rows:
        said = once(row)
        need(said.keys() == {"file", "line", "passages", "reason", "at"}, "redactions.jsonl has a row of another form")
        need(
            type(said["line"]) is type(said["passages"]) is int and said["passages"] > 0,
            "redactions.jsonl lists less than one passage",
        )
        need(any(map(str.isalnum, said["reason"])), "redactions.jsonl gives no reason")
        need(re.fullmatch(r"[0-9TZ:.+-]{1,40}", said["at"]), "redactions.jsonl gives no time")
        place = said["file"], said["line"]
        found[place] = found.get(place, 0) + said["passages"]
    return found


def sealed(seal, commitment):
    """Root that SEAL lists."""
    listed = dict(line.split("  ")[::-1] for line in seal.decode().splitlines())
    need(listed.get("COMMITMENT") == sha(commitment).hex(), "COMMITMENT is not the one that was sealed")
    return json.loads(commitment)


for given in sys.argv[1:]:
    proof = once(pathlib.Path(given).read_bytes())
    shown, seal = proof["shown"].encode(), proof["seal"].encode()
    said = sealed(seal, proof["commitment"].encode())
    form = said.get("form", 2)
    need((form, proof["format"]) in ((2, "depose proof 2"), (3, "depose proof 3")), "it is of another form")
    need(proof.keys() - {"lines"} == PROOF and ("lines" in proof) == (form == 3), "it says what no proof does")
    found, at, _ = tree(proof["tree"], shown, 0)
    need(at == len(shown), "the record has words that nothing proves")
    sides, number, lines = [side for side, _ in proof["line_path"]], proof["record"], proof.get("lines", 0)
    of_one = leads_from(number, sides) if form == 2 else number < lines and list(sides_of(number, lines)) == sides
    whole_numbers = type(number) is type(lines) is int
    need(whole_numbers and number >= 0 and of_one, "its path is not that of one line of a log")
    need(all(side in ("left", "right") for side, _ in proof["file_path"]), "its path says what no path does")
    found = file_of(lines, climb(line_of(found), proof["line_path"]))
    root = climb(entry(raw(proof["name_salt"], 16), LOG, found), proof["file_path"])
    holds = root.hex() == said["root"]
    need(holds, f"record {proof['record']} is not in the sealed log")
    need(json.loads(shown)["seq"] == number, "it is another record")
    named = re.fullmatch(r"proof-([0-9]+)\.json", pathlib.Path(given).name)
    need(not named or int(named[1]) == number, "it is another record than its file is named for")
    own = {"SEAL": seal, "signer.pem": proof["signer"].encode(), "SEAL.sig": base64.b64decode(proof["signature"])}
    for name, data in own.items():
        need((here / name).read_bytes() == data, f"{name} beside the proof is another than in it")
    listed = dict(line.split("  ")[::-1] for line in seal.decode().splitlines())
    lost = sorted(listed.keys() ^ proof["stamps"].keys() ^ {"SHA256SUMS", "COMMITMENT"})
    need(not lost, f"time-stamps that were sealed are missing, or others added: {lost}")
    for name, token in proof["stamps"].items():
        same = sha(base64.b64decode(token)).hex() == listed.get(name)
        need(same, f"{name} in the proof is not the one that was sealed")
if len(sys.argv) == 1:
    copy, said = once((here / "copy.json").read_bytes()), json.loads((here / "COMMITMENT").read_bytes())
    form = said.get("form", 2)
    need((form, copy["format"]) in ((2, "depose copy 2"), (3, "depose copy 3")), "it is of another form")
    need(copy.keys() == {"format", "files", "absent"}, "copy.json says what no copy has")
    names = [one["name"] for one in copy["files"]]
    need(len(set(names)) == len(names), "copy.json lists a file twice")
    lost = sorted(ALWAYS - {*names, *(one["name"] for one in copy["absent"])})
    need(not lost, f"copy.json does not name what every bundle has: {lost}")
    listed = dict(line.split("  ")[::-1] for line in (here / "SEAL").read_text().splitlines())
    own = {"SEAL", "SEAL.sig", "copy.json", "redactions.jsonl", *listed} - {"SHA256SUMS"}
    there = {p.relative_to(here).as_posix() for p in here.rglob("*") if not p.is_dir()}
    need(not any(p.is_symlink() for p in here.rglob("*")), "there is a symbolic link")
    need(all(p.is_file() or p.is_dir() for p in here.rglob("*")), "there is a pipe, a socket or a device")
    need(all(p.is_file() or any(p.iterdir()) for p in here.rglob("*")), "there is an empty folder")
    need({LOG, "signer.pem", "VERIFY.md"} <= set(names), "there is no log, or not who signed it, or no VERIFY.md")
    odd = there ^ (own | {one["name"] for one in copy["files"]})
    need(not odd, f"listed and not there, or there and not listed: {sorted(odd)[:5]}")
    for name in own & set(listed):
        need(sha((here / name).read_bytes()).hex() == listed[name], f"{name} was changed")
    hashes = sorted([file_hash(one) for one in copy["files"]] + [left_out(one) for one in copy["absent"]])
    same = len(hashes) == said["files"] and top(hashes).hex() == said["root"]
    need(same, "the sealed root does not follow from the files of this copy")
    whole = [one["name"] for one in copy["files"] if one["unnamed"] and one["name"] not in {name for name, _ in marks}]
    need(not whole, f"shown whole, and not by its name: {whole}")
    told = listed_marks()
    need(
        marks == told,
        f"withheld and not listed, or listed and not withheld: {sorted(marks.items() ^ told.items())[:3]}",
    )
    print(f"{len(copy['files'])} files shown, {len(copy['absent'])} left out")
    cut = [one["name"] for one in copy["files"] if one["pieces"] and one["name"] != LOG]
    if form == 2 and cut:
        print(f"not shown by form 2: that no mark stands for parts of several lines in {', '.join(cut)}")
print("verified; the signature and the time-stamps are checked with openssl, see VERIFY.md")
