"""Rows of results in a file, kept as they come, so that a study that was killed goes on there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Row = dict[str, Any]


@dataclass(kw_only=True)
class Store:
    """Rows by their key."""

    path: Path
    rows: dict[str, Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read what an earlier run left; a row that a kill cut off is made again."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        data = self.path.read_bytes() if self.path.is_file() else b""
        whole = data[: data.rfind(b"\n") + 1]
        if whole != data:
            self.path.write_bytes(whole)
        for line in whole.splitlines():
            row = json.loads(line)
            self.rows[row["key"]] = row

    def keep(self, key: str, row: Row) -> Row:
        """Write a row down."""
        self.rows[key] = {"key": key, **row}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(self.rows[key]) + "\n")
        return self.rows[key]


def digest(files: Iterable[Path]) -> str:
    """Name the state of the code that rows depend on."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()[:12]
