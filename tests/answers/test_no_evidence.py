"""Transport forms, marks of reasoning and placeholders change no score, wherever answers come from."""

from __future__ import annotations

import json
import random
import shutil
from importlib.resources import as_file, files
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from depose import pipeline
from depose.answers.line_ends import evened
from depose.answers.settle import compared_text, settle
from depose.case.population import read
from depose.cli.options import now
from depose.selftest import SOURCE
from disguises import FORMS, LINE_ENDS, MARKS, disguised
from fakes import recorded_case

SCRIPT = Path(pipeline.__file__).parent / "custody/rescore.py"
NOTHING = ("", " \r\n", "nan", "NaN", "#NAME?", "[output stripped]", "null", "N/A", "\ufeff")

PARTS = ["Mist it", "daily.", "Première idée:", "- café", "\n", "\n\n", "1. ", "**Wait**", "`x = 1`", "한글"]
parts = st.sampled_from([*PARTS, "水を やる", "每天 3 次"])
answers = st.lists(parts, min_size=1, max_size=12).map(" ".join).filter(lambda text: bool(evened(text)))


@given(
    answers, st.sampled_from([*MARKS]), st.lists(st.sampled_from([*FORMS]), max_size=4), st.sampled_from([*LINE_ENDS])
)
def test_any_mixture_gives_the_same_text(text: str, mark: str, forms: list[str], ends: str) -> None:
    """Whatever marks and forms an answer comes in, what is compared is the same."""
    dressed = MARKS[mark](evened(text))
    for form in forms:
        dressed = FORMS[form](dressed)
    assert compared_text(LINE_ENDS[ends](dressed)) == evened(text)


@pytest.mark.parametrize("text", NOTHING)
def test_a_placeholder_is_no_answer_in_any_form(text: str) -> None:
    """What stands for nothing in a table stands for nothing with line ends, marks and blanks around it."""
    for form in (*FORMS.values(), *LINE_ENDS.values()):
        assert settle(form(text), live=False).outcome == "empty"
    assert compared_text(f"<think>Hm.</think>{text}") == ""


def _analysed(folder: Path, dress: bool) -> tuple[bytes, list[Any]]:
    case = recorded_case(folder, suspect="light", controls=3, prompts=6)
    chance = random.Random(3)
    rows = [json.loads(line) for line in (case / "answers.jsonl").read_text().splitlines()]
    for row in rows:
        row["output"] = f"Voilà: {row['output']}\n\n- {row['output'][:9]}\n- thé"
        if dress and row["model"] in ("S1", "R1", "C1"):
            row["output"] = disguised(row["output"], chance)
            row["prompt"] = row["prompt"] if chance.random() < 0.5 else ""
    if dress:
        more = ({**row, "sample": 1, "output": chance.choice(NOTHING)} for row in rows[:9])
        rows += list(more)
    (case / "answers.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    pipeline.register_case(case, now)
    pipeline.probe(case, now, lambda answered, failed: None)
    pipeline.analyze_case(case, lambda line: None, now)
    found = json.loads((case / "out/findings.json").read_text())
    return (case / "out/scores.parquet").read_bytes(), [one["results"] for one in found["findings"]]


def test_a_case_scores_the_same_to_the_byte(tmp_path: Path) -> None:
    """The same answers in other clothes give the same bytes of scores, and the same T and p."""
    assert _analysed(tmp_path / "plain", dress=False) == _analysed(tmp_path / "dressed", dress=True)


@pytest.mark.slow
def test_a_population_reads_the_same(tmp_path: Path) -> None:
    """Studies and matrices begin with a population: the same answers in other clothes are the same population."""
    import pyarrow
    import pyarrow.parquet

    with as_file(files("depose.kit")) as kit:
        shutil.copytree(kit, tmp_path / "kit")
    path, chance = tmp_path / "kit" / f"responses-{SOURCE}.parquet", random.Random(3)
    before = read(path.parent, SOURCE)
    table = pyarrow.parquet.read_table(path)
    names = table.schema.names
    place = next(names.index(name) for name in ("output", "response", "answer") if name in names)
    dressed = [text and disguised(evened(text), chance) for text in table.column(place).to_pylist()]
    made = table.set_column(place, table.schema.field(place), pyarrow.array(dressed, table.schema.field(place).type))
    pyarrow.parquet.write_table(made, path)
    assert made != table
    after = read(path.parent, SOURCE)
    pairs = zip(chain(*before.answers), chain(*after.answers), strict=True)
    assert [pair for pair in pairs if pair[0] != pair[1]] == []
    assert after == before


@given(st.text(st.characters(codec="utf-8"), max_size=40) | answers)
def test_the_script_makes_the_same_text(text: str) -> None:
    """SCORE.py, written anew, makes transport forms equal as depose does."""
    assert _script()(text) == evened(text)


def _script(known: dict[str, Any] = {}) -> Any:  # noqa: B006 - read once
    if not known:
        defined = SCRIPT.read_text().partition("\nhere = ")[2].partition("\nlog = ")[0]
        exec("import re, unicodedata\n" + defined.partition("\n")[2], known)  # noqa: S102 - our own definitions
    return known["even"]
