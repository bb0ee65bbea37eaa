"""Traps for whoever opens a table of depose in a spreadsheet: texts that a program would take for formulas."""

from __future__ import annotations

from depose.errors import AnalysisError
from depose.model import spreadsheet
from traps import Place, Traps

ON_SPREADSHEETS = Traps("a formula in a table")


def _formula(name: str, text: str) -> None:
    def spring(place: Place) -> object:
        data = spreadsheet.write([["prompt", "rank"], [text, 1]])
        (_, (found, _)) = spreadsheet.read(data)
        written = data.decode().splitlines()[1].lstrip('"')
        if found != text or not written.startswith("'"):
            raise AssertionError(f"{text!r} was written as {written!r}")
        raise AnalysisError(f"written as {written[:20]!r}")

    ON_SPREADSHEETS.add(f"a prompt id that is {name}", "^written as [\"']'")(spring)


_formula("a command", "=cmd|' /C calc'!A0")
_formula("a sum that starts a command", "@SUM(1+9)*cmd")
_formula("a formula after a space that nobody sees", "\u200b=1+1")
_formula("a formula in wide letters", "＝1+1")
_formula("a formula after an apostrophe", "'=1+1")
