"""Reads the calibration that a protocol names: a bundled one, or a file that `depose validate` wrote."""

from __future__ import annotations

from collections.abc import Collection
from importlib.resources import files
from pathlib import Path

import msgspec

from depose.case.untrusted_files import read_untrusted, through_link
from depose.errors import CaseError
from depose.model import Calibration, Fact, Performance, Protocol, Record
from depose.model.canonical import UNREADABLE, sha256

FORMAT = "depose calibration 1"
LARGEST = 64 * 1024**2
CALIBRATION = "calibration.json"
PERFORMANCE = "performance.json"
"""Written by depose validate beside calibration.json."""


class Loaded(Record, frozen=True, kw_only=True):
    """A calibration and the digest of its file."""

    calibration: Calibration
    sha256: str
    performance: Performance | None = None
    """Error rates of the same study, where they lie beside it."""
    performance_sha256: str = ""


def bundled() -> tuple[str, ...]:
    """Name the calibrations that ship with depose."""
    return tuple(
        sorted(
            f.name.removesuffix(".json")
            for f in files(__package__ + ".calibrations").iterdir()
            if f.name.endswith(".json")
        )
    )


def apart_from(suspects: Collection[str]) -> str:
    """Name the bundled study for prompts that are of none of its kinds: the first in which no such suspect took part.

    The one that a protocol names by itself comes first, then the others by name; where somebody took part in each of
    them, it is that one again. Controls that took part in it are counted among the conditions of a finding.
    """
    usual = Protocol().calibration
    for name in (usual, *(one for one in bundled() if one != usual)):
        study = load(name, Path())
        if study is not None and study.calibration.listed and not set(study.calibration.suspects) & set(suspects):
            return name
    return usual


def load(name: str, folder: Path) -> Loaded | None:
    """Load a calibration by its bundled name or by a file name read from the case folder; None for no name."""
    if not name:
        return None
    found, data = parse(raw(name, folder), name), beside(name, folder)
    return found if data is None else joined(found, data, name)


def raw(name: str, folder: Path) -> bytes:
    """Read the bytes of a calibration."""
    if name in bundled():
        return files(__package__ + ".calibrations").joinpath(f"{name}.json").read_bytes()
    try:
        if through_link(folder, name):
            raise ValueError("a symbolic link, or leads through one")
        return read_untrusted(folder / name, LARGEST)
    except (OSError, ValueError) as error:
        raise CaseError(
            f"$.protocol.calibration: {name!r} is neither bundled nor a file: {error}",
            hint=f"bundled: {', '.join(bundled()) or 'none'}; depose validate writes calibration.json",
        ) from error


def beside(name: str, folder: Path) -> bytes | None:
    """Read the bytes of the error rates that lie beside a calibration; None where there are none."""
    if name in bundled():
        home = files(__package__ + ".calibrations").joinpath("studies", f"{name}.json")
        return home.read_bytes() if home.is_file() else None
    path = (folder / name).with_name(PERFORMANCE)
    try:
        return read_untrusted(path, LARGEST) if path.is_file() else None
    except (OSError, ValueError) as error:
        raise CaseError(f"{path}: {error}", hint=f"depose validate writes {PERFORMANCE}") from error


def joined(found: Loaded, data: bytes, name: str) -> Loaded:
    """Add the error rates of its study to a calibration, read strictly; those of another calibration add nothing."""
    try:
        rates = msgspec.json.decode(data, type=Performance)
    except UNREADABLE as error:
        raise CaseError(
            f"{PERFORMANCE} beside {name}: not the error rates of a study: {error}",
            hint=f"depose validate writes {PERFORMANCE}",
        ) from error
    if rates.calibration != found.sha256:
        return found
    return msgspec.structs.replace(found, performance=rates, performance_sha256=sha256(data))


def parse(data: bytes, name: str) -> Loaded:
    """Read a calibration strictly."""
    try:
        found = msgspec.json.decode(data, type=Calibration)
    except UNREADABLE as error:
        raise CaseError(
            f"{name}: not a calibration: {error}", hint="depose validate writes calibration.json"
        ) from error
    if found.format != FORMAT:
        raise CaseError(f"{name}: format {found.format!r}, not {FORMAT!r}", hint="make it again: depose validate")
    return Loaded(calibration=found, sha256=sha256(data))


def described(loaded: Loaded | None) -> tuple[Fact, ...]:
    """Name the validation study behind the likelihood ratios."""
    if loaded is None:
        return ()
    made = loaded.calibration
    facts = {"source": made.source, "sha256": loaded.sha256, "models": made.models, "prompts": made.prompts}
    return tuple(Fact(name=name, value=str(value)) for name, value in facts.items())
