"""The case files that ship with depose, and the copying of a case into a new folder."""

from __future__ import annotations

import os
import shutil
import tomllib
from importlib.resources import as_file, files
from pathlib import Path

from depose.case import controls
from depose.case.casefile import NAME, OF_LOGS, parse, read, resolve, written_in
from depose.case.untrusted_files import opened
from depose.errors import CaseError, UsageError
from depose.model import file_names


def cases() -> tuple[tuple[str, str], ...]:
    """Name and title of each bundled case, sorted."""
    found = []
    for entry in files("depose.casefiles").iterdir():
        file = entry.joinpath(NAME)
        if entry.is_dir() and file.is_file():
            found.append((entry.name, parse(file.read_text(encoding="utf-8"), entry.name).case.title))
    return tuple(sorted(found))


def cases_of_logs() -> tuple[tuple[str, str], ...]:
    """Name and title of each bundled case of logs, sorted."""
    found = []
    for entry in files("depose.casefiles").iterdir():
        file = entry.joinpath(OF_LOGS)
        if entry.is_dir() and file.is_file():
            found.append((entry.name, str(tomllib.loads(file.read_text(encoding="utf-8"))["case"]["title"])))
    return tuple(sorted(found))


def copy(source: str, folder: Path) -> tuple[Path, ...]:
    """Copy a bundled case (by name), or a case file or folder of one's own, into a new folder.

    A case of logs has another case file (`OF_LOGS`); bundled, it is copied with its events.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder}: exists and is not an empty folder", hint="name a new folder")
    known = [name for name, _ in cases()]
    if source in known:
        with as_file(files("depose.casefiles").joinpath(source)) as origin:
            return _copied(_files_of(origin) | _schema(NAME), folder)
    logs = files("depose.casefiles").joinpath(source)
    if source in [name for name, _ in cases_of_logs()]:
        with as_file(logs) as origin:
            found = {one.relative_to(origin).as_posix(): one for one in origin.rglob("*") if one.is_file()}
            return _copied(found | _schema(OF_LOGS), folder)
    own = Path(source)
    if own.is_file() or (own / NAME).is_file():
        read(own)
        return _copy_files(own, folder)
    known += [name for name, _ in cases_of_logs()]
    raise UsageError(f"no bundled case {source!r}", hint=f"bundled: {', '.join(known)}; or give a case file")


def _schema(name: str) -> dict[str, Path]:
    """The schema that the first line of a bundled file names, for editors."""
    schema = f"{Path(name).stem}.schema.json"
    return {schema: Path(str(files("depose.templates").joinpath("schemas", schema)))}


def _files_of(origin: Path) -> dict[str, Path]:
    """What belongs to a case: its file, what that names below its folder, and what stands beside it in a folder."""
    base = origin if origin.is_dir() else origin.parent
    found = {NAME: origin / NAME if origin.is_dir() else origin}
    if origin.is_dir():
        beside = [f for f in base.iterdir() if not f.name.startswith(("_", "."))]
        for file in beside:
            if file.is_symlink():
                raise CaseError(
                    f"{file}: a symbolic link among the files of a case",
                    hint="it may lead to what was never meant to be copied; remove it, or copy what it leads to",
                )
        found |= {f.name: f for f in beside if f.is_file()}
    named = controls.at_home(read(origin), base, file_names.named_files).items()
    found |= {name: resolve(base, name, where) for name, where in named if name != file_names.KEY_OF_HALF}
    found.pop(file_names.KEY_OF_HALF, None)  # a new case makes a secret of its own
    return found | {name: base / name for name in written_in(origin).tables}


def _copy_files(origin: Path, folder: Path) -> tuple[Path, ...]:
    return _copied(_files_of(origin), folder)


def _copied(sources: dict[str, Path], folder: Path) -> tuple[Path, ...]:
    """Copy into a temporary folder beside the goal, then rename: there is no half-made case."""
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  # resolve() would follow a link that is to be the case
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
        work.mkdir()
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror or error}", hint="name a folder that can be made") from error
    try:
        for name, file in sources.items():
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            with opened(file) as given, (work / name).open("xb") as copy_:
                shutil.copyfileobj(given, copy_)
        if folder.is_dir():  # kept, because somebody may stand in it; the case file comes last
            for made in sorted(work.iterdir(), key=lambda one: one.name == NAME):
                made.rename(folder / made.name)
        else:
            work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return tuple(sorted(folder.iterdir()))
