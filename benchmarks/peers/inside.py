"""One peer on the pairs that `run.py` laid out: run inside the environment of the peers, which has no depose.

usage: python inside.py modelaudit|equality|tfidf FOLDER

FOLDER holds `answers.parquet` (model, row, text), `task.json` (pairs as [suspect, reference], those whose verdict is
counted, sets of rows, number of permutations); the peer writes `NAME.json` there, one row for each method and set of
prompts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

CHARACTERS = 200
"""Length to which model-equality-testing sees answers, as in its authors' study of whole completions."""


def say(line: str) -> None:
    """Tell the progress."""
    print(f"  {line}", file=sys.stderr, flush=True)


class Work:
    """The pairs, and the answers of every model to a set of prompts."""

    def __init__(self, folder: Path) -> None:
        task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        self.pairs: list[tuple[str, str]] = [(s, r) for s, r in task["pairs"]]
        self.judged: list[bool] = task["judged"]
        self.sets: dict[str, list[int]] = task["sets"]
        self.permutations: int = task["permutations"]
        self.seed: int = task["seed"]
        table = pd.read_parquet(folder / "answers.parquet")
        self._texts = {
            model: dict(zip(part["row"], part["text"], strict=True)) for model, part in table.groupby("model")
        }
        self.models = sorted({name for pair in self.pairs for name in pair})
        self.references = sorted({reference for _, reference in self.pairs})

    def texts(self, name: str) -> dict[str, list[str]]:
        """Answers of each model to the named set of prompts, in the order of the prompts."""
        rows = self.sets[name]
        return {model: [self._texts[model][row] for row in rows if row in self._texts[model]] for model in self.models}


def row(method: str, prompts: str, package: str, start: float, scores: list[float], **more: Any) -> dict[str, Any]:
    """Put one line of the table."""
    seconds = round(time.perf_counter() - start, 2)
    made = {"method": method, "prompts": prompts, "version": f"{package} {version(package)}", "seconds": seconds}
    return {**made, "scores": [float(value) for value in scores], "verdicts": None, "rule": None, **more}


def modelaudit(work: Work) -> list[dict[str, Any]]:
    """Compare with knowlyr-modelaudit's own extractors, comparisons and thresholds, on recorded answers."""
    from modelaudit.methods.dli import DLIFingerprinter, _extract_behavior_signature
    from modelaudit.methods.llmmap import LLMmapFingerprinter, _compute_fingerprint_vector, _extract_response_features
    from modelaudit.models import Fingerprint

    ways: dict[str, tuple[Any, Callable[[list[str]], dict[str, Any]]]] = {
        "llmmap": (
            LLMmapFingerprinter(),
            lambda texts: {"vector": _compute_fingerprint_vector([_extract_response_features(t) for t in texts])},
        ),
        "dli": (DLIFingerprinter(), lambda texts: {"signature": _extract_behavior_signature(texts)}),
    }
    found = []
    for name in work.sets:
        texts, votes, likeness, both = work.texts(name), [], [], 0.0
        for way, (tool, extract) in ways.items():
            say(f"knowlyr-modelaudit {way}, {name} prompts: {len(work.pairs)} pairs")
            start = time.perf_counter()
            marks = {
                model: Fingerprint(model_id=model, method=way, fingerprint_type="blackbox", data=extract(texts[model]))
                for model in work.models
            }
            compared = [tool.compare(marks[reference], marks[suspect]) for suspect, reference in work.pairs]
            scores, verdicts = [one.similarity for one in compared], [bool(one.is_derived) for one in compared]
            rule = f"similarity >= {compared[0].threshold}"
            found.append(
                row(f"modelaudit {way}", name, "knowlyr-modelaudit", start, scores, verdicts=verdicts, rule=rule)
            )
            votes.append(verdicts)
            likeness.append(scores)
            both += found[-1]["seconds"]
        # engine.py of the package: likely_derived where more than half of the two comparisons say so.
        verdict = [all(pair) for pair in zip(*votes, strict=True)]
        mean = np.mean(likeness, axis=0).tolist()
        rule = "likely_derived: both similarities at their thresholds"
        found.append(
            row("modelaudit audit", name, "knowlyr-modelaudit", 0.0, mean, verdicts=verdict, rule=rule)
            | {"seconds": round(both, 2)}
        )
    return found


def equality(work: Work) -> list[dict[str, Any]]:
    """Test with model-equality-testing: MMD with the Hamming kernel; its permutation p on the small set only."""
    import torch
    from model_equality_testing.algorithm import run_two_sample_test
    from model_equality_testing.distribution import CompletionSample
    from model_equality_testing.utils import pad_to_length, tokenize_unicode

    def sample(texts: list[str]) -> Any:
        codes = pad_to_length(tokenize_unicode([text[:CHARACTERS] for text in texts]), L=CHARACTERS)
        # One answer per prompt: with a prompt number for each the statistic is NaN and p = 0, so all are one prompt.
        return CompletionSample(prompts=np.zeros(len(codes), dtype=int), completions=codes, m=1)

    torch.set_num_threads(1)  # five times faster here than two, which is its default
    package, statistic, found = "model-equality-testing", "mmd_hamming", []
    for name in (one for one in work.sets if one != "20"):
        start = time.perf_counter()
        samples = {model: sample(texts) for model, texts in work.texts(name).items()}
        torch.manual_seed(work.seed)
        scores, verdicts, tested = [], [], 0
        for place, ((suspect, reference), judged) in enumerate(zip(work.pairs, work.judged, strict=True)):
            if place % 50 == 0:
                say(f"{package}, {name} prompts: {place}/{len(work.pairs)} pairs, {tested} by permutation")
            test = judged and name == "100"
            p, value = run_two_sample_test(
                samples[reference],
                samples[suspect],
                pvalue_type="permutation_pvalue" if test else "dummy",
                stat_type=statistic,
                b=work.permutations,
            )
            scores.append(-float(value))
            verdicts.append(test and p >= 0.05)
            tested += test
        rule = f"p >= .05 ({work.permutations} permutations): no difference found"
        more = {"verdicts": verdicts, "rule": rule} if tested else {}
        found.append(row("model-equality MMD", name, package, start, scores, **more))
    return found


def tfidf(work: Work) -> list[dict[str, Any]]:
    """Attribute to teachers with TF-IDF and logistic regression: what a user would write in an afternoon."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    found = []
    for name in (one for one in work.sets if one != "20"):
        texts = work.texts(name)
        say(f"TF-IDF + logistic regression, {name} prompts: {len(work.references)} candidate teachers")
        start = time.perf_counter()
        makers = [model for model in work.references for _ in texts[model]]
        words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=3)
        seen = words.fit_transform([text for model in work.references for text in texts[model]])
        model = LogisticRegression(max_iter=300, C=10).fit(seen, makers)
        place = {str(one): index for index, one in enumerate(model.classes_)}
        suspects = sorted({suspect for suspect, _ in work.pairs})
        shares = {one: model.predict_proba(words.transform(texts[one])).mean(axis=0) for one in suspects}
        scores = [float(shares[suspect][place[reference]]) for suspect, reference in work.pairs]
        verdicts = [int(shares[suspect].argmax()) == place[reference] for suspect, reference in work.pairs]
        rule = f"the likeliest of {len(work.references)} teachers"
        found.append(row("TF-IDF + logistic", name, "scikit-learn", start, scores, verdicts=verdicts, rule=rule))
    return found


PEERS = {"modelaudit": modelaudit, "equality": equality, "tfidf": tfidf}


def main(name: str, folder: Path) -> int:
    """Run one peer and write its rows."""
    rows = PEERS[name](Work(folder))
    (folder / f"{name}.json").write_text(json.dumps(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
