"""Likelihood ratios with intervals and caps on a logarithmic axis, behind them the bands of the verbal scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10

from depose.model import Finding, Ratio, Record, Scale
from depose.report.arrange import likelihood
from depose.report.figures.drawing import GREY, INK, RULE, WIDTH, settings, written
from depose.statistics.verbal import SCALES

SHADES = "#f4f4f4", "#e3e3e3"
DEFAULT_SCALE = SCALES["enfsi-2015"]


class Rated(Record, frozen=True, kw_only=True):
    """A finding with likelihood ratios, under its number."""

    number: int
    finding: Finding


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
    words = [_halves(band.words.removesuffix(" support")) for band in scale.bands]
    names = [*([[]] if scale.bands[0].above > 1 else []), *words][: max(up, down)]
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
    """Where the bands of a scale begin, log10, from 1 up, and one decade past the last; the first may have no word."""
    edges = [log10(band.above) for band in scale.bands]
    return [*([0.0] if edges[0] > 0 else []), *edges, edges[-1] + 1]


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
            if not names[n]:
                continue
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
