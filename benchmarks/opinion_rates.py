"""Print what a study's `performance.json` counted of opinions, and its doses, as the tables of docs/validation.md.

    python benchmarks/opinion_rates.py FILE [PROMPTS]

FILE: studies/NAME.json beside a calibration that ships, or performance.json of `depose validate`; PROMPTS: the largest
number if none is named.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from depose.model import Performance

HEAD = "| question | the two are | pairs (families) | p at alpha | `relation` | `indication` (families) | bounds |\n"


def main() -> None:
    """Print one row for each question and kind of pair, and one for each number of prompts and its doses."""
    study = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Performance)
    size = int(sys.argv[2]) if len(sys.argv) > 2 else max(one.prompts for one in study.opinions)
    print(HEAD + "|---|---|---|---|---|---|---|")
    for one in study.opinions:
        if one.prompts == size:
            kind = f"**{one.kind}**" if one.true else one.kind
            print(
                f"| {one.question} | {kind} | {one.n} ({one.n_families}) | {one.at_alpha} | {one.relations} "
                f"| {one.indications} ({one.k_families}) | {one.lower95:.3f} to {one.upper95:.3f} |"
            )
    for prompts in dict.fromkeys(one.prompts for one in study.doses):
        row = [one for one in study.doses if one.prompts == prompts]
        print(f"{prompts} prompts: " + ", ".join(f"{o.percent} %: {o.k} ({o.indications}) of {o.n}" for o in row))


if __name__ == "__main__":
    main()
