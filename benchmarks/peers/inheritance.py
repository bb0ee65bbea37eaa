"""Rival tests of weights on the same pairs as depose: who is called kin, who falsely, in how many seconds.

    python benchmarks/peers/inheritance.py --kit PYTHON --tracing FOLDER

PYTHON is that of an environment with `cisco-ai-provenance-kit` (1.0.0 asks for Python 3.12); FOLDER is a checkout of
`model-tracing` (Zhu et al. 2025). What is not given is not run, and the table says so.

Pairs: bases of the laboratory's fast recipe from several seeds, on the same texts with the same tokenizer, which are
strangers to each other; one of them changed in every way of `benchmarks/weights.py`; and random weights of another
shape. A call is `not independent` of depose, "Confirmed Match" or "High-Confidence Match" of the kit, an aggregate
p of at most 1e-6, as ours, of model-tracing's test of weights (`csu`). That test multiplies on a GPU; here `cuda` is
taken for the processor, and nothing else of it is touched.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import weights
from weights import changes

BASES = 4
INSIDE = Path(__file__).with_name("inside_inheritance.py")
TOKENIZER = ("tokenizer.json", "tokenizer_config.json")


def lay(folder: Path, steps: int) -> list[dict[str, Any]]:
    """Write every model, and say which pairs are asked for: its name, both folders, whether they are kin."""
    made = weights.bases(folder, steps, BASES)
    base, stranger = made[0], made[1]
    pairs = [
        {"name": f"strangers {one.name[-1]} and {other.name[-1]}", "pair": [str(one), str(other)], "kin": False}
        for place, one in enumerate(made)
        for other in made[:place]
    ]
    config, other = changes.initialised(5, hidden_size=96, num_hidden_layers=3, vocab_size=2048)
    for place, (name, make) in enumerate(weights.changed(base, stranger).ways.items()):
        said, tensors = make()
        pairs.append({"name": name, "pair": [str(_save(folder / f"way-{place}", said, tensors, base)), str(base)],
                      "kin": True})  # fmt: skip
    another = _save(folder / "another", config, other, base)
    return [*pairs, {"name": "a stranger of another shape", "pair": [str(another), str(base)], "kin": False}]


def _save(folder: Path, config: Any, tensors: changes.Tensors, base: Path) -> Path:
    """Write a model with the tokenizer of a base, its table of tokens serving as output too."""
    whole = json.loads((base / "config.json").read_text(encoding="utf-8"))
    changes.save(folder, {**whole, **config, "tie_word_embeddings": True}, tensors)
    for name in TOKENIZER:
        (folder / name).write_bytes((base / name).read_bytes())
    return folder


def ours(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compare with depose."""
    found = []
    for one in pairs:
        finding, seconds = weights.compared(*map(Path, one["pair"]))
        called = finding.reading == "not independent"
        found.append({"called": called, "said": f"p {weights.power_of_ten(finding.log10_p)}", "seconds": seconds})
    return found


def theirs(python: str, peer: str, place: str, pairs: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Run a peer in its own environment; raise SystemExit with its last words where it does not run."""
    task = folder / "task.json"
    task.write_text(json.dumps([one["pair"] for one in pairs]), encoding="utf-8")
    done = subprocess.run(
        [python, str(INSIDE), peer, place, str(task)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    if done.returncode:
        raise SystemExit(f"{peer} does not run:\n{done.stderr[-2_000:]}")
    found: list[dict[str, Any]] = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    return found


def table(pairs: list[dict[str, Any]], columns: dict[str, list[dict[str, Any]]]) -> None:
    """Print every pair, and what each tool called."""
    print(f"\n| pair | kin | {' | '.join(columns)} |\n|---|---|{'---|' * len(columns)}")
    for place, one in enumerate(pairs):
        cells = [
            f"{'**called**' if each[place]['called'] else 'not called'}, {each[place]['said']}"
            for each in columns.values()
        ]
        print(f"| {one['name']} | {'yes' if one['kin'] else 'no'} | {' | '.join(cells)} |")
    print("\n| tool | kin called | strangers called | could not say | median seconds a pair |\n|---|---|---|---|---|")
    for name, each in columns.items():
        kin = [one["called"] for pair, one in zip(pairs, each, strict=True) if pair["kin"]]
        strangers = [one["called"] for pair, one in zip(pairs, each, strict=True) if not pair["kin"]]
        failed = sum("no answer" in one["said"] for one in each)
        seconds = sorted(one["seconds"] for one in each)[len(each) // 2]
        print(
            f"| {name} | {sum(kin)} of {len(kin)} | {sum(strangers)} of {len(strangers)} | {failed} | {seconds:.1f} |"
        )


def main() -> None:
    """Lay out the pairs, run what is there, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kit", help="Python of an environment with cisco-ai-provenance-kit")
    parser.add_argument("--tracing", help="checkout of model-tracing")
    parser.add_argument("--steps", type=int, default=120, help="how long bases are trained")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = lay(folder, asked.steps)
        columns = {"depose": ours(pairs)}
        for peer, python, place in (
            ("cisco-ai-provenance-kit", asked.kit, "-"),
            ("model-tracing", asked.tracing and sys.executable, asked.tracing),
        ):
            if python:
                columns[peer] = theirs(python, peer, place, pairs, folder)
            else:
                print(f"{peer}: not given, not run")
        table(pairs, columns)


if __name__ == "__main__":
    main()
