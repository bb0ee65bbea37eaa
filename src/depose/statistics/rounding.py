"""Rounds what is printed, so that findings do not differ in the noise of floating point."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal


def tidy(value: float) -> float:
    """Round to ten significant digits."""
    return float(f"{value:z.10g}")


def upwards(p: float, digits: int = 3) -> str:
    """Write a p-value with significant digits, rounded up, so that no print is below its floor, and none is 0."""
    exact = Decimal(f"{p:.12g}")
    return str(exact.quantize(Decimal(1).scaleb(exact.adjusted() + 1 - digits), ROUND_CEILING)).replace("E", "e")
