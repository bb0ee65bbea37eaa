"""What ties a group is asked in the units of the primary test, and prompts in common alone are no concert."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
import msgspec
import numpy as np
import pytest

from depose.extraction import concert, plan, scan, tables, worlds
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


def look(recipe: worlds.Recipe, seed: int) -> Looked:
    """Build a world and make its tables."""
    world = worlds.build(recipe, stream(seed, "world"))
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
def test_a_few_templates_of_many_accounts_are_not_common_property_when_they_are_new() -> None:
    """What forty of 340 ask and nobody asked before counts; where nothing is known of before, it is common."""
    planted = worlds.Campaign(accounts=40, per_day=5, templates=5, cover=0.5, shared=False)
    held = {}
    for clean in (14, 0):
        seen = look(worlds.Recipe(accounts=300, clean=clean, days=14, volume=4.0, campaign=planted), 8)
        held[clean] = int(seen.made.by_name["rare"]["nodes"].to_numpy().max())
    assert held[14] > 30
    assert held[0] <= 0.05 * 340
