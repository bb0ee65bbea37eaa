"""Candidate teachers by closeness to the suspect."""

from __future__ import annotations

from collections.abc import Sequence

from depose.model import Candidate, Finding
from depose.report.figures.drawing import INK, RULE, WIDTH, blank, plain_axes, settings, short, written
from depose.report.typography import number


def ranking_alt(finding: Finding, candidates: Sequence[Candidate]) -> str:
    """Say in words how the candidates rank."""
    listed = ", ".join(
        f"{c.model} {c.value:z.2f}{' (tested)' if c.tested else ''}{'' if c.in_set else ', less close'}"
        for c in candidates
    )
    return f"Candidates by closeness to the suspect {finding.suspect}, closest first: {listed}."


def ranking(finding: Finding) -> bytes:
    """Draw the candidate teachers of a finding by score, half a column wide; filled: the tested reference."""
    import matplotlib

    rows = sorted(finding.candidates, key=lambda c: (-c.value, c.model))
    width = WIDTH * 0.485
    height = 0.4 + 0.17 * len(rows)
    with matplotlib.rc_context(settings("ranking", finding.question, finding.suspect, finding.reference)):
        figure = blank(height, width)
        axes = figure.add_axes((0.17, 0.34 / height, 0.5, 1 - 0.36 / height))
        low, high = min(0.0, rows[-1].value), max(0.0, rows[0].value)
        pad = 0.06 * (high - low) or 1.0
        axes.set_xlim(low - pad, high + pad)
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.axvline(0, color=RULE, linewidth=0.7, zorder=0)
        for place, one in enumerate(reversed(rows)):
            axes.plot([low - pad, one.value], [place, place], color=RULE, linewidth=0.5, zorder=0)
            face = INK if one.tested else "white"
            axes.plot(
                [one.value], [place], marker="D" if one.tested else "o", markersize=5, color=INK, markerfacecolor=face
            )
            note = ("tested" if one.tested else "rival") + ("" if one.in_set else ", less close")
            for text, edge, align in ((short(one.model), 0, "right"), (f"{number(one.value)}  {note}", 1, "left")):
                axes.annotate(
                    text,
                    (edge, place),
                    xycoords=("axes fraction", "data"),
                    xytext=(5 if edge else -5, 0),
                    textcoords="offset points",
                    ha=align,
                    va="center",
                    fontsize=7,
                    color=INK,
                    parse_math=False,
                )
        plain_axes(axes, "Score T of suspect and candidate")
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        return written(figure, ranking_alt(finding, rows))
