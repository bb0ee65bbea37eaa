"""The level of the line-up: what it says where there is nothing to find. Run by `make lineup-study`.

    benchmarks/lineup_study.py [--keys N] [--tables N] [PART ...]

Parts: `keys` (one scored table, its key drawn anew so many times), `nulls` (so many tables of suspects that learnt
nothing, each with a key of its own), `peers` (the rank test beside the t-test of dataset inference, Maini et al. 2024,
and the t-tail of Oren et al. 2024, on the same null tables), `groups` (ten registered groups, Holm over them and all
accounts together), `drifted` (fillers of a drifted sampler: p, the drift-robust p, and the rule of the opinion). All by
default; minutes, and the same figures each time.

p is spread over its lattice by a random number, so that a discrete p can be held against the uniform distribution: the
printed p of a case is never smaller. The e-process is looked at after every line-up.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, kstest, ttest_ind
from scipy.stats import t as student

from depose.lineup.e_process import log10_e
from depose.lineup.exact_null import log_tail
from depose.lineup.examine import bound
from depose.lineup.family import holm
from depose.lineup.rank_test import opened, rank_sum
from depose.lineup.sensitivity import log10_p_at_drift

Table = NDArray[np.float64]
Key = NDArray[np.bool_]
BAGS = 120
WIDTH = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """How a table of scores looks."""

    ties: bool = False
    """Scores are rounded, so that many are equal."""
    uneven: bool = False
    """In four of ten bags two members are missing."""
    several: bool = False
    """In half of the bags two members were delivered."""
    skewed: bool = False
    """A long lower tail, as log-likelihoods have."""
    bags: int = BAGS


WORLDS = {
    "plain": World(),
    "ties": World(ties=True),
    "unequal M": World(uneven=True),
    "several delivered": World(several=True),
    "all three, skewed": World(ties=True, uneven=True, several=True, skewed=True),
    "all three, 20 line-ups": World(ties=True, uneven=True, several=True, bags=20),
}


def main() -> None:
    """Run the parts that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--tables", type=int, default=500)
    asked = parser.parse_args()
    for part in asked.parts or PARTS:
        start = time.process_time()
        PARTS[part](asked)
        print(f"{part}: {time.process_time() - start:.0f} s of the processor\n", flush=True)


def scores_of(world: World, rng: np.random.Generator) -> Table:
    """Draw a scored table of a suspect that learnt nothing, [bags, members]; prompts differ in difficulty."""
    found: Table = rng.normal(size=(world.bags, WIDTH)) + 2 * rng.normal(size=(world.bags, 1))
    if world.skewed:
        found = -np.exp(0.75 * found)
    if world.ties:
        found = np.round(found)
    if world.uneven:
        found[rng.random(world.bags) < 0.4, 3:] = np.nan
    return found


class Tested:
    """One scored table, which takes any key."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self._scores = scores_of(world, rng)
        self._rng = rng
        self._two = rng.random(world.bags) < (0.5 if world.several else 0)
        self._tails: dict[int, float] = {}  # bags and how many were delivered stay, and with them the null

    def key(self) -> Key:
        """Deliver a random member of each bag, or two."""
        scores, rows = self._scores, np.arange(len(self._scores))
        order = np.argsort(np.where(np.isnan(scores), 2.0, self._rng.random(scores.shape)), axis=1)
        found = np.zeros(scores.shape, dtype=bool)
        found[rows, order[:, 0]] = True
        found[rows[self._two], order[self._two, 1]] = True
        return found

    def look(self) -> tuple[float, float]:
        """Draw a key; return p, spread over its lattice, and the largest log10 E on the way."""
        bags = opened(self._scores, self.key())
        total = int(bags.sums.sum())
        for one in (total, total + 1):
            if one not in self._tails:
                self._tails[one] = float(np.exp(log_tail([shape.null for shape in bags.shapes], one)))
        here, above = self._tails[total], self._tails[total + 1]
        return float(above + self._rng.random() * (here - above)), float(log10_e(bags).max())


def _printed(name: str, found: list[tuple[float, float]]) -> None:
    p, e = np.array(found).T
    high = int((e >= np.log10(20)).sum())
    most = beta.ppf(0.95, high + 1, len(e) - high) if high < len(e) else 1.0
    print(
        f"| {name} | {len(p):,} | {kstest(p, 'uniform').pvalue:.3f} | {(p <= 0.05).mean():.4f} "
        f"| {(p <= 0.01).mean():.4f} | {(p <= 0.001).mean():.4f} | {high / len(e):.4f} | {most:.4f} |",
        flush=True,
    )


HEAD = "| {} | runs | KS p | p <= .05 | p <= .01 | p <= .001 | E ever >= 20 | its 95 % bound |\n" + "|---" * 8 + "|"


def keys(asked: argparse.Namespace) -> None:
    """Draw keys anew for one scored table of each world."""
    print(HEAD.format("one table, keys drawn anew"))
    for number, (name, world) in enumerate(WORLDS.items()):
        tested = Tested(world, np.random.default_rng([7, number]))
        _printed(name, [tested.look() for _ in range(asked.keys)])


def nulls(asked: argparse.Namespace) -> None:
    """Draw tables of suspects that learnt nothing, each with a key of its own."""
    print(HEAD.format("null tables"))
    for number, (name, world) in enumerate(WORLDS.items()):
        rng = np.random.default_rng([8, number])
        _printed(name, [Tested(world, rng).look() for _ in range(asked.tables)])


# --- beside what others do --------------------------------------------------------------------------

SHARDS = 10


def peers(asked: argparse.Namespace) -> None:
    """Draw tables of suspects that learnt nothing and count p <= .05 of each test.

    `plain`: normal scores of 100 line-ups. `few`: 6 line-ups. `skewed`: a long lower tail, as log-likelihoods have.
    `topics`: prompts of ten topics, which differ in difficulty. The t-test is that of dataset inference: deliveries
    against held-out answers to other prompts, of topics of their own. Oren's compares each delivery with the mean of
    its siblings, by the tail of t with ddof 0; `shards` does so for ten sums of line-ups, as their code does.
    """
    rng = np.random.default_rng(7)
    tests: dict[str, Callable[[Table, Table], float]] = {
        "rank test": lambda scores, held_out: 10 ** rank_sum(opened(scores, _first(scores))).log10_p,
        "t-test, held out": lambda scores, held_out: float(
            ttest_ind(scores[:, 0], held_out[:, 0], alternative="greater").pvalue
        ),
        "t-tail": lambda scores, held_out: _oren(scores[:, 0] - scores[:, 1:].mean(axis=1)),
        "t-tail, shards": lambda scores, held_out: _oren(
            np.array([one.sum() for one in np.array_split(scores[:, 0] - scores[:, 1:].mean(axis=1), SHARDS)])
        ),
    }
    print(f"| false alarms at .05, {asked.tables * 10:,} tables | {' | '.join(tests)} |\n|---{'|---' * len(tests)}|")
    for world in ("plain", "few", "skewed", "topics"):
        alarms = dict.fromkeys(tests, 0)
        for _ in range(asked.tables * 10):
            scores, held_out = _null(rng, world), _null(rng, world)
            for name, test in tests.items():
                if world != "few" or "shards" not in name:
                    alarms[name] += test(scores, held_out) <= 0.05
        shares = [
            "-" if world == "few" and "shards" in name else f"{count / (asked.tables * 10):.3f}"
            for name, count in alarms.items()
        ]
        print(f"| {world} | {' | '.join(shares)} |", flush=True)


def _first(scores: Table) -> Key:
    key = np.zeros(scores.shape, dtype=bool)
    key[:, 0] = True
    return key


def _null(rng: np.random.Generator, world: str) -> Table:
    noise = rng.normal(size=(6 if world == "few" else 100, 5))
    if world == "skewed":
        return np.asarray(-np.exp(1.5 * noise))
    if world == "topics":
        return np.asarray(noise + np.repeat(rng.normal(size=(10, 1)), 10, axis=0))
    return np.asarray(noise)


def _oren(gaps: NDArray[np.float64]) -> float:
    """Test a mean against zero by the upper tail of t, ddof 0, as their code does."""
    return float(student.sf(gaps.mean() / gaps.std() * np.sqrt(len(gaps)), df=len(gaps) - 1))


# --- groups of accounts, and drift ------------------------------------------------------------------

GROUPS, EACH = 10, 20


def groups(asked: argparse.Namespace) -> None:
    """Draw tables of ten groups of accounts, of which one was learnt or none, and count what Holm calls at .05."""
    print(
        f"| {GROUPS} groups of {EACH} line-ups, 4 fillers | tables | any false call | without Holm | called rightly |"
    )
    print("|---|---|---|---|---|")
    runs, level = asked.tables * 4, np.log10(0.05)
    for number, lift in enumerate((0.0, 0.5, 1.0, 2.0)):
        rng, false, bare, right = np.random.default_rng([9, number]), 0, 0, 0
        for _ in range(runs):
            scores = rng.normal(size=(GROUPS * EACH, WIDTH))
            scores[:EACH, 0] += lift
            parts = [scores, *np.split(scores, GROUPS)]
            found = [rank_sum(opened(part, _first(part))).log10_p for part in parts]
            called = [value <= level for value in holm(found)]
            null = slice(2, None) if lift else slice(None)
            false += any(called[null])
            bare += any(value <= level for value in found[null])
            right += called[1]
        of = f"one learnt, deliveries {lift:g} sd higher" if lift else "none learnt"
        told = f"{right / runs:.3f}" if lift else "-"
        print(f"| {of} | {runs:,} | {false / runs:.4f} | {bare / runs:.3f} | {told} |", flush=True)


def drifted(asked: argparse.Namespace) -> None:
    """Draw tables of suspects that learnt nothing, whose fillers are of a drifted sampler, beside three controls.

    `all alike`: whatever moves the suspect's scores moves those of the controls as far. `few answers`: a share of the
    deliveries stands out to everybody. `twice as far`: the suspect is moved twice as far as the controls are.
    """
    print("| fillers | line-ups | tables | p <= .05 | drift-robust p <= .05 | p <= .05, drift below the effect |")
    print("|---|---|---|---|---|---|")
    runs, number = asked.tables * 4, 0
    for bags in (100, 400):
        for kind, shifts in (
            ("all alike", (0.0, 0.05, 0.1, 0.2)),
            ("few answers", (0.05, 0.15)),
            ("twice as far", (0.1, 0.2)),
        ):
            for shift in shifts:
                number += 1
                rng, counts = np.random.default_rng([10, number]), np.zeros(3)
                for _ in range(runs):
                    counts += _drifted(rng, kind, shift, bags)
                shares = " | ".join(f"{count / runs:.4f}" for count in counts)
                print(f"| {kind}, {shift:g} | {bags} | {runs:,} | {shares} |", flush=True)


def _drifted(rng: np.random.Generator, kind: str, shift: float, bags: int) -> tuple[bool, bool, bool]:
    shared = rng.normal(size=(bags, WIDTH))
    if kind == "few answers":
        shared[rng.random(bags) < shift, 0] += 6
    elif kind == "all alike":
        shared[:, 0] += shift
    tables = [np.sqrt(0.7) * shared + np.sqrt(0.3) * rng.normal(size=shared.shape) for _ in range(4)]
    if kind == "twice as far":
        for place, table in enumerate(tables):
            table[:, 0] += shift / (1 if place == 0 else 2)
    own, *controls = [opened(table, _first(table)) for table in tables]
    levels = np.mean([one.levels for one in controls], axis=0)
    drift = min(0.499, bound(levels))
    found = rank_sum(own)
    low = found.log10_p <= np.log10(0.05)
    return low, log10_p_at_drift(own, drift) <= np.log10(0.05), low and drift < found.level - 0.5


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "keys": keys,
    "nulls": nulls,
    "peers": peers,
    "groups": groups,
    "drifted": drifted,
}

if __name__ == "__main__":
    main()
