"""The threat model names tests that exist, and the traps that it speaks of are carried out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "threat-model.md"
ATTACKERS = ("signer", "other side", "provider", "vendor", "user of the same machine", "sender of a file")


def _tests() -> set[str]:
    """Names of all test functions."""
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "tests").rglob("test_*.py"))
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.fixture(scope="module")
def page() -> str:
    """Return the page, where there is a checkout around the tests."""
    if not PAGE.is_file():
        pytest.skip("no docs beside the tests")
    return PAGE.read_text(encoding="utf-8")


def test_every_test_that_the_page_names_exists(page: str) -> None:
    """A control without its test would be a promise that nobody keeps."""
    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 40
    assert named - _tests() == set()


def test_every_attacker_has_a_section_and_every_control_a_test(page: str) -> None:
    """Rows without a test say that they are open."""
    for attacker in ATTACKERS:
        assert re.search(rf"^## .*{attacker}", page, re.MULTILINE | re.IGNORECASE), attacker
    for row in re.findall(
        r"^\| (?!may try|attacker|---|signer|other|provider|vendor|user|sender).*\|$", page, re.MULTILINE
    ):
        assert "`test_" in row or "*open*" in row, row


def test_the_way_to_report_is_told() -> None:
    """SECURITY.md says how, what counts and which versions, and leads to the page."""
    file = ROOT / "SECURITY.md"
    if not file.is_file():
        pytest.skip("no checkout around the tests")
    text = file.read_text(encoding="utf-8")
    for part in ("How to report", "What counts", "Which versions", "docs/threat-model.md"):
        assert part in text
