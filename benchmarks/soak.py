"""Kill a run of four endpoints at random moments, again and again: what is lost, asked twice, or does not verify?

Each round starts `depose probe` on a case of four scripted models, kills it (SIGKILL) after a random time, and reads
the log. At the end the case is asked to its end, and every question must have one answer. A question that a kill met
in flight has been asked, and nobody knows what became of it, so that it is asked anew. The log must prove it: for each
time that a question was asked anew it holds a record of the question about to be sent, and no answer to it.

Then such a run is asked on a disk that fills up and gets room again, and has its log replaced under it, at random
moments (`tests/support/spoiled_runs.py`): no answer that was reported may be lost, and every log must verify.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from depose import pipeline
from depose.cli.options import now
from depose.errors import DeposeError
from depose.evidence import ledger, records
from depose.evidence.log import read_blob
from fakes import finish, install, killed, scripted_case, start
from spoiled_runs import on_a_full_disk, small_disk, with_another_log


def main() -> None:
    """Print what happened; end with 1 if anything was lost, doubled or broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--spoiled", type=int, help="Runs on a full disk, and as many with a replaced log.")
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311  # moments, not secrets
    spoiled = options.kills // 5 if options.spoiled is None else options.spoiled
    with tempfile.TemporaryDirectory() as place:
        bad = soak(Path(place), options.kills, chance)
    with tempfile.TemporaryDirectory() as place:
        bad = spoil(Path(place), spoiled, chance) or bad
    print(f"seed {options.seed}")
    sys.exit(bad)


def spoil(place: Path, runs: int, chance: random.Random) -> bool:
    """Fill the disk and replace the log; tell whether anything was lost or broken."""
    site = install(place / "site")
    sys.path.insert(0, str(site))
    models = {"S1": "slow", "R1": "slow", "C1": "slow", "C2": "slow"}
    protocol: dict[str, Any] = {"probes": ["open_howto:100", "open_lists:100"], "samples": max(1, runs // 4)}
    bad = False
    with small_disk(place / "disk") as own:
        for name in ("full disk", "replaced log"):
            folder, reports = place / "disk" / name.split()[0], place / f"reports-{name.split()[0]}"
            folder = scripted_case(folder, models, **protocol)
            pipeline.register_case(folder, now)
            if name == "full disk":
                tally = on_a_full_disk(folder, reports, site, runs, chance, own=own)
                how = "a file system of its own, filled" if own else "files that may not grow (RLIMIT_FSIZE)"
            else:
                tally = with_another_log(folder, reports, site, runs, chance)
                how = "renamed over, overwritten, emptied, deleted, appended to"
            last = finish(start("probe", folder, path=[site]))
            total = len(ledger.asks(ledger.entries(folder).registration))
            answered = Counter(map(ledger.key, ledger.entries(folder).exchanges))
            print(
                f"{name} ({how}): {tally.runs} runs, {tally.stopped} stopped with a message; {tally.verified} logs "
                f"that verify, {tally.broken} that do not, {tally.lost} reported answers lost; "
                f"{total - len(answered)} of {total} questions unanswered at the end"
            )
            for line in tally.odd:
                print(f"  {line}", file=sys.stderr)
            doubled = any(count > 1 for count in answered.values())
            bad = bad or bool(tally.broken or tally.lost or tally.odd or doubled or last.code or len(answered) < total)
    return bad


def soak(place: Path, kills: int, chance: random.Random) -> bool:
    """Kill, read, go on; tell whether anything was lost, doubled or broken."""
    site = install(place / "site")
    sys.path.insert(0, str(site))
    models = {"S1": "slow", "R1": "slow", "C1": "slow", "C2": "slow"}
    protocol: dict[str, Any] = {"probes": ["open_howto:100", "open_lists:100"], "samples": max(1, kills // 40)}
    folder = scripted_case(place / "case", models, **protocol)
    pipeline.register_case(folder, now)
    total = len(ledger.asks(ledger.entries(folder).registration))
    verified = broken = lost = 0
    known: set[records.Key] = set()
    begun = time.monotonic()
    for _ in range(kills):
        killed(folder, site, chance.uniform(0, 0.1))
        try:
            found = ledger.entries(folder)
        except DeposeError as error:
            broken += 1
            print(f"does not verify: {error}", file=sys.stderr)
            break
        verified += 1
        answered = {ledger.key(one) for one in found.exchanges}
        lost += len(known - answered)
        known = answered
    unfinished = total - len(known)
    last = finish(start("probe", folder, path=[site]))
    found = ledger.entries(folder)
    for one in found.exchanges:
        for blob in (one.request, one.response):
            read_blob(folder, blob)
    answers = Counter(map(ledger.key, found.exchanges))
    asked = Counter((folder.parent / f"asked-{folder.name}.txt").read_text().splitlines())
    doubled = sum(count > 1 for count in answers.values())
    flying = Counter(" ".join(map(str, one)) for one in found.lost)
    anew = Counter({name: count - 1 for name, count in asked.items() if count > 1})
    unproved = anew - flying
    print(
        f"{kills} kills in {time.monotonic() - begun:.0f} s, {total} questions to 4 endpoints "
        f"({unfinished} left after the last kill): {verified} logs that verify, {broken} that do not, {lost} answers "
        f"lost, {doubled} questions answered twice, {total - len(answers)} unanswered at the end"
    )
    print(
        f"asked {asked.total()} times, answered {answers.total()}; {flying.total()} in flight at a "
        f"kill by the log: {anew.total()} of these had reached an endpoint and were asked anew, "
        f"{flying.total() - anew.total()} had not; {unproved.total()} asked anew without such a record"
    )
    bad = broken or lost or doubled or len(answers) != total or unproved or flying.total() > kills or last.code
    return bool(bad)


if __name__ == "__main__":
    main()
