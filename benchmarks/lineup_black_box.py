"""What a black box shows of the bundled case `exposed`, at an equal number of calls.

    python benchmarks/lineup_black_box.py [--rounds N]     about ten minutes of a processor for one round

S1 learnt the 96 delivered answers, S2 and B did not. By `text` each model answers each context three times in a round,
by `continuation` it goes on once from the first third of each of the three members: 288 calls both. Each is a case of
its own, registered, built, asked on live local weights and tested by the commands' own functions. Prints Markdown.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from depose import pipeline
from depose.cli.options import now
from depose.lineup import acts
from depose.lineup.scorers import score_model
from depose.lineup.unfolding import unfold
from depose.model.lineup_findings import LineupFinding

EXPOSED = Path(__file__).parents[1] / "casefiles" / "exposed"
MEMBERS = 3
TOKENS = 64
"""New tokens of a call at most: as many as R1 drew."""


def tested(folder: Path, statistic: str, samples: int) -> tuple[LineupFinding, ...]:
    """Take the bundled case through all acts by another statistic."""
    case, owner = folder / "case", folder / "owner"
    shutil.copytree(EXPOSED, case)
    owner.mkdir()
    for name in ("thrown.jsonl", "coin.key"):
        shutil.move(case / name, owner / name)
    text = (case / "case.toml").read_text().replace('minus = "R1"', f'statistic = "{statistic}"\nsamples = {samples}')
    (case / "case.toml").write_text(text.replace("seed = 7", f"seed = 7\nmax_tokens = {TOKENS}"))
    pipeline.register_case(case, now)
    thrown, coin = owner / "thrown.jsonl", owner / "coin.key"
    deliveries, decoys = map(Path, unfold(thrown.read_bytes(), "log", coin.read_bytes(), owner / "files", ()).files)
    acts.build_bags(case, deliveries, decoys, owner / "key.json", now)
    acts.seal_key(case, owner / "key.json", "benchmark", now)
    for code in ("S1", "S2", "B"):
        score_model(case, code, now, lambda done, total: None)
    acts.seal_scores(case, now)
    acts.open_key(case, owner / "key.json", now, thrown, coin)
    findings, _ = pipeline.analyze_case(case, lambda line: None, now)
    return acts.line_up_of(findings).findings


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=1, help="how often the calls of one round are made")
    rounds: int = parser.parse_args().rounds
    print("| statistic | calls | model | delivered picked, of 96 | area | exact p |")
    print("|---|---|---|---|---|---|", flush=True)
    for statistic, samples in (("text", MEMBERS * rounds), ("continuation", rounds)):
        with tempfile.TemporaryDirectory() as folder:
            for one in tested(Path(folder), statistic, samples):
                print(
                    f"| `{statistic}` | {96 * MEMBERS * rounds} | {one.suspect} | {one.picks} | {one.area:.3f} "
                    f"| {10**one.log10_p:.2g} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
