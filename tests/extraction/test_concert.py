"""What ties a group is asked in the units of the primary test, and prompts in common alone are no concert."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
import pytest

from depose.extraction import concert, plan, queries, scan, tables, worlds
from depose.model import CaseHead
from depose.model.random_streams import stream


@dataclass(frozen=True)
class Looked:
    """A world, its case and its tables, with its slots."""

    world: worlds.World
    case: plan.ExtractionFile
    made: tables.Tables
    slots: Any

    def scanned(self) -> scan.Scanned:
        """All tests of it."""
        return scan.Scan(self.case, self.made, lambda _: self.slots, 1, lambda _: None).run()


def changed(world: worlds.World, accounts: Any, column: str, values: Any, other: Any = None) -> worlds.World:
    """Return a world in which some accounts have these values in a column, and the others what they had or another."""
    events = world.events
    mine = np.isin(events["account"].to_numpy(), accounts)
    kept = events[column].to_numpy() if other is None else np.array([other])
    place = events.column_names.index(column)
    return dataclasses.replace(world, events=events.set_column(place, column, [np.where(mine, values, kept)]))


def look(recipe: worlds.Recipe, seed: int, change: Callable[[worlds.World], worlds.World] = lambda one: one) -> Looked:
    """Build a world, change it, and make its tables."""
    world = change(worlds.build(recipe, stream(seed, "world")))
    clean, tested = worlds.span(recipe)
    case = plan.ExtractionFile(
        case=CaseHead(title="world", authority="simulated"),
        period=plan.Period(tested=tested, clean=clean),
        strata=plan.Strata(by=("volume",), fewest=99),
        tests=plan.Tests(swaps=99, draws=99, rounds=2),
        releases=(plan.Release(model="model-2", at=str(world.release)),),
    )
    with duckdb.connect(config={"threads": "1"}) as db:
        db.register("events", world.events)
        tables.declare(db, case, ())
        made = tables.make(db, case)
        return Looked(world, case, made, tables.slots(db, case, made.by_name["accounts"]["account"].to_numpy())[0])


@pytest.mark.slow
def test_a_class_that_is_one_node_does_not_act_in_concert_with_itself() -> None:
    """Thirty students of a standing community tie nothing: every p is 1. Taken one by one they would be a group."""
    seen = look(worlds.Recipe(accounts=120, clean=14, days=14, look_alikes=("classes",), volume=4.0), 3)
    ids = seen.made.by_name["accounts"]["account"].to_numpy()
    places = np.flatnonzero(np.isin(ids, seen.world.alike[0]))
    together = {int(one): int(ids[places].min()) for one in ids[places]}
    one = concert.Context(seen.case, seen.made, seen.slots, together).layers(places, "G1")
    assert {layer.p for layer in one} == {1.0}
    each = concert.Context(seen.case, seen.made, seen.slots, {}).layers(places, "G1")
    assert min(layer.p for layer in each) < 1


@pytest.mark.slow
def test_prompts_in_common_are_no_indication_and_bursts_or_cards_are() -> None:
    """Accounts that share a source and nothing else are a lead; with one clock, or cards in common, they are more."""
    base = worlds.Campaign(accounts=20, per_day=5, templates=100, cover=0.5, shared=False)
    found = {}
    for name, campaign in (
        ("prompts", base),
        ("bursts", msgspec.structs.replace(base, timing="sync")),
        ("cards", msgspec.structs.replace(base, shared=True)),
    ):
        done = look(worlds.Recipe(accounts=300, clean=14, days=14, volume=4.0, campaign=campaign), 5).scanned()
        found[name] = (done.opinion.verdict, done.groups[0].tied_by)
    assert found["prompts"] == ("shared prompts, concert not shown", ())
    assert found["bursts"][0] == "indication"
    assert "synchrony" in found["bursts"][1]
    assert found["cards"][0] == "indication"
    assert "infrastructure" in found["cards"][1]


@pytest.mark.slow
def test_one_client_is_no_concert() -> None:
    """Who takes a framework takes its prompts and its client: both together are a lead, and no indication."""
    base = worlds.Campaign(accounts=20, per_day=5, templates=100, cover=0.5, shared=False)
    recipe = worlds.Recipe(accounts=300, clean=14, days=14, volume=4.0, campaign=base)
    done = look(recipe, 5, lambda world: changed(world, world.planted, "agent", np.uint64(7))).scanned()
    assert {one.name: one.p for one in done.groups[0].layers}["clients"] == 0.01
    assert done.opinion.verdict == "shared prompts, concert not shown"


@pytest.mark.slow
def test_the_carriers_of_a_country_are_no_concert() -> None:
    """Accounts of one country share its networks with all others there: E6 compares with accounts of that country."""
    base = worlds.Campaign(accounts=20, per_day=5, templates=100, cover=0.5, shared=False)
    recipe = worlds.Recipe(accounts=300, clean=14, days=14, volume=4.0, campaign=base)

    def carriers(world: worlds.World) -> worlds.World:
        accounts = world.events["account"].to_numpy()
        inside = np.union1d(world.planted, np.setdiff1d(np.unique(accounts), world.planted)[:40])
        return changed(world, inside, "ip24", accounts % np.uint64(4))

    def told(world: worlds.World) -> worlds.World:
        behind = np.unique(world.events["account"].to_numpy()[carriers(world).events["ip24"].to_numpy() < 4])
        return changed(carriers(world), behind, "country", "PT", "DE")

    def untold(world: worlds.World) -> worlds.World:
        events = carriers(world).events
        place = events.column_names.index("country")
        nowhere = pa.nulls(events.num_rows, pa.string())
        return dataclasses.replace(world, events=events.set_column(place, "country", nowhere))

    without = look(recipe, 5, carriers).scanned()  # whoever takes a table's word for another country
    assert without.groups[0].tied_by == ()
    unsaid = look(recipe, 5, untold).scanned()
    assert {one.name: one.p for one in unsaid.groups[0].layers}["networks"] == 0.01
    assert unsaid.opinion.verdict == "shared prompts, concert not shown"
    done = look(recipe, 5, told).scanned()
    assert {one.name: one.p for one in done.groups[0].layers}["infrastructure"] > 0.05
    assert done.opinion.verdict == "shared prompts, concert not shown"


@pytest.mark.slow
@pytest.mark.parametrize(("others", "tied"), [(30, ()), (5, ("infrastructure",))])
def test_a_network_that_others_have_too_is_no_concert(others: int, tied: tuple[str, ...]) -> None:
    """Bots of one starter on one host share prompts and its networks, which more other customers of the host have."""
    base = worlds.Campaign(accounts=20, per_day=5, templates=100, cover=0.5, shared=False)
    recipe = worlds.Recipe(accounts=300, clean=14, days=14, volume=4.0, campaign=base)

    def host(world: worlds.World) -> worlds.World:
        accounts = world.events["account"].to_numpy()
        behind = np.union1d(world.planted, np.setdiff1d(np.unique(accounts), world.planted)[:others])
        return changed(world, behind, "ip24", accounts % np.uint64(3))

    done = look(recipe, 5, host).scanned()
    assert len(done.groups[0].accounts) >= 15
    assert done.groups[0].tied_by == tied


@pytest.mark.parametrize(("said", "layer"), [(None, "networks"), ("LI", "networks"), ("PT", "infrastructure"),
                                             ("abroad", "networks"), ("unlisted", "networks")])  # fmt: skip
def test_a_network_ties_only_accounts_whose_country_is_known(said: str | None, layer: str) -> None:
    """A country of fewer accounts than may be shown stands among others of the kind, and may have one carrier.

    Nor does a network tie whom it finds abroad, nor one that is in no table: it may be a carrier's, too.
    """
    recipe = worlds.Recipe(accounts=120, clean=14, days=14, volume=4.0)

    def placed(world: worlds.World) -> worlds.World:
        events = world.events
        who, every = events["account"].to_numpy(), np.unique(events["account"].to_numpy())
        few = every[:8]
        of: dict[int, str | None] = dict.fromkeys(every.tolist(), said)
        if said == "LI":
            of = {int(one): ("LI", "MC", "SM")[place // 8] for place, one in enumerate(every[:24])}
        if said == "PT":
            of = dict.fromkeys(every[:40].tolist(), said)
        country = [of.get(int(one), "DE") for one in who]
        away = np.zeros(len(who), dtype=bool)
        if said in ("abroad", "unlisted"):
            away = np.isin(who, few) & (np.arange(len(who)) % 3 == 0)
            country = [("PT" if said == "abroad" else None) if one else "DE" for one in away]
        events = events.set_column(events.column_names.index("country"), "country", pa.array(country, pa.string()))
        world = dataclasses.replace(world, events=events)
        if away.any():
            return changed(world, every, "ip24", np.where(away, np.uint64(7), who))
        return changed(changed(world, every, "ip24", who), few, "ip24", np.uint64(7))

    seen = look(recipe, 4, placed)
    ids = seen.made.by_name["accounts"]["account"].to_numpy()
    tests = concert.Context(seen.case, seen.made, seen.slots, {}).layers(np.arange(8), "G1")
    assert len(ids) >= 100
    p = {one.name: one.p for one in tests if one.name in ("networks", "infrastructure") and one.p < 0.05}
    assert set(p) == {layer}


def test_a_prompt_that_two_ask_within_an_hour_counts_for_no_slot() -> None:
    """News and tasks reach many at once, with the same words; other words, other hours and no words count."""
    at = {"10:03": (1, 7), "10:09": (2, 7), "10:41": (1, 8), "10:44": (2, 9), "12:01": (3, 7), "12:02": (3, 7)}
    rows: list[tuple[int, str, int | None]] = [
        (account, f"2026-05-01 {hour}:00", template) for hour, (account, template) in at.items()
    ]
    rows += [(4, "2026-05-01 10:05:00", None), (5, "2026-05-01 10:06:00", None)]
    with duckdb.connect() as db:
        db.execute("CREATE TABLE events (account UBIGINT, ts TIMESTAMP, template UBIGINT)")
        db.executemany("INSERT INTO events VALUES (?, ?, ?)", rows)
        db.execute("CREATE TABLE chosen AS SELECT DISTINCT account FROM events")
        found = db.execute(queries.slots("2026-05-01", "2026-05-02", 10, 60)).fetchall()
    assert found == [(1, 64), (2, 64), (3, 72), (4, 60), (5, 60)]


@pytest.mark.parametrize(("mostly", "country"), [("PT", "PT"), (None, None)])
def test_an_account_is_of_the_country_of_most_of_its_requests(mostly: str | None, country: str | None) -> None:
    """One request from elsewhere moves nobody, whatever stands first in the alphabet."""

    def travelled(world: worlds.World) -> worlds.World:
        events = world.events.sort_by([("account", "ascending"), ("ts", "ascending")])
        who = events["account"].to_numpy()
        _, last = np.unique(who[::-1], return_index=True)
        said = [mostly] * len(who)
        for place in len(who) - 1 - last:
            said[place] = "DE"
        place = events.column_names.index("country")
        return dataclasses.replace(world, events=events.set_column(place, "country", pa.array(said, pa.string())))

    accounts = look(worlds.Recipe(accounts=60, clean=7, days=14, volume=4.0), 4, travelled).made.by_name["accounts"]
    requests = accounts["requests"].to_pylist()
    busy = [one for one, count in zip(accounts["country"].to_pylist(), requests, strict=True) if count > 2]
    assert len(busy) > 40
    assert set(busy) == {country}
