"""Every MLP of the suspect against every MLP of the reference: which layers come from where."""

from __future__ import annotations

from typing import Any

import numpy as np

from depose.model.weights import WeightFinding
from depose.report.figures.drawing import INK, WIDTH, blank, settings, written

TICKS = 12
"""Labels along one side at most."""


def layer_map_alt(found: WeightFinding) -> str:
    """Say in words which layers of the reference those of the suspect are closest to."""
    pairs = ", ".join(f"{one.label} to {one.closest}" for one in found.layers if one.kind == "mlp")
    return f"Layers of {found.suspect} and the layers of {found.reference} that they are closest to: {pairs}."


def layer_map(found: WeightFinding) -> bytes:
    """Draw the margins of all pairs of layers, darker where units are matched more surely, half a column wide.

    The scale begins at the median of all cells and ends at .2 at least, so that chance alone stays pale.
    """
    import matplotlib

    margins = np.array(found.map.margins or ((0.0,),))
    rows, columns = margins.shape
    width = WIDTH * 0.485
    height = min(max(width * 0.72 * rows / columns, 0.8), 3.2) + 0.5
    with matplotlib.rc_context(settings("layer map", found.suspect, found.reference)):
        figure = blank(height, width)
        axes = figure.add_axes((0.14, 0.4 / height, 0.68, 1 - 0.5 / height))
        least = float(np.median(margins))
        shown = axes.imshow(
            margins, cmap="Greys", vmin=least, vmax=max(0.2, least + 0.1, float(margins.max())), aspect="auto"
        )
        _labels(axes.xaxis, found.map.reference)
        _labels(axes.yaxis, found.map.suspect)
        axes.set_xlabel("layer of the reference", fontsize=7, color=INK)
        axes.set_ylabel("layer of the suspect", fontsize=7, color=INK)
        axes.tick_params(labelsize=6, length=2, colors=INK)
        bar = figure.colorbar(shown, cax=figure.add_axes((0.85, 0.4 / height, 0.025, 1 - 0.5 / height)))
        bar.ax.tick_params(labelsize=6, length=2, colors=INK)
        bar.outline.set_visible(False)
        return written(figure, layer_map_alt(found))


def _labels(axis: Any, labels: tuple[str, ...]) -> None:
    places = np.unique(np.linspace(0, max(len(labels) - 1, 0), min(max(len(labels), 1), TICKS)).astype(int))
    axis.set_ticks(places, [labels[place] if labels else "" for place in places])
