"""A folder into which logs arrive: each look imports what is new in it, scans, and says what changed.

A log that breaks off, as one that is still written does, waits for a later look, and so does one whose other table has
not come. A log that is refused, such as one with a record of the year 2031, is named with its reason and left where it
is: it holds up no other. Every look is another test of the same question: the p-values of a scan do not pay for the
looks before it.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path

from depose.errors import DeposeError, UsageError
from depose.evidence.log import Clock
from depose.evidence.log_file import RunsBackwardsError
from depose.extraction import conduct, importing, plan, produced
from depose.extraction.manifest import read_manifest
from depose.extraction.reading import BreaksOffError
from depose.extraction.sources import JOINED
from depose.model import Record
from depose.model.canonical import digest as content_digest


class Folder(Record, frozen=True, kw_only=True):
    """Where logs arrive, and how they are read."""

    watch: Path
    format: str
    hash_key: str
    mapping: str = ""
    allow_nameless: bool = False
    countries: str = ""


class Refused(Record, frozen=True, kw_only=True):
    """A log that was not imported, and would not be at the next look."""

    log: str
    message: str
    hint: str
    exit_code: int


class Look(Record, frozen=True, kw_only=True):
    """What a look found."""

    imported: tuple[str, ...]
    waiting: tuple[str, ...]
    """Logs that break off, as one that is still written does, or whose other table has not come: for a later look."""
    ran: conduct.Ran | None
    """The scan, if anything was imported since the last one."""
    refused: tuple[Refused, ...] = ()
    """Logs that hold what is refused; the others were read."""
    unscanned: str = ""
    """Why nothing was scanned though something is new; the next look tries again."""


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
        countries=folder.countries,
    )
    before = _sources(case)
    waiting, refused = _taken(case, logs, manner, say)
    imported = tuple(name for digest, name in _sources(case).items() if digest not in before)
    ran, unscanned = None, ""
    if not _is_scanned(plan.folder_of(case)):
        try:
            ran = conduct.scan_case(case, clock, say)
        except RunsBackwardsError as error:
            unscanned = str(error)
    return Look(imported=imported, waiting=waiting, ran=ran, refused=refused, unscanned=unscanned)


def _taken(
    case: Path, logs: list[Path], manner: importing.Manner, say: Callable[[str], None]
) -> tuple[tuple[str, ...], tuple[Refused, ...]]:
    """Import what is whole and sound; return the names of what is not whole, and what is refused."""
    waiting: list[Path] = []
    refused: dict[Path, Refused] = {}
    while whole := [one for one in logs if one not in waiting and one not in refused]:
        try:
            importing.load(case, whole, manner, say)
            break
        except DeposeError as error:
            about = _among(whole, error.files)
            if not about:  # of the case, the key or the mapping, and of no log
                raise
            if isinstance(error, BreaksOffError) or (
                isinstance(error, importing.NamelessError) and manner.format in JOINED
            ):
                waiting += about
            else:
                for one in about:
                    refused[one] = Refused(
                        log=one.name, message=error.message, hint=error.hint, exit_code=error.exit_code
                    )
    return tuple(one.name for one in logs if one in waiting), tuple(refused.values())


def _is_scanned(folder: Path) -> bool:
    """Tell whether the last scan was of all that was imported: a run may have been killed between the two."""
    if not _sources(folder):
        return True
    try:
        return conduct.read_findings(folder).events == content_digest(read_manifest(folder))
    except DeposeError:
        return False


def _among(logs: list[Path], named: tuple[PathLike[str], ...]) -> list[Path]:
    return [one for one in logs if one in named]


def _sources(case: Path) -> dict[str, str]:
    """Return the logs that were read, by digest."""
    folder = plan.folder_of(case)
    if not (folder / "events" / "manifest.json").is_file():
        return {}
    return {one.sha256: one.name for one in read_manifest(folder).sources}
