"""Meet every fault of `tests/support/faults.py` with `depose probe` and print what was recorded and what was shown."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))
LONGEST = 400


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def main() -> None:
    """Print the table as Markdown."""
    import faulty
    from fakes import install
    from faults import FAULTS
    from faults_of_data import ECHOES, VALUES
    from faults_of_files import LOCAL
    from faults_of_order import OF_ORDER
    from faulty import TLS

    with tempfile.TemporaryDirectory() as name:
        sys.path.insert(0, str(install(Path(name) / "site")))
        print("| fault | recorded of the question (attempt: status, outcome) | shown |\n|---|---|---|")
        for row in faulty.rows(Path(name), (*FAULTS, TLS, *VALUES, *ECHOES)):
            print(f"| {row.fault} | {_short(row.recorded)} | {_short(row.shown)} |".replace(name, "..."))
        local = {**LOCAL, **OF_ORDER}
        print("\n| fault of files and authorities | message |\n|---|---|")
        for number, (fault, (says, meet)) in enumerate(local.items()):
            folder = Path(name) / f"local-{number}"
            folder.mkdir()
            message = meet(folder)
            if not re.search(says, message):
                sys.exit(f"{fault}: met {message!r}, not {says!r}")
            print(f"| {fault} | {_short(message)} |".replace(str(folder), "..."))


if __name__ == "__main__":
    main()
