"""Error curves of the validation study: Tippett, calibration and empirical cross-entropy of left-out pairs."""

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
        f"Two panels, question {held.question} against {held.against}. Left, Tippett plot: the share of pairs whose "
        f"log10 likelihood ratio is above each value; {wrong1} of {len(held.true)} true pairs lie below 0 and {wrong2} "
        f"of {len(held.other)} other pairs above 0. Right, empirical cross-entropy over prior odds: as given, after "
        "the best monotone recalibration, and for a likelihood ratio that is always 1."
    )


def error_curves(held: HeldOut) -> bytes:
    """Draw Tippett plot and empirical cross-entropy of held-out likelihood ratios beside each other."""
    import matplotlib

    height = 1.5
    with matplotlib.rc_context(settings("curves", held.question, held.against)):
        figure = blank(height)
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
        legend(left)
        plain_axes(left, "log10 likelihood ratio, lineages left out", "share of pairs above")
        h1, h2 = np.array(held.true) * LOG, np.array(held.other) * LOG
        best1, best2 = (np.clip(side, -30, 30) for side in pav(h1, h2))
        for entropy, pattern, width, label in (
            (ece(h1, h2, ODDS), "solid", 1.4, "as given"),
            (ece(best1, best2, ODDS), (0, (4, 2)), 1.0, "recalibrated"),
            (ece(np.zeros(1), np.zeros(1), ODDS), (0, (1, 1.6)), 1.0, "LR = 1 always"),
        ):
            right.plot(ODDS, entropy, color=INK, linestyle=pattern, linewidth=width, label=label)
        right.set_ylim(0, None)
        legend(right)
        plain_axes(right, "prior log10 odds", "cross-entropy, bits")
        return written(figure, error_curves_alt(held))
