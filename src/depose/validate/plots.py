"""Plots of a validation study as SVG: ROC, Tippett, PAV, ECE, score strips. Readable in grey."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depose.statistics.likelihood import cllr, cllr_min, ece, pav

Array = NDArray[np.float64]
Draw = Callable[[Any], None]


def _svg(draw: Draw, title: str, x: str, y: str) -> bytes:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    settings = {"svg.hashsalt": "depose", "svg.fonttype": "path", "font.size": 9, "axes.spines.top": False}
    with matplotlib.rc_context({**settings, "axes.spines.right": False}):
        figure, axes = pyplot.subplots(figsize=(5.4, 3.6), layout="constrained")
        draw(axes)
        axes.set_title(title, loc="left", fontsize=9)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": "depose", "Title": title})
        pyplot.close(figure)
    return out.getvalue()


def _counts(h1: Array, h2: Array) -> str:
    return f"{len(h1)} true, {len(h2)} unrelated pairs of the same references"


def roc(h1: Array, h2: Array, name: str) -> bytes:
    """Draw the true-positive rate over the false-positive rate of scores."""
    cuts = np.unique(np.concatenate([h1, h2]))[::-1]
    true = np.array([0.0, *[(h1 >= cut).mean() for cut in cuts]])
    false = np.array([0.0, *[(h2 >= cut).mean() for cut in cuts]])

    def draw(axes: Any) -> None:
        axes.plot(false, true, color="black", drawstyle="steps-post")
        axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8)

    return _svg(draw, f"{name}: {_counts(h1, h2)}", "share of unrelated pairs at or above", "share of true pairs")


def tippett(h1: Array, h2: Array, name: str) -> bytes:
    """Draw the shares of log10 LR above each value, with the misleading parts on the wrong side of 0."""

    def draw(axes: Any) -> None:
        for values, style, label in ((h1, "-", "true pairs"), (h2, "--", "unrelated pairs")):
            ordered = np.sort(values / np.log(10))
            share = 1 - np.arange(len(ordered)) / len(ordered)
            axes.plot(ordered, share, style, color="black", drawstyle="steps-post", label=label)
        axes.axvline(0, color="0.6", linewidth=0.8)
        axes.legend(frameon=False)

    return _svg(draw, f"{name}: {_counts(h1, h2)}", "log10 likelihood ratio, lineages left out", "share above")


def calibration(h1: Array, h2: Array, name: str) -> bytes:
    """Draw the ratios that monotone recalibration would give over those that were given."""
    best = np.concatenate(pav(h1, h2)) / np.log(10)
    given = np.concatenate([h1, h2]) / np.log(10)
    order = np.argsort(given)

    def draw(axes: Any) -> None:
        span = [float(given.min()), float(given.max())]
        axes.plot(span, span, color="0.7", linewidth=0.8)
        axes.plot(given[order], np.clip(best[order], span[0] - 1, span[1] + 1), color="black", drawstyle="steps-post")

    return _svg(
        draw, f"{name}: Cllr {cllr(h1, h2):.3f}, Cllr_min {cllr_min(h1, h2):.3f}", "log10 LR given", "log10 LR by PAV"
    )


def cross_entropy(h1: Array, h2: Array, name: str) -> bytes:
    """Draw empirical cross-entropy over prior odds, as given, recalibrated, and with LR = 1."""
    odds = np.linspace(-2.5, 2.5, 101)
    best = pav(h1, h2)
    limit = 30.0

    def draw(axes: Any) -> None:
        axes.plot(odds, ece(h1, h2, odds), "-", color="black", label="as given")
        axes.plot(
            odds,
            ece(np.clip(best[0], -limit, limit), np.clip(best[1], -limit, limit), odds),
            "--",
            color="black",
            label="PAV",
        )
        axes.plot(odds, ece(np.zeros(1), np.zeros(1), odds), ":", color="black", label="LR = 1")
        axes.legend(frameon=False)

    return _svg(draw, f"{name}: {_counts(h1, h2)}", "prior log10 odds", "empirical cross-entropy (bits)")


def strips(rows: dict[str, Array], name: str) -> bytes:
    """Draw the scores of each class of pairs as points in a row of their own."""

    def draw(axes: Any) -> None:
        for place, (label, values) in enumerate(rows.items()):
            spread = np.sin(np.arange(len(values)) * 2.399963) * 0.28
            axes.plot(values, place + spread, "o", color="black", markersize=2, alpha=0.35, markeredgewidth=0)
            axes.text(
                0.99,
                place + 0.36,
                f"{label}, n = {len(values)}",
                transform=axes.get_yaxis_transform(),
                ha="right",
                fontsize=8,
            )
        axes.set_yticks([])
        axes.set_ylim(-0.6, max(len(rows), 1) - 0.2)
        axes.axvline(0, color="0.7", linewidth=0.8)

    return _svg(draw, name, "T", "")


def doses(rows: Sequence[Mapping[str, Any]], alpha: float) -> bytes:
    """Draw the share of draws at alpha over the dose, a line for each number of prompts, one sample each."""

    def draw(axes: Any) -> None:
        once = [row for row in rows if row["samples"] == 1]
        sizes = sorted({row["prompts"] for row in once})
        for style, marker, size in zip(("-", "--", "-.", ":"), "os^D", sizes, strict=False):
            mine = sorted((row for row in once if row["prompts"] == size), key=lambda row: row["dose"])
            shares = [row["at_alpha"]["share"] for row in mine]
            axes.plot(
                [row["dose"] for row in mine],
                shares,
                color="black",
                linestyle=style,
                marker=marker,
                markersize=4,
                label=f"{size} prompts",
            )
        axes.axhline(0.8, color="0.6", linewidth=0.8)
        axes.set_ylim(-0.03, 1.03)
        axes.legend(frameon=False)

    return _svg(draw, "dose and power", "% of the reference's answers", f"share of draws with p at most {alpha}")
