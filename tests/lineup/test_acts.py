"""The order of acts: each one only where it says something, and the key never where the scorer can see it."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import line_ups
from depose import pipeline
from depose.errors import CaseError, DeposeError, UsageError
from depose.evidence import ledger
from depose.lineup import acts
from depose.lineup.scorers import to_score
from depose.model.canonical import sha256
from fakes import depose

LATER = line_ups.clock_after(Path())


class Begun:
    """A registered case, its files, and what is known of its truth."""

    def __init__(self, root: Path, start: Path) -> None:
        shutil.copytree(start, root, dirs_exist_ok=True)
        self.root, self.folder, self.key = root, root / "case", root / "key.json"
        self.delivered, decoys = line_ups.rows(30)
        self.deliveries = line_ups.written(root, "deliveries.jsonl", self.delivered)
        self.decoys = line_ups.written(root, "decoys.jsonl", decoys)

    def build(self) -> acts.BuiltBags:
        """Build bags and key."""
        return acts.build_bags(self.folder, self.deliveries, self.decoys, self.key, LATER, self.root / "bags.jsonl")

    def table(self, model: str = "S1", effect: float = 1.0) -> bytes:
        """Make a table of scores."""
        bags = (self.root / "bags.jsonl").read_bytes()
        return line_ups.table(bags, model, line_ups.learnt_of(self.delivered), effect)

    def score(self, model: str = "S1", effect: float = 1.0) -> acts.Scored:
        """Record a table."""
        return acts.record_table(self.folder, model, self.table(model, effect), f"table of {model}", LATER)

    def seal_key(self) -> acts.Sealed:
        """Commit to the key."""
        return acts.seal_key(self.folder, self.key, "Notary N.", LATER)

    def to(self, stage: int) -> Begun:
        """Do so many acts: build, seal the key, score S1 and R1, seal the scores, open."""
        done: list[Callable[[], object]] = [
            self.build,
            self.seal_key,
            lambda: (self.score(), self.score("R1", 0.0)),
            lambda: acts.seal_scores(self.folder, LATER),
            lambda: acts.open_key(self.folder, self.key, LATER),
        ]
        for act in done[:stage]:
            act()
        return self


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Register a case once."""
    root = tmp_path_factory.mktemp("registered")
    pipeline.register_case(line_ups.case(root / "case"), line_ups.clock())
    return root


@pytest.fixture
def begun(tmp_path: Path, registered: Path) -> Begun:
    """Copy the registered case."""
    return Begun(tmp_path, registered)


@pytest.mark.parametrize(
    ("stage", "act", "message"),
    [
        (0, lambda b: b.seal_key(), "key.json: No such file"),
        (1, lambda b: b.score(), "the key is not sealed"),
        (1, lambda b: b.build(), "key.json: is there already"),
        (2, lambda b: b.seal_key(), "the key was sealed before"),
        (2, lambda b: acts.seal_scores(b.folder, LATER), "nothing was scored"),
        (2, lambda b: acts.open_key(b.folder, b.key, LATER), "the scores are not sealed"),
        (3, lambda b: b.score(effect=2.0), "S1 was scored before; of two tables the better one could be kept"),
        (3, lambda b: acts.open_key(b.folder, b.key, LATER), "the scores are not sealed"),
        (4, lambda b: b.score("C1", 0.0), "the scores are sealed, and no further one is made"),
        (4, lambda b: acts.need_open(b.folder), "the key of its line-up is not open"),
        (5, lambda b: b.score("C1", 0.0), "the key is open: what is scored now is not blind"),
        (5, lambda b: acts.open_key(b.folder, b.key, LATER), "the key was opened before"),
    ],
)
def test_an_act_out_of_order_is_refused(begun: Begun, stage: int, act: Callable[[Any], object], message: str) -> None:
    """An act before its time, after it, or a second time is refused, and leaves no record."""
    begun.to(stage)
    before = ledger.entries(begun.folder).end
    with pytest.raises(DeposeError) as caught:
        act(begun)
    assert message in caught.value.message
    assert ledger.entries(begun.folder).end == before


def test_bags_are_built_once(begun: Begun) -> None:
    """Bags that are built anew may have been chosen by what is known by then."""
    begun.to(1)
    begun.key = begun.root / "another.json"
    with pytest.raises(CaseError, match="may have been chosen by what is known now"):
        begun.build()
    assert not begun.key.exists()


def test_the_protocol_stays_as_it_was(begun: Begun) -> None:
    """After an amendment nothing of a line-up that was built before goes on."""
    begun.to(2)
    file = begun.folder / "case.toml"
    file.write_text(file.read_text().replace("fillers = 3", "fillers = 2"))
    with pytest.raises(CaseError, match="differs from the registered protocol"):
        begun.score()
    pipeline.amend(begun.folder, "two are enough", LATER)
    with pytest.raises(CaseError, match="the protocol was amended after the bags were built"):
        begun.score()


def test_the_key_opens_only_its_own_lock(begun: Begun) -> None:
    """A key with one other entry, or with other bytes of the same meaning, is not the one that was committed to."""
    begun.to(4)
    forged = begun.root / "forged.json"
    key = json.loads(begun.key.read_bytes())
    key["entries"][0]["received"].reverse()
    for data in (json.dumps(key).encode(), begun.key.read_bytes() + b" "):
        forged.write_bytes(data)
        with pytest.raises(CaseError, match="another key than the one that was committed to"):
            acts.open_key(begun.folder, forged, LATER)


def test_nothing_of_the_key_is_in_the_case(begun: Begun) -> None:
    """Until it is opened no file of the case holds the salt, a digest but the commitment, or who was delivered."""
    begun.to(4)
    key = json.loads(begun.key.read_bytes())
    held = b"".join(file.read_bytes() for file in begun.folder.rglob("*") if file.is_file())
    assert key["salt"].encode() not in held
    assert b"received" not in held
    assert stat.S_IMODE(begun.key.stat().st_mode) == 0o600
    for name in ("--key", "--deliveries", "--decoys"):
        inside = {"--key": begun.root / "n.json", "--deliveries": begun.deliveries, "--decoys": begun.decoys}
        inside[name] = begun.folder / "x"
        with pytest.raises(UsageError, match=f"{name} .*lies in the case folder"):
            acts.build_bags(begun.folder, inside["--deliveries"], inside["--decoys"], inside["--key"], LATER)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t | {"bags": "0" * 64}, "scores other bags"),
        (lambda t: t | {"scores": t["scores"][:-1]}, "has not one score for each member"),
        (lambda t: t | {"scores": [[*row[:-1], 1e999] for row in t["scores"]]}, "no table of scores"),
        (lambda t: t | {"scores": [[-1.7e308, *row[1:]] for row in t["scores"]]}, "bag 1 has a score beyond 1e+15"),
        (lambda t: t | {"model": "R1"}, "scores 'R1', not 'S1'"),
        (lambda t: t | {"statistic": "text"}, "holds text scores; the case registers likelihood"),
        (lambda t: t | {"more": 1}, "no table of scores"),
    ],
)
def test_tables_that_do_not_fit(begun: Begun, change: Callable[[Any], Any], message: str) -> None:
    """A table of other bags, of another shape, model or statistic, or with a score that is no number is refused."""
    begun.to(2)
    table = json.dumps(change(json.loads(begun.table()))).encode()
    with pytest.raises(CaseError) as caught:
        acts.record_table(begun.folder, "S1", table, "the table", LATER)
    assert message in caught.value.message


def test_what_the_test_rests_on_must_be_scored(begun: Begun) -> None:
    """Scores are not sealed without the suspect, or without what is taken off it."""
    begun.to(2).score("C1", 0.0)
    with pytest.raises(CaseError, match="S1, R1: not scored, and the test rests on it"):
        acts.seal_scores(begun.folder, LATER)


def test_only_what_the_line_up_names_is_scored(begun: Begun) -> None:
    """A model that is not part of the line-up has no table, and what was scored is not scored again."""
    begun.to(2).score()
    with pytest.raises(UsageError, match="X9: not a model that the line-up scores"):
        to_score(begun.folder, ("X9",), lambda _: None)
    assert to_score(begun.folder, (), lambda _: None) == ["R1", "C1"]


def test_what_has_no_scorer_here_waits_for_its_table(tmp_path: Path) -> None:
    """All that can be scored here is, a model that another holds stops nothing, and the next act names its table."""
    now = line_ups.clock()
    own = 'code = "R1"\nrole = "reference"\nprovider = "transformers"\nmodel = "SmolLM2-135M-Instruct"'
    text = line_ups.CASE.replace('code = "R1"\nrole = "reference"\nprovider = "recorded"', own)
    folder = line_ups.case(tmp_path / "case", text=text)
    pipeline.register_case(folder, now)
    delivered, decoys = line_ups.rows(30)
    given, other = line_ups.written(tmp_path, "d.jsonl", delivered), line_ups.written(tmp_path, "c.jsonl", decoys)
    acts.build_bags(folder, given, other, tmp_path / "key.json", now, tmp_path / "bags.jsonl")
    acts.seal_key(folder, tmp_path / "key.json", "Notary N.", now)
    assert to_score(folder, (), lambda _: None) == ["R1"]
    assert to_score(folder, ("S1",), lambda _: None) == ["S1"]
    assert acts.act_due(folder) == f"depose lineup score {folder}"
    table = line_ups.table((tmp_path / "bags.jsonl").read_bytes(), "R1", line_ups.learnt_of(delivered), 0.0)
    acts.record_table(folder, "R1", table, "table of R1", now)
    assert to_score(folder, (), lambda _: None) == ["S1", "C1"]
    assert acts.act_due(folder) == f"depose lineup score {folder} --model S1 --table FILE"


def test_next_act(begun: Begun) -> None:
    """Each stage says what comes next."""
    said = []
    stages: list[Callable[[], object]] = [
        lambda: None,
        begun.build,
        begun.seal_key,
        lambda: (begun.score(), begun.score("R1", 0.0), begun.score("C1", 0.0)),
        lambda: acts.seal_scores(begun.folder, LATER),
        lambda: acts.open_key(begun.folder, begun.key, LATER),
    ]
    for act in stages:
        act()
        said.append(acts.act_due(begun.folder).split()[2])
    assert said == ["build", "seal", "score", "seal", "open", "test"]


def test_a_custodian_has_a_name(begun: Begun) -> None:
    """A key without a custodian is not sealed."""
    begun.to(1)
    with pytest.raises(UsageError, match="a key without a custodian"):
        acts.seal_key(begun.folder, begun.key, " ", LATER)


def test_the_commitment_is_of_the_key(begun: Begun) -> None:
    """What is sealed is the SHA-256 of the file that the custodian holds."""
    built = begun.build()
    assert begun.seal_key().digest == built.commitment == sha256(begun.key.read_bytes())


def test_status_names_the_act_that_is_due(registered: Path) -> None:
    """A case without prompts needs no self-test: after registration bags are built."""
    said = depose("status", registered / "case").out
    assert "self-test" not in said
    assert said.splitlines()[-1].startswith(f"hint: depose lineup build {registered / 'case'}")
