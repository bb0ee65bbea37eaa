"""One rival test of weights on the pairs that `inheritance.py` laid out, run in an environment of its own.

usage: python inside_inheritance.py cisco-ai-provenance-kit|model-tracing FOLDER TASK

TASK is a JSON list of pairs of folders. FOLDER is the checkout of model-tracing; the kit needs none.
Writes `said.json` beside TASK: for each pair whether kinship was called, what was said, and seconds.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ALPHA = 1e-6
CALLS = ("Confirmed Match", "High-Confidence Match")


def kit(_: str) -> Callable[[str, str], tuple[bool, str]]:
    """Return the comparison of the kit, which keeps nothing of a model from one pair to the next."""
    from provenancekit.core.scanner import ModelProvenanceScanner
    from provenancekit.services.cache import NullCache

    def compared(one: str, other: str) -> tuple[bool, str]:
        found = ModelProvenanceScanner(cache=NullCache()).compare(one, other)
        scores = found.scores
        said = f"{scores.provenance_decision} {scores.pipeline_score:.2f} (identity {scores.identity_score})"
        return scores.provenance_decision in CALLS, said

    return compared


def tracing(folder: str) -> Callable[[str, str], tuple[bool, str]]:
    """Return model-tracing's test of matched weights, the processor standing in for the card."""
    sys.path.insert(0, folder)
    import torch
    from transformers import AutoModelForCausalLM

    plain = torch.Tensor.to

    def to(self: torch.Tensor, *where: Any, **more: Any) -> torch.Tensor:
        return self if where == ("cuda",) else plain(self, *where, **more)

    torch.Tensor.to = to  # type: ignore[method-assign,assignment]
    from tracing.statistics.csu import statistic

    def compared(one: str, other: str) -> tuple[bool, str]:
        mine, theirs = (AutoModelForCausalLM.from_pretrained(path, local_files_only=True) for path in (one, other))
        p = float(statistic(mine, theirs)[0])
        return p <= ALPHA, f"p {p:.2g}"

    return compared


def main() -> None:
    """Compare every pair."""
    peer, folder, task = sys.argv[1:]
    compared = {"cisco-ai-provenance-kit": kit, "model-tracing": tracing}[peer](folder)
    found = []
    for one, other in json.loads(Path(task).read_text(encoding="utf-8")):
        start = time.perf_counter()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                called, said = compared(one, other)
        except Exception as error:
            called, said = False, f"no answer: {type(error).__name__}"
        found.append({"called": called, "said": said, "seconds": time.perf_counter() - start})
        print(f"  {peer}: {len(found)}", file=sys.stderr, flush=True)
    Path(task).with_name("said.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
