"""Meet every fault of `tests/support/faults.py` with `depose probe` and print what was recorded and what was shown."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))


def main() -> None:
    """Print the table as Markdown."""
    import faulty
    from fakes import install

    with tempfile.TemporaryDirectory() as name:
        sys.path.insert(0, str(install(Path(name) / "site")))
        print("| fault | recorded of the question (attempt: status, outcome) | shown |\n|---|---|---|")
        for row in faulty.rows(Path(name)):
            print(f"| {row.fault} | {row.recorded} | {row.shown} |".replace(name, "..."))


if __name__ == "__main__":
    main()
