"""One question under each fault: what is recorded of it, and what its user sees."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depose.evidence import ledger
from depose.model import Exchange
from fakes import Ran, case_of, depose, model, write_case
from faults import FAULTS, Plan, Server, certificate

TLS = "TLS with a wrong certificate"
SILENT = {
    "no first byte": "waiting for the first byte",
    "stalled body": "bytes of the body",
    "dripping body": "bytes of the body",
}
"""Faults that only a deadline ends, and where it meets them."""
DEADLINES = (1.0, 5.0, 25.0)
"""Seconds allowed under such a fault: more where this machine was too busy to send and answer a question in time."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What came of one fault."""

    fault: str
    exchanges: tuple[Exchange, ...]
    ran: Ran
    deadline: float

    @property
    def recorded(self) -> str:
        """Each attempt in the log: status, outcome, bytes kept."""
        wires = [(one, one.wire) for one in self.exchanges if one.wire is not None]
        told = [(f"{w.attempt}: {w.status or 'no answer'} {one.outcome}", one.reason) for one, w in wires]
        return "; ".join(", ".join(filter(None, parts)) for parts in told)

    @property
    def server_was_heard(self) -> bool:
        """Whether the first deadline passed while the server was silent, and none after it."""
        first, *rest = (one.reason for one in self.exchanges)
        return first.endswith(SILENT[self.fault]) and not any("no whole answer within" in one for one in rest)

    @property
    def shown(self) -> str:
        """What stands on the terminal, without the progress."""
        lines = (self.ran.out + self.ran.err).splitlines()
        return f"exit {self.ran.code}: " + " / ".join(line.strip() for line in lines if "[###" not in line)


def remote(url: str, code: str = "S1", role: str = "suspect", provider: str = "openai", **more: Any) -> dict[str, Any]:
    """Describe a model behind a server on loopback."""
    base = url + ("/v1" if provider == "openai" else "")
    own: dict[str, Any] = {
        "provider": provider,
        "base_url": base,
        "model": "m-1",
        "allow_private": True,
        "timeout": 60.0,
    }
    return model(code, role, **{**own, **more})


def remote_case(folder: Path, url: str, count: int = 1, **more: Any) -> Path:
    """Write a case of a suspect behind a server and a scripted reference, both to be asked `count` prompts."""
    protocol: dict[str, Any] = {key: more.pop(key) for key in ("bogus_model", "samples", "probes") if key in more}
    models = [remote(url, **more), model("R1", "reference", provider="scripted", model="same")]
    settings: dict[str, Any] = {"probes": [f"open_howto:{count}"], "replicates": 1, **protocol}
    return write_case(folder, case_of(models, **settings))


def heard(folder: Path, code: str = "S1") -> tuple[Exchange, ...]:
    """Every attempt at a model, from the log."""
    return tuple(one for one in ledger.entries(folder).exchanges if one.model == code)


def first(fault: str) -> Plan:
    """Let the first attempt at each question meet a fault."""
    return lambda seen: fault if seen.nth == 1 else ""


def row(folder: Path, fault: str, **more: Any) -> Row:
    """Ask one question whose first attempt meets a fault."""
    if fault not in SILENT:
        return _row(folder, fault, 60.0, **more)
    for deadline in DEADLINES:
        shutil.rmtree(folder / "case", ignore_errors=True)
        made = _row(folder, fault, deadline, **more)
        if made.server_was_heard:
            break
    return made


def _row(folder: Path, fault: str, deadline: float, **more: Any) -> Row:
    context = certificate(folder, "wrong.example")[0] if fault == TLS else None
    with Server(first(fault), context=context) as server:
        case = remote_case(folder / "case", server.url, timeout=deadline, **more)
        registered = depose("register", case)
        assert registered.code == 0, registered.err
        ran = depose("probe", case)
    return Row(fault=fault, exchanges=heard(case), ran=ran, deadline=deadline)


def rows(folder: Path, faults: Sequence[str] = (*FAULTS, TLS)) -> list[Row]:
    """Meet every fault."""
    os.environ["DEPOSE_TEST_KEY"] = "sk-test-0123456789abcdef"
    made = []
    for number, fault in enumerate(faults):
        (folder / str(number)).mkdir(parents=True)
        made.append(row(folder / str(number), fault, api_key_env="DEPOSE_TEST_KEY"))
    return made
