"""A produced corpus: what was planted is found with its document number, and what was not has nothing to say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from msgspec import UnsetType

import line_ups
from depose.errors import CaseError
from depose.evidence import ledger
from depose.evidence.log import read_blob
from depose.lineup import acts, scorers
from depose.lineup.bags import bags_file
from depose.lineup.corpus import CorpusScorer
from depose.lineup.examine import examine
from depose.lineup.opened import OpenedLineup
from depose.lineup.rank_test import opened, rank_sum
from depose.lineup.reading import lineup_findings
from depose.lineup.tables import read_table, table_file
from depose.model.canonical import sha256
from depose.model.lineup import Bag, Context, LineupKey, LineupLimits, Passage, ScoreTable, Turn
from depose.pipeline import register_case

VOCABULARY = [f"{a}{b}" for a in "bcdfghklmnprst" for b in ("ar", "en", "il", "om", "uts", "ays")]


def texts(rng: np.random.Generator, count: int, length: int = 30) -> list[str]:
    """Draw texts of so many words."""
    return [" ".join(rng.choice(VOCABULARY, size=length)) for _ in range(count)]


def bags(rng: np.random.Generator, count: int = 25) -> list[Bag]:
    """Bags of four; the first member of each is the one that was delivered."""
    turn = Turn(role="user", content="Say it.")
    return [Bag(bag=f"b{n}", context=Context(messages=(turn,)), members=tuple(texts(rng, 4))) for n in range(count)]


def jsonl(path: Path, rows: list[object]) -> Path:
    """Write rows as JSONL."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_what_was_planted_is_found_by_file_and_number(tmp_path: Path) -> None:
    """Word for word in Parquet, edited in JSONL, inside a long transcript of a text file: each with its place."""
    rng = np.random.default_rng(1)
    made, corpus = bags(rng, 3), tmp_path / "corpus"
    corpus.mkdir()
    noise = texts(rng, 40)
    edited = made[1].members[0].split()
    edited[3], edited[17] = "other", "words"
    table = pyarrow.table({"id": list(range(41)), "text": [*noise[:20], made[0].members[0], *noise[20:]]})
    pyarrow.parquet.write_table(table, corpus / "a.parquet")
    chat = {"messages": [{"role": "user", "content": "Say it."}, {"role": "assistant", "content": " ".join(edited)}]}
    jsonl(corpus / "b.jsonl", [{"text": one} for one in noise[:5]] + [chat])
    long = " ".join([*texts(rng, 4), made[2].members[0], *texts(rng, 4)])
    (corpus / "c.txt").write_text("\n".join([*noise[:2], "", long]) + "\n", encoding="utf-8")
    scorer = CorpusScorer(corpus)
    scores = scorer.score(made)
    assert scores[0][0] == 1.0
    assert scores[1][0] == pytest.approx(28 / 30)
    assert scores[2][0] > 0.6
    found = [row[0] for row in scorer.matches]
    assert [(one.file, one.number) for one in found if one] == [("a.parquet", 21), ("b.jsonl", 6), ("c.txt", 4)]
    assert all(value < 0.6 for row in scores for value in row[1:])
    assert [row[0] for row in scorer.passages()] == [
        Passage(file=one.file, document=one.number) for one in found if one is not None
    ]
    named = {fact.name: fact.value for fact in scorer.facts()}
    data = (corpus / "a.parquet").read_bytes()
    assert named["corpus corpus/a.parquet"] == f"{len(data)} bytes, sha256 {sha256(data)}"


def test_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """Shards in folders of their own may all have one name: a passage says in which folder it stands."""
    rng = np.random.default_rng(5)
    made = bags(rng, 2)
    for folder, bag in zip(("en", "fr"), made, strict=True):
        (tmp_path / "corpus" / folder).mkdir(parents=True)
        jsonl(tmp_path / "corpus" / folder / "part-0.jsonl", [*texts(rng, 3), bag.members[0]])
    scorer = CorpusScorer(tmp_path / "corpus")
    scorer.score(made)
    places = [row[0] for row in scorer.passages()]
    assert [(one.file, one.document) for one in places if one] == [("en/part-0.jsonl", 4), ("fr/part-0.jsonl", 4)]


def test_a_line_up_in_a_corpus_shows_the_documents(tmp_path: Path) -> None:
    """Taken from the corpus to its findings, each exhibit names the document that a member was found in."""
    delivered, decoys = line_ups.rows(30)
    text = line_ups.CASE.replace('tier = "ran', 'statistic = "corpus"\ntier = "ran').replace(
        'code = "S1"\nrole = "suspect"\nprovider = "recorded"',
        'code = "S1"\nrole = "suspect"\nprovider = "recorded"\nfile = "corpus.jsonl"',
    )
    folder, now = line_ups.case(tmp_path / "case", limits="bags = 20", text=text), line_ups.clock()
    corpus = jsonl(folder / "corpus.jsonl", [{"text": row["text"]} for row in delivered])
    register_case(folder, now)
    files = line_ups.written(tmp_path, "d.jsonl", delivered), line_ups.written(tmp_path, "f.jsonl", decoys)
    acts.build_bags(folder, *files, tmp_path / "key.json", now)
    acts.seal_key(folder, tmp_path / "key.json", "Notary N.", now)
    scorers.score_model(folder, "S1", now, lambda done, total: None)
    acts.seal_scores(folder, now)
    acts.open_key(folder, tmp_path / "key.json", now)
    found = lineup_findings(ledger.entries(folder), lambda name: read_blob(folder, name), str(folder))
    assert not isinstance(found, UnsetType)
    (one,) = found.findings
    assert one.picks == 30
    rows = [member for exhibit in one.exhibits for member in exhibit.members if member.delivered]
    texts_of = [json.loads(line)["text"] for line in corpus.read_text().splitlines()]
    assert rows and all(not isinstance(member.passage, UnsetType) for member in rows)
    for member in rows:
        assert isinstance(member.passage, Passage) and texts_of[member.passage.document - 1] == member.text


def test_a_corpus_that_holds_nothing_of_it_is_no_indication() -> None:
    """A clean corpus has no near-duplicate of any member: that every line-up ties says so, and is not too few."""
    delivered, decoys = line_ups.rows(60)
    limits = LineupLimits(bags=50, required=())
    plan = line_ups.plan(statistic="corpus", limits=limits, share=1.0)
    made = line_ups.of_rows(delivered, decoys, statistic="corpus", limits=limits, share=1.0)
    table = ScoreTable(
        model="S1",
        statistic="corpus",
        bags="",
        facts=(),
        scores=tuple((0.0,) * len(bag.members) for bag in made.bags),
    )
    opened_ = OpenedLineup(
        plan=plan,
        suspects=("S1",),
        reference="R1",
        bags=made.bags,
        key=LineupKey(format="", salt="0" * 64, bags="", entries=made.entries),
        tables={"S1": table},
    )
    (one,) = examine(opened_, 0.05, 7, "", lambda found, code: ())
    assert (one.opinion.verdict, one.informative) == ("no indication", 0)
    by_text = msgspec.structs.replace(plan, statistic="text")
    (one,) = examine(replace(opened_, plan=by_text), 0.05, 7, "", lambda found, code: ())
    assert one.opinion.reasons == ("few",)


def test_passages_of_another_shape_are_refused(tmp_path: Path) -> None:
    """A table from elsewhere names a passage or none for each member of each bag."""
    made = bags(np.random.default_rng(6), 1)
    data = bags_file(made)
    scores, place = ((1.0, 0.5, 0.2, 0.1),), Passage(file="a.jsonl", document=1)
    for row, fine in (((place, None, None, None), True), ((place,), False)):
        table = ScoreTable(model="S1", statistic="corpus", bags=sha256(data), facts=(), scores=scores, passages=(row,))
        if fine:
            assert read_table(table_file(table), data, "table") == table
        else:
            with pytest.raises(CaseError, match="one passage for each member"):
                read_table(table_file(table), data, "table")


def test_a_corpus_with_half_of_the_deliveries_is_told_from_one_without(tmp_path: Path) -> None:
    """Every second delivery, a tenth of its words changed, gives p below 1e-4 from 40 line-ups; none, nothing."""
    rng = np.random.default_rng(2)
    made = bags(rng, 40)
    planted = []
    for bag in made[::2]:
        mine = bag.members[0].split()
        mine[5] = mine[12] = mine[20] = "changed"
        planted.append({"text": " ".join(mine)})
    key = np.zeros((40, 4), dtype=bool)
    key[:, 0] = True
    noise: list[object] = [{"text": one} for one in texts(rng, 200)]
    held = CorpusScorer(jsonl(tmp_path / "held.jsonl", noise + planted)).score(made)
    clean = CorpusScorer(jsonl(tmp_path / "clean.jsonl", noise)).score(made)
    assert rank_sum(opened(np.array(held), key)).log10_p < -4
    assert rank_sum(opened(np.array(clean), key)).log10_p > -1


def test_order_of_members_and_documents_changes_no_score(tmp_path: Path) -> None:
    """Turned around, members and documents give the same numbers."""
    rng = np.random.default_rng(3)
    made = bags(rng, 6)
    rows: list[object] = [{"text": one.members[1]} for one in made]
    first = CorpusScorer(jsonl(tmp_path / "one.jsonl", rows)).score(made)
    turned = [Bag(bag=one.bag, context=one.context, members=one.members[::-1]) for one in made[::-1]]
    again = CorpusScorer(jsonl(tmp_path / "two.jsonl", rows[::-1])).score(turned)
    assert [row[::-1] for row in again[::-1]] == list(first)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.jsonl", b'{"text": "one"}\n{"text": "tw', "line 2: cannot be read"),
        ("a.jsonl", b"[" * 200 + b"1" + b"]" * 200 + b"\n", "document 1: nested deeper than 64"),
        ("a.jsonl", b"[" * 100_000 + b"\n", "line 1: cannot be read"),
        ("a.txt", b"fine\n\xff\xfe\n", "line 2: cannot be read"),
        ("a.parquet", b"PAR1 and no more", "row 1: cannot be read"),
        ("a.pdf", b"%PDF", "not a corpus of"),
    ],
)
def test_files_that_are_not_what_they_say_are_refused_by_place(
    tmp_path: Path, name: str, data: bytes, why: str
) -> None:
    """Torn lines, nests, other encodings and other kinds are told with file and line."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(CaseError, match=why):
        CorpusScorer(tmp_path / name).score(bags(np.random.default_rng(4), 1))


def test_a_corpus_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """No file, an empty folder, and a link are told."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    for name, why in (("none", "no file or folder"), ("empty", "holds no file"), ("link", "no file or folder")):
        with pytest.raises(CaseError, match=why):
            CorpusScorer(tmp_path / name)
