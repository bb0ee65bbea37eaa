"""What a party gains that picks prompts after it has seen the answers: opinions on documented strangers.

    python benchmarks/picked_prompts.py [--data ../shared/data] [--source alpaca_eval] [--pairs 10] [--prompts 60]

Of each pair the prompts are kept on which the two are closest, by the centred score of `wording`; the other rules are
those of a case, as `bare_words.py` counts them. Nothing in the answers tells that prompts were picked: a report can
only say who handed them in, and when.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from bare_case import ALL, Case, low, worst_of
from bare_words import strangers
from dressed_alike import ENGLISH

from depose.case import calibration
from depose.model import Primary, Question
from depose.validate.judged import Scored, judged

QUESTIONS: tuple[Question, ...] = ("same", "derived")


def main() -> int:
    """Print a line for each pair, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--source", default="alpaca_eval")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--prompts", type=int, default=60)
    options = parser.parse_args()
    loaded = calibration.load(options.source, Path())
    if loaded is None or not (options.data / "lineage.csv").is_file():
        print(f"skipped: {options.data} or a calibration {options.source} is not here")
        return 0
    whole = Case(options.data, options.source, ENGLISH, sys.maxsize, 6)
    said: dict[Question, list[str]] = {question: [] for question in QUESTIONS}
    small = dict.fromkeys(QUESTIONS, 0)
    for pair in strangers(whole, options.pairs):
        members = whole.members(pair)
        close = np.nan_to_num(whole.centred(members), nan=-np.inf)
        case = whole.kept(sorted(np.argsort(-close)[: options.prompts].tolist()))
        bag = case.bag(members)
        scores, near = case.scored(bag), case.near(members, ())
        bare = case.bare(members)[ALL]
        for question in QUESTIONS:
            detector = getattr(Primary(), question)
            worst = worst_of(scores[detector], near)[1]
            small[question] += low(worst)
            one = Scored(
                question=question,
                detector=detector,
                prompts=len(case.prompts),
                p_length=worst,
                p_layout=worst,
                p_bare=bare[detector] if case.inside(bag) else 1.0,
                **case.numbers(scores[detector], bag.models),
            )
            said[question].append(judged(one, loaded.calibration)[0])
        print(f"{pair.suspect} and {pair.reference}: {', '.join(said[q][-1] for q in QUESTIONS)}", flush=True)
        whole.forget()
    for question, verdicts in said.items():
        print(
            f"{question}: p and p matched at alpha {small[question]} of {len(verdicts)}, indication "
            f"{verdicts.count('indication')}, relation {verdicts.count('relation, kind not resolved')}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
