"""DuckDB with limits: what does not fit in memory goes to a folder beside the case."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from depose.errors import AnalysisError
from depose.evidence.workspace import workspace
from depose.features.workers import cores

if TYPE_CHECKING:
    import duckdb

MEMORY = "2GB"
"""Memory of the engine, beside the tables that it hands over; DEPOSE_EXTRACTION_MEMORY says otherwise."""
_ROOM = "free disk in {beside}, or set DEPOSE_EXTRACTION_MEMORY to more or less than {memory}; nothing was written"


def _said(error: Exception) -> str:
    """Take the first line of what the engine said: the others show its own stack."""
    return str(error).partition("\n")[0]


@contextmanager
def engine(beside: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Give an engine that spills into a folder in `beside`, which is swept afterwards, also after a kill."""
    import duckdb

    with workspace(beside) as spill:
        connection = duckdb.connect(
            config={
                "threads": str(cores()),
                "memory_limit": os.environ.get("DEPOSE_EXTRACTION_MEMORY", MEMORY),
                "temp_directory": str(spill),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
            }
        )
        try:
            yield connection
        except duckdb.OutOfMemoryException as error:
            raise AnalysisError(
                f"the logs do not fit: {_said(error)}", hint=_ROOM.format(beside=beside, memory=MEMORY)
            ) from error
        except duckdb.IOException as error:
            free = shutil.disk_usage(spill).free / 1e9
            raise AnalysisError(
                f"the logs cannot be read or sorted: {_said(error)} ({free:.1f} GB free in {beside})",
                hint=_ROOM.format(beside=beside, memory=MEMORY),
            ) from error
        finally:
            connection.close()


def listed(files: list[Path]) -> str:
    """Write a list of files as SQL does."""
    return "[" + ", ".join("'" + str(one).replace("'", "''") + "'" for one in files) + "]"
