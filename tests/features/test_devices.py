"""The device is chosen without torch, and never used where torch cannot."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from depose.errors import AnalysisError
from depose.features.devices import check, choose


def torch(cuda: bool) -> Any:
    """Return what `check` reads of torch."""
    return SimpleNamespace(
        __version__="0",
        cuda=SimpleNamespace(is_available=lambda: cuda),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False)),
    )


def test_setting_overrides() -> None:
    """$DEPOSE_DEVICE decides, and a device that there is not is refused with the choices."""
    assert choose({"DEPOSE_DEVICE": "mps"}) == "mps"
    with pytest.raises(AnalysisError, match="cpu, cuda, mps"):
        choose({"DEPOSE_DEVICE": "tpu"})


def test_no_gpu_is_no_cuda(tmp_path: Path) -> None:
    """Without a device node, or with all of them hidden, the GPU is not chosen; the driver's other nodes are none."""
    (tmp_path / "nvidiactl").touch()
    assert choose({}, tmp_path) != "cuda"
    (tmp_path / "nvidia0").touch()
    assert choose({"CUDA_VISIBLE_DEVICES": ""}, tmp_path) != "cuda"


def test_unusable_gpu_is_an_error() -> None:
    """A device that torch cannot use stops with the way out; no other device silently takes its name."""
    assert check("cuda", torch(cuda=True)) == "cuda"
    assert check("cpu", torch(cuda=False)) == "cpu"
    for device in ("cuda", "mps"):
        with pytest.raises(AnalysisError, match="DEPOSE_DEVICE=cpu"):
            check(device, torch(cuda=False))


def test_choosing_needs_no_torch() -> None:
    """The choice does not import torch."""
    code = "import sys; from depose.features.devices import choose; choose(); print('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
