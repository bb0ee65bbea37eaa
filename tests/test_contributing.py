"""CONTRIBUTING.md: its plugins run as they are printed, and its lists of files are those that the examples touch."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from depose import plugins
from depose.evidence import ledger
from depose.model import Findings
from depose.report import line_up
from depose.report.contents import SECTIONS
from fakes import case_of, depose, install, model, recorded_case, write_case
from transcripts import blocks

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
FOR_OTHERS = {
    "src/depose/__init__.py: __getattr__",
    "src/depose/__init__.py: __dir__",
    "src/depose/lineup/power.py: bags_needed",
    "src/depose/report/vocabulary.py: bare_rates",
}
"""What Python calls, the plan of a line-up, which the tests of its power check, and what tests look at reports with."""
RECIPES = ("Add a detector", "Add a probe family", "Add a provider", "Add a section to the report")


def recipe(title: str) -> str:
    """The text of one recipe."""
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plugins of the page, installed as a package of their own."""
    site, offered = tmp_path / "site", []
    site.mkdir()
    for title in RECIPES[:3]:
        text = recipe(title)
        names = re.findall(r"module `(\w+)`", text)
        printed = [block for language, block in blocks(text) if language == "python"]
        for name, code in zip(names, printed, strict=True):
            (site / f"{name}.py").write_text(code)
        ((_, toml),) = (block for block in blocks(text) if block[0] == "toml")
        offered += [
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
            for group, points in tomllib.loads(toml)["project"]["entry-points"].items()
        ]
    monkeypatch.syspath_prepend(install(site, "".join(offered), "depose_toys"))
    return tmp_path


def test_the_detectors_of_the_page_are_found_and_score(toys: Path) -> None:
    """Named in a case, they stand in the findings with a value and in the log with their package."""
    case = recorded_case(toys / "case", suspect="same", controls=4, prompts=5)
    file = case / "case.toml"
    file.write_text(file.read_text().replace('"length"]', '"length", "word_pairs", "variety"]'))
    for command in ("register", "probe", "analyze"):
        assert depose(command, case).code == 0
    found = msgspec.json.decode((case / "out/findings.json").read_bytes(), type=Findings)
    values = {one.detector: one.value for one in found.findings[0].results}
    assert len({values[name] for name in ("phrases", "word_pairs", "variety")}) == 3
    assert ("detector variety", "depose_toys 1.0") in {(one.name, one.value) for one in found.software}


def test_the_probe_family_and_the_provider_of_the_page_are_asked(toys: Path) -> None:
    """Six riddles are drawn, and every echo is on record."""
    echoes = [model("S1", "suspect", provider="echo"), model("R1", "reference", provider="echo")]
    case = write_case(toys / "case", case_of(echoes, probes=["riddles:6"], detectors=["phrases", "habits", "length"]))
    assert depose("register", case).code == 0
    assert depose("probe", case).out.startswith("asked 18: 18 answered, 0 failed")
    entries = ledger.entries(case)
    assert {prompt.family for prompt in entries.registration.prompts} == {"riddles"}
    assert plugins.provenance("providers", "echo").value == "depose_toys 1.0"


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_lists_the_files_that_its_example_touched(title: str) -> None:
    """Each file of the list is there; where its name does not say it, its text names the example."""
    text = recipe(title)
    example = re.findall(r"(?:follow|Follow) `(\w+)`", text)[0]
    listed = re.findall(r"^\d+\. `([^`]+)`", text, re.MULTILINE)
    assert len(listed) >= 4
    for name in listed:
        path = ROOT / name.replace("NAME", example)
        assert path.exists(), name
        if "NAME" not in name and name not in ("src/depose/report/expert.py", "tests/report/test_render.py"):
            held = path.glob("*.html") if path.is_dir() else (path,)
            assert any(re.search(rf"\b{example}\b", one.read_text("utf-8"), re.IGNORECASE) for one in held), name


@pytest.mark.parametrize("kind", ["detectors", "probes", "providers"])
def test_every_built_in_plugin_stands_where_the_recipe_says(kind: plugins.Kind) -> None:
    """A built-in plugin has its file, its entry point and its place in the guide."""
    points = (ROOT / "pyproject.toml").read_text()
    for name in plugins.names(kind):
        assert re.search(rf'^{name} = "depose\.', points, re.MULTILINE), name
        if kind != "providers":
            assert (ROOT / f"src/depose/{kind}/{name}.py").is_file(), name


def test_every_section_has_one_heading_in_the_templates() -> None:
    """What contents.py lists is rendered, and nothing else is."""
    heads = [
        key
        for page in sorted((ROOT / "templates").glob("*.html"))
        for key in re.findall(r"m\.head\(\"(\w+)\"\)", page.read_text("utf-8"))
        if page.name != "compliance.html"
    ]
    assert sorted(heads) == sorted(key for key, _ in (*SECTIONS, line_up.SECTION))


def test_no_function_is_left_that_nothing_uses() -> None:
    """Every function of a module is named somewhere else than where it is defined, by more than its tests."""
    used = ("src", "benchmarks", "docs/manual", "templates", "contrib")
    files = [file for place in used for file in (ROOT / place).rglob("*") if file.suffix in (".py", ".html", ".toml")]
    texts = {file: file.read_text("utf-8") for file in files}
    words = Counter(re.findall(r"\w+", "".join((*texts.values(), (ROOT / "pyproject.toml").read_text("utf-8")))))
    left = [
        f"{file.relative_to(ROOT)}: {name}"
        for file, text in texts.items()
        if file.suffix == ".py" and file.is_relative_to(ROOT / "src")
        for name in re.findall(r"\n\ndef (\w+)\(", text)  # without a decorator, which hands it on
        if words[name] < 2
    ]
    assert set(left) - FOR_OTHERS == set()


def test_the_package_itself_holds_eight_files_at_most() -> None:
    """What is more than a start, an error or the pipeline has a room of its own."""
    loose = [file.name for file in (ROOT / "src" / "depose").iterdir() if file.is_file()]
    assert len(loose) <= 8, loose
