"""Every source of answers times every way in which an answer can end: what depose makes of each.

    python benchmarks/statuses.py

A cell reads `answered` only where there is an answer.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))


def main() -> int:
    """Print the table as Markdown; end with 1 if a cell says `answered` of what is no answer."""
    import wire_answers as wire

    print(f"| how it ended | {' | '.join(wire.SOURCES)} |")
    print(f"|---|{'---|' * len(wire.SOURCES)}")
    wrong = 0
    for end in wire.ENDS:
        found = [wire.told(source, end) for source in wire.SOURCES]
        right = [wire.status_of(source, end) in ("whole", "cut_length", "unknown") for source in wire.SOURCES]
        wrong += sum((one.outcome == "answered") != ok for one, ok in zip(found, right, strict=True))
        print(f"| {end} | {' | '.join(f'{one.outcome} ({one.status})' for one in found)} |")
    print(f"{len(wire.ENDS)} ends of {len(wire.SOURCES)} sources, {wrong} wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
