"""`events/manifest.json`: which logs became which files of events, and what of them was lost."""

from __future__ import annotations

from pathlib import Path

import msgspec

from depose.errors import CaseError, EvidenceError, shell
from depose.model import Fact, Record
from depose.model.canonical import UNREADABLE

FORMAT = "depose events 1"


class Written(Record, frozen=True, kw_only=True):
    """One file of events."""

    path: str
    day: str
    rows: int
    sha256: str


class SourceOf(Record, frozen=True, kw_only=True):
    """A log that was read."""

    name: str
    sha256: str
    bytes: int
    format: str
    rows: int
    """Requests that it holds; of logs that were read again beside a new one, those that they did not hold before."""
    duplicates: int
    """Of these, ids that were there before: counted once."""
    losses: dict[str, int]
    """What was lost, put aside or is odd, by reason."""
    truncated: bool
    sampled: bool
    """Whether it is a sample of the requests."""
    without: tuple[str, ...]
    """Columns of which it says nothing."""
    texts: bool
    """Whether contexts and answers were kept."""
    countries: str = ""
    """SHA-256 of the table of networks that said the countries of addresses, if one was named."""
    parts: tuple[Fact, ...] = ()
    """Where several logs were read as one: each, with its digest. `sha256` is then that of the lines which sha256sum
    writes of them, sorted."""


class Manifest(Record, frozen=True, kw_only=True):
    """`events/manifest.json`."""

    format: str
    hash_key: str
    """Commitment to the key of the hashes, which stays with the custodian."""
    sources: tuple[SourceOf, ...]
    files: tuple[Written, ...]
    public: tuple[str, ...] = ()
    """Digests of the lists of public prompts that were applied."""


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a case; raise CaseError where nothing was imported."""
    file = folder / "events" / "manifest.json"
    try:
        return msgspec.json.decode(file.read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        raise CaseError(
            f"{folder}: no events", hint=f"depose extraction import {shell(folder)} LOGS --format ..."
        ) from error
    except UNREADABLE as error:
        raise EvidenceError(f"{file}: not a manifest: {error}", hint=anew(folder)) from error


def anew(folder: Path) -> str:
    """Say what to do where events are not what was imported: a log that the manifest lists is not read again."""
    return f"put it back, or remove {shell(folder / 'events')} and import the logs again"


def sweep(events: Path, now: Manifest) -> None:
    """Remove days that a killed import wrote and did not list: their log may be another by now."""
    listed = {one.path for one in now.files}
    for file in (*events.glob("day=*/*.parquet"), *events.glob("texts/day=*/*.parquet")):
        if file.relative_to(events).as_posix() not in listed:
            file.unlink()
