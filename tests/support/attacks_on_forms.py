"""Attacks by whoever has the signing key that leave what a reader decodes as it is: files that say two things."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from attacks_with_key import stamped_anew
from depose.custody import merkle
from depose.model.canonical import canonical, sha256
from tampering import LOG, Attacks, Target, relist, restamp

IN_TWO_FORMS = Attacks()


def _twice(file: str, says: str, added: bytes) -> None:
    """Add a field that stands twice: the first says one thing, and what readers decode is the second."""

    def act(work: Path, target: Target) -> None:
        data = (work / file).read_bytes()
        (work / file).write_bytes(b"{" + added + b"," + data[1:])
        if file.startswith("out/"):
            stamped_anew(work, target)
        else:
            _sealed_anew(work, target)

    IN_TWO_FORMS.add(f"with the key and a new token: {file} that says two things", says)(act)


def _sealed_anew(work: Path, target: Target) -> None:
    relist(work)
    restamp(work, target.authority.reply)
    relist(work, target.key)


_twice("seal.json", "seal.json: not in canonical form", b'"sealed_at":"1999-01-01T00:00:00.000000Z"')
_twice("out/findings.json", "out/findings.json: not in canonical form", b'"findings":[]')
_twice("statement.json", "statement.json: not in the one form", b'"payload":"e30="')


def _rewritten(name: str, says: str, file: str, change: Callable[[bytes], bytes]) -> None:
    def act(work: Path, target: Target) -> None:
        (work / file).write_bytes(change((work / file).read_bytes()))
        _sealed_anew(work, target)

    IN_TWO_FORMS.add(f"with the key and a new token: {name}", says)(act)


def _in_the_log(name: str, change: Callable[[bytes], bytes]) -> None:
    """Write one record in another form, and chain, number and seal all that follows anew."""

    def act(work: Path, target: Target) -> None:
        lines = (work / LOG).read_bytes().splitlines()
        place = max(n for n, line in enumerate(lines) if b'"kind":"exchange"' in line)
        changed: list[bytes] = []
        for number, line in enumerate(lines):
            follows = (
                line.replace(sha256(lines[number - 1]).encode(), sha256(changed[-1]).encode()) if changed else line
            )
            changed.append(change(line) if number == place else follows)
        (work / LOG).write_bytes(b"".join(line + b"\n" for line in changed))
        said = json.loads((work / "seal.json").read_bytes())
        tree = [merkle.leaf(line) for line in changed]
        said["log"] = {"records": len(changed), "head": sha256(changed[-1]), "merkle_root": merkle.root(tree).hex()}
        (work / "seal.json").write_bytes(canonical(said))
        _sealed_anew(work, target)

    IN_TWO_FORMS.add(f"with the key and a new token: {name}", "canonical|one form|RFC 8785")(act)


_in_the_log("an answer that is given twice", lambda line: line.replace(b'"text":', b'"text":"I am R1.","text":', 1))
_in_the_log("a record with two kinds", lambda line: line.replace(b'"kind":', b'"kind":"control","kind":', 1))
_in_the_log("a record with its letters in escapes", lambda line: line.replace(b'"exchange"', b'"\\u0065xchange"', 1))
_in_the_log("a record with a blank in it", lambda line: line.replace(b'"kind":', b'"kind": ', 1))
_rewritten("seal.json with blanks in it", "seal.json: not in canonical form", "seal.json", lambda data: data + b" ")


@IN_TWO_FORMS.add("with the key and a new token: a record of two million lists", "holds more than 1000000 lists")
def _(work: Path, target: Target) -> None:
    lines = (work / LOG).read_bytes()
    body = b'{"x":[' + b"[]," * 2 * 10**6 + b"[]]}"
    last = sha256(lines.splitlines()[-1]).encode()
    at = b"2026-11-28T00:00:00.000000Z"
    line = b'{"at":"%s","body":%s,"kind":"run","prev":"%s","seq":%d}\n' % (at, body, last, lines.count(b"\n"))
    (work / LOG).write_bytes(lines + line)
    _sealed_anew(work, target)
