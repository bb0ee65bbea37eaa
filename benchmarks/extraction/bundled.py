"""Make the bundled case `extraction` anew: a simulated log with a planted campaign, imported, by a fixed seed.

python benchmarks/extraction/bundled.py casefiles/extraction
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from depose.extraction import importing, simulate, worlds

RECIPE = worlds.Recipe(
    accounts=420,
    clean=21,
    days=21,
    look_alikes=("classes",),
    volume=4.0,
    campaign=worlds.Campaign(accounts=30, per_day=4.0, templates=60, cover=0.5, timing="sync"),
)
SEED = 19
CASE = """#:schema ./extraction.schema.json
# A simulated log: nobody's accounts. 30 of the 450 collect in concert, half of what they ask being cover; two
# courses ask common homework in both periods. `depose extraction scan` finds the former and sets the latter aside.
[case]
title = "Bundled log"
authority = "made up by depose extraction simulate"

[period]
clean = ["2026-03-01", "2026-03-21"]
tested = ["2026-03-22", "2026-04-11"]

[strata]
by = ["volume"]
fewest = 99

[tests]
swaps = 299
draws = 299

[[releases]]
model = "model-2"
at = "{release}"
"""


def main(goal: Path) -> None:
    """Write the case."""
    with tempfile.TemporaryDirectory() as place:
        work = Path(place) / "case"
        done = simulate.write(work, RECIPE, "litellm", None, SEED)
        said = (work / "extraction.toml").read_text()
        release = said.rpartition('at = "')[2].partition('"')[0]
        (work / "extraction.toml").write_text(CASE.replace("{release}", release))
        manner = importing.Manner(
            format="litellm", hash_key=str(work / "custodian.key"), countries=str(work / "countries.csv")
        )
        importing.load(work, [work / "log.jsonl.gz"], manner, print)
        shutil.rmtree(goal, ignore_errors=True)
        shutil.copytree(work / "events", goal / "events")
        shutil.copy(work / "extraction.toml", goal / "extraction.toml")
        print(done.requests, "requests,", done.planted, "planted")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
