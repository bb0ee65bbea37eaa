"""Every source of answers times every way in which an answer can end: what depose makes of each.

    python benchmarks/statuses.py

First the wire formats, streamed and not, then the files that tools write. A cell reads `answered` only where there is
an answer; a file's cell is empty where its format has no way to say so.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

ANSWERS = ("whole", "cut_length", "unknown")


def wire_formats() -> int:
    """Print the table of the wire formats; return how many cells are wrong."""
    import wire_answers as wire

    print(f"| how it ended | {' | '.join(wire.SOURCES)} |")
    print(f"|---|{'---|' * len(wire.SOURCES)}")
    wrong = 0
    for end in wire.ENDS:
        found = [wire.told(source, end) for source in wire.SOURCES]
        right = [wire.status_of(source, end) in ANSWERS for source in wire.SOURCES]
        wrong += sum((one.outcome == "answered") != ok for one, ok in zip(found, right, strict=True))
        print(f"| {end} | {' | '.join(f'{one.outcome} ({one.status})' for one in found)} |")
    print(f"{len(wire.ENDS)} ends of {len(wire.SOURCES)} sources, {wrong} wrong\n")
    return wrong


def files() -> int:
    """Print the table of the files of tools; return how many cells are wrong."""
    from depose.endpoints.recorded import Recorded
    from depose.model import Ask
    from exports import ALL, EXPORTS, Answer, write

    statuses = (*ALL, "unknown")
    question = "How do I keep a fern alive?"
    ask = Ask(
        model="C1", prompt="q", sample=0, replicate=0, text=question, system="", temperature=0, max_tokens=9, seed=7
    )
    other = Answer(id="r", prompt="Name a good rainy day plan.", text="Bake bread.")
    print(f"| file | {' | '.join(statuses)} |\n|---|{'---|' * len(statuses)}")
    wrong = 0
    for name, (_, _, able) in EXPORTS.items():
        cells = []
        for status in statuses:
            if status not in able:
                cells.append("")
                continue
            with tempfile.TemporaryDirectory() as folder:
                made = [Answer(id="q", prompt=question, text="Mist it daily.", status=status), other]
                (reply,) = Recorded(write(Path(folder), name, made), "").ask([ask])
            wrong += (reply.outcome == "answered") != (status in ANSWERS)
            cells.append(f"{reply.outcome} ({reply.status})")
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"{len(EXPORTS)} kinds of files, {wrong} wrong")
    return wrong


def main() -> int:
    """Print both tables; end with 1 if a cell says `answered` of what is no answer."""
    return bool(wire_formats() + files())


if __name__ == "__main__":
    sys.exit(main())
