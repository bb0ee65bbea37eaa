"""Make the golden values of tests/statistics/test_likelihood.py with `lir` of the Netherlands Forensic Institute.

python3.11 -m venv /tmp/lir && /tmp/lir/bin/pip install lir==1.3.1
/tmp/lir/bin/python benchmarks/golden_lir.py
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version

import numpy as np


def main() -> int:
    """Print Cllr, Cllr_min and the ELUB bounds of three made sets of likelihood ratios."""
    from lir import metrics
    from lir.algorithms.bayeserror import elub
    from lir.data.models import LLRData

    found: dict[str, object] = {"lir": version("lir")}
    for seed, (n1, n2, shift) in enumerate([(40, 300, 1.5), (15, 80, 0.7), (200, 200, 4.0)]):
        rng = np.random.default_rng(seed)
        h1 = rng.normal(shift, 1.0 + shift / 4, n1)
        h2 = rng.normal(-shift, 1.0 + shift / 4, n2)
        llrs = np.concatenate([h1, h2]) / np.log(10)
        labels = np.concatenate([np.ones(n1), np.zeros(n2)])
        data = LLRData(features=llrs.reshape(-1, 1), labels=labels)
        low, high = elub(llrs.copy(), labels)
        found[str(seed)] = {"cllr": metrics.cllr(data), "cllr_min": metrics.cllr_min(data), "elub": [low, high]}
    json.dump(found, sys.stdout, indent=1, default=float)
    return 0


if __name__ == "__main__":
    sys.exit(main())
