"""Error curves of the validation study: Tippett, recalibration (PAV) and empirical cross-entropy of left-out pairs."""

from __future__ import annotations

from typing import Any

import numpy as np

from depose.model import HeldOut
from depose.report.figures.drawing import INK, RULE, blank, legend, plain_axes, settings, written
from depose.statistics.likelihood import ece, pav

LOG = float(np.log(10))
ODDS = np.linspace(-2, 2, 81)


def error_curves_alt(held: HeldOut) -> str:
    """Say in words what the error curves show."""
    wrong1, wrong2 = sum(v < 0 for v in held.true), sum(v > 0 for v in held.other)
    return (
        f"Three panels, question {held.question} against {held.against}. Left, Tippett plot: the share of pairs whose "
        f"log10 likelihood ratio is above each value; {wrong1} of {len(held.true)} true pairs lie below 0 and {wrong2} "
        f"of {len(held.other)} other pairs above 0. Middle: the best monotone recalibration of each ratio beside the "
        "ratio. Right, empirical cross-entropy over prior odds: as given, after that recalibration, and for a "
        "likelihood ratio that is always 1."
    )


def error_curves(held: HeldOut) -> bytes:
    """Draw Tippett plot, recalibration and empirical cross-entropy of held-out likelihood ratios beside each other."""
    import matplotlib

    height = 2.35
    with matplotlib.rc_context(settings("curves", held.question, held.against)):
        figure = blank(height)
        left, middle, right = (figure.add_axes((start, 0.21, 0.235, 0.55)) for start in (0.095, 0.43, 0.765))
        _tippett(left, held)
        _recalibrated(middle, held)
        _entropy(right, held)
        return written(figure, error_curves_alt(held))


def _tippett(axes: Any, held: HeldOut) -> None:
    pattern: Any
    for values, pattern, width, label in (
        (held.true, "-", 1.4, f"true, {len(held.true)}"),
        (held.other, (0, (4, 2)), 1.0, f"other, {len(held.other)}"),
    ):
        ordered = np.concatenate(([-np.inf], np.sort(values), [np.inf]))
        share = 1 - np.arange(len(ordered) - 1) / (len(values) or 1)
        reach = np.clip(ordered, min((*held.true, *held.other)) - 0.3, max((*held.true, *held.other)) + 0.3)
        axes.stairs(share, reach, baseline=None, color=INK, linestyle=pattern, linewidth=width, label=label)
    axes.axvline(0, color=RULE, linewidth=0.7, zorder=0)
    axes.set_ylim(-0.03, 1.03)
    legend(axes)
    plain_axes(axes, "log10 ratio", "share above")


def _recalibrated(axes: Any, held: HeldOut) -> None:
    given = np.concatenate([np.array(held.true), np.array(held.other)])
    best = np.concatenate(pav(np.array(held.true) * LOG, np.array(held.other) * LOG)) / LOG
    order = np.argsort(given, kind="stable")
    reach = float(np.abs(given).max()) or 1.0
    axes.plot([-reach, reach], [-reach, reach], color=RULE, linewidth=0.7, label="as given")
    axes.plot(
        given[order],
        np.clip(best[order], -reach - 0.5, reach + 0.5),
        color=INK,
        linewidth=1.2,
        marker=".",
        markersize=3,
        label="recalibrated",
    )
    legend(axes)
    plain_axes(axes, "log10 ratio", "log10, recalibrated")


def _entropy(axes: Any, held: HeldOut) -> None:
    pattern: Any
    h1, h2 = np.array(held.true) * LOG, np.array(held.other) * LOG
    best1, best2 = (np.clip(side, -30, 30) for side in pav(h1, h2))
    for entropy, pattern, width, label in (
        (ece(h1, h2, ODDS), "solid", 1.4, "as given"),
        (ece(best1, best2, ODDS), (0, (4, 2)), 1.0, "recalibrated"),
        (ece(np.zeros(1), np.zeros(1), ODDS), (0, (1, 1.6)), 1.0, "ratio always 1"),
    ):
        axes.plot(ODDS, entropy, color=INK, linestyle=pattern, linewidth=width, label=label)
    axes.set_ylim(0, None)
    legend(axes)
    plain_axes(axes, "prior log10 odds", "cross-entropy, bits")
