"""What several tests share: batch runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from batches import write
from depose.batch import run
from fakes import Clock


def quiet(*what: object) -> None:
    """Say nothing."""


def go(file: Path, out: Path, **manner: object) -> run.Ran:
    """Run a batch in this process."""
    return run.batch(file, out, run.Manner(**{"workers": 1, **manner}), Clock(), quiet, quiet)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the made batch."""
    return write(tmp_path_factory.mktemp("vendors"))
