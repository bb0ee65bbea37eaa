"""What an honest run wrote is never refused: bundles of runs that met every fault, were killed, and went on.

The checks of transfers (`custody/wires.py`, `custody/sending.py`) refuse what depose does not write. Whatever it does
write, under any server, has to pass them.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from depose import pipeline
from depose.cli.options import now
from depose.custody import keys
from depose.custody.seal import seal
from depose.custody.verify import verify
from depose.evidence import ledger
from fakes import case_of, depose, finish, install, killed, model, start, write_case
from faults import FAULTS, Seen, Server
from faults_of_data import ECHOES, VALUES
from faulty import SILENT, first, remote

LARGE = ("50 MB body", "gzip bomb")
"""Left to the tests of endpoints, for their size."""
DIALECTS = ("openai", "anthropic", "google")
KILLS = 6


def followed(case: Path) -> int:
    """Analyze, report, seal and verify; return how many exchanges followed from their bytes."""
    pipeline.analyze_case(case, lambda line: None, now)
    pipeline.report_case(case, pipeline.Order(formats=("html",)))
    keys.make(case.parent / "key.pem")
    bundle = Path(seal(case, keys.load(case.parent / "key.pem"), now, {}).bundle)
    said = [one for one in verify(bundle, recompute=False).checks if "request and answer follow" in one]
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
