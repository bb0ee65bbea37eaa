"""Whatever a provider sends fails its own answer and nothing else; the key that it gives back is kept nowhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from depose.custody.wires import Bytes, odd_wire
from depose.endpoints.keys import Key
from depose.endpoints.openai import OPENAI
from depose.evidence import ledger
from depose.evidence.log import read_blob, read_log
from depose.model import Exchange
from fakes import Ran, case_of, depose, install, write_case
from faults import Server
from faults_of_data import ECHOES, VALUES
from faulty import heard, remote

pytestmark = pytest.mark.slow

KEY = "sk-test-0123456789+.abcdef"
CODES = {fault: f"M{number}" for number, fault in enumerate((*VALUES, *ECHOES))}


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    """Ask one model for each fault in a single run, and a good one beside them."""
    folder = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch, Server(lambda seen: seen.json["model"]) as server:
        patch.syspath_prepend(install(folder / "site"))
        patch.setenv("DEPOSE_TEST_KEY", KEY)
        more: dict[str, Any] = {"attempts": 1, "timeout": 60.0, "api_key_env": "DEPOSE_TEST_KEY"}
        models = [remote(server.url, code, "control", model=fault, **more) for fault, code in CODES.items()]
        models += [remote(server.url, "S1", "suspect", **more), remote(server.url, "R1", "reference", **more)]
        settings: dict[str, Any] = {"probes": ["open_howto:1"], "replicates": 1, "bogus_model": False}
        case = write_case(folder / "case", case_of(models, **settings))
        registered = depose("register", case)
        assert registered.code == 0, registered.err
        return case, depose("probe", case)


def test_what_is_recorded_of_a_transfer_is_what_verify_expects(met: tuple[Path, Ran]) -> None:
    """However odd an answer is, the record of it has its times in order, its forms, and a reason for what it lacks."""
    specs = {spec.code: spec for spec in ledger.entries(met[0]).registration.case.models}
    wires = [(one, one.wire) for code in specs for one in heard(met[0], code) if one.wire]
    assert len(wires) > len(CODES)
    held = [
        Bytes(*(read_blob(met[0], name) if name else b"" for name in (one.request, one.response, wire.chunks)))
        for one, wire in wires
    ]
    found = zip(wires, held, strict=True)
    assert {odd_wire(one, wire, OPENAI, specs[one.model], its) for (one, wire), its in found} == {""}


def _told(one: Exchange) -> str:
    missing = one.wire.missing if one.wire else {}
    counts = [f"{name}: {missing[name]}" for name in ("input_tokens", "output_tokens") if name in missing]
    return " | ".join([one.outcome, one.reason, *counts])


@pytest.mark.parametrize("fault", VALUES)
def test_a_value_fails_its_answer_at_most(met: tuple[Path, Ran], fault: str) -> None:
    """Its record says what came of the value."""
    found = heard(met[0], CODES[fault])
    assert len(found) == 1
    for one in found:
        assert re.search(VALUES[fault], _told(one), re.DOTALL), _told(one)


@pytest.mark.parametrize("fault", ECHOES)
def test_an_answer_that_gives_the_key_back_is_not_kept(met: tuple[Path, Ran], fault: str) -> None:
    """Of its body nothing is kept, and the record says why."""
    for one in heard(met[0], CODES[fault]):
        assert (one.outcome, one.response) == ("failed", "")
        assert ECHOES[fault] in one.reason


def test_the_run_goes_on_and_its_log_verifies(met: tuple[Path, Ran]) -> None:
    """The models beside them are asked to the end; no file of the case holds the key in any form."""
    case, ran = met
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    assert [one.outcome for one in (*heard(case, "S1"), *heard(case, "R1"))] == ["answered"] * 2
    assert len(list(read_log(case))) > len(CODES)
    assert re.search(r"M3: 1 answers came with counts of tokens that cannot be", ran.out), ran.out
    key = Key(KEY, "")
    assert not [file.name for file in case.rglob("*") if file.is_file() and key.stands_in(file.read_bytes())]
