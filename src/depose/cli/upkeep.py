"""The commands about this installation: cache, list."""

from __future__ import annotations

from typing import Any

import click

from depose.cli.console import show, table
from depose.cli.options import JSON
from depose.cli.words import wrapped


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
@click.argument("what", type=click.Choice(["probes", "mixes", "detectors", "providers", "cases", "schemas"]))
@JSON
def list_(what: str, as_json: bool) -> None:
    """List what is there: probes, mixes of them, detectors, providers, bundled cases, schemas for editors.

    Of a family of probes it says what its answers show, by which statistic, how many calls it is best given, where it
    was validated (or that it gives exhibits and no opinion), and how it misleads; of a detector what it measures.

    \b
    Example:  depose list cases
    """
    from depose import plugins
    from depose.case import bundled, mixes

    rows: list[dict[str, str]]
    if what == "mixes":
        rows = [_mix(name) for name in mixes.MIXES]
    elif what == "schemas":
        rows = _schemas()
    elif what == "cases":
        rows = [{"name": name, "title": title} for name, title in (*bundled.cases(), *bundled.cases_of_logs())]
    else:
        kind: Any = what
        rows = [{"name": name, "from": plugins.provenance(kind, name).value} for name in plugins.names(kind)]
    if what == "probes":
        rows = [row | _stated(plugins.load("probes", row["name"])) for row in rows]
    elif what in ("detectors", "providers"):
        rows = [row | {"what": plugins.measures(kind, row["name"]) or "its package says nothing"} for row in rows]
    if what in ("cases", "schemas"):
        lines = table(list(rows[0]), [list(row.values()) for row in rows])
    else:
        lines = [line for row in rows for line in _said(row)]
    show(rows if as_json else None, lines)


def _schemas() -> list[dict[str, str]]:
    from importlib.resources import files

    found = (files("depose.templates") / "schemas").iterdir()
    return [{"name": one.name, "file": str(one)} for one in sorted(found, key=lambda one: one.name)]


def _said(row: dict[str, str]) -> list[str]:
    """Set a name, and below it what is said of it, into the columns that there are."""
    head = f"{row['name']} (from {row['from']})" if "from" in row else row["name"]
    told = [(name, text) for name, text in row.items() if name not in ("name", "from")]
    lines = [text if name == "what" else f"{name}: {text}" for name, text in told]
    return [head, *(part for line in lines for part in wrapped(line, "  "))]


def _mix(name: str) -> dict[str, str]:
    from depose.case.mixes import MIXES

    one = MIXES[name]
    best = f"samples = {one.samples}, max_tokens = {one.max_tokens}"
    asked = " ".join(f"{family}:{count}" for family, count in one.families)
    return {"name": f"mix:{name}", "calls": str(one.calls), "best": best, "asks": asked, "for": one.purpose}


def _stated(probe: object) -> dict[str, str]:
    """What a family states of itself; a plugin may state nothing."""
    stated = getattr(probe, "stated", None)
    if stated is None:
        return {"construct": "its package states nothing", "evidence": "not validated: exhibits, no opinion"}
    best = (
        f"{stated.prompts} prompts x {stated.samples} = {stated.calls} calls to each model, {stated.tokens} tokens each"
    )
    return {
        "construct": stated.construct,
        "statistic": stated.statistic,
        "best": best,
        "languages": " ".join(stated.languages),
        "evidence": stated.evidence,
        "fails": stated.fails,
    }
