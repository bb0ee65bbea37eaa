"""The command about controls: which of a registry the rule draws, and why the others are not."""

from __future__ import annotations

from pathlib import Path

import click

from depose.cli.console import show, table
from depose.cli.lines import plain
from depose.cli.options import CASE, JSON


@click.command()
@CASE
@click.option("--write", is_flag=True, help="Put those that are drawn into the case file, which must have none.")
@JSON
def controls(case: Path, write: bool, as_json: bool) -> None:
    """Draw the controls of CASE from the registry that its protocol names.

    Eligible is every model that is clean for all suspects, references and questions. One of each lineage is drawn by
    the digest of the registry, so that nobody chooses. The table names every model, and why it is not in. A protocol
    with a registry is registered only with the controls that the rule draws.

    \b
    Example:  registry = "registry.toml" under [protocol], then
              depose controls acme --write
    """
    from depose import pipeline

    found = pipeline.draw_controls(case, write=write)
    rows = [
        (one.code, one.name, one.data_lineage, one.released, "drawn" if one.drawn else plain(one.reason))
        for one in found
    ]
    taken, eligible = sum(one.drawn for one in found), sum(one.eligible for one in found)
    end = f"{taken} drawn, {eligible} eligible of {len(found)} in the registry"
    show(
        found if as_json else None,
        [*table(("code", "model", "data lineage", "released", "drawn, or why not"), rows), end],
    )
