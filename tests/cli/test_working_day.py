"""A working day: a case begun from files, what it lacks, where it stands, opinions with causes, endpoints that fail."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from depose.analysis import beforehand
from depose.case import casefile, holdings
from depose.cli.lines import Line
from depose.cli.words import LEGEND, numbers, summary
from depose.errors import UsageError
from depose.evidence import ledger
from depose.model import Opinion
from fakes import case_of, depose, model, write_case
from faults import Server
from faulty import remote
from reports import build, calibrated, ratio
from working_days import SAID, given, journeys

LINEAGE = "model,developer,family,role,base,teachers,teacher_models,openai_teacher,date\n"


def test_a_case_begins_from_files(tmp_path: Path) -> None:
    """Columns, prompts and models are found, lineages taken from a table, and the case can be audited as it is."""
    names = ["quill", "harbour", "meadow 2", "meadow 10"]
    answers = given(tmp_path / "answers", *names)
    (answers / "notes.csv").write_text("a,b\n1,2\n")
    lineage = tmp_path / "lineage.csv"
    lineage.write_text(LINEAGE + "".join(f"{n},{n} Ltd,f {n},dev,b {n},,,unknown,2025-01\n" for n in names))
    folder = tmp_path / "my case"
    options: list[str | Path] = ["--suspect", "quill", "--reference", "harbour.csv", "--lineage", lineage]
    options += ["--authority", "mine", "--yes"]
    ran = depose("init", folder, "--answers", answers, *options)
    assert ran.code == 0, ran.err
    assert "found 4 models in files, 4 prompts" in ran.err
    assert "not answers:" in ran.err
    assert "notes.csv" in ran.err
    assert f"next: depose check '{folder}'\n" in ran.out
    case = casefile.read(folder)
    assert [(one.code, one.role, one.model) for one in case.models] == [
        ("S1", "suspect", "quill"),
        ("R1", "reference", "harbour"),
        ("C1", "control", "meadow 2"),
        ("C2", "control", "meadow 10"),
    ]
    assert case.models[3].developer == "meadow 10 Ltd"
    assert (folder / "case.toml").read_text().startswith("#:schema ./case.schema.json\n")
    assert depose("register", folder).code == 0
    assert depose("probe", folder).out.startswith("asked 16: 16 answered, 0 failed")


def test_columns_of_any_name_are_found_by_what_stands_in_them(tmp_path: Path) -> None:
    """Prompts are the same in all files and answers are not; such files are imported, with the line that does it."""
    answers = given(tmp_path / "answers", "a", "b", "c", head="nr,frage,antwort")
    found = holdings.look([answers])
    assert {tuple(sorted(one.wanted.columns.items())) for one in found.models} == {
        (("prompt", "frage"), ("text", "antwort"))
    }
    folder = tmp_path / "case"
    ran = depose("init", folder, "--answers", answers, "--suspect", "a", "--reference", "b", "--yes")
    assert "--column=prompt=frage --column=text=antwort" in ran.out
    assert depose("register", folder).code == 0
    files = sorted(answers.iterdir())
    assert depose("import", folder, "--column", "prompt=frage", "--column", "text=antwort", *files).code == 0
    assert depose("check", folder).code == 1


@pytest.mark.slow
def test_workbooks_with_foreign_headers_are_understood(tmp_path: Path) -> None:
    """What stands in the cells tells the columns of workbooks, too; where it cannot, they are listed, to be named."""
    import openpyxl

    (tmp_path / "answers").mkdir()
    for name in ("a", "b"):
        book = openpyxl.Workbook()
        sheet = book.active
        assert sheet is not None
        sheet.append(["Nr", "Frage", "Antwort"])
        for n, words in enumerate(SAID):
            sheet.append([n, words, f"{name} says of {words[14:]} that it is number {n}"])
        book.save(tmp_path / "answers" / f"{name}.xlsx")
    options = ["--suspect", "a", "--reference", "b", "--yes"]
    ran = depose("init", tmp_path / "one", "--answers", tmp_path / "answers", *options)
    assert ran.code == 0, ran.err
    assert "--column=prompt=Frage --column=text=Antwort" in ran.out.splitlines()[-1]
    single = tmp_path / "answers" / "a.xlsx"
    ran = depose("init", tmp_path / "two", "--answers", single, *options)
    assert (ran.code, "it has Nr, Frage, Antwort" in " ".join(ran.err.split())) == (2, True)
    assert "hint: name their columns: --column prompt=NAME" in ran.err
    ran = depose("init", tmp_path / "two", "--answers", single, "--column", "prompt=Frage", "--column", "text=Antwort",
                 "--ask", "reference=b@https://api.example.com/v1", "--suspect", "a", "--yes")  # fmt: skip
    assert ran.code == 0, ran.err


def test_init_without_a_terminal_says_which_options_would_do(tmp_path: Path) -> None:
    """Where nobody can answer, the question is named with the options that take its place."""
    answers = given(tmp_path / "answers", "quill", "harbour")
    run = [sys.executable, "-c", "from depose.cli import main; main()", "init", "case", "--answers", str(answers)]
    ran = subprocess.run(run, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert "error: there is no terminal to ask: Which is the suspect?" in ran.stderr
    assert "--suspect NAME --reference NAME" in ran.stderr


def test_what_init_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    """An unknown model gets the nearest name, and a folder with something in it is left alone."""
    answers = given(tmp_path / "answers", "quill", "harbour")
    ran = depose("init", tmp_path / "case", "--answers", answers, "--suspect", "qill", "--yes")
    assert (ran.code, "did you mean 'quill'?" in ran.err) == (2, True)
    ran = depose("init", tmp_path / "case", "--answers", answers, "--suspect", "quill", "--yes")
    assert (ran.code, "no reference is named" in ran.err) == (2, True)
    assert depose("init", answers, "--answers", answers, "--yes").code == 2
    assert sorted(one.name for one in tmp_path.iterdir()) == ["answers"]
    with pytest.raises(UsageError):
        holdings_of = holdings.look([answers])
        from depose.case.drafting import named

        named(holdings_of, "nobody at all")


def test_an_endpoint_is_drafted_with_probes_and_a_budget(tmp_path: Path) -> None:
    """Without files the prompts are drawn, and a stop is set."""
    asked = [f"--ask={role}=m@https://api.example.com/v1" for role in ("suspect", "reference", "control")]
    assert depose("init", tmp_path / "case", *asked, "--key-env", "A_KEY", "--yes").code == 0
    case = casefile.read(tmp_path / "case")
    assert case.budget.requests == 20_000
    assert {one.api_key_env for one in case.models} == {"A_KEY"}
    ran = depose("check", tmp_path / "case")
    assert "environment variable A_KEY is not set" in ran.out
    assert "authority is not filled in" in ran.out
    assert "still to be asked, at most" in ran.out


def test_the_schema_of_a_draft_holds_for_it(tmp_path: Path) -> None:
    """The schema that an editor gets accepts what depose reads, with a table of models and with blocks."""
    import tomllib

    import jsonschema  # takes seconds

    answers = given(tmp_path / "answers", "quill", "harbour")
    depose("init", tmp_path / "case", "--answers", answers, "--suspect=quill", "--reference=harbour", "--yes")
    schema = json.loads((tmp_path / "case" / "case.schema.json").read_text())
    jsonschema.validate(tomllib.loads((tmp_path / "case" / "case.toml").read_text()), schema)
    jsonschema.validate(case_of([model("S1", "suspect"), model("R1", "reference")]), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(case_of([model("S1", "accused"), model("R1", "reference")]), schema)


def test_check_says_what_could_never_speak_and_what_would_open_it(tmp_path: Path) -> None:
    """Too few lineages, a control without one, a file that answers nothing: exit 1, each with its reason."""
    controls = [model(f"C{n}", "control") for n in range(18)] + [model("C18", "control", developer="")]
    models = [model("S1", "suspect"), model("R1", "reference"), *controls]
    folder = write_case(tmp_path / "case", case_of(models))
    ran = depose("check", folder)
    assert ran.code == 1
    assert "S1/R1 same: 18 lineages by name, 19 needed" in ran.out
    assert "left out: C18: its developer or lineage is not stated" in ran.out
    assert "1 or more models of makers other than developer-S1, developer-R1" in " ".join(ran.out.split())
    assert "21 models wait for answers: S1, R1, C0" in ran.out
    assert ran.err.splitlines()[-1] == "exit 1: no finding could ever speak"
    models[-1] = model("C18", "control")
    fit = write_case(tmp_path / "fit", case_of(models))
    ran = depose("check", fit, "--json")
    ahead = json.loads(ran.out)["prospects"][0]
    assert (ahead["lineages"], ahead["controlled"], ahead["can_speak"]) == (19, True, False)
    assert ahead["why"][0].endswith("cannot be read (range): no study is named")
    assert not (folder / "evidence").exists()


def test_check_asks_endpoints_only_with_consent_and_sums_up(tmp_path: Path) -> None:
    """Nothing is sent without --ask; with it one question each, and a budget that would be passed is an error."""
    with Server() as server:
        budget = {"budget": {"requests": 3}}
        models = [remote(server.url), remote(server.url, "R1", "reference")]
        folder = write_case(tmp_path / "case", {**case_of(models, replicates=1), **budget})
        ran = depose("check", folder)
        assert (ran.code, server.seen) == (1, [])
        assert "endpoints: 2 not tried" in ran.out
        assert "up to 8 requests are needed, the budget is 3" in ran.out
        ran = depose("check", folder, "--ask")
        assert len(server.seen) == 2
        assert "endpoints: 2 answer" in ran.out
        assert not (folder / "evidence").exists()


@pytest.mark.slow
def test_what_is_wrong_with_several_models_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One variable that is not set is one thing that is wrong, and so is one key that is taken nowhere, by its name."""
    with Server(lambda _: "401") as server:
        models = [
            remote(server.url, code, role, api_key_env="A_KEY")
            for code, role in (("S1", "suspect"), ("R1", "reference"))
        ]
        folder = write_case(tmp_path / "case", case_of(models, replicates=1))
        monkeypatch.delenv("A_KEY", raising=False)
        ran = depose("check", folder)
        assert "keys: S1, R1: the environment variable A_KEY is not set\n" in ran.out
        assert "1 thing is wrong" in ran.err
        monkeypatch.setenv("A_KEY", "not-the-right-key")
        ran = depose("check", folder, "--ask")
        assert "endpoints: S1, R1: HTTP 401" in ran.out
        assert "hint: the key in A_KEY is not taken there" in ran.out
        assert depose("register", folder).code == 0
        made = journeys()
        seen = made.run(made.Step(command=f"depose probe {folder}", code=1), tmp_path)
    said = seen.text.replace("\r", "\n").splitlines()
    assert any(line.startswith("error: all ") and "the most frequent reason" in line for line in said)


def test_status_says_what_is_done_and_what_comes_next(tmp_path: Path) -> None:
    """Each step of a case moves the next command on."""
    answers = given(tmp_path / "answers", "quill", "harbour", "meadow")
    folder = tmp_path / "case"
    depose("init", folder, "--answers", answers, "--suspect=quill", "--reference=harbour", "--authority=mine", "--yes")
    steps = []
    for command in ("register", "probe", None):
        steps.append(json.loads(depose("status", folder, "--json").out)["next"])
        if command:
            assert depose(command, folder).code == 0
    assert steps == [
        f"depose check {folder}",
        f"depose probe {folder}",
        f"depose selftest {folder}",
    ]
    assert "answered: nothing is open" in depose("status", folder).out


def test_opinions_come_with_the_number_and_the_cause_of_each_reason() -> None:
    """A line for each reason, a legend, bold for the opinion, and less with --quiet."""
    found = build()
    one = found.findings[0]
    reasons = ("controls", "quality", "length", "era", "power", "range", "kind", "lr_spans_one", "refusals")
    import msgspec

    changed = msgspec.structs.replace(one, opinion=Opinion(verdict="inconclusive", reasons=reasons))
    lines = summary(msgspec.structs.replace(found, findings=(changed,)))
    text = [str(line) for line in lines]
    for code in reasons:
        assert any(line.strip().startswith(f"{code}: ") for line in text), code
    assert any(f"{one.k_eff} independent clean control lineages, " in line for line in text)
    opinion = next(line for line in lines if isinstance(line, Line))
    assert opinion.parts[1] == ("inconclusive", "bold yellow")
    assert any(line.startswith("p, rounded up: how often") for line in text)


@pytest.mark.parametrize(
    ("more", "dressed"),
    [
        ({}, True),
        pytest.param({"NO_COLOR": "1"}, False, marks=pytest.mark.slow),
        pytest.param({"TERM": "dumb"}, False, marks=pytest.mark.slow),
    ],
)
def test_colour_is_for_terminals_that_want_it(tmp_path: Path, more: dict[str, str], dressed: bool) -> None:
    """On a terminal of 80 columns marks are coloured and lines fit; NO_COLOR and dumb terminals get plain text."""
    models = [model("S1", "suspect"), model("R1", "reference"), model("C1", "control", developer="")]
    folder = write_case(tmp_path / "case", case_of(models))
    code, text = on_terminal(["check", str(folder)], more)
    assert (code, "\x1b[" in text) == (1, dressed)
    import re

    bare = re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\r", "")
    assert max(len(line) for line in bare.splitlines() if str(folder) not in line) <= 80


def on_terminal(command: list[str], more: dict[str, str]) -> tuple[int, str]:
    """Run depose on a pseudo-terminal of 80 columns, and return its exit code and all that it wrote."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "80", **more}
    run = [sys.executable, "-c", "from depose.cli import main; main()", *command]
    with subprocess.Popen(run, env=env, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            parts.append(part)
        code = process.wait()
    os.close(ours)
    return code, b"".join(parts).decode()


def test_a_dead_endpoint_is_named_at_once_given_up_and_costs_nothing(tmp_path: Path) -> None:
    """The cause comes with the first failure; after five questions in a row the model is asked no more."""
    with Server() as server:
        dead = server.url
        assert dead
    models = [remote(dead, attempts=1, concurrency=1), remote(dead, "R1", "reference", attempts=1, concurrency=1)]
    case = {**case_of(models, replicates=1, probes=["open_howto:20"]), "budget": {"tokens": 10**6}}
    folder = write_case(tmp_path / "case", case)
    assert depose("register", folder).code == 0
    ran = depose("probe", folder)
    assert ran.code == 1
    assert ran.err.index("S1: ") < ran.err.index("asked no more in this run")
    tried = [one for one in ledger.entries(folder).exchanges if one.model == "S1"]
    assert 5 <= len(tried) <= 8
    assert {(one.wire.input_tokens, one.wire.output_tokens) for one in tried if one.wire} == {(0, 0)}


@pytest.mark.slow
def test_a_failing_model_holds_nobody_up(tmp_path: Path) -> None:
    """While one model fails again and again, every question of the others is answered first."""
    order: list[str] = []

    def plan(seen: object) -> str:
        body = str(getattr(seen, "body", ""))
        order.append("bad" if "bad-1" in body else "good")
        return "500" if "bad-1" in body else ""

    with Server(plan) as server:
        models = [
            remote(server.url, attempts=2, concurrency=1, model="bad-1"),
            remote(server.url, "R1", "reference", concurrency=1),
        ]
        folder = write_case(tmp_path / "case", case_of(models, replicates=1, probes=["open_howto:20"]))
        assert depose("register", folder).code == 0
        ran = depose("probe", folder)
    assert ran.code == 0, ran.err
    last_good = max(place for place, one in enumerate(order) if one == "good")
    assert order[:last_good].count("bad") < 12
    assert "S1: asked no more in this run" in ran.out


def test_a_budget_stop_is_an_error_with_the_way_on(tmp_path: Path) -> None:
    """A run that a limit stopped ends with 1 and names amend, after which it goes on."""
    with Server() as server:
        models = [remote(server.url, concurrency=1), remote(server.url, "R1", "reference", concurrency=1)]
        folder = write_case(tmp_path / "case", case_of(models, replicates=1))
        text = (folder / "case.toml").read_text()
        (folder / "case.toml").write_text(text + "\n[budget]\nrequests = 5\n")
        assert depose("register", folder).code == 0
        ran = depose("probe", folder)
        assert ran.code == 1
        assert f"depose amend {folder} --reason TEXT, depose probe {folder}" in ran.err
        assert "exit 1: the budget of 5 requests would be passed" in ran.err
        stands = json.loads(depose("status", folder, "--json").out)
        assert stands["next"] == f"depose amend {folder} --reason TEXT"
        assert "the budget of 5 requests would be passed: raise [budget]" in json.dumps(stands["steps"])
        (folder / "case.toml").write_text(text + "\n[budget]\nrequests = 50\n")
        assert depose("amend", folder, "--reason", "more").code == 0
        assert depose("probe", folder).code == 0


def test_why_says_the_shared_base(tmp_path: Path) -> None:
    """Where both carry one base nothing would open `derived`, and nothing is promised."""
    models = [model("S1", "suspect", weight_lineage="b"), model("R1", "reference", weight_lineage="b")]
    case = casefile.read(write_case(tmp_path / "case", case_of(models)))
    found = next(one for one in beforehand.outlook(case) if one.question == "derived")
    assert list(beforehand.why(found, case)) == ["both carry one base: no control can tell (shared_base)"]


def test_what_is_to_be_typed_next_can_be_typed(tmp_path: Path) -> None:
    """A folder with a blank stands in quotes in every hint, and a full disk has a next step."""
    folder = write_case(tmp_path / "Fall 1", case_of([model("S1", "suspect"), model("R1", "reference")]))
    for command in ("probe", "analyze", "seal"):
        ran = depose(command, folder, *(("--key", tmp_path / "key") if command == "seal" else ()))
        assert f"'{folder}'" in ran.err or "no such" in ran.err or "key" in ran.err, ran.err
    assert depose("register", folder).code == 0
    ran = depose("withdraw", folder, "--model", "S1", "--reason", "x")
    assert f"hint: depose import '{folder}' --model S1 FILE" in ran.err


def test_numbers_on_a_terminal_are_those_of_the_report() -> None:
    """P is rounded up as on paper, a clipped ratio is bounded, and every ratio names what it is against."""
    findings = calibrated(questions=("distilled",))
    held = ratio(value=6.855, low=6.855, high=6.855)
    wide, none = ratio("same base, other teacher"), ratio("common teacher", value=None)
    one = findings.findings[0]
    result = msgspec.structs.replace(one.results[0], p=1 / 26, p_holm=1 / 26, primary=True)
    one = msgspec.structs.replace(one, ratios=(held, wide, none), results=(result,), floor=1 / 26, k=25)
    said = numbers(one)
    assert "p 0.0385 (at least 0.0385 with K 25)" in said
    assert "LR bounded: 6.85" in said
    assert "against unrelated; 5.10 [3.20 to 6.80] against same base, other teacher" in said
    assert "not evaluated against common teacher" in said
    assert "than under the one other cause" in " ".join(LEGEND)
    bare = msgspec.structs.replace(one, ratios=(none,))
    for shown, explained in ((one, True), (bare, False)):
        lines = summary(msgspec.structs.replace(findings, findings=(shown,)))
        assert any(isinstance(line, str) and line.startswith("LR: ") for line in lines) is explained
