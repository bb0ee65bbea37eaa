"""The page of independent evaluations: what others found on models that took no part in any choice."""

from __future__ import annotations

from typing import get_args

from depose.case.independent import Area, Share, unseen
from depose.model.base import Likeness

HEAD = """\
# Independent evaluations

Made by others, once each, on models and prompts that took no part in any choice. They ship with the package, and every
report prints them. What they mean stands in [What is known](../limits.md).

Area: true suspects of a reference against other suspects of the same reference, with 95 % intervals over families.
Called: p at or below .05 on both sides.

| question | area, documented | area, all | true pairs called | unrelated called | Cllr | population |
|---|---|---|---|---|---|---|
"""


def pages() -> dict[str, str]:
    """The one page of evaluations."""
    lines = []
    for one in unseen(get_args(Likeness)):
        found = one.found
        called = f"{_share(found.true_called)} | {_share(found.unrelated_called)}"
        areas = f"{_area(found.documented)} | {_area(found.every)}"
        code = f"{one.evaluation.what}; {one.evaluation.code}, {one.evaluation.date}"
        lines.append(f"| `{found.question}` | {areas} | {called} | {found.cllr:.2f} | {code} |")
    said = (f"{one.found.question}: {one.found.remark}." for one in unseen(get_args(Likeness)) if one.found.remark)
    return {"reference/evaluations.md": HEAD + "\n".join([*lines, "", *said])}


def _area(one: Area) -> str:
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"


def _share(one: Share) -> str:
    return f"{one.k} of {one.n}; families {one.k_families} of {one.n_families}"
