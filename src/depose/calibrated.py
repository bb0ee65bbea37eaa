"""Reads the calibration that a protocol names: a bundled one, or a file that `depose validate` wrote."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec

from depose.canon import sha256
from depose.errors import CaseError
from depose.model import Calibration, Record

FORMAT = "depose calibration 1"


class Loaded(Record, frozen=True, kw_only=True):
    """A calibration and the digest of its file."""

    calibration: Calibration
    sha256: str


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
    return parse(raw(name, folder), name) if name else None


def raw(name: str, folder: Path) -> bytes:
    """Read the bytes of a calibration."""
    if name in bundled():
        return files(__package__ + ".calibrations").joinpath(f"{name}.json").read_bytes()
    try:
        return (folder / name).read_bytes()
    except (OSError, ValueError) as error:
        raise CaseError(
            f"$.protocol.calibration: {name!r} is neither bundled nor a file: {error}",
            hint=f"bundled: {', '.join(bundled()) or 'none'}; depose validate writes calibration.json",
        ) from error


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
