"""The tree of likeness to SVG: an illustration, readable in grey, with the support of its clades at the joins."""

from __future__ import annotations

from collections.abc import Mapping

from depose.model import Tree
from depose.report.figures.drawing import GREY, INK, RULE, WIDTH, settings, short, written

ROW = 0.1
"""Inches: the height of one model."""
MARKS = {"suspect": ("D", INK), "reference": ("s", INK), "candidate": ("^", "white"), "control": ("o", "white")}
"""Shape and filling by role; the role stands beside the code as well."""


def dendrogram_alt(tree: Tree, roles: Mapping[str, str]) -> str:
    """Say in words which models are joined first, and what each suspect is joined with."""
    below = members(tree)
    named = []
    for place, (join, found) in enumerate(zip(tree.joins, below[len(tree.models) :], strict=True)):
        for suspect in (m for m in found if roles.get(m) == "suspect"):
            if all(suspect not in one for one in below[len(tree.models) : len(tree.models) + place]):
                others = ", ".join(m for m in found if m != suspect)
                named.append(f"{suspect} with {others} at T {join.t:z.2f}, in {join.support} of {tree.draws} draws")
    return (
        f"Dendrogram, an illustration: {len(tree.models)} models joined by average linkage of T, detector "
        f"{tree.detector}. Each suspect's first join: {'; '.join(named) or 'no suspect is in it'}."
    )


def members(tree: Tree) -> list[tuple[str, ...]]:
    """List the models below every place: one for each model, then those of each join."""
    below: list[tuple[str, ...]] = [(model,) for model in tree.models]
    for join in tree.joins:
        below.append((*below[join.left], *below[join.right]))
    return below


def _order(tree: Tree) -> list[int]:
    """Order the models so that no lines cross, the group of the first model first."""
    groups = [[place] for place in range(len(tree.models))]
    for join in tree.joins:
        left, right = sorted((groups[join.left], groups[join.right]), key=min)
        groups.append([*left, *right])
    return groups[-1]


def dendrogram(tree: Tree, roles: Mapping[str, str]) -> bytes:
    """Draw models as rows, joined at their mean T, with the share of draws where at least half hold the clade.

    A standalone SVG whose text stays text.
    """
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    count = len(tree.models)
    height = 0.4 + ROW * count
    with matplotlib.rc_context(settings("tree", tree.detector, *tree.models)):
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        axes = figure.add_axes((0.03, 0.36 / height, 0.75, 1 - 0.38 / height))
        _draw(axes, tree, roles)
        return written(figure, dendrogram_alt(tree, roles))


def _draw(axes, tree: Tree, roles: Mapping[str, str]) -> None:  # type: ignore[no-untyped-def]
    count = len(tree.models)
    high, low = tree.joins[0].t, tree.joins[-1].t
    span = high - low or 1.0
    edge = high + 0.06 * span
    axes.set_xlim(low - 0.06 * span, edge)
    axes.set_ylim(count - 0.4, -0.6)
    rows = {place: row for row, place in enumerate(_order(tree))}
    ends: list[tuple[float, float]] = [(edge, float(rows[place])) for place in range(count)]
    xs: list[float] = []
    ys: list[float] = []
    for join in tree.joins:
        (x1, y1), (x2, y2) = ends[join.left], ends[join.right]
        xs += [x1, join.t, join.t, x2, float("nan")]
        ys += [y1, y1, y2, y2, float("nan")]
        ends.append((join.t, (y1 + y2) / 2))
    axes.plot(xs, ys, color=INK, linewidth=0.8, solid_capstyle="butt", solid_joinstyle="miter")
    for join, (x, y) in zip(tree.joins[:-1], ends[count:-1], strict=True):
        if 2 * join.support >= tree.draws:
            axes.annotate(
                f"{join.support / tree.draws:z.2f}",
                (x, y),
                xytext=(-2, 1),
                textcoords="offset points",
                ha="right",
                va="bottom",
                fontsize=5.6,
                color=GREY,
            )
    for place, model in enumerate(tree.models):
        role = roles.get(model, "control")
        marker, face = MARKS.get(role, ("o", "white"))
        y = rows[place]
        axes.plot([edge], [y], marker=marker, markersize=3.2, color=INK, markerfacecolor=face, clip_on=False, zorder=4)
        axes.annotate(
            short(model) if role == "control" else f"{short(model)} {role}",
            (edge, y),
            xytext=(6, 0),
            textcoords="offset points",
            ha="left",
            va="center",
            fontsize=6.2,
            fontweight="normal" if role == "control" else "bold",
            color=INK,
            parse_math=False,
            annotation_clip=False,
        )
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=7, length=3, width=0.6, color=INK, labelcolor=INK)
    axes.set_xlabel("mean T where two groups join (further right: more alike)", fontsize=7.5, color=INK, labelpad=2)
    axes.axvline(0, color=RULE, linewidth=0.6, zorder=0)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_linewidth(0.6)
