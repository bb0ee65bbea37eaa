"""A table that depose writes holds no formula, and reads back as it was."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import depose
from depose.model.spreadsheet import cell, read, text_in, write

FORMULAS = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1+1",
    "\u00a0=1",
    "\ufeff=1",
    "\u200b=1",
    "＝1+1",
    "＠SUM",
    "'=1",
    "|calc",
    "-1e5x",
    "-",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_like_a_formula_stands_behind_an_apostrophe(text: str) -> None:
    """Formulas, also after spaces, invisible marks and apostrophes, and in wide forms."""
    assert cell(text) == f"'{text}"
    assert text_in(cell(text)) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a;=WEBSERVICE(B1)", "a;'=WEBSERVICE(B1)"),
        ("a\n=cmd|' /C calc'!A0;b", "a\n'=cmd|' /C calc'!A0;b"),
        ("a\t \u200b-Sheet!A1", "a\t' \u200b-Sheet!A1"),
        ("a\r\n＠SUM(A1)", "a\r\n'＠SUM(A1)"),
        ("=1;'+f(x)", "'=1;''+f(x)"),
    ],
)
def test_a_formula_after_a_semicolon_or_a_line_stands_behind_one_too(text: str, written: str) -> None:
    """Where a decimal comma is usual these part cells, whatever quotes stand around."""
    assert cell(text) == written
    assert text_in(written) == text


@pytest.mark.parametrize("text", ["so ;-)", "a\n- one\n- two", "Head\n====", "a\n| b | (c) |", "f(x); -5; g(y)"])
def test_prose_keeps_its_bullets_and_tables(text: str) -> None:
    """What calls nothing is not touched."""
    assert cell(text) == text


@pytest.mark.parametrize(
    "value", ["", "plain", "it's", "'tis", "a=b", "-0.25", "+3", "1e-9", "-1.5e+3", -0.25, 3, None]
)
def test_a_number_and_a_plain_text_stay_as_they_are(value: object) -> None:
    """What no spreadsheet runs is not touched."""
    assert cell(value) == value


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8"), max_size=8) | st.text("='+-@; (!\t\r\n\"", max_size=8),
                         min_size=2, max_size=4), min_size=1, max_size=4))  # fmt: skip
def test_a_table_reads_back_as_it_was_written(rows: list[list[str]]) -> None:
    """Whatever the cells hold, and no cell of the file begins like a formula."""
    assert list(read(write(rows))) == rows


def test_nobody_else_writes_csv() -> None:
    """There is one writer: no other module of depose takes one from the library."""
    root = Path(depose.__file__).parent
    users = set()
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("writer", "DictWriter", "write_csv", "to_csv"):
                users.add(file.relative_to(root).as_posix())
    assert users == {"model/spreadsheet.py"}
