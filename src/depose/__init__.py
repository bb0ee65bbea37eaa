"""depose puts a language model under oath: evidence of model distillation, with honest statistics.

The names below are what a notebook or another program needs, and the only ones for which semantic versioning is
promised. A case is named by its folder; every function does what the command of the same name does, raises
`DeposeError` for what cannot be done, prints nothing, and can be called again after a kill.

    import depose

    depose.new_case("acme", source="recorded")
    depose.register_case("acme")
    depose.probe_case("acme")
    findings = depose.analyze_case("acme")
    depose.report_case("acme", formats=("html",))
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow

    from depose.asking.collect import Collected
    from depose.asking.imports import Imported
    from depose.custody.seal import Sealed
    from depose.custody.verified import Verified
    from depose.errors import (
        AnalysisError,
        CaseError,
        DeposeError,
        EndpointError,
        EvidenceError,
        PluginError,
        ReportError,
        SecretFound,
    )
    from depose.model import Case, Finding, Findings, ModelSpec, Opinion, Protocol, Ratio, Result, SelfTest
    from depose.pipeline import Registered, Written
    from depose.validate.run import Validated

Place = str | PathLike[str]
"""A file or folder."""

_RECORDS = {
    "depose.asking.collect": ("Collected",),
    "depose.asking.imports": ("Imported",),
    "depose.custody.seal": ("Sealed",),
    "depose.custody.verified": ("Verified",),
    "depose.errors": (
        "AnalysisError",
        "CaseError",
        "DeposeError",
        "EndpointError",
        "EvidenceError",
        "PluginError",
        "ReportError",
        "SecretFound",
    ),
    "depose.model": ("Case", "Finding", "Findings", "ModelSpec", "Opinion", "Protocol", "Ratio", "Result", "SelfTest"),
    "depose.pipeline": ("Registered", "Written"),
    "depose.validate.run": ("Validated",),
}
"""Imported when they are first asked for, so that `import depose` costs next to nothing."""

__all__ = [
    "AnalysisError",
    "Case",
    "CaseError",
    "Collected",
    "DeposeError",
    "EndpointError",
    "EvidenceError",
    "Finding",
    "Findings",
    "Imported",
    "ModelSpec",
    "Opinion",
    "PluginError",
    "Protocol",
    "Ratio",
    "Registered",
    "ReportError",
    "Result",
    "Sealed",
    "SecretFound",
    "SelfTest",
    "Validated",
    "Verified",
    "Written",
    "analyze_case",
    "check_installation",
    "import_answers",
    "new_case",
    "open_case",
    "probe_case",
    "read_findings",
    "read_scores",
    "register_case",
    "report_case",
    "seal_case",
    "validate_population",
    "verify_bundle",
]


def __getattr__(name: str) -> object:
    for module, names in _RECORDS.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'depose' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _silent(*_: object) -> None:
    """Say nothing of progress."""


def new_case(folder: Place, *, source: str = "rebadged") -> tuple[str, ...]:
    """Copy a bundled case, or the folder of another one, into a new folder; return the files made."""
    from pathlib import Path

    from depose import pipeline

    return tuple(map(str, pipeline.new(source, Path(folder))))


def open_case(folder: Place) -> Case:
    """Read the case file of a folder strictly: an unknown field, or a wrong value, is a CaseError."""
    from pathlib import Path

    from depose.case import casefile

    return casefile.read(casefile.folder_of(Path(folder)))


def register_case(folder: Place) -> Registered:
    """Freeze the protocol as record 0 of the log; do nothing where the same one stands there."""
    from pathlib import Path

    from depose import pipeline
    from depose.evidence.log import utc_now

    return pipeline.register_case(Path(folder), utc_now)


def probe_case(folder: Place, *, progress: Callable[[int, int], None] = _silent) -> Collected:
    """Ask what is still unanswered; `progress` is told how many questions of a batch were answered and how many not.

    Raises EndpointError if every question of this run failed.
    """
    from pathlib import Path

    from depose import pipeline
    from depose.evidence.log import utc_now

    return pipeline.probe(Path(folder), utc_now, progress)


def import_answers(
    folder: Place, model: str, file: Place, *, name: str = "", columns: Mapping[str, str] | None = None
) -> Imported:
    """Record the answers of the model with this code from a file.

    `name` picks one of several models of a file; `columns` says which column holds what, such as
    `{"response": "answer"}`.
    """
    from pathlib import Path

    from depose import pipeline
    from depose.case.tables import Wanted
    from depose.evidence.log import utc_now

    wanted = Wanted(columns=dict(columns or {}))
    return pipeline.import_answers(Path(folder), model, Path(file), name, utc_now, wanted)


def analyze_case(folder: Place, *, progress: Callable[[str], None] = _silent) -> Findings:
    """Turn transcripts into findings, scores and exhibits, and write all three into `out/`."""
    from pathlib import Path

    from depose import pipeline
    from depose.evidence.log import utc_now

    return pipeline.analyze_case(Path(folder), progress, utc_now)[0]


def read_findings(folder: Place) -> Findings:
    """Read the findings that `analyze_case` wrote."""
    from pathlib import Path

    from depose import pipeline

    return pipeline.read_findings(Path(folder))[1]


def read_scores(folder: Place) -> pyarrow.Table:
    """Read every centred score as an Arrow table: detector, prompt, left, right, bag, value.

    `value` is d_p of the two models on one prompt: higher means more alike than the controls make one expect. `bag`
    names the set of controls that it was centred on.
    """
    from pathlib import Path

    import pyarrow.parquet

    from depose.analysis.results import SCORES
    from depose.case import casefile
    from depose.errors import CaseError

    file = casefile.folder_of(Path(folder)) / "out" / SCORES
    try:
        return pyarrow.parquet.read_table(file)
    except (OSError, pyarrow.ArrowException) as error:
        raise CaseError(f"{file}: no scores: {error}", hint=f"depose analyze {folder}") from error


def report_case(
    folder: Place,
    *,
    flavour: Literal["expert", "compliance"] = "expert",
    formats: tuple[str, ...] = ("pdf", "html"),
) -> tuple[Written, ...]:
    """Render the findings into `out/`: `html`, `pdf`, `viewer` (the case as a page), `data` (JSON, JUnit, CSV).

    Raises UsageError, a DeposeError, for another format or flavour.
    """
    from pathlib import Path

    from depose import pipeline
    from depose.errors import UsageError

    if flavour not in ("expert", "compliance"):
        raise UsageError(f"no flavour of a report: {flavour!r}", hint="name expert or compliance")
    return pipeline.report_case(Path(folder), pipeline.Order(flavour=flavour, formats=formats))


def seal_case(folder: Place, key: Place, *, passphrase: str = "") -> Sealed:
    """Sign a case with a private key and write its bundle; raise SecretFound where a secret stands in any file."""
    import os
    from pathlib import Path

    from depose.custody import keys
    from depose.custody.seal import seal
    from depose.evidence.log import utc_now

    return seal(Path(folder), keys.load(Path(key), passphrase), utc_now, os.environ)


def verify_bundle(bundle: Place, *, public_key: Place | None = None, recompute: bool = True) -> Verified:
    """Check a sealed bundle and write nothing; raise EvidenceError at the first thing that does not hold.

    Without `public_key`, got by another way than the bundle, nobody knows who signed.
    """
    from pathlib import Path

    from depose.custody.verify import verify

    key = Path(public_key).read_bytes() if public_key is not None else b""
    return verify(Path(bundle), public_key=key, recompute=recompute)


def validate_population(
    data: Place,
    source: str,
    out: Place,
    *,
    detectors: tuple[str, ...] = (),
    progress: Callable[[str], None] = _silent,
) -> Validated:
    """Measure error rates on a labelled population, and write figures, plots and a calibration into `out`."""
    from pathlib import Path

    from depose.validate import run

    names = detectors or run.LEXICAL
    return run.validate(
        Path(data),
        source,
        Path(out),
        detectors=names,
        encode=run.encoder(names),
        mask=run.masker(names),
        progress=progress,
    )


def check_installation(*, live: bool = True, progress: Callable[[str], None] = _silent) -> SelfTest:
    """Judge samples whose truth is known: positive, negative, blank and foil; `live` loads the packaged model too."""
    from depose import selftest

    return selftest.selftest(None, progress, live=live)
