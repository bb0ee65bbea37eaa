"""Copies that were changed around what their tree proves: names, the list of redactions, words of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from depose.custody import copies, forms, leaves
from depose.model.canonical import canonical

Index = dict[str, Any]


class Changed(NamedTuple):
    """A change, what COPY.py says of it, and what depose verify says (a pattern)."""

    change: Callable[[Path, Index], None]
    script: str
    verify: str


def _under_another_name(goal: Path, index: Index) -> None:
    """Show an answer where the findings stand, and leave the findings out under no name."""
    by = {one["name"]: one for one in index["files"]}
    answer = next(one for name, one in by.items() if name.startswith("evidence/blobs/") and one["secret"])
    found, secret, data = by["out/findings.json"], bytes.fromhex(answer["secret"]), (goal / answer["name"]).read_bytes()
    bytes_of = {found["name"]: (goal / found["name"]).read_bytes()}
    left_out = copies._shown(msgspec.convert(found, copies.Shown), bytes_of, {}, set(), 3)
    leaf = forms.name_leaf(leaves.name_salt(secret), answer["name"], 3).hex()
    pieces = [leaves.secret_of(secret, str(n)).hex() for n, _ in enumerate(leaves.lines(data))]
    index["files"].remove(found)
    index["files"].remove(answer)
    index["files"].append({"name": found["name"], "secret": "", "salt": "", "unnamed": leaf, "pieces": pieces})
    index["absent"].append({"name": "", "salt": "", "hash": left_out.hex()})
    (goal / answer["name"]).rename(goal / found["name"])


def _unlisted(goal: Path, index: Index) -> None:
    """Say nothing of what is withheld."""
    (goal / "redactions.jsonl").write_bytes(b"")


def _garbled(goal: Path, index: Index) -> None:
    """List one passage more than there is."""
    rows = (goal / "redactions.jsonl").read_bytes()
    (goal / "redactions.jsonl").write_bytes(rows + rows.splitlines(keepends=True)[0])


def _says_more(goal: Path, index: Index) -> None:
    """Add a word of one's own to the index."""
    index["comment"] = "approved by the court"


def _says_more_of_a_file(goal: Path, index: Index) -> None:
    """Add a word of one's own to a file."""
    index["files"][0]["comment"] = "approved by the court"


def _empty_folder(goal: Path, index: Index) -> None:
    """Add a folder whose name says something."""
    (goal / "withdrawn by the signer").mkdir()


def _beside_a_secret(goal: Path, index: Index) -> None:
    """Say something where a file that is shown whole needs no salt."""
    next(one for one in index["files"] if one["secret"])["salt"] = "approved by the court"


def _beside_no_name(goal: Path, index: Index) -> None:
    """Leave a file out under no name, and say something where its salt would stand."""
    one = next(one for one in index["files"] if one["name"].startswith("evidence/blobs/") and one["secret"])
    secret, data = bytes.fromhex(one["secret"]), (goal / one["name"]).read_bytes()
    root = forms.file_root(leaves.roots(lambda: leaves.buffer(data), secret), 3)
    hash_ = forms.commitment(leaves.name_salt(secret), one["name"], root, 3).hex()
    index["files"].remove(one)
    index["absent"].append({"name": "", "salt": "approved by the court", "hash": hash_})
    (goal / one["name"]).unlink()
    _row(goal, "", 0)


def _row(goal: Path, file: str, line: int) -> None:
    passage = {"at": "2026-11-27T00:00:00.000000Z", "file": file, "line": line, "passages": 1, "reason": "raw bytes"}
    with (goal / "redactions.jsonl").open("ab") as rows:
        rows.write(canonical(passage) + b"\n")


def _after_the_last_row(goal: Path, index: Index) -> None:
    """Say something after the last row, without a line feed."""
    with (goal / "redactions.jsonl").open("ab") as rows:
        rows.write(b"All of this was approved by the court.")


def _at_no_time(goal: Path, index: Index) -> None:
    """Say something where a row says when."""
    file = goal / "redactions.jsonl"
    rows = [{**json.loads(row), "at": "approved by the court"} for row in file.read_bytes().splitlines()]
    file.write_bytes(b"".join(canonical(row) + b"\n" for row in rows))


def _without_the_log(goal: Path, index: Index) -> None:
    """Leave the log out, and say so."""
    one = next(one for one in index["files"] if one["name"] == "evidence/log.jsonl")
    at, data, roots = 0, (goal / one["name"]).read_bytes(), list[bytes]()
    for piece in one["pieces"]:
        end = data.find(b"\n", at) + 1
        whole = isinstance(piece, str)
        roots.append(
            leaves.piece(data[at:end], bytes.fromhex(piece)) if whole else leaves.read(piece, data, at, "").root
        )
        at = end
    root = forms.file_root(roots, 3)
    index["files"].remove(one)
    index["absent"].append({"name": one["name"], "salt": one["salt"], "hash": root.hex()})
    (goal / one["name"]).unlink()
    rows = (goal / "redactions.jsonl").read_bytes().splitlines(keepends=True)
    (goal / "redactions.jsonl").write_bytes(b"".join(row for row in rows if b"log.jsonl" not in row))
    _row(goal, one["name"], 0)


def _whole_under_no_name(goal: Path, index: Index) -> None:
    """Show the exhibits whole under a name for raw bytes of which something is withheld."""
    one = next(one for one in index["files"] if one["name"] == "out/exhibits.csv")
    secret, data = bytes.fromhex(one["secret"]), (goal / one["name"]).read_bytes()
    pieces = [leaves.secret_of(secret, str(n)).hex() for n, _ in enumerate(leaves.lines(data))]
    leaf = forms.name_leaf(leaves.name_salt(secret), one["name"], 3).hex()
    name = "evidence/blobs/withheld-777"
    index["files"][index["files"].index(one)] = {
        "name": name,
        "secret": "",
        "salt": "",
        "unnamed": leaf,
        "pieces": pieces,
    }
    (goal / "out/exhibits.csv").rename(goal / name)


CHANGED_COPIES = {
    "words beside the secret of a file that is shown whole": Changed(
        _beside_a_secret, "what nothing proves", "of no kind that a copy shows"
    ),
    "words beside a file left out under no name": Changed(
        _beside_no_name, "what nothing proves", "of no kind that a bundle has"
    ),
    "words after the last row of redactions": Changed(
        _after_the_last_row, "does not end with a row", "does not end with a row"
    ),
    "words where redactions say when": Changed(_at_no_time, "gives no time", "is not a time of a log"),
    "the log left out, and listed": Changed(_without_the_log, "there is no log", "no copy is without it"),
    "exhibits shown whole under no name": Changed(
        _whole_under_no_name, "shown whole, and not by its name", "is shown whole, and its name is not"
    ),
    "an answer shown under the name of the findings": Changed(
        _under_another_name, "under a name that nothing proves", "of no kind that a copy shows"
    ),
    "a list of redactions that lists nothing": Changed(_unlisted, "withheld and not listed", "lists 0"),
    "a list of redactions that lists a line twice": Changed(
        _garbled, "withheld and not listed", "passages are withheld"
    ),
    "a word of one's own in copy.json": Changed(_says_more, "says what no copy has", "unknown field"),
    "a word of one's own beside a file": Changed(_says_more_of_a_file, "says of a file what none has", "unknown field"),
    "a folder whose name says something": Changed(_empty_folder, "empty folder", "empty folder"),
}
