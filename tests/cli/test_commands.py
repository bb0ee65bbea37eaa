"""The command line: exit codes, what goes where, and the whole way from a case file to a report."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from depose.case import bundled, casefile
from depose.evidence import ledger
from depose.evidence.log import log_path, read_log
from fakes import (
    STOCK,
    TESTS,
    audit,
    depose,
    files_in,
    finish,
    gate,
    install,
    interrupt,
    recorded_case,
    scripted_case,
    start,
    until,
)

CASES = [name for name, _ in bundled.cases()]
HEAVY = {"torch", "transformers", "spacy", "matplotlib", "weasyprint", "sklearn", "scipy", "numpy", "pyarrow"}


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the bundled case `recorded`, audited once."""
    folder = tmp_path_factory.mktemp("audited") / "case"
    assert depose("new", folder, "--from", "recorded").code == 0
    assert depose("audit", folder, "--format", "html").code == 0
    return folder


# --- start-up and usage -----------------------------------------------------------------------------


def test_help_imports_nothing_heavy() -> None:
    """`depose --help` and `--version` load no numerical, language or rendering library."""
    for flag in ("--help", "--version"):
        ran = finish(start(flag, flags=["-X", "importtime"]))
        loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in ran.err.splitlines()}
        assert ran.code == 0
        assert "click" in loaded
        assert loaded & HEAVY == set()


def test_the_installed_command_is_this_one() -> None:
    """The console script that the package installs runs and tells its version."""
    script = Path(sys.executable).with_name("depose")
    ran = subprocess.run([script, "--version"], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout.split()[0].rstrip(",")) == (0, "depose")


@pytest.mark.criterion(60)
@pytest.mark.parametrize(
    "args",
    [
        (),
        ("nonsense",),
        ("audit",),
        ("audit", "a", "b"),
        ("audit", "none"),
        ("audit", "none", "--fail-on", "guilt"),
        ("audit", "none", "--format", "docx"),
        ("audit", "none", "--format", ""),
        ("import", "none", "file.csv"),
        ("list", "secrets"),
        ("new", "x", "--from", "nonsense"),
        ("register", "none", "--frobnicate"),
    ],
    ids=" ".join,
)
def test_a_mistake_of_usage_ends_with_2(args: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command line cannot mean is said on stderr, with exit 2 and nothing made."""
    monkeypatch.chdir(tmp_path)
    ran = depose(*args)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.strip()
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize("command", ["new", "register", "probe", "import", "analyze", "report", "audit", "list"])
def test_every_command_explains_itself_with_an_example(command: str) -> None:
    """Each command's help ends well and shows how it is used."""
    ran = depose(command, "--help")
    assert ran.code == 0
    assert f"Example:  depose {command}" in ran.out
    assert "--json" in ran.out


@pytest.mark.parametrize("what", ["probes", "detectors", "providers", "cases"])
def test_list_shows_what_is_there(what: str) -> None:
    """Each list names the built-in things, as a table and as JSON."""
    known = {"probes": "open_howto", "detectors": "phrases", "providers": "recorded", "cases": "rebadged"}[what]
    assert known in depose("list", what).out
    assert known in [row["name"] for row in json.loads(depose("list", what, "--json").out)]


# --- bundled cases ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_every_bundled_case_can_be_copied_and_registered(name: str, tmp_path: Path) -> None:
    """Every bundled case is valid as it ships: new, register and a dry run end with exit 0."""
    folder = tmp_path / "case"
    assert depose("new", folder, "--from", name).code == 0
    ran = depose("register", folder, "--json")
    assert (ran.code, json.loads(ran.out)["fresh"]) == (0, True)
    assert json.loads(ran.out)["digest"] == next(read_log(folder)).digest
    rows = json.loads(depose("probe", folder, "--dry-run", "--json").out)
    likeness = casefile.read(folder).protocol.questions != ("exposed",)
    assert (min(row["questions"] for row in rows) >= 6) == likeness
    assert likeness or max(row["questions"] for row in rows) == 0


def test_there_are_bundled_cases() -> None:
    """The cases that the manual names are among the bundled ones."""
    assert {"rebadged", "recorded"} <= set(CASES)


# --- from a case file to a report -------------------------------------------------------------------


def test_the_recorded_case_runs_to_its_end_and_is_inconclusive(audited: Path) -> None:
    """Three controls carry no opinion: all questions come out inconclusive for want of controls, with exit 0."""
    findings = json.loads((audited / "out" / "findings.json").read_text())
    assert [one["question"] for one in findings["findings"]] == ["same", "derived", "distilled"]
    assert {one["opinion"]["verdict"] for one in findings["findings"]} == {"inconclusive"}
    assert all("controls" in one["opinion"]["reasons"] for one in findings["findings"])
    assert len(findings["exhibits"]) >= 6
    assert findings["retrospective"] is True
    assert findings["protocol_digest"] == next(read_log(audited)).digest
    html = (audited / "out" / "report.html").read_text()
    assert "inconclusive" in html
    assert "<script" not in html
    assert set(files_in(audited / "out")) == {"findings.json", "scores.parquet", "exhibits.csv", "report.html"}


@pytest.mark.slow
def test_going_on_with_a_finished_case_gives_the_same_bytes(audited: Path) -> None:
    """Audit, analyze and report again: same exit code, same files, same log."""
    before = files_in(audited)
    ran = depose("audit", audited, "--format", "html")
    assert ran.code == 0
    assert "inconclusive (controls" in ran.out
    assert str(audited / "out" / "report.html") in ran.out
    assert depose("analyze", audited).code == 0
    assert depose("report", audited, "--format", "html").code == 0
    assert files_in(audited) == before


def test_json_goes_to_stdout_alone_and_parses(audited: Path) -> None:
    """With --json stdout is one JSON document: findings, files, or what was done."""
    whole = depose("audit", audited, "--format", "html", "--json")
    assert json.loads(whole.out) == json.loads((audited / "out" / "findings.json").read_text())
    assert json.loads(depose("analyze", audited, "--json").out) == json.loads(whole.out)
    report = json.loads(depose("report", audited, "--format", "html", "--json", "--fail-on", "derived:indication").out)
    assert report["files"][0]["path"] == str(audited / "out" / "report.html")
    assert (report["outcome"]["exit"], report["outcome"]["findings"][0]["opinion"]) == (5, "inconclusive")
    assert "controls" in report["outcome"]["findings"][0]["reasons"]
    assert json.loads(depose("probe", audited, "--json").out)["asked"] == 0
    assert json.loads(depose("register", audited, "--json").out)["fresh"] is False


@pytest.mark.slow
@pytest.mark.criterion(60)
def test_fail_on_turns_an_opinion_into_an_exit_code(audited: Path) -> None:
    """Inconclusive is exit 5, but only where the user asks; the results are printed all the same."""
    for command in ("audit", "analyze", "report"):
        options = () if command == "analyze" else ("--format", "html")
        assert depose(command, audited, *options, "--fail-on", "indication", "--allow-blind").code == 0
        ran = depose(command, audited, *options, "--fail-on", "inconclusive", "--fail-on", "indication")
        assert ran.code == 5
        assert "sha256" in ran.out


@pytest.mark.criterion(60)
@pytest.mark.parametrize("verdict", ["indication", "relation, kind not resolved"])
def test_an_indication_or_a_relation_is_exit_4(audited: Path, tmp_path: Path, verdict: str) -> None:
    """With --fail-on indication one such opinion among the findings ends with 4, before any 5."""
    folder = tmp_path / "case"
    shutil.copytree(audited, folder)
    file = folder / "out" / "findings.json"
    findings = json.loads(file.read_text())
    findings["findings"][1]["opinion"] = {"verdict": verdict, "reasons": []}
    file.write_text(json.dumps(findings))
    report = ("report", folder, "--format", "html")
    assert depose(*report, "--fail-on", "inconclusive", "--fail-on", "indication").code == 4
    assert depose(*report, "--fail-on", "inconclusive").code == 5
    assert depose(*report).code == 0


def test_a_copy_among_clean_controls_reaches_the_floor(tmp_path: Path) -> None:
    """A suspect that repeats the reference beats 20 controls of distinct lineage on both sides."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=20, prompts=24)
    ran = audit(folder, "--format", "html", "--json")
    findings = json.loads(ran.out)["findings"]
    assert ran.code == 0
    assert [one["exchangeability"]["k_by_name"] for one in findings] == [20] * 3
    assert min(one["k_eff"] for one in findings) >= 19  # two that share words by chance may count once
    assert [one["results"][0]["p"] for one in findings] == pytest.approx([1 / 21] * 3)
    assert "no indication" not in {one["opinion"]["verdict"] for one in findings}


def test_an_unrelated_suspect_is_no_relation(tmp_path: Path) -> None:
    """A suspect that has nothing to do with the reference is never exit 4."""
    folder = recorded_case(tmp_path / "case", suspect="a stranger", controls=20, prompts=24)
    ran = audit(folder, "--format", "html", "--fail-on", "indication", "--allow-blind", "--json")
    assert ran.code == 0
    assert min(one["results"][0]["p"] for one in json.loads(ran.out)["findings"]) > 0.05


# --- what stops a command ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small case of recorded answers, audited once."""
    folder = recorded_case(tmp_path_factory.mktemp("small") / "case", suspect="same", controls=2, prompts=6)
    assert audit(folder, "--format", "html").code == 0
    return folder


@pytest.mark.parametrize("command", ["register", "probe", "analyze", "audit"])
def test_a_case_changed_after_registration_is_refused(small: Path, tmp_path: Path, command: str) -> None:
    """Moving alpha after registration ends with exit 1 and leaves the folder as it was."""
    folder = shutil.copytree(small, tmp_path / "case")
    file = folder / "case.toml"
    file.write_text(file.read_text().replace("[protocol]", "[protocol]\nalpha = 0.2"))
    before = files_in(folder)
    ran = depose(command, folder)
    assert (ran.code, ran.out) == (1, "")
    assert "from the registered protocol" in ran.first
    assert files_in(folder) == before


@pytest.mark.criterion(60)
@pytest.mark.parametrize("command", ["register", "probe", "analyze", "audit"])
def test_a_log_that_does_not_verify_ends_with_3(small: Path, tmp_path: Path, command: str) -> None:
    """One changed letter in an answer of the log stops every command that reads it."""
    folder = shutil.copytree(small, tmp_path / "case")
    data = log_path(folder).read_bytes()
    place = data.rindex(STOCK[0].encode(), 0, data[:-1].rindex(b"\n"))
    log_path(folder).write_bytes(data[:place] + b"X" + data[place + 1 :])
    before = files_in(folder)
    ran = depose(command, folder)
    assert (ran.code, ran.out) == (3, "")
    assert "the log was changed after it was written" in ran.err
    assert files_in(folder) == before


def test_nothing_is_analyzed_or_reported_before_its_turn(tmp_path: Path) -> None:
    """Each command names the one that comes before it."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=2, prompts=6)
    for command in ("probe", "analyze"):
        ran = depose(command, folder)
        assert (ran.code, f"depose register {folder}" in ran.err) == (1, True)
    assert depose("register", folder).code == 0
    assert depose("analyze", folder).code == 1
    ran = depose("report", folder)
    assert (ran.code, f"depose analyze {folder}" in ran.err) == (1, True)
    assert not (folder / "out" / "report.html").exists()


def test_a_folder_that_cannot_be_written_is_an_error_and_no_crash(tmp_path: Path) -> None:
    """Where evidence cannot be kept, the place is named and the exit code is 1."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=2, prompts=6)
    (folder / "evidence").write_text("a file where a folder should be")
    ran = depose("audit", folder)
    assert ran.code == 1
    assert ran.first.startswith(f"error: {folder}/evidence")


@pytest.mark.slow
def test_an_interrupt_ends_with_1_and_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while asking leaves a log that verifies and prints no traceback."""
    site = install(tmp_path / "site")
    monkeypatch.syspath_prepend(site)
    folder = scripted_case(tmp_path / "case", {"S1": "slow", "R1": "slow"}, probes=["open_howto:100"])
    assert depose("register", folder).code == 0
    gate(folder).write_text("20")
    process = start("probe", folder, path=[site])
    notes = tmp_path / "asked-case.txt"
    until(lambda: notes.is_file() and notes.read_text().count("\n") > 20, process)
    ran = interrupt(process, gate(folder).unlink)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines()[-1] == "stopped; run the same command again to go on"
    assert "Traceback" not in ran.err
    assert 0 < len(ledger.entries(folder).exchanges) < 200


def test_hostile_names_do_not_steer_the_terminal(tmp_path: Path) -> None:
    """Control characters and bidi marks of a case are written out on stdout and stderr, and escaped in JSON."""
    folder = recorded_case(tmp_path / "case", suspect="same", controls=2, prompts=6)
    file = folder / "case.toml"
    file.write_text(file.read_text().replace("A made-up case", "\\u001b[2J\\u202e\\u009b31m"))
    ran = audit(folder, "--format", "html")
    assert ran.code == 0
    assert ran.out.startswith("\\x1b[2J\\u202e\\x9b31m: 6 prompts, 4 models\n")
    shown = ran.out + ran.err + depose("analyze", folder, "--json").out
    assert [c for c in shown if not c.isprintable() and c != "\n"] == []
    assert depose("register", tmp_path / "\x1b[2J").first == f"error: {tmp_path}/\\x1b[2J: no such case folder"


@pytest.mark.slow
def test_progress_goes_to_stderr_and_is_a_bar_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal a bar counts to the end; stdout holds the result alone."""
    site = install(tmp_path / "site")
    folder = scripted_case(tmp_path / "case", {"S1": "slow", "R1": "same"}, probes=["open_howto:30"])
    monkeypatch.syspath_prepend(site)
    assert depose("register", folder).code == 0
    leader, follower = pty.openpty()
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(TESTS)])}
    command = [sys.executable, "-c", "from depose.cli import main; main()", "probe", str(folder)]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=follower)
    os.close(follower)
    shown = b""
    with contextlib.suppress(OSError):  # so ends a terminal that nobody writes to any more
        while piece := os.read(leader, 100_000):
            shown += piece
    os.close(leader)
    out, _ = process.communicate()
    result, *_, checkpoint = out.decode().splitlines()
    assert (process.returncode, result) == (0, "asked 60: 60 answered, 0 failed")
    assert re.fullmatch(r"checkpoint: \d+ records before it, sha256 [0-9a-f]{64}", checkpoint)
    assert "asked 60/60 [" + "#" * 24 + "]" in shown.decode()
    assert len(ledger.entries(folder).exchanges) == 60
