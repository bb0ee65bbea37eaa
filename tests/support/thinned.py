"""Many cases of one claim: some run with the fast tests, all of them with the slow ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def thinned(cases: Iterable[Any], every: int) -> list[Any]:
    """Leave one case in so many to the fast tests, the first among them, and mark the others slow."""
    return [
        one if number % every == 0 else pytest.param(one, marks=pytest.mark.slow) for number, one in enumerate(cases)
    ]
