"""What the manifest of a control pack may say: its signature holds, but its signer may be anybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from depose.model import ModelSpec

if TYPE_CHECKING:
    from depose.case.packs import PackManifest

LEAST_ROOM = 512 * 1024**2
PER_BYTE = 40
"""Bytes of memory for each byte of a pack, of one so large that this comes to more."""
ROW = 600
"""Bytes of memory that a prompt or an answer takes beside its letters."""
MARKS = "\n\t\u00a0\u00ad\u200c\u200d"
"""Letters without a shape of their own that a sentence may have, and a name may not."""
PROSE = ("title", "authority", "made_from", "source")
_DATE = "%Y-%m-%dT%H:%M:%S.%fZ"


def problem_of(manifest: PackManifest) -> str:
    """Say what is wrong with a manifest, or nothing: it lists recorded controls, takes little, and says no nonsense."""
    for of in ("code", "model"):
        seen = [getattr(one.spec, of).lower() for one in manifest.models]
        if len(set(seen)) != len(seen) or not all(seen):
            return f"two of its models have one {of}, or one has none"
    for one in manifest.models:
        wanted = ModelSpec(
            code=one.spec.code,
            role="control",
            provider="recorded",
            **{of: getattr(one.spec, of) for of in MAY if hasattr(one.spec, of)},
        )
        if one.spec != wanted:
            return f"{one.spec.code} is more than a recorded control"
    if sum(one.answers for one in manifest.models) != manifest.answers:
        return "its models do not have as many answers as it has"
    most = len(manifest.models) * manifest.prompts * manifest.settings.samples
    if manifest.answers > most:
        return f"it states {manifest.answers} answers, and its prompts can have {most}"
    takes = manifest.body.unpacked + ROW * (manifest.prompts + manifest.answers)
    if takes > max(LEAST_ROOM, PER_BYTE * manifest.body.size):
        return f"it would take {takes // 1024**2} MiB of memory, more than a pack of its size may"
    for where, text in _texts(manifest):
        odd = next((c for c in text if not (c.isprintable() or (where in PROSE and c in MARKS))), "")
        if odd:
            return f"its {where} holds {odd!a}, which no screen shows as it is"
    for one in manifest.models:
        for date in (one.first_asked, one.last_asked, manifest.built):
            if not _is_moment(date):
                return f"{date[:40]!a} is no time such as 2026-11-28T04:00:00.000000Z"
        if one.first_asked > one.last_asked:
            return f"{one.spec.code} was asked last before it was asked first"
        if manifest.built and one.last_asked > manifest.built:
            return f"{one.spec.code} was asked after the pack was built"
    return ""


def _texts(manifest: PackManifest) -> Iterator[tuple[str, str]]:
    """Yield what a manifest calls things, by the name of its field; a system prompt is no name."""
    waiting: list[tuple[str, Any]] = [("", msgspec.to_builtins(manifest))]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(str(key), one) for key, one in value.items() if key != "system"]
            waiting += [("field", str(key)) for key in value]
        elif isinstance(value, list | tuple):
            waiting += [(where, one) for one in value]
        elif isinstance(value, str):
            yield where, value


def _is_moment(date: str) -> bool:
    """Tell whether a date has the form in which depose writes it; nothing is fine, where nobody wrote it down."""
    try:
        return not date or datetime.strptime(date, _DATE).strftime(_DATE) == date
    except ValueError:
        return False


MAY = tuple(
    sorted(
        set(ModelSpec.__struct_fields__)
        - {"code", "role", "provider", "file", "adapter", "base_url", "api_key_env", "api_key_file", "proxy"}
        - {"allow_private", "stream", "parameters", "omit", "concurrency", "rpm", "tpm", "timeout", "attempts"}
        - {"repeats", "within", "replicates"}
    )
)
"""What a pack may say of a model: where it comes from and how it was asked, and nothing of where to send a key."""
