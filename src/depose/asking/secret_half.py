"""The secret of a case that asks a mix: made at registration, handed out by the seal."""

from __future__ import annotations

import secrets
from pathlib import Path

from depose.case import mixes
from depose.evidence.log import log_path, write_whole
from depose.model import Case
from depose.model.file_names import KEY_OF_HALF


def make_secret_half(case: Case, folder: Path) -> None:
    """Make the secret where there is none and nothing is registered yet; readable by its owner alone."""
    path = folder / KEY_OF_HALF
    if mixes.mixed(case.protocol) and not path.exists() and not log_path(folder).is_file():
        write_whole(path, f"{secrets.token_hex(mixes.LEAST)}\n".encode())
        path.chmod(0o600)
