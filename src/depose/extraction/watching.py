"""A folder into which logs arrive: each look imports what is new in it, scans, and says what changed.

Every look is another test of the same question: the p-values of a scan do not pay for the looks before it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from depose.errors import UsageError
from depose.evidence.log import Clock
from depose.extraction import conduct, importing, plan
from depose.model import Record


class Folder(Record, frozen=True, kw_only=True):
    """Where logs arrive, and how they are read."""

    watch: Path
    format: str
    hash_key: str
    mapping: str = ""


class Look(Record, frozen=True, kw_only=True):
    """What a look found."""

    imported: tuple[str, ...]
    ran: conduct.Ran | None
    """The scan, if anything was new or nothing was scanned yet."""


def look(case: Path, folder: Folder, clock: Clock, say: Callable[[str], None]) -> Look:
    """Import what is new, and scan if anything is."""
    if not folder.watch.is_dir():
        raise UsageError(f"{folder.watch}: no folder", hint="name the folder into which logs arrive")
    if not folder.format:
        raise UsageError("--watch needs --format", hint="such as --format litellm")
    logs = sorted(one for one in folder.watch.iterdir() if one.is_file() and one.name[0] not in "._")
    manner = importing.Manner(format=folder.format, hash_key=folder.hash_key, mapping=folder.mapping)
    done = importing.load(case, logs, manner, say) if logs else None
    imported = tuple(one.name for one in done.sources) if done is not None else ()
    scanned = (plan.folder_of(case) / "out" / conduct.FINDINGS).is_file()
    ran = conduct.scan_case(case, clock, say) if imported or (done is not None and not scanned) else None
    return Look(imported=imported, ran=ran)
