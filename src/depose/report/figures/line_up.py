"""The line-up in four panels: picks beside what chance gives, ranks, the ratio over line-ups, and unequal chances."""

from __future__ import annotations

from typing import Any

import numpy as np

from depose.model.lineup_findings import LineupFinding
from depose.report.figures.drawing import GREY, INK, RULE, blank, legend, plain_axes, settings, written
from depose.report.typography import minus

HEIGHT = 1.75
BAND = "#d5d5d5"
DASHED: Any = (0, (4, 2))


def picks_alt(one: LineupFinding) -> str:
    """Say in words what the picks and ranks show."""
    return (
        f"Left: {one.suspect} put a delivered answer first in {one.picks} of {one.bags} line-ups; chance gives about "
        f"{one.expected_picks:.0f}, and {one.band[0]} to {one.band[1]} in 95 of 100 tests. Right: line-ups by place of "
        f"the delivered answer, from last to first: {', '.join(map(str, one.histogram))}; chance gives "
        f"{', '.join(f'{value:.0f}' for value in one.expected_histogram)}."
    )


def picks(one: LineupFinding) -> bytes:
    """Draw how often a delivered answer came first, with the band of chance, and where it came otherwise."""
    import matplotlib

    with matplotlib.rc_context(settings("line-up picks", one.suspect)):
        figure = blank(HEIGHT)
        left = figure.add_axes((0.035, 0.4, 0.43, 0.34))
        left.axvspan(one.band[0] - 0.5, one.band[1] + 0.5, color=BAND, linewidth=0)
        left.axvline(one.expected_picks, color=RULE, linewidth=0.7, linestyle=DASHED)
        left.plot([one.picks], [0], marker="D", color=INK, markersize=5.5, linestyle="none", clip_on=False, zorder=3)
        left.annotate(
            f"{one.picks} of {one.bags}", (one.picks, 0), xytext=(0, 8), textcoords="offset points", ha="center",
            fontsize=9, color=INK, fontweight="bold",
        )  # fmt: skip
        left.annotate(
            f"chance: {one.band[0]} to {one.band[1]}", ((one.band[0] + one.band[1]) / 2, 1), xytext=(0, 3),
            textcoords="offset points", ha="center", fontsize=9, color=GREY,
        )  # fmt: skip
        left.set_xlim(-0.02 * one.bags, 1.02 * one.bags)
        left.set_ylim(-1, 1)
        left.set_yticks([])
        plain_axes(left, "line-ups in which a delivered answer came first")
        left.spines["left"].set_visible(False)
        right = figure.add_axes((0.56, 0.24, 0.42, 0.6))
        places = np.arange(len(one.histogram))
        right.bar(places, one.histogram, width=0.72, color=RULE, label=one.suspect[:14])
        right.step(
            np.append(places - 0.5, places[-1] + 0.5),
            [*one.expected_histogram, one.expected_histogram[-1]],
            where="post", color=INK, linewidth=1.2, linestyle=DASHED, label="chance",
        )  # fmt: skip
        right.set_xticks(places, ["last", *[""] * (len(places) - 2), "first"])
        legend(right)
        plain_axes(right, "place of the delivered answer by score", "line-ups")
        return written(figure, picks_alt(one))


def strength_alt(one: LineupFinding) -> str:
    """Say in words what the ratio and the curve of unequal chances show."""
    return (
        f"Left: log10 of the ratio E over {one.bags} line-ups, ending at {one.log10_e:.1f}; words end at the cap of "
        f"{one.cap:g}. Right: log10 of the largest p when the chances of being delivered differ by a factor Gamma; "
        f"alpha is reached at {one.gamma:.2f}."
    )


def strength(one: LineupFinding, alpha: float) -> bytes:
    """Draw the ratio as line-ups are added, and what unequal chances of delivery would do to p."""
    import matplotlib

    with matplotlib.rc_context(settings("line-up strength", one.suspect)):
        figure = blank(HEIGHT)
        left = figure.add_axes((0.075, 0.24, 0.385, 0.62))
        left.plot(
            [0, *[rung.bags for rung in one.ladder]],
            [0, *[rung.log10_e for rung in one.ladder]],
            color=INK,
            linewidth=1.3,
        )
        left.axhline(np.log10(one.cap), color=RULE, linewidth=0.8, linestyle=DASHED)
        left.axhline(0, color=RULE, linewidth=0.6)
        left.annotate(
            f"cap {one.cap:g}", (0.0, np.log10(one.cap)), xycoords=("axes fraction", "data"), xytext=(3, 2),
            textcoords="offset points", fontsize=9, color=GREY,
        )  # fmt: skip
        plain_axes(left, "line-ups so far", "log10 E")
        right = figure.add_axes((0.575, 0.24, 0.405, 0.62))
        shown = [point for point in one.gammas if point.gamma <= max(3.0, min(one.gamma * 2, 100.0))]
        right.plot([point.gamma for point in shown], [point.log10_p for point in shown], color=INK, linewidth=1.3)
        right.axhline(np.log10(alpha), color=RULE, linewidth=0.8, linestyle=DASHED)
        right.annotate(
            f"alpha {alpha:g}", (1.0, np.log10(alpha)), xycoords=("axes fraction", "data"), xytext=(0, 2),
            textcoords="offset points", fontsize=9, color=GREY, ha="right",
        )  # fmt: skip
        plain_axes(right, "Gamma: factor by which odds of delivery differ", "log10 of the largest p")
        for axes in (left, right):
            axes.yaxis.set_major_formatter(lambda value, _: minus(f"{value:g}"))
        return written(figure, strength_alt(one))
