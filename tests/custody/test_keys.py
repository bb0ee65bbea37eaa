"""Keys: given to the service that they are for, and to nothing and nobody else."""

from __future__ import annotations

import base64
import html
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depose.endpoints.keys import Key
from depose.evidence.compression import SHORTEST
from fakes import TESTS, case_of, depose, fit, write_case
from faults import FAULTS, Server
from faulty import SILENT, remote

CANARY = "sk-canary/7Jq+Zz_0123~456789-äöü".encode("ascii", "ignore").decode() + "=="
PROVIDERS = ("openai", "anthropic", "google")


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=SHORTEST, max_size=64),
    st.binary(),
    st.binary(),
)
def test_a_secret_is_found_in_every_form(secret: str, before: bytes, after: bytes) -> None:
    """Raw, hex, URL-encoded, with JSON's escapes, and inside any base64 whatever stands around it."""
    key = Key(secret, "a test")
    raw = secret.encode()
    inside = before + raw + after
    for text in (
        inside,
        inside.hex().encode(),
        inside.hex().upper().encode(),
        quote(secret, safe="").encode(),
        quote_plus(secret).encode(),
        json.dumps(secret).encode(),
        json.dumps(secret).replace("/", "\\/").encode(),
        html.escape(secret).encode(),
        base64.b64encode(inside),
        base64.urlsafe_b64encode(inside),
    ):
        assert key.stands_in(text)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_a_secret_is_not_found_where_it_is_not(data: bytes) -> None:
    """Other bytes do not hold it, and a word of a few letters is no secret."""
    assert not Key(CANARY, "a test").stands_in(data)
    assert not Key("ollama", "a test").stands_in(b"ollama")


def test_a_key_does_not_show_itself() -> None:
    """Its text names its origin; there is no other way to its value than `reveal`."""
    key = Key(CANARY, "environment variable X")
    assert repr(key) == str(key) == "Key(environment variable X)"
    assert not hasattr(key, "__dict__")
    assert key.reveal() == CANARY


DEBUG = "import logging; logging.basicConfig(level=logging.DEBUG); from depose.cli import main; main()"


@pytest.fixture(scope="module")
def leavings(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """Audit a case in which every fault meets every wire format, with all logging on: its folder and all output."""
    folder = tmp_path_factory.mktemp("canary")
    servers = [Server(lambda seen, fault=fault: fault) for fault in ("", *FAULTS)]  # type: ignore[misc]
    for server in servers:
        server.__enter__()
    models = [
        remote(
            server.url,
            f"M{n}-{name}",
            "control",
            name,
            timeout=0.6 if fault in SILENT else 60.0,
            attempts=2,
            api_key_env="DEPOSE_CANARY",
        )
        for server, fault, n in zip(servers, ("", *FAULTS), range(99), strict=False)
        for name in PROVIDERS
    ]
    models[0]["role"], models[1]["role"] = "suspect", "reference"
    models.append(remote("https://127.0.0.1:1", "TLS", "control", timeout=0.5, attempts=1, api_key_env="DEPOSE_CANARY"))
    case = write_case(folder / "case", case_of(models, probes=["open_howto:1"], replicates=1))
    env = {**os.environ, "DEPOSE_CANARY": CANARY, "PYTHONPATH": str(TESTS)}
    command = [sys.executable, "-X", "dev", "-c", DEBUG, "audit", str(fit(case)), "--format", "html"]
    ran = subprocess.run(command, env=env, capture_output=True, check=False, cwd=folder)
    for server in servers:
        server.__exit__()
    assert ran.returncode == 0, ran.stderr[-2_000:]
    assert all(KEY_HEADERS & {name.lower() for name, _ in seen.headers} for server in servers for seen in server.seen)
    return folder, ran.stdout + ran.stderr


KEY_HEADERS = {"authorization", "x-goog-api-key"}


@pytest.mark.slow
@pytest.mark.criterion(56, 57)
def test_no_file_and_no_output_holds_a_byte_of_the_key(leavings: tuple[Path, bytes]) -> None:
    """Neither evidence, findings, report, log nor traceback holds the canary in any form, also where it was echoed."""
    folder, output = leavings
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 60
    assert b"DEBUG:httpcore2" in output
    held = [path.name for path in files if Key(CANARY, "").stands_in(path.read_bytes())]
    assert held == []
    assert not Key(CANARY, "").stands_in(output)
    log = (folder / "case" / "evidence" / "log.jsonl").read_bytes()
    assert log.count(b"holds the key that was sent and is not kept") >= len(PROVIDERS)


def test_an_error_that_nobody_foresaw_does_not_show_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A traceback out of the innermost part of a request names files and lines and no header."""
    import traceback

    from depose.endpoints.network import Line
    from depose.endpoints.openai import open_openai
    from depose.model import Ask, ModelSpec

    class Broken(Line):
        def _us(self) -> int:
            raise RuntimeError("a bug")

    monkeypatch.setenv("DEPOSE_CANARY", CANARY)
    with Server() as server:
        spec = ModelSpec(
            code="S1",
            role="suspect",
            provider="openai",
            model="m",
            base_url=server.url,
            allow_private=True,
            api_key_env="DEPOSE_CANARY",
        )
        endpoint = open_openai(spec, tmp_path)
        endpoint._line = Broken(server.url, reach="private", proxy="", connections=1)
        ask = Ask(
            model="S1", prompt="p", sample=0, replicate=0, text="x", system="", temperature=0, max_tokens=9, seed=1
        )
        with caplog.at_level(logging.DEBUG), pytest.raises(RuntimeError) as error:
            endpoint.ask([ask])
    shown = "".join(traceback.format_exception(error.value))
    assert "a bug" in shown
    assert not Key(CANARY, "").stands_in((shown + caplog.text).encode())


def test_a_key_written_into_a_case_file_is_not_repeated(tmp_path: Path) -> None:
    """Where somebody puts the key itself into `api_key_env`, the error says so without it."""
    folder = write_case(
        tmp_path / "case",
        case_of([remote("https://h", api_key_env=CANARY), remote("https://h", "R1", "reference")]),
    )
    ran = depose("register", folder)
    assert ran.code == 1
    assert "the key itself must not stand in a case file" in ran.err
    assert not Key(CANARY, "").stands_in((ran.out + ran.err).encode())
