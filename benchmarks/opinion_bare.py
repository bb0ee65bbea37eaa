"""How often the opinion is wrong once a small p must stand without bare words: `make opinions-bare-words`.

    python benchmarks/opinion_bare.py [--data ../shared/data] [--modern ../shared/data-modern] [--out out/opinions]
        [--all]

The counts of the studies that ship leave the rule on bare words (docs/controls.md) aside, since it reads answers anew.
Here every pair of both populations whose opinion is `indication` or `relation`, by the study of its own population or
by that of the other, is ranked anew without bare words, as a case ranks it, on all prompts. Its opinion is then looked
up again by the same calibration without its lineages. All others whose p comes to alpha, which no opinion accuses, are
ranked anew with `--all` (twice the time). Beside each count stands the one without the rule, which must be that of the
study that ships. What was computed stands in a file of OUT for each state of code; a run that was killed goes on there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from math import ceil, floor
from pathlib import Path

from bare_case import low
from dressed_alike import ENGLISH, JAPANESE
from kept_rows import Row, Store
from opinion_pairs import ACCUSED, Source, anew, opinions, state

from depose.case import calibration
from depose.model import OpinionRate
from depose.statistics.rates import lower_bound, upper_bound
from depose.validate.labelled import QUESTIONS
from depose.validate.opinions import TRUE
from depose.validate.study import PRIMARY

HEAD = (
    "| question | the two are | pairs (families) | p at alpha{bare} | `relation` | ... with the rule "
    "| `indication` (families) | ... with the rule | bounds, with the rule |\n" + "|---" * 9 + "|"
)


def table(by: str, rows: Sequence[Row], bare: dict[tuple[str, str], Row], whole: bool) -> Iterator[str]:
    """Write a row for each question and kind of pair."""
    yield HEAD.format(bare=", without bare words too" if whole else "")
    for question in QUESTIONS:
        mine = [row for row in rows if row["question"] == question]
        if not any(row["said"][by] in ACCUSED for row in mine):
            continue  # no ratio, and so no opinion
        for name in sorted(dict.fromkeys(row["kind"] for row in mine), key=TRUE.__ne__):
            listed = [row for row in mine if row["kind"] == name]
            called = [row for row in listed if row["p"] <= 0.05]
            before = [row["said"][by] for row in listed]
            after = [_after(row, by, bare) for row in listed]
            stood = f", {sum(_stands(row, bare) for row in called)}" if whole else ""
            columns = [f"{said.count(ACCUSED[1])}" for said in (before, after)]
            columns += [_hits(listed, said) for said in (before, after)]
            columns.append(_bounds(after))
            families = len({row["family"] for row in listed})
            shown = f"**{name}**" if name == TRUE else name
            yield (
                f"| {question} | {shown} | {len(listed)} ({families}) | {len(called)}{stood} | {' | '.join(columns)} |"
            )


def _stands(row: Row, bare: dict[tuple[str, str], Row]) -> bool:
    return bool(low(bare[row["suspect"], row["reference"]][PRIMARY[row["question"]]]))


def _after(row: Row, by: str, bare: dict[tuple[str, str], Row]) -> str:
    if row["said"][by] not in ACCUSED:
        return str(row["said"][by])
    return str(row["said" if _stands(row, bare) else "falls"][by])


def _hits(rows: Sequence[Row], said: Sequence[str]) -> str:
    families = {row["family"] for row, one in zip(rows, said, strict=True) if one == ACCUSED[0]}
    return f"{said.count(ACCUSED[0])} ({len(families)})"


def _bounds(said: Sequence[str]) -> str:
    """Round the exact bounds outwards."""
    k, n = said.count(ACCUSED[0]), len(said)
    return f"{floor(1000 * lower_bound(k, n)) / 1000:.3f} to {ceil(1000 * upper_bound(k, n)) / 1000:.3f}"


def as_shipped(source: Source, rows: Sequence[Row]) -> str:
    """Compare the counts without the rule with those of the study that ships."""
    loaded = calibration.load(source.name, Path())
    study = loaded.performance if loaded else None
    most = max(one.prompts for one in study.opinions) if study else 0
    other = [one for one in study.opinions if one.prompts == most and not _equal(one, source, rows)] if study else []
    told = "; ".join(f"{one.question}, {one.kind}" for one in other)
    return f"counts without the rule are those of the study that ships: {f'NOT {told}' if told or not study else 'yes'}"


def _equal(one: OpinionRate, source: Source, rows: Sequence[Row]) -> bool:
    mine = [row for row in rows if row["question"] == one.question and row["kind"] == one.kind]
    said = [row["said"][source.name] for row in mine]
    counted = (len(mine), sum(row["p"] <= 0.05 for row in mine), *(said.count(name) for name in ACCUSED))
    return counted == (one.n, one.at_alpha, one.indications, one.relations)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--modern", type=Path, default=Path("../shared/data-modern"))
    parser.add_argument("--out", type=Path, default=Path("out/opinions"))
    parser.add_argument("--all", action="store_true", help="every pair whose p comes to alpha, too")
    options = parser.parse_args(arguments)
    store = Store(path=options.out / f"{state()}.jsonl")
    for source in (
        Source(name="alpaca_eval", folder=options.data, host=ENGLISH, other="shaberi_w"),
        Source(name="shaberi_w", folder=options.modern, host=JAPANESE, other="alpaca_eval"),
    ):
        if not (source.folder / "lineage.csv").is_file():
            print(f"skipped: {source.folder} is not here; the study needs the lineage benchmark")
            continue
        rows = opinions(source, store)
        accused = [row for row in rows if row["falls"]]
        bare = anew(source, accused, store)
        if options.all:
            bare |= anew(source, [row for row in rows if row["p"] <= 0.05], store)
        print(
            f"\n{source.name}, {store.rows[f'{source.name}: opinions']['prompts']} prompts; {as_shipped(source, rows)}"
        )
        for by in (source.name, source.other):
            print(f"\n{source.name} by the study of {by}")
            print(*table(by, rows, bare, options.all), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
