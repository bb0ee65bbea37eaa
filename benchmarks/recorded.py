"""Audit two recorded suspects against two recorded references, with every clean control there is.

    python benchmarks/recorded.py [--data ../shared/data] [--out cases/recorded]

Each reference is a case of its own, in which the other one is a candidate: with K controls a second tested
reference would need twice as many (design.md). Uses only commands of depose.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

from depose.case.population import Member, members

SUSPECTS = ("alpaca-7b", "llama-2-7b-chat-hf")
REFERENCES = ("text_davinci_003", "gpt-3.5-turbo-0301")
SOURCE = "alpaca_eval"
TAUGHT_BY = "OpenAI"
ANSWERS = "answers.parquet"
"""A case names no file outside its folder."""

HEAD = """[case]
title = "Recorded outputs of alpaca_eval against {reference}"
authority = "published benchmark outputs, research use"

[protocol]
questions = ["same", "derived", "distilled"]
alpha = 0.05
seed = 7
prompts = {prompts}
detectors = ["phrases", "wording", "openings", "starts", "first_words", "fuzzy", "layout", "length"]
"""


def case_text(population: tuple[Member, ...], reference: str) -> str:
    """Write a case file with one tested reference."""
    parts = [HEAD.format(reference=reference, prompts=json.dumps(ANSWERS))]
    rival = next(name for name in REFERENCES if name != reference)
    roles = {**dict.fromkeys(SUSPECTS, "suspect"), reference: "reference", rival: "candidate"}
    numbers: dict[str, int] = {}
    for one in population:
        role = roles.get(one.name, "control")
        letter = {"suspect": "S", "reference": "R", "candidate": "X", "control": "C"}[role]
        numbers[letter] = numbers.get(letter, 0) + 1
        if role == "control" and (one.developer == TAUGHT_BY or TAUGHT_BY in one.trained_on):
            continue
        fields = {
            "code": f"{letter}{numbers[letter]}",
            "role": role,
            "provider": "recorded",
            "file": ANSWERS,
            "model": one.name,
            "developer": one.developer,
            "weight_lineage": one.weight_lineage,
            "data_lineage": one.data_lineage,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in fields.items()]
        lines.append(f"trained_on = {json.dumps(list(one.trained_on))}")
        parts.append("[[models]]\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def show(folder: Path) -> None:
    """Print one row for each suspect and question, with names instead of codes."""
    found = json.loads((folder / "out" / "findings.json").read_text(encoding="utf-8"))
    names = {item["code"]: item["name"] for item in found["items"]}
    for one in found["findings"]:
        primary = next((result for result in one["results"] if result["primary"]), None)
        numbers = "not scored"
        if primary is not None:
            p = f"p_R {primary['p_reference']:.3f} p_S {primary['p_suspect']:.3f} floor {one['floor']:.3f}"
            numbers = f"T {primary['value']:6.2f}  {p}  length-matched p {primary['p_length_matched']:.3f}"
        reasons = f" ({', '.join(one['opinion']['reasons'])})" if one["opinion"]["reasons"] else ""
        pair = f"{names[one['suspect']]} / {names[one['reference']]}"
        counts = f"K {one['k']} K_eff {one['k_eff']}"
        print(f"{pair:<42} {one['question']:<10} {numbers}  {counts}  {one['opinion']['verdict']}{reasons}")


def main() -> int:
    """Make both cases, audit them, print one row for each suspect, reference and question."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("cases/recorded"))
    parser.add_argument("--format", default="html,pdf")
    options = parser.parse_args()
    data = options.data.resolve()
    if not (data / "lineage.csv").is_file():
        print(f"skipped: {data} is not here; this demonstration needs the lineage benchmark")
        return 0
    start = time.monotonic()
    population = members(data, SOURCE)
    for reference in REFERENCES:
        folder = options.out / reference
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copyfile(data / f"responses-{SOURCE}.parquet", folder / ANSWERS)
        (folder / "case.toml").write_text(case_text(population, reference), encoding="utf-8")
        depose = Path(sys.executable).with_name("depose")
        subprocess.run([depose, "audit", folder, "--format", options.format], check=True)
        print()
    for reference in REFERENCES:
        show(options.out / reference)
    print(f"{len(REFERENCES)} cases, {len(SUSPECTS)} suspects each: {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
