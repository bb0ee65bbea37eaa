"""The strip plot by stratum: do controls of the years and the route of the pair score as the others do?"""

from __future__ import annotations

from collections.abc import Sequence

from depose.model import Against, Finding, Record, Result
from depose.report.figures.drawing import INK, RULE, blank, plain_axes, settings, short, written

ROW = 0.34
"""Inches: the height of one stratum."""


class Stratum(Record, frozen=True, kw_only=True):
    """Controls that have time and route in common, and their scores."""

    name: str
    reference_side: tuple[Against, ...]
    suspect_side: tuple[Against, ...]


def strata_alt(finding: Finding, result: Result, strata: Sequence[Stratum]) -> str:
    """Say in words what the plot shows."""
    return (
        f"Strip plot by stratum, detector {result.detector}: {finding.suspect} and {finding.reference} "
        f"score {result.value:z.2f}. " + " ".join(_said(one) for one in strata)
    )


def _said(one: Stratum) -> str:
    values = [point.value for point in (*one.reference_side, *one.suspect_side)]
    return f"{one.name}, n = {len(one.reference_side)}: {min(values):z.2f} to {max(values):z.2f}."


def strata_plot(finding: Finding, result: Result, strata: Sequence[Stratum]) -> bytes:
    """Draw a row for each stratum: circles for T(S, C), triangles for T(C, R), a line at T(S, R)."""
    import matplotlib

    height = ROW * len(strata) + 0.5
    with matplotlib.rc_context(settings("strata", finding.question, finding.suspect, finding.reference)):
        figure = blank(height)
        axes = figure.add_axes((0.3, 0.4 / height, 0.685, 1 - 0.46 / height))
        axes.axvline(0, color=RULE, linewidth=0.6, zorder=0)
        axes.axvline(result.value, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        for row, one in enumerate(reversed(strata)):
            for side, marker, rise in ((one.reference_side, "o", 0.12), (one.suspect_side, "^", -0.12)):
                axes.plot(
                    [point.value for point in side],
                    [row + rise] * len(side),
                    linestyle="none",
                    marker=marker,
                    markersize=4,
                    markerfacecolor="none",
                    markeredgecolor=INK,
                    markeredgewidth=0.7,
                )
        axes.set_ylim(-0.5, len(strata) - 0.5)
        axes.set_yticks(range(len(strata)), [f"{one.name}, n = {len(one.reference_side)}" for one in reversed(strata)])
        plain_axes(
            axes,
            f"Score T; circles {short(finding.suspect)} and a control, triangles a control and "
            f"{short(finding.reference)}; dashed: the pair",
        )
        return written(figure, strata_alt(finding, result, strata))
