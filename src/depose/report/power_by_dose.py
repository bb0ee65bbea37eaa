"""Power by dose: how often a student of known dose was found, and below which dose the test is blind; pure."""

from __future__ import annotations

from collections.abc import Sequence

from depose.model import Dose, Performance

FOUND = 0.8
"""Share of sets from which on a dose counts as found."""
Row = tuple[str, int, dict[int, Dose]]


def table(study: Performance | None) -> list[Row]:
    """Put the doses of a study into rows by question and number of prompts."""
    rows: dict[tuple[str, int], dict[int, Dose]] = {}
    for one in study.doses if study else ():
        rows.setdefault((one.question, one.prompts), {})[one.percent] = one
    return [(question, prompts, row) for (question, prompts), row in sorted(rows.items())]


def percents(study: Performance | None) -> list[int]:
    """List the doses in order."""
    return sorted({one.percent for one in study.doses}) if study else []


def said(rows: Sequence[Row]) -> str:
    """Say for each row from which dose on the test found the student, and that below it the test is blind."""
    found: dict[tuple[str, int | None], list[str]] = {}
    for question, prompts, row in rows:
        least = None
        for percent in sorted(row, reverse=True):
            one = row[percent]
            if not percent or not one.n or one.k < FOUND * one.n:
                break
            least = percent
        found.setdefault((question, least), []).append(str(prompts))
    parts = [
        f"{question}, {_listed(sizes)} prompts: "
        + (
            f"no dose was found in {FOUND} of the sets"
            if least is None
            else f"found at {least} in 100 or more; below that the test is blind"
        )
        for (question, least), sizes in found.items()
    ]
    return f"{'; '.join(parts)}." if parts else ""


def _listed(sizes: Sequence[str]) -> str:
    return sizes[0] if len(sizes) == 1 else f"{', '.join(sizes[:-1])} and {sizes[-1]}"
