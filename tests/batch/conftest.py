"""The made batch that the tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest

from batches import write


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the made batch."""
    return write(tmp_path_factory.mktemp("vendors"))
