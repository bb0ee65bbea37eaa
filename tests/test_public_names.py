"""The public names: what a notebook needs, and nothing that loads before it is asked for."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import depose
from depose.model.base import Record

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebooks" / "a-case-from-python.ipynb"


def cells() -> list[str]:
    """Return the code of the notebook, cell by cell."""
    return ["".join(one["source"]) for one in json.loads(NOTEBOOK.read_text())["cells"] if one["cell_type"] == "code"]


def evaluate(source: str, names: dict[str, object]) -> object:
    """Run a cell as a notebook does; its value is that of its last line where that is an expression."""
    import ast

    tree = ast.parse(source)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr):
        exec(compile(tree, "cell", "exec"), names)  # noqa: S102 - our own notebook
        return None
    exec(compile(ast.Module(tree.body[:-1], []), "cell", "exec"), names)  # noqa: S102 - our own notebook
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)  # noqa: S307 - our own notebook


@pytest.fixture(scope="module")
def shown() -> dict[str, object]:
    """Run the notebook once; what each cell shows, by its first line, and the names that it leaves."""
    names: dict[str, object] = {}
    for number, source in enumerate(cells()):
        names[f"out {number}"] = evaluate(source, names)
    return names


def test_the_notebook_runs_from_case_file_to_report(shown: dict[str, object]) -> None:
    """Each step leaves what the next one needs, and the last one a page."""
    findings, collected = shown["findings"], shown["collected"]
    assert isinstance(findings, depose.Findings)
    assert isinstance(collected, depose.Collected) and collected.answered == collected.asked > 0
    assert {one.opinion.verdict for one in findings.findings} == {"inconclusive"}
    assert all("controls" in one.opinion.reasons for one in findings.findings)
    written = shown["written"]
    assert isinstance(written, tuple) and Path(written[0].path).read_bytes().startswith(b"<!DOCTYPE html>")


def test_scores_are_an_arrow_table_of_the_findings(shown: dict[str, object]) -> None:
    """The columns are those promised, and what is read back are the findings that were returned."""
    scores = depose.read_scores(str(shown["folder"]))
    assert scores.column_names == ["detector", "prompt", "left", "right", "bag", "value"]
    assert scores.num_rows > 0 and depose.read_findings(str(shown["folder"])) == shown["findings"]


def test_every_name_is_there_documented_and_typed() -> None:
    """A name that is promised resolves; a function says what it promises and types all that it takes and gives."""
    for name in depose.__all__:
        found = getattr(depose, name)
        assert inspect.getdoc(found), name
        if inspect.isfunction(found):
            given = inspect.signature(found)
            assert given.return_annotation is not inspect.Signature.empty, name
            assert all(one.annotation is not inspect.Parameter.empty for one in given.parameters.values()), name
        else:
            assert issubclass(found, Record | depose.DeposeError), name
    assert set(depose.__all__) <= set(dir(depose)) and depose.__all__ == sorted(depose.__all__)
    with pytest.raises(AttributeError, match="'depose' has no attribute 'anlyze'"):
        depose.anlyze  # noqa: B018


def test_scores_that_are_not_there_are_an_error_with_a_next_step(tmp_path: Path) -> None:
    """A case that was not analyzed says so, and so does one whose scores are no Parquet."""
    depose.new_case(tmp_path / "case", source="recorded")
    with pytest.raises(depose.CaseError, match=r"scores\.parquet: no scores") as error:
        depose.read_scores(tmp_path / "case")
    assert error.value.hint == f"depose analyze {tmp_path / 'case'}"
    (tmp_path / "case" / "out").mkdir()
    (tmp_path / "case" / "out" / "scores.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(depose.CaseError, match="no scores"):
        depose.read_scores(tmp_path / "case")


@pytest.mark.parametrize("formats", ["html", (), ("doc",), ("html", "exe")])
def test_what_is_no_format_of_a_report_is_an_error(shown: dict[str, object], formats: object) -> None:
    """A text instead of a tuple, nothing, or an unknown name is refused, and never leaves nothing behind unsaid."""
    with pytest.raises(depose.DeposeError, match="format"):
        depose.report_case(str(shown["folder"]), formats=formats)  # type: ignore[arg-type]


def test_what_is_no_flavour_of_a_report_is_an_error(shown: dict[str, object]) -> None:
    """An unknown flavour is named, and not taken for another one."""
    with pytest.raises(depose.DeposeError, match="no flavour of a report: 'court'"):
        depose.report_case(str(shown["folder"]), flavour="court")  # type: ignore[arg-type]


def test_importing_depose_loads_nothing_else_and_python_m_depose_is_the_command() -> None:
    """The package costs one small module; `python -m depose` answers as `depose` does."""
    code = "import sys, depose; print(sorted(name for name in sys.modules if name.startswith('depose')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['depose']"
    asked = subprocess.run([sys.executable, "-m", "depose", "analyze"], capture_output=True, text=True, check=False)
    assert asked.returncode == 2 and "Usage: python -m depose analyze" in asked.stderr


def test_a_bundle_is_sealed_and_verified_by_name(shown: dict[str, object], tmp_path: Path) -> None:
    """Sealing and verifying from Python are the commands: a wrong key is refused."""
    from depose.custody import keys

    folder = tmp_path / "case"
    shutil.copytree(str(shown["folder"]), folder)
    for name in ("own", "other"):
        keys.make(tmp_path / f"{name}.pem")
    sealed = depose.seal_case(folder, tmp_path / "own.pem")
    (public,) = [one for one in tmp_path.glob("own*") if one.name != "own.pem"]
    assert depose.verify_bundle(sealed.bundle, public_key=public, recompute=False).fingerprint == sealed.fingerprint
    (wrong,) = [one for one in tmp_path.glob("other*") if one.name != "other.pem"]
    with pytest.raises(depose.EvidenceError):
        depose.verify_bundle(sealed.bundle, public_key=wrong, recompute=False)
