"""Who made which model, by a table that somebody keeps: for the draft of a case.

Either the table of the lineage benchmark, from which lineages follow (`population.documented`), or one whose columns
are fields of a model, or have the other names of `model_table`: model, developer, base, data_lineage, teachers, date.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from depose.case import model_table, population
from depose.case.population import Member
from depose.case.untrusted_files import read_untrusted
from depose.errors import CaseError, UsageError

HINT = "one row for each model; columns: model, developer, base, data_lineage, teachers, date"


def origins(path: Path) -> dict[str, Member]:
    """Read what a table says of each of its models, by name; raise CaseError for what is no such table."""
    if not path.is_file():
        raise UsageError(f"{path}: no such file", hint=HINT)
    if _of_benchmark(path):
        return population.documented(path)
    if path.suffix.lower() not in model_table.KINDS:
        raise UsageError(f"{path}: is no table: {', '.join(model_table.KINDS)}", hint=HINT)
    try:
        rows = [one.fields for one in model_table.read(path)]
    except CaseError as error:
        raise CaseError(error.message, hint=HINT) from error
    if not any(row.get("model") for row in rows):
        raise CaseError(f"{path}: no column 'model', which names each as its file does", hint=HINT)
    return {
        str(row["model"]): Member(
            name=str(row["model"]),
            family="",
            developer=str(row.get("developer", "")),
            weight_lineage=str(row.get("weight_lineage", "")),
            data_lineage=str(row.get("data_lineage", "")),
            trained_on=tuple(map(str, row.get("trained_on", ()))),
            hub=False,
            released=str(row.get("released", "")),
        )
        for row in rows
        if row.get("model")
    }


def _of_benchmark(path: Path) -> bool:
    if path.suffix.lower() != ".csv":
        return False
    try:
        head = read_untrusted(path, model_table.LARGEST).decode("utf-8-sig").partition("\n")[0]
    except (OSError, ValueError):
        return False
    return set(population.NEEDED["lineage.csv"].split()) <= set(next(csv.reader(io.StringIO(head)), []))
