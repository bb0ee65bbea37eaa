"""What several tests share: trees."""

from __future__ import annotations

from depose.model import Join, Tree

ROLES = {"S1": "suspect", "R1": "reference", "T1": "candidate"}


TREE = Tree(
    detector="habits",
    models=("S1", "R1", "T1", "C1", "C2"),
    left_out=("C9",),
    clusters=40,
    draws=200,
    joins=(
        Join(left=0, right=1, t=4.25, support=198),
        Join(left=3, right=4, t=1.5, support=60),
        Join(left=2, right=6, t=0.25, support=120),
        Join(left=5, right=7, t=-0.75, support=200),
    ),
)
