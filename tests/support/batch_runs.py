"""What several tests share: batch runs."""

from __future__ import annotations

from pathlib import Path

from depose.batch import run
from fakes import Clock


def quiet(*what: object) -> None:
    """Say nothing."""


def go(file: Path, out: Path, **manner: object) -> run.Ran:
    """Run a batch in this process."""
    return run.batch(file, out, run.Manner(**{"workers": 1, **manner}), Clock(), quiet, quiet)  # type: ignore[arg-type]
