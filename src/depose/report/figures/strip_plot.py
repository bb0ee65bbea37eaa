"""The strip plot: the score of suspect and reference among those of the controls, both sides, all points shown."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from depose.model import Against, Finding, Result
from depose.report.figures.drawing import GREY, INK, RULE, WIDTH, settings, short, written
from depose.report.typography import number

ROW = 0.44
"""Inches: the height of one row of points."""
CROWDED = 48
"""With more controls than this, names are listed in the text and not drawn."""


def strip_alt(finding: Finding, result: Result) -> str:
    """Say in words what the strip plot of this result shows."""
    return (
        f"Strip plot, detector {result.detector}, question {finding.question}: the suspect {finding.suspect} "
        f"against the reference {finding.reference} scores {result.value:z.2f} "
        f"(95 % interval {result.low:z.2f} to {result.high:z.2f}). "
        f"{_side_alt('Controls in the place of the reference', result.reference_side)} "
        f"{_side_alt('Controls in the place of the suspect', result.suspect_side)}"
    )


def crowded(result: Result) -> bool:
    """Tell whether there are too many controls to name each one in the plot."""
    return max(len(result.reference_side), len(result.suspect_side)) > CROWDED


def strip_plot(finding: Finding, result: Result) -> bytes:
    """Draw the control scores of both sides as two rows of points, with T(S, R) and its interval between them.

    A standalone SVG whose text stays text.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    longest = 0 if crowded(result) else _longest((*result.reference_side, *result.suspect_side))
    names = 0.16 + longest * 0.043
    height = 2 * names + 1.24 * ROW + 0.38
    with matplotlib.rc_context(settings(finding.question, finding.suspect, finding.reference, result.detector)):
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.17, 0.36 / height, 0.815, 1 - 0.38 / height))
        _draw(axes, finding, result, span=(height - 0.38) / ROW)
        return written(figure, strip_alt(finding, result))


def _draw(axes, finding: Finding, result: Result, *, span: float) -> None:  # type: ignore[no-untyped-def]
    """Fill the axes; the unit of the vertical scale is one row."""
    values = [a.value for a in (*result.reference_side, *result.suspect_side)]
    values += [result.value, result.low, result.high, 0.0]
    low, high = min(values), max(values)
    pad = 0.04 * (high - low) or 1.0
    axes.set_xlim(low - pad, high + pad)
    axes.set_ylim(0, span)
    middle = span / 2
    top, bottom = middle + 0.62, middle - 0.62
    axes.plot([0, 0], [bottom, top], color=RULE, linewidth=0.6, zorder=0)
    axes.plot([result.value] * 2, [bottom - 0.2, top + 0.2], color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.plot([result.low, result.high], [middle, middle], color=INK, linewidth=1.6, solid_capstyle="butt")
    for end in (result.low, result.high):
        axes.plot([end, end], [middle - 0.1, middle + 0.1], color=INK, linewidth=0.9)
    axes.plot([result.value], [middle], marker="D", markersize=6.5, color=INK, zorder=5)
    label = f"{short(finding.suspect)} and {short(finding.reference)}: {number(result.value)}"
    room = 0.012 * len(label) * (high - low)
    right, left = high - result.high > room, result.low - low > room
    axes.annotate(
        label,
        (result.high if right else result.low if left else result.value, middle),
        xytext=(6, 0) if right else (-6, 0) if left else (0, 6),
        textcoords="offset points",
        ha="left" if right else "right" if left else "center",
        va="center" if right or left else "bottom",
        fontsize=8,
        color=INK,
        parse_math=False,
    )
    for side, y, up in ((result.reference_side, top, True), (result.suspect_side, bottom, False)):
        axes.axhline(y, color=RULE, linewidth=0.5, zorder=0)
        axes.plot(
            [a.value for a in side],
            [y] * len(side),
            linestyle="none",
            marker="o",
            markersize=4.4,
            markerfacecolor="none",
            markeredgecolor=INK,
            markeredgewidth=0.8,
            zorder=3,
        )
        if not crowded(result):
            _name(axes, side, y, up=up)
    rows = (
        (top, f"{short(finding.suspect)} and", f"each control, n = {len(result.reference_side)}"),
        (middle, f"{short(finding.suspect)} and", f"{short(finding.reference)}, 95 % interval"),
        (bottom, f"each control, n = {len(result.suspect_side)},", f"and {short(finding.reference)}"),
    )
    for y, *lines in rows:
        for rise, line in zip((4.5, -4.5), lines, strict=True):
            axes.annotate(
                line,
                (0, y),
                xycoords=("axes fraction", "data"),
                xytext=(-6, rise),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=7.5,
                color=INK,
                parse_math=False,
            )
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=7.5, length=3, width=0.6, color=INK, labelcolor=INK)
    axes.set_xlabel(
        f"Score T; 1 is typical of two models of the bag ({result.prompts} prompts)",
        fontsize=8,
        color=INK,
        labelpad=2,
    )
    for edge in ("left", "right", "top"):
        axes.spines[edge].set_visible(False)
    axes.spines["bottom"].set_linewidth(0.6)


def _name(axes, side: Sequence[Against], y: float, *, up: bool) -> None:  # type: ignore[no-untyped-def]
    """Write every name upright over its point, moved apart just enough to be read, with a leader line."""
    ordered = sorted(side, key=lambda a: (a.value, a.model))
    left, right = axes.get_xlim()
    step = (right - left) / (WIDTH * 0.815 * 72 / 7.4)
    places = spread([a.value for a in ordered], step, left + step / 2, right - step / 2)
    direction = 1 if up else -1
    leaders = [(a.value, place, place, nan) for a, place in zip(ordered, places, strict=True)]
    heights = [y + direction * rise for rise in (0.13, 0.22, 0.26, nan)] * len(ordered)
    axes.plot([x for leader in leaders for x in leader], heights, color=GREY, linewidth=0.4, zorder=2)
    for against, place in zip(ordered, places, strict=True):
        axes.text(
            place,
            y + direction * 0.28,
            short(against.model),
            rotation=90,
            rotation_mode="anchor",
            ha="left" if up else "right",
            va="center",
            fontsize=6.6,
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


def _longest(side: Sequence[Against]) -> int:
    return max((len(short(a.model)) for a in side), default=0)


def _side_alt(label: str, side: Sequence[Against]) -> str:
    if not side:
        return f"{label}: none."
    ordered = sorted(side, key=lambda a: (-a.value, a.model))
    return (
        f"{label}, n = {len(side)}: from {ordered[-1].value:z.2f} ({ordered[-1].model}) "
        f"to {ordered[0].value:z.2f} ({ordered[0].model})."
    )
