"""From a folder of 49 files of answers to a report: what is typed, how long it takes, how it ends.

The files are published answers of the lineage benchmark (../shared/data), one CSV for each model with the headers
`item,question_text,reply`, as the users who tried 0.1.0 held them. Nothing of them is kept but counts and times, and
the reports, in the folder that is named: `make first-report`.

Two days: a student beside its teacher, as in the diary of those users, which has too few clean controls for two
questions and no ratio for the third; and one model under two prompts of a system, whose suspect is of unknown origin to
the table, as in a dispute.
"""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import journeys
from benchmarks.journeys import Step

DATA = Path(__file__).parents[2] / "shared" / "data"
SOURCE = "alpaca_eval"
DAYS = {
    "student": ("phi-2-sft", "gpt-3.5-turbo-0301"),
    "same": ("Mixtral-8x7B-Instruct-v0.1_concise", "Mixtral-8x7B-Instruct-v0.1"),
}
"""Suspect and reference of each."""
DISPUTED = "same"
FILES, PROMPTS = 49, 200
BEFORE = "0.1.0: 527 lines of TOML, 47 commands (the diary of users who tried it)"


def steps(lineage: Path, suspect: str, reference: str) -> tuple[Step, ...]:
    """List the commands of the day; the first asks what it must know."""
    typed = (
        ("Which is the suspect?", suspect),
        ("Which is the reference?", reference),
        ("Table of who made which model", str(lineage)),
        ("Title of the case", ""),
        ("On what right", "published answers"),
    )
    return (
        Step(command="depose init mine --answers answers", typed=typed),
        Step(command="depose check mine", code=-1),
        Step(command="depose audit mine", code=-1),
    )


def chosen(listed: Sequence[dict[str, str]], answered: Sequence[str], suspect: str, reference: str) -> list[str]:
    """Choose suspect, reference and controls: a model of each family first, the nearest in time first."""
    held = {row["model"]: row for row in listed if row["model"] in set(answered)}
    middle = held[suspect]["date"]
    others = sorted(
        (row for name, row in held.items() if name not in (suspect, reference) and row["date"]),
        key=lambda row: (abs(_month(row["date"]) - _month(middle)), row["model"]),
    )
    first: dict[str, str] = {}
    for row in others:
        if not row["openai_teacher"].endswith("yes"):
            first.setdefault(row["family"], row["model"])
    names = [*first.values(), *(row["model"] for row in others if row["model"] not in first.values())]
    return [suspect, reference, *names[: FILES - 2]]


def _month(date: str) -> int:
    year, _, month = date.partition("-")
    return int(year) * 12 + int(month[:2] or 6)


def lay(folder: Path, suspect: str, reference: str, *, disputed: bool) -> None:
    """Write the files of answers, and the table of lineage beside them: of a disputed suspect it knows the date."""
    import pyarrow.parquet

    rows = pyarrow.parquet.read_table(DATA / f"responses-{SOURCE}.parquet").to_pylist()
    listed = list(csv.DictReader((DATA / "lineage.csv").read_text("utf-8").splitlines()))
    prompts = sorted({row["prompt_id"] for row in rows})[:PROMPTS]
    (folder / "answers").mkdir(parents=True)
    for name in chosen(listed, [row["model"] for row in rows], suspect, reference):
        with (folder / "answers" / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["item", "question_text", "reply"])
            writer.writerows(
                [row["prompt_id"], row["prompt"], row["output"]]
                for row in rows
                if row["model"] == name and row["prompt_id"] in prompts and row["sample"] == 0
            )
    unknown = {"developer": "the vendor", "family": "the suspect", "base": "", "teachers": "", "teacher_models": ""}
    with (folder / "lineage.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(listed[0]))
        table.writeheader()
        table.writerows({**row, **unknown} if disputed and row["model"] == suspect else row for row in listed)


def main() -> None:
    """Run the day and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a new folder, where the case is left to be looked at")
    parser.add_argument("--show", action="store_true", help="print what the terminal showed, too")
    given = parser.parse_args()
    if not DATA.is_dir():
        print("first-report: skipped, ../shared/data is not there")
        return
    print(f"{FILES} files of {PROMPTS} answers; {BEFORE}")
    for name, pair in DAYS.items():
        folder = given.folder / name
        lay(folder, *pair, disputed=name == DISPUTED)
        keys = 0
        print(f"\n{pair[0]} beside {pair[1]}")
        day = steps(Path("lineage.csv"), *pair)
        for step in day:
            seen = journeys.run(step, folder)
            keys += seen.keys
            shown = re.sub(r"[^\n]*\r(?!\n)", "", seen.text)
            if given.show:
                print(shown)
            widest = max(map(len, shown.splitlines()), default=0)
            print(f"{step.command}: exit {seen.code}, {seen.seconds:.0f} s, widest line {widest}")
        print(f"{name}: 0 lines of TOML by hand, {len(day)} commands, {keys} keystrokes")


if __name__ == "__main__":
    main()
