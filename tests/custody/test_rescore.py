"""The bundled script that scores again without a line of depose."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from depose import pipeline
from depose.cli.options import now
from depose.custody import keys
from depose.custody.seal import seal
from depose.features import self_names
from depose.model import Primary
from disguises import disguised
from fakes import recorded_case, words

SCRIPT = Path(pipeline.__file__).parent / "custody/rescore.py"
SELVES = (
    "As an AI language model trained by OpenAI, I must be careful.",
    "I am Claude 3.5, made by Anthropic!",
    "My knowledge cutoff is 2023?",
    "The llama is an animal.",
)
LAYOUTS = ("{}", "- {}\n", "1. {}\n\n", "**{}** — `x`: ", "{}\n")


def talk(truth: str, prompt: str) -> str:
    """Answer in sentences, lists and layout, with a self-description now and then; `light` repeats most of `same`."""
    chance = random.Random(f"{'same' if truth == 'light' else truth} {prompt}")
    parts = []
    for number in range(chance.randint(4, 9)):
        said = " ".join(
            words(chance.randint(3, 14), "same" if truth == "light" and number % 3 else truth, prompt, str(number))
        )
        layout = chance.choice(LAYOUTS)
        parts.append(layout.format(said.capitalize() + chance.choice(".!?…")))
        if chance.random() < 0.3:
            parts.append(chance.choice(SELVES))
    return " ".join(parts)


def bundle(folder: Path, primary: str) -> Path:
    """Audit a case of talkative recorded models, some answers missing or in other clothes; seal and unpack it."""
    case = recorded_case(folder / "case", suspect="light", controls=6, prompts=12)
    rows = [json.loads(line) for line in (case / "answers.jsonl").read_text().splitlines()]
    truths, chance = {"S1": "light", "R1": "same"}, random.Random(3)
    kept = []
    for number, row in enumerate(rows):
        said = talk(truths.get(row["model"], row["model"]), row["prompt"])
        row["output"] = disguised(said, chance) if row["model"] in ("S1", "R1") else said
        if number % 17 != 5:
            kept.append(json.dumps(row))
    (case / "answers.jsonl").write_text("\n".join(kept) + "\n")
    file = case / "case.toml"
    text = file.read_text().replace('detectors = ["phrases", "length"]', f'detectors = ["{primary}", "length"]')
    file.write_text(re.sub(r'(same|derived|distilled) = "phrases"', rf'\1 = "{primary}"', text))
    pipeline.register_case(case, now)
    pipeline.probe(case, now, lambda answered, failed: None)
    pipeline.analyze_case(case, lambda line: None, now)
    keys.make(folder / "key.pem")
    done = seal(case, keys.load(folder / "key.pem"), now, {})
    subprocess.run([sys.executable, "-m", "zipfile", "-e", done.bundle, folder / "work"], check=True)
    return folder / "work"


def scored(work: Path) -> subprocess.CompletedProcess[str]:
    """Run the script as VERIFY.md says."""
    return subprocess.run([sys.executable, "-I", "SCORE.py"], cwd=work, capture_output=True, text=True, check=False)


@pytest.mark.criterion(46)
@pytest.mark.parametrize(
    "primary",
    ["phrases", *(pytest.param(one, marks=pytest.mark.slow) for one in ("wording", "habits", "starts", "openings"))],
)
def test_the_score_that_decides_is_reproduced(tmp_path: Path, primary: str) -> None:
    """For each default detector T agrees within the printed tolerance, names taken out and answers missing."""
    work = bundle(tmp_path, primary)
    assert "As an AI language model" in (work / "evidence/log.jsonl").read_text()
    ran = scored(work)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count(f"T of {primary} ") == 3
    last = ran.stdout.splitlines()[-1]
    found = re.fullmatch(r"reproduced; largest difference (\S+), tolerance 1e-06; not scored here: none", last)
    assert found is not None, last
    assert float(found[1]) < 1e-9
    value = json.loads((work / "out/findings.json").read_text())["findings"][0]["results"][0]["value"]
    assert abs(value) > 0.1


@pytest.mark.slow
def test_another_score_is_not_reproduced(tmp_path: Path) -> None:
    """A value edited in the findings, or an answer edited in the log, ends with 1 and the difference."""
    work = bundle(tmp_path, "phrases")
    log = work / "evidence/log.jsonl"
    kept = log.read_text()
    log.write_text(kept.replace('"model":"S1"', '"model":"C1"', 3))
    assert "NOT REPRODUCED: differs by" in scored(work).stderr
    log.write_text(kept)
    assert scored(work).returncode == 0
    file = work / "out/findings.json"
    findings = json.loads(file.read_text())
    findings["findings"][0]["results"][0]["value"] += 0.001
    file.write_text(json.dumps(findings))
    assert "NOT REPRODUCED: differs by 0.001" in scored(work).stderr


@pytest.mark.slow
def test_what_it_cannot_score_it_says(tmp_path: Path) -> None:
    """A detector that it does not know is named as not scored here."""
    ran = scored(bundle(tmp_path, "fuzzy"))
    assert (ran.returncode, ran.stdout.count("S1 and R1")) == (0, 3)
    assert "not scored here: S1 and R1, same" in ran.stdout


def test_the_script_scores_every_detector_that_decides_by_default() -> None:
    """Another default detector must be written anew there too, and tried above."""
    assert set(Primary().detectors()) <= set(re.findall(r'^    "(\w+)": lambda rows:', SCRIPT.read_text(), re.M))


def test_the_script_knows_the_same_names() -> None:
    """Its list of makers, written anew, is the one that detectors leave out."""
    found = re.search(r'MAKERS = """(.*?)"""', SCRIPT.read_text(), re.S)
    assert found is not None
    assert tuple(found[1].split()) == self_names.NAMES


def test_the_script_imports_nothing_but_the_standard_library() -> None:
    """Neither depose nor numpy."""
    text = SCRIPT.read_text()
    assert set(re.findall(r"^import (\w+)|^from (\w+)", text, re.M)) <= {
        (name, "") for name in ("collections", "hashlib", "json", "math", "pathlib", "re", "sys", "unicodedata")
    }
