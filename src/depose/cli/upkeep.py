"""The commands about this installation: cache, list."""

from __future__ import annotations

from typing import Any

import click

from depose.cli.console import show, table
from depose.cli.options import JSON


@click.group(name="cache")
def cache_() -> None:
    """Say what the feature cache holds, and empty it.

    Vectors and tags of texts, and converted models: all of it is made again when needed.
    The folder is $DEPOSE_CACHE, else ~/.cache/depose.

    \b
    Example:  depose cache info
    """


@cache_.command(name="info")
@JSON
def cache_info(as_json: bool) -> None:
    """Say what the cache holds.

    \b
    Example:  depose cache info
    """
    from depose.features import cache_upkeep
    from depose.features.packaged import cache_folder

    found = cache_upkeep.info(cache_folder())
    rows = [(one.place, one.entries, f"{one.bytes / 1e6:.1f}", one.what) for one in found.held]
    end = (
        f"{found.folder}: {found.bytes / 1e6:.1f} MB on disk; a file of texts keeps {found.limit / 1e9:.1f} GB at most"
    )
    show(found if as_json else None, [*(table(("place", "entries", "MB", "made by"), rows) if rows else []), end])


@cache_.command(name="clear")
@JSON
def cache_clear(as_json: bool) -> None:
    """Empty the cache; safe while other runs use it.

    \b
    Example:  depose cache clear
    """
    from depose.features import cache_upkeep
    from depose.features.packaged import cache_folder

    done = cache_upkeep.clear(cache_folder())
    show(
        done if as_json else None,
        [f"{done.folder}: {done.entries} entries removed, {done.bytes / 1e6:.1f} MB freed"],
    )


@click.command(name="list")
@click.argument("what", type=click.Choice(["probes", "detectors", "providers", "cases"]))
@JSON
def list_(what: str, as_json: bool) -> None:
    """List what is there: probes, detectors, providers or bundled cases.

    \b
    Example:  depose list cases
    """
    from depose import plugins
    from depose.case import bundled

    if what == "cases":
        rows = [{"name": name, "title": title} for name, title in (*bundled.cases(), *bundled.cases_of_logs())]
    else:
        kind: Any = what
        rows = [{"name": name, "from": plugins.provenance(kind, name).value} for name in plugins.names(kind)]
    show(rows if as_json else None, table(list(rows[0]), [list(row.values()) for row in rows]) if rows else [])
