"""Attacks on the files of a copy, its list of redactions and its time-stamps, and by the signer of what was copied."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attacks_on_copies import AT, NOT_FOLLOWING, Index, file_of, made_of, on_copy, reindexed
from attacks_on_copies import ON_COPIES as ON_COPIES
from authority import Authority
from changed_copies import CHANGED_COPIES
from depose.custody import forms, leaves
from depose.evidence import timestamp
from depose.model.canonical import canonical, sha256
from salts_moved import SALTS_MOVED
from tampering import LOG, Target, edit, relist, restamp

# --- salts ------------------------------------------------------------------------------------------


def _on_salts(name: str) -> None:
    """Add an attack on the first record of which a part is withheld."""

    @on_copy(name, "does not fit the tree that goes with it")
    def _(copy: Path, target: Target) -> None:
        lines = (copy / LOG).read_bytes().splitlines(keepends=True)

        def change(index: Index) -> None:
            pieces = file_of(index, LOG)["pieces"]
            number = next(n for n, one in enumerate(pieces) if not isinstance(one, str) and b'"exchange"' in lines[n])
            pieces[number], lines[number] = SALTS_MOVED[name](pieces[number], lines[number])

        reindexed(copy, change)
        (copy / LOG).write_bytes(b"".join(lines))


for _name in SALTS_MOVED:
    _on_salts(_name)


# --- around the tree --------------------------------------------------------------------------------


def _around_the_tree(name: str) -> None:
    """Add an attack that COPY.py has to refuse, too."""

    @on_copy(name, CHANGED_COPIES[name].verify)
    def _(copy: Path, target: Target) -> None:
        reindexed(copy, lambda index: CHANGED_COPIES[name].change(copy, index))


for _name in CHANGED_COPIES:
    _around_the_tree(_name)


# --- files added and left out -----------------------------------------------------------------------


@on_copy("a letter among the results", "out/letter.txt: was added")
def _(copy: Path, target: Target) -> None:
    (copy / "out/letter.txt").write_text("By the way")


@on_copy("a raw answer more, under a name of the copy's own", "withheld-999: was added")
def _(copy: Path, target: Target) -> None:
    (copy / "evidence/blobs/withheld-999").write_text("{}")


@on_copy("a file added and entered into copy.json", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    (copy / "out/letter.txt").write_text("By the way")
    reindexed(copy, lambda index: index["files"].append(file_of(index, "case.toml") | {"name": "out/letter.txt"}))


@on_copy("SHA256SUMS made up beside it", "SHA256SUMS: was added")
def _(copy: Path, target: Target) -> None:
    (copy / "SHA256SUMS").write_text("")


@on_copy("a file taken out", "out/findings.json: is missing; copy.json lists it")
def _(copy: Path, target: Target) -> None:
    (copy / "out/findings.json").unlink()


@on_copy("a file taken out, also of copy.json", "names no out/findings.json, which every bundle has")
def _(copy: Path, target: Target) -> None:
    (copy / "out/findings.json").unlink()
    reindexed(copy, lambda index: index["files"].remove(file_of(index, "out/findings.json")))


@on_copy("a file said to be left out, with a hash of one's own", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    (copy / "out/exhibits.csv").unlink()

    def change(index: Index) -> None:
        one = file_of(index, "out/exhibits.csv")
        index["files"].remove(one)
        index["absent"].append({"hash": "0" * 64, "name": "out/exhibits.csv", "salt": "0" * 32})

    reindexed(copy, change)
    rows = (copy / "redactions.jsonl").read_text().splitlines(keepends=True)
    rows = [row for row in rows if '"file":"out/exhibits.csv"' not in row]
    rows.append(json.dumps({"file": "out/exhibits.csv", "line": 0, "passages": 1, "reason": "x", "at": AT}) + "\n")
    (copy / "redactions.jsonl").write_text("".join(rows))


@on_copy("a file said to be left out, and not listed", "a file left out, line 0|out/exhibits.csv, line 0")
def _(copy: Path, target: Target) -> None:
    rows = (copy / "redactions.jsonl").read_text().splitlines(keepends=True)
    kept = [row for row in rows if '"line":0' not in row]
    assert len(kept) < len(rows)
    (copy / "redactions.jsonl").write_text("".join(kept))


@on_copy("the log left out", "is missing; copy.json lists it")
def _(copy: Path, target: Target) -> None:
    (copy / LOG).unlink()


@on_copy("one file under the name of another", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    shutil.move(copy / "out/report.html", copy / "out/report-2.html")
    reindexed(copy, lambda index: file_of(index, "out/report.html").update(name="out/report-2.html"))


# --- the list of redactions -------------------------------------------------------------------------


@on_copy("a redaction that the list does not name", r"line [0-9]+: [0-9]+ passages are withheld, and .* lists 0")
def _(copy: Path, target: Target) -> None:
    rows = (copy / "redactions.jsonl").read_text().splitlines(keepends=True)
    (copy / "redactions.jsonl").write_text("".join(row for row in rows if LOG not in row))


@on_copy("a list that names too many", r"passages are withheld, and .* lists")
def _(copy: Path, target: Target) -> None:
    edit(copy / "redactions.jsonl", b'"passages":1', b'"passages":7')


@on_copy("a redaction without a reason", "without a reason")
def _(copy: Path, target: Target) -> None:
    edit(copy / "redactions.jsonl", b'"reason":"a name"', b'"reason":" "')


# --- time-stamps ------------------------------------------------------------------------------------


@on_copy("its tokens taken off", r"COMMITMENT.tsq: missing, or not the one")
def _(copy: Path, target: Target) -> None:
    for file in copy.glob("*.ts[rq]"):
        file.unlink()


@on_copy("a later token over the same root", r"COMMITMENT.tsr: missing, or not the one")
def _(copy: Path, target: Target) -> None:
    query = timestamp.request((copy / "COMMITMENT").read_bytes())
    (copy / "COMMITMENT.tsr").write_bytes(target.authority.reply(query))


@on_copy("the token of a record swapped for one of another authority", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    token = next((copy / "evidence/seals").glob("*.tsr"))
    own = Authority(copy.parent / "own", "Own")
    log = (copy / LOG).read_bytes().split(b"\n")
    line = next(one for one in log if sha256(one) == token.stem)
    token.write_bytes(own.reply(timestamp.request(line)))


# --- garbage ----------------------------------------------------------------------------------------


@on_copy("copy.json of nested lists", "copy.json: not what a copy holds")
def _(copy: Path, target: Target) -> None:
    (copy / "copy.json").write_bytes(b"[" * 100_000)


@on_copy("a tree that joins what is not there", "does not fit the tree")
def _(copy: Path, target: Target) -> None:
    reindexed(copy, lambda index: file_of(index, LOG)["pieces"].__setitem__(0, ["+", "+"]))


@on_copy("a leaf longer than the file", "does not fit the tree")
def _(copy: Path, target: Target) -> None:
    reindexed(copy, lambda index: file_of(index, LOG)["pieces"].__setitem__(0, [f"{'0' * 32}:999999999"]))


@on_copy("a name that leads out of the folder", "is missing; copy.json lists it|not a name that may stand")
def _(copy: Path, target: Target) -> None:
    reindexed(copy, lambda index: file_of(index, "case.toml").update(name="out/../../etc/passwd"))


# --- in another form, or under another name ---------------------------------------------------------


@on_copy("copy.json that says two things", "copy.json: not in canonical form")
def _(copy: Path, target: Target) -> None:
    data = (copy / "copy.json").read_bytes()
    (copy / "copy.json").write_bytes(b'{"format":"depose copy 9",' + data[1:])


@on_copy("a redaction that says two things", "redactions.jsonl: not in canonical form")
def _(copy: Path, target: Target) -> None:
    lines = (copy / "redactions.jsonl").read_bytes().splitlines(keepends=True)
    (copy / "redactions.jsonl").write_bytes(b'{"line":7,' + lines[0][1:] + b"".join(lines[1:]))


def _relisted(copy: Path, **fields: Any) -> None:
    lines = (copy / "redactions.jsonl").read_bytes().splitlines()
    made = [canonical({**json.loads(line), **fields}) + b"\n" for line in lines]
    (copy / "redactions.jsonl").write_bytes(b"".join(made))


@on_copy("redactions at no time", "redactions.jsonl: .*: 'lately' is not a time of a log")
def _(copy: Path, target: Target) -> None:
    _relisted(copy, at="lately")


@on_copy("a reason that nobody can see", "without a reason")
def _(copy: Path, target: Target) -> None:
    _relisted(copy, reason="\u200b\u2060")


@on_copy("findings shown under the name of raw bytes", "names no out/|is shown whole, and its name is not")
def _(copy: Path, target: Target) -> None:
    _unnamed(copy, "out/exhibits.csv")


@on_copy("a script shown under the name of raw bytes", "names no COPY.py, which every bundle has")
def _(copy: Path, target: Target) -> None:
    _unnamed(copy, "COPY.py")


@on_copy("the case file left out under no name", "names no case.toml, which every bundle has")
def _(copy: Path, target: Target) -> None:
    index = json.loads((copy / "copy.json").read_bytes())
    one = file_of(index, "case.toml")
    secret, data = bytes.fromhex(one["secret"]), (copy / "case.toml").read_bytes()
    root = forms.file_root(leaves.roots(lambda: leaves.buffer(data), secret), forms.LATEST)
    index["files"].remove(one)
    salt = leaves.name_salt(secret)
    hash_ = forms.commitment(salt, "case.toml", root, forms.LATEST).hex()
    index["absent"].append({"hash": hash_, "name": "", "salt": ""})
    (copy / "case.toml").unlink()
    (copy / "copy.json").write_bytes(canonical(index))
    passage = {"at": AT, "file": "", "line": 0, "passages": 1, "reason": "raw bytes"}
    with (copy / "redactions.jsonl").open("ab") as file:
        file.write(canonical(passage) + b"\n")


def _unnamed(copy: Path, name: str) -> None:
    """Show a file whole under the name of raw bytes whose digest tells what is withheld."""
    index = json.loads((copy / "copy.json").read_bytes())
    one = file_of(index, name)
    secret, shown = bytes.fromhex(one["secret"]), "evidence/blobs/withheld-777"
    pieces = [
        leaves.secret_of(secret, str(number)).hex() for number, _ in enumerate(leaves.lines((copy / name).read_bytes()))
    ]
    leaf = forms.name_leaf(leaves.name_salt(secret), name, forms.LATEST).hex()
    fields = {"name": shown, "pieces": pieces, "unnamed": leaf, "salt": "", "secret": ""}
    index["files"][index["files"].index(one)] = fields
    (copy / name).rename(copy / shown)
    (copy / "copy.json").write_bytes(canonical(index))


@on_copy("copy.json of five million lists", "copy.json: holds more than 4000000 lists and objects")
def _(copy: Path, target: Target) -> None:
    (copy / "copy.json").write_bytes(b'{"absent":[],"files":[{"name":"x","pieces":[' + b"[]," * 5 * 10**6 + b"[]]}]}")


# --- by the signer ----------------------------------------------------------------------------------


def _by_signer(name: str, says: str, change: Callable[[Path], object]) -> None:
    """Add an attack of the signer, who changes a file of the bundle and of its copy and seals the one for the other."""

    def act(work: Path, target: Target) -> Path:
        goal = work.with_name("copy")
        shutil.copytree(made_of(target.folder, target.bundle)[0], goal)
        for folder in (work, goal):
            change(folder)
        relist(work)
        restamp(work, target.authority.reply)
        relist(work, target.key)
        for sealed in ("SEAL", "SEAL.sig", *(one.name for one in work.glob("*.ts[qr]")), "COMMITMENT"):
            shutil.copyfile(work / sealed, goal / sealed)
        return goal

    ON_COPIES.add(f"copy, with the key: {name}", says, unseen=True)(act)


OTHERS = "is not the one that depose writes: do not run it"
for _name in ("COPY.py", "VERIFY.py", "SCORE.py"):
    _by_signer(
        f"{_name} that always says yes",
        f"{_name}: {OTHERS}",
        lambda folder, name=_name: (folder / name).write_text("print('verified: all of it')\n"),  # type: ignore[misc]
    )
_by_signer(
    "VERIFY.md that asks for less",
    f"VERIFY.md: {OTHERS}",
    lambda folder: edit(folder / "VERIFY.md", b"   must print `Verified OK`", b"   may print anything ."),
)
_by_signer(
    "a seal of the year 2926",
    "the seal is dated 29.*which is yet to come",
    lambda folder: edit(folder / "seal.json", b'"sealed_at":"20', b'"sealed_at":"29'),
)
