"""Which device computes vectors and matches, told without importing torch, which takes seconds.

A GPU counts only where this torch was built for it. $DEPOSE_DEVICE (cpu, cuda or mps) overrides.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from depose.errors import AnalysisError

DEVICES = ("cpu", "cuda", "mps")
SETTING = "DEPOSE_DEVICE"


def choose(environ: Mapping[str, str] = os.environ, nodes: Path = Path("/dev")) -> str:
    """Name the device: an NVIDIA GPU that torch was built for, else the GPU of an Apple chip, else the CPU."""
    asked = environ.get(SETTING, "")
    if asked:
        if asked not in DEVICES:
            raise AnalysisError(f"{SETTING}: unknown device {asked!r}", hint=f"choose one of {', '.join(DEVICES)}")
        return asked
    hidden = environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if not hidden and any(nodes.glob("nvidia[0-9]*")) and _built_for_cuda():
        return "cuda"
    return "mps" if (platform.system(), platform.machine()) == ("Darwin", "arm64") else "cpu"


def check(device: str, torch: Any) -> str:
    """Return the device; raise AnalysisError where torch cannot use it."""
    usable = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not usable[device]:
        raise AnalysisError(
            f"torch {torch.__version__} cannot use the device {device!r}",
            hint=f"set {SETTING}=cpu, or repair the driver",
        )
    return device


def _built_for_cuda() -> bool:
    found = find_spec("torch")
    places = found.submodule_search_locations if found else None
    return any((Path(place) / "lib" / "libtorch_cuda.so").is_file() for place in places or ())
