"""DuckDB with limits: what does not fit in memory goes to a folder beside the case."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from depose.errors import AnalysisError
from depose.evidence.workspace import workspace
from depose.features.workers import cores

if TYPE_CHECKING:
    import duckdb

MEMORY = "6GB"
"""Memory of the engine; DEPOSE_EXTRACTION_MEMORY says otherwise."""


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
                f"the logs do not fit: {str(error).partition(chr(10))[0]}",
                hint="free disk beside the case, or DEPOSE_EXTRACTION_MEMORY=4GB",
            ) from error
        finally:
            connection.close()


def listed(files: list[Path]) -> str:
    """Write a list of files as SQL does."""
    return "[" + ", ".join("'" + str(one).replace("'", "''") + "'" for one in files) + "]"
