"""A batch finds who was planted, says what that is worth, and gives the same bytes however it was computed."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import numpy as np
import pytest

import batches
from batch_runs import go, quiet
from batches import CONTROLS, REFERENCES, TRUTH, labelled, spec, write
from depose import plugins
from depose.batch import base as bases
from depose.batch import matrix, page, plan, rows, run, screen
from depose.batch.blind import blind
from depose.batch.dendrogram import dendrogram
from depose.batch.matrix import HITS, Matrix
from depose.case import casefile
from depose.case.population import Member, Population
from depose.cli import matrices
from depose.errors import CaseError, UsageError
from depose.features import own_cache
from depose.features.extract import Bag, Features
from depose.model import Prompt
from depose.model.canonical import canonical
from depose.model.file_names import ADAPTER
from depose.report.vocabulary import violations
from depose.scoring.counting import Counted
from depose.statistics.centring import score
from depose.statistics.ranks import model_level
from fakes import Clock, depose, finish, start, until

PLANTED = {(suspect, voice) for suspect, voice in TRUTH.items() if voice in REFERENCES}


@pytest.fixture(scope="module")
def found(file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Matrix]:
    """Run it once."""
    out = tmp_path_factory.mktemp("out")
    return out, go(file, out).matrix


def judged(found: Matrix, question: str = "same") -> dict[tuple[str, str], screen.Judged]:
    """Cells of one question by suspect and reference."""
    return {(one.suspect, one.reference): one for one in found.cells if one.question == question}


# --- what is found ----------------------------------------------------------------------------------


def test_planted_relations_are_the_hits(found: tuple[Path, Matrix]) -> None:
    """Every suspect that writes in a reference's words is a hit for it, and nobody else is."""
    cells = judged(found[1])
    assert {pair for pair, one in cells.items() if one.outcome in HITS} == PLANTED
    assert all(one.p == pytest.approx(1 / (CONTROLS + 1)) for pair, one in cells.items() if pair in PLANTED)


def test_rows_equal_the_detectors(file: Path) -> None:
    """T and p of a cell are those of the detector's own definition on the same bag, for suspects outside the base."""
    made = plan.read(file)
    screened = made.population.cut(made.screened)
    names = [one.name for one in screened.members]
    base = bases.build(*_base_of(made))
    order = next(iter(rows.orders(screened, ("S1",), REFERENCES, made.controls, "base")))
    row = rows.parse(rows.Bench(base).row(order), "row")
    for cell in row.cells:
        members = [names.index(name) for name in ("S1", cell.reference, *cell.controls)]
        bag = Bag(
            models=tuple(names[m] for m in members),
            prompts=tuple(
                Prompt(id=key, family="", cluster=key, text=text)
                for (key, _), text in zip(screened.rows, screened.prompts, strict=True)
            ),
            answers=tuple(tuple((str(answers[m]),) for m in members) for answers in screened.answers),
        )
        for one in cell.scores:
            t = score(plugins.load("detectors", one.detector)(bag, Features())).t
            assert one.t == pytest.approx(t[0, 1], abs=1e-5)
            level = model_level(t)
            assert (one.p_reference, one.p_suspect) == pytest.approx((level.p_reference, level.p_suspect))
            assert one.reached == round(level.p * (CONTROLS + 1)) - 1


def _base_of(made: plan.Plan) -> tuple[Population, list[Counted]]:
    """References and controls on the prompts that are screened on, counted."""
    screened = made.population.cut(made.screened)
    shared = run.only(screened, {*made.references, *made.controls})
    return shared, [bases.count(shared)]


def test_a_suspect_scores_the_same_inside_and_outside_of_the_base(file: Path) -> None:
    """Whether a suspect is indexed with the others or added to them changes no score."""
    made = plan.read(file)
    screened = made.population.cut(made.screened)
    order = next(iter(rows.orders(screened, ("S3",), REFERENCES, made.controls, "base")))
    outside = rows.Bench(bases.build(*_base_of(made))).row(order)
    shared = run.only(screened, {*made.references, *made.controls, "S3"})
    inside = rows.Bench(bases.build(shared, [bases.count(shared)])).row(msgspec.structs.replace(order, texts=()))
    for one, other in zip(rows.parse(outside, "").cells, rows.parse(inside, "").cells, strict=True):
        assert [s.t for s in one.scores] == pytest.approx([s.t for s in other.scores], rel=1e-9)


def test_a_reference_is_not_compared_with_itself(tmp_path: Path) -> None:
    """A suspect that stands among the references too has a cell that says so, with a reason and no number."""
    made = plan.read(write(tmp_path))
    done = [
        rows.parse(rows.Bench(bases.build(*_base_of(made))).row(order), "row")
        for order in rows.orders(made.population.cut(made.screened), ("R1",), REFERENCES, made.controls, "base")
    ]
    own, *others = done[0].cells
    assert (own.reason, own.scores) == ("suspect and reference are the same entry", ())
    assert all(one.scores for one in others)


# --- what it is worth -------------------------------------------------------------------------------


def test_the_multiplicity_is_said(found: tuple[Path, Matrix]) -> None:
    """The statement has the floor, the rejections, though there are none, and the controls that a claim would need."""
    text = " ".join(found[1].statement)
    tests = 3 * len(TRUTH) * len(REFERENCES)
    assert f"{tests} p-values were computed" in text
    assert "cannot fall below 1/(K+1), here 0.040" in text
    assert "rejects 0" in text
    assert f"{tests * 20 - 1} independent controls would be needed" in text
    assert f"A claim about {found[1].hits} hits at 0.05 needs {found[1].hits * 20 - 1} independent" in text
    assert "model-based" in text
    assert "of these are expected to be false if the model holds." in text
    assert f"not of the {tests} p-values that they were chosen from, for which it is {tests * 20 - 1}" in text


def test_a_hit_for_distilled_on_a_shared_base_is_counted_as_such(found: tuple[Path, Matrix]) -> None:
    """The statement says that one relation can answer to every question, and how many distilled hits share a base."""
    assert "which kind it is the matrix does not say" in " ".join(found[1].statement)
    members = {name: msgspec.structs.replace(_member(name, name), weight_lineage="llama") for name in ("S", "R")}
    one = msgspec.structs.replace(_row("S", 20.0).cells[0].scores[0], detector="wording")
    row = _row("S", 20.0)
    row = msgspec.structs.replace(row, cells=(msgspec.structs.replace(row.cells[0], scores=(one,)),))
    rows_ = [msgspec.structs.replace(row, suspect=f"S{n}") for n in range(30)]
    members |= CONTROLLED
    members |= {other.suspect: msgspec.structs.replace(members["S"], name=other.suspect) for other in rows_}

    def shared(base: str, *, one_base: bool = False) -> screen.Screened:
        members["R"] = msgspec.structs.replace(members["R"], weight_lineage=base)
        return screen.screen(
            rows_,
            members,
            labelled(one_base=one_base),
            ("distilled",),
            prompts=lambda *_: 14,
            one_base=one_base,
            alpha=0.05,
            fdr=0.1,
        )

    made = shared("llama")
    assert (made.hits, made.shared_base) == (30, 30)
    said = " ".join(matrix.statement(made, plan.Screening()))
    assert "In 30 of the hits for distilled suspect and reference share a base" in said
    assert shared("other").shared_base == 0
    assert shared("llama", one_base=True).shared_base == 0


@pytest.mark.parametrize(
    ("hits", "able", "said"),
    [
        (
            1,
            1,
            "A claim about 1 hit at 0.05 needs 19 independent control lineages (hits/alpha - 1), which 1 of 1 reaches.",
        ),
        (2, 0, "which 0 of 2 reach; the rest are leads, not claims."),
    ],
)
def test_statement_counts_claims_and_leads(found: tuple[Path, Matrix], hits: int, able: int, said: str) -> None:
    """Leads are spoken of where there are some."""
    cells = [one for one in found[1].cells if one.outcome == HITS[1]][:hits]
    judged = tuple(msgspec.structs.replace(one, outcome=HITS[0 if n < able else 1]) for n, one in enumerate(cells))
    made = screen.Screened(
        tests=hits,
        rejections=0,
        lowest_floor=0.04,
        hits=hits,
        k_needed=hits * 20 - 1,
        shared_base=0,
        asked=(),
        cells=judged,
    )
    text = " ".join(matrix.statement(made, plan.Screening()))
    assert said in text
    assert ("leads, not claims" in text) == (able < hits)


def test_a_hit_without_enough_controls_is_not_claimable(found: tuple[Path, Matrix], tmp_path: Path) -> None:
    """With K_eff below hits / alpha - 1 a hit is a lead; with an alpha that asks for fewer it is a hit."""
    assert {one.outcome for one in found[1].cells} == {HITS[1], "no hit"}
    able = go(write(tmp_path, questions=["same"], alpha=0.2), tmp_path / "out").matrix
    assert able.k_needed == len(PLANTED) * 5 - 1
    assert {one.outcome for one in able.cells} == {HITS[0], "no hit"}


def test_q_values_are_those_of_all_tests(found: tuple[Path, Matrix]) -> None:
    """Benjamini-Hochberg runs over all questions together."""
    from scipy.stats import false_discovery_control

    cells = found[1].cells
    assert found[1].tests == len(cells)
    p, q = (np.array([getattr(one, name) for one in cells], float) for name in ("p", "q"))
    np.testing.assert_allclose(q, false_discovery_control(p))


def _member(name: str, family: str, released: str = "2025-01") -> Member:
    return Member(
        name=name,
        family=family,
        developer="",
        weight_lineage="",
        data_lineage=family,
        trained_on=(),
        hub=False,
        released=released,
    )


CONTROLLED = {f"C{number}": _member(f"C{number}", f"c{number}") for number in range(60)}


def _row(suspect: str, t: float, k: int = 24, k_eff: int = 24) -> rows.Row:
    one = rows.Score(
        detector="phrases",
        t=t,
        p_reference=0.04,
        p_suspect=0.04,
        p_length_matched=0.04,
        p_layout_matched=0.04,
        reached=0,
    )
    controls = tuple(f"C{number}" for number in range(k))
    cell = rows.Cell(reference="R", controls=controls, k_eff=k_eff, scores=(one,))
    return rows.Row(format=rows.FORMAT, key="", suspect=suspect, answers="", cells=(cell,))


def _screened(found: rows.Row, family: str = "f", released: str = "2025-01", **change: Any) -> screen.Judged:
    made = screen.screen(
        [found],
        {**CONTROLLED, found.suspect: _member(found.suspect, family, released), "R": _member("R", "r", released)},
        labelled(**change),
        ("same",),
        prompts=lambda *_: 14,
        one_base=False,
        alpha=0.05,
        fdr=0.1,
    )
    return made.cells[0]


def test_a_cell_is_not_judged_by_its_relatives() -> None:
    """Pairs that share a lineage, the suspect or the reference with a cell are left out of what judges it."""
    free = _screened(_row("S", 5.0)).log10_lr
    kin = _screened(_row("S", 5.0), family="k3").log10_lr
    known = _screened(_row("known3", 5.0)).log10_lr
    assert free is not None
    assert kin is not None
    assert kin == known
    assert kin != free
    few = labelled().pairs[:15]
    left = _screened(_row("S", 5.0), pairs=few)
    assert left.outcome == "not informative"
    assert "too few pairs of known relation" in left.reason


def test_a_cell_beside_controls_of_other_years_cannot_speak() -> None:
    """Half of its controls must be near the two in time, as in a case; without their dates there is no telling."""
    for released, said, opens in (
        ("2027-03", "era: 0 of the controls are of the years of the two; 12 are needed", "go from 2027-03 to 2027-03"),
        ("", "era: the suspect or the reference has no date of release", 'released = "YYYY-MM"'),
        ("unknown", "era: the suspect or the reference has no date of release", "a column `date`"),
    ):
        cell = _screened(_row("S", 5.0), released=released)
        assert (cell.outcome, cell.reason, cell.lr) == ("not informative", said, None)
        members = {name: _member(name, name, released) for name in ("S", "R")}
        (found,) = blind([cell, cell], members)
        assert (found.reason, found.cells) == (said, 2)
        assert opens in found.opens
    assert _screened(_row("S", 5.0), released="2025-07").log10_lr is not None
    assert _screened(_row("S", 5.0, k_eff=9), released="2027-03").reason.startswith("9 independent")


def test_a_batch_unlike_the_pairs_of_known_relation_has_no_more_hits(tmp_path: Path) -> None:
    """Where every cell scores as the true pairs do, rates are low everywhere; hits still beat their own controls."""
    file = write(tmp_path)
    lower = tuple(
        msgspec.structs.replace(
            one, t={name: tuple(None if t is None else t - 14 for t in row) for name, row in one.t.items()}
        )
        for one in labelled().pairs
    )
    (tmp_path / "screening.json").write_bytes(msgspec.json.encode(labelled(pairs=lower)))
    cells = judged(go(file, tmp_path / "out").matrix)
    low = {pair for pair, one in cells.items() if one.lfdr is not None and one.lfdr <= 0.1}
    hits = {pair for pair, one in cells.items() if one.outcome in HITS}
    assert hits == {pair for pair in low if (cells[pair].p or 1) <= 0.05}
    assert hits >= PLANTED
    assert len(low) > 3 * len(hits)


def test_models_that_no_prompt_brings_together_are_named(tmp_path: Path) -> None:
    """One control that answered other prompts than a suspect makes a cell that says which two these are."""
    file = write(tmp_path)
    for code, kept in (("S2", 0), ("C3", 1)):
        path = tmp_path / f"{code}.jsonl"
        path.write_text("".join(line + "\n" for n, line in enumerate(path.read_text().splitlines()) if n % 2 == kept))
    cells = judged(go(file, tmp_path / "out").matrix)
    assert {one.reason for pair, one in cells.items() if pair[0] == "S2"} == {"S2 and C3 answered no prompt in common"}
    assert all(one.p is not None for pair, one in cells.items() if pair[0] != "S2")


def test_nothing_is_extrapolated() -> None:
    """A score beyond all pairs of known relation counts as the outermost of them."""
    assert _screened(_row("S", 900.0)).log10_lr == _screened(_row("S", 90.0)).log10_lr


@pytest.mark.parametrize(
    ("row", "change", "reason"),
    [
        (_row("S", 5.0, k=24, k_eff=18), {}, "18 independent control lineages; 19 are needed"),
        (_row("S", 5.0), {"k_high": 23}, "24 controls; validated for 3 to 23"),
        (_row("S", 5.0), {"one_base": True}, "models of different bases; validated for models of one base"),
        (
            _row("S", 5.0),
            {"prompts": (400, 100)},
            "14 prompts answered by both; pairs of known relation are scored on 100 or more",
        ),
    ],
)
def test_outside_the_validated_range_nothing_is_said(row: rows.Row, change: dict[str, Any], reason: str) -> None:
    """A cell with too few controls or prompts is not informative, with the reason, and is no hit."""
    one = _screened(row, **change)
    assert (one.outcome, one.reason, one.lfdr, one.log10_lr) == ("not informative", reason, None, None)


def test_a_suspect_that_hardly_answered_is_not_judged_as_if_it_had(tmp_path: Path) -> None:
    """A copy that answered one prompt is no hit by scores of pairs on ten and more; with all answers it is."""
    file = write(tmp_path)
    made = plan.read(file)
    late = {made.population.rows[row][0] for row in made.screened[1:]}
    path = tmp_path / "S1.jsonl"
    lines = [line for line in path.read_text().splitlines() if json.loads(line)["prompt_id"] not in late]
    path.write_text("".join(line + "\n" for line in lines))
    cells = judged(go(file, tmp_path / "out").matrix)
    reason = "1 prompts answered by both; pairs of known relation are scored on 10 or more"
    assert {(one.outcome, one.reason) for pair, one in cells.items() if pair[0] == "S1"} == {
        ("not informative", reason)
    }
    assert cells["S7", "R1"].outcome in HITS


def test_the_smaller_number_of_prompts_is_used() -> None:
    """Of the scores on several numbers of prompts those of the largest number that the batch reaches count."""
    made = labelled()
    shifted = tuple(
        msgspec.structs.replace(one, t={name: (t[0], (t[1] or 0.0) - 3) for name, t in one.t.items()})
        for one in made.pairs
    )
    assert _screened(_row("S", 2.0), pairs=shifted).log10_lr == _screened(_row("S", 2.0)).log10_lr
    fewer = _screened(_row("S", 2.0), pairs=shifted, prompts=(400, 10))
    assert fewer.log10_lr != _screened(_row("S", 2.0)).log10_lr


def test_a_matrix_without_information_says_so(tmp_path: Path) -> None:
    """Where nothing may be judged, there is no hit, no share and no rate, and the reason stands in every cell."""
    file = write(tmp_path)
    (tmp_path / "screening.json").write_bytes(msgspec.json.encode(labelled(one_base=True)))
    found = go(file, tmp_path / "out").matrix
    assert {one.outcome for one in found.cells} == {"not informative"}
    assert (found.hits, found.confirmations) == (0, ())
    cells = len(TRUTH) * len(REFERENCES)
    assert f"same: none of {cells} cells is informative; the heat map says why." in found.statement
    html = (tmp_path / "out" / "matrix.html").read_text()
    assert html.count('class="hatched"') == 3 * cells
    assert "models of different bases; validated for models of one base" in html
    done = depose("batch", file, "--out", tmp_path / "out", "--fail-on", "indication", "--fail-on", "inconclusive")
    assert done.code == 5


# --- the same bytes ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_workers_change_no_byte(found: tuple[Path, Matrix], file: Path, tmp_path: Path) -> None:
    """Two spawned processes write the matrix that this one writes."""
    go(file, tmp_path, workers=2)
    for name in ("matrix.json", "matrix.csv", "matrix.junit.xml", "matrix.html"):
        assert (tmp_path / name).read_bytes() == (found[0] / name).read_bytes(), name


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="the extra [ray] is not installed")
def test_ray_changes_no_byte(found: tuple[Path, Matrix], file: Path, tmp_path: Path) -> None:
    """A local Ray cluster writes the matrix that this process writes."""
    assert finish(start("batch", file, "--out", tmp_path, "--engine", "ray", "--workers", "2")).code == 0
    assert (tmp_path / "matrix.json").read_bytes() == (found[0] / "matrix.json").read_bytes()


def test_without_ray_the_engine_says_what_to_install(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--engine ray` without the extra is one error with the line to run."""
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="ray is not installed") as caught:
        go(file, tmp_path, engine="ray")
    assert "depose[ray]" in caught.value.hint


def test_order_changes_no_byte(found: tuple[Path, Matrix], file: Path, tmp_path: Path) -> None:
    """Suspects and references in another order give the same matrix."""
    codes = [*TRUTH, *REFERENCES]
    listed = [
        *(spec(code, "reference" if code in REFERENCES else "suspect") for code in reversed(codes)),
        *(spec(f"C{number}", "control") for number in range(CONTROLS)),
    ]
    go(write(tmp_path, models=listed), tmp_path / "out")
    assert (tmp_path / "out" / "matrix.json").read_bytes() == (found[0] / "matrix.json").read_bytes()


@pytest.mark.slow
def test_a_new_vendor_costs_one_row(found: tuple[Path, Matrix], tmp_path: Path) -> None:
    """One suspect more is one row more; the other rows are used as they are, and all is as if made at once."""
    folder, out = tmp_path / "vendors", tmp_path / "out"
    first = go(write(folder), out)
    assert (first.made, first.kept) == (len(TRUTH), 0)
    before = {path.name: path.read_bytes() for path in (out / "rows").iterdir()}
    more = write(folder, {**TRUTH, "S8": "R2"})
    second = go(more, out)
    assert (second.made, second.kept) == (1, len(TRUTH))
    assert {name: (out / "rows" / name).read_bytes() for name in before} == before
    go(more, tmp_path / "fresh")
    assert (tmp_path / "fresh" / "matrix.json").read_bytes() == (out / "matrix.json").read_bytes()


@pytest.mark.slow
def test_other_answers_make_another_row(tmp_path: Path) -> None:
    """A row is used only for the very answers, controls and version that it was made from."""
    file = write(tmp_path)
    go(file, tmp_path / "out")
    write(tmp_path, {**TRUTH, "S2": "R3"})
    assert go(file, tmp_path / "out").made == 1
    path = tmp_path / "C5.jsonl"
    path.write_text(re.sub(r'"output": "\w+', '"output": "Other', path.read_text()))
    assert go(file, tmp_path / "out").made == len(TRUTH)


def _poisoned(row: bytes) -> bytes:
    """Make every score of a row that of a copy."""
    made = rows.parse(row, "row")
    scores = {"t": 15.0, "p_reference": 0.04, "p_suspect": 0.04, "reached": 0}
    cells = [
        msgspec.structs.replace(cell, scores=tuple(msgspec.structs.replace(one, **scores) for one in cell.scores))
        for cell in made.cells
    ]
    return canonical(msgspec.structs.replace(made, cells=tuple(cells)))


@pytest.mark.slow
def test_a_row_that_somebody_else_put_there_is_made_again(file: Path, tmp_path: Path) -> None:
    """Scores changed under the mark, without one, under another row's, cut or gone: the matrix is as if never kept."""
    out = tmp_path / "out"
    go(file, out)
    before = (out / "matrix.json").read_bytes()
    first, second, *_ = sorted((out / "rows").iterdir())
    whole = first.read_bytes()
    mark, row = whole[: own_cache.MARK], whole[own_cache.MARK :]
    assert _poisoned(row) != row
    for data in (mark + _poisoned(row), _poisoned(row), row, second.read_bytes(), whole[:40], b""):
        first.write_bytes(data)
        done = go(file, out)
        assert done.made == 1
        assert (out / "matrix.json").read_bytes() == before
        assert first.read_bytes() == whole


@pytest.mark.slow
@pytest.mark.parametrize("name", ["base.json", "openings.hashes.npy", "phrases.hashes.npy", "lengths.npy", "mark"])
def test_an_index_that_is_not_ones_own_is_made_again(file: Path, tmp_path: Path, name: str) -> None:
    """A file of the index that was cut, emptied, changed or added is not read, and the rows are what they were."""
    out = tmp_path / "out"
    go(file, out)
    before = (out / "matrix.json").read_bytes()
    (place,) = (out / "base").iterdir()
    row = sorted((out / "rows").iterdir())[0]
    whole = (place / name).read_bytes()
    for left in (b"", whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1])):
        (place / name).write_bytes(left)
        row.unlink()
        rows.bench_at.cache_clear()
        assert go(file, out).made == 1
        assert (place / name).read_bytes() == whole
        assert (out / "matrix.json").read_bytes() == before
    (place / "more.npy").write_bytes(b"")
    row.unlink()
    go(file, out)
    assert not (place / "more.npy").exists()


@pytest.mark.slow
def test_an_index_that_is_a_link_is_refused(file: Path, tmp_path: Path) -> None:
    """Nothing is read through a link to elsewhere, and nothing there is removed; without it all is made again."""
    out = tmp_path / "out"
    go(file, out)
    (place,) = (out / "base").iterdir()
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    sorted((out / "rows").iterdir())[0].unlink()
    with pytest.raises(CaseError, match="a symbolic link; nothing is written there"):
        go(file, out)
    assert (tmp_path / "elsewhere" / "base.json").is_file()
    place.unlink()
    assert go(file, out).made == 1


@pytest.mark.slow
def test_another_version_uses_no_index_of_this_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier version of depose or of a library counted is counted again, as its rows are made again."""
    file, out = write(tmp_path), tmp_path / "out"
    go(file, out)
    (before,) = (out / "base").iterdir()
    monkeypatch.setattr(rows, "version", lambda _: "0")
    assert go(file, out).made == len(TRUTH)
    (after,) = (out / "base").iterdir()
    assert after.name != before.name


@pytest.mark.slow
def test_killed_runs_go_on(found: tuple[Path, Matrix], file: Path, tmp_path: Path) -> None:
    """Killed while features are counted and again between rows, a run goes on and ends with the same matrix."""
    seen: list[Callable[[], bool]] = [
        lambda: any(tmp_path.iterdir()),
        lambda: len(list((tmp_path / "rows").glob("*.json"))) >= 2,
    ]
    for reached in seen:
        process = start("batch", file, "--out", tmp_path, "--workers", "1")
        until(reached, process)
        process.kill()
        finish(process)
    assert finish(start("batch", file, "--out", tmp_path, "--workers", "1")).code == 0
    assert (tmp_path / "matrix.json").read_bytes() == (found[0] / "matrix.json").read_bytes()
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.slow
def test_a_worker_that_dies_is_an_error_that_says_so(file: Path, tmp_path: Path) -> None:
    """Where a worker is killed, as for want of memory, the run ends with 1 and what to do; the next run goes on."""
    site, out = tmp_path / "site", tmp_path / "out"
    site.mkdir()
    (site / "sitecustomize.py").write_text(KILLED)
    done = finish(start("batch", file, "--out", out, "--workers", "2", path=[site]))
    assert done.code == 1
    assert "a worker process died" in done.err
    assert "fewer --workers" in done.err
    assert finish(start("batch", file, "--out", out, "--workers", "1")).code == 0


KILLED = """
import os, signal, sys
if any("spawn_main" in word for word in sys.orig_argv):
    os.kill(os.getpid(), signal.SIGKILL)
"""
"""Has each process that a pool spawns killed."""


# --- the two halves ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_fresh_half_decides_nothing_in_the_screening(tmp_path: Path) -> None:
    """Other answers to the fresh prompts change no row."""
    file = write(tmp_path)
    fresh = {key for key, _ in (plan.read(file).population.rows[row] for row in plan.read(file).fresh)}
    assert len(fresh) == batches.PROMPTS // 2
    first = go(file, tmp_path / "out")
    path = tmp_path / "S1.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        line["output"] = "Nothing." if line["prompt_id"] in fresh else line["output"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    second = go(file, tmp_path / "out")
    assert second.made == 0
    assert second.matrix.cells == first.matrix.cells


@pytest.mark.slow
def test_no_cluster_stands_in_both_halves(file: Path, tmp_path: Path) -> None:
    """Prompts of one cluster, or of the same words, are all screened on or all fresh, and a case keeps the clusters."""
    made = plan.read(file)
    keys = [key for key, _ in made.population.rows]
    before = {keys[row] for row in made.screened}
    path = write(tmp_path)
    table = tmp_path / "prompts.jsonl"
    lines = [json.loads(line) for line in table.read_text().splitlines()]
    for number, line in enumerate(lines):
        line["cluster"] = f"made/{number % 9}"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = plan.read(path)
    halves = [{found.clusters[keys[row]] for row in rows_} for rows_ in (found.screened, found.fresh)]
    assert not halves[0] & halves[1]
    assert abs(len(found.screened) - len(found.fresh)) <= 4
    first = go(path, tmp_path / "out").matrix.confirmations[0].folder
    case = casefile.read(tmp_path / "out" / "cases" / first)
    asked = (tmp_path / "out" / "cases" / first / case.protocol.prompts).read_text().splitlines()
    assert {json.loads(line)["cluster"] for line in asked} == halves[1]
    for line in lines:
        line["cluster"] = "made/0"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(CaseError, match="28 prompts in 1 clusters cannot be split"):
        plan.read(path)
    for number, line in enumerate(lines):
        line["cluster"] = ""
        line["prompt"] = "Say  it again" if number % 2 else f"say IT again{' ' * (number + 1)}"
    lines[0]["prompt"] = "Something else"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(CaseError, match="28 prompts in 2 clusters cannot be split"):
        plan.read(path)
    assert before == {keys[row] for row in plan.read(write(tmp_path)).screened}


def test_a_hit_gets_a_case_on_fresh_prompts(found: tuple[Path, Matrix], file: Path) -> None:
    """Each pair with a hit has a case that reads, with its questions, alpha over the hits, and fresh prompts alone."""
    made, screened = found[1], plan.read(file)
    assert {(one.suspect, one.reference) for one in made.confirmations} == PLANTED
    keys = {screened.population.rows[row][0] for row in screened.screened}
    for one in made.confirmations:
        folder = found[0] / "cases" / one.folder
        case = casefile.read(folder)
        assert case.protocol.alpha == one.alpha == 0.05 / made.hits
        assert case.protocol.questions == one.questions
        assert len(case.models) == CONTROLS + 2
        asked = {json.loads(line)["prompt_id"] for line in (folder / case.protocol.prompts).read_text().splitlines()}
        assert len(asked) == batches.PROMPTS // 2
        assert not asked & keys


def test_the_case_of_a_shared_base_has_controls_that_share_it(tmp_path: Path) -> None:
    """Screening leaves out controls on the base of suspect and reference; a case asks for them, so they are in it."""
    codes = [*TRUTH, *REFERENCES, *(f"C{number}" for number in range(CONTROLS))]
    on_base = {"S1", "R1", "C3", "C4"}
    listed = [
        spec(
            code,
            {"S": "suspect", "R": "reference", "C": "control"}[code[0]],
            **({"weight_lineage": "base"} if code in on_base else {}),
        )
        for code in codes
    ]
    found = go(write(tmp_path, models=listed), tmp_path / "out").matrix
    cell = judged(found)["S1", "R1"]
    assert not {"C3", "C4"} & set(cell.controls)
    folder = next(one.folder for one in found.confirmations if (one.suspect, one.reference) == ("S1", "R1"))
    controls = {one.code for one in casefile.read(tmp_path / "out" / "cases" / folder).models if one.role == "control"}
    assert controls == {*cell.controls, "C3", "C4"}


def test_live_models_keep_their_endpoints(tmp_path: Path) -> None:
    """A suspect that can be asked is asked the fresh prompts: its case has the endpoint, not the recorded file."""
    url = "https://vendor.example/v1"
    live = spec("S1", "suspect", provider="openai", model="S1", base_url=url, api_key_env="VENDOR_KEY")
    others = [spec(code, "suspect") for code in TRUTH if code != "S1"]
    rest = [spec(code, "reference") for code in REFERENCES]
    listed = [live, *others, *rest, *(spec(f"C{number}", "control") for number in range(CONTROLS))]
    found = go(write(tmp_path, models=listed), tmp_path / "out").matrix
    folder = next(one.folder for one in found.confirmations if one.suspect == "S1")
    suspect = casefile.read(tmp_path / "out" / "cases" / folder).models[0]
    assert (suspect.provider, suspect.base_url, suspect.file) == ("openai", url, "")


@pytest.mark.slow
def test_confirmed_cases_have_a_report_and_an_opinion(tmp_path: Path) -> None:
    """With --confirm each pair with a hit is audited, and its opinions stand in the matrix."""
    truth = {"S1": "R1", **{f"S{n}": "R1" for n in range(2, 4)}, **{f"S{n}": f"S{n}" for n in range(4, 7)}}
    file = write(tmp_path, truth, questions=["same"])
    plain = go(file, tmp_path / "out")
    only = plain.matrix.confirmations[:1]
    cases = tmp_path / "out" / "cases"
    opinions = run.confirmed(only, cases, Clock(), quiet)
    assert [len(one.opinions) for one in opinions] == [1]
    assert (cases / only[0].folder / "out" / "report.html").is_file()
    assert depose("keygen", tmp_path / "key.pem").code == 0
    assert depose("seal", cases / only[0].folder, "--key", tmp_path / "key.pem").code == 0
    assert run.confirmed(only, cases, Clock(), quiet) == opinions
    more = go(write(tmp_path, {**truth, "S7": "R2"}, questions=["same"]), tmp_path / "out")
    again = {one.suspect: one for one in more.matrix.confirmations}
    assert again["S1"].alpha < only[0].alpha
    assert (again["S1"].also, again["S2"].also) == ((only[0].folder,), ())
    html = (tmp_path / "out" / "matrix.html").read_text()
    assert f'registered before or since: <span class="mono">{only[0].folder}</span>' in html
    assert "not asked yet" not in html


@pytest.mark.parametrize("name", ["case.toml", "*.jsonl"])
def test_a_case_that_was_changed_is_not_confirmed(tmp_path: Path, name: str) -> None:
    """A case whose protocol or answers are not those of the matrix is an error before anything is registered."""
    found = go(write(tmp_path, questions=["same"]), tmp_path / "out").matrix
    case = tmp_path / "out" / "cases" / found.confirmations[0].folder
    path = next(case.glob(name))
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(CaseError, match=f"{path.name}: is not what batch wrote"):
        run.confirmed(found.confirmations[:1], case.parent, Clock(), quiet)
    assert not (case / "evidence").exists()


@pytest.mark.parametrize("name", ADAPTER)
def test_a_case_whose_adapter_was_replaced_is_not_confirmed(tmp_path: Path, name: str) -> None:
    """Weights laid into the folder of a hit instead of the batch's are an error before anything is registered."""
    (tmp_path / "tuned").mkdir()
    for one in ADAPTER:
        (tmp_path / "tuned" / one).write_bytes(one.encode())
    live = spec("S1", "suspect", provider="transformers", model="S1", adapter="tuned")
    listed = [live, *(spec(code, "suspect") for code in TRUTH if code != "S1")]
    listed += [spec(code, "reference") for code in REFERENCES]
    listed += [spec(f"C{number}", "control") for number in range(CONTROLS)]
    found = go(write(tmp_path, models=listed), tmp_path / "out").matrix
    only = next(one for one in found.confirmations if one.suspect == "S1")
    case = tmp_path / "out" / "cases" / only.folder
    adapter = case / casefile.read(case).models[0].adapter
    assert (adapter / name).read_bytes() == name.encode()
    assert go(tmp_path / "batch.toml", tmp_path / "out").matrix.confirmations == found.confirmations
    (adapter / name).unlink()
    (adapter / name).write_bytes(b"another's")
    with pytest.raises(CaseError, match=r"adapters/S1-[0-9a-f]{16}: is not what batch wrote"):
        run.confirmed([only], case.parent, Clock(), quiet)
    assert not (case / "evidence").exists()


def test_an_inconclusive_case_is_inconclusive(found: tuple[Path, Matrix]) -> None:
    """With --confirm and --fail-on inconclusive, a case that decides nothing is exit 5, not 0."""
    one = msgspec.structs.replace(found[1].confirmations[0], opinions=("inconclusive",))
    made = msgspec.structs.replace(found[1], confirmations=(one,))
    with pytest.raises(SystemExit) as caught:
        matrices.leave(made, ("indication", "inconclusive"), confirmed=True, allow_blind=False)
    assert caught.value.code == 5


# --- outputs ----------------------------------------------------------------------------------------


@pytest.mark.criterion(22)
def test_the_page_has_family_size_q_values_and_no_blank_cell(found: tuple[Path, Matrix]) -> None:
    """Every cell of the heat map has a number or a letter, the letters are explained, q and family size are printed."""
    cells = list(found[1].cells)
    blind = msgspec.structs.replace(
        cells[0], outcome="not informative", reason="18 independent control lineages", log10_lr=None, lr=None, lfdr=None
    )
    html = page.render(msgspec.structs.replace(found[1], cells=(blind, *cells[1:])), "0" * 64).decode()
    squares = re.findall(r'<td class="(hit|lead|none|hatched)"[^>]*><span>([^<]*)</span></td>', html)
    assert len(squares) == len(cells)
    assert all(text.strip() for _, text in squares)
    assert [text for kind, text in squares if kind == "hatched"] == ["a"]
    assert "<b>a</b> 18 independent control lineages" in html
    assert f'id="family">{found[1].tests}<' in html
    assert html.count("△") >= found[1].hits
    listed = html[html.index("Table 2") :]
    assert f'<td class="r">{min(one.q or 1 for one in cells):.3f}</td>' in listed


def test_a_shade_is_never_alone(found: tuple[Path, Matrix]) -> None:
    """Hits differ from the rest by a mark and a frame, so that the page reads in grey; shades are greys."""
    html = (found[0] / "matrix.html").read_text()
    assert set(re.findall(r"hsl\((.*?), \d+%\)", html)) == {"0, 0%"}
    assert "△" in html
    assert "dashed" in html


def test_the_heat_map_can_be_heard(found: tuple[Path, Matrix]) -> None:
    """Every cell of the heat map stands under the header of its reference and beside that of its suspect."""
    html = (found[0] / "matrix.html").read_text()
    maps = re.findall(r'<table class="map">(.*?)</table>', html, re.DOTALL)
    assert len(maps) == 3
    for table, one in zip(maps, found[1].asked, strict=True):
        assert f"LR for {one.question}, references R1 to R3.</caption>" in table
        rows = re.findall(r'<th scope="row">([^<]*)</th>', table)
        assert [row.partition(" ")[0] for row in rows] == [s.name for s in found[1].suspects]
        heads = re.findall(r'<th scope="col">([^<]*)</th>', table)
        assert [head.partition(" ")[0] for head in heads] == ["suspect", *REFERENCES]


def test_names_are_hostile(tmp_path: Path) -> None:
    """A name with markup or a direction mark is shown, not obeyed, on the page, in CSV and in JUnit."""
    bad = "=cmd()<script>alert(1)</script>\u202e"
    found = go(write(tmp_path), tmp_path / "out").matrix

    def renamed(one: screen.Judged) -> screen.Judged:
        return msgspec.structs.replace(one, suspect=bad) if one.suspect == "S1" else one

    suspects = tuple(msgspec.structs.replace(s, name=bad) if s.name == "S1" else s for s in found.suspects)
    made = msgspec.structs.replace(found, suspects=suspects, cells=tuple(map(renamed, found.cells)), title=bad)
    html = page.render(made, "0" * 64).decode()
    assert "<script>" not in html
    assert "\u202e" not in html
    assert "[U+202E]" in html
    first = next(csv.DictReader(io.StringIO(matrix.table(made).decode())))
    assert first["suspect"].startswith("'=")
    assert ElementTree.fromstring(matrix.junit(made)).get("tests") == str(len(found.cells))  # noqa: S314 - ours


def test_junit_tells_hits_from_what_is_not_informative(found: tuple[Path, Matrix]) -> None:
    """A hit is a failure; a cell that says nothing is skipped with its reason."""
    blind = msgspec.structs.replace(found[1].cells[0], outcome="not informative", reason="no answer of S1")
    made = msgspec.structs.replace(found[1], cells=(blind, *found[1].cells[1:]))
    suite = ElementTree.fromstring(matrix.junit(made))  # noqa: S314 - ours
    hits = sum(one.outcome in HITS for one in made.cells)
    assert (suite.get("failures"), suite.get("skipped")) == (str(hits), "1")
    skipped = suite.find("testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == "no answer of S1"


def test_the_page_claims_no_more_than_the_numbers(found: tuple[Path, Matrix]) -> None:
    """The vocabulary lint finds nothing on the page."""
    text = re.sub(r"<[^>]+>|\{[^}]*\}", " ", (found[0] / "matrix.html").read_text().partition("</style>")[2])
    assert violations(text) == ()


def test_a_large_tree_is_drawn_in_parts(found: tuple[Path, Matrix]) -> None:
    """More suspects than fit a page are drawn in parts that have every name once; two suspects make no tree."""
    one = found[1].suspects[0]
    many = tuple(msgspec.structs.replace(one, name=f"V{n:03}") for n in range(130))
    cells = tuple(
        msgspec.structs.replace(found[1].cells[0], suspect=s.name, t=float(n % 7)) for n, s in enumerate(many)
    )
    parts = list(dendrogram(msgspec.structs.replace(found[1], suspects=many, cells=cells)))
    assert len(parts) == 3
    assert sorted(re.findall(r">(V\d{3})<", "".join(parts))) == [s.name for s in many]
    assert list(dendrogram(msgspec.structs.replace(found[1], suspects=many[:2], cells=cells[:2]))) == []


@pytest.mark.slow
def test_the_pdf_can_be_made_again(found: tuple[Path, Matrix]) -> None:
    """The same page gives the same PDF."""
    html = (found[0] / "matrix.html").read_bytes()
    assert page.pdf(html) == page.pdf(html)


# --- since the last audit ---------------------------------------------------------------------------


def test_what_changed_since_the_last_audit(tmp_path: Path) -> None:
    """New and gone suspects, an outcome that changed and the drift of its scores are listed; the rest is still."""
    file = write(tmp_path / "vendors")
    go(file, tmp_path / "first")
    kept = {code: voice for code, voice in TRUTH.items() if code != "S6"}
    write(tmp_path / "vendors", {**kept, "S4": "R3", "S9": "S9"})
    found = go(file, tmp_path / "second", since=str(tmp_path / "first" / "matrix.json")).matrix.changes
    assert found is not None
    assert not found.base_differs
    assert {one.suspect for one in found.new} == {"S9"}
    assert {one.suspect for one in found.gone} == {"S6"}
    assert {(one.suspect, one.reference) for one in found.changed} >= {("S4", "R3")}
    drift = {one.suspect: one for one in found.drift}
    assert drift["S4"].answers_differ
    assert drift["S4"].largest > 5
    assert not drift["S1"].answers_differ
    assert (drift["S1"].mean, drift["S1"].largest) == (0.0, 0.0)
    assert (found.settings, found.controls_differ) == ((), 0)
    assert "Since the last audit" in (tmp_path / "second" / "matrix.html").read_text()


def test_what_changes_cells_by_itself_is_named(found: tuple[Path, Matrix], tmp_path: Path) -> None:
    """Another alpha, rate, seed, version or labelled scores, and other controls of a cell, are not laid to a vendor."""
    listed = [spec(code, "suspect", developer="developer C3" if code == "S4" else code) for code in TRUTH]
    rest = [spec(code, "reference") for code in REFERENCES] + [spec(f"C{n}", "control") for n in range(CONTROLS)]
    file = write(tmp_path, models=[*listed, *rest], alpha=0.2, fdr=0.2)
    (tmp_path / "screening.json").write_bytes(msgspec.json.encode(labelled(seed=2)))
    changed = go(file, tmp_path / "out", since=str(found[0] / "matrix.json")).matrix.changes
    assert changed is not None
    assert not changed.base_differs
    assert changed.settings == ("alpha", "fdr", "pairs of known relation")
    assert changed.controls_differ == 3 * len(REFERENCES)
    html = (tmp_path / "out" / "matrix.html").read_text()
    assert "and they do: alpha, fdr, pairs of known relation." in html
    assert f"{3 * len(REFERENCES)} cells have other controls" in html


def test_an_earlier_matrix_is_read_strictly(found: tuple[Path, Matrix], file: Path, tmp_path: Path) -> None:
    """`--since` something else is an error before anything is made."""
    whole = json.loads((found[0] / "matrix.json").read_bytes())
    for other in ({"format": "other"}, {**whole, "format": "depose batch matrix 0"}):
        (tmp_path / "x.json").write_text(json.dumps(other))
        with pytest.raises(UsageError, match="not a matrix of this version"):
            go(file, tmp_path / "out", since=str(tmp_path / "x.json"))
    assert not (tmp_path / "out").exists()


# --- the batch file ---------------------------------------------------------------------------------

HEAD = '[batch]\ntitle = "t"\nauthority = "a"\n'
DATA = '[data]\nfolder = "."\nsource = "s"\nsuspects = ["*"]\nreferences = ["*"]\ncontrols = ["*"]\n'
MODEL = '[[models]]\ncode = "S1"\nrole = "{}"\nprovider = "recorded"\n'
LISTED = '[screening]\nprompts = "p.csv"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + DATA + "[screening]\nalhpa = 0.1\n", r"\$\.screening: unknown field 'alhpa'"),
        (HEAD + DATA + "[screening]\nfdr = 0.9\n", r"\$\.screening\.fdr"),
        (HEAD.replace('"a"', '" "') + DATA, r"\$\.batch\.authority: blank"),
        (HEAD, "in one of the two"),
        (HEAD + LISTED + DATA + MODEL.format("suspect"), "in one of the two"),
        (HEAD + DATA + LISTED, r"\$\.screening\.prompts: \[data\] has its own"),
        (HEAD + DATA + "[budget]\nrequests = 5\n", r"\$\.budget: nobody is asked"),
        (HEAD + DATA + "[asking]\nmax_tokens = 0\n", r"\$\.asking\.max_tokens"),
        (HEAD + LISTED + MODEL.format("suspect") + "[budget]\nmoney = 5.0\n", r"\$\.models\[0\]\.file: missing"),
        (HEAD + MODEL.format("suspect"), r"\$\.screening\.prompts: missing"),
        (HEAD + LISTED + MODEL.format("candidate"), r"\$\.models\[0\]\.role: 'candidate'"),
        (HEAD + LISTED + MODEL.format("suspect"), r"\$\.models\[0\]\.file: missing"),
        (HEAD + LISTED + MODEL.format("suspect") + 'file = "f"\n', r"\$\.models\[0\]: developer, weight_lineage"),
        (HEAD + DATA + '[screening]\nquestions = ["same", "same"]\n', "stands twice"),
        (HEAD + DATA.replace('suspects = ["*"]', "suspects = []"), r"\$\.data\.suspects"),
        ("[batch", "not TOML"),
        (HEAD + DATA + "[screening]\nseed = " + "9" * 5000, "digits"),
        (HEAD + DATA.replace('"."', '"\\u0000"'), r"\$\.data: holds a NUL"),
        (HEAD + 'x = "' + "\udc80" + '"', "not UTF-8"),
    ],
)
def test_a_bad_batch_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    """What can be known to be wrong is one error with the place, before anything is written."""
    path = tmp_path / "b.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CaseError, match=message):
        go(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_files_that_are_missing_are_named(tmp_path: Path) -> None:
    """A batch file, a table of answers, prompts or labelled scores that is not there is an error that names it."""
    with pytest.raises(CaseError, match=r"none\.toml"):
        go(tmp_path / "none.toml", tmp_path / "out")
    file = write(tmp_path)
    (tmp_path / "S1.jsonl").unlink()
    with pytest.raises(CaseError, match=r"batch\.toml: \$\.models\[0\]\.file: 'S1.jsonl' is not there"):
        go(file, tmp_path / "out")
    with pytest.raises(CaseError, match="neither bundled nor a file of labelled scores"):
        go(write(tmp_path, labelled="other"), tmp_path / "out")
    (tmp_path / "prompts.jsonl").write_text('{"prompt_id": "q00", "prompt": "Write"}\n')
    with pytest.raises(CaseError, match="a batch needs 20"):
        go(file, tmp_path / "out")


def test_two_prompts_under_one_id_are_named(tmp_path: Path) -> None:
    """Of two prompts with one id neither is dropped without a word."""
    file, table = write(tmp_path), tmp_path / "prompts.jsonl"
    table.write_text(table.read_text() + '{"prompt_id": "q03", "prompt": "Another one"}\n')
    with pytest.raises(CaseError, match=r"prompts\.jsonl: row 29: another prompt has the id 'q03' too"):
        go(file, tmp_path / "out")


def test_a_model_that_no_case_could_ask_is_named_at_once(tmp_path: Path) -> None:
    """A provider that is not there, or an endpoint without a key, is an error before rows are made, not in a case."""
    file = write(tmp_path)
    for provider, message in (("nonesuch", "unknown provider 'nonesuch'"), ("openai", "model: missing")):
        text = file.read_text().replace('provider = "recorded"', f'provider = "{provider}"', 1)
        (tmp_path / "b.toml").write_text(text)
        with pytest.raises(CaseError, match=rf"b\.toml: \$\.models\[0\].*{message}"):
            go(tmp_path / "b.toml", tmp_path / "out")


@pytest.mark.parametrize("t", [{"phrases": (1.0, 1.0)}, {"phrases": (1.0, 1.0), "wording": (1.0,)}])
def test_a_labelled_pair_without_its_scores_is_named(tmp_path: Path, t: dict[str, tuple[float, ...]]) -> None:
    """A pair that lacks a detector, or scores on a number of prompts, is an error before rows are made."""
    file = write(tmp_path)
    first, *others = labelled().pairs
    made = labelled(pairs=(msgspec.structs.replace(first, t=t), *others))
    (tmp_path / "screening.json").write_bytes(msgspec.json.encode(made))
    with pytest.raises(CaseError, match=r"screening\.json: pair 1 has not a score of phrases and of wording"):
        go(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_bundled_labelled_scores_read() -> None:
    """The scores that ship with depose are read, and have both kinds of pairs for every question."""
    from depose.validate import labelled as bundled

    found, _ = bundled.load("alpaca_eval", Path())
    for question in ("same", "derived", "distilled"):
        true = [one for one in found.pairs if one.question == question]
        other = [one for one in found.pairs if question in one.control_for]
        assert len(true) >= 15
        assert len(other) >= 190
        assert not {id(one) for one in true} & {id(one) for one in other}


# --- the command ------------------------------------------------------------------------------------


def test_the_command(file: Path, tmp_path: Path) -> None:
    """`depose batch` prints the statement and the hits, and exits as --fail-on asks."""
    done = depose("batch", file, "--out", tmp_path, "--workers", "1")
    assert done.code == 0
    assert "Benjamini-Hochberg" in done.out
    assert "screening hit, not claimable" in done.out
    assert f"{len(TRUTH)} rows made, 0 kept" in done.out
    assert "rows 7/7" in done.err
    again = depose("batch", file, "--out", tmp_path, "--json", "--fail-on", "indication")
    assert again.code == 4
    assert json.loads(again.out)["format"] == matrix.FORMAT
    assert depose("batch", file, "--out", tmp_path, "--fail-on", "inconclusive").code == 0
    assert depose("batch", tmp_path / "none.toml").code == 1
