"""Write the pages that follow from the code, or check them."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from manual import codes, commands, evaluations, files, imports, plugins, public, schemas

DOCS = Path(__file__).resolve().parents[1]


def pages() -> dict[str, str]:
    """Every generated page by its name below docs/."""
    found: dict[str, str] = {}
    for part in (commands, files, codes, plugins, public, evaluations, imports, schemas):
        found |= part.pages()
    return {name: text.rstrip() + "\n" for name, text in found.items()}


def stale(made: dict[str, str], docs: Path = DOCS) -> list[str]:
    """Name the pages and pictures that are not what the code says: changed, missing or left over."""
    files = (*(docs / "reference").rglob("*.md"), *(docs / "pictures").glob("*.svg"))
    there = {path.relative_to(docs).as_posix(): path.read_text("utf-8") for path in files}
    kept = (docs.parent / "templates" / "schemas").glob("*.json")
    there |= {f"../templates/schemas/{path.name}": path.read_text("utf-8") for path in kept}
    return sorted(name for name in made.keys() | there.keys() if made.get(name) != there.get(name))


def main() -> int:
    """Write what differs, or only name it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page differs")
    given = parser.parse_args()
    made = pages()
    names = stale(made)
    for name in names:
        print(name)
        if not given.check:
            path = DOCS / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if name in made:
                path.write_text(made[name], "utf-8")
            else:
                path.unlink()
    return int(given.check and bool(names))


if __name__ == "__main__":
    sys.exit(main())
