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


def _parted(name: str, text: str, guarded: str) -> None:
    def spring(place: Place) -> object:
        data = spreadsheet.write([["prompt", "rank"], [text, 1]])
        (_, (found, _)) = spreadsheet.read(data)
        if found != text or guarded not in data.decode():
            raise AssertionError(f"{text!r} was written as {data!r}")
        raise AnalysisError(f"written with {guarded!r}")

    ON_SPREADSHEETS.add(f"an answer with {name}", "^written with")(spring)


_parted("a formula after a semicolon", "so;=WEBSERVICE(B1)", ";'=WEBSERVICE")
_parted("a command in its second line", "so\n=cmd|' /C calc'!A0", "\n'=cmd")
_parted("a look at another sheet behind a tab", "so\t+Sheet2!A1", "\t'+Sheet2")
_formula("a command", "=cmd|' /C calc'!A0")
_formula("a sum that starts a command", "@SUM(1+9)*cmd")
_formula("a formula after a space that nobody sees", "\u200b=1+1")
_formula("a formula in wide letters", "＝1+1")
_formula("a formula after an apostrophe", "'=1+1")
