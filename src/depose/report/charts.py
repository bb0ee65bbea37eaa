"""Figures beside the scores: error curves of the study, ranks of candidates, times, the tree of likeness.

Like `figures`: SVG whose text stays text, readable in grey, every mark told apart by shape or dash as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np

from depose.model import Candidate, Fact, Finding, HeldOut
from depose.report.drawing import GREY, INK, RULE, WIDTH, settings, short, written
from depose.report.typography import number
from depose.statistics.likelihood import ece, pav

LOG = float(np.log(10))
ODDS = np.linspace(-2, 2, 81)


def _figure(height: float, width: float = WIDTH) -> Any:
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasSVG(figure)
    return figure


def _plain_axes(axes: Any, x: str, y: str = "") -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_linewidth(0.6)
    axes.tick_params(labelsize=7, length=3, width=0.6, color=INK, labelcolor=INK)
    axes.set_xlabel(x, fontsize=7.5, color=INK, labelpad=2)
    axes.set_ylabel(y, fontsize=7.5, color=INK, labelpad=2)


def _legend(axes: Any) -> None:
    """Name the lines above the panel, where no curve can run through the names."""
    axes.legend(
        frameon=False,
        fontsize=6.8,
        loc="lower center",
        bbox_to_anchor=(0.5, 0.99),
        ncols=3,
        handlelength=2.2,
        handletextpad=0.5,
        columnspacing=1.2,
        borderaxespad=0,
    )


def curves_alt(held: HeldOut) -> str:
    """Say in words what the error curves show."""
    wrong1, wrong2 = sum(v < 0 for v in held.true), sum(v > 0 for v in held.other)
    return (
        f"Two panels, question {held.question} against {held.against}. Left, Tippett plot: the share of pairs whose "
        f"log10 likelihood ratio is above each value; {wrong1} of {len(held.true)} true pairs lie below 0 and {wrong2} "
        f"of {len(held.other)} other pairs above 0. Right, empirical cross-entropy over prior odds: as given, after "
        "the best monotone recalibration, and for a likelihood ratio that is always 1."
    )


def curves(held: HeldOut) -> bytes:
    """Draw Tippett plot and empirical cross-entropy of held-out likelihood ratios beside each other."""
    import matplotlib

    height = 1.5
    with matplotlib.rc_context(settings("curves", held.question, held.against)):
        figure = _figure(height)
        left = figure.add_axes((0.075, 0.24, 0.4, 0.63))
        right = figure.add_axes((0.59, 0.24, 0.4, 0.63))
        pattern: Any
        for values, dash, width, label in (
            (held.true, "-", 1.4, f"true pairs, n = {len(held.true)}"),
            (held.other, (0, (4, 2)), 1.0, f"other pairs, n = {len(held.other)}"),
        ):
            ordered = np.concatenate(([-np.inf], np.sort(values), [np.inf]))
            share = 1 - np.arange(len(ordered) - 1) / (len(values) or 1)
            reach = np.clip(ordered, min((*held.true, *held.other)) - 0.3, max((*held.true, *held.other)) + 0.3)
            left.stairs(share, reach, baseline=None, color=INK, linestyle=dash, linewidth=width, label=label)
        left.axvline(0, color=RULE, linewidth=0.7, zorder=0)
        left.set_ylim(-0.03, 1.03)
        _legend(left)
        _plain_axes(left, "log10 likelihood ratio, lineages left out", "share of pairs above")
        h1, h2 = np.array(held.true) * LOG, np.array(held.other) * LOG
        best1, best2 = (np.clip(side, -30, 30) for side in pav(h1, h2))
        for entropy, pattern, width, label in (
            (ece(h1, h2, ODDS), "solid", 1.4, "as given"),
            (ece(best1, best2, ODDS), (0, (4, 2)), 1.0, "recalibrated"),
            (ece(np.zeros(1), np.zeros(1), ODDS), (0, (1, 1.6)), 1.0, "LR = 1 always"),
        ):
            right.plot(ODDS, entropy, color=INK, linestyle=pattern, linewidth=width, label=label)
        right.set_ylim(0, None)
        _legend(right)
        _plain_axes(right, "prior log10 odds", "cross-entropy, bits")
        return written(figure, curves_alt(held))


def ranking_alt(finding: Finding, candidates: Sequence[Candidate]) -> str:
    """Say in words how the candidates rank."""
    listed = ", ".join(
        f"{c.model} {c.value:.2f}{' (tested)' if c.tested else ''}{'' if c.in_set else ', less close'}"
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
        figure = _figure(height, width)
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
        _plain_axes(axes, "Score T of suspect and candidate")
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        return written(figure, ranking_alt(finding, rows))


def timeline(events: Sequence[Fact]) -> bytes:
    """Draw named times in order, evenly spaced, with the time between neighbours; nothing for fewer than two."""
    import matplotlib

    dated = sorted(((datetime.fromisoformat(e.value), e.name) for e in events), key=lambda one: one[0])
    words = "; ".join(f"{name} {moment:%Y-%m-%d %H:%M:%S}" for moment, name in dated)
    height = 0.62
    with matplotlib.rc_context(settings("timeline", words)):
        figure = _figure(height)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_xlim(-0.5, len(dated) - 0.5)
        axes.set_ylim(0, 1)
        axes.axis("off")
        axes.plot([0, len(dated) - 1], [0.5, 0.5], color=INK, linewidth=0.9)
        for place, (moment, name) in enumerate(dated):
            axes.plot([place], [0.5], marker="s", markersize=5, color=INK)
            axes.text(place, 0.8, name, ha="center", va="center", fontsize=7.5, color=INK)
            axes.text(place, 0.18, f"{moment:%Y-%m-%d %H:%M:%S}", ha="center", va="center", fontsize=7, color=GREY)
            if place:
                gap = f"{moment - dated[place - 1][0]}".split(".")[0]
                axes.text(place - 0.5, 0.62, f"+ {gap}", ha="center", va="center", fontsize=6.8, color=GREY)
        return written(figure, f"Time line, not to scale: {words}.")
