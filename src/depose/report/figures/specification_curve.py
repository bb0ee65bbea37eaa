"""Specification curves to SVG: every analysis in one picture, sorted, with the choices that it makes below.

Readable in grey: rows are told apart by place and label alone. The bytes depend on the records only.
"""

from __future__ import annotations

from collections.abc import Sequence

from depose.model import Curve, Finding, Specification
from depose.report.figures.drawing import GREY, INK, RULE, WIDTH, settings, written
from depose.statistics.rounding import upwards

AXES = (("detector", "Detector"), ("answers", "Answers"), ("prompts", "Prompts"), ("controls", "Controls"))
LEFT, RIGHT = 0.35, 0.86
"""Edges of the panels, as shares of the width."""
TOP, LINE = 1.25, 0.165
"""Inches: the height of the curve, and of one row of choices."""
LABEL = 26


def curve_alt(finding: Finding, curve: Curve, alpha: float) -> str:
    """Say in words what the specification curve shows."""
    every, place = curve.shares[0], _place(curve)
    first, last = (upwards(curve.specifications[end].p) for end in (0, -1))
    return (
        f"Specification curve, question {finding.question}, {finding.suspect} and {finding.reference}: "
        f"{every.n} analyses sorted by p, from {first} to {last}; "
        f"{every.at_alpha} at or below {alpha:g}, {every.at_tenth} more at or below 0.1, {every.above} above. "
        f"The registered analysis is number {place + 1} with p {upwards(curve.registered.p)}."
    )


def specification_curve(finding: Finding, curve: Curve, alpha: float) -> bytes:
    """Draw p of every analysis, sorted, over a row for each choice with the share of its analyses at alpha.

    A standalone SVG whose text stays text.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    shares = curve.shares[1:]
    below = LINE * (len(shares) + 1)
    height = TOP + below + 0.34
    told = (finding.question, finding.suspect, finding.reference, "curve", curve.registered.detector)
    with matplotlib.rc_context(settings(*told)):
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        upper = figure.add_axes((LEFT, (below + 0.3) / height, RIGHT - LEFT, (TOP - 0.06) / height))
        lower = figure.add_axes((LEFT, 0.04 / height, RIGHT - LEFT, below / height))
        _draw_p(upper, curve, alpha)
        _draw_choices(lower, curve)
        return written(figure, curve_alt(finding, curve, alpha))


def _place(curve: Curve) -> int:
    """Where the registered analysis stands."""
    mine = curve.registered
    return next(
        place
        for place, one in enumerate(curve.specifications)
        if (one.detector, one.answers, one.prompts, one.controls)
        == (mine.detector, mine.answers, mine.prompts, mine.controls)
    )


def _draw_p(axes, curve: Curve, alpha: float) -> None:  # type: ignore[no-untyped-def]
    """Draw the sorted p-values as steps, the bands as lines, the registered analysis as a diamond."""
    p = [one.p for one in curve.specifications]
    edges = [place for place in range(1, len(p)) if p[place] != p[place - 1]]
    xs = [-0.5, *(edge - 0.5 for edge in edges for _ in range(2)), len(p) - 0.5]
    starts = [0, *edges]
    axes.plot(xs, [p[start] for start in starts for _ in range(2)], color=INK, linewidth=1.4, solid_capstyle="butt")
    axes.set_yscale("log")
    low = min(p[0], alpha) * 0.8
    axes.set_ylim(low, 1.15)
    axes.set_xlim(-0.5, len(p) - 0.5)
    marks = [mark for mark in dict.fromkeys((alpha, 0.1, 1.0)) if mark > low]
    for mark in marks[:-1]:
        axes.axhline(mark, color=GREY, linewidth=0.6, linestyle=(0, (3, 2)), zorder=0)
    axes.set_yticks(marks, [f"{mark:g}" for mark in marks])
    axes.set_yticks([], minor=True)
    place = _place(curve)
    axes.plot([place], [p[place]], marker="D", markersize=6, color=INK, zorder=5)
    left = place < 0.6 * len(p)
    axes.annotate(
        f"registered: {upwards(float(p[place]))}",
        (place, p[place]),
        xytext=(7 if left else -7, 7),
        textcoords="offset points",
        ha="left" if left else "right",
        va="bottom",
        fontsize=9,
        color=INK,
    )
    axes.set_xticks([])
    axes.set_ylabel("larger p (log)", fontsize=9, color=INK, labelpad=2)
    axes.tick_params(axis="y", labelsize=9, length=3, width=0.6, color=INK, labelcolor=INK)
    axes.set_xlabel(f"{len(p)} analyses, sorted by p", fontsize=9, color=INK, labelpad=2)
    for edge in ("right", "top"):
        axes.spines[edge].set_visible(False)


def _draw_choices(axes, curve: Curve) -> None:  # type: ignore[no-untyped-def]
    """Draw a row for each choice: a bar wherever an analysis makes it, its count at alpha on the right."""
    shares = curve.shares[1:]
    axes.set_xlim(-0.5, len(curve.specifications) - 0.5)
    axes.set_ylim(len(shares) - 0.4, -1.4)
    names = dict(AXES)
    before = ""
    for row, share in enumerate(shares):
        runs = _runs(curve.specifications, share.axis, share.choice)
        xs = [x for start, end in runs for x in (start - 0.5, end + 0.5, float("nan"))]
        axes.plot(xs, [row] * len(xs), color=INK, linewidth=3.4, solid_capstyle="butt")
        if share.axis != before:
            axes.axhline(row - 0.5, color=RULE, linewidth=0.5, zorder=0)
            _text(axes, names[share.axis], -0.68, row, "left")
        before = share.axis
        _text(
            axes, share.choice if len(share.choice) <= LABEL else share.choice[: LABEL - 1] + "…", -0.012, row, "right"
        )
        _text(axes, f"{share.at_alpha} of {share.n}", 1.012, row, "left")
    _text(axes, "at or below alpha", 1.27, -1, "right")
    axes.set_xticks([])
    axes.set_yticks([])
    for edge in axes.spines.values():
        edge.set_visible(False)


def _runs(found: Sequence[Specification], axis: str, choice: str) -> list[tuple[int, int]]:
    """Find the stretches of analyses that make a choice."""
    runs: list[tuple[int, int]] = []
    for place, one in enumerate(found):
        if getattr(one, axis) == choice:
            start = runs.pop()[0] if runs and runs[-1][1] == place - 1 else place
            runs.append((start, place))
    return runs


def _text(axes, text: str, x: float, y: float, align: str) -> None:  # type: ignore[no-untyped-def]
    axes.annotate(
        text,
        (x, y),
        xycoords=("axes fraction", "data"),
        ha=align,
        va="center",
        fontsize=9,
        color=INK,
        parse_math=False,
        annotation_clip=False,
    )
