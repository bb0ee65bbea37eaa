"""Files and authorities that fail: nothing that was reported is lost, and a message says what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fakes import install
from faults_of_files import LOCAL
from thinned import thinned


@pytest.mark.parametrize("fault", thinned(LOCAL, 2))
def test_a_fault_of_files_loses_nothing(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each act checks what is left; the message is its own."""
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    says, act = LOCAL[fault]
    (tmp_path / "fault").mkdir()
    message = act(tmp_path / "fault")
    assert re.search(says, message), message
