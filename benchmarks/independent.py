"""Write the independent evaluations that ship from the file that the evaluators handed out: `make evaluations`.

    benchmarks/independent.py [--file ../shared/evaluation.json]

One file for each evaluation, by its date and name, in src/depose/case/evaluations. Nothing is computed here; what is
printed of an evaluation is copied, counts and intervals as they stand.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any, get_args

import msgspec

from depose.case.independent import FORMAT, Area, Evaluated, Evaluation, Share
from depose.model import Question

HOME = Path(__file__).parents[1] / "src" / "depose" / "case" / "evaluations"


def _area(given: dict[str, float]) -> Area:
    return Area(value=given["value"], low=given["lo"], high=given["hi"])


def _share(given: dict[str, Any]) -> Share:
    return Share(**{name: given[name] for name in Share.__struct_fields__})


def _evaluated(question: Question, given: dict[str, Any], unrelated: dict[str, Any]) -> Evaluated:
    return Evaluated(
        question=question,
        detector=given["detector"],
        documented=_area(given["auc_within_reference"]["documented"]),
        every=_area(given["auc_within_reference"]["all"]),
        true_called=_share(given["rule"]["true"]["larger"]),
        unrelated_called=_share(unrelated),
        cllr=given["cllr"],
        remark=given.get("controls", ""),
    )


def main() -> None:
    """Write each evaluation, and say where."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", type=Path, default=Path("../shared/evaluation.json"))
    given = json.loads(parser.parse_args().file.read_text(encoding="utf-8"))
    if given["format"] != FORMAT:
        raise SystemExit(f"format {given['format']!r}, not {FORMAT!r}")
    for one in given["evaluations"]:
        made = Evaluation(
            format=FORMAT,
            name=one["name"],
            what=one["what"],
            code=one["code"],
            date=one["date"],
            questions=tuple(
                _evaluated(question, one["questions"][question], one["type_one_error"][question]["0.05"])
                for question in get_args(Question)
            ),
        )
        path = HOME / f"{one['date']}-{re.sub(r'[^a-z0-9]+', '-', one['name'].lower())}.json"
        path.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=1) + b"\n")
        print(path)


if __name__ == "__main__":
    main()
