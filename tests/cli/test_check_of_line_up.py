"""Before a line-up is registered, a check says who scores what, how many line-ups it needs, what comes next."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import line_ups
from depose.case import casefile
from depose.errors import UsageError
from depose.lineup.acts import scored_here
from depose.lineup.scorers import open_scorer
from depose.model import ModelSpec
from depose.model.lineup_plan import Statistic
from depose.readiness.line_up import prepared
from fakes import depose
from faults import Server


def written(folder: Path, more: str = "", limits: str = "") -> Path:
    """Write a case of a line-up alone."""
    folder.mkdir()
    (folder / "case.toml").write_text(line_ups.CASE.format(more=more, limits=limits))
    return folder


def test_a_line_up_alone_is_checked_for_what_it_needs(tmp_path: Path) -> None:
    """No self-test and no audit are asked for; what has no scorer here and the next act are said."""
    folder = written(tmp_path / "acme")
    ran = depose("check", folder)
    assert ran.code == 0
    assert "self-test" not in ran.out
    assert "questions" not in ran.out
    assert "nothing here gives `likelihood` scores of S1, R1, C1" in " ".join(ran.out.split())
    assert f"next: depose register {folder}" in ran.out
    assert f"next: depose check {folder}\n" in depose("status", folder).out
    assert depose("register", folder).code == 0
    again = depose("check", folder)
    assert f"hint: depose lineup build {folder}" in again.out


def test_a_corpus_is_no_file_of_answers(tmp_path: Path) -> None:
    """A case that searches a produced corpus is checked without reading it as answers to prompts."""
    folder = written(tmp_path / "acme", 'statistic = "corpus"')
    (folder / "corpus.txt").write_text("a river\n")
    text = (folder / "case.toml").read_text()
    (folder / "case.toml").write_text(
        text.replace('provider = "recorded"', 'provider = "recorded"\nfile = "corpus.txt"')
    )
    ran = depose("check", folder)
    assert (ran.code, "S1, C1 will be scored here, by corpus" in ran.out) == (0, True)


@pytest.mark.parametrize(("statistic", "asked", "said"), [("text", 1, "1 answer"), ("likelihood", 0, "S1: not tried")])
def test_an_endpoint_of_a_line_up_alone_is_tried_where_it_is_to_answer(
    tmp_path: Path, statistic: str, asked: int, said: str
) -> None:
    """With --ask it gets one short question, though no bag is built; one that only scores given text gets none."""
    folder = written(tmp_path / "acme", f'statistic = "{statistic}"')
    with Server() as server:
        place = f'provider = "openai"\nmodel = "m"\nbase_url = "{server.url}"\nallow_private = true'
        text = (folder / "case.toml").read_text()
        (folder / "case.toml").write_text(text.replace('provider = "recorded"', place, 1))
        ran = depose("check", folder, "--ask")
        assert (ran.code, len(server.seen)) == (0, asked)
    assert f"endpoints: {said}" in " ".join(ran.out.split())


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("share = 1.0", "100 line-ups show 100% of the deliveries learnt with an area of 0.75 with power 0.8"),
        ("share = 0.3", "153 line-ups show 30% of the deliveries learnt with an area of 0.75 with power 0.8"),
        ("share = 0.05", "5,496 line-ups show 5% of the deliveries learnt with an area of 0.75 with power 0.8; "
         "at most 1,000 are registered"),
    ],
)  # fmt: skip
def test_the_number_of_line_ups_is_that_of_the_closed_form(tmp_path: Path, more: str, said: str) -> None:
    """N = ((z_alpha + z_power) / (area - 1/2))^2 (M + 2) / (12 M), and never below the registered limit."""
    case = casefile.read(written(tmp_path / "acme", more))
    *_, enough = prepared(case)
    assert enough.said == said
    assert enough.state == ("open" if "registered" in said else "fine")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('tier = "kept"', "D3 needs 3 models older than the first delivery in `controls`"),
        (
            'tier = "resampled"\ncontrols = ["C1", "C2", "C3"]',
            "D5 needs accounts that are not in question in `matched`",
        ),
        ('tier = "kept"\nstatistic = "text"', "D1 needs likelihoods of the reference; D3 needs 3 models"),
        ('tier = "kept"\n[lineup.limits]\nrequired = ["D6", "D7"]', "D6 needs `cutoff`, and deliveries after it; D7"),
    ],
)
def test_a_check_that_could_never_be_made_is_said_before_it_is_too_late(tmp_path: Path, more: str, said: str) -> None:
    """A case whose tier needs what it does not name ends with 1, and registering it says so too."""
    head, _, models = line_ups.CASE.partition('matched = ["B1"]')
    models = models[models.index("[[models]]") :]
    models += "".join(f'\n[[models]]\ncode = "C{n}"\nrole = "control"\nprovider = "recorded"\n' for n in (2, 3))
    folder = written(tmp_path / "acme")
    (folder / "case.toml").write_text(f"{head}{more}\n\n{models}")
    ran = depose("check", folder)
    assert ran.code == 1
    assert said in " ".join(ran.out.split())
    assert "next: depose register" not in ran.out
    assert "every opinion is inconclusive (diagnostics)" in " ".join(depose("register", folder).err.split())


def test_what_is_said_to_have_no_scorer_has_none(tmp_path: Path) -> None:
    """For every statistic and provider that a check sends elsewhere, scoring is refused with the way to a table."""
    case = casefile.read(written(tmp_path / "acme"))
    plan: Any = case.lineup
    for statistic, provider in itertools.product(get_args(Statistic), ("recorded", "openai", "anthropic")):
        changed = msgspec.structs.replace(plan, statistic=statistic)
        spec = ModelSpec(code="S1", role="suspect", provider=provider)
        if not scored_here(changed, spec):
            with pytest.raises(UsageError, match="S1: nothing here gives"):
                open_scorer(case, changed, spec, tmp_path)
