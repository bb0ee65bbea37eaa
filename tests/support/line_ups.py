"""Line-ups of known truth: files of deliveries and decoys, a case that registers them, tables of scores."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import msgspec
import numpy as np
import pytest

from depose.lineup import acts
from depose.lineup.bags import Built, build
from depose.lineup.coin import Coin, Thrown
from depose.lineup.inputs import context_of
from depose.lineup.tables import read_bags, table_file
from depose.model import Fact
from depose.model.canonical import canonical, sha256
from depose.model.lineup import Decoy, Delivery, LineupPlan, ScoreTable, Turn
from depose.pipeline import register_case
from faults import Server

COIN = bytes(range(32))
"""Key of a coin."""
SALT = b"s" * 32
COUNT = 12
"""Bags of a case whose suspect is asked."""
WORDS = ["river", "stone", "lamp", "wheel", "garden", "paper", "silver", "winter", "north", "bread"]

CASE = """
[case]
title = "Acme Chat and the deliveries"
authority = "order of the court, 3 May 2026"

[protocol]
questions = ["exposed"]
seed = 7

[lineup]
accounts = ["A1", "A2"]
chosen_by = "from the logs alone, by the provider's analyst"
sampling = "all deliveries from 2026-03-01 to 2026-03-31"
matched = ["B1"]
fillers = 3
bags = 1000
tier = "randomised"
controls = ["C1"]
{more}

[lineup.limits]
required = []
{limits}

[[models]]
code = "S1"
role = "suspect"
provider = "recorded"

[[models]]
code = "R1"
role = "reference"
provider = "recorded"

[[models]]
code = "C1"
role = "control"
provider = "recorded"
"""


def clock() -> Callable[[], str]:
    """Return a clock that goes on by a second whenever it is asked."""
    seconds = iter(range(10**6))
    return lambda: f"2026-05-01T{(n := next(seconds)) // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.000000Z"


def answer(rng: np.random.Generator) -> str:
    """Make up an answer."""
    return " ".join(rng.choice(WORDS, size=8))


def one_prompt(text: str, system: str = "") -> tuple[Turn, ...]:
    """Return the messages of a single question, with a system prompt where there is one."""
    first = (Turn(role="system", content=system),) if system else ()
    return (*first, Turn(role="user", content=text))


def rows(
    count: int, fillers: int = 3, *, account: str = "A1", start: int = 0, **more: Any
) -> tuple[list[Any], list[Any]]:
    """Make deliveries and decoys of so many contexts; `more` is put into each delivery."""
    rng = np.random.default_rng(start + 1)
    delivered, decoys = [], []
    for n in range(start, start + count):
        messages = one_prompt(f"Question {n}?", "Be brief.")
        text = answer(rng)
        row = {
            "delivery_id": f"d{n}",
            "messages": [{"role": turn.role, "content": turn.content} for turn in messages],
            "text": text,
            "text_sha256": sha256(text.encode()),
            "account_code": account,
            "account_group": "matched" if account.startswith("B") else "accused",
            "delivered_at": f"2026-03-{n % 28 + 1:02}T12:00:00Z",
            "reference_snapshot": "r-1",
        } | more
        delivered.append(row)
        context = context_of(Delivery(delivery_id="", messages=messages, text=""))
        decoys += [
            {
                "decoy_id": f"d{n}-{place}",
                "context_sha256": context,
                "text": answer(rng),
                "tier": "randomised",
                "drawn_at": "2026-03-01T00:00:00Z",
                "reference_snapshot": "r-1",
            }
            for place in range(fillers)
        ]
    return delivered, decoys


def thrown(count: int, key: bytes = COIN, at: str = "2026-03-01T12:00:00Z", *, chained: bool = False) -> bytes:
    """Throw for so many requests of an account in question, and as many of one like it."""
    rng, made, coin = np.random.default_rng(5), [], Coin(key)
    for n in range(2 * count):
        draws = tuple(answer(rng) for _ in range(3))
        made.append(
            Thrown(
                request_id=f"r{n}",
                messages=one_prompt(f"Question {n}?", "Be brief."),
                draws=draws,
                chosen=Coin(key).choose(f"r{n}", 3),
                commitment=Coin(key).commitment,
                account_code="A1" if n % 2 else "B1",
                delivered_at=at,
                reference_snapshot="r-1",
            )
        )
    if chained:
        for place, one in enumerate(made):
            made[place] = coin.marked(one, str(made[place - 1].mark) if place else "")
    return b"".join(canonical(one) + b"\n" for one in made)


def written(folder: Path, name: str, found: list[Any]) -> Path:
    """Write rows as JSONL."""
    file = folder / name
    file.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    return file


def case(folder: Path, more: str = "", limits: str = "", text: str = CASE) -> Path:
    """Write a case into a new folder and register it."""
    folder.mkdir(parents=True)
    (folder / "case.toml").write_text(text.format(more=more, limits=limits), encoding="utf-8")
    return folder


def table(bags: bytes, model: str, learnt: dict[str, str], effect: float, seed: int = 3) -> bytes:
    """Score bags: noise that depends on the text alone, and `effect` more for the texts that a model learnt."""
    scores = [
        tuple(_noise(seed, model, bag.bag, text) + effect * (learnt.get(bag.bag) == text) for text in bag.members)
        for bag in read_bags(bags, "bags")
    ]
    facts = (Fact(name="weights sha256", value=sha256(model.encode())),)
    return table_file(
        ScoreTable(model=model, statistic="likelihood", bags=sha256(bags), facts=facts, scores=tuple(scores))
    )


def _noise(*what: object) -> float:
    """Draw a standard normal number that belongs to these names."""
    return float(np.random.default_rng(int(sha256(repr(what).encode())[:16], 16)).normal())


def learnt_of(delivered: list[Any]) -> dict[str, str]:
    """Return what was delivered in each bag."""
    return {
        context_of(Delivery(delivery_id="", messages=tuple(one_prompt(*_said(row))), text=""))[:20]: row["text"]
        for row in delivered
    }


def _said(row: Any) -> tuple[str, str]:
    return row["messages"][1]["content"], row["messages"][0]["content"]


@contextmanager
def one_salt() -> Iterator[None]:
    """Shuffle every line-up alike: under salts of their own a check fails by chance in one of some fifty."""
    with patch.object(acts, "secrets", SimpleNamespace(token_bytes=lambda count: bytes(range(count)))):
        yield


def scored(
    root: Path,
    *,
    count: int = 120,
    effect: float = 1.5,
    control: float = 0.0,
    more: str = "",
    limits: str = "",
    delivery: Any = None,
    decoy: Any = None,
    text: str = CASE,
) -> tuple[Path, Path]:
    """Take a case up to its scores: return its folder and the key; `delivery` and `decoy` change each row."""
    now = clock()
    folder = case(root / "case", more, limits, text)
    register_case(folder, now)
    delivered, decoys = rows(count)
    matched, beside = rows(count, account="B1", start=10_000)
    delivered, matched = ([row | (delivery or {}) for row in found] for found in (delivered, matched))
    decoys, beside = ([row | (decoy or {}) for row in found] for found in (decoys, beside))
    key = root / "key.json"
    files = written(root, "deliveries.jsonl", delivered + matched), written(root, "decoys.jsonl", decoys + beside)
    with one_salt():
        acts.build_bags(folder, *files, key, now, root / "bags.jsonl")
    acts.seal_key(folder, key, "Notary N.", now)
    bags = (root / "bags.jsonl").read_bytes()
    for code, size in (("S1", effect), ("R1", 0.0), ("C1", control)):
        acts.record_table(folder, code, table(bags, code, learnt_of(delivered), size), f"table of {code}", now)
    return folder, key


def opened(root: Path, **more: Any) -> Path:
    """Take a case up to its open key, and return its folder."""
    folder, key = scored(root, **more)
    acts.seal_scores(folder, clock_after(folder))
    acts.open_key(folder, key, clock_after(folder))
    return folder


def clock_after(folder: Path) -> Callable[[], str]:
    """Return a clock that is later than everything in a log."""
    return lambda: "2026-05-02T00:00:00.000000Z"


def built(
    root: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    more: str = "",
    statistic: str = "text",
    at: Callable[[], str] | None = None,
) -> tuple[Path, Path]:
    """Take a black-box case, whose suspect is behind a server, up to its sealed key."""
    later = clock_after(Path())
    monkeypatch.setenv("DEPOSE_TEST_KEY", "sk-test-0123456789abcdef")
    reach = f'provider = "openai"\nmodel = "s"\nbase_url = "{server.url}/v1"\napi_key_env = "DEPOSE_TEST_KEY"\n'
    text = CASE.replace(
        'role = "suspect"\nprovider = "recorded"\n', f'role = "suspect"\nallow_private = true\n{reach}'
    ).replace('controls = ["C1"]', "")
    folder = case(root / "case", more=f'statistic = "{statistic}"\nsamples = 2', text=text + more)
    register_case(folder, at or clock())
    delivered, decoys = rows(COUNT)
    key = root / "key.json"
    files = written(root, "d.jsonl", delivered), written(root, "f.jsonl", decoys)
    with one_salt():
        acts.build_bags(folder, *files, key, at or later)
    acts.seal_key(folder, key, "Notary N.", at or later)
    return folder, key


def plan(**more: Any) -> LineupPlan:
    """Register accounts A1 and A2, three fillers."""
    given: dict[str, Any] = {"fillers": 3, "tier": "randomised"} | more
    return LineupPlan(accounts=("A1", "A2"), chosen_by="logs", sampling="all", matched=("B1",), **given)


def of_rows(delivered: Sequence[Any], decoys: Sequence[Any], salt: bytes = SALT, **more: Any) -> Built:
    """Build bags of plain rows."""
    made = (msgspec.convert(list(delivered), list[Delivery]), msgspec.convert(list(decoys), list[Decoy]))
    return build(plan(**more), *made, 7, salt)


def tallied(found: Built) -> dict[str, int]:
    """Return the counts of a build by name."""
    return {one.name: int(one.value) for one in found.tally}
