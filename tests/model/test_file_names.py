"""Which names of files a case may hold."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from depose.model import Case, Terms, file_names
from depose.model.file_names import LONGEST, named_files, problem_of_case, unfit_for_case
from fakes import case_of, model

FIT = ("answers.csv", "adapters/L1/adapter_config.json", "./a.csv", "data//b.jsonl", "Größe.csv", "a b.csv", "a'b.csv")
UNFIT = {
    "../up.csv": "leads out",
    "a/../../up.csv": "leads out",
    "..": "leads out",
    "/etc/passwd": "a name in full",
    "~/.ssh/id_ed25519": "a name in full",
    "~root/x": "a name in full",
    "C:\\Users\\x": "a name in full",
    "c:x.csv": "a name in full",
    "a\0.csv": "a NUL",
    "a\nb.csv": "a control character",
    "a\u202efdp.csv": "a control character",
    "..\\up.csv": "a backslash",
    "a/b\\..\\c.csv": "a backslash",
    "x" * (LONGEST + 1): "longer than",
    "con": "Windows",
    "a/NUL.txt": "Windows",
    "a./b": "Windows",
    "a.csv ": "Windows",
    ".bashrc": "hidden",
    "a/.git/hooks/post-checkout": "hidden",
    ".": "not a file",
    "case.toml": "depose keeps",
    "Case.TOML": "depose keeps",
    "evidence/log.jsonl": "depose keeps",
    "./evidence/blobs/x": "depose keeps",
    "out/findings.json": "depose keeps",
    "sealed/x.zip": "depose keeps",
    "waivers.toml": "depose keeps",
}


@pytest.mark.parametrize("name", FIT)
def test_a_name_below_the_case_is_fit(name: str) -> None:
    """Plain names, in folders too, of any letters."""
    assert unfit_for_case(name) == ""


@pytest.mark.parametrize(("name", "says"), UNFIT.items())
def test_a_name_that_may_lead_elsewhere_says_why_it_is_unfit(name: str, says: str) -> None:
    """Out of the folder, elsewhere on another system, hidden, or onto what depose keeps itself."""
    assert says in unfit_for_case(name)


@given(name=st.text(st.characters(codec="utf-8"), max_size=40) | st.text("./\\~:a\0", max_size=12))
def test_a_fit_name_never_leaves_the_folder(name: str) -> None:
    """Whatever is let through stands below the folder, and at none of depose's own places."""
    if name and not unfit_for_case(name):
        path = Path("/case").joinpath(name)
        assert path.resolve().is_relative_to("/case")
        assert path.relative_to("/case").parts[0] not in file_names.OWN


@pytest.mark.parametrize("place", ["prompts", "file", "adapter", "terms", "calibration"])
def test_every_place_that_names_a_file_is_looked_at(place: str) -> None:
    """Prompts, answers, adapters, terms and calibration: a message names the place."""
    own = {place: "../x"} if place in ("file", "adapter") else {}
    case = msgspec.convert(case_of([model("S1", "suspect", **own), model("R1", "reference")]), Case)
    if place in ("prompts", "calibration"):
        case = msgspec.structs.replace(case, protocol=msgspec.structs.replace(case.protocol, **{place: "../x"}))
    if place == "terms":
        case = msgspec.structs.replace(case, terms=Terms(file="../x"))
    problem = problem_of_case(case)
    assert problem is not None
    assert place in problem[0]
    assert "leads out of the case folder" in problem[0]


def test_a_model_that_comes_with_an_adapter_names_both_of_its_files() -> None:
    """An adapter is a folder; what is read and stored of it is two files."""
    given = case_of([model("S1", "suspect", adapter="adapters/S1/"), model("R1", "reference")])
    named = named_files(msgspec.convert(given, Case))
    assert list(named) == ["adapters/S1/adapter_model.safetensors", "adapters/S1/adapter_config.json"]
