"""Days of watching an endpoint whose model is known: calls until a swap is noticed, and false alarms without one.

Simulated without a network, by the functions that `depose watch` calls: forced choices of a model with shares of its
own for each prompt, kept answers drawn once for each endpoint, a new day each time. tests/watch asks over loopback.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from depose.statistics.rates import upper_bound
from depose.statistics.substitution import Array, examine

ALPHA = 0.01
DRAWS = 1_999
PROMPTS, CHOICES, KEPT, ROUNDS = 24, 8, 20, 8


def shares(rng: np.random.Generator) -> Array:
    """Draw a model: how often it makes each choice, for each prompt."""
    return rng.dirichlet(np.full(CHOICES, 0.4), PROMPTS)


def day(kept: Array, old: Array, new: Array, after: int, rng: np.random.Generator) -> int | None:
    """Watch for a day during which the model is swapped after so many calls; calls until an alarm, or None."""
    order = [int(one) for _ in range(ROUNDS) for one in rng.permutation(PROMPTS)]
    said: list[list[int]] = [[] for _ in range(PROMPTS)]
    for call, prompt in enumerate(order):
        said[prompt].append(int(rng.choice(CHOICES, p=(old if call < after else new)[prompt])))
    rows = [np.concatenate([kept[prompt], said[prompt]]) for prompt in range(PROMPTS)]
    alike = [(one[:, None] == one[None]).astype(float) for one in rows]
    return examine(alike, [KEPT] * PROMPTS, order, ROUNDS, ALPHA, rng, DRAWS).rejected_at


def kept_of(model: Array, rng: np.random.Generator) -> Array:
    """Draw the kept answers."""
    return np.array([rng.choice(CHOICES, KEPT, p=one) for one in model])


def main() -> int:
    """Print false alarms over endpoints and days, and calls from a swap to its alarm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoints", type=int, default=20)
    parser.add_argument("--days", type=int, default=50, help="for each endpoint")
    given = parser.parse_args()
    began, alarms = time.monotonic(), []
    for endpoint in range(given.endpoints):
        rng = np.random.default_rng([endpoint, 1])
        model = shares(rng)
        kept = kept_of(model, rng)
        alarms.append(sum(day(kept, model, model, 0, rng) is not None for _ in range(given.days)))
    total, every = sum(alarms), given.endpoints * given.days
    print(f"no swap: {total} false alarms in {every} days of {PROMPTS * ROUNDS} calls at alpha {ALPHA}", end="")
    print(f" (upper bound {upper_bound(total, every):.4f}); most for one endpoint: {max(alarms)} of {given.days}")
    for after in (0, 24, 96):
        found = []
        for endpoint in range(50):
            rng = np.random.default_rng([endpoint, 2, after])
            old, new = shares(rng), shares(rng)
            found.append(day(kept_of(old, rng), old, new, after, rng))
        late = [one - after for one in found if one is not None and one > after]
        print(f"swapped after {after} calls: noticed on {len(late)} of {len(found)} days", end="")
        print(f", {np.median(late):.0f} calls later (median), {np.max(late)} at most" if late else "")
    print(f"{time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
