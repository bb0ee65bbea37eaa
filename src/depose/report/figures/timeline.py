"""Named times in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from depose.model import Fact
from depose.report.figures.drawing import GREY, INK, blank, settings, written


def timeline(events: Sequence[Fact]) -> bytes:
    """Draw named times in order, evenly spaced, with the time between neighbours; nothing for fewer than two."""
    import matplotlib

    dated = sorted(((datetime.fromisoformat(e.value), e.name) for e in events), key=lambda one: one[0])
    words = "; ".join(f"{name} {moment:%Y-%m-%d %H:%M:%S}" for moment, name in dated)
    height = 0.62
    with matplotlib.rc_context(settings("timeline", words)):
        figure = blank(height)
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
