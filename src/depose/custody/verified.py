"""What a verification gives back, and a guard: files of somebody else end in EvidenceError and in no other error."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from depose.errors import DeposeError, EvidenceError, PluginError, UsageError
from depose.model import Record


class Verified(Record, frozen=True, kw_only=True):
    """What was checked and holds, and what was not checked."""

    bundle: str
    fingerprint: str
    sealed_at: str
    checks: tuple[str, ...]
    not_verified: tuple[str, ...]
    cautions: tuple[str, ...] = ()
    """What not to rely on though it was sealed so, such as an old script with a fault."""


@contextlib.contextmanager
def as_evidence(path: Path) -> Iterator[None]:
    """Let nothing that stands in files of somebody else end in another error than EvidenceError.

    Each reader refuses what it knows to be wrong and says where; behind them stand libraries and the whole analysis,
    which were written for files of one's own.
    """
    try:
        yield
    except (EvidenceError, UsageError, PluginError):
        raise
    except DeposeError as error:
        raise EvidenceError(error.message, hint=error.hint) from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    except (AssertionError, MemoryError, OSError, EOFError, RuntimeError, struct.error, zlib.error) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> EvidenceError:
    return EvidenceError(
        f"{path}: holds what cannot be read: {type(error).__name__}: {str(error)[:200]}",
        hint="depose wrote no such thing; --no-recompute shows how far it can be read",
    )
