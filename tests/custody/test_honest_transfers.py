"""What an honest run wrote is never refused: bundles of runs that met every fault, were killed, and went on.

The checks of transfers (`custody/wires.py`, `custody/sending.py`) refuse what depose does not write. Whatever it does
write, under any server, has to pass them.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from attacks_with_key import reanalyzed
from depose import pipeline
from depose.cli.options import now
from depose.custody import keys
from depose.custody.seal import seal
from depose.custody.verify import verify
from depose.evidence import ledger
from depose.evidence.log import Clock
from fakes import case_of, depose, finish, install, killed, model, start, write_case
from faults import FAULTS, RAW, Seen, Server
from faults_of_data import ECHOES, VALUES
from faulty import SILENT, first, remote, remote_case
from tampering import DATE, Records, rechain, relist, restate

LARGE = ("50 MB body", "gzip bomb")
"""Left to the tests of endpoints, for their size."""
DIALECTS = ("openai", "anthropic", "google")
KILLS = 6


def followed(case: Path, clock: Clock = now) -> int:
    """Analyze, report, seal and verify; return how many exchanges followed from their bytes."""
    pipeline.analyze_case(case, lambda line: None, clock)
    pipeline.report_case(case, pipeline.Order(formats=("html",)))
    keys.make(case.parent / "key.pem")
    bundle = Path(seal(case, keys.load(case.parent / "key.pem"), clock, {}).bundle)
    said = [one for one in verify(bundle, recompute=False, clock=clock).checks if "request and answer follow" in one]
    return int(said[0].split()[0])


def sent(case: Path) -> int:
    """Count the transfers in the log, of a model that cannot exist too."""
    entries = ledger.entries(case)
    return sum(one.wire is not None for one in (*entries.controls, *entries.exchanges, *entries.superseded))


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("provider", DIALECTS)
def test_what_every_fault_leaves_behind_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, stream: bool
) -> None:
    """Behind each endpoint another fault is met first, by questions and by that of a model that cannot exist."""
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    monkeypatch.setenv("DEPOSE_TEST_KEY", "sk-test-0123456789abcdef")
    of_data: Sequence[str] = (*VALUES, *ECHOES) if provider == "openai" else ()
    faults = ["", *(one for one in (*FAULTS, *of_data) if one not in LARGE)]
    with contextlib.ExitStack() as stack:
        models = [model("R1", "reference", provider="scripted", model="same")]
        for place, fault in enumerate(faults):
            server = stack.enter_context(Server(first(fault)))
            code, role = (f"C{place}", "control") if place else ("S1", "suspect")
            seconds = 2.0 if fault in SILENT else 60.0
            models.append(remote(server.url, code, role, provider, stream=stream, timeout=seconds,
                                 api_key_env="DEPOSE_TEST_KEY"))  # fmt: skip
        case = write_case(tmp_path / "case", case_of(models, probes=["open_howto:3"], bogus_model=True))
        pipeline.register_case(case, now)
        for _ in range(2):  # what failed is asked again
            depose("probe", case)
    assert sent(case) > 3 * len(faults)
    assert followed(case) == sent(case)


@pytest.mark.slow
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_what_a_killed_run_leaves_behind_verifies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: bool
) -> None:
    """Questions in flight at a kill are asked anew, and attempts are counted anew."""
    site = install(tmp_path / "site")
    monkeypatch.syspath_prepend(site)
    chance = random.Random(5)  # moments, not secrets

    def plan(seen: Seen) -> str:
        return "503" if seen.nth % 3 == 1 else "slow first byte" if seen.nth % 3 == 2 else ""

    with Server(plan) as server:
        models = [remote(server.url, stream=stream), remote(server.url, "R1", "reference", stream=stream)]
        case = write_case(tmp_path / "case", case_of(models, probes=["open_howto:20"], bogus_model=True))
        pipeline.register_case(case, now)
        for _ in range(KILLS):
            killed(case, site, chance.uniform(0, 0.5))
        assert ledger.entries(case).lost
        assert finish(start("probe", case, path=[site])).code == 0
    assert followed(case) == sent(case)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_an_endpoint_that_was_amended_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stream: bool) -> None:
    """The suspect moves to another address, model and form: both times of asking stand, each under its own protocol."""
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    with Server() as one, Server() as other:
        models = [remote(one.url, stream=stream), model("R1", "reference", provider="scripted", model="same")]
        more = {"probes": ["open_howto:3"], "bogus_model": True}
        case = write_case(tmp_path / "case", case_of(models, **more))
        pipeline.register_case(case, now)
        assert depose("probe", case).code == 0
        models[0] = remote(other.url, stream=not stream, **{"model": "m-2"})
        write_case(case, case_of(models, **more))
        pipeline.amend(case, "it moved", now)
        assert depose("probe", case).code == 0
    assert sent(case) == 2 * (3 + 1)  # each place was asked for a model that cannot exist too
    assert followed(case) == sent(case)


def _raw(status: int, size: int, kind: str = "application/json") -> Callable[[Seen, bytes], bytes]:
    head = f"HTTP/1.1 {status} Odd\r\nContent-Type: {kind}\r\n"
    return lambda seen, body: (head + f"Content-Length: {size or len(body)}\r\n\r\n").encode() + (b" " * size or body)


ODD = {
    "an answer under status 600": _raw(600, 0),
    "nothing under status 999": _raw(999, 2),
    "more than is read, by its header": _raw(200, 17 * 1024**2),
    "a page larger than is read": _raw(502, 17 * 1024**2, "text/html"),
}


def test_an_odd_but_honest_server_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any status of three digits can come, and of what is larger than an answer may be, the rest is not heard."""
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    monkeypatch.setattr("faults.RAW", {**RAW, **ODD})
    with contextlib.ExitStack() as stack:
        models = [model("R1", "reference", provider="scripted", model="same")]
        for place, fault in enumerate(ODD):
            server = stack.enter_context(Server(first(fault)))
            code, role = (f"C{place}", "control") if place else ("S1", "suspect")
            models.append(remote(server.url, code, role))
        case = write_case(tmp_path / "case", case_of(models, probes=["open_howto:1"]))
        pipeline.register_case(case, now)
        depose("probe", case)
    assert followed(case) == sent(case) >= len(ODD)


def test_a_machine_that_slept_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a laptop sleeps, the clock on the wall goes on and the one that counts does not."""
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    begun, slept = datetime.now(UTC), itertools.count(1)

    def clock() -> str:
        return (begun + timedelta(seconds=400) * next(slept)).strftime(DATE)

    with Server() as server:
        models = [remote(server.url), model("R1", "reference", provider="scripted", model="same")]
        case = write_case(tmp_path / "case", case_of(models, probes=["open_howto:2"]))
        pipeline.register_case(case, clock)
        pipeline.probe(case, clock, lambda answered, failed: None)
    assert followed(case, clock) == sent(case) == 2


def test_a_first_byte_long_before_the_headers_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that thinks sends `102 Processing` first, and a proxy its own reply: headers come minutes later."""
    monkeypatch.syspath_prepend(install(tmp_path / "site"))
    with Server() as server:
        case = remote_case(tmp_path / "case", server.url)
        pipeline.register_case(case, now)
        depose("probe", case)
    followed(case)
    work = tmp_path / "work"
    shutil.unpack_archive(next((case / "sealed").glob("*.zip")), work)

    def change(records: Records) -> None:
        wire = next(one["body"]["wire"] for one in records if one["kind"] == "exchange" and one["body"]["wire"])
        sent_at = datetime.fromisoformat(wire["sent_at"]) - timedelta(seconds=250)
        wire |= {"sent_at": sent_at.strftime(DATE), "first_byte_us": wire["sent_us"]}
        wire["last_byte_us"] = wire["sent_us"] + 310_000_000

    rechain(work, change)
    reanalyzed(work)
    restate(work, keys.load(case.parent / "key.pem"))
    relist(work, keys.load(case.parent / "key.pem"))
    assert "1 exchanges: request and answer follow" in " ".join(verify(work, recompute=False).checks)
