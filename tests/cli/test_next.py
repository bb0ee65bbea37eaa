"""What stands behind `next:` is a command that runs as it stands; anything else that may be done is a hint."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import depose as package
from depose.cli import cli
from depose.cli.steps import TO_FILL, advice, runs
from fakes import case_of, depose, fit, model, write_case
from faults import Server
from faulty import remote

SOURCE = Path(package.__file__).parent
COMMAND = re.compile(r"depose [a-z]+( [a-z]+)? some-file( --?[a-z-]+ some-file| && depose .*)*$")
FORMATS = {f"depose {kind} some-file" for kind in ("copy", "proof", "seal")}
"""Names of formats, with their number."""
FILLED = TO_FILL | {"...", "writes"}


def texts(part: str) -> Iterator[tuple[str, str]]:
    """Give every text of the code that holds a part, with its file; what is put into it stands as a file's name."""
    for file in SOURCE.rglob("*.py"):
        code = file.read_text("utf-8")
        if part in code:
            yield from ((file.name, text) for text in _said(ast.parse(code)) if part in text)


def _said(tree: ast.AST) -> Iterator[str]:
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "some-file" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.value


def test_commands_that_are_written_in_the_code_exist() -> None:
    """A text that begins as a command of depose, with options and all, is one; a sentence about depose is none."""
    commands = [text for _, text in texts("depose ") if COMMAND.match(text) and not FILLED & {*text.split()}]
    commands = [text for text in commands if text not in FORMATS]
    assert len(commands) > 20
    assert [text for text in commands if not runs(text)] == []


def test_nobody_writes_next_by_hand() -> None:
    """`next: ` stands in one place of the code, which looks at what it is put before."""
    assert {file for file, text in texts("next: ") if "\n" not in text} == {"steps.py", "words.py"}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("depose status acme", "next"),
        ("depose check 'my case' && depose audit 'my case'", "next"),
        ("depose seal acme --key KEY", "hint"),
        ("depose lineup build acme --key=FILE", "hint"),
        ("depose check acme, then depose audit acme", "hint"),
        ("depose import acme a.csv ...", "hint"),
        ("depose it's", "hint"),
        ("depose validate writes calibration.json", "hint"),
        ("depose audit", "hint"),
        ("depose analyse acme", "hint"),
        ("depose extraction simulate --help", "next"),
        ("depose pack info", "next"),
        ("make a key: depose keygen FILE", "hint"),
        ("", "hint"),
    ],
)
def test_a_command_is_told_from_advice(text: str, label: str) -> None:
    """A word to be filled in, a sentence, or a quote that is not closed is nothing to be typed."""
    assert advice(text) == f"{label}: {text}"


@pytest.mark.slow
def test_what_is_said_to_come_next_leads_to_a_verified_bundle(tmp_path: Path) -> None:
    """From the first command on each `next:` is typed as it stands, until the bundle is verified."""
    models = [model("S1", "suspect"), model("R1", "reference"), model("C1", "control")]
    folder = write_case(tmp_path / "my case", {**case_of(models)})
    answers = tmp_path / "answers.jsonl"
    from depose.case import casefile
    from depose.registering import frozen_case

    case = casefile.read(folder)
    rows = [{"id": one.id, "prompt": one.text} for one in frozen_case(case, folder).prompts]
    assert depose("register", fit(folder)).out.splitlines()[-1].startswith("hint: depose import ")
    for spec in case.models:
        text = [json.dumps({**row, "output": f"{spec.code} says of it {n}"}) for n, row in enumerate(rows)]
        answers.write_text("\n".join(text))
        depose("import", folder, "--model", spec.code, answers)
    seen = []
    for _ in range(8):
        line = depose("status", folder).out.splitlines()[-1]
        assert line.startswith("next: ")
        for one in line.removeprefix("next: ").split(" && "):
            seen.append(shlex.split(one)[1])
            ran = depose(*shlex.split(one)[1:])
            assert ran.code == 0, ran.err
        if seen[-1] == "verify":
            break
    assert seen == ["analyze", "report", "keygen", "seal", "verify"]
    for place in (folder, folder / "sealed"):
        wrong = depose("verify", place)
        assert (wrong.code, f"next: {line.removeprefix('next: ').partition(' --public-key')[0]}" in wrong.err) == (
            2,
            True,
        )
    again = depose("seal", folder, "--key", tmp_path / "my case-key.pem")
    assert again.out.startswith("unchanged: ")
    assert "VERIFIED" in ran.out


def test_an_error_with_json_is_an_object(tmp_path: Path) -> None:
    """Every command that has --json prints an object of its error on stdout: of depose, of the system, of its use."""
    (tmp_path / "case.toml").write_text("[case")
    found = depose("check", tmp_path, "--json")
    made = json.loads(found.out)
    assert (made["error"], made["exit"], found.code) == ("CaseError", 1, 1)
    assert made["message"] in found.err
    assert made["hint"]
    for words in (("check", "--json"), ("report", "x", "--fail-on", "guilt", "--json"), ("audit", "a", "b", "--json")):
        ran = depose(*words)
        assert (json.loads(ran.out)["error"], json.loads(ran.out)["exit"], ran.code) == ("UsageError", 2, 2)
    ran = depose("pack", "add", tmp_path / "none.pack", "--json")
    assert "none.pack" in json.loads(ran.out)["message"]
    ran = depose("pack", "build", "a", "--key", tmp_path / "none.pem", "--case", tmp_path, "--json")
    assert "Errno" not in ran.err + ran.out
    (tmp_path / "file").write_text("")
    ran = depose("keygen", tmp_path / "file" / "key", "--json")
    assert json.loads(ran.out)["exit"] == ran.code != 0
    assert depose("check", tmp_path).out == ""


def test_every_command_that_prints_json_is_covered() -> None:
    """--json is one option of one name, so that one place can look for it."""

    def commands(group: click.Group) -> Iterator[click.Command]:
        for one in group.commands.values():
            yield from commands(one) if isinstance(one, click.Group) else (one,)

    named = {option for one in commands(cli) for p in one.params for option in p.opts if "json" in option}
    assert named == {"--json"}


def test_an_audit_that_could_say_nothing_asks_nobody(tmp_path: Path) -> None:
    """Where no finding could speak and answers would be paid for, an audit stops before it asks; it says why."""
    with Server() as server:
        models = [remote(server.url), remote(server.url, "R1", "reference")]
        folder = write_case(tmp_path / "case", case_of(models, replicates=1))
        ran = depose("audit", folder)
        assert (ran.code, server.seen) == (1, [])
        assert "beforehand: S1, R1, same, derived, distilled: 0 independent clean control lineages" in ran.err
        assert "no finding could ever speak, and 2 models would be asked" in ran.err
        assert "--allow-blind" in ran.err
        assert not (folder / "evidence").exists()


def test_reading_a_line_leaves_the_help_as_it_is() -> None:
    """`-h` is among the names of --help of a command whose line was read before its help was asked for."""
    ran = subprocess.run(
        (sys.executable, "-c", "from depose.cli.steps import runs; assert runs('depose keygen k'); "
         "from depose.cli import cli; cli.main(['keygen', '--help'])"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "-h, --help" in ran.stdout
