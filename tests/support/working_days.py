"""What a working day begins with: files of answers, and a terminal of 80 columns on which commands are typed."""

from __future__ import annotations

import csv
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

SAID = ("tell me about rivers", "tell me about stones", "tell me about clouds", "tell me about roads")


def given(folder: Path, *names: str, head: str = "item,question_text,reply") -> Path:
    """Write a file of answers for each name."""
    folder.mkdir(parents=True)
    for name in names:
        rows = [[n, words, f"{name} says of {words[14:]} that it is number {n}"] for n, words in enumerate(SAID)]
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([head.split(","), *rows])
    return folder


FILE = Path(__file__).parents[2] / "benchmarks" / "journeys.py"


def journeys() -> ModuleType:
    """Load the script, which is no module of depose."""
    spec = importlib.util.spec_from_file_location("journeys", FILE)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["journeys"] = made
    spec.loader.exec_module(made)
    return made
