"""Every error that depose raises on purpose.

DeposeError                 exit 1
├── CaseError               the case file or the case folder is not usable
│   ├── UsageError          the command line asks for something that cannot be       exit 2
│   └── ProtocolChanged     the case differs from the registered protocol
├── PluginError             a probe, detector or provider is unknown or does not load
├── EndpointError           a model cannot be opened or asked
│   └── ModelFileError      a model file is missing or not the one that was pinned
├── EvidenceError           the log or a blob does not verify                        exit 3
├── NoCanonicalForm         a value cannot be written into a log
├── SecretFound             a secret stands where it must not be                     exit 6
├── AnalysisError           the transcripts cannot carry the analysis asked for
└── ReportError             the report cannot be rendered
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from os import PathLike


class DeposeError(Exception):
    """Say what went wrong, where, and what to do next."""

    exit_code = 1
    files: tuple[PathLike[str], ...] = ()
    """Which of several files it is about, where it is about some of them."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class CaseError(DeposeError):
    """The case file or the case folder is not usable."""


class UsageError(CaseError):
    """The command line asks for something that cannot be."""

    exit_code = 2


class ProtocolChanged(CaseError):
    """The case differs from the protocol that was registered."""


class PluginError(DeposeError):
    """A probe, detector or provider is unknown or does not load."""


class EndpointError(DeposeError):
    """A model cannot be opened or asked."""


class ModelFileError(EndpointError):
    """A model file is missing or is not the one that was pinned."""


class EvidenceError(DeposeError):
    """The log or a blob does not verify."""

    exit_code = 3


class NoCanonicalForm(DeposeError):
    """A value cannot be written into a log."""


class SecretFound(DeposeError):
    """A secret stands where it must not be."""

    exit_code = 6


class AnalysisError(DeposeError):
    """The transcripts cannot carry the analysis asked for."""


class ReportError(DeposeError):
    """The report cannot be rendered."""


def few(names: Sequence[object], most: int = 4) -> str:
    """Name the first of many, and count the others."""
    return ", ".join(map(str, names[:most])) + (f" and {len(names) - most} more" if len(names) > most else "")


def shell(name: str | PathLike[str]) -> str:
    """Write a name as a shell reads it, for the commands that hints give: a folder may hold blanks."""
    return shlex.quote(str(name))
