"""Attacks on copies and single records by whoever has no key: a copy is the sealed bundle minus words, or refused."""

from __future__ import annotations

import base64
import json
import shutil
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from authority import Authority
from depose.custody import forms, keys, leaves, manifest
from depose.custody.passages import Wanted
from depose.custody.redact import produce, redact
from depose.evidence import timestamp
from depose.model.canonical import canonical, sha256
from splices import SPLICES, forge
from tampering import LOG, Attacks, Target, edit, unpack

ON_COPIES = Attacks()
AT = "2026-11-27T00:00:00.000000Z"
Index = dict[str, Any]


@lru_cache(maxsize=2)
def _made(folder: Path, bundle: Path) -> tuple[Path, Path, int]:
    """Make a copy and a proof once; attacks work on copies of them."""
    lines = unpack_log(bundle)
    number = next(n for n, line in enumerate(lines) if b'"kind":"exchange"' in line)
    word = json.loads(lines[number])["body"]["text"].split()[3]
    redact(bundle, folder / "a-copy", Wanted(words=(word.encode(),)), "a name", AT)
    produce(bundle, folder / "a-proof", [number])
    return folder / "a-copy", folder / "a-proof", number


def unpack_log(bundle: Path) -> list[bytes]:
    """Lines of the log in a bundle."""
    with zipfile.ZipFile(bundle) as file:
        return file.read(LOG).splitlines()


def _on_copy(name: str, says: str) -> Callable[[Callable[[Path, Target], None]], None]:
    """Add an attack that changes a copy."""

    def added(change: Callable[[Path, Target], None]) -> None:
        def act(work: Path, target: Target) -> Path:
            goal = work.with_name("copy")
            shutil.copytree(_made(target.folder, target.bundle)[0], goal)
            change(goal, target)
            return goal

        ON_COPIES.add(f"copy: {name}", says, unseen=True)(act)

    return added


def _on_proof(name: str, says: str, *, alone: bool = True) -> Callable[[Callable[[Index, Path, Target], None]], None]:
    """Add an attack that changes a proof, alone or in its folder."""

    def added(change: Callable[[Index, Path, Target], None]) -> None:
        def act(work: Path, target: Target) -> Path:
            goal = work.with_name("proof")
            _, made, number = _made(target.folder, target.bundle)
            shutil.copytree(made, goal)
            file = goal / f"proof-{number}.json"
            proof: Index = json.loads(file.read_bytes())
            change(proof, goal, target)
            file.write_bytes(canonical(proof))
            return file if alone else goal

        ON_COPIES.add(f"record: {name}", says, unseen=True)(act)

    return added


def _index(copy: Path, change: Callable[[Index], None]) -> None:
    value = json.loads((copy / "copy.json").read_bytes())
    change(value)
    (copy / "copy.json").write_bytes(canonical(value))


def _of(index: Index, name: str) -> Index:
    return next(one for one in index["files"] if one["name"] == name)


def _recommitted(copy: Path) -> None:
    """Make COMMITMENT and SEAL follow from what the copy now holds; nobody signs it."""
    index = json.loads((copy / "copy.json").read_bytes())
    count = len(index["files"]) + len(index["absent"])
    (copy / "COMMITMENT").write_bytes(canonical({"files": count, "form": 3, "root": "0" * 64}) + b"\n")
    seal = manifest.read((copy / "SEAL").read_bytes(), "SEAL")
    seal["COMMITMENT"] = sha256((copy / "COMMITMENT").read_bytes())
    (copy / "SEAL").write_bytes(manifest.write(seal))


NOT_FOLLOWING = "COMMITMENT: does not follow from the files of this copy"

# --- made up ----------------------------------------------------------------------------------------


@_on_copy("another root in COMMITMENT", "COMMITMENT: missing, or not the one that was sealed")
def _(copy: Path, target: Target) -> None:
    (copy / "COMMITMENT").write_bytes(canonical({"files": 44, "form": 3, "root": "0" * 64}) + b"\n")


@_on_copy("COMMITMENT and SEAL made to fit, without the key", "SEAL.sig: not a signature")
def _(copy: Path, target: Target) -> None:
    _recommitted(copy)


@_on_copy("all of it signed with a key of one's own", "signed with the key .*, not with")
def _(copy: Path, target: Target) -> None:
    path = target.folder / "forger.pem"
    if not path.is_file():
        keys.make(path)
    key = keys.load(path)
    (copy / "signer.pem").write_bytes(keys.public_pem(key.public_key()))
    _recommitted(copy)
    (copy / "SEAL.sig").write_bytes(keys.sign(key, (copy / "SEAL").read_bytes()))


@_on_copy("a date of the seal that is another", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    edit(copy / "seal.json", b'"sealed_at":"20', b'"sealed_at":"19')


@_on_copy("a form of format 1, with a folder parent", "it proves nothing, for anybody can make one")
def _(copy: Path, target: Target) -> None:
    (copy / "copy.json").unlink()
    (copy / "parent").mkdir()
    for name in ("SEAL", "SEAL.sig"):
        shutil.move(copy / name, copy / "parent" / name)


# --- lines spliced ----------------------------------------------------------------------------------


def _on_lines(name: str, file: str, how: str, says: str) -> None:
    """Add an attack that splices lines of a file."""

    @_on_copy(name, says)
    def _(copy: Path, target: Target) -> None:
        bundle = unpack(target, copy.with_name("sealed"))
        forge(copy, bundle, file, "case.toml" if file != "case.toml" else LOG, SPLICES[how])


_on_lines("each two lines of the log shown as one", LOG, "joined", NOT_FOLLOWING)
_on_lines("each two lines of the exhibits shown as one", "out/exhibits.csv", "joined", NOT_FOLLOWING)
_on_lines("each two lines of the case file shown as one", "case.toml", "joined", NOT_FOLLOWING)
_on_lines("the last lines of the exhibits under one mark", "out/exhibits.csv", "cut", NOT_FOLLOWING)
_on_lines("the last line of the exhibits left out", "out/exhibits.csv", "dropped", NOT_FOLLOWING)
_on_lines("a line of the exhibits shown twice", "out/exhibits.csv", "repeated", NOT_FOLLOWING)
_on_lines("a line of the case among the exhibits", "out/exhibits.csv", "borrowed", NOT_FOLLOWING)
_on_lines("a line feed withheld", "out/exhibits.csv", "without feed", "its line feed is withheld")


@_on_copy(
    "the form of a copy of before, in which lines could be joined", "of the format 'depose copy 2', and sealed by"
)
def _(copy: Path, target: Target) -> None:
    _index(copy, lambda index: index.update(format="depose copy 2"))


# --- words changed ----------------------------------------------------------------------------------


@_on_copy("a word beside what is withheld", f"{NOT_FOLLOWING}|holds words where some|does not fit")
def _(copy: Path, target: Target) -> None:
    edit(copy / LOG, b"[REDACTED]", b"[REDACTED]not")


@_on_copy("words in the place of what is withheld", "holds words where some were withheld")
def _(copy: Path, target: Target) -> None:
    edit(copy / LOG, b"[REDACTED]", b"confessed!")


@_on_copy("the mark moved behind the next word", "holds words where some|does not follow|does not fit")
def _(copy: Path, target: Target) -> None:
    data = (copy / LOG).read_bytes()
    place = data.index(b"[REDACTED]")
    after = data[place + 10 : place + 16]
    (copy / LOG).write_bytes(data[:place] + after + b"[REDACTED]" + data[place + 16 :])


@_on_copy("a line that is shown whole", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    edit(copy / LOG, b'"kind":"protocol"', b'"kind":"protocal"')


@_on_copy("a raw answer of which nothing is withheld", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    blob = next(one for one in sorted((copy / "evidence/blobs").iterdir()) if not one.name.startswith("withheld"))
    blob.write_bytes(blob.read_bytes() + b" indeed")


@_on_copy("a mark put where nothing is withheld", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    edit(copy / "case.toml", b"made-up", b"[REDACTED]")


@_on_copy("two lines of the log swapped", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    lines = (copy / LOG).read_bytes().splitlines(keepends=True)
    (copy / LOG).write_bytes(b"".join([lines[0], lines[2], lines[1], *lines[3:]]))


@_on_copy("a branch opened with a salt of one's own", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    edit(copy / LOG, b"[REDACTED]", b"guilty")

    def change(index: Index) -> None:
        pieces = _of(index, LOG)["pieces"]
        number = next(n for n, one in enumerate(pieces) if not isinstance(one, str))
        place = next(n for n, one in enumerate(pieces[number]) if one.startswith("#"))
        pieces[number][place] = f"{'0' * 32}:6"

    _index(copy, change)


@_on_copy("the secret of a line that is another's", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    def change(index: Index) -> None:
        pieces = _of(index, LOG)["pieces"]
        pieces[0] = pieces[1] if isinstance(pieces[1], str) else "0" * 64

    _index(copy, change)


@_on_copy("bytes after the last line", "has bytes that nothing proves|does not follow")
def _(copy: Path, target: Target) -> None:
    (copy / LOG).write_bytes((copy / LOG).read_bytes() + b'{"note":"by the way"}\n')


# --- files added and left out -----------------------------------------------------------------------


@_on_copy("a letter among the results", "out/letter.txt: was added")
def _(copy: Path, target: Target) -> None:
    (copy / "out/letter.txt").write_text("By the way")


@_on_copy("a raw answer more, under a name of the copy's own", "withheld-999: was added")
def _(copy: Path, target: Target) -> None:
    (copy / "evidence/blobs/withheld-999").write_text("{}")


@_on_copy("a file added and entered into copy.json", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    (copy / "out/letter.txt").write_text("By the way")
    _index(copy, lambda index: index["files"].append(_of(index, "case.toml") | {"name": "out/letter.txt"}))


@_on_copy("SHA256SUMS made up beside it", "SHA256SUMS: was added")
def _(copy: Path, target: Target) -> None:
    (copy / "SHA256SUMS").write_text("")


@_on_copy("a file taken out", "out/findings.json: is missing; copy.json lists it")
def _(copy: Path, target: Target) -> None:
    (copy / "out/findings.json").unlink()


@_on_copy("a file taken out, also of copy.json", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    (copy / "out/findings.json").unlink()
    _index(copy, lambda index: index["files"].remove(_of(index, "out/findings.json")))


@_on_copy("a file said to be left out, with a hash of one's own", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    (copy / "out/exhibits.csv").unlink()

    def change(index: Index) -> None:
        one = _of(index, "out/exhibits.csv")
        index["files"].remove(one)
        index["absent"].append({"hash": "0" * 64, "name": "out/exhibits.csv", "salt": "0" * 32})

    _index(copy, change)
    rows = (copy / "redactions.jsonl").read_text().splitlines(keepends=True)
    rows = [row for row in rows if '"file":"out/exhibits.csv"' not in row]
    rows.append(json.dumps({"file": "out/exhibits.csv", "line": 0, "passages": 1, "reason": "x", "at": AT}) + "\n")
    (copy / "redactions.jsonl").write_text("".join(rows))


@_on_copy("a file said to be left out, and not listed", "a file left out, line 0|out/exhibits.csv, line 0")
def _(copy: Path, target: Target) -> None:
    rows = (copy / "redactions.jsonl").read_text().splitlines(keepends=True)
    kept = [row for row in rows if '"line":0' not in row]
    assert len(kept) < len(rows)
    (copy / "redactions.jsonl").write_text("".join(kept))


@_on_copy("the log left out", "is missing; copy.json lists it")
def _(copy: Path, target: Target) -> None:
    (copy / LOG).unlink()


@_on_copy("one file under the name of another", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    shutil.move(copy / "out/report.html", copy / "out/report-2.html")
    _index(copy, lambda index: _of(index, "out/report.html").update(name="out/report-2.html"))


# --- the list of redactions -------------------------------------------------------------------------


@_on_copy("a redaction that the list does not name", r"line [0-9]+: [0-9]+ passages are withheld, and .* lists 0")
def _(copy: Path, target: Target) -> None:
    rows = (copy / "redactions.jsonl").read_text().splitlines(keepends=True)
    (copy / "redactions.jsonl").write_text("".join(row for row in rows if LOG not in row))


@_on_copy("a list that names too many", r"passages are withheld, and .* lists")
def _(copy: Path, target: Target) -> None:
    edit(copy / "redactions.jsonl", b'"passages":1', b'"passages":7')


@_on_copy("a redaction without a reason", "without a reason")
def _(copy: Path, target: Target) -> None:
    edit(copy / "redactions.jsonl", b'"reason":"a name"', b'"reason":" "')


# --- time-stamps ------------------------------------------------------------------------------------


@_on_copy("its tokens taken off", r"COMMITMENT.tsq: missing, or not the one")
def _(copy: Path, target: Target) -> None:
    for file in copy.glob("*.ts[rq]"):
        file.unlink()


@_on_copy("a later token over the same root", r"COMMITMENT.tsr: missing, or not the one")
def _(copy: Path, target: Target) -> None:
    query = timestamp.request((copy / "COMMITMENT").read_bytes())
    (copy / "COMMITMENT.tsr").write_bytes(target.authority.reply(query))


@_on_copy("the token of a record swapped for one of another authority", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    token = next((copy / "evidence/seals").glob("*.tsr"))
    own = Authority(copy.parent / "own", "Own")
    log = (copy / LOG).read_bytes().split(b"\n")
    line = next(one for one in log if sha256(one) == token.stem)
    token.write_bytes(own.reply(timestamp.request(line)))


# --- garbage ----------------------------------------------------------------------------------------


@_on_copy("copy.json of nested lists", "copy.json: not what a copy holds")
def _(copy: Path, target: Target) -> None:
    (copy / "copy.json").write_bytes(b"[" * 100_000)


@_on_copy("a tree that joins what is not there", "does not fit the tree")
def _(copy: Path, target: Target) -> None:
    _index(copy, lambda index: _of(index, LOG)["pieces"].__setitem__(0, ["+", "+"]))


@_on_copy("a leaf longer than the file", "does not fit the tree")
def _(copy: Path, target: Target) -> None:
    _index(copy, lambda index: _of(index, LOG)["pieces"].__setitem__(0, [f"{'0' * 32}:999999999"]))


@_on_copy("a name that leads out of the folder", "is missing; copy.json lists it|not a name that may stand")
def _(copy: Path, target: Target) -> None:
    _index(copy, lambda index: _of(index, "case.toml").update(name="out/../../etc/passwd"))


# --- single records ---------------------------------------------------------------------------------


@_on_proof("a word of it changed", "is not in the sealed log")
def _(proof: Index, folder: Path, target: Target) -> None:
    proof["shown"] = proof["shown"].replace('"finish":"stop"', '"finish":"halt"', 1)


@_on_proof("another record under its number", "is not in the sealed log|does not fit the tree")
def _(proof: Index, folder: Path, target: Target) -> None:
    line = unpack_log(target.bundle)[5].decode() + "\n"
    proof["shown"] = line


@_on_proof("its number changed", "is another record than number|its path is not that of line")
def _(proof: Index, folder: Path, target: Target) -> None:
    proof["record"] += 1


@_on_proof("a record invented, with a leaf and a root that fit", "COMMITMENT: missing, or not the one that was sealed")
def _(proof: Index, folder: Path, target: Target) -> None:
    _invent(proof)


@_on_proof("the same, with SEAL made to fit", "SEAL.sig: not a signature")
def _(proof: Index, folder: Path, target: Target) -> None:
    _invent(proof)
    seal = manifest.read(proof["seal"].encode(), "SEAL") | {"COMMITMENT": sha256(proof["commitment"].encode())}
    proof["seal"] = manifest.write(seal).decode()


@_on_proof("the same, signed with a key of one's own", "signed with the key .*, not with")
def _(proof: Index, folder: Path, target: Target) -> None:
    _invent(proof)
    seal = manifest.read(proof["seal"].encode(), "SEAL") | {"COMMITMENT": sha256(proof["commitment"].encode())}
    key = keys.load(_forger(target))
    proof["seal"] = manifest.write(seal).decode()
    proof["signature"] = base64.b64encode(keys.sign(key, proof["seal"].encode())).decode()
    proof["signer"] = keys.public_pem(key.public_key()).decode()


def _forger(target: Target) -> Path:
    path = target.folder / "forger.pem"
    if not path.is_file():
        keys.make(path)
    return path


def _invent(proof: Index) -> None:
    line, secret = b'{"kind":"exchange","seq":0,"text":"I copied it"}\n', b"s" * 32
    opened = leaves.withhold(line, secret, [])
    salt = leaves.name_salt(secret)
    root = forms.commitment(salt, LOG, forms.file_root([leaves.piece(line, secret)], forms.LATEST), forms.LATEST)
    said = canonical({"files": 1, "form": forms.LATEST, "root": root.hex()}) + b"\n"
    proof |= {"shown": line.decode(), "tree": list(opened.tree), "line_path": [], "file_path": []}
    proof |= {"name_salt": salt.hex(), "commitment": said.decode(), "record": 0, "lines": 1}


@_on_proof("without its time-stamps", "COMMITMENT.ts[qr]: missing, or not the one")
def _(proof: Index, folder: Path, target: Target) -> None:
    proof["stamps"] = {}


@_on_proof("in the form of format 1", "not a proof of a record")
def _(proof: Index, folder: Path, target: Target) -> None:
    line = proof["shown"]
    proof.clear()
    proof |= {"line": line, "path": []}


@_on_proof("instructions beside it that ask for less", "VERIFY.md: was added, is missing, or is not as", alone=False)
def _(proof: Index, folder: Path, target: Target) -> None:
    edit(folder / "VERIFY.md", b"must print `Verified OK`", b"may print anything")


@_on_proof("a letter beside it", "letter.txt: was added", alone=False)
def _(proof: Index, folder: Path, target: Target) -> None:
    (folder / "letter.txt").write_text("By the way")


@_on_proof("another key beside it than in it", "signer.pem: was added, is missing, or is not", alone=False)
def _(proof: Index, folder: Path, target: Target) -> None:
    (folder / "signer.pem").write_bytes(keys.public_pem(keys.load(_forger(target)).public_key()))
