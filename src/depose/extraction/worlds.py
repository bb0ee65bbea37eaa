"""Simulated logs of known truth: ordinary accounts, look-alikes that are no campaign, and a campaign if one is planted.

Ordinary accounts have heavy-tailed volumes (Pareto 1.1), hours and weekends of their own, and prompts drawn with
replacement from a pool, some of it popular. Look-alikes ("hard negatives") share prompts for good reasons. Nothing here
is taken from anybody's log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
from msgspec import Meta
from numpy.typing import NDArray

from depose.extraction.masking import CLASSES
from depose.model import Record

Ints = NDArray[np.int64]
LookAlike = Literal["resellers", "evaluations", "classes", "frameworks", "benchmarks", "launches", "topics"]
LOOK_ALIKES: dict[LookAlike, str] = {
    "resellers": "accounts of many end users each, with ten times the volume",
    "evaluations": "firms of four undeclared accounts that run one set of 300 prompts, in the clean period too",
    "classes": "courses of 30 students with private accounts and weekly homework, in the clean period too",
    "frameworks": "a quarter of the accounts send prompts of one framework, 25 of them",
    "benchmarks": "accounts that run one benchmark of 400 prompts, which no list of public prompts names",
    "launches": "accounts that run another such benchmark on the new model, on its day and the next",
    "topics": "every account draws most of its prompts from two of 40 fields",
}
START = np.datetime64("2026-03-01")
LAUNCH = (1 << 44) + 1_000
"""First of the prompts that are asked of a new model on its day."""
SPREAD = np.uint64(0x9E3779B97F4A7C15)


class Campaign(Record, frozen=True, kw_only=True):
    """What is planted in the tested period."""

    accounts: Annotated[int, Meta(ge=2, le=100_000)] = 100
    """Accounts that collect."""
    per_day: Annotated[float, Meta(gt=0, le=1_000)] = 26.0
    """Requests of each a day."""
    templates: Annotated[int, Meta(ge=0, le=1_000_000)] = 200
    """Templates that the prompts come from; 0 is a data set of prompts, each asked once by somebody."""
    cover: Annotated[float, Meta(ge=0, lt=1)] = 0.8
    """Share of their traffic that is ordinary."""
    timing: Literal["sync", "jitter", "human"] = "human"
    """Bursts that all keep to, the same an hour early or late, or hours as everybody's."""
    paraphrased: bool = False
    """Whether each prompt is put into other words, so that no template comes twice."""
    even: bool = False
    """Whether the load of each day is dealt out, to everybody alike."""
    shared: bool = True
    """Whether ten each share a card and a network."""
    pivot: bool = True
    """Whether all move to the new model on its day."""


class Recipe(Record, frozen=True, kw_only=True):
    """A world."""

    accounts: Annotated[int, Meta(ge=20, le=1_000_000)] = 600
    """Ordinary accounts and look-alikes together."""
    clean: Annotated[int, Meta(ge=0, le=366)] = 28
    """Days before the tested period."""
    days: Annotated[int, Meta(ge=7, le=366)] = 28
    """Days of the tested period."""
    look_alikes: tuple[LookAlike, ...] = ()
    """Who shares prompts without a campaign."""
    campaign: Campaign | None = None
    """What is planted, if anything."""
    volume: Annotated[float, Meta(gt=0, le=1_000)] = 8.0
    """Requests of the smallest accounts in the whole time; a mean account has about six times as many."""
    pool: Annotated[int, Meta(ge=1, le=10_000)] = 60
    """Prompts in the pool for each account."""


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The events of a world, and who was planted."""

    events: pa.Table
    prompts: Ints
    """Number of the prompt of each event; below 2**40 those of the pool, above it those of look-alikes and campaign."""
    planted: NDArray[np.uint64]
    release: np.datetime64
    alike: tuple[NDArray[np.uint64], ...]
    """Sets of accounts that share prompts of their own for good reasons: a firm, a course, customers, a benchmark."""


def span(recipe: Recipe) -> tuple[tuple[str, str] | None, tuple[str, str]]:
    """Return the clean and the tested period, first and last day."""
    clean = (str(START), str(START + recipe.clean - 1)) if recipe.clean else None
    return clean, (str(START + recipe.clean), str(START + recipe.clean + recipe.days - 1))


def build(recipe: Recipe, rng: np.random.Generator) -> World:
    """Make a world."""
    made = _Maker(recipe, rng)
    return made.world()


class _Maker:
    """Blocks of events, put together at the end."""

    def __init__(self, recipe: Recipe, rng: np.random.Generator) -> None:
        self._recipe, self._rng = recipe, rng
        self._whole = recipe.clean + recipe.days
        planted = recipe.campaign.accounts if recipe.campaign else 0
        self._count = recipe.accounts + planted
        self._ids = np.unique(rng.integers(1, 2**63, size=self._count + 64, dtype=np.uint64))[: self._count]
        rng.shuffle(self._ids)
        self._centre = rng.normal(14, 3, size=self._count)
        self._weekend = rng.random(self._count) < 0.35
        self._pool = max(recipe.pool * recipe.accounts, 2_000)
        self._blocks: list[tuple[Ints, Ints, Ints]] = []
        self._alike: list[Ints] = []
        self._payment = np.arange(self._count)
        self._network = np.arange(self._count)
        behind = rng.random(self._count) < 0.08  # one network of a campus or a carrier for about 30 accounts
        self._network[behind] = -1 - rng.integers(0, max(1, int(behind.sum()) // 30), size=int(behind.sum()))

    def world(self) -> World:
        """Put everything together."""
        recipe, rng = self._recipe, self._rng
        self._ordinary()
        for name in recipe.look_alikes:
            getattr(self, f"_{name}")()
        if recipe.campaign is not None:
            self._campaign(recipe.campaign)
        who, minute, prompt = (np.concatenate(parts) for parts in zip(*self._blocks, strict=True))
        order = np.lexsort((prompt, who, minute))
        who, minute, prompt = who[order], minute[order], prompt[order]
        second = np.sort(rng.integers(0, 60_000_000, size=len(who)))
        ts = START.astype("datetime64[us]") + minute * 60_000_000 + second
        release = START + recipe.clean + recipe.days // 2
        return World(
            events=self._table(who, ts, prompt, release),
            prompts=prompt,
            planted=self._ids[recipe.accounts :],
            release=release,
            alike=tuple(self._ids[one] for one in self._alike),
        )

    def _times(self, who: Ints, first: int, last: int) -> Ints:
        """Draw minutes from the start, at the hours of each account, between two days."""
        rng = self._rng
        day = rng.integers(first, last, size=len(who))
        weekday = (day + 6) % 7  # the first of March 2026 is a Sunday
        off = (weekday >= 5) & ~self._weekend[who]
        day = np.where(off, np.clip(day - weekday + rng.integers(0, 5, size=len(who)), first, last - 1), day)
        hour = np.clip(rng.normal(self._centre[who], 2.5), 0, 23.98)
        return np.asarray(day * 1440 + (hour * 60).astype(np.int64))

    def _add(self, who: Ints, prompt: Ints, first: int = 0, last: int = 0) -> None:
        self._blocks.append((who, self._times(who, first, last or self._whole), prompt))

    def _common(self, count: int) -> Ints:
        """Draw prompts of the pool: a third from its popular head."""
        rng = self._rng
        head = (rng.pareto(0.8, size=count) * 20).astype(np.int64) % self._pool
        return np.where(rng.random(count) < 0.33, head, rng.integers(0, self._pool, size=count))

    def _ordinary(self) -> None:
        recipe, rng = self._recipe, self._rng
        volume = np.minimum((rng.pareto(1.1, size=recipe.accounts) + 1) * recipe.volume, 60 * recipe.volume)
        who = np.repeat(np.arange(recipe.accounts), volume.astype(np.int64))
        self._add(who, self._common(len(who)))

    def _some(self, count: int) -> Ints:
        return self._rng.choice(self._recipe.accounts, size=min(count, self._recipe.accounts), replace=False)

    def _resellers(self) -> None:
        some = self._some(max(2, self._recipe.accounts // 50))
        who = np.repeat(some, int(self._recipe.volume * 60))
        self._add(who, self._common(len(who)))

    def _evaluations(self) -> None:
        for firm in range(max(1, self._recipe.accounts // 200)):
            self._alike.append(self._some(4))
            for one in self._alike[-1]:
                prompts = self._rng.choice(300, size=200, replace=False) + (1 << 41) + 1_000 * firm
                who = np.full(len(prompts), one)
                self._add(who, prompts, 0, max(self._recipe.clean, 7))
                self._add(who, prompts, self._recipe.clean)

    def _classes(self) -> None:
        for course in range(max(1, self._recipe.accounts // 200)):
            students = self._some(30)
            self._alike.append(students)
            for week in range(self._whole // 7):
                tasks = self._rng.integers(0, 6, size=(len(students), 4)) + (1 << 42) + 10_000 * course + 10 * week
                self._add(np.repeat(students, 4), tasks.ravel(), 7 * week, 7 * week + 7)

    def _frameworks(self) -> None:
        self._alike.append(self._some(self._recipe.accounts // 4))
        who = np.repeat(self._alike[-1], 12)
        self._add(who, self._rng.integers(0, 25, size=len(who)) + (1 << 43))

    def _benchmarks(self) -> None:
        self._alike.append(self._some(max(3, self._recipe.accounts // 100)))
        for one in self._alike[-1]:
            prompts = self._rng.choice(400, size=120, replace=False) + (1 << 44)
            first = int(self._rng.integers(0, self._whole - 5))
            self._add(np.full(len(prompts), one), prompts, first, first + 5)

    def _launches(self) -> None:
        self._alike.append(self._some(max(3, self._recipe.accounts // 100)))
        day = self._recipe.clean + self._recipe.days // 2
        for one in self._alike[-1]:
            prompts = self._rng.choice(400, size=120, replace=False) + LAUNCH
            self._add(np.full(len(prompts), one), prompts, day, day + 2)

    def _topics(self) -> None:
        who, minute, prompt = self._blocks[0]
        fields = self._rng.integers(0, 40, size=(self._count, 2))
        inside = self._rng.random(len(who)) < 0.6
        field = fields[who, self._rng.integers(0, 2, size=len(who))]
        size = max(self._pool // 80, 20)
        within = field * size + self._rng.integers(0, size, size=len(who))
        self._blocks[0] = (who, minute, np.where(inside, within, prompt))

    def _campaign(self, planted: Campaign) -> None:
        recipe, rng = self._recipe, self._rng
        first = recipe.accounts
        volume = rng.poisson(planted.per_day * recipe.days * 5 / 7, size=planted.accounts)
        who = np.repeat(np.arange(first, first + planted.accounts), volume)
        cover = rng.random(len(who)) < planted.cover
        # Without templates a data set is dealt out, each prompt once.
        prompt = rng.integers(0, planted.templates, size=len(who)) if planted.templates else rng.permutation(len(who))
        if planted.paraphrased:
            prompt = (1 << 20) + np.arange(len(who))
        prompt = np.where(cover, self._common(len(who)), prompt + (1 << 45))
        minute = self._times(who, recipe.clean, self._whole)
        if planted.even:  # the day of each request by turns, so that each day all ask alike
            turn = np.concatenate([np.arange(count) for count in volume])
            workdays = np.array([one for one in range(recipe.clean, self._whole) if (one + 6) % 7 < 5])
            minute = workdays[turn % len(workdays)] * 1440 + minute % 1440
        if planted.timing != "human":
            bursts = np.sort(rng.integers(0, 1440 // 10, size=(self._whole, 12)), axis=1)
            day = minute // 1440
            minute = day * 1440 + bursts[day, rng.integers(0, 12, size=len(who))] * 10 + rng.integers(0, 10, len(who))
            if planted.timing == "jitter":
                minute = np.clip(minute + rng.integers(-60, 61, len(who)), recipe.clean * 1440, self._whole * 1440 - 1)
        self._blocks.append((who, minute, prompt))
        if planted.shared:
            self._payment[first:] = first + (np.arange(planted.accounts) // 10) * 10
            self._network[first:] = first + (np.arange(planted.accounts) % max(1, planted.accounts // 10))

    def _table(self, who: Ints, ts: NDArray[np.datetime64], prompt: Ints, release: np.datetime64) -> pa.Table:
        rng, planted = self._rng, self._recipe.campaign
        mine = who >= self._recipe.accounts
        asked = mine & (prompt >= 1 << 45)
        chance = 1 - np.exp(-np.maximum((ts - release.astype("datetime64[us]")) / np.timedelta64(1, "D"), 0) / 20)
        new = (rng.random(len(who)) < chance) | (prompt >= LAUNCH) & (prompt < LAUNCH + 400)
        if planted is not None and planted.pivot:
            new = np.where(mine, ts >= release, new)
        bits = np.where(prompt % 11 == 0, 1 << list(CLASSES).index("coding"), 0)
        bits = np.where(asked, (1 << 0) | (1 << 1), bits).astype(np.int32)
        count = len(who)

        def named(kind: int, value: NDArray[np.int64]) -> NDArray[np.uint64]:
            spread = (value.astype(np.uint64) + np.uint64(1) + np.uint64(kind << 50)) * SPREAD
            return spread ^ (spread >> np.uint64(29))

        return pa.table(
            {
                "event": named(1, np.arange(count)),
                "ts": pa.array(ts.astype("datetime64[us]")),
                "account": self._ids[who],
                "org": pa.nulls(count, pa.uint64()),
                "template": named(2, prompt),
                "prompt": named(3, prompt * 64 + rng.integers(0, 8, size=count)),
                "system": pa.nulls(count, pa.uint64()),
                "max_tokens": np.full(count, 1024),
                "choices": np.ones(count, dtype=np.int32),
                "logprobs": np.zeros(count, dtype=bool),
                "in_tok": rng.integers(10, 400, size=count),
                "out_tok": np.minimum(rng.gamma(2.0, 150 + 250 * asked).astype(np.int64) + 1, 1024),
                "status": pa.array(np.where(rng.random(count) < 0.01, "error", "ok")),
                "ip": named(4, self._network[who] * 300 + who % 7),
                "ip24": named(5, self._network[who]),
                "agent": named(6, who % 40),
                "tls": pa.nulls(count, pa.uint64()),
                "payment": named(7, self._payment[who]),
                "tier": pa.array(np.where(mine | (who % 3 == 0), "education", "standard")),
                "country": pa.array(np.where(who % 2 == 0, "DE", "US")),
                "model_served": pa.array(np.where(new, "model-2", "model-1")),
                "classes": bits,
                "turns": rng.integers(1, 4, size=count, dtype=np.int32),
                "requests": np.ones(count, dtype=np.int64),
            }
        )
