"""A table made beside the weights: numbers and digests go out, no word of an answer; a stopped run goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import UnsetType

import line_ups
from depose.errors import CaseError, UsageError
from depose.lineup.bags import bags_file, build
from depose.lineup.elsewhere import make_table
from depose.lineup.score import PIECE, score_bags
from depose.lineup.scorer import Scores
from depose.lineup.tables import read_table
from depose.model import Fact
from depose.model.canonical import sha256
from depose.model.lineup import Bag, Decoy, Delivery
from depose.model.lineup_plan import LineupPlan


def bags_of(count: int) -> bytes:
    """Make a file of bags."""
    delivered, decoys = line_ups.rows(count)
    plan = LineupPlan(accounts=("A1",), chosen_by="x", sampling="x", fillers=3, tier="randomised")
    made = build(plan, msgspec.convert(delivered, list[Delivery]), msgspec.convert(decoys, list[Decoy]), 7, b"s" * 32)
    return bags_file(made.bags)


class Counting:
    """Scores members by their length, and is killed after so many bags."""

    def __init__(self, *, independent: bool = True, most: int = 10**9, name: str = "a") -> None:
        self.independent, self.most, self.name = independent, most, name
        self.seen: list[str] = []

    def facts(self) -> tuple[Fact, ...]:
        """Say which scorer it is."""
        return (Fact(name="name", value=self.name),)

    def score(self, bags: Sequence[Bag]) -> tuple[Scores, ...]:
        """Score by length."""
        self.seen += [one.bag for one in bags]
        if len(self.seen) > self.most:
            raise KeyboardInterrupt
        return tuple(tuple(float(len(text)) for text in one.members) for one in bags)


@pytest.mark.parametrize("independent", [True, False])
def test_a_stopped_run_goes_on(tmp_path: Path, independent: bool) -> None:
    """After a kill no piece that is on disk is scored again, and the table is that of one whole run."""
    data, kept = bags_of(PIECE * 2 + 5), tmp_path / "pieces"
    whole = score_bags(data, "S1", "likelihood", Counting(), tmp_path / "other", lambda done, total: None)
    first = Counting(independent=independent, most=PIECE)
    with pytest.raises(KeyboardInterrupt):
        score_bags(data, "S1", "likelihood", first, kept, lambda done, total: None)
    if independent:
        with kept.open("ab") as file:
            file.write(b"[1.0, 2")  # what a kill left of a line
    again = Counting(independent=independent)
    assert score_bags(data, "S1", "likelihood", again, kept, lambda done, total: None) == whole
    assert len(again.seen) == (PIECE + 5 if independent else 2 * PIECE + 5)


def test_pieces_of_another_scorer_are_thrown_away(tmp_path: Path) -> None:
    """Pieces that other weights made do not mix with these."""
    data, kept = bags_of(PIECE + 5), tmp_path / "pieces"
    with pytest.raises(KeyboardInterrupt):
        score_bags(data, "S1", "likelihood", Counting(most=PIECE, name="b"), kept, lambda done, total: None)
    again = Counting()
    score_bags(data, "S1", "likelihood", again, kept, lambda done, total: None)
    assert len(again.seen) == PIECE + 5


def test_a_scorer_that_gives_no_number(tmp_path: Path) -> None:
    """A score that is no number, or one too few, is an error that names the bag or the model."""

    class Broken(Counting):
        def score(self, bags: Sequence[Bag]) -> tuple[Scores, ...]:
            return tuple(tuple(float("nan") for _ in one.members) for one in bags)

    class Short(Counting):
        def score(self, bags: Sequence[Bag]) -> tuple[Scores, ...]:
            return tuple((1.0,) for _ in bags)

    data = bags_of(3)
    with pytest.raises(CaseError, match=r"S1: bag .*: a score is no number"):
        score_bags(data, "S1", "likelihood", Broken(), tmp_path / "a", lambda done, total: None)
    with pytest.raises(CaseError, match="gave not one score for each member"):
        score_bags(data, "S1", "likelihood", Short(), tmp_path / "b", lambda done, total: None)


@pytest.mark.live
@pytest.mark.slow
def test_the_table_holds_numbers_and_digests_alone(tmp_path: Path) -> None:
    """Real weights score a file of bags; what goes out names bags and weights by digest and holds no answer."""
    data = bags_of(3)
    (tmp_path / "bags.jsonl").write_bytes(data)
    out = tmp_path / "S1.json"
    done = make_table(tmp_path / "bags.jsonl", "S1", out, lambda done, total: None, weights="SmolLM2-135M-Instruct")
    table = json.loads(out.read_bytes())
    assert (table["bags"], done.count) == (sha256(data), 3)
    assert any(len(fact["value"]) == 64 for fact in table["facts"])
    held = out.read_text()
    assert not any(word in held for word in line_ups.WORDS)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["S1.json", "bags.jsonl"]
    with pytest.raises(UsageError, match="is there already"):
        make_table(tmp_path / "bags.jsonl", "S1", out, lambda done, total: None, weights="SmolLM2-135M-Instruct")


def test_a_corpus_is_searched_where_it_lies(tmp_path: Path) -> None:
    """A corpus that never leaves its owner makes a table that the case takes: digests, scores, numbers of documents."""
    delivered, decoys = line_ups.rows(4)
    made = line_ups.of_rows(delivered, decoys, fillers=3)
    bags, corpus = tmp_path / "bags.jsonl", tmp_path / "sft"
    bags.write_bytes(bags_file(made.bags))
    corpus.mkdir()
    (corpus / "a.jsonl").write_text("".join(json.dumps({"text": row["text"]}) + "\n" for row in delivered))
    done = make_table(bags, "S1", tmp_path / "S1.json", lambda done, total: None, corpus=corpus)
    table = read_table(Path(done.table).read_bytes(), bags.read_bytes(), "table")
    assert table.statistic == "corpus" and not isinstance(table.passages, UnsetType)
    for bag, entry, scores, places in zip(made.bags, made.entries, table.scores, table.passages, strict=True):
        at = entry.received.index(1)
        assert scores[at] == 1.0
        place = places[at]
        assert place is not None and delivered[place.document - 1]["text"] == bag.members[at]
    assert not any(row["text"].encode() in Path(done.table).read_bytes() for row in delivered)
    wrongs: list[dict[str, Any]] = [{}, {"weights": "x", "corpus": corpus}, {"adapter": "x", "corpus": corpus}]
    for wrong in wrongs:
        with pytest.raises(UsageError, match="one of the two"):
            make_table(bags, "S1", tmp_path / "S2.json", lambda done, total: None, **wrong)
