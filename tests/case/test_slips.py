"""What people mistype in a case: the place they look at, and what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from depose.case import casefile
from depose.case.written import taken
from depose.errors import CaseError
from depose.registering import frozen_case

MODELS = "code,role,file,developer\nS1,suspect,answers/quil.csv,Q\nR1,reference,answers/harbour.csv,H\n"
CASE = 'models = "models.csv"\n[case]\ntitle = "t"\nauthority = "a"\n[protocol]\nprompts = "prompts.csv"\n'


def lay(folder: Path, case: str = CASE, models: str = MODELS) -> Path:
    """Lay out a case whose files are there."""
    (folder / "answers").mkdir()
    for name in ("quill", "harbour"):
        (folder / "answers" / f"{name}.csv").write_text("prompt,output\na,b\n")
    (folder / "prompts.csv").write_text("prompt_id,prompt\n1,a\n")
    (folder / "models.csv").write_text(models)
    (folder / "case.toml").write_text(case)
    return folder


def said(folder: Path) -> CaseError:
    """Read and freeze a case that cannot be."""
    with pytest.raises(CaseError) as caught:
        frozen_case(casefile.read(folder), folder)
    return caught.value


def test_a_file_that_is_not_there_has_its_place_and_the_nearest_name(tmp_path: Path) -> None:
    """A row of the table is named as that, a line of the case file as that, and the table itself likewise."""
    folder = lay(tmp_path)
    error = said(folder)
    assert "models.csv: row 2, column 'file' (model S1): 'answers/quil.csv' is not there" in error.message
    assert error.message.endswith("did you mean 'answers/quill.csv'?")
    (folder / "case.toml").write_text(CASE.replace("prompts.csv", "promts.csv"))
    error = said(folder)
    assert "$.protocol.prompts: 'promts.csv' is not there; did you mean 'prompts.csv'? (line 6)" in error.message
    (folder / "case.toml").write_text(CASE.replace("models.csv", "model.csv"))
    assert "is not there; did you mean 'models.csv'?" in said(folder).message


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("alpha = 0,05", "a number has a point"),
        ("seed: 7", "have = between them"),
        ("title = \u201cmine\u201d", "straight ones"),
        ('title = "mine', "is not closed"),
        ("seed = 7\nseed = 8", "stands twice"),
        ("= 5", "toml.io"),
    ],
)
def test_what_comes_from_elsewhere_is_told_how_it_is_written_here(line: str, hint: str) -> None:
    """A decimal comma, a colon, curly quotes: the hint says what to type, and not where a standard lies."""
    with pytest.raises(CaseError) as caught:
        taken(f"[protocol]\n{line}\n", "case.toml")
    assert "case.toml: not TOML" in caught.value.message
    assert hint in caught.value.hint
