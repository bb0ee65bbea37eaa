"""What else would be run on such logs: volume, a fixed threshold, an isolation forest, and the MMD of a window.

The window detector is written after `LabRAI/mmd-llm-mea-detection` (2606.05725): unbiased squared MMD between a window
and a benign sample, with several bandwidths, the threshold being the 95th percentile between benign windows. It knows
no accounts, so that it names everybody in the window or nobody. It has sentence vectors; here, without words, a prompt
is a random vector that its template shares, which is as well as vectors could tell templates apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from depose.extraction import features, plan, worlds
from depose.extraction.tables import Tables

WINDOW = 500
BENIGN = 40
TOP = 0.02
"""Share of accounts that the volume list and the forest name."""
PER_DAY = 500
"""Requests a day from which the threshold rule names an account."""


def peers(world: worlds.World, case: plan.ExtractionFile, made: Tables, planted: set[str]) -> dict[str, dict[str, Any]]:
    """Run every rival on a world."""
    accounts = made.by_name["accounts"]
    ids = [f"{one:016x}" for one in accounts["account"].to_numpy().tolist()]
    requests = accounts["requests"].to_numpy()
    count = max(1, int(TOP * len(ids)))
    busiest = features.daily(made.by_name["daily"], accounts["account"].to_numpy()).max(axis=1)
    found = {
        "volume": {ids[place] for place in np.argsort(-requests)[:count]},
        "threshold": {one for one, most in zip(ids, busiest, strict=True) if most >= PER_DAY},
        "isolation forest": {ids[place] for place in np.argsort(_strange(made))[:count]},
        "MMD window": set(ids) if _window(world, case) else set(),
    }
    return {
        name: {
            "fired": bool(named) if name in ("threshold", "MMD window") else False,
            "named": len(named),
            "recall": len(named & planted) / len(planted) if planted else 0.0,
            "false": 1 - len(named & planted) / len(named) if named else 0.0,
        }
        for name, named in found.items()
    }


def _strange(made: Tables) -> Any:
    from sklearn.ensemble import IsolationForest

    seen = features.features(made.by_name["accounts"])
    return IsolationForest(n_estimators=50, random_state=7).fit(seen).score_samples(seen)


def _window(world: worlds.World, case: plan.ExtractionFile) -> bool:
    """Tell whether any of ten windows of the tested period differs from the clean one, each at 5 %."""
    ts = world.events["ts"].to_numpy()
    split = np.datetime64(case.period.tested[0])
    rng = np.random.default_rng(7)
    clean, tested = np.flatnonzero(ts < split), np.flatnonzero(ts >= split)
    if len(clean) < 2 * WINDOW or len(tested) < WINDOW:
        return False
    known: dict[int, Any] = {}

    def vectors(places: Any) -> Any:
        rows = []
        for one in world.prompts[places].tolist():
            if one not in known:
                known[one] = np.random.default_rng(one).normal(size=32) / np.sqrt(32)
            rows.append(known[one])
        return np.array(rows)

    base = vectors(rng.choice(clean, WINDOW, replace=False))
    widest = 2 * np.median(((base[:100, None] - base[None, :100]) ** 2).sum(axis=2))

    def kernel(a: Any, b: Any) -> Any:
        gap = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
        last = np.exp(-gap / widest)  # each bandwidth is half the one before: its kernel is the square
        found = last.copy()
        for _ in range(3):
            last *= last
            found += last
        return found

    inside = kernel(base, base)
    own = (inside.sum() - np.trace(inside)) / (WINDOW * (WINDOW - 1))

    def mmd(window: Any) -> float:
        k = kernel(window, window)
        return float(own + (k.sum() - np.trace(k)) / (WINDOW * (WINDOW - 1)) - 2 * kernel(base, window).mean())

    benign = [mmd(vectors(rng.choice(clean, WINDOW, replace=False))) for _ in range(BENIGN)]
    limit = float(np.quantile(benign, 0.95))
    starts = np.linspace(0, len(tested) - WINDOW, 10).astype(int)
    return any(mmd(vectors(tested[start : start + WINDOW])) > limit for start in starts)
