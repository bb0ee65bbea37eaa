"""Print what a study's `performance.json` counted of opinions, and its doses, as the tables of docs/validation.md.

    python benchmarks/opinion_rates.py FILE [PROMPTS]

FILE: studies/NAME.json beside a calibration that ships, or performance.json of `depose validate`; or its
validation.json, for the opinions by a study of another population (`--judge-by`). PROMPTS: the largest number if none
is named.
"""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from depose.model import Dose, OpinionRate, Performance
from depose.statistics.rounding import at_least, at_most
from depose.validate.judged import ASIDE

HEAD = "| question | the two are | pairs (families) | p at alpha | `relation` | `indication` (families) | bounds |\n"


def counted(path: Path) -> tuple[list[OpinionRate], tuple[Dose, ...]]:
    """Read what was counted: by a study of its own population, or by one of another."""
    found = msgspec.json.decode(path.read_bytes())
    if "judged_by" in found:
        rows = [row for rates in found["judged_by"].values() for row in rates]
        return msgspec.convert(rows, list[OpinionRate]), ()
    study = msgspec.convert(found, Performance)
    return list(study.opinions), study.doses


def main() -> None:
    """Print one row for each question and kind of pair, and one for each number of prompts and its doses."""
    opinions, doses = counted(Path(sys.argv[1]))
    size = int(sys.argv[2]) if len(sys.argv) > 2 else max(one.prompts for one in opinions)
    print(HEAD + "|---|---|---|---|---|---|---|")
    for one in opinions:
        if one.prompts == size:
            kind = f"**{one.kind}**" if one.true else one.kind
            print(
                f"| {one.question} | {kind} | {one.n} ({one.n_families}) | {one.at_alpha} | {one.relations} "
                f"| {one.indications} ({one.k_families}) | {at_least(one.lower95, 3)} to {at_most(one.upper95)} |"
            )
    print(f"{ASIDE[0].upper()}{ASIDE[1:]}.")
    for prompts in dict.fromkeys(one.prompts for one in doses):
        row = [one for one in doses if one.prompts == prompts]
        print(f"{prompts} prompts: " + ", ".join(f"{o.percent} %: {o.k} ({o.indications}) of {o.n}" for o in row))


if __name__ == "__main__":
    main()
