"""What holds for every test, whether alone or beside others."""

from __future__ import annotations

import faulthandler
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is slow, and that is no defect.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Threads of several workers would wait for each other; set before anything loads a library that reads it.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")

# Evidence is on the disk before it counts, and tests by the thousand would wait for a disk: memory, where it has room.
MEMORY, ROOM = Path("/dev/shm"), 4 * 1024**3  # noqa: S108
if (
    "TMPDIR" not in os.environ
    and os.access(MEMORY, os.W_OK)
    and shutil.disk_usage(MEMORY).free > ROOM
    and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC
):
    os.environ["TMPDIR"] = str(MEMORY)
    tempfile.tempdir = None

# Where a worker that a signal ends leaves its stack: in the midst of a long output, where pytest writes it, it is lost.
TRACES = "DEPOSE_TEST_TRACES"
if "PYTEST_XDIST_WORKER" not in os.environ:
    os.environ[TRACES] = tempfile.mkdtemp(prefix="depose-traces-")


@pytest.hookimpl(trylast=True)  # after pytest's own
def pytest_configure() -> None:
    """Let every worker keep a file open for its last words."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        faulthandler.enable((Path(os.environ[TRACES]) / worker).open("w"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print them below everything else."""
    for file in sorted(Path(os.environ[TRACES]).iterdir()):
        if said := file.read_text(errors="replace"):
            why, _, rest = said.partition("\n")
            stack = rest[rest.find("Current thread") :].splitlines()[:12]
            terminalreporter.write_line("\n".join((f"{file.name}: {why}", *stack)), red=True)


def pytest_unconfigure() -> None:
    """Take the folder away."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(os.environ[TRACES], ignore_errors=True)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the scripted provider installed, and say where."""
    from fakes import install

    folder = install(tmp_path / "site")
    monkeypatch.syspath_prepend(folder)
    return folder


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their number: those that gzip packed hold the second, and two workers collected different tests."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None
