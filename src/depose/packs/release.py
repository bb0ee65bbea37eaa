"""A case for one release, from a pack: the file that somebody would have written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from depose.case import casefile
from depose.case.casetext import described, table
from depose.case.packs import Pack
from depose.errors import CaseError
from depose.evidence.log import write_whole
from depose.packs import given

LARGEST = casefile.LARGEST


def lay_out(
    pack: Pack, path: Path, folder: Path, suspect: str, reference: str, head: dict[str, str], protocol: dict[str, Any]
) -> Path:
    """Write the case of a release into `folder`, with the pack and the files of answers; return the folder.

    A folder that holds just this case is left as it is, so that a run that stopped goes on. Raises CaseError where
    another case lies there.
    """
    name = f"packs/{pack.manifest.file}"
    kept = folder / name
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_whole(kept, path.read_bytes())
    models = [
        given.model(suspect, "S1", "suspect", pack, folder),
        given.model(reference, "R1", "reference", pack, folder),
    ]
    said = {"controls": f"pack:{pack.manifest.name}-{pack.manifest.version}", **protocol}
    text = "\n".join(
        [
            table("[case]", head),
            table("[protocol]", said),
            *(table("[[models]]", described(one)) for one in models),
        ]
    )
    file = folder / casefile.NAME
    if file.is_file() and file.read_text(encoding="utf-8") != text:
        raise CaseError(f"{file}: another case lies there", hint="give each release a folder of its own")
    casefile.parse(text, str(file), folder)
    if not file.is_file():
        write_whole(file, text.encode())
    return folder
