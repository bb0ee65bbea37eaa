"""Mixes: one line names them, half of the prompts hang on a secret, and the seal lets anybody draw them again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from depose import pipeline, plugins
from depose.case import mixes
from depose.case.casefile import read
from depose.errors import CaseError
from depose.evidence import ledger
from depose.model import Protocol
from depose.model.canonical import sha256
from depose.model.file_names import KEY_OF_HALF
from depose.readiness import checking
from fakes import Clock, audit, case_of, depose, model, write_case
from swapping import Swapping

MIX = ["mix:short"]


def case(folder: Path, **more: Any) -> Path:
    """Write a case of two recorded models that asks a mix."""
    models = [model("S1", "suspect"), model("R1", "reference")]
    return write_case(folder, case_of(models, probes=MIX, **more))


@pytest.mark.parametrize("name", mixes.MIXES)
def test_a_mix_names_families_that_are_there(name: str) -> None:
    """Each family of a mix is installed and holds as many prompts; none stands twice; half hangs on the secret."""
    protocol = Protocol(probes=(f"mix:{name}",))
    assert mixes.problem_of_probes(protocol) is None
    one, other = (mixes.drawn(protocol, secret * 64) for secret in "ab")
    assert len(one) == len({prompt.id for prompt in one}) == mixes.MIXES[name].prompts
    assert {prompt.family for prompt in one} <= set(plugins.names("probes"))
    shared = {prompt.id for prompt in one} & {prompt.id for prompt in other}
    assert len(one) / 2 <= len(shared) < 0.95 * len(one)


def test_short_is_a_hundred_calls() -> None:
    """What the name promises is what is asked."""
    assert mixes.MIXES["short"].calls == 100


def test_the_secret_is_made_once_and_committed_to(tmp_path: Path) -> None:
    """Registering makes it for its owner alone, notes its digest, and again changes nothing."""
    folder = case(tmp_path / "case")
    pipeline.register_case(folder, Clock())
    secret = (folder / KEY_OF_HALF).read_bytes()
    assert (folder / KEY_OF_HALF).stat().st_mode & 0o77 == 0
    found = ledger.entries(folder).registration
    assert {fact.name: fact.value for fact in found.files}[KEY_OF_HALF] == sha256(secret)
    assert not pipeline.register_case(folder, Clock()).fresh
    assert (folder / KEY_OF_HALF).read_bytes() == secret
    other = case(tmp_path / "other")
    pipeline.register_case(other, Clock())
    assert ledger.entries(other).registration.prompts != found.prompts


def test_a_mix_is_checked_before_it_is_registered(tmp_path: Path) -> None:
    """`depose check` counts what would be asked, makes no secret, and says no other thing after registration."""
    folder = case(tmp_path / "case")
    before = checking.check(folder, Clock())
    assert not (folder / KEY_OF_HALF).exists()
    assert [one.said for one in before.points if one.about == "case"] == ["20 prompts; 1 suspect, 1 reference"]
    pipeline.register_case(folder, Clock())
    after = checking.check(folder, Clock())
    assert [one.said for one in after.points][1:] == [one.said for one in before.points][1:]


def test_a_secret_that_was_lost_or_changed_stops_the_case(tmp_path: Path) -> None:
    """Without it the prompts cannot be drawn again; another one is no protocol that was registered."""
    folder = case(tmp_path / "case")
    pipeline.register_case(folder, Clock())
    (folder / KEY_OF_HALF).write_text("0" * 64)
    assert depose("register", folder).code != 0
    (folder / KEY_OF_HALF).write_text("short")
    with pytest.raises(CaseError, match="too short"):
        pipeline.register_case(folder, Clock())
    (folder / KEY_OF_HALF).unlink()
    with pytest.raises(CaseError):
        pipeline.register_case(folder, Clock())


def test_a_copy_of_a_case_makes_a_secret_of_its_own(tmp_path: Path) -> None:
    """`depose new --from` leaves the secret where it is."""
    folder = case(tmp_path / "case")
    pipeline.register_case(folder, Clock())
    pipeline.new(str(folder), tmp_path / "copy")
    assert not (tmp_path / "copy" / KEY_OF_HALF).exists()
    assert read(tmp_path / "copy") == read(folder)


@pytest.mark.parametrize(
    ("probes", "said"),
    [
        (["mix:all"], "unknown mix"),
        (["mix:short", "tie_break:2"], "stands twice"),
        (["mix:short", "mix:short"], "twice"),
    ],
)
def test_a_mix_that_cannot_be_asked_is_a_case_error(tmp_path: Path, probes: list[str], said: str) -> None:
    """Unknown mixes and families that stand twice are named with the next step."""
    folder = write_case(tmp_path / "case", case_of([model("S1", "suspect"), model("R1", "reference")], probes=probes))
    with pytest.raises(CaseError, match=said):
        pipeline.register_case(folder, Clock())


def test_list_mixes_prints_what_each_is_for() -> None:
    """`depose list mixes` gives the line for the case, the calls and the purpose."""
    ran = depose("list", "mixes")
    assert ran.code == 0
    assert all(f"mix:{name}" in ran.out for name in mixes.MIXES)


@pytest.mark.slow
def test_a_sealed_mix_is_drawn_again_by_whoever_verifies(tmp_path: Path) -> None:
    """The bundle holds the secret: verify draws both halves again and finds what was registered."""
    with Swapping() as server:
        own = {"provider": "openai", "model": "m-1", "base_url": server.url, "allow_private": True}
        models = [model(code, role, **own) for code, role in (("S1", "suspect"), ("R1", "reference"))]
        folder = write_case(tmp_path / "case", case_of(models, probes=MIX, replicates=1))
        assert audit(folder, "--format", "html", "--allow-blind").code == 0
    assert depose("keygen", tmp_path / "k").code == 0
    sealed = depose("seal", folder, "--key", tmp_path / "k", "--json")
    assert sealed.code == 0, sealed.err
    ran = depose("verify", json.loads(sealed.out)["bundle"], "--public-key", tmp_path / "k.pub")
    assert ran.code == 0, ran.err
    assert "20 prompts drawn again from the seed" in ran.out
    assert "the signer alone chose its secret" in ran.out


def test_the_nonce_of_another_goes_into_the_secret_half() -> None:
    """Another nonce draws another half, and the same one the same; the open half, from the seed, stays as it is."""
    plain = Protocol(probes=("mix:court",))
    one, other = (Protocol(probes=("mix:court",), nonce=sign * 32, nonce_by="the defence") for sign in "ab")
    drawn = [{prompt.id for prompt in mixes.drawn(each, "s" * 64)} for each in (plain, one, other)]
    assert all(2 * len(drawn[0] & each) >= len(each) for each in drawn)
    assert drawn[0] != drawn[1] != drawn[2] != drawn[0]
    assert {prompt.id for prompt in mixes.drawn(one, "s" * 64)} == drawn[1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"nonce": "a" * 32}, "goes with $.protocol.nonce_by"),
        ({"nonce_by": "the defence"}, "goes with $.protocol.nonce_by"),
        ({"nonce": "a" * 32, "nonce_by": "x", "probes": ["tie_break:2"]}, "nothing is drawn with it"),
        ({"nonce": "ab", "nonce_by": "x"}, "nonce"),
    ],
)
def test_a_nonce_goes_with_a_mix_and_with_whoever_gave_it(tmp_path: Path, more: dict[str, Any], said: str) -> None:
    """Anything else is an error of the case file."""
    models = [model("S1", "suspect"), model("R1", "reference")]
    folder = write_case(tmp_path / "case", case_of(models, **({"probes": MIX} | more)))
    with pytest.raises(CaseError, match=re.escape(said)):
        read(folder)
