"""Reads the calibration that a protocol names: a bundled one, or a file that `depose validate` wrote."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec

from depose.canon import sha256
from depose.errors import CaseError
from depose.model import Calibration, Performance, Record

FORMAT = "depose calibration 1"
PERFORMANCE = "performance.json"
"""Written by depose validate beside calibration.json."""


class Loaded(Record, frozen=True, kw_only=True):
    """A calibration and the digest of its file."""

    calibration: Calibration
    sha256: str
    performance: Performance | None = None
    """Error rates of the same study, where they lie beside it."""


def bundled() -> tuple[str, ...]:
    """Name the calibrations that ship with depose."""
    return tuple(
        sorted(
            f.name.removesuffix(".json")
            for f in files(__package__ + ".calibrations").iterdir()
            if f.name.endswith(".json")
        )
    )


def load(name: str, folder: Path) -> Loaded | None:
    """Load a calibration by its bundled name or by a file name read from the case folder; None for no name."""
    if not name:
        return None
    if name in bundled():
        home = files(__package__ + ".calibrations")
        data, beside = home.joinpath(f"{name}.json").read_bytes(), home.joinpath("studies", f"{name}.json")
    else:
        try:
            data, beside = (folder / name).read_bytes(), (folder / name).with_name(PERFORMANCE)
        except (OSError, ValueError) as error:
            raise CaseError(
                f"$.protocol.calibration: {name!r} is neither bundled nor a file: {error}",
                hint=f"bundled: {', '.join(bundled()) or 'none'}; depose validate writes calibration.json",
            ) from error
    found = parse(data, name)
    if not beside.is_file():
        return found
    return msgspec.structs.replace(found, performance=_performance(beside.read_bytes(), f"{beside}", found.sha256))


def _performance(data: bytes, name: str, calibration: str) -> Performance | None:
    """Read the error rates of a study strictly; None where they belong to another calibration."""
    try:
        found = msgspec.json.decode(data, type=Performance)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise CaseError(
            f"{name}: not the error rates of a study: {error}", hint=f"depose validate writes {PERFORMANCE}"
        ) from error
    return found if found.calibration == calibration else None


def parse(data: bytes, name: str) -> Loaded:
    """Read a calibration strictly."""
    try:
        found = msgspec.json.decode(data, type=Calibration)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise CaseError(
            f"{name}: not a calibration: {error}", hint="depose validate writes calibration.json"
        ) from error
    if found.format != FORMAT:
        raise CaseError(f"{name}: format {found.format!r}, not {FORMAT!r}", hint="make it again: depose validate")
    return Loaded(calibration=found, sha256=sha256(data))
