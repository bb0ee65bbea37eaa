"""Copies that were changed around what their tree proves: names, the list of redactions, words of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from depose.custody import copies, forms, leaves

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


CHANGED_COPIES = {
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
