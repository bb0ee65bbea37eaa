"""The command that opens the pages of a case."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from depose.cli.console import listed, show
from depose.cli.options import CASE, JSON


@click.command()
@CASE
@click.option("--no-open", is_flag=True, help="Only write the pages, and say where they are.")
@JSON
def view(case: Path, no_open: bool, as_json: bool) -> None:
    """Open the pages of CASE in a browser: prompts, answers side by side with what they share, scores, records.

    They are files in CASE/out, written anew from the findings; no server runs, and nothing is loaded from elsewhere.

    \b
    Example:  depose view acme
              depose view acme --no-open
    """
    from depose import pipeline
    from depose.case import casefile
    from depose.evidence.log import is_sealed

    folder = casefile.folder_of(case)
    page = folder / "out" / "explore.html"
    kept = is_sealed(folder) and page.is_file()  # what was sealed is shown as it is
    written = () if kept else pipeline.report_case(folder, pipeline.Order(formats=("viewer",)))
    show({"page": page, "files": written} if as_json else None, [*listed(written), f"open: {page}"])
    if not no_open and not as_json and not webbrowser.open(page.absolute().as_uri()):
        click.echo("no browser is there; open the page in one", err=True)
