"""A case for logs of one's own: its case file from what has to be said, and the custodian's key if there is none."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from depose.case import casetext
from depose.errors import UsageError
from depose.evidence.log import write_whole
from depose.extraction import plan
from depose.extraction.pseudonyms import case_key
from depose.model import Record

KEY_BYTES = 32


class Said(Record, frozen=True, kw_only=True):
    """What has to be known before anything is looked for."""

    title: str
    authority: str
    tested: tuple[str, str]
    clean: tuple[str, str] | None = None
    releases: tuple[str, ...] = ()
    """Each as MODEL=DAY."""
    fewest: int | None = None
    """Controls that a stratum needs, else as the case file has it."""
    accused_alone: bool = False
    """Whether the logs hold accused accounts and no others."""


class Begun(Record, frozen=True, kw_only=True):
    """What was written."""

    file: str
    hash_key: str
    key_made: bool
    """Whether the key was made now."""


def begin(folder: Path, said: Said, key: Path) -> Begun:
    """Write the case file into a folder, and make the key unless there is one; raise UsageError for what cannot be.

    The key stays outside the folder: who has both can undo the hashes of ids that can be guessed.
    """
    if (folder / plan.NAME).exists():
        raise UsageError(f"{folder}: holds a case already", hint="name a new folder")
    inside = folder.resolve()
    if inside in (key.resolve(), *key.resolve().parents):
        raise UsageError(f"{key}: the key would lie in the case", hint="keep it where the case does not go")
    text = _text(said)
    plan.parse(text, plan.NAME)
    made = _key(key)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / plan.NAME, text.encode())
    return Begun(file=str(folder / plan.NAME), hash_key=str(key), key_made=made)


def _text(said: Said) -> str:
    parts = [
        casetext.table("[case]", {"title": said.title, "authority": said.authority}),
        casetext.table("[period]", {"tested": said.tested, "clean": said.clean}),
    ]
    if said.fewest is not None or said.accused_alone:
        strata = {"fewest": said.fewest, "accused_alone": said.accused_alone or None}
        parts.append(casetext.table("[strata]", strata))
    for one in said.releases:
        model, sign, day = one.rpartition("=")
        if not sign or not model:
            raise UsageError(f"{one!r}: no release", hint="--release MODEL=DAY, the model as the log names what served")
        parts.append(casetext.table("[[releases]]", {"model": model, "at": day}))
    return "\n".join(parts)


def _key(file: Path) -> bool:
    """Make a key of random bytes that its owner alone reads; return False, and change nothing, where one is."""
    if not file.exists():
        try:
            with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(secrets.token_bytes(KEY_BYTES))
        except OSError as error:
            raise UsageError(f"{file}: {error.strerror or error}", hint="name a file that can be written") from error
        return True
    case_key(file, "")
    return False
