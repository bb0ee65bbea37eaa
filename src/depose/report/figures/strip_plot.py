"""The strip plot: the score of suspect and reference among those of the controls, and of every two controls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from depose.model import Against, Finding, Result
from depose.report.figures.drawing import GREY, INK, RULE, WIDTH, settings, short, written
from depose.report.typography import number

NAMED = 3
"""Controls that are named on each side: the highest, which are those that one asks about."""
ROW = 0.33
"""Inches from one row to the next."""
SIZE = 9.0
"""Points of all text."""


def strip_alt(finding: Finding, result: Result) -> str:
    """Say in words what the strip plot of this result shows."""
    nulls = finding.null_pairs
    return (
        f"Strip plot, detector {result.detector}, question {finding.question}: the suspect {finding.suspect} "
        f"against the reference {finding.reference} scores {result.value:z.2f} "
        f"(95 % interval {result.low:z.2f} to {result.high:z.2f}). "
        f"{_side_alt('Controls in the place of the reference', result.reference_side)} "
        f"{_side_alt('Controls in the place of the suspect', result.suspect_side)}"
        + (f" Every two controls, n = {nulls.n}: up to {nulls.largest:z.2f}." if nulls else "")
    )


def strip_plot(finding: Finding, result: Result) -> bytes:
    """Draw the control scores of both sides as rows of points, with T(S, R) and its interval, and all control pairs.

    A standalone SVG whose text stays text.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    rows = 3 + (finding.null_pairs is not None)
    height = rows * ROW + 0.54
    with matplotlib.rc_context(settings(finding.question, finding.suspect, finding.reference, result.detector)):
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.215, 0.43 / height, 0.765, 1 - 0.45 / height))
        _draw(axes, finding, result, rows)
        return written(figure, strip_alt(finding, result))


def _draw(axes: Any, finding: Finding, result: Result, rows: int) -> None:
    """Fill the axes; the unit of the vertical scale is one row, the tested pair on top."""
    nulls = [pair.value for pair in finding.null_pairs.pairs] if finding.null_pairs else []
    values = [a.value for a in (*result.reference_side, *result.suspect_side)]
    values += [*nulls, result.value, result.low, result.high, 0.0]
    low, high = min(values), max(values)
    pad = 0.04 * (high - low) or 1.0
    axes.set_xlim(low - pad, high + pad)
    axes.set_ylim(-0.55, rows - 0.25)
    axes.axvline(0, color=RULE, linewidth=0.6, zorder=0)
    axes.axvline(result.value, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    top = rows - 1
    _tested(axes, finding, result, top, low, high)
    s, r = short(finding.suspect), short(finding.reference)
    _label(axes, top, f"{s} and {r},", "95 % interval")
    for side, y, lines in (
        (result.reference_side, top - 1, (f"{s} and", f"{len(result.reference_side)} controls")),
        (result.suspect_side, top - 2, (f"{len(result.suspect_side)} controls", f"and {r}")),
    ):
        axes.axhline(y, color=RULE, linewidth=0.4, zorder=0)
        axes.plot(
            [a.value for a in side],
            [y] * len(side),
            linestyle="none",
            marker="o",
            markersize=5,
            markerfacecolor="none",
            markeredgecolor=INK,
            markeredgewidth=0.8,
            zorder=3,
        )
        _label(axes, y, *lines)
        _name(axes, side, y)
    if finding.null_pairs is not None:
        axes.plot(nulls, [0] * len(nulls), linestyle="none", marker="|", markersize=9, color=GREY, markeredgewidth=0.7)
        _label(axes, 0, "every two", f"controls, {finding.null_pairs.n:,}")
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=SIZE, length=3, width=0.6, color=INK, labelcolor=INK)
    axes.set_xlabel(
        f"Score T; 1 is typical of two models of the bag ({result.prompts} prompts)",
        fontsize=SIZE,
        color=INK,
        labelpad=2,
    )
    for edge in ("left", "right", "top"):
        axes.spines[edge].set_visible(False)
    axes.spines["bottom"].set_linewidth(0.6)


def _tested(axes: Any, finding: Finding, result: Result, y: float, low: float, high: float) -> None:
    axes.plot([result.low, result.high], [y, y], color=INK, linewidth=1.6, solid_capstyle="butt")
    for end in (result.low, result.high):
        axes.plot([end, end], [y - 0.13, y + 0.13], color=INK, linewidth=0.9)
    axes.plot([result.value], [y], marker="D", markersize=6.5, color=INK, zorder=5)
    label = f"{short(finding.suspect)} and {short(finding.reference)}: {number(result.value)}"
    room = 0.016 * len(label) * (high - low)
    right, left = high - result.high > room, result.low - low > room
    axes.annotate(
        label,
        (result.high if right else result.low if left else result.value, y),
        xytext=(6, 0) if right else (-6, 0) if left else (0, 6),
        textcoords="offset points",
        ha="left" if right else "right" if left else "center",
        va="center" if right or left else "bottom",
        fontsize=SIZE,
        color=INK,
        parse_math=False,
    )


def _label(axes: Any, y: float, *lines: str) -> None:
    """Say in two lines left of the axes what a row is."""
    for rise, line in zip((5.5, -5.5), lines, strict=True):
        axes.annotate(
            line,
            (0, y),
            xycoords=("axes fraction", "data"),
            xytext=(-6, rise),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=SIZE,
            color=INK,
            parse_math=False,
        )


def _name(axes: Any, side: Sequence[Against], y: float) -> None:
    """Write the names of the highest controls over their points, moved apart just enough to be read."""
    ordered = sorted(side, key=lambda a: (a.value, a.model))[-NAMED:]
    left, right = axes.get_xlim()
    longest = max((len(short(a.model)) for a in ordered), default=1)
    step = (right - left) * (longest * 0.55 * SIZE + 5) / (WIDTH * 0.765 * 72)
    places = spread([a.value for a in ordered], step, left + step / 2, right - step / 2)
    for against, place in zip(ordered, places, strict=True):
        axes.plot([against.value, place], [y + 0.12, y + 0.22], color=GREY, linewidth=0.4, zorder=2)
        axes.text(
            place,
            y + 0.24,
            short(against.model),
            ha="center",
            va="bottom",
            fontsize=SIZE,
            color=INK,
            parse_math=False,
        )


def spread(values: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Move sorted values apart until neighbours are a step away, none far from where it was, within the bounds."""
    groups: list[list[float]] = []
    """Mean wanted start and size of each run of labels that touch."""
    for value in values:
        groups.append([value, 1.0])
        while len(groups) > 1 and groups[-2][0] + groups[-2][1] * step > groups[-1][0]:
            start, size = groups.pop()
            before = groups[-1]
            total = before[1] + size
            before[0] = (before[0] * before[1] + (start - before[1] * step) * size) / total
            before[1] = total
    placed = [start + i * step for start, size in groups for i in range(int(size))]
    for i in range(len(placed)):
        placed[i] = max(placed[i], low + i * step)
    for i in range(len(placed)):
        placed[-1 - i] = min(placed[-1 - i], high - i * step)
    return placed


def _side_alt(label: str, side: Sequence[Against]) -> str:
    if not side:
        return f"{label}: none."
    ordered = sorted(side, key=lambda a: (-a.value, a.model))
    return (
        f"{label}, n = {len(side)}: from {ordered[-1].value:z.2f} ({ordered[-1].model}) "
        f"to {ordered[0].value:z.2f} ({ordered[0].model})."
    )
