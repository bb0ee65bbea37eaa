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
    for why, logs in common.items():
        most, name = max(logs)
        many = f"up to {most}" if why in SECONDS else str(sum(count for count, _ in logs))
        found.append(f"{len(logs)} logs: {many} {why}; most in {name}")
    return tuple(found)


def _counted(source: SourceOf) -> list[tuple[str, int]]:
    again = [(AGAIN, source.duplicates)] if source.duplicates else []
    return [*again, *source.losses.items()]
