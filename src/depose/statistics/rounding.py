"""Rounds what is printed, so that findings do not differ in the noise of floating point."""

from __future__ import annotations


def tidy(value: float) -> float:
    """Round to ten significant digits."""
    return float(f"{value:z.10g}")
