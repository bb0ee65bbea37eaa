"""Coverage of the 95 % interval of T by simulation: `make coverage`.

    benchmarks/interval_coverage.py [--cases 300] [--draws 399] [--seed 5] [--out out/coverage]

Suspect and reference are fixed; prompts and controls are drawn anew in each case. What is to be covered is the mean of
T over such draws at the same numbers of prompts and controls. Four kinds of measure: a likeness per prompt, a profile
over all prompts, both combined, and a bag in which all but the pair is noise. Beside each row stands the share of raw
draws that lie below the estimate. Each row has a random stream of its own and stands in a file of OUT for each state of
code and settings; a run that was killed goes on there.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from kept_rows import Store, digest
from numpy.typing import NDArray

import depose
from depose.detectors import Combination, Measured, Profile, Similarity
from depose.statistics.bootstrap import resampled
from depose.statistics.centring import score

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int, int], Measured]

TRAITS, THINGS, WORLDS = 20, 200, 6
KINDS = ("likeness", "profile", "both", "noise")


@dataclass(frozen=True, kw_only=True)
class World:
    """A suspect and a reference with traits of their own, alike beyond chance, and the things that models do."""

    pair: Array
    """[2, traits]."""
    loads: Array
    """[traits, things]."""
    base: Array

    def likeness(self, rng: np.random.Generator, controls: int, prompts: int) -> Similarity:
        """Prompts that bring out some traits more than others, noise, and models that resemble everybody."""
        traits = np.vstack([self.pair, rng.normal(size=(controls, TRAITS))])
        shown = rng.gamma(1.0, 1.0, size=(prompts, TRAITS))
        values = np.einsum("pk,ak,bk->pab", shown, traits, traits)
        noise = rng.normal(size=values.shape) * 3
        hub = rng.normal(size=len(traits))
        values += (noise + noise.swapaxes(1, 2)) / np.sqrt(2) + hub[:, None] + hub + rng.normal(size=(prompts, 1, 1))
        return Similarity(detector="likeness", values=values)

    def profile(self, rng: np.random.Generator, controls: int, prompts: int) -> Profile:
        """Counts of things at rates that follow traits, with prompts that call for some things more than others."""
        traits = np.vstack([self.pair, rng.normal(size=(controls, TRAITS))])
        called = np.exp(rng.normal(size=(prompts, 1, THINGS)))
        counts = rng.poisson(0.3 * np.exp(self.base + traits @ self.loads) * called)
        return Profile(
            detector="profile", counts=counts.astype(np.float32), totals=(counts.sum(axis=2) + 20).astype(np.float32)
        )

    def both(self, rng: np.random.Generator, controls: int, prompts: int) -> Combination:
        """Average one of each, as `habits` does."""
        parts = self.likeness(rng, controls, prompts), self.profile(rng, controls, prompts)
        return Combination(detector="both", parts=parts)

    def noise(self, rng: np.random.Generator, controls: int, prompts: int) -> Similarity:
        """Nothing but noise, except that the pair is alike."""
        noise = rng.normal(size=(prompts, controls + 2, controls + 2))
        values = (noise + noise.swapaxes(1, 2)) / 2
        values[:, 0, 1] += 1
        values[:, 1, 0] += 1
        return Similarity(detector="noise", values=values)


def world(rng: np.random.Generator) -> World:
    """Draw a pair that shares three fifths of its traits."""
    shared = rng.normal(size=TRAITS)
    pair = np.sqrt(0.6) * shared + np.sqrt(0.4) * rng.normal(size=(2, TRAITS))
    return World(
        pair=pair, loads=0.7 * rng.normal(size=(TRAITS, THINGS)) / np.sqrt(TRAITS), base=rng.normal(-1, 1, THINGS)
    )


@dataclass(frozen=True, kw_only=True)
class Covered:
    """What the intervals of one setting did."""

    inside: float
    above: float
    """Share of cases whose interval lies wholly above what it should cover."""
    under: float
    width: float
    below: float
    """Mean share of raw draws below the estimate."""


def covered(draw: Sequence[Draw], controls: int, prompts: int, cases: int, draws: int, seed: int) -> Covered:
    """Simulate one setting: the cases are spread over the worlds."""
    rng = np.random.default_rng([seed, controls, prompts])
    names = [str(place) for place in range(prompts)]
    found = []
    for one in draw:
        target = float(np.mean([score(one(rng, controls, prompts)).t[0, 1] for _ in range(200)]))
        for _ in range(cases // len(draw)):
            made = resampled(one(rng, controls, prompts), names, draws, rng)
            ends = made.interval()
            found.append((ends.low > target, ends.high < target, ends.high - ends.low, made.below))
    above, under, width, below = np.mean(found, axis=0)
    return Covered(inside=1 - above - under, above=above, under=under, width=width, below=below)


def state() -> str:
    """Name the code that rows depend on."""
    root = Path(depose.__file__).parent / "statistics"
    return str(digest([Path(__file__), *(root / f"{name}.py" for name in ("bootstrap", "centring"))]))


def main() -> None:
    """Print a row for each kind, number of controls and number of prompts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--draws", type=int, default=399)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--controls", type=int, nargs="+", default=[19, 25, 40])
    parser.add_argument("--prompts", type=int, nargs="+", default=[25, 50, 100])
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--out", type=Path, default=Path("out/coverage"))
    options = parser.parse_args()
    worlds = [world(np.random.default_rng([options.seed, place])) for place in range(WORLDS)]
    store = Store(path=options.out / f"{state()}-{options.cases}-{options.draws}-{options.seed}.jsonl")
    print("measure    K   prompts  covered  too high  too low  width  raw draws below T")
    least, most = 1.0, 0.0
    for kind in options.kinds:
        for controls in options.controls:
            for prompts in options.prompts:
                drawn = [getattr(one, kind) for one in worlds]
                key = f"{kind} {controls} {prompts}"
                if key not in store.rows:
                    made = covered(drawn, controls, prompts, options.cases, options.draws, options.seed)
                    store.keep(key, asdict(made))
                one = Covered(**{name: store.rows[key][name] for name in Covered.__annotations__})
                least, most = min(least, one.inside), max(most, one.inside)
                shares = (
                    f"{one.inside:>5.3f}     {one.above:.3f}    {one.under:.3f}  {one.width:>5.2f}  {one.below:>6.2f}"
                )
                print(f"{kind:<9} {controls:>3}   {prompts:>5}    {shares}", flush=True)
    print(
        f"coverage of nominal .950: {least:.3f} to {most:.3f}; {options.cases} cases a row, {options.draws} draws each"
    )


if __name__ == "__main__":
    main()
