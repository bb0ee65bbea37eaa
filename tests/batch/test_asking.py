"""Live models of a batch are asked once, on record, the screened prompts alone; the matrix is of their answers."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from batch_runs import go
from batches import CONTROLS, PROMPTS, TRUTH, labelled, spec, write
from depose.batch import run
from depose.batch.matrix import HITS, Matrix
from depose.errors import CaseError
from depose.evidence import ledger
from depose.evidence.log import read_log
from fakes import Clock, depose, files_in, finish, gate, install, start, to_toml, until
from populations import WORDS

SCREENED = PROMPTS // 2
SCRIPTS = {"S1": "light", "S2": "nobody", "R1": "same", "R2": "somebody"}
ROLES = {"S": "suspect", "R": "reference", "C": "control"}


def scripted(code: str, script: str, **more: Any) -> dict[str, Any]:
    """Describe a live model whose answers are known."""
    return spec(code, ROLES[code[0]], provider="scripted", model=script, revision="5", file="", **more)


def written(folder: Path, scripts: dict[str, str], *, budget: dict[str, Any] | None = None, slow: bool = False) -> Path:
    """Write a batch of live models: these and as many controls as a cell needs."""
    everybody = {**scripts, **{f"C{n}": f"control {n}" for n in range(CONTROLS)}}
    models = [scripted(code, "slow" if slow and code == "C0" else script) for code, script in everybody.items()]
    rows = [
        {"prompt_id": f"q{n:02}", "prompt": f"Write about the {WORDS[n % len(WORDS)]}, number {n}", "category": "made"}
        for n in range(PROMPTS)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prompts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "screening.json").write_bytes(msgspec.json.encode(labelled()))
    file = {
        "batch": {"title": "Live vendors", "authority": "made-up models"},
        "screening": {"labelled": "screening.json", "prompts": "prompts.jsonl"},
        "asking": {"max_tokens": 60},
        **({"budget": budget} if budget else {}),
        "models": [{key: value for key, value in one.items() if value != ""} for one in models],
    }
    path = folder / "batch.toml"
    path.write_text(to_toml(file))
    return path


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have scripted models."""
    folder = install(tmp_path / "site")
    monkeypatch.syspath_prepend(folder)
    return folder


def asked(out: Path) -> Counter[str]:
    """Questions that scripted models were asked, as `model prompt`."""
    path = out / "asked-asked.txt"
    return (
        Counter(" ".join(line.split()[:2]) for line in path.read_text().splitlines()) if path.is_file() else Counter()
    )


def hits(found: Matrix) -> set[tuple[str, str]]:
    """Pairs with a hit."""
    return {(one.suspect, one.reference) for one in found.cells if one.outcome in HITS}


@pytest.mark.slow
@pytest.mark.usefixtures("site")
def test_live_models_are_asked_once_and_screened(tmp_path: Path) -> None:
    """Every model answers every screened prompt once; the copy is the hit; a second run asks and changes nothing."""
    file, out = written(tmp_path / "batch", SCRIPTS), tmp_path / "out"
    found = go(file, out).matrix
    assert hits(found) == {("S1", "R1")}
    questions = asked(out)
    assert set(questions.values()) == {1}
    assert len(questions) == (len(SCRIPTS) + CONTROLS) * SCREENED
    assert len({question.split()[1] for question in questions}) == SCREENED
    head = ledger.entries(out / "asked").head
    assert found.log == head
    assert head in (out / "matrix.html").read_text()
    before = (out / "matrix.json").read_bytes()
    again = go(file, out)
    assert (again.made, asked(out)) == (0, questions)
    assert (out / "matrix.json").read_bytes() == before


@pytest.mark.slow
@pytest.mark.usefixtures("site")
def test_fresh_prompts_that_were_asked_before_are_named(tmp_path: Path) -> None:
    """Under another seed prompts that were asked are fresh no more, and the case of a hit names where they were."""
    file, out = written(tmp_path / "batch", SCRIPTS), tmp_path / "out"
    assert [one.also for one in go(file, out).matrix.confirmations] == [()]
    file.write_text(file.read_text().replace("[screening]", "[screening]\nseed = 8"))
    (one,) = go(file, out).matrix.confirmations
    assert one.also == ("asked",)
    assert 'registered before or since: <span class="mono">asked</span>' in (out / "matrix.html").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("site")
def test_a_sealed_case_of_answers_still_makes_its_matrix(tmp_path: Path) -> None:
    """Analyzed and sealed, answers can be screened again; a vendor more needs another folder, and the error says so."""
    folder, out = tmp_path / "batch", tmp_path / "out"
    before = go(written(folder, SCRIPTS), out).matrix
    case, key = out / "asked", tmp_path / "key"
    for step in (("keygen", key), ("analyze", case), ("seal", case, "--key", key)):
        assert depose(*step).code == 0, step
    sealed = files_in(case)
    assert go(folder / "batch.toml", out).matrix == before
    with pytest.raises(CaseError, match="sealed") as caught:
        go(written(folder, {**SCRIPTS, "S3": "same"}), out)
    assert "--out" in caught.value.hint
    assert files_in(case) == sealed
    assert go(folder / "batch.toml", tmp_path / "next").made == 3


@pytest.mark.slow
@pytest.mark.usefixtures("site")
def test_a_vendor_that_joins_is_asked_alone(tmp_path: Path) -> None:
    """One live suspect more is an amendment, its own questions and one row."""
    folder, out = tmp_path / "batch", tmp_path / "out"
    go(written(folder, SCRIPTS), out)
    before = asked(out)
    second = go(written(folder, {**SCRIPTS, "S3": "same"}), out)
    assert second.made == 1
    assert {question.split()[0] for question in asked(out) - before} == {"S3"}
    assert hits(second.matrix) == {("S1", "R1"), ("S3", "R1")}
    amendments = ledger.entries(out / "asked").amendments
    assert [one.reason for one in amendments] == ["the batch file was changed"]
    assert amendments[0].lost == 0


@pytest.mark.slow
@pytest.mark.usefixtures("site")
def test_the_terminal_names_the_next_step_and_who_is_new(tmp_path: Path) -> None:
    """After a run it names a case to audit; since an earlier matrix, the suspect that joined."""
    folder, out = tmp_path / "batch", tmp_path / "out"
    first = depose("batch", written(folder, SCRIPTS), "--out", out).out
    case = next((out / "cases").glob("S1--R1-*"))
    assert f"1 case in {out / 'cases'} to audit, one by one or with --confirm\nnext: depose audit {case}\n" in first
    (out / "matrix.json").rename(tmp_path / "before.json")
    file = written(folder, {**SCRIPTS, "S3": "nobody else"})
    assert "new suspects: S3\n" in depose("batch", file, "--out", out, "--since", tmp_path / "before.json").out


@pytest.mark.slow
@pytest.mark.usefixtures("site")
def test_recorded_and_live_models_stand_beside_each_other(tmp_path: Path) -> None:
    """A live suspect among recorded references and controls: it alone is asked, and its case keeps its endpoint."""
    file, out = write(tmp_path / "batch", {**TRUTH, "S8": "R1", "S9": "R2"}), tmp_path / "out"
    text = file.read_text().replace(
        'provider = "recorded"\nfile = "S1.jsonl"\n', 'provider = "scripted"\nmodel = "x"\n', 1
    )
    assert 'model = "x"' in text
    file.write_text(text)
    found = go(file, out).matrix
    assert {question.split()[0] for question in asked(out)} == {"S1"}
    assert sum(asked(out).values()) == SCREENED
    assert ("S1", "R1") not in hits(found)
    assert ("S3", "R2") in hits(found)


@pytest.mark.slow
def test_a_killed_run_asks_nothing_twice(tmp_path: Path, site: Path) -> None:
    """Killed while models are asked, a batch goes on where it was; what was answered is not asked again."""
    file, out = written(tmp_path / "batch", SCRIPTS, slow=True), tmp_path / "out"
    out.mkdir()
    gate(out / "asked").write_text("60")
    process = start("batch", file, "--out", out, "--workers", "1", path=[site])
    until(lambda: sum(asked(out).values()) >= 60, process)
    process.kill()
    finish(process)
    gate(out / "asked").unlink()
    answered = {
        f"{one.entry.body['model']} {one.entry.body['prompt']}"
        for one in read_log(out / "asked")
        if one.entry.kind == "exchange"
    }
    assert 0 < len(answered) < (len(SCRIPTS) + CONTROLS) * SCREENED
    done = finish(start("batch", file, "--out", out, "--workers", "1", path=[site]))
    assert done.code == 0, done.err
    assert all(asked(out)[question] == 1 for question in answered)
    assert "questions to 28 models" in done.err


@pytest.mark.slow
@pytest.mark.usefixtures("site")
def test_a_run_killed_before_its_first_record_goes_on(tmp_path: Path) -> None:
    """A log without a record, as a kill can leave it, is registered; another text under an id is asked anew."""
    folder, out = tmp_path / "batch", tmp_path / "out"
    file = written(folder, SCRIPTS)
    depose("batch", file, "--out", out, "--dry-run")
    (out / "asked" / "evidence").mkdir()
    (out / "asked" / "evidence" / "log.jsonl").touch()
    dry = json.loads(depose("batch", file, "--out", out, "--dry-run", "--json").out)
    assert dry["estimates"][0]["questions"] == SCREENED
    go(file, out)
    before = asked(out)
    screened = {question.split()[1] for question in before}
    path = folder / "prompts.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    changed = next(row for row in rows if row["prompt_id"] in screened)
    changed["prompt"] += ", in short"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    go(file, out)
    again = asked(out) - before
    assert {question.split()[1] for question in again} == {changed["prompt_id"]}
    assert len(again) == len(SCRIPTS) + CONTROLS


@pytest.mark.slow
@pytest.mark.usefixtures("site")
def test_a_dry_run_asks_nothing(tmp_path: Path) -> None:
    """`--dry-run` counts the questions of each live model with upper bounds; no log is begun."""
    file, out = written(tmp_path / "batch", SCRIPTS), tmp_path / "out"
    done = depose("batch", file, "--out", out, "--dry-run", "--json")
    rows = json.loads(done.out)["estimates"]
    assert {row["model"]: row["questions"] for row in rows} == dict.fromkeys([*SCRIPTS, *_controls()], SCREENED)
    assert {row["output_tokens"] for row in rows} == {60 * SCREENED}
    assert not asked(out)
    assert not (out / "asked" / "evidence").exists()
    go(file, out)
    again = json.loads(depose("batch", file, "--out", out, "--dry-run", "--json").out)["estimates"]
    assert {row["questions"] for row in again} == {0}


def _controls() -> list[str]:
    return [f"C{n}" for n in range(CONTROLS)]


@pytest.mark.usefixtures("site")
def test_a_budget_stops_the_asking_and_is_said(tmp_path: Path) -> None:
    """Where the budget ends, the run says so, and the matrix shows how much each model answered."""
    said: list[str] = []
    file, out = written(tmp_path / "batch", SCRIPTS, budget={"requests": 200}), tmp_path / "out"
    found = run.batch(file, out, run.Manner(workers=1), Clock(), said.append, lambda *_: None).matrix
    assert any("the budget of 200 requests would be passed" in line for line in said)
    assert sum(asked(out).values()) <= 200
    assert all(one.answered < one.of for one in found.suspects)


@pytest.mark.usefixtures("site")
def test_what_cannot_be_asked_is_an_error_before_anything_is_written(tmp_path: Path) -> None:
    """A remote model without a key, and a price of nobody, are errors that name the field; no case is made."""
    folder, out = tmp_path / "batch", tmp_path / "out"
    file = written(folder, SCRIPTS)
    text = file.read_text()
    file.write_text(text.replace('provider = "scripted"', 'provider = "openai"', 1))
    with pytest.raises(CaseError, match="api_key_env: missing"):
        go(file, out)
    assert not (out / "asked").exists()
    file.write_text(text + "\n[prices.X9]\ninput = 1.0\noutput = 1.0\n")
    with pytest.raises(CaseError, match=r"\$\.prices\.X9: no model that is asked has this code"):
        go(file, out)


@pytest.mark.slow
@pytest.mark.usefixtures("site")
def test_the_case_of_a_hit_asks_as_the_screening_did(tmp_path: Path) -> None:
    """Settings and budget of the batch file stand in the case that asks the fresh prompts."""
    from depose.case import casefile

    out = tmp_path / "out"
    found = go(written(tmp_path / "batch", SCRIPTS, budget={"requests": 2_000}), out).matrix
    case = casefile.read(out / "cases" / found.confirmations[0].folder)
    assert (case.protocol.max_tokens, case.budget.requests) == (60, 2_000)
    assert {spec.provider for spec in case.models} == {"scripted"}
