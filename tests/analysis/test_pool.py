"""Controls drawn from a registry: the rule, its table, and a case that took others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from depose import pipeline
from depose.analysis.pool import chosen, drawn, held
from depose.case import registry
from depose.errors import CaseError
from depose.evidence import ledger
from depose.model import Case, CaseHead, ModelSpec, Protocol
from dossiers import spec
from fakes import Clock, case_of, depose, model, to_toml, write_case

DIGEST = "a" * 64
LISTED = (
    *(spec(f"C{n}", "control", source="list") for n in range(6)),
    *(spec(f"T{n}", "control", source="list", data_lineage="one set") for n in range(3)),
    spec("X1", "control", source="list", trained_on=("dev-R1",)),
    spec("X2", "control", source="list", developer="dev-S1"),
)


def case(*controls: ModelSpec) -> Case:
    """Make a case of a suspect, a reference and controls."""
    return Case(
        case=CaseHead(title="t", authority="a"),
        protocol=Protocol(prompts="x.csv", registry="registry.toml"),
        models=(spec("S1", "suspect"), spec("R1", "reference"), *controls),
    )


def test_one_of_every_clean_lineage_is_drawn_and_the_others_have_a_reason() -> None:
    """Six lineages of one model and one of three give seven; a student and a sister of the suspect are not eligible."""
    found = {one.code: one for one in drawn(case(), LISTED, DIGEST)}
    assert sum(one.drawn for one in found.values()) == 7
    assert [code for code, one in found.items() if not one.eligible] == ["X1", "X2"]
    (twin,) = [code for code in ("T0", "T1", "T2") if found[code].drawn]
    others = [found[code].reason for code in ("T0", "T1", "T2") if code != twin]
    assert others == [f"its lineage is represented by {twin}, by draw"] * 2
    assert "trained on outputs of the reference's developer" in found["X1"].reason
    assert found["C0"].reason == ""


def test_the_draw_follows_from_the_registry_alone() -> None:
    """Order and seed of the case change nothing; each of three twins is drawn by some edition of the registry."""
    once = drawn(case(), LISTED, DIGEST)
    again = drawn(case(), tuple(reversed(LISTED)), DIGEST)
    assert {one.code for one in once if one.drawn} == {one.code for one in again if one.drawn}
    seen = {
        one.code for n in range(40) for one in drawn(case(), LISTED, f"{n:064x}") if one.drawn and one.code[0] == "T"
    }
    assert seen == {"T0", "T1", "T2"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda own: own[1:], "without C0"),
        (lambda own: (*own, LISTED[-1]), "with X2"),
        (lambda own: (msgspec.structs.replace(own[0], released="2020"), *own[1:]), "released of C0"),
    ],
)
def test_a_case_with_other_controls_is_refused(change: Any, says: str) -> None:
    """One left out, one more, or one with another date: the error names it."""
    own = chosen(LISTED, drawn(case(), LISTED, DIGEST))
    assert held(case(*own), LISTED, DIGEST) == drawn(case(), LISTED, DIGEST)
    with pytest.raises(CaseError, match=says):
        held(case(*change(own)), LISTED, DIGEST)


def listed(folder: Path) -> Path:
    """Write a case with a registry beside it."""
    folder = write_case(folder, case_of([model("S1", "suspect"), model("R1", "reference")], registry="registry.toml"))
    models = [model(f"C{n}", "control", source="list") for n in range(4)]
    models.append(model("X1", "control", source="list", trained_on=["developer-R1"]))
    text = to_toml({"registry": {"name": "List, 2026", "source": "here"}, "models": models})
    (folder / "registry.toml").write_text(text)
    return folder


def test_drawn_controls_are_written_registered_and_kept_in_the_log(tmp_path: Path) -> None:
    """A case without controls is refused; after the draw it registers, and record 0 holds the whole table."""
    folder = listed(tmp_path / "case")
    ran = depose("register", folder)
    assert "not those that the rule draws: without C0, C1, C2, C3" in ran.first
    ran = depose("controls", folder, "--write")
    assert "4 drawn, 4 eligible of 5 in the registry" in ran.out
    pipeline.register_case(folder, Clock())
    pool = ledger.entries(folder).registration.pool
    assert [(one.code, one.drawn) for one in pool] == [*((f"C{n}", True) for n in range(4)), ("X1", False)]
    assert "has controls" in depose("controls", folder, "--write").first


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[registry", "not TOML"),
        (b"\xff", "not UTF-8"),
        (b"", "missing field"),
        (b'[registry]\nname = "n"\nsource = "s"\nx = 1\n', "unknown field"),
        (b'models = []\n[registry]\nname = "n"\nsource = "s"\n', "length"),
        (b"x = " + b"[" * 5000, "registry"),
    ],
)
def test_what_is_no_registry_is_named(tmp_path: Path, text: bytes, says: str) -> None:
    """Broken, empty, odd or deep: a CaseError with a next step."""
    (tmp_path / "r.toml").write_bytes(text)
    with pytest.raises(CaseError, match=says):
        registry.read(tmp_path / "r.toml")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"role": "suspect"}, "no place in a registry"),
        ({"source": ""}, "source is missing"),
        ({"released": ""}, "released: missing"),
        ({"file": "../../etc/passwd"}, "leads out"),
    ],
)
def test_a_registry_holds_documented_controls_and_names_no_file_elsewhere(
    tmp_path: Path, more: dict[str, Any], says: str
) -> None:
    """Each model is a control with lineage, source and date, and twice is once too often."""
    one = {**model("C1", "control", source="list"), **more}
    head = {"name": "n", "source": "s"}
    (tmp_path / "r.toml").write_text(to_toml({"registry": head, "models": [one]}))
    with pytest.raises(CaseError, match=says):
        registry.read(tmp_path / "r.toml")
    (tmp_path / "r.toml").write_text(to_toml({"registry": head, "models": [model("C1", "control", source="l")] * 2}))
    with pytest.raises(CaseError, match="stands twice"):
        registry.read(tmp_path / "r.toml")
