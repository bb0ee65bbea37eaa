"""What an analyst names beside the logs: public prompts, and a table of countries."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec

from depose.errors import EvidenceError, UsageError, shell
from depose.evidence.log import write_whole
from depose.extraction.countries import Countries
from depose.extraction.manifest import Manifest, anew
from depose.extraction.masking import template
from depose.extraction.pseudonyms import Pseudonyms
from depose.model.canonical import UNREADABLE, canonical

PUBLIC = "public.json"
Key = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}\Z")]
SHOWN = 5
"""Names or rows of a list that are printed."""


def public_of(events: Path) -> list[int]:
    """Return the templates of public prompts that an import took down, in order; none where none were named."""
    file = events / PUBLIC
    if not file.is_file():
        return []
    try:
        return [int(one, 16) for one in msgspec.json.decode(file.read_bytes(), type=list[Key])]
    except UNREADABLE as error:
        raise EvidenceError(f"{file}: not what an import wrote: {error}", hint=anew(events.parent)) from error


def public(events: Path, now: Manifest, file: Path, names: Pseudonyms) -> Manifest:
    """Take down the templates of public prompts, such as benchmarks."""
    import numpy as np

    try:
        data = file.read_bytes()
        keys = {names.once("template", key) for line in data.decode().splitlines() if (key := template(line))}
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file}: {error}", hint="one prompt a line, in UTF-8") from error
    every = {*public_of(events), *np.array(sorted(keys), dtype=np.uint64).tolist()}
    write_whole(events / PUBLIC, canonical([f"{key:016x}" for key in sorted(every)]))
    digest = hashlib.sha256(data).hexdigest()
    return now if digest in now.public else msgspec.structs.replace(now, public=(*now.public, digest))


def read_before(
    now: Manifest, digests: set[str], countries: Countries | None, folder: Path, say: Callable[[str], None]
) -> None:
    """Say of logs that were read before without this table of countries that it does not change them."""
    if countries is None:
        return
    of = [one for one in now.sources if digests & {one.sha256, *(part.value for part in one.parts)}]
    if others := [one.name for one in of if one.countries != countries.sha256]:
        say(
            f"{', '.join(others[:SHOWN])}: read before without this table of countries, and stays as it is; to read it "
            f"anew remove {shell(folder / 'events')} and import again"
        )
