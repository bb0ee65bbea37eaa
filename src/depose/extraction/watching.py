"""A folder into which logs arrive: each look imports what is new in it, scans, and says what changed.

Every look is another test of the same question: the p-values of a scan do not pay for the looks before it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from depose.errors import UsageError
from depose.evidence.log import Clock
from depose.extraction import conduct, importing, plan, produced
from depose.extraction.manifest import read_manifest
from depose.extraction.reading import BreaksOffError
from depose.extraction.sources import JOINED
from depose.model import Record


class Folder(Record, frozen=True, kw_only=True):
    """Where logs arrive, and how they are read."""

    watch: Path
    format: str
    hash_key: str
    mapping: str = ""
    allow_nameless: bool = False


class Look(Record, frozen=True, kw_only=True):
    """What a look found."""

    imported: tuple[str, ...]
    waiting: tuple[str, ...]
    """Logs that break off, as one that is still written does, or whose other table has not come: for a later look."""
    ran: conduct.Ran | None
    """The scan, if anything was new or nothing was scanned yet."""


def look(case: Path, folder: Folder, clock: Clock, say: Callable[[str], None]) -> Look:
    """Import what is new, and scan if anything is."""
    if not folder.watch.is_dir():
        raise UsageError(f"{folder.watch}: no folder", hint="name the folder into which logs arrive")
    if not folder.format:
        raise UsageError("--watch needs --format", hint="such as --format litellm")
    logs, _ = produced.files_of([folder.watch], folder.format)
    manner = importing.Manner(
        format=folder.format,
        hash_key=folder.hash_key,
        mapping=folder.mapping,
        allow_nameless=folder.allow_nameless,
    )
    before = _sources(case)
    waiting = _taken(case, logs, manner, say)
    imported = tuple(name for digest, name in _sources(case).items() if digest not in before)
    scanned = (plan.folder_of(case) / "out" / conduct.FINDINGS).is_file()
    ran = conduct.scan_case(case, clock, say) if imported or (_sources(case) and not scanned) else None
    return Look(imported=imported, waiting=waiting, ran=ran)


def _taken(case: Path, logs: list[Path], manner: importing.Manner, say: Callable[[str], None]) -> tuple[str, ...]:
    """Import what is whole; return what is not."""
    waiting: list[Path] = []
    while whole := [one for one in logs if one not in waiting]:
        try:
            importing.load(case, whole, manner, say)
            break
        except BreaksOffError as error:
            waiting += error.files
        except importing.NamelessError:
            if manner.format not in JOINED:
                raise
            waiting += whole
    return tuple(one.name for one in waiting)


def _sources(case: Path) -> dict[str, str]:
    """Return the logs that were read, by digest."""
    folder = plan.folder_of(case)
    if not (folder / "events" / "manifest.json").is_file():
        return {}
    return {one.sha256: one.name for one in read_manifest(folder).sources}
