"""Somebody else's protocol is asked with the endpoints and keys of its asker."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from attacks_on_askers import forged
from depose.case import casefile
from depose.case.casetext import text_of
from depose.model import Case
from fakes import case_of, depose, model
from faults import Server
from mixed_bundles import mixed_case
from tampering import Target, sealed_case
from traps import SECRET, VARIABLE, Place

OWN = "DEPOSE_TEST_OWN_KEY"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    """A sealed bundle."""
    return sealed_case(tmp_path_factory.mktemp("replicate") / "target")


@pytest.fixture(autouse=True)
def scripted(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the scripted models, a key of one's own, and another that a bundle may want."""
    monkeypatch.setattr(sys, "path", [str(target.folder / "site"), *sys.path])
    monkeypatch.setenv(OWN, "sk-own-0123456789abcdef")
    monkeypatch.setenv(VARIABLE, SECRET)


def test_a_bundle_is_asked_with_the_endpoints_and_keys_of_its_asker(target: Target, tmp_path: Path) -> None:
    """The plan is shown, the asker's server hears the asker's key, and the bundle's server and secret stay alone."""
    with Server() as theirs:
        place = Place(folder=tmp_path, canary=tmp_path / "none", server=theirs, target=target)

        def change(body: dict[str, Any]) -> None:
            body["case"]["protocol"]["phase"] = "registered"
            body["case"]["models"][0] |= {
                "provider": "openai", "model": "m-1", "base_url": f"{theirs.url}/v1", "allow_private": True,
                "api_key_env": VARIABLE, "proxy": "",
            }  # fmt: skip

        bundle = forged(place, change)
        assert depose("replicate", bundle, tmp_path / "mine", "--public-key", target.folder / "key.pem.pub").code == 2
        assert theirs.seen == []
    honest = mixed_case(tmp_path / "honest")
    asked = json.loads((honest.case / "evidence/log.jsonl").read_bytes().splitlines()[0])["body"]["case"]["models"]
    own_model = 'base_url = "{url}/v1"\napi_key_env = "' + OWN + '"\nallow_private = true\n'
    with Server() as own:
        text = "".join(f"[models.{code}]\n{own_model.format(url=own.url)}" for code in ("S1", "C1"))
        (tmp_path / "own.toml").write_text(f"{text}[budget]\nrequests = 500\n")
        words = ("replicate", honest.bundle, tmp_path / "mine", "--public-key", honest.folder / "key.pem.pub")
        first = depose(*words)
        assert first.code == 2
        assert not (tmp_path / "mine").exists()
        ran = depose(*words, "--endpoints", tmp_path / "own.toml", "--json")
        assert f"{own.url}/v1 (private)" in ran.err
        assert f"yours, from {OWN}" in ran.err
        assert ran.code == 0, ran.err
        assert {seen.header("authorization") for seen in own.seen} == {"Bearer sk-own-0123456789abcdef"}
    assert own.url not in {one["base_url"] for one in asked}
    assert not any(SECRET.encode() in file.read_bytes() for file in (tmp_path / "mine").rglob("*") if file.is_file())
    laid = casefile.read(tmp_path / "mine")
    assert (laid.models[0].base_url, laid.models[0].api_key_env, laid.budget.requests) == (f"{own.url}/v1", OWN, 500)


def test_a_plan_says_what_would_be_written_and_asked(target: Target, tmp_path: Path) -> None:
    """Signer, models with where and which key, questions, files: all before a word of consent."""
    ran = depose("replicate", target.bundle, tmp_path / "mine", "--unknown-signer")
    assert ran.code == 2
    for said in ("a key that nobody here knows, sha256 ", "where the plugin leads", "questions", "files written into"):
        assert said in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_case_that_depose_writes_reads_as_the_same_case() -> None:
    """Strings of any letters, inline tables, tuples, numbers and defaults survive."""
    given = case_of(
        [
            model("S1", "suspect", model='a "quoted"\\ name\n\u202e', trained_on=["x", "y"]),
            model(
                "R1",
                "reference",
                provider="openai",
                model="m",
                api_key_env="K",
                parameters={"top_p": 0.5, "a": {"b": [1]}},
            ),
            model("C1", "control", within=[0.25, 1.5], repeats="C2", provider="openai", api_key_env="K", model="m"),
            model("C2", "control"),
        ]
    )
    given |= {"budget": {"money": 2.5, "requests": 9}, "prices": {"R1": {"input": 1.0, "output": 2.0}}}
    case = msgspec.convert(json.loads(json.dumps(given)), Case)
    assert casefile.decoded(text_of(case)) == case
