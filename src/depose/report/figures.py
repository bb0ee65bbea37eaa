"""Findings to SVG: few figures, all points shown, readable in grey.

Every mark differs in shape and label, never in colour alone. The bytes depend on the records only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10, nan

from depose.model import Against, Finding, Ratio, Record, Result, Scale
from depose.report.arrange import likelihood
from depose.report.drawing import GREY, INK, RULE, WIDTH, settings, short, written
from depose.report.typography import number
from depose.statistics.verbal import SCALES

ROW = 0.44
"""Inches: the height of one row of points."""
CROWDED = 48
"""With more controls than this, names are listed in the text and not drawn."""
SHADES = "#f4f4f4", "#e3e3e3"
DEFAULT_SCALE = SCALES["enfsi-2015"]


class Rated(Record, frozen=True, kw_only=True):
    """A finding with likelihood ratios, under its number."""

    number: int
    finding: Finding


def strip_alt(finding: Finding, result: Result) -> str:
    """Say in words what the strip plot of this result shows."""
    return (
        f"Strip plot, detector {result.detector}, question {finding.question}: the suspect {finding.suspect} "
        f"against the reference {finding.reference} scores {result.value:.2f} "
        f"(95 % interval {result.low:.2f} to {result.high:.2f}). "
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


def ratio_alt(rated: Sequence[Rated], scale: Scale = DEFAULT_SCALE) -> str:
    """Say in words what the figure of the likelihood ratios of these findings shows."""
    rows = " ".join(_ratio_alt(place, ratio) for place, ratio in _rows(rated))
    return (
        f"Likelihood ratios on a logarithmic axis with the bands of {scale.document}, {scale.year}, "
        f"{rated[0].finding.suspect} and {rated[0].finding.reference}. {rows}"
    )


def _ratio_alt(number: int, ratio: Ratio) -> str:
    start = f"Finding {number} against {ratio.against}:"
    if ratio.value is None or ratio.low is None or ratio.high is None:
        return f"{start} not evaluated."
    value, low, high = map(likelihood, (ratio.value, ratio.low, ratio.high))
    bound = "".join(f", {one}" for one in _bound(ratio))
    return f"{start} {value} (95 % interval {low} to {high}{bound})."


def _bound(ratio: Ratio) -> Iterator[str]:
    """Yield the bound on the side of 1 on which a ratio lies, if there is one."""
    if ratio.value is not None and ratio.value < 1 and ratio.bottom is not None:
        yield f"least {likelihood(ratio.bottom)}"
    elif ratio.cap is not None:
        yield f"cap {likelihood(ratio.cap)}"


def _rows(rated: Sequence[Rated]) -> list[tuple[int, Ratio]]:
    return [(one.number, ratio) for one in rated for ratio in one.finding.ratios]


def ratio_bands(rated: Sequence[Rated], scale: Scale = DEFAULT_SCALE) -> bytes:
    """Draw each likelihood ratio of one pair's findings with interval and cap, on a log axis over the scale's bands.

    A standalone SVG whose text stays text.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    rows = _rows(rated)
    down, up = _reach([ratio for _, ratio in rows], scale)
    names = [_halves(band.words.removesuffix(" support")) for band in scale.bands[: max(up, down)]]
    head = 0.16 + 0.12 * max(map(len, names))
    height = 0.27 * len(rows) + 0.36 + head
    first = rated[0].finding
    with matplotlib.rc_context(settings(first.suspect, first.reference, "ratios", *(str(r.number) for r in rated))):
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.21, 0.36 / height, 0.6, 1 - (0.36 + head) / height))
        _bands(axes, scale, names, down, up)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        for place, (number, ratio) in enumerate(rows):
            y = len(rows) - 1 - place
            _ratio_row(axes, number, ratio, y)
            if place and rows[place - 1][0] != number:
                axes.axhline(y + 0.5, color=GREY, linewidth=0.5, zorder=1)
        return written(figure, ratio_alt(rated, scale))


def _edges(scale: Scale) -> list[float]:
    """Where the bands of a scale begin, log10, and one decade past the last."""
    edges = [log10(band.above) for band in scale.bands]
    return [*edges, edges[-1] + 1]


def _reach(ratios: Sequence[Ratio], scale: Scale) -> tuple[int, int]:
    """How many bands must be shown on the side of H2, and of H1, so that all lies inside of whole bands."""
    edges = _edges(scale)
    ends = [log10(x) for r in ratios for x in (r.value, r.low, r.high, r.cap, r.bottom) if x is not None and x > 0]
    down, up = (
        next((n for n, edge in enumerate(edges) if n and edge > far + 0.02), len(edges) - 1)
        for far in (max((0.0, *(-end for end in ends))), max((0.0, *ends)))
    )
    return down, up


def _bands(axes, scale: Scale, names: Sequence[Sequence[str]], down: int, up: int) -> None:  # type: ignore[no-untyped-def]
    """Shade and name the bands of H1 up to one number, and their mirror, where H2 is favoured, up to another."""
    edges = _edges(scale)
    axes.set_xlim(-edges[down], edges[up])
    for sign, count in ((1, up), (-1, down)):
        for n in range(count):
            left, right = sign * edges[n], sign * edges[n + 1]
            axes.axvspan(min(left, right), max(left, right), color=SHADES[n % 2], linewidth=0, zorder=0)
            axes.annotate(
                "\n".join((*names[n], "for H1" if sign > 0 else "for H2")),
                ((left + right) / 2, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=6.6,
                linespacing=1.25,
                color=INK,
            )
    for edge in (*(-e for e in edges[1:down]), *edges[1:up]):
        axes.axvline(edge, color=RULE, linewidth=0.5, zorder=1)
    axes.axvline(0, color=INK, linewidth=0.8, zorder=1)
    ticks = range(-int(edges[down]), int(edges[up]) + 1)
    step = 1 if len(ticks) <= 7 else 2
    axes.set_xticks(list(ticks), ["" if tick % step else _power(tick) for tick in ticks])
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=7.5, length=3, width=0.6, color=INK, labelcolor=INK)
    axes.set_xlabel("Likelihood ratio (log scale); 1 favours neither", fontsize=8, color=INK, labelpad=2)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_linewidth(0.6)


def _ratio_row(axes, number: int, ratio: Ratio, y: float) -> None:  # type: ignore[no-untyped-def]
    """Draw one ratio: a diamond, a bar for the interval, a broken line for the cap; the numbers on the right."""
    name = f"{number}: {ratio.against}"
    lines = [name] if len(name) <= 20 else _halves(name)
    _beside(axes, "\n".join(lines), 0, y, align="right")
    if ratio.value is None or ratio.low is None or ratio.high is None:
        _beside(axes, "not evaluated", 1, y, align="left")
        return
    low, value, high = (log10(x) for x in (ratio.low, ratio.value, ratio.high))
    axes.plot([low, high], [y, y], color=INK, linewidth=1.6, solid_capstyle="butt", zorder=4)
    for end in (low, high):
        axes.plot([end, end], [y - 0.13, y + 0.13], color=INK, linewidth=0.9, zorder=4)
    axes.plot([value], [y], marker="D", markersize=6, color=INK, zorder=5)
    for bound in (ratio.cap, ratio.bottom):
        if bound is not None:
            axes.plot([log10(bound)] * 2, [y - 0.42, y + 0.42], color=INK, linewidth=0.9, linestyle=(0, (2, 1.5)))
    _beside(axes, _numbers(ratio), 1, y, align="left")


def _numbers(ratio: Ratio) -> str:
    """Value, interval and bound in two lines, none of them long."""
    value, low, high = ("" if x is None else likelihood(x) for x in (ratio.value, ratio.low, ratio.high))
    interval, bound = f"[{low} to {high}]", next(_bound(ratio), "")
    if len(value) + len(interval) > 22:
        return f"{value}, {bound}\n{interval}" if bound else f"{value}\n{interval}"
    return f"{value} {interval}\n{bound}" if bound else f"{value} {interval}"


def _beside(axes, text: str, edge: int, y: float, *, align: str) -> None:  # type: ignore[no-untyped-def]
    axes.annotate(
        text,
        (edge, y),
        xycoords=("axes fraction", "data"),
        xytext=(6 if edge else -6, 0),
        textcoords="offset points",
        ha=align,
        va="center",
        fontsize=7.5,
        linespacing=1.2,
        color=INK,
        parse_math=False,
    )


def _halves(text: str) -> list[str]:
    """Break a name of several words in two lines, near the middle."""
    spaces = [n for n, character in enumerate(text) if character == " "]
    if not spaces:
        return [text]
    cut = min(spaces, key=lambda n: abs(2 * n - len(text)))
    return [text[:cut], text[cut + 1 :]]


def _power(exponent: int) -> str:
    return f"{10**exponent:,}" if exponent >= 0 else f"{10.0**exponent:.{-exponent}f}"


def _longest(side: Sequence[Against]) -> int:
    return max((len(short(a.model)) for a in side), default=0)


def _side_alt(label: str, side: Sequence[Against]) -> str:
    if not side:
        return f"{label}: none."
    ordered = sorted(side, key=lambda a: (-a.value, a.model))
    return (
        f"{label}, n = {len(side)}: from {ordered[-1].value:.2f} ({ordered[-1].model}) "
        f"to {ordered[0].value:.2f} ({ordered[0].model})."
    )
