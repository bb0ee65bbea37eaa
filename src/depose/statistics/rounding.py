"""Rounds what is printed: no noise of floating point, and never to the side of whoever relies on it.

p and upper bounds go up, lower bounds down, likelihood ratios towards 1.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal


def tidy(value: float) -> float:
    """Round to ten significant digits."""
    return float(f"{value:z.10g}")


def upwards(p: float, digits: int = 3) -> str:
    """Write a p-value with significant digits, rounded up, so that no print is below its floor, and none is 0."""
    exact = Decimal(f"{p:.12g}")
    return str(exact.quantize(Decimal(1).scaleb(exact.adjusted() + 1 - digits), ROUND_CEILING)).replace("E", "e")


def at_most(bound: float, places: int = 3) -> str:
    """Write an upper bound with so many decimals, rounded up."""
    return str(_exact(bound).quantize(Decimal(1).scaleb(-places), ROUND_CEILING))


def at_least(bound: float, places: int = 2) -> str:
    """Write a lower bound with so many decimals, rounded down."""
    return str(_exact(bound).quantize(Decimal(1).scaleb(-places), ROUND_FLOOR))


def towards_one(ratio: float, digits: int = 3) -> float:
    """Round a likelihood ratio, above 0, to significant digits: one above 1 down, one below 1 up."""
    exact = _exact(ratio)
    step = Decimal(1).scaleb(exact.adjusted() + 1 - digits)
    return float(exact.quantize(step, ROUND_FLOOR if ratio > 1 else ROUND_CEILING))


def _exact(value: float) -> Decimal:
    return Decimal(repr(tidy(value)))
