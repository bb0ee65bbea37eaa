"""What holds for every test, whether alone or beside others."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A busy machine is slow, and that is no defect.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Threads of several workers would wait for each other; set before anything loads a library that reads it.
if "PYTEST_XDIST_WORKER" in os.environ:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
