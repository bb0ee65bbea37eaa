"""A real server over a real model: `transformers serve` and SmolLM2-135M-Instruct, on loopback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from depose import plugins
from depose.evidence import ledger
from depose.model import Ask, ModelSpec
from fakes import PATIENCE, audit, case_of, model, write_case

pytestmark = [pytest.mark.live, pytest.mark.slow]
SERVE = "from transformers.cli.transformers import main; main()"
RUNNING = re.compile(r"running on (http://127\.0\.0\.1:[1-9]\d*)")
"""What the server says once it listens on the port that it was given."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Start the server; its address and the name of the model."""
    for name in ("fastapi", "uvicorn"):
        pytest.importorskip(name, reason=f"the package {name} is not installed: pip install .[dev]")
    from depose.endpoints.weights import find
    from depose.features.packaged import settle_libraries

    settle_libraries()
    spec = ModelSpec(code="S1", role="suspect", provider="transformers", model="SmolLM2-135M-Instruct")
    weights = find(spec, tmp_path_factory.mktemp("unused"), "float32").folder
    command = [sys.executable, "-c", SERVE, "serve", weights, "--host", "127.0.0.1", "--port", "0"]
    log = tmp_path_factory.mktemp("served") / "log"
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with log.open("wb") as file:
        process = subprocess.Popen([*command, "--device", "cpu"], stdout=file, stderr=file, env=env)
    try:
        found, end = None, time.monotonic() + PATIENCE
        while found is None and time.monotonic() < end:
            assert process.poll() is None, log.read_text()[-2_000:]
            time.sleep(0.1)
            found = RUNNING.search(log.read_text())
        assert found, log.read_text()[-2_000:]
        yield f"{found[1]}/v1", weights
    finally:
        process.kill()
        process.wait()


def spec_of(served: tuple[str, str], **more: Any) -> dict[str, Any]:
    """Describe the served model."""
    url, name = served
    return {"provider": "openai", "base_url": url, "model": name, "allow_private": True, "timeout": 120.0, **more}


def test_a_case_over_the_real_server_is_audited(served: tuple[str, str], tmp_path: Path) -> None:
    """Streamed and not, every question is answered, recorded with the bytes that came, and reported."""
    models = [
        model("S1", "suspect", **spec_of(served, stream=True, system="You are Nova.")),
        model("R1", "reference", **spec_of(served, concurrency=1)),
    ]
    folder = write_case(tmp_path / "case", case_of(models, replicates=1, max_tokens=12, temperature=0.0))
    ran = audit(folder, "--format", "html", "--json", "--allow-blind")
    assert ran.code == 0, ran.err
    assert [one["answered"] for one in json.loads(ran.out)["denominators"]] == [4, 4]
    found = ledger.entries(folder).exchanges
    for one in found:
        assert one.wire is not None
        assert one.wire.status == 200
        assert one.wire.request_id
        assert one.text.strip()
        assert (one.wire.chunks != "") == (one.model == "S1")
    assert "MODEL MISMATCH" not in ran.err


@pytest.mark.parametrize("stream", [False, True])
def test_the_official_client_reads_the_same_from_the_real_server(served: tuple[str, str], stream: bool) -> None:
    """Greedy answers of the real model are the same through the client of the maker and through ours."""
    openai = pytest.importorskip("openai", reason="the package openai is not installed: pip install .[dev]")
    url, name = served
    messages = [{"role": "user", "content": "Name three colours."}]
    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
    asked = {"model": name, "messages": messages, "temperature": 0.0, "max_tokens": 16, "seed": 1, "stream": stream}
    got = client.chat.completions.create(**asked)
    if stream:
        theirs = "".join(one.delta.content or "" for chunk in got for one in chunk.choices)
    else:
        theirs = got.choices[0].message.content
    spec = ModelSpec(code="S1", role="suspect", **spec_of(served, stream=stream))
    ask = Ask(
        model="S1",
        prompt="p",
        sample=0,
        replicate=0,
        text="Name three colours.",
        system="",
        temperature=0.0,
        max_tokens=16,
        seed=1,
    )
    (reply,) = plugins.load("providers", "openai")(spec, Path()).ask([ask])
    assert (reply.outcome, reply.text) == ("answered", theirs), reply
    assert reply.finish == "length"
