"""Attacks on single records with their proofs, by whoever has no key."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from attacks_on_copies import Index, made_of, unpack_log
from depose.custody import forms, keys, leaves, manifest
from depose.model.canonical import canonical, sha256
from tampering import LOG, Attacks, Target, edit

ON_RECORDS = Attacks()


def _on_proof(name: str, says: str, *, alone: bool = True) -> Callable[[Callable[[Index, Path, Target], None]], None]:
    """Add an attack that changes a proof, alone or in its folder."""

    def added(change: Callable[[Index, Path, Target], None]) -> None:
        def act(work: Path, target: Target) -> Path:
            goal = work.with_name("proof")
            _, made, number = made_of(target.folder, target.bundle)
            shutil.copytree(made, goal)
            file = goal / f"proof-{number}.json"
            proof: Index = json.loads(file.read_bytes())
            change(proof, goal, target)
            file.write_bytes(canonical(proof))
            return file if alone else goal

        ON_RECORDS.add(f"record: {name}", says, unseen=True)(act)

    return added


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


@_on_proof("a second SEAL among its tokens", "SEAL: stands among the tokens, and is none")
def _(proof: Index, folder: Path, target: Target) -> None:
    proof["stamps"]["SEAL"] = base64.b64encode(b"anything").decode()


@_on_proof("a second COMMITMENT among its tokens", "COMMITMENT: stands among the tokens, and is none")
def _(proof: Index, folder: Path, target: Target) -> None:
    proof["stamps"]["COMMITMENT"] = base64.b64encode(b"anything").decode()


@_on_proof("its signature in another writing of base64", "not in the one form of base64")
def _(proof: Index, folder: Path, target: Target) -> None:
    text = proof["signature"]
    place = len(text.rstrip("=")) - 1
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    proof["signature"] = text[:place] + letters[letters.index(text[place]) ^ 1] + text[place + 1 :]


@_on_proof("under the file name of another record", "is another record than number", alone=False)
def _(proof: Index, folder: Path, target: Target) -> None:
    (folder / "proof-7.json").write_bytes(canonical(proof))


@_on_proof("without one of its time-stamps", "COMMITMENT.tsr: missing, or not the one")
def _(proof: Index, folder: Path, target: Target) -> None:
    proof["stamps"].pop("COMMITMENT.tsr")


@_on_proof("with a word of one's own", "not a proof of a record: .*unknown field")
def _(proof: Index, folder: Path, target: Target) -> None:
    proof["comment"] = "approved by the court"


@_on_proof("with a word of one's own where its path turns", "a way that leads through no tree")
def _(proof: Index, folder: Path, target: Target) -> None:
    proof["file_path"][-1][0] = "approved by the court"
