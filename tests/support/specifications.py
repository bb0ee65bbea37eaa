"""What several tests share: specifications."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from depose.analysis.analyze import analyze
from depose.features.extract import Features
from depose.model import Dossier, Finding, ModelSpec
from dossiers import CONTROLS, dossier, quiet, spec

PAIR = [spec("S1", "suspect"), spec("R1", "reference")]


def made(copies: dict[str, str], controls: Sequence[ModelSpec] = CONTROLS) -> Dossier:
    """Script a case of one suspect and one reference, its prompts in two families."""
    plain = dossier([*PAIR, *controls], copies)
    parted = tuple(msgspec.structs.replace(p, family=f"f{n % 2}") for n, p in enumerate(plain.registration.prompts))
    return msgspec.structs.replace(plain, registration=msgspec.structs.replace(plain.registration, prompts=parted))


def found(given: Dossier, features: Features | None = None) -> Finding:
    """Analyse it for the first question."""
    return analyze(given, features or Features(), quiet).findings.findings[0]
