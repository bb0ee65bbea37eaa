"""What people add to a case beside the protocol: waivers, literature that they checked, a witness's own words."""

from __future__ import annotations

import os
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from depose.case import witness, written
from depose.case.untrusted_files import read_untrusted
from depose.case.witness import Stated
from depose.errors import CaseError
from depose.model import Code, Question, Record, Scale, Text

WAIVERS, CHECKED = "waivers.toml", "checked.toml"
FILES = (WAIVERS, CHECKED, *witness.NAMES)
"""What people may put beside a case file."""
LARGEST = 4 * 1024**2


class Waiver(Record, frozen=True, kw_only=True):
    """An exception that somebody answers for until a date; it is printed beside the number and never hides it."""

    id: Code
    """Names it in the report."""
    suspect: Code
    """Code in the case."""
    reference: Code
    """Code in the case."""
    question: Question | None = None
    """None: all three."""
    reason: Text
    """Why the exception is made."""
    owner: Text
    """Who answers for it."""
    approver: Text
    """Who allowed it."""
    expires: date
    """The last day on which it holds."""


class Waivers(Record, frozen=True, kw_only=True):
    """The whole of waivers.toml."""

    waiver: Annotated[tuple[Waiver, ...], Meta(max_length=200)]
    """One [[waiver]] for each."""


class Check(Record, frozen=True, kw_only=True):
    """Somebody compared an entry with its primary document."""

    id: Text
    """Of the work or scale; `depose report --final` lists those that are missing."""
    checked_on: date
    """When."""
    checked_by: Text
    """By whom."""
    sha256: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")] = ""
    """Digest of the document compared, if there is a file."""


class Checks(Record, frozen=True, kw_only=True):
    """The whole of checked.toml."""

    check: tuple[Check, ...]
    """One [[check]] for each."""


class Work(Record, frozen=True, kw_only=True):
    """A work that the method rests on, or that speaks against it."""

    id: str
    cite: str
    locator: str
    """A DOI or arXiv number."""
    use: str = msgspec.field(name="for")
    method: Literal["", "likeness", "lineup"] = ""
    """Of which method it speaks alone; empty: of all."""


class Mapped(Record, frozen=True, kw_only=True):
    """A place in a framework that a finding can serve as evidence for."""

    framework: str
    id: str
    serves: str


class _Works(Record, frozen=True, kw_only=True):
    entry: tuple[Work, ...]


class _Mapping(Record, frozen=True, kw_only=True):
    entry: tuple[Mapped, ...]


class Annex(Record, frozen=True, kw_only=True):
    """What the case folder adds to a report."""

    waivers: tuple[Waiver, ...] = ()
    checks: tuple[Check, ...] = ()
    witness: Stated | None = None
    """What a witness says in witness.toml."""


Kind = TypeVar("Kind", Waivers, Checks)


def read(folder: Path) -> Annex:
    """Read what is there; a missing file adds nothing, a wrong one is an error."""
    try:
        there = [name for name in FILES if os.path.lexists(folder / name)]
        data = {name: read_untrusted(folder / name, LARGEST) for name in there}
    except (OSError, ValueError) as error:
        raise CaseError(f"{folder}: {error}", hint="its fields: docs/reference/files") from error
    return parse(data, folder)


def parse(data: Mapping[str, bytes], folder: Path) -> Annex:
    """Read the bytes of what is there, by name; the folder is for messages alone."""
    waivers = _table(data[WAIVERS], folder / WAIVERS, Waivers) if WAIVERS in data else None
    checks = _table(data[CHECKED], folder / CHECKED, Checks) if CHECKED in data else None
    found = Annex(
        waivers=waivers.waiver if waivers else (),
        checks=checks.check if checks else (),
        witness=witness.parse(data, folder),
    )
    for name, ids in ((WAIVERS, [w.id for w in found.waivers]), (CHECKED, [c.id for c in found.checks])):
        if twice := sorted(one for one, number in Counter(ids).items() if number > 1):
            raise CaseError(f"{folder / name}: {twice[0]} stands there twice", hint="give each entry an id of its own")
    return found


def literature(*, likeness: bool = True, lineup: bool = True) -> tuple[Work, ...]:
    """All works that speak of these methods, in the order in which they are printed."""
    used = {"": True, "likeness": likeness, "lineup": lineup}
    return tuple(one for one in msgspec.convert(_bundled("literature.toml"), _Works).entry if used[one.method])


def unchecked(scale: Scale | None, annex: Annex, works: Sequence[Work] | None = None) -> tuple[str, ...]:
    """Name the literature and the verbal scale that nobody compared with the primary document."""
    checked = {one.id for one in annex.checks}
    names = [work.id for work in (literature() if works is None else works) if work.id not in checked]
    return (*names, *((scale.id,) if scale and not scale.checked and scale.id not in checked else ()))


def mapping() -> tuple[Mapped, ...]:
    """All places in frameworks."""
    return msgspec.convert(_bundled("mapping.toml"), _Mapping).entry


def _bundled(name: str) -> object:
    return tomllib.loads(files("depose.templates").joinpath(name).read_text("utf-8"))


def _table(data: bytes, path: Path, kind: type[Kind]) -> Kind:
    hint = f"its fields: docs/reference/files/{path.stem}.md"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not UTF-8 at byte {error.start}", hint="save the file as UTF-8") from error
    return written.record_of(text, str(path), kind, hint)
