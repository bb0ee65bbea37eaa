"""README and docs: nothing is missing or out of date, every link leads somewhere, the site needs no network."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args
from urllib.parse import unquote, urlsplit

import pytest

import depose
from depose import plugins
from depose.case import bundled, tables
from depose.case.independent import unseen
from depose.cli import cli
from depose.model.base import Likeness
from depose.report.wording import REASONS
from manual import codes, commands, files
from manual.__main__ import pages, stale
from manual.imports import edges, layers

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README, CONTRIBUTING = ROOT / "README.md", ROOT / "CONTRIBUTING.md"
MARKDOWN = (README, CONTRIBUTING, *sorted(DOCS.rglob("*.md")))
LONGEST = 200
HEAVIEST = 300_000
"""Bytes of a picture."""
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
WALKED = list(commands.walk(cli, "depose"))


def text(name: str) -> str:
    """The text of a page below docs/."""
    return (DOCS / name).read_text("utf-8")


# --- nothing is out of date, nothing is missing -----------------------------------------------------


@pytest.mark.slow
def test_generated_pages_are_current() -> None:
    """What follows from the code is what the code says now; `make pages` writes it."""
    assert stale(pages()) == []


def test_a_page_that_differs_is_named(tmp_path: Path) -> None:
    """A changed page, a missing one and one left over are all found."""
    made = {f"reference/{name}.md": f"# {name}\n" for name in ("same", "changed", "missing")}
    (tmp_path / "reference").mkdir()
    for name in ("same", "changed", "left-over"):
        (tmp_path / f"reference/{name}.md").write_text("# same\n")
    assert stale(made, tmp_path) == [f"reference/{name}.md" for name in ("changed", "left-over", "missing")]


@pytest.mark.parametrize("name", [name for name, _ in WALKED])
def test_every_command_has_a_section_with_every_option(name: str) -> None:
    """A command or option that is not in the manual does not exist for its user."""
    command = dict(WALKED)[name]
    section = text("reference/commands.md").partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert section
    assert [option for option in options if option not in section] == []


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_help_has_an_example(name: str) -> None:
    """Help without an example sends people elsewhere."""
    assert "Example" in (cli.commands[name].help or "")


@pytest.mark.parametrize("kind", ["probes", "detectors", "providers"])
def test_every_built_in_plugin_is_explained(kind: plugins.Kind) -> None:
    """Each probe, detector and provider has a section, and is named where a case file is explained."""
    page, guide = text(f"reference/{kind}.md"), text("guide/case.md")
    assert [name for name in plugins.names(kind) if f"\n## {name}\n" not in page] == []
    assert [name for name in plugins.names(kind) if f"`{name}`" not in guide] == []


def test_every_bundled_case_is_named() -> None:
    """Each bundled case has a section."""
    assert [name for name, _ in bundled.cases() if f"\n## {name}\n" not in text("reference/cases.md")] == []


def test_every_opinion_reason_and_error_has_a_page() -> None:
    """What an opinion says, why it says no more, and what can go wrong, each has a page of its own."""
    assert set(codes.reasons()) == set(REASONS)
    assert {path.stem for path in (DOCS / "reference/reasons").glob("*.md")} == {*REASONS, "index"}
    assert len(list((DOCS / "reference/opinions").glob("*.md"))) == len(codes.verdicts()) + 1
    assert {path.stem for path in (DOCS / "reference/errors").glob("*.md")} == {
        *(one.__name__ for one in codes.families()),
        "index",
    }


BESIDE_FILES = {
    "Transcript": "a part of Dossier, made from the log",
    "Unanswered": "the same",
    "_Delivered": "of a Delivery what its context is made of",
    "_Kept": "of a converted model in the cache, which depose writes for itself",
    "_Logged": "what a line of throws holds of a request to a server: docs/guide/delivery.md",
    "_Mapping": "ships with depose, and is printed in a report",
    "_Served": "a round as the beacon of others serves it: docs/seed.md",
    "_Told": "what a process that reads a foreign file hands to its parent",
    "Wanted": "how a table is read, handed to the process that reads it",
    "_Works": "ships with depose: docs/reference/literature.md",
    "Evaluation": "ships with depose: docs/reference/evaluations.md",
    "ExtractionFindings": "what a scan found, written and read again by depose: docs/guide/extraction.md",
    "Guide": "ships with depose: what the laboratory's models learn",
    "Key": "a public prompt as a case keeps it, which depose writes for itself",
    "Named": "names of the models of a batch's base, which depose writes for itself",
}
"""Records that are decoded and are no file of a user's."""


def test_every_record_that_is_read_from_a_file_has_its_fields_in_the_reference() -> None:
    """Whatever the source decodes into a record stands on a page of files, or has a reason why not."""
    trees = (ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "src/depose").rglob("*.py")))
    calls = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call))
    decoding = (one for one in calls if re.fullmatch(r"msgspec\.(\w+\.)?(convert|decode)", ast.unparse(one.func)))
    into = (kind for one in decoding for kind in (*one.args[1:2], *(k.value for k in one.keywords if k.arg == "type")))
    read = {name for kind in into for name in re.findall(r"\b_?[A-Z]\w+", ast.unparse(kind))}
    assert len(read) > 15
    assert sorted(read - files.home().keys() - BESIDE_FILES.keys()) == []
    assert sorted(BESIDE_FILES.keys() - read) == []


def test_every_variable_that_is_read_is_named() -> None:
    """A variable that changes what depose does stands in the table of variables."""
    source = "".join(path.read_text("utf-8") for path in sorted((ROOT / "src/depose").rglob("*.py")))
    read = set(re.findall(r"environ(?:\.get\(|\[)\"([A-Z_]+)\"", source)) - {"HOME"}
    assert "DEPOSE_CACHE" in read
    assert [name for name in sorted(read) if name not in text("guide/machine.md")] == []


def test_every_public_name_has_a_section() -> None:
    """What versions promise to keep is what is documented."""
    page = text("reference/api.md")
    assert [name for name in depose.__all__ if f"\n### {name}\n" not in page] == []


def test_every_statistical_file_is_on_the_page_of_statistics() -> None:
    """A formula without its source, or a source without its formula, is found here."""
    sources = {path.name for path in (ROOT / "src/depose/statistics").glob("*.py")} - {"__init__.py"}
    page = text("statistics.md")
    assert [name for name in sorted(sources) if f"`statistics/{name}`" not in page] == []


def test_every_kind_of_table_is_named() -> None:
    """Whatever ending is read stands on the page of tables."""
    assert [kind for kind in tables.KINDS if f"`{kind}`" not in text("reference/files/tables.md")] == []


def test_every_page_that_is_written_by_hand_leads_on_and_is_led_to() -> None:
    """No page is a dead end, and none is found by its place in a list alone."""
    leads = {
        page: {(page.parent / link).resolve() for link in re.findall(r"\]\(([^)#\s]+\.md)", page.read_text("utf-8"))}
        for page in MARKDOWN
    }
    written = [
        page
        for page in DOCS.rglob("*.md")
        if "reference" not in page.parts and page.name not in ("index.md", "contributing.md")  # lists, and an inclusion
    ]
    assert [page.name for page in written if not leads[page]] == []
    reached = set().union(*(targets - {page.resolve()} for page, targets in leads.items()))
    assert [page.name for page in written if page.resolve() not in reached] == []


def test_tests_that_the_pages_name_exist() -> None:
    """A control whose test is gone is no control."""
    tests = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
    }
    named = {name for page in MARKDOWN for name in re.findall(r"`(test_\w+)`", page.read_text("utf-8"))}
    assert len(named) > 20
    assert sorted(named - tests) == []


def test_files_that_the_pages_name_exist() -> None:
    """A stranger who looks where a page points finds something, however often things have moved."""
    named = {
        name
        for page in MARKDOWN
        for name in re.findall(
            r"`((?:src|tests|templates|casefiles|benchmarks|docs)/[\w./-]+)`", page.read_text("utf-8")
        )
        if "NAME" not in name
    }
    assert len(named) > 25
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_make_targets_that_the_pages_name_exist() -> None:
    """`make x` on a page is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in MARKDOWN for name in re.findall(r"(?:`|^    )make ([a-z-]+)", page.read_text("utf-8"))}
    assert named - targets == set()


# --- README -----------------------------------------------------------------------------------------


def test_readme_is_short_and_shows_each_product() -> None:
    """What it is, for whom, a picture of each product; the rest is elsewhere."""
    readme = README.read_text("utf-8")
    assert len(readme.splitlines()) <= LONGEST
    for shown in ("report.png", "compliance.png", "matrix.png"):
        assert f"](docs/pictures/{shown})" in readme


def test_pictures_are_light() -> None:
    """A page with pictures still opens on a slow line."""
    sizes = {path.name: path.stat().st_size for path in (DOCS / "pictures").iterdir()}
    assert {name: size for name, size in sizes.items() if size > HEAVIEST} == {}


@pytest.mark.parametrize("page", [README, DOCS / "limits.md"], ids=lambda page: page.name)
def test_figures_of_independent_evaluations_are_those_that_ship(page: Path) -> None:
    """The rows on unseen models hold the areas and counts of the files, English first."""
    shown = page.read_text("utf-8")
    for question in get_args(Likeness):
        (row,) = re.findall(rf"^\| `{question}` \| .*of \d+.*$", shown, re.MULTILINE)
        plain = row.replace("*", "")
        found = sorted(unseen([question]), key=lambda one: one.evaluation.name)
        for part in (
            "; ".join(f"{one.found.true_called.k} of {one.found.true_called.n}" for one in found),
            "; ".join(f"{one.found.unrelated_called.k} of {one.found.unrelated_called.n}" for one in found),
            *(f"{one.found.documented.value:.3f}" for one in found),
        ):
            assert part in plain, (question, part)


# --- links ------------------------------------------------------------------------------------------


def slugs(page: Path) -> set[str]:
    """Anchors of the headings of a page."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", MARKDOWN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    """Also as the page is read outside of the site: files are there, and so are headings in them."""
    broken = []
    body = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for link in LINK.findall(re.sub(r"`[^`]*`", "", body)):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        goal = page if not parts.path else (page.parent / unquote(parts.path)).resolve()
        if not goal.exists() or (parts.fragment and goal.suffix == ".md" and parts.fragment not in slugs(goal)):
            broken.append(link)
    assert broken == []


# --- the site ---------------------------------------------------------------------------------------


class Resources(HTMLParser):
    """What a page loads, what it links to, and the anchors that it has."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of one element."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag in ("link", "script", "img", "iframe", "source", "video"):
            self.loads += [given[name] for name in ("href", "src", "data") if name in given]


def built(builder: str, folder: Path) -> Path:
    """The site as `make docs` builds it: a warning is an error."""
    strict = ("-b", builder, "-W", "--keep-going", "-n", "-q", "-d", str(folder / "doctrees"))
    command = [sys.executable, "-m", "sphinx", *strict, str(DOCS), str(folder / builder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / builder


@pytest.mark.slow
def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    """Every page is in the contents, every reference is resolved; nothing is written."""
    built("dummy", tmp_path)


@pytest.mark.slow
def test_the_site_opens_from_a_folder_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """All that a page loads lies beside it under a relative name; every link inside has its page and anchor.

    Formulas are drawn by the browser alone: no script, no font, no picture.
    """
    site = built("html", tmp_path)
    found = {page.resolve(): Resources(page) for page in site.rglob("*.html")}
    assert len(found) > 50
    for page, resources in found.items():
        for name in resources.loads:
            parts = urlsplit(name)
            if parts.scheme == "data":
                continue
            assert not parts.scheme and not parts.netloc and not parts.path.startswith("/"), (page.name, name)
            assert (page.parent / unquote(parts.path)).exists(), (page.name, name)
        for name in resources.links:
            parts = urlsplit(name)
            if parts.scheme:
                continue
            goal = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert goal.exists(), (page.name, name)
            if parts.fragment and goal in found:
                assert unquote(parts.fragment) in found[goal].anchors, (page.name, name)
    for sheet in site.rglob("*.css"):
        assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//", sheet.read_text("utf-8")), sheet
    formulas = (site / "statistics.html").read_text("utf-8")
    assert formulas.count("<math") > 20
    assert "mathjax.js" not in formulas.lower() and "tex-mml" not in formulas.lower()


# --- the picture of the house -----------------------------------------------------------------------


def test_the_picture_shows_every_package_and_no_import_that_points_upwards() -> None:
    """The boxes are those of the import contract, and each line leads to a lower row, or within one."""
    rows = layers()
    place = {name: depth for depth, row in enumerate(rows) for name in row}
    packages = {f"depose.{path.parent.name}" for path in (ROOT / "src/depose").glob("*/__init__.py")}
    assert packages - place.keys() <= {"depose.kit"}
    drawn = edges([name for row in rows for name in row])
    assert drawn
    assert [one for one in drawn if place[one[0]] >= place[one[1]]] == []
    assert all(f">{name.removeprefix('depose.')}</text>" in text("pictures/imports.svg") for name in place)
