"""A labelled population (`../shared/data`) as models of a case: lineage by rule, never by looking at outputs.

weight lineage   the root of `base`, followed through models of the table
data lineage     `family`; families made entirely by one developer are one lineage (a maker's own models)
trained on       developers of the documented and likely teachers; OpenAI where `openai_teacher` says yes
order            hubs first, then by name, which is the order in which representatives are taken
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

CLASSES = {"chatgpt": "OpenAI", "gpt4": "OpenAI", "gpt4turbo": "OpenAI", "gpt-4o": "OpenAI"}


@dataclass(frozen=True, kw_only=True)
class Member:
    """One model of the population."""

    name: str
    developer: str
    weight_lineage: str
    data_lineage: str
    trained_on: tuple[str, ...]
    hub: bool


def read(folder: Path, source: str) -> tuple[Member, ...]:
    """Read the models that answered in `source`, hubs first, then by name."""
    with (folder / "lineage.csv").open(newline="", encoding="utf-8") as file:
        table = {row["model"]: row for row in csv.DictReader(file)}
    with (folder / "generation.csv").open(newline="", encoding="utf-8") as file:
        names = [row["model"] for row in csv.DictReader(file) if row["source"] == source]
    makers: dict[str, set[str]] = defaultdict(set)
    for row in table.values():
        makers[row["family"]].add(row["developer"])
    members = [_member(table[name], table, makers) for name in names]
    return tuple(sorted(members, key=lambda one: (not one.hub, one.name)))


def _member(row: dict[str, str], table: dict[str, dict[str, str]], makers: dict[str, set[str]]) -> Member:
    own = makers[row["family"]]
    return Member(
        name=row["model"],
        developer=row["developer"],
        weight_lineage=_root(row["model"], table) or f"undisclosed ({row['model']})",
        data_lineage=f"all of {row['developer']}" if len(own) == 1 else row["family"],
        trained_on=_taught_by(row, table),
        hub=row["role"] == "hub",
    )


def _root(name: str, table: dict[str, dict[str, str]]) -> str:
    seen = set()
    while name in table and name not in seen:
        seen.add(name)
        name = table[name]["base"]
    return name


def _taught_by(row: dict[str, str], table: dict[str, dict[str, str]]) -> tuple[str, ...]:
    found = {
        CLASSES.get(name) or table.get(name, {}).get("developer", "")
        for name in row["teachers"].split(";") + row["teacher_models"].split(";")
    }
    if row["openai_teacher"] in ("documented yes", "likely yes"):
        found.add("OpenAI")
    return tuple(sorted(found - {""}))
