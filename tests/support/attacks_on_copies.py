"""Attacks on copies and single records by whoever has no key: a copy is the sealed bundle minus words, or refused."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from depose.custody import keys, manifest
from depose.custody.passages import Wanted
from depose.custody.redact import produce, redact
from depose.model.canonical import canonical, sha256
from splices import SPLICES, forge
from tampering import LOG, Attacks, Target, edit, unpack

ON_COPIES = Attacks()
AT = "2026-11-27T00:00:00.000000Z"
Index = dict[str, Any]


@lru_cache(maxsize=2)
def made_of(folder: Path, bundle: Path) -> tuple[Path, Path, int]:
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


def on_copy(name: str, says: str) -> Callable[[Callable[[Path, Target], None]], None]:
    """Add an attack that changes a copy."""

    def added(change: Callable[[Path, Target], None]) -> None:
        def act(work: Path, target: Target) -> Path:
            goal = work.with_name("copy")
            shutil.copytree(made_of(target.folder, target.bundle)[0], goal)
            change(goal, target)
            return goal

        ON_COPIES.add(f"copy: {name}", says, unseen=True)(act)

    return added


def reindexed(copy: Path, change: Callable[[Index], None]) -> None:
    """Change copy.json."""
    value = json.loads((copy / "copy.json").read_bytes())
    change(value)
    (copy / "copy.json").write_bytes(canonical(value))


def file_of(index: Index, name: str) -> Index:
    """Find a file in copy.json."""
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


@on_copy("another root in COMMITMENT", "COMMITMENT: missing, or not the one that was sealed")
def _(copy: Path, target: Target) -> None:
    (copy / "COMMITMENT").write_bytes(canonical({"files": 44, "form": 3, "root": "0" * 64}) + b"\n")


@on_copy("COMMITMENT and SEAL made to fit, without the key", "SEAL.sig: not a signature")
def _(copy: Path, target: Target) -> None:
    _recommitted(copy)


@on_copy("all of it signed with a key of one's own", "signed with the key .*, not with")
def _(copy: Path, target: Target) -> None:
    path = target.folder / "forger.pem"
    if not path.is_file():
        keys.make(path)
    key = keys.load(path)
    (copy / "signer.pem").write_bytes(keys.public_pem(key.public_key()))
    _recommitted(copy)
    (copy / "SEAL.sig").write_bytes(keys.sign(key, (copy / "SEAL").read_bytes()))


@on_copy("a date of the seal that is another", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    edit(copy / "seal.json", b'"sealed_at":"20', b'"sealed_at":"19')


@on_copy("a form of format 1, with a folder parent", "it proves nothing, for anybody can make one")
def _(copy: Path, target: Target) -> None:
    (copy / "copy.json").unlink()
    (copy / "parent").mkdir()
    for name in ("SEAL", "SEAL.sig"):
        shutil.move(copy / name, copy / "parent" / name)


# --- lines spliced ----------------------------------------------------------------------------------


def _on_lines(name: str, file: str, how: str, says: str) -> None:
    """Add an attack that splices lines of a file."""

    @on_copy(name, says)
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


@on_copy("the form of a copy of before, in which lines could be joined", "of the format 'depose copy 2', and sealed by")
def _(copy: Path, target: Target) -> None:
    reindexed(copy, lambda index: index.update(format="depose copy 2"))


# --- words changed ----------------------------------------------------------------------------------


@on_copy("a word beside what is withheld", f"{NOT_FOLLOWING}|holds words where some|does not fit")
def _(copy: Path, target: Target) -> None:
    edit(copy / LOG, b"[REDACTED]", b"[REDACTED]not")


@on_copy("words in the place of what is withheld", "holds words where some were withheld")
def _(copy: Path, target: Target) -> None:
    edit(copy / LOG, b"[REDACTED]", b"confessed!")


@on_copy("the mark moved behind the next word", "holds words where some|does not follow|does not fit")
def _(copy: Path, target: Target) -> None:
    data = (copy / LOG).read_bytes()
    place = data.index(b"[REDACTED]")
    after = data[place + 10 : place + 16]
    (copy / LOG).write_bytes(data[:place] + after + b"[REDACTED]" + data[place + 16 :])


@on_copy("a line that is shown whole", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    edit(copy / LOG, b'"kind":"protocol"', b'"kind":"protocal"')


@on_copy("a raw answer of which nothing is withheld", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    blob = next(one for one in sorted((copy / "evidence/blobs").iterdir()) if not one.name.startswith("withheld"))
    blob.write_bytes(blob.read_bytes() + b" indeed")


@on_copy("a mark put where nothing is withheld", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    edit(copy / "case.toml", b"made-up", b"[REDACTED]")


@on_copy("two lines of the log swapped", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    lines = (copy / LOG).read_bytes().splitlines(keepends=True)
    (copy / LOG).write_bytes(b"".join([lines[0], lines[2], lines[1], *lines[3:]]))


@on_copy("a branch opened with a salt of one's own", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    edit(copy / LOG, b"[REDACTED]", b"guilty")

    def change(index: Index) -> None:
        pieces = file_of(index, LOG)["pieces"]
        number = next(n for n, one in enumerate(pieces) if not isinstance(one, str))
        place = next(n for n, one in enumerate(pieces[number]) if one.startswith("#"))
        pieces[number][place] = f"{'0' * 32}:6"

    reindexed(copy, change)


@on_copy("the secret of a line that is another's", NOT_FOLLOWING)
def _(copy: Path, target: Target) -> None:
    def change(index: Index) -> None:
        pieces = file_of(index, LOG)["pieces"]
        pieces[0] = pieces[1] if isinstance(pieces[1], str) else "0" * 64

    reindexed(copy, change)


@on_copy("bytes after the last line", "has bytes that nothing proves|does not follow")
def _(copy: Path, target: Target) -> None:
    (copy / LOG).write_bytes((copy / LOG).read_bytes() + b'{"note":"by the way"}\n')
