"""How a suspect goes on from the beginnings of the members: cut, named, asked, scored, exact under chance."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kstest

import line_ups
from depose import pipeline
from depose.errors import EndpointError, EvidenceError
from depose.evidence import ledger
from depose.evidence.log import read_blob
from depose.features.words import words
from depose.lineup import acts
from depose.lineup.continuation import beginnings, continuing, own_words, parted, went_on
from depose.lineup.rank_test import opened, rank_sum
from depose.lineup.reading import lineup_findings
from depose.lineup.scorers import score_model
from depose.model.lineup import Bag, Context, Turn
from faults import Server

COUNT = line_ups.COUNT
LATER = line_ups.clock_after(Path())


def bag(name: str, asked: str, *members: str) -> Bag:
    """Make a bag of one prompt."""
    return Bag(bag=name, context=Context(messages=(Turn(role="user", content=asked),)), members=members)


@pytest.mark.parametrize(
    ("member", "beginning", "rest"),
    [
        ("one two three four five", "one two three", " four five"),
        ("indivisibility and more", "indivisibility", " and more"),
        ("  leads with blanks here", "  leads with", " blanks here"),
        ("日本語の文章です。", "日本語", "の文章です。"),
        ("xxxe\u0301\u0301yyyyzz", "xxxe\u0301\u0301", "yyyyzz"),
        ("short", "", "short"),
        ("        end", "", "    end"),
        ("", "", ""),
    ],
)
def test_a_member_is_cut_after_its_first_third(member: str, beginning: str, rest: str) -> None:
    """At the end of a word, or of a character where none ends near; nothing is asked of what is short or blank."""
    assert parted(member) == (beginning, rest)


def test_a_beginning_is_named_by_bag_and_place() -> None:
    """Members that have no beginning have no question."""
    one = bag("b0", "?", "one two three four five", "no", "six seven eight nine ten")
    assert beginnings(one) == {"b0.0": "one two three", "b0.2": "six seven"}


def test_what_was_written_is_taken_over_as_many_words_as_the_rest() -> None:
    """A beginning that a server gives back is none of what was written."""
    assert went_on("one two three four five six", "one two", " a b") == " three four"
    assert went_on(" three four", "one two", " a b c") == " three four"
    assert went_on("", "one two", " a b") == ""
    assert went_on(" three", "one two", "...") == " three"


def drawn(
    rng: np.random.Generator, bags: int, learnt: float
) -> tuple[list[Bag], dict[str, list[str]], NDArray[np.bool_]]:
    """Draw bags of four answers; a suspect goes on from the delivered one by its own words with this chance each."""
    made, said, key = [], {}, np.zeros((bags, 4), dtype=bool)
    key[np.arange(bags), rng.integers(4, size=bags)] = True
    for row in range(bags):
        members = [" ".join(rng.choice(line_ups.WORDS, size=12)) for _ in range(4)]
        made.append(bag(f"b{row}", "Say twelve words.", *members))
        for place, member in enumerate(members):
            rest = words(parted(member)[1])
            knows = learnt * key[row, place]
            said[f"b{row}.{place}"] = [
                " ".join(one if rng.random() < knows else rng.choice(line_ups.WORDS) for one in rest)
            ]
    return made, said, key


@pytest.mark.slow
def test_p_is_uniform_for_a_suspect_that_learnt_nothing() -> None:
    """Whoever goes on alike from all members gives uniform p over 60 line-ups."""
    found = []
    for seed in range(60):
        made, said, key = drawn(np.random.default_rng(seed), 25, 0.0)
        found.append(10 ** rank_sum(opened(np.array(continuing()(made, said)), key)).log10_p)
    assert kstest(found, "uniform").pvalue > 0.01


def test_a_suspect_that_goes_on_as_delivered_is_found() -> None:
    """One word in four of the rest is enough at 150 prompts, p below a millionth."""
    made, said, key = drawn(np.random.default_rng(2), 150, 0.25)
    assert rank_sum(opened(np.array(continuing()(made, said)), key)).log10_p < -6


def test_order_changes_nothing() -> None:
    """Bags and members in another order have the same scores."""
    made, said, _ = drawn(np.random.default_rng(3), 10, 0.5)
    turned = [bag(one.bag, "Say twelve words.", *one.members[::-1]) for one in made[::-1]]
    moved = {f"{one.bag}.{3 - place}": said[f"{one.bag}.{place}"] for one in made for place in range(4)}
    for row, other in zip(continuing()(made, said), continuing()(turned, moved)[::-1], strict=True):
        assert row == pytest.approx(other[::-1])


def test_bags_of_which_nothing_was_asked_are_level() -> None:
    """Members too short to be cut, and a suspect that wrote nothing, tell nothing."""
    found = continuing()([bag("b0", "?", "yes", "no"), bag("b1", "?", "one two three", "four five six")], {})
    assert [len(set(row)) for row in found] == [1, 1]


def test_exhibits_show_how_the_suspect_went_on() -> None:
    """Each beginning, and what was written; members of which nothing was asked are left out."""
    one = bag("b0", "?", "one two three four five", "no", "six seven eight nine ten")
    said = {"b0.0": ["one two three trees", "x"], "b0.2": [" ate"]}
    assert own_words(one, said, one.members[::-1]) == (
        "six seven [the suspect:] ate",
        "one two three [the suspect:] trees",
    )
    assert own_words(one, {"b0": ["own"]}, one.members) == ("own",)


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[bytes]]:
    """Take a case whose suspect is behind a server through to its findings; return what the server saw."""
    with Server(continues=True) as server, pytest.MonkeyPatch.context() as patch:
        root = tmp_path_factory.mktemp("continuation")
        folder, key = line_ups.built(root, server, patch, statistic="continuation")
        score_model(folder, "S1", LATER, lambda done, total: None)
        seen = [one.body for one in server.seen]
    acts.seal_scores(folder, LATER)
    acts.open_key(folder, key, LATER)
    return folder, seen


def test_the_suspect_goes_on_from_every_member(scored: tuple[Path, list[bytes]]) -> None:
    """Each beginning is asked as often as registered, as what the model has said so far; the table is by it."""
    folder, seen = scored
    entries = ledger.entries(folder)
    assert entries.lineup is not None
    bags = [json.loads(line) for line in read_blob(folder, entries.lineup.built.bags).splitlines()]
    assert len(seen) == 2 * sum(len(one["members"]) for one in bags)
    bodies = [json.loads(one) for one in seen]
    assert all(one["continue_final_message"] and not one["add_generation_prompt"] for one in bodies)
    asked = {one["messages"][-1]["content"] for one in bodies if one["messages"][-1]["role"] == "assistant"}
    assert asked == {parted(member)[0] for one in bags for member in one["members"]}
    findings, _ = pipeline.analyze_case(folder, lambda line: None, LATER)
    (one,) = acts.line_up_of(findings).findings
    assert (one.statistic, one.bags) == ("continuation", COUNT)
    assert all("[the suspect:]" in exhibit.own[0] for exhibit in one.exhibits)


def test_a_server_that_takes_no_beginning_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its refusal is shown, and what else the case may register."""
    with Server() as server:
        folder, _ = line_ups.built(tmp_path, server, monkeypatch, statistic="continuation")
        with pytest.raises(EndpointError, match="unknown field add_generation_prompt") as caught:
            score_model(folder, "S1", LATER, lambda done, total: None)
    assert caught.value.hint is not None
    assert 'statistic = "text"' in caught.value.hint


def test_a_table_follows_from_what_was_written(scored: tuple[Path, list[bytes]]) -> None:
    """A suspect that is said to have gone on as the member does gives other scores, and the table is refused."""
    folder, _ = scored
    entries = ledger.entries(folder)
    assert entries.lineup is not None
    lineup_findings(entries, lambda name: read_blob(folder, name), str(folder))
    first, *others = entries.lineup.answers
    name, _, place = first.prompt.partition(".")
    bags = [json.loads(line) for line in read_blob(folder, entries.lineup.built.bags).splitlines()]
    member = next(one["members"][int(place)] for one in bags if one["bag"] == name)
    changed = (msgspec.structs.replace(first, text=parted(member)[1]), *others)
    entries = msgspec.structs.replace(entries, lineup=msgspec.structs.replace(entries.lineup, answers=changed))
    with pytest.raises(EvidenceError, match="the table of S1 does not follow from its answers"):
        lineup_findings(entries, lambda name: read_blob(folder, name), str(folder))
