"""The figures of a group: its volume over time, who used which template, who shares with whom, what else they share."""

from __future__ import annotations

from typing import Any

import numpy as np

from depose.extraction.findings import ExtractionFindings, Group
from depose.extraction.tables import Tables, shared_templates
from depose.report.figures.drawing import GREY, INK, WIDTH, blank, legend, plain_axes, settings, written

SHOWN = 60
"""Accounts and templates that a figure shows at most."""


def figures(found: ExtractionFindings, group: Group, tables: Tables) -> list[tuple[str, bytes]]:
    """Draw a group: a caption and an SVG for each figure."""
    accounts = np.array(sorted(int(one.account, 16) for one in group.accounts), dtype=np.uint64)
    made = [
        ("Requests a day of the group, and of all accounts scaled to it.", _timeline(found, group, accounts, tables))
    ]
    matrix, rows = _held(accounts, tables)
    made.append(
        (
            f"Who holds which rare template: {matrix.shape[0]} of the group's nodes, its {matrix.shape[1]} most shared "
            "templates; a mark where a node used a template.",
            _matrix(group, matrix),
        )
    )
    made.append(("How many rare templates each two of these nodes share; darker is more.", _core(group, rows)))
    shared = _infrastructure(accounts, tables)
    if shared:
        made.append(
            (
                "Cards, networks and clients that several accounts of the group share, by kind and size.",
                _ties(group, shared),
            )
        )
    return made


def _timeline(found: ExtractionFindings, group: Group, accounts: Any, tables: Tables) -> bytes:
    import matplotlib

    daily = tables.by_name["daily"]
    day = daily["day"].to_numpy().astype("datetime64[D]")
    count = daily["requests"].to_numpy().astype(float)
    first = np.datetime64(found.tested[0])
    width = int((np.datetime64(found.tested[1]) - first).astype(int)) + 1
    inside = np.isin(daily["account"].to_numpy(), accounts)
    place = (day - first).astype(int)
    own = np.bincount(place[inside], weights=count[inside], minlength=width)
    every = np.bincount(place, weights=count, minlength=width)
    scaled = every * own.sum() / max(every.sum(), 1)
    alt = f"Requests a day of group {group.code}: {int(own.sum())} in {width} days, at most {int(own.max())} a day."
    with matplotlib.rc_context(settings(group.code, "timeline")):
        figure = blank(1.7)
        axes = figure.add_axes((0.09, 0.24, 0.89, 0.62))
        axes.step(np.arange(width), own, where="mid", color=INK, linewidth=1.0, label=f"group {group.code}")
        axes.step(np.arange(width), scaled, where="mid", color=GREY, linewidth=0.8, linestyle=(0, (3, 2)),
                  label="all accounts, scaled")  # fmt: skip
        plain_axes(axes, f"Day, from {found.tested[0]}", "Requests")
        legend(axes)
        return written(figure, alt)


def _held(accounts: Any, tables: Tables) -> tuple[Any, Any]:
    """Return who of the group holds which of its most shared templates, and the whole of it for pairs."""
    all_accounts = tables.by_name["accounts"]
    inside = np.isin(all_accounts["account"].to_numpy(), accounts)
    nodes = np.unique(all_accounts["node"].to_numpy()[inside])
    rare = tables.by_name["rare"]
    mine = np.isin(rare["node"].to_numpy(), nodes)
    table, _ = shared_templates(rare["node"].to_numpy()[mine], rare["template"].to_numpy()[mine], {})
    dense = np.zeros((table.rows, max(table.width, 1)), dtype=np.int64)
    dense[np.repeat(np.arange(table.rows), table.degrees()), table.columns] = 1
    dense = dense[:, np.argsort(-dense.sum(axis=0), kind="stable")]
    dense = dense[np.argsort(-dense.sum(axis=1), kind="stable")]
    return dense[:SHOWN, :SHOWN], dense[:SHOWN]


def _matrix(group: Group, held: Any) -> bytes:
    import matplotlib

    alt = f"Group {group.code}: {held.shape[0]} nodes by {held.shape[1]} templates, {int(held.sum())} marks."
    height = 0.6 + 0.045 * held.shape[0]
    with matplotlib.rc_context(settings(group.code, "templates")):
        figure = blank(height)
        axes = figure.add_axes((0.09, 0.35 / height, 0.89, 1 - 0.45 / height))
        row, column = np.nonzero(held)
        axes.plot(column, row, linestyle="none", marker="s", markersize=2.2, color=INK)
        axes.set_xlim(-1, held.shape[1])
        axes.set_ylim(held.shape[0], -1)
        plain_axes(axes, "Templates, most shared first", "Nodes")
        return written(figure, alt)


def _core(group: Group, held: Any) -> bytes:
    import matplotlib

    together = held @ held.T
    np.fill_diagonal(together, 0)
    alt = f"Group {group.code}: pairs of {len(held)} nodes share up to {int(together.max(initial=0))} rare templates."
    with matplotlib.rc_context(settings(group.code, "core")):
        figure = blank(2.6, WIDTH / 2)
        axes = figure.add_axes((0.16, 0.14, 0.82, 0.82))
        row, column = np.nonzero(together)
        most = max(int(together.max(initial=0)), 1)
        shades = 0.85 * (1 - together[row, column] / most)
        axes.scatter(column, row, s=4, marker="s", c=[(x, x, x) for x in shades], linewidths=0)
        axes.set_ylim(len(held), -1)
        plain_axes(axes, "Nodes", "Nodes")
        return written(figure, alt)


def _infrastructure(accounts: Any, tables: Tables) -> list[tuple[str, int]]:
    shared = tables.by_name["infrastructure"]
    mine = np.isin(shared["account"].to_numpy(), accounts)
    counts: dict[tuple[str, int], int] = {}
    for kind, value in zip(np.array(shared["kind"].to_pylist())[mine], shared["value"].to_numpy()[mine], strict=True):
        counts[str(kind), int(value)] = counts.get((str(kind), int(value)), 0) + 1
    found = [(kind, count) for (kind, _), count in counts.items() if count > 1]
    return sorted(found, key=lambda one: (-one[1], one[0]))[:30]


def _ties(group: Group, shared: list[tuple[str, int]]) -> bytes:
    import matplotlib

    names = {"payment": "card", "ip24": "network", "agent": "client", "tls": "TLS client"}
    alt = f"Group {group.code}: " + "; ".join(f"a {names[kind]} of {count} accounts" for kind, count in shared[:10])
    height = 0.5 + 0.12 * len(shared)
    with matplotlib.rc_context(settings(group.code, "infrastructure")):
        figure = blank(height)
        axes = figure.add_axes((0.14, 0.34 / height, 0.84, 1 - 0.38 / height))
        places = np.arange(len(shared))
        axes.barh(places, [count for _, count in shared], height=0.6, color=GREY)
        axes.set_yticks(places, [names[kind] for kind, _ in shared])
        axes.invert_yaxis()
        plain_axes(axes, "Accounts of the group that share it")
        axes.tick_params(axis="y", labelsize=6, length=0)
        return written(figure, alt)
