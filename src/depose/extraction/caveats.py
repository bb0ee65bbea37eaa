"""What a scan says of its logs beside what it found: days without a log, losses, columns that are missing; pure."""

from __future__ import annotations

from collections.abc import Sequence

from depose.extraction import oddities, plan
from depose.extraction.manifest import Manifest, SourceOf
from depose.extraction.plan import ExtractionFile

NAMED = 3
"""Logs of which each is named; of more, such as those of a watched folder, the sum and the one that has most."""
WITHOUT = {
    "template": "no prompts: templates cannot be shared",
    "model_served": "no model names: no test of a release",
}
PLACELESS = (
    "addresses and no countries: networks in common describe, for they may be a country's carriers; a table of "
    "countries lets them count (depose extraction import --countries)"
)
BY_TABLE = (
    "where it says no country, that of the address by a table, whose word is taken: customers of one carrier "
    "that it puts into another country are compared with accounts of that one"
)
TABLES = "tables of countries, which the manifest names: an address may be of one country here and of another there"
AGAIN = "ids stand more than once, each counted once"
SECONDS = (oddities.AHEAD, oddities.BEHIND)


def gaps(case: ExtractionFile, manifest: Manifest) -> tuple[str, ...]:
    """Say on how many days of a period nobody asked anything: on such days a log is missing, more often than not."""
    there = {one.day for one in manifest.files}
    found = []
    for name, span in (("tested", case.period.tested), ("clean", case.period.clean)):
        every = plan.each_day(span) if span else ()
        if empty := [day for day in every if day not in there]:
            found.append(
                f"{len(empty)} of {len(every)} days of the {name} period have no request; the first {empty[0]}"
            )
    return tuple(found)


def unasked(models: Sequence[str]) -> tuple[str, ...]:
    """Say which models of the case's releases nobody asked: their names may be other ones in the logs."""
    return tuple(f"{one}: no request of the tested period has this model; its release is not tested" for one in models)


def losses(manifest: Manifest) -> tuple[str, ...]:
    """Say of each log what was lost, put aside or is odd; what many logs have in common once, of all of them."""
    common: dict[str, list[tuple[int, str]]] = {}
    for one in manifest.sources:
        for why, count in _counted(one):
            common.setdefault(why, []).append((count, one.name))
    common = {why: logs for why, logs in common.items() if len(logs) > NAMED}
    found = []
    for one in manifest.sources:
        if one.truncated:
            found.append(f"{one.name} breaks off: what followed row {one.rows} is not known")
        if one.sampled:
            found.append(f"{one.name} is a sample: counts are lower bounds, and nothing can be said of completeness")
        found += [f"{one.name}: {count} {why}" for why, count in _counted(one) if why not in common]
        found += [f"{one.name}: {what}" for column, what in WITHOUT.items() if column in one.without]
    placeless = [one.name for one in manifest.sources if "country" in one.without and "ip24" not in one.without]
    if placeless:
        many = f"{len(placeless)} logs" if len(placeless) > NAMED else ", ".join(placeless)
        found.append(f"{many}: {PLACELESS}")
    by_table: dict[str, list[str]] = {}
    for one in manifest.sources:
        if one.countries and "country" not in one.without:
            by_table.setdefault(one.countries, []).append(one.name)
    for table, logs_of in by_table.items():
        many = f"{len(logs_of)} logs" if len(logs_of) > NAMED else ", ".join(logs_of)
        if len(by_table) <= NAMED:
            found.append(f"{many}: {BY_TABLE} (SHA-256 {table})")
    if len(by_table) > 1:
        found.append(f"{len(by_table)} {TABLES}")
    for why, logs in common.items():
        most, name = max(logs)
        many = f"up to {most}" if why in SECONDS else str(sum(count for count, _ in logs))
        found.append(f"{len(logs)} logs: {many} {why}; most in {name}")
    return tuple(found)


def _counted(source: SourceOf) -> list[tuple[str, int]]:
    again = [(AGAIN, source.duplicates)] if source.duplicates else []
    return [*again, *source.losses.items()]
